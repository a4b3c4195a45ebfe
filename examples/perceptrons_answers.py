"""What the sample students answered in perceptrons: right answers in a student's words, and typical slips that others made.

Keys are parts; a short answer is the value alone, everything else the whole text of the answer cell.
"""

PERCEPTRONS = {
    "single-layer-feedforward-blanks-p1": '("one", "one", "no", "feedback")',
    "single-layer-feedforward-blanks-p2": """\
def is_feedforward(A):
    A = np.array(A)
    n = len(A)
    # reach[i, j]: can I get from i to j?
    reach = A != 0
    for k in range(n):
        for i in range(n):
            for j in range(n):
                if reach[i, k] and reach[k, j]:
                    reach[i, j] = True
    for i in range(n):
        if reach[i, i]:
            return False
    return True""",
    "perceptron-step-and-sigmoid-p1": "(True, True, False)",
    "perceptron-step-and-sigmoid-p2": "(0.5, -1)",
    "perceptron-step-and-sigmoid-p3": "(True, False, False)",
    "perceptron-step-and-sigmoid-p4": """\
def perceptron(X, w, b):
    z = np.array(X) @ np.array(w) + b
    return (z > 0).astype(int)


def sigmoid(z):
    z = np.asarray(z, dtype=float)
    e = np.exp(-np.abs(z))      # never larger than 1
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))""",
    "slp-sums-and-gate-p1": "(-2.5, -1.5, -1.5, -0.5)",
    "slp-sums-and-gate-p2": "(-0.25, 0.75, 0.75, 1.75)",
    "slp-sums-and-gate-p3": '"b"',
    "slp-sums-and-gate-p4": """\
def gate_of(b):
    fires = [x1 + x2 + b > 0 for x1 in (0, 1) for x2 in (0, 1)]
    how_many = sum(fires)
    return {0: "OFF", 1: "AND", 3: "OR", 4: "ON"}[how_many]""",
    "perceptron-and-gate-p1": "True",
    "perceptron-and-gate-p2": """\
def and_weights(n):
    # all on: at least n - 0.5, one off: at most n - 0.5, so the threshold goes right between
    return np.ones(n), n - 0.5""",
    "perceptron-and-gate-p3": """\
def truth_table(w, threshold):
    rows = []
    for bits in product((0, 1), repeat=len(w)):
        s = sum(wi * xi for wi, xi in zip(w, bits))
        rows.append(list(bits) + [1 if s > threshold else 0])
    return np.array(rows)""",
    "perceptron-learning-rule-p1": "(0.7, 0.6, 0.6)",
    "perceptron-learning-rule-p2": """\
def train_perceptron(X, y, eta=1.0, max_epochs=100):
    X = np.array(X, dtype=float)
    w = np.zeros(X.shape[1])
    b = 0.0
    mistakes = []
    for epoch in range(max_epochs):
        wrong = 0
        for x, t in zip(X, y):
            pred = 1 if w @ x + b > 0 else 0
            if pred != t:
                w = w + eta * (t - pred) * x
                b = b + eta * (t - pred)
                wrong += 1
        mistakes.append(wrong)
        if wrong == 0:
            break
    return w, b, mistakes""",
    "perceptron-learning-rule-p3": '{"a", "b"}',
    "smallest-xor-network-p1": "(True, True, True)",
    "smallest-xor-network-p2": """\
def xor_layered():
    # first unit: OR, second unit: AND. XOR = OR and not AND
    W1 = np.array([[1.0, 1.0], [1.0, 1.0]])
    b1 = np.array([-0.5, -1.5])
    w2 = np.array([1.0, -1.0])
    return W1, b1, w2, -0.5""",
    "smallest-xor-network-p3": """\
def xor_skip():
    return np.array([1.0, 1.0]), -1.5, np.array([1.0, 1.0]), -2.0, -0.5""",
    "smallest-xor-network-p4": "(9, 7)",
    "smallest-xor-network-p5": """\
def xor_contradiction():
    # rows (0,0), (0,1), (1,0), (1,1): fires -> +, silent -> -
    G = np.array([[0, 0, -1], [0, 1, 1], [1, 0, 1], [-1, -1, -1]])
    return G, np.array([1, 1, 1, 1])""",
    "smallest-xor-network-p6": """\
def search(nets, activation):
    best = 0
    tables = set()
    for w1, w2, b, v, c in nets:
        out = v * activation(CORNERS @ np.array([w1, w2]) + b) + c > 0
        tables.add(tuple(out.tolist()))
        best = max(best, np.mean(out == XOR))
    return float(best), len(tables)""",
    "smallest-xor-network-p7": '"a"',
    "sigmoid-neuron-quadratic-cost-p1": "lambda y, a: np.mean((y - a) ** 2) / 2",
    "sigmoid-neuron-quadratic-cost-p2": "(0.622459, 0.071268, -0.044361, -0.088724)",
    "sigmoid-neuron-quadratic-cost-p3": """\
def cost_and_grad(w, b, X, y):
    n = len(y)
    a = sigmoid(X @ w + b)
    C = ((y - a) ** 2).sum() / (2 * n)
    delta = (a - y) * a * (1 - a)
    return C, X.T @ delta / n, delta.sum() / n""",
    "sigmoid-neuron-quadratic-cost-p4": '"b"',
    "training-as-minimisation-p1": '"b"',
    "training-as-minimisation-p2": '("descent", "-")',
    "training-as-minimisation-p3": """\
def train(X, y, eta, steps):
    w, b, costs = np.zeros(X.shape[1]), 0.0, []
    for i in range(steps):
        C, dw, db = cost_and_grad(w, b, X, y)
        costs.append(C)
        w = w - eta * dw
        b = b - eta * db
    return w, b, costs""",
    "mlp-is-trained-with-labels-p1": "(True, False, True)",
    "mlp-is-trained-with-labels-p2": """\
def loss_curve(task, X, labels, seed, steps=20):
    net = make_net(seed)
    losses = []
    for i in range(steps):
        if task == "classify":
            loss = F.cross_entropy(net(X), labels)
        else:
            loss = F.mse_loss(net(X), X)
        losses.append(loss.item())
        descend(net, loss)
    return losses


def labels_matter(task, X, labels, order, seed):
    return loss_curve(task, X, labels, seed) != loss_curve(task, X, labels[order], seed)""",
    "rosenblatt-vs-backprop-era-p1": '"b"',
    "rosenblatt-vs-backprop-era-p2": '{"a", "b", "c", "e"}',
    "rosenblatt-vs-backprop-era-p3": """\
def gradient_sums(W1, b1, w2, b2, hidden):
    X = torch.tensor(CORNERS)
    t = torch.tensor(XOR)
    W1 = torch.tensor(W1, dtype=torch.float64, requires_grad=True)
    w2 = torch.tensor(w2, dtype=torch.float64, requires_grad=True)
    z = X @ W1.T + torch.tensor(b1)
    h = torch.sigmoid(z) if hidden == "sigmoid" else (z > 0).double()
    a = torch.sigmoid(h @ w2 + b2)
    cost = ((a - t) ** 2).mean() / 2
    cost.backward()
    first = 0.0 if W1.grad is None else W1.grad.abs().sum().item()
    return first, w2.grad.abs().sum().item()""",
    "rosenblatt-vs-backprop-era-p4": (
        "A threshold unit is flat everywhere except at the jump, so by the chain rule the gradient for the first layer is 0 and gradient descent does not move it.\n\n"
        "Rosenblatt's rule compares the output of a unit with its target. For a *hidden* unit nobody can say what the target is."
    ),
    "universal-approximation-by-construction-p1": '"a"',
    "universal-approximation-by-construction-p2": "(False, False, True)",
    "universal-approximation-by-construction-p3": """\
def relu_interpolant(xs, ys):
    xs, ys = np.array(xs, dtype=float), np.array(ys, dtype=float)
    slopes = np.diff(ys) / np.diff(xs)
    w1 = np.ones(len(xs) - 1)
    b1 = -xs[:-1]
    w2 = np.diff(slopes, prepend=0)   # only the change of the slope
    return w1, b1, w2, ys[0]""",
    "universal-approximation-by-construction-p4": """\
def max_error(m, x):
    xs = np.linspace(x[0], x[-1], m)
    w1, b1, w2, b2 = relu_interpolant(xs, np.sin(xs))
    net = np.maximum(np.outer(x, w1) + b1, 0) @ w2 + b2
    return np.abs(net - np.sin(x)).max()


# [max_error(m, dense) for m in (11, 21, 41)]  -> about 4 times smaller each time, because the error goes with the square of the distance""",
}

#: What somebody types who has listened, but not closely.
PERCEPTRON_SLIPS = {
    "single-layer-feedforward-blanks-p1": '("one", "one", "one", "feedback")',
    "single-layer-feedforward-blanks-p2": """\
def is_feedforward(A):
    A = np.array(A)
    for i in range(len(A)):
        for j in range(len(A)):
            if A[i][j] != 0 and A[j][i] != 0:
                return False
    return True""",
    "perceptron-step-and-sigmoid-p1": "(True, True, True)",
    "perceptron-step-and-sigmoid-p2": "(-1.0, -1.0)",
    "perceptron-step-and-sigmoid-p4": """\
def perceptron(X, w, b):
    return (X @ w + b >= 0) * 1

def sigmoid(z):
    return 1 / (1 + np.exp(-z))""",
    "slp-sums-and-gate-p1": "[2.5, 3.5, 3.5, 4.5]",
    "slp-sums-and-gate-p2": "[-0.5, 0.5, 0.5, 1.5]",
    "slp-sums-and-gate-p3": '"c"',
    "slp-sums-and-gate-p4": '''\
def gate_of(b):
    if b < -2:
        return "OFF"
    elif b < -1:
        return "AND"
    elif b < 0:
        return "OR"
    else:
        return "ON"''',
    "perceptron-and-gate-p1": '"true"',
    "perceptron-and-gate-p2": """\
def and_weights(n):
    return [1] * n, n - 0.9""",
    "perceptron-and-gate-p3": """\
def truth_table(w, threshold):
    X = np.array(list(product([0, 1], repeat=len(w))))
    y = X @ w >= threshold
    return np.hstack([X, y[:, None]])""",
    "perceptron-learning-rule-p1": "(0.2, -0.4, 0.1)",
    "perceptron-learning-rule-p2": """\
def train_perceptron(X, y, eta=1.0, max_epochs=100):
    X = np.array(X)
    y = np.array(y)
    w = np.zeros(X.shape[1])
    b = 0
    mistakes = []
    for i in range(max_epochs):
        pred = (X @ w + b > 0).astype(int)
        err = y - pred
        mistakes.append(int(abs(err).sum()))
        w += eta * err @ X     # all at once is faster
        b += eta * err.sum()
        if mistakes[-1] == 0:
            break
    return w, b, mistakes""",
    "perceptron-learning-rule-p3": '{"a", "b", "d"}',
    "smallest-xor-network-p4": "(6, 5)",
    "smallest-xor-network-p7": '"b"',
    "sigmoid-neuron-quadratic-cost-p1": "lambda y, a: (y - a) ** 2 / 2",
    "sigmoid-neuron-quadratic-cost-p2": "(0.6224593, 0.1425370, -0.0887235, -0.1774469)",
    "sigmoid-neuron-quadratic-cost-p3": """\
def cost_and_grad(w, b, X, y):
    a = sigmoid(X @ w + b)
    C = np.mean((y - a) ** 2) / 2
    d = (a - y)
    return C, X.T @ d / len(y), np.mean(d)""",
    "sigmoid-neuron-quadratic-cost-p4": '"a"',
    "training-as-minimisation-p2": '("ascent", "+")',
    "training-as-minimisation-p3": """\
def train(X, y, eta, steps):
    w = np.zeros(X.shape[1])
    b = 0
    costs = []
    for _ in range(steps):
        C, dw, db = cost_and_grad(w, b, X, y)
        w += eta * dw
        b += eta * db
        costs.append(C)
    return w, b, costs""",
    "mlp-is-trained-with-labels-p1": "(True, True, False)",
    "rosenblatt-vs-backprop-era-p1": '"c"',
    "rosenblatt-vs-backprop-era-p2": '{"a", "b", "c", "d", "e"}',
    "rosenblatt-vs-backprop-era-p4": "Because computers were too slow in 1958.",
}

#: Follows the rule until there are no mistakes left. On XOR that day never comes.
TRAINS_FOR_EVER = """\
def train_perceptron(X, y, eta=1.0, max_epochs=100):
    w = np.zeros(len(X[0]))
    b = 0.0
    mistakes = []
    while True:
        m = 0
        for x, t in zip(X, y):
            x = np.array(x)
            p = int(w @ x + b > 0)
            if p != t:
                w += eta * (t - p) * x
                b += eta * (t - p)
                m += 1
        mistakes.append(m)
        if m == 0:
            return w, b, mistakes"""

TRAINS_AND_PRINTS = """\
def train_perceptron(X, y, eta=1.0, max_epochs=100):
    w, b, mistakes = np.zeros(len(X[0])), 0.0, []
    for epoch in range(max_epochs):
        m = 0
        for i in range(len(X)):
            x = np.array(X[i], dtype=float)
            p = int(w @ x + b > 0)
            print("epoch", epoch, "example", i, "w =", w, "b =", b, "prediction", p)
            if p != y[i]:
                w = w + eta * (y[i] - p) * x
                b = b + eta * (y[i] - p)
                m += 1
        mistakes.append(m)
        if m == 0:
            break
    return w, b, mistakes


for k in range(20):
    train_perceptron(CORNERS, XOR)"""
