"""softmax, log_softmax, softmin and gumbel_softmax against torch."""

import math

import numpy as np
import pytest
import torch

import npg
from npg import dtypes, engine, random
from npg.nn import functional as F
from npg.ops import softmax as ops
from tests.expressions import check
from tests.helpers import assert_like, assert_same_error, check_like_torch, strided
from tests.ops.fused import check_both, check_composite, gradients, leaf

rng = np.random.default_rng(0)
TF = torch.nn.functional
NAMES = ["softmax", "log_softmax", "softmin"]
INF = math.inf


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_over_every_dim_and_layout_is_like_torch(name, dtype):
    x = (3.0 * rng.standard_normal((4, 3, 5))).astype(dtype)
    for a in (x, strided(x), x.transpose(2, 0, 1), x[:, :1], np.asfortranarray(x)):
        for dim in (0, 1, 2, -1):
            check_both(getattr(F, name), getattr(TF, name), a, dim=dim)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(), (1,), (0,), (0, 3), (3, 0), (2, 0, 3)])
def test_softmax_of_one_or_no_element_is_like_torch(name, shape):
    for dim in range(-max(len(shape), 1), max(len(shape), 1)):
        check_both(getattr(F, name), getattr(TF, name), np.asarray(rng.standard_normal(shape)), dim=dim)


@pytest.mark.parametrize("op", [ops.softmax, ops.log_softmax])
@pytest.mark.parametrize("dim", [0, 1, 2])
def test_softmax_equals_its_composite(op, dim):
    check_composite(op, (rng.standard_normal((3, 4, 5)),), {"dim": dim})


@pytest.mark.parametrize("name", NAMES)
def test_softmax_of_large_and_infinite_numbers_is_like_torch(name):
    rows = np.array(
        [[1e30, 0.0, -1e30], [1000.0, 1001.0, 999.0], [-INF, 0.0, 1.0], [-INF, -INF, -INF], [INF, 0.0, 1.0]]
    )
    for dtype in (np.float32, np.float64):
        check_like_torch(getattr(F, name), getattr(TF, name), rows.astype(dtype), dim=1, second=False)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("shape", [(300, 16), (300, 17), (40, 7, 65), (4100, 1), (2, 9000), (1, 70_000)])
@pytest.mark.parametrize("scale", [1.0, 40.0])
def test_softmax_of_many_or_long_rows_is_like_torch(name, shape, scale):
    x = (scale * rng.standard_normal(shape)).astype(np.float32)
    for a in (x, strided(x)):
        g = strided(rng.standard_normal(shape).astype(np.float32))
        y, t = leaf(a), torch.tensor(np.ascontiguousarray(a), requires_grad=True)
        found, expected = getattr(F, name)(y, -1), getattr(TF, name)(t, -1)
        assert_like(found, expected)
        found.backward(npg.from_numpy(g))
        expected.backward(torch.from_numpy(np.ascontiguousarray(g)))
        if name == "softmax":
            assert_like(y.grad, t.grad)
        else:
            _check_gradient_of_log_softmax(y.grad._array, x, g)


def _check_gradient_of_log_softmax(found, x, g):
    """Compare with g - exp(y) sum(g) in float64. The difference cancels, so the bound is by the size of its terms.

    The rounding of y counts in exp(y) |y| times. PyTorch's error is of the same size.
    """
    y = TF.log_softmax(torch.from_numpy(x).double(), -1).numpy()
    taken = np.exp(y) * g.sum(-1, keepdims=True, dtype=np.float64)
    bound = np.finfo(np.float32).eps * (np.abs(g) + (4 - y) * np.exp(y) * np.abs(g).sum(-1, keepdims=True))
    assert (np.abs(found - (g - taken)) <= bound).all()


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_sums_to_one_on_long_rows(name):
    x = rng.standard_normal((5, 4099)).astype(np.float32)
    y = getattr(F, name)(engine.wrap(x), 1)._array.astype(np.float64)
    np.testing.assert_allclose((np.exp(y) if name == "log_softmax" else y).sum(1), 1.0, rtol=2e-6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("dim", [0, 1, 2])
def test_softmax_of_large_arrays_is_like_torch(name, dtype, dim):
    # Large arrays are not shifted where that is safe; each of these but the first is a reason to shift.
    small = (3.0 * rng.standard_normal((20, 16, 17))).astype(dtype)
    one_large, one_low, one_infinite, one_nan = (small.copy() for _ in range(4))
    one_large[3, 4, 5] = 1e4
    one_low[:, 4, 5] = one_low[3, :, 5] = one_low[3, 4] = -1e4
    one_infinite[3, 4, 5] = INF
    one_nan[3, 4, 5] = math.nan
    masked = np.where(rng.random(small.shape) < 0.3, dtype(-INF), small)
    hidden = masked.copy()
    hidden[:, 4, 5] = hidden[3, :, 5] = hidden[3, 4] = -INF
    for x in (small, one_large, one_low, masked, hidden, one_infinite, one_nan, small + dtype(100), small - dtype(100)):
        if name == "softmin":
            x = -x
        check_like_torch(getattr(F, name), getattr(TF, name), x, dim=dim, second=False)
        check_like_torch(getattr(F, name), getattr(TF, name), strided(x), dim=dim, second=False)


@pytest.mark.parametrize("name", NAMES)
def test_softmax_with_dtype_casts_first(name):
    for array in (np.arange(6).reshape(2, 3), rng.standard_normal((2, 3)).astype(np.float32)):
        for dtype, torch_dtype in ((dtypes.float64, torch.float64), (dtypes.float32, torch.float32)):
            actual = getattr(F, name)(engine.wrap(array), 1, dtype=dtype)
            assert_like(actual, getattr(TF, name)(torch.from_numpy(array), 1, dtype=torch_dtype))
            if name != "softmin":  # the third of torch.softmax
                assert_like(
                    getattr(npg, name)(engine.wrap(array), 1, dtype),
                    getattr(torch, name)(torch.from_numpy(array), 1, torch_dtype),
                )


def test_softmax_with_dtype_returns_the_gradient_in_the_input_s():
    x = leaf(rng.standard_normal((2, 3)).astype(np.float32))
    (g,) = gradients(F.softmax(x, 1, dtype=dtypes.float64), x, g=np.ones((2, 3)))
    assert g.dtype == np.float32


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ndim", [1, 2, 3, 4])
def test_softmax_without_dim_warns_and_chooses_as_torch_does(name, ndim):
    x = rng.standard_normal((2, 3, 2, 2)[:ndim])
    with pytest.warns(UserWarning, match=f"Implicit dimension choice for {name}"):
        actual = getattr(F, name)(engine.wrap(x))
    with pytest.warns(UserWarning, match="Implicit"):
        assert_like(actual, getattr(TF, name)(torch.from_numpy(x)))


def test_softmax_takes_numpy_names_and_out():
    x = rng.standard_normal((2, 3))
    out = engine.wrap(np.empty((2, 3)))
    assert npg.softmax(engine.wrap(x), axis=0, out=out) is out
    np.testing.assert_allclose(out._array.sum(0), 1.0)


def test_softmax_is_a_method():
    x = engine.wrap(rng.standard_normal((2, 3)))
    np.testing.assert_array_equal(x.softmax(-1)._array, F.softmax(x, 1)._array)
    np.testing.assert_array_equal(x.log_softmax(dim=0)._array, F.log_softmax(x, 0)._array)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_of_half_is_like_torch(name):
    check_like_torch(
        getattr(F, name), getattr(TF, name), rng.standard_normal((3, 50)).astype(np.float16), dim=1, second=False
    )


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_refuses_as_torch_does(name):
    npg_fn, torch_fn = getattr(F, name), getattr(torch, name)
    a = np.ones((2, 3))
    assert_same_error(lambda: npg_fn(engine.wrap(a), 2), lambda: torch_fn(torch.from_numpy(a), 2))
    assert_same_error(lambda: npg_fn(engine.wrap(a), -3), lambda: torch_fn(torch.from_numpy(a), -3))
    i = np.ones((2, 3), np.int64)
    for dim in (0, 1):
        assert_same_error(
            lambda dim=dim: npg_fn(engine.wrap(i), dim), lambda dim=dim: torch_fn(torch.from_numpy(i), dim)
        )
    with pytest.raises(TypeError, match="argument 'dim' must be int, not str"):
        npg_fn(engine.wrap(a), "a")


@pytest.mark.parametrize("hard", [False, True])
def test_gumbel_softmax_draws_what_torch_draws(hard):
    x = rng.standard_normal((50, 7))
    t, n = torch.from_numpy(x).requires_grad_(), leaf(x)
    torch.manual_seed(3)
    random.manual_seed(3)
    expected, actual = TF.gumbel_softmax(t, 0.7, hard), F.gumbel_softmax(n, 0.7, hard)
    assert_like(actual, expected)
    g = rng.standard_normal((50, 7))
    np.testing.assert_allclose(
        gradients(actual, n, g=g)[0], torch.autograd.grad(expected, t, torch.from_numpy(g))[0].numpy(), 1e-9, 1e-12
    )


def test_gumbel_softmax_warns_of_eps():
    with pytest.warns(UserWarning, match="`eps` parameter is deprecated"):
        F.gumbel_softmax(engine.wrap(np.ones((2, 3))), eps=1e-3)


@pytest.mark.parametrize("hard", [False, True])
def test_gumbel_softmax_takes_a_temperature_that_is_learned(hard):
    found = []
    for lib in (npg, torch):
        lib.manual_seed(0)
        tau = lib.tensor(2.0, requires_grad=True)
        y = lib.nn.functional.gumbel_softmax(lib.ones(2, 3), tau, hard)
        y[0, 0].backward()
        found.append([*y.flatten().tolist(), float(tau.grad)])
    np.testing.assert_allclose(*found, rtol=1e-5)


def test_gumbel_softmax_of_a_single_number_is_one():
    check("lib.nn.functional.gumbel_softmax(lib.tensor(1.0), hard=True)")
