"""Parts that many tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autogradient.sandbox import Zygote


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """One warm interpreter for the whole run."""
    with Zygote() as warm:
        yield warm
