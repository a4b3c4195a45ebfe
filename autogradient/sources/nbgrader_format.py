"""nbgrader-format notebook → Assignment: grade cells, hidden tests, solution regions, manual
answers and tasks, schema 1 to 3.

A question is a grade cell, with one case for an autograded cell and none for what a person marks.
nbgrader's own code upgrades and checks the metadata and makes the students' text. A notebook that
has been released already loads too: its answers stand as they are.
"""

from __future__ import annotations

import ast
import copy
import logging
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from autogradient import errors
from autogradient.errors import Mistake, SourceErrors
from autogradient.model import testcode
from autogradient.model.assignment import Assignment, Case, Cell, Part, Question
from autogradient.sources import foreign, messages

FLAGS = ("grade", "solution", "locked", "task")
SOLUTION, HIDDEN, SCHEME = "SOLUTION", "HIDDEN TESTS", "MARK SCHEME"
#: Regions: the words of their markers, what they hold, the flag of the cells they may stand in, and
#: what such a cell is.
REGIONS = (
    (SOLUTION, "solution lines", "solution", "an answer"),
    (HIDDEN, "hidden tests", "grade", "graded"),
    (SCHEME, "marking notes", "task", "a manually graded task"),
)
NEWEST = 3
STUBS = ("# YOUR CODE HERE\nraise NotImplementedError()", "YOUR ANSWER HERE")


def is_nbgrader(path: Path | str) -> bool:
    """Whether `path` is a notebook with nbgrader's metadata in some cell (and not one of ours,
    which have it too).
    """
    notebook = foreign.raw_notebook(Path(path))
    if notebook is None or _has(notebook.get("metadata"), "autogradient"):
        return False
    cells = notebook.get("cells")
    if not isinstance(cells, list):  # nbformat 3
        sheets = notebook.get("worksheets")
        cells = (
            [
                cell
                for sheet in sheets
                if isinstance(sheet, dict)
                for cell in sheet.get("cells") or []
            ]
            if isinstance(sheets, list)
            else []
        )
    return any(isinstance(cell, dict) and _has(cell.get("metadata"), "nbgrader") for cell in cells)


def load(path: Path | str, seed: int = 0) -> Assignment:
    """Read an nbgrader-format notebook, the instructor's or a released one. Raises SourceErrors
    with all mistakes.
    """
    path = Path(path)
    notebook = foreign.read_notebook(path)
    reader = _Reader(path)
    cells = reader.read(notebook)
    if reader.mistakes:
        raise SourceErrors(reader.mistakes)
    return Assignment(
        name=path.stem,
        title=foreign.title_of(cells, path.stem),
        format="nbgrader",
        cells=cells,
        questions=reader.questions(cells),
        path=path,
        seed=seed,
        files=foreign.files_beside(path.resolve().parent),
        kernelspec=foreign.kernelspec_of(notebook),
    )


def _has(metadata: Any, key: str) -> bool:
    return isinstance(metadata, dict) and bool(metadata.get(key))


def without_markers(source: str, *regions: str) -> str:
    """`source` without the lines that begin and end `regions`; what stands between them stays."""
    return "\n".join(
        line
        for line in source.split("\n")
        if not any(f"{edge} {what}" in line for what in regions for edge in ("BEGIN", "END"))
    )


@dataclass(frozen=True)
class _Meta:
    """nbgrader's metadata of a cell; all false where it has none."""

    grade_id: str = ""
    grade: bool = False
    solution: bool = False
    locked: bool = False
    task: bool = False
    points: Fraction = Fraction(0)

    @property
    def by_hand(self) -> bool:
        return self.task or (self.grade and self.solution)

    @property
    def autograded(self) -> bool:
        return self.grade and not self.solution and not self.task


class _Reader:
    """Reads one notebook; collects mistakes instead of stopping at the first."""

    def __init__(self, path: Path) -> None:
        self.file = errors.relative(path)
        self.mistakes: list[Mistake] = []
        self.metas: dict[int, _Meta] = {}

    def wrong(self, cell: int, message: str) -> None:
        self.mistakes.append(Mistake(self.file, 0, cell, message))

    def read(self, notebook: Any) -> list[Cell]:
        """The cells, checked. Fills `metas`; the released texts are made only where there is no
        mistake.
        """
        from nbgrader.nbgraderformat import MetadataValidator

        validator = _quiet(MetadataValidator())
        first: dict[str, int] = {}
        for number, node in enumerate(notebook.cells, start=1):
            meta = self.metas[number] = self.meta(number, node, validator)
            if meta.grade_id:
                if meta.grade_id in first:
                    self.wrong(
                        number,
                        messages.NB_REPEATED_ID.format(
                            id=meta.grade_id, first=first[meta.grade_id]
                        ),
                    )
                first.setdefault(meta.grade_id, number)
            self.regions(number, node.source, meta)
            if meta.autograded and node.cell_type == "code":
                self.tests(number, node.source)
        if self.mistakes:
            return []
        released = _released(notebook)
        cells = []
        for number, (node, text) in enumerate(zip(notebook.cells, released, strict=True), start=1):
            kind: Literal["code", "markdown"] = "code" if node.cell_type == "code" else "markdown"
            role, target = self.role(number, kind)
            texts = {"released": text, "solution": node.source}
            cells.append(
                Cell(
                    role,
                    target,
                    kind,
                    node.source,
                    number,
                    grade_id=self.metas[number].grade_id,
                    metadata=texts,
                )
            )
        return cells

    # ---- metadata --------------------------------------------------------------------------------

    def meta(self, number: int, node: Any, validator: Any) -> _Meta:
        if "nbgrader" not in node.metadata or node.metadata["nbgrader"] == {}:
            node.metadata.pop("nbgrader", None)
            return _Meta()
        try:
            node = validator.upgrade_cell_metadata(node)
        except Exception as error:  # a value that nbgrader cannot convert, or no object at all
            self.wrong(number, messages.NB_BAD_METADATA.format(problem=_first_line(error)))
            return _Meta()
        data = node.metadata.get("nbgrader")
        if (
            data is not None
            and isinstance(data["schema_version"], int)
            and data["schema_version"] > NEWEST
        ):
            self.wrong(
                number, messages.NB_TOO_NEW.format(version=data["schema_version"], newest=NEWEST)
            )
            return _Meta()
        if data is None or not any(data.get(flag) is True for flag in FLAGS):
            return _Meta()
        grade, solution, locked, task = (data.get(flag) is True for flag in FLAGS)
        grade_id, got = (
            data.get("grade_id"),
            {"markdown": "Markdown", "raw": "raw"}.get(node.cell_type, node.cell_type),
        )
        if not grade_id:
            self.wrong(number, messages.NB_NO_ID)
            return _Meta("", grade, solution, locked, task)
        problems = []
        points = None
        if (grade or task) and "points" not in data:
            problems.append(messages.NB_NO_POINTS.format(id=grade_id))
        elif grade or task:
            points = _points(data["points"])
            if points is None:
                problems.append(messages.NB_BAD_POINTS.format(points=data["points"], id=grade_id))
        if task and node.cell_type != "markdown":
            problems.append(messages.NB_TASK_TYPE.format(id=grade_id, got=got))
        elif not task and node.cell_type != "code" and grade != solution:
            problems.append(
                (messages.NB_NO_ANSWER if grade else messages.NB_NO_MARKS).format(
                    id=grade_id, got=got
                )
            )
        problems = problems or self.own_check(node, validator)
        for problem in problems:
            self.wrong(number, problem)
        return _Meta(str(grade_id), grade, solution, locked, task, points or Fraction(0))

    def own_check(self, node: Any, validator: Any) -> list[str]:
        """What nbgrader itself finds wrong with a cell."""
        try:
            validator.validate_cell(node)
        except Exception as error:
            return [
                messages.NB_BAD_METADATA.format(
                    problem=getattr(error, "message", None) or _first_line(error)
                )
            ]
        return []

    # ---- cells -----------------------------------------------------------------------------------

    def regions(self, number: int, source: str, meta: _Meta) -> None:
        """Report regions that are not closed, not opened, nested or in a cell of the wrong type."""
        for what, content, flag, expected in REGIONS:
            inside = found = False
            for line in source.split("\n"):
                if f"BEGIN {what}" in line:
                    if inside:
                        self.wrong(number, messages.NB_NESTED.format(what=what))
                    inside = found = True
                elif f"END {what}" in line:
                    if not inside:
                        self.wrong(number, messages.NB_UNOPENED.format(what=what))
                    inside = False
            if inside:
                self.wrong(number, messages.NB_UNCLOSED.format(what=what))
            if found and not getattr(meta, flag):
                self.wrong(number, messages.NB_MISPLACED.format(what=content, expected=expected))

    def tests(self, number: int, source: str) -> None:
        """Report tests that are no Python, or that nbgrader has yet to fill in."""
        from IPython.core.inputtransformer2 import TransformerManager

        marker = re.search(r"### (HASHED )?AUTOTEST\b", source)
        if marker:
            self.wrong(number, messages.NB_AUTOTEST.format(marker=marker.group()))
        try:
            ast.parse(TransformerManager().transform_cell(source))
        except SyntaxError as error:
            self.wrong(number, errors.BAD_SYNTAX.format(problem=error.msg))

    def role(self, number: int, kind: str) -> tuple[str, str]:
        """The role of a cell and the part it belongs to."""
        meta = self.metas[number]
        if meta.by_hand:
            return "text" if meta.task else "answer", meta.grade_id
        if meta.solution:
            following = (self.metas[later] for later in range(number + 1, len(self.metas) + 1))
            return "answer", next((later.grade_id for later in following if later.autograded), "")
        if meta.autograded:
            return "check", meta.grade_id
        if kind == "markdown":
            return "text", ""
        return ("given" if meta.locked else "scratch"), ""

    # ---- questions -------------------------------------------------------------------------------

    def questions(self, cells: list[Cell]) -> list[Question]:
        """One question with one part for every cell that has points."""
        questions = []
        earlier: dict[str, None] = {}
        for cell in cells:
            meta = self.metas[cell.number]
            if cell.role == "answer" and not meta.by_hand:
                earlier |= dict.fromkeys(_names(cell))
            if not meta.by_hand and not meta.autograded:
                continue
            part = (
                self.by_hand(cell, meta)
                if meta.by_hand
                else self.autograded(cell, meta, cells, list(earlier))
            )
            questions.append(Question(part.id, [part], cell=cell.number))
        return questions

    def by_hand(self, cell: Cell, meta: _Meta) -> Part:
        names = tuple(_names(cell)) if cell.kind == "code" else ()
        part = Part(
            meta.grade_id,
            meta.grade_id,
            "essay",
            meta.points,
            cell.source,
            cell.metadata["released"],
            names,
            cell=cell.number,
        )
        scheme = re.search(
            rf"^.*BEGIN {SCHEME}.*\n((?:.*\n)*?).*END {SCHEME}", cell.source, re.MULTILINE
        )
        part.rubric_text = scheme.group(1).strip() if scheme else ""
        return part

    def autograded(self, cell: Cell, meta: _Meta, cells: list[Cell], earlier: list[str]) -> Part:
        """The part of an autograded cell. Its names are those that its answer cells bind; where it
        has none, earlier answers' that the tests use.
        """
        answers = [
            answer for answer in cells if answer.role == "answer" and answer.target == meta.grade_id
        ]
        tests = without_markers(cell.source, HIDDEN)
        names = dict.fromkeys(name for answer in answers for name in _names(answer))
        if not answers:
            needed = _needed(tests)
            names = dict.fromkeys(name for name in earlier if name in needed)
        case = Case(
            "cell", re.sub(r"[-_]", " ", meta.grade_id), meta.points, hidden=tests != cell.source
        )
        return Part(
            meta.grade_id,
            meta.grade_id,
            "code",
            meta.points,
            "\n\n".join(answer.source for answer in answers),
            "\n\n".join(answer.metadata["released"] for answer in answers),
            tuple(names),
            (case,),
            tests,
            style="cell",
            cell=cell.number,
        )


def _released(notebook: Any) -> list[str]:
    """The texts of the cells as students get them: nbgrader's own preprocessors at work, but
    answers that are stubs already stay.
    """
    from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, ClearSolutions
    from nbgrader.utils import compute_checksum, is_solution

    students = copy.deepcopy(notebook)
    for preprocessor in (
        ClearSolutions(),
        ClearHiddenTests(),
        ClearMarkScheme(check_attachment_leakage=False),
    ):
        students, _ = _quiet(preprocessor).preprocess(students, {})
    texts = []
    for before, after in zip(notebook.cells, students.cells, strict=True):
        released = is_solution(before) and "BEGIN SOLUTION" not in before.source
        released = released and (
            before.metadata.nbgrader.get("checksum") == compute_checksum(before)
            or _is_stub(before.source)
        )
        texts.append(before.source if released else after.source)
    return texts


def _is_stub(source: str) -> bool:
    """Whether nbgrader's placeholder stands in the text."""
    lines = "\n".join(line.strip() for line in source.split("\n"))
    return any(stub in lines for stub in STUBS)


def _quiet(configurable: Any) -> Any:
    """nbgrader logs what we report ourselves; its own log stays silent."""
    logger = logging.getLogger("autogradient.nbgrader")
    logger.disabled = True
    for each in (
        configurable,
        *(getattr(configurable, name) for name in ("v1", "v2") if hasattr(configurable, name)),
    ):
        each.log = logger
    if hasattr(configurable, "v2"):
        configurable.v2.v1.log = logger
    return configurable


def _points(value: Any) -> Fraction | None:
    """nbgrader's points, exactly as they are written."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        points = Fraction(str(value))
    except ValueError:  # NaN and infinity
        return None
    return points if points >= 0 else None


def _names(cell: Cell) -> list[str]:
    """What an answer cell binds, lines of magics aside; the stub's names where the answer is no
    Python.
    """
    for text in (cell.source, cell.metadata["released"]):
        names = testcode.bound_names(testcode.without_magics(text))
        if names:
            return names
    return []


def _needed(tests: str) -> set[str]:
    try:
        return testcode.needed_names(testcode.without_magics(tests))
    except SyntaxError:  # magics inside statements
        return set(re.findall(r"[^\W\d]\w*", tests))


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0] or type(error).__name__
