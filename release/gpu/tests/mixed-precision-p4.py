OK_FORMAT = False

from otter.test_files import test_case
import torch

name = "mixed-precision-p4"
points = None


def step(scaled_step, w, g, lr, scale):
    """The new weights and scale, of the right kind; and the arguments are as they were."""
    before, gradient = w.clone(), g.clone()
    new, factor = scaled_step(w, g, lr, scale)
    assert torch.equal(w, before) and torch.equal(g.nan_to_num(), gradient.nan_to_num())
    assert isinstance(new, torch.Tensor) and new.dtype == torch.float32 and new.shape == before.shape and torch.isfinite(new).all()
    return new, float(factor)


@test_case(name='an ordinary step', points=1, hidden=False, failure_message='With gradients that are fine: which type must they have before they are divided?')
def test_an_ordinary_step(scaled_step):
    w, g = torch.tensor([1.0, -2.0, 0.5]), torch.tensor([512.0, 0.0, -1024.0], dtype=torch.float16)
    new, scale = step(scaled_step, w, g, 0.1, 1024.0)
    assert scale == 1024 and torch.allclose(new, torch.tensor([0.95, -2.0, 0.6]))
