"""What the sample students answered in activations, as in perceptrons_answers.py."""

ACTIVATIONS = {
    "why-nonlinearity-linear-collapse-p1": "(1, 3, 3.5)",
    "why-nonlinearity-linear-collapse-p2": """\
def collapse(layers):
    W, b = layers[0]
    for W_next, b_next in layers[1:]:
        W = W_next @ W
        b = W_next @ b + b_next
    return W, b""",
    "why-nonlinearity-linear-collapse-p3": "(0.5, 0.5, 0.5, 0.5, 0.25)",
    "why-nonlinearity-linear-collapse-p4": """\
def xor_weights():
    W1 = np.array([[1.0, 1.0], [1.0, 1.0]])
    b1 = np.array([0.0, -1.0])
    W2 = np.array([[1.0, -2.0]])   # take the AND away twice
    b2 = np.array([0.0])
    return W1, b1, W2, b2""",
    "why-nonlinearity-linear-collapse-p5": """\
def merge(l1, l2):
    W1, W2 = l1.weight.detach(), l2.weight.detach()
    new = nn.Linear(W1.shape[1], W2.shape[0], dtype=W1.dtype)
    b = torch.zeros(W2.shape[0], dtype=W1.dtype)
    if l1.bias is not None:
        b = b + W2 @ l1.bias.detach()
    if l2.bias is not None:
        b = b + l2.bias.detach()
    new.weight.data = W2 @ W1
    new.bias.data = b
    return new""",
    "why-nonlinearity-linear-collapse-p6": "64",
    "name-the-leaky-relu-p1": '"b"',
    "name-the-leaky-relu-p2": '"a"',
    "name-the-leaky-relu-p3": """\
def two_slopes(x, a):
    return np.where(x > 0, x, a * x)


def two_slopes_backward(g, x, a):
    dx = g * np.where(x > 0, 1.0, a)
    da = (g * x)[x < 0].sum()
    return dx, da""",
    "activation-functions-p1": """\
def plot_activations(a):
    x = np.linspace(-6, 6, 1201)
    s = 1 / (1 + np.exp(-x))
    fig, (ax1, ax2) = plt.subplots(1, 2, figsize=(10, 4))
    ax1.plot(x, s, label="sigmoid")
    ax1.plot(x, np.tanh(x), label="tanh")
    ax1.plot(x, np.maximum(x, 0), label="ReLU")
    ax1.plot(x, np.where(x > 0, x, a * x), label="leaky ReLU")
    # nan at 0, so that no line is drawn across the jump
    jump = np.where(x > 0, 1.0, 0.0)
    jump[x == 0] = np.nan
    ax2.plot(x, s * (1 - s), label="sigmoid")
    ax2.plot(x, 1 - np.tanh(x) ** 2, label="tanh")
    ax2.plot(x, jump, label="ReLU")
    ax2.plot(x, a + (1 - a) * jump, label="leaky ReLU")
    ax1.set_title("f(x)")
    ax2.set_title("f'(x)")
    ax1.legend()
    ax2.legend()
    return fig


plot_activations(0.1);""",
    "activation-functions-p2": "(0.25, 0.045177, 0.006648, 1, 0.009866)",
    "activation-functions-p3": "1 / np.sqrt(2 * np.pi)",
    "activation-functions-p4": "0.25 ** 10",
    "activation-functions-p5": """\
def value_and_slope(name, x, a=0.01):
    x = np.asarray(x)
    if x.dtype != np.float32:
        x = x.astype(float)
    if name == "sigmoid":
        e = np.exp(-np.abs(x))
        s = np.where(x >= 0, 1 / (1 + e), e / (1 + e)).astype(x.dtype)
        return s, s * (1 - s)
    elif name == "tanh":
        t = np.tanh(x)
        return t, 1 - t * t
    elif name == "relu":
        return np.maximum(x, 0), (x > 0).astype(x.dtype)
    else:
        slope = np.where(x > 0, 1, a).astype(x.dtype)
        return x * slope, slope""",
    "activation-functions-p6": '"c"',
    "activation-functions-p7": "(1, 0.5, 0, 0.1, 0.5)",
    "activation-functions-p8": "(False, True, False)",
    "activation-functions-p9": """\
def sigmoid_jacobian(x):
    s = 1 / (1 + np.exp(-x))
    return np.diag(s * (1 - s))


def sigmoid_vjp(x, v):
    s = 1 / (1 + np.exp(-x))
    return v * s * (1 - s)""",
    "activation-functions-p10": """\
def gradient_norms(weights, act, x):
    f = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}[act]
    Ws = [W.clone().detach().requires_grad_(True) for W in weights]
    h = x
    for W in Ws:
        h = f(h @ W.T)
    (h ** 2).mean().backward()
    return [W.grad.norm().item() for W in Ws]""",
    "activation-functions-p11": '{"a", "b", "d", "e"}',
    "relu-versus-sigmoid-gradient-p1": '{"a", "b", "c"}',
    "relu-versus-sigmoid-gradient-p2": "(0.25, 0.25**20)",
    "relu-versus-sigmoid-gradient-p3": """\
def compare_starts(x, raw):
    xavier, kaiming = [], []
    for W in raw:
        n_out, n_in = W.shape
        xavier.append(W * np.sqrt(2 / (n_in + n_out)))
        kaiming.append(W * np.sqrt(2 / n_in))
    return {"sigmoid": gradient_norms(xavier, "sigmoid", x), "relu": gradient_norms(kaiming, "relu", x)}""",
    "relu-versus-sigmoid-gradient-p4": """\
def zero_share(z):
    z = torch.as_tensor(z)
    return (torch.relu(z) == 0).double().mean().item(), (torch.sigmoid(z) == 0).double().mean().item()""",
    "relu-versus-sigmoid-gradient-p5": '[np.log10(n[0] / n[-1]) for n in [gradient_norms(stack30, f, batch30) for f in ("sigmoid", "tanh")]]',
    "relu-versus-sigmoid-gradient-p6": '"a"',
    "saturated-logistic-units-under-sgd-p1": '"b"',
    "saturated-logistic-units-under-sgd-p2": "(True, True, True)",
    "saturated-logistic-units-under-sgd-p3": "(5.98645, 2.99322)",
    "saturated-logistic-units-under-sgd-p4": "-np.exp(8) ** 2 / (1 + np.exp(8)) ** 3",
    "saturated-logistic-units-under-sgd-p5": """\
def epochs_to(act, seed, max_epochs, target=0.1):
    X, y = make_task(seed)
    net = make_net(act, seed)
    opt = torch.optim.SGD(net.parameters(), lr=0.3, momentum=0.9)
    for epoch in range(max_epochs):
        one_epoch(net, opt, X, y)
        if loss_of(net, X, y).item() < target:
            return epoch + 1
    return None""",
    "dead-relu-units-p1": '"b"',
    "dead-relu-units-p2": """\
def dead_units(layer, X):
    with torch.no_grad():
        out = torch.relu(layer(X))
    dead = []
    for j in range(out.shape[1]):
        if (out[:, j] == 0).all():
            dead.append(j)
    return dead""",
    "dead-relu-units-p3": """\
def silenced_gradients(W, b, v, X, y, unit):
    result = []
    for f in (torch.relu, lambda z: nn.functional.leaky_relu(z, 0.01)):
        W_ = W.clone().requires_grad_(True)
        b_ = b.clone()
        b_[unit] = -100.0
        loss = ((f(X @ W_.T + b_) @ v - y) ** 2).mean()
        loss.backward()
        result.append(W_.grad[unit].norm().item())
    return tuple(result)""",
    "dead-relu-units-p4": '{"a", "b", "c", "d"}',
    "dead-relu-units-p5": """\
def dead_shares(rates, run_seed):
    shares = {}
    for lr in rates:
        W, b, X = train_hidden(lr, run_seed)
        z = X @ W.T + b
        dead = (z <= 0).all(dim=0)
        shares[lr] = dead.sum().item() / len(dead)
    return shares""",
    "activation-table-smooth-p1": """\
def act(name, x):
    x = np.asarray(x, dtype=float)
    if name == "identity":
        return x
    if name == "step":
        return np.where(x >= 0, 1.0, 0.0)
    if name == "sigmoid":
        return 0.5 * (1 + np.tanh(x / 2))     # the same thing, and no overflow
    if name == "tanh":
        return np.tanh(x)
    if name == "softsign":
        return x / (1 + np.abs(x))
    if name == "arctan":
        return np.arctan(x)
    if name == "arsinh":
        return np.arcsinh(x)
    if name == "softplus":
        return np.logaddexp(0, x)
    if name == "bent_identity":
        return (np.sqrt(x**2 + 1) - 1) / 2 + x
    if name == "sine":
        return np.sin(x)
    if name == "sinc":
        return np.sinc(x / np.pi)
    if name == "gaussian":
        return np.exp(-x**2)
    raise ValueError(name)


def dact(name, x):
    x = np.asarray(x, dtype=float)
    if name == "identity":
        return np.ones_like(x)
    if name == "step":
        return np.zeros_like(x)
    if name in ("sigmoid", "softplus"):
        s = act("sigmoid", x)
        return s * act("sigmoid", -x) if name == "sigmoid" else s
    if name == "tanh":
        return 1 - np.tanh(x)**2
    if name == "softsign":
        return 1 / (1 + np.abs(x))**2
    if name == "arctan":
        return 1 / (1 + x**2)
    if name == "arsinh":
        return 1 / np.sqrt(x**2 + 1)
    if name == "bent_identity":
        return x / (2 * np.sqrt(x**2 + 1)) + 1
    if name == "sine":
        return np.cos(x)
    if name == "sinc":
        safe = np.where(x == 0, 1.0, x)
        return np.where(x == 0, 0.0, (np.cos(safe) - np.sin(safe) / safe) / safe)
    if name == "gaussian":
        return -2 * x * np.exp(-x**2)
    raise ValueError(name)""",
    "activation-table-smooth-p2": '{"a", "d", "e", "f", "g", "j"}',
    "activation-table-smooth-p3": "(True, False, True, False, False, True, True)",
    "activation-table-smooth-p4": "(0.622459, 0.462117, 0.235004, 0.786448, 0.25, 1)",
    "activation-table-smooth-p5": "(2, 2, -1)",
    "activation-table-relu-family-p1": """\
def straight(name, x, *params):
    x = np.asarray(x, dtype=float)
    if name == "prelu":
        a = np.asarray(params[0], dtype=float)
        if a.ndim == 1:     # one slope for each channel
            a = a.reshape([-1] + [1] * (x.ndim - 2))
        slope = np.where(x > 0, 1.0, a)
        return x * slope, slope
    if name == "brelu":
        slope = np.zeros(x.shape)
        slope[:, 0::2] = x[:, 0::2] > 0
        slope[:, 1::2] = x[:, 1::2] < 0
        return x * slope, slope
    if name == "srelu":
        t_l, a_l, t_r, a_r = params
        y = np.where(x >= t_r, t_r + a_r * (x - t_r), np.where(x <= t_l, t_l + a_l * (x - t_l), x))
        slope = np.where(x >= t_r, a_r, np.where(x <= t_l, a_l, 1.0))
        return y, slope
    y, slope = np.maximum(x, 0), np.where(x > 0, 1.0, 0.0)
    for a, b in zip(params[0], params[1]):
        y = y + a * np.maximum(b - x, 0)
        slope = slope - a * (x < b)
    return y, slope""",
    "activation-table-relu-family-p2": """\
def curved(name, x, alpha=1.0):
    x = np.asarray(x, dtype=float)
    lam = 1.0
    if name == "selu":
        lam, alpha = 1.0507, 1.67326
    e = np.exp(np.minimum(x, 0))
    return lam * np.where(x > 0, x, alpha * (e - 1)), lam * np.where(x > 0, 1.0, alpha * e)""",
    "activation-table-relu-family-p3": "-2.5",
    "activation-table-relu-family-p4": '"b"',
    "activation-table-relu-family-p5": '"b"',
    "activation-table-relu-family-p6": "(0, 16)",
    "softmax-jacobian-and-maxout-p1": "[[0.2247186, -0.1597636, -0.0649550], [-0.1597636, 0.1836592, -0.0238956], [-0.0649550, -0.0238956, 0.0888507]]",
    "softmax-jacobian-and-maxout-p2": "(0, 2)",
    "softmax-jacobian-and-maxout-p3": """\
def softmax(z, axis=-1):
    z = z - z.max(axis=axis, keepdims=True)
    e = np.exp(z)
    return e / e.sum(axis=axis, keepdims=True)


def softmax_vjp(p, g, axis=-1):
    return p * (g - (p * g).sum(axis=axis, keepdims=True))""",
    "softmax-jacobian-and-maxout-p4": """\
def maxout(x, k):
    N, C = x.shape
    return x.reshape(N, C // k, k).max(axis=2)


def maxout_backward(g, x, k):
    dx = np.zeros(x.shape)
    for n in range(x.shape[0]):
        for j in range(g.shape[1]):
            winner = np.argmax(x[n, j * k:(j + 1) * k])
            dx[n, j * k + winner] = g[n, j]
    return dx""",
    "softmax-jacobian-and-maxout-p5": "(True, True, False, True)",
}

ACTIVATION_SLIPS = {
    "why-nonlinearity-linear-collapse-p1": "(5, 3, 3.5)",
    "why-nonlinearity-linear-collapse-p2": """\
def collapse(layers):
    W, b = layers[0]
    for W2, b2 in layers[1:]:
        W = W2 @ W
        b = b + b2
    return W, b""",
    "why-nonlinearity-linear-collapse-p3": "(0.5, 0.5, 0.5, 0.5, 1)",
    "why-nonlinearity-linear-collapse-p6": "512",
    "name-the-leaky-relu-p2": '"b"',
    "activation-functions-p2": "(0.5, 0.045177, 0.006648, 1, 0.009866)",
    "activation-functions-p3": "0.5",
    "activation-functions-p4": "0.5 ** 10",
    "activation-functions-p6": '"a"',
    "activation-functions-p11": '{"a", "b", "c", "d", "e"}',
    "relu-versus-sigmoid-gradient-p1": '{"a", "b", "c", "e"}',
    "relu-versus-sigmoid-gradient-p2": "(0.5, 0.5**20)",
    "saturated-logistic-units-under-sgd-p1": '"a"',
    "dead-relu-units-p2": """\
def dead_units(layer, X):
    out = torch.relu(layer(X))
    return [j for j in range(out.shape[1]) if (out[:, j] == 0).any()]""",
    "dead-relu-units-p4": '{"a", "c", "d", "e"}',
    "activation-table-relu-family-p6": "(2, 16)",
    "softmax-jacobian-and-maxout-p2": "(0, 3)",
    "softmax-jacobian-and-maxout-p3": """\
def softmax(z, axis=-1):
    e = np.exp(z)
    return e / e.sum(axis=axis, keepdims=True)


def softmax_vjp(p, g, axis=-1):
    return g * p * (1 - p)""",
}
