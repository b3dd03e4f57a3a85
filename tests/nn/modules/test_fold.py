"""Fold and Unfold: the functions with stored settings."""

import torch

import npg
from npg import nn
from tests.helpers import assert_like, to_npg


def test_modules_are_like_torch():
    for name, args, kwargs, shape in (
        ("Fold", ((4, 5), 2), {"padding": 1, "stride": (2, 1)}, (2, 12, 18)),
        ("Fold", (4, (2, 2)), {}, (8, 9)),
        ("Unfold", ((2, 3),), {"dilation": 2, "padding": 1, "stride": 2}, (2, 3, 6, 7)),
        ("Unfold", (2,), {}, (3, 6, 7)),
    ):
        ours, theirs = getattr(nn, name)(*args, **kwargs), getattr(torch.nn, name)(*args, **kwargs)
        assert repr(ours) == repr(theirs) and not list(ours.parameters())
        x = torch.randn(shape, dtype=torch.float64)
        assert_like(ours(to_npg(x)), theirs(x))


def test_fold_of_unfold_counts_how_often_a_pixel_is_met():
    ones = npg.ones(1, 1, 3, 3)
    counts = nn.Fold(3, 2)(nn.Unfold(2)(ones))
    assert counts.tolist() == [[[[1, 2, 1], [2, 4, 2], [1, 2, 1]]]]
