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
UNKNOWN_KEY = "unknown key '{key}' for a cell with the role '{role}'{nearest}"
UNKNOWN_ROLE = "unknown role '{role}' (the first key of a directive names the cell's role){nearest}"
UNKNOWN_PART = "'{role}: {part}' names a part that has no answer cell{nearest}"
NEAREST = "; did you mean '{word}'?"
REPEATED_KEY = "the key '{key}' is given twice; keep one"
NO_COLON = "'{text}' is no 'key: value' pair; write '#| key: value'"
BAD_YAML = "the value of '{key}' is not valid YAML ({problem}); put it in quotes"
MISPLACED = (
    "a directive stands below other lines; move it to the top of its cell (a cell marker "
    "written '# %%x', without its space, swallows the cell into the one before it)"
)
OTHER_STYLE = (
    "'{got}' is no directive in a {kind} cell; write '{expected}', or change the cell's type"
)
WRONG_CELL_TYPE = "a '{role}' cell is a {expected} cell; this one is {got}"
REPEATED_ID = "the id '{id}' is used twice (first in cell {first}); ids are permanent and unique"
BAD_ID = "'{id}' is no valid id; use small letters, digits and hyphens, beginning with a letter"
RESERVED_ID = "'{id}' ends in a reserved suffix ({suffix}); choose another id"
RESERVED_WORD = "'{id}' is the name of a cell that every release has; choose another id"
BAD_PART = (
    "part '{part}' must be called '{question}' or '{question}-p1', '{question}-p2', … like "
    "its question"
)
PART_NUMBERS = "the parts of question '{question}' are numbered {got}; number them {expected}"
NO_QUESTION = (
    "part '{part}' has no question: put a cell '<!--| question: {question}, … -->' above it"
)
NO_PARTS = "question '{question}' has no answer cell; add one or remove the question"
NO_TESTS = "code part '{part}' has no tests cell; add '#| tests: {part}' with at least one case"
SHORT_WITH_TESTS = (
    "'{part}' is a {kind} answer, and its checks are made from its declaration; remove this "
    "tests cell, or make the answer code"
)
NO_SOLUTION = (
    "the answer of '{part}' has no solution; write 'name = value  # SOLUTION' or ### BEGIN "
    "SOLUTION … ### END SOLUTION"
)
SOLUTION_LINE = (
    "'# SOLUTION' marks one line 'name = value'; put other lines between ### BEGIN SOLUTION "
    "and ### END SOLUTION"
)
NO_ASSIGNMENT = "the answer of '{part}' must be one line 'name = value  # SOLUTION'"
UNCLOSED_SOLUTION = "### BEGIN SOLUTION without ### END SOLUTION"
UNOPENED_SOLUTION = "### END SOLUTION without ### BEGIN SOLUTION"
BAD_SYNTAX = "not valid Python: {problem}"
BAD_KIND = "unknown kind '{kind}'{nearest}"
BAD_POINTS = "'{points}' is no number of points; use a positive number with at most two decimals"
POINTS_SUM = "the points of part '{part}' are {declared}, but its cases add up to {sum}"
NO_POINTS = "part '{part}' needs 'points'"
CASE_WITHOUT_POINTS = "case '{case}' of '{part}' has no points; write @test_case(points=…)"
CASE_NOT_LITERAL = "@test_case of '{case}' must be given plain values ({key} is an expression)"
CASE_UNKNOWN_KEY = "@test_case of '{case}' has an unknown argument '{key}'{nearest}"
CASE_TWICE = "two cases of '{part}' are called '{case}'; give each a name of its own"
BAD_LEVEL = "level '{level}' is none of E, M, H"
BAD_MINUTES = "minutes '{minutes}' is no positive number"
BAD_NEEDS = "'needs: {needs}' is not known; use cuda or cpp"
BAD_WAS = (
    "'was: {was}' is no id that a question can have had; write its old id, or ASSIGNMENT/ID "
    "where it stood in another assignment"
)
BAD_OPTIONAL = "'optional: {optional}' is neither true nor false"
NO_OPTIONS = "'{part}' is a {kind} question and needs 'options: {{a: …, b: …}}'"
NOT_AN_OPTION = "the solution of '{part}' is {value}, which is none of its options {options}"
BAD_OPTIONS = "the options of '{part}' must be {expected}"
BAD_SOLUTION = "the solution of '{part}' is {value}; a {kind} answer is {expected}"
BAD_TOLERANCE = "tol '{tol}' of '{part}' is neither a number ('1e-3') nor a percentage ('0.1%')"
BAD_ACCEPT = "'{part}' is a text question and needs 'accept: [word, …]', one list for each blank"
BAD_INPUTS = (
    "'inputs' of '{part}' is no Python expression ({problem}); write the arguments as a "
    "tuple, such as '(secret.normal(),)'"
)
KEY_NOT_FOR_KIND = "the key '{key}' means nothing to '{part}', whose kind is {kind}; remove it"
SLIPS_NOT_LISTED = (
    "'because' of '{part}' must list wrong answers: 'because: {{\"value\": \"the slip\"}}'"
)
BAD_SLIP = "'{value}' in 'because' of '{part}' is no {kind} answer; write {expected}"
SLIP_IS_RIGHT = "'because' of '{part}' lists the right answer {value} as a slip"
RUBRIC_SUM = "the points of part '{part}' are {declared}, but its rubric adds up to {sum}"
RUBRIC_ITEM = "'{text}' is no rubric item; write '- [2] short-name: what it takes'"
RUBRIC_EMPTY = "the rubric of '{part}' has no items; write '- [1] short-name: what it takes'"
NO_RUBRIC = "essay '{part}' has no rubric; add a cell '<!--| rubric: {part} -->'"
NO_BECAUSE = "a {role} cell needs 'because: …', which names {what}"
BAD_EARNS = "'earns: {earns}' is not a number of points below the {points} of part '{part}'"
NOT_FOR_KIND = "a '{role}' cell means nothing to '{part}', whose kind is {kind}; remove it"
NO_EQUIVALENT = "an equivalent cell needs 'from', 'to' and 'because'"
NO_FRONT_MATTER = (
    "the notebook's metadata has no 'autogradient' section; run 'autogradient new NAME' for "
    "a notebook to start from"
)
BAD_FORMAT = "format {format} is not known; this version reads format 1"
BAD_FRONT_KEY = "unknown key '{key}' in the front matter{nearest}"
BAD_TITLE = (
    "the first heading is '{heading}', but the front matter's title is '{title}'; make them equal"
)
NO_TITLE = "the front matter has no 'title'"
BAD_FRONT_VALUE = "'{key}' in the front matter must be {expected}"
BAD_LIMIT = "limit '{key}: {value}' must be a positive number"
DUPLICATE_NAME = (
    "'{name}' is already the answer of '{other}'; give each short answer a name of its own"
)
OPTIONAL_ORDER = (
    "question '{question}' is not optional but stands after an optional one; move optional "
    "questions to the end"
)
NO_FILE = "{path}: no such file or folder"
NO_ACCESS = "{path}: {problem}"
NOT_A_SOURCE = "{path}: neither an instructor notebook (.py or .ipynb) nor a folder with one"

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
STUDENT_TWICE = "'{student}' stands twice; keep one row for each student"
BAD_MOMENT = (
    "'{text}' is no date or time; write 2026-10-12, \"2026-10-12 18:00\" or 2026-10-12T18:00+02:00"
)
MOMENT_WITHOUT_ZONE = (
    "'{text}' has no time zone; add its offset (2026-10-12T18:00+02:00), or set timezone = "
    '"Europe/Berlin" in grader_config/course.toml'
)
UNKNOWN_ASSIGNMENT = "no assignment is called '{name}' (the course has: {known}){nearest}"
EXISTS = "{path} exists already; choose another name"
LEAK_FOUND = (
    "{assignment}: the release would show students what they must not see; nothing was written"
)
LEAK_LINE = "{file}: {place} contains {what} from cell {cell} ({role}): {excerpt!r}"
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
BAD_SHARD = "'{text}' is no share of the work; write 2/8 for the second of eight"
NOT_MERGED = "{file}: left out ({problem})"
NO_PLAIN_RESULT = "no plain file of at most 20 MB"
ANOTHERS_RESULT = (
    "its folder and name are those of another student, assignment or attempt, or of none"
)

# ---- clusters ------------------------------------------------------------------------------------
NO_DASK = "Dask is not installed; pip install 'autogradient[dask]'"
BAD_ADDRESS = (
    "{address}: not a scheduler's address; write tls://HOST:PORT, tcp://127.0.0.1:PORT for "
    "one on this machine, or local"
)
NOT_ENCRYPTED = (
    "{address}: tests and marks go over the network only encrypted; start the scheduler and "
    "its workers with TLS and write tls://HOST:PORT (docs/cluster.md)"
)
NO_CERTIFICATES = (
    "{address}: no certificates are configured for Dask on this machine; set "
    "distributed.comm.tls.ca-file, client.cert and client.key (docs/cluster.md)"
)
NO_CLUSTER = "{address}: no Dask scheduler answers ({problem})"
CLUSTER_GONE = (
    "the Dask scheduler is gone ({problem}); what was graded is kept, and the same command "
    "goes on from there"
)
NO_FIT_WORKER = "no worker of the Dask cluster can grade: {why}"
NO_WORKERS = (
    "the Dask cluster has had no worker that can grade for {seconds:.0f} s{why}; what was "
    "graded is kept, and the same command goes on from there"
)
UNFIT_WORKER = "{worker} is not used: {why}"
WORKER_NOT_ENCRYPTED = "its link is not encrypted; start it with TLS"
WORKER_DIFFERS = "it would grade in another environment: {what}"

# ---- submissions ---------------------------------------------------------------------------------
LFS_POINTER = (
    "{name} is not the notebook but a pointer to it, as Git LFS keeps large files; run 'git "
    "lfs pull' and hand in the file that comes"
)
WEB_PAGE = (
    "{name} is a web page and no notebook, perhaps the page that shows one; download the "
    "file itself (on GitHub: 'Download raw file') and hand that in"
)
UNREADABLE_JSON = (
    "{name}: this is not a notebook (not valid JSON, line {line}); open it in JupyterLab, "
    "save it and submit again"
)
MERGE_CONFLICT = (
    "{name}: a merge conflict was left in the file (line {line}); keep one side of it, open "
    "the notebook to see that it loads, and submit again"
)
UNREADABLE_NOTEBOOK = (
    "{name}: this is not a notebook JupyterLab could open ({problem}); save it again from "
    "JupyterLab and submit that file"
)
EMPTY_FILE = "{name}: the file is empty; save the notebook and submit again"
TOO_LARGE = (
    "{name}: the file has {size:.0f} MB, more than the {limit} MB that are read; clear its "
    "outputs and submit again"
)
TOO_MUCH_IN_IT = (
    "{name}: the file holds more than {limit:,} lists, texts and numbers; clear its "
    "outputs, save it and submit again"
)
TOO_MUCH_CODE = (
    "{name}: its cells hold more than {limit:,} characters of code; keep data in files of "
    "its own, save it and submit again"
)
TOO_MANY_CELLS = "{name}: the notebook has {count} cells, more than the {limit} that are read"
FALLEN_BACK = "{problem} (your last readable submission counts until then)"
NO_NOTEBOOK = "{name}: no notebook (.ipynb) in this folder"
NOT_RECOGNISED = (
    "{name}: this notebook belongs to no assignment of the course; name it with --assignment"
)
TWO_NOTEBOOKS = (
    "{names} are both notebooks of this assignment; {chosen} was graded because {reason}"
)
RENAMED = "the notebook is called {name}; it was recognised as {assignment} by {how}"
ANSWER_MISSING = (
    "the answer cell of '{part}' is gone and no other cell defines {names}; add it again to "
    "earn its points"
)
ANSWER_FOUND = "the answer of '{part}' had lost its id and was found in cell {cell}"
PICTURES_IN_IT = "[pictures in this answer: {count}; see autograded/]"
ESSAY_FROM = "[cell {cell}]"
ESSAY_FOUND = (
    "the answer to '{part}' was found outside its own cell (cell {cells}); the marker gets it"
)
ESSAY_ELSEWHERE = (
    "of the answer to '{part}' some stands outside its cell (cells {cells}); the marker "
    "gets it with the rest"
)
ANSWERS_FOUND = (
    "{count} answers had lost their ids and were found by what they define and where they "
    "stand (cells {cells})"
)
ANSWERS_MISSING = (
    "the answer cells of {count} parts are gone ({parts}); add them again to earn their points"
)
ANSWER_NOT_CODE = (
    "the answer of '{part}' stands in a {kind} cell, which is not run; turn it into a code cell"
)
ANSWER_TWICE = (
    "'{part}' has {count} answer cells ({cells}); the last one that was changed, cell "
    "{chosen}, was graded"
)
LOCKED_EDITED = "the {what} cell of '{part}' had been changed; the course's own was used"
LOCKED_DELETED = "the {what} cell of '{part}' was missing; the course's own was used"
CHECKS_DELETED = (
    "the check cells of {count} parts ('{first}' and others) were missing; the course's own "
    "were used"
)
LOCKED_REPEATED = "the {what} cell of '{part}' stands {count} times; the course's own was used once"
CELL_STOPPED = "this cell was stopped after {seconds:g} s; look for a loop that never ends"
AS_TYPED = "This cell is shown as it was typed, since drawing it takes too long or too much room."
LEFT_OUT = (
    "This cell is not shown: the notebook holds too much that cannot be drawn. It stands in "
    "the notebook that was handed in."
)
NO_RENDERER = "the process that draws notebooks did not start; set AUTOGRADIENT_DEBUG=1 to see why"
MORE_PROBLEMS = "{count} more remarks on this notebook are left out"
NOT_SHOWN = "output left out: the notebook shows too much\n"
OUT_OF_TIME = (
    "the notebook took more than {seconds:g} s altogether; the cells after that were not run"
)
CELL_KILLED = "this cell ended the Python process ({how}); the cells after it were run without it"
CELL_ERROR = "this cell ended with {name}: {value}"
CONFLICT_MARKERS = (
    "this cell has merge-conflict markers in it; keep one side and remove the lines that "
    "begin with <<<<<<<, ======= and >>>>>>>"
)
OTHER_ASSIGNMENT = (
    "the notebook says that it is '{claims}', but was graded as '{assignment}'; check that "
    "the right file was handed in"
)
CANNOT_READ = "{name}: the file cannot be read ({problem})"
GRADER_FAILED = "the grader failed on this notebook; the course staff will look at it"
STRAY_SUBMISSION = (
    "{path}: the course has no assignment of this name, so it was not graded; move its "
    "notebook into a folder named after the assignment"
)
NO_RESULT = "{path} is no result; give a file of results/ASSIGNMENT/STUDENT.json"
DAMAGED_RESULT = (
    "{file} is damaged ({problem}), so that nobody knows its mark; restore it, or run "
    "'autogradient grade --all', which keeps it under another name and grades the submission again"
)
NEWER_RESULT = (
    "{file} was written by a newer version of Autogradient (its schema is {schema}, this version "
    "reads {known}); it stays as it is: upgrade Autogradient to read it"
)
NOT_GRADED = "could not be graded: {whose} ({problem}); mend that and run the same command again"
NOT_KEPT = (
    "{folder} cannot be written ({problem}), so verdicts are not kept: marks are right, the next "
    "run takes longer"
)
SET_ASIDE = (
    "{file} was damaged ({problem}); it is kept as {kept}, and its submission was graded again"
)
STRAY_RESULTS = (
    "{folder} has results of {count} {students}, but the course has no assignment '{name}'"
    "{nearest}: where it was renamed, rename this folder and those of that name in submitted/ and "
    "autograded/, too; where it was removed, move the folder out of results/"
)
NOTHING_TO_VERIFY = "{path}: nothing was handed in, so there is nothing to grade again"
SUBMISSION_GONE = (
    "{folder} has no notebook with the digest {digest}… that the result was made from; put "
    "the notebook back, or grade what is there"
)
OTHER_SOURCE = (
    "the assignment '{name}' has changed since, so the verdicts may differ; check out the "
    "version that was graded"
)
OTHER_CARD = (
    "its questions for a card were judged on another machine ({gpu}), so their verdicts may differ"
)
OTHER_ENVIRONMENT = (
    "it was graded in another environment (Python, packages, locale, our version), so the "
    "verdicts may differ"
)
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
FOREIGN_UNREADABLE = (
    "this file is no notebook that JupyterLab could open ({problem}); open it there, repair "
    "it and save it again"
)
FOREIGN_NOT_PYTHON = (
    "the notebook is written in {language}, and only Python can be graded; choose a Python kernel"
)
FOREIGN_TOO_MUCH = (
    "{folder} holds more than {limit} beside the assignment, and all of it would go along "
    "to be graded; give the assignment a folder of its own"
)
FOREIGN_RELEASE = (
    "{path} is what students get, without the hidden tests; name the instructor's notebook instead"
)
FOREIGN_ONLY_GRADED = "{name}: in {format}'s format, so it can be graded but not {done} here"
NB_NO_ID = "this cell has no grade_id; give it one in JupyterLab's 'Create Assignment' panel"
NB_REPEATED_ID = (
    "the grade_id '{id}' is used twice (first in cell {first}); change one in JupyterLab's "
    "'Create Assignment' panel"
)
NB_NO_POINTS = "'{id}' has no points; set them in JupyterLab's 'Create Assignment' panel"
NB_BAD_POINTS = "'{points}' is no number of points for '{id}'; use a number that is 0 or more"
NB_NO_ANSWER = (
    "the {got} cell '{id}' has points but nobody can answer in it; make it a 'Manually "
    "graded answer' or a 'Read-only' cell"
)
NB_NO_MARKS = (
    "the {got} cell '{id}' takes an answer that nothing marks; make it a 'Manually graded answer'"
)
NB_TASK_TYPE = "the task '{id}' is a {got} cell; tasks are Markdown cells"
NB_TOO_NEW = (
    "the nbgrader metadata is of schema {version}; this version reads 1 to {newest}, so "
    "update nbgrader and autogradient"
)
NB_BAD_METADATA = (
    "the nbgrader metadata is damaged ({problem}); choose the cell's type again in "
    "JupyterLab's 'Create Assignment' panel"
)
NB_UNCLOSED = "### BEGIN {what} without ### END {what}; add the missing line"
NB_UNOPENED = "### END {what} without ### BEGIN {what}; add the missing line"
NB_NESTED = "### BEGIN {what} stands twice before ### END {what}; regions cannot be nested"
NB_MISPLACED = (
    "{what} stand in a cell that is not {expected}, where nbgrader would not look for them; "
    "change the cell's type or remove the marker lines"
)
NB_AUTOTEST = (
    "'{marker}' is filled in by running the solutions; run 'nbgrader generate_assignment' "
    "and use the notebook it makes"
)
OTTER_TWO_NOTEBOOKS = "{names} stand beside tests/; keep one notebook there"
OTTER_NOT_TEXT = "this file is not UTF-8 text; save it as such"
OTTER_NO_TEST = (
    "neither 'test = {…}' (OK format) nor a function with @test_case stands in this file; "
    "add tests or remove the file"
)
OTTER_NOT_LITERAL = (
    "{what} must be a plain value, because test files are read and never run; write the "
    "value itself"
)
OTTER_WRONG_TYPE = "{what} must be {expected}, not {got}"
OTTER_NO_KEY = "{what} has no '{key}'; add it"
OTTER_SUITES = "the test has {count} suites; otter reads exactly one, so put all cases in it"
OTTER_SUITE_TYPE = "the suite is of type '{type}'; otter runs doctests only"
OTTER_SUITE_CODE = "the suite has '{key}' code, which otter does not run; move it into the cases"
OTTER_BAD_DOCTEST = "the code of '{case}' is no valid doctest ({problem})"
OTTER_SAME_FUNCTION = (
    "two test cases are functions called '{name}' (first in line {first}), and otter would "
    "run the last one only; rename one"
)
OTTER_NESTED_CASE = (
    "the test case '{name}' stands inside another statement, where it cannot be counted "
    "without running the file; move it to the left margin"
)
OTTER_SAME_TEST = (
    "the test name '{name}' is also that of {first}; give each test file a name of its own"
)
OTTER_POINTS_COUNT = "'points' lists {got} values for {cases} cases; give one value for each case"
OTTER_POINTS_SUM = (
    "the cases have {sum} points together, more than the {total} of the test; raise "
    "'points' or lower theirs"
)

FMT_LOSES = (
    "{path}: left as it is, because formatting would change {what}; this is a fault of fmt, "
    "please report it"
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
BAD_TIME = (
    "'{time}' is no time; write it with its zone, such as 2026-03-01T23:59:00+01:00 or "
    "2026-03-01T22:59:00Z"
)
CARRIED_ANSWER = (
    "*Your answer to a question that is no longer part of this assignment, or is another "
    "one now. It is yours to keep or delete.*"
)
CARRIED_NOTE = (
    "*You had written this into a cell of the course's. It stands here so that nothing of "
    "yours is lost; keep it or delete it.*"
)

# ---- ledger and gradebook ------------------------------------------------------------------------
BAD_LEDGER_LINE = (
    "{file}:{line}: not a ledger entry ({problem}); mend or restore the file, entries are "
    "never changed or removed"
)
NO_LEDGER = "{file}: the ledger cannot be {what} ({problem})"
NO_GRADEBOOK = "{url}: the gradebook cannot be opened ({problem})"
GRADEBOOK_BUSY = (
    "{url}: the gradebook cannot be written ({problem}); close other programs that write to "
    "it and try again"
)
GRADEBOOK_NOT_A_FILE = "{url}: only a gradebook in an SQLite file can be rebuilt"
NOT_RECORDED = (
    "the gradebook does not know the assignment '{assignment}'; run 'autogradient release "
    "{assignment}' first"
)
UNKNOWN_STUDENT = (
    "nobody is called '{student}', neither on grader_config/roster.csv nor in submitted/ or "
    "results/{nearest}"
)
NO_SUCH_PART = "no part of '{assignment}' is called '{part}'{nearest}"
BELOW_ZERO = (
    "nobody ends below 0: {what} of {student} stays at 0, and {lost} of the points that are "
    "taken off have no effect"
)
CALLED_NOW = "; it is called '{name}' now"
UNKNOWN_ITEM = "the rubric of '{part}' has no item '{item}' (it has: {known}){nearest}"
PART_WITHOUT_RUBRIC = "'{part}' has no rubric; give POINTS instead of --item"
ITEMS_MISSING = "the rubric of '{part}' has more items: {items}; give points for each, 0 is fine"
POINTS_AND_ITEMS = "points are added up from the items; give POINTS or --item, not both"
POINTS_OUT_OF_RANGE = (
    "'{points}' for '{what}' is not a number of points from 0 to {most} with at most two decimals"
)
NO_POINTS_HERE = "'{part}' takes comments only; its points belong to the part itself"
NOTHING_TO_MARK = "give points, items or a comment for '{part}'; --undo takes a mark back"
BAD_CHANGE = "'{points}' is not a number of points to add or take off; write 1, 0.5 or -2"
EXTENSION_TOO_EARLY = (
    "{until} is not after the deadline of '{assignment}' for {student} ({due}); nothing was written"
)
EXTENSION_WITHOUT_DEADLINE = (
    "note: '{assignment}' has no deadline in grader_config/course.toml, so the extension "
    "has no effect yet"
)
NO_CHANGE = "written; nobody's points change"
IN_THE_LEDGER_ONLY = (
    "note: this is in the ledger, but not in the gradebook yet ({problem}); 'autogradient "
    "grade --all' brings it there"
)
MARKED = "marked by hand"
UNMARKED = "mark taken back"
NOTHING_WAITS = "{assignment}: no answer waits for a person"
SHEET_EXISTS = (
    "{path} is there already and may hold marks; read it with --read and move it away, or "
    "give another folder with --out"
)
NOT_ANONYMOUS = (
    "{code}: the answer to '{part}' contains the student's {what}; look at it before the "
    "sheet is given out"
)
NOT_IN_AUTOGRADED = (
    "autograded/{student}/{assignment}/ lacks the notebook that counts; run 'autogradient "
    "grade --all' first"
)
BAD_KEY = (
    "{path} is damaged, so the codes of sheets cannot be told apart; restore it from a "
    "backup, or delete it and write the sheets anew"
)
NOT_A_CSV = "{path}: this is no CSV file in UTF-8; save the sheet as 'CSV UTF-8' and read that"
NOT_A_SHEET = (
    "{path}: row 1 is not that of a sheet; it needs the columns 'assignment' and 'part', "
    "and either 'code' or 'student'"
)
UNKNOWN_CODE = "column 'code': '{code}' is nobody's code in '{assignment}'"
OTHER_PARTS_COLUMN = "column '{column}' is not for '{part}'; leave it empty in this row"
ROW_TOO_LONG = "there are more cells than columns; put a text with separators into quotes"
ROW_INCOMPLETE = "column '{column}' is empty; fill in all of the row or none of it (0 is a mark)"
ROW_TWICE = "filled in differently in {other}"
MARKED_MEANWHILE = (
    "'{part}' was marked meanwhile by {who} ({said}); empty the row, or take that mark back "
    "with 'autogradient mark --undo'"
)
ANSWER_CHANGED = (
    "the answer to '{part}' is another one by now; empty the row and write new sheets with --split"
)
FROM_SHEET = "marked in {name}"
NOTHING_READ = "nothing was written; mend the rows and read the sheets again"
SHEETS_READ = "marks read: {new}, known already: {known}, rows not filled in: {blank}"
TAKEN = "marks taken from the formgrader: {count}"
REBUILT = "submissions in a new gradebook.db: {count}"
OVER_A_DAY = (
    "{assignment}: attempts_per_day is {count}, so attempts over that do not count: {students}"
)
NO_TIME_OF_RECEIPT = (
    "{assignment}: no time of receipt is known of {students}, so they count as on time; "
    "submitted/STUDENT/{assignment}/timestamp.txt says it"
)
HIDDEN_FOR_GOOD = (
    "{assignment}: there is no deadline, so names and hints of hidden tests are never "
    "shown; set one, or another hidden_feedback, in grader_config/course.toml"
)
EMPTY_SECTION = (
    "deadlines name the section '{section}', but nobody on grader_config/roster.csv is in "
    "it{nearest}"
)
BESIDE_ATTEMPTS = (
    "{path}: notebooks beside attempt-N/ folders are not graded; move them into a folder of "
    "their own, such as attempt-1/"
)
ATTEMPTS_BEFORE = (
    "{path}: attempts were graded before, and they count; move the notebook into the next "
    "attempt-N/, or delete {results}"
)
BAD_STUDENT = (
    "'{student}' cannot be a student's id here; ids become folder names, so use letters, "
    "digits, dots, hyphens and underscores"
)

# ---- Gradescope ----------------------------------------------------------------------------------

GRADESCOPE_FAILED = "{name}: otter's generator could not make an autograder ({problem})"
GRADESCOPE_BONUS = ", and {points} of optional questions"
GRADESCOPE_POINTS = (
    "{points} points{bonus}; it holds the hidden tests, so keep it from students{more}"
)
GRADESCOPE_LEFT = "; it leaves out {parts}, which a person or a GPU must judge"

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
