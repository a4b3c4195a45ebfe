"""Cases run where they stand, with what grading gives them: the same seeds, fresh given values, and
the instructor's cells only.
"""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import io
import linecache
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from autogradient.authoring import messages
from autogradient.authoring.cell_report import Row, points_text
from autogradient.authoring.cells import Cells, Kept
from autogradient.authoring.isolation import TimeUp, time_limit, undisturbed
from autogradient.errors import CellError
from autogradient.grading.judge import case_seed
from autogradient.model import answer_kind, short_answers
from autogradient.model.assignment import Case, Limits, Part
from autogradient.model.testcode import bound_names, without_magics
from autogradient.sandbox.seeds import seed_everything

#: The receipt's seed that `prove` uses.
SEED = 1
CASE_SECONDS = Limits().case_s


@dataclass
class Outcome:
    """What came of one case."""

    case: Case
    passed: bool
    message: str = ""
    printed: str = ""

    @property
    def earned(self) -> Fraction:
        """Its points, or none."""
        return self.case.points if self.passed else Fraction(0)

    @property
    def row(self) -> Row:
        """The case as a line of a report."""
        return Row(
            self.passed,
            (
                self.case.title,
                "hidden" if self.case.hidden else "visible",
                points_text(self.earned, self.case.points),
                self.message,
            ),
        )


def judge(
    cells: Cells, part: Part, cases: list[Case], names: dict[str, Any], expected: Any = ...
) -> list[Outcome]:
    """Run some cases of a part against `names`, each with what grading gives it. `expected` is the
    reference's value of a short answer.
    """
    with undisturbed():
        if part.by_value:
            return _judge_value(part, cases, names, expected)
        namespace = _namespace(cells, part, names) if cases else {}
        return [_run_case(cells, part, case, names, namespace) for case in cases]


def _namespace(cells: Cells, part: Part, names: Mapping[str, Any]) -> dict[str, Any]:
    """What the tests of a part see: the setup, helpers, given and tests cells, run afresh."""
    quiet = io.StringIO()
    namespace: dict[str, Any] = {
        "__name__": "tests",
        "test_case": _identity,
        "probe": _identity,
        "display": lambda *a, **k: None,
    }
    texts = [("setup", kept.body) for kept in [*cells.kept("setup"), *cells.kept("helpers")]] + [
        ("given", text) for text in cells.given(part)
    ]
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        for role, text in texts:
            _run(text, namespace, f"<{role}>")
        if part.is_short:
            _run(part.tests, namespace, "<formula>")
        for kept in cells.kept("tests", part.id):
            try:
                _run(kept.raw, namespace, _filename(part, kept))
            except Exception as error:
                raise CellError(
                    messages.TESTS_END.format(
                        part=part.id, error=explain(error, _filename(part, kept), names, namespace)
                    )
                ) from error
    return namespace


def _run_case(
    cells: Cells, part: Part, case: Case, names: dict[str, Any], namespace: dict[str, Any]
) -> Outcome:
    texts = [kept.body.strip() for kept in cells.kept("tests", part.id)]
    seed = case_seed(
        SEED, dataclasses.replace(part, tests="\n\n\n".join(texts) or part.tests), case.name
    )
    printed = io.StringIO()
    try:
        with (
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
            time_limit(CASE_SECONDS),
        ):
            seed_everything(seed)
            given = cells.given(part)
            for text in given:
                _run(text, namespace, "<given>")
            namespace["secret"] = np.random.default_rng(seed)
            seed_everything(seed)
            given_names = {name for text in given for name in bound_names(text)}
            arguments: dict[str, Any] = {}
            for parameter in inspect.signature(namespace[case.name]).parameters:
                if parameter == "env":
                    arguments[parameter] = names
                elif parameter in names and parameter not in given_names:
                    arguments[parameter] = names[parameter]
                elif parameter in namespace:
                    arguments[parameter] = namespace[parameter]
            missing = inspect.signature(namespace[case.name]).parameters.keys() - arguments.keys()
            if missing:
                raise NameError(f"{', '.join(sorted(missing))} is not defined above")
            namespace[case.name](**arguments)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a case that calls sys.exit fails like any other
        filename = getattr(getattr(namespace.get(case.name), "__code__", None), "co_filename", "")
        return Outcome(
            case, False, explain(error, filename, names, namespace), printed.getvalue()[:2000]
        )
    return Outcome(case, True, "", printed.getvalue()[:2000])


def _identity(*arguments: Any, **keys: Any) -> Any:
    """What `test_case` and `probe` are while cases run: functions stay functions."""
    return (
        arguments[0]
        if len(arguments) == 1 and callable(arguments[0]) and not keys
        else lambda function: function
    )


def _run(text: str, namespace: dict[str, Any], filename: str) -> None:
    """Run instructor's code; a traceback can quote it."""
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    exec(compile(without_magics(text), filename, "exec", dont_inherit=True), namespace)


def explain(
    error: BaseException, filename: str, notebook: Mapping[str, Any], namespace: Mapping[str, Any]
) -> str:
    """An exception in one line, with the line of the tests cell that it comes from."""
    if isinstance(error, TimeUp):
        return f"stopped after {CASE_SECONDS:g} s"
    text = f"{type(error).__name__}: {error}".rstrip(": ")
    if isinstance(error, NameError) and error.name in notebook and error.name not in namespace:
        text = messages.ONLY_IN_NOTEBOOK.format(name=error.name)
    lines = [
        frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == filename
    ]
    return f"{text} (line {lines[-1].lineno}: {lines[-1].line})" if lines else text


def _filename(part: Part, kept: Kept) -> str:
    return f"<tests of {part.id} {abs(hash(kept.raw)):x}>"


def _judge_value(
    part: Part, cases: list[Case], names: Mapping[str, Any], expected: Any
) -> list[Outcome]:
    """The form and the answer of a short answer, as grading judges them."""
    name = part.names[0]
    if name not in names:
        return [Outcome(case, False, f"{name} is not defined") for case in cases]
    found = short_answers.judge(names[name], expected, short_answers.criteria(part))
    outcomes = []
    for case in cases:
        passed = found.right or (case.name == answer_kind.FORM_CASE and not found.problem)
        message = (
            f"a value that cannot be read ({found.error})"
            if found.error
            else found.problem or case.failure_message
        )
        outcomes.append(Outcome(case, passed, "" if passed else message))
    return outcomes
