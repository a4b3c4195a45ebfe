"""New sources are complete, and formatting changes what it should and nothing else."""

from __future__ import annotations

from pathlib import Path

import jupytext
import nbformat
import pytest

from autogradient import errors
from autogradient.grading.engine import Engine
from autogradient.model.assignment import Assignment
from autogradient.proving.prove import prove
from autogradient.sources import leaks, messages, release, scaffold, source

ROOT = Path(__file__).parents[2]
#: Everything that `fmt` mends, in one text.
UNTIDY = '''# ---
# jupyter:
#   jupytext:
#     notebook_metadata_filter: autogradient
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
#   autogradient:
#     title: 'Gates: a beginning'
#     prerequisites:
#     - numpy-warmup
#     - plots
#     limits:
#       cell_s: 5
#     format: 1
#     allow:
#     - because: everybody says so
#       text: a neuron
# ---



# %% [markdown]
# # Gates: a beginning
#
# Two spaces··
# are a line break, one is not a word.···
#···
# %% [markdown]
# <!--|question: gate,covers: [one, "two, three"],   level: E-->
# Write a gate.
# %%
#|answer:   gate
#| points: 1.5
#| kind: code
# a comment that stays
def gate(a, b):···
    """Text with spaces···
    at line ends."""
    ### BEGIN SOLUTION
    return int(a + b > 1)    # so do I

    ### END SOLUTION


# %%
#| tests: gate

@test_case(points=1.5)
def test_it(gate):
    assert gate(1, 1) == 1
# %%
#| wrong: gate
#| earns: 0
#| because: it says: "always",
#|   and means it
def gate(a, b):
    return 0
# %%
#| answer: gate-2
#| options: {
#|   a: "one",
#|
#|   b: "two"}
#| points: 1
#| kind: choice
x = "a"  # SOLUTION
# %% [markdown]
# <!--| answer: why,
#       points: 2,
#       kind: essay -->
# Because.'''.replace("·", " ")

TIDY = '''# ---
# jupyter:
#   autogradient:
#     format: 1
#     title: 'Gates: a beginning'
#     prerequisites: [numpy-warmup, plots]
#     limits: {cell_s: 5}
#     allow:
#     - {because: everybody says so, text: a neuron}
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Gates: a beginning
#
# Two spaces··
# are a line break, one is not a word.···
#

# %% [markdown]
# <!--| question: gate, level: E, covers: [one, "two, three"] -->
# Write a gate.

# %%
#| staff
# %load_ext autogradient.authoring

# %%
#| answer: gate
#| kind: code
#| points: 1.5
# a comment that stays
def gate(a, b):
    """Text with spaces···
    at line ends."""
    ### BEGIN SOLUTION
    return int(a + b > 1)    # so do I

    ### END SOLUTION

# %%
#| tests: gate

@test_case(points=1.5)
def test_it(gate):
    assert gate(1, 1) == 1

# %%
#| wrong: gate
#| because: it says: "always",
#|   and means it
#| earns: 0
def gate(a, b):
    return 0

# %%
#| answer: gate-2
#| kind: choice
#| points: 1
#| options: {
#|   a: "one",
#|
#|   b: "two"}
x = "a"  # SOLUTION

# %% [markdown]
# <!--| answer: why, kind: essay, points: 2 -->
# Because.
'''.replace("·", " ")


@pytest.fixture
def made(tmp_path: Path) -> Assignment:
    """A source just made by `new`."""
    return source.load(scaffold.new(tmp_path, "my-first", 'Losses: "how far off?"'))


# ---- new -----------------------------------------------------------------------------------------


def test_new_is_complete(made: Assignment, tmp_path: Path) -> None:
    assert made.path == tmp_path / "source" / "my-first" / "my-first.py"
    assert made.title == 'Losses: "how far off?"'
    assert [(part.id, part.kind) for part in made.parts] == [
        ("my-first-sign", "choice"),
        ("my-first-mse", "code"),
        ("my-first-outlier", "essay"),
    ]
    assert [case.hidden for case in made.part("my-first-mse").cases] == [False, True]
    assert (
        made.part("my-first-mse").wrong
        and made.part("my-first-mse").right
        and made.part("my-first-outlier").rubric
    )
    assert scaffold.fmt(made.path, check=True) == ""
    assert sorted(path.name for path in (tmp_path / "source").iterdir()) == ["my-first"]


def test_new_is_proved(made: Assignment, engine: Engine) -> None:
    proof = prove(made, engine)
    assert proof.proved, proof.to_dict()


def test_new_releases_without_leaks(made: Assignment) -> None:
    built = release.build(made)
    assert set(built.files) == {"my-first.ipynb", "tests/my-first-sign.py", "tests/my-first-mse.py"}
    assert leaks.find_leaks(made, built) == []


def test_title_follows_from_the_name(tmp_path: Path) -> None:
    assert source.load(scaffold.new(tmp_path, "loss-functions")).title == "Loss functions"


@pytest.mark.parametrize("name", ["Gates", "1st", "a_b", "a b", "", "../a", "a-", "a--b", "é"])
def test_new_refuses_bad_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(errors.CourseError, match="is no valid id"):
        scaffold.new(tmp_path, name)
    assert not list(tmp_path.iterdir())


def test_new_refuses_reserved_and_existing_names(tmp_path: Path) -> None:
    with pytest.raises(errors.CourseError) as found:
        scaffold.new(tmp_path, "my-answer")
    assert str(found.value) == messages.RESERVED_ID.format(id="my-answer", suffix="-answer")
    folder = tmp_path / "source" / "gates"
    folder.mkdir(parents=True)
    with pytest.raises(errors.CourseError) as found:
        scaffold.new(tmp_path, "gates")
    assert str(found.value) == messages.EXISTS.format(path=folder)
    assert not list(folder.iterdir())


# ---- fmt -----------------------------------------------------------------------------------------


def test_untidy_becomes_tidy() -> None:
    path = Path("gates.py")
    assert scaffold.normalised(UNTIDY, path) == TIDY
    assert scaffold.normalised(TIDY, path) == TIDY


def test_trailing_white_space_goes_where_python_does_not_mind() -> None:
    text = (
        "# %%\n#| staff\n# %load_ext autogradient.authoring\n\n# %%\nx = 1   \n# why "
        '\n\n\n# %%\ny = """a  \n"""   \n'
    )
    assert scaffold.normalised(text, Path("x.py")) == text.replace(
        "x = 1   \n# why \n\n\n", "x = 1\n# why\n\n"
    ).replace("   \n", "\n")


def test_broken_front_matter_is_a_mistake() -> None:
    with pytest.raises(errors.SourceErrors):
        scaffold.normalised(
            "# ---\n# jupyter:\n#   autogradient: [\n# ---\n\n# %%\nx = 1\n", Path("x.py")
        )


@pytest.mark.parametrize("name", ["perceptrons", "activations", "gpu"])
def test_the_courses_own_sources_are_formatted(name: str) -> None:
    assert scaffold.fmt(ROOT / "source" / name, check=True) == ""


def test_fmt_writes_only_changes(tmp_path: Path) -> None:
    path = tmp_path / "gates.py"
    path.write_text(UNTIDY)
    difference = scaffold.fmt(path, check=True)
    assert "-#|answer:   gate" in difference and "+#| answer: gate" in difference
    assert path.read_text() == UNTIDY
    assert scaffold.fmt(path) == difference
    assert path.read_text() == TIDY
    path.chmod(0o444)
    stamp = path.stat().st_mtime_ns
    assert scaffold.fmt(tmp_path) == ""
    assert path.stat().st_mtime_ns == stamp


def test_broken_directives_are_left_alone() -> None:
    text = (
        "# ---\n# jupyter: [1]\n# ---\n\n# %%\n#| staff\n# %load_ext autogradient.authoring\n\n"
        "# %%\n#|tests: gate\n#|wrogn: 1\nx = 1\n\n# %% [markdown]\n# <!--|rubric: [-->\n# - [1] "
        "x: y\n"
    )
    assert scaffold.normalised(text, Path("x.py")) == text


def test_comments_in_the_front_matter_survive() -> None:
    header = (
        "# ---\n# jupyter:\n#   autogradient:\n#     title: T  # a remark\n#     format: 1\n# ---\n"
    )
    cells = "\n# %%\n#| staff\n# %load_ext autogradient.authoring\n"
    assert scaffold.normalised(header + cells, Path("x.py")) == header + cells


def test_triple_quoted_and_raw_cells_survive() -> None:
    text = (
        "# %%\n#| staff\n# %load_ext autogradient.authoring\n\n"
        '# %% [markdown]\n"""\n<!--|question: gate-->\nText.\n"""\n\n# %% [raw]\n# raw '
        '<!--|x-->\n\n# %%\n# %%time\nx = 1\n\n# %% [markdown] tags=["a"]\n# More.\n'
    )
    assert scaffold.normalised(text, Path("x.py")) == text


def test_unreadable_source() -> None:
    with pytest.raises(errors.SourceErrors, match="this is not a notebook"):
        scaffold.normalised("{", Path("x.ipynb"))


def test_loss_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaffold, "_code", lambda text: text.replace("x = 1", "x = 2"))
    with pytest.raises(errors.AutogradientError, match="cell 2"):
        scaffold.normalised(
            "# %%\n#| staff\n# %load_ext autogradient.authoring\n\n# %%\nx = 1\n", Path("x.py")
        )


# ---- both ways through Jupytext ------------------------------------------------------------------


def same(one: Assignment, other: Assignment) -> bool:
    """Whether two sources say the same, whatever kind of file they stand in."""
    content = [
        [(cell.role, cell.target, cell.kind, cell.source, cell.keys) for cell in assignment.cells]
        for assignment in (one, other)
    ]
    return content[0] == content[1] and one.digest == other.digest and one.title == other.title


@pytest.mark.parametrize("name", ["perceptrons", "activations", "gpu", "my-first"])
def test_sources_survive_jupytext_both_ways(tmp_path: Path, name: str) -> None:
    path = (
        scaffold.new(tmp_path, name)
        if name == "my-first"
        else ROOT / "source" / name / f"{name}.py"
    )
    text = path.read_text()
    there = tmp_path / f"{name}.ipynb"
    jupytext.write(jupytext.read(path), there)
    first, second = source.read(text, path), source.read(there.read_text(), there)
    assert same(first, second)
    assert scaffold.fmt(there, check=True) == ""
    back = tmp_path / f"{name}.py"
    jupytext.write(jupytext.read(there), back, fmt="py:percent")
    assert same(first, source.read(back.read_text(), back))
    assert scaffold.normalised(back.read_text(), back) == text


def test_ipynb_is_formatted_cell_by_cell(tmp_path: Path) -> None:
    path = tmp_path / "gates.ipynb"
    notebook = jupytext.reads(UNTIDY, fmt="py:percent")
    notebook.cells = [cell for cell in notebook.cells if cell.source]
    code = next(i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code")
    notebook.cells[code].outputs = [nbformat.v4.new_output("stream", text="kept")]
    nbformat.write(notebook, path)
    assert scaffold.fmt(path)
    after = nbformat.read(path, as_version=4)
    nbformat.validate(after)
    assert [cell.source for cell in after.cells] == [
        cell.source for cell in jupytext.reads(TIDY, fmt="py:percent").cells
    ]
    assert after.cells[code + 1].outputs[0].text == "kept"
    assert after.metadata.autogradient == notebook.metadata.autogradient
    stamp = path.stat().st_mtime_ns
    assert scaffold.fmt(path) == "" and path.stat().st_mtime_ns == stamp
