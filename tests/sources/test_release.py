"""What students get: the same bytes from the same source, in metadata that nbgrader accepts, whole
or not at all.
"""

from __future__ import annotations

import ast
import functools
import json
import os
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import numpy as np
import pytest
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.utils import compute_checksum, is_grade, is_locked, is_solution
from small_source import TEXT, changed, new_course, read, write

from autogradient.coursework import release_course
from autogradient.errors import StaleError
from autogradient.model.assignment import Assignment
from autogradient.sources import public_tests, release, source

SOURCES = Path(__file__).parents[2] / "source"


def small() -> Assignment:
    return read()


@functools.cache
def load(name: str) -> Assignment:
    return read() if name == "small" else source.load(SOURCES / name, seed=2026)


every = pytest.mark.parametrize("name", ["small", "perceptrons", "activations", "gpu"])


@functools.cache
def released(name: str) -> Any:
    return notebook_of(load(name))


def notebook_of(assignment: Assignment) -> Any:
    return nbformat.reads(release.build(assignment).notebook.decode(), as_version=4)


def by_id(notebook: Any) -> dict[str, Any]:
    """Cells by their nbgrader id."""
    return {
        cell.metadata.nbgrader.grade_id: cell
        for cell in notebook.cells
        if "nbgrader" in cell.metadata
    }


@every
def test_the_same_source_gives_the_same_bytes(name: str) -> None:
    again = read() if name == "small" else source.load(SOURCES / name, seed=2026)
    assert release.build(load(name)).files == release.build(again).files


def test_the_same_bytes_in_every_process() -> None:
    """Sets are ordered differently from one process to the next; a release must not be."""
    code = (
        "import hashlib, sys; from autogradient.sources import release, source\n"
        "for path in sys.argv[1:]:\n"
        "    for name, data in sorted(release.build(source.load(path, seed=1)).files.items()): "
        "print(name, hashlib.sha256(data).hexdigest())\n"
    )
    paths = [str(SOURCES / name) for name in ("perceptrons", "activations", "gpu")]
    seen = set()
    for seed in ("1", "2", "3"):
        seen.add(
            subprocess.run(
                [sys.executable, "-c", code, *paths],
                env={**os.environ, "PYTHONHASHSEED": seed},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
    assert len(seen) == 1


@every
def test_nbgrader_and_nbformat_find_nothing_wrong(name: str) -> None:
    notebook = released(name)
    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)
    ids = [
        cell.metadata.nbgrader.grade_id for cell in notebook.cells if "nbgrader" in cell.metadata
    ]
    assert [word for word, count in Counter(ids).items() if count > 1] == []
    assert [
        word for word, count in Counter(cell.id for cell in notebook.cells).items() if count > 1
    ] == []


@every
def test_checksums_are_nbgraders_own(name: str) -> None:
    cells = by_id(released(name)).values()
    assert [cell.metadata.nbgrader.checksum for cell in cells] == [
        compute_checksum(cell) for cell in cells
    ]


@every
def test_points_of_grade_cells_add_up_exactly(name: str) -> None:
    assignment = load(name)
    cells = by_id(released(name))
    for part in assignment.parts:
        ids = [f"{part.id}-answer"] if part.by_hand else [part.id, f"{part.id}-hidden"]
        points = [
            Fraction(str(cells[i].metadata.nbgrader.get("points", 0))) for i in ids if i in cells
        ]
        assert sum(points) == part.points, part.id
        if not part.by_hand:
            assert points[0] == part.visible_points
    # stock validate crashes on them
    assert not [
        cell.source
        for cell in cells.values()
        if is_grade(cell) and not cell.metadata.nbgrader.points
    ]


@every
def test_only_answers_can_be_edited(name: str) -> None:
    for grade_id, cell in by_id(released(name)).items():
        is_answer = grade_id.endswith("-answer")
        assert is_solution(cell) is is_answer
        assert is_locked(cell) is not is_answer or is_grade(cell)
        assert (
            cell.metadata.get("editable", True) is is_answer
            and cell.metadata.get("deletable", True) is is_answer
        )


@every
def test_stubs_hold_the_places_of_the_answers(name: str) -> None:
    assignment = load(name)
    cells = by_id(released(name))
    for part in assignment.parts:
        assert cells[f"{part.id}-answer"].source == part.stub != part.solution
        if part.kind != "essay":
            ast.parse(part.stub)


@every
def test_public_tests_stand_alone(name: str) -> None:
    """They are otter's exception format, need nothing but otter, NumPy, torch and matplotlib, and
    hold every name they use.
    """
    assignment = load(name)
    from autogradient.model.testcode import bound_names, needed_names

    for part in (part for part in assignment.parts if not part.by_hand):
        text = public_tests.test_file(assignment, part, hidden=False)
        assert text.startswith("OK_FORMAT = False\n")
        assert needed_names(text) <= set(bound_names(text))
        modules = {
            node.module if isinstance(node, ast.ImportFrom) else alias.name
            for node in ast.walk(ast.parse(text))
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for alias in node.names
        }
        assert {str(module).split(".")[0] for module in modules} <= {
            "otter",
            "numpy",
            "torch",
            "matplotlib",
            *sys.stdlib_module_names,
        }


def test_the_cells_in_their_order() -> None:
    assert list(by_id(notebook_of(small())))[:14] == [
        "start-n1",
        "setup",
        "grader-setup",
        "and-gate-text",
        "and-gate-given",
        "and-gate-answer",
        "and-gate",
        "and-gate-hidden",
        "and-gate-hint1",
        "sums-text",
        "sums-p1-options",
        "sums-p1-answer",
        "sums-p1",
        "sums-p1-hidden",
    ]


def test_checks_show_visible_points_only() -> None:
    cells = by_id(notebook_of(small()))
    assert (
        cells["and-gate"].source == 'display(_check := grader.check("and-gate"))\n1 * _check.grade'
    )
    assert (
        cells["sums-p4"].source == 'grader.check("sums-p4")'
        and not cells["sums-p4"].metadata.nbgrader.grade
    )
    assert 'print("2 more points are checked after you submit.")' in cells["and-gate-hidden"].source
    assert 'print("1 more point is checked after you submit.")' in cells["sums-p4-hidden"].source


def test_halves_and_tenths_are_written_as_they_are() -> None:
    cells = by_id(
        notebook_of(read(changed(("points=1, ", "points=0.1, "), ("points=2, ", "points=0.25, "))))
    )
    assert (
        cells["and-gate"].metadata.nbgrader.points,
        cells["and-gate-hidden"].metadata.nbgrader.points,
    ) == (0.1, 0.25)
    assert cells["and-gate"].source.endswith("0.1 * _check.grade")


def test_options_are_listed_above_the_answer() -> None:
    cells = by_id(notebook_of(small()))
    assert cells["sums-p1-options"].source == (
        "*Choose one.*\n\n- **a** · the step\n- **b** · the sigmoid\n- **c** · no function at all"
    )
    assert (
        cells["sums-p3-options"].source
        == "*True or false, one by one:*\n\n1. a bias moves the line\n2. a bias turns the line"
    )


def test_given_cells_hold_the_courses_seed() -> None:
    assert by_id(notebook_of(read(seed=2031)))["and-gate-given"].source.startswith("seed = 2031\n")


def test_public_files_hold_no_hidden_case_and_throw_away_ones_do() -> None:
    assignment = small()
    public, parity = (
        release.build(assignment),
        release.build(assignment, {"sums-p1": "b", "sums-p4": 2.5}),
    )
    assert "noisy" not in public.files["tests/and-gate.py"].decode() and not [
        name for name in public.files if "hidden" in name
    ]
    assert (
        "def test_noisy_inputs(and_gate, margin):"
        in parity.files["tests/and-gate-hidden.py"].decode()
    )
    assert "is_right('number', total, 2.5, " in parity.files["tests/sums-p4-hidden.py"].decode()
    assert by_id(nbformat.reads(parity.notebook.decode(), as_version=4))[
        "and-gate-hidden"
    ].source == ('display(_check := grader.check("and-gate-hidden"))\n2 * _check.grade')


def test_computed_arrays_are_written_out_in_throw_away_courses() -> None:
    assignment = read(changed(("total = 2.5  # SOLUTION", "total = np.eye(2) / 3  # SOLUTION")))
    text = (
        release.build(assignment, {"sums-p4": np.eye(2) / 3})
        .files["tests/sums-p4-hidden.py"]
        .decode()
    )
    assert (
        "is_right('number', total, ((0.3333333333333333, 0.0), (0.0, 0.3333333333333333)), " in text
    )
    ast.parse(text)


def test_a_part_with_hidden_points_only_has_a_check_of_its_form() -> None:
    text = changed(("@test_case(points=1, failure", "@test_case(points=1, hidden=True, failure"))
    cells = by_id(notebook_of(read(text)))
    assert (
        cells["and-gate"].source == 'grader.check("and-gate")'
        and cells["and-gate-hidden"].metadata.nbgrader.points == 3
    )
    public = release.build(read(text)).files["tests/and-gate.py"].decode()
    assert (
        "@test_case(name='form of the answer', points=1, hidden=False, "
        "failure_message='Define and_gate in the cell above.')" in public
    )


def test_figures_and_data_are_copied_and_private_files_are_not(tmp_path: Path) -> None:
    path = write(tmp_path)
    for name in (
        "neuron.svg",
        "data/points.csv",
        "figures.py",
        "proof.json",
        ".hidden",
        "gates.ipynb",
    ):
        (path.parent / name).parent.mkdir(exist_ok=True)
        (path.parent / name).write_text(f"<svg>{name}</svg>")
    files = release.build(source.load(path)).files
    assert (
        files["neuron.svg"] == b"<svg>neuron.svg</svg>"
        and files["data/points.csv"] == b"<svg>data/points.csv</svg>"
    )
    assert {name for name in files if not name.startswith("tests/")} == {
        "gates.ipynb",
        "neuron.svg",
        "data/points.csv",
    }
    assert json.loads(files["gates.ipynb"])["cells"]


def test_pictures_pasted_into_a_notebook_go_along(tmp_path: Path) -> None:
    book = jupytext.reads(TEXT, fmt="py:percent")
    pasted = {"image.png": {"image/png": "iVBORw0KGgo="}}
    for cell in book.cells:
        if (
            "question: and-gate" in cell.source
            or "hint: and-gate" in cell.source
            or cell.source.startswith("# Gates")
        ):
            cell.attachments = pasted
    made = notebook_of(source.read(nbformat.writes(book), tmp_path / "gates.ipynb"))
    nbformat.validate(made)
    assert [c.metadata.nbgrader.grade_id for c in made.cells if c.get("attachments") == pasted] == [
        "start-n1",
        "and-gate-text",
        "and-gate-hint1",
    ]


def test_a_file_beside_the_source_cannot_take_the_place_of_a_generated_one(tmp_path: Path) -> None:
    path = write(tmp_path)
    (path.parent / "tests").mkdir()
    (path.parent / "tests" / "and-gate.py").write_text("nothing is tested")
    assert b"nothing is tested" not in release.build(source.load(path)).files["tests/and-gate.py"]


# ---- on disk -------------------------------------------------------------------------------------


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_writing_makes_the_folder_exactly_the_release(tmp_path: Path) -> None:
    built, folder = release.build(small()), tmp_path / "release" / "gates"
    assert release.write(built, folder) is True
    assert snapshot(folder) == built.files
    (folder / "stale.txt").write_text("old")
    (folder / "tests" / "and-gate.py").unlink()
    assert release.write(built, folder) is True
    assert snapshot(folder) == built.files
    assert release.write(built, folder) is False
    assert [path.name for path in folder.parent.iterdir()] == ["gates"]


def test_writing_is_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "gates"
    release.write(release.build(small()), folder)
    before = snapshot(folder)
    newer = release.build(read(changed(("points=2", "points=3"))))

    original = Path.write_bytes
    written = []

    def write_some(self: Path, data: bytes) -> int:
        written.append(self)
        if len(written) > 3:
            raise OSError("no space left on device")
        return original(self, data)

    monkeypatch.setattr(Path, "write_bytes", write_some)
    with pytest.raises(OSError, match="no space left"):
        release.write(newer, folder)
    assert snapshot(folder) == before and [path.name for path in tmp_path.iterdir()] == ["gates"]
    monkeypatch.undo()

    rename = Path.rename

    def refuse(self: Path, target: Any) -> Path:
        if self.name.startswith(".gates") and not self.name.endswith(".old"):
            raise OSError("device busy")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="busy"):
        release.write(newer, folder)
    assert snapshot(folder) == before and [path.name for path in tmp_path.iterdir()] == ["gates"]


def test_the_difference_names_what_changed(tmp_path: Path) -> None:
    folder = tmp_path / "gates"
    built = release.build(small())
    assert release.difference(built, folder).startswith(
        "--- on disk/gates.ipynb\n+++ from source/gates.ipynb\n"
    )
    release.write(built, folder)
    assert release.difference(built, folder) == ""
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "gates-checkpoint.ipynb").write_text("{}")
    (folder / ".OTTER_LOG").write_text("log")
    assert release.difference(built, folder) == ""
    (folder / "tests" / "and-gate.py").write_text("name = 'and-gate'\n")
    (folder / "extra.bin").write_bytes(b"\xff\xfe\x00")
    difference = release.difference(built, folder)
    assert (
        "binary file extra.bin differs" in difference
        and "--- on disk/tests/and-gate.py" in difference
    )
    assert "-name = 'and-gate'" in difference and "+OK_FORMAT = False" in difference


def test_a_stale_release_is_shown_as_a_difference(tmp_path: Path) -> None:
    course = new_course(tmp_path)
    release_course.write_release(course, course.assignment("gates"), unproved=True)
    release_course.check_release(course, course.assignment("gates"))
    write(tmp_path / "source", changed(("Only (1, 1) may fire.", "Only two ones may fire.")))
    with pytest.raises(StaleError) as caught:
        release_course.check_release(course, course.assignment("gates"))
    first, *rest = str(caught.value).split("\n")
    assert first == "release/gates is not what the source gives; run 'autogradient release gates'"
    assert "--- on disk/tests/and-gate.py" in rest
    assert [line for line in rest if line.startswith(("-@", "+@"))] == [
        (
            "-@test_case(name='truth table', points=1, hidden=False, failure_message='Only "
            "(1, 1) may fire.')"
        ),
        (
            "+@test_case(name='truth table', points=1, hidden=False, failure_message='Only "
            "two ones may fire.')"
        ),
    ]


def test_released_folders_can_be_read_by_others(tmp_path: Path) -> None:
    release.write(release.build(small()), tmp_path / "gates")
    assert oct((tmp_path / "gates").stat().st_mode & 0o777) == "0o755"
    assert os.access(tmp_path / "gates" / "tests", os.X_OK)
