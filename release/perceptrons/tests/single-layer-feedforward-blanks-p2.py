OK_FORMAT = False

import numpy as np
from otter.test_files import test_case

name = "single-layer-feedforward-blanks-p2"
points = None


def yes_or_no(got):
    """What the student returned, as True or False; an AssertionError if it is anything else."""
    got = np.asarray(got)
    assert got.shape == () and got.dtype.kind in "biu" and got in (0, 1)
    return bool(got)


@test_case(name='small nets', points=1, hidden=False, failure_message='Try a chain of three units, a unit wired to itself, and two units that feed each other, with weights of both signs.')
def test_small_nets(is_feedforward):
    assert yes_or_no(is_feedforward([[0, 1, 0], [0, 0, 1], [0, 0, 0]])) is True
    assert yes_or_no(is_feedforward([[0, 1], [0, 1]])) is False
    assert yes_or_no(is_feedforward([[0, 1], [1, 0]])) is False
    assert yes_or_no(is_feedforward([[1, -1], [1, -1]])) is False
