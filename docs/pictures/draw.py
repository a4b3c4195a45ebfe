"""Draws the two pictures of the documentation: `python docs/pictures/draw.py` writes pipeline.svg
and rooms.svg beside this file.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

HERE = Path(__file__).parent
INK, SOFT, CARD = "#22303c", "#5b6b78", "#fbfaf6"
BLUE, ORANGE, GREEN, GREY = "#d6e8f5", "#fbe3c5", "#d5efe3", "#e9e7e0"
FONT = "font-family='system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif'"


class Picture:
    """An SVG on a ground of its own, so that it is legible on dark and light pages."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self.parts = [
            (
                f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' "
                f"width='{width}' height='{height}' role='img' {FONT}>"
            ),
            f"<title>{escape(title)}</title>",
            "<defs><marker id='tip' viewBox='0 0 10 10' refX='9' refY='5' markerWidth='7' "
            "markerHeight='7' orient='auto-start-reverse'>"
            f"<path d='M0 0 L10 5 L0 10 z' fill='{SOFT}'/></marker></defs>",
            (
                f"<rect x='1' y='1' width='{width - 2}' height='{height - 2}' rx='12' "
                f"fill='{CARD}' stroke='#d8d4c8'/>"
            ),
        ]

    def box(
        self,
        x: int,
        y: int,
        width: int,
        height: int,
        fill: str,
        title: str,
        *lines: str,
        dashed: bool = False,
    ) -> None:
        dash = " stroke-dasharray='5 4'" if dashed else ""
        self.parts.append(
            f"<rect x='{x}' y='{y}' width='{width}' height='{height}' rx='8' fill='{fill}' "
            f"stroke='{SOFT}'{dash}/>"
        )
        top = y + height / 2 - 8.5 * len(lines) + 5
        self.text(x + width / 2, top, title, 15, INK, bold=True)
        for number, line in enumerate(lines, start=1):
            self.text(x + width / 2, top + 17 * number, line, 12.5, SOFT)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 12.5,
        fill: str = SOFT,
        *,
        bold: bool = False,
        anchor: str = "middle",
    ) -> None:
        weight = " font-weight='600'" if bold else ""
        self.parts.append(
            f"<text x='{x:g}' y='{y:g}' font-size='{size:g}' fill='{fill}' "
            f"text-anchor='{anchor}'{weight}>{escape(text)}</text>"
        )

    def arrow(self, path: str, *, dashed: bool = False) -> None:
        dash = " stroke-dasharray='4 4'" if dashed else ""
        self.parts.append(
            f"<path d='{path}' fill='none' stroke='{SOFT}' stroke-width='1.6' "
            f"marker-end='url(#tip)'{dash}/>"
        )

    def save(self, name: str) -> None:
        (HERE / name).write_text("\n".join([*self.parts, "</svg>"]) + "\n", encoding="utf-8")


def pipeline() -> None:
    """From one instructor notebook to feedback."""
    p = Picture(920, 300, "From one instructor notebook to feedback")
    p.box(
        24,
        96,
        190,
        108,
        ORANGE,
        "instructor notebook",
        "question · answer · tests",
        "known wrong answers",
        "hints · rubric",
    )
    p.box(272, 30, 150, 72, GREY, "prove", "do the tests catch", "what is wrong?")
    p.box(272, 196, 150, 72, GREY, "release", "stubs, public tests,", "leak check")
    p.box(480, 196, 170, 72, BLUE, "student notebook", "answer, check at once,", "hand in")
    p.box(480, 30, 170, 72, GREY, "grade", "hidden tests, sealed off", "in another process")
    p.box(
        712,
        30,
        184,
        72,
        GREEN,
        "results + ledger",
        "exact points, outcomes,",
        "hand marks, receipts",
    )
    p.box(
        712,
        196,
        184,
        72,
        GREEN,
        "feedback · marks",
        "what failed and the hint;",
        "CSV, nbgrader's gradebook",
    )
    p.arrow("M214 130 C 240 110, 245 75, 270 68")
    p.arrow("M214 170 C 240 190, 245 225, 270 231")
    p.arrow("M347 104 L347 193")
    p.text(353, 182, "proof.json", 12, anchor="start")
    p.arrow("M422 232 L477 232")
    p.arrow("M565 195 L565 105")
    p.arrow("M650 66 L709 66")
    p.arrow("M804 103 L804 193")
    p.arrow("M214 140 C 300 160, 430 150, 482 105", dashed=True)
    p.text(432, 158, "hidden tests", 12, anchor="start")
    p.save("pipeline.svg")


def rooms() -> None:
    """The wings of the house and which way imports point: downwards."""
    p = Picture(920, 560, "The wings of the package; imports point downwards")
    p.box(330, 18, 260, 48, ORANGE, "cli", "one thin function for each command")
    p.box(330, 90, 260, 48, GREY, "github", "publish · enrol · collect · deliver")
    p.box(180, 162, 260, 48, GREY, "coursework", "a whole course in one go")
    p.box(480, 162, 260, 48, GREY, "authoring", "tests run where they stand")
    p.box(180, 234, 260, 48, GREY, "proving", "are the tests good, do the layers hold?")
    p.box(480, 234, 260, 48, GREY, "feedback", "what students and staff read")
    p.box(330, 306, 260, 48, BLUE, "grading", "submissions → results; the judge")
    p.box(180, 378, 260, 48, GREEN, "course", "settings, people, decisions, marks")
    p.box(480, 378, 260, 48, GREEN, "sources", "instructor notebooks → releases")
    p.box(480, 450, 260, 48, GREEN, "model", "assignment, result, points")
    p.box(
        180,
        450,
        260,
        48,
        "#f7dcd6",
        "sandbox",
        "untrusted: knows nothing of tests or marks",
        dashed=True,
    )
    p.box(180, 512, 260, 40, BLUE, "wire", "copies and stand-ins")
    p.box(480, 512, 260, 40, GREY, "errors · visible", "every sentence, made safe")
    for path in (
        "M460 66 L460 88",
        "M420 138 L340 160",
        "M500 138 L590 160",
        "M310 210 L310 232",
        "M610 210 L610 232",
        "M340 282 L420 304",
    ):
        p.arrow(path)
    for path in (
        "M590 282 L500 304",
        "M420 354 L340 376",
        "M440 402 L477 402",
        "M610 426 L610 448",
        "M310 498 L310 510",
        "M610 498 L610 510",
    ):
        p.arrow(path)
    p.text(812, 300, "every wing may use", 12)
    p.text(812, 317, "those below its own", 12)
    p.save("rooms.svg")


if __name__ == "__main__":
    pipeline()
    rooms()
