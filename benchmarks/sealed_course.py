"""The course that benchmarks/sealed.py grades: one assignment of eight questions in NumPy and
torch, in nbgrader's and in otter's format, and as a script.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

NAME = "blocks"
IMPORTS = "import numpy as np\nimport torch\nimport torch.nn.functional as F\nfrom torch import nn"


@dataclass(frozen=True)
class Question:
    """A question: what students see of the answer, the solution below it, and its tests."""

    id: str
    points: int
    stub: str
    solution: str
    visible: str
    hidden: tuple[str, ...]

    @property
    def answer(self) -> str:
        """The cell as solved."""
        return f"{self.stub}\n{self.solution}" if self.stub else self.solution


QUESTIONS = (
    Question(
        "standardise",
        2,
        (
            'def standardise(x):\n    """Each column with mean 0 and standard deviation 1; '
            'constant columns become 0."""'
        ),
        (
            "    spread = x.std(axis=0)\n    return (x - x.mean(axis=0)) / np.where(spread "
            "== 0, 1, spread)"
        ),
        (
            "a = np.array([[1.0, 5.0], [3.0, 5.0]])\nassert standardise(a).shape == "
            "a.shape\nassert np.allclose(standardise(a)[:, 0], [-1, 1])"
        ),
        (
            "assert np.allclose(standardise(np.full((4, 2), 7.0)), 0)",
            (
                "b = np.random.default_rng(1).normal(3, 2, size=(200, 6))\ns = "
                "standardise(b)\nassert np.allclose(s.mean(axis=0), 0) and "
                "np.allclose(s.std(axis=0), 1)"
            ),
        ),
    ),
    Question(
        "cross_entropy",
        3,
        (
            'def cross_entropy(z, y):\n    """Mean cross-entropy of logits z (n, k) with '
            'labels y (n,), and its gradient by z."""'
        ),
        "    z = z - z.max(axis=1, keepdims=True)\n    log_p = z - np.log(np.exp(z).sum(axis=1, "
        "keepdims=True))\n    rows = np.arange(len(y))\n"
        "    gradient = np.exp(log_p)\n    gradient[rows, y] -= 1\n    return -log_p[rows, "
        "y].mean(), gradient / len(y)",
        (
            "loss, gradient = cross_entropy(np.zeros((2, 4)), np.array([0, 3]))\nassert "
            "np.isclose(loss, np.log(4))\nassert gradient.shape == (2, 4)"
        ),
        (
            "loss, _ = cross_entropy(np.array([[1000.0, 0.0]]), np.array([1]))\nassert "
            "np.isclose(loss, 1000)",
            "rng = np.random.default_rng(2)\nz, y = rng.normal(size=(8, 5)), rng.integers(5, "
            "size=8)\nloss, gradient = cross_entropy(z, y)\nh = 1e-5\n"
            "for i in np.ndindex(*z.shape):\n    d = np.zeros_like(z)\n    d[i] = h\n"
            "    slope = (cross_entropy(z + d, y)[0] - cross_entropy(z - d, y)[0]) / (2 * h)\n    "
            "assert abs(slope - gradient[i]) < 1e-6",
        ),
    ),
    Question(
        "clip",
        2,
        (
            'def clip_norm(gradients, most):\n    """The arrays scaled together so that '
            'their common norm is at most `most`."""'
        ),
        (
            "    norm = np.sqrt(sum((g**2).sum() for g in gradients))\n    factor = "
            "min(1.0, most / norm) if norm else 1.0\n    return [g * factor for g in "
            "gradients]"
        ),
        (
            "g = clip_norm([np.array([3.0]), np.array([4.0])], 1.0)\nassert "
            "np.allclose(g[0], 0.6) and np.allclose(g[1], 0.8)"
        ),
        (
            "g = [np.ones((300, 300)), np.ones(300)]\nc = clip_norm(g, 5.0)\nassert "
            "np.isclose(np.sqrt(sum((a**2).sum() for a in c)), 5)\n"
            "assert all(np.array_equal(a, b) for a, b in zip(clip_norm(g, 1e6), g))",
        ),
    ),
    Question(
        "max_pool",
        4,
        'def max_pool(x, size, stride):\n    """Largest value of each window of x (n, c, h, w)."""',
        "    n, c, h, w = x.shape\n    rows, columns = 1 + (h - size) // stride, 1 + (w - size) "
        "// stride\n    out = np.empty((n, c, rows, columns))\n"
        "    for k in range(n):\n        for f in range(c):\n            for i in "
        "range(rows):\n                for j in range(columns):\n"
        "                    out[k, f, i, j] = x[k, f, i * stride : i * stride + size, j * stride "
        ": j * stride + size].max()\n    return out",
        (
            "assert max_pool(np.arange(16.0).reshape(1, 1, 4, 4), 2, 2).tolist() == "
            "[[[[5.0, 7.0], [13.0, 15.0]]]]"
        ),
        (
            "rng = np.random.default_rng(3)\nfor size, stride in ((2, 2), (3, 1), (3, 2)):\n    x "
            "= rng.normal(size=(3, 4, 13, 13))\n"
            "    assert np.allclose(max_pool(x, size, stride), F.max_pool2d(torch.from_numpy(x), "
            "size, stride).numpy())",
        ),
    ),
    Question(
        "swish",
        3,
        (
            "class Swish(torch.autograd.Function):\n    # x times the sigmoid of x, with a "
            "backward of your own"
        ),
        "    @staticmethod\n    def forward(ctx, x):\n        ctx.save_for_backward(x)\n        "
        "return x * torch.sigmoid(x)\n\n"
        "    @staticmethod\n    def backward(ctx, g):\n        (x,) = ctx.saved_tensors\n        "
        "s = torch.sigmoid(x)\n        return g * (s + x * s * (1 - s))",
        (
            "x = torch.linspace(-3, 3, 11)\nassert torch.allclose(Swish.apply(x), "
            "F.silu(x), atol=1e-6)"
        ),
        (
            "_ = torch.manual_seed(4)\nx = torch.randn(7, 6, dtype=torch.double, "
            "requires_grad=True)\nassert torch.autograd.gradcheck(Swish.apply, (x,))",
        ),
    ),
    Question(
        "layer_norm",
        2,
        (
            'def layer_norm(x, gain, shift, eps=1e-5):\n    """x normalised over its last '
            'axis, then scaled and shifted."""'
        ),
        (
            "    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) "
            "+ eps) * gain + shift"
        ),
        (
            "x = np.linspace(-2, 2, 12).reshape(3, 4)\nassert layer_norm(x, np.ones(4), "
            "np.zeros(4)).shape == (3, 4)"
        ),
        (
            "gain, shift = np.linspace(0.5, 1.5, 4), np.linspace(-1, 1, 4)\n"
            "right = F.layer_norm(torch.from_numpy(x), (4,), torch.from_numpy(gain), "
            "torch.from_numpy(shift)).numpy()\nassert np.allclose(layer_norm(x, gain, shift), "
            "right)",
        ),
    ),
    Question(
        "fit",
        4,
        (
            'def fit(x, y, steps=200, lr=0.05):\n    """Train a small network to tell the '
            'rings apart; return the model and its losses."""'
        ),
        "    torch.manual_seed(0)\n    model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), "
        "nn.Linear(16, 1))\n    optimizer = torch.optim.Adam(model.parameters(), lr=lr)\n"
        "    losses = []\n    for _ in range(steps):\n        loss = "
        "F.binary_cross_entropy_with_logits(model(x)[:, 0], y)\n        optimizer.zero_grad()\n"
        "        loss.backward()\n        optimizer.step()\n        "
        "losses.append(loss.item())\n    return model, losses",
        "angles = torch.linspace(0, 6.28, 40)\nradius = torch.tensor([1.0, 2.0]).repeat(20)\nx = "
        "torch.stack([radius * angles.cos(), radius * angles.sin()], 1)\n"
        "y = (radius > 1.5).float()\nmodel, losses = fit(x, y)\nassert len(losses) == 200 and "
        "losses[-1] < losses[0]",
        (
            "with torch.no_grad():\n    right = ((model(x)[:, 0] > 0).float() == "
            "y).float().mean().item()\nassert right > 0.95\nassert losses[-1] < 0.2",
        ),
    ),
    Question(
        "true_false",
        1,
        "",
        (
            "# True or False: batch normalisation behaves alike in training and at test "
            "time\nverdict = False"
        ),
        "assert verdict in (True, False)",
        ("assert verdict == False",),
    ),
)
ESSAY = "Why does subtracting the largest logit not change the softmax?"


def _meta(
    grade_id: str,
    *,
    grade: bool = False,
    locked: bool = False,
    solution: bool = False,
    points: int | None = None,
) -> dict[str, Any]:
    found = {
        "grade": grade,
        "grade_id": grade_id,
        "locked": locked,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }
    return {"nbgrader": found if points is None else found | {"points": points}}


def _notebook() -> Any:
    made = new_notebook()
    made.metadata.kernelspec = {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    }
    return made


def nbgrader_source() -> Any:
    """The instructor's notebook."""
    made = _notebook()
    made.cells += [
        new_markdown_cell("# Building blocks"),
        new_code_cell(IMPORTS, metadata=_meta("imports", locked=True)),
    ]
    for question in QUESTIONS:
        solution = f"### BEGIN SOLUTION\n{question.solution}\n### END SOLUTION"
        indented = (
            solution
            if not question.stub
            else "\n".join(
                f"    {line}" if line.startswith("###") else line for line in solution.split("\n")
            )
        )
        tests = "\n".join(
            [question.visible, "### BEGIN HIDDEN TESTS", *question.hidden, "### END HIDDEN TESTS"]
        )
        made.cells += [
            new_markdown_cell(
                f"## {question.id}\n\nA few words, and a formula $y = f(x)$.",
                metadata=_meta(f"text-{question.id}", locked=True),
            ),
            new_code_cell(
                f"{question.stub}\n{indented}".lstrip("\n"),
                metadata=_meta(question.id, solution=True),
            ),
            new_code_cell(
                tests,
                metadata=_meta(
                    f"test-{question.id}", grade=True, locked=True, points=question.points
                ),
            ),
        ]
    made.cells.append(
        new_markdown_cell(ESSAY, metadata=_meta("written", grade=True, solution=True, points=3))
    )
    return made


def submission(source: Any, number: int) -> Any:
    """A student's notebook, like nobody else's."""
    made = copy.deepcopy(source)
    answers = {question.id: question.answer for question in QUESTIONS}
    for cell in made.cells:
        meta = cell.metadata.get("nbgrader", {})
        if meta.get("grade_id") in answers:
            cell.source = f"{answers[meta['grade_id']]}\n# by student {number:02d}"
        elif meta.get("grade") and cell.cell_type == "code":
            cell.source = cell.source.split("\n### BEGIN HIDDEN TESTS")[0]
        elif meta.get("grade_id") == "written":
            cell.source = "It is a factor that numerator and denominator share."
    return made


def otter_source() -> Any:
    """The instructor's notebook in otter's format; each hidden test brings what it needs."""
    made = _notebook()
    made.cells += [
        new_raw_cell(
            f"# ASSIGNMENT CONFIG\nname: {NAME}\ninit_cell: true\nexport_cell: "
            "false\ngenerate: true\nsolutions_pdf: false"
        ),
        new_code_cell(IMPORTS),
    ]
    for question in QUESTIONS:
        inside = f"    # BEGIN SOLUTION\n{question.solution}\n    # END SOLUTION"
        answer = f"{question.stub}\n{inside}" if question.stub else "verdict = False # SOLUTION"
        made.cells += [
            new_raw_cell(f"# BEGIN QUESTION\nname: {question.id}\npoints: {question.points}"),
            new_markdown_cell(f"## {question.id}"),
            new_raw_cell("# BEGIN SOLUTION"),
            new_code_cell(answer),
            new_raw_cell("# END SOLUTION"),
            new_raw_cell("# BEGIN TESTS"),
            new_code_cell(question.visible),
            *(new_code_cell(f"# HIDDEN\n{question.visible}\n{test}") for test in question.hidden),
            new_raw_cell("# END TESTS"),
            new_raw_cell("# END QUESTION"),
        ]
    return made


def script() -> str:
    """The work as it is: every answer and every test, in order."""
    texts = [IMPORTS]
    for question in QUESTIONS:
        texts += [question.answer, question.visible, *question.hidden]
    return "\n\n".join(texts) + "\n"


def build(root: Path, count: int) -> None:
    """Write source/, submitted/, otter/ and plain.py into a new folder."""
    source = nbgrader_source()
    for folder in (root / "source" / NAME, root / "otter"):
        folder.mkdir(parents=True)
    nbformat.write(source, root / "source" / NAME / f"{NAME}.ipynb")
    nbformat.write(otter_source(), root / "otter" / f"{NAME}.ipynb")
    (root / "plain.py").write_text(script())
    for number in range(count):
        path = root / "submitted" / f"student{number:02d}" / NAME / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(submission(source, number), path)
