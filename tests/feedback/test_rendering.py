"""What one student writes holds up nobody's grading or feedback: what cannot be drawn is shown as
it was typed, and everybody else has theirs.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import classroom
import pytest
from handmade import case, question, result
from nbconvert.filters import markdown2html_mistune
from proved import prove_course

from autogradient import errors, visible
from autogradient.feedback import cells, desk, notebooks, page, renderer, sanitize
from autogradient.feedback.formulas import Formulas

#: Seconds that a notebook may take at most, on a machine that is busy with other things.
LONG_S = 8 * renderer.NOTEBOOK_S


def markdown(source: str, **more: Any) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source, **more}


def code(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "metadata": {},
        "source": source,
        "outputs": list(outputs),
        "execution_count": 1,
    }


def display(**data: str) -> dict[str, Any]:
    return {
        "output_type": "display_data",
        "metadata": {},
        "data": {mime.replace("_", "/"): text for mime, text in data.items()},
    }


def drawn(*given: dict[str, Any], files: dict[str, bytes] | None = None) -> str:
    """The page of a notebook with these cells and an honest one below."""
    began = time.monotonic()
    html = page.html_page(result(), {"cells": [*given, markdown("the *next* cell")]}, files=files)
    assert time.monotonic() - began < LONG_S
    return html


def staffs(*given: dict[str, Any]) -> list[Any]:
    """The cells of the notebook that staff's tools show, all of which nbconvert draws."""
    began = time.monotonic()
    shown = notebooks.clean_notebook({"cells": [*given, markdown("the *next* cell")]}).cells
    for cell in shown:
        if cell.cell_type == "markdown":
            markdown2html_mistune(cell.source)
    assert time.monotonic() - began < LONG_S
    return list(shown)


# ---- one cell ------------------------------------------------------------------------------------

#: Texts for which libraries take very long on any machine, or a great deal of room, each small
#: enough to be tried.
BOMBS = {
    "environments": r"\begin{a}" * 11_000,
    "references": f"[a]: {'x' * 50_000}\n\n" + "[a]" * 12_000,
    "pictures": "![a](figure.png)" * 6_000,
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=list(BOMBS))
def test_a_cell_that_takes_too_long_is_shown_as_it_was_typed_and_the_next_is_drawn(
    text: str,
) -> None:
    html = drawn(markdown(text), files={"figure.png": b"\x89PNG" * 50_000})
    assert html.count(errors.AS_TYPED) == 1 and text[:500] in html
    assert "the <em>next</em> cell" in html and len(html) < 200_000


@pytest.mark.parametrize(
    "text", [r"\begin{a}" * 45_000, "x" * 10_000_000, "|a" * 60_000 + "|\n" + "|-" * 60_000 + "|"]
)
def test_a_cell_that_is_too_large_is_not_even_tried(text: str) -> None:
    html = drawn(markdown(text))
    assert (
        errors.AS_TYPED in html
        and "characters left out" in html
        and len(html) < 200_000
        and "<em>next</em>" in html
    )


@pytest.mark.parametrize(
    "text", [BOMBS["environments"], r"\begin{a}" * 45_000, BOMBS["references"]]
)
def test_staffs_tools_get_such_a_cell_as_text_that_they_can_draw(text: str) -> None:
    bomb, after = staffs(markdown(text))
    assert bomb.source.startswith("```") and text in bomb.source
    assert after.source == "the *next* cell"


@pytest.mark.parametrize(
    ("source", "outputs"),
    [
        ("x = '" + "y" * 5_000_000 + "'", []),
        ("1", [display(text_html="<div>" * 900_000, text_plain="in words")]),
        ("1", [display(text_html="&" * 4_000_000, text_plain="in words")]),
    ],
    ids=["one line", "nested", "ampersands"],
)
def test_code_and_outputs_that_take_too_long_are_shown_as_text(
    source: str, outputs: list[dict[str, Any]]
) -> None:
    html = drawn(code(source, *outputs))
    assert (
        errors.AS_TYPED in html
        and source[:100].replace("'", "&#x27;") in html
        and "<em>next</em>" in html
    )
    assert not outputs or "in words" in html
    shown = staffs(code(source, *outputs))[0]
    assert shown.source == source and (not outputs or "in words" in json.dumps(shown.outputs))


def test_very_many_colours_become_text() -> None:
    streams = [
        {"output_type": "stream", "name": name, "text": "\x1b[31m" * 18_000}
        for name in ("stdout", "stderr") * 100
    ]
    html = drawn(code("1", *streams))
    assert r"\x1b[31m" in html and "<em>next</em>" in html
    assert "\x1b" not in json.dumps(staffs(code("1", *streams))[0].outputs[0].text)


def test_a_few_colours_stay_colours() -> None:
    html = drawn(
        code("1", {"output_type": "stream", "name": "stdout", "text": "\x1b[31mred\x1b[0m"})
    )
    assert '<span class="ansi-red-fg">red</span>' in html


def test_all_cells_together_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renderer, "NOTEBOOK_S", 4.0)
    given = [markdown("*_" * 20_000) for _ in range(60)]
    html = drawn(*given)
    assert errors.AS_TYPED in html and len(html) < 50 * notebooks.MAX_TYPED_TOGETHER
    shown = staffs(*given)
    assert len(shown) == 61 and all("*_" * 20_000 in cell.source for cell in shown[:60])


def test_what_cannot_be_drawn_takes_no_more_room_than_the_page_has() -> None:
    html = drawn(*[markdown("x" * (cells.MAX_MARKDOWN + 1)) for _ in range(1000)])
    assert (
        html.count(errors.AS_TYPED) >= 50
        and errors.LEFT_OUT in html
        and len(html) < 2 * notebooks.MAX_TYPED_TOGETHER
    )


def test_many_formulas_are_put_back_at_once() -> None:
    formulas = Formulas()
    text = "".join(formulas.hold("x", display=False) for _ in range(20_000))
    began = time.process_time()
    assert formulas.put_back(text).count("<math") == 20_000
    assert time.process_time() - began < 5


def test_a_renderer_that_was_killed_is_replaced() -> None:
    assert "<em>next</em>" in drawn()
    process = renderer.shared().process
    assert process is not None
    process.kill()
    process.wait()
    assert "<em>next</em>" in drawn(markdown("another"))


def test_the_renderer_sees_nothing_secret_and_ends_with_its_user(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "secret-of-the-course")
    own = renderer.Renderer()
    own.fork().close()
    assert own.process is not None
    assert b"secret-of-the-course" not in Path(f"/proc/{own.process.pid}/environ").read_bytes()
    process = own.process
    own.close()
    assert process.poll() is not None


def test_a_fork_may_neither_write_nor_take_all_memory() -> None:
    with renderer.at_desk() as found:
        assert found.do(
            {
                "do": "show",
                "cell": {**markdown("x"), "id": "a"},
                "verdict": False,
                "quiet": False,
                "quiet_verdicts": False,
            }
        )
        assert renderer.shared().process is not None
        forks = (
            Path(
                f"/proc/{renderer.shared().process.pid}/task/{renderer.shared().process.pid}/children"
            )
            .read_text()
            .split()
        )
        limits = Path(f"/proc/{forks[-1]}/limits").read_text()
    assert f"{desk.MEMORY_MB * 1_000_000}" in limits and "Max file size             0" in limits


# ---- cleaning ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "html",
    [
        "<svg><text>kept</text></svg>",
        "<math><mi>kept</mi></math>",
        "<template>kept</template>",
        "<textarea>kept</textarea>",
        "<unknown>kept</unknown>",
        "<script>kept</script>",
        "<style>kept</style>",
        "a<b kept",
        "<p title='kept>x",
        "<!-- kept",
        "<svg><style><p>kept",
        "<text>kept</text>",
        "<svg><desc>kept</desc></svg><math><mtext>also</mtext></math>",
    ],
)
def test_no_text_vanishes_where_tags_are_taken_out(html: str) -> None:
    assert "kept" in sanitize.clean_html(html)


@pytest.mark.parametrize(
    ("style", "kept"),
    [
        ("color: red", "color:red"),
        ("COLOR: RED; position: fixed", "color:red"),
        (
            "background-color: rgb(1, 2, 3); font-weight: bold",
            "background-color:rgb(1, 2, 3);font-weight:bold",
        ),
        ("background-color: url(https://evil.example)", None),
        ("color: \\75 rl(x); text-align: left", "text-align:left"),
        ("color: red; background-image: url(x)", "color:red"),
    ],
)
def test_of_styles_a_few_stay(style: str, kept: str | None) -> None:
    assert sanitize.clean_html(f'<p style="{style}">x</p>') == (
        f'<p style="{kept}">x</p>' if kept else "<p>x</p>"
    )


def test_what_is_not_seen_is_seen_on_the_page() -> None:
    html = drawn(
        markdown("right\u202eleft &#x202e;zero\u200bwidth \x1b[31m \u2066"),
        code(
            "x = 'a\u202eb\u200d'",
            {"output_type": "stream", "name": "stdout", "text": "\x1b]0;title\x07\u2067"},
        ),
    )
    assert not [
        character for character in html if character in "\u202e\u200b\x1b\u2066\u2067\x07\u200d"
    ]
    assert (
        html.count(r"\u202e") == 3
        and r"\u200b" in html
        and r"\x1b]0;title\x07\u2067" in html
        and r"b\u200d" in html
    )


@pytest.mark.parametrize(
    "text", ["می\u200cشود", "क्\u200dष", "👩\u200d👩\u200d👧", "🏳\ufe0f\u200d🌈"]
)
def test_joiners_that_a_language_or_an_emoji_needs_stay_in_prose(text: str) -> None:
    assert text in drawn(markdown(text)) and text not in visible.code(text)


# ---- whole commands ------------------------------------------------------------------------------

NAMES = ("ada", "bob", "eve")


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A small course in which eve hands in what is meant to stop it, graded and with feedback."""
    here = classroom.make(tmp_path_factory.mktemp("rendering") / "course")
    for student in NAMES:
        folder = classroom.hand_in(here, student, classroom.RIGHT)
    path = folder / "small.ipynb"
    book = json.loads(path.read_text())
    book["cells"] += [
        markdown(text)
        for text in (r"\begin{a}" * 45_000, BOMBS["environments"], "$x$" * 33_000, "\u202e" * 1000)
    ]
    book["cells"] += [
        code(f'raise type("{letter}" * 8_000_000, (Exception,), {{}})("x")') for letter in "ABC"
    ]
    book["cells"].append(
        code(
            "from IPython.display import display\nfor i in range(300): display({f'x{i}/' + "
            "'y' * 9_000: ''}, raw=True)"
        )
    )
    for cell in book["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "why-answer":
            cell["source"] = "x;=1+1\n=HYPERLINK(1)\n" + "[" * 90_000
    path.write_text(json.dumps(book))
    prove_course(here.root)
    return here


def command(here: Any, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the course."""
    environment = os.environ | {"XDG_CACHE_HOME": str(here.root.parent / "cache")}
    return subprocess.run(
        [sys.executable, "-m", "autogradient", *words],
        cwd=here.root,
        capture_output=True,
        text=True,
        timeout=250,
        env=environment,
    )


@pytest.mark.timeout(900)
@pytest.mark.promise("P13")
def test_a_class_with_such_a_notebook_in_it_is_graded_and_everybody_has_feedback(
    course: Any,
) -> None:
    for words in (
        ["grade", "--all"],
        ["feedback"],
        ["report"],
        ["export"],
        ["mark", "--split", "1", "small"],
    ):
        ran = command(course, *words)
        assert ran.returncode == 0, ran.stderr
    for student in NAMES:
        read = json.loads((course.results / "small" / f"{student}.json").read_text())
        assert read["outcome"] == "graded" and read["points"]["earned"] == 6
        html = (course.feedback / student / "small" / "feedback.html").read_text()
        assert "Small numbers" in html and "sum(x)" in html.replace("</span>", "").replace(
            '<span class="n">', ""
        ).replace('<span class="p">', "")
        assert (errors.AS_TYPED in html) == (student == "eve") and "\u202e" not in html
        assert (course.feedback / student / "small" / "feedback.md").stat().st_size < 100_000
    assert (course.results / "small" / "eve.json").stat().st_size < 200_000
    assert (course.results / "small" / "eve.staff.json").stat().st_size < 200_000
    shown = json.loads((course.root / "autograded" / "eve" / "small" / "small.ipynb").read_text())
    texts = ["".join(cell["source"]) for cell in shown["cells"]]
    assert [text for text in texts if text.startswith("```") and r"\begin{a}" * 45_000 in text]
    (sheet,) = (course.results / "sheets").glob("*.csv")
    assert "x;'=1+1\n'=HYPERLINK(1)\n" in sheet.read_bytes().decode("utf-8-sig").replace(
        "\r\n", "\n"
    )


# ---- what a result holds -------------------------------------------------------------------------


def test_a_result_has_a_bound_however_much_there_is_to_say() -> None:
    from autogradient.model.result import (
        MAX_BYTES,
        MAX_PROBLEMS,
        MAX_REMARK,
        Problem,
        Result,
        first_of,
    )

    failed = [
        question(f"q{n}", "code", case("c", "failed", message="é" * 100_000)) for n in range(600)
    ]
    full = result(*failed, problems=[(n, "é" * 100_000) for n in range(3000)])
    assert all(len(problem.message) <= MAX_REMARK for problem in full.problems)
    text = full.to_json()
    assert MAX_BYTES / 8 < len(text.encode()) <= MAX_BYTES
    assert (
        len(Result.from_json(text).parts) == 600
        and len(Result.from_json(text).problems) <= MAX_PROBLEMS + 1
    )
    first = first_of([Problem(cell=n, message="x") for n in range(3000)])
    assert len(first) == MAX_PROBLEMS + 1 and f"{3000 - MAX_PROBLEMS} more" in first[-1].message


@pytest.mark.parametrize(
    "staff",
    [
        {"p": {"output": "x" * 40_000_000}},
        {"p": [{"error": ["E", "y" * 9_000, []]} for _ in range(5_000)]},
        {str(n): "z" * 99 for n in range(99_999)},
    ],
)
def test_what_staff_may_see_has_a_bound(staff: Any) -> None:
    from autogradient.model.result import MAX_STAFF_BYTES, within

    text = within(staff, MAX_STAFF_BYTES)
    assert len(text.encode()) <= MAX_STAFF_BYTES and json.loads(text)


def test_a_picture_of_an_output_stays() -> None:
    picture = base64.b64encode(b"\x89PNG" * 400_000).decode()
    assert f"data:image/png;base64,{picture}" in drawn(code("1", display(image_png=picture)))
