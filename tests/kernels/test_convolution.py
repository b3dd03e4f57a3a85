"""Correlations of images and their adjoints, in C and by NumPy alone, against sums over taps written out."""

from contextlib import contextmanager

import numpy as np
import pytest

from npg._floating import silent
from npg.kernels import convolution, core, winograd
from npg.kernels.convolution import Window

NAMES = "transpose correlate spread weigh winograd winograd_weigh depthwise depthwise_spread depthwise_weigh".split()


@contextmanager
def without_c(monkeypatch):
    with monkeypatch.context() as patch:
        for name in NAMES:
            patch.setattr(core, name, None)
        yield


def tap(window, place):
    """Return the slices of a padded image that a tap meets at all places."""
    return tuple(
        slice(i * d, i * d + (n - 1) * s + 1, s)
        for i, d, s, n in zip(place, window.dilation, window.stride, window.out, strict=True)
    )


def expected_of(x, w, y, window, groups):
    """Return the correlation of x and w, and the adjoints of y in x and w, in float64."""
    low = [max(b, 0) for b in window.before]
    cut = [max(-b, 0) for b in window.before]
    room = [
        max(b, 0) + n + (k - 1) * d + o * s
        for b, n, k, d, o, s in zip(low, window.size, window.kernel, window.dilation, window.out, window.stride)
    ]
    there = tuple(slice(b, b + n - c) for b, n, c in zip(low, window.size, cut))
    here = tuple(slice(c, None) for c in cut)
    wide, back = (np.zeros((*x.shape[:2], *room)) for _ in range(2))
    wide[:, :, *there] = x[:, :, *here]
    channels, filters = x.shape[1] // groups, len(w) // groups
    out, gw = np.zeros((len(x), len(w), *window.out)), np.zeros(w.shape)
    for g in range(groups):
        c, o = slice(g * channels, (g + 1) * channels), slice(g * filters, (g + 1) * filters)
        for place in np.ndindex(window.kernel):
            met = wide[:, c, *tap(window, place)]
            out[:, o] += np.einsum("nc...,oc->no...", met, w[o, :, *place])
            back[:, c, *tap(window, place)] += np.einsum("no...,oc->nc...", y[:, o], w[o, :, *place])
            gw[o, :, *place] = np.einsum("ncabd,noabd->oc", met, y[:, o])
    gx = np.zeros(x.shape)
    gx[:, :, *here] = back[:, :, *there]
    return out, gx, gw


def drawn(rng, kind):
    """Return images, weight, bias, results, a window and the groups of a random case."""
    groups = int(rng.choice([1, 1, 2, 3]))
    few = rng.random() < 0.6
    channels, filters = (int(rng.integers(1, 5)) if few else int(rng.integers(8, 40)) for _ in range(2))
    kernel, stride, dilation = (tuple(int(k) for k in rng.integers(1, 4, 3)) for _ in range(3))
    before = tuple(int(b) for b in rng.integers(-1, 3, 3))
    if kind == "depthwise":
        channels, filters = 1, int(rng.integers(1, 3))
    if kind == "winograd":
        groups, channels, filters = 1, int(rng.integers(24, 40)), int(rng.integers(24, 40))
        kernel, stride, dilation = (1, 3, 3), (1, 1, 1), (1, 1, 1)
        before = (0, *(int(b) for b in rng.integers(-1, 3, 2)))
    if kind == "tall":
        channels, filters = int(rng.integers(13, 20)), int(rng.integers(1, 20))
        kernel, stride = (1, *(int(k) for k in rng.integers(5, 9, 2))), (1, 1, int(rng.integers(1, 3)))
        before = (0, *(int(b) for b in rng.integers(-1, 6, 2)))
    size = tuple(
        d * (k - 1) + 1 - 2 * min(b, 0) + int(rng.integers(12))
        for k, d, b in zip(kernel, dilation, before, strict=True)
    )
    if kind == "winograd":
        size = (1, int(rng.integers(10, 48)), int(rng.integers(10, 40)))
    elif kind == "tall":
        size = (1, int(rng.integers(44, 60)), int(rng.integers(26, 40)))
    elif rng.random() < 0.5:  # images of two dimensions
        size, kernel, before = (1, *size[1:]), (1, *kernel[1:]), (0, *before[1:])
    out = tuple((n + 2 * b - d * (k - 1) - 1) // s + 1 for n, b, d, k, s in zip(size, before, dilation, kernel, stride))
    window = Window(size, kernel, stride, dilation, before, out)
    n, dtype = int(rng.integers(1, 9)), rng.choice(["f4", "f8"])
    draw = lambda *shape: rng.standard_normal(shape).astype(dtype)
    x, w = draw(n, channels * groups, *size), draw(filters * groups, channels, *kernel)
    return x, w, draw(len(w)), draw(n, len(w), *out), window, groups


@pytest.mark.parametrize(
    ("kind", "seed"),
    [(kind, i) for kind, n in {"columns": 24, "depthwise": 12, "winograd": 24, "tall": 24}.items() for i in range(n)],
)
def test_c_and_numpy_agree_with_sums_over_taps(kind, seed, monkeypatch):
    x, w, bias, y, window, groups = drawn(np.random.default_rng([seed, len(kind)]), kind)
    if kind == "winograd":
        monkeypatch.setattr(winograd, "pays", lambda shape: True)
    if kind == "tall":
        monkeypatch.setattr(convolution, "_TALL_TILE", 1 << 14)  # several tiles, the last one smaller
        plans = [convolution.plan_of.__wrapped__(window, len(x), w.shape[1], 1, groups, by) for by in (False, True)]
        assert all(plan.lines == window.kernel[1] for plan in plans)

    def run():
        return (
            convolution.correlate(x, w, bias, window, groups),
            convolution.spread(y, w, window, groups),
            convolution.weigh(x, y, window, groups),
        )

    convolution.plan_of.cache_clear()
    found = run()
    with without_c(monkeypatch):
        again = run()
    convolution.plan_of.cache_clear()
    expected = expected_of(x, w, y, window, groups)
    expected[0][...] += bias[:, None, None, None]
    for what, a, b, e in zip(("y", "gx", "gw"), found, again, expected, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=f"{what}: bits of C and NumPy")
        tolerance = (2e-5 if a.dtype == np.float32 else 1e-12) * max(1.0, float(abs(e).max()))
        np.testing.assert_allclose(a, e, rtol=0, atol=tolerance, err_msg=what)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 3e38])
def test_what_is_not_finite_is_what_a_sum_over_taps_gives(value, monkeypatch):
    """Winograd's differences would make nan of infinities."""
    rng = np.random.default_rng(0)
    x, w = (rng.standard_normal(s).astype(np.float32) for s in ((4, 24, 1, 16, 16), (24, 24, 1, 3, 3)))
    x[0, 0, 0, 5, 5:7] = value
    window = Window((1, 16, 16), (1, 3, 3), (1, 1, 1), (1, 1, 1), (0, 1, 1), (1, 16, 16))
    monkeypatch.setattr(winograd, "pays", lambda shape: True)

    def run():
        with silent():  # as ops are run
            return convolution.correlate(x, w, None, window, 1), convolution.weigh(x, x, window, 1)

    found = run()
    with monkeypatch.context() as patch:
        patch.setattr(winograd, "pays", lambda shape: False)
        expected = run()
    for f, e in zip(found, expected, strict=True):
        assert not np.isfinite(e).all()
        np.testing.assert_array_equal(f, e)
    finite = np.ones(found[0].shape, bool)
    finite[0, :, 0, 4:7, 4:8] = False
    np.testing.assert_array_equal(np.isfinite(found[0]) | ~finite, np.ones(finite.shape, bool))


def test_taps_that_lie_far_apart_need_no_more_memory():
    far = 10**6
    window = Window((1, 1, 2), (1, 3, 3), (1, 1, 1), (1, far, far), (0, far, far), (1, 1, 2))
    x, w = np.array([[[[[2.0, 3.0]]]]]), np.arange(9.0).reshape(1, 1, 1, 3, 3)
    x, w = (np.concatenate([a, a], 1) for a in (x, w))  # two channels: one alone is for depthwise.py
    assert convolution.correlate(x, w, None, window, 1).ravel().tolist() == [16.0, 24.0]
    y = np.array([[[[[1.0, 10.0]]]]])
    assert convolution.weigh(x, y, window, 1)[0, :, 0, 1, 1].tolist() == [32.0, 32.0]
    assert convolution.spread(y, w, window, 1).ravel().tolist() == [4.0, 40.0, 4.0, 40.0]
