"""What docs/security.md promises and what tests try are the same: each promise's number stands on
tests, and each number on a test is promised.
"""

from __future__ import annotations

import pkgutil
import re
from pathlib import Path

import pytest
from attacks.whitebox import ATTACKS

from autogradient.sandbox.operations import Operations
from autogradient.wire import questions, student

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
PROMISED = set(re.findall(r"^- \[(P\d+)\]", PAGE, re.MULTILINE))


def numbers_on_tests() -> dict[str, set[str]]:
    """The numbers on tests, and where: marks, and the attacks of a table."""
    found: dict[str, set[str]] = {
        attack.promise: {"support/attacks/whitebox.py"} for attack in ATTACKS
    }
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for words in re.findall(r"mark\.promise\(([^)]*)\)", path.read_text()):
            for number in re.findall(r'"(P\d+)"', words):
                found.setdefault(number, set()).add(path.name)
    return found


def test_each_promise_has_a_test_and_each_number_is_promised() -> None:
    numbers = numbers_on_tests()
    assert sorted(PROMISED - set(numbers)) == [], "promised, and not tried"
    assert sorted(set(numbers) - PROMISED) == [], "tried, and not promised"
    assert sorted(PROMISED, key=lambda number: int(number[1:])) == [
        f"P{n}" for n in range(1, len(PROMISED) + 1)
    ]


def section(title: str) -> str:
    """A section of the page."""
    (found,) = re.findall(rf"^## {title}\n(.*?)^## ", PAGE, re.DOTALL | re.MULTILINE)
    return str(found)


def test_the_page_names_every_request() -> None:
    asked = re.search(r"\*\*What a judge may ask\*\*(.*?)\n\n", section("The boundary"), re.DOTALL)
    assert asked is not None
    operations = {
        name.removeprefix("do_") for name in vars(Operations) if name.startswith("do_")
    } | {"back"}
    assert set(re.findall(r"`(\w+)`", asked[1])) == operations
    table = re.findall(r"^\| `(\w+)` \|", section("The boundary"), re.MULTILINE)
    assert set(table) == {student.CALLBACK, student.ITERATOR, student.GENERATOR, "back"}


@pytest.mark.parametrize("key", ["out", "warnings", "names", "training", "sync", "drop", "free"])
def test_the_page_names_what_comes_along(key: str) -> None:
    (row,) = [line for line in section("The boundary").split("\n") if line.startswith("| state:")]
    assert f"`{key}`" in row


def test_every_group_that_may_be_claimed_has_its_list() -> None:
    assert {group for _, group in questions._GROUPS} | set(questions._SAID.values()) == set(
        questions._OWN_WORDS
    )


BOUNDS = re.findall(
    r"^\| ([^|*]+) \| ([\d.]+) \| `([\w.]+)` \| ([^|]+) \| `(test_\w+)` \|$",
    section("Bounds"),
    re.MULTILINE,
)


@pytest.mark.promise("P15")
@pytest.mark.parametrize(
    "what, number, constant, then, where", BOUNDS, ids=[constant for _, _, constant, _, _ in BOUNDS]
)
def test_each_bound_of_the_page_is_the_codes(
    what: str, number: str, constant: str, then: str, where: str
) -> None:
    found = pkgutil.resolve_name(f"autogradient.{constant}")
    assert found == float(number), f"{what}: the page says {number}, {constant} is {found}"
    assert list((ROOT / "tests").rglob(f"{where}.py")), where
    assert what.strip() and then.strip()


def test_the_table_of_bounds_is_read() -> None:
    assert len(BOUNDS) > 40
