"""grader_config/roster.csv: who takes the course. A column `student` (the id); the others are
optional.
"""

from __future__ import annotations

import csv
import difflib
import re
import unicodedata
from dataclasses import dataclass, fields
from pathlib import Path

from autogradient import errors
from autogradient.course.tables import rows_of
from autogradient.errors import CourseError


@dataclass(frozen=True)
class Member:
    """A student: the id that names folders, and what else the roster says ("" where it says
    nothing).
    """

    student: str
    section: str = ""
    login: str = ""
    lms_id: str = ""
    email: str = ""
    team: str = ""
    name: str = ""


#: What a student's id may be: the name of a folder everywhere.
STUDENT = re.compile(r"(?!.*\.staff$)[^\W_][\w.@+-]{0,127}")
#: What a spreadsheet makes of a long number.
_SHORTENED = re.compile(r"\d([.,]\d+)?E\+\d+", re.IGNORECASE)
COLUMNS = tuple(field.name for field in fields(Member))


def read(path: Path) -> list[Member]:
    """The rows of a roster, none where there is no file; columns of other names are left alone.
    Raises CourseError naming the line.
    """
    if not path.is_file():
        return []

    def bad(where: str, problem: str) -> CourseError:
        return CourseError(
            errors.BAD_COURSE.format(file=errors.relative(path), where=where, problem=problem)
        )

    try:
        table = rows_of(path.read_bytes(), "student")
    except UnicodeDecodeError as error:
        raise bad(f"byte {error.start}", errors.NOT_UTF8) from None
    except csv.Error as error:
        raise bad(f"line {error.args[0]}", str(error.args[1])) from None
    heading = (
        [re.sub(r"[\s-]+", "_", name.strip().lower()) for name in table[0][1]] if table else []
    )
    top = f"line {table[0][0]}" if table else "line 1"
    if "student" not in heading:
        raise bad(top, errors.NO_STUDENT_COLUMN)
    for number, name in enumerate(heading):
        if name in COLUMNS and name in heading[:number]:
            raise bad(top, errors.COLUMN_TWICE.format(column=name))
        close = (
            difflib.get_close_matches(
                name, [column for column in COLUMNS if column not in heading], n=1, cutoff=0.8
            )
            if name not in COLUMNS
            else []
        )
        if close:
            raise bad(
                top,
                errors.UNKNOWN_COLUMN.format(column=table[0][1][number].strip(), nearest=close[0]),
            )
    rows, lower = dict[str, Member](), dict[str, str]()
    for line, cells in table[1:]:
        given = {
            name: unicodedata.normalize("NFC", cell.strip())
            for name, cell in zip(heading, cells, strict=False)
            if name in COLUMNS
        }
        student = given.get("student", "")
        if not student:
            continue
        if _SHORTENED.fullmatch(student):
            raise bad(f"line {line}", errors.SHORTENED_NUMBER.format(student=student))
        if not STUDENT.fullmatch(student):
            raise bad(f"line {line}", errors.BAD_STUDENT.format(student=student))
        if student in rows:
            raise bad(f"line {line}", errors.STUDENT_TWICE.format(student=student))
        if other := lower.get(student.lower()):
            raise bad(f"line {line}", errors.STUDENT_ALIKE.format(student=student, other=other))
        lower[student.lower()] = student
        rows[student] = Member(**given)
    return list(rows.values())
