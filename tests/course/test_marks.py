"""What a student gets: results, ledger and policy together."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import handmade
import pytest
from handmade import case, question
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook, new_output

from autogradient.course import ledger, marks
from autogradient.course.ledger import Adjustment, Excuse, Extension, Mark, Void
from autogradient.course.policy import Deadline, Late, Policy
from autogradient.coursework import export_csv
from autogradient.feedback import page, summary, table
from autogradient.model.result import Result

DUE = datetime(2026, 9, 1, 10, 0, tzinfo=UTC)
TEN = Policy(
    deadlines={"gates": Deadline(DUE)}, late=Late(per_day=Fraction(1, 10), at_most=Fraction(1, 2))
)


def make(
    *entries: Any,
    results: Any = None,
    student: str = "ada",
    policy: Policy = TEN,
    section: str = "",
    now: datetime | None = None,
) -> marks.Marked:
    found = results or [handmade.result()]
    return marks.make(found, student, policy, marks.Decisions(entries, "gates"), section, now=now)


def came(late: timedelta, *questions: Any, attempt: int | None = None, **more: Any) -> Result:
    return handmade.result(
        *questions, received_at=(DUE + late).isoformat(), attempt=attempt, **more
    )


def adjust(
    points: str, part: str = "", student: str = "ada", why: str = "a typo in the task"
) -> Adjustment:
    return Adjustment(
        student=student, assignment="gates", part=part, points=Decimal(points), who="tia", why=why
    )


def void(mode: Any, part: str = "and-gate", why: str = "the question was ambiguous") -> Void:
    return Void(assignment="gates", part=part, mode=mode, who="tia", why=why)


def mark(points: str | None, part: str = "why", student: str = "ada", **more: Any) -> Mark:
    return Mark(
        student=student,
        assignment="gates",
        part=part,
        points=None if points is None else Decimal(points),
        who="tia",
        **more,
    )


def excuse(undo: bool = False) -> Excuse:
    return Excuse(student="ada", assignment="gates", who="tia", why="ill", undo=undo)


def extend(until: datetime | None, student: str = "ada") -> Extension:
    return Extension(student=student, assignment="gates", until=until, who="tia")


def totals(one: marks.Marked) -> tuple[Fraction, Fraction, Fraction]:
    return one.points.earned, one.points.possible, one.points.ungraded


# ---- voided parts --------------------------------------------------------------------------------


def test_without_decisions_the_result_stands_and_is_not_changed() -> None:
    before = handmade.result()
    text = before.to_json()
    assert totals(make(adjust("1", "and-gate"), void("full", "why"), results=[before])) == (4, 5, 0)
    assert before.to_json() == text
    assert totals(make(results=[before])) == (1, 5, 2)


def test_a_voided_part_counts_in_full_for_everybody() -> None:
    one = make(void("full"))
    assert totals(one) == (3, 5, 2)
    assert (
        "this counts in full for everybody, whatever was answered: the question was ambiguous"
        in summary.markdown(one)
    )
    assert "truth table" not in summary.markdown(one) and table.failed_parts(one) == []


def test_also_for_those_who_left_it_blank() -> None:
    blank = question(
        "and-gate",
        "code",
        case("truth table", "failed"),
        case("noisy", "failed", 2, hidden=True),
        attempted=False,
    )
    one = make(void("full"), results=[handmade.result(blank)])
    assert (totals(one), table.untried_parts(one)) == ((3, 3, 0), [])
    text = summary.markdown(one)
    assert "whatever was answered" in text and "Not attempted" not in text


def test_a_voided_essay_waits_for_nobody() -> None:
    assert totals(make(void("full", "why"))) == (3, 5, 0)


def test_a_dropped_part_counts_neither_way() -> None:
    one = make(void("drop"), mark("1.5"))
    assert totals(one) == (Fraction("1.5"), 2, 0)
    assert "this is not counted: the question was ambiguous" in summary.markdown(one)
    assert totals(make(void("drop"), adjust("1", "and-gate"))) == (0, 2, 2), (
        "what does not count cannot be adjusted either"
    )


def test_the_last_word_on_a_part_stands() -> None:
    assert totals(make(void("full"), void("drop"))) == (0, 2, 2)
    assert totals(make(void("drop"), void("full"))) == (3, 5, 2)
    assert totals(make(void("full"), void("undo"))) == (1, 5, 2)
    assert totals(make(void("undo"), void("full"))) == (3, 5, 2)


# ---- adjustments ---------------------------------------------------------------------------------


def test_adjustments_add_up() -> None:
    one = make(adjust("0.1", "and-gate"), adjust("0.2", "and-gate"), adjust("1"), adjust("-0.25"))
    assert totals(one) == (Fraction("2.05"), 5, 2)
    text = summary.markdown(one)
    assert "0.3 points added: a typo in the task" in text
    assert (
        "1 point added: a typo in the task" in text
        and "0.25 points taken off: a typo in the task" in text
    )


def test_nobody_ends_below_nothing() -> None:
    assert totals(make(adjust("-7")))[0] == 0
    assert totals(make(adjust("-7", "and-gate"), mark("2")))[0] == 2, (
        "a part is never worth less than nothing"
    )
    assert totals(make(adjust("-7", "and-gate"), adjust("6.5", "and-gate")))[0] == Fraction(
        "0.5"
    ), "several are added before that is asked"


def test_adjustments_may_lift_above_the_maximum() -> None:
    assert totals(make(adjust("10")))[:2] == (11, 5)


def test_one_students_adjustment_is_not_anothers() -> None:
    team = [handmade.result(students=["ada", "bob"])]
    assert totals(make(adjust("1"), results=team, student="bob"))[0] == 1
    assert totals(make(adjust("1"), results=team, student="ada"))[0] == 2
    assert totals(make(adjust("1", student=""), results=team, student="bob"))[0] == 2, (
        "without a student it is everybody's"
    )
    assert totals(make(mark("2"), results=team, student="bob"))[0] == 3, (
        "a team shares its hand marks"
    )


def test_points_given_to_one_who_handed_nothing_in_are_a_mark() -> None:
    missing = handmade.result(
        question("why", "essay", case("why", "not_run", 2, reason="unreadable"), attempted=False),
        outcome="missing",
        received_at=None,
    )
    assert table.points(make(results=[missing])) == "–"
    one = make(adjust("1"), results=[missing])
    assert table.points(one) == "1/2"
    assert export_csv.marks_csv([one]).split("\n")[1] == "ada,1,2,2,0"


# ---- excuses -------------------------------------------------------------------------------------


def test_who_is_excused_has_no_mark_and_owes_none() -> None:
    one = make(excuse())
    assert table.points(one) == "excused" and "excused" in table.plain([one])
    assert export_csv.marks_csv([one]).split("\n")[1] == "ada,,,,"
    assert export_csv.parts_csv([one]).count("\n") == 1
    assert (
        "You are excused from this assignment: it has no mark, and nothing is owed.** ill"
        in summary.markdown(one)
    )
    assert table.points(make(excuse(), excuse(undo=True))) == "1/5"


def test_who_is_excused_and_handed_nothing_in_is_not_missing() -> None:
    one = make(excuse(), results=[handmade.result(outcome="missing")])
    assert table.points(one) == "excused"


# ---- late work -----------------------------------------------------------------------------------


def test_days_begun_take_a_share_of_what_was_earned() -> None:
    bonus = question("extra", "code", case("c", "passed", 2), optional=True)
    one = make(
        mark("2"),
        void("full"),
        adjust("1", "why"),
        adjust("0.5"),
        results=[came(timedelta(days=1, minutes=1), *handmade.result().questions, bonus)],
    )
    assert one.points.earned == (3 + 2 + 1) * Fraction(8, 10) + Fraction("0.5"), (
        "what is given to the whole comes last and whole"
    )
    assert one.points.bonus == 2 * Fraction(8, 10)
    assert one.late is not None and one.late.points == 8 * Fraction(2, 10)
    text = summary.markdown(one)
    assert (
        "Handed in 1 day 1 minute after the deadline (1 September 2026, 10:00 UTC): 20 % of "
        "what was earned is taken off, 1.6 points." in text
    )
    assert table.points(one) == "5.3/5 +1.6 late"


@pytest.mark.parametrize(
    ("late", "share"),
    [(-1, 0), (0, 0), (1, 10), (86400, 10), (86401, 20), (4 * 86400, 40), (30 * 86400, 50)],
)
def test_the_share_by_how_late(late: int, share: int) -> None:
    assert TEN.late.share(timedelta(seconds=late)) == Fraction(share, 100)


def test_within_the_grace_period_work_is_on_time_and_after_it_days_count_from_the_deadline() -> (
    None
):
    late = Late(grace=timedelta(minutes=15), per_day=Fraction(1, 10))
    assert late.share(timedelta(minutes=15)) == 0
    assert late.share(timedelta(minutes=16)) == Fraction(1, 10)
    assert late.share(timedelta(days=1, minutes=1)) == Fraction(2, 10)
    policy = Policy(deadlines=TEN.deadlines, late=late)
    assert make(results=[came(timedelta(minutes=15))], policy=policy).late is None


BERLIN = Policy("Europe/Berlin", TEN.deadlines, TEN.late, attempts_per_day=2)


def tries(*hours: float) -> list[Result]:
    """Attempts so many hours after the deadline, each a point better than the one before."""
    found = enumerate(hours, start=1)
    return [
        came(
            timedelta(hours=late),
            question("q", "code", case("a", "failed", 9, earned=n)),
            attempt=n,
        )
        for n, late in found
    ]


@pytest.mark.parametrize(
    ("counts", "hours", "attempt", "over"),
    [
        ("last_on_time", [-4, -3, -2, -1], 2, [3, 4]),
        ("last", [-4, -3, -2, -1], 2, [3, 4]),
        ("best", [-4, -3, -2, -1], 2, [3, 4]),
        ("last_on_time", [-4, -3], 2, []),
        ("last_on_time", [-13, -12.5, -11.9], 3, []),  # the deadline is at noon in Berlin
        ("last_on_time", [-14, -13, -12.5], 2, [3]),
        ("last", [-4, -3, -2, 13], 4, [3]),
    ],
)
def test_more_attempts_than_a_day_has_do_not_count(
    counts: Any, hours: list[float], attempt: int, over: list[int]
) -> None:
    one = make(results=tries(*hours), policy=replace(BERLIN, counts=counts))
    assert (one.submission.attempt, [each.attempt for each in one.over]) == (attempt, over)
    assert (
        marks.counting(
            tries(*hours), "ada", replace(BERLIN, counts=counts), marks.Decisions([], "gates")
        ).submission.attempt
        == attempt
    )


def test_students_read_which_attempts_were_too_many_and_when_one_counts_again() -> None:
    text = summary.markdown(make(results=tries(-30, -29, -28, -4, -3, -2, -1), policy=BERLIN))
    assert "Of 7 attempts, attempt 5 counts." in text
    assert (
        "Attempt 3 was received and does not count: 2 attempts a day count, the next one "
        "from 1 September 2026, 00:00 UTC+02:00." in text
    )
    assert (
        "Attempts 6 and 7 were received and do not count: 2 attempts a day count, the next "
        "one from 2 September 2026, 00:00 UTC+02:00." in text
    )
    text = summary.markdown(make(results=tries(-4, -3), policy=replace(BERLIN, attempts_per_day=1)))
    assert "1 attempt a day counts, the next one" in text


def test_what_could_not_be_read_or_timed_is_none_of_a_days_attempts() -> None:
    results = tries(-5, -4, -3, -2)
    results[0].outcome, results[1].submission.received_at = "unreadable", None
    one = make(results=results, policy=BERLIN)
    assert one.over == [] and one.submission.attempt == 4


def test_an_extension_moves_the_deadline_and_not_the_days() -> None:
    results = tries(-3, -2, 1, 14)
    assert make(results=results, policy=BERLIN).submission.attempt == 2
    one = make(extend(DUE + timedelta(days=2)), results=results, policy=BERLIN)
    assert (one.submission.attempt, [each.attempt for each in one.over]) == (4, [3])


def test_a_day_is_over_at_midnight_by_the_courses_clock_also_when_clocks_are_changed() -> None:
    assert BERLIN.day_after(datetime(2026, 10, 24, 22, 30, tzinfo=UTC)) == datetime(
        2026, 10, 25, 23, 0, tzinfo=UTC
    )
    assert Policy().day_after(datetime(2026, 10, 24, 22, 30, tzinfo=UTC)) == datetime(
        2026, 10, 25, 0, 0, tzinfo=UTC
    )


def test_after_the_last_moment_nothing_counts_whatever_the_cap() -> None:
    policy = Policy(
        deadlines=TEN.deadlines,
        late=Late(per_day=Fraction(1, 10), at_most=Fraction(1, 2), nothing_after=timedelta(days=7)),
    )
    assert totals(make(results=[came(timedelta(days=7))], policy=policy))[0] == Fraction(1, 2)
    one = make(results=[came(timedelta(days=7, seconds=1))], policy=policy)
    assert totals(one)[0] == 0 and "too late to count" in summary.markdown(one)


def test_without_a_rule_late_work_costs_nothing_but_is_said() -> None:
    one = make(results=[came(timedelta(hours=3))], policy=Policy(deadlines=TEN.deadlines))
    assert totals(one)[0] == 1 and "3 hours after the deadline" in summary.markdown(one)


def test_what_came_at_an_unknown_time_is_on_time() -> None:
    assert make(results=[handmade.result(received_at=None)]).late is None
    assert make(results=[handmade.result(received_at="soon")]).late is None


def test_a_section_has_its_own_deadline_and_an_extension_is_a_students_own() -> None:
    policy = Policy(
        deadlines={"gates": Deadline(DUE, {"tue": DUE + timedelta(days=1)})}, late=TEN.late
    )
    late = [came(timedelta(hours=30))]
    assert totals(make(results=late, policy=policy))[0] == Fraction("0.8")
    assert totals(make(results=late, policy=policy, section="tue"))[0] == Fraction("0.9")
    one = make(extend(DUE + timedelta(days=2)), results=late, policy=policy)
    assert totals(one)[
        0
    ] == 1 and "Your deadline was extended to 3 September 2026, 10:00 UTC." in summary.markdown(one)
    assert totals(make(extend(DUE + timedelta(days=2), "bob"), results=late, policy=policy))[
        0
    ] == Fraction("0.8")
    assert totals(make(extend(DUE + timedelta(days=2)), extend(None), results=late, policy=policy))[
        0
    ] == Fraction("0.8"), "taken back"
    assert totals(make(extend(DUE - timedelta(days=9)), results=late, policy=policy))[
        0
    ] == Fraction("0.8"), "never earlier than the deadline"


@given(
    st.integers(0, 10**7),
    st.integers(0, 10**7),
    st.integers(0, 100),
    st.integers(0, 100),
    st.integers(0, 10**5),
    st.none() | st.integers(10**5, 10**6),
)
def test_later_is_never_cheaper(
    a: int, b: int, per_day: int, at_most: int, grace: int, nothing_after: int | None
) -> None:
    late = Late(
        timedelta(seconds=grace),
        Fraction(per_day, 100),
        Fraction(at_most, 100),
        None if nothing_after is None else timedelta(seconds=nothing_after),
    )
    first, second = (late.share(timedelta(seconds=seconds)) for seconds in sorted((a, b)))
    assert 0 <= first <= second <= 1
    assert second <= late.at_most or (nothing_after is not None and max(a, b) > nothing_after)


# ---- attempts ------------------------------------------------------------------------------------


def earning(points: float) -> Any:
    return question(
        "and-gate", "code", case("truth table", "passed" if points else "failed", 3, earned=points)
    )


#: On time 1 point, late 3, later 2.
THREE = [
    came(timedelta(hours=-5), earning(1), attempt=1),
    came(timedelta(hours=1), earning(3), attempt=2),
    came(timedelta(hours=30), earning(2), attempt=3),
]


@pytest.mark.parametrize(
    ("counts", "attempt", "earned"),
    [("last_on_time", 1, "1"), ("last", 3, "1.6"), ("best", 2, "2.7")],
)
def test_the_attempt_that_counts(counts: Any, attempt: int, earned: str) -> None:
    policy = Policy(deadlines=TEN.deadlines, late=TEN.late, counts=counts)
    one = make(results=THREE, policy=policy)
    assert (one.submission.attempt, one.points.earned, one.attempts) == (
        attempt,
        Fraction(earned),
        3,
    )
    assert f"Of 3 attempts, attempt {attempt} counts." in summary.markdown(one)
    assert marks.counting(THREE, "ada", policy, marks.Decisions([], "gates")) is THREE[attempt - 1]


def test_where_none_was_on_time_the_last_counts_that_is_worth_something() -> None:
    policy = Policy(
        deadlines=TEN.deadlines,
        late=Late(per_day=Fraction(1, 10), nothing_after=timedelta(hours=20)),
    )
    assert make(results=THREE[1:], policy=policy).submission.attempt == 2
    assert make(results=THREE[2:], policy=policy).submission.attempt == 3


def test_an_extension_can_change_which_attempt_counts() -> None:
    assert make(extend(DUE + timedelta(hours=2)), results=THREE).submission.attempt == 2


def test_an_attempt_that_cannot_be_read_counts_only_where_none_can() -> None:
    broken = came(
        timedelta(hours=-1), attempt=2, outcome="unreadable", problems=[(None, "Save it again.")]
    )
    one = make(results=[THREE[0], broken])
    assert (
        one.submission.attempt == 1
        and "Of 2 attempts, attempt 1 counts.\n- Attempt 2 could not be read. Save it again."
        in summary.markdown(one)
    )
    assert make(results=[broken]).submission.attempt == 2


@pytest.mark.parametrize("counts", ["last_on_time", "last", "best"])
def test_an_attempt_without_a_time_never_beats_one_with_a_time(counts: Any) -> None:
    policy = Policy(deadlines=TEN.deadlines, late=TEN.late, counts=counts)
    untimed = came(timedelta(0), earning(3), attempt=2)
    untimed.submission.received_at = None
    year_9999 = untimed.model_copy(deep=True)
    year_9999.submission.received_at = "9999-12-31T23:59:59+00:00"
    for one in (untimed, year_9999):
        assert (
            make(
                results=[one, came(timedelta(hours=1), earning(1), attempt=1)], policy=policy
            ).submission.attempt
            == 1
        )
        assert make(results=[one], policy=policy).submission.attempt == 2


# ---- the ledger's order --------------------------------------------------------------------------

ENTRIES = [
    adjust("1"),
    adjust("-0.5", "and-gate"),
    mark("1", "why"),
    mark("2", "and-gate-hidden"),
    extend(DUE + timedelta(days=3)),
    adjust("2", student="bob"),
]


def test_decisions_of_different_kinds_may_come_in_any_order() -> None:
    expected = totals(make(*ENTRIES, results=[came(timedelta(days=2))]))
    assert expected == (1 + 2 - Fraction("0.5") + 1 + 1, 5, 0)
    for seed in range(10):
        shuffled = random.Random(seed).sample(ENTRIES, len(ENTRIES))
        assert totals(make(*shuffled, results=[came(timedelta(days=2))])) == expected


def test_a_mark_is_the_same_when_the_ledger_is_read_back(tmp_path: Path) -> None:
    entries = [*ENTRIES, void("drop"), excuse(), excuse(undo=True), void("undo"), extend(None)]
    path = tmp_path / "ledger.jsonl"
    ledger.append(path, *entries)
    assert ledger.read(path) == entries
    results = [came(timedelta(days=2))]
    assert (
        make(*ledger.read(path), results=results).points == make(*entries, results=results).points
    )


def test_what_was_decided_on_another_assignment_does_not_count() -> None:
    others = [
        entry.model_copy(update={"assignment": "other"})
        for entry in [*ENTRIES, excuse(), void("full")]
    ]
    assert totals(make(*others)) == (1, 5, 2)


@given(
    st.lists(
        st.sampled_from(
            [
                *ENTRIES,
                void("full"),
                void("drop"),
                void("undo"),
                excuse(),
                mark(None),
                mark("0"),
                adjust("-9"),
                adjust("-9", "why"),
            ]
        )
    )
)
def test_whatever_is_decided_points_make_sense(entries: list[Any]) -> None:
    one = make(*entries, results=[came(timedelta(days=2))])
    earned, possible, ungraded = totals(one)
    assert earned >= 0 and 0 <= ungraded <= possible <= 5
    assert all(part.earned >= 0 for part in one.parts)
    (
        summary.markdown(one),
        table.plain([one]),
        export_csv.marks_csv([one]),
        export_csv.parts_csv([one]),
    )


# ---- hidden tests --------------------------------------------------------------------------------

HIDDEN = question(
    "and-gate",
    "code",
    case("truth table", "failed", message="Only (1, 1) may fire."),
    case("noisy", "failed", hidden=True, message="One line must separate them."),
    case("negative", "passed", hidden=True),
    case("slow", "grader_error", hidden=True),
)


@pytest.mark.parametrize(
    ("policy", "hours", "shown"),
    [
        ("full", -9, True),
        ("count", 900, False),
        ("after_deadline", -1, False),
        ("after_deadline", 24, False),
        ("after_deadline", 49, True),
    ],
)
def test_what_students_see_of_hidden_tests(policy: Any, hours: int, shown: bool) -> None:
    rules = Policy(
        deadlines=TEN.deadlines, late=Late(grace=timedelta(minutes=30)), hidden_feedback=policy
    )
    one = make(
        extend(DUE + timedelta(hours=48), "bob"),
        results=[handmade.result(HIDDEN)],
        policy=rules,
        now=DUE + timedelta(hours=hours),
    )
    text = summary.markdown(one)
    assert ("noisy" in text, "One line must separate them" in text, "slow" in text) == (
        shown,
        shown,
        shown,
    )
    assert ("1 of 2 hidden checks passed" in text) is not shown
    assert "truth table" in text and one.points.earned == 1 and one.points.ungraded == 1
    assert ("are shown after 3 September 2026, 10:30 UTC" in text) is (
        policy == "after_deadline" and not shown
    )


@pytest.mark.parametrize(("policy", "shown"), [("full", True), ("count", False)])
def test_the_page_keeps_hidden_tests_back_also_in_copies_of_a_check(
    policy: Any, shown: bool
) -> None:
    verdict = [new_output("stream", name="stdout", text="✗ noisy: One line must separate them.\n")]
    check = handmade.cell("code", "grader.check('and-gate')", "and-gate", points=1, outputs=verdict)
    copied = new_code_cell("grader.check('and-gate')", outputs=verdict)
    own = new_code_cell(
        "print('mine')", outputs=[new_output("stream", name="stdout", text="my own output\n")]
    )
    one = make(results=[handmade.result(HIDDEN)], policy=Policy(hidden_feedback=policy), now=DUE)
    html = page.html_page(one, new_notebook(cells=[check, copied, own]))
    assert (
        html.count("One line must separate them.") == (3 if shown else 0)
        and "my own output" in html
    )


def test_without_a_deadline_hidden_tests_stay_hidden() -> None:
    one = make(
        results=[handmade.result(HIDDEN)], policy=Policy(hidden_feedback="after_deadline"), now=DUE
    )
    assert "noisy" not in summary.markdown(one)


def test_a_hand_mark_on_hidden_tests_counts_where_they_are_not_shown() -> None:
    policy = Policy(hidden_feedback="count")
    questions = [question("and-gate", "code", *HIDDEN.parts[0].cases[:3])]
    one = make(
        mark("1.5", "and-gate-hidden", comment="Nearly."),
        results=[handmade.result(*questions)],
        policy=policy,
        now=DUE,
    )
    assert (
        one.points.earned == Fraction("1.5")
        and "Nearly." in summary.markdown(one)
        and "noisy" not in summary.markdown(one)
    )
