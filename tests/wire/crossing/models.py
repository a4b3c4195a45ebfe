# ---
# jupyter:
#   autogradient:
#     format: 1
#     title: Models
#     limits: {cell_s: 20, case_s: 10}
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Models

# %%
#| staff
# %load_ext autogradient.authoring

# %%
#| setup
import copy

import torch
from torch import nn

# %% [markdown]
# <!--| question: train-and-eval -->
# ## train and eval

# %%
#| answer: train-and-eval
class Drop(nn.Module):
    ### BEGIN SOLUTION
    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        return x * (torch.rand_like(x) >= self.p) / (1 - self.p)
    ### END SOLUTION

# %%
#| tests: train-and-eval
@test_case(points=1)
def test_two_modes(Drop):
    layer, x = Drop(0.5), torch.ones(4000)
    layer.eval()
    assert not layer.training and torch.equal(layer(x), x)
    layer.train()
    y = layer(x)
    assert layer.training and set(y.tolist()) == {0.0, 2.0}
    assert 0.4 < (y == 0).float().mean() < 0.6

# %%
#| wrong: train-and-eval
#| because: it drops units in both modes
class Drop(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        return x * (torch.rand_like(x) >= self.p) / (1 - self.p)

# %%
#| wrong: train-and-eval
#| because: what stays is not scaled up
class Drop(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        return x * (torch.rand_like(x) >= self.p) if self.training else x

# %% [markdown]
# <!--| question: isinstance -->
# ## isinstance of layers

# %%
#| answer: isinstance
def make_cnn():
    ### BEGIN SOLUTION
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 16, 10))
    ### END SOLUTION

# %%
#| tests: isinstance
@test_case(points=1)
def test_layers(make_cnn):
    model = make_cnn()
    assert isinstance(model, nn.Sequential) and len(model) == 4
    assert isinstance(model[0], nn.Conv2d) and model[0].out_channels == 8
    assert isinstance(model[-1], nn.Linear) and model[-1].out_features == 10
    assert sum(isinstance(layer, nn.ReLU) for layer in model) == 1
    assert [type(layer).__name__ for layer in model.children()][2] == "Flatten"
    assert model(torch.zeros(2, 3, 4, 4)).shape == (2, 10)

# %%
#| wrong: isinstance
#| because: another non-linearity stands in the middle
def make_cnn():
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Tanh(), nn.Flatten(), nn.Linear(8 * 16, 10))

# %%
#| wrong: isinstance
#| because: it has too few channels
def make_cnn():
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 16, 10))

# %% [markdown]
# <!--| question: issubclass -->
# ## issubclass

# %%
#| answer: issubclass
class Attention(nn.Module):
    ### BEGIN SOLUTION
    def __init__(self, n):
        super().__init__()
        self.scale = n**-0.5

    def forward(self, q, k, v):
        return (q @ k.mT * self.scale).softmax(dim=-1) @ v
    ### END SOLUTION

# %%
#| tests: issubclass
@test_case(points=1)
def test_is_a_module(Attention):
    assert issubclass(Attention, nn.Module)
    assert isinstance(Attention(4), Attention) and isinstance(Attention(4), nn.Module)
    x = torch.ones(1, 3, 4)
    assert torch.allclose(Attention(4)(x, x, x), x)

# %%
#| wrong: issubclass
#| because: it is no module, and a network would not find it
class Attention:
    def __init__(self, n):
        self.scale = n**-0.5

    def __call__(self, q, k, v):
        return (q @ k.mT * self.scale).softmax(dim=-1) @ v

# %% [markdown]
# <!--| question: init-in-place -->
# ## A function that sets the test's weights

# %%
#| answer: init-in-place
def init_weights(model):
    ### BEGIN SOLUTION
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=(2 / layer.in_features) ** 0.5)
            nn.init.zeros_(layer.bias)
    ### END SOLUTION

# %%
#| tests: init-in-place
@test_case(points=1)
def test_spread(init_weights):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(200, 300), nn.ReLU(), nn.Linear(300, 400))
    init_weights(model)
    for layer, n in ((model[0], 200), (model[2], 300)):
        assert abs(layer.weight.std().item() * (n / 2) ** 0.5 - 1) < 0.05
        assert torch.all(layer.bias == 0)

# %%
#| wrong: init-in-place
#| because: the spread depends on the outputs, not on the inputs
def init_weights(model):
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=(2 / layer.out_features) ** 0.5)
            nn.init.zeros_(layer.bias)

# %%
#| wrong: init-in-place
#| because: only the first layer is set
def init_weights(model):
    nn.init.normal_(model[0].weight, std=(2 / model[0].in_features) ** 0.5)
    nn.init.zeros_(model[0].bias)

# %% [markdown]
# <!--| question: frozen -->
# ## Frozen parameters

# %%
#| answer: frozen
class Finetuned(nn.Module):
    ### BEGIN SOLUTION
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(4, 8), nn.ReLU())
        self.head = nn.Linear(8, 2)
        for p in self.backbone.parameters():
            p.requires_grad_(False)

    def forward(self, x):
        return self.head(self.backbone(x))
    ### END SOLUTION

# %%
#| tests: frozen
@test_case(points=1)
def test_only_the_head_learns(Finetuned):
    model = Finetuned()
    assert not any(p.requires_grad for p in model.backbone.parameters())
    assert all(p.requires_grad for p in model.head.parameters())
    model(torch.randn(3, 4)).sum().backward()
    assert model.head.weight.grad is not None and model.backbone[0].weight.grad is None

# %%
#| wrong: frozen
#| because: nothing is frozen
class Finetuned(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(4, 8), nn.ReLU())
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        return self.head(self.backbone(x))

# %%
#| wrong: frozen
#| because: the head is frozen, too
class Finetuned(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(4, 8), nn.ReLU())
        self.head = nn.Linear(8, 2)
        self.requires_grad_(False)

    def forward(self, x):
        return self.head(self.backbone(x))

# %% [markdown]
# <!--| question: tied-weights -->
# ## Two names for one parameter

# %%
#| answer: tied-weights
class Autoencoder(nn.Module):
    ### BEGIN SOLUTION
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(7, 3)
        self.out = nn.Linear(3, 7, bias=False)
        self.out.weight = self.embed.weight

    def forward(self, x):
        return self.out(self.embed(x))
    ### END SOLUTION

# %%
#| tests: tied-weights
@test_case(points=1)
def test_one_matrix(Autoencoder):
    model = Autoencoder()
    assert model.out.weight is model.embed.weight
    assert len(list(model.parameters())) == 1
    with torch.no_grad():
        model.embed.weight[0] = 1.0
    assert torch.equal(model.out.weight[0], torch.ones(3))

# %%
#| wrong: tied-weights
#| because: the matrix is copied, not shared
class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(7, 3)
        self.out = nn.Linear(3, 7, bias=False)
        self.out.weight = nn.Parameter(self.embed.weight.detach().clone())

    def forward(self, x):
        return self.out(self.embed(x))

# %% [markdown]
# <!--| question: deep-copy -->
# ## Deep copies

# %%
#| answer: deep-copy
class Average(nn.Module):
    ### BEGIN SOLUTION
    def __init__(self, model):
        super().__init__()
        self.model = copy.deepcopy(model)

    @torch.no_grad()
    def update(self, model, decay=0.9):
        for mine, new in zip(self.model.parameters(), model.parameters()):
            mine.mul_(decay).add_(new, alpha=1 - decay)
    ### END SOLUTION

# %%
#| tests: deep-copy
import copy


@test_case(points=1)
def test_a_copy_goes_its_own_way(Average):
    net = nn.Linear(1, 1)
    nn.init.constant_(net.weight, 0.0)
    average = Average(net)
    before = copy.deepcopy(average)
    nn.init.constant_(net.weight, 1.0)
    assert average.model.weight.item() == 0.0
    average.update(net)
    assert abs(average.model.weight.item() - 0.1) < 1e-6
    assert before.model.weight.item() == 0.0

# %%
#| wrong: deep-copy
#| because: average and model are the same network
class Average(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    @torch.no_grad()
    def update(self, model, decay=0.9):
        for mine, new in zip(self.model.parameters(), model.parameters()):
            mine.mul_(decay).add_(new, alpha=1 - decay)

# %%
#| wrong: deep-copy
#| because: the two weights are exchanged
class Average(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = copy.deepcopy(model)

    @torch.no_grad()
    def update(self, model, decay=0.9):
        for mine, new in zip(self.model.parameters(), model.parameters()):
            mine.mul_(1 - decay).add_(new, alpha=decay)
