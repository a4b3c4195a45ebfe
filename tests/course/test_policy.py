"""Deadlines, times of receipt and attempts: from course.toml and submitted/ to marks, feedback and
nbgrader's gradebook.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import classroom
import pytest
from classroom import RIGHT, WEAKER, hand_in
from nbgrader.api import Gradebook, MissingEntry

from autogradient.course import config as course
from autogradient.course import ledger
from autogradient.course.config import Course
from autogradient.course.ledger import Adjustment, Excuse, Extension, Mark
from autogradient.course.policy import Late, Policy
from autogradient.coursework import grade_course, regrade, report
from autogradient.errors import CourseError
from autogradient.grading import batch, find_submissions, results_folder
from autogradient.grading.batch import Local, Watcher
from autogradient.grading.engine import Engine

# ---- course.toml ---------------------------------------------------------------------------------


def config(root: Path, text: str) -> Policy:
    (root / "grader_config").mkdir()
    (root / "grader_config" / "course.toml").write_text("format = 1\n" + text)
    for name in ("gates", "nand"):
        (root / "source" / name).mkdir(parents=True)
        (root / "source" / name / f"{name}.py").touch()
    return course.load(root).policy


def test_without_any_policy_nothing_is_late_and_everything_is_shown(tmp_path: Path) -> None:
    policy = config(tmp_path, "")
    assert (policy.due("gates"), policy.counts, policy.hidden_feedback) == (
        None,
        "last_on_time",
        "full",
    )


def test_a_policy_as_it_is_written(tmp_path: Path) -> None:
    policy = config(
        tmp_path,
        'timezone = "Europe/Berlin"\ncounts = "best"\nhidden_feedback = "count"\n'
        "[deadlines]\ngates = 2026-10-12T23:59:00-05:00\n"
        "[deadlines.nand]\ndue = 2026-10-19\nsections = {tue = 2026-10-26T12:00:00}\n"
        '[late]\ngrace = "15 minutes"\nper_day = "12.5%"\nat_most = "50 %"\nnothing_after = "7 '
        'days"\n',
    )
    assert policy.due("gates", "tue") == datetime(2026, 10, 13, 4, 59, tzinfo=UTC)
    assert policy.due("nand") == datetime(2026, 10, 19, 21, 59, 59, tzinfo=UTC), (
        "a date is the end of that day"
    )
    assert (
        policy.due("nand", "tue")
        == policy.last_due("nand")
        == datetime(2026, 10, 26, 11, 0, tzinfo=UTC)
    ), "winter time has begun by then"
    assert (policy.counts, policy.hidden_feedback) == ("best", "count")
    late = policy.late
    assert (late.grace, late.per_day, late.at_most, late.nothing_after) == (
        timedelta(minutes=15),
        Fraction(1, 8),
        Fraction(1, 2),
        timedelta(days=7),
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "[deadlines]\ngates = 2026-10-12T23:59:00\n",
            "line 3: 'deadlines.gates = 2026-10-12T23:59:00' has no time zone; add its offset",
        ),
        (
            "[deadlines]\n\ngatse = 2026-10-12T23:59:00Z\n",
            (
                "line 4: no assignment is called 'gatse', so nothing would be due; did you "
                "mean 'gates'?"
            ),
        ),
        (
            "[deadlines]\ngates = '2026-10-12'\n",
            "line 3: 'deadlines.gates' must be a date and time without quotes",
        ),
        ("[deadlines]\ngates = {}\n", "line 3: 'deadlines.gates' must be a date and time"),
        (
            "[deadlines.gates]\nduo = 2026-10-12T23:59:00Z\n",
            "line 3: unknown key 'duo' in 'deadlines.gates'; did you mean 'due'?",
        ),
        (
            "[deadlines.nand]\nsections = {mon = 2026-10-12T23:59:00Z,\n tue = 3}\n".replace(
                ",\n", ", "
            ),
            "line 3: 'deadlines.nand.sections.tue' must be a date",
        ),
        (
            "[deadlines.nand.sections]\nmon = 2026-10-12T23:59:00Z\ntue = 12:00:00\n",
            "line 4: 'deadlines.nand.sections.tue' must be a date",
        ),
        ("deadlines = 2026-10-12\n", "line 2: 'deadlines' must be a table"),
        (
            "[late]\nper_day = 10\n",
            "line 3: 'late.per_day' must be a share of what was earned in quotes",
        ),
        ('[late]\nat_most = "101%"\n', "line 3: 'late.at_most' must be a share"),
        ('[late]\nper_day = "-5%"\n', "line 3: 'late.per_day' must be a share"),
        ('[late]\ngrace = "5"\n', "line 3: 'late.grace' must be a length of time in quotes"),
        (
            '[late]\ngrace = "2 hours"\nnothing_after = "1 hour"\n',
            "line 4: 'late.nothing_after' is shorter than 'late.grace'",
        ),
        (
            '[late]\nper_dya = "5%"\n',
            "line 3: unknown key 'per_dya' in 'late'; did you mean 'per_day'?",
        ),
        (
            'counts = "newest"\n',
            'line 2: \'counts = "newest"\' is none of "last_on_time", "last", "best"',
        ),
        (
            'hidden_feedback = "ful"\n',
            (
                'line 2: \'hidden_feedback = "ful"\' is none of "after_deadline", "count", '
                "\"full\"; did you mean 'full'?"
            ),
        ),
        (
            'timezone = "Europe/Berln"\n',
            (
                "line 2: 'Europe/Berln' is no time zone; write a name such as "
                "\"Europe/Berlin\"; did you mean 'Europe/Berlin'?"
            ),
        ),
        (
            'timezone = "Europe/Berlin"\nattempts_per_day = 0\n',
            "line 3: 'attempts_per_day' must be at least 1; without the line every attempt counts",
        ),
        (
            'timezone = "Europe/Berlin"\n[deadlines]\ngates = 2027-03-28T02:30:00\n',
            (
                "line 4: 'deadlines.gates = 2027-03-28T02:30:00' cannot be a deadline: "
                "clocks in Europe/Berlin are put forward then and never show this time"
            ),
        ),
        (
            'timezone = "America/New_York"\n[deadlines]\ngates = {sections = {tue = '
            "2026-11-01T01:30:00}}\n",
            "line 4: 'deadlines.gates.sections.tue = 2026-11-01T01:30:00' cannot be a deadline: "
            "clocks in America/New_York are put back then and show this time twice; "
            "add the offset that is meant, 2026-11-01T01:30:00-04:00 or 2026-11-01T01:30:00-05:00",
        ),
        (
            "[deadlines]\ngates = 0999-12-31T23:59:59Z\n",
            (
                "line 3: 'deadlines.gates = 0999-12-31T23:59:59+00:00' cannot be a "
                "deadline: its year does not lie"
            ),
        ),
        (
            "attempts_per_day = 3\n",
            "line 2: 'attempts_per_day' needs 'timezone', which says when a day begins",
        ),
        ('attempts_per_day = "3"\n', "line 2: 'attempts_per_day' must be a whole number"),
        (
            'hidden_feedbak = "full"\n',
            "line 2: unknown key 'hidden_feedbak'; did you mean 'hidden_feedback'?",
        ),
    ],
)
def test_a_mistake_in_a_policy_is_named_with_its_line(
    tmp_path: Path, text: str, sentence: str
) -> None:
    with pytest.raises(CourseError) as error:
        config(tmp_path, text)
    assert f"course.toml: {sentence}" in str(error.value)


ROOT = Path(__file__).parents[2]


def test_the_examples_that_people_copy_are_policies(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "grading.md").read_text().split("```toml\n")[1].split("```")[0]
    comments = (
        (ROOT / "grader_config" / "course.toml").read_text().split("the last attempt counts.\n")[1]
    )
    example = "\n".join(line.removeprefix("#").strip() for line in comments.splitlines())
    for number, text in enumerate((page, example)):
        assert "attempts_per_day = 5" in text
        names = 'assignments = ["perceptrons", "activations"]\n'
        (tmp_path / str(number)).mkdir()
        policy = config(tmp_path / str(number), names + text)
        assert policy.due("activations", "tuesday") and policy.late.nothing_after == timedelta(
            days=7
        ), text
        assert policy.hidden_feedback == "after_deadline"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-10-12", datetime(2026, 10, 12, 21, 59, 59, tzinfo=UTC)),
        (" 2026-10-12 18:00 ", datetime(2026, 10, 12, 16, 0, tzinfo=UTC)),
        ("2026-10-12T18:00Z", datetime(2026, 10, 12, 18, 0, tzinfo=UTC)),
        ("2026-12-12T18:00", datetime(2026, 12, 12, 17, 0, tzinfo=UTC)),
    ],
)
def test_a_moment_as_people_type_it(text: str, expected: datetime) -> None:
    assert Policy(timezone="Europe/Berlin").moment(text) == expected


@pytest.mark.parametrize(
    ("zone", "due", "came", "days"),
    [
        # the night has an hour more
        ("Europe/Berlin", "2026-10-24 20:00", "2026-10-25T19:30:00+01:00", 1),
        ("Europe/Berlin", "2026-10-24 20:00", "2026-10-25T20:00:00+01:00", 1),
        ("Europe/Berlin", "2026-10-24 20:00", "2026-10-25T20:00:01+01:00", 2),
        ("America/New_York", "2026-03-07 20:00", "2026-03-08T20:00:00-04:00", 1),  # an hour less
        ("America/New_York", "2026-03-07 20:00", "2026-03-08T20:00:01-04:00", 2),
        ("Europe/Berlin", "2026-10-23 20:00", "2026-10-30T20:00:00+01:00", 7),
        ("Asia/Tokyo", "2026-10-24 20:00", "2026-10-25T20:00:01+09:00", 2),
    ],
)
def test_late_days_are_days_of_the_course(zone: str, due: str, came: str, days: int) -> None:
    policy = Policy(timezone=zone)
    late = Late(per_day=Fraction(1, 10), nothing_after=timedelta(days=7))
    assert late.share_at(policy.moment(due), datetime.fromisoformat(came), policy.zone) == Fraction(
        days, 10
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tomorrow", "is no date or time"),
        ("0999-12-31", "its year does not lie between"),
        ("2026-13-01", "is no date or time"),
        ("2026-10-12 18:00", "has no time zone"),
    ],
)
def test_a_moment_that_is_none(text: str, problem: str) -> None:
    with pytest.raises(CourseError, match=problem):
        Policy().moment(text)


# ---- roster.csv ----------------------------------------------------------------------------------


def roster(root: Path, data: bytes) -> Any:
    (root / "grader_config").mkdir()
    (root / "grader_config" / "roster.csv").write_bytes(data)
    return Course(root)


def test_a_roster_with_everything(tmp_path: Path) -> None:
    here = roster(
        tmp_path, "\ufeffStudent,Section,LMS id,seat\n ada ,tue, 7,3\n,,,\nbob\n".encode()
    )
    ada, bob = here.rows()
    assert (ada.student, ada.section, ada.lms_id, ada.email) == ("ada", "tue", "7", "")
    assert (
        bob.student == "bob"
        and here.roster() == ["ada", "bob"]
        and here.sections() == {"ada": "tue", "bob": ""}
    )


def test_no_roster_has_no_rows(tmp_path: Path) -> None:
    assert Course(tmp_path).rows() == []


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"name\nada\n", "line 1: there is no column 'student'"),
        (b"", "line 1: there is no column 'student'"),
        (
            b"student,sectoin\nada,tue\n",
            "line 1: unknown column 'sectoin'; did you mean 'section'?",
        ),
        (b"student,section,section\n", "line 1: there are two columns 'section'"),
        (b"student\nada\nbob\nada\n", "line 4: 'ada' stands twice"),
        (b"student\n\xff\n", "byte 8: this is not UTF-8 text"),
        (b'student\n"ada\n', "line 2: unexpected end of data"),
    ],
)
def test_a_mistake_in_a_roster_is_named_with_its_line(
    tmp_path: Path, data: bytes, sentence: str
) -> None:
    with pytest.raises(CourseError) as error:
        roster(tmp_path, data).rows()
    assert f"roster.csv: {sentence}" in str(error.value)


# ---- times of receipt ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-10-12 09:59:00.123456 UTC\n", "2026-10-12T09:59:00+00:00"),
        ("2026-10-12 11:59:00 Europe/Berlin", "2026-10-12T09:59:00+00:00"),
        ("2026-10-12T11:59:00+02:00", "2026-10-12T09:59:00+00:00"),
        ("2026-10-12 09:59:00", "2026-10-12T09:59:00+00:00"),
        ("", None),
        ("when it was done", None),
        ("\x00\xff", None),
    ],
)
def test_nbgraders_file_says_when_a_submission_came(
    tmp_path: Path, text: str, expected: str | None
) -> None:
    (tmp_path / "timestamp.txt").write_text(text, encoding="latin-1")
    assert find_submissions.received_at(tmp_path) == expected


def test_a_link_or_a_folder_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "time").write_text("2026-10-12 09:59:00 UTC")
    (tmp_path / "timestamp.txt").symlink_to(tmp_path / "time")
    assert find_submissions.received_at(tmp_path) is None
    (tmp_path / "timestamp.txt").unlink()
    (tmp_path / "timestamp.txt").mkdir()
    assert find_submissions.received_at(tmp_path) is None


# ---- a course ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Path:
    """ada: attempt 1 on time, attempt 2 better and 7 hours late. bob: a day and 2 hours late for
    his section. cyd: at an unknown time. eve: nothing.
    """
    here = classroom.make(tmp_path_factory.mktemp("late"))
    hand_in(here, "ada", WEAKER, "2026-10-12 09:59:00 UTC", 1)
    hand_in(here, "ada", RIGHT, "2026-10-12 17:00:00 UTC", 2)
    hand_in(here, "bob", RIGHT, "2026-10-14 12:00:00 UTC")
    hand_in(here, "cyd", {})
    run(here, engine)
    return here.root


@pytest.fixture
def here(graded: Path, tmp_path: Path) -> Course:
    shutil.copytree(graded, tmp_path / "course")
    return course.load(tmp_path / "course")


class Seen(Watcher):
    """Remembers what was run."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def done(self, done: batch.Done) -> None:
        if done.again:
            self.ran.append(f"{done.item.students[0]} {done.item.attempt}")


def run(here: Course, engine: Engine) -> list[str]:
    seen = Seen()
    grade_course.grade_course(here, [classroom.small(here)], Local(engine, 2), watcher=seen)
    return sorted(seen.ran)


def marked(here: Course) -> dict[str, Any]:
    return {one.student: one for one in report.all_results(here, ["small"])}


def points(here: Course) -> dict[str, Any]:
    return {
        student: (one.submission.attempt, one.points.earned)
        for student, one in marked(here).items()
        if one.outcome != "missing"
    }


def change(here: Course, before: str, after: str) -> Course:
    path = here.root / "grader_config" / "course.toml"
    assert path.read_text().count(before) == 1
    path.write_text(path.read_text().replace(before, after))
    return course.load(here.root)


def extend(here: Course, student: str, until: datetime) -> None:
    ledger.append(
        here.ledger, Extension(student=student, assignment="small", until=until, who="tia")
    )


@contextmanager
def in_gradebook(here: Course) -> Iterator[Any]:
    with Gradebook(here.gradebook_url) as book:
        yield book


def score(here: Course, student: str) -> tuple[float, float | None]:
    """nbgrader's score before the penalty, and the penalty."""
    with in_gradebook(here) as book:
        submission = book.find_submission("small", student)
        return submission.score, submission.notebooks[0].late_submission_penalty


def test_each_attempt_is_graded_and_kept(here: Course) -> None:
    assert {
        path.relative_to(here.results / "small").as_posix()
        for path in (here.results / "small").rglob("*.json")
        if ".staff" not in path.name
    } == {
        "attempts/ada/1.json",
        "attempts/ada/2.json",
        "bob.json",
        "cyd.json",
    }
    one, two = results_folder.read_results(here.results, "small")["ada"]
    assert (one.submission.attempt, one.submission.received_at) == (1, "2026-10-12T09:59:00+00:00")
    assert (two.submission.attempt, two.points.earned) == (2, 6)


def test_marks_by_policy_with_nothing_of_it_in_the_results(here: Course) -> None:
    assert points(here) == {
        "ada": (1, Fraction("4.5")),
        "bob": (None, Fraction("4.8")),
        "cyd": (None, 0),
    }
    assert points(change(here, "[deadlines]", 'counts = "last"\n[deadlines]')) == points(here) | {
        "ada": (2, Fraction("5.4"))
    }
    assert points(change(here, 'per_day = "10%"', 'per_day = "1%"'))["bob"] == (
        None,
        Fraction("5.88"),
    )


def test_what_is_unchanged_is_not_graded_again(here: Course, engine: Engine) -> None:
    assert run(here, engine) == []


def test_a_new_attempt_alone_is_graded(here: Course, engine: Engine) -> None:
    hand_in(here, "ada", RIGHT, "2026-10-12 09:59:30 UTC", 3)
    assert run(here, engine) == ["ada 3"]
    assert points(here)["ada"] == (3, 6)


def test_the_tenth_attempt_comes_after_the_ninth(here: Course, engine: Engine) -> None:
    for number in (9, 10):
        hand_in(here, "ada", RIGHT if number == 9 else {}, "2026-10-12 09:59:59 UTC", number)
    run(here, engine)
    assert points(here)["ada"] == (10, 0)
    assert [
        number for number, _ in find_submissions.attempt_folders(here.submitted / "ada" / "small")
    ] == [1, 2, 9, 10]


def test_another_time_of_receipt_is_taken_over_without_grading(
    here: Course, engine: Engine
) -> None:
    hand_in(here, "bob", RIGHT, "2026-10-13 09:00:00 UTC")
    assert [
        change.text
        for change in regrade.preview(here, [classroom.small(here)], Local(engine, 1))[0]
    ] == ["bob: small: 4.8 → 6 of 9 points (another time of receipt)"]
    assert points(here)["bob"][1] == Fraction("4.8"), "a preview writes nothing"
    assert run(here, engine) == [] and points(here)["bob"][1] == 6
    assert score(here, "bob") == (6, None)
    with in_gradebook(here) as book:
        assert book.find_submission("small", "bob").timestamp == datetime(2026, 10, 13, 9, 0)


def test_the_preview_says_that_another_attempt_would_count(here: Course, engine: Engine) -> None:
    hand_in(here, "ada", {}, "2026-10-12 09:59:30 UTC", 3)
    (found,) = regrade.preview(here, [classroom.small(here)], Local(engine, 1))[0]
    assert found.text.startswith(
        "ada: small: 4.5 → 0 of 9 points (another notebook was handed in, another time of "
        "receipt)\n    attempt 3 counts instead of attempt 1\n"
    )
    assert points(here)["ada"] == (1, Fraction("4.5"))


def test_an_attempt_that_cannot_be_read_leaves_the_one_before(here: Course, engine: Engine) -> None:
    folder = hand_in(here, "ada", RIGHT, "2026-10-12 09:59:30 UTC", 3)
    (folder / "small.ipynb").write_text("<<<<<<< mine")
    run(here, engine)
    assert points(here)["ada"] == (1, Fraction("4.5"))
    found = {
        result.submission.attempt: result.outcome
        for result in results_folder.read_results(here.results, "small")["ada"]
    }
    assert found == {1: "graded", 2: "graded", 3: "unreadable"}


def test_notebooks_beside_attempts_and_attempts_without_one_are_named(
    here: Course, engine: Engine
) -> None:
    shutil.copy(
        here.submitted / "ada" / "small" / "attempt-1" / "small.ipynb",
        here.submitted / "ada" / "small",
    )
    (here.submitted / "ada" / "small" / "attempt-3").mkdir()
    graded = grade_course.grade_course(here, [classroom.small(here)], Local(engine, 1))
    assert (
        len(graded.skipped) == 2
        and "attempt-3: no notebook" in graded.skipped[0]
        and "beside attempt-N/" in graded.skipped[1]
    )


def test_a_single_submission_after_attempts_is_named(here: Course, engine: Engine) -> None:
    shutil.rmtree(here.submitted / "ada" / "small")
    hand_in(here, "ada", {}, "2026-10-12 09:59:30 UTC")
    graded = grade_course.grade_course(here, [classroom.small(here)], Local(engine, 1))
    assert (
        "ada/small: attempts were graded before, and they count; move the notebook into the "
        "next attempt-N/" in graded.skipped[0]
    )
    assert points(here)["ada"] == (1, Fraction("4.5"))


# ---- nbgrader's gradebook ------------------------------------------------------------------------


def test_the_gradebook_shows_the_attempt_that_counts_and_what_lateness_costs(here: Course) -> None:
    assert score(here, "ada") == (4.5, None)
    assert score(here, "bob") == (6, 1.2)
    with in_gradebook(here) as book:
        assert book.find_submission("small", "ada").timestamp == datetime(2026, 10, 12, 9, 59)
    assert (
        "return np.asarray(x)"
        in (here.root / "autograded" / "ada" / "small" / "small.ipynb").read_text()
    )


def test_another_policy_puts_another_attempt_into_the_gradebook(
    here: Course, engine: Engine
) -> None:
    late = change(here, "[deadlines]", 'counts = "last"\n[deadlines]')
    assert run(late, engine) == []
    assert score(late, "ada") == (6, 0.6)
    assert (
        "return np.asarray(x)"
        not in (here.root / "autograded" / "ada" / "small" / "small.ipynb").read_text()
    )
    run(change(late, 'counts = "last"\n', ""), engine)
    assert score(here, "ada") == (4.5, None)


def test_an_extension_takes_a_penalty_back(here: Course, engine: Engine) -> None:
    extend(here, "bob", datetime(2026, 10, 20, tzinfo=UTC))
    extend(here, "ada", datetime(2026, 10, 20, tzinfo=UTC))
    run(here, engine)
    assert (score(here, "bob"), score(here, "ada")) == ((6, None), (6, None))


def test_who_is_excused_has_no_penalty(here: Course, engine: Engine) -> None:
    ledger.append(here.ledger, Excuse(student="bob", assignment="small", who="tia"))
    run(here, engine)
    assert score(here, "bob") == (6, None)


def test_without_deadlines_penalties_go(here: Course, engine: Engine) -> None:
    run(
        change(
            here,
            "small = {due = 2026-10-12T12:00:00, sections = {tue = 2026-10-13T12:00:00}}\n",
            "",
        ),
        engine,
    )
    assert score(here, "bob") == (6, None)


def test_hand_marks_stay_when_another_attempt_is_shown(here: Course, engine: Engine) -> None:
    with in_gradebook(here) as book:
        grade = book.find_grade("why-answer", "small", "small", "ada")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        book.db.commit()
    extend(here, "ada", datetime(2026, 10, 20, tzinfo=UTC))
    run(here, engine)
    with in_gradebook(here) as book:
        assert book.find_grade("why-answer", "small", "small", "ada").manual_score == 1.5
    assert points(here)["ada"] == (2, Fraction("7.5"))


def test_the_gradebook_can_be_made_from_results_and_ledger(here: Course) -> None:
    mark = Mark(student="bob", assignment="small", part="why", points=Decimal("1"), who="tia")
    ledger.append(
        here.ledger,
        mark,
        Adjustment(student="bob", assignment="small", points=Decimal(1), who="tia"),
    )
    (here.root / "gradebook.db").unlink()
    assert grade_course.rebuild_gradebook(here)[:2] == (3, [])
    assert (score(here, "ada"), score(here, "bob")) == ((4.5, None), (7, 1.4))
    with in_gradebook(here) as book, pytest.raises(MissingEntry):
        book.find_submission("small", "eve")


# ---- what people are told ------------------------------------------------------------------------


def test_the_reader_of_a_report_is_told_what_is_not_known(here: Course) -> None:
    (sentence,) = report.notices(here, report.all_results(here, ["small"]))
    assert sentence.startswith(
        "small: no time of receipt is known of cyd, so they count as on time"
    )
    moved = change(here, "tue = ", "wed = ")
    assert (
        "nobody on grader_config/roster.csv is in it"
        in report.notices(moved, report.all_results(moved, ["small"]))[1]
    )
    silent = change(moved, "[deadlines]", 'hidden_feedback = "after_deadline"\n[deadlines]')
    assert len(report.notices(silent, report.all_results(silent, ["small"]))) == 2
    moved = change(silent, 'hidden_feedback = "after_deadline"\n', "")
    without = change(
        moved, "small = {due = 2026-10-12T12:00:00, sections = {wed = 2026-10-13T12:00:00}}\n", ""
    )
    assert report.notices(without, report.all_results(without, ["small"])) == []
    silent = change(without, "[deadlines]", 'hidden_feedback = "after_deadline"\n[deadlines]')
    assert "never shown" in report.notices(silent, report.all_results(silent, ["small"]))[0]


def test_attempts_over_the_days_number_count_nowhere_and_the_report_names_them(
    here: Course, engine: Engine
) -> None:
    hand_in(here, "ada", RIGHT, "2026-10-12 09:59:30 UTC", 3)
    run(here, engine)
    assert (points(here)["ada"], score(here, "ada")) == ((3, 6), (6, None))
    here = change(here, "[deadlines]", "attempts_per_day = 1\n[deadlines]")
    assert run(here, engine) == [] and points(here)["ada"] == (1, Fraction("4.5"))
    assert score(here, "ada") == (4.5, None)
    assert (
        "small: attempts_per_day is 1, so attempts over that do not count: ada (2)"
        in report.notices(here, report.all_results(here, ["small"]))
    )
    report.write_feedback(here, ["small"])
    said = (here.feedback / "ada" / "small" / "feedback.md").read_text()
    assert (
        "Attempts 3 and 2 were received and do not count: 1 attempt a day counts, the next "
        "one from 13 October 2026, 00:00 UTC+02:00." in said
    )
    assert grade_course.rebuild_gradebook(here)[:2] == (3, []) and score(here, "ada") == (4.5, None)


def test_feedback_says_which_attempt_counts_and_what_lateness_costs(here: Course) -> None:
    report.write_feedback(here, ["small"])
    ada, bob = (
        (here.feedback / student / "small" / "feedback.md").read_text()
        for student in ("ada", "bob")
    )
    assert "Of 2 attempts, attempt 1 counts." in ada
    assert (
        "Handed in 1 day 2 hours after the deadline (13 October 2026, 12:00 UTC+02:00): 20 "
        "% of what was earned is taken off, 1.2 points." in bob
    )


def test_feedback_is_written_anew_when_it_must_say_something_else(here: Course) -> None:
    def written() -> set[str]:
        return {path.parent.name for path in report.write_feedback(here, ["small"])[0]}

    assert written() == {"ada", "bob", "cyd"} and written() == set()
    here = change(here, 'at_most = "50%"', 'at_most = "5%"')
    assert written() == {"bob"} and written() == set()
    extend(here, "bob", datetime(2026, 10, 20, tzinfo=UTC))
    assert written() == {"bob"} and written() == set()


def test_a_page_has_the_notebook_of_the_attempt_that_counts_or_none(
    here: Course, engine: Engine
) -> None:
    extend(here, "ada", datetime(2026, 10, 20, tzinfo=UTC))
    page = here.feedback / "ada" / "small" / "feedback.html"
    report.write_feedback(here, ["small"])
    assert "Your notebook" not in page.read_text(), "autograded/ still shows the other one"
    run(here, engine)
    report.write_feedback(here, ["small"])
    assert "Your notebook" in page.read_text()


def test_hidden_tests_are_shown_after_the_last_extension_also_in_the_page(here: Course) -> None:
    here = change(here, "[deadlines]", 'hidden_feedback = "after_deadline"\n[deadlines]')
    end = datetime.now(UTC) + timedelta(days=2)
    extend(here, "bob", end)
    folder = here.feedback / "ada" / "small"

    def secrets() -> list[bool]:
        return [
            word in (folder / name).read_text()
            for name in ("feedback.md", "feedback.html")
            for word in ("proportions", "The proportions should stay")
        ]

    report.write_feedback(here, ["small"])
    assert secrets() == [False] * 4
    assert "1 of 2 hidden checks passed" in (folder / "feedback.md").read_text()
    assert report.write_feedback(here, ["small"])[0] == [], "nothing new to say yet"
    report.write_feedback(here, ["small"], now=end + timedelta(seconds=1))
    assert secrets() == [True] * 4


@pytest.mark.parametrize(
    "written", ["9999-12-31T23:59:59Z", "2996-03-04T10:00:00+01:00", "2400-02-29T10:00:00Z"]
)
def test_a_deadline_that_is_meant_as_never_is_one(tmp_path: Path, written: str) -> None:
    due = config(tmp_path, f"[deadlines]\ngates = {written}\n").last_due("gates")
    assert due is not None and due.year == 2199
