from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from otter.nbmeta_config import NBMetadataConfig
from otter.test_files import TestFile, create_test_file

from autogradient import errors
from autogradient.errors import CourseError, SourceErrors
from autogradient.model.assignment import Part
from autogradient.sources import messages, otter_format, otter_tests, source
from autogradient.sources.formats import load_assignment

OK_CASES = '''
    "suites": [{"cases": [
        {"code": r"""
            >>> square(3)
            9
            >>> y = square(2)
            >>> y + len(words)
            6
        """, "hidden": False, "locked": False, "success_message": "Right."},
        {"code": ">>> square(-3)\\n9\\n", "points": 0.1, "failure_message": "Mind the sign."},
        {"name": "text", "code": ">>> square('a')\\nTraceback (most recent call last):\\n    ...\\nTypeError: unsupported operand type(s) for ** or pow(): 'str' and 'int'"},
    ], "scored": True, "setup": "", "teardown": "", "type": "doctest"}]
'''  # noqa: E501
OK = f'OK_FORMAT = True\n\ntest = {{"name": "q1", "points": 1,{OK_CASES}}}\n'
EXCEPTION = """from otter.test_files import test_case

OK_FORMAT = False

name = "q2"
points = None


def near(a, b):
    return abs(a - b) < 1e-9


@test_case(points=None, hidden=False)
def test_ä(square, env):
    assert near(square(3), 9), "3 squared is 9"
    assert env["words"] and env.get("more", True)


@test_case("signs", 0.7, hidden=True, failure_message="Mind the sign.", success_message="Right.")
def test_signs(square): assert square(-2) == 4


@test_case(points=0.1)
def test_type(square):
    assert isinstance(square(2), int)
"""
RIGHT: dict[str, Any] = {"square": lambda x: x**2, "words": ["a", "b"]}
WRONG: dict[str, Any] = {"square": lambda x: x * abs(x), "words": ["a", "b"]}


def folder(path: Path, *notebooks: str, **tests: str) -> Path:
    home = path / "homework"
    (home / "tests").mkdir(parents=True, exist_ok=True)
    for name, text in tests.items():
        (home / "tests" / f"{name}.py").write_text(text, encoding="utf-8")
    for name in notebooks:
        nbformat.write(new_notebook(cells=[new_markdown_cell("# Hi")]), home / name)
    return home


def stock(home: Path, name: str) -> TestFile:
    return create_test_file(str(home / "tests" / f"{name}.py"), NBMetadataConfig())


def run(part: Part, env: dict[str, Any]) -> list[str]:
    """What each case raises, "" for none."""
    namespace: dict[str, Any] = {"test_case": lambda *a, **k: lambda function: function}
    exec(compile(part.tests, "<tests>", "exec"), namespace)
    out = []
    for case in part.cases:
        function: Callable[..., None] = namespace[case.name]
        names = function.__code__.co_varnames[: function.__code__.co_argcount]
        try:
            function(**{name: env if name == "env" else env.get(name) for name in names})
            out.append("")
        except Exception as error:
            out.append(f"{type(error).__name__}: {error}")
    return out


def same_as_stock(home: Path, name: str, part: Part) -> None:
    theirs = stock(home, name)
    assert part.id == theirs.name
    assert part.all_or_nothing == theirs.all_or_nothing
    assert [
        (c.title, c.hidden, c.success_message or None, c.failure_message or None)
        for c in part.cases
    ] == [(c.name, c.hidden, c.success_message, c.failure_message) for c in theirs.test_cases]
    assert [float(case.points) for case in part.cases] == pytest.approx(
        [case.points for case in theirs.test_cases], abs=1e-12
    )
    for env in (RIGHT, WRONG):
        theirs.run(dict(env))
        assert [not message for message in run(part, dict(env))] == [
            result.passed for result in theirs.test_case_results
        ]


def test_ok_format(tmp_path: Path) -> None:
    home = folder(tmp_path, q1=OK)
    assignment = otter_format.load(home, seed=3)
    assert (
        assignment.name,
        assignment.title,
        assignment.format,
        assignment.seed,
        assignment.cells,
    ) == ("homework", "homework", "otter", 3, [])
    (part,) = assignment.parts
    same_as_stock(home, "q1", part)
    assert (part.kind, part.style, part.points, part.names) == (
        "code",
        "functions",
        1,
        ("square", "words"),
    )
    assert [(c.name, c.title, c.points, c.hidden) for c in part.cases] == [
        ("test_case_1", "q1 - 1", Fraction(9, 20), False),
        ("test_case_2", "q1 - 2", Fraction(1, 10), True),
        ("test_case_3", "text", Fraction(9, 20), True),
    ]
    reports = run(part, WRONG)
    assert run(part, RIGHT) == ["", "", ""]
    assert reports[0] == "" and "Expected:\n    9\nGot:\n    -9" in reports[1]


def test_a_case_leaves_nothing_to_the_next(tmp_path: Path) -> None:
    test = {
        "name": "q",
        "suites": [{"cases": [{"code": ">>> square = 3"}, {"code": ">>> square(2)\n4"}]}],
    }
    (part,) = otter_format.load(folder(tmp_path, q=f"OK_FORMAT = True\ntest = {test!r}")).parts
    env = dict(RIGHT)
    assert run(part, env) == ["", ""] and env == RIGHT


def test_exception_format(tmp_path: Path) -> None:
    home = folder(tmp_path, q2=EXCEPTION)
    (part,) = otter_format.load(home).parts
    same_as_stock(home, "q2", part)
    assert [(c.name, c.title, c.points) for c in part.cases] == [
        ("test_ä", "q2 - 1", 0),
        ("test_signs", "signs", Fraction(7, 10)),
        ("test_type", "q2 - 3", Fraction(1, 10)),
    ]
    assert part.points == Fraction(4, 5) and part.names == ("square", "words", "more")
    assert (
        part.tests == EXCEPTION.replace("from otter.test_files import test_case", "pass").rstrip()
    )


@pytest.mark.parametrize(
    ("imports", "decorator"),
    [
        ("from otter.test_files import test_case as ä, TestCase", "ä"),
        ("import otter.test_files", "otter.test_files.test_case"),
        ("from otter import test_files", "test_files.test_case"),
    ],
)
def test_other_ways_to_import_the_decorator(tmp_path: Path, imports: str, decorator: str) -> None:
    text = (
        f'{imports}\nOK_FORMAT = False\nname = "q"\n@{decorator}(\n    hidden=True)\ndef '
        "test_a(square): assert square(-3) == 9\n"
    )
    home = folder(tmp_path, q=text)
    (part,) = otter_format.load(home).parts
    same_as_stock(home, "q", part)
    assert "@test_case(\n" in part.tests and "ä" not in part.tests


VALUES = (None, 0, 0.25, 2)


@pytest.mark.parametrize("total", [None, 0, 1, 2.5, [1, 0.5, None], [0, 0, 0], [None, None, 0]])
@pytest.mark.parametrize("ok", [True, False])
def test_points_are_what_otter_resolves(tmp_path: Path, total: Any, ok: bool) -> None:
    for number, own in enumerate(itertools.product(VALUES, repeat=3)):
        name = f"q{number}"
        if ok:
            test = {
                "name": name,
                "points": total,
                "suites": [{"cases": [{"code": ">>> 1\n1", "points": points} for points in own]}],
            }
            text = f"OK_FORMAT = True\ntest = {test!r}\n"
        else:
            cases = "".join(
                f"@test_case(points={points})\ndef test_{i}(): pass\n"
                for i, points in enumerate(own)
            )
            text = (
                "from otter.test_files import test_case\nOK_FORMAT = False\nname = "
                f"{name!r}\npoints = {total!r}\n{cases}"
            )
        home = folder(tmp_path / name, **{name: text})
        try:
            theirs = stock(home, name)
        except ValueError:
            with pytest.raises(SourceErrors, match="more than the .* of the test"):
                otter_format.load(home)
            continue
        (part,) = otter_format.load(home).parts
        assert [float(case.points) for case in part.cases] == [
            case.points for case in theirs.test_cases
        ]
        assert float(part.points) == theirs.possible


def test_points_are_exact(tmp_path: Path) -> None:
    thirds = {"name": "q", "suites": [{"cases": [{"code": ">>> 1\n1"}] * 3}]}
    tenths = {"name": "r", "points": [0.1, 0.2, 0.3], "suites": thirds["suites"]}
    whole = otter_format.load(
        folder(
            tmp_path, q=f"OK_FORMAT = True\ntest = {thirds}", r=f"OK_FORMAT = True\ntest = {tenths}"
        )
    )
    assert [part.points for part in whole.parts] == [
        1,
        Fraction(3, 5),
    ] and whole.points == Fraction(8, 5)


def test_all_or_nothing(tmp_path: Path) -> None:
    home = folder(
        tmp_path,
        q1=OK.replace('"points": 1,', '"points": 1, "all_or_nothing": True,'),
        q2=EXCEPTION + "all_or_nothing = True\n",
    )
    assignment = otter_format.load(home)
    for part in assignment.parts:
        same_as_stock(home, part.id, part)
        assert part.all_or_nothing
    assert assignment.digest != otter_format.load(folder(tmp_path, q1=OK)).digest


def test_the_notebook_beside_it(tmp_path: Path) -> None:
    home = folder(tmp_path, q1=OK, second=EXCEPTION)
    cells = [
        new_markdown_cell("Some words.\n\n# Powers"),
        new_code_cell("import otter\ngrader = otter.Notebook()"),
        new_code_cell("def square(x):\n    ..."),
        new_code_cell('grader.check("q1")'),
        new_code_cell("grader.check('second')"),
        new_code_cell('grader.check("q1")'),
        new_code_cell('grader.check("unknown")\ngrader.check_all()'),
    ]
    nbformat.write(new_notebook(cells=cells), home / "powers.ipynb")
    (home / "words.csv").write_text("a")
    (home / "otter_config.json").write_text("{}")
    assignment = otter_format.load(home)
    assert assignment.title == "Powers" and assignment.files == {"words.csv": b"a"}
    assert [(cell.role, cell.target, cell.grade_id, cell.number) for cell in assignment.cells] == [
        ("text", "", "", 1),
        ("scratch", "", "", 2),
        ("scratch", "", "", 3),
        ("check", "q1", "q1", 4),
        ("check", "q2", "q2", 5),
        ("check", "q1", "", 6),
        ("scratch", "", "", 7),
    ]
    assert [(question.id, question.cell) for question in assignment.questions] == [
        ("q1", 4),
        ("q2", 5),
    ]


def test_a_name_comes_from_the_file_where_the_test_has_none(tmp_path: Path) -> None:
    home = folder(
        tmp_path, q1=OK.replace('"name": "q1", ', ""), q2=EXCEPTION.replace('name = "q2"\n', "")
    )
    assert [(part.id, part.cases[0].title) for part in otter_format.load(home).parts] == [
        ("q1", "q1 - 1"),
        ("q2", "q2 - 1"),
    ]


def test_files_are_never_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    text = f"open({str(mark)!r}, 'w')\n"
    otter_format.load(folder(tmp_path, q1=text + OK, q2=text + EXCEPTION))
    assert not mark.exists()


def ok(test: str) -> str:
    return f"OK_FORMAT = True\ntest = {test}\n"


def exception(text: str) -> str:
    return f'OK_FORMAT = False\nname = "q"\n{text}\n'


NUMBER = "a number that is 0 or more"
CASE = "@test_case({})\ndef test_a(): pass"
BROKEN: list[tuple[str, int, str]] = [
    ("test = {", 1, errors.BAD_SYNTAX.format(problem="'{' was never closed")),
    ("OK_FORMAT = True\n", 1, messages.OTTER_NO_TEST),
    ("x = 1\n", 1, messages.OTTER_NO_TEST),
    (
        "OK_FORMAT = not False\n" + CASE.format(""),
        1,
        messages.OTTER_NOT_LITERAL.format(what="OK_FORMAT"),
    ),
    (ok("make()"), 2, messages.OTTER_NOT_LITERAL.format(what="'test'")),
    (ok("3"), 2, messages.OTTER_WRONG_TYPE.format(what="'test'", expected="a dict", got="int")),
    (ok("{}"), 2, messages.OTTER_NO_KEY.format(what="'test'", key="suites")),
    (
        ok('{"name":\n 7, "suites": [{"cases": []}]}'),
        3,
        messages.OTTER_WRONG_TYPE.format(what="'name'", expected="text", got="int"),
    ),
    (ok('{\n"suites": [{"cases": []}, {"cases": []}]}'), 3, messages.OTTER_SUITES.format(count=2)),
    (ok('{"suites": []}'), 2, messages.OTTER_SUITES.format(count=0)),
    (ok('{"suites": [{}]}'), 2, messages.OTTER_NO_KEY.format(what="the suite", key="cases")),
    (
        ok('{"suites": [3]}'),
        2,
        messages.OTTER_WRONG_TYPE.format(what="the suite", expected="a dict", got="int"),
    ),
    (
        ok('{"suites": [{"cases": [],\n"type": "sql"}]}'),
        3,
        messages.OTTER_SUITE_TYPE.format(type="sql"),
    ),
    (
        ok('{"suites": [{"cases": [], "setup":\n">>> x = 1"}]}'),
        3,
        messages.OTTER_SUITE_CODE.format(key="setup"),
    ),
    (
        ok('{"suites": [{"cases": [\n{}]}]}'),
        3,
        messages.OTTER_NO_KEY.format(what="case 1", key="code"),
    ),
    (
        ok('{"suites": [{"cases": [{"code":\nmake()}]}]}'),
        3,
        messages.OTTER_NOT_LITERAL.format(what="'code'"),
    ),
    (
        ok('{"suites": [{"cases": [{"code": 1}]}]}'),
        2,
        messages.OTTER_WRONG_TYPE.format(what="'code' of case 1", expected="text", got="int"),
    ),
    (
        ok('{"suites": [{"cases": [3]}]}'),
        2,
        messages.OTTER_WRONG_TYPE.format(what="case 1", expected="a dict", got="int"),
    ),
    (
        ok('{"suites": [{"cases": [{"code": ">>>1"}]}]}'),
        2,
        messages.OTTER_BAD_DOCTEST.format(
            case="q - 1",
            problem="line 1 of the docstring for <string> lacks blank after >>>: '>>>1'",
        ),
    ),
    (
        ok('{"points": "2", "suites": [{"cases": []}]}'),
        2,
        messages.OTTER_WRONG_TYPE.format(what=otter_tests.TOTAL, expected=NUMBER, got="'2'"),
    ),
    (
        ok('{\n"points": [1], "suites": [{"cases": []}]}'),
        3,
        messages.OTTER_POINTS_COUNT.format(got=1, cases=0),
    ),
    (
        exception("points = -1\n" + CASE.format("")),
        3,
        messages.OTTER_WRONG_TYPE.format(what=otter_tests.TOTAL, expected=NUMBER, got="-1"),
    ),
    (
        exception("points = 1\n" + CASE.format("points=2")),
        3,
        messages.OTTER_POINTS_SUM.format(sum="2", total="1"),
    ),
    (
        exception("points = 1 / 3\n" + CASE.format("")),
        3,
        messages.OTTER_NOT_LITERAL.format(what=otter_tests.TOTAL),
    ),
    (
        exception(CASE.format("points=POINTS")),
        3,
        messages.OTTER_NOT_LITERAL.format(what="'points' of 'test_a'"),
    ),
    (
        exception(CASE.format("points=True")),
        3,
        messages.OTTER_WRONG_TYPE.format(what="'points' of 'test_a'", expected=NUMBER, got="True"),
    ),
    (
        exception(CASE.format("point=1")),
        3,
        errors.CASE_UNKNOWN_KEY.format(
            case="test_a", key="point", nearest=errors.NEAREST.format(word="points")
        ),
    ),
    (
        exception(CASE.format("name=1")),
        3,
        messages.OTTER_WRONG_TYPE.format(what="'name' of 'test_a'", expected="text", got="int"),
    ),
    (
        exception(CASE.format("") + "\n" + CASE.format("")),
        6,
        messages.OTTER_SAME_FUNCTION.format(name="test_a", first=4),
    ),
    (
        exception("if True:\n    @test_case()\n    def test_a(): pass"),
        5,
        messages.OTTER_NESTED_CASE.format(name="test_a"),
    ),
]


@pytest.mark.parametrize(("text", "line", "message"), BROKEN)
def test_mistakes(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(SourceErrors) as caught:
        otter_format.load(folder(tmp_path, q=text))
    assert [(Path(m.file).name, m.line, m.message) for m in caught.value.mistakes] == [
        ("q.py", line, message)
    ]


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    home = folder(
        tmp_path,
        "a.ipynb",
        "b.ipynb",
        a="test = {",
        b=OK,
        c=OK,
        d=exception("points = x\n" + CASE.format("hidden=y")),
    )
    (home / "tests/e.py").write_bytes(b"OK_FORMAT = True # \xff")
    with pytest.raises(SourceErrors) as caught:
        otter_format.load(home)
    found = [(Path(m.file).name, m.line, m.message) for m in caught.value.mistakes]
    assert len(found) == 6
    assert ("homework", 0, messages.OTTER_TWO_NOTEBOOKS.format(names="a.ipynb, b.ipynb")) in found
    assert ("c.py", 1, messages.OTTER_SAME_TEST.format(name="q1", first="b.py")) in found
    assert ("e.py", 0, messages.OTTER_NOT_TEXT) in found


def test_what_counts_as_an_otter_folder(tmp_path: Path) -> None:
    assert otter_format.is_otter(folder(tmp_path / "a", q1=OK))
    assert otter_format.is_otter(folder(tmp_path / "b", q2=EXCEPTION))
    assert not otter_format.is_otter(
        folder(tmp_path / "c", test_x="def test_x():\n    assert True\n")
    )
    assert not otter_format.is_otter(tmp_path)
    assert not otter_format.is_otter(folder(tmp_path / "d", q1=OK) / "tests" / "q1.py")


# ---- which format a path is ----------------------------------------------------------------------


def test_formats_are_told_apart(tmp_path: Path) -> None:
    assert load_assignment(folder(tmp_path, "a.ipynb", q1=OK)).format == "otter"
    marked = {
        "nbgrader": {
            "grade": True,
            "solution": False,
            "locked": True,
            "grade_id": "a",
            "points": 1,
            "schema_version": 3,
            "task": False,
        }
    }
    (tmp_path / "ps1").mkdir()
    path = tmp_path / "ps1" / "problem.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("assert f", metadata=marked)]), path)
    assert (
        load_assignment(path, seed=4).format
        == load_assignment(tmp_path / "ps1").format
        == "nbgrader"
    )
    ours = tmp_path / "ours"
    ours.mkdir()
    header = (
        "# ---\n# jupyter:\n#   autogradient:\n#     format: 1\n#     title: Ours\n# "
        "---\n\n# %% [markdown]\n# # Ours\n"
    )
    (ours / "ours.py").write_text(header)
    (ours / "tests").mkdir()
    (ours / "tests" / "data.py").write_text(OK)
    assert (
        load_assignment(ours).format == load_assignment(ours / "ours.py").format == "autogradient"
    )


def test_what_is_no_assignment(tmp_path: Path) -> None:
    plain = tmp_path / "plain.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("1")]), plain)
    for path in (plain, tmp_path):
        with pytest.raises(CourseError) as caught:
            load_assignment(path)
        assert str(caught.value) == messages.NOT_A_SOURCE.format(path=errors.relative(path))
    with pytest.raises(CourseError, match="no such file or folder"):
        load_assignment(tmp_path / "nothing")
    with pytest.raises(SourceErrors):
        plain.write_text("{")
        load_assignment(plain)


def test_a_release_is_no_assignment(tmp_path: Path) -> None:
    home = folder(tmp_path, q1=OK)
    nbformat.write(
        new_notebook(metadata={"autogradient": {"format": 1, "assignment": "homework"}}),
        home / "homework.ipynb",
    )
    for path in (home, home / "homework.ipynb"):
        with pytest.raises(CourseError) as caught:
            load_assignment(path)
        assert str(caught.value) == messages.FOREIGN_RELEASE.format(path=errors.relative(path))
    assert source.find_source(home) == home / "homework.ipynb"
