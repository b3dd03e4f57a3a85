"""Random small programs: vmap(f) is the stack of f(example), and so are its gradients."""

import numpy as np
from hypothesis import given, strategies as st

import npg

# Each step takes the value so far, x, and one of the inputs, y, all of shape (3, 4) for one example, and gives that
# shape again. The last group has no rule, draws nothing and loops.
STEPS = {
    "add": lambda x, y: x + y,
    "mul": lambda x, y: x * y * 0.5,
    "sub mean": lambda x, y: x - y.mean(0),
    "matmul": lambda x, y: (x @ y.T).tanh() @ y,
    "einsum": lambda x, y: npg.einsum("ij,kj->ik", x, y).sum(1, keepdim=True) * 0.1 + y,
    "softmax": lambda x, y: x.softmax(-1) + y,
    "layer_norm": lambda x, y: npg.nn.functional.layer_norm(x, (4,), y[0], y[1]),
    "gelu": lambda x, y: npg.nn.functional.gelu(x + y),
    "where": lambda x, y: npg.where(x > y, x, y * 0.5),
    "reshape": lambda x, y: x.reshape(4, 3).T.reshape(3, 4) + y,
    "roll by cat": lambda x, y: npg.cat([x[1:], y[:1]]),
    "stack": lambda x, y: npg.stack([x, y]).amax(0),
    "index": lambda x, y: x[:, [3, 0, 0, 1]] + y,
    "argmax": lambda x, y: x[x.argmax(0)[:3]] * 0.5,
    "cumsum": lambda x, y: x.cumsum(1) * 0.2 + y,
    "flip": lambda x, y: x.flip(0) * y,
    "in place": lambda x, y: (x - y).mul_(y).add_(1),
    "set row": lambda x, y: _set(x, y),
    "var": lambda x, y: (x - x.mean()) / (x.var(1, keepdim=True) + y.square() + 1),
    "loss": lambda x, y: x * npg.nn.functional.mse_loss(x, y).sigmoid(),
    "gradient": lambda x, y: npg.func.grad(lambda t: (t.sin() * y).sum())(x),
    "inner vmap": lambda x, y: npg.func.vmap(lambda a, b: a * b.sum(), (1, None), 1)(x, y) * 0.1,
    "roll": lambda x, y: npg.roll(x, 1, 0) + y,
    "diag": lambda x, y: npg.diag_embed(x).sum(1) + y,
    "scatter": lambda x, y: x.scatter_add(0, (y > 0.5).long(), y) * 0.5,
    "solve": lambda x, y: npg.linalg.solve(y @ y.T + 3 * npg.eye(3, dtype=npg.float64), x),
    "searchsorted": lambda x, y: npg.searchsorted(y[0].sort().values, x) * 0.1 + y,
}
LOOPS = {"solve", "searchsorted"}


def _set(x, y):
    x = x + y  # a new one, and batched where y is
    x[1] = y[0] * 2
    x[:, 2:] += y[:, :2]
    return x


def program(steps):
    def f(*inputs):
        x = inputs[0]
        for name, which in steps:
            x = STEPS[name](x, inputs[which])
        return x

    return f


@given(
    st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 2)), min_size=1, max_size=5),
    st.lists(st.sampled_from([0, 1, 2, None]), min_size=3, max_size=3).filter(lambda d: d != [None] * 3),
    st.sampled_from([0, 1, -1]),
    st.integers(1, 3),
    st.integers(0, 2**16),
)
def test_vmap_is_the_stack_of_a_loop(steps, in_dims, out_dim, size, seed):
    rng = np.random.default_rng(seed)
    f = program(steps)
    args = []
    for d in in_dims:
        a = rng.uniform(0.1, 1.0, (3, 4))
        if d is not None:
            a = np.stack([a, *[rng.uniform(0.1, 1.0, (3, 4)) for _ in range(size - 1)]], d)
        args.append(npg.tensor(a, requires_grad=True))
    with npg.func.vmap_report() as report:
        found = npg.func.vmap(f, tuple(in_dims), out_dim)(*args)
    if not any(name in LOOPS for name, _ in steps):
        assert not report.looped
    rows = [f(*[x if d is None else x.select(d, i) for x, d in zip(args, in_dims, strict=True)]) for i in range(size)]
    expected = npg.movedim(npg.stack(rows), 0, out_dim)
    assert found.shape == expected.shape and found.dtype is expected.dtype
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=1e-9, atol=1e-11)
    assert found.requires_grad == expected.requires_grad
    if found.requires_grad:
        weights = npg.tensor(rng.uniform(-1, 1, found.shape))
        pairs = [
            npg.autograd.grad(y, args, weights, allow_unused=True, materialize_grads=True) for y in (found, expected)
        ]
        for g, e in zip(*pairs, strict=True):
            np.testing.assert_allclose(g.numpy(), e.numpy(), rtol=1e-7, atol=1e-9)


@given(
    st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 1)), min_size=1, max_size=3),
    st.integers(1, 3),
    st.integers(0, 2**16),
)
def test_vmap_of_grad_is_the_stack_of_grads(steps, size, seed):
    rng = np.random.default_rng(seed)
    f = program(steps)
    x, w = npg.tensor(rng.uniform(0.1, 1.0, (size, 3, 4))), npg.tensor(rng.uniform(0.1, 1.0, (3, 4)))
    gradient = npg.func.grad(lambda w, x: (f(w, x) ** 2).sum())
    found = npg.func.vmap(gradient, (None, 0))(w, x)
    expected = npg.stack([gradient(w, x[i]) for i in range(size)])
    assert not found.requires_grad
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-7, atol=1e-9)
