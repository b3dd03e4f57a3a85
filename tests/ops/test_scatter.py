"""gather and scatter, take and put, masks: against torch, in values, gradients of two orders, and errors."""

import numpy as np
import pytest
import torch

import npg
from npg.ops import scatter as ops
from tests.expressions import check
from tests.helpers import assert_like, assert_same_error, both, strided

rng = np.random.default_rng(6)
X = rng.standard_normal((3, 4, 5))
S = rng.standard_normal((3, 2, 5))
I1 = rng.integers(0, 4, (3, 2, 5))  # along dimension 1, the size of S
I0 = rng.integers(0, 3, (2, 4, 5))
SMALL = rng.integers(0, 5, (2, 3, 4))  # along dimension 2, smaller than X elsewhere
N = np.array(2.0)


# ----- gather and scatter -----

CALLS = [
    (lambda m, x, i: m.gather(x, 1, i), X, I1),
    (lambda m, x, i: m.gather(x, -3, i), X, I0),
    (lambda m, x, i: m.gather(x, 2, i), X, SMALL),
    (lambda m, x, i: m.gather(x, 2, i.int()), X, SMALL),
    (lambda m, x, i: m.gather(x, 0, i), X[0, 0], np.array([4, 4, 0])),
    (lambda m, x, i: m.gather(x, 0, i), X[0, 0], np.array(3)),
    (lambda m, x, i: m.gather(x, 0, i), N, np.array([0, 0])),
    (lambda m, x, i: m.gather(x, 0, i), N, np.array(0)),
    (lambda m, x, i: m.gather(x, 1, i), X, np.zeros((3, 0, 5), np.int64)),
    (lambda m, x, i, s: m.scatter_add(x, 1, i, s), X, I1, S),
    (lambda m, x, i, s: m.scatter_add(x, 0, i, s), N, np.array(0), N),
    (lambda m, x, i, s: (x * 1).scatter_add_(0, i, s), X, I0, X[:2]),
    (lambda m, x, i: m.scatter(x, 1, i, 2.5), X, I1),
    (lambda m, x, i: m.scatter(x, 1, i, value=-1), X, I1),
    (lambda m, x, i: (x * 1).scatter_(2, i, 0.5), X, SMALL),
]
# Where no element is written twice, the result is the same on every machine.
DISTINCT = np.argsort(rng.standard_normal((3, 4, 5)), axis=1)[:, :2]
CALLS += [
    (lambda m, x, i, s: m.scatter(x, 1, i, s), X, DISTINCT, S),
    (lambda m, x, i, s: (x * 1).scatter_(1, i, s), X, DISTINCT, S),
]


@pytest.mark.parametrize("case", range(len(CALLS)))
def test_gather_and_scatter_are_like_torch(case):
    call, *arrays = CALLS[case]
    both(call, *arrays)
    both(call, *(a.astype(np.float32) if a.dtype == np.float64 else a for a in arrays))
    if arrays[0].ndim > 1 and arrays[1].size:
        both(call, strided(arrays[0]), *arrays[1:])


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8, np.float16, np.bool_])
def test_gather_and_scatter_of_other_dtypes_are_like_torch(dtype):
    x, s = (np.abs(a * 9).astype(dtype) for a in (X, S))
    both(lambda m, x, i: m.gather(x, 1, i), x, I1, grad=False)
    both(lambda m, x, i, s: m.scatter(x, 1, i, s), x, DISTINCT, s, grad=False)
    both(lambda m, x, i, s: m.scatter_add(x, 1, i, s), x, I1, s, grad=False)


@pytest.mark.parametrize("view", [False, True])
def test_scatter_in_place_writes_the_memory_of_the_tensor(view):
    x, t = npg.tensor(X), torch.from_numpy(X.copy())
    for m, y, i in ((npg, x, npg.tensor(DISTINCT)), (torch, t, torch.tensor(DISTINCT))):
        y = y.transpose(0, 2) if view else y
        i = i.transpose(0, 2) if view else i
        y.scatter_(1, i, m.ones(tuple(i.shape), dtype=m.float64))
        y.scatter_add_(1, i, m.ones(tuple(i.shape), dtype=m.float64) * 2)
    assert_like(x, t)


ERRORS = [
    lambda m, x, i: x.gather(1, i[0]),
    lambda m, x, i: x.gather(1, i.to(m.int16)),
    lambda m, x, i: x.gather(1, i.float()),
    lambda m, x, i: x.gather(1, i + 9),
    lambda m, x, i: x.gather(1, i - 9),
    lambda m, x, i: x.gather(0, m.zeros(3, 9, 1, dtype=m.int64)),
    lambda m, x, i: x.gather(5, i),
    lambda m, x, i: x.scatter(1, i + 9, 1.0),
    lambda m, x, i: x.scatter(1, i - 9, 1.0),
    lambda m, x, i: x.scatter(1, i[0], 1.0),
    lambda m, x, i: x.scatter(1, i, x[:, :1]),
    lambda m, x, i: x.scatter(1, i, x.float()),
    lambda m, x, i: x.scatter(1, m.zeros(4, 1, 1, dtype=m.int64), 1.0),
    lambda m, x, i: x.scatter(1, i, 2.0, reduce="foo"),
    lambda m, x, i: x.scatter_add(1, i, x.float()),
    lambda m, x, i: x.scatter_add(1, i, x[:1]),
    lambda m, x, i: x.scatter_reduce(1, i, x, "foo"),
    lambda m, x, i: x.scatter_(1, i + 9, x.clone()),
    lambda m, x, i: x.scatter_add_(1, i - 9, x.clone()),
]


@pytest.mark.parametrize("call", ERRORS)
def test_gather_and_scatter_error_is_torchs_and_changes_nothing(call):
    x = npg.tensor(X)
    assert_same_error(
        lambda: call(npg, x, npg.tensor(I1)), lambda: call(torch, torch.from_numpy(X.copy()), torch.tensor(I1))
    )
    assert np.array_equal(x.numpy(), X)


def test_scatter_of_a_part_of_src_has_a_gradient_of_its_shape():
    # PyTorch computes the value, but fails in backward.
    for call in (npg.scatter, npg.scatter_add):
        x, src = npg.tensor(X, requires_grad=True), npg.tensor(X, requires_grad=True)
        y = call(x, 1, npg.tensor(DISTINCT[:2]), src)
        torch_result = getattr(torch, call.__name__)(
            *map(torch.from_numpy, (X,)), 1, torch.tensor(DISTINCT[:2]), torch.tensor(X)
        )
        assert_like(y, torch_result)
        y.sum().backward()
        expected = np.zeros_like(X)
        expected[:2, :2] = 1
        np.testing.assert_array_equal(src.grad.numpy(), expected)


def test_gather_index_changed_in_place_fails_backward():
    x, i = npg.tensor(X, requires_grad=True), npg.tensor(I1)
    y = x.gather(1, i).sum()
    i.fill_(0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_scatter_sum_distinct_is_the_same_sum():
    g = rng.standard_normal(DISTINCT.shape)
    added = ops.scatter_sum(g, DISTINCT, shape=X.shape, dim=1)
    np.testing.assert_array_equal(ops.scatter_sum(g, DISTINCT, shape=X.shape, dim=1, distinct=True), added)


# ----- scatter_reduce -----


@pytest.mark.parametrize("reduce", ["sum", "prod", "mean", "amax", "amin"])
@pytest.mark.parametrize("include_self", [True, False])
def test_scatter_reduce_is_like_torch(reduce, include_self):
    def call(m, x, i, s):
        return m.scatter_reduce(x, 1, i, s, reduce, include_self=include_self)

    second = reduce not in ("amax", "amin")
    both(call, X, I1, S, second=second)
    both(call, X.astype(np.float32), I1, S.astype(np.float32), second=False)
    both(call, (X * 3).astype(np.int64), I1, (S * 3).astype(np.int64), grad=False)
    both(
        lambda m, x, i, s: m.scatter_reduce(x, 0, i, s, reduce, include_self=include_self),
        N,
        np.array(0),
        np.array(3.0),
        second=second,
    )

    def changed(m, x, i, s):
        return (x * 1).scatter_reduce_(1, i, s, reduce, include_self=include_self)

    both(changed, X, I1, S, second=second)


@pytest.mark.parametrize("include_self", [True, False])
def test_scatter_reduce_prod_of_zeros_has_torchs_gradient(include_self):
    x = np.array([[0.0, 13.0, 2.0], [0.0, 17.0, 0.0], [0.0, 19.0, 3.0]])
    i = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [0, 2, 2, 1]])
    s = np.array([[0.0, 1.0, 2.0, 3.0], [0.0, 4.0, 0.0, 1.0], [2.0, 0.0, 5.0, 6.0]])
    both(lambda m, x, i, s: m.scatter_reduce(x, 1, i, s, "prod", include_self=include_self), x, i, s)


def test_scatter_reduce_ties_share_the_gradient():
    x, s = np.array([2.0, 1.0]), np.array([2.0, 2.0, 1.0, 0.0])
    both(lambda m, x, s: m.scatter_reduce(x, 0, m.tensor([0, 0, 1, 1]), s, "amax"), x, s, second=False)


def test_scatter_add_and_multiply_are_like_torch():
    both(lambda m, x, i: x.scatter(1, i, 2.5, reduce="add"), X, I1, grad=False)
    both(lambda m, x, i: (x * 1).scatter_(1, i, 2.5, reduce="add"), X, I1, grad=False)
    both(lambda m, x, i: x.scatter(1, i, 2.5, reduce="multiply"), X, I1, grad=False)
    with pytest.warns(UserWarning, match="scatter_reduce"):
        actual = npg.tensor(X).scatter(1, npg.tensor(I1), npg.tensor(S), reduce="multiply")
    expected = torch.from_numpy(X).scatter_reduce(1, torch.tensor(I1), torch.from_numpy(S), "prod")
    assert_like(actual, expected)


# ----- take and put -----

FLAT = np.array([[0, -1, 59], [7, 7, -60]])


def test_take_is_like_torch():
    both(lambda m, x, i: m.take(x, i), X, FLAT)
    both(lambda m, x, i: m.take(x, i), strided(X), FLAT)
    both(lambda m, x, i: m.take(x, i), N, np.array([0, 0]))
    both(lambda m, x, i: m.take(x, i), X, np.array(5))


@pytest.mark.parametrize("accumulate", [False, True])
def test_put_is_like_torch(accumulate):
    flat = FLAT if accumulate else np.array([[0, -1, 58], [7, 8, -59]])
    v = rng.standard_normal((2, 3))
    both(lambda m, x, i, v: m.put(x, i, v, accumulate), X, flat, v)
    both(lambda m, x, i, v: m.put(x, i, v.reshape(6), accumulate), X, flat, v)
    both(lambda m, x, i, v: (x * 1).put_(i, v, accumulate), X, flat, v)
    both(lambda m, x, i, v: (x * 1).transpose(0, 1).put_(i, v, accumulate), X, flat, v)


def test_take_along_dim_is_like_torch():
    order = np.argsort(X, axis=1)
    both(lambda m, x, i: m.take_along_dim(x, i, 1), X, order)
    both(lambda m, x, i: m.take_along_dim(x, i - 4, 1), X, order)
    both(lambda m, x, i: m.take_along_dim(x, i, 1), X, order[:1, :, :1])
    both(lambda m, x, i: m.take_along_dim(x, i, 1), X[:1], order)
    both(lambda m, x, i: m.take_along_dim(x, i), X, np.array([[1, 59], [3, 3]]))


TAKE_ERRORS = [
    lambda m, x, i: m.take(x, i + 99),
    lambda m, x, i: m.take(x, i - 99),
    lambda m, x, i: m.take(x, i.int()),
    lambda m, x, i: m.take(m.zeros(0), i),
    lambda m, x, i: x.put_(i + 99, m.ones(2, 3, dtype=m.float64)),
    lambda m, x, i: x.put_(i, m.ones(5, dtype=m.float64)),
    lambda m, x, i: x.put_(i.int(), m.ones(6, dtype=m.float64)),
    lambda m, x, i: x.put_(i, m.ones(6)),
    lambda m, x, i: m.take_along_dim(x, i, 1),
    lambda m, x, i: m.take_along_dim(x, m.argsort(x, 1).int(), 1),
    lambda m, x, i: m.take_along_dim(m.tensor(1.0), m.tensor(0), 0),
]


@pytest.mark.parametrize("call", TAKE_ERRORS)
def test_take_and_put_error_is_torchs(call):
    x = npg.tensor(X)
    assert_same_error(
        lambda: call(npg, x, npg.tensor(FLAT)), lambda: call(torch, torch.from_numpy(X.copy()), torch.tensor(FLAT))
    )
    assert np.array_equal(x.numpy(), X)


def test_take_along_dim_out_of_range_is_refused():
    with pytest.raises(IndexError, match="index 9 is out of bounds for dimension 1 with size 4"):
        npg.take_along_dim(npg.tensor(X), npg.tensor([[[9]]]), 1)


# ----- Masks -----

M = X > 0.3


def wide(x):
    """Return x with more elements than the ops branch on one by one."""
    return np.tile(x, (1, 1, 40))


MASKED = [
    (lambda m, x, k: m.masked_fill(x, k, 2.5), X, M),
    (lambda m, x, k: m.masked_fill(x, k, -np.inf), X, M[0, 0]),
    (lambda m, x, k: m.masked_fill(x, k, 1), X, M[:, :1]),
    (lambda m, x, k: m.masked_fill(x, k, 1), X[0], M),
    (lambda m, x, k: m.masked_fill(x, k, np.nan), wide(X), wide(M)),
    (lambda m, x, k: m.masked_fill(x, k, 0.5), wide(X), M[:, :, :1]),
    (lambda m, x, k: m.masked_fill(x, k, 0.5), wide(X)[0], wide(M)),
    (lambda m, x, k, v: m.masked_fill(x, k, v), X, M, N),
    (lambda m, x, k, v: m.masked_fill(x, k, v), wide(X), wide(M), N),
    (lambda m, x, k, v: m.masked_fill(x, k, v), X, M, np.array(2.0, np.float32)),
    (lambda m, x, k: (x * 1).masked_fill_(k, 2.5), X, M[0]),
    (lambda m, x, k, v: (x * 1).masked_fill_(k, v), X, M, N),
    (lambda m, x, k: m.masked_fill(x, k, 2.5), N, np.array(True)),
    (lambda m, x, k: m.masked_select(x, k), X, M),
    (lambda m, x, k: m.masked_select(x, k), X, M[0, :, :1]),
    (lambda m, x, k: m.masked_select(x, k), X[:, :1], M),
    (lambda m, x, k: m.masked_select(x, k), N, np.array(True)),
    (lambda m, x, k, s: m.masked_scatter(x, k, s), X, M, X + 9),
    (lambda m, x, k, s: m.masked_scatter(x, k, s), X, M[0, 0], X.reshape(-1) * 2),
    (lambda m, x, k, s: (x * 1).masked_scatter_(k, s), X, M[:, :, :1], X * 2),
]


@pytest.mark.parametrize("case", range(len(MASKED)))
def test_masked_is_like_torch(case):
    call, *arrays = MASKED[case]
    both(call, *arrays)
    single = [a.astype(np.float32) if a.dtype == np.float64 else a for a in arrays]
    both(call, *single, rtol=1e-4, atol=1e-4)  # the gradient of a value is a sum of up to 2,400 terms
    if arrays[0].ndim == 3:
        both(call, strided(arrays[0]), *arrays[1:])


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.float16, np.bool_])
@pytest.mark.parametrize("value", [1, 1.5, True])
def test_masked_fill_of_other_dtypes_is_like_torch(dtype, value):
    both(lambda m, x, k: m.masked_fill(x, k, value), wide(np.abs(X) * 9).astype(dtype), wide(M), grad=False)


def test_masked_fill_of_infinities_leaves_no_nan():
    x = npg.tensor(np.full(5000, np.inf, np.float32))
    assert (x.masked_fill(x > 0, 1.0) == 1).all()


MASK_ERRORS = [
    lambda m, x, k: x.masked_fill(k, m.ones(1)),
    lambda m, x, k: x.masked_fill(k.long(), 1.0),
    lambda m, x, k: x.masked_fill(k.to(m.uint8), 1.0),
    lambda m, x, k: x.masked_fill(k.float(), 1.0),
    lambda m, x, k: x.long().masked_fill(k, float("inf")),
    lambda m, x, k: x.to(m.uint8).masked_fill(k, 300),
    lambda m, x, k: x.masked_fill(k[:2, :3], 1.0),
    lambda m, x, k: x[0].masked_fill_(k, 1.0),
    lambda m, x, k: x.masked_fill_(k[:2, :3], 1.0),
    lambda m, x, k: x.masked_select(k[:2, :3]),
    lambda m, x, k: x.masked_select(x),
    lambda m, x, k: x.masked_scatter(k, x[0, 0]),
    lambda m, x, k: x.masked_scatter(k, x.float()),
    lambda m, x, k: x.masked_scatter(k.float(), x),
    lambda m, x, k: x.masked_scatter_(k, x[0, 0]),
]


@pytest.mark.parametrize("call", MASK_ERRORS)
def test_masked_error_is_torchs_and_changes_nothing(call):
    x, ones = npg.tensor(X), np.ones_like(M)
    assert_same_error(
        lambda: call(npg, x, npg.tensor(ones)), lambda: call(torch, torch.from_numpy(X.copy()), torch.tensor(ones))
    )
    assert np.array_equal(x.numpy(), X)


@pytest.mark.parametrize(
    "call",
    [
        "masked_fill(x > 0, 2.0)", "masked_fill(x > 0, lib.tensor(2.0))",
        "clone().masked_fill_(x > 0, lib.tensor(2.0))",
        "clone().masked_fill_(x > 0, 2.0)", "scatter(0, lib.tensor([1]), 5.0)", "scatter(0, lib.tensor([1]), x)",
        "clone().scatter_(0, lib.tensor([1]), value=5.0)",
    ],
)  # fmt: skip
def test_node_is_named_after_torchs_overload(call):
    check(f"x = lib.tensor([1.0, -1.0], requires_grad=True); r = repr(x.{call})")
