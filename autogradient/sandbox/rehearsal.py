"""What most notebooks and tests do, done once before the first fork.

A library does something for the first time with files to read, modules to import and memory to
write; every fork would do all of that anew. `torch.manual_seed`, for one, notes the stack with the
lines of its source files, which are read the first time.
"""

from __future__ import annotations

import numpy as np

from autogradient.wire import codec

#: A cell: a figure and a training loop. It leaves no name, no figure and no thread. Where torch
#: knows cards, the first gradient would start threads for them.
CELL = """
def _rehearse():
    import io
    import numpy as np
    import torch
    import matplotlib.pyplot as plt
    figure, axes = plt.subplots()
    axes.plot(np.linspace(0, 1, 3), label="loss")
    axes.legend()
    figure.savefig(io.BytesIO())
    plt.close(figure)
    torch.manual_seed(0)
    model = torch.nn.Linear(2, 1)
    repr(model), repr(np.ones(3)), repr(torch.ones(3))
    if torch.accelerator.current_accelerator() is not None:
        return
    optimizer = torch.optim.Adam(model.parameters())
    data = torch.utils.data.TensorDataset(torch.ones(6, 2), torch.ones(6, 1))
    for x, y in torch.utils.data.DataLoader(data, batch_size=2, shuffle=True):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()
_rehearse()
del _rehearse
"""


def crossing() -> None:
    """Values go to bytes and back: what the two sides of a conversation do all the time."""
    import torch

    values = [
        1.5,
        "text",
        (1, [2.0]),
        {"a": 1},
        np.ones((2, 2)),
        np.float64(1),
        torch.ones(2, requires_grad=True),
    ]
    # Python adapts code to what it is used for, and that is memory written, too
    for _ in range(20):
        codec.decode(codec.encode(values))


def tests() -> None:
    """What tests compute."""
    import torch

    rng = np.random.default_rng(0)
    point = torch.ones(2, dtype=torch.float64, requires_grad=True)
    for _ in range(3):
        torch.manual_seed(0)
        np.allclose(rng.normal(size=(2, 3)).mean(axis=0), 0)
        torch.allclose(point, torch.ones_like(point))
        if torch.accelerator.current_accelerator() is None:
            torch.autograd.gradcheck(torch.tanh, point)
