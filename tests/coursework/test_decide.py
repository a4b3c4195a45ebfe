"""People decide: the commands that write into the ledger, and sheets for several markers, on a
graded course with a real gradebook.
"""

from __future__ import annotations

import csv
import io
import shutil
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import classroom
import pytest
from classroom import RIGHT, WEAKER, hand_in
from commands import Ran
from nbgrader.api import Gradebook

from autogradient.course import config, ledger
from autogradient.course.config import Course
from autogradient.course.ledger import Mark
from autogradient.course.roster import Member
from autogradient.coursework import grade_course, gradebook, report, sheets
from autogradient.coursework.export_csv import neutral, restored
from autogradient.coursework.sheets import Answer
from autogradient.grading.batch import Local
from autogradient.grading.engine import Engine


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Path:
    """ada and bob wrote both essays, cyd one; ada names herself, and bob's looks like a formula.
    eve, on the roster, handed nothing in.
    """
    here = classroom.make(tmp_path_factory.mktemp("deciding"))
    when = "2026-10-12 09:00:00 UTC"
    hand_in(here, "ada", RIGHT | {"why": "I, Ada Lovelace, say:\n\n- two, not one"}, when)
    hand_in(here, "bob", WEAKER | {"why": "=1+1; is 2, \u201cso\u201d", "how": "-1 by -1"}, when)
    hand_in(here, "cyd", {"why": "Because."}, when)
    grade_course.grade_course(here, [classroom.small(here)], Local(engine, 2))
    return here.root


@pytest.fixture
def here(graded: Path, tmp_path: Path) -> Course:
    shutil.copytree(graded, tmp_path / "course")
    return config.load(tmp_path / "course")


def run(here: Course, *arguments: str, code: int = 0) -> str:
    """What a command prints; on standard error where it is refused."""
    ran = Ran(here.root, *arguments)
    assert ran.code == code, ran
    assert "Traceback" not in ran.err
    return (ran.err if code else ran.out).strip()


def entries(here: Course) -> list[Any]:
    return ledger.read(here.ledger)


def earned(here: Course) -> dict[str, Fraction]:
    return {
        one.student: one.points.earned
        for one in report.all_results(here, ["small"])
        if not one.counts_for_nothing
    }


def in_formgrader(
    here: Course, student: str, cell: str = "why-answer", score: float | None = None
) -> Any:
    """nbgrader's hand mark; with `score`, a person types it first."""
    with Gradebook(here.gradebook_url) as book:
        grade = book.find_grade(cell, "small", "small", student)
        if score is not None:
            grade.manual_score, grade.needs_manual_grade = score, False
            book.db.commit()
        return grade.manual_score


BEFORE = {"ada": 6, "bob": Fraction("4.5"), "cyd": 0}


# ---- adjust, void, excuse, extend ----------------------------------------------------------------


def test_points_are_added_and_taken_off(here: Course) -> None:
    assert (
        run(here, "adjust", "ada", "small", "1.25", "--why", "a typo")
        == "ada: small: 6/9, 3 wait → 7.25/9, 3 wait"
    )
    assert (
        run(here, "adjust", "ada", "small", "scale", "-0.5", "--why", "copied", "--who", "tia")
        == "ada: small: 7.25/9, 3 wait → 6.75/9, 3 wait"
    )
    assert earned(here) == BEFORE | {"ada": Fraction("6.75")}
    first, second = entries(here)
    assert (first.part, first.points, first.why, bool(first.who)) == (
        "",
        Decimal("1.25"),
        "a typo",
        True,
    )
    assert (second.part, second.points, second.who) == ("scale", Decimal("-0.5"), "tia")


def test_what_is_adjusted_is_in_export_and_feedback(here: Course) -> None:
    run(here, "adjust", "ada", "small", "2", "--why", "the clock was wrong")
    run(here, "export")
    assert (here.results / "marks.csv").read_text().split("\n")[1] == "ada,8,9,3,0"
    run(here, "feedback")
    assert (
        "2 points added: the clock was wrong"
        in (here.feedback / "ada" / "small" / "feedback.md").read_text()
    )
    assert "the clock was wrong" in (here.feedback / "ada" / "small" / "feedback.html").read_text()


def test_a_part_is_voided_and_counts_again(here: Course) -> None:
    assert run(here, "void", "small", "scale", "--full", "--why", "ambiguous").split("\n") == [
        "bob: small: 4.5/9, 3 wait → 6/9, 3 wait",
        "cyd: small: 0/9, 2 wait → 2/9, 2 wait",
    ]
    run(here, "void", "small", "scale", "--drop", "--why", "hopeless")
    assert earned(here) == {"ada": 4, "bob": 4, "cyd": 0}
    run(here, "void", "small", "scale", "--undo", "--why", "it was right after all")
    assert earned(here) == BEFORE


def test_a_student_is_excused_and_is_not(here: Course) -> None:
    assert run(here, "excuse", "eve", "small", "--why", "ill") == "eve: small: – → excused"
    assert "excused" in run(here, "report")
    assert (
        run(here, "excuse", "eve", "small", "--undo", "--why", "well") == "eve: small: excused → –"
    )


def test_a_deadline_is_extended_for_one_and_holds_again(here: Course, engine: Engine) -> None:
    hand_in(
        here,
        "ada",
        RIGHT | {"why": "I, Ada Lovelace, say:\n\n- two, not one"},
        "2026-10-13 08:00:00 UTC",
    )
    grade_course.grade_course(here, [classroom.small(here)], Local(engine, 1))
    assert earned(here)["ada"] == Fraction("5.4")
    with Gradebook(here.gradebook_url) as book:
        assert book.find_submission("small", "ada").notebooks[0].late_submission_penalty == 0.6
    assert (
        run(here, "extend", "ada", "small", "2026-10-13", "--why", "ill")
        == "ada: small: 5.4/9 late, 3 wait → 6/9, 3 wait"
    )
    with Gradebook(here.gradebook_url) as book:
        assert book.find_submission("small", "ada").notebooks[0].late_submission_penalty is None, (
            "the gradebook follows at once"
        )
    assert (
        run(here, "extend", "ada", "small", "--undo", "--why", "was not")
        == "ada: small: 6/9, 3 wait → 5.4/9 late, 3 wait"
    )


def test_an_extension_without_a_deadline_says_so(here: Course) -> None:
    path = here.root / "grader_config" / "course.toml"
    path.write_text(path.read_text().split("[deadlines]")[0])
    said = run(here, "extend", "ada", "small", "2026-10-13", "--why", "ill").split("\n")
    assert said == [
        "written; nobody's points change",
        (
            "note: 'small' has no deadline in grader_config/course.toml, so the extension "
            "has no effect yet"
        ),
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("adjust", "adda", "small", "1"),
            (
                "nobody is called 'adda', neither on grader_config/roster.csv nor in "
                "submitted/ or results/; did you mean 'ada'?"
            ),
        ),
        (
            ("adjust", "ada", "smal", "1"),
            "no assignment is called 'smal' (the course has: small); did you mean 'small'?",
        ),
        (
            ("adjust", "ada", "small", "scal", "1"),
            "no part of 'small' is called 'scal'; did you mean 'scale'?",
        ),
        (
            ("adjust", "ada", "small", "much"),
            "'much' is not a number of points to add or take off; write 1, 0.5 or -2",
        ),
        (
            ("adjust", "ada", "small", "0.125"),
            "'0.125' is not a number of points to add or take off",
        ),
        (("adjust", "ada", "small", "0"), "'0' is not a number of points"),
        (
            ("adjust", "ada", "small", "--wyh", "1"),
            "give STUDENT ASSIGNMENT [PART] POINTS, not ada small --wyh 1",
        ),
        (
            ("void", "small", "wy", "--full"),
            "no part of 'small' is called 'wy'; did you mean 'why'?",
        ),
        (("void", "small", "why"), "say --full, --drop or --undo"),
        (("excuse", "ev", "small"), "nobody is called 'ev'"),
        (
            ("extend", "bob", "small", "2026-10-13 12:00"),
            (
                "13 October 2026, 12:00 UTC+02:00 is not after the deadline of 'small' for "
                "bob (13 October 2026, 12:00"
            ),
        ),
        (("extend", "bob", "small", "soon"), "'soon' is no date or time"),
        (("extend", "bob", "small"), "give UNTIL, or --undo"),
    ],
)
def test_what_cannot_be_decided_is_one_sentence_and_nothing_is_written(
    here: Course, arguments: tuple[str, ...], sentence: str
) -> None:
    assert sentence in run(here, *arguments, "--why", "so", code=2)
    assert entries(here) == []


@pytest.mark.parametrize(
    "command",
    [
        "adjust ada small 1",
        "void small why --full",
        "excuse ada small",
        "extend ada small 2026-12-01",
    ],
)
def test_a_decision_without_a_reason_is_none(here: Course, command: str) -> None:
    assert "Missing option '--why'" in run(here, *command.split(), code=2)
    assert entries(here) == []


# ---- mark ----------------------------------------------------------------------------------------


def test_an_essay_is_marked_by_its_rubric(here: Course) -> None:
    command = (
        "mark",
        "ada",
        "small",
        "why",
        "--item",
        "compares=1",
        "--item",
        "briefly=0,5",
        "--comment",
        "Say why.",
        "--who",
        "tia",
    )
    assert run(here, *command) == "ada: small: 6/9, 3 wait → 7.5/9, 1 wait"
    (entry,) = entries(here)
    assert (entry.points, entry.items, entry.comment, entry.who) == (
        Decimal("1.5"),
        {"compares": 1, "briefly": Decimal("0.5")},
        "Say why.",
        "tia",
    )
    assert in_formgrader(here, "ada") == 1.5, "the formgrader shows it at once"
    run(here, "feedback")
    assert (
        "1.5 of 2 points, marked by a person. compares 1, briefly 0.5. Say why."
        in (here.feedback / "ada" / "small" / "feedback.md").read_text()
    )
    run(here, "report")
    assert len(entries(here)) == 1, "what we put into the gradebook is nobody's new mark"


def test_a_mark_is_taken_back(here: Course) -> None:
    run(here, "mark", "ada", "small", "why", "2")
    assert (
        run(here, "mark", "ada", "small", "why", "--undo")
        == "ada: small: 8/9, 1 wait → 6/9, 3 wait"
    )
    assert in_formgrader(here, "ada") is None


def test_a_mark_that_is_given_while_others_are_taken_in_is_taken_the_next_time(
    here: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = gradebook.take_hand_marks

    def meanwhile(*where: Any) -> Any:
        taken = take(*where)
        in_formgrader(here, "bob", score=1.0)
        return taken

    in_formgrader(here, "ada", score=0.5)
    monkeypatch.setattr(gradebook, "take_hand_marks", meanwhile)
    report.take_hand_marks(here)
    monkeypatch.setattr(gradebook, "take_hand_marks", take)
    report.take_hand_marks(here)
    assert {(entry.student, entry.points) for entry in entries(here) if entry.kind == "mark"} >= {
        ("ada", Decimal("0.5")),
        ("bob", Decimal("1.0")),
    }
    report.take_hand_marks(here)  # once more: to take a mark in is a change of the gradebook's own
    monkeypatch.setattr(gradebook, "take_hand_marks", lambda *_: pytest.fail("nothing has changed"))
    report.take_hand_marks(here)


def test_marks_of_the_formgrader_are_taken_in_first(here: Course) -> None:
    in_formgrader(here, "ada", score=0.5)
    run(here, "mark", "ada", "small", "why", "2", "--who", "tia")
    assert [(entry.points, entry.who) for entry in entries(here)] == [
        (Decimal("0.5"), "formgrader"),
        (2, "tia"),
    ]
    assert earned(here)["ada"] == 8 and in_formgrader(here, "ada") == 2


def test_hidden_points_of_a_code_part_are_marked_in_their_cell(here: Course) -> None:
    assert (
        run(here, "mark", "bob", "small", "scale-hidden", "1")
        == "bob: small: 4.5/9, 3 wait → 5/9, 3 wait"
    )
    assert "'2' for 'scale-hidden' is not a number of points from 0 to 1" in run(
        here, "mark", "bob", "small", "scale-hidden", "2", code=2
    )
    assert "takes comments only" in run(here, "mark", "bob", "small", "scale-answer", "1", code=2)
    assert (
        run(here, "mark", "bob", "small", "scale-answer", "--comment", "Well named.")
        == "written; nobody's points change"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("why", "2.5"),
            "'2.5' for 'why' is not a number of points from 0 to 2 with at most two decimals",
        ),
        (
            ("why", "--item", "compares=2", "--item", "briefly=0"),
            "'2' for 'why: compares' is not a number of points from 0 to 1.5",
        ),
        (
            ("why", "--item", "compare=1"),
            (
                "the rubric of 'why' has no item 'compare' (it has: compares, briefly); did "
                "you mean 'compares'?"
            ),
        ),
        (
            ("why", "--item", "compares=1"),
            "the rubric of 'why' has more items: briefly; give points for each, 0 is fine",
        ),
        (("why", "1", "--item", "compares=1"), "give POINTS or --item, not both"),
        (("why", "--item", "compares"), "write NAME=POINTS, each NAME once"),
        (
            ("why", "--item", "compares=1", "--item", "compares=1"),
            "write NAME=POINTS, each NAME once",
        ),
        (("why",), "give points, items or a comment for 'why'"),
        (("scale", "--item", "compares=1"), "'scale' has no rubric; give POINTS instead of --item"),
        (("wyh", "1"), "no part of 'small' is called 'wyh'; did you mean 'why'?"),
        (("why-hidden", "1"), "no part of 'small' is called 'why-hidden'"),
        (("why", "1", "2"), "give STUDENT ASSIGNMENT PART [POINTS]"),
        (("why", "1", "--anonymous"), "--anonymous and --out go with --split"),
        (("why", "1", "--read", "--undo"), "are different things"),
    ],
)
def test_a_mark_that_cannot_be_is_refused(
    here: Course, arguments: tuple[str, ...], sentence: str
) -> None:
    assert sentence in run(here, "mark", "ada", "small", *arguments, code=2)
    assert entries(here) == []


def test_the_gradebook_is_made_anew(here: Course) -> None:
    in_formgrader(here, "ada", score=0.5)
    assert run(here, "gradebook") == "marks taken from the formgrader: 1"
    (here.root / "gradebook.db").unlink()
    assert run(here, "gradebook", "--rebuild") == "submissions in a new gradebook.db: 3"
    assert in_formgrader(here, "ada") == 0.5


# ---- sheets --------------------------------------------------------------------------------------


def write(here: Course, *arguments: str) -> list[Path]:
    run(here, "mark", "--split", "2", *arguments, "small")
    return sorted((here.results / "sheets").glob("*.csv"))


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def fill(
    path: Path, *values: dict[str, str], delimiter: str = ",", encoding: str = "utf-8"
) -> Path:
    """Fill cells in, row by row, by the beginnings of their columns, and save as some spreadsheet
    would.
    """
    found = rows(path)
    for row, given in zip(found, values, strict=False):
        for beginning, value in given.items():
            (column,) = [column for column in row if column.startswith(beginning)]
            row[column] = value
    out = io.StringIO()
    writer = csv.DictWriter(out, list(found[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(found)
    path.write_bytes(out.getvalue().encode(encoding))
    return path


FULL = {"why: compares": "1.5", "why: briefly": "0.5"}


def test_each_marker_gets_a_sheet_and_all_answers_to_one_part(here: Course) -> None:
    ran = Ran(here.root, "mark", "--split", "2", "small")
    assert (
        ran.out.split("\n")[:2]
        == [
            "results/sheets/small-1-of-2.csv: 3 answers",
            "results/sheets/small-2-of-2.csv: 2 answers",
        ]
        and not ran.err
    )
    first, second = write(here)
    assert list(rows(first)[0]) == [
        "student",
        "assignment",
        "part",
        "answer",
        "why: compares (of 1.5)",
        "why: briefly (of 0.5)",
        "comment",
    ]
    assert list(rows(second)[0]) == [
        "student",
        "assignment",
        "part",
        "answer",
        "how: counts (of 1)",
        "comment",
    ]
    assert [
        (row["student"], row["part"], row["answer"]) for row in [*rows(first), *rows(second)]
    ] == [
        ("ada", "why", "I, Ada Lovelace, say:\n\n- two, not one"),
        ("bob", "why", "'=1+1; is 2, \u201cso\u201d"),
        ("cyd", "why", "Because."),
        ("ada", "how", "I count."),
        ("bob", "how", "'-1 by -1"),
    ]


def test_an_anonymous_sheet_names_nobody_and_the_same_student_alike(here: Course) -> None:
    ran = Ran(here.root, "mark", "--split", "2", "--anonymous", "small")
    first, second = sorted((here.results / "sheets").glob("*.csv"))
    codes = {row["code"] for row in [*rows(first), *rows(second)]}
    assert len(codes) == 3 and [row["code"] for row in rows(first)] == sorted(codes)
    secret = (here.results / "sheets.key").read_text().strip()
    assert (here.results / "sheets.key").stat().st_mode & 0o007 == 0
    text = first.read_text() + second.read_text()
    assert not [word for word in ("bob", "cyd", secret) if word in text]
    ada = next(row["code"] for row in rows(first) if "Lovelace" in row["answer"])
    assert ran.err.strip().split("\n") == [
        (
            f"{ada}: the answer to 'why' contains the student's {what}; look at it before "
            "the sheet is given out"
        )
        for what in ("id", "name")
    ]
    before = text
    assert (
        write(here, "--anonymous") == [first, second]
        and first.read_text() + second.read_text() == before
    ), "written again, it is the same"


def test_codes_depend_on_the_secret_and_the_assignment() -> None:
    secrets = [b"a" * 32, b"b" * 32]
    found = {
        sheets.code(secret, name, student)
        for secret in secrets
        for name in ("small", "large")
        for student in ("ada", "bob")
    }
    assert len(found) == 8 and all(
        len(code) == 11 and set(code) <= {*sheets.LETTERS, "-"} for code in found
    )


@pytest.mark.parametrize("anonymous", [(), ("--anonymous",)])
@pytest.mark.parametrize(
    ("delimiter", "encoding"), [(",", "utf-8"), (";", "utf-8-sig"), ("\t", "utf-8")]
)
def test_filled_in_sheets_become_marks_once(
    here: Course, anonymous: tuple[str, ...], delimiter: str, encoding: str
) -> None:
    first, second = write(here, *anonymous)
    for path, given in (
        (first, [FULL | {"comment": "'=fine"}, {"why: compares": "0,5", "why: briefly": "0"}]),
        (second, [{"how: counts": "1"}] * 2),
    ):
        fill(path, *given, delimiter=delimiter, encoding=encoding)
    command = (
        "mark",
        "--read",
        *(str(path.relative_to(here.root)) for path in (first, second)),
        "--who",
        "tia",
    )
    assert run(here, *command) == "marks read: 4, known already: 0, rows not filled in: 1"
    assert sum(earned(here).values()) == sum(BEFORE.values()) + 2 + Fraction("0.5") + 1 + 1
    assert [entry.comment for entry in entries(here)][:1] == ["=fine"]
    assert {(entry.part, entry.points) for entry in entries(here)} == {
        ("why", 2),
        ("why", Decimal("0.5")),
        ("how", 1),
    }
    before = here.ledger.read_bytes()
    assert run(here, *command) == "marks read: 0, known already: 4, rows not filled in: 1"
    assert here.ledger.read_bytes() == before
    for entry in entries(here):
        assert in_formgrader(here, entry.student, f"{entry.part}-answer") == float(entry.points)


def test_a_code_leads_back_to_its_student(here: Course) -> None:
    first, _ = write(here, "--anonymous")
    index = next(i for i, row in enumerate(rows(first)) if "Lovelace" in row["answer"])
    fill(first, *[{}] * index, FULL)
    run(here, "mark", "--read", str(first))
    assert earned(here) == BEFORE | {"ada": 8}


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (
            {"code": "BBBBB-BBBBB"},
            "row 2: column 'code': 'BBBBB-BBBBB' is nobody's code in 'small'",
        ),
        (
            {"why: compares": "2"},
            "row 2: '2' for 'why: compares (of 1.5)' is not a number of points from 0 to 1.5",
        ),
        (
            {"why: compares": "good"},
            "row 2: 'good' for 'why: compares (of 1.5)' is not a number of points",
        ),
        (
            {"why: briefly": ""},
            "row 2: column 'why: briefly (of 0.5)' is empty; fill in all of the row or none of it",
        ),
        (
            {"why: briefly": "", "why: compares": "", "comment": "?"},
            "row 2: column 'why: compares (of 1.5)' is empty",
        ),
        ({"part": "wy"}, "row 2: no part of 'small' is called 'wy'; did you mean 'why'?"),
        (
            {"part": "how"},
            "row 2: column 'why: compares (of 1.5)' is not for 'how'; leave it empty in this row",
        ),
        ({"assignment": "smal"}, "row 2: no assignment is called 'smal'"),
        (
            {"answer": "Another text."},
            "row 2: the answer to 'why' is another one by now; empty the row",
        ),
    ],
)
def test_one_wrong_row_and_nothing_is_written(
    here: Course, row: dict[str, str], sentence: str
) -> None:
    first, second = write(here, "--anonymous")
    fill(first, FULL | row, FULL)
    fill(second, {"how: counts": "1"})
    said = run(here, "mark", "--read", str(first), str(second), code=2)
    assert f"small-1-of-2.csv: {sentence}" in said and said.endswith(
        "nothing was written; mend the rows and read the sheets again"
    )
    assert entries(here) == []


def test_all_mistakes_are_named_at_once(here: Course) -> None:
    first, _ = write(here)
    fill(first, FULL | {"why: compares": "9"}, FULL | {"student": "bobb"}, FULL)
    said = run(here, "mark", "--read", str(first), code=2)
    assert (
        "row 2: '9'" in said and "row 3: nobody is called 'bobb'" in said and said.count("\n") == 2
    )


def test_a_row_filled_in_differently_in_two_sheets(here: Course) -> None:
    first, _ = write(here)
    other = Path(shutil.copy(first, first.with_name("copy.csv")))
    fill(first, FULL)
    fill(other, FULL | {"why: compares": "1"})
    assert (
        "copy.csv: row 2: filled in differently in results/sheets/small-1-of-2.csv, row 2"
        in run(here, "mark", "--read", str(first), str(other), code=2)
    )
    assert entries(here) == []
    fill(other, FULL)
    assert run(here, "mark", "--read", str(first), str(other)).startswith("marks read: 1,")


def test_a_mark_that_somebody_gave_meanwhile_is_not_run_over(here: Course) -> None:
    first, _ = write(here)
    fill(first, FULL, FULL)
    in_formgrader(here, "ada", score=0.5)
    said = run(here, "mark", "--read", str(first), "--who", "tia", code=2)
    assert "row 2: 'why' was marked meanwhile by formgrader (0.5 points); empty the row" in said
    assert [entry.who for entry in entries(here)] == ["formgrader"] and earned(here)[
        "bob"
    ] == BEFORE["bob"]


def test_a_marker_may_correct_the_own_sheet(here: Course) -> None:
    first, _ = write(here)
    run(here, "mark", "--read", str(fill(first, FULL)), "--who", "tia")
    assert "marked meanwhile by tia (2 points)" in run(
        here, "mark", "--read", str(fill(first, {"why: compares": "1"})), "--who", "pat", code=2
    )
    assert run(here, "mark", "--read", str(first), "--who", "tia").startswith("marks read: 1,")
    assert earned(here)["ada"] == Fraction("7.5")


def test_a_sheet_that_may_hold_marks_is_not_overwritten(here: Course) -> None:
    first, _ = write(here)
    fill(first, FULL)
    before = first.read_bytes()
    assert "is there already and may hold marks" in run(
        here, "mark", "--split", "2", "small", code=2
    )
    assert first.read_bytes() == before
    run(here, "mark", "--split", "2", "--out", "elsewhere", "small")
    assert len(list((here.root / "elsewhere").iterdir())) == 2


def test_what_is_marked_waits_no_longer(here: Course) -> None:
    first, second = write(here)
    run(
        here,
        "mark",
        "--read",
        str(fill(first, FULL, FULL, FULL)),
        str(fill(second, {"how: counts": "0"}, {"how: counts": "1"})),
    )
    assert run(here, "mark", "--split", "3", "small") == "small: no answer waits for a person"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (
            b"PK\x03\x04\x00\x00",
            "this is no CSV file in UTF-8; save the sheet as 'CSV UTF-8' and read that",
        ),
        ("code,assignment,part\né".encode("latin-1"), "this is no CSV file in UTF-8"),
        (
            b"name,points\nada,2\n",
            (
                "row 1 is not that of a sheet; it needs the columns 'assignment' and "
                "'part', and either 'code' or 'student'"
            ),
        ),
        (b"", "row 1 is not that of a sheet"),
        (b"student,assignment,part\nada,small,why,2\n", "row 2: there are more cells than columns"),
        (b"student,assignment,part\nada,small\n", "row 2: no part of 'small' is called ''"),
    ],
)
def test_a_file_that_is_no_sheet(here: Course, data: bytes, sentence: str) -> None:
    (here.root / "sheet.csv").write_bytes(data)
    assert run(here, "mark", "--read", "sheet.csv", code=2).startswith(
        "sheet.csv: "
    ) and sentence in run(here, "mark", "--read", "sheet.csv", code=2)


def test_a_sheet_that_is_not_there(here: Course) -> None:
    assert run(here, "mark", "--read", "sheet.csv", code=2) == "sheet.csv: no such file or folder"


# ---- parts of it ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@x", "\u3000=1", "'=1+1", "it's", "'quoted'", "", "1", "＝1"]
)
def test_what_is_neutralised_comes_back(text: str) -> None:
    out = neutral(text)
    assert out[:1] not in "=+-@＝" or not out
    assert restored(out) == text or text.startswith("'=")


@pytest.mark.parametrize(
    ("sizes", "markers", "loads"),
    [
        ([5, 3, 2], 2, [5, 5]),
        ([4, 4, 4], 3, [4, 4, 4]),
        ([7], 3, [2, 2, 3]),
        ([1], 3, [0, 0, 1]),
        ([9, 1], 3, [1, 4, 5]),
        ([1, 9], 3, [1, 4, 5]),
        ([10], 3, [3, 3, 4]),
        ([], 2, [0, 0]),
    ],
)
def test_answers_are_dealt_out_evenly(sizes: list[int], markers: int, loads: list[int]) -> None:
    parts = [
        [Answer(f"s{i}", (), f"p{n}", "") for i in range(size)] for n, size in enumerate(sizes)
    ]
    shares = sheets._shares(parts, markers)
    assert sorted(map(len, shares)) == loads
    assert sorted((a.part, a.student) for share in shares for a in share) == sorted(
        (a.part, a.student) for part in parts for a in part
    )
    if len(sizes) >= markers:
        for n in range(len(sizes)):
            assert sum(any(answer.part == f"p{n}" for answer in share) for share in shares) == 1
    for share in shares:
        parts_in_order = [answer.part for answer in share]
        assert parts_in_order == sorted(parts_in_order)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("I am ADA.", ["id"]),
        ("adage and cascada", []),
        ("write to ada.l@example.org", ["id", "e-mail address"]),
        ("Ms Lovelace", ["name"]),
        ("no. 4711", ["number"]),
        ("no. 47110", []),
    ],
)
def test_what_tells_whose_an_answer_is(text: str, found: list[str]) -> None:
    assert (
        sheets.tells(
            text, Member("ada", lms_id="4711", email="ada.l@example.org", name="Ada M Lovelace")
        )
        == found
    )


def test_a_mark_with_a_points_cell_for_an_essay_without_rubric() -> None:
    from autogradient.model.assignment import Part

    assert sheets.columns(Part("why", "why", "essay", Fraction(2), "", "")) == {
        "points": "why: points (of 2)"
    }
    assert (
        Mark(student="ada", assignment="small", part="why", points=Decimal(1), who="tia").items
        == {}
    )


# ---- nobody ends below 0 -------------------------------------------------------------------------


def test_who_is_taken_more_than_there_is_stays_at_0_and_it_is_said(here: Course) -> None:
    assert run(here, "adjust", "ada", "small", "-7", "--why", "copied") == (
        "ada: small: 6/9, 3 wait → 0/9, 3 wait\nnobody ends below 0: small of ada stays at "
        "0, and 1 of the points that are taken off have no effect"
    )
    assert (
        run(here, "adjust", "ada", "small", "2", "--why", "not all of it")
        == "ada: small: 0/9, 3 wait → 1/9, 3 wait"
    )


def test_a_part_stays_at_0_too(here: Course) -> None:
    said = run(here, "adjust", "bob", "small", "total", "-1.5", "--why", "copied").splitlines()
    assert said == [
        "bob: small: 4.5/9, 3 wait → 3.5/9, 3 wait",
        (
            "nobody ends below 0: total of bob stays at 0, and 0.5 of the points that are "
            "taken off have no effect"
        ),
    ]
    said = run(here, "adjust", "bob", "small", "total", "-1", "--why", "again").splitlines()
    assert said[0] == "written; nobody's points change" and "1.5 of the points" in said[1]
    assert (
        len(run(here, "adjust", "bob", "small", "scale", "-0.5", "--why", "fine").splitlines()) == 1
    )


def test_an_essay_that_earned_some_of_its_points_has_not_failed(here: Course) -> None:
    run(here, "mark", "ada", "small", "why", "1", "--who", "tia")
    run(here, "mark", "bob", "small", "why", "0", "--who", "tia")
    rows = {line.split()[0]: line.split() for line in run(here, "report").splitlines()[1:]}
    assert "why" not in rows["ada"] and rows["ada"][2] == "7/9"
    # of an essay that earned nothing it is said
    assert rows["bob"][3:5] == ["scale", "+1"] or "why" in rows["bob"]
