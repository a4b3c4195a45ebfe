"""A course, a small GitHub and people who push to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hub.class_room import Class
from hub.description import Description, NotToBeHad, description
from hub.people import Place, laid_out, small_github
from hub.server import Server


@pytest.fixture(scope="session")
def openapi() -> Description:
    """GitHub's own description of its API, or the reason why it is not to be had."""
    try:
        return description()
    except NotToBeHad as reason:
        pytest.skip(str(reason))


@pytest.fixture
def github(tmp_path: Path, openapi: Description) -> Iterator[Server]:
    """A small GitHub of a test's own."""
    with small_github(tmp_path / "github", openapi) as server:
        yield server


@pytest.fixture
def course_root(tmp_path: Path) -> Path:
    """Where the course is; tests that need assignments put them there."""
    return tmp_path / "course"


@pytest.fixture
def place(course_root: Path, github: Server, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A course with a roster and settings, and a token."""
    return laid_out(course_root, github, monkeypatch)


@pytest.fixture(scope="session")
def begun(tmp_path_factory: pytest.TempPathFactory, openapi: Description) -> Class:
    """A class whose repositories are there: tests have copies of it, which takes a tenth of the
    time.
    """
    root = tmp_path_factory.mktemp("begun")
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        small_github(root / "github", openapi) as server,
    ):
        return Class.make(laid_out(root / "course", server, monkeypatch), server)


@pytest.fixture
def room(begun: Class, place: Place, github: Server) -> Class:
    """A class that has begun: everybody has a repository, nobody has handed in."""
    return Class.copy_of(begun, place, github)
