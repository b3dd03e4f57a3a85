"""Running sums, products and extrema, products, and differences, against torch."""

import numpy as np
import pytest
import torch

from npg import functional as F
from npg.engine import run_backward, wrap
from npg.ops import cumulative as ops
from tests.helpers import assert_like, assert_same_error, check_like_torch, strided

INF, NAN = float("inf"), float("nan")
rng = np.random.default_rng(1)
A = rng.standard_normal((4, 5, 3))
ZEROS = A.copy()
ZEROS[rng.random(A.shape) < 0.3] = 0.0
ZEROS[0, :, 0] = 0.0


def gradient_of(fn, values, second=False):
    """Return the gradient of sum(fn(x) w) for a fixed w, or the gradient of that gradient's weighted sum."""
    x = wrap(np.array(values))
    x._set_requires_grad(True)
    y = fn(x)
    w = np.cos(np.arange(y._array.size)).reshape(y._array.shape)
    g = run_backward((y,), (wrap(w),), True, second, (x,), False)[0]
    if second:
        v = np.sin(np.arange(g._array.size)).reshape(g._array.shape)
        g = run_backward((g,), (wrap(v),), False, False, (x,), False)[0]
    return g._array


def differences_of(fn, values, second=False, step=1e-5):
    """Return the same by central differences, of values or of first gradients."""
    values = np.array(values)
    out = np.zeros_like(values)
    for i in np.ndindex(values.shape):
        ends = []
        for sign in (1, -1):
            moved = values.copy()
            moved[i] += sign * step
            if second:
                g = gradient_of(fn, moved)
                ends.append((g * np.sin(np.arange(g.size)).reshape(g.shape)).sum())
            else:
                y = fn(wrap(moved))._array
                ends.append((y * np.cos(np.arange(y.size)).reshape(y.shape)).sum())
        out[i] = (ends[0] - ends[1]) / (2 * step)
    return out


# ----- Running sums and products -----


@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("name", ["cumsum", "cumprod", "cummax", "cummin"])
def test_running_is_like_torch(name, dim):
    for a in (A, strided(A), ZEROS, A[:0], A[:, :0], A[:1]):
        check_like_torch(getattr(F, name), getattr(torch, name), a, dim, rtol=1e-10)
    check_like_torch(getattr(F, name), getattr(torch, name), np.array(2.0), 0)
    check_like_torch(getattr(F, name), getattr(torch, name), rng.integers(-3, 4, (4, 6, 2)), dim)


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_logcumsumexp_is_like_torch(dim):
    for a in (A, strided(A), A[:0], A[:1]):
        check_like_torch(F.logcumsumexp, torch.logcumsumexp, a, dim, rtol=1e-8, atol=1e-10)
    check_like_torch(F.logcumsumexp, torch.logcumsumexp, np.array(2.0), 0)


@pytest.mark.parametrize("values", [[-INF, -INF, 1.0, 2.0], [1.0, -INF, 2.0], [1.0, INF, 2.0], [1e4, 1e4 + 1, -1e4]])
def test_logcumsumexp_of_extremes_is_like_torch(values):
    check_like_torch(F.logcumsumexp, torch.logcumsumexp, np.array(values), 0, second=False)


def test_logcumsumexp_float32_gradient_keeps_its_digits():
    # torch works on logarithms of gradients here and loses three digits; so the reference is float64.
    a = rng.standard_normal((50, 4)) * 5
    exact = gradient_of(lambda x: F.logcumsumexp(x, 0), a)
    single = gradient_of(lambda x: F.logcumsumexp(x, 0), a.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, exact, rtol=1e-5, atol=1e-5)


def test_float32_running_sum_is_rounded_once():
    a = rng.random(100_000).astype(np.float32)
    actual = F.cumsum(wrap(a), 0)._array
    assert actual.dtype == np.float32
    np.testing.assert_array_equal(actual, a.astype(np.float64).cumsum().astype(np.float32))
    check_like_torch(F.cumsum, torch.cumsum, np.ones(3000, np.float16), 0, grad=False)


@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
def test_running_with_dtype_casts(name):
    a = rng.integers(0, 5, (3, 4)).astype(np.int8)
    for dtype in (torch.int8, torch.int32, torch.float32):
        check_like_torch(getattr(F, name), getattr(torch, name), a, 1, dtype=dtype)
    single = A.astype(np.float32)  # gradients of gradients pass through float32
    check_like_torch(getattr(F, name), getattr(torch, name), single, 1, dtype=torch.float64, rtol=1e-6, atol=1e-6)
    check_like_torch(getattr(F, name), getattr(torch, name), np.array(True), 0)


@pytest.mark.parametrize("name", ["cumsum_", "cumprod_"])
def test_running_in_place_is_recorded_like_torch(name):
    torch_fn = getattr(torch.Tensor, name)
    check_like_torch(getattr(F, name), torch_fn, A, 1, rtol=1e-10)
    check_like_torch(getattr(F, name), torch_fn, A, 1, dtype=torch.float64, rtol=1e-10)
    check_like_torch(getattr(F, name), torch_fn, rng.integers(-3, 4, (4, 6)).astype(np.int8), 1)
    with pytest.raises(RuntimeError, match="Bad in-place call"):
        getattr(F, name)(wrap(A.copy()), 1, dtype=np.float32)


@pytest.mark.parametrize("reverse", [False, True])
def test_recurrence_is_right_to_second_order(reverse):
    decay, b = rng.standard_normal((4, 3)), rng.standard_normal((5, 3))
    expected = b.copy()
    for k in range(3, -1, -1) if reverse else range(1, 5):
        expected[k] += decay[k] * expected[k + 1] if reverse else decay[k - 1] * expected[k - 1]
    np.testing.assert_allclose(ops.recurrence(decay, b, dim=0, reverse=reverse), expected, rtol=1e-14)
    joined = np.concatenate([decay, b])

    def of_both(x):
        return ops.recurrence(F.narrow(x, 0, 0, 4), F.narrow(x, 0, 4, 5), dim=0, reverse=reverse)

    np.testing.assert_allclose(gradient_of(of_both, joined), differences_of(of_both, joined), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(
        gradient_of(of_both, joined, True), differences_of(of_both, joined, True), rtol=1e-6, atol=1e-8
    )


# ----- Zeros -----


@pytest.mark.parametrize("second", [False, True])
@pytest.mark.parametrize(
    "fn",
    [
        lambda x: F.prod(x),
        lambda x: F.prod(x, 0),
        lambda x: F.prod(x, -1, True),
        lambda x: F.cumprod(x, 0),
        lambda x: F.cumprod(x, 1),
    ],
    ids=["prod", "prod0", "prod1", "cumprod0", "cumprod1"],
)
@pytest.mark.parametrize("zeros", [[], [(1, 1)], [(0, 0), (2, 0), (1, 2)], [(0, 0), (1, 0), (2, 0), (2, 1), (2, 2)]])
def test_products_with_zeros_have_the_right_gradients(fn, zeros, second):
    a = rng.standard_normal((3, 3)) + 0.1
    for i in zeros:
        a[i] = 0.0
    np.testing.assert_allclose(gradient_of(fn, a, second), differences_of(fn, a, second), rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("dim", [None, 0, 1, -1])
def test_prod_is_like_torch(dim):
    args = () if dim is None else (dim,)
    for a in (A, strided(A), ZEROS, A[:0], A[:1], A.astype(np.float32)):
        rtol = 1e-5 if a.dtype == np.float32 else 1e-10
        check_like_torch(F.prod, torch.prod, a, *args, second=a is not ZEROS, rtol=rtol)
        if dim is not None:
            check_like_torch(F.prod, torch.prod, a, dim, True, second=False)
    check_like_torch(F.prod, torch.prod, np.array(0.0), *([] if dim is None else [0]))


# ----- Running extrema -----


@pytest.mark.parametrize("name", ["cummax", "cummin"])
def test_running_extrema_of_ties_and_nan_are_like_torch(name):
    for values in ([1.0, 1.0, 0.0, 0.0, 2.0], [1.0, NAN, 2.0, NAN, 3.0], [NAN, 1.0], [2.0, 1.0, 2.0]):
        check_like_torch(getattr(F, name), getattr(torch, name), np.array(values), 0)
    check_like_torch(getattr(F, name), getattr(torch, name), np.array([[True, False], [False, True]]), 1)


# ----- Differences -----


@pytest.mark.parametrize("n", [0, 1, 2, 7])
@pytest.mark.parametrize("dim", [0, -1])
def test_diff_is_like_torch(n, dim):
    check_like_torch(F.diff, torch.diff, A, n, dim)
    check_like_torch(F.diff, torch.diff, A, n, dim, A[:1] if dim == 0 else A[..., :2], A)
    check_like_torch(F.diff, torch.diff, rng.integers(0, 2, (3, 4)).astype(bool), n, dim)
    check_like_torch(F.diff, torch.diff, rng.integers(0, 9, (3, 4)), n, dim)


def test_diff_with_zero_times_is_a_copy():
    x = wrap(A.copy())
    assert not np.shares_memory(F.diff(x, 0)._array, x._array)


# ----- Errors -----


@pytest.mark.parametrize(
    "call",
    [
        lambda m, x: m.cumsum(x, 3),
        lambda m, x: m.cumprod(x, -4),
        lambda m, x: m.cummax(x, 3),
        lambda m, x: m.prod(x, 3),
        lambda m, x: m.logcumsumexp(x.to(x.dtype).argmax(0), 0),
        lambda m, x: m.diff(x, -1),
        lambda m, x: m.diff(x.sum()),
        lambda m, x: m.diff(x, prepend=x[0]),
        lambda m, x: m.cumsum("a", 0),
    ],
)
def test_refused_call_raises_pytorchs_error(call):
    assert_same_error(lambda: call(F, wrap(A)), lambda: call(torch, torch.tensor(A)))


def test_out_takes_both_results():
    values, indices = wrap(np.empty(0)), wrap(np.empty(0, np.int64))
    F.cummax(wrap(A), 1, out=(values, indices))
    assert_like((values, indices), tuple(torch.cummax(torch.tensor(A), 1)))
