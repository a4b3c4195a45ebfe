"""`autogradient doctor`: what it says of this machine as root, as an ordinary user and where layers
are missing; and that its attempts can succeed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from confined import (
    BUDGET,
    ROOT,
    USERS,
    World,
    as_root,
    become_ordinary,
    both,
    in_a_cgroup,
    root_without_capabilities,
    world,
)

from autogradient.grading.engine import REQUIRED
from autogradient.proving import doctor, escapes
from autogradient.sandbox import LAYERS, OPTIONAL, confine, kernel

__all__ = ["world"]


# ---- the attempts --------------------------------------------------------------------------------


@pytest.fixture
def facts() -> Iterator[escapes.Facts]:
    with doctor.Outside() as outside:
        budget = {
            name: int(getattr(BUDGET, name))
            for name in ("memory_mb", "disk_mb", "open_files", "processes")
        }
        yield outside.facts | budget


#: Layer → which others have to be left out as well for an attempt of root's to get out.
BESIDES: dict[str, set[str]] = {
    "processes": {"uid", "landlock", "files"},
    "network": {"landlock"},
    "ipc": set(),
    "hostname": set(),
    "copies": set(),
    "files": {"landlock"},
    "disk": {"files", "landlock"},
    "proc": {"files"},
    "environment": {"landlock"},
    "memory order": {"landlock"},
    "limits": {"cgroup"},
    "uid": set(),
    "capabilities": {"uid", "landlock"},
    "no_new_privs": {"landlock", "seccomp"},
    "landlock": set(),
    "seccomp": set(),
}


@as_root
@pytest.mark.parametrize("layer", BESIDES)
def test_an_attempt_gets_out_without_its_layer_and_not_with_it(
    world: World, facts: escapes.Facts, layer: str
) -> None:
    def tried() -> Any:
        return escapes.attempt(layer, facts)

    confined = world.run(tried)
    assert confined.ok and confined.value[0] is False, confined
    without = world.run(tried, BESIDES[layer] | {layer})
    assert without.ok and without.value[0] is True and "itself failed" not in without.value[1], (
        without
    )


@as_root
def test_the_memory_of_a_session_without_its_control_group(
    world: World, facts: escapes.Facts
) -> None:
    in_a_cgroup(world)
    small = replace(BUDGET, memory_mb=64, disk_mb=8)
    facts = facts | {"memory_mb": 64, "disk_mb": 8}
    confined = world.run(lambda: escapes.attempt("cgroup", facts), budget=small)
    assert not confined.ok or confined.value[0] is False, confined
    assert (
        world.run(lambda: escapes.attempt("cgroup", facts), {"cgroup"}, budget=small).value[0]
        is True
    )


@both
def test_a_judge_that_could_write_would_be_found(world: World, facts: escapes.Facts) -> None:
    of_a_judge = facts | {"judge": True}
    assert world.run(lambda: escapes.attempt("disk", of_a_judge), writable=False).value == [
        False,
        "no folder can be written",
    ]
    assert world.run(lambda: escapes.attempt("disk", of_a_judge)).value[0] is True


@as_root
def test_a_course_that_sessions_can_see_would_be_found(world: World, facts: escapes.Facts) -> None:
    mine = facts | {"course": str(world.secret)}
    assert world.run(lambda: escapes.attempt("files", mine)).value == [
        False,
        "No such file or directory",
    ]
    assert world.run(lambda: escapes.attempt("files", mine), {"files", "landlock"}).value == [
        True,
        f"{world.secret} was read",
    ]


def test_an_attempt_that_fails_by_itself_proves_nothing() -> None:
    assert escapes.attempt("processes", {})[0] is True


def test_every_layer_has_an_attempt() -> None:
    assert set(escapes.ATTEMPTS) == set(LAYERS)
    assert set(BESIDES) == set(LAYERS) - OPTIONAL - {"user namespace"}


# ---- the command ---------------------------------------------------------------------------------


def ran(
    *arguments: str, before: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    """The command, in a process that `before` has made to stand as it should."""
    return subprocess.run(
        [sys.executable, "-m", "autogradient", "doctor", *arguments],
        cwd="/",
        preexec_fn=before,
        capture_output=True,
        text=True,
        timeout=240,
    )


def found(
    done: subprocess.CompletedProcess[str], what: str = "layers"
) -> dict[str, dict[str, str]]:
    """The findings by layer."""
    assert done.stdout and not done.stderr, done
    return {finding["layer"]: finding for finding in json.loads(done.stdout)[what]}


def nobody() -> None:
    """As root, nothing; see `who`."""


@pytest.mark.parametrize("who", [ROOT, USERS])
def test_where_all_is_well_every_layer_was_tried(who: str) -> None:
    done = ran("--json", before=become_ordinary if who == "user" else nobody)
    report = json.loads(done.stdout)
    assert done.returncode == 0, [
        finding
        for finding in (*report["layers"], *report["judge"])
        if finding["state"] not in (doctor.IN_FORCE, doctor.NOT_NEEDED)
    ]
    assert report["sealed"] is True
    assert report["path"].startswith("as root" if who == "root" else "as an ordinary user")
    for what in ("layers", "judge"):
        layers = found(done, what)
        assert list(layers) == [
            layer for layer in LAYERS if what == "layers" or layer not in OPTIONAL
        ]
        for layer in REQUIRED | ({"user namespace"} if who == "user" else set()):
            assert (
                layers[layer]["state"] == doctor.IN_FORCE
                and layers[layer]["tried"]
                and layers[layer]["came"]
            ), layers[layer]
    assert found(done)["cgroup"]["state"] in (doctor.IN_FORCE, doctor.MISSING)
    assert found(done)["user namespace"]["state"] == (
        doctor.NOT_NEEDED if who == "root" else doctor.IN_FORCE
    )
    assert float(report["machine"]["copies"].split(" MB")[0]) > 100
    assert {"autogradient", "machine", "copies"} == set(report["machine"]) - {
        "card"
    } and f"{len(os.sched_getaffinity(0))} processors" in report["machine"]["machine"]


def without_namespaces() -> None:
    """As in a container that allows none: an ordinary user, no user namespaces."""
    become_ordinary()
    uid, gid = os.getuid(), os.getgid()
    kernel.unshare(kernel.NEW_USER)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        Path(f"/proc/self/{name}").write_text(text)
    Path("/proc/sys/user/max_user_namespaces").write_text("0")


NAMESPACES = {
    "copies",
    "user namespace",
    "processes",
    "network",
    "ipc",
    "hostname",
    "files",
    "disk",
    "proc",
}


@pytest.mark.parametrize(
    ("before", "missing", "broken"),
    [
        pytest.param(without_namespaces, NAMESPACES, set(), marks=USERS.marks),
        # the kernel does not count root's processes
        pytest.param(root_without_capabilities, NAMESPACES | {"uid"}, {"limits"}, marks=ROOT.marks),
    ],
)
def test_where_no_namespace_can_be_had_it_says_so_layer_by_layer(
    before: Callable[[], None], missing: set[str], broken: set[str]
) -> None:
    done = ran("--json", before=before)
    assert done.returncode == 1, done
    layers = found(done)
    assert list(layers) == list(LAYERS) and json.loads(done.stdout)["sealed"] is False
    assert {
        layer for layer, finding in layers.items() if finding["state"] == doctor.MISSING
    } - OPTIONAL == missing
    assert (
        "user.max_user_namespaces" in layers["user namespace"]["reason"]
        and "CAP_SYS_ADMIN" in layers["network"]["reason"]
    )
    assert all(layers[layer]["reason"] and not layers[layer]["tried"] for layer in missing)
    for layer in set(LAYERS) - missing - OPTIONAL:
        assert (
            layers[layer]["state"] == (doctor.BROKEN if layer in broken else doctor.IN_FORCE)
            and layers[layer]["came"]
        ), layers[layer]


def covered_proc() -> None:
    """As container engines do, who cover parts of /proc."""
    become_ordinary()
    confine._user_namespace()
    kernel.unshare(kernel.NEW_MOUNT)
    kernel.mount("tmpfs", "/proc/bus", 0)


@pytest.mark.parametrize("before", [pytest.param(covered_proc, marks=USERS.marks)])
def test_one_missing_layer_does_not_hide_the_others(before: Callable[[], None]) -> None:
    done = ran(before=before)
    assert done.returncode == 1, done
    lines = {line[11:26].strip(): line for line in done.stdout.split("\n") if line.startswith("  ")}
    assert lines["proc"].startswith("  MISSING  proc") and "systempaths=unconfined" in lines["proc"]
    assert lines["memory order"].endswith("it comes with 'proc'")
    for layer in REQUIRED - {"proc", "memory order"}:
        assert lines[layer].startswith("  ok  "), lines[layer]
    assert (
        done.stdout.strip()
        .split("\n")[-1]
        .startswith("work that nobody vouches for cannot be graded here")
    )


@pytest.mark.parametrize("who", [ROOT])
def test_a_layer_that_does_not_hold_is_broken(who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that it must not read is one that every session has; nothing is left behind all the
    same.
    """
    enter = doctor.Outside.__enter__

    def mislead(self: doctor.Outside) -> doctor.Outside:
        enter(self).facts["secret"] = "/etc/passwd"
        return self

    monkeypatch.setattr(doctor.Outside, "__enter__", mislead)
    children, memory = (
        set(psutil.Process().children()),
        Path("/proc/sysvipc/shm").read_text().count("\n"),
    )
    folders = set(Path(tempfile.gettempdir()).glob("autogradient-doctor-*"))
    report = doctor.examine()
    broken = [finding for finding in report.layers if finding.state == doctor.BROKEN]
    assert [(finding.layer, finding.came) for finding in broken] == [
        ("files", "/etc/passwd was read"),
        ("landlock", "/etc/passwd could be opened"),
    ]
    assert report.sealed is False
    assert "BROKEN   files" in report.text()
    assert set(psutil.Process().children()) <= children
    assert Path("/proc/sysvipc/shm").read_text().count("\n") <= memory
    assert set(Path(tempfile.gettempdir()).glob("autogradient-doctor-*")) <= folders
