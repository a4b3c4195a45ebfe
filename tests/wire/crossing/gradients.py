# ---
# jupyter:
#   autogradient:
#     format: 1
#     title: Gradients
#     limits: {cell_s: 20, case_s: 10}
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Gradients

# %%
#| staff
# %load_ext autogradient.authoring

# %%
#| setup
import torch
from torch import nn

# %% [markdown]
# <!--| question: requires-grad -->
# ## Tensors that ask for gradients

# %%
#| answer: requires-grad
def init_params(sizes):
    ### BEGIN SOLUTION
    params = []
    for n, m in zip(sizes, sizes[1:]):
        W = (torch.randn(n, m) * 0.01).requires_grad_()
        params.append((W, torch.zeros(m, requires_grad=True)))
    return params
    ### END SOLUTION

# %%
#| tests: requires-grad
@test_case(points=1)
def test_leaves_with_gradients(init_params):
    params = init_params([4, 8, 3])
    assert [tuple(W.shape) for W, b in params] == [(4, 8), (8, 3)]
    for W, b in params:
        assert W.requires_grad and b.requires_grad
        assert W.is_leaf and b.is_leaf and W.grad is None
        assert W.abs().max() < 0.1 and torch.all(b == 0)

# %%
#| wrong: requires-grad
#| because: nobody asked for gradients
def init_params(sizes):
    return [(torch.randn(n, m) * 0.01, torch.zeros(m)) for n, m in zip(sizes, sizes[1:])]

# %%
#| wrong: requires-grad
#| because: a product is no leaf, and its .grad stays empty
def init_params(sizes):
    return [(torch.randn(n, m, requires_grad=True) * 0.01, torch.zeros(m, requires_grad=True)) for n, m in zip(sizes, sizes[1:])]

# %% [markdown]
# <!--| question: backward -->
# ## Backward through the student's function

# %%
#| answer: backward
def huber(pred, target, delta=1.0):
    ### BEGIN SOLUTION
    r = (pred - target).abs()
    return torch.where(r <= delta, 0.5 * r**2, delta * (r - 0.5 * delta)).mean()
    ### END SOLUTION

# %%
#| tests: backward
@test_case(points=1)
def test_gradient(huber):
    pred = torch.tensor([0.5, 3.0, -4.0], requires_grad=True)
    loss = huber(pred, torch.zeros(3))
    loss.backward()
    assert torch.allclose(loss, torch.tensor((0.125 + 2.5 + 3.5) / 3))
    assert torch.allclose(pred.grad, torch.tensor([0.5, 1.0, -1.0]) / 3)

# %%
#| wrong: backward
#| because: the way back is cut
def huber(pred, target, delta=1.0):
    r = (pred - target).abs()
    return torch.tensor(torch.where(r <= delta, 0.5 * r**2, delta * (r - 0.5 * delta)).mean().item())

# %%
#| wrong: backward
#| because: the value is right, but no gradient flows through the linear part
def huber(pred, target, delta=1.0):
    r = (pred - target).abs()
    return torch.where(r <= delta, 0.5 * r**2, (delta * (r - 0.5 * delta)).detach()).mean()

# %% [markdown]
# <!--| question: autograd-grad -->
# ## torch.autograd.grad for several inputs

# %%
#| answer: autograd-grad
def attention(q, k, v):
    ### BEGIN SOLUTION
    scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    return scores.softmax(dim=-1) @ v
    ### END SOLUTION

# %%
#| tests: autograd-grad
@test_case(points=1)
def test_gradients_of_all_three(attention):
    torch.manual_seed(3)
    qkv = [torch.randn(2, 5, 4, requires_grad=True) for _ in range(3)]
    weight = torch.randn(2, 5, 4)
    got = torch.autograd.grad((attention(*qkv) * weight).sum(), qkv)
    right = torch.autograd.grad((nn.functional.scaled_dot_product_attention(*qkv) * weight).sum(), qkv)
    for a, b in zip(got, right):
        torch.testing.assert_close(a, b)

# %%
#| wrong: autograd-grad
#| because: the scores are not scaled
def attention(q, k, v):
    return (q @ k.transpose(-1, -2)).softmax(dim=-1) @ v

# %%
#| wrong: autograd-grad
#| because: no gradient reaches the keys
def attention(q, k, v):
    scores = q @ k.detach().transpose(-1, -2) / q.shape[-1] ** 0.5
    return scores.softmax(dim=-1) @ v

# %% [markdown]
# <!--| question: function-apply -->
# ## An autograd.Function of the student's own

# %%
#| answer: function-apply
class StraightThrough(torch.autograd.Function):
    ### BEGIN SOLUTION
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sign()

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * (x.abs() <= 1)
    ### END SOLUTION

# %%
#| tests: function-apply
@test_case(points=1)
def test_forward_and_backward(StraightThrough):
    x = torch.tensor([-2.0, -0.5, 0.25, 3.0], requires_grad=True)
    y = StraightThrough.apply(x)
    assert y.tolist() == [-1, -1, 1, 1]
    (y * torch.tensor([1.0, 2.0, 3.0, 4.0])).sum().backward()
    assert x.grad.tolist() == [0, 2, 3, 0]

# %%
#| wrong: function-apply
#| because: the incoming gradient is left out
class StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sign()

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return (x.abs() <= 1).to(g.dtype)

# %%
#| wrong: function-apply
#| because: the gradient of sign is zero everywhere
class StraightThrough:
    @staticmethod
    def apply(x):
        return x.sign()

# %% [markdown]
# <!--| question: gradcheck -->
# ## gradcheck

# %%
#| answer: gradcheck
### BEGIN SOLUTION
class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return g * (s + x * s * (1 - s))


def swish(x):
    return Swish.apply(x)

### END SOLUTION

# %%
#| tests: gradcheck
@test_case(points=1)
def test_backward_agrees_with_differences(swish):
    x = torch.linspace(-2, 2, 6, dtype=torch.float64, requires_grad=True)
    assert torch.allclose(swish(x), nn.functional.silu(x))
    assert torch.autograd.gradcheck(swish, (x,))

# %%
#| wrong: gradcheck
#| because: half of the product rule is missing
class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * torch.sigmoid(x)


def swish(x):
    return Swish.apply(x)

# %% [markdown]
# <!--| question: second-derivatives -->
# ## Gradients of gradients

# %%
#| answer: second-derivatives
def gradient_penalty(critic, x):
    ### BEGIN SOLUTION
    x = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return ((slope.norm(dim=1) - 1) ** 2).mean()
    ### END SOLUTION

# %%
#| tests: second-derivatives
@test_case(points=1)
def test_penalty_trains_the_critic(gradient_penalty):
    critic = nn.Linear(2, 1)
    nn.init.constant_(critic.weight, 3.0)
    penalty = gradient_penalty(critic, torch.randn(5, 2))
    assert torch.allclose(penalty, torch.tensor((18**0.5 - 1) ** 2))
    penalty.backward()
    assert torch.allclose(critic.weight.grad, torch.full((1, 2), 2 * (18**0.5 - 1) / 2**0.5))

# %%
#| wrong: second-derivatives
#| because: without create_graph the penalty is a number that nothing can learn from
def gradient_penalty(critic, x):
    x = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(critic(x).sum(), x)
    return ((slope.norm(dim=1) - 1) ** 2).mean()

# %%
#| wrong: second-derivatives
#| because: the norm is taken over the whole batch
def gradient_penalty(critic, x):
    x = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return (slope.norm() - 1) ** 2
