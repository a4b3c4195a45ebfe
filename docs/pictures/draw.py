"""Draws the two pictures of the documentation: `python docs/pictures/draw.py` writes pipeline.svg and rooms.svg beside this file."""

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
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' height='{height}' role='img' {FONT}>",
            f"<title>{escape(title)}</title>",
            "<defs><marker id='tip' viewBox='0 0 10 10' refX='9' refY='5' markerWidth='7' markerHeight='7' orient='auto-start-reverse'>"
            f"<path d='M0 0 L10 5 L0 10 z' fill='{SOFT}'/></marker></defs>",
            f"<rect x='1' y='1' width='{width - 2}' height='{height - 2}' rx='12' fill='{CARD}' stroke='#d8d4c8'/>",
        ]

    def box(self, x: int, y: int, width: int, height: int, fill: str, title: str, *lines: str, dashed: bool = False) -> None:
        dash = " stroke-dasharray='5 4'" if dashed else ""
        self.parts.append(f"<rect x='{x}' y='{y}' width='{width}' height='{height}' rx='8' fill='{fill}' stroke='{SOFT}'{dash}/>")
        top = y + height / 2 - 8.5 * len(lines) + 5
        self.text(x + width / 2, top, title, 15, INK, bold=True)
        for number, line in enumerate(lines, start=1):
            self.text(x + width / 2, top + 17 * number, line, 12.5, SOFT)

    def text(self, x: float, y: float, text: str, size: float = 12.5, fill: str = SOFT, *, bold: bool = False, anchor: str = "middle") -> None:
        weight = " font-weight='600'" if bold else ""
        self.parts.append(f"<text x='{x:g}' y='{y:g}' font-size='{size:g}' fill='{fill}' text-anchor='{anchor}'{weight}>{escape(text)}</text>")

    def arrow(self, path: str, *, dashed: bool = False) -> None:
        dash = " stroke-dasharray='4 4'" if dashed else ""
        self.parts.append(f"<path d='{path}' fill='none' stroke='{SOFT}' stroke-width='1.6' marker-end='url(#tip)'{dash}/>")

    def save(self, name: str) -> None:
        (HERE / name).write_text("\n".join([*self.parts, "</svg>"]) + "\n", encoding="utf-8")


def pipeline() -> None:
    """From one instructor notebook to feedback."""
    p = Picture(920, 300, "From one instructor notebook to feedback")
    p.box(24, 96, 190, 108, ORANGE, "instructor notebook", "question · answer · tests", "known wrong answers", "hints · rubric")
    p.box(272, 30, 150, 72, GREY, "prove", "do the tests catch", "what is wrong?")
    p.box(272, 196, 150, 72, GREY, "release", "stubs, public tests,", "leak check")
    p.box(480, 196, 170, 72, BLUE, "student notebook", "answer, check at once,", "hand in")
    p.box(480, 30, 170, 72, GREY, "grade", "hidden tests, sealed off", "in another process")
    p.box(712, 30, 184, 72, GREEN, "results + ledger", "exact points, outcomes,", "hand marks, receipts")
    p.box(712, 196, 184, 72, GREEN, "feedback · marks", "what failed and the hint;", "CSV, nbgrader's gradebook")
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
    """The rooms of the house and which way imports point: downwards."""
    p = Picture(920, 560, "The rooms of the package; imports point downwards")
    p.box(310, 20, 300, 50, ORANGE, "cli", "one thin function for each command")
    p.box(680, 20, 226, 50, GREY, "github/", "publish · enrol · collect")
    p.box(16, 104, 176, 56, GREY, "authoring · scaffold", "for authors")
    p.box(202, 104, 180, 56, GREY, "course · coursework", "a whole course")
    p.box(392, 104, 148, 56, GREY, "prove · mutants", "are the tests good?")
    p.box(550, 104, 174, 56, GREY, "gradebook · ledger", "nbgrader's; decisions")
    p.box(734, 104, 172, 56, GREY, "feedback/ · exports", "what people read")
    p.box(300, 196, 150, 50, GREY, "batch", "many, side by side")
    p.box(300, 280, 150, 50, GREY, "grade · running", "one submission")
    p.box(500, 280, 150, 50, BLUE, "judge · engine", "the verdict, from data")
    p.box(290, 372, 160, 50, BLUE, "trial", "a judge's process: tests")
    p.box(700, 180, 196, 44, GREY, "doctor · attempts", "do the layers hold?")
    p.box(40, 280, 210, 50, GREY, "submission", "untrusted notebook, in order")
    p.box(40, 372, 210, 50, GREY, "release · leaks", "student notebook, public tests")
    p.box(
        700,
        240,
        196,
        182,
        "#f7dcd6",
        "sandbox/",
        "untrusted: a zygote forks",
        "confined workers, which",
        "run cells; knows nothing of",
        "sources, results or marks",
        dashed=True,
    )
    p.box(500, 372, 150, 50, BLUE, "wire/", "copies, stand-ins")
    p.box(40, 466, 410, 66, GREEN, "source · directives · testcode · kinds", "formats · nbgrader_format · otter_format:", "everything is read into one model")
    p.box(500, 466, 396, 66, GREEN, "assignment · result · errors", "the model, verdicts and sums,", "the sentences people see")
    p.arrow("M460 70 L460 102")
    p.arrow("M310 160 L350 194")
    p.arrow("M470 160 C 490 210, 470 250, 430 278")
    p.arrow("M375 246 L375 278")
    p.arrow("M450 305 L498 305")
    p.arrow("M300 305 L252 305")
    p.arrow("M650 300 L698 300")
    p.arrow("M700 397 L652 397")
    p.arrow("M145 330 L145 370")
    p.arrow("M450 397 L498 397")
    p.arrow("M798 224 L798 238")
    p.arrow("M145 422 L145 464")
    p.text(460, 449, "every room may use the two green ones", 12)
    p.save("rooms.svg")


if __name__ == "__main__":
    pipeline()
    rooms()
