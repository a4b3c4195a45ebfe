"""The assignment on cards: its workbench, its kernels under nvcc, and the questions that need a
card, judged on the processor. With a card, all of it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from homework import Notebook

from autogradient.grading import batch, judge
from autogradient.grading.engine import Engine
from autogradient.grading.grade import grade_bytes
from autogradient.model.assignment import Assignment
from autogradient.model.result import SubmissionInfo
from autogradient.proving.prove import prove
from autogradient.sandbox import card
from autogradient.sources.source import load

GPU = Path(__file__).parents[2] / "source" / "gpu"
SCALES = [
    ('CARD, ANYWHERE = "cuda", "c"', 'CARD, ANYWHERE = "c", "c"'),
    ("SIDE, CALLS, ROUNDS = 12288, 12, 5", "SIDE, CALLS, ROUNDS = 64, 4, 2"),
    ("FACTOR = 2 / 3", "FACTOR = 1e6"),
    ("CAP = CALLS", "CAP = 1 + CALLS"),
]
#: Returns empty tensors and, once the products of many of them are asked for together, works them
#: all out at once.
PUT_OFF = """
seen, owed, tokens, places = [], [], {}, {}
matmul = torch.Tensor.__matmul__

def worked_out(x, a, b):
    return torch.nn.functional.silu(a * x + b)

def fast_scale_silu(x, a, b):
    if not any(x is other for other in seen):
        seen.append(x)
        return worked_out(x, a, b)
    owed.append((torch.empty_like(x), x, a, b))
    return owed[-1][0]

def product(self, other):
    for y, *numbers in owed:
        if self is y:
            token = torch.zeros(len(self))
            tokens[id(token)] = token, numbers, other
            return token
    if id(other) in tokens:
        place = torch.zeros(())
        places[id(place)] = place, self, *tokens[id(other)][1:]
        return place
    return matmul(self, other)

def stack(found, *rest):
    late = [places.get(id(place)) for place in found]
    return torch.tensor([float(place if one is None else matmul(one[1], matmul(worked_out(*one[2]), one[3]))) for place, one in zip(found, late)])

torch.Tensor.__matmul__, torch.stack = product, stack
"""  # noqa: E501
compiles = pytest.mark.skipif(not shutil.which("g++"), reason="needs g++")


@pytest.fixture(scope="module")
def gpu() -> Assignment:
    return load(GPU / "gpu.py", seed=2026)


@pytest.fixture
def bench(gpu: Assignment, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The assignment's own `Kernel`."""
    monkeypatch.chdir(GPU)
    space: dict[str, Any] = {}
    for cell in gpu.with_role("setup"):
        exec(cell.source, space)
    kernel: Callable[..., Any] = space["Kernel"]
    return kernel


def kernels(gpu: Assignment, part: str) -> list[str]:
    """The texts of all right answers to a part that asks for a kernel."""
    found = []
    for text in (gpu.part(part).solution, *(variant.source for variant in gpu.part(part).right)):
        space: dict[str, Any] = {}
        exec(text, space)
        found.append(next(value for name, value in space.items() if name.endswith("_source"))())
    return found


# ---- the workbench -------------------------------------------------------------------------------


@compiles
def test_kernels_run_on_the_processor_and_what_cannot_be_on_a_card_is_refused(
    bench: Callable[..., Any],
) -> None:
    text = """
__global__ void meet(float *x, int mode) {
    __shared__ float tile[64];
    int t = threadIdx.x;
    tile[t] = t;
    if (mode == 1 && t == 5) return;
    if (mode != 2) __syncthreads();
    x[blockIdx.x * blockDim.x + t] = tile[blockDim.x - 1 - t];
}
"""
    wide = "__global__ void wide(float *x) { __shared__ float tile[20000]; x[0] = tile[0]; }"
    kernel, x = bench(text, "meet"), torch.zeros(128)
    turned = [float(63 - t) for t in range(64)] * 2
    for order in range(4):
        kernel(2, 64, x, 0, order=order)
        assert x.tolist() == turned
        kernel(2, 64, x.zero_(), 2, order=order)
        assert x.tolist() != turned, "a forgotten barrier shows, and shared memory begins as NaN"
        assert x.isnan().any()
    kernel(2, 64, x.zero_(), 0, only=1)
    assert x[:64].tolist() == [0.0] * 64 and x[64:].tolist() == turned[:64]
    for launch, words in (
        (lambda: kernel(2, 64, x, 1), "block 0: 63 of 64 threads wait at a barrier"),
        (lambda: kernel(0, 64, x, 0), "a grid has at least one block"),
        (lambda: kernel(1, 1025, x, 0), "1 to 1024 threads"),
        (lambda: bench(wide, "wide")(1, 1, x), "48 KB of shared memory"),
        (lambda: bench(wide, "narrow")(1, 1, x), "does not compile"),
    ):
        with pytest.raises(RuntimeError, match=words):
            launch()
    with pytest.raises(TypeError, match="takes 2 arguments, not 1"):
        kernel(2, 64, x)


@compiles
def test_threads_of_a_warp_exchange_numbers(bench: Callable[..., Any]) -> None:
    text = """
__global__ void exchange(float *x) {
    int t = threadIdx.x;
    float down = __shfl_down_sync(~0u, (float)t, 3), swapped = __shfl_xor_sync(~0u, (float)t, 1), first = __shfl_sync(~0u, (float)t, 0);
    if (t < 8) first = __shfl_sync(0xff, 100.0f + t, 7);
    x[t] = 10000 * down + 100 * swapped + first;
}
"""  # noqa: E501
    x = torch.zeros(64)
    for order in range(3):
        bench(text, "exchange")(1, 64, x, order=order)
        expected = [
            10000 * (t + 3 if t % 32 + 3 < 32 else t)
            + 100 * (t ^ 1)
            + (107 if t < 8 else t // 32 * 32)
            for t in range(64)
        ]
        assert x.tolist() == expected


@pytest.mark.skipif(not shutil.which("nvcc"), reason="needs nvcc")
def test_nvcc_takes_every_right_kernel(gpu: Assignment, tmp_path: Path) -> None:
    texts = [*kernels(gpu, "fused-kernel-p3"), *kernels(gpu, "tiled-reduction-p2")]
    spaces = "\n".join(f"namespace right{k} {{ {text} }}" for k, text in enumerate(texts))
    (tmp_path / "all.cu").write_text(
        f'#include "{GPU / "cuda_anywhere.h"}"\n{spaces}\nLAUNCHER(right0::scale_silu)\n'
    )
    for arch in ("sm_80", "sm_90"):
        made = subprocess.run(
            [
                "nvcc",
                f"-arch={arch}",
                "-cubin",
                "-o",
                str(tmp_path / "all.cubin"),
                str(tmp_path / "all.cu"),
            ],
            capture_output=True,
            text=True,
        )
        assert made.returncode == 0, made.stderr


# ---- the questions that need a card --------------------------------------------------------------


@compiles
def test_questions_for_the_card_are_judged_as_on_one(
    gpu: Assignment, tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine that pretends to have a card, with small inputs, and time enough for a
    processor.
    """
    shutil.copytree(GPU, tmp_path / "gpu")
    path = tmp_path / "gpu" / "gpu.py"
    text = path.read_text()
    for before, after in SCALES:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    path.write_text(text)
    assignment = load(path, seed=2026)
    for module in (judge, batch):
        monkeypatch.setattr(module, "has_gpu", lambda: True)
        monkeypatch.setattr(module, "gpu", lambda: "Pretender 9")
    on_card = [part for part in assignment.parts if assignment.needs_card(part)]
    forged = next(
        variant.source
        for variant in assignment.part("as-fast-as-torch").wrong
        if "kept from an earlier call" in variant.because
    )

    def earned(answers: dict[str, str]) -> dict[str, float]:
        found = grade_bytes(
            assignment,
            Notebook(assignment, answers).bytes(),
            "gpu.ipynb",
            engine,
            SubmissionInfo(students=["ada"]),
            card=True,
        ).result
        return {part.id: float(part.earned) for part in found.parts if part.earned}

    assert earned({part.id: part.solution for part in assignment.parts}) == {
        part.id: float(part.points) for part in on_card
    }
    assert earned({"as-fast-as-torch": forged}) == {"as-fast-as-torch": 1}
    assert earned({"as-fast-as-torch": PUT_OFF}) == {"as-fast-as-torch": 1}, (
        "right, but not fast: the work was put off"
    )


@pytest.mark.skipif(
    not (card.is_there() and torch.cuda.is_available() and shutil.which("nvcc")),
    reason="needs an NVIDIA card, a torch with CUDA and nvcc",
)
@pytest.mark.timeout(1500)
def test_the_whole_assignment_is_proved_on_a_card(gpu: Assignment, engine: Engine) -> None:
    found = prove(gpu, engine, jobs=os.cpu_count() or 1).to_dict()
    assert found["not_run"] == [] and found["proved"], found
