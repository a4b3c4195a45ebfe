OK_FORMAT = False

import matplotlib.pyplot as plt
import numpy as np
from otter.test_files import test_case

name = "swish-paper-and-implementation-p6"
points = None


def probe(function):
    """Leave a probe as it is: here it runs beside your code anyway."""
    return function


@probe
def read_swish_figure(plot_swish):
    """The curves of the first axes with their names, and the words of its legend."""
    fig = plot_swish()
    ax = fig.axes[0]
    curves = [(str(line.get_label()), np.asarray(line.get_xdata(), dtype=float), np.asarray(line.get_ydata(), dtype=float)) for line in ax.lines]
    words = [text.get_text() for text in ax.get_legend().get_texts()] if ax.get_legend() else []
    plt.close(fig)
    return len(fig.axes), curves, words


@test_case(name='three curves', points=0.5, hidden=False, failure_message='Three curves over swish_grid in one axes: one for each beta.')
def test_three_curves(plot_swish, swish_grid):
    panels, curves, _ = read_swish_figure(plot_swish)
    assert panels == 1
    for beta in (0.1, 1.0, 10.0):
        wanted = swish_grid * (1 + np.tanh(beta * swish_grid / 2)) / 2
        assert any(x.shape == y.shape == wanted.shape and np.allclose(x, swish_grid, atol=1e-5) and np.allclose(y, wanted, atol=1e-4) for _, x, y in curves)
