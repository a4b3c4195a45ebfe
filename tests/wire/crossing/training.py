# ---
# jupyter:
#   autogradient:
#     format: 1
#     title: Training
#     limits: {cell_s: 20, case_s: 10}
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Training

# %%
#| staff
# %load_ext autogradient.authoring

# %%
#| setup
import torch
from torch import nn

# %% [markdown]
# <!--| question: tests-optimizer -->
# ## The test's optimizer over the student's parameters

# %%
#| answer: tests-optimizer
class Regression(nn.Module):
    ### BEGIN SOLUTION
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(1))
        self.b = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return self.w * x + self.b
    ### END SOLUTION

# %%
#| tests: tests-optimizer
@test_case(points=1)
def test_it_learns_a_line(Regression):
    x = torch.linspace(-1, 1, 20)
    model = Regression()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    for _ in range(60):
        optimizer.zero_grad()
        loss = ((model(x) - (2 * x + 1)) ** 2).mean()
        loss.backward()
        optimizer.step()
    assert loss.item() < 1e-3
    assert abs(model.w.item() - 2) < 0.05 and abs(model.b.item() - 1) < 0.05

# %%
#| wrong: tests-optimizer
#| because: the slope is no parameter, so no optimizer finds it
class Regression(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = torch.zeros(1, requires_grad=True)
        self.b = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return self.w * x + self.b

# %% [markdown]
# <!--| question: students-optimizer -->
# ## The student's optimizer over the test's parameters

# %%
#| answer: students-optimizer
class Momentum:
    ### BEGIN SOLUTION
    def __init__(self, params, lr, beta=0.9):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.v = [torch.zeros_like(p) for p in self.params]

    @torch.no_grad()
    def step(self):
        for p, v in zip(self.params, self.v):
            v.mul_(self.beta).add_(p.grad)
            p -= self.lr * v

    def zero_grad(self):
        for p in self.params:
            p.grad = None
    ### END SOLUTION

# %%
#| tests: students-optimizer
@test_case(points=1)
def test_two_steps(Momentum):
    ours, theirs = torch.tensor([1.0, -2.0], requires_grad=True), torch.tensor([1.0, -2.0], requires_grad=True)
    optimizer, reference = Momentum([ours], lr=0.1), torch.optim.SGD([theirs], lr=0.1, momentum=0.9)
    for _ in range(3):
        for p, opt in ((ours, optimizer), (theirs, reference)):
            opt.zero_grad()
            (p**2).sum().backward()
            opt.step()
        assert torch.allclose(ours, theirs)

# %%
#| wrong: students-optimizer
#| because: it forgets the velocity
class Momentum:
    def __init__(self, params, lr, beta=0.9):
        self.params, self.lr = list(params), lr

    @torch.no_grad()
    def step(self):
        for p in self.params:
            p -= self.lr * p.grad

    def zero_grad(self):
        for p in self.params:
            p.grad = None

# %%
#| wrong: students-optimizer
#| because: the gradients add up from step to step
class Momentum:
    def __init__(self, params, lr, beta=0.9):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.v = [torch.zeros_like(p) for p in self.params]

    @torch.no_grad()
    def step(self):
        for p, v in zip(self.params, self.v):
            v.mul_(self.beta).add_(p.grad)
            p -= self.lr * v

    def zero_grad(self):
        pass

# %% [markdown]
# <!--| question: students-model-trained -->
# ## A training loop with a model of the student's

# %%
#| answer: students-model-trained
def fit(x, y, epochs):
    ### BEGIN SOLUTION
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    losses = []
    for _ in range(epochs):
        optimizer.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(model(x).squeeze(1), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses
    ### END SOLUTION

# %%
#| tests: students-model-trained
@test_case(points=1)
def test_it_learns_xor(fit):
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = torch.tensor([0.0, 1.0, 1.0, 0.0])
    model, losses = fit(x, y, epochs=150)
    assert len(losses) == 150 and losses[-1] < 0.1 * losses[0]
    assert torch.equal((model(x).squeeze(1) > 0).float(), y)

# %%
#| wrong: students-model-trained
#| because: a single layer cannot bend
def fit(x, y, epochs):
    model = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    losses = []
    for _ in range(epochs):
        optimizer.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(model(x).squeeze(1), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses

# %%
#| wrong: students-model-trained
#| because: the losses are made up, the model is not trained
def fit(x, y, epochs):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1)), [0.7 * 0.9**i for i in range(epochs)]

# %% [markdown]
# <!--| question: tests-model-trained -->
# ## A training loop with the test's model and optimizer

# %%
#| answer: tests-model-trained
def train(model, optimizer, x, y, epochs):
    ### BEGIN SOLUTION
    losses = []
    for _ in range(epochs):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
    ### END SOLUTION

# %%
#| tests: tests-model-trained
@test_case(points=1)
def test_the_model_has_learnt(train):
    torch.manual_seed(1)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.2)
    x = torch.randn(40, 3)
    y = x @ torch.tensor([[1.0], [-2.0], [0.5]]) + 3
    before = model.weight.clone()
    losses = train(model, optimizer, x, y, epochs=100)
    assert len(losses) == 100 and losses[-1] < 0.01 * losses[0]
    assert not torch.allclose(before, model.weight)
    assert torch.allclose(model.weight, torch.tensor([[1.0, -2.0, 0.5]]), atol=0.1)

# %%
#| wrong: tests-model-trained
#| because: it trains a copy and leaves the model as it was
def train(model, optimizer, x, y, epochs):
    import copy

    model = copy.deepcopy(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.2)
    losses = []
    for _ in range(epochs):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses

# %%
#| wrong: tests-model-trained
#| because: gradients pile up from step to step
def train(model, optimizer, x, y, epochs):
    losses = []
    for _ in range(epochs):
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses

# %% [markdown]
# <!--| question: tests-own-class -->
# ## A model class of the test's own

# %%
#| answer: tests-own-class
def predict(model, x):
    ### BEGIN SOLUTION
    training = model.training
    model.eval()
    with torch.no_grad():
        y = model(x)
    model.train(training)
    return y
    ### END SOLUTION

# %%
#| tests: tests-own-class
@probe
def watched(predict, x, training):
    """The prediction, the model's mode and whether gradients were on meanwhile, and its mode afterwards."""
    seen = []

    class Doubles(nn.Module):
        def forward(self, x):
            seen.append((self.training, torch.is_grad_enabled()))
            return 2 * x

    model = Doubles().train(training)
    return predict(model, x), seen, model.training


@test_case(points=1)
def test_modes(predict):
    y, seen, after = watched(predict, torch.ones(3), training=True)
    assert y.tolist() == [2.0, 2.0, 2.0]
    assert seen == [(False, False)] and after is True
    assert watched(predict, torch.ones(3), training=False)[2] is False

# %%
#| wrong: tests-own-class
#| because: dropout would still be at work
def predict(model, x):
    with torch.no_grad():
        return model(x)

# %%
#| wrong: tests-own-class
#| because: the model is left in evaluation mode
@torch.no_grad()
def predict(model, x):
    return model.eval()(x)

# %% [markdown]
# <!--| question: loader-passed -->
# ## An evaluation with the test's DataLoader

# %%
#| answer: loader-passed
def accuracy(model, loader):
    ### BEGIN SOLUTION
    right = total = 0
    for x, y in loader:
        right += (model(x).argmax(dim=1) == y).sum().item()
        total += len(y)
    return right / total
    ### END SOLUTION

# %%
#| tests: loader-passed
from torch.utils.data import DataLoader, TensorDataset


@test_case(points=1)
def test_share_of_right_ones(accuracy):
    x = torch.eye(3)[[0, 1, 2, 0, 1, 2, 0]]
    y = torch.tensor([0, 1, 2, 0, 1, 0, 1])
    loader = DataLoader(TensorDataset(x, y), batch_size=3)
    assert abs(accuracy(nn.Identity(), loader) - 5 / 7) < 1e-6

# %%
#| wrong: loader-passed
#| because: the last, smaller batch counts as much as the others
def accuracy(model, loader):
    shares = [(model(x).argmax(dim=1) == y).float().mean().item() for x, y in loader]
    return sum(shares) / len(shares)

# %% [markdown]
# <!--| question: students-dataset -->
# ## A Dataset of the student's in the test's DataLoader

# %%
#| answer: students-dataset
class Windows(torch.utils.data.Dataset):
    ### BEGIN SOLUTION
    def __init__(self, series, width):
        self.series, self.width = series, width

    def __len__(self):
        return len(self.series) - self.width

    def __getitem__(self, i):
        return self.series[i : i + self.width], self.series[i + self.width]
    ### END SOLUTION

# %%
#| tests: students-dataset
@test_case(points=1)
def test_windows(Windows):
    data = Windows(torch.arange(10.0), 3)
    assert len(data) == 7
    x, y = data[2]
    assert x.tolist() == [2.0, 3.0, 4.0] and y == 5.0
    batches = list(torch.utils.data.DataLoader(data, batch_size=4))
    assert [tuple(x.shape) for x, y in batches] == [(4, 3), (3, 3)]
    assert batches[1][1].tolist() == [7.0, 8.0, 9.0]

# %%
#| wrong: students-dataset
#| because: one window too many
class Windows(torch.utils.data.Dataset):
    def __init__(self, series, width):
        self.series, self.width = series, width

    def __len__(self):
        return len(self.series) - self.width + 1

    def __getitem__(self, i):
        return self.series[i : i + self.width], self.series[i + self.width]

# %%
#| wrong: students-dataset
#| because: the target is the window's last value
class Windows(torch.utils.data.Dataset):
    def __init__(self, series, width):
        self.series, self.width = series, width

    def __len__(self):
        return len(self.series) - self.width

    def __getitem__(self, i):
        return self.series[i : i + self.width], self.series[i + self.width - 1]

# %% [markdown]
# <!--| question: scheduler -->
# ## A learning-rate schedule

# %%
#| answer: scheduler
def with_warmup(model, lr, steps):
    ### BEGIN SOLUTION
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: min(1.0, (t + 1) / steps))
    return optimizer, scheduler
    ### END SOLUTION

# %%
#| tests: scheduler
@test_case(points=1)
def test_rates(with_warmup):
    optimizer, scheduler = with_warmup(nn.Linear(1, 1), lr=0.8, steps=4)
    rates = []
    for _ in range(6):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert all(abs(rate - right) < 1e-9 for rate, right in zip(rates, [0.2, 0.4, 0.6, 0.8, 0.8, 0.8]))
    assert type(optimizer).__name__ == "AdamW"

# %%
#| wrong: scheduler
#| because: the rate goes on rising
def with_warmup(model, lr, steps):
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: (t + 1) / steps)
