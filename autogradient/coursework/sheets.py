"""Marking with several people: what waits for a person as CSV sheets, one for each marker, and
filled-in sheets back into the ledger.

A sheet may carry codes in place of ids. A code is made from the student's id with a secret that
stays in results/, so that nobody without the course can tell whose it is, and the same student has
the same code in every sheet of an assignment.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from autogradient import errors
from autogradient.course import ledger
from autogradient.course.config import Course
from autogradient.course.ledger import BY_HAND, Mark
from autogradient.course.marks import Marked
from autogradient.course.roster import Member
from autogradient.coursework import decide, messages, report
from autogradient.coursework.export_csv import neutral, restored
from autogradient.errors import CourseError, LedgerError
from autogradient.feedback.sanitize import as_dict, grade_id_of, text_of, unescaped
from autogradient.model.assignment import Assignment, Part
from autogradient.model.files import write_atomically
from autogradient.model.points import show_points

KEY = "sheets.key"
#: No vowels, so that no code is a word, and no digits, which a spreadsheet might take for a number.
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
#: More than a spreadsheet can hold in a cell is cut.
LONGEST = 30_000
POINTS = "points"
_HEADING = re.compile(r"([^:\n]+): (.+) \(of [\d.,]+\)")


@dataclass(frozen=True)
class Answer:
    """An answer that waits for a person."""

    student: str
    team: tuple[str, ...]
    part: str
    text: str


@dataclass
class Written:
    """The sheets that were written, with the number of answers in each, and what to look at before
    they are given out.
    """

    sheets: dict[Path, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def split(
    course: Course, name: str, markers: int, *, anonymous: bool = False, folder: Path | None = None
) -> Written:
    """Write what waits for a person in an assignment as one sheet for each marker. Raises
    CourseError; nothing is overwritten that may hold marks.

    A part's answers go to one marker, and each gets about the same number; only where there are
    more markers than parts is a part divided.
    """
    assignment = course.assignment(name)
    waiting = list(_waiting(course, assignment))
    secret = _secret(course) if anonymous and waiting else b""
    names = {
        answer.student: code(secret, name, answer.student) if anonymous else answer.student
        for answer in waiting
    }
    by_part = {
        part.id: sorted((a for a in waiting if a.part == part.id), key=lambda a: names[a.student])
        for part in assignment.parts
    }
    shares = [
        share
        for share in _shares([answers for answers in by_part.values() if answers], markers)
        if share
    ]
    texts = {}
    for number, answers in enumerate(shares, start=1):
        path = (folder or course.results / "sheets") / f"{name}-{number}-of-{len(shares)}.csv"
        texts[path] = _sheet(assignment, answers, names, "code" if anonymous else "student").encode(
            "utf-8-sig"
        )
        if path.exists() and path.read_bytes() != texts[path]:
            raise CourseError(messages.SHEET_EXISTS.format(path=errors.relative(path)))
    rows = {row.student: row for row in course.rows()}
    written = Written()
    if anonymous:
        for answer in waiting:
            found = [
                what
                for member in answer.team
                for what in tells(answer.text, rows.get(member, Member(member)))
            ]
            written.warnings += [
                messages.NOT_ANONYMOUS.format(
                    code=names[answer.student], part=answer.part, what=what
                )
                for what in dict.fromkeys(found)
            ]
    for (path, data), answers in zip(texts.items(), shares, strict=True):
        write_atomically(path, data)
        written.sheets[path] = len(answers)
    return written


def read(course: Course, paths: Sequence[Path], *, who: str, why: str = "") -> list[str]:
    """Take the marks of filled-in sheets into the ledger: all, or none where a row is wrong.
    Returns what there is to say. Raises CourseError with every mistake.
    """
    report.take_hand_marks(course)
    reading = _Reading(course, who, why)
    for path in paths:
        reading.sheet(path)
    if reading.problems:
        raise CourseError("\n".join([*reading.problems, messages.NOTHING_READ]))
    for name in dict.fromkeys(entry.assignment for entry in reading.new):
        decide.write(course, name, [entry for entry in reading.new if entry.assignment == name])
    return [
        messages.SHEETS_READ.format(new=len(reading.new), known=reading.known, blank=reading.blank)
    ]


def code(secret: bytes, assignment: str, student: str) -> str:
    """What a student is called in an anonymous sheet."""
    number = int.from_bytes(
        hmac.digest(secret, f"{assignment}\0{student}".encode(), hashlib.sha256), "big"
    )
    letters = ""
    for _ in range(10):
        number, index = divmod(number, len(LETTERS))
        letters += LETTERS[index]
    return f"{letters[:5]}-{letters[5:]}"


def tells(text: str, row: Member) -> list[str]:
    """What in an answer tells whose it is: the columns of the roster that stand in it."""
    words = {
        "id": [row.student],
        "login": [row.login],
        "number": [row.lms_id],
        "e-mail address": [row.email],
    }
    words["name"] = [row.name, *(word for word in row.name.split() if len(word) > 3)]
    return [
        what
        for what, found in words.items()
        if any(
            len(word) > 2 and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)
            for word in found
        )
    ]


def _secret(course: Course) -> bytes:
    path = course.results / KEY
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        secret = secrets.token_bytes(32)
        write_atomically(path, secret.hex() + "\n", secret=True)
    except ValueError:
        secret = b""
    if len(secret) != 32:
        raise LedgerError(messages.BAD_KEY.format(path=errors.relative(path)))
    return secret


def _waiting(course: Course, assignment: Assignment) -> Iterable[Answer]:
    for one in report.all_results(course, [assignment.name]):
        if one.counts_for_nothing or one.team[0] != one.student:
            continue
        parts = [
            part.id
            for part in one.parts
            if part.attempted
            and any((case.outcome, case.reason) == ("not_run", BY_HAND) for case in part.cases)
        ]
        texts = answers_of(course, one) if parts else {}
        if texts is None:
            raise CourseError(
                messages.NOT_IN_AUTOGRADED.format(student=one.student, assignment=assignment.name)
            )
        for part in parts:
            yield Answer(
                one.student, tuple(one.team), part, texts.get(f"{part}-answer", texts.get(part, ""))
            )


def answers_of(course: Course, one: Marked) -> dict[str, str] | None:
    """The text of each cell of the attempt that counts, by its grade_id; None where autograded/
    does not show that attempt.
    """
    notebook = report.shown_notebook(course, one.assignment, one.student, one.submission.attempt)
    if notebook is None:
        return None
    return {grade_id_of(cell): _typed(cell) for cell in notebook.get("cells", [])}


def _typed(cell: Mapping[str, Any]) -> str:
    """The text of a cell of autograded/ as it was typed, and how many pictures are in it."""
    text = unescaped(text_of(cell.get("source")))
    count = len(as_dict(cell.get("attachments")))
    return f"{text}\n\n{messages.PICTURES_IN_IT.format(count=count)}" if count else text


def _shares(parts: list[list[Answer]], markers: int) -> list[list[Answer]]:
    """The answers to each part, dealt out: whole parts, the largest first, to whoever has least; a
    part is cut where there are too few of them.
    """
    cuts = [1] * len(parts)
    while parts and sum(cuts) < min(markers, sum(map(len, parts))):
        cuts[max(range(len(parts)), key=lambda index: len(parts[index]) / cuts[index])] += 1
    heaps = []
    for answers, pieces in zip(parts, cuts, strict=True):
        edges = [len(answers) * piece // pieces for piece in range(pieces + 1)]
        heaps += [answers[start:end] for start, end in zip(edges, edges[1:], strict=False)]
    shares: list[list[int]] = [[] for _ in range(markers)]
    for index in sorted(range(len(heaps)), key=lambda index: -len(heaps[index])):
        min(shares, key=lambda share: sum(len(heaps[i]) for i in share)).append(index)
    return [[answer for index in sorted(share) for answer in heaps[index]] for share in shares]


def columns(part: Part) -> dict[str, str]:
    """The columns in which a part is marked: item of its rubric → heading with its maximum."""
    items = {item.name: item.points for item in part.rubric} or {POINTS: part.points}
    return {item: f"{part.id}: {item} (of {show_points(points)})" for item, points in items.items()}


def _sheet(
    assignment: Assignment, answers: Sequence[Answer], names: Mapping[str, str], heading: str
) -> str:
    parts = dict.fromkeys(answer.part for answer in answers)
    marked = [
        title for part in assignment.parts if part.id in parts for title in columns(part).values()
    ]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([heading, "assignment", "part", "answer", *marked, "comment"])
    for answer in answers:
        writer.writerow(
            [
                names[answer.student],
                assignment.name,
                answer.part,
                _cell(answer.text),
                *("" for _ in marked),
                "",
            ]
        )
    return out.getvalue()


def _cell(text: str) -> str:
    """An answer as a cell: its lines are kept, and no spreadsheet runs it."""
    return neutral(text[:LONGEST].replace("\r\n", "\n"))


class _Reading:
    """Goes through sheets row by row, and keeps new marks and mistakes apart."""

    def __init__(self, course: Course, who: str, why: str) -> None:
        self.course, self.who, self.why = course, who, why
        self.entries = ledger.read(course.ledger)
        self.everybody = decide.students(course)
        self.assignments: dict[str, Assignment] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.shown: dict[str, dict[str, Marked]] = {}
        self.seen: dict[tuple[str, str, str], tuple[Mark, str]] = {}
        self.new: list[Mark] = []
        self.problems: list[str] = []
        self.known = self.blank = 0

    def sheet(self, path: Path) -> None:
        """Read one sheet."""
        heading, rows = table(path)
        for number, cells in rows:
            row = dict(zip(heading, [*cells, *[""] * len(heading)], strict=False))
            try:
                if any(cell.strip() for cell in cells[len(heading) :]):
                    raise CourseError(messages.ROW_TOO_LONG)
                self._row(path, number, row)
            except CourseError as error:
                self.problems.append(f"{errors.relative(path)}: row {number}: {error}")

    def _row(self, path: Path, number: int, row: dict[str, str]) -> None:
        if not any(cell.strip() for cell in row.values()):
            return
        name = row["assignment"].strip()
        if name not in self.assignments:
            self._prepare(name)
        assignment = self.assignments[name]
        student = self._student(name, row)
        part = decide.part_of(assignment, self._now(assignment, row["part"].strip()))
        points, comment = (
            self._points(assignment, part, row),
            restored(row.get("comment", "").strip()),
        )
        if not points and not comment:
            self.blank += 1
            return
        expected = columns(part)
        if missing := [expected[item] for item in expected if item not in points]:
            raise CourseError(messages.ROW_INCOMPLETE.format(column=missing[0]))
        items = {} if list(expected) == [POINTS] and not part.rubric else points
        why = self.why or messages.FROM_SHEET.format(name=path.name)
        mark = Mark(
            student=student,
            assignment=name,
            part=part.id,
            points=sum(points.values(), Decimal(0)),
            items=items,
            comment=comment or None,
            who=self.who,
            why=why,
        )
        place = f"{errors.relative(path)}, row {number}"
        before = self.seen.get((name, student, part.id))
        if before is not None:
            if _content(before[0]) != _content(mark):
                raise CourseError(messages.ROW_TWICE.format(other=before[1]))
            return
        self.seen[name, student, part.id] = mark, place
        team = self.shown[name][student].team if student in self.shown[name] else [student]
        given = ledger.marks(ledger.resolved(self.entries, name, assignment.former), name, team)
        stands = next(
            (given[key] for key in reversed(given) if key in (part.id, f"{part.id}-answer")), None
        )
        if stands is not None and _content(stands) == _content(mark):
            self.known += 1
            return
        if (
            stands is not None
            and (stands.points, stands.extra, stands.comment) != (None, None, None)
            and (stands.who, stands.why) != (mark.who, mark.why)
        ):
            said = (
                "a comment"
                if stands.points is None
                else f"{show_points(float(stands.points))} points"
            )
            raise CourseError(
                messages.MARKED_MEANWHILE.format(who=stands.who, said=said, part=part.id)
            )
        self._same_answer(name, student, part, row)
        self.new.append(mark)

    def _prepare(self, name: str) -> None:
        self.assignments[name] = self.course.assignment(name)
        path = self.course.results / KEY
        self.codes[name] = (
            {code(_secret(self.course), name, student): student for student in self.everybody}
            if path.exists()
            else {}
        )
        self.shown[name] = {one.student: one for one in report.all_results(self.course, [name])}

    def _student(self, name: str, row: dict[str, str]) -> str:
        if "code" not in row:
            return decide.known(self.course, row["student"].strip())
        written = row["code"].strip().upper()
        if written not in self.codes[name]:
            raise CourseError(
                messages.UNKNOWN_CODE.format(code=row["code"].strip(), assignment=name)
            )
        return self.codes[name][written]

    def _now(self, assignment: Assignment, part: str) -> str:
        """What a part is called now; a sheet may have been given out before its question got
        another id.
        """
        return assignment.former.get((assignment.name, part), part)

    def _points(
        self, assignment: Assignment, part: Part, row: dict[str, str]
    ) -> dict[str, Decimal]:
        """Points by item, of the cells that are filled in."""
        most = {item.name: item.points for item in part.rubric} or {POINTS: part.points}
        found = {}
        for column, cell in row.items():
            match = _HEADING.fullmatch(column)
            if match is None or not cell.strip():
                continue
            if self._now(assignment, match[1]) != part.id:
                raise CourseError(messages.OTHER_PARTS_COLUMN.format(column=column, part=part.id))
            if match[2] not in most:
                raise CourseError(
                    messages.UNKNOWN_ITEM.format(
                        item=match[2], part=part.id, known=", ".join(most), nearest=""
                    )
                )
            found[match[2]] = decide.within(restored(cell.strip()), most[match[2]], column)
        return found

    def _same_answer(self, name: str, student: str, part: Part, row: dict[str, str]) -> None:
        one = self.shown[name].get(student)
        texts = answers_of(self.course, one) if one is not None else None
        if texts is None or "answer" not in row:
            return
        now = texts.get(f"{part.id}-answer", texts.get(part.id, ""))
        if restored(_cell(now)).split() != restored(row["answer"]).split():
            raise CourseError(messages.ANSWER_CHANGED.format(part=part.id))


def table(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The heading and the rows of a sheet with their numbers, whichever separator a spreadsheet
    wrote. Raises CourseError.
    """
    name = errors.relative(path)
    if not path.is_file():
        raise CourseError(errors.NO_FILE.format(path=name))
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
        if "\0" in text:
            raise ValueError
    except ValueError:
        raise CourseError(messages.NOT_A_CSV.format(path=name)) from None
    for separator in ",;\t":
        try:
            rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
        except csv.Error:
            continue
        heading = [restored(cell.strip()) for cell in rows[0]] if rows else []
        if {"assignment", "part"} <= set(heading) and ("code" in heading) != ("student" in heading):
            return heading, list(enumerate(rows[1:], start=2))
    raise CourseError(messages.NOT_A_SHEET.format(path=name))


def _content(mark: Mark) -> tuple[Decimal | None, dict[str, Decimal], str]:
    return mark.points, dict(mark.items), mark.comment or ""
