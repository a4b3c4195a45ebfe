"""An otter test file → Part, in either of otter's two formats.

OK-format cases become test functions that carry a small doctest runner; exception-format files
keep their text. Files are read, never run. Points come to what otter resolves them to, but exactly.
"""

from __future__ import annotations

import ast
import doctest
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from textwrap import dedent
from typing import Any

from autogradient import errors
from autogradient.errors import Mistake, nearest
from autogradient.model import points, testcode
from autogradient.model.assignment import Case, Part
from autogradient.sources import messages
from autogradient.sources.otter_code import (
    case_decorator,
    doctest_names,
    is_otter_import,
    outside_definitions,
    parameter_names,
    without_otter,
)

TOTAL = "the test's 'points'"


def run_doctest(code: str, env: dict[str, object]) -> None:
    """Run the examples of a doctest in a copy of `env`; AssertionError with the report of the ones
    that fail.
    """
    import doctest

    report: list[str] = []
    examples = [
        example
        for example in doctest.DocTestParser().parse(code)
        if isinstance(example, doctest.Example)
    ]
    test = doctest.DocTest(examples, env, "the test", None, None, code)
    result = doctest.DocTestRunner(verbose=False).run(test, out=report.append, clear_globs=False)
    assert not result.failed, "".join(report).replace("*" * 70 + "\n", "")


def resolve_points(
    total: Fraction | Sequence[Fraction | None] | None, own: Sequence[Fraction | None]
) -> list[Fraction]:
    """Points of each case from the test's `points` and the cases' own, by otter's rules. ValueError
    with the reason where they contradict.

    What cases leave open is shared equally: the rest of the total where one is given; one point
    where no case has any; else nothing.
    """
    if isinstance(total, Sequence):
        if len(total) != len(own):
            raise ValueError(messages.OTTER_POINTS_COUNT.format(got=len(total), cases=len(own)))
        own, total = total, None
    given = sum((points for points in own if points is not None), Fraction(0))
    if total is not None and given > total:
        raise ValueError(
            messages.OTTER_POINTS_SUM.format(
                sum=points.show_points(given), total=points.show_points(total)
            )
        )
    if total is None:
        total = given or Fraction(1)
    open_cases = sum(points is None for points in own)
    share = (total - given) / open_cases if open_cases else Fraction(0)
    return [share if points is None else points for points in own]


class _Table(dict[str, Any]):
    """A dict literal of a test file, with the line it begins in and the lines of its keys."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


@dataclass
class _Draft:
    """A case before its points are settled."""

    case: str
    title: str
    points: Fraction | None
    hidden: bool
    success: str
    failure: str
    body: str = ""


class Reader:
    """Reads one test file; collects mistakes instead of stopping at the first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = errors.relative(path)
        self.mistakes: list[Mistake] = []
        self.values: dict[str, ast.expr] = {}

    def wrong(self, line: int, message: str) -> None:
        self.mistakes.append(Mistake(self.file, line, 0, message))

    def line_of(self, name: str) -> int:
        """The line of a value that stands at the file's left margin; 1 where there is none."""
        return self.values[name].lineno if name in self.values else 1

    def read(self) -> Part | None:
        """The part that the file describes; None where it is broken."""
        try:
            text = self.path.read_text(encoding="utf-8")
            tree = ast.parse(text)
        except UnicodeDecodeError:
            self.wrong(0, messages.OTTER_NOT_TEXT)
            return None
        except (SyntaxError, ValueError) as error:
            self.wrong(
                getattr(error, "lineno", None) or 1,
                errors.BAD_SYNTAX.format(problem=getattr(error, "msg", error)),
            )
            return None
        for node in tree.body:
            if isinstance(node, ast.Assign):
                self.values |= {
                    target.id: node.value for target in node.targets if isinstance(target, ast.Name)
                }
            elif (
                isinstance(node, ast.AnnAssign) and node.value and isinstance(node.target, ast.Name)
            ):
                self.values[node.target.id] = node.value
        ok = (
            self.literal(self.values["OK_FORMAT"], "OK_FORMAT")
            if "OK_FORMAT" in self.values
            else "test" in self.values
        )
        return self.ok_format() if ok else self.exception_format(text, tree)

    # ---- values ----------------------------------------------------------------------------------

    def literal(self, node: ast.expr, what: str) -> Any:
        """The value of an expression; dicts become tables. What is no plain value is a mistake and
        becomes None.
        """
        if isinstance(node, ast.Dict):
            table = _Table(node.lineno)
            for key, value in zip(node.keys, node.values, strict=True):
                name = self.literal(key, f"a key of {what}") if key else None
                if isinstance(name, str):
                    table[name] = self.literal(value, f"'{name}'")
                    table.lines[name] = value.lineno
                elif key is None:
                    self.wrong(value.lineno, messages.OTTER_NOT_LITERAL.format(what=what))
            return table
        if isinstance(node, (ast.List, ast.Tuple)):
            return [self.literal(item, what) for item in node.elts]
        try:
            return ast.literal_eval(node)
        except (ValueError, TypeError):
            self.wrong(node.lineno, messages.OTTER_NOT_LITERAL.format(what=what))
            return None

    def typed(self, value: Any, expected: type, default: Any, line: int, what: str) -> Any:
        """`value` where it is of the type, `default` where it is None; else a mistake."""
        if value is None or isinstance(value, expected):
            return default if value is None else value
        words = {str: "text", bool: "True or False", list: "a list", dict: "a dict"}
        self.wrong(
            line,
            messages.OTTER_WRONG_TYPE.format(
                what=what,
                expected=words[expected],
                got=type(value).__name__.replace("_Table", "dict"),
            ),
        )
        return default

    def points(self, value: Any, line: int, what: str) -> Fraction | None:
        """An exact number of points; None where none is given."""
        if value is None:
            return None
        try:
            if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
                return Fraction(str(value))
        except ValueError:  # infinity
            pass
        self.wrong(
            line,
            messages.OTTER_WRONG_TYPE.format(
                what=what, expected="a number that is 0 or more", got=repr(value)
            ),
        )
        return None

    def total(self, value: Any, line: int) -> Fraction | list[Fraction | None] | None:
        if isinstance(value, list):
            return [self.points(item, line, TOTAL) for item in value]
        return self.points(value, line, TOTAL)

    # ---- the OK format ---------------------------------------------------------------------------

    def ok_format(self) -> Part | None:
        if "test" not in self.values:
            self.wrong(1, messages.OTTER_NO_TEST)
            return None
        test = self.literal(self.values["test"], "'test'")
        if not isinstance(test, _Table):
            if not self.mistakes:
                self.typed(test, dict, None, self.line_of("test"), "'test'")
            return None
        name = (
            self.typed(test.get("name"), str, "", test.lines.get("name", test.line), "'name'")
            or self.path.stem
        )
        drafts = [
            self.ok_case(value, number, name)
            for number, value in enumerate(self.ok_cases(test), start=1)
        ]
        total = self.total(test.get("points"), test.lines.get("points", test.line))
        all_or_nothing = bool(test.get("all_or_nothing", False))
        part = self.part(name, drafts, total, all_or_nothing, test.lines.get("points", test.line))
        functions = [dedent(inspect.getsource(run_doctest)).strip()]
        for case, draft in zip(part.cases, drafts, strict=True):
            remark = f"# {case.title}: {case.points} points" + (
                ", all or nothing" if all_or_nothing else ""
            )
            functions.append(
                f"{remark}\ndef {case.name}(env):\n    run_doctest({draft.body!r}, env)"
            )
        part.tests = "\n\n\n".join(functions)
        part.names = tuple(
            dict.fromkeys(needed for draft in drafts for needed in doctest_names(draft.body))
        )
        return part

    def ok_cases(self, test: _Table) -> list[Any]:
        """The cases of the one suite, checked as otter checks it."""
        if "suites" not in test:
            self.wrong(test.line, messages.OTTER_NO_KEY.format(what="'test'", key="suites"))
            return []
        suites = self.typed(test["suites"], list, [], test.lines["suites"], "'suites'")
        if len(suites) != 1:
            self.wrong(test.lines["suites"], messages.OTTER_SUITES.format(count=len(suites)))
            return []
        suite = suites[0]
        if not isinstance(suite, _Table):
            self.typed(suite, dict, None, test.lines["suites"], "the suite")
            return []
        if suite.get("type", "doctest") != "doctest":
            self.wrong(suite.lines["type"], messages.OTTER_SUITE_TYPE.format(type=suite["type"]))
        for key in ("setup", "teardown"):
            if suite.get(key):
                self.wrong(suite.lines[key], messages.OTTER_SUITE_CODE.format(key=key))
        if "cases" not in suite:
            self.wrong(suite.line, messages.OTTER_NO_KEY.format(what="the suite", key="cases"))
        cases: list[Any] = self.typed(
            suite.get("cases"), list, [], suite.lines.get("cases", suite.line), "'cases'"
        )
        return cases

    def ok_case(self, value: Any, number: int, test: str) -> _Draft:
        draft = _Draft(f"test_case_{number}", f"{test} - {number}", None, True, "", "")
        if not isinstance(value, _Table):
            self.typed(value, dict, None, self.line_of("test"), f"case {number}")
            return draft

        def get(key: str, expected: type, default: Any) -> Any:
            return self.typed(
                value.get(key),
                expected,
                default,
                value.lines.get(key, value.line),
                f"'{key}' of case {number}",
            )

        draft.title = get("name", str, draft.title)
        draft.points = self.points(
            value.get("points"), value.lines.get("points", value.line), f"'points' of case {number}"
        )
        draft.hidden = bool(value.get("hidden", True))
        draft.success, draft.failure = (
            get("success_message", str, ""),
            get("failure_message", str, ""),
        )
        if "code" not in value:
            self.wrong(value.line, messages.OTTER_NO_KEY.format(what=f"case {number}", key="code"))
        draft.body = dedent(get("code", str, ""))
        try:
            doctest.DocTestParser().parse(draft.body)
        except ValueError as error:
            self.wrong(
                value.lines["code"],
                messages.OTTER_BAD_DOCTEST.format(case=draft.title, problem=error),
            )
        return draft

    # ---- the exception format --------------------------------------------------------------------

    def exception_format(self, text: str, tree: ast.Module) -> Part | None:
        imports = [
            node for node in tree.body if isinstance(node, ast.ImportFrom) and is_otter_import(node)
        ]
        aliases = {
            alias.asname or alias.name
            for node in imports
            for alias in node.names
            if alias.name == "test_case"
        }
        top = {id(node) for node in tree.body}
        name = ""
        if "name" in self.values:
            name = self.typed(
                self.literal(self.values["name"], "'name'"), str, "", self.line_of("name"), "'name'"
            )
        drafts: list[_Draft] = []
        functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
        decorators: list[ast.expr] = []
        for node in outside_definitions(tree):
            decorator = case_decorator(node, aliases)
            if decorator is None or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            if id(node) not in top:
                self.wrong(node.lineno, messages.OTTER_NESTED_CASE.format(name=node.name))
            elif node.name in functions:
                self.wrong(
                    node.lineno,
                    messages.OTTER_SAME_FUNCTION.format(
                        name=node.name, first=functions[node.name].lineno
                    ),
                )
            functions.setdefault(node.name, node)
            decorators.append(decorator.func if isinstance(decorator, ast.Call) else decorator)
            drafts.append(self.exception_case(node, decorator))
        if not drafts:
            self.wrong(1, messages.OTTER_NO_TEST)
            return None
        name = name or self.path.stem
        for number, draft in enumerate(drafts, start=1):
            draft.title = draft.title or f"{name} - {number}"
        total = (
            self.total(self.literal(self.values["points"], TOTAL), self.line_of("points"))
            if "points" in self.values
            else None
        )
        all_or_nothing = "all_or_nothing" in self.values and bool(
            self.literal(self.values["all_or_nothing"], "'all_or_nothing'")
        )
        part = self.part(name, drafts, total, all_or_nothing, self.line_of("points"))
        part.tests = without_otter(text, tree, decorators)
        part.names = tuple(
            dict.fromkeys(
                needed for function in functions.values() for needed in parameter_names(function)
            )
        )
        return part

    def exception_case(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, decorator: ast.expr
    ) -> _Draft:
        values: dict[str, Any] = {}
        if isinstance(decorator, ast.Call):
            given = [
                *zip(testcode.CASE_KEYS, decorator.args, strict=False),
                *((keyword.arg or "**", keyword.value) for keyword in decorator.keywords),
            ]
            for key, value in given:
                if key not in testcode.CASE_KEYS:
                    message = errors.CASE_UNKNOWN_KEY.format(
                        case=node.name, key=key, nearest=nearest(key, testcode.CASE_KEYS)
                    )
                    self.wrong(value.lineno, message)
                else:
                    values[key] = self.literal(value, f"'{key}' of '{node.name}'")

        def get(key: str, expected: type, default: Any) -> Any:
            return self.typed(
                values.get(key), expected, default, decorator.lineno, f"'{key}' of '{node.name}'"
            )

        points = self.points(values.get("points"), decorator.lineno, f"'points' of '{node.name}'")
        success, failure = get("success_message", str, ""), get("failure_message", str, "")
        return _Draft(
            node.name, get("name", str, ""), points, bool(values.get("hidden")), success, failure
        )

    # ---- both ------------------------------------------------------------------------------------

    def part(
        self, name: str, drafts: list[_Draft], total: Any, all_or_nothing: bool, line: int
    ) -> Part:
        try:
            points = resolve_points(total, [draft.points for draft in drafts])
        except ValueError as error:
            self.wrong(line, str(error))
            points = [Fraction(0)] * len(drafts)
        cases = tuple(
            Case(d.case, d.title, p, d.hidden, d.failure, d.success)
            for d, p in zip(drafts, points, strict=True)
        )
        return Part(
            name,
            name,
            "code",
            sum(points, Fraction(0)),
            "",
            "",
            cases=cases,
            all_or_nothing=all_or_nothing,
        )
