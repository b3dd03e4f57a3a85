"""The exponential of matrices against torch and against its series: values, derivatives of any order, odd matrices."""

import math

import numpy as np
import pytest
import torch

import npg
from tests.helpers import check_like_torch, strided
from tests.twins import agree, attempt

rng = np.random.default_rng(16)


def r(*shape):
    return rng.standard_normal(shape)


def skew(n):
    x = r(n, n)
    return x - x.T


def exact(a):
    """Return the exponential by its series, of a / 2^20 and squared again, in np.longdouble."""
    a = np.asarray(a, np.longdouble)
    x, term = a / 2**20, np.eye(len(a), dtype=np.longdouble)
    y = term.copy()
    for k in range(1, 12):
        term = term @ x / k
        y = y + term
    for _ in range(20):
        y = y @ y
    return y


MATRICES = {
    "small": r(3, 3) / 100,
    "one": r(4, 4),
    "skew": skew(5) * 3,
    "large": r(4, 4) * 4,
    "nilpotent": np.triu(r(4, 4), 1) * 50,
    "negative": -np.diag([1.0, 30, 700]),
    "of different lengths": np.stack([r(3, 3) * k for k in (0, 0.01, 1, 20)]),
    "batches": r(2, 1, 3, 3),
    "1x1": r(1, 1),
    "nothing": np.zeros((0, 0)),
    "no matrices": np.zeros((0, 3, 3)),
    "empty matrices": np.zeros((2, 0, 0)),
}


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("layout", ["plain", "transposed", "strided"])
def test_values_and_derivatives_are_torchs(name, layout):
    a = MATRICES[name]
    a = {"plain": a, "transposed": np.swapaxes(np.swapaxes(a, -1, -2).copy(), -1, -2), "strided": strided(a)}[layout]
    for call in (lambda m, a: m.matrix_exp(a), lambda m, a: m.linalg.matrix_exp(a), lambda m, a: a.matrix_exp()):
        scale = float(np.abs(torch.matrix_exp(torch.tensor(a)).numpy()).max(initial=1))
        tolerance = {"rtol": 1e-9, "atol": 1e-12 * scale}
        check_like_torch(lambda a, c=call: c(npg, a), lambda a, c=call: c(torch, a), a, **tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_digits_are_at_least_torchs(dtype):
    for name in ("small", "one", "skew", "large", "nilpotent", "1x1"):
        a = MATRICES[name].astype(dtype)
        expected = exact(a)
        size = np.abs(expected).max()
        own = np.abs(npg.matrix_exp(npg.tensor(a)).numpy() - expected).max() / size
        theirs = np.abs(torch.matrix_exp(torch.tensor(a)).numpy() - expected).max() / size
        assert own <= 2 * theirs + 8 * np.finfo(dtype).eps, name


def test_of_zero_it_is_exactly_one():
    for dtype in (npg.float16, npg.float32, npg.float64):
        assert npg.equal(npg.matrix_exp(npg.zeros(3, 3, dtype=dtype)), npg.eye(3, dtype=dtype))


def test_of_a_skew_matrix_it_is_orthogonal():
    q = npg.matrix_exp(npg.tensor(skew(40))).numpy()
    np.testing.assert_allclose(q @ q.T, np.eye(40), atol=1e-13)


def test_a_matrix_with_inf_or_nan_is_all_nan_and_its_neighbours_are_not():
    a = np.zeros((4, 2, 2))
    a[1, 0, 1], a[2, 1, 1] = math.nan, math.inf

    def program(lib):
        yield lib.matrix_exp(lib.tensor(a))
        yield lib.matrix_exp(lib.tensor(a[1]))
        yield lib.matrix_exp(lib.tensor([[-1e5, 0.0], [0.0, -2e5]]))
        yield lib.matrix_exp(lib.tensor([[0.0, 1e30], [0.0, 0.0]], dtype=lib.float64))

    agree(program)


def test_the_length_of_the_gradient_costs_no_digits():
    a = r(4, 4).astype(np.float32)
    g = r(4, 4).astype(np.float32)
    grads = []
    for scale in (1.0, 2.0**100, 2.0**-100):
        x = npg.tensor(a, requires_grad=True)
        npg.matrix_exp(x).backward(npg.tensor(g) * scale)
        grads.append(x.grad.numpy() / np.float32(scale))
    np.testing.assert_array_equal(grads[0], grads[1])
    np.testing.assert_array_equal(grads[0], grads[2])


def test_derivatives_of_third_order():
    a = npg.tensor(r(2, 2), requires_grad=True)
    assert npg.autograd.gradgradcheck(lambda x: npg.autograd.grad((x.matrix_exp() ** 2).sum(), x, create_graph=True), a)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
def test_jvp_is_torchs():
    a, t = r(2, 3, 3), r(2, 3, 3)

    def program(lib):
        yield lib.func.jvp(lib.matrix_exp, (lib.tensor(a),), (lib.tensor(t),))
        yield lib.func.vmap(lib.func.jacrev(lib.matrix_exp))(lib.tensor(a))
        yield lib.func.hessian(lambda x: lib.matrix_exp(x).sum())(lib.tensor(a[0]))

    agree(program)


def test_refusals_are_torchs():
    def program(lib):
        for x in (lib.ones(2, 3), lib.ones(3), lib.ones(()), lib.ones(2, 2).int(), lib.ones(2, 2, dtype=lib.bool)):
            yield attempt(lambda x=x: lib.matrix_exp(x))
        yield attempt(lambda: lib.matrix_exp([1, 2]))
        yield lib.matrix_exp(lib.ones(2, 2, requires_grad=True)).grad_fn.name()

    agree(program)
