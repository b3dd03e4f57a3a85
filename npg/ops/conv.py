"""Convolutions in one to three spatial dimensions: three ops, each the rule of the two others.

For images x (N, C, *size), a weight w (O, C / groups, *kernel) and images y (N, O, *places)

    convolution             (x, w) -> y      at each place, the products of the kernel and what lies under it, summed
    convolution_transpose   (y, w) -> x      its adjoint in x
    convolution_weight      (x, y) -> w      its adjoint in w

so <convolution(x, w), y> = <x, convolution_transpose(y, w)> = <w, convolution_weight(x, y)>. The spatial sizes of the
result are a setting of each: by the stride, several sizes of x have the same places. `padding` is the number of zeros
before x along each dimension; as many follow as the places ask for. npg/kernels/convolution.py computes the three.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from npg.kernels import convolution as kernels
from npg.ops._kinds import product, total
from npg.ops._layouts import is_channels_last, with_channels_last
from npg.ops._op import Op, primitive
from npg.ops.reduction import sum_
from npg.ops.shape import overload

Array = np.ndarray[Any, Any]
Ints = tuple[int, ...]

# ----- Images of one to three dimensions as those of three -----


@functools.lru_cache(maxsize=1024)
def _window(size: Ints, kernel: Ints, places: Ints, stride: Ints, padding: Ints, dilation: Ints) -> kernels.Window:
    if len(size) == 3:
        return kernels.Window(size, kernel, stride, dilation, padding, places)  # type: ignore[arg-type]
    one: Any = (1,) * (3 - len(size))
    zero: Any = (0,) * len(one)
    return kernels.Window(one + size, one + kernel, one + stride, one + dilation, zero + padding, one + places)


def _volumes(x: Array) -> Array:
    return x if x.ndim == 5 else x.reshape(x.shape[:2] + (1,) * (5 - x.ndim) + x.shape[2:])


def _images(volumes: Array, rank: int, a: Array, b: Array) -> Array:
    """Return a result in as many dimensions as its operands a and b have.

    It is contiguous, or has the channels last where one of them has; users view() gradients.
    """
    y = volumes if rank == 5 else volumes.reshape(volumes.shape[:2] + volumes.shape[7 - rank :])
    is_plain = rank == 5 and y.dtype == np.float64  # PyTorch has no such kernel
    if not is_plain and (is_channels_last(a) or is_channels_last(b)):
        return with_channels_last(y)
    return y if y.flags.c_contiguous else np.ascontiguousarray(y)


# ----- Rules -----


def _bias_vjp(g: Any, _y: Any, _x: Any, _weight: Any, _bias: Any, **_settings: Any) -> Any:
    """gb = g, summed over images and places."""
    return sum_(g, dim=(0, *range(2, len(g.shape))), keepdim=False)


def _tangent(node: Any, ts: list[Any]) -> Any:
    """t = op(tx, w) + op(x, tw) + tb."""
    x, w = node.inputs[:2]
    terms = [
        node.op.forward(*operands, None, **node.params)
        for operands in ((ts[0], w), (x, ts[1]))
        if all(a is not None for a in operands)
    ]
    if terms and len(ts) > 2 and ts[2] is not None:
        terms.append(_along_channels(ts[2], terms[0].ndim))
    return total(terms)


def _along_channels(bias: Any, rank: int) -> Any:
    return bias.reshape((*bias.shape, *(1,) * (rank - 2)))


def _flops(y: list[int], _x: list[int], weight: list[int], *_bias: list[int]) -> int:
    return 2 * y[0] * math.prod(y[2:]) * math.prod(weight)


def _transposed_flops(_y: list[int], x: list[int], weight: list[int], *_bias: list[int]) -> int:
    return 2 * x[0] * math.prod(x[2:]) * math.prod(weight)


def _weight_flops(y: list[int], x: list[int], places: list[int]) -> int:
    return 2 * math.prod(y[2:]) * x[1] * math.prod(places)


# ----- The ops -----


@primitive(
    lambda g, _y, x_like, weight, _bias, *, places, **settings: _input_gradient(
        g, weight, None, size=x_like.shape[2:], **settings
    ),
    lambda g, _y, x, weight_like, _bias, *, places, **settings: convolution_weight(
        x, g, kernel=weight_like.shape[2:], **settings
    ),
    _bias_vjp,
    flops=_flops,
    tangent=_tangent,
)
def convolution(
    input: Any, weight: Any, bias: Any, *, places: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> Any:
    """Return the correlation of images with a weight.

    (N, C, *size), (O, C / groups, *kernel) and (O,) or None give (N, O, *places).
    """
    window = _window(input.shape[2:], weight.shape[2:], places, stride, padding, dilation)
    y = kernels.correlate(_volumes(input), _volumes(weight), bias, window, groups)
    return _images(y, input.ndim, input, weight)


@convolution.shape
def _convolution_shape(input: Any, weight: Any, _bias: Any, *, places: Ints, **_settings: Any) -> Ints:
    return len(input), len(weight), *places


@primitive(
    lambda g, _y, input_like, weight, _bias, *, size, **settings: _places_gradient(
        g, weight, None, places=input_like.shape[2:], **settings
    ),
    lambda g, _y, input, weight_like, _bias, *, size, **settings: convolution_weight(
        g, input, kernel=weight_like.shape[2:], **settings
    ),
    _bias_vjp,
    node="Convolution",
    aten="convolution",
    flops=_transposed_flops,
    tangent=_tangent,
)
def convolution_transpose(
    input: Any, weight: Any, bias: Any, *, size: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> Any:
    """Return the adjoint of a convolution in its images, plus a bias.

    (N, O, *places), (O, C / groups, *kernel) and (C,) or None give (N, C, *size).
    """
    window = _window(size, weight.shape[2:], input.shape[2:], stride, padding, dilation)
    x = kernels.spread(_volumes(input), _volumes(weight), window, groups)
    if bias is not None:
        x += _along_channels(bias, 5)
    return _images(x, input.ndim, input, weight)


@convolution_transpose.shape
def _transpose_shape(input: Any, weight: Any, _bias: Any, *, size: Ints, groups: int, **_settings: Any) -> Ints:
    return len(input), weight.shape[1] * groups, *size


@primitive(
    lambda g, _y, input_like, other, *, kernel, **settings: _input_gradient(
        other, g, None, size=input_like.shape[2:], **settings
    ),
    lambda g, _y, input, other_like, *, kernel, **settings: _places_gradient(
        input, g, None, places=other_like.shape[2:], **settings
    ),
    node="ConvolutionBackward",
    aten="convolution_backward",
    flops=_weight_flops,
    tangent=product,
)
def convolution_weight(
    input: Any, other: Any, *, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> Any:
    """Return the adjoint of a convolution in its weight.

    Images (N, C, *size) and (N, O, *places) give (O, C / groups, *kernel).
    """
    window = _window(input.shape[2:], kernel, other.shape[2:], stride, padding, dilation)
    return _images(kernels.weigh(_volumes(input), _volumes(other), window, groups), input.ndim, input, other)


# ----- Batches: examples as more images, more channels or more groups -----


def _outside(x: Any) -> Any:
    """Return examples (B, N, C, ...) as images of channels (B, C)."""
    size, n, channels, *rest = x.shape
    return x.swapaxes(0, 1).reshape((n, size * channels, *rest))


def _inside(x: Any, groups: int) -> Any:
    """Return examples (B, N, C, ...) as images of channels (groups, B, C / groups)."""
    size, n, channels, *rest = x.shape
    x = x.reshape((size, n, groups, channels // groups, *rest)).swapaxes(0, 1).swapaxes(1, 2)
    return x.reshape((n, size * channels, *rest))


def _apart(y: Any, size: int, groups: int) -> Any:
    """Return images of channels (groups, B, C / groups) as examples (B, N, C, ...)."""
    n, channels, *rest = y.shape
    y = y.reshape((n, groups, size, channels // (size * groups), *rest)).swapaxes(1, 2).swapaxes(0, 1)
    return y.reshape((size, n, channels // size, *rest))


def _filters_inside(w: Any, groups: int) -> Any:
    """Return examples (B, O, ...) of a weight as filters (groups, B, O / groups)."""
    size, filters, *rest = w.shape
    return w.reshape((size, groups, filters // groups, *rest)).swapaxes(0, 1).reshape((size * filters, *rest))


def _batch(op: Op, xs: Any, batched: Any, size: int, /, *, groups: int, **settings: Any) -> Any:
    x, w, bias = xs
    if batched[0] and not any(batched[1:]):
        _, n, *rest = x.shape
        y = op(x.reshape((size * n, *rest)), w, bias, groups=groups, **settings)
        return y.reshape((size, n, *y.shape[1:]))
    if batched[0] and batched[1]:
        w = w.reshape((size * w.shape[1], *w.shape[2:]))
        y = _apart(op(_outside(x), w, None, groups=size * groups, **settings), size, 1)
    elif batched[0]:
        y = _batch(op, (x, w, None), (True, False, False), size, groups=groups, **settings)
    elif batched[1]:
        is_transposed = "size" in settings
        w = _outside(w) if is_transposed else _filters_inside(w, groups)
        y = _apart(op(x, w, None, groups=groups, **settings), size, groups)
    else:
        y = op(x, w, None, groups=groups, **settings)
    if bias is None:
        return y
    *lead, channels = bias.shape
    return y + bias.reshape((*lead, *(1,) * len(lead), channels, *(1,) * (len(w.shape) - 2)))


def _weight_batch(op: Op, xs: Any, batched: Any, size: int, /, *, groups: int, **settings: Any) -> Any:
    x, y = xs
    if all(batched):
        w = op(_outside(x), _outside(y), groups=size * groups, **settings)
        return w.reshape((size, w.shape[0] // size, *w.shape[1:]))
    if batched[0]:
        w = op(_inside(x, groups), y, groups=groups, **settings)
        filters, channels, *rest = w.shape
        return w.reshape((filters, size, channels // size, *rest)).swapaxes(0, 1)
    w = op(x, _inside(y, groups), groups=groups, **settings)
    filters, *rest = w.shape
    w = w.reshape((groups, size, filters // (size * groups), *rest)).swapaxes(0, 1)
    return w.reshape((size, filters // size, *rest))


convolution.batch(_batch)
convolution_transpose.batch(_batch)
convolution_weight.batch(_weight_batch)

# The gradients in images are recorded under the name that PyTorch has for all three.
_BACKWARD = "ConvolutionBackwardBackward0"
_input_gradient = overload(convolution_transpose, _BACKWARD, aten="convolution_backward")
_places_gradient = overload(convolution, _BACKWARD, aten="convolution_backward")
