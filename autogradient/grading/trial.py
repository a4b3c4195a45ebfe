"""What runs in a judge's process: the cases of one part against a student's objects, which live in
another process.

A job comes from the grader with a descriptor, the conversation with the student's process. Reports
go back, one for each case, as plain data. The judge holds the tests, the expected values and copies
of the student's; it has no network and can write nothing.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import functools
import hashlib
import importlib
import inspect
import io
import os
import socket
import sys
import time
import traceback
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autogradient.grading import guard, library_patches
from autogradient.grading.test_needs import ALIASES
from autogradient.model import short_answers
from autogradient.model.testcode import Statement, parse, reachable, statements
from autogradient.sandbox import rehearsal
from autogradient.sandbox.seeds import seed_everything
from autogradient.sandbox.servant import reap
from autogradient.wire import codec
from autogradient.wire.channel import Channel, Closed
from autogradient.wire.codec import NotPlain
from autogradient.wire.peer import TimeOver
from autogradient.wire.proxies import LIMITED, Proxy, class_of
from autogradient.wire.student import Student


def prepare() -> None:
    """What every judge needs, done once in the warm interpreter."""
    importlib.import_module("autogradient.wire.autograd")
    rehearsal.crossing()
    rehearsal.tests()
    library_patches.patch()
    guard.watch(library_patches.refuse)


def start(request: dict[str, Any], fd: int) -> None:
    """Fork a judge for each request, a descriptor and processors; nothing that a judge is told
    passes here. Returns when the channel closes.
    """
    sys.path.insert(0, "")
    channel = Channel(socket.socket(fileno=fd))
    channel.receive()  # the seed, which is for student code
    channel.send({"pid": os.getpid()})
    while True:
        try:
            request, fds = channel.receive_with_fds(1)
        except Closed:
            return
        reap()
        child = os.fork()
        if child == 0:
            channel.close()
            os.sched_setaffinity(0, request["processors"])
            return serve(Channel(socket.socket(fileno=fds[0])))
        with socket.socket(fileno=fds[0]) as far, contextlib.suppress(Closed):
            Channel(far).send({"pid": child})


def serve(channel: Channel) -> None:
    """Do a judge's jobs until the grader closes the channel."""
    while True:
        try:
            job, fds = channel.receive_with_fds(1)
        except Closed:
            return
        if job["do"] == "value":
            channel.send(judge_value(job))
        else:
            with socket.socket(fileno=fds[0]) as sock:
                for report in Trial(job, Channel(sock)).reports():
                    channel.send(report)
        channel.send({"end": True})


# ---- short answers -------------------------------------------------------------------------------


def judge_value(job: dict[str, Any]) -> dict[str, Any]:
    """Whether a short answer has the right form, is right, and which listed slip it is: problem,
    right, slip.
    """
    try:
        value = codec.decode(job["value"])
    except Exception:
        return {"problem": short_answers.UNREADABLE, "right": False, "slip": ""}
    found = short_answers.judge(value, job["expected"], job["criteria"])
    return {"problem": found.problem, "right": found.right, "slip": found.slip}


# ---- code ----------------------------------------------------------------------------------------


class Names(dict[str, Any]):
    """A namespace that asks the student's process for what it lacks."""

    def __init__(self, content: dict[str, Any], student: Student) -> None:
        super().__init__(content)
        self.student = student

    def __missing__(self, name: str) -> Any:
        if hasattr(builtins, name):
            raise KeyError(name)
        return self.student.get(name)

    def __contains__(self, name: object) -> bool:
        try:
            self[name]  # type: ignore[index]
        except KeyError:
            return False
        return True

    def get(self, name: str, default: Any = None) -> Any:
        """As of a dict."""
        return self[name] if self.__contains__(name) else default

    def copy(self) -> Names:
        """Another namespace that asks the same student."""
        return Names(self, self.student)


class Trial:
    """The cases of one part. See `judge.job_of` for what a job holds."""

    def __init__(self, job: dict[str, Any], channel: Channel) -> None:
        self.job = job
        self.tests: str = job["tests"]
        self.student = Student(
            channel, members=job["classes"], folder=os.getcwd(), tables=job["tables"]
        )
        self.student.sources = job["sources"]
        self.namespace: dict[str, Any] = {}
        self.codes: list[types.CodeType] = []  # what the test has compiled

    @functools.cached_property
    def tree(self) -> ast.Module:
        """The tests as Python."""
        return parse(self.tests) if self.job["style"] == "functions" else _cell(self.tests)

    def reports(self) -> Iterator[dict[str, Any]]:
        """Run the cases; a report for each, until the student's process is gone."""
        library_patches.attend(self.student)
        problem = None
        quiet = io.StringIO()
        self.student.deadline = time.monotonic() + self.job["limit"]
        try:
            with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
                self._prepare()
        except Exception as error:
            problem = explain(error)
        for name, seed in self.job["cases"]:
            if problem is not None:
                yield {
                    "case": name,
                    "passed": False,
                    "error": problem,
                    "broken": True,
                    "seconds": 0.0,
                    "output": "",
                }
                continue
            report = self._one_case(name, seed)
            yield report
            if self.student.over or (self.job["stop"] and not report["passed"]):
                return

    def _prepare(self) -> None:
        """What stands around the tests: decorators, the instructor's own cells, the tests'
        functions.
        """
        self.namespace = {
            "__name__": "tests",
            "__builtins__": builtins,
            "test_case": lambda *a, **k: (
                a[0] if len(a) == 1 and callable(a[0]) and not k else (lambda function: function)
            ),
            "probe": self._probe,
            "display": lambda *a, **k: None,
            "type": _Type,
            "eval": self._only_own(eval),
            "exec": self._only_own(exec),
            "compile": self._compiled,
        }
        for text in self.job["setup"]:
            exec(compile(text, "<instructor's setup>", "exec", dont_inherit=True), self.namespace)
        self._draw_given()
        for name in self.job["libraries"]:
            module = None if name in self.namespace else self._library(name)
            if module is not None:
                self.namespace[name] = module
        classes = self.job["classes"]
        self.student.named = frozenset(self.job["takes"] if classes is None else classes) - set(
            self.namespace
        )
        if classes is None:  # only by the way they are written
            self.student.named = frozenset(
                name for name in self.student.named if name[:1].isupper()
            )
        if self.job["style"] == "functions":
            exec(compile(self.tests, "<tests>", "exec", dont_inherit=True), self.namespace)
        guard.read_texts(self._stands_here, library_patches.refuse)

    def _stands_here(self, text: Any) -> bool:
        """Whether a text stands in the test."""
        return type(text) is str and any(
            isinstance(n, ast.Constant) and n.value == text for n in ast.walk(self.tree)
        )

    def _draw_given(self) -> None:
        for text in self.job["given"]:
            exec(compile(text, "<given>", "exec", dont_inherit=True), self.namespace)

    def _library(self, name: str) -> Any:
        """The library that tests mean by a name, if it has all that they ask of it."""
        try:
            module = importlib.import_module(ALIASES[name])
        except ImportError:
            return None
        return (
            module
            if all(hasattr(module, attribute) for attribute in self.job["libraries"][name])
            else None
        )

    def _probe(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function whose text is run in the student's process."""
        name = function.__name__

        def ask(*arguments: Any, **named: Any) -> Any:
            source = "\n\n".join(statement.source for statement in reachable({name}, self._pool()))
            return self.student.ask(
                "probe", source, name, arguments, tuple(named.items()), level=LIMITED
            )

        ask.__name__ = name
        ask.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
        return ask

    @functools.cache  # noqa: B019 - as long as the trial
    def _pool(self) -> list[Statement]:
        """All that a probe may need around it."""
        texts = [*self.job["setup"], *self.job["given"], self.tests]
        return [statement for text in texts for statement in statements(text) if not statement.case]

    def _only_own(self, run: Callable[..., Any]) -> Callable[..., Any]:
        """`eval` and `exec` for texts that stand in the test, and code that was compiled from them;
        a submission's text would run here.
        """

        def own(text: Any, *spaces: Any) -> Any:
            code = (
                text
                if isinstance(text, types.CodeType) and text in self.codes
                else self._compiled(text, "<tests>", run.__name__)
            )
            frame = sys._getframe(1)
            return run(code, *(spaces or (frame.f_globals, frame.f_locals)))

        return own

    def _compiled(
        self, text: Any, filename: Any = "<tests>", mode: Any = "exec", *_: Any, **__: Any
    ) -> types.CodeType:
        """`compile` for a text that stands in the test."""
        if not self._stands_here(text):
            raise self.student.violate(
                f"'{mode}' of something that does not stand in the test as a text; run it "
                "in a @probe function"
            )
        code = compile(
            text.lstrip(" \t") if mode == "eval" else text, "<tests>", mode, dont_inherit=True
        )
        self.codes.append(code)
        return code

    def _one_case(self, name: str, seed: int) -> dict[str, Any]:
        started = time.perf_counter()
        output = io.StringIO()
        student = self.student
        student.deadline = time.monotonic() + self.job["limit"]
        student.begin_case(name in self.job["changes"], name in self.job["effects"])
        error = earned = None
        late = False
        missing: list[str] = []
        try:
            with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
                seed_everything(seed)
                student.seeds = []
                student.ask(
                    "seed", int.from_bytes(hashlib.sha256(f"worker/{seed}".encode()).digest()[:6])
                )
                if self.job["style"] == "cell":
                    earned = self._run_cell()
                else:
                    self._draw_given()
                    self.namespace["secret"] = student.secret = np.random.default_rng(seed)
                    seed_everything(seed)
                    student.seeds = []
                    missing = self._run_function(name)
                student.ask("forget")
        except BaseException as raised:
            error = explain(raised, student)
            # never by an error's name: a class of the student's may be called anything
            late = isinstance(raised, TimeOver)
        if missing:
            error = ["NameError", f"{', '.join(missing)} not defined", []]
        if student.violation and not student.over:
            error = ["BoundaryError", student.violation, (error or ["", "", []])[2]]
        return {
            "case": name,
            "passed": error is None,
            "error": error,
            "gone": student.over,
            "late": late,
            "missing": missing,
            "earned": earned,
            "seconds": time.perf_counter() - started,
            "output": output.getvalue()[:5000].encode("utf-8", "replace").decode(),
        }

    def _run_function(self, name: str) -> list[str]:
        function = self.namespace[name]
        missing: list[str] = []
        arguments = {}
        for parameter in inspect.signature(function).parameters:
            if parameter == "env":
                arguments[parameter] = Names(self.namespace, self.student)
                continue
            if parameter not in self.job["given_names"]:
                try:
                    arguments[parameter] = self.student.get(parameter)
                    continue
                except KeyError:
                    pass
            if parameter in self.namespace:
                arguments[parameter] = self.namespace[parameter]
            else:
                missing.append(parameter)
        if not missing:
            function(**arguments)
        return missing

    def _run_cell(self) -> float | None:
        """A cell of asserts; the number that its last line comes to, where it is one."""
        space = Names(self.namespace, self.student)
        tree = self.tree
        last = (
            tree.body[-1]
            if tree.body
            and isinstance(tree.body[-1], ast.Expr)
            and not self.tests.rstrip().endswith(";")
            else None
        )
        body = ast.Module(tree.body[:-1] if last is not None else tree.body, [])
        exec(compile(body, "<tests>", "exec", dont_inherit=True), space)
        if last is None:
            return None
        value = eval(
            compile(ast.Expression(last.value), "<tests>", "eval", dont_inherit=True), space
        )
        return (
            float(value)
            if isinstance(value, (int, float, np.number)) and not isinstance(value, Proxy)
            else None
        )


class _Asks(type):
    """Makes `type(x)`, `isinstance(x, type)` and `type(name, bases, dict)` work in tests as they do
    in a notebook.
    """

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        return class_of(arguments[0]) if len(arguments) == 1 else type(*arguments, **named)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, type)


class _Type(type, metaclass=_Asks):
    """`type`, to a test."""


def _cell(text: str) -> ast.Module:
    """A cell's text as Python, its magics aside."""
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        return parse(text)
    except SyntaxError:
        return parse(TransformerManager().transform_cell(text))


def explain(error: BaseException, student: Student | None = None) -> list[Any]:
    """Type, text and the innermost lines of an error, for staff."""
    found = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "autogradient" not in frame.filename
    ]
    kept = [frame for frame in found if frame in found[-4:] or frame.filename == "<tests>"]
    frames = [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in kept]
    name = getattr(error, "remote_name", None) or type(error).__name__
    remote = (
        student.remote_traceback if student is not None and hasattr(error, "remote_name") else []
    )
    name = "BoundaryError" if isinstance(error, NotPlain) else name
    try:
        text = str(error)[:2000]
    except Exception:
        text = ""
    return [str(name), text.encode("utf-8", "replace").decode(), [*frames[-12:], *remote]]
