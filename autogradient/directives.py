"""The grammar of directives: `#| key: value` at the top of a code cell, `<!--| key: value, key: value -->` of a Markdown cell.

The first key is the cell's role; its value, where the role has one, is the question or part that the cell belongs to.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml

from autogradient import errors


@dataclass(frozen=True)
class Role:
    """What a role may look like: the cell types it takes, its keys, and whether it names a question or part."""

    cell_types: tuple[str, ...]
    keys: tuple[str, ...] = ()
    bare: bool = False


CODE, MARKDOWN = ("code",), ("markdown",)
ROLES: dict[str, Role] = {
    "setup": Role(CODE, bare=True),
    "question": Role(MARKDOWN, ("level", "minutes", "covers", "optional", "needs", "was")),
    "given": Role(CODE),
    "answer": Role(("code", "markdown"), ("kind", "points", "options", "tol", "accept", "because", "inputs")),
    "tests": Role(CODE),
    "wrong": Role(CODE, ("because", "earns")),
    "right": Role(CODE, ("because",)),
    "equivalent": Role(CODE, ("from", "to", "because")),
    "rubric": Role(MARKDOWN),
    "helpers": Role(CODE, bare=True),
    "hint": Role(MARKDOWN),
    "staff": Role(("code", "markdown"), bare=True),
}

#: Keys whose value in a code cell is raw text to the end of the line.
RAW_KEYS = ("because", "from", "to", "inputs")

_ENTRY = re.compile(r"([A-Za-z][\w-]*)\s*(?::\s*(.*))?$", re.DOTALL)


@dataclass
class Directive:
    """A cell's directive, its body (the cell without it), and what is wrong with it (line offset in the cell, message)."""

    role: str = ""
    target: str = ""
    keys: dict[str, Any] = field(default_factory=dict)
    body: str = ""
    problems: list[tuple[int, str]] = field(default_factory=list)


def nearest(word: str, known: Iterable[str]) -> str:
    """A clause that proposes the known word most like `word`, or nothing."""
    close = difflib.get_close_matches(str(word), list(known), n=1, cutoff=0.5)
    return errors.NEAREST.format(word=close[0]) if close else ""


def parse(source: str, cell_type: str) -> Directive:
    """Split a cell's text into directive and body. Never raises: mistakes are in `problems`."""
    return _parse_code(source) if cell_type == "code" else _parse_markdown(source)


def _parse_code(source: str) -> Directive:
    lines = source.split("\n")
    count = next((i for i, line in enumerate(lines) if not line.startswith("#|")), len(lines))
    found = Directive(body="\n".join(lines[count:]).strip("\n"))
    for offset, line in enumerate(lines[count:], start=count):
        if line.startswith("#|"):
            found.problems.append((offset, errors.MISPLACED))
    entries: list[tuple[int, str]] = []
    for offset, line in enumerate(lines[:count]):
        text = line[2:].removeprefix(" ")
        if entries and (text[:1].isspace() or not text.strip()):
            entries[-1] = (entries[-1][0], entries[-1][1] + "\n" + text)
        else:
            entries.append((offset, text))
    pairs: list[tuple[int, str, Any]] = []
    for offset, text in entries:
        match = _ENTRY.match(text.rstrip())
        if not match:
            found.problems.append((offset, errors.NO_COLON.format(text=text.strip())))
            continue
        key, value = match.group(1), match.group(2)
        if value is not None and key in RAW_KEYS and not (key == "because" and value.lstrip().startswith("{")):
            pairs.append((offset, key, " ".join(value.split("\n")).strip() if key == "because" else value.strip()))
            continue
        try:
            pairs.append((offset, key, _load_yaml(value) if value else None))
        except yaml.YAMLError as error:
            found.problems.append((offset, errors.BAD_YAML.format(key=key, problem=_yaml_problem(error))))
    _take(found, pairs, "code")
    return found


def _parse_markdown(source: str) -> Directive:
    text = source.lstrip("\n")
    match = re.match(r"<!--\|(.*?)-->\n?", text, re.DOTALL)
    found = Directive(body=(text[match.end() :] if match else source).strip("\n"))
    for offset, line in enumerate(found.body.split("\n")):
        if line.lstrip().startswith("<!--|"):
            found.problems.append((offset + (1 if match else 0), errors.MISPLACED))
    if not match:
        return found
    try:
        node = yaml.compose("{" + match.group(1).strip() + "}", Loader=yaml.SafeLoader)
        assert isinstance(node, yaml.MappingNode)
        constructor = yaml.SafeLoader("")
        pairs = [(0, str(key.value), constructor.construct_object(value, deep=True)) for key, value in node.value]
    except yaml.YAMLError as error:
        found.problems.append((0, errors.BAD_YAML.format(key=match.group(1).split(":")[0].strip(), problem=_yaml_problem(error))))
        return found
    _take(found, pairs, "markdown")
    return found


def _take(found: Directive, pairs: list[tuple[int, str, Any]], cell_type: str) -> None:
    """Put the role and the keys of `pairs` into `found`, with every mistake in them."""
    if not pairs:
        return
    offset, found.role, target = pairs[0]
    found.target = "" if target is None else str(target)
    role = ROLES.get(found.role)
    if role is None:
        found.problems.append((offset, errors.UNKNOWN_ROLE.format(role=found.role, nearest=nearest(found.role, ROLES))))
        return
    if cell_type not in role.cell_types:
        found.problems.append((offset, errors.WRONG_CELL_TYPE.format(role=found.role, expected=" or ".join(role.cell_types), got=cell_type)))
    for offset, key, value in pairs[1:]:
        if key == found.role or key in found.keys:
            found.problems.append((offset, errors.REPEATED_KEY.format(key=key)))
        elif key not in role.keys:
            found.problems.append((offset, errors.UNKNOWN_KEY.format(key=key, role=found.role, nearest=nearest(key, role.keys))))
        else:
            found.keys[key] = value


def _load_yaml(text: str) -> Any:
    """YAML that keeps numbers with a decimal point as they are written (points are read exactly)."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:float":
        return node.value
    return yaml.safe_load(text)


def _yaml_problem(error: yaml.YAMLError) -> str:
    return str(getattr(error, "problem", None) or error).replace("\n", " ")


def render(role: str, target: str, keys: dict[str, str], cell_type: str) -> str:
    """A directive as text: `keys` are texts as they stand after the colon. The inverse of `parse`, for `fmt`."""
    first = f"{role}: {target}" if target else role
    if cell_type == "markdown":
        return "<!--| " + ", ".join([first, *(f"{key}: {value}" for key, value in keys.items())]) + " -->"
    return "\n".join([f"#| {first}", *(f"#| {key}: {value}" for key, value in keys.items())])
