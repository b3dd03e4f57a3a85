"""Sums that keep their digits: any layout, any dimensions, many numbers."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from npg.kernels import limits, moments, products, sums

rng = np.random.default_rng(0)
F4, F8 = np.dtype(np.float32), np.dtype(np.float64)

TALL = 200_000  # rows; added one after the other with rounding, they would lose thousands of units in the last place


def ulps(actual, expected, dtype=np.float32):
    """Return the largest error in units of the last place of a dtype."""
    return float(np.max(np.abs(np.asarray(actual, F8) - expected) / np.spacing(np.abs(expected).astype(dtype))))


# ----- Any layout -----


@st.composite
def arrays(draw):
    """Draw an array with dimensions in any order, reversed, with steps or expanded, and some of its dimensions."""
    sizes = draw(st.lists(st.sampled_from([1, 2, 3, 31, 32, 65, 130]), min_size=1, max_size=4))
    while math.prod(sizes) > 60_000:
        sizes.remove(max(sizes))
    dtype = draw(st.sampled_from([np.float16, np.float32, np.float64]))
    x = np.random.default_rng(draw(st.integers(0, 99))).random(sizes).astype(dtype)
    x = x.transpose(draw(st.permutations(range(x.ndim))))
    steps = st.sampled_from([slice(None), slice(None), slice(None, None, -1), slice(None, None, 2), slice(1, None)])
    x = x[tuple(draw(steps) for _ in range(x.ndim))]
    if x.size and draw(st.integers(0, 3)) == 0:
        d = draw(st.integers(0, x.ndim - 1))
        x = np.broadcast_to(x[(slice(None),) * d + (slice(0, 1),)], x.shape)
    dims = draw(st.permutations(range(x.ndim)))[: draw(st.integers(1, x.ndim))]
    return x, draw(st.sampled_from([None, tuple(dims), dims[0]])), draw(st.booleans())


@given(arrays())
def test_add_up_is_the_sum_whatever_the_layout(case):
    x, dim, keepdim = case
    actual = sums.add_up(x, dim, keepdim)
    expected = np.add.reduce(x.astype(F8), dim, keepdims=keepdim)
    assert actual.shape == expected.shape and actual.dtype == (F8 if x.dtype == F8 else F4)
    np.testing.assert_allclose(actual, expected, rtol=1e-14 if x.dtype == F8 else 2e-6)
    assert not np.shares_memory(actual, x)


@pytest.mark.parametrize("x", [np.ones((140, 1, 1)), np.ones((140, 1, 1))[::-1], np.ones((140, 2, 1))[:, :1]])
@pytest.mark.parametrize("dim", [1, 2, (1, 2)])
def test_sums_over_dimensions_of_size_1_are_no_views(x, dim):
    assert not np.shares_memory(sums.add_up(x, dim), x)


@given(arrays(), st.sampled_from([0.0, 1e3, 1e6]), st.sampled_from([0, 1, 2.5]))
def test_variance_is_that_of_float64_whatever_the_layout(case, offset, correction):
    x, dim, keepdim = case
    dims = None if dim is None else dim if isinstance(dim, tuple) else (dim,)
    if x.dtype == np.float16:
        offset = min(offset, 1e3)
    x = (x + x.dtype.type(offset))[...] if min(map(abs, x.strides)) else x
    n = x.size if dims is None else math.prod(x.shape[d] for d in dims)
    if n <= correction:
        return
    actual, center = moments.variance(x, dims, correction, keepdim)
    wide = x.astype(np.longdouble)
    expected = ((wide - wide.mean(dims, keepdims=True)) ** 2).sum(dims, keepdims=keepdim) / (n - correction)
    assert actual.shape == expected.shape
    scale = np.asarray(expected, F8) + 1e-13 * offset**2 * (x.dtype == F8)  # float64 itself loses these
    assert (np.abs(actual - expected) <= (1e-12 if x.dtype == F8 else 1.2e-7) * scale + 1e-20).all()
    np.testing.assert_allclose(
        center, np.asarray(wide.mean(dims, keepdims=True), F8), rtol=1e-13 if x.dtype == F8 else 1e-8
    )


# ----- Many numbers -----

SHAPES = [
    ((TALL, 1), 0),
    ((TALL, 4), 0),
    ((TALL, 65), 0),
    ((3000, 1000), 0),
    ((3, TALL, 2), 1),
    ((TALL, 2, 3), (0, 2)),
    ((2, 1000, 200), (0, 1)),
    ((300, 3, 40, 40), (0, 2, 3)),
    ((TALL,), None),
]


@pytest.mark.parametrize("fill", ["far", "equal"])
@pytest.mark.parametrize(("shape", "dim"), SHAPES)
def test_add_up_of_many_numbers_keeps_its_digits(shape, dim, fill):
    x = rng.random(shape, F4) + F4.type(1000) if fill == "far" else np.full(shape, 0.1, F4)
    layouts = [x, x.copy(order="F"), np.stack([x, x], -1)[..., 0], x[::-1]]
    for y in layouts[: 4 if x.size < 2**20 else 1]:
        assert ulps(sums.add_up(y, dim), y.sum(dim, dtype=F8)) <= 20


@given(
    lead=st.sampled_from([(), (), (2,), (3, 2)]),
    rows=st.one_of(st.integers(1, 300), st.sampled_from([127, 128, 129, 1000, 3001, 20_000])),
    columns=st.one_of(st.integers(1, 80), st.sampled_from([128, 255, 300, 513, 1000, 2050])),
    dtype=st.sampled_from([F4, F8]),
    slab=st.sampled_from([1 << 13, 1 << 20]),
)
def test_sums_of_columns_keep_their_digits_and_are_the_same_without_the_extension(lead, rows, columns, dtype, slab):
    assume(math.prod(lead) * rows * columns < 600_000)
    x = np.random.default_rng(rows * columns).random((*lead, rows, columns)).astype(dtype) + dtype.type(1000)
    accelerated, default_slab = products._multiply, sums._SLAB
    results = []
    try:
        sums._SLAB = slab
        for products._multiply in (accelerated, None):
            results.append(sums.add_up(x, len(lead)))
            assert lead or x.size <= limits.ADDED_SINGLY or np.array_equal(results[-1], sums.column_sum(x))
    finally:
        products._multiply, sums._SLAB = accelerated, default_slab
    np.testing.assert_array_equal(*results)
    assert results[0].dtype == dtype
    assert ulps(results[0], x.sum(len(lead), dtype=np.longdouble).astype(F8), dtype) <= 12


def test_add_up_counts_beyond_what_float32_can_count_one_by_one():
    assert sums.add_up(np.broadcast_to(F4.type(1), (3 * 10**7, 2)), 0).tolist() == [3e7, 3e7]
    assert sums.add_up(np.ones((2**25, 1), np.float16), 0).tolist() == [2**25]


def test_rows_columns_and_products_keep_their_digits():
    x = rng.random((TALL, 3), F4) + F4.type(1000)
    wide = x.astype(F8)
    assert ulps(sums.column_sum(x), wide.sum(0)) <= 8
    assert ulps(sums.row_sum(x.T.copy()), wide.sum(0)) <= 8
    flat = x.reshape(-1)
    assert ulps(sums.inner(flat, flat), np.float64((wide * wide).sum())) <= 8


@pytest.mark.parametrize("dtype", [np.float16, F4, F8])
def test_sums_over_rows_and_columns(dtype):
    x = rng.standard_normal((700, 5)).astype(dtype)
    tolerance = {"rtol": 1e-2, "atol": 1e-2} if dtype == np.float16 else {"rtol": 1e-5, "atol": 1e-4}
    for a in (x, x.T, x[:300], x[:, 1:4]):
        rows, columns = sums.row_sum(a), sums.column_sum(a)
        assert rows.dtype == columns.dtype == dtype
        np.testing.assert_allclose(rows, a.sum(1, dtype=F8), **tolerance)
        np.testing.assert_allclose(columns, a.sum(0, dtype=F8), **tolerance)


def test_ones_are_read_only_shared_and_bounded():
    a = sums.ones(5, F4)
    assert a.dtype == F4 and a.tolist() == [1.0] * 5
    assert np.shares_memory(a, sums.ones(3, F4))
    with pytest.raises(ValueError, match="read-only"):
        a[0] = 2.0
    n = sums._CACHED_LENGTH + 1
    assert not np.shares_memory(sums.ones(n, F8), sums.ones(n, F8))


# ----- Mean and variance -----


@pytest.mark.parametrize("n", [3, 200_000])
@pytest.mark.parametrize("scale", [1e30, 1e-30, 1.0])
def test_variance_of_float32_neither_overflows_nor_vanishes(n, scale):
    x = (np.linspace(1, 2, n) * scale).astype(F4)
    with np.errstate(all="ignore"):  # as within an op
        actual, _ = moments.variance(x, None, 1, False)
    assert ulps(np.sqrt(actual), np.std(x.astype(F8), ddof=1), F4) <= 1


@pytest.mark.parametrize("dtype", [F4, F8])
@pytest.mark.parametrize("shape", [(10,), (300, 3), (500_000,), (100_000, 7)])
def test_variance_of_equal_numbers_is_nothing(shape, dtype):
    actual, center = moments.variance(np.full(shape, 0.1, dtype), (0,), 1, False)
    assert not actual.any()
    np.testing.assert_allclose(center, dtype.type(0.1), rtol=1e-15)


# ----- Sums by index -----


@pytest.mark.parametrize("dtype", [F4, F8])
@pytest.mark.parametrize(("count", "columns", "n"), [(3, 1, 50_000), (3, 4, 50_000), (3, 3, 50_000), (700, 2, 200_000)])
def test_add_at_keeps_its_digits(count, columns, n, dtype):
    rows = rng.random((n, columns)).astype(dtype) + dtype.type(1000)
    index = rng.integers(-count, count, n)
    out = rng.random((count, columns)).astype(dtype)
    expected = out.astype(np.longdouble)
    np.add.at(expected, index, rows)
    sums.add_at(out, index, rows)
    assert ulps(out, np.asarray(expected, F8), dtype) <= 8


@given(st.data())
def test_add_at_is_that_of_numpy(data):
    count, columns = data.draw(st.sampled_from([1, 2, 7, 300])), data.draw(st.sampled_from([0, 1, 2, 3, 128]))
    n = data.draw(st.sampled_from([0, 1, 5, 300, 2000]))
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    dtype = data.draw(st.sampled_from([F4, F8, np.dtype(np.int64)]))
    rows = (random.random((n, 2 * columns)) * 100).astype(dtype)[:, ::2]
    index = random.integers(-count, count, n).astype(data.draw(st.sampled_from([np.int64, np.int32])))
    out = np.zeros((count, columns), dtype)
    expected = out.astype(F8)
    np.add.at(expected, index, rows)
    sums.add_at(out, index, rows)
    np.testing.assert_allclose(out, expected, rtol=2e-6)


@pytest.mark.parametrize("wrong", [5, -6])
@pytest.mark.parametrize(("columns", "n"), [(1, 3), (1, 100_000), (2, 3), (2, 100_000)])
def test_add_at_refuses_other_rows_before_it_adds(columns, n, wrong):
    out, index = np.zeros((5, columns), F4), np.zeros(n, np.int64)
    index[-1] = wrong
    with pytest.raises(IndexError, match="out of bounds"):
        sums.add_at(out, index, np.ones((n, columns), F4))
    assert not out.any()
