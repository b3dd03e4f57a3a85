"""Sorting, counts and indices against torch."""

import numpy as np
import pytest
import torch

import npg
from npg.ops import sort as ops
from tests.helpers import assert_like, assert_same_error, both, strided

rng = np.random.default_rng(7)
X = rng.standard_normal((4, 6, 5))
SPECIAL = np.array([1.0, np.nan, -0.0, np.inf, 0.0, -np.inf, -1.0, np.nan, 1.0, 0.0, -np.nan])
DTYPES = [np.float16, np.float32, np.float64, np.int8, np.int16, np.int32, np.int64, np.uint8, np.bool_]


# ----- sort -----


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_sort_is_like_torch(dim, descending):
    for x in (X, X.astype(np.float32), strided(X), np.tile(X, (1, 1, 8)).astype(np.float32)):
        both(lambda m, x: m.sort(x, dim, descending, stable=True) if m is npg else m.sort(x, stable=True, dim=dim,
             descending=descending), x)  # fmt: skip
    both(lambda m, x: m.argsort(x, dim, descending), X)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("size", [7, 3000])
def test_sort_with_equal_elements_is_stable(dtype, descending, size):
    # On both sides of the number of elements from which integers that hold value and place are sorted.
    x = (rng.integers(0, 40, size) - (0 if dtype in (np.uint8, np.bool_) else 20)).astype(dtype)
    both(lambda m, x: m.sort(x, stable=True, descending=descending), x, grad=False)
    both(lambda m, x: m.argsort(x, stable=True, descending=descending), x, grad=False)


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64, np.uint8])
def test_sort_of_extreme_integers_is_right(dtype):
    info = np.iinfo(dtype)
    x = rng.choice(np.array([info.min, info.max, 0, 1, info.max - 1, info.min + 1], dtype), 2000)
    for descending in (False, True):
        values, places = npg.sort(npg.tensor(x), descending=descending)
        expected = np.sort(x)[::-1] if descending else np.sort(x)
        np.testing.assert_array_equal(values.numpy(), expected)
        np.testing.assert_array_equal(x[places.numpy()], expected)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("times", [1, 200])
def test_sort_of_nan_zeros_and_infinities_is_torchs(dtype, times):
    x = np.tile(SPECIAL, times).astype(dtype)
    for descending in (False, True):
        both(lambda m, x: m.sort(x, stable=True, descending=descending), x, grad=False)  # noqa: B023
        both(lambda m, x: m.argsort(x, stable=True, descending=descending), x, grad=False)  # noqa: B023


def test_sort_of_a_number_and_of_nothing_is_torchs():
    for x in (np.array(2.0), np.zeros((2, 0)), np.zeros(0)):
        both(lambda m, x: m.sort(x), x)
        both(lambda m, x: m.argsort(x), x)
    both(lambda m, x: m.msort(x), X)
    both(lambda m, x: m.msort(x), np.array(2.0))


def test_sort_results_have_names_and_torchs_node():
    x = npg.tensor([3.0, 1.0], requires_grad=True)
    actual = x.sort()
    assert actual.values.tolist() == [1, 3]
    assert actual.indices.tolist() == [1, 0]
    assert actual.values.grad_fn.name() == "SortBackward0"
    assert x.topk(1).values.grad_fn.name() == "TopkBackward0"
    assert repr(npg.tensor([1.0]).sort()).startswith("npg.return_types.sort(\nvalues=tensor([1.]),\nindices=")


def test_sort_gradient_goes_through_the_values_only():
    x = npg.tensor(X, requires_grad=True)
    values, places = x.sort(1)
    assert not places.requires_grad
    (values * npg.arange(6.0).reshape(6, 1)).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.argsort(np.argsort(X, 1), 1))


# ----- topk -----


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("k", [0, 1, 3, 5])
def test_topk_is_like_torch(k, largest):
    for dim in (0, 1, 2):
        if k <= X.shape[dim]:
            both(lambda m, x: m.topk(x, k, dim, largest), X)  # noqa: B023
            both(lambda m, x: m.topk(x, k, dim=dim, largest=largest), strided(X).astype(np.float32))  # noqa: B023
    both(lambda m, x: m.topk(x, min(k, 1), largest=largest), np.array(2.0))


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.int64])
def test_topk_of_long_rows_is_like_torch(dtype, largest):
    x = rng.permutation(12000).reshape(3, 4000).astype(dtype)
    for k in (1, 10, 3999, 4000):
        both(lambda m, x: m.topk(x, k, largest=largest), x, second=False)  # noqa: B023


@pytest.mark.parametrize("dtype", DTYPES[:-1])
def test_topk_with_equal_elements_has_torchs_values_and_fitting_places(dtype):
    for size in (50, 900):
        x = rng.integers(0, 9, (3, size)).astype(dtype)
        for largest in (True, False):
            actual, expected = npg.tensor(x).topk(20, largest=largest), torch.from_numpy(x).topk(20, largest=largest)
            assert_like(actual.values, expected.values)
            places = actual.indices.numpy()
            np.testing.assert_array_equal(np.take_along_axis(x, places, -1), actual.values.numpy())
            assert all(len(set(row)) == 20 for row in places.tolist())


def test_topk_takes_nan_for_the_largest():
    for size in (1, 60):
        x = np.concatenate([np.tile([1.0, 3.0, 2.0], size), [np.nan]])
        assert np.isnan(npg.tensor(x).topk(1).values.item())
        assert not npg.tensor(x).topk(2, largest=False).values.isnan().any()
        both(lambda m, x: m.topk(x, 2)[0], x, grad=False)


ERRORS = [
    lambda m, x: x.sort(5),
    lambda m, x: x.argsort(-4),
    lambda m, x: x.topk(6),
    lambda m, x: x.topk(-1),
    lambda m, x: x.topk(1, 9),
    lambda m, x: (x > 0).topk(1),
    lambda m, x: m.tensor(1.0).topk(2),
    lambda m, x: m.searchsorted(x[0, 0], x, side="foo"),
    lambda m, x: m.searchsorted(x[0, 0], x, side="left", right=True),
    lambda m, x: m.searchsorted(x, x[0]),
    lambda m, x: m.searchsorted(x, 3.0),
    lambda m, x: m.searchsorted(m.tensor(1.0), x),
    lambda m, x: m.searchsorted(x[0, 0], x, sorter=m.tensor([0, 1])),
    lambda m, x: m.searchsorted(x[0, 0], x, sorter=m.tensor([0, 1, 2, 3, 9])),
    lambda m, x: m.searchsorted(x[0, 0], x, sorter=m.tensor([0, 1, 2, 3, 4]).int()),
    lambda m, x: m.bucketize(x, x),
    lambda m, x: m.bincount(x[0, 0]),
    lambda m, x: m.bincount(m.tensor([0, -1])),
    lambda m, x: m.bincount(m.tensor([[0]])),
    lambda m, x: m.bincount(m.tensor([0, 1]), m.tensor([1.0])),
    lambda m, x: m.bincount(m.tensor([0]), minlength=-1),
    lambda m, x: m.histc(x, 0),
    lambda m, x: m.histc(x, 4, 8, 2),
    lambda m, x: m.histc(x.long(), 4),
    lambda m, x: m.histc(x, 4, 0, float("inf")),
    lambda m, x: m.unique(x, dim=9),
    lambda m, x: m.unique(m.zeros(0, 3), dim=1),
    lambda m, x: m.nn.functional.one_hot(m.tensor([0, 2]), 2),
    lambda m, x: m.nn.functional.one_hot(m.tensor([0, -2])),
    lambda m, x: m.nn.functional.one_hot(m.tensor([], dtype=m.int64)),
    lambda m, x: m.nn.functional.one_hot(m.tensor([1.0])),
]


@pytest.mark.parametrize("call", ERRORS)
def test_sort_and_search_error_is_torchs(call):
    assert_same_error(lambda: call(npg, npg.tensor(X)), lambda: call(torch, torch.from_numpy(X)))


def test_ordered_keeps_the_order_of_every_float32():
    bits = np.concatenate([rng.integers(0, 2**32, 20000, dtype=np.uint64), [0, 0x80000000, 0x7F800000, 0xFF800000]])
    x = bits.astype(np.uint32).view(np.float32)
    x = x[~np.isnan(x)]
    keys = ops._ordered(x)
    order = np.argsort(keys, kind="stable")
    assert (np.diff(x[order].astype(np.float64)) >= 0).all()
    assert len(np.unique(keys)) == len(np.unique(x))  # 0 and -0 are one


# ----- Indices and counts -----

COUNTS = rng.integers(0, 6, (4, 5))


@pytest.mark.parametrize(
    "x", [COUNTS, COUNTS.astype(np.float32), COUNTS > 2, np.array(3), np.array(0), np.zeros((2, 0))]
)
def test_nonzero_is_like_torch(x):
    both(lambda m, x: m.nonzero(x), x, grad=False)
    both(lambda m, x: m.argwhere(x), x, grad=False)
    both(lambda m, x: list(m.nonzero(x, as_tuple=True)), x, grad=False)
    if x.ndim:
        both(lambda m, x: x[m.nonzero(x, as_tuple=True)], x, grad=False)


def test_one_hot_is_like_torch():
    for x, n in ((COUNTS, -1), (COUNTS, 9), (np.array(2), -1), (np.zeros((2, 0), np.int64), 3)):
        both(lambda m, x: m.nn.functional.one_hot(x, n), x, grad=False)  # noqa: B023


UNIQUE = [
    COUNTS, COUNTS.astype(np.float64), COUNTS > 2, np.array(3), np.zeros((0, 3)), np.array([np.nan, 1.0, np.nan]),
    np.array([[1, 2], [0, 1], [1, 2], [0, 1], [0, 0]]), np.array([2.0, -0.0, 0.0, 2.0], np.float32),
]  # fmt: skip


@pytest.mark.parametrize("x", UNIQUE, ids=str)
@pytest.mark.parametrize("name", ["unique", "unique_consecutive"])
def test_unique_is_like_torch(name, x):
    for inverse in (False, True):
        for counts in (False, True):
            for dim in (None, 0, 1)[: x.ndim + 1]:
                if dim == 1 and 0 in x.shape:
                    continue
                if dim == 0 and x.dtype.kind == "f" and np.isnan(x).any():
                    continue  # PyTorch does not sort slices with nan
                both(
                    lambda m, x: getattr(m, name)(x, return_inverse=inverse, return_counts=counts, dim=dim),  # noqa: B023
                    x,
                    grad=False,
                )


def test_unique_unsorted_has_the_same_values():
    assert sorted(npg.unique(npg.tensor(COUNTS), sorted=False).tolist()) == np.unique(COUNTS).tolist()


@pytest.mark.parametrize("right", [False, True])
def test_searchsorted_is_like_torch(right):
    steps = np.sort(rng.integers(0, 9, 12)).astype(np.float32)
    values = rng.integers(-1, 11, (3, 4)).astype(np.float32)
    side = "right" if right else "left"
    both(lambda m, s, v: m.searchsorted(s, v, right=right), steps, values, grad=False)
    both(lambda m, s, v: m.searchsorted(s, v, side=side, out_int32=True), steps, values, grad=False)
    both(lambda m, s: m.searchsorted(s, 3, right=right), steps, grad=False)
    both(lambda m, s, v: m.searchsorted(s, v, right=right), steps.reshape(3, 4), values, grad=False)
    both(lambda m, s, v: m.searchsorted(s, v, right=right), steps, np.array([np.nan, 3], np.float32), grad=False)
    order = rng.permutation(12)
    both(
        lambda m, s, v: m.searchsorted(s, v, right=right, sorter=m.tensor(np.argsort(order).tolist())),
        steps[order],
        values,
        grad=False,
    )
    both(lambda m, s, v: m.bucketize(v, s, right=right, out_int32=right), steps, values, grad=False)
    both(lambda m, s: m.bucketize(3.5, s, right=right), steps, grad=False)


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_searchsorted_with_nan_is_like_torch(dtype, right):
    nan = np.nan
    values = np.array([[nan, 0.0, 1.0, 2.0, 2.5, 9.0]] * 2, dtype)
    for steps in ([1.0, 2.0, 3.0], [1.0, 2.0, 2.0, nan], [1.0, nan, nan, nan], [nan], [nan, 1.0, 2.0], [1.0, nan, 2.0]):
        both(lambda m, s, v: m.searchsorted(s, v, right=right), np.array(steps, dtype), values, grad=False)
        both(lambda m, s, v: m.bucketize(v, s, right=right), np.array(steps, dtype), values, grad=False)
        rows = np.array([steps, steps[::-1]], dtype)
        both(lambda m, s, v: m.searchsorted(s, v, right=right), rows, values, grad=False)
        both(
            lambda m, s, v: m.searchsorted(s, v, right=right, sorter=m.argsort(s, stable=True)),
            rows,
            values,
            grad=False,
        )


def test_bincount_is_like_torch():
    x = COUNTS.reshape(-1)
    both(lambda m, x: m.bincount(x), x, grad=False)
    both(lambda m, x: m.bincount(x, minlength=20), x.astype(np.uint8), grad=False)
    both(lambda m, x: m.bincount(x), np.zeros(0, np.int64), grad=False)
    for dtype in (np.float32, np.float64, np.int64, np.float16):
        both(lambda m, x, w: m.bincount(x, w), x, np.arange(20).astype(dtype), grad=False)


def test_histc_is_like_torch():
    for x in (X, X.astype(np.float32), np.ones(3), np.zeros(0), np.array([0.0, 1.0, 2.0, 3.0, 4.0, np.nan])):
        both(lambda m, x: m.histc(x, 4, -1, 3), x, grad=False)
        if not np.isnan(x).any():
            both(lambda m, x: m.histc(x, 7), x, grad=False)
