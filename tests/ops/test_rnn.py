"""Recurrent layers against torch.lstm, gru, rnn_tanh and rnn_relu: results, gradients, and the bits of C and NumPy."""

import numpy as np
import pytest
import torch

import npg
from npg.engine import apply
from npg.kernels import core, parallel, recurrent
from npg.ops import rnn

GATES = {"tanh": 1, "relu": 1, "lstm": 4, "gru": 3}
# T, B, in, H, sizes of a packed batch
SHAPES = {
    "some": (5, 3, 4, 6, None),
    "one of all": (1, 1, 1, 1, None),
    "two parts": (3, 20, 5, 64, None),
    "parts of unlike size": (2, 70, 3, 65, None),
    "four parts": (2, 4, 3, 258, None),
    "packed": (None, 4, 3, 5, (4, 4, 2, 1)),
    "packed in parts": (None, 40, 3, 66, (40, 33, 20, 19, 3, 1)),
    "packed, all long": (None, 2, 3, 5, (2, 2)),
}


class Case:
    """A layer with drawn arrays: what op it is, and what torch and npg are given."""

    def __init__(self, kind, shape, reverse, bias, dtype, seed=0):
        self.kind, self.reverse, self.bias = kind, reverse, bias
        T, B, I, H, self.sizes = SHAPES[shape]
        rng, gates = np.random.default_rng(seed), GATES[kind]
        self.draw = lambda *s: (rng.standard_normal(s) / (1 + s[-1]) ** 0.5).astype(dtype)
        x = self.draw(T, B, I) if self.sizes is None else self.draw(sum(self.sizes), I)
        states = [self.draw(B, H) for _ in range(2 if kind == "lstm" else 1)]
        weights = [self.draw(gates * H, I), self.draw(gates * H, H)]
        weights += [self.draw(gates * H), self.draw(gates * H)] if bias else []
        self.arrays, self.hidden = [x, *states, *weights], H
        self.states = len(states)

    def torch(self):
        tensors = [torch.tensor(a, requires_grad=True) for a in self.arrays]
        x, states, weights = tensors[0], tensors[1 : 1 + self.states], tensors[1 + self.states :]
        function = getattr(torch, {"lstm": "lstm", "gru": "gru", "tanh": "rnn_tanh", "relu": "rnn_relu"}[self.kind])
        # Both directions with the same weights; one is looked at.
        states = [torch.stack([s, s]) for s in states]
        hx = states if self.kind == "lstm" else states[0]
        settings = (self.bias, 1, 0.0, False, True)
        if self.sizes is None:
            y, *last = function(x, hx, [*weights, *weights], *settings, False)
        else:
            y, *last = function(x, torch.tensor(self.sizes), hx, [*weights, *weights], *settings)
        k = int(self.reverse)
        return tensors, [y[..., k * self.hidden : (k + 1) * self.hidden], *(s[k] for s in last)]

    def npg(self, requires_grad=True):
        tensors = [npg.tensor(a, requires_grad=requires_grad) for a in self.arrays]
        inputs = tuple(tensors) if self.bias else (*tensors, None, None)
        return tensors, self.apply(inputs)

    @property
    def op(self):
        return {"lstm": rnn.lstm_layer, "gru": rnn.gru_layer}.get(self.kind, rnn.rnn_layer)

    def apply(self, inputs, function=None):
        params = {"sizes": self.sizes, "reverse": self.reverse}
        if self.kind in ("tanh", "relu"):
            params["nonlinearity"] = self.kind
        return apply(self.op, inputs, params) if function is None else function(*inputs, **params)


CASES = [
    (kind, shape, reverse, bias, dtype)
    for kind in GATES
    for shape in SHAPES
    for reverse, bias, dtype in ((False, True, "f4"), (True, False, "f8"), (True, True, "f4"))
]


def close(actual, expected, dtype):
    tolerance = 3e-6 if dtype == "f4" else 1e-13
    scale = max(1.0, float(abs(expected).max(initial=0)))
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * scale)


@pytest.mark.parametrize(("kind", "shape", "reverse", "bias", "dtype"), CASES)
def test_results_and_gradients_are_those_of_torch(kind, shape, reverse, bias, dtype):
    case = Case(kind, shape, reverse, bias, dtype)
    (tensors, outs), (xs, ys) = case.torch(), case.npg()
    for y, expected in zip(ys, outs, strict=True):
        close(y.detach().numpy(), expected.detach().numpy(), dtype)
    gs = [case.draw(*y.shape) for y in ys]
    expected = torch.autograd.grad(outs, tensors, [torch.tensor(g) for g in gs], retain_graph=True)
    for create_graph in (False, True):  # by the kernel, and by the composite
        grads = npg.autograd.grad(ys, xs, [npg.tensor(g) for g in gs], retain_graph=True, create_graph=create_graph)
        for g, e in zip(grads, expected, strict=True):
            close(g.detach().numpy(), e.numpy(), dtype)
    # Of the last state alone, and of all steps alone.
    for i in (0, 1):
        expected = torch.autograd.grad(outs[i], tensors, torch.tensor(gs[i]), retain_graph=True)
        for create_graph in (False, True):
            grads = npg.autograd.grad(ys[i], xs, npg.tensor(gs[i]), retain_graph=True, create_graph=create_graph)
            for g, e in zip(grads, expected, strict=True):
                close(g.detach().numpy(), e.numpy(), dtype)


def bits(case):
    xs, ys = case.npg()
    grads = npg.autograd.grad(ys, xs, [npg.tensor(y.detach().numpy() * 0.5) for y in ys])
    return [t.detach().numpy() for t in (*ys, *grads)]


@pytest.mark.parametrize(("kind", "shape", "reverse", "bias", "dtype"), CASES)
def test_bits_depend_neither_on_c_nor_on_threads_nor_on_recording(kind, shape, reverse, bias, dtype, monkeypatch):
    case = Case(kind, shape, reverse, bias, dtype)
    expected = bits(case)
    _, ys = case.npg(requires_grad=False)
    for y, e in zip(ys, expected, strict=False):
        np.testing.assert_array_equal(y.numpy(), e)
    monkeypatch.setattr(parallel._pool, "limit", 1)
    for found, e in zip(bits(case), expected, strict=True):
        np.testing.assert_array_equal(found, e)
    monkeypatch.setattr(core, "recurrent", None)
    monkeypatch.setattr(core, "recurrent_back", None)
    for found, e in zip(bits(case), expected, strict=True):
        np.testing.assert_array_equal(found, e)


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("layout", ["transposed", "expanded", "every second", "read-only", "odd stride of a size 1"])
def test_layouts_of_inputs_do_not_matter(kind, layout):
    case = Case(kind, "one of all" if layout.startswith("odd") else "some", False, True, "f4")

    def laid_out(a):
        if layout == "transposed":
            return np.asfortranarray(a)
        if layout == "every second":
            return np.repeat(a, 2, -1)[..., ::2]
        if layout == "read-only":
            a.flags.writeable = False
            return a
        if layout == "expanded":
            return np.broadcast_to(a[..., :1], a.shape)
        odd = tuple(28 if n == 1 else step for n, step in zip(a.shape, a.strides, strict=True))
        return np.lib.stride_tricks.as_strided(a, a.shape, odd)

    case.arrays = [laid_out(a) for a in case.arrays]
    odd = case.apply(tuple(npg.from_numpy(a) for a in case.arrays))
    case.arrays = [a.copy("C") for a in case.arrays]
    for y, e in zip(odd, case.npg(requires_grad=False)[1], strict=True):
        np.testing.assert_array_equal(y.numpy(), e.detach().numpy())


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 1e38, -1e38])
def test_what_is_not_finite_is_what_torch_gives(kind, value):
    case = Case(kind, "some", False, True, "f4")
    case.arrays[0][1, 1, 0] = value
    (_, outs), (_, ys) = case.torch(), case.npg()
    for y, e in zip(ys, outs, strict=True):
        y, e = y.detach().numpy(), e.detach().numpy()
        np.testing.assert_array_equal(np.isnan(y), np.isnan(e))
        np.testing.assert_allclose(y, e, rtol=1e-5, atol=3e-6)


@pytest.mark.parametrize("kind", GATES)
def test_gradients_of_higher_order(kind):
    case = Case(kind, "packed", True, True, "f8")
    inputs = [npg.tensor(a, requires_grad=True) for a in case.arrays]

    def function(*xs):
        return tuple(case.apply(xs))

    assert npg.autograd.gradcheck(function, inputs)
    assert npg.autograd.gradgradcheck(function, inputs)


@pytest.mark.parametrize("kind", GATES)
def test_some_inputs_may_need_no_gradient(kind):
    case = Case(kind, "some", False, True, "f4")
    xs, ys = case.npg()
    everything = npg.autograd.grad(ys[0].sum(), xs, retain_graph=True)
    for i in range(len(xs)):
        tensors = [npg.tensor(a, requires_grad=i == j) for j, a in enumerate(case.arrays)]
        case.apply(tuple(tensors))[0].sum().backward()
        np.testing.assert_array_equal(tensors[i].grad.numpy(), everything[i].numpy())
        assert all(t.grad is None for j, t in enumerate(tensors) if j != i)


def test_inputs_are_not_overwritten():
    case = Case("lstm", "packed", False, True, "f4")
    before = [a.copy() for a in case.arrays]
    bits(case)
    for a, b in zip(case.arrays, before, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("reverse", [False, True])
def test_walk_is_the_order_of_the_steps(reverse):
    walk = recurrent.walk_of(3, 4, (4, 3, 1), reverse).tolist()
    assert walk == ([[7, 1], [4, 3], [0, 4]] if reverse else [[0, 4], [4, 3], [7, 1]])
    assert recurrent.walk_of(2, 3, None, False).tolist() == [[0, 3], [3, 3]]
