"""im2col and col2im against torch, and as adjoints."""

import numpy as np
import pytest
import torch

import npg
from npg.nn import functional as F
from npg.ops import fold as ops
from tests.func.comparing import of_torch
from tests.helpers import strided
from tests.ops.fused import check_both

rng = np.random.default_rng(0)
TF = torch.nn.functional
GEOMETRIES = [
    ((6, 7), {"kernel_size": (2, 3), "dilation": 1, "padding": 0, "stride": 1}),
    ((6, 7), {"kernel_size": 3, "dilation": (2, 1), "padding": (1, 2), "stride": (2, 3)}),
    ((5, 4), {"kernel_size": 1, "dilation": 1, "padding": 1, "stride": 2}),
    ((3, 3), {"kernel_size": (3, 3), "dilation": 1, "padding": 0, "stride": 5}),
]


def columns(size, settings, *lead):
    return TF.unfold(torch.zeros(*lead, 2, *size), **settings).shape


@pytest.mark.parametrize("lead", [(), (3,), (0,)])
@pytest.mark.parametrize(("size", "settings"), GEOMETRIES)
def test_fold_and_unfold_are_like_torch(size, settings, lead):
    for change in (lambda a: a, strided, lambda a: a[..., ::-1].copy()[..., ::-1]):
        check_both(F.unfold, TF.unfold, change(rng.standard_normal((*lead, 2, *size))), **settings)
        x = change(rng.standard_normal(columns(size, settings, *lead)))
        check_both(F.fold, TF.fold, x, output_size=size, **settings)


@pytest.mark.parametrize(("size", "settings"), GEOMETRIES)
def test_fold_is_the_adjoint_of_unfold(size, settings):
    x = npg.tensor(rng.standard_normal((2, 2, *size)))
    c = npg.tensor(rng.standard_normal(columns(size, settings, 2)))
    np.testing.assert_allclose((F.unfold(x, **settings) * c).sum(), (x * F.fold(c, size, **settings)).sum(), 1e-12)


@pytest.mark.parametrize("dtype", ["float16", "bool"])
def test_fold_of_other_dtypes_is_like_torch(dtype):
    values = rng.standard_normal((2, 12, 9))
    found, expected = (F.fold(npg.tensor(values > 0.5), 4, 2), TF.fold(torch.tensor(values > 0.5), 4, 2))
    if dtype == "float16":
        found, expected = F.fold(npg.tensor(values).half(), 4, 2), TF.fold(torch.tensor(values).half(), 4, 2)
        # PyTorch rounds after each addition.
        np.testing.assert_allclose(found.numpy(), expected.numpy(), 3e-3, 3e-3)
        exact = F.fold(npg.tensor(values).half().float(), 4, 2).half()
        np.testing.assert_array_equal(found.numpy(), exact.numpy())
    else:
        np.testing.assert_array_equal(found.numpy(), expected.numpy())
    assert str(found.dtype) == str(expected.dtype).replace("torch", "npg")


def test_batches_and_tangents_are_like_torch():
    size, settings = GEOMETRIES[1]
    x, t = rng.standard_normal((2, 3, 2, 2, *size))
    c = rng.standard_normal((3, *columns(size, settings)))

    def run(lib):
        f, a, b, g = lib.nn.functional, lib.tensor(x), lib.tensor(t), lib.tensor(c)
        unfolded = lib.func.jvp(lib.func.vmap(lambda v: f.unfold(v, **settings)), (a,), (b,))
        folded = lib.func.jvp(lib.func.vmap(lambda v: f.fold(v, size, **settings)), (g,), (g * 2,))
        return [*unfolded, *folded]

    for found, expected in zip(run(npg), of_torch(run), strict=True):
        np.testing.assert_allclose(found.numpy(), expected.numpy(), 1e-12, 1e-12)


def test_nodes_are_torchs():
    x = npg.ones(1, 4, 4, 4, requires_grad=True)
    assert F.unfold(x, 2).grad_fn.name() == "Im2ColBackward0"
    assert F.fold(F.unfold(x, 2), 4, 2).grad_fn.name() == "Col2ImBackward0"
    assert (ops.im2col.key, ops.col2im.key) == ("aten::im2col", "aten::col2im")
