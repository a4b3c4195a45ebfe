"""Short answers as authors declare them: the keys of an answer cell → Declaration, with every mistake in them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from autogradient import errors
from autogradient.model import short_answers
from autogradient.model.assignment import Declaration, Part

#: The keys of an answer cell that mean something to each kind, beside `kind` and `points`.
KEYS = {
    "choice": ("options", "because"),
    "choose-all": ("options", "because"),
    "true-false": ("options", "because"),
    "number": ("tol", "because"),
    "shape": ("because",),
    "text": ("accept", "because"),
    "formula": ("inputs", "tol", "because"),
}


def foreign_keys(part: Part, keys: dict[str, Any]) -> list[str]:
    """A sentence for each key of an answer cell that would be ignored."""
    known = ("kind", "points", *KEYS.get(part.kind, ()))
    return [errors.KEY_NOT_FOR_KIND.format(key=key, part=part.id, kind=part.kind) for key in keys if key not in known]


def declare(part: Part, keys: dict[str, Any]) -> list[str]:
    """Fill in the declaration of a short answer from the keys of its cell. Returns what is wrong with it."""
    part.declaration = Declaration()
    problems = [*_options(part, keys.get("options")), *_tolerance(part, keys), *_accept(part, keys), *_slips(part, keys)]
    return problems or list(_check(part))


def _options(part: Part, options: Any) -> Iterator[str]:
    if part.kind in ("choice", "choose-all"):
        if options is None:
            yield errors.NO_OPTIONS.format(part=part.id, kind=part.kind)
        elif not isinstance(options, dict) or len(options) < 2:
            yield errors.BAD_OPTIONS.format(part=part.id, expected="{a: …, b: …} with at least two letters")
        else:
            part.declaration.options = {str(key).lower(): str(value) for key, value in options.items()}
    elif part.kind == "true-false" and options is not None:
        if not isinstance(options, list) or not options:
            yield errors.BAD_OPTIONS.format(part=part.id, expected="a list of statements")
        else:
            part.declaration.options = [str(option) for option in options]


def _tolerance(part: Part, keys: dict[str, Any]) -> Iterator[str]:
    if "tol" not in keys:
        return
    text = str(keys["tol"]).strip()
    try:
        size = float(text.removesuffix("%"))
    except ValueError:
        size = 0.0
    if not 0 < size < float("inf"):
        yield errors.BAD_TOLERANCE.format(tol=keys["tol"], part=part.id)
    else:
        part.declaration.tolerance = ("relative", size / 100) if text.endswith("%") else ("absolute", size)


def _accept(part: Part, keys: dict[str, Any]) -> Iterator[str]:
    accept = keys.get("accept")
    if part.kind == "text":
        lists = [isinstance(words, list) for words in accept] if isinstance(accept, list) else []
        if not isinstance(accept, list) or not accept or any(lists) != all(lists) or not all(accept):
            yield errors.BAD_ACCEPT.format(part=part.id)
        else:
            part.declaration.accept = [list(map(str, words)) for words in accept] if all(lists) else [list(map(str, accept))]


def _slips(part: Part, keys: dict[str, Any]) -> Iterator[str]:
    part.declaration.inputs = str(keys.get("inputs", ""))
    if part.declaration.inputs:
        try:
            ast.parse(part.declaration.inputs, mode="eval")
        except SyntaxError as error:
            yield errors.BAD_INPUTS.format(part=part.id, problem=error.msg)
    slips = keys.get("because")
    if isinstance(slips, dict):
        written = {key if isinstance(key, str) else repr(key): str(slip) for key, slip in slips.items()}
        part.declaration.slips = {key.lower(): slip for key, slip in written.items()} if part.kind == "choice" else written
    elif slips is not None:
        yield errors.SLIPS_NOT_LISTED.format(part=part.id)


def _check(part: Part) -> Iterator[str]:
    """What is wrong with the solution and the slips, where they are written out."""
    declared, expected = part.declaration, short_answers.literal_answer(part)
    found = short_answers.assigned_value(part.solution)
    if found is None:
        return
    is_choice = part.kind in ("choice", "choose-all")
    if is_choice and not declared.options:
        return
    if part.kind == "formula":
        if not isinstance(found[1], ast.Lambda):
            yield errors.BAD_SOLUTION.format(part=part.id, value=ast.unparse(found[1]), kind="formula", expected="a lambda")
    elif expected is not ...:
        problem = short_answers.form_problem(part.kind, expected, short_answers.form_of(part))
        if problem and is_choice:
            yield errors.NOT_AN_OPTION.format(part=part.id, value=repr(expected), options=", ".join(declared.options))
        elif problem:
            what = problem.rstrip(".").removeprefix("Write ")
            yield errors.BAD_SOLUTION.format(part=part.id, value=repr(expected), kind=part.kind, expected=what)
        elif part.kind == "text" and len(declared.accept) > 1 and not isinstance(expected, (tuple, list)):
            yield errors.BAD_ACCEPT.format(part=part.id)
        elif part.kind == "text" and declared.accept and not short_answers.is_right("text", expected, expected, short_answers.verdict_rules(part)):
            what = f"one of those in 'accept' ({declared.accept})"
            yield errors.BAD_SOLUTION.format(part=part.id, value=repr(expected), kind="text", expected=what)
    for text in declared.slips:
        yield from _check_slip(part, text, expected)


def _check_slip(part: Part, text: str, expected: Any) -> Iterator[str]:
    form = short_answers.form_of(part)
    try:
        value = short_answers.slip_value(part, text)
    except (ValueError, SyntaxError):
        yield errors.BAD_SLIP.format(value=text, part=part.id, kind=part.kind, expected="it as a Python value in quotes")
        return
    if value is ...:
        return
    fits = short_answers.form_problem(part.kind, value, form) is None
    if not fits and part.kind in ("choice", "choose-all"):
        yield errors.BAD_SLIP.format(value=text, part=part.id, kind=part.kind, expected="letters out of " + ", ".join(form["letters"]))
    elif fits and expected is not ... and short_answers.is_right(part.kind, value, expected, short_answers.verdict_rules(part)):
        yield errors.SLIP_IS_RIGHT.format(part=part.id, value=text)
