"""The authors' extension: cells of a source do what their directives say, in a bare IPython shell
and in a real kernel.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config

from autogradient import authoring, errors
from autogradient.authoring import cases, extension, messages
from autogradient.authoring.cell_report import Report, Row
from autogradient.grading.engine import Engine
from autogradient.grading.judge import case_seed
from autogradient.model.assignment import Part
from autogradient.proving.prove import prove
from autogradient.sources import messages as sources_messages
from autogradient.sources import source

ROOT = Path(__file__).parents[2]
ANSWER = """#| answer: gate
def gate(a, b):
    ### BEGIN SOLUTION
    return int(a + b > 1)
    ### END SOLUTION
"""
TESTS = """#| tests: gate
@test_case(points=1)
def test_truth_table(gate):
    assert [gate(a, b) for a in (0, 1) for b in (0, 1)] == [0, 0, 0, 1]


@test_case(points=2, hidden=True, name="noisy inputs")
def test_noise(gate):
    for a, b in secret.uniform(-0.2, 0.2, size=(20, 2)):
        assert gate(1 + a, 1 + b) == 1
"""
WRONG = """#| wrong: gate
#| because: it fires when either input is 1
def gate(a, b):
    return int(a + b > 0.5)
"""
CHOICE = """#| answer: pick
#| kind: choice
#| points: 1
#| options: {a: up, b: down, c: "neither"}
#| because: {b: that is the wrong way}
pick = "a"  # SOLUTION
"""


class Session:
    """A shell with the extension, and the reports of the cell run last."""

    def __init__(self, shell: InteractiveShell, reports: list[Report]) -> None:
        self.shell = shell
        self.reports = reports

    def run(self, text: str) -> Any:
        """Run a cell; returns what it raised, or None."""
        self.reports.clear()
        result = self.shell.run_cell(text, store_history=True)
        return result.error_before_exec or result.error_in_exec

    def report(self, text: str) -> Report:
        """Run a cell that has to succeed with one report."""
        assert self.run(text) is None
        assert len(self.reports) == 1
        return self.reports[0]

    @property
    def names(self) -> dict[str, Any]:
        return self.shell.user_ns


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Session]:
    monkeypatch.chdir(tmp_path)
    reports: list[Report] = []
    monkeypatch.setattr(extension, "display", reports.append)
    shell = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
    shell.run_line_magic("load_ext", "autogradient.authoring")
    yield Session(shell, reports)
    authoring.unload_ipython_extension(shell)


def test_supplies_four_names(session: Session) -> None:
    assert session.names["seed"] == 0
    assert isinstance(session.names["secret"], np.random.Generator)
    assert session.names["probe"](len) is len
    decorated = session.names["test_case"](points=1, name="a name")(lambda: None)
    assert (decorated.points, decorated.name) == (1, "a name")


def test_seed_is_the_courses(tmp_path: Path) -> None:
    config = tmp_path / "grader_config" / "course.toml"
    config.parent.mkdir()
    config.write_text("format = 1\nseed = 2026\n")
    below = tmp_path / "source" / "gates"
    below.mkdir(parents=True)
    assert extension.course_seed(below) == 2026
    config.write_text("format = 1\nseed = maybe\n")
    with pytest.raises(errors.CourseError, match=r"course\.toml: line 2"):
        extension.course_seed(below)


def test_tests_run_where_they_stand(session: Session) -> None:
    assert session.run(ANSWER) is None and not session.reports
    report = session.report(TESTS)
    assert report.fine and report.sentence == "gate: 3 of 3 points"
    assert [row.columns for row in report.rows] == [
        ("truth table", "visible", "1 of 1 point", ""),
        ("noisy inputs", "hidden", "2 of 2 points", ""),
    ]
    assert "test_noise" not in session.names


def test_failing_reference_stops_and_names_the_line(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    session.run(ANSWER.replace("> 1", "> 1.9"))
    error = session.run(TESTS)
    assert isinstance(error, errors.CellError)
    assert str(error) == (
        "the answer above fails 1 of 2 cases: 'noisy inputs' (AssertionError (line 10: "
        "assert gate(1 + a, 1 + b) == 1))"
    )
    assert [row.fine for row in session.reports[0].rows] == [True, False]
    assert "Traceback" not in capsys.readouterr().out


def test_wrong_answer_is_caught_and_names_come_back(session: Session) -> None:
    session.run("#| setup\nimport numpy as np\ndata = [1, 2]\narray = np.zeros(3)")
    session.run(ANSWER)
    session.run(TESTS)
    gate, data = session.names["gate"], session.names["data"]
    report = session.report(WRONG + "\nnew_name = 1\ndata.append(3)\narray += 1")
    assert (
        report.fine
        and report.sentence
        == "wrong (it fires when either input is 1): caught by 'truth table': 2 of 3 points"
    )
    assert session.names["gate"] is gate and session.names["data"] is data
    assert data == [1, 2] and not session.names["array"].any() and "new_name" not in session.names


def test_wrong_answer_that_others_call(session: Session) -> None:
    """As in grading, functions of the reference that call the replaced one see the wrong one."""
    session.run(
        "#| answer: whole\ndef part_of(x):\n    return x + 1\n\ndef whole(x):\n    ### "
        "BEGIN SOLUTION\n    return part_of(x)\n    ### END SOLUTION"
    )
    session.run(
        "#| tests: whole\n@test_case(points=1)\ndef test_it(whole):\n    assert whole(1) == 2"
    )
    assert session.report(
        "#| wrong: whole\n#| because: it adds two\ndef part_of(x):\n    return x + 2"
    ).sentence.endswith("caught by 'it': 0 of 1 point")
    assert session.names["whole"](1) == 2


def test_missed_wrong_answer_only_warns(session: Session) -> None:
    session.run(ANSWER)
    session.run(TESTS)
    report = session.report(WRONG.replace("> 0.5", "> 1.0"))
    assert not report.fine and report.sentence.endswith("NOT caught: full marks")


@pytest.mark.parametrize(("earns", "fine"), [("2", True), ("1", False)])
def test_earns_is_exact(session: Session, earns: str, fine: bool) -> None:
    session.run(ANSWER)
    session.run(TESTS)
    report = session.report(WRONG.replace("def gate", f"#| earns: {earns}\ndef gate"))
    assert report.fine is fine
    assert report.sentence.endswith("2 of 3 points" if fine else "but the cell says it earns 1")


def test_right_answer(session: Session) -> None:
    session.run(ANSWER)
    session.run(TESTS)
    assert session.report(
        "#| right: gate\n#| because: a comparison of each\ndef gate(a, b):\n    return "
        "int(a > 0.7 and b > 0.7)"
    ).sentence.endswith("full marks, as it should be")
    report = session.report(
        "#| right: gate\n#| because: booleans\ndef gate(a, b):\n    return int(a == 1 and b == 1)"
    )
    assert not report.fine and report.sentence.endswith("NOT full marks: 1 of 3 points")


def test_answer_that_ends_the_process_or_never_ends(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cases, "CASE_SECONDS", 0.2)
    session.run(ANSWER)
    session.run(TESTS)
    report = session.report(WRONG.replace("return int(a + b > 0.5)", "raise SystemExit"))
    assert report.sentence.endswith("0 of 3 points") and report.rows[0].columns[-1].startswith(
        "SystemExit"
    )
    report = session.report(
        WRONG.replace("    return int(a + b > 0.5)", "    while True:\n        pass")
    )
    assert "stopped after 0.2 s" in report.rows[0].columns[-1]
    report = session.report(WRONG.replace("def gate", "1 / 0\n\ndef gate"))
    assert report.sentence.endswith(
        "NOT caught: full marks (the cell itself ends with ZeroDivisionError: division by zero)"
    )


def test_given_values_are_fresh_for_each_case(session: Session) -> None:
    session.run("#| setup\nimport numpy as np")
    session.run("#| given: gate\nvalues = np.random.default_rng(seed).normal(size=3)")
    kept = session.names["values"].copy()
    session.run(
        "#| answer: gate\ndef gate(x):\n    ### BEGIN SOLUTION\n    x *= 0\n    return "
        "x\n    ### END SOLUTION"
    )
    case = (
        "\n@test_case(points=1)\ndef test_{0}(gate, values):\n    assert values.any()\n    "
        "gate(values)\n"
    )
    assert session.report("#| tests: gate" + case.format("one") + case.format("two")).fine
    assert np.array_equal(session.names["values"], kept)


def test_secrets_are_those_of_grading(session: Session) -> None:
    session.run(ANSWER)
    tests = (
        "import numpy as np\n\n@test_case(points=1)\ndef test_it(gate):\n    assert False, "
        "repr(secret.integers(10**9))"
    )
    session.run(f"#| tests: gate\n{tests}")
    part = Part("gate", "gate", "code", Fraction(1), "", "", tests=tests)
    expected = np.random.default_rng(case_seed(cases.SEED, part, "test_it")).integers(10**9)
    assert repr(expected) in session.reports[0].rows[0].columns[-1]


def test_randomness_and_figures_are_left_alone(session: Session) -> None:
    session.run(
        "import matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot as plt, random, "
        "numpy as np\nmine = plt.figure()"
    )
    session.run(ANSWER)
    state = np.random.get_state()[1].tolist()  # type: ignore[union-attr]
    session.run(
        "#| tests: gate\nimport matplotlib.pyplot as plt, numpy as "
        "np\n\n@test_case(points=1)\ndef test_it(gate):\n    plt.figure(), np.random.rand()"
    )
    assert np.random.get_state()[1].tolist() == state  # type: ignore[union-attr]
    assert session.names["plt"].get_fignums() == [1]
    session.names["plt"].close("all")


def test_tests_see_instructors_cells_only(session: Session) -> None:
    session.run("#| helpers\ndef close(a, b):\n    return abs(a - b) < 1e-9")
    session.run(
        "#| answer: gate\nlimit = 3\ndef gate(x):\n    ### BEGIN SOLUTION\n    return "
        "x\n    ### END SOLUTION"
    )
    assert session.report(
        "#| tests: gate\n@test_case(points=1)\ndef test_it(gate):\n    assert close(gate(1), 1)"
    ).fine
    session.run(
        "#| tests: gate\n@test_case(points=1)\ndef test_it(gate):\n    assert gate(1) < limit"
    )
    assert messages.ONLY_IN_NOTEBOOK.format(name="limit") in session.reports[0].rows[0].columns[-1]


def test_newer_cells_replace_older_ones(session: Session) -> None:
    session.run(ANSWER)
    assert isinstance(session.run(TESTS.replace("== [0, 0, 0, 1]", "== []")), errors.CellError)
    assert session.report(TESTS).fine
    assert session.report(WRONG).sentence.endswith("2 of 3 points")


def test_two_tests_cells_of_a_part(session: Session) -> None:
    session.run(ANSWER)
    session.run(TESTS)
    report = session.report(
        "#| tests: gate\n@test_case(points=1)\ndef test_zero(gate):\n    assert gate(0, 0) == 0"
    )
    assert [row.columns[0] for row in report.rows] == ["zero"]
    assert session.report(WRONG).sentence.endswith("3 of 4 points")


# ---- short answers -------------------------------------------------------------------------------


def test_short_answer_shows_its_slips(session: Session) -> None:
    report = session.report(CHOICE)
    assert session.names["pick"] == "a"
    assert report.fine and report.sentence == "pick: choice, 1 point"
    assert [row.columns for row in report.rows] == [
        ("form of the answer", "visible", "no points", ""),
        ("answer", "hidden", "1 of 1 point", ""),
        ("'b'", "slip", "0 of 1 point", "that is the wrong way"),
        ("'c'", "slip", "0 of 1 point", "option c"),
    ]


@pytest.mark.parametrize(
    ("cell", "slips"),
    [
        (
            "#| kind: number\n#| tol: 0.1\n#| because: {'2.0': doubled}\nx = 0.5 + 0.5  # SOLUTION",
            ["0 of 1 point"],
        ),
        (
            "#| kind: true-false\n#| options: [one, two]\nx = (True, False)  # SOLUTION",
            ["0 of 1 point"] * 2,
        ),
        (
            "#| kind: choose-all\n#| options: {a: one, b: two}\nx = {'a'}  # SOLUTION",
            ["0 of 1 point"] * 2,
        ),
        (
            "#| kind: text\n#| accept: [neuron]\n#| because: {nerve: that is a bundle}\nx = "
            "'neuron'  # SOLUTION",
            ["0 of 1 point"],
        ),
        (
            "#| kind: shape\n#| because: {'(3, 2)': turned}\nx = (2, 3)  # SOLUTION",
            ["0 of 1 point"],
        ),
        (
            "#| kind: formula\n#| because: {'lambda a, b: a - b': sign}\nx = lambda a, b: a "
            "+ b  # SOLUTION",
            ["0 of 1 point"],
        ),
    ],
)
def test_every_short_kind(session: Session, cell: str, slips: list[str]) -> None:
    report = session.report(f"#| answer: q-p2\n#| points: 1\n{cell}")
    assert report.fine, repr(report)
    assert [row.columns[2] for row in report.rows if row.columns[1] == "slip"] == slips


def test_slip_that_gets_full_marks_is_seen(session: Session) -> None:
    """A computed answer: only running it shows that the slip is no slip."""
    report = session.report(
        "#| answer: q\n#| kind: number\n#| points: 1\n#| because: {'4.0': not a slip}\nx = "
        "2.0 * 2  # SOLUTION"
    )
    assert not report.fine and report.sentence == "q: number, 1 point; a slip gets full marks"


def test_computed_answer_of_wrong_form_stops(session: Session) -> None:
    error = session.run("#| answer: q\n#| kind: number\n#| points: 1\nx = str(4)  # SOLUTION")
    assert isinstance(error, errors.CellError) and "does not pass its own check" in str(error)


def test_wrong_cell_of_a_short_answer(session: Session) -> None:
    session.run(CHOICE)
    assert session.report(
        '#| wrong: pick\n#| because: it does not matter\npick = "c"'
    ).sentence.endswith("caught by 'answer': 0 of 1 point")
    assert session.names["pick"] == "a"


# ---- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        (
            "#| test: gate\nx = 1",
            "line 1: "
            + sources_messages.UNKNOWN_ROLE.format(
                role="test", nearest=errors.NEAREST.format(word="tests")
            ),
        ),
        (
            "#| wrong: gate\n#| becuase: no\nx = 1",
            "line 2: "
            + sources_messages.UNKNOWN_KEY.format(
                key="becuase", role="wrong", nearest=errors.NEAREST.format(word="because")
            ),
        ),
        ("x = 1\n#| wrong: gate", f"line 2: {sources_messages.MISPLACED}"),
        (
            "#| wrong: gate\ndef gate(): pass",
            "line 1: "
            + sources_messages.NO_BECAUSE.format(role="wrong", what="the slip, for the student"),
        ),
        (
            "#| tests: gaet\nx = 1",
            messages.ANSWER_NOT_RUN.format(part="gaet", nearest=errors.NEAREST.format(word="gate")),
        ),
        (
            "#| tests: gate\n@test_case()\ndef test_it(gate): pass",
            "line 3: " + errors.CASE_WITHOUT_POINTS.format(case="test_it", part="gate"),
        ),
        (
            "#| tests: gate\n@test_case(points=1)\ndef test_it(gate) pass",
            "line 3: " + errors.BAD_SYNTAX.format(problem="expected ':'"),
        ),
        (
            "#| tests: gate\n1 / 0\n@test_case(points=1)\ndef test_it(gate): pass",
            (
                "the tests cell of 'gate' ends with ZeroDivisionError: division by zero "
                "(line 2: 1 / 0) before any case is run"
            ),
        ),
        (
            "#| answer: new\n#| kind: numbr\nx = 1  # SOLUTION",
            "line 1: "
            + sources_messages.BAD_KIND.format(
                kind="numbr", nearest=errors.NEAREST.format(word="number")
            ),
        ),
        (
            "#| answer: new\n#| kind: number\nx = 1  # SOLUTION",
            "line 1: " + sources_messages.NO_POINTS.format(part="new"),
        ),
        (
            "#| answer: new\ndef f():\n    pass",
            "line 1: " + sources_messages.NO_SOLUTION.format(part="new"),
        ),
        ("#| equivalent: gate\n#| from: a", f"line 1: {sources_messages.NO_EQUIVALENT}"),
        (
            "#| right: other-one\n#| because: x\ny = 1",
            messages.ANSWER_NOT_RUN.format(part="other-one", nearest=""),
        ),
    ],
)
def test_broken_cells_say_so_and_do_not_run(session: Session, cell: str, sentence: str) -> None:
    session.run(ANSWER)
    error = session.run(cell)
    assert isinstance(error, errors.CellError), error
    assert str(error) == sentence
    assert "x" not in session.names and not session.reports


def test_wrong_before_tests(session: Session) -> None:
    session.run(ANSWER)
    assert str(session.run(WRONG)) == messages.TESTS_NOT_RUN.format(part="gate")


def test_plain_cells_stay_plain(session: Session) -> None:
    assert isinstance(session.run("#| answer: gate\ndef gate(:"), SyntaxError)
    for role in (
        "setup",
        "helpers",
        "staff",
        "given: gate",
        "equivalent: gate\n#| from: a\n#| to: b\n#| because: c",
    ):
        assert session.run(f"#| {role}\nplain = 1") is None and session.names.pop("plain") == 1
    assert session.run("plain = 2") is None and not session.reports


def test_unloading_and_loading_again(session: Session) -> None:
    session.shell.run_line_magic("load_ext", "autogradient.authoring")
    authoring.unload_ipython_extension(session.shell)
    authoring.load_ipython_extension(session.shell)
    session.run(ANSWER)
    assert session.report(TESTS).fine
    authoring.unload_ipython_extension(session.shell)
    assert (
        session.run(TESTS) is None and not session.reports and "test_truth_table" in session.names
    )


def test_report_is_escaped() -> None:
    report = Report(False, "a <b> $x$", [Row(False, ("<script>", "$y$"))], "<i>")
    text = report._repr_html_()
    assert "<script>" not in text and "<i>" not in text and "$" not in text
    assert repr(report).split("\n")[:2] == ["✗ a <b> $x$", "  ✗ <script>  $y$"]


# ---- whole sources in a real kernel --------------------------------------------------------------


def run_all(path: Path) -> Any:
    """Run a source in a kernel in its own folder; returns the notebook with its outputs. The state
    is printed by a last cell.
    """
    notebook = nbformat.from_dict(jupytext.read(path))
    NotebookClient(
        notebook,
        timeout=200,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    return notebook


def reports_of(notebook: Any) -> list[str]:
    return [
        output.data["text/plain"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "autogradient-report" in output.get("data", {}).get("text/html", "")
    ]


@pytest.mark.timeout(240)
def test_perceptrons_in_a_kernel(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "source" / "perceptrons", tmp_path / "perceptrons")
    path = tmp_path / "perceptrons" / "perceptrons.py"
    assignment = source.load(path)
    found = reports_of(run_all(path))
    assert not [text for text in found if not text.startswith("✓")]
    variants = sum(len(part.wrong) + len(part.right) for part in assignment.parts)
    assert sum(text.startswith(("✓ wrong", "✓ right")) for text in found) == variants
    short = [part for part in assignment.parts if part.is_short]
    assert len(found) == variants + len(short) + len(list(assignment.with_role("tests")))


SMALL = f"""# ---
# jupyter:
#   autogradient:
#     format: 1
#     title: Gates
# ---

# %% [markdown]
# # Gates

# %%
#| staff
# %load_ext autogradient.authoring

# %% [markdown]
# <!--| question: gate -->
# Write a gate.

# %%
{ANSWER}
# %%
{TESTS}
# %%
{WRONG}
# %%
#| wrong: gate
#| because: it is never sure
#| earns: 0
def gate(a, b):
    raise ValueError("no idea")

# %%
#| right: gate
#| because: other weights
def gate(a, b):
    return int(2 * a + 2 * b > 3)

# %%
#| staff
assert gate(1, 0) == 0 and gate(0.9, 0.9) == 1 and "secret" in globals()
"""


@pytest.mark.timeout(240)
def test_agrees_with_proof_and_stops_at_a_failing_reference(tmp_path: Path, engine: Engine) -> None:
    path = tmp_path / "gates.py"
    path.write_text(SMALL)
    found = [text.split("\n")[0] for text in reports_of(run_all(path))]
    assert found == [
        "✓ gate: 3 of 3 points",
        "✓ wrong (it fires when either input is 1): caught by 'truth table': 2 of 3 points",
        "✓ wrong (it is never sure): caught by 'truth table' and 'noisy inputs': 0 of 3 points",
        "✓ right (other weights): full marks, as it should be",
    ]
    proof = prove(source.load(path), engine)
    assert (proof.wrong.done, proof.wrong.of, proof.right.done, proof.right.of) == (2, 2, 1, 1)
    path.write_text(SMALL.replace("return int(a + b > 1)", "return int(a + b > 3)"))
    with pytest.raises(CellExecutionError, match="the answer above fails 2 of 2 cases"):
        run_all(path)
