"""Products in tiles: cut alike by both engines, right at every edge, the same whatever the number of threads."""

import itertools

import numpy as np
import pytest

from npg.engine import name as engine_name
from npg.ops import _openblas, _parallel, _products, _tiles
from tests.helpers import strided

rng = np.random.default_rng(0)

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
    monkeypatch.setattr(_tiles, "KERNELS", request.param)
    return request.param


def matrices(m, k, n, dtype, layouts):
    a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
    return tuple(np.asarray(x, order=order) for x, order in zip((a, b), layouts, strict=True))


@pytest.mark.parametrize("layouts", ["CC", "CF", "FC", "FF"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("m", "k", "n"), SHAPES)
def test_product_is_numpys_and_of_the_same_bits_on_both_engines(m, k, n, dtype, layouts, kernels, monkeypatch):
    a, b = matrices(m, k, n, dtype, layouts)
    y = _products.multiply(a, b)
    np.testing.assert_allclose(y, a.astype(np.float64) @ b.astype(np.float64), atol=1e-5 * k)
    assert y.dtype == dtype
    assert y.flags.c_contiguous
    monkeypatch.setattr(_products, "_multiply", None)
    np.testing.assert_array_equal(_products.multiply(a, b), y)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_product_of_a_batch_by_a_matrix_has_the_bits_of_its_rows(dtype, kernels, monkeypatch):
    a, b = matrices(60, 128, 200, dtype, "CF")
    batch = a.reshape(3, 4, 5, 128)
    expected = _products.multiply(a, b).reshape(3, 4, 5, 200)
    np.testing.assert_array_equal(_products.multiply(batch, b), expected)
    monkeypatch.setattr(_products, "_multiply", None)
    np.testing.assert_array_equal(_products.multiply(batch, b), expected)


@pytest.mark.parametrize(("m", "k", "n"), [(64, 128, 512), (33, 512, 129), (256, 64, 256)])
def test_bits_do_not_depend_on_the_number_of_threads(m, k, n, kernels, monkeypatch):
    tell, ask = _openblas.function("get_num_threads"), _openblas.function("set_num_threads")
    monkeypatch.setattr(_parallel._pool, "is_free", True)
    a, b = matrices(m, k, n, np.float32, "CF")
    found = set()
    for threads, products, multiply in itertools.product((1, 2, 3, 7), (1, 2), (_products._multiply, None)):
        monkeypatch.setattr(_parallel._pool, "limit", threads)
        monkeypatch.setattr(_products, "_multiply", multiply)
        before = tell() if tell else 0
        try:
            if ask:
                ask(products)
            found.add(_products.multiply(a, b).tobytes())
        finally:
            if ask:
                ask(before)
    assert len(found) == 1 or not (kernels or m <= 64)  # what is not cut is OpenBLAS's own


@pytest.mark.parametrize("along_lines", [True, False])
@pytest.mark.parametrize("itemsize", [4, 8])
def test_tiles_are_what_blas_takes_and_leave_no_single_line(itemsize, along_lines, kernels):
    sizes = (2, 3, 31, 32, 33, 63, 64, 65, 97, 128, 256, 257, 1025, 1057)
    cuts = 0
    for m, k, n in itertools.product(sizes, (4, 31, 32, 500, 976, 977, 1024, 1025), sizes):
        rows, columns = _tiles.cut(m, k, n, itemsize, along_lines)
        if (rows, columns) == (m, n):
            continue
        cuts += 1
        assert m % rows != 1
        assert n % columns != 1
        if kernels:
            assert rows * columns <= 1200
            assert rows * columns * k <= 1_000_000
            assert k >= 32 or not along_lines
        else:
            assert rows == m
    assert cuts > 50


@pytest.mark.parametrize("change", [strided, lambda x: x[::-1].copy()[::-1], lambda x: x.astype(">f4")])
def test_layouts_that_blas_refuses_are_copied(change, kernels):
    a, b = matrices(40, 64, 60, np.float32, "CC")
    y = _products.multiply(a, b)
    for pair in ((change(a), b), (a, change(b))):
        np.testing.assert_allclose(_products.multiply(*pair), y, rtol=1e-5, atol=1e-5)


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
    expected = _products.multiply(a, b)
    np.testing.assert_array_equal(_products.multiply(*pair), expected)
    monkeypatch.setattr(_products, "_multiply", None)
    np.testing.assert_array_equal(_products.multiply(*pair), expected)


@pytest.mark.parametrize("shape", [(0, 5, 3), (5, 0, 3), (5, 3, 0), (0, 0, 0)])
def test_products_without_elements_are_zeros(shape, kernels):
    m, k, n = shape
    y = _products.multiply(np.ones((m, k), np.float32), np.ones((k, n), np.float32))
    np.testing.assert_array_equal(y, np.zeros((m, n)))


@pytest.mark.skipif(engine_name != "cython", reason="the Python engine multiplies by NumPy alone")
def test_engine_takes_the_threads_and_gives_them_back(kernels, threads_noted):
    a, b = matrices(64, 512, 512, np.float32, "CF")
    _products.multiply(a[:2, :40], b[:40])
    assert threads_noted == []
    _products.multiply(a, b)
    assert threads_noted == ["taken", "given back"]


@pytest.mark.skipif(engine_name != "cython", reason="the Python engine multiplies by NumPy alone")
def test_engine_multiplies_while_the_threads_are_busy():
    a, b = matrices(64, 512, 512, np.float32, "CF")
    y = _products.multiply(a, b)
    with _parallel._pool.busy:
        np.testing.assert_array_equal(_products.multiply(a, b), y)
