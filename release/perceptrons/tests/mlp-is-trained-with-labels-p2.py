OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
import torch

name = "mlp-is-trained-with-labels-p2"
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


def yes_or_no(got):
    """What the student returned, as True or False; an AssertionError if it is anything else."""
    got = np.asarray(got)
    assert got.shape == () and got.dtype.kind in "biu" and got in (0, 1)
    return bool(got)


def trusted_curve(task, X, labels, seed, steps):
    torch.manual_seed(seed)
    net, curve = torch.nn.Sequential(torch.nn.Linear(8, 3), torch.nn.Sigmoid(), torch.nn.Linear(3, 8)), []
    for _ in range(steps):
        out = net(X)
        loss = ((out - X) ** 2).mean() if task == "copy" else -out.log_softmax(1)[torch.arange(len(X)), labels].mean()
        curve.append(loss.item())
        slopes = torch.autograd.grad(loss, list(net.parameters()))
        with torch.no_grad():
            for weight, slope in zip(net.parameters(), slopes):
                weight -= 0.5 * slope
    return curve


@test_case(name='two curves', points=0.5, hidden=False, failure_message='Twenty losses, the first of them before any step. Compare with a loop written out by hand.')
def test_two_curves(loss_curve, samples, labels):
    for task in ("classify", "copy"):
        curve = numbers(loss_curve(task, samples, labels, 1), (20,))
        assert np.allclose(curve, trusted_curve(task, samples, labels, 1, 20), rtol=1e-3, atol=1e-5)


@test_case(name='classifier', points=0.5, hidden=False, failure_message="Shuffle the labels for the classifier. Then 'shuffle' them without moving any: nothing may change.")
def test_classifier(labels_matter, samples, labels):
    assert yes_or_no(labels_matter("classify", samples, labels, [*range(1, 16), 0], 1)) is True
    assert yes_or_no(labels_matter("classify", samples, labels, list(range(16)), 1)) is False
