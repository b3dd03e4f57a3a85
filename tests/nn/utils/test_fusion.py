"""nn.utils.fusion: the weights of a layer together with the normalization behind it."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn.utils import fusion as theirs

import npg
from npg.nn.utils import fusion as ours
from tests.helpers import assert_same_error

SHAPES = {"conv": (3, 2, 2, 2), "transposed": (2, 3, 2, 2), "linear": (3, 4)}


def arrays(shape):
    numbers = np.random.default_rng(0)
    return [numbers.random(s, np.float32) for s in (shape, 3, 3, 3, 3, 3)]


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("absent", [(), (1,), (4, 5)])
def test_weights_are_pytorchs(kind, absent):
    if kind == "linear" and absent == (4, 5):
        pytest.skip("PyTorch's needs weight and bias of the normalization there")
    found = []
    for lib, module in ((npg, ours), (torch, theirs)):
        w, b, mean, variance, weight, bias = (
            None if i in absent else lib.nn.Parameter(lib.tensor(a), i < 1) for i, a in enumerate(arrays(SHAPES[kind]))
        )
        function = module.fuse_linear_bn_weights if kind == "linear" else module.fuse_conv_bn_weights
        more = () if kind == "linear" else (kind == "transposed",)
        found.append(function(w, b, mean, variance, 1e-5, weight, bias, *more))
    for mine, expected in zip(*found, strict=True):
        assert isinstance(mine, npg.nn.Parameter) and mine.requires_grad == expected.requires_grad
        np.testing.assert_allclose(mine.detach().numpy(), expected.detach().numpy(), rtol=1e-6)


def norm(lib, features=3, training=False):
    parts = [lib.tensor(a) for a in arrays((1,))[2:]]
    names = ("running_mean", "running_var", "weight", "bias")
    return SimpleNamespace(**dict(zip(names, parts, strict=True)), eps=1e-5, training=training, num_features=features)


def test_layer_computes_what_both_computed():
    linear, bn = npg.nn.Linear(4, 3).eval(), norm(npg)
    x = npg.randn(2, 4)
    y = (linear(x) - bn.running_mean) / (bn.running_var + bn.eps).sqrt() * bn.weight + bn.bias
    before = linear.weight.tolist()
    assert npg.allclose(ours.fuse_linear_bn_eval(linear, bn)(x), y, atol=1e-6)
    assert npg.allclose(ours.fuse_conv_bn_eval(linear, bn)(x), y, atol=1e-6)  # a convolution has a weight like this
    assert linear.weight.tolist() == before


def test_layers_that_do_not_fit_are_refused():
    def calls(lib, module):
        linear = lib.nn.Linear(4, 3)
        yield lambda: module.fuse_linear_bn_eval(linear, norm(lib))
        yield lambda: module.fuse_conv_bn_eval(linear.eval(), norm(lib, training=True))
        yield lambda: module.fuse_linear_bn_eval(linear.eval(), norm(lib, features=2))
        without = norm(lib)
        without.running_var = None
        yield lambda: module.fuse_linear_bn_eval(linear.eval(), without)

    for mine, expected in zip(calls(npg, ours), calls(torch, theirs), strict=True):
        assert_same_error(mine, expected)
