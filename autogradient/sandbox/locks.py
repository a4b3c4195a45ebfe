"""Locks of `multiprocessing` in sessions: who waits for one looks again and again.

The kernel wakes nobody there that waits for another process (`syscalls`). The C library's
semaphores stay right without that, but whoever waits keeps a processor busy, and never sees that
its time is over. So the locks ask, sleep a little, and ask again, as Python itself does on systems
that lack `sem_timedwait`.
"""

from __future__ import annotations

import multiprocessing.synchronize
import time
from typing import Any

#: Seconds between two looks: at first, and at most.
FIRST_S, MOST_S = 0.0002, 0.005


def acquire(semaphore: Any, block: bool = True, timeout: float | None = None) -> bool:
    """Take a semaphore of `_multiprocessing`, as its own `acquire` does: False where it is not to
    be had, without `block` or in `timeout` seconds.
    """
    until, pause = None if timeout is None else time.monotonic() + timeout, FIRST_S
    while not semaphore.acquire(False):
        if not block or (until is not None and time.monotonic() >= until):
            return False
        time.sleep(pause)
        pause = min(2 * pause, MOST_S)
    return True


def install() -> None:
    """Have the locks, semaphores, conditions and queues that are made from now on wait this way."""
    base = multiprocessing.synchronize.SemLock

    def methods(self: Any) -> None:
        semaphore = self._semlock
        self.acquire = lambda block=True, timeout=None: acquire(semaphore, block, timeout)
        self.release = semaphore.release

    def enter(self: Any) -> bool:
        return acquire(self._semlock)

    for name, function in (("_make_methods", methods), ("__enter__", enter)):
        setattr(base, name, function)
