"""Parts that many tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autogradient.engine import Engine


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """Warm interpreters for the whole run."""
    with Engine() as warm:
        warm.check()
        yield warm
