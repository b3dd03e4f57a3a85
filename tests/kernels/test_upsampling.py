"""Weighted sums along dimensions: products in blocks against single sums, adjoints, numbers that are not finite."""

import itertools

import numpy as np
import pytest

from npg.kernels import upsampling as kernels
from npg.kernels.upsampling import Resizing, taps_of

rng = np.random.default_rng(0)
DOUBLE = np.dtype(np.float64)
MODES = [("nearest", False), ("nearest-exact", False), ("linear", False), ("cubic", False),
         ("linear", True), ("cubic", True), ("lanczos", True)]  # fmt: skip
SIZES = [(1, 1), (1, 5), (6, 1), (4, 8), (9, 4), (7, 7), (5, 11), (200, 70), (70, 230), (8, 24), (24, 8), (300, 75)]


def matrix(taps):
    """Return the dense matrix of taps."""
    dense = np.zeros((taps.m, taps.n))
    for i in range(taps.m):
        for k in range(taps.count[i]):
            dense[i, taps.index[i, k]] += taps.weight[i, k]
    return dense


@pytest.mark.parametrize(("mode", "antialias"), MODES)
def test_resize_is_the_product_with_the_taps_in_every_dimension(mode, antialias):
    for (n, m), align in itertools.product(SIZES, (False, True)):
        taps = taps_of(Resizing(n, m, mode, align, None, antialias), DOUBLE)
        dense = matrix(taps)
        np.testing.assert_allclose(dense.sum(1), 1, 1e-12)
        np.testing.assert_allclose(matrix(taps.transposed), dense.T, 1e-12, 1e-15)
        x = rng.standard_normal((2, n, 3))
        expected = np.einsum("ij,ajb->aib", dense, x)
        for dim in (1, 2):
            moved = np.ascontiguousarray(np.moveaxis(x, 1, dim))
            y = np.moveaxis(kernels.resize(moved, {dim: taps}), dim, 1)
            np.testing.assert_allclose(y, expected, 1e-12, 1e-13)
        back = rng.standard_normal((2, m, 3))
        y = kernels.resize(back, {1: taps.transposed})
        np.testing.assert_allclose(y, np.einsum("ij,aib->ajb", dense, back), 1e-12, 1e-13)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("mode", ["linear", "cubic"])
def test_numbers_that_are_not_finite_reach_only_their_neighbours(mode, value):
    taps = taps_of(Resizing(20, 45, mode), DOUBLE)
    x = rng.standard_normal((2, 20, 20))
    x[0, 3, 15] = value
    y = kernels.resize(x, {1: taps, 2: taps})
    touched = (matrix(taps)[:, 3] != 0)[:, None] & (matrix(taps)[:, 15] != 0)
    assert np.isfinite(y[1]).all()
    assert not np.isfinite(y[0][touched]).any()
    far = np.ones((45, 45), bool)
    far[3:12, 30:40] = False
    assert np.isfinite(y[0][far]).all()
    g = np.zeros((1, 45, 45))
    g[0, 44, 0] = value
    assert (~np.isfinite(kernels.resize(g, {1: taps.transposed, 2: taps.transposed}))).sum() <= 16


def test_result_is_new_and_contiguous_whatever_the_layout():
    taps, same = taps_of(Resizing(4, 6, "linear"), DOUBLE), taps_of(Resizing(4, 4, "linear"), DOUBLE)
    x = rng.standard_normal((3, 4, 4))
    for view in (x, x[::-1], x.transpose(0, 2, 1), np.broadcast_to(x[:1], (3, 4, 4)), x[:, ::-1, ::-1]):
        for dims in ({1: taps, 2: taps}, {1: same, 2: taps}, {1: same, 2: same}):
            y = kernels.resize(view, dims)
            assert y.flags.c_contiguous and y.flags.writeable and not np.shares_memory(y, x)
            np.testing.assert_array_equal(y, kernels.resize(view.copy(), dims))


def test_identity_is_recognised():
    for mode, antialias in MODES:
        if mode != "lanczos":
            assert taps_of(Resizing(5, 5, mode, False, None, antialias), DOUBLE).is_identity, mode
        assert not taps_of(Resizing(5, 7, mode, False, None, antialias), DOUBLE).is_identity


def test_bytes_are_rounded_after_every_dimension():
    x = np.array([[0, 255, 10, 250]], np.uint8)
    y = kernels.resize_bytes(x, {1: Resizing(4, 7, "linear", True)})
    assert y.dtype == np.uint8 and y.tolist() == [[0, 128, 255, 133, 10, 130, 250]]
    assert kernels.resize_bytes(x, {1: Resizing(4, 4, "linear")}).tolist() == x.tolist()
