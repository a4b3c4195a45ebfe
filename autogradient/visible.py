"""What foreign text becomes where people read it: what steers or hides is seen, what is a letter
stays.

Names of files, texts of errors and whole notebooks come from students. On a terminal they could
move the cursor or print a line that nobody wrote, in the log of a CI runner give it commands, on a
page turn the order of characters round or hide some. Each place has one function here:

    line     a name or a sentence's part: one line
    lines    all that a command says; `saying` is the only one to print
    written  the same for JSON, whose values stay what they are
    prose    text of a page; joiners that Persian, Hindi or an emoji needs stay
    code     code, output and whatever else is to be read character by character
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Any

#: Characters without a shape of their own: bidirectional controls, joiners, fillers, tags, halves.
_UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\ud800-\udfff"
)
#: On a page tabs, ends of lines and backspaces (of progress bars) do no harm; on a terminal they
#: do.
_ON_PAGES = re.compile(rf"[\x00-\x07\x0b\x0c\x0e-\x1f\x7f-\x9f{_UNSEEN}]")
_ON_TERMINALS = re.compile(rf"[\x00-\x09\x0b-\x1f\x7f-\x9f{_UNSEEN}]")
_IN_LINES = re.compile(rf"[\x00-\x1f\x7f-\x9f{_UNSEEN}]")
#: Joiners and soft hyphens, which stay in prose where they stand between letters or emoji.
_JOINERS = "\u00ad\u200c\u200d"
#: What a runner takes for a command: `::` at the start of a line, `##[` and the like anywhere.
_COMMAND, _COMMAND_ANYWHERE = (
    re.compile(r"^([^\S\n]*):(?=:)", re.MULTILINE),
    re.compile(r"##(?=\w*\[)"),
)
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def line(text: object) -> str:
    """One line of it, whatever was in it: what is not seen is written as its number."""
    return _IN_LINES.sub(_number, str(text))


def lines(text: object) -> str:
    """Lines for a terminal or a log: nothing in them steers it, and none is a command
    to a runner.
    """
    return _COMMAND_ANYWHERE.sub(
        r"#\\#", _COMMAND.sub(r"\1\\:", _ON_TERMINALS.sub(_number, str(text)))
    )


def written(json_text: str) -> str:
    """JSON with what is not seen as JSON's own escapes: the same values."""
    return _COMMAND_ANYWHERE.sub(r"#\\u0023", _ON_TERMINALS.sub(_json_number, json_text))


def prose(text: str) -> str:
    """Text of a page: what is not seen is written as its number, but joiners between
    letters stay.
    """
    return _ON_PAGES.sub(_unless_joining, text)


def code(text: str) -> str:
    """The same, joiners too: in code no character may hide."""
    return _ON_PAGES.sub(_number, text)


class Sentence(str):
    """A sentence with gaps: what is put into one cannot begin a line or steer a terminal.

    Texts of errors (`value`, `problem`, `said`) keep their ends of lines.
    """

    MANY_LINES = ("value", "problem", "said")

    def format(self, *args: object, **values: object) -> str:
        """As of any text, of values that are made visible."""
        return super().format(
            *map(_shown, args),
            **{name: _shown(value, name in self.MANY_LINES) for name, value in values.items()},
        )


def sentences(names: dict[str, Any]) -> None:
    """Make sentences of all texts with gaps among a module's names that are written in capitals."""
    names.update(
        {
            name: Sentence(text)
            for name, text in names.items()
            if name.isupper() and type(text) is str and "{" in text
        }
    )


def _shown(value: object, many: bool = False) -> object:
    if not isinstance(value, (str, Path, Exception)):
        return value
    return _ON_TERMINALS.sub(_number, str(value)) if many else line(value)


def _number(found: re.Match[str]) -> str:
    number = ord(found[0])
    if found[0] in _SHORT:
        return _SHORT[found[0]]
    return (
        f"\\x{number:02x}"
        if number < 0x100
        else f"\\u{number:04x}"
        if number < 0x10000
        else f"\\U{number:08x}"
    )


def _json_number(found: re.Match[str]) -> str:
    return (
        found[0]
        .encode("utf-16-be", "surrogatepass")
        .hex("-", 2)
        .replace("-", "\\u")
        .join(("\\u", ""))
    )


def _unless_joining(found: re.Match[str]) -> str:
    text, place = found.string, found.start()
    if (
        found[0] in _JOINERS
        and 0 < place < len(text) - 1
        and _joins(text[place - 1])
        and _joins(text[place + 1])
    ):
        return found[0]
    return _number(found)


def _joins(character: str) -> bool:
    """Whether a joiner beside it may do what it is for: a letter, a mark, an emoji."""
    return unicodedata.category(character)[0] in "LM" or unicodedata.category(character) in (
        "So",
        "Sk",
    )
