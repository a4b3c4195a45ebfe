"""Leaks planted in a finished release, all of which must be found, each by name; and what is no
leak.
"""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from small_source import changed, new_course, read

from autogradient.coursework import release_course
from autogradient.errors import LeakError
from autogradient.sources import leaks, solutions, source
from autogradient.sources.release import Release, build

SOLUTION = "return int(a + b - 1.5 > 0)"
HIDDEN = "low, high = secret.uniform(-margin, margin, size=2)"
WRONG = "return int(a + b - 0.5 > 0)"
RIGHT = "return int(min(a, b) > 0.5)"
NOTEBOOK = "gates.ipynb"

Notebook = dict[str, Any]


def in_notebook(change: Callable[[Notebook], Any]) -> Callable[[Release], None]:
    """A planting that changes the notebook's JSON."""

    def plant(release: Release) -> None:
        notebook = json.loads(release.notebook)
        change(notebook)
        release.files[NOTEBOOK] = json.dumps(notebook).encode()

    return plant


def in_file(name: str, content: bytes | str) -> Callable[[Release], None]:
    """A planting that adds to a file, or makes it."""
    data = content if isinstance(content, bytes) else content.encode()
    return lambda release: release.files.update({name: release.files.get(name, b"") + data})


def find(notebook: Notebook, grade_id: str) -> dict[str, Any]:
    """The cell with an id."""
    cell: dict[str, Any] = next(
        cell
        for cell in notebook["cells"]
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == grade_id
    )
    return cell


def new_cell(kind: str, text: str) -> dict[str, Any]:
    """A cell without metadata."""
    return {"cell_type": kind, "id": "planted", "metadata": {}, "source": text} | (
        {"outputs": [], "execution_count": None} if kind == "code" else {}
    )


def output(**data: Any) -> dict[str, Any]:
    """An output with its MIME bundle."""
    return {
        "output_type": "display_data",
        "metadata": {},
        "data": {key.replace("_", "/"): value for key, value in data.items()},
    }


def png(text: str, compressed: bool = False) -> bytes:
    """A picture with a text chunk."""
    info = PngInfo()
    info.add_text("Description", text, zip=compressed)
    file = io.BytesIO()
    Image.new("RGB", (2, 2)).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def archive(text: str) -> bytes:
    """An archive whose one member holds a text, compressed."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("notes.txt", text * 3)
    return file.getvalue()


def b64(data: bytes | str) -> str:
    return base64.encodebytes(data.encode() if isinstance(data, str) else data).decode()


#: What is planted, and what must be said of it: file, place, kind of text, cell of the source,
#: role, beginning of the text.
PLANTED: dict[str, tuple[Callable[[Release], None], str]] = {
    "solution in a stub": (
        in_notebook(
            lambda n: find(n, "and-gate-answer").update(
                source=f"def and_gate(a, b):\n    {SOLUTION}"
            )
        ),
        f"{NOTEBOOK}: cell 6 contains the line from cell 7 (a solution): {SOLUTION!r}",
    ),
    "short solution": (
        in_notebook(lambda n: find(n, "sums-p4-answer").update(source="total = 2.5")),
        f"{NOTEBOOK}: cell 23 contains the line from cell 17 (a solution): 'total = 2.5'",
    ),
    "source as a list of lines": (
        in_notebook(
            lambda n: find(n, "and-gate-answer").update(
                source=["def and_gate(a, b):\n", "    return int(a + ", "b - 1.5 > 0)"]
            )
        ),
        f"{NOTEBOOK}: cell 6 contains the line from cell 7 (a solution): {SOLUTION!r}",
    ),
    "commented out, other spaces": (
        in_notebook(
            lambda n: n["cells"].append(new_cell("code", "#   return   int(a + b - 1.5\t> 0)"))
        ),
        f"{NOTEBOOK}: cell 37 contains the line from cell 7 (a solution): {SOLUTION!r}",
    ),
    "cell metadata": (
        in_notebook(
            lambda n: find(n, "and-gate")["metadata"].update(
                notes={"deep": [{"solution": SOLUTION}]}
            )
        ),
        (
            f"{NOTEBOOK}: the metadata of cell 7 contains the line from cell 7 (a "
            f"solution): {SOLUTION!r}"
        ),
    ),
    "key of metadata": (
        in_notebook(lambda n: n["metadata"].update({HIDDEN: 1})),
        (
            f"{NOTEBOOK}: the notebook's metadata contains the line from cell 8 (a hidden "
            f"test): {HIDDEN!r}"
        ),
    ),
    "notebook metadata": (
        in_notebook(lambda n: n["metadata"].update(tests=HIDDEN)),
        (
            f"{NOTEBOOK}: the notebook's metadata contains the line from cell 8 (a hidden "
            f"test): {HIDDEN!r}"
        ),
    ),
    "beside the cells": (
        in_notebook(lambda n: n.update(extra=[HIDDEN, 1])),
        f"{NOTEBOOK}: the notebook contains the line from cell 8 (a hidden test): {HIDDEN!r}",
    ),
    "output text": (
        in_notebook(
            lambda n: find(n, "and-gate")["outputs"].append(
                {"output_type": "stream", "name": "stdout", "text": ["a\n", f"{WRONG}\n"]}
            )
        ),
        (
            f"{NOTEBOOK}: an output of cell 7 contains the line from cell 9 (a wrong "
            f"answer): {WRONG!r}"
        ),
    ),
    "output in base64": (
        in_notebook(
            lambda n: find(n, "and-gate")["outputs"].append(output(application_pdf=b64(WRONG)))
        ),
        (
            f"{NOTEBOOK}: an output of cell 7 contains the line from cell 9 (a wrong "
            f"answer): {WRONG!r}"
        ),
    ),
    "output picture": (
        in_notebook(
            lambda n: find(n, "and-gate")["outputs"].append(
                output(image_png=b64(png(RIGHT, compressed=True)))
            )
        ),
        (
            f"{NOTEBOOK}: an output of cell 7 contains the line from cell 10 (a right "
            f"answer): {RIGHT!r}"
        ),
    ),
    "output in HTML": (
        in_notebook(
            lambda n: find(n, "and-gate")["outputs"].append(
                output(text_html="<b>return</b> int(<i>a</i> + b - 0.5 &gt; 0)")
            )
        ),
        (
            f"{NOTEBOOK}: an output of cell 7 contains the line from cell 9 (a wrong "
            f"answer): {WRONG!r}"
        ),
    ),
    "attachment": (
        in_notebook(
            lambda n: find(n, "and-gate-text").update(
                attachments={"a.png": {"image/png": b64(png(SOLUTION))}}
            )
        ),
        (
            f"{NOTEBOOK}: an attachment of cell 4 contains the line from cell 7 (a "
            f"solution): {SOLUTION!r}"
        ),
    ),
    "SVG with its text split by tags": (
        in_file(
            "neuron.svg",
            (
                "<svg><text>return <tspan>int(a + b</tspan><tspan dy='1'> - 1.5 &gt; "
                "0)</tspan></text></svg>"
            ),
        ),
        f"neuron.svg: the file contains the line from cell 7 (a solution): {SOLUTION!r}",
    ),
    "text chunk of a picture": (
        in_file("plot.png", png(HIDDEN)),
        f"plot.png: the file contains the line from cell 8 (a hidden test): {HIDDEN!r}",
    ),
    "compressed chunk of a picture": (
        in_file("plot.png", png(HIDDEN, compressed=True)),
        f"plot.png: the file contains the line from cell 8 (a hidden test): {HIDDEN!r}",
    ),
    "archive": (
        in_file("data.npz", archive(HIDDEN)),
        f"data.npz: the file contains the line from cell 8 (a hidden test): {HIDDEN!r}",
    ),
    "public test": (
        in_file("tests/and-gate.py", f"\n    {HIDDEN}\n"),
        f"tests/and-gate.py: the file contains the line from cell 8 (a hidden test): {HIDDEN!r}",
    ),
    "hidden test's message": (
        in_file("tests/and-gate.py", "# One line must separate (1, 1) from the rest.\n"),
        (
            "tests/and-gate.py: the file contains the text from cell 8 (a hidden test): "
            "'One line must separate (1, 1) from the rest.'"
        ),
    ),
    "file beside": (
        in_file("notes.txt", f"todo\n  {HIDDEN}\n"),
        f"notes.txt: the file contains the line from cell 8 (a hidden test): {HIDDEN!r}",
    ),
    "file in another encoding": (
        in_file("notes.txt", f"\u00e9t\u00e9 {HIDDEN}".encode("latin-1")),
        f"notes.txt: the file contains the line from cell 8 (a hidden test): {HIDDEN!r}",
    ),
    "cell like a hint": (
        in_notebook(
            lambda n: n["cells"].append(
                new_cell("markdown", f"<details><summary>Hint</summary>\n\n`{WRONG}`\n\n</details>")
            )
        ),
        f"{NOTEBOOK}: cell 37 contains the line from cell 9 (a wrong answer): {WRONG!r}",
    ),
    "rubric": (
        in_notebook(
            lambda n: find(n, "why-answer").update(source="[1] crosswise: says how the corners lie")
        ),
        (
            f"{NOTEBOOK}: cell 36 contains the line from cell 23 (a rubric): '[1] "
            "crosswise: says how the corners lie'"
        ),
    ),
    "sample essay": (
        in_notebook(
            lambda n: find(n, "why-answer").update(
                source="Its corners lie crosswise, and no straight line parts them."
            )
        ),
        (
            f"{NOTEBOOK}: cell 36 contains the line from cell 22 (an essay's sample "
            "answer): 'Its corners lie crosswise, and no straight line parts them.'"
        ),
    ),
    "slip's explanation": (
        in_file("tests/sums-p4.py", "# that is without the bias\n"),
        (
            "tests/sums-p4.py: the file contains the line from cell 17 (a slip's "
            "explanation): 'that is without the bias'"
        ),
    ),
    "why an answer is wrong": (
        in_notebook(
            lambda n: n["cells"].append(
                new_cell("markdown", "Mind that it fires when either input is 1!")
            )
        ),
        (
            f"{NOTEBOOK}: cell 37 contains the line from cell 9 (why an answer is wrong): "
            "'it fires when either input is 1'"
        ),
    ),
    "staff note": (
        in_notebook(
            lambda n: n["cells"].insert(0, new_cell("code", "%load_ext autogradient.authoring"))
        ),
        (
            f"{NOTEBOOK}: cell 1 contains the line from cell 2 (a staff note): '%load_ext "
            "autogradient.authoring'"
        ),
    ),
    "mutant": (
        in_notebook(lambda n: n["cells"].append(new_cell("code", "return int(a + b - 1.5 >= 0)"))),
        (
            f"{NOTEBOOK}: cell 37 contains the line from cell 11 (a mutant): 'return int(a "
            "+ b - 1.5 >= 0)'"
        ),
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_leak_is_found(name: str) -> None:
    assignment = read()
    release = build(assignment)
    plant, said = PLANTED[name]
    plant(release)
    assert said in leaks.find_leaks(assignment, release)
    with pytest.raises(LeakError) as caught:
        leaks.check(assignment, release)
    first, *rest = str(caught.value).split("\n")
    assert (
        first
        == "gates: the release would show students what they must not see; nothing was written"
    )
    assert f"  {said}" in rest and len(rest) == len(caught.value.leaks)


def test_the_small_release_has_none() -> None:
    assert leaks.find_leaks(read(), build(read())) == []


LITERAL = changed(
    (
        "low, high = secret.uniform(-margin, margin, size=2)",
        'low, high = 0.7193, secret.choice(["a word of the test", "b"])',
    )
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "the number 0.7193.",
            [f"{NOTEBOOK}: cell 37 contains the number from cell 8 (a hidden test): '0.7193'"],
        ),
        (
            "it says 'a word of the test'",
            [
                (
                    f"{NOTEBOOK}: cell 37 contains the text from cell 8 (a hidden test): 'a "
                    "word of the test'"
                )
            ],
        ),
        ("the number 10.71935 is another one, and so is 0.71935", []),
        ("a word of this test", []),
    ],
)
def test_literals_of_hidden_tests(text: str, found: list[str]) -> None:
    assignment = read(LITERAL)
    release = build(assignment)
    in_notebook(lambda n: n["cells"].append(new_cell("markdown", text)))(release)
    assert leaks.find_leaks(assignment, release) == found


def test_the_check_does_not_trust_what_made_the_release(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        solutions,
        "strip_solution",
        lambda text: text.replace("# SOLUTION", "").replace("### BEGIN", "# BEGIN"),
    )
    assignment = read()
    found = leaks.find_leaks(assignment, build(assignment))
    assert f"{NOTEBOOK}: cell 6 contains the line from cell 7 (a solution): {SOLUTION!r}" in found
    assert (
        f"{NOTEBOOK}: cell 23 contains the line from cell 17 (a solution): 'total = 2.5'" in found
    )


def test_nor_what_made_the_public_tests() -> None:
    assignment = read()
    gate = assignment.part("and-gate")
    # as if the hidden case were a visible one
    gate.cases = tuple(case.__class__(case.name, case.title, case.points) for case in gate.cases)
    release = build(assignment)
    assert HIDDEN in release.files["tests/and-gate.py"].decode()
    found = leaks.find_leaks(read(), release)
    assert (
        f"tests/and-gate.py: the file contains the line from cell 8 (a hidden test): {HIDDEN!r}"
        in found
    )
    assert all(sentence.startswith("tests/and-gate.py: ") for sentence in found)


def test_an_allowance_silences_exactly_its_line() -> None:
    allow = (
        f"#     minutes: 20\n#     allow: [{{text: '{SOLUTION}', because: the lesson shows it}}]\n"
    )
    assignment = read(changed(("#     minutes: 20\n", allow)))
    release = build(assignment)
    in_notebook(lambda n: n["cells"].append(new_cell("code", f"{SOLUTION}\n{WRONG}")))(release)
    assert leaks.find_leaks(assignment, release) == [
        f"{NOTEBOOK}: cell 37 contains the line from cell 9 (a wrong answer): {WRONG!r}"
    ]


def test_what_stands_in_public_is_no_secret() -> None:
    text = changed(
        (
            "# Draw the four corners.",
            "# Try `int(a + b - 1.5 > 0)`, or rather `return int(a + b - 1.5 > 0)`.",
        )
    )
    assert leaks.find_leaks(read(text), build(read(text))) == []


@pytest.mark.parametrize("name", ["perceptrons", "activations", "gpu"])
def test_the_courses_own_releases_have_none(name: str) -> None:
    assignment = source.load(Path(__file__).parents[2] / "source" / name, seed=2026)
    assert len(leaks.secrets(assignment)) > 300
    assert leaks.find_leaks(assignment, build(assignment)) == []


def test_nothing_is_written_where_something_leaks(tmp_path: Path) -> None:
    course = new_course(tmp_path)
    release_course.write_release(course, course.assignment("gates"), unproved=True)
    before = (course.released("gates") / NOTEBOOK).read_bytes()
    (tmp_path / "source" / "gates" / "old-notes.txt").write_text(
        f"done: {SOLUTION}\n", encoding="utf-8"
    )
    said = f"old-notes.txt: the file contains the line from cell 7 (a solution): {SOLUTION!r}"
    for attempt in (
        lambda a: release_course.write_release(course, a, unproved=True),
        lambda a: release_course.check_release(course, a),
    ):
        with pytest.raises(LeakError) as caught:
            attempt(course.assignment("gates"))
        assert caught.value.leaks == [said]
    assert (
        not (course.released("gates") / "old-notes.txt").exists()
        and (course.released("gates") / NOTEBOOK).read_bytes() == before
    )
