from __future__ import annotations

import base64
import io
from fractions import Fraction
from html.parser import HTMLParser
from typing import Any

import handmade
import pytest
from handmade import case, question, result
from markdown_it import MarkdownIt
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from rich.console import Console

from autogradient import visible
from autogradient.course.ledger import Mark, apply_ledger
from autogradient.feedback import page, summary, table

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![x](https://evil.example/track.png)",
    "**bold** _it_ `code` ~~gone~~ # head",
    "line\n\n# New heading\n- item\n\n| a | b |\n|---|---|",
    "```\nfence\n```",
    "@everyone see #1 and GH-1 at https://evil.example or www.evil.example",
    "&lt;b&gt; &#64;",
    "$x$ $$y$$",
    "back\\slash \\[x\\](y)",
    "- item",
    "+ item",
    "12. item",
    "1) item",
    "=== --- ***",
    "\u202eright to left\x1b[31m",
]


# ---- the summary ---------------------------------------------------------------------------------


def test_totals_say_what_counts_and_what_waits() -> None:
    optional = question("extra", "code", case("a", "passed", 1), optional=True)
    text = summary.markdown(result(*result().questions, optional), "Gates")
    assert text.startswith("# Gates\n\n**1 of 5 points, 2 wait to be marked, 1 bonus point**\n")


def test_a_failed_case_shows_its_hint_and_a_passed_one_nothing() -> None:
    text = summary.markdown(result())
    assert (
        r"- ✗ **noisy** (2 points, hidden check): One line must separate \(1, 1\) from the rest."
        in text
    )
    assert "truth table" not in text
    assert "## and-gate: 1 of 3" in text


@pytest.mark.parametrize(
    ("outcome", "reason", "said"),
    [
        ("timed_out", None, "it took too long and was stopped"),
        ("grader_error", None, "through no fault of yours"),
        ("not_run", "gpu", "this needs a GPU and has not been run yet"),
        ("not_run", "hand", "a person will mark this"),
        ("not_run", None, "this has not been run yet"),
    ],
)
def test_every_outcome_is_explained(outcome: str, reason: str | None, said: str) -> None:
    assert said in summary.markdown(
        result(question("p", "code", case("c", outcome, reason=reason)))
    )


def test_times_and_names_of_students_stay_out() -> None:
    text = summary.markdown(
        result(question("p", "code", case("c", "failed", hidden=True, seconds=0.125)))
    )
    assert "0.125" not in text and "ada" not in text


def test_a_hand_mark_shows_points_and_comment() -> None:
    mark = Mark(
        student="ada",
        assignment=handmade.NAME,
        part="why",
        points="1.5",
        comment="Say why.",
        who="staff",
    )
    text = summary.markdown(apply_ledger(result(), [mark]))
    assert "- ✎ **why**: 1.5 of 2 points, marked by a person. Say why." in text
    assert "wait" not in text


def test_parts_of_one_question_are_told_apart() -> None:
    first, second = (question(f"xor-p{n}", "code", case("c", "failed")).parts[0] for n in (1, 2))
    asked = question("xor", "code")
    asked.parts = [first, second]
    assert "**xor-p2**: 0 of 1" in summary.markdown(result(asked))


def test_what_was_not_tried_is_listed_and_its_failures_are_not() -> None:
    text = summary.markdown(
        result(
            question("and", "code", case("secret case", "failed"), attempted=False),
            question("or", "code", case("c", "passed")),
        )
    )
    assert "## Not attempted\n\n- and\n" in text
    assert "secret case" not in text
    assert "## Complete\n\n- or\n" in text


def test_problems_of_the_notebook_are_named_with_their_cell() -> None:
    text = summary.markdown(
        result(problems=[(7, "this cell was stopped after 30 s"), (None, "renamed")])
    )
    assert "- Cell 7: this cell was stopped after 30 s\n- renamed" in text


@pytest.mark.parametrize(
    ("outcome", "said"),
    [("unreadable", "could not be read"), ("missing", "Nothing was handed in.")],
)
def test_what_became_of_an_ungraded_submission_is_said(outcome: str, said: str) -> None:
    text = summary.markdown(result(outcome=outcome, problems=[(None, "line 3")]))
    assert said in text and "line 3" in text
    assert " of 5" not in text and "Not attempted" not in text


def test_a_grader_error_is_no_fault_of_the_student_and_the_rest_is_shown() -> None:
    text = summary.markdown(result(outcome="grader_error"))
    assert (
        "no fault of yours and costs no points" in text
        and "1 of 5 points" in text
        and "noisy" in text
    )


class _Seen(HTMLParser):
    """The tags and the text of rendered HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, Any]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_text_shows_as_it_is_and_marks_up_nothing(text: str) -> None:
    rendered = _Seen(
        MarkdownIt("gfm-like", {"linkify": False}).render(f"- before {summary.escape(text)} after")
    )
    assert [tag for tag, _ in rendered.tags] == ["ul", "li"]
    wanted = visible.prose(" ".join(text.split()))
    assert rendered.text.strip().replace("\N{WORD JOINER}", "") == f"before {wanted} after"


def test_mentions_references_and_links_are_broken() -> None:
    escaped = summary.escape(HOSTILE[7]).replace("\\", "")
    assert not any(word in escaped for word in ("@everyone", "#1", "GH-1", "https://", "www."))


@pytest.mark.parametrize("text", HOSTILE)
def test_no_field_of_a_result_can_inject_anything(text: str) -> None:
    bad = result(
        question(text, "code", case(text, "failed", message=text), case("c", "failed")),
        student=text,
        problems=[(1, text)],
    )
    tags = {
        tag
        for tag, _ in _Seen(
            MarkdownIt("gfm-like", {"linkify": False}).render(summary.markdown(bad, text))
        ).tags
    }
    assert tags <= {"h1", "h2", "p", "strong", "ul", "li"}
    shown = page.html_page(bad, title=text)
    assert {tag for tag, _ in _Seen(shown).tags} <= {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "main",
        "section",
        *("h1", "h2", "p", "strong", "ul", "li"),
    }


def test_a_long_message_is_cut() -> None:
    assert len(summary.escape("x" * 10_000)) == summary.LONGEST


# ---- the page ------------------------------------------------------------------------------------


def _page(*cells: Any, **more: Any) -> tuple[str, list[tuple[str, dict[str, Any]]]]:
    html = page.html_page(result(), new_notebook(cells=list(cells)), **more)
    return html, _Seen(html).tags


PIXEL = base64.b64encode(b"\x89PNG pixel").decode()


def test_the_page_holds_summary_and_notebook() -> None:
    html, tags = _page(
        new_markdown_cell(
            "# My work\n\nSome *text*, a table:\n\n| a | b |\n|---|---|\n| 1 | 2 "
            "|\n\n<details><summary>Hint</summary>\n\nLook.\n\n</details>"
        ),
        new_code_cell(
            "def f(x):\n    return x < 1",
            outputs=[
                new_output("stream", text="printed <b>\n"),
                new_output(
                    "error",
                    ename="ValueError",
                    evalue="no",
                    traceback=["\x1b[31mValueError\x1b[0m: <no>"],
                ),
                new_output("display_data", data={"image/png": PIXEL, "text/plain": "<Figure>"}),
                new_output(
                    "execute_result",
                    data={"text/html": "<table><tr><td>7</td></tr></table>", "text/plain": "7"},
                    execution_count=3,
                ),
            ],
        ),
    )
    names = [tag for tag, _ in tags]
    assert names.count("h1") == 2 and {"em", "table", "details", "summary", "img"} <= set(names)
    assert (
        "printed &lt;b&gt;" in html
        and "ValueError" in html
        and "&lt;no&gt;" in html
        and "<td>7</td>" in html
    )
    assert f"data:image/png;base64,{PIXEL}" in html
    assert '<span class="k">def</span>' in html
    assert any(
        "highlight" in (attributes.get("class") or "") for tag, attributes in tags if tag == "div"
    ), "what the syntax colours hang on"
    assert "&lt;p&gt;" not in html


def test_the_page_is_for_phones_and_for_the_dark() -> None:
    html, _ = _page()
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in html
    assert html.count("prefers-color-scheme: dark") == 2
    assert "default-src 'none'" in html


def test_pictures_of_the_assignment_are_put_into_the_page() -> None:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
    html, tags = _page(
        new_markdown_cell(
            "![the truth table](table one.svg)".replace(" one", "%20one") + "\n\n![gone](other.svg)"
        ),
        files={"table one.svg": svg, "data.csv": b"1"},
    )
    pictures = [attributes for tag, attributes in tags if tag == "img"]
    assert pictures[0]["src"] == f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
    assert pictures[0]["alt"] == "the truth table"
    assert pictures[1] == {"alt": "gone"}


ACTIVE = [
    "<script>steal()</script>",
    "<img src=x onerror=steal()>",
    "<svg onload=steal()><script>steal()</script></svg>",
    "<iframe src='javascript:steal()'></iframe>",
    "<object data='https://evil.example'></object><embed src='https://evil.example'>",
    "<form action='https://evil.example'><input name=password><button>Log in</button></form>",
    "<a href='javascript:steal()'>x</a><a href='data:text/html,steal()'>x</a>",
    "<style>body { display: none }</style><link rel=stylesheet href='https://evil.example'>",
    (
        "<meta http-equiv=refresh content='0;url=https://evil.example'><base "
        "href='https://evil.example'>"
    ),
    "<div style='position: fixed; background: url(https://evil.example)'>x</div>",
    "<math><mtext></mtext><mglyph><style><img src=x onerror=steal()></style></mglyph></math>",
    "<img src='https://evil.example/track.png'>",
    "<details ontoggle=steal() open>x</details>",
    '<p title="\'><script>steal()</script>">x</p>',
]


@pytest.mark.parametrize("html", ACTIVE)
def test_active_content_is_removed_wherever_it_stands(html: str) -> None:
    data = {
        "text/html": html,
        "application/javascript": "steal()",
        "image/svg+xml": html,
        "text/latex": html,
        "text/markdown": html,
        "image/png": f'x"{html}',
    }
    output = new_output(
        "display_data",
        data=data,
        metadata={
            "image/png": {"width": f'1" {html}', "alt": html},
            "text/html": {"isolated": True},
        },
    )
    code = new_code_cell(
        "1",
        outputs=[
            output,
            new_output("stream", text=html),
            new_output("error", ename=html, evalue=html, traceback=[html]),
        ],
    )
    code.metadata = {"tags": [f'"><x {html}'], "nbgrader": {"grade_id": html}, "alt": html}
    code.id = f'"{html}'
    attached = new_markdown_cell(
        f"{html} and ![x](attachment:a.png)",
        attachments={"a.png": {"image/png": f'"{html}', "text/html": html}},
    )
    raw = new_raw_cell(html, metadata={"raw_mimetype": "text/html"})
    notebook = new_notebook()
    # as a file may hold them, valid or not
    notebook.cells = [
        code,
        attached,
        raw,
        new_markdown_cell(f"[x](javascript:steal()) `{html}`\n\n$${html}$$"),
    ]
    notebook.metadata = {
        "title": html,
        "widgets": {"application/vnd.jupyter.widget-state+json": {"x": html}},
        "language_info": {"name": html},
    }
    tags = _Seen(page.html_page(result(), notebook)).tags
    banned = {
        "script",
        "iframe",
        "object",
        "embed",
        "form",
        "input",
        "button",
        "link",
        "base",
        "svg",
        "mglyph",
        "annotation-xml",
        "maction",
    }
    assert not banned & {tag for tag, _ in tags}
    assert [tag for tag, _ in tags].count("style") == 1 and [tag for tag, _ in tags].count(
        "meta"
    ) == 4
    for tag, attributes in tags:
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        assert "url(" not in (attributes.get("style") or "") and "position" not in (
            attributes.get("style") or ""
        )
        assert (attributes.get("href") or "https:").startswith(("https:", "http:", "mailto:"))
        assert (attributes.get("src") or "data:image/").startswith("data:image/")


@pytest.mark.parametrize(
    "source",
    [
        "![x](attachment:gone.png)",
        "![x](&#97;ttachment:gone.png)",
        "![x](<attachment:my gone.png>)",
        "> " * 3000 + "deep",
    ],
)
def test_markdown_that_nbconvert_gives_up_on_is_shown_all_the_same(source: str) -> None:
    html, _ = _page(new_markdown_cell(source), new_markdown_cell("the next cell"))
    assert "the next cell" in html


def test_a_pasted_picture_is_shown() -> None:
    _, tags = _page(
        new_markdown_cell("![mine](attachment:a.png)", attachments={"a.png": {"image/png": PIXEL}})
    )
    assert [attributes["src"] for tag, attributes in tags if tag == "img"] == [
        f"data:image/png;base64,{PIXEL}"
    ]


def test_a_formula_in_what_stands_for_a_picture_stays_as_it_was_typed() -> None:
    _, tags = _page(
        new_markdown_cell(
            '![a > $x^2$ "b"](attachment:a.png) and $y^2$',
            attachments={"a.png": {"image/png": PIXEL}},
        )
    )
    assert [attributes["alt"] for tag, attributes in tags if tag == "img"] == ['a > $x^2$ "b"']
    assert [tag for tag, _ in tags].count("math") == 1


BROKEN: list[Any] = [
    {},
    {"cells": None},
    {
        "cells": [
            None,
            1,
            "x",
            {},
            {"cell_type": "code"},
            {"cell_type": "markdown", "source": None, "attachments": 3, "metadata": 4},
        ]
    },
    {
        "cells": [
            {
                "cell_type": "code",
                "source": ["a = 1\n", "a"],
                "outputs": [
                    None,
                    {},
                    {"output_type": "stream"},
                    {"output_type": "error", "traceback": 5},
                ],
            }
        ]
    },
    {
        "cells": [
            {
                "cell_type": "code",
                "source": 7,
                "execution_count": "x",
                "outputs": [{"output_type": "display_data", "data": [1]}],
            }
        ]
    },
    {
        "cells": [
            {
                "cell_type": "code",
                "source": "1",
                "metadata": {"nbgrader": {"grade_id": ["x"]}},
                "id": 5,
                "outputs": 3,
            }
        ]
    },
]


@pytest.mark.parametrize("notebook", BROKEN)
def test_a_broken_notebook_still_gives_a_page(notebook: Any) -> None:
    assert "Your notebook" in page.html_page(result(), notebook)


# ---- the table -----------------------------------------------------------------------------------


def _results() -> list[Any]:
    full = question("and-gate", "code", case("c", "passed", 3))
    return [
        result(),
        result(full, student="bob", name="zeros"),
        result(outcome="unreadable", student="bob"),
        result(
            full,
            question("e", "code", case("c", "passed", 0.5), optional=True),
            student="cy",
            name="zeros",
        ),
    ]


def test_the_plain_table_has_a_line_for_each_student_and_assignment() -> None:
    lines = table.plain(_results(), students=["dora"]).splitlines()
    assert [line.split() for line in lines] == [
        ["student", "assignment", "points", "failed", "untried", "waits"],
        ["dora", "gates", "–"],
        ["dora", "zeros", "–"],
        ["ada", "gates", "1/5", "and-gate", "why"],
        ["ada", "zeros", "–"],
        ["bob", "gates", "unreadable"],
        ["bob", "zeros", "3/3"],
        ["cy", "gates", "–"],
        ["cy", "zeros", "3/3", "+0.5"],
    ]
    assert lines[0].index("failed") == lines[3].index("and-gate")


def test_long_lists_are_cut_and_what_was_not_tried_is_told_apart() -> None:
    failed = [question(f"f{n}", "code", case("c", "failed")) for n in range(5)]
    line = table.plain(
        [result(*failed, question("u", "code", case("c", "failed"), attempted=False))]
    ).splitlines()[1]
    assert [column.strip() for column in line.split("  ")][-2:] == ["f0 +4 more", "1 part"]


def test_the_terminal_table_shows_the_same() -> None:
    out = io.StringIO()
    Console(file=out, width=100).print(table.table(_results(), assignments=["zeros", "gates"]))
    text = out.getvalue()
    assert text.index("zeros") < text.index("gates")
    assert all(
        word in text for word in ("1/5", "failed: and-gate", "waits: why", "unreadable", "3/3 +0.5")
    )


def test_an_id_can_neither_style_nor_steer_the_terminal() -> None:
    nasty = result(student="[red]eve\x1b[2J")
    out = io.StringIO()
    Console(file=out, width=100).print(table.table([nasty]))
    assert r"[red]eve\x1b[2J" in out.getvalue() and "\x1b" not in out.getvalue()
    assert "\x1b" not in table.plain([nasty])


def test_the_last_result_of_a_student_counts() -> None:
    better = result(question("and-gate", "code", case("c", "passed", 5)))
    assert "5/5" in table.plain([result(), better])


def test_points_are_shown_exactly() -> None:
    assert (
        table.points(
            result(question("p", "code", *[case(str(n), "passed", 0.1) for n in range(3)]))
        )
        == "0.3/0.3"
    )
    assert (
        summary.points_line(
            result(question("p", "code", case("c", "failed", 1, earned=Fraction(1, 4))))
        )
        == "0.25 of 1 point"
    )


def test_formulas_are_drawn_without_scripts() -> None:
    html, _ = _page(
        new_markdown_cell(
            r"The slope is $\sigma'(z) \le \tfrac14$ and" + "\n\n" + r"$$a_i = \sum_j w_{ij} x_j$$"
        )
    )
    assert html.count("<math") == 2 and 'display="block"' in html and "$" not in html


@pytest.mark.parametrize(
    "latex",
    [
        r"\frac{",
        r"\href{javascript:steal()}{x}",
        r"\text{<img src=x onerror=steal()>}",
        r"\unknowncommand{x" + "y" * 3000,
    ],
)
def test_a_formula_that_cannot_be_drawn_safely_is_shown_as_it_was_typed(latex: str) -> None:
    html, tags = _page(new_markdown_cell(f"before ${latex}$ after"))
    assert "before" in html and "after" in html
    assert not [
        attributes
        for _, attributes in tags
        if "onerror" in attributes or "javascript" in (attributes.get("href") or "")
    ]
