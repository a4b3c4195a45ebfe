"""What a test holds of the student's stays as it was when it came; models, optimizers and what a
test asks to see changed are live, so that honest tests of training work as in a notebook.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from homework import Notebook

from autogradient.grading.engine import Engine
from autogradient.grading.grade import grade_bytes
from autogradient.grading.test_needs import demands
from autogradient.model.result import SubmissionInfo
from autogradient.sources.source import load

pytestmark = pytest.mark.timeout(120)

SOURCE = """\
# ---
# jupyter:
#   autogradient:
#     format: 1
#     title: Held
#     minutes: 5
#     limits: {cell_s: 5, case_s: 5, memory_mb: 512}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Held

# %%
#| setup
import numpy as np
import torch
from torch import nn

# %% [markdown]
# <!--| question: held -->
# All kinds of things.

# %%
#| answer: held
### BEGIN SOLUTION
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(1, 1)
        self.scales = nn.ParameterList([nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))])

    def forward(self, x):
        return self.body(x) * self.scales[0] * self.scales[1]


def train(model, x, y):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = ((model(x) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


class Line:
    def __init__(self):
        self.a = torch.zeros(1, requires_grad=True)
        self.b = torch.zeros(1, requires_grad=True)

    def __call__(self, x):
        return self.a * x + self.b

    def parameters(self):
        return [self.a, self.b]

    def grow(self):
        with torch.no_grad():
            self.a += 1
        return 1


WEIGHTS = nn.Parameter(torch.zeros(2))
history = []
count = 0


def weights():
    return WEIGHTS


def train_weights(x):
    with torch.no_grad():
        WEIGHTS.add_(x)
    return len(x)


def record(value):
    history.append(value)


def bump():
    global count
    count += 1
    return count


def init():
    return [torch.ones(2, requires_grad=True)]


def step(params, x):
    loss = (params[0] * x).sum()
    loss.backward()
    return loss.item()


def descend(params, rate):
    with torch.no_grad():
        for p in params:
            p -= rate * p.grad


def trainable(model):
    return [p for p in model.parameters() if p.requires_grad]


def doubled(point):
    return 2 * point()


def fitted(make, x, y):
    model = make()
    train(model, x, y)
    return model


def optimizer_of(model):
    return torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
### END SOLUTION

# %%
#| tests: held
X, Y = torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0], [5.0]])

@test_case(points=1)
def test_a_models_parameters_follow_training(Net, train):
    model = Net()
    weight, all_of_them = model.body.weight, list(model.parameters())
    first = float(weight.sum())
    losses = train(model, X, Y)
    assert losses[-1] < losses[0] and float(weight.sum()) != first
    assert all_of_them[0] is weight and model.body.weight is weight

@test_case(points=1)
def test_a_list_of_parameters_in_a_model(Net):
    model = Net()
    assert len(model.scales) == 2 and all(scale.shape == (1,) for scale in model.scales)
    assert isinstance(model.scales[0], nn.Parameter)

@test_case(points=1)
def test_the_tests_optimizer_over_a_list_that_a_call_returned(Line):
    model = Line()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    seen = []
    for _ in range(150):
        optimizer.zero_grad()
        ((model(X) - Y) ** 2).mean().backward()
        optimizer.step()
        seen.append(model.a.item())
    assert abs(model.a.item() - 2) < 0.1 and abs(model.b.item() - 1) < 0.1 and seen[0] != seen[-1]

@test_case(points=1)
def test_an_answer_stays_and_the_next_one_is_new(weights, train_weights):
    first = weights()
    assert isinstance(first, nn.Parameter) and weights() is first
    assert train_weights(torch.ones(2)) == 2
    second = weights()
    assert first.tolist() == [0, 0] and second.tolist() == [1, 1]

@test_case(points=1)
def test_an_attribute_is_asked_for_anew(Line):
    line = Line()
    a = line.a
    assert line.grow() == 1 and line.grow() == 1
    assert line.a.tolist() == [2] and a.tolist() == [0]

@test_case(points=1)
def test_a_variable_after_a_call_for_its_effect(history, record):
    assert history == []
    record(3)
    assert history == [3]

@test_case(points=1)
def test_a_name_after_calls_that_tell_nothing(env):
    before = env["count"]
    assert env["bump"]() == before + 1
    assert env["count"] == before + 1

@test_case(points=1)
def test_gradients_of_what_was_passed_along(init, step):
    params = init()
    assert step(params, torch.tensor([2.0, 3.0])) == 5
    assert params[0].grad.tolist() == [2, 3] and params[0].tolist() == [1, 1]

@test_case(points=1)
def test_changes_of_what_a_call_returned(init, step, descend):
    params = init()
    step(params, torch.tensor([2.0, 3.0]))
    descend(params, 0.5)
    assert params[0].tolist() == [0, -0.5]

@test_case(points=1)
def test_the_same_parameter_in_an_answer_and_in_the_model(Net, trainable):
    model = Net()
    assert any(p is model.body.weight for p in trainable(model))
    assert model.body.bias is trainable(model)[1]

@test_case(points=1)
def test_gradients_of_what_the_tests_function_returns(doubled):
    place = torch.tensor([1.0, 2.0], requires_grad=True)
    got = doubled(lambda: place)
    got.sum().backward()
    assert got.tolist() == [2, 4] and place.grad.tolist() == [2, 2] and place.tolist() == [1, 2]

@test_case(points=1)
def test_a_model_that_the_tests_function_makes(fitted):
    made = []
    def make():
        made.append(nn.Linear(1, 1))
        return made[0]
    first = float(nn.Linear(1, 1).weight)
    model = fitted(make, X, Y)
    assert torch.equal(model.weight, made[0].weight) and ((model(X) - Y) ** 2).mean() < 10

@test_case(points=1)
def test_an_optimizer_of_theirs_over_a_model_of_the_tests(optimizer_of):
    model = nn.Linear(1, 1)
    start = float(model.weight)
    optimizer = optimizer_of(model)
    ((model(X) - Y) ** 2).mean().backward()
    optimizer.step()
    assert float(model.weight) != start
    assert optimizer.param_groups[0]["params"][0] is model.weight
"""


def test_honest_tests_see_what_they_would_in_a_notebook(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "held.py"
    path.write_text(SOURCE)
    held = load(path)
    answers = {"held": held.part("held").solution}
    graded = grade_bytes(
        held,
        Notebook(held, answers).bytes(),
        "held.ipynb",
        engine,
        SubmissionInfo(students=["eve"]),
    )
    failed = {
        case.name: graded.staff["held"][case.name]["error"]
        for part in graded.result.parts
        for case in part.cases
        if case.outcome != "passed"
    }
    assert failed == {}


@pytest.mark.parametrize(
    ("body", "effects"),
    [
        ("train()\n    assert w[0] == 1", True),
        ("before = w.copy()\n    losses = train()\n    assert w[0] != before[0]", True),
        ("before = copy.deepcopy(w)\n    losses = train()\n    assert w[0] != before[0]", True),
        ("w[0] = 3\n    assert train() == 3", True),
        ("x = [1]\n    before = x.copy()\n    assert train(x) == 1 and x == before", False),
        ("got = train(3)\n    assert got.copy() == [1]", False),
        ("assert loss(w, 3) == 0 and w == 3", False),
    ],
)
def test_variables_are_live_where_a_test_calls_for_an_effect(body: str, effects: bool) -> None:
    text = f"def test_it(w, train, loss):\n    {body}\n"
    asked = demands(text, "functions", ["test_it"], ["w", "train", "loss"], [])
    assert (asked.effects == ("test_it",)) is effects
