"""Test cells as text: which functions are cases, what they are worth, which names a piece of code
binds and needs.

The text is only read (`ast`), never run, so that a source can be parsed and released without
running anything of it.
"""

from __future__ import annotations

import ast
import builtins
import collections
import functools
import re
import symtable
import textwrap
import threading
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from autogradient import errors
from autogradient.errors import nearest
from autogradient.model.assignment import Case
from autogradient.model.points import points_of

CASE_KEYS = ("name", "points", "hidden", "success_message", "failure_message")
_PARSING = threading.Lock()


#: Characters of code that are read: a cell of megabytes would keep every other thread waiting.
MAX_PARSED = 300_000


def parse(source: str) -> ast.Module:
    """`ast.parse` for use in threads: before CPython 3.11.8 and 3.12.2 two of them at once upset
    each other's count of the depth.

    Raises SyntaxError for what is too long, too.
    """
    if len(source) > MAX_PARSED:
        raise SyntaxError(f"more than {MAX_PARSED} characters")
    with _PARSING:
        return ast.parse(source)


def literal(text: str) -> Any:
    """`ast.literal_eval` for use in threads."""
    with _PARSING:
        return ast.literal_eval(text)


def title_of(function: str) -> str:
    """`test_truth_table` → "truth table"."""
    return function.removeprefix("test_").replace("_", " ").strip() or function


def without_magics(source: str) -> str:
    """A cell's text with IPython's line magics and shell lines made empty statements, so that
    Python can read it; every line keeps its number.
    """
    return re.sub(r"^([ \t]*)[%!].*$", r"\1pass", source, flags=re.MULTILINE)


def read_cases(
    source: str, part: str, taken: set[str] | None = None
) -> tuple[list[Case], list[tuple[int, str]]]:
    """The cases in the text of a tests cell, and the mistakes in them as (line offset, message).
    `taken` are the part's case names so far; they grow.
    """
    taken = set() if taken is None else taken
    problems: list[tuple[int, str]] = []
    cases: list[Case] = []
    try:
        tree = parse(source)
    except SyntaxError as error:
        return [], [((error.lineno or 1) - 1, errors.BAD_SYNTAX.format(problem=error.msg))]
    for node in tree.body:
        call = _decorator(node)
        if call is None:
            continue
        assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        line = node.lineno - 1
        values: dict[str, Any] = {}
        arguments = [("name", argument) for argument in call.args[:1]] + [
            (k.arg or "**", k.value) for k in call.keywords
        ]
        for key, value in arguments:
            if key not in CASE_KEYS:
                problems.append(
                    (
                        line,
                        errors.CASE_UNKNOWN_KEY.format(
                            case=node.name, key=key, nearest=nearest(key, CASE_KEYS)
                        ),
                    )
                )
                continue
            try:
                literal = ast.literal_eval(value)
            except ValueError:
                problems.append((line, errors.CASE_NOT_LITERAL.format(case=node.name, key=key)))
                literal = None
            values[key] = (
                ast.get_source_segment(source, value)
                if key == "points" and literal is not None
                else literal
            )
        points = points_of(values.get("points"))
        if "points" not in values:
            problems.append((line, errors.CASE_WITHOUT_POINTS.format(case=node.name, part=part)))
        elif points is None and values["points"] is not None:
            problems.append((line, errors.BAD_POINTS.format(points=values["points"])))
        if node.name in taken:
            problems.append((line, errors.CASE_TWICE.format(part=part, case=node.name)))
        taken.add(node.name)
        title = values.get("name") or title_of(node.name)
        cases.append(
            Case(
                node.name,
                title,
                points or Fraction(0),
                bool(values.get("hidden")),
                values.get("failure_message") or "",
                values.get("success_message") or "",
            )
        )
    return cases, problems


def _decorator(node: ast.stmt) -> ast.Call | None:
    """The call `test_case(…)` that decorates a function, or None. A bare `@test_case` counts as an
    empty call.
    """
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return None
    for decorator in node.decorator_list:
        function = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if name == "test_case":
            return (
                decorator
                if isinstance(decorator, ast.Call)
                else ast.Call(func=function, args=[], keywords=[])
            )
    return None


@dataclass(frozen=True)
class Statement:
    """A top-level statement: its text, the names it binds and the names it needs from elsewhere."""

    source: str
    binds: frozenset[str]
    needs: frozenset[str]
    case: str = ""


def statements(source: str) -> list[Statement]:
    """The top-level statements of `source` with their decorators and the comments directly above
    dropped. SyntaxError is the caller's.
    """
    return list(_statements(source))


@functools.lru_cache(maxsize=10_000)
def _statements(source: str) -> tuple[Statement, ...]:
    lines = source.split("\n")
    found = []
    for node in parse(source).body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        text = "\n".join(lines[first - 1 : node.end_lineno])
        is_case = _decorator(node) is not None
        found.append(
            Statement(
                text,
                frozenset(bound_names(node)),
                frozenset(needed_names(text)),
                getattr(node, "name", "") if is_case else "",
            )
        )
    return tuple(found)


def bound_names(tree: ast.AST | str) -> list[str]:
    """Names that code binds at its top level, in order: assignments, definitions, imports, loop
    variables; not names inside functions.
    """
    if isinstance(tree, str):
        try:
            tree = parse(tree)
        except SyntaxError:
            return []
    names: dict[str, None] = {}

    def visit(node: ast.AST) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names[node.name] = None
            return
        if isinstance(node, ast.Lambda):
            return
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            for walrus in ast.walk(node):
                if isinstance(walrus, ast.NamedExpr):
                    names[walrus.target.id] = None
            return
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names[node.id] = None
        if isinstance(node, ast.alias):
            names[(node.asname or node.name).split(".")[0]] = None
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(tree)
    return list(names)


@functools.lru_cache(maxsize=10_000)
def class_members(source: str) -> dict[str, set[str]]:
    """The classes that code defines at its top level, each with the words of its text that name
    something of its own: methods, attributes, operators.

    For example `class Value: __radd__ = __add__` and, in a method, `self.data = 3` give {"Value":
    {"__radd__", "data", …}}.
    """
    try:
        body = parse(without_magics(source)).body
    except SyntaxError:
        return {}
    found: dict[str, set[str]] = {}
    for node in body:
        if isinstance(node, ast.ClassDef):
            words = found.setdefault(node.name, set())
            for inner in ast.walk(node):
                if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    words.add(inner.name)
                elif (
                    isinstance(inner, ast.Attribute)
                    and isinstance(inner.value, ast.Name)
                    and inner.value.id in ("self", "cls", node.name)
                ):
                    words.add(inner.attr)
            for statement in node.body:
                words |= set(_targets(statement))
            for base in node.bases:  # its own, or a type whose attributes it has
                name = base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
                words |= found.get(name, set()) | _INHERITED.get(name, set())
    return found


#: What a class has of the type that it is made of; "*" where that is more than can be listed here.
_INHERITED = {
    **{kind.__name__: set(dir(kind)) for kind in (list, dict, set, tuple, str, int, float)},
    **{
        kind.__name__: set(dir(kind))
        for kind in (
            collections.Counter,
            collections.OrderedDict,
            collections.defaultdict,
            collections.deque,
        )
    },
    **{
        name: {"name", "value", "__iter__", "__getitem__", "__len__"}
        for name in ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag")
    },
    "ndarray": {"*"},
    "Tensor": {"*"},
}


def _targets(statement: ast.stmt) -> list[str]:
    targets = (
        statement.targets
        if isinstance(statement, ast.Assign)
        else [statement.target]
        if isinstance(statement, ast.AnnAssign)
        else []
    )
    return [
        node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)
    ]


def needed_names(source: str) -> set[str]:
    """The global names that code reads, builtins left out; parameters and local variables of its
    functions are not among them.
    """
    found: set[str] = set()

    def visit(table: symtable.SymbolTable) -> None:
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (table.get_type() == "module" or symbol.is_global()):
                found.add(symbol.get_name())
        for child in table.get_children():
            visit(child)

    visit(symtable.symtable(source, "<source>", "exec"))
    return found - set(dir(builtins))


def parameters(source: str, function: str) -> list[str]:
    """The parameter names of a top-level function of `source`."""
    for node in parse(source).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == function:
            return [
                argument.arg
                for argument in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            ]
    return []


@functools.lru_cache(maxsize=10_000)
def loaded_names(source: str) -> frozenset[str]:
    """The names that a cell reads before it binds them itself: what it needs of the cells above;
    all its words where it is no Python.
    """
    needed: set[str] = set()
    bound: set[str] = set()
    try:
        for statement in statements(without_magics(source)):
            needed |= statement.needs - bound
            bound |= statement.binds
    except SyntaxError:
        return frozenset(re.findall(r"[^\W\d]\w*", source))
    return frozenset(needed)


def reachable(wanted: set[str], pool: list[Statement]) -> list[Statement]:
    """The statements of `pool`, in order, that bind a wanted name or a name that such a statement
    needs; a name's last binding does not hide earlier ones.
    """
    keep: set[int] = set()
    queue = set(wanted)
    while queue:
        name = queue.pop()
        for index, statement in enumerate(pool):
            if index not in keep and name in statement.binds:
                keep.add(index)
                queue |= statement.needs
    return [pool[index] for index in sorted(keep)]


def definition(text: str, path: str) -> str:
    """The text of a function, class, method or lambda that a cell defines; "" where it does not."""
    try:
        scope: list[ast.stmt] = parse(text).body
    except SyntaxError:
        return ""
    node: ast.stmt | None = None
    for name in path.split("."):
        node = None
        for candidate in scope:
            targets = (
                [t.id for t in candidate.targets if isinstance(t, ast.Name)]
                if isinstance(candidate, ast.Assign)
                else []
            )
            if getattr(candidate, "name", None) == name or name in targets:
                node = candidate
        if node is None:
            return ""
        scope = getattr(node, "body", [])
    if node is None:
        return ""
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    return textwrap.dedent("\n".join(text.split("\n")[first - 1 : node.end_lineno])) + "\n"
