"""Normalisation over the trailing dimensions: layer_norm and rms_norm.

The kernels see (rows, n), n the number of elements normalised together. Sums over a row are products with ones or with
the weight, so each takes one BLAS call. `dims` is the number of trailing dimensions.
"""

from __future__ import annotations

import math

import numpy as np

from npg.ops._op import fused
from npg.ops._rows import as_rows, column_sum, means, row_sum
from npg.ops._scratch import scratch
from npg.ops.elementwise import sqrt
from npg.ops.reduce import mean, sum_

__all__ = ["layer_norm", "rms_norm"]


# ----- What the two share -----


def _length(shape, dims):
    return math.prod(shape[len(shape) - dims :])


def _flat(parameter):
    return None if parameter is None else parameter.reshape(-1)


def _inverse_root(x, eps):
    """Return 1 / sqrt(mean(x^2) + eps) of each row, as (rows, 1)."""
    scale = np.vecdot(x, x)
    scale *= 1.0 / x.shape[1]
    scale += eps
    np.sqrt(scale, out=scale)
    np.divide(1.0, scale, out=scale)
    return scale[:, None]


def _affine(xh, weight, bias, shape, keep):
    """Return xh weight + bias in this shape. xh itself is kept for the backward, so it is not handed out."""
    if weight is not None:
        y = xh * weight
    else:
        y = xh.copy() if keep else xh
    if bias is not None:
        y += bias
    return y.reshape(shape)


def _trailing(shape, dims):
    return tuple(range(len(shape) - dims, len(shape)))


def _over_rows(g, dims):
    """Return a tensor summed over its leading dimensions: the gradient of a weight or bias."""
    leading = tuple(range(len(g.shape) - dims))
    return sum_(g, dim=leading, keepdim=False) if leading else g


def _no_gradient(x, weight, needs, dims):
    # Nothing was normalised: zeros, for every parameter too.
    shape = x.shape[x.ndim - dims :]
    return tuple(
        np.zeros(s, x.dtype) if need else None for s, need in zip((x.shape, shape, shape), needs, strict=False)
    )


# ----- layer_norm -----


@fused(node="NativeLayerNorm")
def layer_norm(input, weight, bias, *, dims, eps, keep=True):
    """Return (input - mean) / sqrt(var + eps) weight + bias, moments over the last `dims` dimensions.

    weight and bias may be None.
    """
    n = _length(input.shape, dims)
    if not input.size:
        return np.zeros(input.shape, input.dtype), ()
    x = as_rows(np.ascontiguousarray(input), n)  # so that the result is contiguous, as PyTorch's
    center = row_sum(x)
    center /= n  # and no product with 1 / n: equal numbers must give 0, to all digits
    xh = x - center[:, None]
    scale = _inverse_root(xh, eps)
    xh *= scale
    return _affine(xh, _flat(weight), _flat(bias), input.shape, keep), (xh, scale)


@layer_norm.backward
def _layer_norm_backward(g, _y, x, weight, _bias, *, saved, needs, dims, eps):
    """gx = (gh - mean(gh) - xh mean(gh xh)) / sqrt(var + eps) with gh = g weight; g xh and g summed over rows."""
    if not saved:
        return _no_gradient(x, weight, needs, dims)
    xh, scale = saved
    n = xh.shape[1]
    g = as_rows(g, n)
    gx = gw = gb = None
    t = np.multiply(g, xh, out=scratch(0, xh.shape, xh.dtype))
    if needs[1]:
        gw = column_sum(t).reshape(weight.shape)
    if needs[2]:
        gb = column_sum(g).reshape(x.shape[x.ndim - dims :])
    if needs[0]:
        if weight is None:
            average = means(n, g.dtype)
            second = np.matmul(t, average)
            gx = g - np.matmul(g, average)[:, None]
        else:
            w = weight.reshape(-1)
            average = w * (1.0 / n)
            second = np.matmul(t, average)
            gx = g * w
            gx -= np.matmul(g, average)[:, None]
        np.multiply(xh, second[:, None], out=t)
        gx -= t
        gx *= scale
        gx = gx.reshape(x.shape)
    return gx, gw, gb


@layer_norm.vjp
def _layer_norm_vjp(g, _y, x, weight, _bias, *, saved, needs, dims, eps):
    """The same on tensors, from the input."""
    over = _trailing(x.shape, dims)
    d = x - mean(x, dim=over, keepdim=True)
    scale = 1.0 / sqrt(mean(d * d, dim=over, keepdim=True) + eps)
    xh = d * scale
    gh = g if weight is None else g * weight
    gx = scale * (gh - mean(gh, dim=over, keepdim=True) - xh * mean(gh * xh, dim=over, keepdim=True))
    return gx, _over_rows(g * xh, dims) if needs[1] else None, _over_rows(g, dims) if needs[2] else None


@layer_norm.compose
def _layer_norm(input, weight, bias, *, dims, eps):
    over = _trailing(input.shape, dims)
    d = input - mean(input, dim=over, keepdim=True)
    y = d / sqrt(mean(d * d, dim=over, keepdim=True) + eps)
    if weight is not None:
        y = y * weight
    return y if bias is None else y + bias


# ----- rms_norm -----


@fused(node="Mul")
def rms_norm(input, weight, *, dims, eps, keep=True):
    """Return input / sqrt(mean(input^2) + eps) weight, the mean over the last `dims` dimensions; weight may be None."""
    n = _length(input.shape, dims)
    if not input.size:
        return np.zeros(input.shape, input.dtype), ()
    x = as_rows(input, n)
    scale = _inverse_root(x, eps)
    xh = x * scale
    return _affine(xh, _flat(weight), None, input.shape, keep), (xh, scale)


@rms_norm.backward
def _rms_norm_backward(g, _y, x, weight, *, saved, needs, dims, eps):
    """gx = (gh - xh mean(gh xh)) / sqrt(mean(x^2) + eps) with gh = g weight; g xh summed over rows."""
    if not saved:
        return _no_gradient(x, weight, needs, dims)
    xh, scale = saved
    n = xh.shape[1]
    g = as_rows(g, n)
    gx = gw = None
    t = np.multiply(g, xh, out=scratch(0, xh.shape, xh.dtype))
    if needs[1]:
        gw = column_sum(t).reshape(weight.shape)
    if needs[0]:
        if weight is None:
            part, gx = np.matmul(t, means(n, g.dtype)), g.copy()
        else:
            w = weight.reshape(-1)
            part, gx = np.matmul(t, w * (1.0 / n)), g * w
        np.multiply(xh, part[:, None], out=t)
        gx -= t
        gx *= scale
        gx = gx.reshape(x.shape)
    return gx, gw


@rms_norm.vjp
def _rms_norm_vjp(g, _y, x, weight, *, saved, needs, dims, eps):
    """The same on tensors, from the input."""
    over = _trailing(x.shape, dims)
    scale = 1.0 / sqrt(mean(x * x, dim=over, keepdim=True) + eps)
    xh = x * scale
    gh = g if weight is None else g * weight
    gx = scale * (gh - xh * mean(gh * xh, dim=over, keepdim=True))
    return gx, _over_rows(g * xh, dims) if needs[1] else None


@rms_norm.compose
def _rms_norm(input, weight, *, dims, eps):
    y = input / sqrt(mean(input * input, dim=_trailing(input.shape, dims), keepdim=True) + eps)
    return y if weight is None else y * weight
