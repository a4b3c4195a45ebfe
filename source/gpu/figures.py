"""Draws the figure of this assignment as an SVG file beside this script: python figures.py"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

HERE = Path(__file__).resolve().parent

INK, GRID, GROUND = "#222222", "#d9d9d9", "#fbfaf7"
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"

STYLE = {
    "svg.hashsalt": "autogradient-gpu",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "figure.facecolor": GROUND,
    "savefig.facecolor": GROUND,
    "axes.facecolor": GROUND,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
}


def measure(ax, start, end, height, colour, text, side):
    """A double arrow from start to end, with its name beside it."""
    ax.annotate("", (start, height), (end, height), arrowprops={"arrowstyle": "<->", "color": colour, "linewidth": 1.5, "shrinkA": 0, "shrinkB": 0})
    if side == "right":
        ax.text(end + 30, height, text, color=colour, va="center")
    else:
        ax.text((start + end) / 2, height + 0.12, text, color=colour, ha="center", va="bottom")


def two_lanes():
    """What the program does and what the card does, over two milliseconds. The launches are drawn wider than they are."""
    fig, ax = plt.subplots(figsize=(6.6, 2.9), layout="constrained")
    colours = (BLUE, SKY, GREEN, ORANGE, PURPLE)
    starts, width, begin = [40 * k for k in range(5)], 34, 60
    for k, (start, colour) in enumerate(zip(starts, colours)):
        ax.barh(1, width, left=start, height=0.5, color=colour, edgecolor=INK, linewidth=0.7)
        left = begin + 390 * k
        ax.barh(0, 384, left=left, height=0.5, color=colour, edgecolor=INK, linewidth=0.7)
        ax.annotate("", (left + 4, 0.27), (start + width / 2, 0.74), arrowprops={"arrowstyle": "->", "color": colour, "linewidth": 1})
        ax.text(left + 192, 0, f"kernel {k + 1}", ha="center", va="center", color="white" if colour in (BLUE, GREEN) else INK)
    end = begin + 390 * 5 - 6
    ax.barh(1, end - 210, left=210, height=0.5, color=GROUND, edgecolor=GRID, linewidth=0.7, hatch="////")
    ax.text((210 + end) / 2, 1, "waits in synchronize()", ha="center", va="center", bbox={"facecolor": GROUND, "edgecolor": "none", "pad": 3})
    ax.plot([end, end], [-0.25, 1.25], color=INK, linewidth=0.8, linestyle=":")
    measure(ax, 0, starts[-1] + width, 1.5, VERMILION, "what a clock says that does not wait: 40 µs", "right")
    measure(ax, 0, end, -0.62, INK, "what it took: 2 ms", "above")
    ax.set_yticks([1, 0], ["the program", "the card"])
    ax.tick_params(length=0)
    ax.set_xticks([])
    ax.set_xlim(-20, end + 30)
    ax.set_ylim(-0.8, 1.75)
    ax.set_xlabel("time (handing over is drawn wider than it is)")
    for side in ("top", "right", "left", "bottom"):
        ax.spines[side].set_visible(False)
    return fig


FIGURES = {"two-lanes": two_lanes}


def main(folder=HERE, suffix="svg"):
    with matplotlib.rc_context(STYLE):
        for name, draw in FIGURES.items():
            fig = draw()
            fig.savefig(Path(folder) / f"{name}.{suffix}", metadata={"Date": None} if suffix == "svg" else None, dpi=110)
            plt.close(fig)


if __name__ == "__main__":
    main()
