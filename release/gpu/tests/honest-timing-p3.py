OK_FORMAT = False

import numpy as np
from otter.test_files import test_case

name = "honest-timing-p3"
points = None


def probe(function):
    """Leave a probe as it is: here it runs beside your code anyway."""
    return function


seed = 2026


class PretendCard:
    """A card that only passes the time. Its clock shows seconds, and moves only when the program does something."""

    def __init__(self, seed=seed, seconds=0.002, busy=0.0, neighbours=0.15):
        self._random = np.random.default_rng(seed)
        self._seconds, self._neighbours = seconds, neighbours
        self._now, self._free = 0.0, busy
        self._known = set()
        self.launched = 0

    def clock(self):
        """What time it is."""
        self._now += 1e-7
        return self._now

    def launch(self, work):
        """Put work (a name) into the queue; it is done later, when what was there before is done."""
        self._now += 5e-6
        if work not in self._known:  # the first time it has to be compiled, and the program waits for that
            self._known.add(work)
            self._now += 0.4
        seconds = self._seconds * (1 + 0.01 * self._random.random())
        if self._random.random() < self._neighbours:  # somebody else had a turn in between
            seconds *= 8
        self._free = max(self._free, self._now) + seconds
        self.launched += 1

    def synchronize(self):
        """Wait until the queue is empty."""
        self._now = max(self._now, self._free) + 2e-6


@probe
def timing(seconds_per_call, rounds, **of_the_card):
    """What was measured on a new card, and how often it was asked to work."""
    card = PretendCard(**of_the_card)
    return seconds_per_call(card, "matmul", rounds), card.launched


def close(answer, seconds, rounds):
    """Within four per cent of what the card really takes, after work enough to know."""
    measured, launched = answer
    assert isinstance(measured, (int, float, np.floating)) and abs(measured - 1.005 * seconds) < 0.04 * seconds
    assert rounds <= launched <= 4 * rounds + 10


@test_case(name='a quiet card', points=0.5, hidden=False, failure_message='Which launch is unlike all others? And is the work done when you look at the clock?')
def test_a_quiet_card(seconds_per_call):
    close(timing(seconds_per_call, 20, seed=1, seconds=0.003, neighbours=0.0), 0.003, 20)
