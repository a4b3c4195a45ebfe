"""Every error a person may see, and the sentence each one says.

    AutogradientError
    ├── SourceErrors      an instructor notebook has mistakes (all of them at once)
    ├── CourseError       grader_config/course.toml is wrong, or what the command names is not there
    ├── ReleaseError
    │   ├── LeakError     something secret would reach the student
    │   └── StaleError    release/ is not what the source gives
    ├── SubmissionError   a submitted file cannot be read as a notebook
    ├── ResultError       a file of results/ is damaged, or a newer version wrote it
    ├── ProofError        an assignment has no up-to-date proof, or its proof failed
    ├── CellError         a cell that an author runs is wrong, or the reference fails its tests
    ├── LedgerError       results/ledger.jsonl is damaged
    ├── GradebookError    gradebook.db cannot be opened, is busy, or lacks an assignment
    │   └── DamagedGradebookError  ... because its file is damaged
    ├── ClusterError      a Dask cluster cannot be used, or is gone
    ├── GitHubError       GitHub refuses, cannot be reached or asks to wait too long
    │   └── UncertainError  ... and what was asked for may have been done all the same
    ├── GitError          git failed or took too long
    └── WorkerError       the untrusted side died, hung or broke the protocol

A message names the file, the cell and what to do, in one sentence. Those about feedback on GitHub
stand in `github/sentences.py`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from autogradient import visible


class AutogradientError(Exception):
    """The base of all our errors; its text is fit to be shown as it stands."""


@dataclass(frozen=True, order=True)
class Mistake:
    """One mistake in a source: where it stands and what to do about it.

    `line` is 1-based in the text file; 0 where a file has no useful lines (an .ipynb). `cell` is
    the 1-based number of the cell.
    """

    file: str
    line: int
    cell: int
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return (
            f"{place} (cell {self.cell}): {self.message}"
            if self.cell
            else f"{place}: {self.message}"
        )


class SourceErrors(AutogradientError):
    """All mistakes of one source, in the order of the file."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = sorted(mistakes)
        super().__init__("\n".join(map(str, self.mistakes)))


class CourseError(AutogradientError):
    """The course folder, its configuration or a name given on the command line is wrong."""


class ReleaseError(AutogradientError):
    """A release could not be made."""


class LeakError(ReleaseError):
    """Something of the secret parts stands in the finished release."""

    def __init__(self, assignment: str, leaks: Sequence[str]) -> None:
        self.leaks = list(leaks)
        super().__init__(
            "\n".join([LEAK_FOUND.format(assignment=assignment), *(f"  {leak}" for leak in leaks)])
        )


class StaleError(ReleaseError):
    """The release folder differs from what the source gives."""

    def __init__(self, assignment: str, difference: str) -> None:
        self.difference = difference
        super().__init__(STALE_RELEASE.format(assignment=assignment) + "\n" + difference)


class SubmissionError(AutogradientError):
    """A submitted file is no readable notebook."""


class ResultError(AutogradientError):
    """A result on disk cannot be read. `problem` is what is wrong with it; "" where that is only
    that a later version wrote it.
    """

    def __init__(self, message: str, problem: str = "") -> None:
        self.problem = problem
        super().__init__(message)


class ProofError(AutogradientError):
    """The proof of an assignment is missing, out of date or failed."""


class CellError(AutogradientError):
    """A cell that an author runs in a notebook is wrong, or the reference fails its tests."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows: the sentence, without the frames of this package that led to it."""
        return str(self).split("\n")


class LedgerError(AutogradientError):
    """The ledger of human decisions cannot be read or written."""


class GradebookError(AutogradientError):
    """nbgrader's gradebook cannot be opened or written, or does not know what it is asked about."""


class DamagedGradebookError(GradebookError):
    """The gradebook's file is no database any more."""


class ClusterError(AutogradientError):
    """The Dask cluster cannot be reached, may not be used as it is, or has nobody left who can
    grade.
    """


class GitHubError(AutogradientError):
    """GitHub refuses, cannot be reached or asks to wait too long. `status` is its HTTP status, 0
    where there was none.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        self.status = status
        super().__init__(message)

    @property
    def everywhere(self) -> bool:
        """Whether whatever is asked next would fare no better: not reached, not known, limited."""
        return self.status in (0, 401, 429)


class UncertainError(GitHubError):
    """GitHub failed or did not answer: what was asked for may have been done."""


class OnlyAppsError(GitHubError):
    """GitHub lets only an App do what was asked for, and a person's token asked."""


class GitError(AutogradientError):
    """git failed or took too long."""


class WorkerError(AutogradientError):
    """The untrusted process ended or said something that is no answer."""


class WorkerNonsense(WorkerError):
    """The untrusted process said something that is no answer; it lives."""


class WorkerTimeout(WorkerError):
    """The untrusted process did not answer in time."""


class ConfinementError(AutogradientError):
    """A layer that keeps student code in is missing here, so nothing of a student's is run."""


# ---- sources -------------------------------------------------------------------------------------
NEAREST = "; did you mean '{word}'?"
BAD_SYNTAX = "not valid Python: {problem}"
BAD_POINTS = "'{points}' is no number of points; use a positive number with at most two decimals"
CASE_WITHOUT_POINTS = "case '{case}' of '{part}' has no points; write @test_case(points=…)"
CASE_NOT_LITERAL = "@test_case of '{case}' must be given plain values ({key} is an expression)"
CASE_UNKNOWN_KEY = "@test_case of '{case}' has an unknown argument '{key}'{nearest}"
CASE_TWICE = "two cases of '{part}' are called '{case}'; give each a name of its own"
NO_OPTIONS = "'{part}' is a {kind} question and needs 'options: {{a: …, b: …}}'"
NOT_AN_OPTION = "the solution of '{part}' is {value}, which is none of its options {options}"
BAD_OPTIONS = "the options of '{part}' must be {expected}"
BAD_SOLUTION = "the solution of '{part}' is {value}; a {kind} answer is {expected}"
BAD_ACCEPT = "'{part}' is a text question and needs 'accept: [word, …]', one list for each blank"
BAD_SLIP = "'{value}' in 'because' of '{part}' is no {kind} answer; write {expected}"
SLIP_IS_RIGHT = "'because' of '{part}' lists the right answer {value} as a slip"
NO_FILE = "{path}: no such file or folder"
NO_FOLDER = "the folder that you are in was removed; change to another one"
NO_ACCESS = "{path}: {problem}"

# ---- course, release, proof ----------------------------------------------------------------------
NO_COURSE = (
    "{path}: no course here (no grader_config/course.toml in this folder or above); run the "
    "command inside a course, or give --assignment PATH"
)
BAD_COURSE = "{file}: {where}: {problem}"
UNKNOWN_KEY_IN = "unknown key '{key}' in '{table}'{nearest}"
NOT_A_CHOICE = "'{key} = \"{value}\"' is none of {options}{nearest}"
NOT_A_COUNT = "'{key}' must be at least 1; without the line every attempt counts"
DAY_WITHOUT_ZONE = "'attempts_per_day' needs 'timezone', which says when a day begins"
BAD_TIMEZONE = "'{zone}' is no time zone; write a name such as \"Europe/Berlin\"{nearest}"
UNKNOWN_DEADLINE = "no assignment is called '{name}', so nothing would be due{nearest}"
NOT_A_MOMENT = "'{key}' must be a date and time without quotes, such as 2026-10-12T23:59:00+02:00"
LOCAL_MOMENT = (
    "'{key} = {value}' has no time zone; add its offset (2026-10-12T23:59:00+02:00), or set "
    'timezone = "Europe/Berlin" for the whole file'
)
DEADLINE_IS_NONE = "'{key} = {value}' cannot be a deadline: {problem}"
MOMENT_IS_NONE = "'{text}' cannot be used: {problem}"
NO_SUCH_HOUR = (
    "clocks in {zone} are put forward then and never show this time; write another one, or "
    "add its offset"
)
HOUR_TWICE = (
    "clocks in {zone} are put back then and show this time twice; add the offset that is "
    "meant, {one} or {two}"
)
YEAR_OUT_OF_RANGE = (
    "its year does not lie between {first} and {last}; where there is no deadline, leave "
    "the line out"
)
NOT_A_DURATION = (
    '\'{key}\' must be a length of time in quotes, such as "15 minutes", "2 hours" or "7 days"'
)
NOT_A_SHARE = '\'{key}\' must be a share of what was earned in quotes, from "0%" to "100%"'
NOTHING_BEFORE_GRACE = (
    "'late.nothing_after' is shorter than 'late.grace'; within the grace period work is on time"
)
NOT_UTF8 = "this is not UTF-8 text"
NO_STUDENT_COLUMN = "there is no column 'student'"
COLUMN_TWICE = "there are two columns '{column}'; keep one"
NAMES_COLUMNS = (
    "the first row must be 'name,student': the name as the platform writes it, and the "
    "student's id on the roster"
)
NAMES_STRANGER = "nobody on grader_config/roster.csv is called '{student}'{nearest}"
NAMES_TWICE = (
    "'{name}' stands twice for different students, or is empty; give each name once, with "
    "the number that the platform puts behind it where two are equal"
)
UNKNOWN_COLUMN = "unknown column '{column}'; did you mean '{nearest}'?"
STUDENT_ALIKE = (
    "'{student}' and '{other}' differ in capital letters alone, which some file systems take for "
    "the same; write one of them otherwise"
)
SHORTENED_NUMBER = (
    "'{student}' is a number that a spreadsheet has shortened; make the column text there, enter "
    "the ids again and save it anew"
)
STUDENT_TWICE = "'{student}' stands twice; keep one row for each student"
BAD_MOMENT = (
    "'{text}' is no date or time; write 2026-10-12, \"2026-10-12 18:00\" or 2026-10-12T18:00+02:00"
)
MOMENT_WITHOUT_ZONE = (
    "'{text}' has no time zone; add its offset (2026-10-12T18:00+02:00), or set timezone = "
    '"Europe/Berlin" in grader_config/course.toml'
)
UNKNOWN_ASSIGNMENT = "no assignment is called '{name}' (the course has: {known}){nearest}"
LEAK_FOUND = (
    "{assignment}: the release would show students what they must not see; nothing was written"
)
STALE_RELEASE = (
    "release/{assignment} is not what the source gives; run 'autogradient release {assignment}'"
)
NO_PROOF = "{assignment} has no proof; run 'autogradient prove {assignment}'"
OLD_PROOF = (
    "the proof of {assignment} is of another version of it; run 'autogradient prove {assignment}'"
)
GRADE_UNPROVED = "{problem}, or give --unproved to grade by these tests as they are"
GRADED_UNPROVED = (
    "{assignment}: graded by tests that are not proved ({problem}); its results say so"
)
NOTHING_PROVES = "{assignment}: in {format}'s format nothing proves the tests; its results say so"
OLDER_PROOF = (
    "{assignment}: its proof is in the form of an earlier version, so its results count as "
    "not proved; run 'autogradient prove {assignment}'"
)
PART_PROOF = (
    "{assignment}: {parts} not proved for want of a card, so its results count as not "
    "proved; run 'autogradient prove {assignment}' where there is one"
)
NOT_ALIKE = "{part}: {case} {plain} in a plain notebook and {sealed} sealed ({answer}){where}"
TO_A_PROBE = "; write what cannot cross as a @probe function"
FAILED_PROOF = "{assignment} is not proved; run 'autogradient prove {assignment}' to see why"

# ---- shards --------------------------------------------------------------------------------------

# ---- clusters ------------------------------------------------------------------------------------

# ---- submissions ---------------------------------------------------------------------------------
UNREADABLE_NOTEBOOK = (
    "{name}: this is not a notebook JupyterLab could open ({problem}); save it again from "
    "JupyterLab and submit that file"
)
AS_TYPED = "This cell is shown as it was typed, since drawing it takes too long or too much room."
LEFT_OUT = (
    "This cell is not shown: the notebook holds too much that cannot be drawn. It stands in "
    "the notebook that was handed in."
)
NO_RENDERER = "the process that draws notebooks did not start; set AUTOGRADIENT_DEBUG=1 to see why"
MORE_PROBLEMS = "{count} more remarks on this notebook are left out"
NOTHING_SUBMITTED = "submitted/ is empty; put notebooks into submitted/STUDENT/ASSIGNMENT/"
NOT_CONFINED = (
    "student code cannot be confined here: '{layer}' is missing ({reason}); run "
    "'autogradient doctor', or give --trust-submissions for work you trust"
)
UNSEALED = (
    "note: not every layer of confinement is in force (--trust-submissions): {missing} "
    "missing; grade only work you trust this way"
)
DOCTOR_SEALED = "work that nobody vouches for can be graded here"
DOCTOR_NOT_SEALED = (
    "work that nobody vouches for cannot be graded here; docs/security.md says what to set "
    "in containers and on CI runners"
)

# ---- nbgrader notebooks and otter folders --------------------------------------------------------
FOREIGN_ONLY_GRADED = "{name}: in {format}'s format, so it can be graded but not {done} here"


# ---- the course on GitHub ------------------------------------------------------------------------
BAD_TIME = (
    "'{time}' is no time; write it with its zone, such as 2026-03-01T23:59:00+01:00 or "
    "2026-03-01T22:59:00Z"
)

# ---- ledger and gradebook ------------------------------------------------------------------------
BAD_LEDGER_LINE = (
    "{file}:{line}: not a ledger entry ({problem}); mend or restore the file, entries are "
    "never changed or removed"
)
TORN_LEDGER = (
    "{file}: its last line breaks off ({start}…), so it counts for nothing; if it was a decision, "
    "make it again (the next one moves the line into a file beside the ledger)"
)
NO_LEDGER = "{file}: the ledger cannot be {what} ({problem})"
MARKED = "marked by hand"
UNMARKED = "mark taken back"
NOTHING_WAITS = "{assignment}: no answer waits for a person"
TAKEN = "marks taken from the formgrader: {count}"
REBUILT = "submissions in a new gradebook.db: {count}"
BAD_STUDENT = (
    "'{student}' cannot be a student's id here; ids become folder names, so use letters, "
    "digits, dots, hyphens and underscores"
)

# ---- the course on GitHub ------------------------------------------------------------------------
NO_GITHUB_SETTINGS = (
    "{file}: no such file; write 'organization = \"NAME\"' into it, docs/github.md says "
    "what else it may hold"
)
GITHUB_UNKNOWN_KEY = "unknown key '{key}'{nearest}"
GITHUB_BAD_VALUE = "this must be {expected}"
GITHUB_NO_ORGANIZATION = "the organisation that the course's repositories belong to is missing"
GITHUB_NOT_INSTALLED = "{missing} is not installed; run 'pip install autogradient[github]'"
GITHUB_NO_TOKEN = (
    "GitHub needs to know who asks: set {tokens}, or name the App in "
    "grader_config/github.toml and set {key} to its private key"
)
GITHUB_NO_KEY = "{key} holds neither a private key nor the path of one ({problem})"
GITHUB_REFUSED = (
    "GitHub refused {what} with {status} ({said}); see docs/github.md for what the App has "
    "to be allowed"
)
GITHUB_RATE_LIMIT = (
    "GitHub limits how much may be asked: {what} has to wait {seconds} s; run the command "
    "again then, it goes on where it stopped"
)
GITHUB_NOT_REACHED = (
    "GitHub gave no answer to {what} ({problem}); run the command again, it goes on where "
    "it stopped"
)
GITHUB_CUT = "the answer was cut short"
NO_GIT = "git is missing; install it (Debian, Ubuntu: apt install git)"
GIT_FAILED = "git {what} failed ({said})"
GIT_DAMAGED = "the commit is not whole"
GIT_TOO_LONG = "git {what} was stopped after {seconds:g} s"
NO_ROSTER = (
    "{file}: no such file; list the students in it, with a column 'student' (and one "
    "'login' for their names on GitHub, where those are needed)"
)
LOGIN_TWICE = "{file}: the login {login} is that of {first} and of {second}; give each their own"
SAME_REPOSITORY = (
    "'{one}' and '{other}' would both have the repository {repository}; change one of the "
    "names in the roster"
)
NO_RELEASE_REPOSITORY = (
    "there is no repository {repository}, or the App may not see it; run 'autogradient "
    "publish' first"
)
TWO_NOTEBOOKS_COLLECTED = (
    "{names} are notebooks of one assignment; {chosen} was taken because {reason}"
)
BAD_PATTERN = (
    "--pattern {pattern}: {problem}; write a regular expression with the groups student_id "
    "and file_id, as for nbgrader zip_collect"
)
CARRIED_ANSWER = (
    "*Your answer to a question that is no longer part of this assignment, or is another "
    "one now. It is yours to keep or delete.*"
)
CARRIED_NOTE = (
    "*You had written this into a cell of the course's. It stands here so that nothing of "
    "yours is lost; keep it or delete it.*"
)


#: Names of files and the like may be anything, so no sentence is filled in but by
#: `visible.Sentence`.
visible.sentences(globals())


def relative(path: Path | str) -> str:
    """`path` as a person would type it, on one line: relative to the current folder where that is
    shorter.
    """
    path = Path(path)
    try:
        return visible.line(path.relative_to(Path.cwd()))
    except ValueError:
        return visible.line(path)


def nearest(word: str, known: Iterable[str]) -> str:
    """A clause that proposes the known word most like `word`, or nothing."""
    close = difflib.get_close_matches(str(word), list(known), n=1, cutoff=0.5)
    return NEAREST.format(word=close[0]) if close else ""
