"""What a test takes from the student and asks of libraries, read from its text."""

from __future__ import annotations

import ast
import contextlib
import functools
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from autogradient.model.testcode import bound_names, needed_names, parse, without_magics

#: Names by which tests that come without a notebook know libraries: only where the library has all
#: that the test asks of the name.
ALIASES = {
    "np": "numpy",
    "pd": "pandas",
    "plt": "matplotlib.pyplot",
    "nn": "torch.nn",
    "F": "torch.nn.functional",
    "optim": "torch.optim",
    "mpl": "matplotlib",
    **{
        name: name
        for name in (
            "numpy",
            "torch",
            "math",
            "random",
            "re",
            "itertools",
            "functools",
            "inspect",
            "warnings",
            "collections",
            "copy",
            "io",
            "types",
        )
    },
    **{
        name: name
        for name in (
            "contextlib",
            "operator",
            "statistics",
            "string",
            "textwrap",
            "time",
            "typing",
            "ast",
            "pandas",
            "matplotlib",
            "pytest",
        )
    },
}


@dataclass(frozen=True)
class Demands:
    """`takes`: names of the student's. `changes`: the cases that look at what calls do to their
    arguments. `effects`: those that call something of the student's for its effect alone.
    `libraries`: names by which it may mean a library, with the attributes it asks of each.
    """

    takes: frozenset[str]
    changes: tuple[str, ...]
    effects: tuple[str, ...]
    libraries: dict[str, list[str]]


def demands(
    tests: str, style: str, cases: Collection[str], names: Iterable[str], setup: Iterable[str]
) -> Demands:
    """Of a part's tests: functions of the names `cases`, or one cell, beside `setup`; `names` are
    what the part's answer binds.
    """
    try:
        tree = _parsed(tests)
    except SyntaxError:  # running it will tell
        return Demands(frozenset(), (), (), {})
    functions = {node.name: node.args for node in tree.body if isinstance(node, ast.FunctionDef)}
    if style == "functions":
        taken = [functions[name] for name in cases if name in functions]
        takes = {
            argument.arg
            for each in taken
            for argument in [*each.posonlyargs, *each.args, *each.kwonlyargs]
        }
    else:
        takes = needed_names(ast.unparse(tree))
    theirs = (
        (takes | (set(names) - set(ALIASES)))
        - set(bound_names("\n".join(setup)))
        - set(bound_names(tree))
    )
    texts: list[str | ast.Module] = [tree]
    texts += [
        n.value
        for n in ast.walk(tree)
        if isinstance(n, ast.Constant) and type(n.value) is str and ">>>" in n.value
    ]
    meant = sorted((takes | set(names)) & set(ALIASES))
    libraries = {
        name: sorted({found for text in texts for found in _attributes(text, name)})
        for name in meant
    }
    return Demands(
        frozenset(takes),
        tuple(name for name in cases if asks_for_changes(_alone(tree, name, cases), theirs)),
        tuple(name for name in cases if calls_for_effect(_alone(tree, name, cases), theirs)),
        libraries,
    )


@functools.lru_cache(maxsize=1000)
def parameters(tests: str, style: str, case: str) -> tuple[str, ...]:
    """The names that a case of a part's tests takes as parameters; a cell of asserts has none."""
    with contextlib.suppress(SyntaxError):
        for node in _parsed(tests).body if style == "functions" else ():
            if isinstance(node, ast.FunctionDef) and node.name == case:
                each = node.args
                return tuple(a.arg for a in [*each.posonlyargs, *each.args, *each.kwonlyargs])
    return ()


def _alone(tree: ast.Module, case: str, cases: Collection[str]) -> ast.Module:
    """The tests without the other cases; a cell of asserts as it is."""
    return ast.Module(
        [
            node
            for node in tree.body
            if not (isinstance(node, ast.FunctionDef) and node.name in cases and node.name != case)
        ],
        [],
    )


def _parsed(text: str) -> ast.Module:
    try:
        return parse(text)
    except SyntaxError:
        return parse(without_magics(text))


def _attributes(text: str | ast.Module, name: str) -> set[str]:
    """The attributes that a text, perhaps a doctest, asks of a name."""
    with contextlib.suppress(SyntaxError):
        tree = parse(text) if isinstance(text, str) else text
        return {
            n.attr
            for n in ast.walk(tree)
            if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == name
        }
    assert isinstance(text, str)
    import doctest

    with contextlib.suppress(ValueError):
        return {
            found
            for example in doctest.DocTestParser().get_examples(text)
            for found in _attributes(example.source, name)
        }
    return set()


#: Calls that copy an object: a test that makes one beforehand wants to compare.
_COPIES = ("copy", "clone", "deepcopy")


def asks_for_changes(tree: ast.Module, theirs: set[str]) -> bool:
    """Whether a test asks for what calls do to their arguments: it calls one of `theirs` (the
    student's names), or what came of one, for that alone, writes into one, or copies something
    beforehand.
    """
    if calls_for_effect(tree, theirs):
        return True
    known = _what_came_of(tree, theirs)
    # a copy that nobody keeps
    passed_along = {
        id(argument)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for argument in node.args
    }
    if any(
        _writes_into(node, known)
        or (
            isinstance(node, ast.Call) and _called(node) in _COPIES and id(node) not in passed_along
        )
        for node in ast.walk(tree)
    ):
        return True
    passed = {
        argument.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _root(node) in known
        for argument in [*node.args, *(keyword.value for keyword in node.keywords)]
        if isinstance(argument, ast.Name)
    }
    checks = [node.test for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    checks += [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ]
    for operand in [
        one
        for check in checks
        for one in (check.values if isinstance(check, ast.BoolOp) else [check])
    ]:
        # these come of `backward`
        gradients = {
            id(n.value)
            for n in ast.walk(operand)
            if isinstance(n, ast.Attribute) and n.attr == "grad"
        }
        names = {
            n.id for n in ast.walk(operand) if isinstance(n, ast.Name) and id(n) not in gradients
        }
        # what was passed, and nothing that came of the student: it can only be about changes
        if names & passed and not names & known:
            return True
    return False


def calls_for_effect(tree: ast.Module, theirs: set[str]) -> bool:
    """Whether a test asks for what calls do to the student's variables: it calls one of `theirs`,
    or what came of one, for that alone, writes into one of `theirs` or copies one beforehand.
    """
    known = _what_came_of(tree, theirs)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and _called(node.value) != "backward"
            and _root(node.value) in known
        ):
            return True
        if isinstance(node, ast.Call) and _called(node) in _COPIES:
            copied = node.args[0] if node.args else node.func
            results = any(isinstance(n, ast.Call) for n in ast.walk(copied))
            if not results and _root(copied) in theirs:
                return True
        if _writes_into(node, theirs):
            return True
    return False


def _writes_into(node: ast.AST, names: set[str]) -> bool:
    return (
        isinstance(node, ast.Subscript)
        and not isinstance(node.ctx, ast.Load)
        and _root(node) in names
    )


def _what_came_of(tree: ast.Module, theirs: set[str]) -> set[str]:
    """The names of the student's, and those that the test gives to what came of one."""
    known = set(theirs)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(
            isinstance(n, ast.Call) and _root(n) in known for n in ast.walk(node.value)
        ):
            known |= {
                n.id for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name)
            }
        if isinstance(node, (ast.For, ast.comprehension)) and any(
            isinstance(n, ast.Name) and n.id in known for n in ast.walk(node.iter)
        ):
            known |= {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
        if (
            isinstance(node, ast.withitem)
            and node.optional_vars
            and any(isinstance(n, ast.Name) and n.id in known for n in ast.walk(node.context_expr))
        ):
            known |= {n.id for n in ast.walk(node.optional_vars) if isinstance(n, ast.Name)}
    return known


def _root(node: ast.expr) -> str:
    """The name at which a chain of calls, attributes and items begins."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
