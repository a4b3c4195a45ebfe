"""Memory and processes of a whole session, where there is a control group that we may write to
(version 2, delegated to us; version 1, as root).
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import secrets

_PREFIX = "autogradient-"


@functools.cache
def _places() -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Folders in which a group of ours could be made: version 1's by controller, then version 2's.

    Found once, in the process that starts sessions: its forks are in the groups that they joined.
    """
    mounts: dict[str, tuple[str, str]] = {}
    with contextlib.suppress(OSError), open("/proc/self/mountinfo") as file:
        for line in file:
            left, _, right = line.partition(" - ")
            kind, _, options = right.split(maxsplit=2)
            root, point = left.split()[3:5]
            if kind == "cgroup2":
                mounts[""] = (root, point)
            elif kind == "cgroup":
                mounts |= dict.fromkeys(options.strip().split(","), (root, point))
    first: dict[str, tuple[str, ...]] = {}
    second: tuple[str, ...] = ()
    with contextlib.suppress(OSError), open("/proc/self/cgroup") as file:
        for line in file:
            _, controllers, path = line.rstrip("\n").split(":", 2)
            for controller in controllers.split(","):
                if controller not in mounts or controller not in ("", "memory", "pids"):
                    continue
                root, point = mounts[controller]
                below = os.path.relpath(path, root)
                here = (
                    point
                    if below.startswith("..")
                    else os.path.normpath(os.path.join(point, below))
                )
                if controller:
                    first[controller] = (here,)
                else:
                    # a group with processes cannot hand out controllers: then ours stands beside
                    # it, not in it
                    second = tuple(
                        place
                        for place in dict.fromkeys(
                            (here, point if here == point else os.path.dirname(here))
                        )
                        if _hands_out(place)
                    )
    return first, second


def _hands_out(folder: str) -> bool:
    """Whether groups below a group of version 2 can have limits."""
    with contextlib.suppress(OSError), open(os.path.join(folder, "cgroup.subtree_control")) as file:
        return {"memory", "pids"} <= set(file.read().split())
    return False


def _write(folder: str, **values: int) -> None:
    for name, value in values.items():
        with open(os.path.join(folder, name.replace("__", ".")), "w") as file:
            file.write(str(value))


def _enter(parent: str, limits: dict[str, int], wishes: dict[str, int]) -> bool:
    """Make a group below `parent`, set its limits and move there; False where that
    cannot be done.
    """
    # a `sweep` from another container may take the group away while it is still empty
    for _ in range(3):
        folder = os.path.join(parent, f"{_PREFIX}{os.getpid()}-{secrets.token_hex(4)}")
        try:
            os.mkdir(folder)
        except OSError:
            return False
        try:
            _write(folder, **limits)
            for name, value in wishes.items():
                with contextlib.suppress(OSError):
                    _write(folder, **{name: value})
            _write(folder, cgroup__procs=os.getpid())
            return True
        except OSError as error:
            if error.errno == errno.ENODEV or not os.path.isdir(folder):  # gone, or going
                continue
            with contextlib.suppress(OSError):
                os.rmdir(folder)
            return False
    return False


def join(memory: int, processes: int) -> bool:
    """Move this process into a new group with so many bytes and processes for all that is in it;
    False where there can be none.
    """
    first, second = _places()
    for parent in second:
        if _enter(
            parent, {"memory__max": memory, "pids__max": processes}, {"memory__swap__max": 0}
        ):
            return True
    bounded = any(
        _enter(p, {"memory__limit_in_bytes": memory}, {"memory__memsw__limit_in_bytes": memory})
        for p in first.get("memory", ())
    )
    counted = any(_enter(p, {"pids__max": processes}, {}) for p in first.get("pids", ()))
    return bounded and counted


def sweep() -> int:
    """Remove the groups of sessions that have ended, and say how many. To be called where sessions
    are started, not in one.

    A group whose maker lives is let be: it may be about to move there.
    """
    first, second = _places()
    removed = 0
    for place in {*second, *(place for places in first.values() for place in places)}:
        with contextlib.suppress(OSError):
            for name in os.listdir(place):
                if name.startswith(_PREFIX) and not os.path.exists(
                    f"/proc/{name.removeprefix(_PREFIX).partition('-')[0]}"
                ):
                    with contextlib.suppress(OSError):
                        os.rmdir(os.path.join(place, name))
                        removed += 1
    return removed
