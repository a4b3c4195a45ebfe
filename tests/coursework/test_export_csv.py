from __future__ import annotations

import csv
import io

import pytest
from handmade import case, question, result

from autogradient.coursework import export_csv
from autogradient.model.result import Totals


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_one_row_a_student_with_four_columns_an_assignment() -> None:
    optional = question("extra", "code", case("c", "passed", 0.5), optional=True)
    rows = _rows(
        export_csv.marks_csv(
            [
                result(*result().questions, optional),
                result(question("p", "code", case("c", "passed")), name="zeros"),
            ]
        )
    )
    assert rows == [
        {
            "student": "ada",
            "gates earned": "1",
            "gates possible": "5",
            "gates ungraded": "2",
            "gates bonus": "0.5",
            "zeros earned": "1",
            "zeros possible": "1",
            "zeros ungraded": "0",
            "zeros bonus": "0",
        }
    ]


def test_what_has_no_verdict_is_blank_not_zero() -> None:
    (row,) = _rows(export_csv.marks_csv([result(outcome="unreadable")]))
    assert (
        row["gates earned"],
        row["gates possible"],
        row["gates ungraded"],
        row["gates bonus"],
    ) == ("", "5", "5", "")


def test_a_grader_error_in_one_part_leaves_what_is_certain() -> None:
    broken = question("a", "code", case("c", "grader_error", 2))
    (row,) = _rows(
        export_csv.marks_csv(
            [result(question("b", "code", case("c", "passed")), broken, outcome="grader_error")]
        )
    )
    assert (row["gates earned"], row["gates ungraded"]) == ("1", "2")


def test_a_grader_error_without_any_verdict_is_blank() -> None:
    (row,) = _rows(
        export_csv.marks_csv(
            [
                result(outcome="grader_error").model_copy(
                    update={"questions": [], "points": Totals()}
                )
            ]
        )
    )
    assert set(row.values()) == {"ada", ""}


def test_a_submission_of_which_all_waits_is_blank() -> None:
    (row,) = _rows(
        export_csv.marks_csv(
            [result(question("why", "essay", case("why", "not_run", 2, reason="hand")))]
        )
    )
    assert (row["gates earned"], row["gates ungraded"]) == ("", "2")


def test_a_zero_that_was_earned_is_a_zero() -> None:
    (row,) = _rows(export_csv.marks_csv([result(question("p", "code", case("c", "failed")))]))
    assert row["gates earned"] == "0"


def test_missing_is_blank_and_every_student_of_the_roster_has_a_row() -> None:
    rows = _rows(
        export_csv.marks_csv(
            [result(outcome="missing")], assignments=["gates", "zeros"], students=["ada", "bob"]
        )
    )
    assert [row["student"] for row in rows] == ["ada", "bob"]
    assert {value for row in rows for key, value in row.items() if key != "student"} == {""}


def test_points_are_exact_decimals() -> None:
    tenths = question("p", "code", *[case(str(n), "passed", 0.1) for n in range(3)])
    (row,) = _rows(export_csv.marks_csv([result(tenths)]))
    assert (row["gates earned"], row["gates possible"]) == ("0.3", "0.3")


def test_the_long_file_has_a_row_for_each_part() -> None:
    rows = _rows(export_csv.parts_csv([result()]))
    assert [(row["part"], row["earned"], row["possible"], row["ungraded"]) for row in rows] == [
        ("and-gate", "1", "3", "0"),
        ("why", "", "2", "2"),
    ]
    assert (
        rows[0]
        | {
            "student": "ada",
            "assignment": "gates",
            "question": "and-gate",
            "kind": "code",
            "optional": "no",
            "attempted": "yes",
        }
        == rows[0]
    )


def test_a_missing_submission_has_no_parts() -> None:
    assert _rows(export_csv.parts_csv([result(outcome="missing")])) == []


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1+1",
        "-1+1",
        "@SUM(A1)",
        " =1+1",
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        "＝1+1",
        '=HYPERLINK("http://evil")',
    ],
)
def test_a_formula_becomes_text(text: str) -> None:
    (row,) = _rows(export_csv.marks_csv([result(student=text)]))
    assert row["student"].startswith("'")
    assert not any(c in row["student"] for c in "\t\r\n")
    assert export_csv.parts_csv([result(student=text)]).count("\n") == 3


@pytest.mark.parametrize("text", ["ada", "ada-lovelace", "a=b", "2026-001", "ådä", 'say "hi", ada'])
def test_an_ordinary_id_stays_as_it_is(text: str) -> None:
    (row,) = _rows(export_csv.marks_csv([result(student=text)]))
    assert row["student"] == text


def test_the_names_of_assignments_are_neutral_too() -> None:
    assert export_csv.marks_csv([result(name="=cmd")]).startswith("student,'=cmd earned,")
