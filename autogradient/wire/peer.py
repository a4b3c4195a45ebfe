"""One end of a conversation: numbered requests that may nest, objects that both ends hold,
gradients that cross.

    ? n [operation, arguments …] state  →  ! n value state  or  x n error state  (`frames.message`)

Whoever waits for an answer serves the other's requests meanwhile, so that a function passed along
can be called back.

*Shared objects* have a number on both ends: a leaf tensor that needs gradients (a model's
parameter, an input to differentiate by), and whatever else `shares` says. Their contents travel in
the `state` of the next message whenever they have changed, and are written into the other end's
object.

*Gradients.* A result that has a history comes with the number of that history's graph here and of
the shared leaves it leads to; the other end makes it the output of a `torch.autograd.Function`
whose backward asks for those leaves' gradients (`Bridge`). So `.backward()`, `torch.autograd.grad`
and `gradcheck`, with `create_graph` too, work across.
"""

from __future__ import annotations

import functools
import sys
import time
import weakref
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from autogradient.wire import codec
from autogradient.wire.boundary import Boundary
from autogradient.wire.channel import SEND_S, Channel, Closed, Silent
from autogradient.wire.contents import assign, is_tensor
from autogradient.wire.frames import ANSWER, ERROR, NO_RAWS, REQUEST, Message, message, parts

#: Requests that one end serves, levels of requests within requests, and objects and graphs that it
#: keeps, in one conversation.
MAX_REQUESTS, MAX_NESTED, MAX_KEPT = 500_000, 40, 200_000
#: The state that goes along where there is nothing to say.
NOTHING = b""


class Gone(Exception):
    """The other end has ended, or does not keep to the rules; the conversation is over."""


class TimeOver(Gone):
    """The other end did not answer in time."""


class Peer(Boundary):
    """One end. The subclass serves operations (`serve`), says what stands for its objects (`lower`,
    `lift`) and raises the other's errors (`fail`).
    """

    #: The sign of the numbers given out here: the two ends must not give the same one.
    sign = 1

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.deadline: float | None = None
        self.over = ""
        self.count = self.served = self.nested = self.decoding = 0
        self.answering = False
        self.numbers: dict[int, int] = {}
        self.objects: dict[int, Any] = {}
        self.known: dict[int, bytes] = {}
        self.standing: set[int] = set()
        self.touched: dict[int, None] = {}
        self.graphs: dict[int, tuple[Any, dict[int, Any], bool]] = {}
        self.dropped: list[int] = []  # graphs of the other end that nothing here needs any more
        self.freed: list[int] = []  # shared objects of this end that are gone

    # ---- what a subclass says --------------------------------------------------------------------

    def serve(self, operation: str, arguments: Sequence[Any]) -> Any:
        """Carry out a request of the other end."""
        raise Gone(f"unknown request {operation!r}")

    def shares(self, value: Any) -> bool:
        """Whether an object that is being sent, and that is no leaf tensor, is to be shared."""
        return False

    def keeps(self, value: Any) -> bool:
        """Whether a leaf tensor of this end that stands in an answer is kept alike from then on."""
        return True

    def handed(self, number: int) -> None:
        """Note that a shared object goes along with a message."""

    def answered(self, received: Message) -> Any:
        """What an answer or an error holds."""
        return self._decode(received.body, received.raws)

    def state(self) -> dict[str, Any]:
        """What else goes along with each message."""
        return {}

    def use_state(self, state: dict[str, Any]) -> None:
        """Take in what came along."""

    def announced(self, state: dict[str, Any]) -> None:
        """Look at what came along before shared objects are taken in."""

    def describe(self, error: BaseException) -> Any:
        """An error of a request served here, as plain data."""
        return [type(error).__name__]

    def fail(self, description: Any) -> Exception:
        """The exception to raise for an error of the other end."""
        return Gone(str(description)[:200])

    # ---- the conversation ------------------------------------------------------------------------

    def request(self, operation: str, *arguments: Any) -> Any:
        """Have the other end do something; returns its answer. Raises what `fail` makes of its
        error, TimeOver, or Gone.
        """
        if self.over:
            raise Gone(self.over)
        if self.decoding:  # something in a message wants to be asked while it is taken in
            self.end("a message that asks")
        before, self.answering = self.answering, False
        try:
            raws: list[memoryview] = []
            body = codec.encode([operation, *arguments], self, bare=True, raws=raws)
        finally:
            self.answering = before
        self.count += 1
        number = self.count
        self._send(REQUEST, number, body, raws)
        while True:
            received = self._receive()
            if received.kind == REQUEST:
                self._answer(received)
                continue
            if received.number != number:
                self.end("it answered what was not asked")
            try:
                self._use(received.state)
                answer = self.answered(received)
                error = self.fail(answer) if received.kind == ERROR else None
            except Exception as problem:
                self._refuse(problem)
            if error is not None:
                raise error
            return answer

    def listen(self) -> None:
        """Serve requests until the other end closes."""
        while True:
            try:
                received = self._receive()
            except Gone:
                return
            if received.kind != REQUEST:
                return
            self._answer(received)

    def end(self, why: str, kind: type[Gone] = Gone) -> NoReturn:
        """End the conversation: every later request fails alike."""
        self.over = self.over or why
        raise kind(self.over)

    def _answer(self, received: Message) -> None:
        self.served += 1
        if self.served > MAX_REQUESTS or self.nested >= MAX_NESTED:
            self.end("it asks too much")
        try:
            self._use(received.state)
            operation, *arguments = self._decode(received.body, received.raws)
            if type(operation) is not str:
                raise codec.BadFrame("a request that is none")
        except Exception as problem:
            self._refuse(problem)
        self.nested += 1
        kind, raws = ANSWER, list[memoryview]()
        try:
            value = self.serve(operation, arguments)
            self.answering = True
            answer = codec.encode(value, self, raws=raws)
        except Gone:
            raise
        except BaseException as error:
            self.answering = True
            raws.clear()
            kind, answer = ERROR, codec.encode(self.describe(error), self)
        finally:
            self.answering = False
            self.nested -= 1
        self._send(kind, received.number, answer, raws)

    def _refuse(self, problem: Exception) -> NoReturn:
        """Whatever a message breaks while it is taken in, it was no message: no test may take that
        for an answer.
        """
        # warnings of the other end that a filter here turns into errors are an answer
        if isinstance(problem, (Gone, Warning, FloatingPointError)):
            raise problem
        self.end(f"a message that is none ({type(problem).__name__})")

    def _send(self, kind: bytes, number: int, body: bytes, raws: list[memoryview]) -> None:
        left = SEND_S if self.deadline is None else max(0.1, self.deadline - time.monotonic())
        try:
            self.channel.send_bytes(message(kind, number, self._state(), body), *raws, timeout=left)
        except Closed as error:
            self.end(
                str(error),
                TimeOver
                if self.deadline is not None and time.monotonic() > self.deadline
                else Gone,
            )

    def _receive(self) -> Message:
        left = None if self.deadline is None else self.deadline - time.monotonic()
        try:
            if left is not None and left <= 0:
                raise Silent
            return parts(self.channel.receive_bytes(0, left)[0])
        except Silent:
            self.end("it did not answer in time", TimeOver)
        except (Closed, codec.BadFrame) as error:
            self.end(str(error))

    def _decode(
        self, body: bytes | memoryview, raws: memoryview = NO_RAWS, plain: bool = False
    ) -> Any:
        self.decoding += 1
        try:
            return codec.decode(body, None if plain else self, raws=raws)
        except codec.BadFrame as error:
            self.end(str(error))
        finally:
            self.decoding -= 1

    def _state(self) -> bytes:
        content = self.state()
        sync = self._changes()
        if sync:
            content["sync"] = sync
        if self.dropped:
            content["drop"], self.dropped = self.dropped, []
        if self.freed:
            content["free"], self.freed = self.freed, []
        return codec.encode(content) if content else NOTHING

    def _use(self, state: bytes | memoryview) -> None:
        if not state:
            self.use_state({})
            return
        # numbers, texts and the contents of shared objects as bytes: nothing of either side stands
        # in it
        found = self._decode(state, plain=True)
        if type(found) is not dict:
            self.end("a state that is none")
        self.announced(found)
        for number in found.get("drop", ()):
            self.graphs.pop(number, None)
        for number in found.get("free", ()):
            gone = self.objects.pop(number, None)
            self.numbers.pop(id(gone), None)
            self.known.pop(number, None)
            self.standing.discard(number)
        for entry in found.get("sync", ()):
            try:
                number, body = entry
                self._take(int(number), body)
            except (TypeError, ValueError) as error:
                self.end(str(error))
        self.use_state(found)

    # ---- shared objects --------------------------------------------------------------------------

    def share(self, value: Any) -> int | None:
        """The number of an object that both ends hold, given now if it should have one."""
        number = self.numbers.get(id(value))
        if number is not None:
            self.touched[number] = None
            self.handed(number)
            return number
        if is_tensor(value) and value.requires_grad:
            # a leaf in an answer is the other's to keep: a model's parameter
            keep = self.shares(value) or (self.answering and self.keeps(value))
        elif self.shares(value):
            keep = True
        else:
            return None
        if len(self.objects) >= MAX_KEPT:
            raise codec.NotPlain("one object too many")
        self.count += 1
        number = self.sign * self.count
        self._keep(number, value, keep)
        self.touched[number] = None
        self.handed(number)
        return number

    def shared(self, number: int) -> Any:
        """The object of a number."""
        found = self._object(number)
        if found is None:
            raise codec.BadFrame("a shared object that is not known")
        return found

    def _keep(self, number: int, value: Any, standing: bool) -> None:
        """Remember a shared object for as long as it is used here; one that stands is compared and
        kept alike all that time.
        """
        self.numbers[id(value)] = number
        if standing:
            self.standing.add(number)
        if isinstance(value, (list, dict, set)):  # these cannot be watched: see `_changes`
            self.objects[number] = value
        else:
            self.objects[number] = weakref.ref(
                value, functools.partial(self._forgotten, number, id(value))
            )

    def _forgotten(self, number: int, identity: int, _: object) -> None:
        self._forget(number, identity)

    def _forget(self, number: int, identity: int) -> None:
        self.objects.pop(number, None)
        self.known.pop(number, None)
        self.standing.discard(number)
        if self.numbers.get(identity) == number:
            del self.numbers[identity]
        self.freed.append(number)

    def _object(self, number: int) -> Any:
        found = self.objects.get(number)
        return found() if isinstance(found, weakref.ref) else found

    def _changes(self) -> list[list[Any]]:
        """The contents that the other end does not have yet, what they hold before them."""
        out: list[list[Any]] = []
        done: set[int] = set()

        def emit(number: int) -> None:
            value = None if number in done else self._object(number)
            done.add(number)
            if value is None:
                return
            self.touched = {}
            body = codec.encode(value, self, bare=True)
            for inner in list(self.touched):
                emit(inner)
            if body != self.known.get(number):
                self.known[number] = body
                out.append([number, body])

        for number in [
            number
            for number in self.standing
            if number * self.sign > 0 and number not in self.touched
        ]:
            value = self.objects.get(number)
            # held by nobody but `objects`, this loop and the call
            if isinstance(value, (list, dict, set)) and sys.getrefcount(value) <= 3:
                self._forget(number, id(value))
        for number in [*self.touched, *self.standing]:
            emit(number)
        self.touched = {}
        return out

    def _take(self, number: int, body: Any) -> None:
        if type(body) is not bytes:
            raise TypeError("a content that is none")
        content = self._content(body)
        if id(content) in self.numbers:
            self.end("a content that is known under another number")
        old = self._object(number)
        if old is None:
            if number * self.sign > 0 or len(self.objects) >= MAX_KEPT:
                self.end("a number that is not its own")
            self._adopt(number, content)
        elif self.may_change(number, old):
            assign(old, content)
        elif number * self.sign < 0:
            self.left_alone(number, old, content, body)
            return
        self.known[number] = body

    def _content(self, body: bytes) -> Any:
        return self._decode(body)

    def left_alone(self, number: int, old: Any, content: Any, body: bytes) -> None:
        """The other end's object has changed, and this end's copy of it may not."""

    def _adopt(self, number: int, content: Any) -> None:
        self.numbers[id(content)] = number
        self.objects[number] = content
        if self.adopted(number, content):
            self.standing.add(number)

    def adopted(self, number: int, content: Any) -> bool:
        """Whether changes here to an object that the other end shared are sent back."""
        return True

    def may_change(self, number: int, value: Any) -> bool:
        """Whether the other end may change a shared object of this end."""
        return True

    # ---- gradients -------------------------------------------------------------------------------

    def graph(self, tensor: Any) -> list[Any] | None:
        """In an answer: a number for the history of `tensor`, and of the shared leaves that it
        leads to.
        """
        if tensor.grad_fn is None or not self.answering or not tensor.requires_grad:
            return None
        leaves: dict[int, Any] = {}
        others = False
        for leaf in _leaves(tensor.grad_fn):
            number = self.numbers.get(id(leaf))
            if number is None:
                others = True
            else:
                leaves[number] = leaf
        if len(self.graphs) >= MAX_KEPT:
            raise codec.NotPlain("one graph too many")
        self.count += 1
        self.graphs[self.count] = (tensor, leaves, others)
        return [self.count, list(leaves)]

    def joined(self, graph: Any, numbers: Any, tensor: Any) -> Any:
        """A result of the other end whose gradients it computes."""
        from autogradient.wire.autograd import join

        if (
            not is_tensor(tensor)
            or id(tensor) in self.numbers
            or type(graph) is not int
            or type(numbers) is not list
            or len(numbers) > MAX_KEPT
        ):
            raise codec.BadFrame("a result with a history that is none")
        return join(self, graph, [self.shared(number) for number in numbers], tensor)

    def backward(self, graph: Any, gradient: Any, create_graph: Any) -> list[Any]:
        """Serve the backward of a result given out earlier: the gradients of its shared leaves;
        other leaves accumulate theirs here.
        """
        import torch

        if graph not in self.graphs:
            raise RuntimeError("Trying to backward through a graph that is gone")
        tensor, leaves, others = self.graphs[graph]
        gradient = gradient.to(tensor.device) if is_tensor(gradient) else gradient
        create = create_graph is True
        if not others:
            if not leaves:
                return []
            return list(
                torch.autograd.grad(
                    tensor,
                    list(leaves.values()),
                    gradient,
                    retain_graph=True,
                    create_graph=create,
                    allow_unused=True,
                )
            )
        before = {number: leaf.grad for number, leaf in leaves.items()}
        try:
            for leaf in leaves.values():
                leaf.grad = None
            torch.autograd.backward(tensor, gradient, retain_graph=True, create_graph=create)
            return [leaf.grad for leaf in leaves.values()]
        finally:
            for number, leaf in leaves.items():
                leaf.grad = before[number]


def _leaves(function: Any) -> Iterator[Any]:
    """The leaf tensors that a backward function leads to."""
    seen = {function}
    stack = [function]
    while stack:
        node = stack.pop()
        variable = getattr(node, "variable", None)
        if variable is not None:
            yield variable
        for following, _ in node.next_functions:
            if following is not None and following not in seen:
                seen.add(following)
                stack.append(following)
