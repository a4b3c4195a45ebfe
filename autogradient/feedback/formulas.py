"""Formulas on pages that allow no scripts: LaTeX becomes MathML, which browsers draw themselves."""

from __future__ import annotations

import re
import secrets
from html import escape
from typing import Any
from xml.etree import ElementTree

from latex2mathml.converter import convert
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

_SPACE = "{http://www.w3.org/1998/Math/MathML}"
_TAGS = frozenset(
    [
        "math",
        "mfrac",
        "mi",
        "mmultiscripts",
        "mn",
        "mo",
        "mover",
        "mpadded",
        "mphantom",
        "mprescripts",
        "mroot",
        "mrow",
        "mspace",
        "msqrt",
        "mstyle",
        "msub",
        "msubsup",
        "msup",
        "mtable",
        "mtd",
        "mtext",
        "mtr",
        "munder",
        "munderover",
    ]
)
_ATTRIBUTES = frozenset(
    [
        "accent",
        "columnalign",
        "columnspacing",
        "depth",
        "display",
        "displaystyle",
        "fence",
        "form",
        "height",
        "linethickness",
        "lspace",
        "mathvariant",
        "maxsize",
        "minsize",
        "rowspacing",
        "rspace",
        "stretchy",
        "width",
    ]
)
_LONGEST = 2000


def to_mathml(latex: str, *, display: bool = False) -> str | None:
    """A formula as MathML; None where it cannot be converted. Whatever the LaTeX says, only known
    elements and attributes come out.
    """
    if len(latex) > _LONGEST:
        return None
    try:
        root = ElementTree.fromstring(convert(latex, display="block" if display else "inline"))
    except Exception:
        # the converter raises errors of many kinds for LaTeX that is broken or beyond it
        return None
    for element in root.iter():
        element.tag = str(element.tag).removeprefix(_SPACE)
        if element.tag not in _TAGS:
            return None
        for name in set(element.attrib) - _ATTRIBUTES:
            del element.attrib[name]
    return ElementTree.tostring(root, encoding="unicode")


class Formulas:
    """Puts formulas into a page: marks stand in for them while the HTML around them is made and
    cleaned, and are replaced at the end.
    """

    def __init__(self) -> None:
        self.nonce = secrets.token_hex(8)
        self.found: list[str] = []
        self.typed: list[str] = []

    def hold(self, latex: str, *, display: bool) -> str:
        """The mark for a formula."""
        sign = "$$" if display else "$"
        self.typed.append(escape(f"{sign}{latex}{sign}"))
        self.found.append(to_mathml(latex, display=display) or self.typed[-1])
        return f"formula-{self.nonce}-{len(self.found) - 1}-"

    def put_back(self, page: str) -> str:
        """The page with every mark replaced; in an attribute, as a picture's `alt` is, by the
        formula as it was typed.
        """
        mark = rf"formula-{self.nonce}-(\d+)-"

        def replaced(found: re.Match[str]) -> str:
            if found[1]:
                return self.found[int(found[1])]
            return re.sub(mark, lambda inside: self.typed[int(inside[1])], found[0])

        # a tag without end is taken as far as it goes, so that no part of it is gone through twice
        return re.sub(rf"{mark}|<[a-zA-Z](?:\"[^\"]*+\"|[^\">])*+>?", replaced, page)

    def markdown(self, text: str, **options: Any) -> str:
        """Markdown as HTML the way notebooks show it, with marks for formulas and without anchors
        at headings. HTML in it stays.
        """
        return str(MarkdownWithMath(renderer=_Renderer(self, **options)).render(text))


class _Renderer(IPythonRenderer):
    def __init__(self, formulas: Formulas, **options: Any) -> None:
        super().__init__(escape=False, exclude_anchor_links=True, **options)
        self.formulas = formulas

    def block_math(self, body: str) -> str:
        return self.formulas.hold(body, display=True)

    def inline_math(self, body: str) -> str:
        return self.formulas.hold(body, display=False)
