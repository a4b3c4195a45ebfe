OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
import torch

name = "dead-relu-units-p5"
points = None


def numbers(got):
    """The value as an array of floats; text, objects and complex numbers are refused."""
    array = np.asarray(got.detach() if isinstance(got, torch.Tensor) else got)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"numbers were expected, not {array.dtype}")
    return array.astype(float)


@test_case(name='small and large', points=1, hidden=False, failure_message='Expect next to none at 0.01, and many at 5. Do you count units, and on all samples?')
def test_small_and_large(dead_shares):
    got = {lr: float(numbers(share)) for lr, share in dead_shares([0.01, 5.0], 1).items()}
    assert set(got) == {0.01, 5.0} and 0 <= got[0.01] < 0.1 and got[0.01] + 0.2 < got[5.0] <= 1
