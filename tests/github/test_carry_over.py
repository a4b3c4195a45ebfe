"""A correction reaches a notebook that somebody has begun: the course's cells are the corrected
ones, and whatever the student wrote is still there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import errata
import habits
import nbformat
import pytest
from errata import ADDED, GONE, MENDED, RENAMED, before_and_after, half_done, ids, released, texts
from homework import ANSWERS, Notebook, assignment, new_cell

from autogradient import errors
from autogradient.errors import SubmissionError
from autogradient.github.carry_over import Carried, carry
from autogradient.grading.read_notebook import read_notebook
from autogradient.grading.submission import plan_submission
from autogradient.model.assignment import Assignment

CORRECTIONS = {
    "mended": MENDED,
    "renamed": RENAMED,
    "added": ADDED,
    "gone": GONE,
    "all": [*MENDED, *ADDED, *GONE],
    "nothing": [],
}


def carried(old: Assignment, new: Assignment, data: bytes, **more: Any) -> Carried:
    """Carry a notebook over."""
    found = carry(new, data, "n.ipynb", [released(old)], **more)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def class_work(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The notebooks of a class of more than ninety."""
    return half_done(assignment(tmp_path_factory.mktemp("source")))


@dataclass
class Corrected:
    """The assignment before and after a correction, and what becomes of a class's notebooks."""

    old: Assignment
    new: Assignment
    work: dict[str, tuple[bytes, Carried]]


@pytest.fixture(params=list(CORRECTIONS), scope="module")
def both(
    request: pytest.FixtureRequest,
    class_work: dict[str, bytes],
    tmp_path_factory: pytest.TempPathFactory,
) -> Corrected:
    """A correction."""
    old, new = before_and_after(tmp_path_factory.mktemp("source"), *CORRECTIONS[request.param])
    return Corrected(
        old, new, {name: (data, carried(old, new, data)) for name, data in class_work.items()}
    )


# ---- what holds of every notebook ----------------------------------------------------------------


def test_nothing_that_a_student_wrote_is_lost(both: Corrected) -> None:
    course = {cell["source"].strip() for cell in released(both.old)["cells"]}
    for name, (data, found) in both.work.items():
        there = [cell.source for cell in read_notebook(found.data, "n.ipynb").cells]
        for cell in read_notebook(data, "n.ipynb").cells:
            assert cell.source.strip() in course or any(cell.source in other for other in there), (
                name,
                cell.source,
            )


def test_the_courses_cells_are_those_of_the_release_each_once(both: Corrected) -> None:
    wanted = {
        cell["metadata"]["nbgrader"]["grade_id"]: cell for cell in released(both.new)["cells"]
    }
    for name, (_, found) in both.work.items():
        assert sorted(filter(None, ids(found.data))) == sorted(wanted), name
        for cell in json.loads(found.data)["cells"]:
            nbgrader = cell["metadata"].get("nbgrader")
            if nbgrader and nbgrader["locked"]:
                released_cell = wanted[nbgrader["grade_id"]]
                assert ("".join(cell["source"]), nbgrader) == (
                    released_cell["source"],
                    released_cell["metadata"]["nbgrader"],
                ), name


def test_carried_twice_is_carried_once(both: Corrected) -> None:
    for name, (data, once) in both.work.items():
        assert once.changed == (once.data != data), name
        twice = carried(both.old, both.new, once.data)
        assert not twice.changed and twice.data == once.data, name


def test_the_new_notebook_is_one_that_jupyter_opens_without_a_word(both: Corrected) -> None:
    for _, found in both.work.values():
        if found.changed:
            nbformat.validate(json.loads(found.data))


def test_the_same_is_attempted_before_and_after(both: Corrected) -> None:
    """Graded against the corrected assignment, the old notebook and the carried one are the same
    work.
    """
    for name, (data, found) in both.work.items():
        was, now = (
            plan_submission(both.new, read_notebook(data, "n.ipynb")),
            plan_submission(both.new, read_notebook(found.data, "n.ipynb")),
        )
        assert was.attempted == now.attempted, name
        assert {part: text.strip() for part, text in was.essays.items()} == {
            part: text.strip() for part, text in now.essays.items()
        }, name


def test_where_the_course_has_changed_nothing_an_orderly_notebook_stays_as_it_is(
    both: Corrected,
) -> None:
    for name, (data, found) in both.work.items():
        if both.old.digest == both.new.digest and name.endswith("answered"):
            assert found == Carried(data, False, answers=found.answers), name


# ---- one by one ----------------------------------------------------------------------------------


@pytest.fixture
def old(tmp_path: Path) -> Assignment:
    return assignment(tmp_path)


def corrected(old: Assignment, *changes: tuple[str, str]) -> Assignment:
    """The assignment after a correction."""
    return errata.mended(old.path, *changes)


def test_answers_go_over_and_what_is_corrected_is_said(old: Assignment) -> None:
    work = Notebook(old, {"double": ANSWERS["double"]})
    found = carried(old, corrected(old, *MENDED), work.bytes())
    assert (
        found.corrected == ("setup", "total-text", "scale-answer")
        and found.answers == ("double",)
        and not found.outdated
        and not found.aside
    )
    there = texts(found.data)
    assert "## 2 · Sum\nAdd up `data`." in there and ANSWERS["double"] in there
    assert any("as an array" in text for text in there), (
        "a stub that nobody has touched is the new one"
    )


def test_an_answer_that_began_from_another_stub_is_kept_and_named(old: Assignment) -> None:
    found = carried(old, corrected(old, *MENDED), Notebook(old).bytes())
    assert found.outdated == ("scale",) and ANSWERS["scale"] in texts(found.data)


def test_a_new_question_stands_in_its_place_below_what_the_student_added(old: Assignment) -> None:
    work = Notebook(old)
    work.insert("scale-hidden", "mine = 1")
    work.insert("", "the_end = 2")
    found = carried(old, corrected(old, *ADDED), work.bytes())
    was, now = ids(work.bytes()), ids(found.data)
    own = was.index("scale-hidden") + 1
    assert (
        now == [*was[: own + 1], "half-text", "half-answer", "half", "half-hidden", *was[own + 1 :]]
        and was[own] == ""
    )
    assert texts(found.data)[-1] == "the_end = 2"


def test_a_question_with_another_name_keeps_its_answer(old: Assignment) -> None:
    found = carried(old, corrected(old, *RENAMED), Notebook(old).bytes())
    cells = {
        grade_id: text
        for grade_id, text in zip(ids(found.data), texts(found.data), strict=True)
        if grade_id
    }
    assert (
        cells["larger-answer"] == ANSWERS["pick"]
        and 'grader.check("larger")' in cells["larger"]
        and not found.aside
    )
    assert not [grade_id for grade_id in cells if grade_id.startswith("pick")]


def test_an_answer_to_a_question_that_is_gone_stays_with_a_sentence_above_it(
    old: Assignment,
) -> None:
    found = carried(old, corrected(old, *GONE), Notebook(old).bytes())
    there = texts(found.data)
    assert (
        there[there.index(ANSWERS["why"]) - 1] == errors.CARRIED_ANSWER
        and found.aside == ("why-answer",)
        and found.gone == ("why-text", "why-answer", "why-n1")
    )
    untouched = (
        carried(old, old, Notebook(old, {}).bytes()),
        carried(old, corrected(old), Notebook(old, {}).bytes()),
    )
    assert all(errors.CARRIED_ANSWER not in texts(each.data) for each in untouched)


def test_an_answer_to_what_is_now_another_kind_of_question_stays_beside_the_new_one(
    old: Assignment,
) -> None:
    essay = errata.ESSAY.replace(
        "<!--| answer: why, kind: essay, points: 2 -->\n# Two is one more than one.", "x"
    )
    number = "# %%\n#| answer: why\n#| kind: number\n#| points: 2\nwhy = 2  # SOLUTION\n\n"
    new = corrected(old, (errata.ESSAY, essay.split("# %% [markdown]\n# x")[0] + number))
    found = carried(old, new, Notebook(old).bytes())
    there = texts(found.data)
    assert there[there.index(ANSWERS["why"]) - 1] == errors.CARRIED_ANSWER and "why = ..." in there


def test_what_was_typed_into_the_courses_own_cells_is_kept_and_not_run(old: Assignment) -> None:
    work = Notebook(old)
    work.put("double-text", "## 1 · Twice\nI think it is a function.")
    work.put("setup", "import numpy as np\nUNIT = 7.0")
    found = carried(old, old, work.bytes())
    cells = json.loads(found.data)["cells"]
    kinds = {cell["source"]: cell["cell_type"] for cell in cells}
    assert (
        kinds["## 1 · Twice\nI think it is a function."] == "markdown"
        and kinds["import numpy as np\nUNIT = 7.0"] == "raw"
    )
    assert (
        found.aside == ("setup", "double-text")
        and [cell["source"] for cell in cells].count(errors.CARRIED_NOTE) == 2
    )


def test_outputs_stay_where_nothing_changed_and_go_where_something_did(old: Assignment) -> None:
    work = Notebook(old)
    for cell in work.cells:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = (
                [{"output_type": "stream", "name": "stdout", "text": "seen"}],
                3,
            )
    found = carried(old, corrected(old, *MENDED), work.bytes(), stale=["double"])
    seen = {
        cell["id"]: bool(cell["outputs"])
        for cell in json.loads(found.data)["cells"]
        if cell["cell_type"] == "code"
    }
    assert [name for name, there in seen.items() if not there] == ["setup", "double"]


def test_a_course_that_puts_questions_into_another_order_is_followed_a_student_who_does_is_left_alone(  # noqa: E501
    old: Assignment,
) -> None:
    work = Notebook(old)
    work.insert("double-answer", "mine = 1")
    habits.questions_in_another_order(theirs := Notebook(old))
    assert not carried(old, old, theirs.bytes()).changed
    source = old.path.read_text()
    start, middle, end = (
        source.index(f"# %% [markdown]\n# <!--| question: {name}")
        for name in ("double", "total", "scale")
    )
    old.path.write_text(source[:start] + source[middle:end] + source[start:middle] + source[end:])
    new = corrected(old)
    found = ids(carried(old, new, work.bytes()).data)
    assert (
        found.index("total-text")
        < found.index("double-text")
        < found.index("double-answer")
        < found.index("scale-text")
    )
    assert found[found.index("double-answer") + 1] == "", (
        "what is the student's goes along with the cell above it"
    )


def test_the_last_release_that_the_student_knows_is_the_one_that_counts(old: Assignment) -> None:
    first = released(old)
    second = corrected(old, *MENDED)
    third = corrected(second, ("Add up `data`.", "Add up all of `data`."))
    late = carry(third, Notebook(second).bytes(), "n.ipynb", [first, released(second)])
    early = carry(third, Notebook(old).bytes(), "n.ipynb", [first, released(second)])
    assert late is not None and late.corrected == ("total-text",) and not late.outdated
    assert (
        early is not None
        and early.corrected == ("setup", "total-text")
        and early.outdated == ("scale",)
    )


def test_cells_to_use_or_delete_are_the_students(old: Assignment) -> None:
    scratch = "# %%\n# A place to try things.\n\n# %% [markdown]\n# <!--| question: total -->\n"
    with_one = corrected(old, ("# %% [markdown]\n# <!--| question: total -->\n", scratch))
    other = corrected(with_one, ("A place to try", "Room to try"), *MENDED[:1])
    used, deleted, untouched = Notebook(with_one), Notebook(with_one), Notebook(with_one)
    place = next(i for i, cell in enumerate(used.cells) if "A place" in cell["source"])
    used.cells[place]["source"] = "print(double(2))"
    del deleted.cells[place]
    assert "print(double(2))" in texts(carried(with_one, other, used.bytes()).data)
    assert not [
        text for text in texts(carried(with_one, other, deleted.bytes()).data) if "to try" in text
    ]
    assert [
        text for text in texts(carried(with_one, other, untouched.bytes()).data) if "to try" in text
    ] == ["# Room to try things."]
    late = carry(other, Notebook(old).bytes(), "n.ipynb", [released(old)])
    assert late is not None and "# Room to try things." in texts(late.data)


def test_a_file_is_written_as_the_students_editor_writes_it(old: Assignment) -> None:
    work = Notebook(old)
    work.data |= {
        "nbformat_minor": 2,
        "metadata": work.data["metadata"]
        | {"colab": {"name": "mine"}, "kernelspec": {"name": "py", "display_name": "Py"}},
    }
    for cell in work.cells:
        cell.pop("id", None)
        cell["source"] = cell["source"].splitlines(keepends=True)
        cell["metadata"] |= {"id": "abc"}
    found = carried(old, corrected(old, *MENDED), json.dumps(work.data, indent=2).encode())
    data = json.loads(found.data)
    assert found.data.startswith(b'{\n  "') and all(
        isinstance(cell["source"], list) for cell in data["cells"]
    )
    assert (
        data["metadata"]["colab"] == {"name": "mine"}
        and data["metadata"]["kernelspec"]["name"] == "py"
    )
    assert all(cell["metadata"]["id"] == "abc" for cell in data["cells"])
    nbformat.validate(data)


def test_the_same_id_twice_is_no_longer_there(old: Assignment) -> None:
    work = Notebook(old)
    work.cells.append(new_cell("one = 1") | {"id": "mine"})
    work.cells.append(new_cell("two = 2") | {"id": "mine"})
    cells = json.loads(carried(old, corrected(old, *MENDED), work.bytes()).data)["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells) and cells[-2]["id"] == "mine"


def test_another_notebook_is_none_of_ours_and_a_broken_one_says_so(old: Assignment) -> None:
    strange = json.dumps(
        {"cells": [new_cell("print(1)")], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    ).encode()
    assert carry(old, strange, "n.ipynb") is None
    with pytest.raises(SubmissionError, match="n.ipynb: a merge conflict"):
        carry(old, Notebook(old).bytes() + b"\n<<<<<<< HEAD\n", "n.ipynb")


def test_of_two_answers_the_one_that_is_graded_stands_in_the_answers_cell(old: Assignment) -> None:
    work = Notebook(old)
    habits.answer_doubled_and_changed(work)
    data = json.loads(carried(old, old, work.bytes()).data)
    (answer,) = [cell["source"] for cell in data["cells"] if cell["id"] == "total-answer"]
    assert answer == "total = 12" and "total = 24" in [cell["source"] for cell in data["cells"]]


def test_a_difference_is_no_longer_than_the_correction(old: Assignment) -> None:
    saved = (
        nbformat.writes(nbformat.from_dict(json.loads(Notebook(old).bytes()))) + "\n"
    ).splitlines()
    found = carried(old, corrected(old, *MENDED[:1]), ("\n".join(saved) + "\n").encode())
    new = [line for line in found.data.decode().splitlines() if line not in saved]
    assert [line.strip() for line in new if "checksum" not in line] == [
        '"## 2 · Sum\\n",',
        '"Add up `data`."',
    ]
    assert len(found.data.splitlines()) == len(saved) + 1
