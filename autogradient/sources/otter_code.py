"""The code of otter's test files as text: which functions are cases, which of the student's names
they need, and what is left of a file without otter. None of it is run.
"""

from __future__ import annotations

import ast
import doctest
from typing import cast

from autogradient.model import testcode


def is_otter_import(node: ast.ImportFrom) -> bool:
    """Whether something is imported from otter."""
    return (node.module or "").split(".")[0] == "otter"


def case_decorator(node: ast.AST, aliases: set[str]) -> ast.expr | None:
    """The decorator that makes a function a test case: `test_case` under whatever name it was
    imported.
    """
    for decorator in getattr(node, "decorator_list", []):
        function = decorator.func if isinstance(decorator, ast.Call) else decorator
        named = isinstance(function, ast.Name) and function.id in aliases | {"test_case"}
        if named or (isinstance(function, ast.Attribute) and function.attr == "test_case"):
            return cast(ast.expr, decorator)
    return None


def outside_definitions(tree: ast.Module) -> list[ast.stmt]:
    """The statements of a module that run when it is loaded, in order, those inside `if`, `for`,
    `with` and `try` included.
    """
    found: list[ast.stmt] = []

    def visit(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                found.append(child)
            if not isinstance(
                child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.expr)
            ):
                visit(child)

    visit(tree)
    return found


def without_otter(text: str, tree: ast.Module, decorators: list[ast.expr]) -> str:
    """The text with `@test_case` under its own name and without the import of it, which the grader
    provides. Lines keep their numbers.
    """
    lines = [line.encode() for line in text.split("\n")]  # the offsets of `ast` count bytes

    def put(node: ast.expr | ast.stmt, new: str) -> None:
        end = node.end_lineno or node.lineno
        before, after = (
            lines[node.lineno - 1][: node.col_offset],
            lines[end - 1][node.end_col_offset :],
        )
        lines[node.lineno - 1 : end] = [before + new.encode() + after, *[b""] * (end - node.lineno)]

    for decorator in decorators:
        put(decorator, "test_case")
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and is_otter_import(statement):
            statement.names = [alias for alias in statement.names if alias.name != "test_case"]
            put(statement, ast.unparse(statement) if statement.names else "pass")
    result = b"\n".join(lines).decode()
    if "otter" not in testcode.needed_names(result):
        for statement in tree.body:
            if isinstance(statement, ast.Import) and all(
                alias.name.split(".")[0] == "otter" and not alias.asname
                for alias in statement.names
            ):
                put(statement, "pass")
    return b"\n".join(lines).decode().rstrip()


def parameter_names(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """The student's names that a test function takes: its parameters, and what it looks up in
    `env`.
    """
    arguments = function.args
    names = [
        argument.arg
        for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        if argument.arg != "env"
    ]
    for node in ast.walk(function):
        key: ast.expr | None = None
        if (
            isinstance(node, ast.Subscript)
            and isinstance(node.value, ast.Name)
            and node.value.id == "env"
        ):
            key = node.slice
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "get"
            and node.args
        ):
            key = (
                node.args[0]
                if isinstance(node.func.value, ast.Name) and node.func.value.id == "env"
                else None
            )
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            names.append(key.value)
    return names


def doctest_names(code: str) -> list[str]:
    """The names that the examples of a doctest need from the student."""
    bound: set[str] = set()
    found: dict[str, None] = {}
    try:
        examples = doctest.DocTestParser().get_examples(code)
    except ValueError:  # reported where the case is read
        return []
    for example in examples:
        try:
            needed = testcode.needed_names(example.source)
        except SyntaxError:
            continue
        found |= dict.fromkeys(sorted(needed - bound))
        bound |= set(testcode.bound_names(example.source))
    return list(found)
