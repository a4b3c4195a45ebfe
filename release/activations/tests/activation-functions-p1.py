OK_FORMAT = False

import matplotlib.pyplot as plt
import numpy as np
from otter.test_files import test_case

name = "activation-functions-p1"
points = None


def probe(function):
    """Leave a probe as it is: here it runs beside your code anyway."""
    return function


@probe
def read_panels(plot_activations, a):
    """What the figure shows, as plain data, one entry per panel, from left to right."""
    fig = plot_activations(a)
    panels = []
    for ax in fig.axes:
        legend = ax.get_legend()
        panels.append({
            "title": ax.get_title(),
            "place": float(ax.get_position().x0),
            "names": [text.get_text() for text in legend.get_texts()] if legend else [],
            "curves": [
                (np.array(line.get_xdata(orig=False), dtype=float), np.array(line.get_ydata(orig=False), dtype=float), line.get_drawstyle())
                for line in ax.get_lines()
            ],
        })
    plt.close(fig)
    return sorted(panels, key=lambda panel: panel["place"])


def shows(panel, f, jumps=False):
    """Do the curves that agree with f cover [-6, 6] densely, and, if f jumps at 0, without a ramp?"""
    seen = []
    for x, y, style in panel["curves"]:
        good = np.isfinite(x) & np.isfinite(y)
        if jumps:
            step = (np.diff(np.sign(x)) != 0) & (np.abs(np.diff(y)) > 1e-3)
            if step.any() and not style.startswith("steps"):
                continue
            good &= x != 0
        if good.sum() > 2 and np.allclose(y[good], f(x[good]), rtol=0, atol=1e-5):
            seen.extend(x[good])
    seen = np.sort(seen)
    return len(seen) >= 200 and abs(seen[0] + 6) < 0.05 and abs(seen[-1] - 6) < 0.05 and np.diff(seen).max() < 0.2


@test_case(name='functions on the left', points=0.5, hidden=False, failure_message='Left panel: all four functions over the whole of [-6, 6], with at least 200 points each, a title and a legend.')
def test_functions_on_the_left(plot_activations):
    panels = read_panels(plot_activations, 0.01)
    assert len(panels) == 2 and panels[0]["place"] < panels[1]["place"] and panels[0]["title"].strip() and len(panels[0]["names"]) >= 4
    for f in (lambda x: 1 / (1 + np.exp(-x)), np.tanh, lambda x: np.maximum(x, 0), lambda x: np.where(x > 0, x, 0.01 * x)):
        assert shows(panels[0], f)
