"""What instructor notebooks may say: the grammar's fine print, exact points, both file formats."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import jupytext
import nbformat
import pytest
from small_source import TEXT, changed, read, write

from autogradient.sources import directives, solutions, source
from autogradient.sources.public_tests import given_source
from autogradient.sources.release import build, load


def test_the_model_of_a_whole_source() -> None:
    assignment = read()
    assert (assignment.name, assignment.title, assignment.minutes, assignment.format) == (
        "gates",
        "Gates",
        20,
        "autogradient",
    )
    assert (assignment.limits.cell_s, assignment.limits.case_s, assignment.limits.memory_mb) == (
        5,
        2,
        4096,
    )
    assert [(q.id, q.level, q.minutes, q.covers, q.points) for q in assignment.questions] == [
        ("and-gate", "E", 10, (), 3),
        ("sums", "M", 5, ("adding",), Fraction(13, 2)),
        ("why", "H", 5, (), 2),
    ]
    assert assignment.points == Fraction(23, 2)
    assert [part.kind for part in assignment.parts] == [
        "code",
        "choice",
        "choose-all",
        "true-false",
        "number",
        "shape",
        "text",
        "formula",
        "essay",
    ]
    gate = assignment.part("and-gate")
    assert [(c.name, c.title, c.points, c.hidden) for c in gate.cases] == [
        ("test_truth_table", "truth table", 1, False),
        ("test_noisy_inputs", "noisy inputs", 2, True),
    ]
    assert gate.cases[1].failure_message == "One line must separate (1, 1) from the rest."
    assert (gate.visible_points, gate.hidden_points, gate.names) == (1, 2, ("and_gate",))
    assert [v.because for v in gate.wrong + gate.right] == [
        "it fires when either input is 1",
        "the least of the two decides",
    ]
    assert [(e.before, e.after, e.because) for e in gate.equivalents] == [
        (
            "return int(a + b - 1.5 > 0)",
            "return int(a + b - 1.5 >= 0)",
            "no input lies exactly on the line",
        )
    ]
    assert [(item.points, item.name, item.text) for item in assignment.part("why").rubric] == [
        (1, "crosswise", "says how the corners lie"),
        (1, "one-line", "says that one line is too few"),
    ]


def test_stubs_keep_signature_and_docstring() -> None:
    assert read().part("and-gate").stub == (
        'def and_gate(a, b):\n    """Return 1 if both inputs are 1, else 0."""\n    # '
        "Your code here\n    ..."
    )
    assert read().part("sums-p4").stub == "total = ..."


@pytest.mark.parametrize(
    ("line", "stub"),
    [
        ('colour = "#fff"  # SOLUTION', "colour = ..."),
        ("total: float = 1 / 3  # SOLUTION", "total: float = ..."),
        ("same = a == b  # SOLUTION", "same = ..."),
        ("best = max(values, key=abs) # SOLUTION", "best = ..."),
        ('    table["row"] = [1]  # SOLUTION', '    table["row"] = ...'),
        ("first, second = 1, 2  # SOLUTION", "first, second = ..."),
    ],
)
def test_solution_lines(line: str, stub: str) -> None:
    assert solutions.strip_solution(line) == stub


# ---- directives ----------------------------------------------------------------------------------


def keys(text: str, kind: str = "code") -> dict[str, object]:
    """The keys of a directive that is in order."""
    found = directives.parse(text, kind)
    assert not found.problems
    return found.keys


def test_values_may_go_on_in_the_next_line() -> None:
    text = (
        "#| answer: x\n#| options: {a: one,\n#|   b: two,\n#|   c: 'three: four'}\n#| kind: "
        "choice\nx = 'a'  # SOLUTION"
    )
    assert keys(text) == {"options": {"a": "one", "b": "two", "c": "three: four"}, "kind": "choice"}


def test_because_runs_raw_to_the_end_of_its_line() -> None:
    assert keys("#| wrong: x\n#| because: it adds: {a} and 'b', # and [c\nx = 1") == {
        "because": "it adds: {a} and 'b', # and [c"
    }
    assert keys("#| wrong: x\n#| because: it goes\n#|   on\nx = 1") == {"because": "it goes on"}


def test_because_of_a_short_answer_is_a_mapping() -> None:
    assert keys(
        '#| answer: x\n#| because: {"[2.5, 3.5]": "no: bias", 7: seven}\nx = 1  # SOLUTION'
    ) == {"because": {"[2.5, 3.5]": "no: bias", 7: "seven"}}


def test_words_for_people_are_not_yaml_values() -> None:
    text = (
        "#| answer: x\n#| options: {a: no, b: 1.10, c: 2026-01-01, n: yes}\n#| accept: [no, "
        "1.10, 007, null]\nx = 'a'  # SOLUTION"
    )
    assert keys(text) == {
        "options": {"a": "no", "b": "1.10", "c": "2026-01-01", "n": "yes"},
        "accept": ["no", "1.10", "007", "null"],
    }


def test_numbers_with_a_point_are_kept_as_written() -> None:
    assert keys("#| answer: x\n#| points: 0.10\nx = 1  # SOLUTION") == {"points": "0.10"}
    assert keys("<!--| answer: x, points: 0.10 -->\nwords", "markdown") == {"points": "0.10"}


def test_markdown_directives_may_take_several_lines() -> None:
    found = directives.parse(
        "<!--| question: x, level: E,\n      covers: [a, b] -->\n\nWords.", "markdown"
    )
    assert (found.role, found.target, found.keys, found.body, found.above) == (
        "question",
        "x",
        {"level": "E", "covers": ["a", "b"]},
        "Words.",
        3,
    )


def test_a_directive_is_the_inverse_of_its_text() -> None:
    for kind, text in (
        ("code", "#| answer: x\n#| kind: number\n#| tol: 1e-3"),
        ("markdown", "<!--| question: x, level: E -->"),
    ):
        found = directives.parse(text, kind)
        assert (
            directives.render(
                found.role,
                found.target,
                {key: str(value) for key, value in found.keys.items()},
                kind,
            )
            == text
        )


def test_an_exclamation_or_magic_line_is_no_syntax_error() -> None:
    text = changed(("import numpy as np\n", "%matplotlib inline\n!true\nimport numpy as np\n"))
    assert [cell.source for cell in read(text).with_role("setup")] == [
        "%matplotlib inline\n!true\nimport numpy as np"
    ]


# ---- points --------------------------------------------------------------------------------------


def test_points_are_exact() -> None:
    part = read(changed(("points=1, ", "points=0.1, "), ("points=2, ", "points=0.2, "))).part(
        "and-gate"
    )
    assert part.points == Fraction(3, 10) and part.hidden_points == Fraction(1, 5)
    assert (
        read(changed(("#| answer: and-gate\n", "#| answer: and-gate\n#| points: 3.00\n")))
        .part("and-gate")
        .points
        == 3
    )


def test_several_tests_cells_make_one_part() -> None:
    parted = changed(("@test_case(points=2,", "# %%\n#| tests: and-gate\n@test_case(points=2,"))
    assert [case.name for case in read(parted).part("and-gate").cases] == [
        "test_truth_table",
        "test_noisy_inputs",
    ]


# ---- cells ---------------------------------------------------------------------------------------


def test_given_data_are_drawn_from_a_seed_that_is_written_out() -> None:
    (given,) = read().with_role("given")
    assert (
        given_source(given, 2026)
        == "seed = 2026\nrng = np.random.default_rng(seed)\nmargin = float(rng.uniform(0.1, 0.2))"
    )
    (plain,) = read(
        changed(
            (
                "rng = np.random.default_rng(seed)\nmargin = float(rng.uniform(0.1, 0.2))",
                "margin = 0.1",
            )
        )
    ).with_role("given")
    assert given_source(plain, 2026) == "margin = 0.1"


def test_a_notebook_file_says_the_same_as_a_text_file(tmp_path: Path) -> None:
    notebook = jupytext.reads(TEXT, fmt="py:percent")
    notebook.cells.insert(3, nbformat.v4.new_raw_cell("raw cells are nobody's"))
    path = tmp_path / "gates" / "gates.ipynb"
    path.parent.mkdir()
    path.write_text(nbformat.writes(notebook), encoding="utf-8")
    as_text = source.load(write(tmp_path / "text"), seed=7)
    as_notebook = source.load(path, seed=7)
    assert as_notebook.digest == as_text.digest
    assert load(build(as_notebook)) == load(build(as_text))


def test_files_beside_the_source_go_along_but_private_ones_stay(tmp_path: Path) -> None:
    path = write(tmp_path)
    for name in (
        "picture.svg",
        "data/points.csv",
        "gates.csv",
        "figures.py",
        "proof.json",
        "gates.ipynb",
        ".secret",
        "_drafts/idea.py",
        ".ipynb_checkpoints/gates.py",
    ):
        (path.parent / name).parent.mkdir(exist_ok=True)
        (path.parent / name).write_text(name)
    assert source.load(path).files == {
        name: name.encode() for name in ("data/points.csv", "gates.csv", "picture.svg")
    }


def test_a_folder_is_its_notebook(tmp_path: Path) -> None:
    path = write(tmp_path)
    (path.parent / "figures.py").write_text("")
    assert source.find_source(path.parent) == path
    path.rename(path.with_name("other.py"))
    assert source.find_source(path.parent) == path.with_name("other.py")


def test_the_digest_changes_with_what_changes_a_verdict_and_with_nothing_else() -> None:
    same = [
        changed(("one neuron at a time", "layer by layer")),
        changed(("Draw the four corners.", "Draw them.")),
    ]
    other = [
        changed(("a + b - 1.5 > 0)\n    ###", "a + b - 1.25 > 0)\n    ###")),
        changed(("points=2", "points=3")),
        changed(("case_s: 2", "case_s: 3")),
        changed(("tol: 0.1%", "tol: 1%")),
    ]
    assert {read(text).digest for text in same} == {read().digest}
    digests = [read().digest, read(seed=8).digest, *(read(text).digest for text in other)]
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_line_endings_and_a_byte_order_mark_change_nothing(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", ending).encode())
    assert source.load(path, seed=7).digest == read().digest


def test_a_text_notebook_says_whose_it_is() -> None:
    assert source.is_source(TEXT)
    assert (
        not source.is_source("x = 1\n")
        and not source.is_source(TEXT.replace("autogradient", "somebody"))
        and not source.is_source("# ---\n# a: {\n# ---\n")
    )


def test_the_proof_and_the_release_read_the_same_reference() -> None:
    reference = read().reference
    assert set(reference) == {f"{part.id}-answer" for part in read().parts if part.id != "why"}
    assert json.loads(build(read()).notebook)["metadata"]["autogradient"] == {
        "assignment": "gates",
        "format": 1,
    }
