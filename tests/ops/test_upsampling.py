"""The ops that change the size of images: gradients of every order, layouts, batches, names."""

import numpy as np
import pytest
import torch

import npg
from npg.ops import upsampling as ops
from tests.func.comparing import of_torch
from tests.ops.fused import check_both

rng = np.random.default_rng(0)
F, TF = npg.nn.functional, torch.nn.functional
# mode, antialias, node
NAMES = [
    ("nearest", False, "UpsampleNearest{}D"), ("nearest-exact", False, "UpsampleNearestExact{}D"),
    ("linear", False, "UpsampleLinear1D"), ("bilinear", False, "UpsampleBilinear2D"),
    ("trilinear", False, "UpsampleTrilinear3D"), ("bicubic", False, "UpsampleBicubic2D"),
    ("bilinear", True, "UpsampleBilinear2DAa"), ("bicubic", True, "UpsampleBicubic2DAa"),
    ("lanczos", True, "UpsampleLanczos2DAa"),
]  # fmt: skip
RANKS = {"linear": (1,), "bilinear": (2,), "bicubic": (2,), "lanczos": (2,), "trilinear": (3,)}
CASES = [(mode, antialias, rank, node) for mode, antialias, node in NAMES for rank in RANKS.get(mode, (1, 2, 3))]


@pytest.mark.parametrize(("mode", "antialias", "rank", "node"), CASES)
def test_gradients_of_every_order_and_nodes_are_torchs(mode, antialias, rank, node):
    x = rng.standard_normal((2, 3, 5, 3, 4)[: rank + 2])
    for size in ((7, 6, 5)[:rank], (2, 3, 2)[:rank]):
        settings = {"size": size, "mode": mode, "antialias": antialias}
        check_both(
            lambda x, s=settings: F.interpolate(x, **s) ** 2,
            lambda x, s=settings: TF.interpolate(x, **s) ** 2,
            torch.tensor(x, requires_grad=True),
        )
    a = npg.tensor(x, requires_grad=True)
    y = F.interpolate(a, **settings)
    (g,) = npg.autograd.grad(y, a, npg.ones_like(y).requires_grad_(), create_graph=True)
    assert y.grad_fn.name() == node.format(rank) + "Backward0"
    backward = g.grad_fn.next_functions[0][0]  # g is a copy
    assert backward.name() == node.format(rank) + "BackwardBackward0"


@pytest.mark.filterwarnings("ignore:There is a performance drop:UserWarning")  # torch lacks some batching rules
@pytest.mark.parametrize(("mode", "antialias", "rank", "node"), CASES)
def test_batches_and_tangents_are_torchs(mode, antialias, rank, node):
    x, t = rng.standard_normal((2, 3, 2, 2, *(5, 3, 4)[:rank]))

    def run(lib):
        def resized(v):
            return lib.nn.functional.interpolate(v, size=(3, 6, 5)[:rank], mode=mode, antialias=antialias)

        return lib.func.jvp(lib.func.vmap(resized), (lib.tensor(x),), (lib.tensor(t),))

    for found, expected in zip(run(npg), of_torch(run), strict=True):
        np.testing.assert_allclose(found.numpy(), expected.numpy(), 1e-12, 1e-12)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "bilinear", "bicubic", "trilinear", "area"])
def test_layout_is_torchs(mode):
    x = rng.standard_normal((2, 3, 4, 5, 6) if mode == "trilinear" else (2, 3, 4, 5))
    results = []
    for lib in (npg, torch):
        layout = lib.channels_last_3d if mode == "trilinear" else lib.channels_last
        a = lib.tensor(x).contiguous(memory_format=layout).requires_grad_()
        y = lib.nn.functional.interpolate(a, scale_factor=2, mode=mode)
        y.backward(y.detach() ** 2)
        results.append((y.detach().numpy(), y.stride(), a.grad.numpy(), a.grad.stride()))
    for found, expected in zip(*results, strict=True):
        np.testing.assert_allclose(found, expected, 1e-12, 1e-13)


def test_forms_are_named_by_torch():
    assert {op.key for op, _ in ops.forms.values() if op.aten.startswith("upsample_")} == {
        "aten::upsample_nearest1d", "aten::upsample_nearest2d", "aten::upsample_nearest3d", "aten::upsample_linear1d",
        "aten::upsample_bilinear2d", "aten::upsample_trilinear3d", "aten::upsample_bicubic2d",
    }  # fmt: skip
    assert all(hasattr(torch.ops.aten, op.aten) for pair in ops.forms.values() for op in pair)
