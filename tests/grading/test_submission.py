"""Files that are no notebook and the sentence each one gets; which assignment a notebook belongs
to; what course and command make of it all.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import homework
import pytest
from click.testing import CliRunner
from homework import Notebook
from nbformat import v3
from proved import prove_course

from autogradient.cli import main
from autogradient.course.config import Course
from autogradient.coursework import grade_course
from autogradient.errors import SubmissionError
from autogradient.grading import find_submissions
from autogradient.grading.batch import Local
from autogradient.grading.find_submissions import choose, recognise
from autogradient.grading.read_notebook import MAX_CELLS, MAX_MB, read_file, read_notebook
from autogradient.grading.submission import plan_submission
from autogradient.model.assignment import Assignment
from autogradient.model.result import Result


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    return homework.assignment(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    """Another assignment of the same course: other ids, another name."""
    folder = tmp_path_factory.mktemp("source")
    path = homework.write_source(folder, "large-numbers")
    text = path.read_text()
    for name in ("double", "total", "scale", "pick", "why"):
        text = text.replace(f": {name}", f": big-{name}")
    path.write_text(text)
    return homework.load(path)


def notebook(cells: Any = (), **more: Any) -> bytes:
    return json.dumps(
        {
            "cells": list(cells) if isinstance(cells, tuple) else cells,
            "metadata": {},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        | more
    ).encode()


def code(text: Any, **more: Any) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "metadata": {},
        "source": text,
        "outputs": [],
        "execution_count": None,
    } | more


# ---- broken files --------------------------------------------------------------------------------

WEB_PAGE = (
    "n.ipynb is a web page and no notebook, perhaps the page that shows one; download the "
    "file itself (on GitHub: 'Download raw file') and hand that in"
)
LFS_POINTER = (
    "n.ipynb is not the notebook but a pointer to it, as Git LFS keeps large files; run "
    "'git lfs pull' and hand in the file that comes"
)
NOT_JSON = (
    "n.ipynb: this is not a notebook (not valid JSON, line {line}); open it in JupyterLab, "
    "save it and submit again"
)
NO_NOTEBOOK = (
    "n.ipynb: this is not a notebook JupyterLab could open ({problem}); save it again from "
    "JupyterLab and submit that file"
)
CONFLICT = (
    "n.ipynb: a merge conflict was left in the file (line {line}); keep one side of it, "
    "open the notebook to see that it loads, and submit again"
)
BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "n.ipynb: the file is empty; save the notebook and submit again"),
    "blank": (b" \n\n", "n.ipynb: the file is empty; save the notebook and submit again"),
    "python": (b"import numpy as np\nprint(1)\n", NOT_JSON.format(line=1)),
    "html": (b"<!DOCTYPE html><html><body>Sign in</body></html>", WEB_PAGE),
    "html below a blank line": (b"\n<html lang='en'><body>Sign in</body></html>", WEB_PAGE),
    "a pointer of Git LFS": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
        LFS_POINTER,
    ),
    "truncated": (notebook([code("x = 1")])[:-40], NOT_JSON.format(line=1)),
    "comma at the end": (b'{\n "cells": [],\n}', NOT_JSON.format(line=3)),
    "merge conflict": (
        b'{\n "cells": [\n<<<<<<< HEAD\n  1\n=======\n  2\n>>>>>>> main\n ]\n}',
        CONFLICT.format(line=3),
    ),
    "zip": (
        b"PK\x03\x04\x14\x00\x08\x08\xff\xfe",
        NO_NOTEBOOK.format(problem="not UTF-8 text at byte 8"),
    ),
    "Latin-1": (
        '{"cells": [], "name": "Größe"}'.encode("latin-1"),
        NO_NOTEBOOK.format(problem="not UTF-8 text at byte 25"),
    ),
    "UTF-16": (
        notebook().decode().encode("utf-16"),
        NO_NOTEBOOK.format(problem="not UTF-8 text at byte 0"),
    ),
    "a list": (b"[1, 2, 3]", NO_NOTEBOOK.format(problem="no notebook in it")),
    "a word": (b'"perceptrons"', NO_NOTEBOOK.format(problem="no notebook in it")),
    "null": (b"null", NO_NOTEBOOK.format(problem="no notebook in it")),
    "no cells": (
        b'{"metadata": {}, "nbformat": 4}',
        NO_NOTEBOOK.format(problem="it has no list of cells"),
    ),
    "cells that are a dict": (
        notebook({"0": {}}),
        NO_NOTEBOOK.format(problem="it has no list of cells"),
    ),
    "a cell that is a word": (
        notebook([code("x = 1"), "y = 2"]),
        NO_NOTEBOOK.format(problem="cell 2 is no cell"),
    ),
    "a format that is a word": (
        notebook(nbformat="four"),
        NO_NOTEBOOK.format(problem="no notebook in it"),
    ),
    "too many cells": (
        notebook([code("")] * (MAX_CELLS + 1)),
        f"n.ipynb: the notebook has {MAX_CELLS + 1} cells, more than the {MAX_CELLS} that are read",
    ),
    "too large": (
        b" " * (MAX_MB * 1_000_000 + 1_000_000),
        (
            f"n.ipynb: the file has {MAX_MB + 1} MB, more than the {MAX_MB} MB that are "
            "read; clear its outputs and submit again"
        ),
    ),
    "nested without end": (b"[" * 200_000, NOT_JSON.format(line=1)),
    "metadata nested deeply": (
        notebook(metadata=json.loads("[" * 900 + "]" * 900)),
        NOT_JSON.format(line=1),
    ),
    "a number without end": (b'{"nbformat": ' + b"4" * 5000 + b"}", NOT_JSON.format(line=1)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_gets_a_sentence(name: str) -> None:
    data, sentence = BROKEN[name]
    with pytest.raises(SubmissionError) as caught:
        read_notebook(data, "n.ipynb")
    assert str(caught.value) == sentence


def test_a_file_that_is_gone_or_a_folder_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        SubmissionError, match=r"^n.ipynb: the file cannot be read \(No such file or directory\)$"
    ):
        read_file(tmp_path / "n.ipynb")
    with pytest.raises(SubmissionError, match=r"cannot be read \(Is a directory\)$"):
        read_file(tmp_path)


def test_a_file_that_is_far_too_large_is_not_read(tmp_path: Path) -> None:
    with open(tmp_path / "n.ipynb", "wb") as file:
        file.truncate(10**12)  # takes no space
    with pytest.raises(SubmissionError, match="the file has 1000000 MB"):
        read_file(tmp_path / "n.ipynb")


@pytest.mark.parametrize(
    ("data", "texts"),
    [
        (notebook([code(["x = 1\n", "y = 2"])]), ["x = 1\ny = 2"]),
        (notebook([code(None), code(7), {"cell_type": "code"}]), ["None", "7", ""]),
        (
            notebook(
                [
                    code("x", metadata=[]),
                    code("y", metadata={"nbgrader": 3}),
                    code("z", metadata={"nbgrader": {"grade_id": None}}),
                ]
            ),
            ["x", "y", "z"],
        ),
        (b"\xef\xbb\xbf" + notebook([code("x")]), ["x"]),
        (notebook([code("x")], metadata=None), ["x"]),
        (notebook([code("x")], metadata={"autogradient": "yes"}), ["x"]),
        (notebook([code("print('\ud800')")]), ["print('?')"]),
        (notebook([code("x = NaN")], value=float("nan")), ["x = NaN"]),
        (notebook(), []),
    ],
)
def test_an_odd_notebook_is_read(data: bytes, texts: list[str]) -> None:
    assert [cell.source for cell in read_notebook(data, "n.ipynb").cells] == texts


def test_an_old_notebook_is_converted() -> None:
    old = v3.new_notebook(
        worksheets=[
            v3.new_worksheet(
                cells=[
                    v3.new_code_cell(input="x = 1"),
                    v3.new_text_cell("markdown", source="hello"),
                ]
            )
        ]
    )
    found = read_notebook(json.dumps(old).encode(), "n.ipynb")
    assert [(cell.kind, cell.source) for cell in found.cells] == [
        ("code", "x = 1"),
        ("markdown", "hello"),
    ]
    with pytest.raises(
        SubmissionError,
        match=r"^n.ipynb: this is not a notebook JupyterLab could open \(old format, ",
    ):
        read_notebook(b'{"nbformat": 3, "worksheets": 7}', "n.ipynb")


# ---- which assignment ----------------------------------------------------------------------------


def forget_metadata(n: Notebook) -> None:
    n.data["metadata"] = {}


def forget_all(n: Notebook) -> None:
    n.forget()


def claim_another(n: Notebook) -> None:
    n.data["metadata"]["autogradient"]["assignment"] = "of-last-year"


@pytest.mark.parametrize(
    ("edit", "path", "how"),
    [
        (lambda n: None, "anything.ipynb", "its metadata"),
        (forget_metadata, "anything.ipynb", "the ids of its cells"),
        (claim_another, "anything.ipynb", "the ids of its cells"),
        (forget_all, "large-numbers.ipynb", "its file name"),
        (forget_all, "Large Numbers (1).ipynb", "its file name"),
        (forget_all, "hw3_large_numbers_final_FINAL.ipynb", "its file name"),
        (forget_all, "large-numbers/Untitled3 (1).ipynb", "its folder"),
    ],
)
def test_a_notebook_is_recognised(
    small: Assignment, large: Assignment, edit: Callable[[Notebook], None], path: str, how: str
) -> None:
    n = Notebook(large, {})
    edit(n)
    found, by = recognise(
        read_notebook(n.bytes(), "n.ipynb"), Path("somewhere") / path, [small, large]
    )
    assert (found.name, by) == ("large-numbers", how)


@pytest.mark.parametrize("path", ["Untitled.ipynb", "smaller.ipynb", "largenumbers.ipynb"])
def test_a_notebook_that_could_be_anything_gets_a_sentence(
    small: Assignment, large: Assignment, path: str
) -> None:
    with pytest.raises(SubmissionError) as caught:
        recognise(
            read_notebook(notebook([code("x = 1")]), "n.ipynb"),
            Path("downloads") / path,
            [small, large],
        )
    assert str(caught.value) == (
        f"{path}: this notebook belongs to no assignment of the course; name it with --assignment"
    )


def test_an_unreadable_file_belongs_where_its_name_says(
    small: Assignment, large: Assignment, tmp_path: Path
) -> None:
    (tmp_path / "small.ipynb").write_bytes(b"{")
    assert find_submissions.identify(tmp_path / "small.ipynb", [small, large]).assignment is small
    (tmp_path / "x.ipynb").write_bytes(b"{")
    with pytest.raises(SubmissionError, match="not valid JSON, line 1"):
        find_submissions.identify(tmp_path / "x.ipynb", [small, large])


def test_the_alphabet_decides_where_nothing_else_does(tmp_path: Path) -> None:
    import os

    for name in ("b.ipynb", "a.ipynb"):
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, (1000, 1000))
    chosen, reason = choose(tmp_path.glob("*.ipynb"), "small")
    assert (chosen.name, reason) == ("b.ipynb", "it was changed last")


# ---- the order that it runs in -------------------------------------------------------------------


def order(small: Assignment, n: Notebook) -> list[str]:
    """The steps in short: the first line of what is run, and the parts that are looked at."""
    return [
        step.source.split("\n")[0] if step.do == "run" else f"({step.part})"
        for step in plan_submission(small, read_notebook(n.bytes(), "n.ipynb")).steps
    ]


RIGHT_ORDER = [
    "import numpy as np",
    "def double(x):",
    "(double)",
    "data = np.arange(3, 6)",
    "total = data.sum()",
    "(total)",
    "def scale(x):",
    "(scale)",
    'larger = "B"',
    "(pick)",
]


def test_the_release_runs_in_its_order(small: Assignment) -> None:
    assert order(small, Notebook(small)) == RIGHT_ORDER


def test_wherever_the_course_s_cells_stand_the_order_is_the_same(small: Assignment) -> None:
    n = Notebook(small)
    n.move("setup", len(n.cells) - 1)
    n.move("total-given", len(n.cells) - 1)
    n.drop("scale")
    n.cells.append(dict(n.cells[n.at("double")]))
    assert order(small, n) == RIGHT_ORDER


def test_an_essay_is_found_whole(small: Assignment) -> None:
    n = Notebook(small)
    second = json.loads(json.dumps(n.cells[n.at("why-answer")])) | {
        "source": "And one comes before two."
    }
    n.cells.insert(n.at("why-answer") + 1, second)
    assert plan_submission(small, read_notebook(n.bytes(), "n.ipynb")).essays == {
        "why": "Two comes after one.\n\nAnd one comes before two."
    }


def test_a_scratch_cell_is_not_taken_for_an_answer_that_is_there(small: Assignment) -> None:
    n = Notebook(small)
    n.insert("", "total = 0")
    found = plan_submission(small, read_notebook(n.bytes(), "n.ipynb"))
    assert found.answers["total"] == [n.at("total-answer")]
    assert found.problems == []


def test_an_empty_notebook_has_a_place_for_every_part(small: Assignment) -> None:
    found = plan_submission(small, read_notebook(notebook(), "n.ipynb"))
    assert sorted(step.part for step in found.steps if step.do == "part") == [
        "double",
        "pick",
        "scale",
        "total",
    ]
    assert not any(found.attempted.values())


# ---- a course ------------------------------------------------------------------------------------


@pytest.fixture
def course(tmp_path: Path) -> Course:
    (tmp_path / "grader_config").mkdir()
    (tmp_path / "grader_config" / "course.toml").write_text(
        'format = 1\nname = "Test"\nrelease = "1"\nassignments = ["small"]\n'
    )
    homework.write_source(tmp_path / "source")
    prove_course(tmp_path)
    return Course(tmp_path, "Test", "1", 0, ("small",))


def hand_in(course: Course, student: str, data: bytes, place: str = "small/small.ipynb") -> None:
    path = course.submitted / student / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def test_what_lies_where_it_should_not_is_named(course: Course, engine: Any) -> None:
    small = course.assignment("small")
    hand_in(course, "ada", Notebook(small).bytes())
    hand_in(course, "grace", Notebook(small).bytes(), "smal/small.ipynb")
    hand_in(course, "alan", b"x = 1", "small/small.py")
    hand_in(course, "edsger", Notebook(small).bytes(), "small.ipynb")
    hand_in(
        course,
        "barbara",
        Notebook(small).bytes(),
        "small/.ipynb_checkpoints/small-checkpoint.ipynb",
    )
    graded = grade_course.grade_course(course, [small], Local(engine, 1))
    assert [student for student, _ in graded.submissions] == ["ada", "alan"]
    assert sorted(sentence.replace(f"{course.root}/", "") for sentence in graded.skipped) == [
        (
            "submitted/alan/small/small.py was left out: it is no notebook; hand in the "
            ".ipynb file itself"
        ),
        "submitted/barbara/small: no notebook (.ipynb) in this folder",
        (
            "submitted/edsger/small.ipynb: the course has no assignment of this name, so it "
            "was not graded; move its notebook into a folder named after the assignment"
        ),
        (
            "submitted/grace/smal: the course has no assignment of this name, so it was not "
            "graded; move its notebook into a folder named after the assignment"
        ),
    ]


def test_a_course_is_graded_once(course: Course, engine: Any) -> None:
    small = course.assignment("small")
    hand_in(course, "ada", Notebook(small).bytes())
    forgetful = Notebook(small)
    forgetful.forget()
    hand_in(course, "grace", forgetful.bytes(), "small/Untitled3 (1).ipynb")
    hand_in(course, "alan", b"{")
    first = grade_course.grade_course(course, [small], Local(engine, 2))
    assert {
        r.student: (r.outcome, r.points.earned)
        for r in grade_course.course_results(course, first.submissions)
    } == {
        "ada": ("graded", 6),
        "alan": ("unreadable", 0),
        "grace": ("graded", 6),
    }
    again = grade_course.grade_course(course, [small], Local(engine, 2))
    assert (first.new, again.new, len(again.submissions)) == (3, 0, 3)
    shown = json.loads((course.root / "autograded/grace/small/small.ipynb").read_text())
    ids = [
        cell["metadata"]["nbgrader"]["grade_id"]
        for cell in shown["cells"]
        if cell["metadata"].get("nbgrader")
    ]
    assert {"double-answer", "total-answer", "scale-answer", "pick-answer", "why-answer"} <= set(
        ids
    )


# ---- the command ---------------------------------------------------------------------------------


def test_the_command_prints_one_object_for_one_file_and_a_list_for_several(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(course.root)
    small = course.assignment("small")
    hand_in(course, "ada", Notebook(small).bytes())
    hand_in(course, "alan", b"{")
    done = CliRunner().invoke(main.cli, ["grade", "submitted/ada/small/small.ipynb", "--json"])
    assert done.exit_code == 0
    assert Result.from_json(done.stdout).points.earned == 6
    done = CliRunner().invoke(main.cli, ["grade", "submitted", "--json", "--out", "out"])
    assert done.exit_code == 0
    assert [one["outcome"] for one in json.loads(done.stdout)] == ["graded", "unreadable"]
    assert sorted(path.name for path in (course.root / "out").iterdir()) == [
        "small-2.json",
        "small-2.md",
        "small.json",
        "small.md",
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere.ipynb"], "nowhere.ipynb"),
        (["empty"], "empty: no notebook (.ipynb) in this folder"),
        (["submitted", "--assignment", "smal"], "smal"),
        ([], "name the files to grade, or give --all"),
        (["submitted", "--all"], "name the files to grade, or give --all"),
    ],
)
def test_bad_usage_is_said_in_a_sentence(
    course: Course,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(course.root)
    (course.root / "empty").mkdir()
    hand_in(course, "ada", Notebook(course.assignment("small")).bytes())
    monkeypatch.setattr("sys.argv", ["autogradient", "grade", *arguments])
    with pytest.raises(SystemExit) as caught:
        main.main()
    said = capfd.readouterr().err
    assert caught.value.code == 2
    assert sentence in said and "Traceback" not in said
