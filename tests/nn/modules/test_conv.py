"""Convolution modules: padding modes, output sizes, initial draws, refusals; test_module_db.py has more values."""

import copy
import pickle

import numpy as np
import pytest
import torch

import npg
from npg import nn
from tests.helpers import assert_like, assert_same_error, to_npg

CONVS = ["Conv1d", "Conv2d", "Conv3d"]
TRANSPOSED = ["ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]
TNN = torch.nn


def pair(name, *args, seed=3, **kwargs):
    """Return the module of both libraries, drawn from the same seed."""
    npg.manual_seed(seed), torch.manual_seed(seed)
    return getattr(nn, name)(*args, **kwargs), getattr(TNN, name)(*args, **kwargs)


def assert_same_state(ours, theirs):
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for found, expected in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True):
        assert_like(found, expected)


@pytest.mark.parametrize("settings", [{}, {"bias": False}, {"groups": 2, "stride": 2}, {"padding": 1, "dilation": 2}])
@pytest.mark.parametrize("name", CONVS + TRANSPOSED)
def test_initial_draws_and_repr_are_torchs(name, settings):
    assert_same_state(*pair(name, 4, 6, 3, **settings))
    ours, theirs = pair(name, 4, 6, 3, **settings)
    ours.reset_parameters(), theirs.reset_parameters()
    assert_same_state(ours, theirs)


def test_initial_draws_of_a_weight_with_channels_last_are_those_of_a_contiguous_one():
    ours, theirs = pair("Conv2d", 4, 6, 3)
    last = {"memory_format": npg.channels_last}, {"memory_format": torch.channels_last}
    with npg.no_grad():
        ours.weight.data = ours.weight.data.to(**last[0])
    theirs = theirs.to(**last[1])
    npg.manual_seed(1), torch.manual_seed(1)
    ours.reset_parameters(), theirs.reset_parameters()
    assert ours.weight.stride() == theirs.weight.stride()
    assert_same_state(ours, theirs)


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("padding", [1, "same", "valid"])
@pytest.mark.parametrize("name", CONVS)
def test_padding_modes_are_like_torch(name, padding, mode):
    n = int(name[-2])
    ours, theirs = pair(name, 2, 4, (3, 2, 4)[:n], padding=padding, padding_mode=mode, dtype=None)
    ours, theirs = ours.double(), theirs.double()
    assert list(ours._reversed_padding_repeated_twice) == list(theirs._reversed_padding_repeated_twice)
    for lead in ((3,), ()):
        x = torch.randn(*lead, 2, *(6, 5, 7)[:n], dtype=torch.float64, requires_grad=True)
        a = to_npg(x)
        y, z = ours(a), theirs(x)
        assert_like(y, z)
        y.sum().backward(), z.sum().backward()
        for found, expected in zip((a, *ours.parameters()), (x, *theirs.parameters()), strict=True):
            assert_like(found.grad, expected.grad, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", TRANSPOSED)
def test_output_sizes_are_like_torch(name):
    n = int(name[-2])
    ours, theirs = pair(name, 2, 4, 3, stride=3, padding=1, dilation=2)
    x = torch.randn(2, 2, *(4,) * n)
    for size in ([12] * n, [2, 4, *[13] * n], [14] * n, torch.Size([12] * n)):
        assert_like(ours(to_npg(x), list(size)), theirs(x, list(size)), atol=1e-5)
        assert_like(ours(to_npg(x[0]), list(size)[-n:]), theirs(x[0], list(size)[-n:]), atol=1e-5)
    for size in ([11] * n, [15] * n, [12] * (n + 1), []):
        assert_same_error(lambda size=size: ours(to_npg(x), size), lambda size=size: theirs(x, size))


@pytest.mark.parametrize(
    ("name", "args", "settings"),
    [("Conv2d", (3, 4, 3), {"groups": 2}), ("Conv2d", (4, 3, 3), {"groups": 2}), ("Conv2d", (4, 4, 3), {"groups": 0}),
     ("Conv2d", (4, 4, 3), {"padding": "same", "stride": 2}), ("Conv1d", (4, 4, 3), {"groups": -1}),
     ("ConvTranspose2d", (4, 4, 3), {"padding_mode": "reflect"}), ("ConvTranspose1d", (3, 4, 3), {"groups": 2})],
)  # fmt: skip
def test_wrong_arguments_are_refused_in_torchs_words(name, args, settings):
    assert_same_error(lambda: getattr(nn, name)(*args, **settings), lambda: getattr(TNN, name)(*args, **settings))


def test_unknown_paddings_are_refused():
    with pytest.raises(ValueError, match=r"Invalid padding string 'a', should be one of \{'same', 'valid'\}"):
        nn.Conv2d(1, 1, 3, padding="a")
    with pytest.raises(ValueError, match="padding_mode must be one of .*, but got padding_mode='a'"):
        nn.Conv2d(1, 1, 3, padding_mode="a")


def test_classes_are_torchs():
    for name in CONVS + TRANSPOSED:
        names = [cls.__name__ for cls in getattr(TNN, name).__mro__ if cls.__name__ not in ("Module", "object")]
        own = [cls.__name__ for cls in getattr(nn, name).__mro__]
        assert [n for n in own if n in names] == names
        assert issubclass(getattr(nn, name), nn.modules.conv._ConvNd)
    assert not issubclass(nn.ConvTranspose2d, nn.Conv2d)


def test_a_subclass_may_override_how_it_convolves():
    class Standardised(nn.Conv2d):
        def forward(self, x):
            return self._conv_forward(x, self.weight * 0, None)

    conv = Standardised(2, 3, 3, padding=1, padding_mode="circular")
    assert not conv(npg.ones(1, 2, 4, 4)).any()


def test_copies_and_pickles_keep_everything():
    conv = nn.Conv2d(4, 6, (3, 2), 2, 1, groups=2, padding_mode="circular", dtype=npg.float64)
    x = npg.ones(1, 4, 5, 5, dtype=npg.float64)
    for other in (copy.deepcopy(conv), pickle.loads(pickle.dumps(conv))):
        assert repr(other) == repr(conv)
        np.testing.assert_array_equal(other(x).detach().numpy(), conv(x).detach().numpy())
    state = {**vars(conv)}
    del state["padding_mode"]
    old = nn.Conv2d.__new__(nn.Conv2d)
    old.__setstate__(state)
    assert old.padding_mode == "zeros"


def test_float16_and_channels_last_are_accepted():
    conv = nn.Conv2d(3, 4, 3).half().to(memory_format=npg.channels_last)
    y = conv(npg.ones(2, 3, 5, 5, dtype=npg.float16).to(memory_format=npg.channels_last))
    assert y.dtype is npg.float16 and y.is_contiguous(memory_format=npg.channels_last)
