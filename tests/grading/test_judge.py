"""What the grader makes of a judge's reports: a verdict is that of the case that was asked, and of
a hidden case little can be told apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from homework import Notebook, assignment
from small_source import HEAD, changed, read, write

from autogradient.grading.case_results import NO_END
from autogradient.grading.engine import Engine
from autogradient.grading.grade import grade_bytes
from autogradient.grading.judge import Snapshot, judge
from autogradient.model.assignment import Assignment, Part
from autogradient.model.result import SubmissionInfo
from autogradient.sources import source


class Runner:
    """A process that is always there."""

    pid = 1

    def fork(self, within: float) -> Runner:
        """Another one."""
        return Runner()

    def kill(self) -> None:
        """End it."""

    def usage(self) -> tuple[float, float]:
        """It never waited for a processor."""
        return 0.0, 0.0


class Liar:
    """A judge that reports on what it likes."""

    def __init__(self, reports: list[dict[str, Any]]) -> None:
        self.reports = reports

    def trial(
        self, job: bytes, runner: Any, limit: float, until: float
    ) -> Iterator[dict[str, Any]]:
        """The same reports each time."""
        yield from self.reports


@pytest.fixture(scope="module")
def part() -> tuple[Assignment, Part]:
    """A part with visible and hidden cases."""
    given = read()
    return given, next(part for part in given.parts if len(part.cases) > 1 and not part.is_short)


@pytest.mark.promise("P6")
@pytest.mark.parametrize("names", [["another"] * 9, [None] * 9, ["last"] * 9, [""], []])
def test_a_report_counts_for_the_case_that_was_asked(
    part: tuple[Assignment, Part], names: list[str | None]
) -> None:
    given, asked = part
    reports = [
        {"case": asked.cases[-1].name if name == "last" else name, "passed": True} for name in names
    ]
    verdict = judge(given, asked, Snapshot(interpreter=Runner()), None, 1, Liar(reports))  # type: ignore[arg-type]
    assert [case.outcome for case in verdict.cases[:-1]] == ["failed"] * (len(asked.cases) - 1)
    assert sum(case.earned for case in verdict.cases) <= asked.cases[-1].points


ENDS = {
    "passed": "return 2 * np.asarray(x)",
    "failed": "return 3 * np.asarray(x) if np.ndim(x) else 2 * x",
    "raised": "return 2 * x if not np.ndim(x) else 1 / 0",
    "raised otherwise": "return 2 * x if not np.ndim(x) else {}['key']",
    "ended": "import os\n    return 2 * x if not np.ndim(x) else os._exit(3)",
    "killed": "import os\n    return 2 * x if not np.ndim(x) else os.kill(os.getpid(), 11)",
    "an object": "return 2 * x if not np.ndim(x) else object()",
    "a name that is gone": "return 2 * x if not np.ndim(x) else not_there",
    "timed out": "while np.ndim(x): pass\n    return 2 * x",
    "an error called Late": (
        "class Late(Exception): pass\n    if np.ndim(x): raise Late\n    return 2 * x"
    ),
    "an error called TimeOver": (
        "class TimeOver(TimeoutError): pass\n    if np.ndim(x): raise TimeOver\n    return 2 * x"
    ),
}


@pytest.mark.promise("P3")
@pytest.mark.timeout(120)
def test_of_a_hidden_case_four_things_can_be_told_apart(engine: Engine, tmp_path: Path) -> None:
    small = assignment(tmp_path)
    told = {}
    for name, body in ENDS.items():
        notebook = Notebook(small, {"double": f"def double(x):\n    {body}"})
        result = grade_bytes(
            small, notebook.bytes(), "small.ipynb", engine, SubmissionInfo(students=["eve"])
        ).result
        (hidden,) = [
            case
            for part in result.parts
            if part.id == "double"
            for case in part.cases
            if case.hidden
        ]
        told[name] = (hidden.outcome, hidden.message, hidden.seconds)
    assert len(set(told.values())) == 4
    ended = {
        told[name] for name in told if name not in ("passed", "failed", "an object", "timed out")
    }
    assert told["an object"] == told["failed"]
    assert (
        len(ended) == 1
        and NO_END in next(iter(ended))[1]
        and all(seconds is None for _, _, seconds in told.values())
    )


# ---- pandas --------------------------------------------------------------------------------------

#: Its test adds up, as a test for arrays may: pandas leaves NaN out of a sum.
TWICE = (
    HEAD
    + """
# %% [markdown]
# <!--| question: twice, level: E, minutes: 1 -->
# **Twice.** Each number.

# %%
#| answer: twice
def twice(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %%
#| tests: twice
@test_case(points=1)
def test_numbers(twice):
    x = np.arange(5.0)
    got = twice(x)
    got = got["numbers"] if isinstance(got, dict) else got
    assert got.shape[0] == 5 and np.sum(np.abs(got - 2 * x)) < 1e-9
"""
)
WITH_PANDAS = changed(
    ("import numpy as np\n", "import numpy as np\nimport pandas as pd\n"), text=TWICE
)
TABLES = {
    "Series": "pd.Series([np.nan] * len(x))",
    "Index": "pd.Index([0.0, 2.0, 4.0, 6.0, 8.0])",
    "DataFrame": "{'numbers': 2 * x, 'table': pd.DataFrame({'x': x})}",
}


@pytest.mark.parametrize("kind", TABLES)
def test_a_pandas_object_is_no_answer_where_nothing_uses_pandas(
    engine: Engine, tmp_path: Path, kind: str
) -> None:
    answer = f"import pandas as pd\ndef twice(x):\n    return {TABLES[kind]}"
    found = {}
    for name, text in (("without", TWICE), ("with", WITH_PANDAS)):
        given = source.load(write(tmp_path / name, text), seed=7)
        notebook = Notebook(given, {"twice": answer}).bytes()
        (found[name],) = (
            grade_bytes(given, notebook, "gates.ipynb", engine, SubmissionInfo(students=["eve"]))
            .result.parts[0]
            .cases
        )
    assert found["with"].outcome == "passed"
    assert (found["without"].outcome, found["without"].earned) == ("failed", 0)
    assert found["without"].message == (
        f"The answer is, or holds, a pandas {kind}, and nothing in this assignment uses pandas; "
        "return a NumPy array or a list."
    )


@pytest.mark.promise("P3")
def test_which_names_are_missing_is_not_told_by_a_process_that_saw_hidden_inputs(
    part: tuple[Assignment, Part],
) -> None:
    given, asked = part
    hidden = [case for case in asked.cases if case.hidden]
    (name,) = asked.names
    told: dict[bool, set[str]] = {True: set(), False: set()}
    for was_gone in told:
        for missing in ([], [name], ["other"], [name, "other"]):
            report = {"case": hidden[0].name, "passed": False, "missing": missing}
            report["error"] = ["NameError", "", []] if missing else ["KeyError", "", []]
            snapshot = Snapshot(interpreter=Runner(), missing=[name, "other"] if was_gone else [])  # type: ignore[arg-type]
            verdict = judge(given, asked, snapshot, None, 1, Liar([report]), cases=hidden[:1])  # type: ignore[arg-type]
            told[was_gone] |= {case.message for case in verdict.cases}
    assert [len(sentences) for sentences in told.values()] == [1, 1]
    assert f"`{name}` is not defined" in told[True].pop()
    assert NO_END in told[False].pop()


@pytest.mark.promise("P3")
def test_a_hidden_case_times_out_in_one_way_only(part: tuple[Assignment, Part]) -> None:
    given, asked = part
    late = [{"case": case.name, "passed": False, "late": True} for case in asked.cases]
    told: dict[bool, set[str]] = {True: set(), False: set()}
    for reports, until in ((late, math.inf), ([], 0.0)):
        snapshot = Snapshot(interpreter=Runner())  # type: ignore[arg-type]
        verdict = judge(given, asked, snapshot, None, 1, Liar(reports), until=until)  # type: ignore[arg-type]
        assert {case.outcome for case in verdict.cases} == {"timed_out"}
        for case in verdict.cases:
            told[case.hidden].add(case.message)
    assert (len(told[True]), len(told[False])) == (1, 2)


@pytest.mark.promise("P3")
def test_a_second_pass_that_was_lost_says_no_more_of_a_case_than_one_that_ended(
    part: tuple[Assignment, Part],
) -> None:
    given, asked = part
    lost = Snapshot(lost="how it ended", quiet=True)
    verdict = judge(given, asked, lost, None, 1, Liar([]))  # type: ignore[arg-type]
    assert all(NO_END in case.message for case in verdict.cases)
    assert not any("how it ended" in case.message for case in verdict.cases)
