"""Extrema along a dimension, indices, medians, the k-th smallest and the most frequent, against torch."""

import numpy as np
import pytest
import torch

from npg import functional as F
from npg.engine import run_backward, wrap
from tests.expressions import check_error
from tests.helpers import assert_like, assert_same_error, check_like_torch, strided

NAN = float("nan")
rng = np.random.default_rng(2)
A = rng.standard_normal((4, 5, 3))


# ----- Extrema -----


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("name", ["max", "min", "median", "nanmedian", "mode"])
def test_values_with_places_are_like_torch(name, dim, keepdim):
    for a in (A, A.astype(np.float32), strided(A), A[:1]):
        check_like_torch(getattr(F, name), getattr(torch, name), a, dim, keepdim)
    check_like_torch(getattr(F, name), getattr(torch, name), np.array(2.0), 0, keepdim)


@pytest.mark.parametrize("name", ["max", "min"])
def test_extrema_of_ties_take_the_first_place(name):
    a = rng.integers(0, 3, (6, 7))
    for array in (a, a.astype(float), a.astype(bool), a.astype(np.uint8)):
        for dim in (0, 1):
            check_like_torch(getattr(F, name), getattr(torch, name), array, dim)
    for dim in (0, 1):
        check_like_torch(getattr(F, f"arg{name}"), getattr(torch, f"arg{name}"), a, dim)


@pytest.mark.parametrize("name", ["max", "min", "argmax", "argmin"])
def test_nan_wins(name):
    a = np.array([[1.0, NAN, 3.0], [NAN, NAN, 0.0], [1.0, 2.0, 3.0]])
    check_like_torch(getattr(F, name), getattr(torch, name), a, 1, second=False)


@pytest.mark.parametrize("name", ["max", "min"])
def test_extremum_of_two_tensors_is_elementwise(name):
    check_like_torch(getattr(F, name), getattr(torch, name), A, A[0] * 2)
    check_like_torch(getattr(F, name), getattr(torch, name), A, A.round())
    expected = getattr(torch, name)(torch.tensor(A), other=torch.tensor(A[0]))
    assert_like(getattr(F, name)(wrap(A), other=wrap(A[0])), expected)


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dim", [None, 0, -1])
@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_place_is_like_torch(name, dim, keepdim):
    for a in (A, strided(A), np.array(1.0), np.arange(6)):
        if dim != 0 or a.ndim:
            check_like_torch(getattr(F, name), getattr(torch, name), a, dim, keepdim)


# ----- Medians -----


@pytest.mark.parametrize("n", [1, 2, 5, 6])
@pytest.mark.parametrize("name", ["median", "nanmedian"])
def test_median_is_the_lower_one(name, n):
    a = rng.standard_normal((3, n))
    check_like_torch(getattr(F, name), getattr(torch, name), a)
    check_like_torch(getattr(F, name), getattr(torch, name), a, 1)
    check_like_torch(getattr(F, name), getattr(torch, name), (a * 100).astype(np.int32), 1)
    a[0, 0] = NAN
    check_like_torch(getattr(F, name), getattr(torch, name), a)
    check_like_torch(getattr(F, name), getattr(torch, name), a, 1)


@pytest.mark.parametrize("n", [2, 3, 4, 7, 16, 33])
@pytest.mark.parametrize("name", ["median", "nanmedian"])
def test_median_of_ties_is_like_torch(name, n):
    a = rng.integers(0, 3, (20, n))
    for array in (a, a.astype(np.float64), a.astype(np.uint8)):
        check_like_torch(getattr(F, name), getattr(torch, name), array, 1)
        check_like_torch(getattr(F, name), getattr(torch, name), array, 0, True)
        check_like_torch(getattr(F, name), getattr(torch, name), array)  # the whole: the gradient is shared
    a = a.astype(np.float64)
    a[:, 1:][rng.random((20, n - 1)) < 0.3] = (
        NAN  # never a single row: which of several nan torch reports follows no rule
    )
    check_like_torch(getattr(F, name), getattr(torch, name), a, 1, second=False)


def test_median_of_nothing_is_nan():
    check_like_torch(F.median, torch.median, np.empty((0, 3)), second=False)
    check_like_torch(F.median, torch.median, np.empty((0, 3)), 1)
    check_like_torch(F.median, torch.median, np.empty(0, np.int32))


# ----- The k-th smallest and the most frequent -----


@pytest.mark.parametrize("k", [1, 2, 4])
def test_kthvalue_is_like_torch(k):
    for dim, keepdim in ((0, False), (1, True), (-2, False)):
        check_like_torch(F.kthvalue, torch.kthvalue, A, k, dim, keepdim)
    check_like_torch(F.kthvalue, torch.kthvalue, np.array(3.0), 1)


@pytest.mark.parametrize("n", [2, 3, 5, 8, 17, 40])
def test_kthvalue_of_ties_is_like_torch(n):
    a = rng.integers(0, 4, (12, n))
    for k in {1, 2, n // 2, n} - {0}:
        check_like_torch(F.kthvalue, torch.kthvalue, a, k)
        check_like_torch(F.kthvalue, torch.kthvalue, a.astype(np.float64), k)
        check_like_torch(F.kthvalue, torch.kthvalue, a.astype(np.float32), min(k, 12), 0, True)
        b = np.where(rng.random(a.shape) < 0.3, NAN, a)
        check_like_torch(F.kthvalue, torch.kthvalue, b, k, second=False)


def test_mode_of_ties_is_like_torch():
    for values in ([1, 2, 2, 1, 3], [2, 1, 2, 1, 3], [5], [3, 3, 1, 1, 1, 2]):
        check_like_torch(F.mode, torch.mode, np.array(values))
    check_like_torch(F.mode, torch.mode, rng.integers(0, 3, (4, 9, 2)), 1)
    check_like_torch(F.mode, torch.mode, rng.integers(0, 3, (9, 4)).astype(np.float64), 0, True)


def test_gradient_goes_to_one_place_only():
    x = wrap(np.array([[2.0, 2.0, 1.0], [0.0, 0.0, 0.0]]))
    x._set_requires_grad(True)
    g = run_backward((F.max(x, 1).values,), (wrap(np.array([3.0, 5.0])),), False, False, (x,), False)[0]
    np.testing.assert_array_equal(g._array, [[3.0, 0.0, 0.0], [5.0, 0.0, 0.0]])


# ----- Errors -----


@pytest.mark.parametrize(
    "call",
    [
        lambda m, x, e: m.max(x, 3),
        lambda m, x, e: m.argmax(e),
        lambda m, x, e: m.argmax(e, 0),
        lambda m, x, e: m.argmin(x, 3),
        lambda m, x, e: m.argmax(x > 0),
        lambda m, x, e: m.median(e, 0),
        lambda m, x, e: m.mode(e, 0),
        lambda m, x, e: m.kthvalue(x, 5, 0),
        lambda m, x, e: m.kthvalue(x, 0),
        lambda m, x, e: m.min("a"),
    ],
)
def test_refused_call_raises_pytorchs_error(call):
    e = np.empty((0, 3))
    assert_same_error(lambda: call(F, wrap(A), wrap(e)), lambda: call(torch, torch.tensor(A), torch.tensor(e)))


@pytest.mark.parametrize("call", ["median()", "median(0)", "nanmedian()", "nanmedian(0)", "kthvalue(1)"])
def test_order_statistics_of_bools_raise_torchs_error(call):
    check_error(f"lib.tensor([True, False]).{call}")
