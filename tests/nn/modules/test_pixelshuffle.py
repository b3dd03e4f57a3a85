"""Modules of shuffles: the functions with stored settings."""

import pytest
import torch

from npg import nn
from tests.helpers import assert_like, to_npg


@pytest.mark.parametrize("name", ["PixelShuffle", "PixelUnshuffle", "ChannelShuffle"])
def test_modules_are_like_torch(name):
    ours, theirs = getattr(nn, name)(2), getattr(torch.nn, name)(2)
    assert repr(ours) == repr(theirs) and not list(ours.parameters())
    x = torch.randn(2, 8, 4, 6)
    assert_like(ours(to_npg(x)), theirs(x))
    if name != "ChannelShuffle":
        assert_like(ours(to_npg(x[0])), theirs(x[0]))


def test_unshuffle_undoes_shuffle():
    x = to_npg(torch.randn(1, 9, 2, 3))
    assert (nn.PixelUnshuffle(3)(nn.PixelShuffle(3)(x)) == x).all()
