"""The three ops of convolution: adjoints of each other, whatever the layout; batches, counts, names."""

import itertools
import math

import numpy as np
import pytest
import torch

import npg
from npg import engine
from npg.nn import functional as F
from npg.ops import conv as ops
from npg.profiler import profile
from tests.func.comparing import of_torch
from tests.helpers import strided
from tests.ops.fused import check_both, gradients, leaf

rng = np.random.default_rng(0)
TF = torch.nn.functional


def normal(*shape, dtype=np.float64):
    return rng.standard_normal(shape).astype(dtype)


def geometry(seed):
    """Return sizes and settings of a convolution, as (name, shape of input, of weight, channels out, settings)."""
    r = np.random.default_rng(seed)

    def pick(*values):
        return int(r.choice(values))

    n, groups, per_group, out = pick(1, 2, 2, 3), pick(1, 1, 2, 3), pick(1, 2, 3), pick(1, 2, 5)
    kernel, size = [[pick(*values) for _ in range(n)] for values in ((1, 2, 3), (3, 5, 8))]
    stride, dilation = [[pick(1, 1, 2, 3) for _ in range(n)] for _ in range(2)]
    padding = [pick(0, 0, 1, 2) for _ in range(n)]
    settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    x, w = (pick(1, 2, 4), per_group * groups, *size), (out * groups, per_group, *kernel)
    if seed % 2:
        settings["output_padding"] = [int(r.integers(max(s, d))) for s, d in zip(stride, dilation, strict=True)]
        w = (per_group * groups, out, *kernel)
    return f"conv{'_transpose' * (seed % 2)}{n}d", x, w, out * groups, settings


def fits(case):
    name, x, w, _, s = case
    each = list(zip(x[2:], w[2:], s["stride"], s["padding"], s["dilation"], strict=True))
    if "transpose" in name:
        more = s["output_padding"]
        return all((n - 1) * t - 2 * p + d * (k - 1) + m >= 0 for (n, k, t, p, d), m in zip(each, more, strict=True))
    return all(n + 2 * p > d * (k - 1) for n, k, _, p, d in each)


CASES = [case for case in map(geometry, range(60)) if fits(case)]


def transposed_in_memory(a):
    return np.ascontiguousarray(np.moveaxis(a, 1, -1)).swapaxes(1, -1).swapaxes(2, -1) if a.ndim == 4 else strided(a)


LAYOUTS = [
    lambda a: a,
    strided,
    lambda a: a[::-1, ..., ::-1].copy()[::-1, ..., ::-1],
    np.asfortranarray,
    lambda a: np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 1, -1)), -1, 1),
]


# ----- Against torch -----


@pytest.mark.parametrize("seed", range(len(CASES)))
def test_convolution_of_any_geometry_and_layout_is_like_torch(seed):
    name, x, w, out, settings = CASES[seed]
    x, w, bias = normal(*x), normal(*w), normal(out)
    change = LAYOUTS[seed % len(LAYOUTS)]
    args = (change(x), change(w), *([strided(bias)] if seed % 3 else []))
    check_both(getattr(F, name), getattr(TF, name), *args, rtol=1e-10, atol=1e-10, **settings)


@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d"])
def test_convolution_of_overlapping_and_zero_strides_is_like_torch(name):
    windows = np.lib.stride_tricks.as_strided(normal(40), (2, 4, 5, 6), (8, 24, 16, 8))
    same = np.broadcast_to(normal(4, 1, 1), (2, 4, 5, 6))
    odd = np.lib.stride_tricks.as_strided(normal(60), (1, 4, 5, 3), (8, 120, 24, 8))  # of a dimension of size 1
    weight = np.lib.stride_tricks.as_strided(normal(200), (4, 4, 3, 1), (96, 24, 8, 1600 - 8))
    for x, w in ((windows, normal(4, 4, 3, 3)), (same, np.broadcast_to(normal(1), (4, 4, 2, 2))), (odd, weight)):
        a, b = (npg.as_tensor(v.copy()) for v in (x, w))
        found = engine.apply(
            *(ops.convolution, (x, w, None), {**_settings(2), "places": _places(x, w)})
            if name == "conv2d"
            else (ops.convolution_transpose, (x, w, None), {**_settings(2), "size": _size(x, w)})
        )
        np.testing.assert_array_equal(found._array, getattr(F, name)(a, b).numpy())


def _settings(n, groups=1):
    return {"stride": (1,) * n, "padding": (0,) * n, "dilation": (1,) * n, "groups": groups}


def _places(x, w):
    return tuple(n - k + 1 for n, k in zip(x.shape[2:], w.shape[2:], strict=True))


def _size(x, w):
    return tuple(n + k - 1 for n, k in zip(x.shape[2:], w.shape[2:], strict=True))


@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d"])
def test_a_gradient_that_is_one_number_expanded_is_used(name):
    x, w, b = (leaf(normal(*s)) for s in ((2, 4, 6, 5), (4, 4, 3, 2), (4,)))
    y = getattr(F, name)(x, w, b)
    ones = np.ones(y.shape)
    expanded = gradients(y, x, w, b, g=np.broadcast_to(np.float64(1), y.shape))
    for found, expected in zip(expanded, gradients(y, x, w, b, g=ones), strict=True):
        np.testing.assert_allclose(found, expected, 1e-12, 1e-12)


@pytest.mark.parametrize("name", ["conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d"])
def test_float16_is_computed_in_float32_and_rounded_once(name):
    n = int(name[-2])
    x, w, b = (normal(*s, dtype=np.float16) for s in ((2, 4, *(6,) * n), (4, 4, *(3,) * n), (4,)))
    half = [leaf(v.copy()) for v in (x, w, b)]
    single = [leaf(v.astype(np.float32)) for v in (x, w, b)]
    y, exact = (getattr(F, name)(*v) for v in (half, single))
    np.testing.assert_array_equal(y._array, exact._array.astype(np.float16))
    g = normal(*y.shape, dtype=np.float16)
    for found, expected in zip(
        gradients(y, *half, g=g), gradients(exact, *single, g=g.astype(np.float32)), strict=True
    ):
        assert found.dtype == np.float16
        np.testing.assert_array_equal(found, expected.astype(np.float16))


# ----- Adjoints -----


@pytest.mark.parametrize("seed", range(0, len(CASES), 3))
def test_the_three_ops_are_adjoints_of_each_other(seed):
    name, x, w, _, s = CASES[seed]
    settings = {k: tuple(s[k]) for k in ("stride", "padding", "dilation")} | {"groups": s["groups"]}
    if "transpose" in name:
        w = (w[0], w[1] * 1, *w[2:])
        size = tuple(F_out(CASES[seed]))
        y, x = x, (x[0], w[1] * s["groups"], *size)
    else:
        y = (x[0], w[0], *F_out(CASES[seed]))
    a, b, g = normal(*x), normal(*w), normal(*y)
    forth = ops.convolution(a, b, None, places=y[2:], **settings)
    back = ops.convolution_transpose(g, b, None, size=x[2:], **settings)
    weight = ops.convolution_weight(a, g, kernel=w[2:], **settings)
    assert (forth.shape, back.shape, weight.shape) == (y, x, w)
    np.testing.assert_allclose([(a * back).sum(), (b * weight).sum()], [(forth * g).sum()] * 2, 1e-10, 1e-10)


def F_out(case):
    name, x, w, _, settings = case
    return getattr(TF, name)(torch.zeros(x), torch.zeros(w), **settings).shape[2:]


@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d"])
def test_third_derivatives_are_like_torch(name):
    def third(lib):
        x, w = (lib.tensor(v, requires_grad=True) for v in (a, b))
        y = (getattr(lib.nn.functional, name)(x, w, stride=2, padding=1) ** 3).sum()
        for _ in range(2):
            gx, gw = lib.autograd.grad(y, (x, w), create_graph=True)
            y = (gx * gx).sum() + (gw * gw * gw).sum()
        return [t.detach().numpy() for t in lib.autograd.grad(y, (x, w))]

    a, b = normal(2, 3, 4, 5) * 0.3, normal(3, 3, 2, 3) * 0.3
    for found, expected in zip(third(npg), third(torch), strict=True):
        np.testing.assert_allclose(found, expected, 1e-9, 1e-9)


# ----- vmap and jvp -----


@pytest.mark.parametrize("which", [c for c in itertools.product((True, False), repeat=3) if any(c)])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("name", ["conv1d", "conv2d", "conv_transpose2d", "conv3d"])
def test_batches_and_tangents_are_like_torch(name, groups, which):
    n, size = int(name[-2]), 3
    shapes = ((2, 4, *(5, 4, 3)[:n]), (4, 4 // groups, *(3, 2, 2)[:n]), (4 if "transpose" not in name else 4,))
    values = [normal(*((size,) if batched else ()), *s) for s, batched in zip(shapes, which, strict=True)]
    tangents = [normal(*v.shape) for v in values]
    dims = tuple(0 if batched else None for batched in which)

    def run(lib):
        xs, ts = ([lib.tensor(v) for v in many] for many in (values, tangents))

        def convolved(x, w, b):
            return getattr(lib.nn.functional, name)(x, w, b, stride=2, padding=1, groups=groups)

        mapped = lib.func.vmap(convolved, in_dims=dims)
        losses = lib.func.grad(lambda *xs: (convolved(*xs) ** 2).sum(), argnums=(0, 1, 2))
        y, t = lib.func.jvp(mapped, tuple(xs), tuple(ts))
        return [y, t, *lib.func.vmap(losses, in_dims=dims)(*xs)]

    if "transpose" in name and groups == 2:
        values[1], tangents[1] = (
            v.reshape(*v.shape[: v.ndim - n - 2], 4, 2, *v.shape[v.ndim - n :]) for v in (values[1], tangents[1])
        )
    for found, expected in zip(run(npg), of_torch(run), strict=True):
        assert found.shape == expected.shape
        np.testing.assert_allclose(found.numpy(), expected.numpy(), 1e-9, 1e-9)


def test_no_op_of_convolution_is_looped_over_examples():
    assert all(op.batch_rule is not None for op in (ops.convolution, ops.convolution_transpose, ops.convolution_weight))


# ----- What is known of the ops -----


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("name", ["conv1d", "conv2d", "conv3d", "conv_transpose2d"])
def test_flops_are_those_that_torch_counts(name, groups):
    from torch.utils.flop_counter import FlopCounterMode

    n = int(name[-2])
    x, w = torch.zeros(3, 4, *(7, 6, 5)[:n]), torch.zeros(4, 6 // groups, *(3, 2, 2)[:n])
    if "transpose" not in name:
        w = torch.zeros(6, 4 // groups, *(3, 2, 2)[:n])
    x.requires_grad_(), w.requires_grad_()
    with FlopCounterMode(display=False) as counter:
        y = getattr(TF, name)(x, w, None, 2, 1, groups=groups)
        forward = counter.get_total_flops()
        y.sum().backward()
    with profile(with_flops=True) as prof:
        a, b = (npg.zeros(*t.shape, requires_grad=True) for t in (x, w))
        y = getattr(F, name)(a, b, None, 2, 1, groups=groups)
    assert prof.key_averages().total_average().flops == forward
    op = ops.convolution_transpose if "transpose" in name else ops.convolution
    back = ops.convolution if "transpose" in name else ops.convolution_transpose
    sizes = [list(t.shape) for t in (y, a, b)]
    images, places = (sizes[0], sizes[1]) if "transpose" in name else (sizes[1], sizes[0])
    total = (
        op.flops(*sizes, [])
        + back.flops(sizes[1], sizes[0], sizes[2])
        + ops.convolution_weight.flops(sizes[2], images, places)
    )
    assert total == counter.get_total_flops()


def test_nodes_and_aten_names_are_torchs():
    for lib in (npg, torch):
        x, w = lib.ones(1, 2, 4, 4, requires_grad=True), lib.ones(2, 2, 3, 3, requires_grad=True)
        for function in (lib.conv2d, lib.conv_transpose2d):
            y = function(x, w)
            assert y.grad_fn.name() == "ConvolutionBackward0"
            (_, first), (_, second), (none, _) = ((fn, fn and fn.name()) for fn, _ in y.grad_fn.next_functions)
            assert none is None and first.endswith("AccumulateGrad") and second.endswith("AccumulateGrad")
            for g in lib.autograd.grad(y.sum(), (x, w), create_graph=True):
                node = g.grad_fn
                if node.name() == "CloneBackward0":  # npg's of a requested gradient
                    node = node.next_functions[0][0]
                assert node.name() == "ConvolutionBackwardBackward0"
    assert ops.convolution.key == ops.convolution_transpose.key == "aten::convolution"


def test_only_what_rules_need_is_saved():
    assert ops.convolution.saves((True, False, True)) == (0, (1, 2, 0))
    assert ops.convolution.saves((False, True, False)) == (0, (2, 1, 0))
    assert ops.convolution.saves((False, False, True)) == (0, (0, 0, 0))


# ----- Channels last -----


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d", "conv3d"])
def test_strides_of_results_and_gradients_with_channels_last_are_torchs(name, dtype):
    n = int(name[-2])

    def strides(lib, of_input, of_weight):
        last = lib.channels_last if n == 2 else lib.channels_last_3d
        x, w = lib.ones(2, 4, *(5, 6, 5)[:n]), lib.ones(4, 4, *(3, 2, 2)[:n])
        x = x.to(getattr(lib, dtype), memory_format=last) if of_input else x.to(getattr(lib, dtype))
        w = w.to(getattr(lib, dtype), memory_format=last) if of_weight else w.to(getattr(lib, dtype))
        x.requires_grad_(), w.requires_grad_()
        y = getattr(lib.nn.functional, name)(x, w)
        return [t.stride() for t in (y, *lib.autograd.grad(y, (x, w), lib.ones_like(y)))]

    if (name, dtype) == ("conv3d", "float16"):
        return  # PyTorch has kernels of this kind on some machines only
    for case in itertools.product((False, True), repeat=2):
        assert strides(npg, *case) == strides(torch, *case)


def test_a_view_of_one_channel_counts_as_contiguous():
    x = np.lib.stride_tricks.as_strided(normal(2, 1, 4, 4), (2, 1, 4, 4), (128, 8, 32, 8))
    y = F.conv2d(npg.from_numpy(x), npg.ones(3, 1, 2, 2, dtype=npg.float64))
    assert y.stride() == (27, 9, 3, 1) and math.prod(y.shape) == y._array.size
