"""The error function to the last places; sigmoid, logit and logarithms of sums at their limits."""

import math

import numpy as np
import pytest
import torch

import npg
from npg.ops import special
from tests.helpers import check_like_torch


def ulps(op, reference, points):
    """Return the distances of op from a reference on floats, in units of the last place of the points' dtype."""
    exact = np.array([reference(x) for x in points])
    with np.errstate(all="ignore"):  # the engine does that for ops
        actual = op.forward(points)
    return np.abs(actual.astype(np.float64) - exact) / np.spacing(np.abs(exact.astype(actual.dtype))).astype(np.float64)


POINTS = np.concatenate([
    np.linspace(-7, 7, 40001), np.random.default_rng(0).standard_normal(20000), np.geomspace(1e-300, 1, 2000),
    [0.46875, 0.478, 4.0, np.nextafter(0.478, 1), np.nextafter(4.0, 5), 27.0, -27.0, 1e300],
])  # fmt: skip


with np.errstate(over="ignore"):
    SINGLE = POINTS.astype(np.float32)


def test_erf_float64_is_within_two_units():
    # The reference, the C library's erf, is itself accurate to one unit.
    assert ulps(special.erf, math.erf, POINTS).max() <= 3


def test_erf_float32_is_correctly_rounded_but_for_near_ties():
    assert ulps(special.erf, math.erf, SINGLE).max() < 0.55


def test_erfc_float64_is_within_six_units():
    normal = np.array([math.erfc(x) > 1e-300 for x in POINTS])
    assert ulps(special.erfc, math.erfc, POINTS[normal]).max() <= 7


def test_erfc_float32_is_correctly_rounded():
    assert ulps(special.erfc, math.erfc, SINGLE).max() < 0.5001


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("name", ["erf", "erfc"])
def test_erf_at_limits_has_exact_values(name, dtype):
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 30.0, -30.0], dtype)
    actual = getattr(npg, name)(npg.tensor(x)).numpy()
    expected = getattr(torch, name)(torch.from_numpy(x)).numpy()
    assert actual.dtype == dtype
    np.testing.assert_array_equal(actual, expected)
    if name == "erf":
        np.testing.assert_array_equal(np.signbit(actual[:2]), [False, True])


def test_erf_is_odd_and_blocks_do_not_show():
    x = np.random.default_rng(1).standard_normal(3 * special._BLOCK + 5)
    y = special.erf.forward(x)
    np.testing.assert_array_equal(special.erf.forward(-x), -y)
    np.testing.assert_array_equal(special.erf.forward(x[::7].copy()), y[::7])
    np.testing.assert_array_equal(special.erf.forward(x[::2]), y[::2])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_of_large_numbers_matches_torch(dtype):
    x = np.array([-1000, -100, -90, -30, 0, 30, 100, 1000, np.inf, -np.inf, np.nan], dtype)
    check_like_torch(npg.sigmoid, torch.sigmoid, x)
    check_like_torch(npg.nn.functional.logsigmoid, torch.nn.functional.logsigmoid, x, second=False)


def test_logaddexp_of_large_numbers_matches_torch():
    a, b = np.array([1000.0, -1000.0, 0.0, 800.0]), np.array([1000.0, -900.0, 1000.0, -800.0])
    for name in ("logaddexp", "logaddexp2"):
        check_like_torch(getattr(npg, name), getattr(torch, name), a, b, second=False)


def test_xlogy_at_zero_matches_torch():
    x, y = np.array([0.0, 0.0, 0.0, 0.0, 1.0, 2.0]), np.array([0.0, 1.0, np.nan, -1.0, 0.0, 3.0])
    check_like_torch(npg.xlogy, torch.xlogy, x, y, second=False)
    check_like_torch(npg.xlogy, torch.xlogy, x, 0.0, second=False)


def test_erfinv_of_scalars_and_near_one():
    mpmath = pytest.importorskip("mpmath", reason="of sympy, which torch needs")
    for dtype in (npg.float16, npg.float32, npg.float64):
        for value in (0.999, -0.999, 0.2, 0.0, 1.0, -1.0):
            wide = npg.tensor([value], dtype=dtype)
            assert npg.tensor(value, dtype=dtype).erfinv().item() == wide.erfinv().item()
    y = np.concatenate([np.linspace(-0.999, 0.999, 201), 1 - 2.0 ** -np.arange(1, 54), 10.0 ** -np.arange(1, 300, 20)])
    with mpmath.workdps(40):
        expected = np.array([float(mpmath.erfinv(mpmath.mpf(float(v)))) for v in y])
    actual = npg.from_numpy(y).erfinv().numpy()
    assert (np.abs(actual - expected) <= 4 * np.spacing(np.abs(expected))).all()
