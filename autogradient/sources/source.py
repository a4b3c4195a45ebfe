"""Instructor notebook → Assignment: the source format, read whole, with every mistake in it at
once.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import yaml

from autogradient import errors
from autogradient.errors import CourseError, Mistake, SourceErrors, nearest
from autogradient.model import short_answers, testcode
from autogradient.model.assignment import Assignment, Cell, Part, Question
from autogradient.model.points import points_of
from autogradient.sources import messages
from autogradient.sources.declarations import declare, foreign_keys
from autogradient.sources.directives import ROLES, Directive, parse
from autogradient.sources.front_matter import front_mistakes, limits_of
from autogradient.sources.mistakes import Mistakes
from autogradient.sources.part_cells import attach, finish
from autogradient.sources.solutions import read_solution

#: What `kind` may say in an answer cell.
KINDS = ("code", *short_answers.KINDS, "essay")
#: Files of a source folder that are not for students.
PRIVATE_FILES = ("figures.py", "proof.json")
#: Ids that a release makes for cells of its own.
_RESERVED = re.compile(r"-(text|hidden|answer|options|given\d*|hint\d+|[ncp]\d+)$")
_RESERVED_WORD = re.compile(r"start|setup\d*|grader-setup|colab-setup")
_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_FORMER = re.compile(r"([^/\s]+/)?[^/\s]+")


def find_source(path: Path) -> Path:
    """The notebook of a source folder (`NAME/NAME.py`, else the only .py with cells or .ipynb), or
    `path` itself if it is a file.
    """
    if path.is_file():
        return path
    if not path.exists():
        raise CourseError(errors.NO_FILE.format(path=errors.relative(path)))
    for suffix in (".py", ".ipynb"):
        if (path / (path.name + suffix)).is_file():
            return path / (path.name + suffix)
    notebooks = [
        p
        for p in sorted([*path.glob("*.ipynb"), *path.glob("*.py")])
        if p.name not in PRIVATE_FILES
    ]
    if len(notebooks) == 1:
        return notebooks[0]
    raise CourseError(messages.NOT_A_SOURCE.format(path=errors.relative(path)))


def load(path: Path | str, seed: int = 0) -> Assignment:
    """Read an instructor notebook (or its folder). Raises SourceErrors with all mistakes,
    CourseError where there is no notebook.
    """
    path = find_source(Path(path))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise SourceErrors(
            [Mistake(errors.relative(path), 0, 0, messages.OTTER_NOT_TEXT)]
        ) from None
    files = {
        str(file.relative_to(path.parent)): file.read_bytes()
        for file in sorted(path.parent.rglob("*"))
        if file.is_file() and not _is_private(file.relative_to(path.parent), path.stem)
    }
    return read(text, path, files=files, seed=seed)


def _is_private(file: Path, name: str) -> bool:
    """Whether a file of a source folder is not for students: the notebook in either of its forms,
    our own files, and hidden ones.
    """
    notebook = str(file) in (f"{name}.py", f"{name}.ipynb")
    return (
        notebook
        or file.name in PRIVATE_FILES
        or any(part.startswith((".", "_")) for part in file.parts)
    )


def read(text: str, path: Path, files: dict[str, bytes] | None = None, seed: int = 0) -> Assignment:
    """Parse the text of a source. `path` gives the format (.py is py:percent, .ipynb a notebook)
    and the assignment's name.
    """
    reader = _Reader(path)
    assignment = reader.read(text, files or {}, seed)
    if reader.found:
        raise SourceErrors(reader.found)
    return assignment


def cell_lines(text: str) -> list[int]:
    """1-based lines of the cells' first lines in a py:percent text: the line after each `# %%`
    marker.
    """
    return [
        number + 1
        for number, line in enumerate(text.split("\n"), start=1)
        if re.match(r"# ?%%(\s|\[|$)", line)
    ]


class _Reader(Mistakes):
    """Reads one source; collects mistakes instead of stopping at the first."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.ids: dict[str, int] = {}
        self.answer_keys: dict[str, dict[str, Any]] = {}
        self.unreadable: set[int] = set()

    # ---- the notebook ----------------------------------------------------------------------------

    def read(self, text: str, files: dict[str, bytes], seed: int) -> Assignment:
        self.text = text
        try:
            if self.path.suffix == ".ipynb":
                notebook = nbformat.reads(text, as_version=4)
            else:
                notebook = jupytext.reads(text, fmt="py:percent")
                self.lines = cell_lines(text)
        except Exception as error:
            problem = str(error).split("\n")[0].rstrip(".")
            raise SourceErrors(
                [Mistake(self.file, 0, 0, messages.FOREIGN_UNREADABLE.format(problem=problem))]
            ) from error
        raw = [cell for cell in notebook.cells if cell.cell_type in ("code", "markdown")]
        if len(self.lines) != len(raw):
            self.lines = []
        front = notebook.metadata.get("autogradient")
        for key, message in front_mistakes(front):
            self.wrong_front(key, message)
        front = front if isinstance(front, dict) else {}
        cells: list[Cell] = []
        for number, cell in enumerate(raw, start=1):
            directive = parse(cell.source, cell.cell_type)
            for offset, message in directive.problems:
                self.wrong(number, message, offset)
            cells.append(self.cell(number, cell.cell_type, directive))
            if cell.get("attachments"):  # pictures pasted into Markdown
                cells[-1].metadata["attachments"] = cell.attachments
        questions = self.questions(cells)
        parts = [part for question in questions for part in question.parts]
        for part in parts:
            if part.cell in self.unreadable:
                continue
            for message in [
                *foreign_keys(part, self.answer_keys[part.id]),
                *(declare(part, self.answer_keys[part.id]) if part.is_short else ()),
            ]:
                self.wrong(part.cell, message)
        attach(cells, questions, self)
        for part in parts:
            finish(part, self)
        self.check_names(parts)
        self.check_title(cells, front)
        return Assignment(
            name=self.path.stem,
            title=str(front.get("title") or self.path.stem),
            format="autogradient",
            cells=cells,
            questions=questions,
            path=self.path,
            minutes=float(front["minutes"])
            if isinstance(front.get("minutes"), (int, float))
            else 0,
            prerequisites=tuple(_words(front.get("prerequisites"))),
            limits=limits_of(front),
            allow=[(str(item["text"]), str(item["because"])) for item in front.get("allow") or ()]
            if not self.found
            else [],
            seed=seed,
            files=files,
            kernelspec=dict(
                notebook.metadata.get("kernelspec")
                or {"display_name": "Python 3", "language": "python", "name": "python3"}
            ),
            runner=str(front.get("runner") or ""),
        )

    def check_names(self, parts: list[Part]) -> None:
        """A short answer's variable must not be overwritten by another answer before its value is
        copied, nor be mistaken for it.
        """
        for part in parts:
            for other in parts:
                if (
                    part.is_short
                    and part.names
                    and other is not part
                    and part.names[0] in other.names
                    and (part.cell > other.cell or not other.is_short)
                ):
                    self.wrong(
                        part.cell,
                        messages.DUPLICATE_NAME.format(name=part.names[0], other=other.id),
                    )
                    break

    def check_title(self, cells: list[Cell], front: dict[str, Any]) -> None:
        for cell in cells:
            match = (
                re.search(r"^# (.+)$", cell.source, re.MULTILINE)
                if cell.kind == "markdown"
                else None
            )
            if match:
                if front.get("title") and match.group(1).strip() != str(front["title"]).strip():
                    self.wrong(
                        cell.number,
                        messages.BAD_TITLE.format(
                            heading=match.group(1).strip(), title=front["title"]
                        ),
                    )
                return

    def cell(self, number: int, kind: Any, directive: Directive) -> Cell:
        role, target = directive.role, directive.target
        if not role:
            role = "text" if kind == "markdown" else "scratch"
        elif role in ROLES and not ROLES[role].bare and not target:
            self.wrong(number, messages.NO_COLON.format(text=role))
        if directive.unreadable:
            self.unreadable.add(number)
        line = self.lines[number - 1] if self.lines else 0
        self.above[number] = directive.above
        cell = Cell(role, target, kind, directive.body, number, line, dict(directive.keys))
        if kind == "code" and role in ("setup", "given", "wrong", "right", "helpers", "answer"):
            try:
                ast.parse(testcode.without_magics(cell.source))
            except SyntaxError as error:
                self.wrong(
                    number,
                    errors.BAD_SYNTAX.format(problem=error.msg),
                    directive.above + (error.lineno or 1) - 1,
                )
        return cell

    # ---- questions and parts ---------------------------------------------------------------------

    def take_id(self, cell: Cell, what: str) -> None:
        if what in self.ids:
            self.wrong(cell.number, messages.REPEATED_ID.format(id=what, first=self.ids[what]))
        self.ids.setdefault(what, cell.number)
        if not _ID.fullmatch(what):
            self.wrong(cell.number, messages.BAD_ID.format(id=what))
        reserved = _RESERVED.search(what)
        if reserved:
            self.wrong(cell.number, messages.RESERVED_ID.format(id=what, suffix=reserved.group()))
        if _RESERVED_WORD.fullmatch(what):
            self.wrong(cell.number, messages.RESERVED_WORD.format(id=what))

    def questions(self, cells: list[Cell]) -> list[Question]:
        questions: dict[str, Question] = {}
        part_ids: dict[str, int] = {}
        # of each question, those with mistakes too
        answers: dict[str, list[str]] = defaultdict(list)
        optional_seen = False
        for cell in cells:
            if cell.role == "question":
                self.take_id(cell, cell.target)
                question = self.question(cell)
                if optional_seen and not question.optional:
                    self.wrong(cell.number, messages.OPTIONAL_ORDER.format(question=question.id))
                optional_seen = optional_seen or question.optional
                questions.setdefault(question.id, question)
            elif cell.role == "answer":
                base = re.sub(r"-p\d+$", "", cell.target)
                answers[cell.target if cell.target in questions else base].append(cell.target)
                if cell.target in part_ids:
                    self.wrong(
                        cell.number,
                        messages.REPEATED_ID.format(id=cell.target, first=part_ids[cell.target]),
                    )
                    continue
                part_ids[cell.target] = cell.number
                self.answer_keys[cell.target] = cell.keys
                owner = questions.get(cell.target) or questions.get(base)
                if owner is None:
                    last = next(reversed(questions), base)
                    if questions and (
                        not _ID.fullmatch(cell.target) or cell.target.startswith(last)
                    ):
                        self.wrong(
                            cell.number, messages.BAD_PART.format(part=cell.target, question=last)
                        )
                    else:
                        self.wrong(
                            cell.number,
                            messages.NO_QUESTION.format(part=cell.target, question=base),
                        )
                    continue
                part = self.part(cell, owner.id)
                if part is not None:
                    owner.parts.append(part)
        for question in questions.values():
            if not answers[question.id]:
                self.wrong(question.cell, messages.NO_PARTS.format(question=question.id))
            numbers = [
                part.removeprefix(question.id).removeprefix("-") for part in answers[question.id]
            ]
            expected = [""] if numbers == [""] else [f"p{i + 1}" for i in range(len(numbers))]
            if numbers != expected and len(set(numbers)) == len(numbers):
                got = ", ".join(number or "(none)" for number in numbers)
                self.wrong(
                    part_ids[answers[question.id][0]],
                    messages.PART_NUMBERS.format(
                        question=question.id, got=got, expected=", ".join(expected)
                    ),
                )
        return list(questions.values())

    def question(self, cell: Cell) -> Question:
        keys = cell.keys
        level, minutes, needs = (
            keys.get("level", "M"),
            keys.get("minutes", 0),
            keys.get("needs") or [],
        )
        if level not in ("E", "M", "H"):
            self.wrong(cell.number, messages.BAD_LEVEL.format(level=level))
        if "minutes" in keys and (
            isinstance(minutes, bool) or not isinstance(minutes, (int, float)) or minutes <= 0
        ):
            self.wrong(cell.number, messages.BAD_MINUTES.format(minutes=minutes))
            minutes = 0
        for need in _words(needs):
            if need not in ("cuda", "cpp"):
                self.wrong(cell.number, messages.BAD_NEEDS.format(needs=need))
        optional = keys.get("optional", False)
        if not isinstance(optional, bool):
            self.wrong(cell.number, messages.BAD_OPTIONAL.format(optional=optional))
        covers, was = tuple(_words(keys.get("covers"))), tuple(_words(keys.get("was")))
        for old in was:
            if not _FORMER.fullmatch(old):
                self.wrong(cell.number, messages.BAD_WAS.format(was=old))
        return Question(
            cell.target,
            [],
            str(level),
            float(minutes),
            covers,
            optional is True,
            tuple(_words(needs)),
            was,
            cell.number,
        )

    def part(self, cell: Cell, question: str) -> Part | None:
        keys = cell.keys
        kind = str(keys.get("kind", "essay" if cell.kind == "markdown" else "code"))
        if kind not in KINDS:
            self.wrong(
                cell.number, messages.BAD_KIND.format(kind=kind, nearest=nearest(kind, KINDS))
            )
            return None
        points = points_of(keys["points"]) if "points" in keys else None
        if "points" in keys and (points is None or points == 0):
            self.wrong(cell.number, errors.BAD_POINTS.format(points=keys["points"]))
        if "points" not in keys and kind != "code" and cell.number not in self.unreadable:
            self.wrong(cell.number, messages.NO_POINTS.format(part=cell.target))
        if kind == "essay" and cell.kind == "code":
            self.wrong(
                cell.number,
                messages.WRONG_CELL_TYPE.format(
                    role="essay answer", expected="markdown", got="code"
                ),
            )
        if kind != "essay" and cell.kind == "markdown":
            self.wrong(
                cell.number,
                messages.WRONG_CELL_TYPE.format(
                    role=f"{kind} answer", expected="code", got="markdown"
                ),
            )
        part = Part(
            cell.target,
            question,
            kind,
            points or Fraction(0),
            cell.source,
            cell.source,
            cell=cell.number,
        )
        if kind == "essay":
            part.stub = "*Write your answer here.*"
        else:
            read_solution(part, cell, self)
        return part


def _words(value: Any) -> list[str]:
    """A YAML value that is a list of words, or one word, or nothing."""
    return (
        [str(word) for word in value]
        if isinstance(value, (list, tuple))
        else []
        if value in (None, "")
        else [str(value)]
    )


def is_source(text: str) -> bool:
    """Whether a text notebook says that it is one of ours."""
    header = re.match(r"# ---\n(.*?)\n# ---", text, re.DOTALL)
    if not header:
        return False
    try:
        front = yaml.safe_load(re.sub(r"^# ?", "", header.group(1), flags=re.MULTILINE))
    except yaml.YAMLError:
        return False
    return isinstance(front, dict) and "autogradient" in (front.get("jupyter") or {})
