"""What a student wrote for an essay reaches the marker, wherever it stands; what the course wrote
does not.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from homework import ANSWERS, Notebook, assignment

from autogradient.grading import submission
from autogradient.grading.essays import MAX_PROSE, is_prose
from autogradient.grading.read_notebook import read_notebook
from autogradient.grading.submission import Submission, plan_submission
from autogradient.model.assignment import Assignment


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    return assignment(tmp_path_factory.mktemp("source"))


BLANK = {name: text for name, text in ANSWERS.items() if name != "why"}
TEXT = "Two comes after one."


def planned(
    small: Assignment,
    change: Callable[[list[dict[str, object]]], object],
    answers: dict[str, str] = BLANK,
) -> Submission:
    book = Notebook(small, answers)
    change(book.data["cells"])
    return plan_submission(small, read_notebook(json.dumps(book.data).encode(), "small.ipynb"))


def at(cells: list[dict[str, object]], grade_id: str) -> int:
    return next(i for i, cell in enumerate(cells) if cell.get("id") == grade_id)


def new(text: str, kind: str = "markdown") -> dict[str, object]:
    return {"cell_type": kind, "metadata": {}, "source": text} | (
        {"outputs": [], "execution_count": None} if kind == "code" else {}
    )


def without_id(cells: list[dict[str, object]]) -> None:
    cell = cells[at(cells, "why-answer")]
    cell |= {"id": "mine", "metadata": {}, "source": TEXT}


PLACES: dict[str, Callable[[list[dict[str, object]]], object]] = {
    "a cell below the stub": lambda cells: cells.insert(at(cells, "why-answer") + 1, new(TEXT)),
    "a cell above the stub": lambda cells: cells.insert(at(cells, "why-answer"), new(TEXT)),
    "below an emptied stub": lambda cells: (
        cells[at(cells, "why-answer")].update(source=""),
        cells.insert(at(cells, "why-answer") + 1, new(TEXT)),
    ),
    "a raw cell": lambda cells: cells.insert(at(cells, "why-answer") + 1, new(TEXT, "raw")),
    "words in a code cell": lambda cells: cells.insert(
        at(cells, "why-answer") + 1, new(TEXT, "code")
    ),
    "a comment in a code cell": lambda cells: cells.insert(
        at(cells, "why-answer") + 1, new(f"# {TEXT}", "code")
    ),
    "a string in a code cell": lambda cells: cells.insert(
        at(cells, "why-answer") + 1, new(f'"""{TEXT}"""', "code")
    ),
    "code that prints it": lambda cells: cells.insert(
        at(cells, "why-answer") + 1, new(f"print({TEXT!r})", "code")
    ),
    "below the question's text": lambda cells: cells[at(cells, "why-text")].update(
        source=f"## 5 · Now in words\n\n{TEXT}"
    ),
    "its cell without an id": without_id,
    "its cell deleted": lambda cells: cells.__setitem__(at(cells, "why-answer"), new(TEXT)),
    "after the course's last text": lambda cells: cells.append(new(TEXT)),
}


@pytest.mark.parametrize("place", PLACES)
def test_an_essay_is_found_wherever_it_stands_between_its_question_and_the_next(
    small: Assignment, place: str
) -> None:
    found = planned(small, PLACES[place])
    assert found.attempted["why"] and TEXT in found.essays["why"]
    assert "Write" not in found.essays["why"], "the stub is no answer"
    assert [problem for problem in found.problems if "why" in problem.message], (
        "it is said where it was found"
    )


def test_an_essay_in_two_cells_is_whole(small: Assignment) -> None:
    found = planned(
        small,
        lambda cells: cells.insert(at(cells, "why-answer") + 1, new("And three after two.")),
        ANSWERS,
    )
    first, rest = found.essays["why"].split("\n\n", 1)
    assert first == TEXT and rest.startswith("[cell ") and rest.endswith("And three after two.")
    assert found.elsewhere["why"] == found.essays["why"]


def test_an_essay_in_its_own_cell_is_that_text_and_nothing_is_said(small: Assignment) -> None:
    found = planned(small, lambda cells: None, ANSWERS)
    assert found.essays["why"] == TEXT and found.elsewhere == {} and found.problems == []


NO_ANSWERS: dict[str, Callable[[list[dict[str, object]]], object]] = {
    "nothing": lambda cells: None,
    "moved text of the course": lambda cells: cells.insert(
        at(cells, "why-answer") + 1, new("## 2 · Sum")
    ),
    "the stub twice": lambda cells: cells.insert(
        at(cells, "why-answer") + 1, new(str(cells[at(cells, "why-answer")]["source"]))
    ),
    "text at another question": lambda cells: cells.insert(at(cells, "pick-answer") + 1, new(TEXT)),
    "code that answers another question": lambda cells: cells.insert(
        at(cells, "why-answer") + 1, new(ANSWERS["double"], "code")
    ),
    "an empty cell": lambda cells: cells.insert(at(cells, "why-answer") + 1, new("  \n")),
    "less of the question's text": lambda cells: cells[at(cells, "why-text")].update(source="## 5"),
}


@pytest.mark.parametrize("place", NO_ANSWERS)
def test_what_the_course_wrote_is_no_answer(small: Assignment, place: str) -> None:
    found = planned(small, NO_ANSWERS[place])
    assert (found.attempted["why"], found.essays["why"]) == (False, "")


@pytest.mark.parametrize(
    "source, prose",
    [
        ("# only a comment", True),
        ('"a string"', True),
        ("Two comes after one, since it is larger.", True),
        ("x = 1", False),
        ("for i in range(3) print(i)", False),
        ("def f(:\n    return", False),
        ("%matplotlib inline", False),
        ("Der Gradient verschwindet, weil die Ableitung klein ist.", True),
        ("a" * (MAX_PROSE - 2) + " =", False),  # one word, as of base64
        ("= " + "two words and more " * (MAX_PROSE // 20), True),
        ("= " + "two words and more " * (MAX_PROSE // 18), False),
    ],
    ids=lambda value: str(value)[:30],
)
def test_prose_is_told_from_code(source: str, prose: bool) -> None:
    assert is_prose(source) is prose


@pytest.mark.promise("P15")
def test_a_code_cell_is_looked_at_once_for_all_essays_and_only_where_it_is_short(
    small: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cell of a million letters freezes nobody, and what the course's own cells became is gone
    through once, however many essays ask.
    """
    nb = Notebook(small)
    nb.insert("why-answer", "a" * 1_000_000 + " =")
    nb.cells[-1]["source"] = "The end.\n" + "typed in\n" * 50_000
    read = read_notebook(nb.bytes(), "small.ipynb")
    planner = submission._Planner(small, read)
    seen: list[int] = []
    inner = planner.texts._added
    monkeypatch.setattr(planner.texts, "_added", lambda i, claim: seen.append(i) or inner(i, claim))
    why = next(part for part in small.parts if part.id == "why")
    first = planner.texts.find(why, [])
    assert planner.texts.find(why, []) == first
    assert [len(piece.text) for piece in first if not piece.own] == [len("typed in\n") * 50_000 - 1]
    assert len(seen) == len(set(seen)) > 0


def test_the_cases_of_the_course_of_the_page(small: Assignment, tmp_path: Path) -> None:
    """Nothing is graded by machine for it: a code cell with words is run like any other, and its
    error costs nothing of the essay.
    """
    found = planned(small, PLACES["words in a code cell"])
    assert [step.source for step in found.steps if step.source == TEXT] == [TEXT]
