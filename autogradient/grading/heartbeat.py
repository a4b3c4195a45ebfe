"""Whether the machine stood still: a paused container, a suspended computer, a debugger. Such time
is on the clock, and nobody's.
"""

from __future__ import annotations

import threading
import time

#: Seconds between two beats, and after how many it is certain that something stood still.
BEAT_S, STILL_S = 0.25, 2.0
#: Pauses that are remembered.
_KEPT = 1000


class Heartbeat:
    """A thread that looks at the clock all the time and notes when it could not."""

    def __init__(self) -> None:
        self.pauses: list[tuple[float, float]] = []
        self.over = threading.Event()
        self.last = time.monotonic()
        threading.Thread(target=self._beat, daemon=True, name="heartbeat").start()

    def _beat(self) -> None:
        while not self.over.wait(BEAT_S):
            self._look()

    def _look(self) -> None:
        before, self.last = self.last, time.monotonic()
        if self.last - before > STILL_S:
            self.pauses = [*self.pauses, (before, self.last)][-_KEPT:]

    def stood_still(self, since: float) -> bool:
        """Whether the machine did, at some time from `since` (of the monotonic clock) until now."""
        now = time.monotonic()
        if now - max(self.last, since) > STILL_S:  # the thread has not come to it yet
            return True
        return any(end > since for _, end in self.pauses)

    def close(self) -> None:
        """Look no more."""
        self.over.set()
