"""Modules of pooling that torch has no samples of, and what they refuse."""

import numpy as np
import pytest
import torch

import npg
from npg import nn
from tests.helpers import assert_like, assert_same_error

rng = np.random.default_rng(0)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_unpooling_undoes_pooling_as_torch_does(dims):
    x = rng.standard_normal((2, 3, *(7,) * dims))
    found = []
    for lib in (npg, torch):
        pool = getattr(lib.nn, f"MaxPool{dims}d")(2, return_indices=True)
        back = getattr(lib.nn, f"MaxUnpool{dims}d")(2)
        t = lib.tensor(x)
        found.append((repr(back), back(*pool(t), output_size=t.shape)))
    assert found[0][0] == found[1][0]
    for ours, theirs in zip(found[0][1:], found[1][1:], strict=True):
        assert_like(ours, theirs)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize(
    "settings", [{}, {"output_size": 2, "output_ratio": 0.5}, {"output_ratio": 1.5}, {"output_ratio": 0}], ids=str
)
def test_fractional_pooling_is_refused_as_by_torch(settings, dims):
    name = f"FractionalMaxPool{dims}d"
    assert_same_error(lambda: getattr(nn, name)(2, **settings), lambda: getattr(torch.nn, name)(2, **settings))


def test_kernel_of_fractional_volumes_is_refused_as_by_torch():
    for kernel in (0, (2, 0, 2)):
        assert_same_error(
            lambda k=kernel: nn.FractionalMaxPool3d(k, output_size=2),
            lambda k=kernel: torch.nn.FractionalMaxPool3d(k, output_size=2),
        )
