"""Sums with a scale in PyTorch's old order of arguments: x.add_(alpha, other)."""

import numpy as np
import pytest
import torch

import npg

CALLS = [
    "x.add(2, y)", "x.add_(2, y)", "x.add_(-0.5, y)", "x.sub(2, y)", "x.sub_(2, y)", "lib.add(x, 2, y)",
    "lib.sub(x, 2, y)", "x.addcmul(2, y, y)", "x.addcmul_(0.5, y, y)", "x.addcdiv(2, y, y)", "x.addcdiv_(-0.1, y, z)",
    "lib.addcmul(x, 2, y, z)", "lib.addcdiv(x, 2, y, z)",
]  # fmt: skip


def value(call, lib):
    names = {"x": [1.0, 2.0], "y": [3.0, 4.0], "z": [-1.0, 5.0]}
    return eval(call, {"lib": lib, **{k: lib.tensor(v) for k, v in names.items()}})


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.filterwarnings("ignore:This overload of")  # torch warns once only
def test_scale_in_front_is_torchs(call):
    actual, expected = value(call, npg), value(call, torch)
    np.testing.assert_array_equal(actual.numpy(), expected.numpy())


def test_scale_in_front_is_warned_of():
    text = (
        r"This overload of add_ is deprecated:\n\tadd_\(Number alpha, Tensor other\)\n"
        r"Consider using one of the following signatures instead:\n\tadd_\(Tensor other, \*, Number alpha = 1\)"
    )
    with pytest.warns(UserWarning, match=text):
        value("x.add_(2, y)", npg)


@pytest.mark.parametrize("call", ["x.add_(y, 2)", "x.addcmul_(y, y, 2)", "x.add(2, y, z)", "x.addcdiv(2, y, y, z)"])
def test_too_many_arguments_raise_type_error(call):
    for lib in (npg, torch):
        with pytest.raises(TypeError):
            value(call, lib)
