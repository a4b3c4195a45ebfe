"""The small changes that a good set of tests must notice."""

from __future__ import annotations

import ast

import pytest

from autogradient.proving.mutants import MAX_MUTANTS, mutants, solution_lines


def answer(*lines: str) -> str:
    """A function whose body is a solution."""
    body = "\n".join(f"    {line}" for line in ("### BEGIN SOLUTION", *lines, "### END SOLUTION"))
    return f"def f(x, y):\n    n = 3\n{body}"


def changes(*lines: str) -> set[str]:
    """What becomes of the lines of a solution, one change each."""
    return {mutant.after for mutant in mutants(answer(*lines))}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("return x + y", {"return x - y"}),
        ("return x - y", {"return x + y"}),
        ("return x * y", {"return x / y"}),
        ("return x / y", {"return x * y"}),
        ("return x // y", {"return x / y"}),
        ("return x % y", {"return x // y"}),
        ("return x ** y", {"return x * y"}),
        ("return x < y", {"return x <= y"}),
        ("return x <= y", {"return x < y"}),
        ("return x > y", {"return x >= y"}),
        ("return x >= y", {"return x > y"}),
        ("return x == y", {"return x != y"}),
        ("return x in y", {"return x not in y"}),
        ("return x not in y", {"return x in y"}),
        ("return x is not y", {"return x is y"}),
        ("return x and y", {"return x or y"}),
        ("return x or y", {"return x and y"}),
        ("return not x", {"return x"}),
        ("return -x", {"return x"}),
        ("return True", {"return False"}),
        ("return 2", {"return 1", "return 3"}),
        ("return 0", {"return 1"}),
        ("return 0.5", {"return 1.5", "return 0.25"}),
        ("return x.max()", {"return x.min()"}),
        ("return np.sum(x)", {"return np.mean(x)"}),
        ("return f(x, y)", {"return f(y, x)"}),
        ("return x.sum(axis=0)", {"return x.sum(axis=1)", "return x.mean(axis=0)"}),
        ("return x.sum(dim=-1)", {"return x.sum(dim=0)", "return x.mean(dim=-1)"}),
        ("return softmax(x, keepdims=True)", {"return softmax(x, keepdims=False)"}),
        ("return x if y else n", {"return n if y else x"}),
        ("return list(range(n))", {"return list(range(n - 1))"}),
        ("return x @ y", set()),
        ("return x", set()),
        ("# only x + y in words", set()),
        ("return 'x + y'", set()),
    ],
)
def test_what_is_changed(line: str, expected: set[str]) -> None:
    assert changes(line) == expected


def test_lines_are_dropped_where_what_is_left_can_run() -> None:
    assert (
        "pass" in changes("x += y", "return x")
        and "pass" in changes("x.sort()", "return x")
        and "pass" in changes("x[0] = y", "return x")
    )
    assert "pass" not in changes("z = y", "return z")
    assert "pass" in changes("z = y", "z = z", "return z")
    assert "continue" in changes("for z in x:", "    break")


def test_operators_of_several_letters_and_parentheses_survive() -> None:
    assert changes("return (x", "        + y)") == {"- y)"}
    assert changes("x **= y", "return x") == {"x *= y", "pass"}


def test_only_the_solution_is_changed() -> None:
    assert solution_lines(answer("return x + y")) == {4}
    assert all("n = 3" in mutant.source for mutant in mutants(answer("return x + y")))
    assert [mutant.after for mutant in mutants("a = 1 + 1\nb = a + a  # SOLUTION")] == [
        "b = a - a  # SOLUTION"
    ]


def test_a_mutant_says_what_it_is() -> None:
    (mutant,) = mutants(answer("return x + y"))
    assert (mutant.before, mutant.after, mutant.line, mutant.operator) == (
        "return x + y",
        "return x - y",
        4,
        "arithmetic",
    )
    assert mutant.difference == "- return x + y\n+ return x - y"
    assert mutant.source == answer("return x - y")


def test_letters_beyond_ascii_do_not_shift_the_place() -> None:
    assert changes("return {'\u00e9\u4e2d\U0001f600': x}['\u00e9'] + y") == {
        "return {'\u00e9\u4e2d\U0001f600': x}['\u00e9'] - y"
    }


def test_every_mutant_is_valid_python_and_another_text() -> None:
    source = answer(
        "z = np.zeros((len(x), 3), dtype=float)",
        "for i in range(len(x)):",
        "    if x[i] > 0 and not y:",
        "        z[i, 0] -= x[i] * 0.5 ** 2",
        "return z",
    )
    found = mutants(source)
    assert len(found) > 15
    for mutant in found:
        ast.parse(mutant.source)
        assert mutant.source != source
    assert len({mutant.source for mutant in found}) == len(found)


def test_at_most_so_many_and_always_the_same_ones() -> None:
    source = answer(*(f"x = x + {k} * y - {k + 1}" for k in range(40)), "return x")
    found = mutants(source)
    assert len(found) == MAX_MUTANTS
    assert found == mutants(source) and found == sorted(
        found, key=lambda m: (m.line, m.before, m.after)
    )
    longer = mutants(
        answer(*(f"x = x + {k} * y - {k + 1}" for k in range(40)), "return x  # a remark")
    )
    assert (
        len({(m.before, m.after) for m in found} & {(m.before, m.after) for m in longer})
        >= MAX_MUTANTS - 2
    )


def test_no_python_has_no_mutants() -> None:
    assert mutants("def f(:") == []
