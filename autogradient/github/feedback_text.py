"""What a student reads about an assignment on GitHub: an acknowledgement, feedback once the policy
lets it out, or the one word that everybody may read.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime

from autogradient.course.ledger import BY_HAND
from autogradient.course.marks import VOID, Marked, Over, received
from autogradient.course.policy import Policy
from autogradient.feedback import decided
from autogradient.feedback.summary import escape, markdown, plain, points_line
from autogradient.github import messages
from autogradient.github.check_results import Origin
from autogradient.github.hosting import OURS, Annotation, Conclusion
from autogradient.grading.read_notebook import read_notebook
from autogradient.grading.submission import plan_submission
from autogradient.model.assignment import Assignment
from autogradient.model.files import digest
from autogradient.model.result import NO_VERDICT, PartResult

#: GitHub takes 65,536 characters of a comment and 65,535 of a check run; in bytes we stay below
#: either.
LONGEST = 64_000
#: Annotations of one check run, characters of an annotation's message and title.
MOST_ANNOTATIONS, LONGEST_MESSAGE, LONGEST_TITLE = 200, 4000, 200
GPU = "gpu"
# a text without end is one token, so that no part of it is gone through twice
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[{}\[\],:]', re.DOTALL)


@dataclass(frozen=True)
class Note:
    """What is said of an assignment: Markdown, whether it is feedback (and not an acknowledgement
    alone), and what a check run shows of it.
    """

    text: str
    out: bool
    title: str
    conclusion: Conclusion
    annotations: tuple[Annotation, ...] = field(default=())

    @property
    def digest(self) -> str:
        """Tells whether something has changed."""
        said = [
            self.text,
            self.title,
            self.conclusion,
            [asdict(annotation) for annotation in self.annotations],
        ]
        return OURS + digest(json.dumps(said).encode()).removeprefix("sha256:")


def is_out(marked: Marked, policy: Policy) -> bool:
    """Whether points and feedback may be read by now. A policy that waits for the last deadline
    keeps all of it back until then.
    """
    return not (marked.hides and policy.hidden_feedback == "after_deadline")


def public(assignment: Assignment) -> Note:
    """All that may be said where others can read it."""
    return Note(
        messages.GRADED.format(title=escape(assignment.title or assignment.name)) + "\n",
        False,
        messages.GRADED_TITLE,
        "neutral",
    )


def note(assignment: Assignment, marked: Marked, origin: Origin, policy: Policy) -> Note:
    """What one student may read now."""
    if not is_out(marked, policy):
        return acknowledgement(assignment, marked, origin, policy)
    text = markdown(marked, assignment.title, assignment.headings)
    heading, _, rest = text.partition("\n\n")
    conclusion: Conclusion = "neutral"
    if marked.excused is None and marked.outcome == "graded":
        failed = any(
            case.outcome in ("failed", "timed_out")
            for part in marked.parts
            if part.attempted
            for case in part.cases
        )
        waits = any(case.outcome in NO_VERDICT for part in marked.parts for case in part.cases)
        conclusion = (
            "failure"
            if failed
            else "neutral"
            if waits or not all(part.attempted for part in marked.parts)
            else "success"
        )
    elif marked.outcome == "unreadable":
        conclusion = "failure"
    title = (
        points_line(marked)
        if marked.questions and marked.excused is None and marked.outcome == "graded"
        else messages.ACKNOWLEDGED_TITLE
    )
    annotations = (
        tuple(_annotations(assignment, marked, origin))[:MOST_ANNOTATIONS]
        if marked.outcome == "graded"
        else ()
    )
    return Note(
        f"{heading}\n\n{_receipt(marked, origin, policy)}\n\n{rest}",
        True,
        title,
        conclusion,
        annotations,
    )


def acknowledgement(assignment: Assignment, marked: Marked, origin: Origin, policy: Policy) -> Note:
    """What may be said before points are out: that it came, when, how much of it there is, and what
    is still to come.
    """
    blocks = [f"# {escape(assignment.title or assignment.name)}", _receipt(marked, origin, policy)]
    if marked.excused is not None:
        blocks.append(messages.EXCUSED)
    elif marked.outcome == "unreadable":
        blocks += [
            messages.UNREADABLE,
            "\n".join(f"- {escape(problem.message)}" for problem in marked.problems),
        ]
    else:
        attempted = sum(part.attempted for part in marked.parts)
        blocks.append(messages.ATTEMPTED.format(count=attempted, of=len(marked.parts)))
        if marked.outcome == "grader_error":
            blocks.append(messages.GRADER_FAILED)
        blocks.append(messages.STILL_TO_COME.format(what=", ".join(_to_come(marked, policy))))
    blocks += decided.attempts(marked)
    conclusion: Conclusion = "failure" if marked.outcome == "unreadable" else "neutral"
    return Note("\n\n".join(blocks) + "\n", False, messages.ACKNOWLEDGED_TITLE, conclusion)


def superseded(assignment: Assignment, number: int | None, over: Over | None = None) -> Note:
    """What is said of an attempt that came, but does not count: since there were too many that day,
    or another one goes before it.
    """
    why = (
        messages.TOO_MANY.format(why=decided.too_many(over), number=number)
        if over
        else messages.COUNTS_OTHER.format(number=number)
    )
    text = f"# {escape(assignment.title or assignment.name)}\n\n{why}\n"
    return Note(text, False, messages.ACKNOWLEDGED_TITLE, "neutral")


def differing(assignment: Assignment) -> Note:
    """What a team reads whose members are not to read the same: what was decided about one is not
    for the others.
    """
    text = f"# {escape(assignment.title or assignment.name)}\n\n{messages.DIFFERS}\n"
    return Note(text, False, messages.ACKNOWLEDGED_TITLE, "neutral")


def cut(text: str, more: str = "", limit: int = LONGEST) -> str:
    """As much of a text as GitHub takes, whole lines of it, and what is to stand below it."""
    room = limit - len(more.encode()) - len(messages.CUT.encode()) - 10
    if len(text.encode()) > room:
        kept = text.encode()[:room].decode("utf-8", "ignore").rpartition("\n")[0]
        text = f"{kept}\n\n{messages.CUT}\n"
    return f"{text.rstrip()}\n\n{more}\n" if more else text


def _receipt(marked: Marked, origin: Origin, policy: Policy) -> str:
    """What came when, and whether that was on time."""
    moment = received(marked)
    when = _moment(moment, policy) if moment else origin.received
    came = (
        messages.RECEIVED.format(commit=origin.commit[:10], when=when)
        if origin.commit
        else messages.RECEIVED_ELSEWHERE.format(when=when)
    )
    if marked.due is None:
        return f"{came}; {messages.NO_DEADLINE}."
    due = _moment(marked.due, policy)
    if marked.late:
        return f"{came}, {messages.LATE.format(by=decided.how_long(marked.late.by), due=due)}."
    return f"{came}, {messages.ON_TIME.format(due=due)}."


def _moment(when: datetime, policy: Policy) -> str:
    """A time by the course's clock."""
    return decided.moment(when.astimezone(policy.zone) if policy.zone else when)


def _to_come(marked: Marked, policy: Policy) -> list[str]:
    points = (
        messages.POINTS_LATER.format(when=_moment(marked.withheld, policy))
        if marked.withheld
        else messages.POINTS_SOMETIME
    )
    found = [points]
    for reason, sentence in ((BY_HAND, messages.BY_PEOPLE), (GPU, messages.ON_CARDS)):
        count = sum(
            part.attempted
            and any(case.outcome == "not_run" and case.reason == reason for case in part.cases)
            for part in marked.parts
        )
        if count:
            found.append(sentence.format(count=count, verb="needs" if count == 1 else "need"))
    return found


# ---- at the lines of the notebook ----------------------------------------------------------------


def _annotations(assignment: Assignment, marked: Marked, origin: Origin) -> Iterator[Annotation]:
    """A remark at the answer of each part that failed, and at each cell that there is something to
    be said about.
    """
    data = origin.notebook(assignment.name) if origin.file and origin.commit else None
    if data is None:
        return
    try:
        notebook = read_notebook(data, assignment.name)
        answers = plan_submission(assignment, notebook).answers
        lines = cell_lines(data.decode("utf-8"))
    except Exception:  # a notebook that nobody can find one's way in has no lines to point at
        return
    if len(lines) != len(notebook.cells):
        return
    for part in marked.parts:
        message = _failures(part)
        cells = answers.get(part.id) or []
        if message and cells:
            yield Annotation(
                origin.file, *lines[cells[0]], "warning", plain(part.id, LONGEST_TITLE), message
            )
    for problem in marked.problems:
        if problem.cell is not None and 1 <= problem.cell <= len(lines):
            yield Annotation(
                origin.file,
                *lines[problem.cell - 1],
                "notice",
                f"Cell {problem.cell}",
                plain(problem.message),
            )


def _failures(part: PartResult) -> str:
    """What failed of an attempted part, as plain text."""
    failed = [
        case
        for case in part.cases
        if case.outcome in ("failed", "timed_out") and case.reason != VOID
    ]
    if not part.attempted:
        return ""
    return "\n".join(
        f"✗ {plain(case.name)}{': ' + plain(case.message) if case.message.strip() else ''}"
        for case in failed
    )[:LONGEST_MESSAGE]


def cell_lines(text: str) -> list[tuple[int, int]]:
    """The first and last line (1-based) at which the text of each cell stands in an .ipynb file."""
    newlines = [match.start() for match in re.finditer("\n", text)]
    found: list[tuple[int, int]] = []
    opened, keys, word = "", list[str](), ""
    place: tuple[int, int] | None = None
    for token in _TOKEN.finditer(text):
        sign = token.group()
        of_cell = opened.startswith("{[{") and keys[0] == "cells"
        if sign in "{[":
            opened, keys = opened + sign, [*keys, ""]
            place = None if opened == "{[{" else place
        elif sign in "}]":
            if of_cell and opened == "{[{":
                found.append(_between(place or token.span(), newlines))
            opened, keys = opened[:-1], keys[:-1]
        elif sign == ":":
            keys[-1] = str(json.loads(word, strict=False))
            # of a key that stands there twice the last one counts
            if opened == "{" and keys == ["cells"]:
                found = []
        elif sign == ",":
            keys[-1] = ""
        else:
            word = sign
            if of_cell and keys[2] == "source" and len(opened) <= 4:
                place = (place[0] if place and opened == "{[{[" else token.start(), token.end())
    return found


def _between(place: tuple[int, int], newlines: list[int]) -> tuple[int, int]:
    """The lines of a stretch of text."""
    return bisect_right(newlines, place[0]) + 1, bisect_right(newlines, place[1] - 1) + 1
