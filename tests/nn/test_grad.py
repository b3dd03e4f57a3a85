"""Gradients of convolutions as functions, against torch.nn.grad and the gradients of the convolutions."""

import numpy as np
import pytest
import torch

import npg
from tests.helpers import assert_same_error, to_npg

SETTINGS = [{}, {"stride": 2, "padding": 1}, {"dilation": 2, "groups": 2}]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("n", [1, 2, 3])
def test_gradients_are_like_torch(n, settings):
    x = torch.randn(2, 4, *(6, 5, 7)[:n], dtype=torch.float64)
    w = torch.randn(6, 4 // settings.get("groups", 1), *(3, 2, 3)[:n], dtype=torch.float64)
    g = torch.randn_like(getattr(torch, f"conv{n}d")(x, w, **settings))
    for name, args in ((f"conv{n}d_input", (x.shape, w, g)), (f"conv{n}d_weight", (x, w.shape, g))):
        expected = getattr(torch.nn.grad, name)(*args, **settings)
        found = getattr(npg.nn.grad, name)(*[a if isinstance(a, torch.Size) else to_npg(a) for a in args], **settings)
        np.testing.assert_allclose(found.numpy(), expected.numpy(), 1e-10, 1e-10)


def test_gradients_are_recorded():
    w, g = (npg.ones(*s, requires_grad=True) for s in ((3, 2, 3, 3), (1, 3, 3, 3)))
    npg.nn.grad.conv2d_input((1, 2, 5, 5), w, g).sum().backward()
    assert w.grad.unique().tolist() == [9.0] and g.grad.unique().tolist() == [18.0]


@pytest.mark.parametrize(
    "call",
    [lambda lib, x, w, g: lib.nn.grad.conv2d_input((1, 2, 5, 6), w, g),
     lambda lib, x, w, g: lib.nn.grad.conv2d_input((1, 3, 5, 5), w, g),
     lambda lib, x, w, g: lib.nn.grad.conv2d_weight(x, (3, 2, 2, 3), g),
     lambda lib, x, w, g: lib.nn.grad.conv2d_weight(x, (3, 1, 3, 3), g)],
)  # fmt: skip
def test_sizes_that_do_not_fit_are_refused_in_torchs_words(call):
    def run(lib):
        return call(lib, lib.ones(1, 2, 5, 5), lib.ones(3, 2, 3, 3), lib.ones(1, 3, 3, 3))

    assert_same_error(lambda: run(npg), lambda: run(torch))
