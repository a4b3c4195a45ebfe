"""The people around a small GitHub: a course that knows where it is, and students who
push to it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from autogradient.github import connection
from autogradient.github.client import GitHubClient
from autogradient.github.settings import Settings, load
from hub.description import Description
from hub.server import Server
from hub.state import State

ROSTER = "student,login,lms_id,email,section,team\nada,ada-l,17,ada@uni.example,a,\nbruno,bruno-k,18,,a,gates\nchloe,chloe-m,19,,b,gates\ndaria,,20,,b,\n"  # noqa: E501
WHO = {
    "GIT_AUTHOR_NAME": "S",
    "GIT_AUTHOR_EMAIL": "s@e",
    "GIT_COMMITTER_NAME": "S",
    "GIT_COMMITTER_EMAIL": "s@e",
}


@dataclass
class Place:
    """A course folder that knows where GitHub is."""

    root: Path
    settings: Settings

    def hub(self, permissions: dict[str, str] | None = None) -> GitHubClient:
        return GitHubClient(self.settings, permissions or {})


def laid_out(course_root: Path, github: Server, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Write a course's settings, unless it has some, and be ready to ask a GitHub."""
    config = course_root / "grader_config"
    config.mkdir(parents=True, exist_ok=True)
    if not (config / "course.toml").exists():
        (config / "course.toml").write_text('format = 1\nname = "A small course"\n')
    (config / "roster.csv").write_text(ROSTER)
    text = (
        'organization = "the-course"\nstaff = "staff"\nprefix = "dl-"\napi = '
        f'"{github.url}"\ngit = "file://{github.state.folder}"\n'
    )
    (config / "github.toml").write_text(text)
    for name in (*connection.TOKENS, connection.KEY):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AUTOGRADIENT_GITHUB_TOKEN", "a-token")
    monkeypatch.setattr(connection, "_wait", lambda tried: connection.timedelta(milliseconds=1))
    return Place(course_root, load(course_root))


@contextmanager
def small_github(folder: Path, openapi: Description) -> Iterator[Server]:
    """A small GitHub. Whatever was asked of it, GitHub would have understood."""
    folder.mkdir()
    state = State(folder, openapi, people={"ada-l", "bruno-k", "chloe-m"}, teams={"staff": set()})
    with Server(state, openapi) as server:
        yield server
    assert server.violations == [], "\n".join(server.violations)


def git(folder: Path, *arguments: str, **more: str) -> str:
    """git, as a student runs it."""
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder),
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        **WHO,
        **more,
    }
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def push(
    server: Server,
    full_name: str,
    files: dict[str, bytes],
    branch: str = "main",
    at: str | None = None,
    **more: str,
) -> str:
    """Push files to a branch as one commit on what is there, at a time of GitHub's clock. Returns
    the commit.
    """
    folder = server.state.folder / "work"
    subprocess.run(["rm", "-rf", str(folder)], check=True)
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=start")
    url = str(server.state.bare(full_name))
    there = server.state.branches(full_name)
    if branch in there or "main" in there:
        git(folder, "fetch", "--quiet", url, branch if branch in there else "main")
        git(folder, "reset", "--quiet", "--hard", "FETCH_HEAD")
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "Work", **more)
    server.state.clock(at)
    git(folder, "push", "--quiet", url, f"HEAD:refs/heads/{branch}")
    server.state.clock(None)
    return git(folder, "rev-parse", "HEAD")
