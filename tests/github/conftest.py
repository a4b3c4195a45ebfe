"""A course, a small GitHub and people who push to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hub.description import Description, NotToBeHad, description
from hub.people import ROSTER, Place
from hub.server import Server
from hub.state import State

from autogradient.github import client
from autogradient.github.settings import load


@pytest.fixture(scope="session")
def openapi() -> Description:
    """GitHub's own description of its API, or the reason why it is not to be had."""
    try:
        return description()
    except NotToBeHad as reason:
        pytest.skip(str(reason))


@pytest.fixture
def github(tmp_path: Path, openapi: Description) -> Iterator[Server]:
    """A small GitHub. Whatever was asked of it, GitHub would have understood."""
    folder = tmp_path / "github"
    folder.mkdir()
    state = State(folder, openapi, people={"ada-l", "bruno-k", "chloe-m"}, teams={"staff": set()})
    with Server(state, openapi) as server:
        yield server
    assert server.violations == [], "\n".join(server.violations)


@pytest.fixture
def course_root(tmp_path: Path) -> Path:
    """Where the course is; tests that need assignments put them there."""
    return tmp_path / "course"


@pytest.fixture
def place(course_root: Path, github: Server, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A course with a roster and settings, and a token."""
    config = course_root / "grader_config"
    config.mkdir(parents=True, exist_ok=True)
    if not (config / "course.toml").exists():
        (config / "course.toml").write_text('format = 1\nname = "A small course"\n')
    (config / "roster.csv").write_text(ROSTER)
    text = f'organization = "the-course"\nstaff = "staff"\nprefix = "dl-"\napi = "{github.url}"\ngit = "file://{github.state.folder}"\n'
    (config / "github.toml").write_text(text)
    for name in (*client.TOKENS, client.KEY):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AUTOGRADIENT_GITHUB_TOKEN", "a-token")
    monkeypatch.setattr(client, "_wait", lambda tried: client.timedelta(milliseconds=1))
    return Place(course_root, load(course_root))
