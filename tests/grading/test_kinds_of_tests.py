"""Each kind of test gives the same verdicts sealed as in a plain notebook: the right answer passes,
every wrong one is caught.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import kinds_of_tests
import pytest
from kinds_of_tests import RIGHT, Kind
from parity import filled

from autogradient.grading.engine import Engine
from autogradient.grading.grade import grade_bytes
from autogradient.model.result import CaseResult, SubmissionInfo
from autogradient.sources import release

KINDS = kinds_of_tests.kinds()
REFUSED = kinds_of_tests.refused()
PAGE = Path(__file__).parents[2] / "docs" / "writing-tests.md"
#: (kind, answer) → the cases that do not pass, each with its outcome and message.
Failures = dict[tuple[str, str], dict[str, str]]


@pytest.fixture(scope="module")
def refusals(engine: Engine) -> dict[str, tuple[CaseResult, list[Any]]]:
    """The case that each refused test comes to, and the error that staff see."""
    assignment = kinds_of_tests.assignment("refused")
    texts = {f"{kind.id}-answer": kind.answers["given"] for kind in REFUSED}
    done = grade_bytes(
        assignment,
        filled(release.build(assignment), texts),
        "refused.ipynb",
        engine,
        SubmissionInfo(),
    )
    return {
        part.id: (part.cases[0], done.staff[part.id][part.cases[0].name]["error"])
        for part in done.result.parts
    }


every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.id)


@pytest.fixture(scope="module")
def plain(request: pytest.FixtureRequest) -> dict[tuple[str, str], set[str]]:
    """What fails in a plain notebook, of all the kinds that this run asks for."""
    asked = [
        item.callspec.params.get("kind")
        for item in request.session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
    ]
    return kinds_of_tests.plain(kind for kind in (*KINDS, *REFUSED) if kind in asked)


@pytest.fixture(scope="module")
def sealed(engine: Engine) -> Callable[[Kind], Failures]:
    """What fails sealed: a notebook's kinds are graded together, first with the right answers, then
    with the first wrong ones, and so on.
    """

    @cache
    def graded(notebook: str) -> Failures:
        assignment = kinds_of_tests.assignment(notebook)
        kinds = [kind for kind in KINDS if kind.notebook == notebook]
        made, found = release.build(assignment), Failures()
        for answer in dict.fromkeys(name for kind in kinds for name in kind.answers):
            answered = [kind for kind in kinds if answer in kind.answers]
            texts = {f"{kind.id}-answer": kind.answers[answer] for kind in answered}
            done = grade_bytes(
                assignment, filled(made, texts), f"{notebook}.ipynb", engine, SubmissionInfo()
            )
            result = done.result
            assert result.sealed and not result.problems
            parts = {part.id: part for part in result.parts}
            for kind in answered:
                cases = zip(kind.cases, parts[kind.id].cases, strict=True)
                found[kind.id, answer] = {
                    name: f"{case.outcome}: {done.staff.get(kind.id, {}).get(case.name)}"
                    for name, case in cases
                    if case.outcome != "passed"
                }
        return found

    return lambda kind: graded(kind.notebook)


@every_kind
def test_in_a_plain_notebook(kind: Kind, plain: dict[tuple[str, str], set[str]]) -> None:
    assert plain[kind.id, RIGHT] == set()
    for answer in kind.wrong:
        assert plain[kind.id, answer] & set(kind.cases), f"{answer} is not caught"


@pytest.mark.promise("P17")
@every_kind
def test_sealed(
    kind: Kind, plain: dict[tuple[str, str], set[str]], sealed: Callable[[Kind], Failures]
) -> None:
    failures = sealed(kind)
    assert failures[kind.id, RIGHT] == {}
    for answer in kind.wrong:
        assert set(failures[kind.id, answer]) == plain[kind.id, answer], (
            f"{answer}: {failures[kind.id, answer]}"
        )
        assert not any(
            found.startswith(("grader_error", "timed_out"))
            for found in failures[kind.id, answer].values()
        )


@pytest.mark.parametrize("kind", REFUSED, ids=lambda kind: kind.id)
def test_what_cannot_cross_says_so(
    kind: Kind,
    plain: dict[tuple[str, str], set[str]],
    refusals: dict[str, tuple[CaseResult, list[Any]]],
) -> None:
    """Such a test passes in a plain notebook; sealed it fails with a sentence that stands in the
    documentation and says what to do.
    """
    assert plain[kind.id, "given"] == set()
    case, (error, sentence, where) = refusals[kind.id]
    assert (case.outcome, error) == ("failed", "BoundaryError") and any(
        "<tests>" in frame for frame in where
    )
    assert "@probe" in sentence or "return plain data" in sentence
    assert f'"{sentence}"' in PAGE.read_text()
    assert case.message == ("" if case.hidden else f"{sentence[0].upper()}{sentence[1:]}.")


def test_there_are_62_and_few_need_a_probe() -> None:
    assert len({kind.id for kind in KINDS}) == len(KINDS) == 62
    assert all(kind.wrong for kind in KINDS)
    assert sum(not kind.needs_probe for kind in KINDS) >= 52


def test_the_page_lists_them_all() -> None:
    """A row for each kind, in order: its title, a line of its test, and whether it
    needs a probe.
    """
    rows = re.findall(
        r"^\| \d+ \| (.+?) \| `([^`]+)` \| (as is|probe) \|$", PAGE.read_text(), re.MULTILINE
    )
    assert [(title, how) for title, _, how in rows] == [
        (kind.title, "probe" if kind.needs_probe else "as is") for kind in KINDS
    ]
    for kind, (_, line, _) in zip(KINDS, rows, strict=True):
        assert line in [text.strip() for text in kind.tests.split("\n")], f"{kind.id}: {line}"
