"""Kernels of pooling: C and its twin in NumPy, and adjoints."""

import math

import numpy as np
import pytest

from npg.kernels import core, pooling

rng = np.random.default_rng(0)
ONES, ZEROS = (1, 1, 1), (0, 0, 0)

# Size, kernel, stride, padding, dilation, places.
EVEN = {
    "pairs": ((9,), (2,), (2,), (0,), (1,), (4,)),
    "squares": ((8, 10), (2, 2), (2, 2), (0, 0), (1, 1), (4, 5)),
    "overlap": ((7, 9), (3, 3), (1, 1), (1, 1), (1, 1), (7, 9)),
    "steps": ((11, 12), (3, 3), (2, 2), (1, 1), (1, 1), (6, 6)),
    "thirds": ((9, 14), (3, 2), (3, 3), (0, 1), (1, 1), (3, 5)),
    "dilation": ((9, 12), (2, 3), (1, 2), (1, 1), (2, 2), (9, 5)),
    "few": ((6, 6), (3, 2), (3, 3), (0, 0), (1, 1), (2, 2)),
    "volume": ((5, 6, 9), (2, 2, 3), (2, 1, 2), (1, 0, 1), (1, 1, 1), (3, 5, 5)),
    "wide": ((12, 13), (7, 6), (2, 2), (3, 2), (1, 1), (6, 6)),
    "wider": ((12, 13), (9, 8), (2, 3), (3, 2), (1, 1), (5, 4)),
    "whole": ((4, 5), (4, 5), (4, 5), (0, 0), (1, 1), (1, 1)),
}
WINDOWS = {
    **{name: pooling.even_windows(*settings) for name, settings in EVEN.items()},
    "adaptive": pooling.adaptive_windows((7, 9), (3, 4)),
    "adaptive up": pooling.adaptive_windows((3, 4), (5, 9)),
    "fractional": pooling.fractional_windows(rng.random((6, 2)), (9, 11), (2, 3), (4, 5)),
}


def images(windows, dtype, count=6):
    x = rng.integers(-4, 5, (count, math.prod(windows.size))).astype(dtype)
    x[rng.random(x.shape) < 0.1] = np.nan
    x[rng.random(x.shape) < 0.2] = -np.inf
    return x


def without_c(monkeypatch):
    for name in ("largest", "put", "put_even", "depthwise", "depthwise_spread"):
        monkeypatch.setattr(core, name, None)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", WINDOWS)
def test_largest_in_c_gives_the_bits_of_numpy(monkeypatch, name, dtype):
    windows = WINDOWS[name]
    x = images(windows, dtype)
    values, places = pooling.largest(x, windows, True)
    alone, _ = pooling.largest(x, windows, False)
    without_c(monkeypatch)
    expected, at = pooling.largest(x, windows, True)
    assert values.tobytes() == expected.tobytes() == alone.tobytes()
    np.testing.assert_array_equal(places, at)
    np.testing.assert_array_equal(np.take_along_axis(x, places, 1), values)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", WINDOWS)
def test_numbers_put_back_in_c_give_the_bits_of_numpy(monkeypatch, name, dtype):
    windows = WINDOWS[name]
    _, places = pooling.largest(images(windows, dtype), windows, True)
    g = rng.standard_normal(places.shape).astype(dtype)
    g[rng.random(g.shape) < 0.2] = -0.0
    pixels = math.prod(windows.size)
    found = [pooling.put(g, places, pixels, True, lie) for lie in (windows, None)]
    last = pooling.put(g, places, pixels, False)
    without_c(monkeypatch)
    expected = pooling.put(g, places, pixels, True, windows)
    assert [x.tobytes() for x in found] == [expected.tobytes()] * 2
    assert last.tobytes() == pooling.put(g, places, pixels, False).tobytes()


@pytest.mark.parametrize("with_c", [True, False])
@pytest.mark.parametrize("place", [-1, 6])
def test_place_outside_the_image_is_refused(monkeypatch, place, with_c):
    if not with_c:
        without_c(monkeypatch)
    places = np.array([[0, place]])
    for is_sum in (True, False):
        with pytest.raises(IndexError, match="an index lies outside the image"):
            pooling.put(np.ones((1, 2)), places, 6, is_sum)


@pytest.mark.parametrize("with_c", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", [name for name in WINDOWS if name not in ("dilation", "fractional")])
def test_sums_are_those_of_the_windows_and_spread_is_the_adjoint(monkeypatch, name, dtype, with_c):
    if not with_c:
        without_c(monkeypatch)
    windows = WINDOWS[name]
    x = rng.standard_normal((6, math.prod(windows.size))).astype(dtype)
    y = rng.standard_normal((6, math.prod(windows.out))).astype(dtype)
    found, back = pooling.total(x, windows), pooling.spread(y, windows)
    assert found.dtype == back.dtype == dtype
    volume = x.astype(np.float64).reshape(6, *windows.size)
    expected = [
        volume[:, *(slice(a[i], b[i]) for i, a, b in zip(place, windows.first, windows.last, strict=True))].sum(
            (1, 2, 3)
        )
        for place in np.ndindex(windows.out)
    ]
    tolerance = 1e-5 if dtype is np.float32 else 1e-12
    np.testing.assert_allclose(found, np.stack(expected, 1), tolerance, tolerance)
    np.testing.assert_allclose(np.sum(found * y, dtype=np.float64), np.sum(x * back, dtype=np.float64), 30 * tolerance)


def test_places_do_not_depend_on_the_layout_of_sizes_of_one():
    x = np.lib.stride_tricks.as_strided(np.arange(8.0), (1, 8), (3, 8))
    windows = pooling.even_windows((8,), (2,), (2,), (0,), (1,), (4,))
    values, places = pooling.largest(x, windows, True)
    np.testing.assert_array_equal(values, [[1.0, 3.0, 5.0, 7.0]])
    np.testing.assert_array_equal(places, [[1, 3, 5, 7]])
