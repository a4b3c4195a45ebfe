"""What commands print and export shows names and texts of students and obeys nothing in them."""

from __future__ import annotations

import csv
import importlib
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import homework
import pytest
from handmade import case, question, result
from nbformat.v4 import new_markdown_cell, new_notebook

from autogradient import errors, visible
from autogradient.coursework import export_csv, export_gradescope
from autogradient.feedback import summary, table
from autogradient.feedback.cells import render_markdown
from autogradient.feedback.notebooks import clean_notebook
from autogradient.grading import messages
from autogradient.model.result import MAX_NAME, SubmissionInfo
from autogradient.sandbox import outputs

#: Names of files that steer a terminal, command a runner, forge a line, or are no text.
#: Wings whose sentences go to a terminal; those of `github` are Markdown, and made safe as such.
WINGS = ("authoring", "coursework", "grading", "sources")
NAMES = [
    "a\x1b[2J\x1b]0;owned\x07.ipynb",
    "a\n::error::forged.ipynb",
    "::stop-commands::x.ipynb",
    "a\n##[error]forged.ipynb",
    "a\r1 graded, 0 up to date.ipynb",
    "a\u202egpj.ipynb",
    "[red]a[link=https:x]b[red].ipynb",
    b"a\xff\x9b.ipynb".decode("utf-8", "surrogateescape"),
    "n" * 249 + ".ipynb",
]


def is_safe(text: str) -> bool:
    """Whether nothing in what a command printed steers a terminal or is a command to a runner."""
    unseen = [
        character
        for character in text
        if character != "\n"
        and (
            ord(character) < 32 or 127 <= ord(character) < 160 or character in "\u202e\u2028\u200b"
        )
    ]
    return (
        not unseen
        and "##[" not in text
        and not any(line.strip().startswith("::") for line in text.split("\n"))
    )


# ---- one function for each place -----------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        *NAMES,
        "##vso[task.setvariable]x",
        "  ::error::x",
        "\x85::error::x",
        "\v\f\x00",
        "\u2028::error::x",
        "####[x",
    ],
)
def test_lines_and_names_are_safe_and_recognisable(text: str) -> None:
    assert (
        is_safe(visible.lines(text))
        and is_safe("x " + visible.line(text).replace("##[", ""))
        and "\n" not in visible.line(text)
    )
    assert visible.lines(visible.lines(text)) == visible.lines(text)
    data = json.dumps({"name": text}, ensure_ascii=False)
    assert json.loads(visible.written(data)) == {"name": text}


@pytest.mark.parametrize(
    "text", ["plain", "2 of 3: ok", "a::b", "## Heading", "café ✓ 数", "x\n    y", "C:\\new"]
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert visible.lines(text) == text and visible.prose(text) == text


@pytest.mark.parametrize("name", NAMES)
def test_no_sentence_is_broken_by_what_stands_in_it(name: str) -> None:
    said = messages.TOO_LARGE.format(name=name, size=51.0, limit=50)
    assert "\n" not in said and "51 MB" in said
    assert "\n" not in errors.relative(Path(name)) and "\x1b" not in errors.relative(Path(name))


@pytest.mark.parametrize("room", ["errors", *(f"{wing}.messages" for wing in WINGS)])
def test_every_sentence_makes_visible_what_is_put_into_it(room: str) -> None:
    texts = {
        name: text
        for name, text in vars(importlib.import_module(f"autogradient.{room}")).items()
        if name.isupper() and isinstance(text, str) and "{" in text
    }
    assert texts and all(type(text) is visible.Sentence for text in texts.values())


# ---- commands ------------------------------------------------------------------------------------


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache"), "GITHUB_ACTIONS": "true"}
    return subprocess.run(
        [sys.executable, "-m", "autogradient", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=250,
        env=environment,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An assignment and a folder of submissions with all these names, one of them no notebook, and
    an error whose text is a command.
    """
    here = tmp_path_factory.mktemp("names")
    assignment = homework.assignment(here / "source")
    (here / "in").mkdir()
    book = homework.Notebook(assignment)
    book.insert("", "raise ValueError('x\\n::error::forged\\n##[error]forged \\x1b[2J')")
    for name in NAMES:
        (here / "in" / name).write_bytes(book.bytes())
    (here / "in" / "b\n::error::unreadable.ipynb").write_text("<<<<<<< no notebook")
    return here


@pytest.mark.promise("P14")
def test_grading_a_folder_prints_nothing_that_is_obeyed(folder: Path) -> None:
    ran = command(folder, "grade", "in", "--assignment", "source/small", "--out", "out")
    assert ran.returncode == 0, ran.stderr
    assert is_safe(ran.stdout) and is_safe(ran.stderr)
    assert len(ran.stdout.strip().split("\n")) == len(NAMES) + 1
    assert (
        r"a\x1b[2J\x1b]0;owned\x07.ipynb: small: graded" in ran.stdout
        and "[red]a[link=https:x]b[" in ran.stdout
    )
    assert len(list((folder / "out").glob("*.json"))) == len(NAMES) + 1


@pytest.mark.parametrize("name", [NAMES[0], NAMES[1]])
def test_one_file_and_its_errors_are_shown_and_not_obeyed(folder: Path, name: str) -> None:
    ran = command(folder, "grade", f"in/{name}", "--assignment", "source/small")
    assert ran.returncode == 0 and is_safe(ran.stdout) and is_safe(ran.stderr)
    assert "ValueError" in ran.stdout


def test_as_json_the_same_is_said(folder: Path) -> None:
    ran = command(folder, "grade", f"in/{NAMES[1]}", "--assignment", "source/small", "--json")
    assert (
        is_safe(ran.stdout)
        and "::error::forged" in json.loads(ran.stdout)["problems"][0]["message"]
    )


@pytest.mark.parametrize(
    "words",
    [
        ["grade", "in/\x1b[2J\n::error::gone"],
        ["report", "\x1b]0;x\x07\n::error::x"],
        ["grade", "--\x1b[2J"],
    ],
)
def test_mistakes_on_the_command_line_are_shown_and_not_obeyed(
    folder: Path, words: list[str]
) -> None:
    ran = command(folder, *words)
    assert ran.returncode == 2 and ran.stderr and is_safe(ran.stderr)


def test_an_error_of_our_own_is_shown_and_not_obeyed(folder: Path) -> None:
    program = (
        "from autogradient.cli import main\nfrom autogradient.course import config\ndef "
        "broken(*_): raise KeyError('x\\n::error::y\\x1b[2J') from "
        "ValueError('a\\n::error::b\\x1b[2J')\nconfig.find = broken\n"
    )
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            program + "import sys; sys.argv = ['autogradient', 'report']; main.main()",
        ],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1 and "ValueError" in ran.stderr and is_safe(ran.stderr)


# ---- what is exported ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "x;=1+1",
        "x; =1+1",
        'x;"=1+1',
        "\u200b=1+1",
        "\ufeff=1+1",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        "﹦1",
        "\u202e=1",
        " \u00a0=1",
    ],
)
@pytest.mark.promise("P14")
def test_no_cell_is_a_formula_whatever_separates_cells(text: str) -> None:
    written = export_csv.marks_csv([result(student=text)])
    for separator in ",;\t":
        for row in csv.reader(io.StringIO(written), delimiter=separator):
            assert not [
                cell
                for cell in row
                if cell.strip(' "\u200b\ufeff\u202e')[:1] in tuple("=+-@＝＋－＠﹢﹣﹦﹫")
                and cell.strip(' "')
            ]
    assert export_csv.restored(export_csv.neutral("x;=1\n=2")) == "x;=1\n=2"


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\u202eb", "zero\u200bwidth"])
def test_summaries_notes_and_gradescope_show_what_is_not_seen(text: str) -> None:
    bad = result(question("q", "code", case("c", "failed", message=text)), problems=[(1, text)])
    shown = summary.markdown(bad)
    assert (
        text not in shown and visible.prose(text).replace("\\", "\\\\").replace("[", "\\[") in shown
    )
    test = export_gradescope._test("q", bad.parts[0].cases[0], "visible")
    assert test["output"] == visible.prose(text)
    assert is_safe(table.plain([result(student=text)]))


# ---- names that come in --------------------------------------------------------------------------


def test_names_of_errors_and_mime_types_are_cut_and_counted() -> None:
    data = {f"x{n}/y": "" for n in range(500)} | {
        "x/" + "y" * 500: "long",
        "\n::error::/x": "",
        "text/plain": "kept",
    }
    found, size = outputs.as_shown(
        [
            {"output_type": "display_data", "data": data},
            {
                "output_type": "error",
                "ename": "A" * 9_000_000,
                "evalue": "b" * 9_000_000,
                "traceback": [],
            },
        ]
    )
    assert len(found[0]["data"]) == outputs.MAX_MIMES and all(
        len(name) <= outputs.MAX_MIME for name in found[0]["data"]
    )
    assert (
        len(found[1]["ename"]) == outputs.MAX_NAME and len(found[1]["evalue"]) == outputs.MAX_VALUE
    )
    assert size == len(json.dumps(found[0])) + len(json.dumps(found[1]))


def test_outputs_of_a_cell_have_a_bound_whatever_they_are() -> None:
    flood = [
        {"output_type": "stream", "name": "stdout", "text": "x" * outputs.MAX_TEXT}
    ] * outputs.MAX_ITEMS
    found, size = outputs.as_shown(flood)
    assert (
        size == outputs.MAX_SHOWN >= len(json.dumps(found)) - 1000
        and found[-1]["text"] == outputs.NOT_SHOWN
    )


@pytest.mark.parametrize("name", [*NAMES, "x" * 100_000])
def test_the_name_of_a_file_in_a_result_is_one_line_and_short(name: str) -> None:
    kept = SubmissionInfo(file=name).file or ""
    assert len(kept) <= MAX_NAME and kept.isprintable() and kept.encode()


@pytest.mark.promise("P14")
@pytest.mark.parametrize(
    "source",
    [
        "[x](javascript:alert(1))",
        "[x](JaVa&#115;cript:alert(1))",
        "[x](<java\tscript:alert(1)>)",
        "[x][y]\n\n[y]: javascript:alert(1)",
        "<javascript:alert(1)>",
        "[x](vbscript:a)",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](http://example.org/seen.png)",
        "![x](//example.org/seen.png)",
        "[![x](https://example.org/seen.png)](https://example.org)",
        "![x][y]\n\n[y]: http://example.org/seen.png",
    ],
)
def test_staffs_notebook_has_no_link_that_runs_and_no_picture_that_tells_who_looked(
    source: str,
) -> None:
    written = clean_notebook(new_notebook(cells=[new_markdown_cell(source)])).cells[0].source
    html = render_markdown(written)
    assert "<img" not in html
    assert not re.search(r'href="(?!(?:https?:)?//)', html), html


@pytest.mark.parametrize(
    "source",
    [
        "[x](https://example.org)",
        "<https://example.org>",
        "[x](#there)",
        "[x](notes/a.md?b=c:d)",
        "[x](mailto:a@example.org)",
        "a $b$ *c*",
    ],
)
def test_other_markdown_stays_as_it_is(source: str) -> None:
    assert clean_notebook(new_notebook(cells=[new_markdown_cell(source)])).cells[0].source in (
        source,
        source.replace("<h", "&lt;h"),
    )
