"""Draw the figures of this assignment: `python figures.py` writes SVG files beside this one."""

from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

HERE = Path(__file__).parent
GROUND, INK, QUIET = "#fbfaf7", "#222222", "#6b6b6b"
BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"

matplotlib.rcParams.update({
    "svg.hashsalt": "autogradient",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "mathtext.fontset": "dejavusans",
    "font.size": 11,
    "text.color": INK,
})


def card(width: float, height: float):
    """An empty drawing on an opaque light card; one unit is one inch."""
    figure = plt.figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height))
    axes.set_aspect("equal")
    axes.axis("off")
    axes.add_patch(FancyBboxPatch((0.05, 0.05), width - 0.1, height - 0.1, boxstyle="round,pad=0,rounding_size=0.14",
                                  facecolor=GROUND, edgecolor="#d5d2c9", linewidth=1))
    return figure, axes


def node(axes, x, y, label, colour=BLUE, radius=0.27):
    axes.add_patch(Circle((x, y), radius, facecolor="white", edgecolor=colour, linewidth=2, zorder=3))
    axes.text(x, y, label, ha="center", va="center", zorder=4)


def arrow(axes, start, end, colour=INK, gaps=(0.0, 0.0)):
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=13, linewidth=1.5, color=colour,
                                   shrinkA=72 * gaps[0], shrinkB=72 * gaps[1], zorder=2))


def box(axes, x, y, width, height, colour=GREEN):
    axes.add_patch(FancyBboxPatch((x - width / 2, y - height / 2), width, height, boxstyle="round,pad=0,rounding_size=0.08",
                                  facecolor="white", edgecolor=colour, linewidth=2, zorder=3))


def neuron():
    """The parts of any neuron in this assignment."""
    figure, axes = card(6.4, 3.0)
    for y, name in ((2.3, "1"), (1.5, "2"), (0.7, "3")):
        node(axes, 0.75, y, f"$x_{name}$")
        arrow(axes, (0.75, y), (2.7, 1.5), gaps=(0.29, 0.38))
    for x, y, name in ((1.68, 2.12, "1"), (1.62, 1.62, "2"), (1.68, 0.83, "3")):
        axes.text(x, y, f"$w_{name}$", ha="center", va="center", color=QUIET)
    node(axes, 2.7, 1.5, "$\\Sigma$", ORANGE, 0.36)
    arrow(axes, (2.7, 2.62), (2.7, 1.5), ORANGE, gaps=(0.0, 0.38))
    axes.text(2.82, 2.42, "bias $b$", ha="left", va="center", color=ORANGE)
    arrow(axes, (2.7, 1.5), (4.0, 1.5), gaps=(0.38, 0.02))
    axes.text(3.5, 1.64, "$z$", ha="center", va="center", color=QUIET)
    box(axes, 4.5, 1.5, 0.96, 0.8)
    axes.text(4.5, 1.5, "$g(z)$", ha="center", va="center", zorder=4)
    arrow(axes, (4.99, 1.5), (5.8, 1.5))
    axes.text(5.95, 1.5, "$y$", ha="center", va="center")
    for x, text in ((0.75, "inputs"), (2.7, "one sum"), (4.5, "output function")):
        axes.text(x, 0.25, text, ha="center", va="center", color=QUIET, fontsize=9.5)
    return figure


def threshold_unit():
    """Two inputs with weights 1 and 1, node H1, its bias from above, and a step."""
    figure, axes = card(6.0, 2.6)
    for y, name in ((1.8, "1"), (0.7, "2")):
        node(axes, 0.8, y, f"$x_{name}$")
        arrow(axes, (0.8, y), (2.6, 1.25), gaps=(0.29, 0.37))
    axes.text(1.6, 1.74, "1", ha="center", va="center", color=QUIET)
    axes.text(1.6, 0.76, "1", ha="center", va="center", color=QUIET)
    node(axes, 2.6, 1.25, "H1", ORANGE, 0.34)
    arrow(axes, (2.6, 2.33), (2.6, 1.25), ORANGE, gaps=(0.0, 0.36))
    axes.text(2.72, 2.16, "bias B1", ha="left", va="center", color=ORANGE)
    arrow(axes, (2.6, 1.25), (3.75, 1.25), gaps=(0.36, 0.02))
    axes.text(3.33, 1.4, "sum", ha="center", va="center", color=QUIET, fontsize=9.5)
    box(axes, 4.25, 1.25, 0.96, 0.8)
    axes.plot([3.9, 4.25, 4.25, 4.6], [1.04, 1.04, 1.46, 1.46], color=GREEN, linewidth=2, zorder=4)
    axes.text(4.25, 0.67, "step", ha="center", va="center", color=QUIET, fontsize=9.5)
    arrow(axes, (4.74, 1.25), (5.45, 1.25))
    axes.text(5.2, 1.42, "out", ha="center", va="center", color=QUIET, fontsize=9.5)
    return figure


def and_table():
    """The truth table of AND."""
    figure, axes = card(4.4, 2.6)
    columns, top, step = (0.85, 1.75, 3.2), 2.2, 0.4
    for x, head in zip(columns, ("A", "B", "A AND B")):
        axes.text(x, top, head, ha="center", va="center", weight="bold")
    axes.plot([0.4, 4.0], [top - 0.21] * 2, color=INK, linewidth=1.2)
    axes.plot([2.3, 2.3], [0.35, top + 0.18], color="#c9c5ba", linewidth=1)
    for row, values in enumerate(((0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 1))):
        for column, (x, value) in enumerate(zip(columns, values)):
            last = column == 2
            axes.text(x, top - 0.44 - row * step, str(value), ha="center", va="center",
                      color=(ORANGE if value else BLUE) if last else INK, weight="bold" if last else "normal")
    return figure


def ruler():
    """The four corners of the unit square, marked by what AND, OR and XOR want there."""
    figure, axes = card(6.4, 2.7)
    wants = {"AND": (0, 0, 0, 1), "OR": (0, 1, 1, 1), "XOR": (0, 1, 1, 0)}
    corners = ((0, 0), (0, 1), (1, 0), (1, 1))
    for number, (name, outputs) in enumerate(wants.items()):
        left, low, side = 0.75 + 1.95 * number, 0.72, 1.05
        axes.plot([left, left + side, left + side, left, left], [low, low, low + side, low + side, low],
                  color="#c9c5ba", linewidth=1, zorder=1)
        for (x1, x2), fires in zip(corners, outputs):
            axes.plot(left + side * x1, low + side * x2, marker="o" if fires else "s", markersize=12, markeredgewidth=2,
                      markeredgecolor=ORANGE if fires else BLUE, markerfacecolor=ORANGE if fires else "white", zorder=3)
        for end in (0, 1):
            axes.text(left + side * end, low - 0.3, str(end), ha="center", va="center", color=QUIET, fontsize=9.5)
            axes.text(left - 0.33, low + side * end, str(end), ha="center", va="center", color=QUIET, fontsize=9.5)
        axes.text(left + side / 2, low + side + 0.42, name, ha="center", va="center", weight="bold")
        axes.text(left + side / 2, low - 0.3, "$x_1$", ha="center", va="center", color=QUIET)
        axes.text(left - 0.33, low + side / 2, "$x_2$", ha="center", va="center", color=QUIET)
    return figure


def main() -> None:
    for name, draw in (("neuron", neuron), ("threshold-unit", threshold_unit), ("and-table", and_table), ("ruler", ruler)):
        figure = draw()
        figure.savefig(HERE / f"{name}.svg", format="svg", transparent=True, metadata={"Date": None})
        plt.close(figure)


if __name__ == "__main__":
    main()
