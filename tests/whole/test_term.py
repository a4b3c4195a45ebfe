"""A term with a clock change in it, from the first enrolment to the next term's: work comes by git
and from three platforms, tests and ids change, people come, go and are renamed. The marks are those
that are worked out by hand below, and nobody may ever do more on GitHub than roster and staff say.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import homework
import pytest
from commands import Ran
from errata import mended
from homework import ANSWERS, Notebook
from hub.description import NotToBeHad, description
from hub.people import Place, laid_out, push, small_github
from hub.server import Server
from packed import zipped
from proved import prove_cheaply

from autogradient.github.audit import Access, look
from autogradient.github.settings import load as load_settings
from autogradient.model.assignment import Assignment
from autogradient.sources import release
from autogradient.sources.source import load

SETTINGS = """format = 1
name = "Small numbers"
release = "{label}"
assignments = ["small", "first", "second"]
timezone = "Europe/Berlin"
hidden_feedback = "count"
"""
#: Saturday, 18:00 in summer time (16:00 UTC), is the day before clocks are put back; the next day
#: on the wall is over on Sunday, 18:00 in winter time: 25 hours later, at 17:00 UTC.
POLICY = (
    SETTINGS
    + """
[deadlines]
small = {{due = 2025-10-25T18:00:00, sections = {{b = 2025-10-26T18:00:00}}}}
first = 2025-10-25T18:00:00
second = 2025-11-20T18:00:00

[late]
per_day = "10%"
at_most = "50%"
nothing_after = "7 days"
"""
)
HEAD = "student,login,lms_id,name,section,team"
ROSTER = {
    "ada": "ada,ada-l,11,Ada Lovelace,a,",
    "ben": "ben,ben-r,12,Ben Ray,a,",
    "cleo": "cleo,cleo-m,13,Cleo Marsh,b,gates",
    "dan": "dan,dan-w,14,Dan Wu,b,gates",
    "eve": "eve,eve-l,15,Eve Li,a,",
    "fay": "fay,fay-o,16,Fay Osei,b,",
    "gus": "gus,gus-k,17,Gus Klein,a,",
    "hal": "hal,hal-b,18,Hal Berg,a,",
    "ida": "ida,ida-n,19,Ida Noor,b,",
    "jon": "jon,jon-p,20,Jon Pace,b,",
}
BEGAN, ENDED = "2025-10-06T08:00:00Z", "2026-02-01T08:00:00Z"

# ---- the assignments: double 2 points (1 of them hidden), total 1, scale 2, pick 1, why 2 by hand


def cut(*questions: str) -> str:
    """The source of the small assignment with some of its questions."""
    head, *rest = homework.SOURCE.split("# %% [markdown]\n# <!--| question: ")
    end = "# %% [markdown]\n# The end.\n"
    found = {text.split(" ", 1)[0]: text.removesuffix(end) for text in rest}
    kept = [f"# %% [markdown]\n# <!--| question: {found[name]}" for name in questions]
    return head + "".join(kept) + end


SOURCES = {
    "small": homework.SOURCE,
    "first": cut("double", "total"),
    "second": cut("total", "pick"),
}
#: Of the 6 points of `small` that need no person: all; 4, since total and pick are wrong; 5, since
#: arrays are not doubled. Of the 3 of `first`: all, 2, 2.
RIGHT = ANSWERS
SLIP = ANSWERS | {"total": "total = 24", "pick": 'larger = "a"'}
NO_ARRAYS = ANSWERS | {
    "double": "def double(x):\n    return 2 * x if not hasattr(x, 'shape') else x"
}
TOTAL_ALONE = {"total": ANSWERS["total"]}

# ---- what is handed in: small by platform, the others by git -------------------------------------

MOODLE = "{name}_7_assignsubmission_file/{time}_small.ipynb"
BLACKBOARD = "Lab 1_{student}_attempt_{time}_small.ipynb"
#: Platform → entries of its zip. Canvas' names have no time, so the zip's own counts.
BY_MOODLE = {
    MOODLE.format(name="Ada Lovelace", time="2025-10-25-15-00-00"): SLIP,
    MOODLE.format(name="Ada Lovelace", time="2025-10-26-16-30-00"): RIGHT,
    MOODLE.format(name="Hal Berg", time="2025-10-24-09-00-00"): RIGHT,
    MOODLE.format(name="Cleo Marsh", time="2025-10-27-16-30-00"): RIGHT,
    "Gus Klein_8_assignsubmission_file/my answers.pdf": None,
}
CANVAS_TIME = (2025, 10, 26, 16, 30, 0)
BY_CANVAS = {"rayben_LATE_12_501_small.ipynb": RIGHT}
BY_BLACKBOARD = {
    BLACKBOARD.format(student="eve", time="2025-10-26-17-30-00"): NO_ARRAYS,
    BLACKBOARD.format(student="fay", time="2025-10-25-20-00-00"): SLIP,
    BLACKBOARD.format(student="fay", time="2025-10-26-16-30-00"): RIGHT,
    BLACKBOARD.format(student="jon", time="2025-10-25-15-30-00"): NO_ARRAYS,
}
#: Repository, answers, when they were pushed.
FIRST_PUSHED = [
    ("ada", RIGHT, "2025-10-25T15:59:00Z"),
    ("ben", NO_ARRAYS, "2025-10-25T15:00:00Z"),
    ("gates", NO_ARRAYS, "2025-10-24T12:00:00Z"),
    ("eve", RIGHT, "2025-10-26T16:59:00Z"),
    ("fay", RIGHT, "2025-10-26T17:01:00Z"),
    ("gus", SLIP, "2025-10-25T15:00:00Z"),
    ("gus", RIGHT, "2025-10-27T16:30:00Z"),
    ("hal", RIGHT, "2025-10-25T12:00:00Z"),
    ("jon", RIGHT, "2025-10-25T12:00:00Z"),
]
SECOND_PUSHED = [
    ("ada", RIGHT, "2025-11-20T16:59:00Z"),
    ("ida", TOTAL_ALONE, "2025-11-20T12:00:00Z"),
    ("jon", RIGHT, "2025-11-20T16:00:00Z"),
    ("ben", RIGHT, "2025-11-28T17:01:00Z"),
]

# ---- the marks, worked out by hand: small (of 8), first (of 3), second (of 2) --------------------

#: When the first two were graded, before anybody decided anything.
AFTER_GRADING = {
    "ada": ("4", "3", ""),  # 2 + 0 + 2 + 0, the late attempt does not count; 2 + 1
    "ben": ("5.4", "2", ""),  # 6 − 10 % (17:30 on Sunday: the day lasts until 18:00); 1 + 1
    "cleo": ("5.4", "2", ""),  # 6 − 10 % (section b: a day from Sunday 18:00); the team's 1 + 1
    "dan": ("", "2", ""),  # nothing; the team's 1 + 1
    "eve": ("4", "2.7", ""),  # (1 + 1 + 2 + 1) − 20 % (18:30 on Sunday); 3 − 10 % (17:59)
    "fay": ("6", "2.4", ""),  # section b: both on time, the last counts; 3 − 20 % (18:01)
    "gus": ("", "2", ""),  # a PDF; 2 + 0 on time counts before 3 that are late
    "hal": ("6", "3", ""),  # 2 + 1 + 2 + 1; 2 + 1
    "ida": ("", "", ""),  # nothing yet
    "jon": ("5", "3", ""),  # 1 + 1 + 2 + 1; 2 + 1
}
#: After hand mark, adjustment, void, excuse and extension, and under the new ids.
AFTER_DECISIONS = AFTER_GRADING | {
    "ada": ("6.5", "3", ""),  # 2 + 0 + 2 + 1 (pick is given to all) + 1.5 (essay)
    "ben": ("5.9", "2", ""),  # 6 − 10 % + 0.5 (adjusted, after the deduction)
    "cleo": ("6", "2", ""),  # extended until Tuesday, so nothing is taken off
}
#: After the test of arrays was changed, and with the third assignment.
AT_THE_END = {
    "ada": ("6.5", "3", "2"),  # as before; 1 + 1, a minute before the deadline
    "ben": ("5.9", "3", "0"),  # first: 2 + 1 now; second: 2, but after seven days nothing counts
    "cleo": ("6", "3", ""),  # the team's 2 + 1 now
    "dan": ("", "3", ""),  # excused from small; the team's 2 + 1 now
    "eve": ("4", "2.7", ""),  # small has the test that it had
    "fay": ("6", "2.4", ""),
    "gus": ("", "2", ""),
    "hal": ("6", "3", ""),  # has left; what was handed in is kept
    "ida": ("", "", "1"),  # 1 + 0
    "jon": ("5", "3", "2"),  # 1 + 1, pushed under another login
}


@dataclass
class Stage:
    """What was there at one time: marks as exported, cells of the report, who may do what."""

    marks: dict[str, tuple[str, ...]]
    report: dict[tuple[str, str], str]
    access: dict[str, Access]
    said: list[Ran] = field(default_factory=list)


@dataclass
class Term:
    """A course and its GitHub, as they go through a term."""

    place: Place
    github: Server
    stages: dict[str, Stage] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return self.place.root

    def run(self, *arguments: str, at: str = BEGAN, code: int = 0) -> Ran:
        """A command, at a time of GitHub's."""
        self.github.state.clock(at)
        ran = Ran(self.root, *arguments)
        self.github.state.clock(None)
        assert ran.code == code, ran
        return ran

    def write(self, name: str, text: str) -> None:
        (self.root / "grader_config" / name).write_text(text)

    def roster(self, rows: dict[str, str]) -> None:
        self.write("roster.csv", "\n".join([HEAD, *rows.values()]) + "\n")

    def assignment(self, name: str, *changes: tuple[str, str]) -> Assignment:
        """Change an assignment's source, prove and release it."""
        changed = mended(self.root / "source" / name / f"{name}.py", *changes)
        prove_cheaply(changed)
        release.write(release.build(changed), self.root / "release" / name)
        return changed

    def notebook(self, name: str, answers: dict[str, str]) -> bytes:
        given = load(self.root / "source" / name / f"{name}.py")
        parts = {part.id for part in given.parts}
        return Notebook(given, {part: it for part, it in answers.items() if part in parts}).bytes()

    def pushed(self, name: str, pushes: list[tuple[str, dict[str, str], str]]) -> None:
        """Students push."""
        for who, answers, at in pushes:
            files = {f"{name}/{name}.ipynb": self.notebook(name, answers)}
            push(self.github, f"the-course/dl-{who}", files, at=at)

    def platform(self, entries: dict[str, dict[str, str] | None], when: tuple[int, ...]) -> None:
        """Collect what a platform's zip holds; None stands for a PDF."""
        path = self.root.parent / "small.zip"
        files = {
            name: b"%PDF-1.7\n" if answers is None else self.notebook("small", answers)
            for name, answers in entries.items()
        }
        path.write_bytes(zipped(files, when=when))
        self.run("collect", "small", "--from", str(path))

    def accept(self) -> None:
        """Everybody accepts their invitations."""
        for name, invited in list(self.github.state.invitations.items()):
            for login in list(invited):
                self.github.state.accept(name, login)

    def stage(self, name: str, *said: Ran) -> None:
        """Keep how things stand."""
        self.run("export", "--to", "csv")
        with (self.root / "results" / "marks.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        names = ("small", "first", "second")
        lines = [line.split() for line in self.run("report").out.splitlines()[1:] if line.strip()]
        self.stages[name] = Stage(
            {row["student"]: tuple(row[f"{each} earned"] for each in names) for row in rows},
            {(line[0], line[1]): line[2] for line in lines if line[1:2] and line[1] in names},
            look(self.place.hub()),
            list(said),
        )


@pytest.fixture(scope="module")
def term(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Term]:
    """All of it, once; what stood when is kept."""
    try:
        openapi = description()
    except NotToBeHad as reason:
        pytest.skip(str(reason))
    folder = tmp_path_factory.mktemp("term")
    with (
        pytest.MonkeyPatch.context() as patch,
        small_github(folder / "github", openapi) as github,
    ):
        made = Term(laid_out(folder / "course", github, patch), github)
        begin(made)
        hand_in_and_grade(made)
        decide_and_rename(made)
        come_and_go(made)
        end(made)
        yield made


def begin(term: Term) -> None:
    """Everything is published, everybody has a repository."""
    term.write("course.toml", POLICY.format(label="2025"))
    term.roster(ROSTER)
    term.github.state.people |= {row.split(",")[1] for row in ROSTER.values()}
    for name, text in SOURCES.items():
        (term.root / "source" / name).mkdir(parents=True)
        (term.root / "source" / name / f"{name}.py").write_text(text)
        term.assignment(name)
    term.run("publish")
    term.run("enrol")
    term.stage("invited")
    term.accept()
    term.run("enrol")
    term.stage("enrolled")


def hand_in_and_grade(term: Term) -> None:
    """The first two assignments."""
    term.platform(BY_MOODLE, (2025, 10, 25, 12, 0, 0))
    term.platform(BY_CANVAS, CANVAS_TIME)
    term.platform(BY_BLACKBOARD, (2025, 10, 31, 12, 0, 0))
    term.pushed("first", FIRST_PUSHED)
    term.run("collect")
    term.run("grade", "--all")
    term.stage("graded")


def decide_and_rename(term: Term) -> None:
    """People decide; then two questions get other ids, and that is brought to students."""
    by = ("--who", "tia", "--why", "so it is")
    term.run("mark", "ada", "small", "why", "--item", "compares=1.5", "--who", "tia")
    term.run("adjust", "ben", "small", "0.5", *by)
    term.run("void", "small", "pick", "--full", *by)
    term.run("excuse", "dan", "small", *by)
    term.run("extend", "cleo", "small", "2025-10-28", *by)
    term.stage("decided")
    term.assignment(
        "small",
        ("question: pick -->", "question: larger, was: pick -->"),
        ("answer: pick\n", "answer: larger\n"),
        ("question: why", "question: because, was: why"),
        ("answer: why,", "answer: because,"),
        ("rubric: why", "rubric: because"),
    )
    update = term.run("publish", "--update", at="2025-11-03T08:00:00Z")
    term.stage("renamed", update, term.run("regrade", "small"))


def come_and_go(term: Term) -> None:
    """hal leaves, jon's account gets another name; a test of `first` asked for too much; the third
    assignment is handed in.
    """
    term.github.state.rename("jon-p", "jon-pace")
    term.roster({who: row for who, row in ROSTER.items() if who != "hal"})
    term.run("enrol", "--revoke", at="2025-11-10T08:00:00Z")
    term.stage("revoked")
    term.assignment(
        "first",
        (
            "assert np.allclose(double(x), x + x)",
            "assert np.allclose(double(float(x[0])), x[0] + x[0])",
        ),
    )
    regraded = term.run("regrade", "first")
    term.pushed("second", SECOND_PUSHED)
    term.run("collect")
    term.run("grade", "--all")
    term.stage("at the end", regraded)


NEXT = {
    "ada": "ada,ada-l,11,Ada Lovelace,a,",  # once more
    "kim": "kim,kim-t,31,Kim Tan,a,",
    "lea": "lea,lea-s,32,Lea Sun,b,gates",  # a new team of last year's name
}


def end(term: Term) -> None:
    """The run is archived, and another one begins in the same organisation."""
    term.run("enrol", "--archive", at=ENDED)
    term.stage("archived")
    term.github.state.people |= {"kim-t", "lea-s"}
    for name in ("results", "submitted", "feedback", "autograded"):
        shutil.rmtree(term.root / name, ignore_errors=True)
    for path in ("grader_config/accounts.csv", "gradebook.db"):
        (term.root / path).unlink(missing_ok=True)
    term.write("course.toml", SETTINGS.format(label="2026"))
    # somebody forgets the prefix, and has only the people whose repositories' names are taken
    term.roster({who: row for who, row in NEXT.items() if who != "kim"})
    forgot = term.run("enrol", at=ENDED, code=1)
    term.stage("forgot the prefix", forgot)
    settings = term.root / "grader_config" / "github.toml"
    settings.write_text(settings.read_text().replace('prefix = "dl-"', 'prefix = "dl26-"'))
    term.place.settings = load_settings(term.root)
    term.roster(NEXT)
    term.run("publish", at=ENDED)
    term.run("enrol", at=ENDED)
    term.stage("next term")


# ---- the marks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("enrolled", dict.fromkeys(ROSTER, ("", "", ""))),
        ("graded", AFTER_GRADING),
        ("decided", AFTER_DECISIONS),
        ("renamed", AFTER_DECISIONS),
        ("revoked", AFTER_DECISIONS),
        ("at the end", AT_THE_END),
        ("archived", AT_THE_END),
        ("next term", dict.fromkeys(NEXT, ("", "", ""))),
    ],
)
def test_marks_are_what_was_worked_out_by_hand(
    term: Term, stage: str, expected: dict[str, tuple[str, str, str]]
) -> None:
    assert term.stages[stage].marks == expected


def test_the_report_says_what_the_export_says_and_why_there_is_no_mark(term: Term) -> None:
    for stage in term.stages.values():
        for (student, name), cell in stage.report.items():
            mark = stage.marks[student][("small", "first", "second").index(name)]
            assert cell.partition("/")[0] == mark or (mark == "" and "/" not in cell)
    blank = {key: cell for key, cell in term.stages["at the end"].report.items() if "/" not in cell}
    assert {key: cell for key, cell in blank.items() if cell != "–"} == {
        ("dan", "small"): "excused",
        ("gus", "small"): "unreadable",
    }


def test_only_the_changed_test_changes_marks_and_who_gains_is_said(term: Term) -> None:
    _, renamed = term.stages["renamed"].said
    assert renamed.out.startswith("0 of "), renamed
    (changed,) = term.stages["at the end"].said
    gain = [line.split(":")[0] for line in changed.out.splitlines() if "first: 2 → 3" in line]
    assert sorted(gain) == ["ben", "cleo", "dan"], changed


# ---- who may do what -----------------------------------------------------------------------------


def expected(rows: dict[str, str], prefix: str, role: str) -> dict[str, dict[str, str]]:
    """Who may do what in each repository, by the roster: its own people, and staff."""
    out: dict[str, dict[str, str]] = {}
    for row in rows.values():
        student, login, *_, team = row.split(",")
        people = out.setdefault(f"the-course/{prefix}{team or student}", {})
        people |= {login: role, "team staff": "maintain"}
    return out


def may(access: dict[str, Access]) -> dict[str, dict[str, str]]:
    """The same by GitHub."""
    return {
        name: {
            **dict.fromkeys(each.invited, "invited"),
            **each.people,
            **{f"team {team}": role for team, role in each.teams.items()},
        }
        for name, each in access.items()
    }


RENAMED = ROSTER | {"jon": ROSTER["jon"].replace("jon-p", "jon-pace")}
STAYED = {who: row for who, row in RENAMED.items() if who != "hal"}
#: The release repository, which only the organisation's owners and staff see.
RELEASE = {"the-course/release": dict[str, str]()}
#: What of hal's repository is left when hal has left.
LEFT = {"the-course/dl-hal": {"team staff": "maintain"}}
IN_TERM = RELEASE | expected(ROSTER, "dl-", "write")
AFTERWARDS = RELEASE | LEFT | expected(STAYED, "dl-", "write")


@pytest.mark.parametrize(
    ("stage", "there"),
    [
        ("invited", RELEASE | expected(ROSTER, "dl-", "invited")),
        ("enrolled", IN_TERM),
        ("graded", IN_TERM),
        ("decided", IN_TERM),
        ("renamed", IN_TERM),
        ("revoked", AFTERWARDS),
        ("at the end", AFTERWARDS),
        ("archived", AFTERWARDS),
        ("forgot the prefix", AFTERWARDS),
        ("next term", AFTERWARDS | expected(NEXT, "dl26-", "invited")),
    ],
)
def test_who_may_do_what_is_what_roster_and_staff_say(
    term: Term, stage: str, there: dict[str, dict[str, str]]
) -> None:
    found = term.stages[stage].access
    assert may(found) == there
    over = stage in ("archived", "forgot the prefix", "next term")
    archived = {name for name, each in found.items() if each.is_archived}
    assert archived == ({name for name in there if "/dl-" in name} if over else set())
    assert all(each.visibility == "private" for each in found.values())


def test_a_correction_came_to_everybody_and_to_nobody_else(term: Term) -> None:
    (update, _) = term.stages["renamed"].said
    told = [line.partition(":")[0] for line in update.out.splitlines() if "pull request" in line]
    assert sorted(told) == sorted(set(IN_TERM) - set(RELEASE))


def test_last_terms_repositories_are_given_to_nobody(term: Term) -> None:
    (forgot,) = term.stages["forgot the prefix"].said
    refused = [line for line in forgot.err.splitlines() if "the-course/dl-" in line]
    assert len(refused) >= 2, forgot
    assert not {
        login
        for name, people in may(term.stages["next term"].access).items()
        for login in people
        if "/dl-" in name and login in ("kim-t", "lea-s")
    }
    for name in ("ada", "kim", "gates"):  # new ones begin with the release, not with old work
        held = term.github.state.git(f"the-course/dl26-{name}", "show", "main:first/first.ipynb")
        assert ANSWERS["total"] not in held
