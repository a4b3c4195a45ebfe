"""Landlock: which files the process may touch, whatever the mounts show; and no TCP, no signals and
no abstract sockets to the outside.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from autogradient.sandbox import kernel

_EXECUTE, _WRITE, _READ, _LIST, _TRUNCATE, _IOCTL = 1, 1 << 1, 1 << 2, 1 << 3, 1 << 14, 1 << 15
#: Rights that a file can have; the others are a folder's.
_OF_FILES = _EXECUTE | _WRITE | _READ | _TRUNCATE | _IOCTL
_MAKE_DEVICES = 1 << 6 | 1 << 11

LIST = _LIST
READ = _READ | _LIST
PROGRAMS = READ | _EXECUTE
DEVICE = _READ | _WRITE | _TRUNCATE
CARD = DEVICE | _IOCTL
TERMINAL = CARD | _LIST
#: Everything but device files; and the same without running what was written.
WORK = ((1 << 15) - 1) & ~_MAKE_DEVICES
STORE = WORK & ~_EXECUTE


def enforce(rules: Iterable[tuple[str, int]]) -> None:
    """Allow what `rules` say, (path, rights) each, and nothing else. Paths that are not there or
    out of reach are passed over.

    Raises OSError where the kernel has no Landlock. What an older kernel does not know is left out:
    moves between folders (before ABI 2 these are always refused), truncation (3), TCP (4), ioctl on
    devices (5), signals and abstract sockets (6).
    """
    abi = kernel.landlock_abi()
    handled = (1 << 13 + (abi >= 2) + (abi >= 3)) - 1
    if abi >= 5:
        handled |= _IOCTL
    ruleset = kernel.landlock_create(
        handled, 3 if abi >= 4 else 0, 3 if abi >= 6 else 0, 8 if abi < 4 else 16 if abi < 6 else 24
    )
    try:
        for path, rights in rules:
            try:
                fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except (FileNotFoundError, PermissionError):
                continue
            try:
                allowed = rights & handled
                if not stat.S_ISDIR(os.fstat(fd).st_mode):
                    allowed &= _OF_FILES
                if allowed:
                    kernel.landlock_allow(ruleset, fd, allowed)
            finally:
                os.close(fd)
        kernel.landlock_enforce(ruleset)
    finally:
        os.close(ruleset)
