"""The grammar of directives: `#| key: value` at the top of a code cell, `<!--| key: value, key:
value -->` of a Markdown cell.

The first key is the cell's role; its value, where the role has one, is the question or part that
the cell belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from autogradient.errors import nearest
from autogradient.sources import messages


@dataclass(frozen=True)
class Role:
    """What a role may look like: the cell types it takes, its keys, and whether it names a question
    or part.
    """

    cell_types: tuple[str, ...]
    keys: tuple[str, ...] = ()
    bare: bool = False


CODE, MARKDOWN = ("code",), ("markdown",)
ROLES: dict[str, Role] = {
    "setup": Role(CODE, bare=True),
    "question": Role(MARKDOWN, ("level", "minutes", "covers", "optional", "needs", "was")),
    "given": Role(CODE),
    "answer": Role(
        ("code", "markdown"), ("kind", "points", "options", "tol", "accept", "because", "inputs")
    ),
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
#: Keys that hold words for people: YAML's own idea of `no`, `1.10` or `2026-01-01` does not apply
#: to them.
WORD_KEYS = ("options", "accept")

_ENTRY = re.compile(r"([A-Za-z][\w-]*)[ \t]*(?::[ \t]*(.*))?$", re.DOTALL)


@dataclass
class Directive:
    """A cell's directive, its body (the cell without it), how many lines stand above the body, and
    what is wrong (line offset in the cell, message).

    `unreadable` says that a value in it could not be read, so that what seems to be missing may be
    there.
    """

    role: str = ""
    target: str = ""
    keys: dict[str, Any] = field(default_factory=dict)
    body: str = ""
    above: int = 0
    unreadable: bool = False
    problems: list[tuple[int, str]] = field(default_factory=list)


def parse(source: str, cell_type: str) -> Directive:
    """Split a cell's text into directive and body. Never raises: mistakes are in `problems`."""
    return _parse_code(source) if cell_type == "code" else _parse_markdown(source)


def _parse_code(source: str) -> Directive:
    lines = source.split("\n")
    count = next((i for i, line in enumerate(lines) if not line.startswith("#|")), len(lines))
    found = _with_body(source, "\n".join(lines[:count]) + "\n" if count else "")
    for offset, line in enumerate(lines[count:], start=count):
        if line.startswith("#|"):
            if not lines[offset - 1].startswith("#|"):  # one mistake, however many keys
                found.problems.append((offset, messages.MISPLACED))
        elif line.lstrip("# ").startswith("<!--|"):
            found.problems.append(
                (
                    offset,
                    messages.OTHER_STYLE.format(got="<!--|", kind="code", expected="#| key: value"),
                )
            )
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
            found.problems.append((offset, messages.NO_COLON.format(text=text.strip())))
            continue
        key, value = match.group(1), match.group(2)
        if (
            value is not None
            and key in RAW_KEYS
            and not (key == "because" and value.startswith(("{", "\n")))
        ):
            pairs.append(
                (offset, key, " ".join(value.split()) if key == "because" else value.strip())
            )
            continue
        try:
            node = yaml.compose(value or "", Loader=yaml.SafeLoader)
            found.problems += [
                (offset, messages.REPEATED_KEY.format(key=word)) for word in _twice(node)
            ]
            pairs.append((offset, key, _value(node, key)))
        except yaml.YAMLError as error:
            found.problems.append(
                (offset, messages.BAD_YAML.format(key=key, problem=_yaml_problem(error)))
            )
            found.unreadable = True
    _take(found, pairs, "code")
    return found


def _parse_markdown(source: str) -> Directive:
    match = re.match(r"\n*<!--\|(.*?)-->\n?", source, re.DOTALL)
    found = _with_body(source, match.group() if match else "")
    for offset, line in enumerate(found.body.split("\n"), start=found.above):
        if line.lstrip().startswith("<!--|"):
            found.problems.append((offset, messages.MISPLACED))
        elif line.startswith("#|"):
            found.problems.append(
                (
                    offset,
                    messages.OTHER_STYLE.format(
                        got="#|", kind="Markdown", expected="<!--| key: value -->"
                    ),
                )
            )
    if not match:
        return found
    try:
        node = yaml.compose("{" + match.group(1).strip() + "}", Loader=yaml.SafeLoader)
        assert isinstance(node, yaml.MappingNode)
        found.problems += [
            (0, messages.REPEATED_KEY.format(key=word))
            for _, value in node.value
            for word in _twice(value)
        ]
        pairs = [(0, str(key.value), _value(value, key.value)) for key, value in node.value]
    except yaml.YAMLError as error:
        found.problems.append(
            (
                0,
                messages.BAD_YAML.format(
                    key=match.group(1).split(":")[0].strip(), problem=_yaml_problem(error)
                ),
            )
        )
        found.unreadable = True
        first = re.match(r"\s*([\w-]+)(?:\s*:\s*([\w-]+))?", match.group(1))
        pairs = [(0, first.group(1), first.group(2))] if first else []
    if not pairs:
        found.problems.append((0, messages.NO_COLON.format(text=match.group().strip())))
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
        found.problems.append(
            (
                offset,
                messages.UNKNOWN_ROLE.format(role=found.role, nearest=nearest(found.role, ROLES)),
            )
        )
        return
    if cell_type not in role.cell_types:
        found.problems.append(
            (
                offset,
                messages.WRONG_CELL_TYPE.format(
                    role=found.role, expected=" or ".join(role.cell_types), got=cell_type
                ),
            )
        )
    for offset, key, value in pairs[1:]:
        if key == found.role or key in found.keys:
            found.problems.append((offset, messages.REPEATED_KEY.format(key=key)))
        elif key not in role.keys:
            found.problems.append(
                (
                    offset,
                    messages.UNKNOWN_KEY.format(
                        key=key, role=found.role, nearest=nearest(key, role.keys)
                    ),
                )
            )
        else:
            found.keys[key] = value


def _with_body(source: str, head: str) -> Directive:
    """A directive whose text is `head`, the beginning of `source`; the body is the rest without
    empty lines around it.
    """
    rest = source[len(head) :]
    body = rest.lstrip("\n")
    return Directive(body=body.rstrip("\n"), above=head.count("\n") + len(rest) - len(body))


def _value(node: yaml.Node | None, key: str) -> Any:
    """A YAML value; words stay as they are written, and so do numbers with a decimal point (points
    are read exactly).
    """
    if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:float":
        return node.value
    loader = yaml.BaseLoader("") if key in WORD_KEYS else yaml.SafeLoader("")
    return None if node is None else loader.construct_object(node, deep=True)


def _twice(node: yaml.Node | None) -> Iterator[str]:
    """Keys that stand twice in one mapping, of which YAML would drop the first."""
    if isinstance(node, yaml.MappingNode):
        words = [str(key.value) for key, _ in node.value]
        yield from dict.fromkeys(word for word in words if words.count(word) > 1)


def _yaml_problem(error: yaml.YAMLError) -> str:
    return str(getattr(error, "problem", None) or error).replace("\n", " ")


def render(role: str, target: str, keys: dict[str, str], cell_type: str) -> str:
    """A directive as text: `keys` are texts as they stand after the colon. The inverse of `parse`,
    for `fmt`.
    """
    first = f"{role}: {target}" if target else role
    if cell_type == "markdown":
        return (
            "<!--| "
            + ", ".join([first, *(f"{key}: {value}" for key, value in keys.items())])
            + " -->"
        )
    return "\n".join([f"#| {first}", *(f"#| {key}: {value}" for key, value in keys.items())])
