"""Padding by a constant."""

import numpy as np
import pytest
import torch

import npg
from tests.expressions import check_error
from tests.helpers import check_like_torch, same_result_or_error


@pytest.mark.parametrize("pad", [(), (1, 2), (-1, 2), (0, 0, 3, -1), (1, 1, 1, 1, 2, 0)])
def test_constant_pad_nd_is_like_torch(pad):
    x = np.random.default_rng(0).standard_normal((2, 3, 4))
    check_like_torch(npg.constant_pad_nd, torch.constant_pad_nd, x, pad)
    check_like_torch(npg.constant_pad_nd, torch.constant_pad_nd, x, pad, 2.5)
    found, expected = (lib.constant_pad_nd(lib.ones(2, 3, 4).long(), pad, 2.5) for lib in (npg, torch))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("pad", ["(1,)", "(1, 1, 1, 1, 1, 1)", "(-3, 1)", "(-4, 0)", "(1.5, 1)", "3"])
def test_wrong_sizes_are_refused_in_torchs_words(pad):
    check_error(f"lib.constant_pad_nd(lib.ones(2, 2), {pad}, 2)", text="." not in pad)


# ----- The other modes -----

MODES = ("reflect", "replicate")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "shape, pads",
    [((2, 3), (2, -1)), ((2, 3), (-1, 2)), ((2, 3), (2, -3)), ((2, 3), (-2, -1)), ((2, 3), (-2, -2)), ((2, 3), (3, 0)),
     ((1, 4, 3), (2, -2, -3, 1)), ((1, 4, 3), (-3, 1, 2, -5)), ((1, 1, 4, 3), (1, 0, -2, -2)),
     ((1, 1, 4, 3), (-1, -2, -2, -2)), ((1, 4, 3), (3, 0, 4, 0)), ((1, 4, 3), (0, 0, 4, 0)), ((4, 3, 3), (0, -3, 0, 0)),
     ((1, 4, 4, 3), (0, 0, 0, 0, 4, 0)), ((1, 4, 4, 3), (-2, -1, -4, 0, -2, -2)), ((1, 4, 4, 3), (0, -4, 1, 1, 0, 0)),
     ((1, 1, 2, 2, 2), (1,) * 8), ((2, 0), (1, 1)), ((0, 2, 3), (1, 1)), ((2,), (1, 1)), ((2, 3), (4, -3))],
)  # fmt: skip
def test_signs_and_sizes_of_padding_are_those_of_torch(mode, shape, pads):
    x = torch.arange(float(np.prod(shape))).reshape(shape)
    same_result_or_error(npg.nn.functional.pad, torch.nn.functional.pad, x, pads, mode)


@pytest.mark.parametrize(
    "shape, pads",
    [((2, 3), (2, -1)), ((2, 3), (-3, 0)), ((2, 3), (-2, -2)), ((2, 3), (4, -3)), ((2, 0), (1, 1)), ((0, 2, 3), (1, 1)),
     ((4, 2, 0), (2, 1, 2, -2)), ((5, 2, 0), (-1, 2, -1, -2)), ((1, 1, 2, 2, 2), (1,) * 8)],
)  # fmt: skip
def test_sizes_of_circular_padding_are_those_of_torch(shape, pads):
    x = torch.arange(float(np.prod(shape))).reshape(shape)
    same_result_or_error(npg.nn.functional.pad, torch.nn.functional.pad, x, pads, "circular")


@pytest.mark.parametrize("pads", [(2, -3), (-3, 2), (1, 1, -3, 1)])
def test_circular_padding_of_what_is_cut_off_is_refused(pads):  # PyTorch has undefined values there
    with pytest.raises(RuntimeError, match="Negative padding value is resulting in an empty dimension"):
        npg.nn.functional.pad(npg.ones(2, 3, 3), pads, "circular")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("pads", [(2, -1), (-1, 2), (2, -3), (-2, 1), (2, -4)])
def test_gradients_of_padding_of_both_signs_are_those_of_torch(mode, pads):
    x = np.random.default_rng(0).standard_normal((2, 3))
    check_like_torch(npg.nn.functional.pad, torch.nn.functional.pad, x, pads, mode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_bools_are_padded_by_a_constant_or_around_only(mode, dims):
    x = torch.ones((1,) + (3,) * dims, dtype=torch.bool)
    same_result_or_error(npg.nn.functional.pad, torch.nn.functional.pad, x, (1, 1) * dims, mode)
    same_result_or_error(npg.nn.functional.pad, torch.nn.functional.pad, x, (1, 1) * dims, "circular")


def test_padding_by_nothing_is_a_copy_whatever_the_value():
    x = npg.ones(2, 2, dtype=npg.uint8).t()
    y = npg.nn.functional.pad(x, (), value=float("inf"))
    assert y is not x and y.stride() == (1, 2)


@pytest.mark.parametrize("pad", ["3", "None", "(2.5, 1)", "(1, 2.5)", "[None, 1]"])
def test_amounts_of_a_wrong_kind_are_refused_in_torchs_words(pad):
    check_error(f"lib.nn.functional.pad(lib.ones(1, 2, 3), {pad})")


@pytest.mark.parametrize("mode", ["constant", *MODES, "circular"])
@pytest.mark.parametrize("pads", [(1, 1, 0, 2), (1, 2, -1, 1), (-1, -1, 0, 0), (0, 0, 1, 0)])
@pytest.mark.parametrize("more", [(), (3,)])
def test_channels_that_are_innermost_stay_so_as_in_torch(mode, pads, more):
    strides = []
    for lib in (npg, torch):
        order = lib.channels_last_3d if more else lib.channels_last
        x = lib.ones(2, 3, 4, *more, 5).to(memory_format=order).requires_grad_()
        y = lib.nn.functional.pad(x, pads + (0, 0) * len(more), mode)
        g = lib.autograd.grad(y, x, lib.ones_like(y))[0]
        strides.append((y.stride(), g.stride()))
    assert strides[0] == strides[1]
