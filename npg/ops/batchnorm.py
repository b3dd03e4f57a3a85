"""Normalisation of each channel of (N, C, ...): over a batch, with given statistics, or of groups of channels.

The kernels pass over the input twice forward and twice backward; see npg/kernels/channels.py. weight and bias may be
None, and are (C,).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg.kernels.channels import (
    channel_sums,
    channels_of,
    combined,
    images_of,
    is_short,
    moments,
    row_moments,
    scaled,
    shifted,
    sums,
)
from npg.ops._kinds import ASSIGNMENT, rank_of, total as added
from npg.ops._layouts import is_channels_last
from npg.ops._op import Op, fused, primitive
from npg.ops.elementwise import sqrt
from npg.ops.reduction import mean, sum_

Array = np.ndarray[Any, Any]

_DOUBLE = np.dtype(np.float64)


# ----- What they share -----


def _line(moved: Array, scale: Array, weight: Any, bias: Any) -> tuple[Array, Array]:
    """Return a and b such that (x - shift) a + b is the result, for a mean of shift + moved."""
    a = scale if weight is None else scale * weight
    b = moved * a
    return a, np.negative(b, out=b) if bias is None else np.subtract(bias, b, out=b)


def _slope(a: Array, total: Array, along: Array, moved: Array, count: int) -> tuple[Array, Array]:
    """Return b and c such that g a + (x - shift) b + c is the gradient a (g - mean(g) - (x - mean) mean(g xh) scale).

    Args: total, along: the sums of g, and of g xh times the scale.
    """
    mean = a / -count
    b = mean * along
    return b, mean * total - b * moved


def _over(x: Any) -> tuple[int, ...]:
    """Return all dimensions but that of the channels."""
    return (0, *range(2, x.ndim))


def _beside(parameter: Any, x: Any) -> Any:
    """Return a parameter (C,) in a shape that broadcasts to (N, C, ...)."""
    return parameter.reshape(1, -1, *(1,) * (x.ndim - 2))


def _with_parameters(y: Any, weight: Any, bias: Any) -> Any:
    if weight is not None:
        y = y * _beside(weight, y)
    return y if bias is None else y + _beside(bias, y)


def _asked(gradients: tuple[Any, ...], like: Any, needs: tuple[bool, ...]) -> tuple[Any, ...]:
    """Return the gradients that are needed, in the dtype of an array."""
    return tuple(
        g.astype(like.dtype, copy=False) if need and g is not None else None
        for g, need in zip(gradients, needs, strict=False)
    )


# ----- batch_norm -----


@fused(node="NativeBatchNorm", aten="native_batch_norm")
def batch_norm(input: Any, weight: Any, bias: Any, *, eps: float) -> Any:
    """Return (input - mean) / sqrt(var + eps) weight + bias, the mean and the variance of each channel.

    Args:
        input: (N, C, ...), with at least one number.
    Returns: the result, and as float64 (C,) the mean and the variance, divided by the count.
    """
    last = is_channels_last(input)
    x = channels_of(input, last)
    shift, moved, variance = moments(x)
    scale = 1.0 / np.sqrt(variance + eps)
    y = shifted(x, shift, *_line(moved, scale, weight, bias))
    center = moved if shift is None else shift + moved
    return (images_of(y, input.shape, last), center, variance), (shift, moved, scale)


batch_norm.is_multi, batch_norm.reads = True, ()


@batch_norm.backward
def _batch_norm_backward(
    g: Any, _y: Any, x: Any, weight: Any, _bias: Any, *, saved: Any, needs: tuple[bool, ...], eps: float
) -> Any:
    """gx = (g - mean(g) - xh mean(g xh)) weight / sqrt(var + eps); g xh and g summed over the batch."""
    shift, moved, scale = saved
    last, shape = is_channels_last(x), x.shape
    rows, gs = channels_of(x, last), channels_of(g[0], last)
    total, along = channel_sums(gs, rows, shift)
    along = (along - moved * total) * scale
    gx = None
    if needs[0]:
        a = scale if weight is None else scale * weight
        gx = images_of(
            combined(gs, rows, shift, a, *_slope(a, total, along * scale, moved, x.size // shape[1])), shape, last
        )
    return _asked((gx, along, total), x, needs)


@batch_norm.vjp
def _batch_norm_vjp(
    g: Any, _y: Any, x: Any, weight: Any, _bias: Any, *, saved: Any, needs: tuple[bool, ...], eps: float
) -> Any:
    """Compute the same on Tensors, from the input."""
    g, over = g[0], _over(x)
    d = x - mean(x, dim=over, keepdim=True)
    scale = 1.0 / sqrt(mean(d * d, dim=over, keepdim=True) + eps)
    xh = d * scale
    gh = g if weight is None else g * _beside(weight, x)
    gx = scale * (gh - mean(gh, dim=over, keepdim=True) - xh * mean(gh * xh, dim=over, keepdim=True))
    return gx, _channel_sum(g * xh) if needs[1] else None, _channel_sum(g) if needs[2] else None


def _channel_sum(g: Any) -> Any:
    return sum_(g, dim=_over(g), keepdim=False)


@batch_norm.compose
def _batch_norm(input: Any, weight: Any, bias: Any, *, eps: float) -> Any:
    over = _over(input)
    center = mean(input, dim=over, keepdim=True)
    d = input - center
    variance = mean(d * d, dim=over, keepdim=True)
    y = _with_parameters(d / sqrt(variance + eps), weight, bias)
    return y, center.reshape(-1), variance.reshape(-1)


@batch_norm.batch
def _batch_norm_batch(op: Op, xs: Any, batched: Any, size: int, /, *, eps: float) -> Any:
    """Take the channels of all examples as channels of one batch."""
    x, weight, bias = xs
    if not batched[0] or not math.prod(x.shape):
        return NotImplemented
    parameters = [
        p if p is None else p.reshape(-1) if flag else p.reshape(1, -1).broadcast_to((size, p.shape[0])).reshape(-1)
        for p, flag in zip((weight, bias), batched[1:], strict=True)
    ]
    _, images, channels, *rest = x.shape
    y, center, variance = op(x.swapaxes(0, 1).reshape(images, size * channels, *rest), *parameters, eps=eps)
    y = y.reshape(images, size, channels, *rest).swapaxes(0, 1)
    return y, center.reshape(size, channels), variance.reshape(size, channels)


# ----- batch_norm with given statistics -----


def _folded(op: Op, xs: Any, batched: Any, size: int, /, **params: Any) -> Any:
    """Take the images of all examples as one batch, where only the input differs between examples."""
    x, *rest = xs
    if any(batched[1:]) or rank_of(x, True) < 2:
        return NotImplemented
    return op(x.reshape(size * x.shape[1], *x.shape[2:]), *rest, **params).reshape(x.shape)


@fused(node="NativeBatchNorm", aten="native_batch_norm")
def frozen_batch_norm(input: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any, *, eps: float) -> Any:
    """Return (input - running_mean) / sqrt(running_var + eps) weight + bias: one product and one sum.

    Args:
        input: (N, C, ...).
        running_mean, running_var: (C,), constants. The backward has copies: batches that change them may follow.
    """
    center, scale = running_mean.astype(_DOUBLE), 1.0 / np.sqrt(running_var + np.float64(eps))
    last = is_channels_last(input)
    y = scaled(channels_of(input, last), *_line(center, scale, weight, bias))
    return images_of(y, input.shape, last), (center, scale)


frozen_batch_norm.batch(_folded)


@frozen_batch_norm.backward
def _frozen_backward(
    g: Any, _y: Any, x: Any, weight: Any, _bias: Any, _mean: Any, _var: Any, *, saved: Any, needs: Any, eps: float
) -> Any:
    """gx = g weight / sqrt(var + eps); g (x - mean) / sqrt(var + eps) and g summed over the batch."""
    center, scale = saved
    last = is_channels_last(x)
    gs = channels_of(g, last)
    gx = total = along = None
    if needs[0]:
        a = scale if weight is None else scale * weight
        gx = images_of(scaled(gs, a, np.zeros_like(a)), x.shape, last)
    if needs[1] or needs[2]:
        shift = center.astype(x.dtype)
        total, along = channel_sums(gs, channels_of(x, last), shift)
        along = (along - (center - shift) * total) * scale
    return (*_asked((gx, along, total), x, needs), None, None)


@frozen_batch_norm.vjp
def _frozen_vjp(
    g: Any, _y: Any, x: Any, weight: Any, _bias: Any, _mean: Any, _var: Any, *, saved: Any, needs: Any, eps: float
) -> Any:
    """Compute the same on Tensors."""
    center, scale = (_beside(a.astype(x.dtype), x) for a in saved)
    gx = g * scale if weight is None else g * (scale * _beside(weight, x))
    gw = _channel_sum(g * ((x - center) * scale)) if needs[1] else None
    return gx, gw, _channel_sum(g) if needs[2] else None, None, None


@frozen_batch_norm.tangent
def _frozen_tangent(node: Any, ts: list[Any]) -> Any:
    x, weight, *_ = node.inputs
    t, weight_t, bias_t, *_ = ts
    center, scale = (_beside(a.astype(x.dtype), x) for a in node.saved)
    terms = [] if t is None else [t * scale if weight is None else t * (scale * _beside(weight, x))]
    if weight_t is not None:
        terms.append((x - center) * scale * _beside(weight_t, x))
    if bias_t is not None:
        terms.append(_beside(bias_t, x))
    return np.broadcast_to(added(terms), x.shape)


@frozen_batch_norm.compose
def _frozen(input: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any, *, eps: float) -> Any:
    y = (input - _beside(running_mean, input)) / sqrt(_beside(running_var, input) + eps)
    return _with_parameters(y, weight, bias)


@primitive(None, None, kind=ASSIGNMENT, aten=None)
def moving_average(running: Any, value: Any, *, momentum: float, factor: float) -> Any:
    """Return (1 - momentum) running + momentum value factor, for a running statistic; value is float64."""
    return running * np.float64(1.0 - momentum) + value * (momentum * factor)


# ----- group_norm -----


@fused(node="NativeGroupNorm", aten="native_group_norm")
def group_norm(input: Any, weight: Any, bias: Any, *, groups: int, eps: float) -> Any:
    """Return (input - mean) / sqrt(var + eps) weight + bias, moments of each group of channels of an image.

    Args:
        input: (N, C, ...).
        groups: divides C.
    """
    if not input.size:
        return np.zeros(input.shape, input.dtype), ()
    x = channels_of(input, False)
    images, channels, n = x.shape
    count = channels * n // groups
    shift, moved, variance = row_moments(x.reshape(images * groups, count))
    scale = 1.0 / np.sqrt(variance + eps)
    if is_short(x):
        # Rows of a channel are too short, those of a group may be long enough.
        y = _standard(x, shift, moved, scale)
        if weight is not None or bias is not None:
            w, b = (np.full(channels, v) if p is None else p for p, v in ((weight, 1.0), (bias, 0.0)))
            y = scaled(y, w, b)
    else:
        shifts, moves, scales = (_of_channels(a, x.shape, groups) for a in (shift, moved, scale))
        y = shifted(x, shifts, *_line(moves, scales, weight, bias))
    y = y.reshape(input.shape)
    if is_channels_last(input):
        y = np.moveaxis(np.ascontiguousarray(np.moveaxis(y, 1, -1)), -1, 1)
    return y, (shift, moved, scale)


def _standard(x: Array, shift: Array | None, moved: Array, scale: Array) -> Array:
    """Return (x - mean) scale for numbers of the groups, (N groups,)."""
    return shifted(x.reshape(1, len(scale), -1), shift, *_line(moved, scale, None, None)).reshape(x.shape)


def _of_channels(values: Array | None, shape: tuple[int, ...], groups: int) -> Any:
    """Return numbers of the groups, (N groups,), as numbers of the channels, (N, C); None stays None."""
    if values is None:
        return None
    images, channels, _ = shape
    return np.repeat(values.reshape(images, groups), channels // groups, 1)


@group_norm.backward
def _group_norm_backward(
    g: Any, _y: Any, x: Any, weight: Any, _bias: Any, *, saved: Any, needs: tuple[bool, ...], groups: int, eps: float
) -> Any:
    """gx = (gh - mean(gh) - xh mean(gh xh)) / sqrt(var + eps) with gh = g weight; g xh and g summed over the batch."""
    shape = x.shape
    if not saved:
        return _asked((np.zeros(shape), np.zeros(shape[1]), np.zeros(shape[1])), x, needs)
    shift, moved, scale = saved
    x, g = channels_of(x, False), channels_of(g, False)
    images, channels, n = x.shape
    count = channels * n // groups
    gx = gw = gb = None
    if is_short(x):
        rows = (1, images * groups, count)
        zeros = np.zeros(channels, x.dtype)
        if needs[0]:
            gh, xs = (g if weight is None else scaled(g, weight, zeros)).reshape(rows), x.reshape(rows)
            total, along = channel_sums(gh, xs, shift)
            along = (along - moved * total) * scale * scale
            gx = combined(gh, xs, shift, scale, *_slope(scale, total, along, moved, count))
        if needs[1] or needs[2]:
            gb, gw = channel_sums(g, _standard(x, *saved), zeros)
    else:
        shifts, moves, scales = (_of_channels(a, x.shape, groups) for a in saved)
        total, along = sums(g, x, shifts).astype(_DOUBLE)
        along = (along - moves * total) * scales
        if needs[0]:
            of_groups = (a if weight is None else a * weight for a in (total, along))
            total_g, along_g = (np.add.reduce(a.reshape(images * groups, -1), 1) for a in of_groups)
            b, c = _slope(scale, total_g, along_g * scale, moved, count)
            b, c = (_of_channels(a, x.shape, groups) for a in (b, c))
            gx = combined(g, x, shifts, scales if weight is None else scales * weight, b, c)
        gw, gb = np.add.reduce(along, 0), np.add.reduce(total, 0)
    return _asked((None if gx is None else gx.reshape(shape), gw, gb), x, needs)


@group_norm.vjp
def _group_norm_vjp(
    g: Any, _y: Any, x: Any, weight: Any, _bias: Any, *, saved: Any, needs: tuple[bool, ...], groups: int, eps: float
) -> Any:
    """Compute the same on Tensors, from the input."""
    rows = _group_rows(x, groups)
    d = rows - mean(rows, dim=(2,), keepdim=True)
    scale = 1.0 / sqrt(mean(d * d, dim=(2,), keepdim=True) + eps)
    xh = d * scale
    gh = (g if weight is None else g * _beside(weight, x)).reshape(rows.shape)
    gx = scale * (gh - mean(gh, dim=(2,), keepdim=True) - xh * mean(gh * xh, dim=(2,), keepdim=True))
    gw = _channel_sum(g * xh.reshape(x.shape)) if needs[1] else None
    return gx.reshape(x.shape), gw, _channel_sum(g) if needs[2] else None


def _group_rows(x: Any, groups: int) -> Any:
    """Return (N, C, ...) as (N, groups, n)."""
    images, channels, *rest = x.shape
    return x.reshape(images, groups, channels // groups * math.prod(rest))


@group_norm.compose
def _group_norm(input: Any, weight: Any, bias: Any, *, groups: int, eps: float) -> Any:
    x = _group_rows(input, groups)
    d = x - mean(x, dim=(2,), keepdim=True)
    y = d / sqrt(mean(d * d, dim=(2,), keepdim=True) + eps)
    return _with_parameters(y.reshape(input.shape), weight, bias)


group_norm.batch(_folded)
