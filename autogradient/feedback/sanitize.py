"""Taking everything active out of what students wrote, before a browser shows it to them or, with
more rights, to staff.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import secrets
from html.parser import HTMLParser
from typing import Any

import nh3

_TAGS = frozenset(
    [
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "caption",
        "code",
        "dd",
        "del",
        "details",
        "div",
        "dl",
        "dt",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
    ]
    + [
        "img",
        "li",
        "ol",
        "p",
        "pre",
        "s",
        "small",
        "span",
        "strong",
        "sub",
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "u",
        "ul",
    ]
)
_ATTRIBUTES = frozenset(["alt", "class", "colspan", "open", "rowspan", "scope", "style", "title"])
_PICTURES = ("image/png", "image/jpeg", "image/gif")
#: SVG is inert inside <img>: a browser runs no script of it and loads nothing for it.
_PICTURE_URL = re.compile(r"data:image/(png|jpeg|gif|svg\+xml);base64,[A-Za-z0-9+/=\s]+")
_LINK = re.compile(r"(https?://|mailto:)", re.IGNORECASE)
_OWN_CLASSES = re.compile(r"[a-z][a-z0-9]{0,2}|highlight|(hl|ansi)-[\w-]*")
_STYLES = frozenset(
    ["color", "background-color", "font-weight", "font-style", "text-align", "text-decoration"]
)
#: Names, numbers and colours: nothing that could load or run anything.
_STYLE = re.compile(r"\s*[\w-]+\s*:(?:[\w\s#%.,+-]|\b(?:rgb|hsl)a?\([\d\s.,%/]*\))*")
#: Other elements that HTML has. What is none of these gets another name: of SVG, MathML and
#: templates nh3 would drop the text, too.
_OTHERS = """
    address area article aside audio base basefont bdi bdo bgsound big body button canvas center
    cite col colgroup data datalist dfn dialog dir embed fieldset figcaption figure font footer form
    frame frameset head header hgroup html iframe input ins kbd label legend link main map mark
    marquee menu meta meter nav nobr noembed noframes noscript object optgroup option output param
    picture plaintext progress q rp rt ruby samp script search section select slot source strike
    style textarea time title track tt var video wbr xmp
"""
_HTML = _TAGS | frozenset(_OTHERS.split())
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)")


def clean_html(text: object) -> str:
    """HTML without anything active, foreign or unknown: such tags are dropped (their text stays),
    pictures must stand in the page itself.

    Where the end of the text would vanish, since a tag or a comment is never closed, all of it is
    shown as it was typed.
    """
    given = text.decode() if isinstance(text, bytes) else str(text)
    end = f"end-{secrets.token_hex(8)}"
    cleaned = _CLEANER.clean(_TAG.sub(_renamed, given) + end)
    before, found, after = cleaned.rpartition(end)
    return before + after if found else html.escape(given, quote=False)


def is_inert(text: str) -> bool:
    """Whether the links of HTML lead to pages, files and places in the page, and its pictures stand
    in it.
    """
    found = _Addresses()
    found.feed(text)
    found.close()
    return found.inert


class _Addresses(HTMLParser):
    """Looks at what an element of HTML loads, or would load when clicked."""

    def __init__(self) -> None:
        super().__init__()
        self.inert = True

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            # as browsers do before they look for a scheme
            address = re.sub(r"[\x00-\x20]", "", value or "")
            if name == "href":
                self.inert &= (
                    bool(_LINK.match(address))
                    or ":" not in re.split(r"[/?#]", address, maxsplit=1)[0]
                )
            elif name == "src":
                self.inert &= bool(
                    _PICTURE_URL.fullmatch(address) or address.startswith("missing-picture:")
                )


def _renamed(tag: re.Match[str]) -> str:
    name = tag[2].lower()
    return tag[0] if name in _HTML else f"<{tag[1]}other-{tag[2]}"


def _may_stay(tag: str, name: str, value: str) -> str | None:
    """An attribute's value as it may stay; None where it may not."""
    if name == "src":
        return value if _PICTURE_URL.fullmatch(value) else None
    if name == "href":
        return value if _LINK.match(value.strip()) else None
    if name == "class":
        # one by one: our own page has others
        return value if all(map(_OWN_CLASSES.fullmatch, value.split())) else None
    if name == "style":
        return ";".join(one.lower() for one in value.split(";") if _STYLE.fullmatch(one)) or None
    return value


_CLEANER = nh3.Cleaner(
    tags=set(_TAGS),
    clean_content_tags=set(),
    attributes={"*": set(_ATTRIBUTES), "a": {"href"}, "img": {"src"}},
    attribute_filter=_may_stay,
    filter_style_properties=set(_STYLES),
    url_schemes={"http", "https", "mailto", "data"},
    link_rel=None,
    strip_comments=True,
)


def text_of(value: Any) -> str:
    """Text as notebooks store it: a string or a list of its lines."""
    return "".join(map(str, value)) if isinstance(value, list) else str(value or "")


def escaped(source: str) -> str:
    """Markdown whose tags are text."""
    return re.sub(r"<(?=[a-zA-Z/!?])", "&lt;", source)


def unescaped(source: str) -> str:
    """The text that `escaped` made that of."""
    return re.sub(r"&lt;(?=[a-zA-Z/!?])", "<", source)


def fenced(source: str) -> str:
    """Text as Markdown that shows it as it was typed."""
    fence = "`" * (3 + max((len(run) for run in re.findall("`+", source)), default=0))
    return f"{fence}\n{source}\n{fence}"


def grade_id_of(cell: Any) -> str:
    """The nbgrader id that a cell claims, "" where it claims none."""
    marking = as_dict(as_dict(as_dict(cell).get("metadata")).get("nbgrader"))
    return marking["grade_id"] if isinstance(marking.get("grade_id"), str) else ""


def as_dict(value: Any) -> dict[str, Any]:
    """The value where it is a dict, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """The value where it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def pictures(data: dict[str, Any]) -> dict[str, str]:
    """The pictures of a MIME bundle that really are base64."""
    found = {}
    for mime in _PICTURES:
        text = "".join(text_of(data.get(mime)).split())
        try:
            if text and base64.b64decode(text, validate=True):
                found[mime] = text
        except (binascii.Error, ValueError):
            continue
    return found
