"""The copies of what sessions see: shared by graders of one user, gone with the last, and said
where they cannot be had.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest
from confined import World, both, world
from processes import sessions

from autogradient.grading.engine import WORKER, Engine
from autogradient.model.assignment import Limits
from autogradient.sandbox import copies, kernel, selection

__all__ = ["world"]


def in_a_fork(work: object) -> str:
    """What a function comes to in a process of its own, or its error."""
    back, out = os.pipe()
    if (pid := os.fork()) == 0:
        try:
            said = str(work())  # type: ignore[operator]
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(out, said.encode())
        os._exit(0)
    os.close(out)
    with os.fdopen(back) as file:
        said = file.read()
    os.waitpid(pid, 0)
    return said


@both
def test_graders_of_a_user_share_them(world: World) -> None:
    look = lambda: [os.readlink("/proc/self/ns/mnt"), copies.size_mb()]  # noqa: E731
    seen = []
    for _ in range(2):
        came = world.run(lambda: 1, before=lambda: seen_to(look()))
        assert came.error == "Seen", came
        seen.append(came.text)
    assert (
        seen[0] == seen[1]
        and os.readlink("/proc/self/ns/mnt") not in seen[0]
        and ", 0.0]" not in seen[0]
    )


class Seen(Exception):
    """Carries what a process saw."""


def seen_to(what: object) -> None:
    raise Seen(str(what))


@both
def test_where_they_cannot_be_had_it_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "enter", lambda key: None)
    monkeypatch.setattr(copies, "_failed", "they take 2 MB of memory, and 1 MB can be spared")
    came = world.run(lambda: 1)
    assert (
        came.error == "LayerMissing"
        and "'copies'" in came.text
        and "1 MB can be spared" in came.text
        and "2 GB" in came.text
    )
    trusted = world.run(lambda: Path("data.txt").read_text(), trusted=True)
    assert trusted.value == "data" and "copies" not in trusted.layers and "files" in trusted.layers


def test_memory_that_is_short_is_not_filled(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(copies, "_free", lambda: 10 << 20)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    said = in_a_fork(copies.enter)
    assert said.startswith("NoCopies") and "MB of memory, and 6 MB can be spared" in said


def test_a_register_that_others_can_write_to_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / f"autogradient-copies-{os.getuid()}").mkdir()
    (tmp_path / f"autogradient-copies-{os.getuid()}").chmod(0o777)
    assert "is not a folder of ours alone" in in_a_fork(copies.enter)


def test_looking_for_what_is_past_takes_nothing_from_who_is_at_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A register is rewritten while it is locked: who comes by then must not take it for one that
    nobody needs.
    """
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    mine = (os.getpid(), copies._started(os.getpid()))
    with copies._register("mine") as members:
        members.append(mine)
        assert in_a_fork(lambda: copies._register("other").__enter__()) == "[]", (
            "the file is empty, and stays"
        )
    with copies._register("mine") as members:
        assert members == [mine]
    with copies._register("other") as members, copies._register("mine") as still:
        assert (members, still) == ([], [mine])


def test_a_process_that_is_another_by_now_is_not_joined() -> None:
    assert copies._living(
        f"{os.getpid()} 1\n{os.getpid()} {copies._started(os.getpid())}\n1 1"
    ) == [(os.getpid(), copies._started(os.getpid()))]


@pytest.mark.skipif(os.getuid() != 0, reason="only root may look into a session from outside")
def test_what_an_interpreter_has_loaded_is_a_copy_too(engine: Engine) -> None:
    with engine.session(engine.folder({}), Limits()) as session:
        first = session.start(1)
        done = first.run("import os\nprint(os.stat(os.__file__).st_dev)", 30)
        device = int(done.outputs[0]["text"])
        wanted = {f"{os.major(device):02x}:{os.minor(device):02x}"}
        mapped = [
            {line.split()[3] for line in text.splitlines() if line.split()[4] != "0"}
            for text in (Path(f"/proc/{pid}/maps").read_text() for pid in sessions(engine, WORKER))
        ]
    assert mapped and all(found == wanted for found in mapped), mapped


def test_programs_are_chosen_with_what_they_need_and_without_tools() -> None:
    files = selection._chosen()
    names = {os.path.basename(path) for path in files}
    assert {"sh", "ls", "libc.so.6"} <= names
    assert any(name.startswith("ld-linux") for name in names)
    assert not any(
        "/torch/test/" in path or path.endswith(".pyi") or "/playwright/" in path for path in files
    )
    linked = [
        path
        for path, status in files.items()
        if stat.S_ISLNK(status.st_mode) and path.startswith("/usr/bin/")
    ]
    assert all(os.path.realpath(path) in files for path in linked if os.path.exists(path))


def test_namespaces_take_all_ids_along() -> None:
    """As root without the right to mount: the sessions of such a grader have users of their own."""
    if os.getuid() != 0:
        pytest.skip("needs root")

    def look() -> str:
        kernel.set_capabilities(kernel.capabilities() & ~(1 << kernel.CAP_SYS_ADMIN))
        before = Path("/proc/self/uid_map").read_text().split()
        copies._namespaces()
        return str(Path("/proc/self/uid_map").read_text().split() == before)

    assert in_a_fork(look) == "True"
