"""Parts that many tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autogradient.grading.engine import Engine


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """Warm interpreters for the whole run."""
    with Engine() as warm:
        warm.check()
        yield warm


@pytest.fixture(scope="session", autouse=True)
def kept(request: pytest.FixtureRequest) -> None:
    """In a long run the warm interpreters stay from the first test on: whoever else grades
    meanwhile shares their copies of files instead of making new ones.
    """
    if len(request.session.items) > 100:
        request.getfixturevalue("engine")
