"""What a test holds of the student's, and what follows later changes of it.

A value that came in an answer is the test's: it stays as it was when it came, whatever student code
does to its own object afterwards. Else a function that keeps what it returned could write into it
what another one is told: `accuracy(predicted, true)`. When the student's object has changed, the
next answer that holds it brings a new copy.

Live are, and no more:

- the tensors of models and optimizers that the test hands out, and of the student's models and
  optimizers what is reached through them (`model.weight`, `model.parameters()`), unless a call has
  returned it, too: that is how training is seen;
- in a case that looks at what calls do to their arguments, what was passed in that case;
- in a case that calls something of the student's for its effect alone, what is asked for by name.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from autogradient.wire import codec
from autogradient.wire.channel import Channel
from autogradient.wire.contents import assign_gradient, is_tensor
from autogradient.wire.frames import ERROR, Message
from autogradient.wire.peer import Peer

#: Requests by which a case that calls for an effect gets what is live.
_BY_NAME = ("get", "attr", "item")
#: Requests that tell student code nothing that it could answer with.
_SILENT: tuple[str, ...] = ("get", "attr", "len", "iter", "next", "text", "dir", "copy")
_SILENT += ("deepcopy", "fields", "source", "signature", "seed", "forget")


class Holding(Peer):
    """A judge's end, as far as shared objects go. With `copy_back` changed arguments come back,
    with `effects` the student's variables are live.
    """

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel)
        self.copy_back = self.effects = False
        self.lasting: list[int] = []  # shared objects whose changes come back in any case
        self.models: set[int] = set()  # tensors of models and optimizers that were handed out
        self.passed: set[int] = set()  # what was passed in this case, where changes come back
        self.live: set[int] = set()  # the student's whose changes are taken in
        self.frozen: set[int] = set()  # the student's that a call has returned
        self.later: dict[int, bytes] = {}  # what has become of the student's since
        self.reach = False  # what comes is a part of a model
        self.within = 0  # contents are taken in, no answer
        self.sent: set[int] = set()  # what goes along with the present request
        self.told_of = 0  # what student code was told so far, in requests

    def begin_case(self, copy_back: bool, effects: bool) -> None:
        """From now on as the next case asks for it."""
        self.copy_back, self.effects = copy_back, effects
        self.passed = set()

    # ---- what goes out ---------------------------------------------------------------------------

    @contextlib.contextmanager
    def asking(self, operation: str, arguments: tuple[Any, ...], reach: bool) -> Iterator[None]:
        """While something is asked: whether its answer is a part of a model."""
        before = self.reach, self.sent
        self.reach = reach or (self.effects and operation in _BY_NAME)
        self.sent = set()
        if operation not in _SILENT and not (operation == "call" and not any(arguments[1:])):
            self.told_of += 1
        try:
            yield
        finally:
            self.reach, self.sent = before

    def shares(self, value: Any) -> bool:
        """Arguments are shared, so that changes come back, only where the test asks for it."""
        return self.copy_back and not self.answering

    def keeps(self, value: Any) -> bool:
        """What a function of the test's returns stays the test's."""
        return False

    def handed(self, number: int) -> None:
        """What the test passes may change where it looks at that; what a function of its own
        returns may not.
        """
        if not self.answering:
            self.sent.add(number)
            if self.copy_back:
                self.passed.add(number)

    def hand_out(self, tensor: Any) -> None:
        """A tensor of a model or an optimizer that is handed out is shared for good."""
        if id(tensor) not in self.numbers:
            self.count += 1
            self._keep(self.count, tensor, True)
        number = self.numbers[id(tensor)]
        self.lasting.append(number)
        self.models.add(number)
        self.standing.add(number)
        self.objects[number] = tensor
        self.touched[number] = None

    def _changes(self) -> list[list[Any]]:
        out = super()._changes()
        self.told_of += bool(out)
        for number, _ in out:  # the student's own is as the test's from now on
            self.later.pop(number, None)
        return out

    # ---- what comes in ---------------------------------------------------------------------------

    def may_change(self, number: int, value: Any) -> bool:
        """Whether student code may change an object that the test holds: see above."""
        if number in self.models or (self.copy_back and number in self.passed):
            return True
        if number * self.sign > 0:
            return False
        return number in self.live or (self.effects and number not in self.frozen)

    def left_alone(self, number: int, old: Any, content: Any, body: bytes) -> None:
        """An answer stays as it was; of a tensor that was passed along just now the gradient comes:
        a training step of theirs fills it.
        """
        if number in self.sent and is_tensor(old):
            assign_gradient(old, content)
            self.known[number] = codec.encode(old, self, bare=True)
        if body == self.known.get(number):
            self.later.pop(number, None)
        else:
            self.later[number] = body

    def announced(self, state: dict[str, Any]) -> None:
        """A number that is free may be given to another object."""
        for number in state.get("free", ()):
            for numbers in (self.live, self.frozen, self.models, self.passed):
                numbers.discard(number)
            self.later.pop(number, None)

    def shared(self, number: int) -> Any:
        """The object of a number, as it is now."""
        found = super().shared(number)
        if number * self.sign > 0 or self.within:
            return found
        if self.reach and number not in self.frozen:
            self.live.add(number)
        else:
            self.live.discard(number)
            if not self.reach:
                self.frozen.add(number)
        body = self.later.pop(number, None)
        if body is None:
            return found
        content = self._content(body)
        if id(content) in self.numbers:
            self.end("a content that is known under another number")
        self.numbers.pop(id(found), None)
        self._adopt(number, content)
        self.known[number] = body
        return content

    def answered(self, received: Message) -> Any:
        """What hangs on an error is no part of a model."""
        if received.kind == ERROR:
            self.reach = False
        return super().answered(received)

    def _answer(self, received: Message) -> None:
        """What student code passes to a function of the test's is no part of a model, and it learns
        what comes of that.
        """
        before, self.reach = self.reach, False
        self.told_of += 1
        try:
            super()._answer(received)
        finally:
            self.reach = before

    def _content(self, body: bytes) -> Any:
        """What a shared object holds; what stands in it was not given out by that."""
        self.within += 1
        try:
            return self._decode(body)
        finally:
            self.within -= 1

    def joined(self, graph: Any, numbers: Any, tensor: Any) -> Any:
        """A result whose gradients go to what the test holds, as that was when it came."""
        self.within += 1
        try:
            return super().joined(graph, numbers, tensor)
        finally:
            self.within -= 1
