"""Mutants of a reference answer: small changes of its syntax that a good set of tests must notice.

After the operators of mutation testing (DeMillo, Lipton and Sayward 1978; Offutt et al. 1996), with
a few for array code: axes, keepdims, a neighbour function. A change is made in the text, so that
the rest of a line stays as its author wrote it.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from autogradient.sources.solutions import BEGIN, END

MAX_MUTANTS = 40

_ARITHMETIC = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.Pow: ("**", "*"),
    ast.FloorDiv: ("//", "/"),
    ast.Mod: ("%", "//"),
}
_COMPARE = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
}
_NEIGHBOURS = {
    "max": "min",
    "min": "max",
    "argmax": "argmin",
    "argmin": "argmax",
    "maximum": "minimum",
    "minimum": "maximum",
    "sum": "mean",
    "mean": "sum",
    "zeros": "ones",
    "ones": "zeros",
    "any": "all",
    "all": "any",
    "floor": "ceil",
    "ceil": "floor",
    "append": "insert",
    "sin": "cos",
    "cos": "sin",
    "log": "exp",
    "exp": "log",
}


@dataclass(frozen=True)
class Mutant:
    """A changed answer: the whole cell, the stripped line before and after, its 1-based line in the
    cell, and the operator's name.
    """

    source: str
    before: str
    after: str
    line: int
    operator: str

    @property
    def difference(self) -> str:
        """The change as a two-line diff."""
        return f"- {self.before}\n+ {self.after}"


def mutants(source: str, limit: int = MAX_MUTANTS) -> list[Mutant]:
    """Mutants of the solution lines of an answer cell, at most `limit`, always the same ones, in
    the order of the text.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    inside = solution_lines(source)
    found: dict[str, Mutant] = {}
    for start, end, text, operator in _changes(tree, source):
        line = source.count("\n", 0, start) + 1
        last = source.count("\n", 0, end) + 1
        changed = source[:start] + text + source[end:]
        if line not in inside or changed == source or changed in found:
            continue
        try:
            compile(changed, "<mutant>", "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            continue
        before = " ".join(part.strip() for part in source.split("\n")[line - 1 : last])
        after_end = changed.count("\n", 0, start + len(text)) + 1
        after = " ".join(part.strip() for part in changed.split("\n")[line - 1 : after_end])
        found[changed] = Mutant(changed, before, after, line, operator)
    chosen = list(found.values())
    if len(chosen) > limit:
        by_hash = sorted(
            chosen,
            key=lambda m: hashlib.sha256(
                f"{m.operator}\n{m.before}\n{m.after}".encode()
            ).hexdigest(),
        )
        keep = set(map(id, by_hash[:limit]))
        chosen = [mutant for mutant in chosen if id(mutant) in keep]
    return sorted(chosen, key=lambda m: (m.line, m.before, m.after))


def solution_lines(source: str) -> set[int]:
    """The 1-based numbers of the lines that are the solution: between the markers, or marked `#
    SOLUTION`.
    """
    lines: set[int] = set()
    inside = False
    for number, line in enumerate(source.split("\n"), start=1):
        if line.strip() in (BEGIN, END):
            inside = line.strip() == BEGIN
        elif inside or re.search(r"#\s*SOLUTION\s*$", line):
            lines.add(number)
    return lines


Change = tuple[int, int, str, str]


def _changes(tree: ast.Module, source: str) -> Iterator[Change]:
    """Every possible change as (start, end, new text, operator), in characters of the source."""
    starts = [0]
    for line in source.encode().split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    raw = source.encode()

    def at(line: int, column: int) -> int:
        return len(raw[: starts[line - 1] + column].decode())

    def span(node: ast.AST) -> tuple[int, int]:
        return at(node.lineno, node.col_offset), at(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]

    def between(
        left: ast.AST, right: ast.AST, old: str, new: str, operator: str
    ) -> Iterator[Change]:
        start, end = span(left)[1], span(right)[0]
        word = re.escape(old) if not old[0].isalpha() else r"\b" + old.replace(" ", r"\s+") + r"\b"
        match = re.search(word, source[start:end])
        if match:
            yield start + match.start(), start + match.end(), new, operator

    bound: set[str] = set()
    axes: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in ("axis", "dim"):
            axes |= {id(inner) for inner in ast.walk(node.value)}
            text = source[slice(*span(node.value))]
            swapped = {"-1": "0", "0": "1", "1": "0", "-2": "-1", "2": "1"}.get(text)
            if swapped:
                yield *span(node.value), swapped, "axis"
        if isinstance(node, ast.keyword) and node.arg in ("keepdims", "keepdim"):
            axes |= {id(inner) for inner in ast.walk(node.value)}
            if source[slice(*span(node.value))] == "True":
                yield *span(node.value), "False", "keepdims"
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
            old, new = _ARITHMETIC[type(node.op)]
            yield from between(node.left, node.right, old, new, "arithmetic")
        elif isinstance(node, ast.AugAssign) and type(node.op) in _ARITHMETIC:
            old, new = _ARITHMETIC[type(node.op)]
            yield from between(node.target, node.value, old + "=", new + "=", "arithmetic")
        elif isinstance(node, ast.Compare):
            for left, op, right in zip(
                [node.left, *node.comparators], node.ops, node.comparators, strict=False
            ):
                if type(op) in _COMPARE:
                    yield from between(left, right, *_COMPARE[type(op)], "comparison")
        elif isinstance(node, ast.BoolOp):
            old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
            yield from between(node.values[0], node.values[1], old, new, "boolean")
        elif (
            isinstance(node, ast.UnaryOp)
            and id(node) not in axes
            and not isinstance(node.op, ast.UAdd)
        ):
            yield span(node)[0], span(node.operand)[0], "", "negation"
        elif isinstance(node, ast.Constant) and id(node) not in axes:
            yield from _constant(node, span(node))
        elif isinstance(node, ast.Call):
            if len(node.args) >= 2 and not any(isinstance(a, ast.Starred) for a in node.args[:2]):
                first, second = span(node.args[0]), span(node.args[1])
                text = source[slice(*second)] + source[first[1] : second[0]] + source[slice(*first)]
                yield first[0], second[1], text, "swapped arguments"
            name = (
                node.func.attr
                if isinstance(node.func, ast.Attribute)
                else getattr(node.func, "id", "")
            )
            if name in _NEIGHBOURS and name != "append":
                end = span(node.func)[1]
                yield end - len(name), end, _NEIGHBOURS[name], "neighbour"
            if name == "range" and len(node.args) == 1:
                end = span(node.args[0])[1]
                yield end, end, " - 1", "off by one"
        elif isinstance(node, ast.IfExp):
            body, orelse = span(node.body), span(node.orelse)
            yield (
                body[0],
                orelse[1],
                source[slice(*orelse)] + source[body[1] : orelse[0]] + source[slice(*body)],
                "swapped branches",
            )
        elif isinstance(node, ast.Break):
            yield *span(node), "continue", "break"
        if isinstance(node, (ast.Expr, ast.AugAssign, ast.Assign)) and not (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        ):
            again = not isinstance(node, ast.Assign) or all(
                isinstance(t, ast.Name)
                and t.id in bound
                or not isinstance(t, (ast.Name, ast.Tuple))
                for t in node.targets
            )
            if again:
                yield *span(node), "pass", "dropped line"
            bound |= {
                n.id
                for n in ast.walk(node)
                if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            }


def _constant(node: ast.Constant, span: tuple[int, int]) -> Iterator[Change]:
    value = node.value
    if value is True or value is False:
        yield *span, str(not value), "truth value"
    elif isinstance(value, int):
        yield *span, str(value + 1), "constant"
        if value > 0:
            yield *span, str(value - 1), "constant"
    elif isinstance(value, float):
        yield *span, repr(value + 1.0 if abs(value) < 1e3 else value * 2), "constant"
        if value not in (0.0, 1.0):
            yield *span, repr(value / 2), "constant"
