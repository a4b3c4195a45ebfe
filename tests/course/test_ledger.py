from __future__ import annotations

import json
import threading
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import handmade
import pytest

from autogradient.course import ledger
from autogradient.course.ledger import Adjustment, Excuse, Extension, Mark, Void, apply_ledger
from autogradient.errors import LedgerError


def mark(
    points: str | None = "1.5", student: str = "ada", part: str = "why", **more: object
) -> Mark:
    return Mark(
        student=student, assignment=handmade.NAME, part=part, points=points, who="staff", **more
    )


def test_every_kind_of_decision_survives_being_written_and_read(tmp_path: Path) -> None:
    entries = [
        mark(comment="Nice.\nBut short.", items={"names-the-cause": Decimal("1.5")}, why="marked"),
        Adjustment(
            student="bob",
            assignment="gates",
            part="and-gate",
            points="-0.1",
            who="staff",
            why="typo in the task",
        ),
        Void(assignment="gates", part="and-gate", mode="full", who="staff", why="ambiguous"),
        Excuse(student="bob", assignment="gates", who="staff", why="ill"),
        Extension(student="ada", assignment="gates", until="2026-10-01T12:00:00Z", who="staff"),
    ]
    path = tmp_path / "results" / "ledger.jsonl"
    ledger.append(path, *entries[:2])
    ledger.append(path, *entries[2:])
    assert ledger.read(path) == entries
    assert len(path.read_text().splitlines()) == 5


def test_points_are_exact(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger.append(path, mark("0.1"), mark("0.2"))
    assert json.loads(path.read_text().splitlines()[0])["points"] == "0.1"
    assert sum(entry.points for entry in ledger.read(path)) == Decimal("0.3")


def test_no_file_is_an_empty_ledger(tmp_path: Path) -> None:
    assert ledger.read(tmp_path / "ledger.jsonl") == []


@pytest.mark.parametrize("torn", ['{"student":"ada","assi', "{", '{"a": "\u00e9'.encode()[:-1]])
def test_a_torn_last_line_is_left_out_and_the_next_entry_is_whole(
    tmp_path: Path, torn: str | bytes
) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger.append(path, mark("1"))
    with path.open("ab") as file:
        file.write(torn if isinstance(torn, bytes) else torn.encode())
    assert [entry.points for entry in ledger.read(path)] == [Decimal(1)]
    ledger.append(path, mark("2"))
    assert [entry.points for entry in ledger.read(path)] == [Decimal(1), Decimal(2)]


def test_a_torn_line_longer_than_a_block_is_cut_too(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger.append(path, mark("1"))
    with path.open("a") as file:
        file.write('{"comment": "' + "x" * 10_000)
    ledger.append(path, mark("2"))
    assert [entry.points for entry in ledger.read(path)] == [Decimal(1), Decimal(2)]


def test_a_whole_last_line_without_its_newline_counts(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger.append(path, mark("1"))
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert len(ledger.read(path)) == 1
    ledger.append(path, mark("2"))
    assert len(ledger.read(path)) == 2


def test_a_damaged_line_is_named_not_skipped(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger.append(path, mark("1"))
    path.write_text('{"kind": "mark", "student": "ada"}\n' + path.read_text())
    with pytest.raises(
        LedgerError,
        match=r"ledger\.jsonl:1: not a ledger entry \(mark: assignment: Field required\)",
    ):
        ledger.read(path)


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    threads = [
        threading.Thread(
            target=lambda n=n: [ledger.append(path, mark(str(n), part=f"p{i}")) for i in range(20)]
        )
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ledger.read(path)) == 80


def test_a_ledger_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="cannot be written"):
        ledger.append(tmp_path, mark())


def test_a_mark_for_an_essay_counts_and_nothing_waits_any_more() -> None:
    before = handmade.result()
    after = apply_ledger(before, [mark("1.5", comment="Say why.")])
    assert (after.points.earned, after.points.ungraded) == (Fraction(5, 2), 0)
    essay = after.parts[1].cases[0]
    assert (essay.outcome, essay.reason, essay.earned, essay.message) == (
        "passed",
        "hand",
        Fraction(3, 2),
        "Say why.",
    )
    assert before.points.ungraded == 2, "the result itself stays as the grader wrote it"


def test_the_newest_mark_stands_and_an_empty_one_takes_it_back() -> None:
    assert (
        apply_ledger(handmade.result(), [mark("1"), mark("2", part="why-answer")]).points.earned
        == 3
    )
    assert (
        apply_ledger(handmade.result(), [mark("2", part="why-answer"), mark("1")]).points.earned
        == 2
    )
    assert apply_ledger(handmade.result(), [mark("1"), mark(None)]).points.ungraded == 2


def test_marks_for_others_do_not_count() -> None:
    entries = [
        mark("2", student="bob"),
        mark("2", part="nowhere"),
        mark("2").model_copy(update={"assignment": "other"}),
    ]
    assert apply_ledger(handmade.result(), entries).points == handmade.result().points


def test_a_team_shares_its_marks() -> None:
    assert apply_ledger(handmade.result(students=["bob", "ada"]), [mark("2")]).points.ungraded == 0


def test_a_hidden_cell_marked_by_hand_leaves_the_visible_points() -> None:
    after = apply_ledger(
        handmade.result(), [mark("2", part="and-gate-hidden"), mark("0", part="and-gate")]
    )
    assert [(c.outcome, c.earned) for c in after.parts[0].cases] == [("failed", 0), ("passed", 2)]


def test_points_for_several_cases_are_shared_out_exactly() -> None:
    part = handmade.question(
        "p", "code", handmade.case("a", "grader_error", 1), handmade.case("b", "failed", 2)
    )
    after = apply_ledger(handmade.result(part), [mark("1.75", part="p")])
    assert [c.earned for c in after.parts[0].cases] == [1, Fraction(3, 4)]
    assert (after.points.earned, after.points.ungraded) == (Fraction(7, 4), 0)


def test_extra_points_come_on_top() -> None:
    assert apply_ledger(handmade.result(), [mark("2", extra="0.5")]).points.earned == Fraction(7, 2)


def test_a_comment_alone_reaches_the_part_and_changes_no_points() -> None:
    after = apply_ledger(
        handmade.result(), [mark(None, part="and-gate-answer", comment="Well named.")]
    )
    assert after.points == handmade.result().points
    assert after.parts[0].cases[0].message == "Well named."
