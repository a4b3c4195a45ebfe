"""What is shown below a cell: a sentence and a small table, as HTML and as plain text."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from fractions import Fraction

from autogradient.model.points import show_points


@dataclass(frozen=True)
class Row:
    """One line of a report: whether all is well with it, and its columns."""

    fine: bool
    columns: tuple[str, ...]


@dataclass
class Report:
    """What came of a cell: a sentence and a small table, as HTML and as plain text."""

    fine: bool
    sentence: str
    rows: list[Row] = field(default_factory=list)
    printed: str = ""

    def __repr__(self) -> str:
        count = max((len(row.columns) for row in self.rows), default=0)
        widths = [
            max(len(row.columns[i]) for row in self.rows if i < len(row.columns))
            for i in range(count)
        ]
        lines = [f"{_mark(self.fine)} {self.sentence}"]
        for row in self.rows:
            lines.append(
                "  "
                + " ".join(
                    [
                        _mark(row.fine),
                        *(
                            text.ljust(width + 1)
                            for text, width in zip(row.columns, widths, strict=False)
                        ),
                    ]
                ).rstrip()
            )
        return "\n".join(
            [*lines, *(["printed while they ran:", self.printed] if self.printed else [])]
        )

    def _repr_html_(self) -> str:
        cell = '<td style="text-align: left; vertical-align: top">{}</td>'
        rows = "".join(
            "<tr>"
            + "".join(cell.format(_html(text)) for text in (_mark(row.fine), *row.columns))
            + "</tr>"
            for row in self.rows
        )
        table = f'<table class="autogradient-cases">{rows}</table>' if rows else ""
        printed = (
            f"<p>printed while they ran:</p><pre>{html.escape(self.printed)}</pre>"
            if self.printed
            else ""
        )
        colour = "" if self.fine else ' style="color: var(--jp-error-color1, #c62828)"'
        return (
            f'<div class="autogradient-report"><p{colour}><b>{_mark(self.fine)}</b> '
            f"{_html(self.sentence)}</p>{table}{printed}</div>"
        )


def _mark(fine: bool) -> str:
    return "✓" if fine else "✗"


def _html(text: str) -> str:
    # A formula in a message would be typeset by JupyterLab; it is code here.
    return html.escape(text).replace("$", "&#36;<!-- -->")


def points_text(earned: Fraction, possible: Fraction) -> str:
    if not possible:
        return "no points"
    noun = "point" if possible == 1 else "points"
    return f"{show_points(earned)} of {show_points(possible)} {noun}"
