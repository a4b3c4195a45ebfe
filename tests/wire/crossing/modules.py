# ---
# jupyter:
#   autogradient:
#     format: 1
#     title: Modules
#     limits: {cell_s: 20, case_s: 10}
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Modules

# %%
#| staff
# %load_ext autogradient.authoring

# %%
#| setup
import torch
from torch import nn

# %% [markdown]
# <!--| question: forward -->
# ## What a module computes

# %%
#| answer: forward
class Residual(nn.Module):
    ### BEGIN SOLUTION
    def __init__(self, n, hidden):
        super().__init__()
        self.fc1 = nn.Linear(n, hidden)
        self.fc2 = nn.Linear(hidden, n)

    def forward(self, x):
        return x + self.fc2(torch.relu(self.fc1(x)))
    ### END SOLUTION

# %%
#| tests: forward
@test_case(points=1)
def test_output(Residual):
    model = Residual(4, 8)
    x = torch.randn(5, 4)
    assert model(x).shape == (5, 4)
    hidden = torch.relu(x @ model.fc1.weight.T + model.fc1.bias)
    assert torch.allclose(model(x), x + hidden @ model.fc2.weight.T + model.fc2.bias, atol=1e-6)

# %%
#| wrong: forward
#| because: the way past the layers is missing
class Residual(nn.Module):
    def __init__(self, n, hidden):
        super().__init__()
        self.fc1 = nn.Linear(n, hidden)
        self.fc2 = nn.Linear(hidden, n)

    def forward(self, x):
        return self.fc2(torch.relu(self.fc1(x)))

# %% [markdown]
# <!--| question: parameters -->
# ## Its parameters

# %%
#| answer: parameters
class LeNet(nn.Module):
    ### BEGIN SOLUTION
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 6, 5)
        self.head = nn.Linear(6, 10)

    def forward(self, x):
        return self.head(self.conv(x).amax(dim=(2, 3)))
    ### END SOLUTION

# %%
#| tests: parameters
@test_case(points=1)
def test_names_and_count(LeNet):
    model = LeNet()
    assert [name for name, _ in model.named_parameters()] == ["conv.weight", "conv.bias", "head.weight", "head.bias"]
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == 226
    assert all(isinstance(p, nn.Parameter) for p in model.parameters())
    assert not torch.equal(LeNet().conv.weight, model.conv.weight)

# %%
#| wrong: parameters
#| because: layers in a plain list are not found
class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Conv2d(1, 6, 5), nn.Linear(6, 10)]

    def forward(self, x):
        return self.layers[1](self.layers[0](x).amax(dim=(2, 3)))

# %%
#| wrong: parameters
#| because: the head has no bias
class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 6, 5)
        self.head = nn.Linear(6, 10, bias=False)

    def forward(self, x):
        return self.head(self.conv(x).amax(dim=(2, 3)))

# %% [markdown]
# <!--| question: state-dict -->
# ## state_dict

# %%
#| answer: state-dict
def build():
    ### BEGIN SOLUTION
    return nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 2))
    ### END SOLUTION

# %%
#| tests: state-dict
@test_case(points=1)
def test_entries(build):
    state = build().state_dict()
    assert {"0.weight", "1.running_mean", "3.bias"} <= set(state)
    assert state["0.weight"].shape == (5, 3)
    assert {name: tuple(value.shape) for name, value in state.items()}["3.weight"] == (2, 5)
    assert not any(value.requires_grad for value in state.values())

# %%
#| wrong: state-dict
#| because: the batch is not normalised
def build():
    return nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2))

# %% [markdown]
# <!--| question: load-state-dict -->
# ## load_state_dict

# %%
#| answer: load-state-dict
class Neuron(nn.Module):
    ### BEGIN SOLUTION
    def __init__(self, n):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(n))
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        return torch.sigmoid(x @ self.weight + self.bias)
    ### END SOLUTION

# %%
#| tests: load-state-dict
@test_case(points=1)
def test_known_weights(Neuron):
    model = Neuron(2)
    model.load_state_dict({"weight": torch.tensor([2.0, -1.0]), "bias": torch.tensor(0.5)})
    x = torch.tensor([[1.0, 1.0], [0.0, 3.0]])
    assert torch.allclose(model(x), torch.sigmoid(torch.tensor([1.5, -2.5])))
    assert model.weight.tolist() == [2.0, -1.0]

# %%
#| wrong: load-state-dict
#| because: it has no bias to load
class Neuron(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(n))

    def forward(self, x):
        return torch.sigmoid(x @ self.weight)

# %%
#| wrong: load-state-dict
#| because: it computes with weights of its own
class Neuron(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(n))
        self.bias = nn.Parameter(torch.zeros(()))
        self.w, self.b = self.weight.detach().clone(), self.bias.detach().clone()

    def forward(self, x):
        return torch.sigmoid(x @ self.w + self.b)

# %% [markdown]
# <!--| question: buffers -->
# ## Buffers

# %%
#| answer: buffers
class Centre(nn.Module):
    ### BEGIN SOLUTION
    def __init__(self, n):
        super().__init__()
        self.register_buffer("mean", torch.zeros(n))

    def forward(self, x):
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * x.mean(dim=0)
        return x - self.mean
    ### END SOLUTION

# %%
#| tests: buffers
@test_case(points=1)
def test_running_mean(Centre):
    layer = Centre(2)
    assert [name for name, _ in layer.named_buffers()] == ["mean"]
    assert list(layer.parameters()) == [] and "mean" in layer.state_dict()
    layer(torch.tensor([[10.0, 20.0]]))
    assert torch.allclose(layer.mean, torch.tensor([1.0, 2.0]))
    layer(torch.tensor([[0.0, 0.0]]))
    assert torch.allclose(dict(layer.named_buffers())["mean"], torch.tensor([0.9, 1.8]))

# %%
#| wrong: buffers
#| because: the mean is a plain attribute, so it is neither saved nor moved
class Centre(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.mean = torch.zeros(n)

    def forward(self, x):
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * x.mean(dim=0)
        return x - self.mean

# %%
#| wrong: buffers
#| because: the mean is replaced, not averaged
class Centre(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.register_buffer("mean", torch.zeros(n))

    def forward(self, x):
        if self.training:
            self.mean = x.mean(dim=0)
        return x - self.mean

# %% [markdown]
# <!--| question: parameter-grads -->
# ## The gradients of its parameters

# %%
#| answer: parameter-grads
class Scale(nn.Module):
    ### BEGIN SOLUTION
    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.tensor(2.0))
        self.b = nn.Parameter(torch.tensor(1.0))

    def forward(self, x):
        return self.a * x + self.b
    ### END SOLUTION

# %%
#| tests: parameter-grads
@test_case(points=1)
def test_every_parameter_learns(Scale):
    model = Scale()
    assert model.a.grad is None
    loss = (model(torch.tensor([1.0, 2.0])) ** 2).sum()
    loss.backward()
    assert all(p.grad is not None for p in model.parameters())
    assert model.a.grad.item() == 26.0 and model.b.grad.item() == 16.0
    model.zero_grad()
    assert model.a.grad is None or model.a.grad.item() == 0.0

# %%
#| wrong: parameter-grads
#| because: the offset is cut off from its gradient
class Scale(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.tensor(2.0))
        self.b = nn.Parameter(torch.tensor(1.0))

    def forward(self, x):
        return self.a * x + self.b.detach()

# %% [markdown]
# <!--| question: hooks -->
# ## Forward hooks

# %%
#| answer: hooks
class Tower(nn.Module):
    ### BEGIN SOLUTION
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 6)
        self.second = nn.Linear(6, 2)

    def forward(self, x):
        return self.second(torch.tanh(self.first(x)))
    ### END SOLUTION

# %%
#| tests: hooks
@test_case(points=1)
def test_what_flows_through_the_layers(Tower):
    model, seen = Tower(), {}
    handles = [
        model.first.register_forward_hook(lambda module, inputs, output: seen.update(first=output.detach())),
        model.second.register_forward_hook(lambda module, inputs, output: seen.update(second=inputs[0].detach())),
    ]
    x = torch.randn(3, 4)
    model(x)
    assert seen["first"].shape == (3, 6)
    assert torch.allclose(seen["second"], torch.tanh(seen["first"]))
    for handle in handles:
        handle.remove()
    seen.clear()
    model(x)
    assert seen == {}

# %%
#| wrong: hooks
#| because: there is no tanh between the layers
class Tower(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 6)
        self.second = nn.Linear(6, 2)

    def forward(self, x):
        return self.second(torch.relu(self.first(x)))

# %%
#| wrong: hooks
#| because: it goes round the first layer's __call__
class Tower(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 6)
        self.second = nn.Linear(6, 2)

    def forward(self, x):
        return self.second(torch.tanh(x @ self.first.weight.T + self.first.bias))
