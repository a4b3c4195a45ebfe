"""Short answers as authors declare them: the keys of an answer cell → Declaration, with every
mistake in them.
"""

from __future__ import annotations

import ast
from typing import Any

from autogradient.model.answer_kind import assigned_value
from autogradient.model.assignment import Declaration, Part
from autogradient.model.short_answers import kind_of
from autogradient.sources import messages


def foreign_keys(part: Part, keys: dict[str, Any]) -> list[str]:
    """A sentence for each key of an answer cell that would be ignored."""
    known = ("kind", "points", *(kind_of(part).keys if part.is_short else ()))
    return [
        messages.KEY_NOT_FOR_KIND.format(key=key, part=part.id, kind=part.kind)
        for key in keys
        if key not in known
    ]


def declare(part: Part, keys: dict[str, Any]) -> list[str]:
    """Fill in the declaration of a short answer from the keys of its cell. Returns what is wrong
    with it.
    """
    part.declaration = Declaration()
    kind = kind_of(part)
    found = [
        kind.options(part, keys.get("options")),
        _tolerance(part, keys),
        kind.accept(part, keys.get("accept")),
        _inputs(part, keys),
        _slips(part, keys),
    ]
    problems = [problem for problem in found if problem]
    if problems or assigned_value(part.solution) is None:
        return problems
    mistakes = [
        kind.solution_mistake(part),
        *(kind.slip_mistake(part, text) for text in part.declaration.slips),
    ]
    return [mistake for mistake in mistakes if mistake]


def _tolerance(part: Part, keys: dict[str, Any]) -> str | None:
    if "tol" not in keys:
        return None
    text = str(keys["tol"]).strip()
    try:
        size = float(text.removesuffix("%"))
    except ValueError:
        size = 0.0
    if not 0 < size < float("inf"):
        return messages.BAD_TOLERANCE.format(tol=keys["tol"], part=part.id)
    part.declaration.tolerance = (
        ("relative", size / 100) if text.endswith("%") else ("absolute", size)
    )
    return None


def _inputs(part: Part, keys: dict[str, Any]) -> str | None:
    part.declaration.inputs = str(keys.get("inputs", ""))
    if part.declaration.inputs:
        try:
            ast.parse(part.declaration.inputs, mode="eval")
        except SyntaxError as error:
            return messages.BAD_INPUTS.format(part=part.id, problem=error.msg)
    return None


def _slips(part: Part, keys: dict[str, Any]) -> str | None:
    slips = keys.get("because")
    if isinstance(slips, dict):
        written = {
            key if isinstance(key, str) else repr(key): str(slip) for key, slip in slips.items()
        }
        part.declaration.slips = {
            kind_of(part).slip_key(key): slip for key, slip in written.items()
        }
    elif slips is not None:
        return messages.SLIPS_NOT_LISTED.format(part=part.id)
    return None
