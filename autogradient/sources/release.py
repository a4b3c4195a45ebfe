"""Assignment → what students get: the notebook with stubs, public tests, figures and data. Pure:
the same assignment gives the same bytes.

`build` makes the files in memory, `write` puts them on disk, `difference` says how a folder differs
from them.
"""

from __future__ import annotations

import difflib
import functools
import hashlib
import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from autogradient.model import answer_kind, short_answers
from autogradient.model.answer_checks import plain_value
from autogradient.model.assignment import Assignment, Cell, Part
from autogradient.model.points import show_points
from autogradient.model.result import decimal
from autogradient.model.testcode import Statement, reachable, statements, without_magics

GRADER_CELL = 'import otter\n\ngrader = otter.Notebook(tests_dir="tests")'
NO_PROBE = (
    'def probe(function):\n    """Leave a probe as it is: here it runs beside your code '
    'anyway."""\n    return function'
)
#: The id of the cell that `publish` puts first for Google Colab. A grader never runs it.
COLAB_CELL = "colab-setup"
DROPPED = ("staff", "wrong", "right", "equivalent", "rubric", "helpers")
#: Shown for a locked cell whose points are earned after submission. It must return 0 to stock
#: nbgrader, which gives full marks to a cell that only prints.
HIDDEN_CELL = """# {points} more {noun} checked after you submit
import os

0 if os.environ.get("NBGRADER_EXECUTION") == "autograde" else print("{points} more {noun} checked after you submit.")"""  # noqa: E501


@dataclass
class Release:
    """The files of one release: relative path → bytes. The notebook is `<name>.ipynb`."""

    name: str
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def notebook(self) -> bytes:
        """The student notebook."""
        return self.files[f"{self.name}.ipynb"]


@dataclass(frozen=True)
class ReleasedCell:
    """A cell of the student notebook as released.

    `role` is answer, check, hidden, setup, given, grader or text; `target` the part or question it
    belongs to.
    """

    grade_id: str
    kind: str
    source: str
    role: str
    target: str


def build(assignment: Assignment, hidden_answers: dict[str, Any] | None = None) -> Release:
    """The release of an assignment.

    With `hidden_answers` (expected values of short answers by part id) it is a throw-away course
    for a stock grader instead: the `-hidden` cells run `tests/<part>-hidden.py`, which holds the
    hidden tests. Never publish that.
    """
    # first, so that none of them can take the place of a file of ours
    release = Release(assignment.name, dict(assignment.files))
    parity = hidden_answers is not None
    release.files[f"{assignment.name}.ipynb"] = _notebook(assignment, parity)
    for part in assignment.parts:
        if part.by_hand:
            continue
        release.files[f"tests/{part.id}.py"] = test_file(assignment, part, hidden=False).encode()
        if hidden_answers is not None and part.hidden_points:
            release.files[f"tests/{part.id}-hidden.py"] = test_file(
                assignment, part, hidden=True, expected=hidden_answers.get(part.id)
            ).encode()
    return release


def load(release: Release) -> dict[str, Any]:
    """The student notebook as plain JSON data."""
    notebook: dict[str, Any] = json.loads(release.notebook)
    return notebook


def write(release: Release, folder: Path) -> bool:
    """Make `folder` hold exactly the release. Whole or not at all. Returns whether anything
    changed.
    """
    if not difference(release, folder):
        return False
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        for name, data in release.files.items():
            target = temporary / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        os.chmod(temporary, 0o755)
        old = temporary.with_name(temporary.name + ".old")
        if folder.exists():
            folder.rename(old)
        try:
            temporary.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return True


def difference(release: Release, folder: Path) -> str:
    """How `folder` differs from the release, as a unified diff; "" where it does not. Jupyter's
    checkpoints do not count.
    """
    present = {
        str(p.relative_to(folder)): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and not _is_clutter(p.relative_to(folder))
    }
    out: list[str] = []
    for name in sorted(present.keys() | release.files.keys()):
        have, want = present.get(name), release.files.get(name)
        if have == want:
            continue
        try:
            old, new = ((data or b"").decode().splitlines() for data in (have, want))
            out += difflib.unified_diff(
                old, new, f"on disk/{name}", f"from source/{name}", lineterm="", n=1
            )
        except UnicodeDecodeError:
            out.append(f"binary file {name} differs")
    return "\n".join(out)


def _is_clutter(path: Path) -> bool:
    return (
        any(part in (".ipynb_checkpoints", "__pycache__") for part in path.parts)
        or path.name == ".OTTER_LOG"
    )


# ---- public tests --------------------------------------------------------------------------------


def test_file(
    assignment: Assignment, part: Part, *, hidden: bool | None, expected: Any = None
) -> str:
    """An otter test file (exception format) with the visible or the hidden cases of a part, able to
    stand alone.

    With None it has all of them, each marked as what it is: for a stock grader that keeps the
    hidden ones from students. Never publish that.

    A file without points would show "passed!" for anything, so where the visible cases carry none
    the first one gets a nominal point.
    """
    cases = [case for case in part.cases if hidden is None or case.hidden == hidden]
    pool = _pool(assignment, part)
    # a formula's cases are generated and have no decorator to know them by
    names = {case.name for case in cases}
    by_name = {name: statement for statement in pool for name in statement.binds & names}
    bodies: list[str] = []
    needed: set[str] = set()
    nominal = not any(case.points for case in cases)
    variable = part.names[0] if part.names else "answer"
    if not cases:  # a code part whose cases are all hidden still gets a check of its form
        bodies.append(
            _decorator(
                answer_kind.FORM_TITLE,
                1,
                False,
                f"Define {', '.join(part.names)} in the cell above.",
            )
            + (
                f"def {answer_kind.FORM_CASE}({', '.join(part.names)}):\n    assert None "
                f"not in ({', '.join(part.names)},), 'Run the cell with your answer first.'"
            )
        )
    for case in cases:
        points = Fraction(1) if nominal and case is cases[0] else case.points
        header = _decorator(
            case.title,
            decimal(points),
            hidden is None and case.hidden,
            case.failure_message,
            case.success_message,
        )
        if case.name in by_name:
            statement = by_name[case.name]
            bodies.append(header + _without_decorators(statement.source))
            needed |= statement.needs
            continue
        kind = short_answers.kind_of(part)
        body = f"def {case.name}({variable}):\n{kind.form_check(part)}"
        needed.add(kind.check.__name__)
        if case.name == answer_kind.ANSWER_CASE:
            body += (
                f"\n    assert is_right({part.kind!r}, {variable}, "
                f"{plain_value(expected)!r}, {kind.rules(part)!r})"
            )
            needed.add("is_right")
        bodies.append(header + body)
    if part.by_value:  # a formula's tests bring them along
        pool = statements(short_answers.form_text()) + pool
    used = [statement for statement in reachable(needed, pool) if not statement.case]
    all_needed = needed.union(*(statement.needs for statement in used))
    top: list[str] = []
    definitions: list[str] = []
    for statement in used:
        (top if re.match(r"(import|from) ", statement.source) else definitions).append(
            statement.source
        )
    if "secret" in all_needed:
        if "import numpy as np" not in top:
            top.append("import numpy as np")
        definitions.insert(0, f"secret = np.random.default_rng({_number(part.id)})")
    if "probe" in all_needed:
        definitions.insert(0, NO_PROBE)
    name = f"{part.id}-hidden" if hidden else part.id
    imports = sorted({"from otter.test_files import test_case", *top}, key=_import_order)
    head = ["OK_FORMAT = False", "\n".join(imports), f'name = "{name}"\npoints = None']
    return "\n\n\n".join(["\n\n".join(head), *definitions, *bodies]) + "\n"


def _pool(assignment: Assignment, part: Part) -> list[Statement]:
    """Every statement that a case of `part` may use, from the instructor's cells, in
    their order.
    """
    texts = [cell.source for cell in assignment.with_role("setup")]
    texts += [
        given_source(cell, assignment.seed)
        for cell in assignment.with_role("given")
        if cell.target in (part.question, part.id)
    ]
    texts += [cell.source for cell in assignment.with_role("helpers")]
    return [
        statement
        for text in [*texts, part.tests]
        if text.strip()
        for statement in statements(without_magics(text))
    ]


def _decorator(title: str, points: Any, hidden: bool, failure: str = "", success: str = "") -> str:
    extras = "".join(
        f", {key}={value!r}"
        for key, value in (("success_message", success), ("failure_message", failure))
        if value
    )
    return f"@test_case(name={title!r}, points={points!r}, hidden={hidden!r}{extras})\n"


def _without_decorators(source: str) -> str:
    return source[re.search(r"^(async )?def ", source, re.MULTILINE).start() :]  # type: ignore[union-attr]


def _import_order(line: str) -> tuple[bool, str, str]:
    return (
        "otter" in line or "torch" in line or "numpy" in line or "matplotlib" in line,
        line.split()[1],
        line,
    )


def _number(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)


def given_source(cell: Cell, seed: int) -> str:
    """A given cell with the course's seed written out at its top."""
    return f"seed = {seed}\n{cell.source}" if re.search(r"\bseed\b", cell.source) else cell.source


# ---- the notebook --------------------------------------------------------------------------------


@functools.lru_cache(maxsize=20)
def released_cells(assignment: Assignment) -> list[ReleasedCell]:
    """The cells of the student notebook that have an id, in order."""
    if assignment.format != "autogradient":
        return [
            ReleasedCell(
                cell.grade_id,
                cell.kind,
                cell.metadata.get("released", cell.source)
                if cell.role == "answer"
                else cell.source,
                cell.role,
                cell.target,
            )
            for cell in assignment.cells
            if cell.grade_id
        ]
    return _lay_down(assignment, parity=False, checksums=False).released


def former_ids(assignment: Assignment) -> dict[str, str]:
    """The ids that cells had before their questions were given others (`was`) → their present
    grade_id. Where a question stood in another assignment its cells were that one's.
    """
    owners = {
        name: question
        for question in assignment.questions
        for name in (question.id, *(part.id for part in question.parts))
    }
    found: dict[str, str] = {}
    for cell in released_cells(assignment):
        # Text without a role goes by the question or part that it stands below.
        stem = cell.target or cell.grade_id.rpartition("-n")[0]
        question = owners.get(stem)
        if question is not None and cell.grade_id.startswith(question.id):
            for old in question.was:
                if "/" not in old:
                    found.setdefault(old + cell.grade_id.removeprefix(question.id), cell.grade_id)
    return found


class _Notebook:
    """The cells of a student notebook as they are laid down, with nbgrader's metadata."""

    def __init__(self, checksums: bool) -> None:
        self.cells: list[dict[str, Any]] = []
        self.released: list[ReleasedCell] = []
        self.checksums = checksums
        self.counts: dict[str, int] = {}
        self.previous = "start"

    def numbered(self, stem: str) -> str:
        self.counts[stem] = self.counts.get(stem, 0) + 1
        return f"{stem}{self.counts[stem]}"

    def add(
        self,
        kind: str,
        source: str,
        grade_id: str,
        role: str,
        target: str = "",
        *,
        points: Fraction | None = None,
        of: Cell | None = None,
    ) -> None:
        """Lay down a cell; pictures pasted into `of`, the source's cell, go along."""
        solution = role == "answer"
        locked = not solution
        self.released.append(ReleasedCell(grade_id, kind, source, role, target))
        meta: dict[str, Any] = {
            "grade": points is not None,
            "grade_id": grade_id,
            "locked": locked,
            "schema_version": 3,
            "solution": solution,
            "task": False,
        }
        if points is not None:
            meta["points"] = decimal(points)
        cell: dict[str, Any] = {
            "cell_type": kind,
            "id": cell_id(grade_id),
            "metadata": {"nbgrader": meta},
            "source": source,
        }
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        if of is not None and "attachments" in of.metadata:
            cell["attachments"] = of.metadata["attachments"]
        if self.checksums:
            meta |= {"cell_type": kind, "checksum": checksum(cell)}
        if locked:
            cell["metadata"] |= {"deletable": False, "editable": False}
        if role == "hidden":  # nothing in it for a student to read; what it prints says all
            cell["metadata"]["jupyter"] = {"source_hidden": True}
        self.cells.append(cell)

    def scratch(self, source: str, name: str) -> None:
        self.cells.append(
            {
                "cell_type": "code",
                "id": cell_id(name),
                "metadata": {},
                "source": source,
                "execution_count": None,
                "outputs": [],
            }
        )


def checksum(cell: dict[str, Any]) -> str:
    """nbgrader's own checksum of a cell; it takes a second to import and only a release
    needs it.
    """
    from nbformat import from_dict
    from nbgrader.utils import compute_checksum

    return str(compute_checksum(from_dict(cell)))


def cell_id(grade_id: str) -> str:
    """The notebook cell's id: the grade_id, shortened where it is longer than the 64 characters a
    cell id may have.
    """
    return (
        grade_id
        if len(grade_id) <= 64
        else f"{grade_id[:52]}-{hashlib.sha256(grade_id.encode()).hexdigest()[:11]}"
    )


def _lay_down(assignment: Assignment, *, parity: bool, checksums: bool = True) -> _Notebook:
    book = _Notebook(checksums)
    parts = {part.id: part for part in assignment.parts}
    with_tests = {cell.target for cell in assignment.with_role("tests")}
    last_tests = {cell.target: cell.number for cell in assignment.with_role("tests")}
    setups = [cell.number for cell in assignment.with_role("setup")]
    grader_done = False
    for cell in assignment.cells:
        if not grader_done and (cell.role == "question" or (setups and cell.number > setups[-1])):
            book.add("code", GRADER_CELL, "grader-setup", "grader")
            grader_done = True
        if cell.role == "question":
            book.add("markdown", cell.source, f"{cell.target}-text", "text", cell.target, of=cell)
            book.previous = cell.target
        elif cell.role == "text" and cell.source.strip():
            book.add("markdown", cell.source, book.numbered(f"{book.previous}-n"), "text", of=cell)
        elif cell.role == "scratch":
            book.scratch(cell.source, book.numbered(f"{book.previous}-c"))
        elif cell.role == "setup":
            book.add(
                "code",
                cell.source,
                "setup" if len(setups) == 1 else book.numbered("setup"),
                "setup",
            )
        elif cell.role == "given":
            stem = book.numbered(f"{cell.target}-given")
            book.add(
                "code",
                given_source(cell, assignment.seed),
                stem.removesuffix("1") if stem.endswith("given1") else stem,
                "given",
                cell.target,
            )
        elif cell.role == "hint":
            grade_id = book.numbered(f"{cell.target}-hint")
            several = sum(1 for _ in assignment.with_role("hint", target=cell.target)) > 1
            name = f"Hint {book.counts[f'{cell.target}-hint']}" if several else "Hint"
            book.add(
                "markdown",
                f"<details><summary>{name}</summary>\n\n{cell.source}\n\n</details>",
                grade_id,
                "text",
                cell.target,
                of=cell,
            )
        elif cell.role == "answer" and cell.target in parts:
            part = parts[cell.target]
            book.previous = part.id
            _answer(book, part)
            if part.id not in with_tests:
                _checks(book, part, parity)
        elif (
            cell.role == "tests" and last_tests[cell.target] == cell.number and cell.target in parts
        ):
            _checks(book, parts[cell.target], parity)
    return book


def _notebook(assignment: Assignment, parity: bool) -> bytes:
    data = {
        "cells": _lay_down(assignment, parity=parity).cells,
        "metadata": {
            "autogradient": {"assignment": assignment.name, "format": 1},
            "kernelspec": assignment.kernelspec,
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return (json.dumps(data, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def _answer(book: _Notebook, part: Part) -> None:
    options = part.declaration.options
    if part.by_hand:
        book.add("markdown", part.stub, f"{part.id}-answer", "answer", part.id, points=part.points)
        return
    if options:
        rows = (
            [f"- **{letter}** · {text}" for letter, text in options.items()]
            if isinstance(options, dict)
            else [f"{i}. {text}" for i, text in enumerate(options, 1)]
        )
        book.add(
            "markdown",
            "\n".join([short_answers.kind_of(part).how_many, "", *rows]),
            f"{part.id}-options",
            "text",
            part.id,
        )
    book.add("code", part.stub, f"{part.id}-answer", "answer", part.id)


def _checks(book: _Notebook, part: Part, parity: bool) -> None:
    if part.by_hand:
        return
    visible, hidden = part.visible_points, part.hidden_points
    if visible:
        book.add(
            "code",
            f'display(_check := grader.check("{part.id}"))\n{show_points(visible)} * _check.grade',
            part.id,
            "check",
            part.id,
            points=visible,
        )
    else:
        book.add("code", f'grader.check("{part.id}")', part.id, "check", part.id)
    if hidden:
        noun = "point is" if hidden == 1 else "points are"
        text = HIDDEN_CELL.format(points=show_points(hidden), noun=noun)
        if parity:
            text = (
                "display(_check := "
                f'grader.check("{part.id}-hidden"))\n{show_points(hidden)} * _check.grade'
            )
        book.add("code", text, f"{part.id}-hidden", "hidden", part.id, points=hidden)
