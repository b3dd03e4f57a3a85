"""Upsample and its two special cases."""

import copy
import pickle

import pytest
import torch

from npg import nn
from tests.helpers import assert_like, to_npg


@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [("Upsample", (), {"scale_factor": 2}), ("Upsample", ((5, 3),), {"mode": "bilinear"}),
     ("Upsample", (), {"scale_factor": (2, 1.5), "mode": "bicubic", "align_corners": True}),
     ("Upsample", (), {"scale_factor": 1.4, "recompute_scale_factor": True, "mode": "bilinear"}),
     ("Upsample", (5, None, "area"), {}), ("Upsample", (), {"scale_factor": 2, "mode": "nearest-exact"}),
     ("UpsamplingNearest2d", (), {"scale_factor": 3}), ("UpsamplingNearest2d", ((5, 3),), {}),
     ("UpsamplingBilinear2d", (), {"scale_factor": 2}), ("UpsamplingBilinear2d", (7,), {})],
)  # fmt: skip
def test_modules_are_like_torch(name, args, kwargs):
    ours, theirs = getattr(nn, name)(*args, **kwargs), getattr(torch.nn, name)(*args, **kwargs)
    assert repr(ours) == repr(theirs) and not list(ours.parameters())
    assert {k: v for k, v in vars(ours).items() if k[0] != "_"} == {
        k: v for k, v in vars(theirs).items() if k[0] != "_"
    }
    x = torch.randn(2, 3, 4, 6, dtype=torch.float64)
    for module in (ours, copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert_like(module(to_npg(x)), theirs(x))


def test_scale_0_is_no_scale():
    with pytest.raises(ValueError, match="either size or scale_factor"):
        nn.Upsample(scale_factor=0)(to_npg(torch.ones(1, 1, 2, 2)))


def test_state_without_recompute_scale_factor_recomputes():
    module = nn.Upsample(scale_factor=2)
    state = {k: v for k, v in vars(module).items() if k != "recompute_scale_factor"}
    module.__setstate__(state)
    assert module.recompute_scale_factor is True
