"""Sums of weighted pixels: the definition, adjoints of each other, layouts."""

import numpy as np
import pytest

from npg.kernels import grid_sampler as kernels

rng = np.random.default_rng(0)
N, C, S, K, P = 3, 4, 7, 2, 50


def arrays():
    x, y, w = rng.standard_normal((N, C, S)), rng.standard_normal((N, C, P)), rng.standard_normal((N, K, P))
    return x, y, w, rng.integers(0, S + 1, (N, K, P))


def test_read_is_the_sum_and_the_others_are_its_adjoints():
    x, y, w, index = arrays()
    wide = np.concatenate([x, np.zeros((N, C, 1))], 2)
    expected = sum(w[:, None, k] * np.take_along_axis(wide, index[:, None, k], 2) for k in range(K))
    found = kernels.read(x, w, index)
    np.testing.assert_allclose(found, expected, 1e-13, 1e-14)
    product = (y * found).sum()
    np.testing.assert_allclose((x * kernels.spread(y, w, index, S)).sum(), product, 1e-12)
    np.testing.assert_allclose((w * kernels.weigh(y, x, index)).sum(), product, 1e-12)


@pytest.mark.parametrize("change", [lambda a: a[:, :, ::-1], lambda a: a[::-1], np.asfortranarray])
def test_results_do_not_depend_on_layouts(change):
    x, y, w, index = (change(a) for a in arrays())
    plain = [np.ascontiguousarray(a) for a in (x, y, w, index)]
    np.testing.assert_array_equal(kernels.read(x, w, index), kernels.read(plain[0], *plain[2:]))
    np.testing.assert_array_equal(kernels.spread(y, w, index, S), kernels.spread(plain[1], *plain[2:], S))
    np.testing.assert_array_equal(kernels.weigh(y, x, index), kernels.weigh(plain[1], plain[0], plain[3]))


def test_nothing_to_sum():
    x, y, w, index = arrays()
    assert kernels.read(x[:0], w[:0], index[:0]).shape == (0, C, P)
    assert kernels.read(x[:, :0], w, index).shape == (N, 0, P)
    assert kernels.spread(y[..., :0], w[..., :0], index[..., :0], S).tolist() == np.zeros((N, C, S)).tolist()
    assert not kernels.weigh(y[:, :0], x[:, :0], index).any()
