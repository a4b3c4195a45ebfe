"""Processes as the system sees them: who is below whom, and which are an engine's sessions'."""

from __future__ import annotations

import contextlib
import os

from autogradient.grading.engine import Engine


def parents() -> dict[int, int]:
    """Every living process with its parent."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat") as file:
            state, parent, *_ = file.read().rpartition(")")[2].split()
            if state not in "ZX":
                found[int(name)] = int(parent)
    return found


def below(pid: int) -> dict[int, int]:
    """The living processes below one, with their depth: 1 for children."""
    tree, depth = parents(), {pid: 0}
    while True:
        new = {
            child: depth[parent] + 1
            for child, parent in tree.items()
            if parent in depth and child not in depth
        }
        if not new:
            return {child: d for child, d in depth.items() if d}
        depth |= new


def sessions(engine: Engine, role: str, *, supervisors: bool = False) -> list[int]:
    """The confined processes of an interpreter's sessions, or the supervisors above them."""
    return [
        pid
        for pid, depth in below(engine.warm[role].process.pid).items()
        if (depth == 1) == supervisors
    ]
