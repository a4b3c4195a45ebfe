"""Draws the figures of this assignment as SVG files beside this script: python figures.py"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

HERE = Path(__file__).resolve().parent

INK, GRID, GROUND = "#222222", "#d9d9d9", "#fbfaf7"
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"

STYLE = {
    "svg.hashsalt": "autogradient-activations",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "figure.facecolor": GROUND,
    "savefig.facecolor": GROUND,
    "axes.facecolor": GROUND,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 2.0,
}


def cross(ax):
    """Thin lines through the origin, behind everything."""
    ax.axhline(0, color=GRID, linewidth=1, zorder=0)
    ax.axvline(0, color=GRID, linewidth=1, zorder=0)


def stack_of_layers():
    """The same random weights, without and with a ReLU between the layers."""
    rng = np.random.default_rng(11)
    layers = [(rng.normal(size=(12, 1)), rng.normal(size=(12, 1)))]
    layers += [(rng.normal(size=(12, 12)) / 3, rng.normal(size=(12, 1))) for _ in range(3)]
    layers += [(rng.normal(size=(3, 12)) / 3, rng.normal(size=(3, 1)))]
    x = np.linspace(-3, 3, 601)
    fig, axes = plt.subplots(1, 2, figsize=(6.4, 2.7), layout="constrained")
    for ax, bend, title in zip(axes, (False, True), ("five layers, nothing between them", "the same layers, a ReLU between them")):
        h = x[None, :]
        for k, (W, b) in enumerate(layers):
            h = W @ h + b
            if bend and k < len(layers) - 1:
                h = np.maximum(h, 0)
        h = h - h.mean(axis=1, keepdims=True)
        for row, colour, dash in zip(h, (BLUE, VERMILION, GREEN), ("-", "--", "-.")):
            ax.plot(x, row, color=colour, linestyle=dash)
        ax.set_title(title)
        ax.set_xlabel("input")
        ax.set_xticks([-3, 0, 3])
        ax.set_yticks([])
    axes[0].set_ylabel("three outputs")
    return fig


def four_activations():
    """Two panels: four functions, and their slopes."""
    x = np.linspace(-6, 6, 601)
    s, t = 1 / (1 + np.exp(-x)), np.tanh(x)
    step = np.heaviside(x, np.nan)
    names = ("sigmoid", "tanh", "ReLU", "leaky ReLU")
    looks = ((BLUE, "-"), (VERMILION, "--"), (GREEN, "-"), (PURPLE, (0, (4, 2, 1, 2))))
    values = (s, t, np.maximum(x, 0), np.where(x > 0, x, 0.1 * x))
    slopes = (s * (1 - s), 1 - t**2, step, 0.1 + 0.9 * step)
    fig, axes = plt.subplots(1, 2, figsize=(6.6, 2.9), layout="constrained")
    for ax, curves, title in zip(axes, (values, slopes), ("the functions", "their slopes")):
        cross(ax)
        for name, y, (colour, dash) in zip(names, curves, looks):
            ax.plot(x, y, color=colour, linestyle=dash, label=name)
        ax.set_title(title)
        ax.set_xlim(-6, 6)
        ax.set_xticks([-6, -3, 0, 3, 6])
    axes[0].set_ylim(-1.4, 3)
    axes[0].set_yticks([-1, 0, 1, 2, 3])
    axes[1].set_ylim(-0.08, 1.15)
    axes[1].set_yticks([])
    axes[0].legend(frameon=False, loc="upper left", fontsize=8)
    return fig


def twelve_curves():
    """Twelve curves with their slopes, in no particular order and without their names."""
    x = np.linspace(-4, 4, 801)
    s = 1 / (1 + np.exp(-x))
    root = np.sqrt(x**2 + 1)
    safe = np.where(x == 0, 1, x)
    curves = [
        (np.arctan(x), 1 / (1 + x**2)),
        (np.exp(-(x**2)), -2 * x * np.exp(-(x**2))),
        (np.log1p(np.exp(x)), s),
        (np.where(x == 0, np.nan, np.heaviside(x, 1)), np.where(x == 0, np.nan, 0 * x)),
        (np.sin(x), np.cos(x)),
        ((root - 1) / 2 + x, x / (2 * root) + 1),
        (x / (1 + abs(x)), 1 / (1 + abs(x)) ** 2),
        (x, np.ones_like(x)),
        (s, s * (1 - s)),
        (np.where(x == 0, 1, np.sin(safe) / safe), np.where(x == 0, 0, np.cos(safe) / safe - np.sin(safe) / safe**2)),
        (np.arcsinh(x), 1 / root),
        (np.tanh(x), 1 - np.tanh(x) ** 2),
    ]
    fig, axes = plt.subplots(3, 4, figsize=(6.6, 4.2), layout="constrained", sharex=True)
    for number, (ax, (value, slope)) in enumerate(zip(axes.flat, curves), start=1):
        cross(ax)
        (full,) = ax.plot(x, value, color=BLUE)
        (dashed,) = ax.plot(x, slope, color=ORANGE, linestyle="--", linewidth=1.5)
        ax.text(0.04, 0.95, str(number), transform=ax.transAxes, va="top", weight="bold")
        ax.set_ylim(-1.75, 2.25)
        ax.set_xticks([-4, 0, 4])
        ax.set_yticks([-1, 0, 1])
        ax.tick_params(labelsize=7)
    fig.legend([full, dashed], ["the function", "its slope"], loc="outside upper center", ncols=2, frameon=False)
    return fig


def relu_family():
    """Straight pieces on the left with their slopes written on them, curved pieces on the right."""
    x = np.linspace(-4, 4, 801)
    fig, (left, right) = plt.subplots(1, 2, figsize=(6.6, 3.1), layout="constrained")
    cross(left)
    left.plot(x, np.maximum(x, 0), color=GREEN)
    left.plot(x, np.where(x > 0, x, 0.25 * x), color=PURPLE, linestyle="--")
    middle = np.clip(x, -1.5, 1.5)
    left.plot(x, middle + np.where(abs(x) > 1.5, 0.5, 0) * (x - middle) - 1.6, color=BLUE, linestyle="-.")
    left.text(-3.9, 0.2, "ReLU: slope 0", color=GREEN, fontsize=8)
    left.text(2.3, 3.1, "ReLU, PReLU: slope 1", color=GREEN, fontsize=8, ha="right")
    left.text(-3.9, -1.25, "PReLU: slope $\\alpha$", color="#a5487c", fontsize=8, va="top")
    left.text(-2.2, -4.1, "slope $a_l$", color=BLUE, fontsize=8, va="top")
    left.text(0.4, -2.0, "S-shaped (drawn\nlower): slope 1", color=BLUE, fontsize=8, va="top")
    left.text(3.1, 0.1, "slope $a_r$", color=BLUE, fontsize=8, ha="center", va="top")
    left.set_title("straight pieces")
    left.set_ylim(-5.2, 4)
    cross(right)
    low = np.minimum(x, 0)
    right.plot(x, np.maximum(x, 0) + np.expm1(low), color=VERMILION)
    right.plot(x, 1.0507 * (np.maximum(x, 0) + 1.67326 * np.expm1(low)), color=SKY, linestyle="--")
    right.axhline(-1, color=VERMILION, linewidth=0.8, linestyle=":")
    right.axhline(-1.0507 * 1.67326, color=SKY, linewidth=0.8, linestyle=":")
    right.text(3.9, -0.95, "ELU, $\\alpha = 1$: floor at $-\\alpha$", color=VERMILION, fontsize=8, ha="right", va="bottom")
    right.text(3.9, -1.8, "SELU: floor at $-\\lambda\\alpha$", color="#1b7fb5", fontsize=8, ha="right", va="top")
    right.text(2.05, 2.9, "SELU: slope $\\lambda$", color="#1b7fb5", fontsize=8, ha="right")
    right.text(3.9, 1.7, "ELU: slope 1", color=VERMILION, fontsize=8, ha="right", va="top")
    right.set_title("a curved piece on the left")
    right.set_ylim(-2.6, 4)
    for ax in (left, right):
        ax.set_xlim(-4, 4)
        ax.set_xticks([-4, 0, 4])
        ax.set_yticks([])
    return fig


def eight_curiosities():
    """Eight rare activation functions; in the last panel also a misprinted formula."""
    from math import erf

    x = np.linspace(-4, 4, 801)
    s, r = 1 / (1 + np.exp(-x)), np.abs(x)
    root = x / np.sqrt(1 + x**2)
    c = np.clip(x, -2, 2)
    bump = np.where(r <= 1, 1 - x**2 / 2, np.where(r < 2, (2 - r) ** 2 / 2, 0))
    misprint = np.where((r > 1) & (r < 2), 2 - (2 - x**2) / 2, np.nan)
    soft = np.where(x > -1.48, -np.log(np.maximum(1 + 0.5 * (x - 0.5), 0.01)) / -0.5, np.nan)
    curves = [
        ("SQNL", c - c * np.abs(c) / 4),
        ("ISRU", root),
        ("ISRLU", np.where(x < 0, root, x)),
        ("GELU", x * np.array([(1 + erf(t / np.sqrt(2))) / 2 for t in x])),
        ("SiLU", x * s),
        ("soft exponential", np.expm1(0.25 * x) / 0.25 + 0.25),
        ("soft clipping", np.log((1 + np.exp(6 * x)) / (1 + np.exp(6 * (x - 1)))) / 6),
        ("SQ-RBF", bump),
    ]
    fig, axes = plt.subplots(2, 4, figsize=(6.6, 3.4), layout="constrained", sharex=True)
    for ax, (name, y) in zip(axes.flat, curves):
        cross(ax)
        ax.plot(x, y, color=BLUE)
        ax.set_title(name, fontsize=9)
        ax.set_ylim(-2, 3.2)
        ax.set_xlim(-4, 4)
        ax.set_xticks([-4, -2, 0, 2, 4])
        ax.set_yticks([])
        ax.tick_params(labelsize=7)
    axes[1, 1].plot(x, soft, color=GREEN, linestyle="--")
    axes[1, 1].text(0.3, -1.6, "$\\alpha < 0$", color=GREEN, fontsize=8)
    axes[1, 1].text(-3.8, 1.4, "$\\alpha > 0$", color=BLUE, fontsize=8)
    axes[1, 3].plot(x, misprint, color=VERMILION, linestyle=":")
    axes[1, 3].text(0, 2.6, "misprint", color=VERMILION, fontsize=7, ha="center")
    return fig


FIGURES = {
    "stack-of-layers": stack_of_layers,
    "four-activations": four_activations,
    "twelve-curves": twelve_curves,
    "relu-family": relu_family,
    "eight-curiosities": eight_curiosities,
}


def main(folder=HERE, suffix="svg"):
    with matplotlib.rc_context(STYLE):
        for name, draw in FIGURES.items():
            fig = draw()
            fig.savefig(Path(folder) / f"{name}.{suffix}", metadata={"Date": None} if suffix == "svg" else None, dpi=110)
            plt.close(fig)


if __name__ == "__main__":
    main()
