OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
import torch

name = "universal-approximation-by-construction-p4"
points = None


def plain(got):
    """Tensors, also those in lists, without their gradients."""
    if isinstance(got, (list, tuple)):
        return [plain(item) for item in got]
    return got.detach().numpy() if torch.is_tensor(got) else got


def numbers(got, shape):
    """What the student returned, as a float array of this shape; an AssertionError if it is anything else. A single number may come in an array of one."""
    got = np.asarray(plain(got))
    if shape == () and got.size == 1:
        got = got.reshape(())
    assert got.dtype.kind in "biuf" and got.shape == shape, f"expected the shape {shape}, got {got.shape}"
    got = got.astype(float)
    assert np.isfinite(got).all()
    return got


@test_case(name='error falls', points=1, hidden=False, failure_message='With straight lines over steps of width h the error of the sine is at most h²/8. What happens to that when there are twice as many?')
def test_error_falls(max_error, dense):
    errors = [float(numbers(max_error(m, dense), ())) for m in (11, 21, 41)]
    assert all(0.9 * bound < error <= bound + 1e-6 for error, bound in zip(errors, [(2 * np.pi / k) ** 2 / 8 for k in (10, 20, 40)]))
    assert all(3.6 < before / after < 4.3 for before, after in zip(errors, errors[1:]))
