"""Normalisation over the trailing dimensions: layer_norm and rms_norm.

The kernels are programs on (rows, n), n the number of elements normalised together. Sums over a row are products with
ones or with the weight, for BLAS. `dims` is the number of trailing dimensions.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg.kernels.blas_rows import row_blocks
from npg.kernels.buffers import scratch
from npg.kernels.limits import ADDED_IN_A_RUN
from npg.kernels.programs import program
from npg.kernels.sums import column_sum, ones, weighed_column_sum
from npg.ops._kinds import Kind, own_shape, padded, rank_of, total
from npg.ops._op import Op, fused
from npg.ops.elementwise import sqrt
from npg.ops.reduction import mean, sum_

Array = np.ndarray[Any, Any]


# ----- What the two share -----


def _length(shape: tuple[int, ...], dims: int) -> int:
    return shape[-1] if dims == 1 else math.prod(shape[len(shape) - dims :])


def _trailing(shape: tuple[int, ...], dims: int) -> tuple[int, ...]:
    return tuple(range(len(shape) - dims, len(shape)))


def _over_rows(g: Any, dims: int) -> Any:
    """Return a tensor summed over its leading dimensions: the gradient of a weight or bias."""
    leading = tuple(range(len(g.shape) - dims))
    return sum_(g, dim=leading, keepdim=False) if leading else g


def _no_gradient(x: Any, weight: Any, needs: tuple[bool, ...], dims: int) -> tuple[Array | None, ...]:
    # Nothing was normalised: zeros, also for the parameters.
    shape = x.shape[x.ndim - dims :]
    return tuple(
        np.zeros(s, x.dtype) if need else None for s, need in zip((x.shape, shape, shape), needs, strict=False)
    )


def _parameter(parameter: Array | None, n: int, dtype: np.dtype[Any]) -> Array:
    if parameter is None:
        return ones(n, dtype)
    return parameter if parameter.flags.c_contiguous else np.ascontiguousarray(parameter)


def _ready(x: Array, n: int) -> Array:
    """Return x, contiguous and with a last dimension of n elements."""
    return x if x.shape[-1] == n and x.flags.c_contiguous else np.ascontiguousarray(x).reshape(-1, n)


def _as(x: Array, shape: tuple[int, ...]) -> Array:
    return x if x.shape == shape else x.reshape(shape)


def _shaped(x: Array | None, like: Array, shape: tuple[int, ...]) -> Array | None:
    return x if x is None else x.reshape(shape).astype(like.dtype, copy=False)


def _added(total: Array | None, part: Array) -> Array:
    """Return total plus the sum of one more block of rows, in float64 where there are several."""
    return part if total is None else np.add(total, part, dtype=np.float64)


def _batch(op: Op, xs: Any, batched: Any, size: int, /, **params: Any) -> Any:
    if not any(batched[1:]):
        return op(*xs, **params)  # any leading dimensions
    x, *parameters = xs
    rank = rank_of(x, batched[0])
    y = op(x, *(None for _ in parameters), **params)
    for i, (parameter, flag) in enumerate(zip(parameters, batched[1:], strict=True)):
        if parameter is not None:
            parameter = padded(parameter, rank) if flag else parameter
            y = y + parameter if i else y * parameter
    return y


def _tangent(node: Any, ts: list[Any]) -> Any:
    """Return the tangent: without weight and bias the Jacobian is symmetric, so the backward serves."""
    if not node.saved:
        return NotImplemented
    x, weight, *_ = node.inputs
    t, weight_t, *bias_t = [*ts, None, None][: len(node.inputs)]
    terms = [b for b in bias_t if b is not None]
    if t is not None:
        nothing = (None,) * (len(node.inputs) - 1)
        needs = (True, *(False for _ in nothing))
        part = node.op.joint(t, None, x, *nothing, saved=node.saved, needs=needs, **node.params)[0]
        terms.append(part if weight is None else part * weight)
    if weight_t is not None:
        terms.append(_normalized(node) * weight_t)
    return np.broadcast_to(total(terms), x.shape)


def _normalized(node: Any) -> Any:
    # Only the scale of each row is saved, and its mean for layer_norm: what the weight multiplies is recomputed.
    *mean, scale = node.saved
    x = node.inputs[0]
    rows = x.reshape(len(scale), -1)
    return ((rows - mean[0] if mean else rows) * scale).reshape(x.shape)


NORMALIZATION = Kind("normalization", _batch, _tangent, shape=own_shape)

# ----- layer_norm -----


def _scale(d: Any, n: Any, eps: Any) -> Any:
    """Return the factor that gives differences from the mean a variance of 1."""
    return 1.0 / np.sqrt(np.vecdot(d, d) / n + eps)


def _mean(x: Any, ones: Any, n: Any) -> Any:
    return np.vecdot(x, ones) / n  # not times 1 / n: equal numbers must give exactly 0


def _standard(x: Any, ones: Any, n: Any, eps: Any, again: bool = False) -> Any:
    """Return x with mean 0 and variance 1, the mean and the scale.

    The mean is rounded before it is subtracted: `again` subtracts the mean of the differences, too.
    """
    mean = _mean(x, ones, n)
    d = x - mean
    if again:
        d = d - _mean(d, ones, n)
    scale = _scale(d, n, eps)
    return d * scale, mean, scale


@program(rows=("ones", "weight"))
def _layer(x: Any, ones: Any, weight: Any, *, n: Any, eps: Any) -> Any:
    y, mean, scale = _standard(x, ones, n, eps)
    return y * weight, mean, scale


@program(rows=("ones", "weight", "bias"))
def _layer_biased(x: Any, ones: Any, weight: Any, bias: Any, *, n: Any, eps: Any) -> Any:
    y, mean, scale = _standard(x, ones, n, eps)
    return y * weight + bias, mean, scale


# A row this long may be the only one, so its rounding error is not averaged with those of others.
_LONG = 2 * ADDED_IN_A_RUN


@program(rows=("ones", "weight"))
def _long_layer(x: Any, ones: Any, weight: Any, *, n: Any, eps: Any) -> Any:
    y, mean, scale = _standard(x, ones, n, eps, again=True)
    return y * weight, mean, scale


@program(rows=("ones", "weight", "bias"))
def _long_layer_biased(x: Any, ones: Any, weight: Any, bias: Any, *, n: Any, eps: Any) -> Any:
    y, mean, scale = _standard(x, ones, n, eps, again=True)
    return y * weight + bias, mean, scale


@fused(node="NativeLayerNorm", kind=NORMALIZATION)
def layer_norm(input: Any, weight: Any, bias: Any, *, dims: int, eps: float) -> Any:
    """Return (input - mean) / sqrt(var + eps) weight + bias, moments over the last `dims` dimensions.

    weight and bias may be None.
    """
    shape, dtype = input.shape, input.dtype
    if not input.size:
        return np.zeros(shape, dtype), ()
    n = _length(shape, dims)
    arguments = [_ready(input, n), ones(n, dtype), _parameter(weight, n, dtype)]
    if bias is not None:
        arguments.append(_parameter(bias, n, dtype))
    if n < _LONG:
        layer = _layer if bias is None else _layer_biased
    else:
        layer = _long_layer if bias is None else _long_layer_biased
    y, mean, scale = layer(*arguments, n=n, eps=eps)
    return _as(y, input.shape), (mean, scale)


def _backward_rows(g: Any, x: Any, weight: Any, needs: tuple[bool, ...], dims: int) -> tuple[Any, ...]:
    """Return g and x as rows, the weight, the weight over n (for means over a row), and an array for gx."""
    n = _length(x.shape, dims)
    x = _ready(x, n).reshape(-1, n)
    w = _parameter(weight, n, x.dtype)
    return g.reshape(-1, n), x, w, w * (1.0 / n), np.empty(x.shape, x.dtype) if needs[0] else None


@program(rows=("weight", "average"), columns=("mean", "scale"))
def _layer_gradient(g: Any, x: Any, mean: Any, scale: Any, weight: Any, average: Any) -> Any:
    d = x - mean
    t = g * d
    along = np.vecdot(t, average) * scale * scale
    return (g * weight - np.vecdot(g, average) - d * along) * scale, t


@program(columns=("mean",))
def _layer_weighed(g: Any, x: Any, mean: Any) -> Any:
    return g * (x - mean)


@layer_norm.backward
def _layer_norm_backward(
    g: Any, _y: Any, x: Any, weight: Any, _bias: Any, *, saved: Any, needs: tuple[bool, ...], dims: int, eps: float
) -> Any:
    """gx = (gh - mean(gh) - xh mean(gh xh)) / sqrt(var + eps) with gh = g weight; g xh and g summed over rows.

    xh, the normalised x, is never in memory as a whole: it is d scale, with d = x - mean.
    """
    if not saved:
        return _no_gradient(x, weight, needs, dims)
    mean, scale = saved
    shape = x.shape
    g, x, w, average, gx = _backward_rows(g, x, weight, needs, dims)
    gw = gb = None
    for xp, gp, mp, sp, out in row_blocks(x, g, mean, scale, gx):
        gp = np.ascontiguousarray(gp)
        t = scratch(0, xp.shape, x.dtype)
        if out is not None:
            _layer_gradient(gp, xp, mp, sp, w, average, out=(out, t))
        elif needs[1]:
            _layer_weighed(gp, xp, mp, out=(t,))
        if needs[1]:
            gw = _added(gw, weighed_column_sum(t, sp))
        if needs[2]:
            gb = _added(gb, column_sum(gp))
    over = shape[len(shape) - dims :]
    return _shaped(gx, x, shape), _shaped(gw, x, over), _shaped(gb, x, over)


@layer_norm.vjp
def _layer_norm_vjp(
    g: Any, _y: Any, x: Any, weight: Any, _bias: Any, *, saved: Any, needs: tuple[bool, ...], dims: int, eps: float
) -> Any:
    """Compute the same on Tensors, from the input."""
    over = _trailing(x.shape, dims)
    d = x - mean(x, dim=over, keepdim=True)
    scale = 1.0 / sqrt(mean(d * d, dim=over, keepdim=True) + eps)
    xh = d * scale
    gh = g if weight is None else g * weight
    gx = scale * (gh - mean(gh, dim=over, keepdim=True) - xh * mean(gh * xh, dim=over, keepdim=True))
    return gx, _over_rows(g * xh, dims) if needs[1] else None, _over_rows(g, dims) if needs[2] else None


@layer_norm.compose
def _layer_norm(input: Any, weight: Any, bias: Any, *, dims: int, eps: float) -> Any:
    over = _trailing(input.shape, dims)
    d = input - mean(input, dim=over, keepdim=True)
    y = d / sqrt(mean(d * d, dim=over, keepdim=True) + eps)
    if weight is not None:
        y = y * weight
    return y if bias is None else y + bias


# ----- rms_norm -----


@program(rows=("weight",))
def _rms(x: Any, weight: Any, *, n: Any, eps: Any) -> Any:
    scale = 1.0 / np.sqrt(np.vecdot(x, x) / n + eps)
    return x * scale * weight, scale


@fused(node="Mul", kind=NORMALIZATION)
def rms_norm(input: Any, weight: Any, *, dims: int, eps: float) -> Any:
    """Return input / sqrt(mean(input^2) + eps) weight, the mean over the last `dims` dimensions; weight may be None."""
    if not input.size:
        return np.zeros(input.shape, input.dtype), ()
    n = _length(input.shape, dims)
    y, scale = _rms(_ready(input, n), _parameter(weight, n, input.dtype), n=n, eps=eps)
    return _as(y, input.shape), (scale,)


@program(rows=("weight", "average"), columns=("scale",))
def _rms_gradient(g: Any, x: Any, scale: Any, weight: Any, average: Any) -> Any:
    t = g * x
    along = np.vecdot(t, average) * scale * scale
    return (g * weight - x * along) * scale, t


rms_norm.edge_order = (1, 0)


@rms_norm.backward
def _rms_norm_backward(
    g: Any, _y: Any, x: Any, weight: Any, *, saved: Any, needs: tuple[bool, ...], dims: int, eps: float
) -> Any:
    """gx = (gh - xh mean(gh xh)) / sqrt(mean(x^2) + eps) with gh = g weight; g xh summed over rows."""
    if not saved:
        return _no_gradient(x, weight, needs, dims)
    (scale,) = saved
    shape = x.shape
    g, x, w, average, gx = _backward_rows(g, x, weight, needs, dims)
    gw = None
    for xp, gp, sp, out in row_blocks(x, g, scale, gx):
        gp = np.ascontiguousarray(gp)
        t = scratch(0, xp.shape, x.dtype)
        if out is not None:
            _rms_gradient(gp, xp, sp, w, average, out=(out, t))
        else:
            np.multiply(gp, xp, out=t)
        if needs[1]:
            gw = _added(gw, weighed_column_sum(t, sp))
    return _shaped(gx, x, shape), _shaped(gw, x, shape[len(shape) - dims :])


@rms_norm.vjp
def _rms_norm_vjp(
    g: Any, _y: Any, x: Any, weight: Any, *, saved: Any, needs: tuple[bool, ...], dims: int, eps: float
) -> Any:
    """Compute the same on Tensors, from the input."""
    over = _trailing(x.shape, dims)
    scale = 1.0 / sqrt(mean(x * x, dim=over, keepdim=True) + eps)
    xh = x * scale
    gh = g if weight is None else g * weight
    gx = scale * (gh - xh * mean(gh * xh, dim=over, keepdim=True))
    return gx, _over_rows(g * xh, dims) if needs[1] else None


@rms_norm.compose
def _rms_norm(input: Any, weight: Any, *, dims: int, eps: float) -> Any:
    y = input / sqrt(mean(input * input, dim=_trailing(input.shape, dims), keepdim=True) + eps)
    return y if weight is None else y * weight
