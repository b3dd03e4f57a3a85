"""Products in tiles: cut alike by both engines, right at every edge, independent of the number of threads."""

import contextlib
import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

from npg.kernels import limits, openblas, parallel, products, tiles
from tests.helpers import strided

rng = np.random.default_rng(0)
needs_apart = pytest.mark.skipif(not openblas.APART, reason="needs a BLAS that can be asked to stay in the thread")

SHAPES = [
    (64, 128, 384),
    (64, 512, 128),
    (33, 128, 65),  # parts of 17 and 16 rows
    (50, 100, 70),
    (16, 128, 512),
    (2, 40, 2000),
    (2000, 40, 2),
    (64, 1000, 100),  # beyond what a tile of 32 rows may read
    (256, 64, 256),
    (40, 3, 50),
    (5, 31, 1001),
    (34, 40, 1057),  # would leave one column
    (1, 300, 500),
    (500, 300, 1),
    (300, 1, 40),
    (7, 5, 9),
    (300, 100, 300),
    (768, 16, 512),
]


@pytest.fixture(params=[True, False], ids=["small kernels", "without"])
def kernels(request, monkeypatch):
    monkeypatch.setattr(tiles, "KERNELS", request.param)
    return request.param


def matrices(m, k, n, dtype, layouts):
    a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
    return tuple(np.asarray(x, order=order) for x, order in zip((a, b), layouts, strict=True))


@pytest.mark.parametrize("layouts", ["CC", "CF", "FC", "FF"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("m", "k", "n"), SHAPES)
def test_product_is_numpys_and_of_the_same_bits_on_both_engines(m, k, n, dtype, layouts, kernels, monkeypatch):
    a, b = matrices(m, k, n, dtype, layouts)
    y = products.multiply(a, b)
    np.testing.assert_allclose(y, a.astype(np.float64) @ b.astype(np.float64), atol=1e-5 * k)
    assert y.dtype == dtype
    assert y.flags.c_contiguous
    monkeypatch.setattr(products, "_multiply", None)
    np.testing.assert_array_equal(products.multiply(a, b), y)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_product_of_a_batch_by_a_matrix_has_the_bits_of_its_rows(dtype, kernels, monkeypatch):
    a, b = matrices(60, 128, 200, dtype, "CF")
    batch = a.reshape(3, 4, 5, 128)
    expected = products.multiply(a, b).reshape(3, 4, 5, 200)
    np.testing.assert_array_equal(products.multiply(batch, b), expected)
    monkeypatch.setattr(products, "_multiply", None)
    np.testing.assert_array_equal(products.multiply(batch, b), expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("m", "k", "n"), [*SHAPES, (3000, 20, 65), (200_000, 2, 1), (4000, 9, 7), (1, 3, 200_000)])
def test_row_is_added_to_each_row_of_the_product(m, k, n, dtype, kernels, monkeypatch):
    a, b = matrices(m, k, n, dtype, "CF")
    row = rng.standard_normal(n).astype(dtype)
    expected = products.multiply(a, b) + row
    of_column = np.repeat(row, 2)[::2]  # not contiguous
    np.testing.assert_array_equal(products.multiply(a, b, row=row), expected)
    np.testing.assert_array_equal(products.multiply(a, b, row=of_column), expected)
    wide = np.full((m, n + 3), np.nan, dtype)
    assert products.multiply(a, b, wide[:, :n], row) is not None
    np.testing.assert_array_equal(wide[:, :n], expected)
    assert np.isnan(wide[:, n:]).all()
    monkeypatch.setattr(products, "_multiply", None)
    np.testing.assert_array_equal(products.multiply(a, b, row=row), expected)
    wide[...] = np.nan
    products.multiply(a, b, wide[:, :n], row)
    np.testing.assert_array_equal(wide[:, :n], expected)
    assert np.isnan(wide[:, n:]).all()


def test_row_is_added_to_the_products_of_a_batch(monkeypatch):
    a, b, row = rng.standard_normal((3, 4, 40, 30)), rng.standard_normal((4, 30, 50)), rng.standard_normal(50)
    expected = products.multiply(a, b) + row
    for x, y in ((a, b), (a[..., ::2, :], b), (a[:, :, :0], b), (a[..., :0], b[:, :0])):
        np.testing.assert_array_equal(products.multiply(x, y, row=row), products.multiply(x, y) + row)
    monkeypatch.setattr(products, "_multiply", None)
    np.testing.assert_array_equal(products.multiply(a, b, row=row), expected)


@contextlib.contextmanager
def threads(npg_threads, blas):
    """Set the numbers of threads of npg and of OpenBLAS for the length of a block."""
    ask, tell = openblas.function("get_num_threads"), openblas.function("set_num_threads")
    limit, before = parallel.requested(), ask() if ask else 0
    try:
        parallel.set_limit(npg_threads)
        if tell:
            tell(blas)
        yield
    finally:
        parallel.set_limit(limit)
        if tell:
            tell(before)


def in_every_way(a, b):
    """Return the set of the product's bits from both engines and several numbers of threads."""
    accelerated = products._multiply
    results = set()
    try:
        for npg_threads, blas, multiply in itertools.product((1, 2, 5), (1, 2, 5), {accelerated, None}):
            products._multiply = multiply
            with threads(npg_threads, blas):
                results.add(products.multiply(a, b).tobytes())
    finally:
        products._multiply = accelerated
    return results


@pytest.mark.parametrize(("m", "k", "n"), [(64, 128, 512), (33, 512, 129), (256, 64, 256), (400, 300, 500)])
def test_bits_do_not_depend_on_the_number_of_threads(m, k, n, kernels, monkeypatch):
    monkeypatch.setattr(parallel._pool, "is_free", True)
    results = in_every_way(*matrices(m, k, n, np.float32, "CF"))
    assert len(results) == 1 or not (openblas.APART or (m <= 64 and kernels))  # what is not cut is BLAS's own


sizes = st.one_of(st.integers(1, 40), st.integers(1, 700), st.sampled_from([1, 2, 3, 64, 65, 128, 513, 9000]))


@needs_apart
@given(
    m=sizes, k=sizes, n=sizes, double=st.booleans(), layouts=st.sampled_from(["CC", "CF", "FC", "FF"]), data=st.data()
)
@settings(max_examples=settings.default.max_examples // 4)
def test_any_product_has_the_same_bits_in_every_way_and_is_right(m, k, n, double, layouts, data):
    assume(m * k * n < 5e7)
    lead = data.draw(st.sampled_from([(), (), (2,), (2, 3)])) if m * k * n < 2e6 else ()
    draw = np.random.default_rng(m * k * n)
    shapes = (*lead, m, k), (*data.draw(st.sampled_from([lead, ()])), k, n)
    dtype = np.float64 if double else np.float32
    a, b = (
        draw.standard_normal(shape).astype(dtype) if order == "C"
        else draw.standard_normal((*shape[:-2], shape[-1], shape[-2])).astype(dtype).swapaxes(-1, -2)
        for shape, order in zip(shapes, layouts, strict=True)
    )  # fmt: skip
    if m == n and data.draw(st.booleans()):
        b = a.swapaxes(-1, -2)  # of which NumPy would let BLAS compute one half
    (bits,) = in_every_way(a, b)
    product = np.frombuffer(bits, dtype).reshape(*lead, m, n)
    exact = a.astype(np.float64) @ b.astype(np.float64)
    np.testing.assert_allclose(product, exact, rtol=0, atol=20 * np.finfo(dtype).eps * k**0.5 * (1 + abs(exact).max()))


needs_batches = pytest.mark.skipif(not openblas.SHARES or not openblas.APART, reason="needs OpenBLAS's batches")


@needs_batches
@pytest.mark.parametrize("lines", list(itertools.product([True, False], repeat=2)))
@pytest.mark.parametrize("itemsize", [4, 8])
def test_tiles_stay_in_their_thread_and_leave_no_single_line(itemsize, lines, kernels):
    lengths = (1, 2, 3, 31, 32, 33, 63, 64, 65, 97, 128, 256, 257, 1025, 1057)
    cuts = 0
    for m, k, n, is_one in itertools.product(
        lengths, (1, 4, 31, 32, 500, 976, 1024, 1025, 20000), lengths, (True, False)
    ):
        rows, columns, depth = tiles.cut(m, k, n, itemsize, *lines, is_one)
        cuts += (rows, columns, depth) != (m, n, k)
        assert 0 < rows <= m
        assert 0 < columns <= n
        assert 0 < depth <= k
        last = (m - 1) % rows + 1, (n - 1) % columns + 1
        work = last[0] * last[1] * depth  # of the smallest tile
        if m == 1 or n == 1:
            assert rows * columns * depth <= limits.UNSHARED_VECTOR
            continue
        assert min(last) > 1
        is_small = kernels and (lines[0] or not lines[1]) and rows * columns * depth <= limits.UNSHARED_BATCH
        if lines == (True, True):
            is_small = is_small and rows * columns <= 1200 and depth >= 32
        is_batch = work > limits.UNSHARED_BATCH and depth == k
        assert is_small or rows * columns * depth <= limits.UNSHARED_GEMM or is_batch
    assert cuts > 500


def test_what_is_too_small_for_two_batches_of_one_is_cut_for_threads_all_the_same():
    assert tiles._cut(False, 16, 128, 512, 4, True, False, True) == (16, 128, 128)
    assert tiles._cut(False, 512, 16, 128, 4, False, False, True) == (128, 128, 16)
    assert tiles._cut(False, 101, 9941, 3, 4, True, False, True) == (101, 3, 9941)  # only k could be cut: not worth it


def test_nothing_is_cut_for_another_blas(monkeypatch):
    for name in ("SHARES", "APART"):
        monkeypatch.setattr(tiles, name, False)
    tiles._cut.cache_clear()
    assert tiles.cut(700, 600, 500, 4, True, False) == (700, 500, 600)
    assert tiles.cut(1, 6000, 5000, 4, True, False) == (1, 5000, 6000)
    tiles._cut.cache_clear()


def test_product_into_a_given_array_of_any_layout():
    a, b = matrices(70, 80, 90, np.float32, "CF")
    expected = products.multiply(a, b)
    out = np.full((3, 70, 2, 91), 7, np.float32)
    for multiply in (products._multiply, None):
        accelerated, products._multiply = products._multiply, multiply
        try:
            for target in (out[1, :, 1, :90], out[0, :, 0, 90:0:-1], np.empty((90, 70), np.float32).T):
                assert products.multiply(a, b, target) is target
                np.testing.assert_array_equal(target, expected)
        finally:
            products._multiply = accelerated
    assert (out[2] == 7).all()


@pytest.mark.parametrize("change", [strided, lambda x: x[::-1].copy()[::-1], lambda x: x.astype(">f4")])
def test_layouts_that_blas_refuses_are_copied(change, kernels):
    a, b = matrices(40, 64, 60, np.float32, "CC")
    y = products.multiply(a, b)
    for pair in ((change(a), b), (a, change(b))):
        np.testing.assert_allclose(products.multiply(*pair), y, rtol=1e-5, atol=1e-5)


ODD = [  # shapes of the factors, and the strides that dimensions of size 1 get
    ((3, 1, 4), (16, 4, 4), (4, 2), (8, 4)),
    ((3, 1, 4), (16, 16000, 4), (4, 2), (8, 4)),
    ((1, 3, 1, 4), (-8, 16, 0, 4), (4, 2), (8, 4)),
    ((3, 5, 1), (20, 4, 800), (1, 2), (8000, 4)),
    ((3, 1, 1), (4, 36000, -7), (1, 2), (3, 4)),
    ((3, 4), (16, 4), (4, 1), (4, 4000)),
    ((1, 4), (4000, 4), (4, 2), (8, 4)),
    ((1, 4), (4, 4), (4, 1), (4, 0)),
    ((64, 1), (4, 36000), (1, 64), (4, 4)),
    ((2, 1, 64), (256, 1, 4), (64, 100), (400, 4)),
]


@pytest.mark.parametrize(("a_shape", "a_strides", "b_shape", "b_strides"), ODD)
def test_the_stride_of_a_dimension_of_size_1_tells_nothing(
    a_shape, a_strides, b_shape, b_strides, kernels, monkeypatch
):
    a, b = rng.standard_normal(a_shape).astype("f"), rng.standard_normal(b_shape).astype("f")
    pair = np.ndarray(a_shape, "f", a, 0, a_strides), np.ndarray(b_shape, "f", b, 0, b_strides)
    assert [x.flags.c_contiguous for x in pair] == [True, True]
    expected = products.multiply(a, b)
    np.testing.assert_array_equal(products.multiply(*pair), expected)
    monkeypatch.setattr(products, "_multiply", None)
    np.testing.assert_array_equal(products.multiply(*pair), expected)


@pytest.mark.parametrize("shape", [(0, 5, 3), (5, 0, 3), (5, 3, 0), (0, 0, 0)])
def test_products_without_elements_are_zeros(shape, kernels):
    m, k, n = shape
    y = products.multiply(np.ones((m, k), np.float32), np.ones((k, n), np.float32))
    np.testing.assert_array_equal(y, np.zeros((m, n)))
