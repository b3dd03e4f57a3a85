"""Householder reflections against torch: products of them with gradients, QR factorizations in LAPACK's form."""

import math

import numpy as np
import pytest
import torch

import npg
from tests.helpers import check_like_torch, strided
from tests.twins import agree, attempt

rng = np.random.default_rng(17)


def r(*shape):
    return rng.standard_normal(shape)


# ----- Products -----

SHAPES = {
    "square": ((4, 4), (4,)),
    "tall": ((5, 3), (3,)),
    "fewer": ((5, 3), (2,)),
    "none": ((5, 3), (0,)),
    "batch": ((2, 4, 3), (2, 3)),
    "batches": ((2, 1, 4, 3), (2, 1, 2)),
    "1x1": ((1, 1), (1,)),
    "no columns": ((3, 0), (0,)),
    "nothing": ((0, 0), (0,)),
    "no matrices": ((0, 4, 3), (0, 2)),
    "no matrices, none": ((2, 4, 3), (2, 0)),
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("layout", ["plain", "transposed", "strided"])
def test_product_and_gradients_are_torchs(name, layout):
    shape, tau_shape = SHAPES[name]
    a, tau = r(*shape), r(*tau_shape)
    a = {"plain": a, "transposed": np.swapaxes(np.swapaxes(a, -1, -2).copy(), -1, -2), "strided": strided(a)}[layout]
    tau = strided(tau) if layout == "strided" else tau

    def call(m, a, tau):
        return m.linalg.householder_product(a, tau)

    # torch's gradient divides by tau |v|^2 - 1, and has none for no reflection.
    settings = {"rtol": 1e-7, "atol": 1e-9, "grad": 0 not in tau_shape}
    check_like_torch(lambda *x: call(npg, *x), lambda *x: call(torch, *x), a, tau, **settings)


def reflected(a, tau):
    """Return the product, one reflection after the other."""
    m, n = a.shape
    q = torch.eye(m, dtype=a.dtype)
    v = a.tril(-1) + torch.eye(m, n, dtype=a.dtype)
    for i in range(len(tau)):
        q = q - tau[i] * (q @ v[:, i : i + 1]) @ v[:, i : i + 1].T
    return q[:, :n]


@pytest.mark.parametrize("k", [0, 1, 3, 4])
def test_product_and_gradients_are_those_of_one_reflection_after_the_other(k):
    a, tau = r(6, 4), r(k)
    check_like_torch(npg.linalg.householder_product, reflected, a, tau, rtol=1e-10, atol=1e-10, grad=k > 0)


def test_gradient_is_right_where_a_reflection_is_a_projection():
    a, tau = np.zeros((3, 2)), np.array([1.0, 1.0])  # torch divides by 0 here
    check_like_torch(npg.linalg.householder_product, reflected, a, tau)


def test_gradients_of_both_or_of_one_input():
    for which in ((True, True), (True, False), (False, True)):
        a, tau = (npg.tensor(x, requires_grad=w) for x, w in zip((r(5, 3), r(2)), which, strict=True))
        needed = [x for x in (a, tau) if x.requires_grad]

        def call(*xs, a=a, tau=tau, which=which):
            given = iter(xs)
            return npg.linalg.householder_product(next(given) if which[0] else a, next(given) if which[1] else tau)

        assert npg.autograd.gradcheck(call, needed) and npg.autograd.gradgradcheck(call, needed)


def test_many_reflections_are_orthogonal():
    h, tau = npg.geqrf(npg.tensor(r(90, 70)))
    q = npg.linalg.householder_product(h, tau).numpy()
    np.testing.assert_allclose(q.T @ q, np.eye(70), atol=1e-13)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
def test_jvp_and_vmap_are_torchs():
    a, tau, t = r(2, 4, 3), r(2, 3), r(2, 4, 3)

    def program(lib):
        f = lib.linalg.householder_product
        xs = lib.tensor(a), lib.tensor(tau)
        yield lib.func.jvp(f, xs, (lib.tensor(t), lib.ones(2, 3, dtype=lib.float64)))
        yield lib.func.vmap(f)(*xs)
        yield lib.func.vmap(f, (0, None))(xs[0], xs[1][0])

    agree(program)


def test_products_are_refused_as_torch_refuses_them():
    def program(lib):
        f, a, tau = lib.linalg.householder_product, lib.ones(5, 3), lib.ones(3)
        for x, t in [
            (a.T, tau), (tau, tau), (a, lib.ones(4)), (a, lib.ones(2, 3)), (a, lib.ones(())),
            (lib.ones(2, 5, 3), tau), (lib.ones(2, 5, 3), lib.ones(1, 3)), (a, tau.double()), (a.int(), tau),
            (a.int(), tau.int()), (a.half(), tau.half()), (a, 3),
        ]:  # fmt: skip
            yield attempt(lambda x=x, t=t: f(x, t))
        yield attempt(lambda: lib.orgqr(a, 3))
        yield attempt(lambda: lib.orgqr(a, input2=tau.double()))
        yield f(lib.ones(2, 2, requires_grad=True), lib.ones(2)).grad_fn.name()

    agree(program)


def test_orgqr_is_the_product():
    def program(lib):
        a, tau = lib.arange(12.0).reshape(4, 3) / 7, lib.tensor([0.5, 1.0, 0.25])
        yield lib.orgqr(a, tau), a.orgqr(tau), a.orgqr(input2=tau)
        out = lib.empty(4, 3)
        yield lib.orgqr(a, tau, out=out) is out, out

    agree(program)


# ----- Factorizations -----


@pytest.mark.parametrize(
    "shape", [(4, 4), (5, 3), (3, 5), (2, 4, 3), (2, 1, 3, 4), (1, 1), (0, 3), (3, 0), (0, 0), (0, 3, 3), (2, 0, 0)]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_factors_are_torchs(shape, dtype):
    a = r(*shape).astype(dtype)

    def program(lib):
        x = lib.tensor(a)
        for found in (lib.geqrf(x), x.geqrf(), lib.geqrf(lib.tensor(a.swapaxes(-1, -2).copy()).mT)):
            yield found.a, found.tau, repr(type(found)).rpartition(".")[2]
        if shape[-2] >= shape[-1]:
            yield lib.linalg.householder_product(*lib.geqrf(x)), lib.linalg.qr(x).Q

    agree(program)


def test_no_reflection_has_the_factor_zero():
    def program(lib):
        yield lib.geqrf(lib.eye(4, 3)), lib.geqrf(-lib.eye(3)), lib.geqrf(lib.zeros(3, 2)), lib.geqrf(lib.ones(1, 3))

    agree(program)


def test_factorizations_without_derivative_and_refusals_are_torchs():
    def program(lib):
        x = lib.ones(3, 2, requires_grad=True)
        a, tau = lib.geqrf(x)
        yield a.grad_fn.name(), tau.grad_fn.name()
        yield attempt(lambda: a.sum().backward())
        for bad in (lib.ones(3), lib.ones(()), lib.ones(2, 2).int(), lib.ones(2, 2).half(), lib.ones(2, 2).bool(), 3):
            yield attempt(lambda bad=bad: lib.geqrf(bad))
        yield lib.geqrf(lib.full((3, 2), math.nan))
        yield repr(lib.geqrf(lib.eye(2)))

    agree(program)
