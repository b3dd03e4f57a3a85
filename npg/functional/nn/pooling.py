"""Pooling: what stands in torch.nn.functional, where the places of largest numbers may be asked for."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from npg import random
from npg._errors import OUT_DTYPE
from npg._words import scalar_name
from npg.engine import apply
from npg.functional import pooling
from npg.functional._arguments import canonical_dim, checked_array
from npg.functional._public import public_function, writes
from npg.functional._types import Dims, T
from npg.functional.activation import relu
from npg.functional.elementwise import abs, mul, neg, pow, sign
from npg.functional.pooling import avg_pool1d
from npg.functional.shape import squeeze, unsqueeze
from npg.kernels.meta import empty_beside
from npg.ops import pooling as ops

Array = np.ndarray[Any, Any]
Ints = tuple[int, ...]

# ----- The largest numbers -----


@public_function
def max_pool1d_with_indices(
    input: T, kernel_size: Dims, stride: Dims | None = None, padding: Dims = 0, dilation: Dims = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> tuple[T, T]:  # fmt: skip
    """Return the largest number of each window over signals, and its place.

    Args: as of max_pool1d; return_indices has no effect.
    Source: torch.nn.functional.max_pool1d_with_indices.
    """
    settings = kernel_size, stride, padding, dilation
    return pooling.largest("max_pool1d_with_indices", 1, input, settings, ceil_mode, True)


@public_function
def max_pool1d(
    input: T, kernel_size: Dims, stride: Dims | None = None, padding: Dims = 0, dilation: Dims = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """Return the largest number of each window over signals.

    Args:
        input: (N, C, L) or (C, L), floating or integers.
        kernel_size: numbers in a window; this and the next three are one number.
        stride: the distance between windows; None: kernel_size.
        padding: how far the first window begins before the input; at most half of kernel_size.
        dilation: the distance between the numbers of a window.
        ceil_mode: the last window may reach beyond the end.
        return_indices: return (values, places): of equal numbers the first, of several nan the last, counted in
            a signal of one channel, int64.
    Returns: (N, C, windows) or without N.
    Raises: RuntimeError: when settings are out of range. NotImplementedError: for bools, and integers without places.
    Source: torch.nn.functional.max_pool1d.
    """
    if return_indices:
        return max_pool1d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)
    return pooling.largest("max_pool1d", 1, input, (kernel_size, stride, padding, dilation), ceil_mode, False)


@public_function
def max_pool2d_with_indices(
    input: T, kernel_size: Dims, stride: Dims | None = None, padding: Dims = 0, dilation: Dims = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> tuple[T, T]:  # fmt: skip
    """Return the largest number of each window over images, and its place.

    Args: as of max_pool2d; return_indices has no effect.
    Source: torch.nn.functional.max_pool2d_with_indices.
    """
    settings = kernel_size, stride, padding, dilation
    return pooling.largest("max_pool2d_with_indices", 2, input, settings, ceil_mode, True)


@public_function
def max_pool2d(
    input: T, kernel_size: Dims, stride: Dims | None = None, padding: Dims = 0, dilation: Dims = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """Return the largest number of each window over images.

    Args:
        input: (N, C, H, W) or (C, H, W), floating or integers.
        kernel_size: numbers in a window; this and the next three are one number for all dimensions, or 2.
        stride: the distance between windows; None: kernel_size.
        padding: how far the first window begins before the input; at most half of kernel_size.
        dilation: the distance between the numbers of a window.
        ceil_mode: the last window may reach beyond the end.
        return_indices: return (values, places): of equal numbers the first, of several nan the last, counted in
            an image of one channel, int64.
    Returns: (N, C, windows along height and width) or without N.
    Raises: RuntimeError: when settings are out of range. NotImplementedError: for bools.
    Source: torch.nn.functional.max_pool2d.
    """
    if return_indices:
        return max_pool2d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)
    return pooling.largest("max_pool2d", 2, input, (kernel_size, stride, padding, dilation), ceil_mode, False)


@public_function
def max_pool3d_with_indices(
    input: T, kernel_size: Dims, stride: Dims | None = None, padding: Dims = 0, dilation: Dims = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> tuple[T, T]:  # fmt: skip
    """Return the largest number of each window over volumes, and its place.

    Args: as of max_pool3d; return_indices has no effect.
    Source: torch.nn.functional.max_pool3d_with_indices.
    """
    settings = kernel_size, stride, padding, dilation
    return pooling.largest("max_pool3d_with_indices", 3, input, settings, ceil_mode, True)


@public_function
def max_pool3d(
    input: T, kernel_size: Dims, stride: Dims | None = None, padding: Dims = 0, dilation: Dims = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """Return the largest number of each window over volumes.

    Args:
        input: (N, C, D, H, W) or (C, D, H, W), floating or integers.
        kernel_size: numbers in a window; this and the next three are one number for all dimensions, or 3.
        stride: the distance between windows; None: kernel_size.
        padding: how far the first window begins before the input; at most half of kernel_size.
        dilation: the distance between the numbers of a window.
        ceil_mode: the last window may reach beyond the end.
        return_indices: return (values, places): of equal numbers the first, of several nan the last, counted in
            a volume of one channel, int64.
    Returns: (N, C, windows along depth, height and width) or without N.
    Raises: RuntimeError: when settings are out of range. NotImplementedError: for bools.
    Source: torch.nn.functional.max_pool3d.
    """
    if return_indices:
        return max_pool3d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)
    return pooling.largest("max_pool3d", 3, input, (kernel_size, stride, padding, dilation), ceil_mode, False)


# ----- Averages, and roots of sums of powers -----


@public_function
@writes(OUT_DTYPE, looks=())
def avg_pool2d(
    input: T, kernel_size: Dims, stride: Dims | None = None, padding: Dims = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
    *,
    out: Any = None,
) -> T:  # fmt: skip
    """Return the average of each window over images.

    Args:
        input: (N, C, H, W) or (C, H, W), floating or int64.
        kernel_size, stride, padding: one number for all dimensions, or 2: of a window, between windows (None:
            kernel_size), of zeros on both sides.
        ceil_mode: the last window may reach beyond the end.
        count_include_pad: the zeros count.
        divisor_override: by what sums are divided, instead of the numbers of a window.
    Returns: (N, C, windows along height and width) or without N.
    Raises: RuntimeError: when settings are out of range or do not fit. NotImplementedError: for other dtypes.
    Source: torch.nn.functional.avg_pool2d.
    """
    return pooling.average(
        "avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


@public_function
@writes(OUT_DTYPE, looks=())
def avg_pool3d(
    input: T, kernel_size: Dims, stride: Dims | None = None, padding: Dims = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
    *,
    out: Any = None,
) -> T:  # fmt: skip
    """Return the average of each window over volumes.

    Args:
        input: (N, C, D, H, W) or (C, D, H, W), float32, float64 or int64.
        kernel_size, stride, padding: one number for all dimensions, or 3: of a window, between windows (None:
            kernel_size), of zeros on both sides.
        ceil_mode: the last window may reach beyond the end.
        count_include_pad: the zeros count.
        divisor_override: by what sums are divided, instead of the numbers of a window.
    Returns: (N, C, windows along depth, height and width) or without N.
    Raises: RuntimeError: when settings are out of range or do not fit. NotImplementedError: for other dtypes.
    Source: torch.nn.functional.avg_pool3d.
    """
    return pooling.average(
        "avg_pool3d", 3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


def _power_average(input: Any, p: Any, count: Any, largest: Any, average: Any) -> Any:
    """Return (sum of x^p)^(1/p) of each window; count: the numbers of a window."""
    if isinstance(p, (int, float)):
        if p == math.inf:
            return largest(abs(input))
        if p == -math.inf:
            return neg(largest(neg(abs(input))))
    y = average(pow(input, p))
    if isinstance(p, (int, float)) and p == 0:
        raise ZeroDivisionError("float division by zero")
    return pow(mul(mul(sign(y), relu(abs(y))), count), 1.0 / p)


def _each(value: Any, dims: int) -> Any:
    """Return a setting for each dimension; a sequence must have `dims` numbers."""
    if not isinstance(value, (tuple, list)):
        return (value,) * dims
    if len(value) > dims:
        raise ValueError(f"too many values to unpack (expected {dims})")
    if len(value) < dims:
        raise ValueError(f"not enough values to unpack (expected {dims}, got {len(value)})")
    return value


@public_function
def lp_pool1d(
    input: T, norm_type: int | float, kernel_size: int, stride: Dims | None = None, ceil_mode: bool = False
) -> T:
    """Return (sum of x^p)^(1/p) of each window over signals.

    Args:
        input: (N, C, L) or (C, L).
        norm_type: p; inf for the largest absolute value.
        kernel_size, stride, ceil_mode: as of max_pool1d.
    Source: torch.nn.functional.lp_pool1d.
    """
    count = kernel_size
    return _power_average(
        input, norm_type, count,
        lambda x: max_pool1d(x, kernel_size, stride, 0, 1, ceil_mode),
        lambda x: avg_pool1d(x, kernel_size, stride, 0, ceil_mode),
    )  # fmt: skip


@public_function
def lp_pool2d(
    input: T, norm_type: int | float, kernel_size: Dims, stride: Dims | None = None, ceil_mode: bool = False
) -> T:
    """Return (sum of x^p)^(1/p) of each window over images.

    Args:
        input: (N, C, H, W) or (C, H, W).
        norm_type: p; inf for the largest absolute value.
        kernel_size, stride, ceil_mode: as of max_pool2d.
    Source: torch.nn.functional.lp_pool2d.
    """
    count = math.prod(_each(kernel_size, 2))
    return _power_average(
        input, norm_type, count,
        lambda x: max_pool2d(x, kernel_size, stride, 0, 1, ceil_mode),
        lambda x: avg_pool2d(x, kernel_size, stride, 0, ceil_mode),
    )  # fmt: skip


@public_function
def lp_pool3d(
    input: T, norm_type: int | float, kernel_size: Dims, stride: Dims | None = None, ceil_mode: bool = False
) -> T:
    """Return (sum of x^p)^(1/p) of each window over volumes.

    Args:
        input: (N, C, D, H, W) or (C, D, H, W).
        norm_type: p; inf for the largest absolute value.
        kernel_size, stride, ceil_mode: as of max_pool3d.
    Source: torch.nn.functional.lp_pool3d.
    """
    count = math.prod(_each(kernel_size, 3))
    return _power_average(
        input, norm_type, count,
        lambda x: max_pool3d(x, kernel_size, stride, 0, 1, ceil_mode),
        lambda x: avg_pool3d(x, kernel_size, stride, 0, ceil_mode),
    )  # fmt: skip


# ----- Windows that cover the input -----


def _refuse_no_sequence(value: Any) -> None:
    if not hasattr(value, "__len__"):
        raise TypeError(f"object of type '{type(value).__name__}' has no len()")


def _completed(input: Any, output_size: Any) -> Any:
    """Return sizes, where None stands for the input's."""
    if isinstance(output_size, int):
        return output_size
    _refuse_no_sequence(output_size)
    shape = checked_array("adaptive_pool", input).shape
    if len(shape) <= len(output_size):
        raise ValueError(f"Input dimension should be at least {len(output_size) + 1}")
    own = shape[len(shape) - len(output_size) :]
    return [n if given is None else given for given, n in zip(output_size, own, strict=True)]


@public_function
def adaptive_avg_pool2d(input: T, output_size: Any) -> T:
    """Return the averages of windows that cover images, as equal as can be; see adaptive_avg_pool1d.

    Args:
        input: (N, C, H, W) or (C, H, W), floating.
        output_size: the number of windows along each dimension: one for all, or 2; None: as many as numbers.
    Returns: (N, C, windows along height and width) or without N.
    Raises: RuntimeError: for another rank, or no numbers. NotImplementedError: for other dtypes.
    Source: torch.nn.functional.adaptive_avg_pool2d.
    """
    return pooling.adaptive_average(2, input, _completed(input, output_size))


@public_function
def adaptive_avg_pool3d(input: T, output_size: Any) -> T:
    """Return the averages of windows that cover volumes, as equal as can be; see adaptive_avg_pool1d.

    Args:
        input: (N, C, D, H, W) or (C, D, H, W), floating.
        output_size: the number of windows along each dimension: one for all, or 3; None: as many as numbers.
    Returns: (N, C, windows along depth, height and width) or without N.
    Raises: RuntimeError: for another rank, or no numbers. NotImplementedError: for other dtypes.
    Source: torch.nn.functional.adaptive_avg_pool3d.
    """
    return pooling.adaptive_average(3, input, _completed(input, output_size))


@public_function
def adaptive_max_pool1d_with_indices(input: T, output_size: Dims, return_indices: bool = False) -> tuple[T, T]:
    """Return the largest numbers of windows that cover signals, and their places.

    Args: as of adaptive_max_pool1d; return_indices has no effect.
    Source: torch.nn.functional.adaptive_max_pool1d_with_indices.
    """
    return pooling.adaptive_max_pool1d(input, output_size)


@public_function
def adaptive_max_pool1d(input: T, output_size: Dims, return_indices: bool = False) -> Any:
    """Return the largest numbers of windows that cover signals, as equal as can be.

    Args:
        input: (N, C, L) or (C, L), floating.
        output_size: the number of windows.
        return_indices: return (values, places), as max_pool1d.
    Returns: (N, C, windows) or without N.
    Raises: RuntimeError: for another rank, or no numbers. NotImplementedError: for other dtypes.
    Source: torch.nn.functional.adaptive_max_pool1d.
    """
    values, places = pooling.adaptive_max_pool1d(input, output_size)
    return (values, places) if return_indices else values


@public_function
def adaptive_max_pool2d_with_indices(input: T, output_size: Any, return_indices: bool = False) -> tuple[T, T]:
    """Return the largest numbers of windows that cover images, and their places.

    Args: as of adaptive_max_pool2d; return_indices has no effect.
    Source: torch.nn.functional.adaptive_max_pool2d_with_indices.
    """
    return pooling.adaptive_largest(2, input, _completed(input, output_size))


@public_function
def adaptive_max_pool2d(input: T, output_size: Any, return_indices: bool = False) -> Any:
    """Return the largest numbers of windows that cover images, as equal as can be.

    Args:
        input: (N, C, H, W) or (C, H, W), floating.
        output_size: the number of windows along each dimension: one for all, or 2; None: as many as numbers.
        return_indices: return (values, places), as max_pool2d.
    Returns: (N, C, windows along height and width) or without N.
    Raises: RuntimeError: for another rank, or no numbers. NotImplementedError: for other dtypes.
    Source: torch.nn.functional.adaptive_max_pool2d.
    """
    values, places = pooling.adaptive_largest(2, input, _completed(input, output_size))
    return (values, places) if return_indices else values


@public_function
def adaptive_max_pool3d_with_indices(input: T, output_size: Any, return_indices: bool = False) -> tuple[T, T]:
    """Return the largest numbers of windows that cover volumes, and their places.

    Args: as of adaptive_max_pool3d; return_indices has no effect.
    Source: torch.nn.functional.adaptive_max_pool3d_with_indices.
    """
    return pooling.adaptive_largest(3, input, _completed(input, output_size))


@public_function
def adaptive_max_pool3d(input: T, output_size: Any, return_indices: bool = False) -> Any:
    """Return the largest numbers of windows that cover volumes, as equal as can be.

    Args:
        input: (N, C, D, H, W) or (C, D, H, W), floating.
        output_size: the number of windows along each dimension: one for all, or 3; None: as many as numbers.
        return_indices: return (values, places), as max_pool3d.
    Returns: (N, C, windows along depth, height and width) or without N.
    Raises: RuntimeError: for another rank, or no numbers. NotImplementedError: for other dtypes.
    Source: torch.nn.functional.adaptive_max_pool3d.
    """
    values, places = pooling.adaptive_largest(3, input, _completed(input, output_size))
    return (values, places) if return_indices else values


# ----- Windows at pseudo-random distances -----


def _fractional(dims: int, input: Any, kernel_size: Any, output_size: Any, output_ratio: Any, samples: Any) -> Any:
    name = f"fractional_max_pool{dims}d"
    x = checked_array(name, input)
    if output_size is None and output_ratio is None:
        raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
    if output_size is None:
        if dims == 2:
            _refuse_no_sequence(output_ratio)
            if len(output_ratio) > 2:
                raise ValueError(f"{name} requires output_ratio to either be a single Int or tuple of Ints.")
        ratios = tuple(output_ratio) if isinstance(output_ratio, (tuple, list)) else (output_ratio,) * dims
        output_size = [int(x.shape[canonical_dim(i - dims, x.ndim)] * ratios[i]) for i in range(dims)]
    kernel, out = (
        (value,) * dims if type(value) is int else tuple([operator.index(n) for n in value])
        for value in (kernel_size, output_size)
    )
    if not x.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    images = 1 if x.ndim == dims + 1 else x.shape[0]
    if samples is None:
        channels = x.shape[canonical_dim(-dims - 1, x.ndim)]
        samples = random.uniform_(empty_beside(x, (images, channels, dims)))
    _check_fractional(name if dims == 2 else f"{name}_out", name, x, kernel, out, checked_array(name, samples))
    if x.ndim == dims + 1:
        samples = samples[0]
    elif len(samples) > images:
        samples = samples[:images]
    return apply(ops.FRACTIONAL[dims], (input, samples), {"kernel": kernel, "out": out})


def _check_fractional(template: str, name: str, x: Array, kernel: Ints, out: Ints, samples: Array) -> None:
    dims = 2 if "2d" in name else 3
    count = "" if dims == 2 else "three "
    for argument, sizes in (("kernel_size", kernel), ("output_size", out)):
        if len(sizes) != dims:
            raise RuntimeError(f"{name}: {argument} must either be a single Int or tuple of {count}Ints")
    if x.ndim not in (dims + 1, dims + 2):
        raise RuntimeError(f"{template}(): Expected {dims + 1}D or {dims + 2}D tensor, but got: {list(x.shape)}")
    for i in range(1, x.ndim):
        if not x.shape[i]:
            raise RuntimeError(
                f"{template}(): Expected input to have non-zero size for non-batch dimensions, but got"
                f"{list(x.shape)} with dimension {i} being empty."
            )
    order = {"height": -2, "width": -1} if dims == 2 else {"time": -3, "width": -1, "height": -2}
    for word, dim in order.items():
        n, k = x.shape[dim], kernel[dim]
        if out[dim] + k - 1 > n - (dims == 3):  # in PyTorch's volumes at least one number is left over
            raise RuntimeError(f"{template}(): pool {word} {k} too large relative to input {word} {n}")
    images, channels = x.shape[0] if x.ndim == dims + 2 else 1, x.shape[-dims - 1]
    if samples.dtype != x.dtype:
        raise RuntimeError("Expect _random_samples to have the same dtype as input")
    if samples.ndim != 3:
        raise RuntimeError(f"Expect _random_samples to have 3 dimensions, got {samples.ndim}")
    if samples.shape[0] < images:
        raise RuntimeError("Expect _random_samples.size(0) no less then input batch size.")
    if samples.shape[1] != channels:
        raise RuntimeError("Expect _random_samples.size(1) equals to input channel size.")
    if samples.shape[2] != dims:
        raise RuntimeError(f"Expect _random_samples.size(2) equals to {dims}; got {samples.shape[2]}.")
    pooling.refuse_negative((*x.shape[: x.ndim - dims], *out))
    if x.dtype.kind != "f":
        raise NotImplementedError(f"\"{name}_out_frame\" not implemented for '{scalar_name(x)}'")


@public_function
def fractional_max_pool2d_with_indices(
    input: T, kernel_size: Dims, output_size: Dims | None = None, output_ratio: Any = None,
    return_indices: bool = False, _random_samples: T | None = None,
) -> tuple[T, T]:  # fmt: skip
    """Return the largest numbers of windows at pseudo-random distances over images, and their places.

    Args: as of fractional_max_pool2d; return_indices has no effect.
    Source: torch.nn.functional.fractional_max_pool2d_with_indices.
    """
    return _fractional(2, input, kernel_size, output_size, output_ratio, _random_samples)


@public_function
def fractional_max_pool2d(
    input: T, kernel_size: Dims, output_size: Dims | None = None, output_ratio: Any = None,
    return_indices: bool = False, _random_samples: T | None = None,
) -> Any:  # fmt: skip
    """Return the largest numbers of windows at pseudo-random distances over images.

    Args:
        input: (N, C, H, W) or (C, H, W), floating.
        kernel_size: numbers in a window: one for all dimensions, or 2.
        output_size: the number of windows along each dimension: one for all, or 2.
        output_ratio: 2 numbers in (0, 1), times the input's sizes: instead of output_size.
        return_indices: return (values, places), as max_pool2d.
        _random_samples: (N, C, 2), in [0, 1), of the dtype of input: where the windows of each image begin; None:
            PyTorch's draws for the same seed.
    Returns: (N, C, windows along height and width) or without N.
    Raises: RuntimeError, ValueError: when settings do not fit. NotImplementedError: for other dtypes.
    Source: Graham, Fractional Max-Pooling, 2014; torch.nn.functional.fractional_max_pool2d.
    """
    values, places = _fractional(2, input, kernel_size, output_size, output_ratio, _random_samples)
    return (values, places) if return_indices else values


@public_function
def fractional_max_pool3d_with_indices(
    input: T, kernel_size: Dims, output_size: Dims | None = None, output_ratio: Any = None,
    return_indices: bool = False, _random_samples: T | None = None,
) -> tuple[T, T]:  # fmt: skip
    """Return the largest numbers of windows at pseudo-random distances over volumes, and their places.

    Args: as of fractional_max_pool3d; return_indices has no effect.
    Source: torch.nn.functional.fractional_max_pool3d_with_indices.
    """
    return _fractional(3, input, kernel_size, output_size, output_ratio, _random_samples)


@public_function
def fractional_max_pool3d(
    input: T, kernel_size: Dims, output_size: Dims | None = None, output_ratio: Any = None,
    return_indices: bool = False, _random_samples: T | None = None,
) -> Any:  # fmt: skip
    """Return the largest numbers of windows at pseudo-random distances over volumes.

    Args:
        input: (N, C, D, H, W) or (C, D, H, W), floating.
        kernel_size: numbers in a window: one for all dimensions, or 3.
        output_size: the number of windows along each dimension: one for all, or 3.
        output_ratio: 3 numbers in (0, 1), times the input's sizes: instead of output_size.
        return_indices: return (values, places), as max_pool3d.
        _random_samples: (N, C, 3), in [0, 1), of the dtype of input: where the windows of each image begin; None:
            PyTorch's draws for the same seed.
    Returns: (N, C, windows along depth, height and width) or without N.
    Raises: RuntimeError, ValueError: when settings do not fit. NotImplementedError: for other dtypes.
    Source: Graham, Fractional Max-Pooling, 2014; torch.nn.functional.fractional_max_pool3d.
    """
    values, places = _fractional(3, input, kernel_size, output_size, output_ratio, _random_samples)
    return (values, places) if return_indices else values


# ----- Largest numbers put back -----


def _tuple(value: Any, dims: int) -> Ints:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * dims


def _unpooled_size(shape: Ints, kernel: Ints, stride: Ints, padding: Ints, output_size: Any) -> Any:
    """Return the sizes of the images that were pooled: the given ones if they are possible."""
    dims = len(kernel)
    natural = [(shape[i - dims] - 1) * stride[i] + kernel[i] - 2 * padding[i] for i in range(dims)]
    if output_size is not None:
        _refuse_no_sequence(output_size)
        if len(output_size) == dims + 2:
            output_size = output_size[2:]
        if len(output_size) != dims:
            raise ValueError(
                f"output_size should be a sequence containing {dims} or {dims + 2} elements, but it has a length of "
                f"'{len(output_size)}'"
            )
        for i in range(dims):
            low, high = natural[i] - stride[i], natural[i] + stride[i]
            if not low < output_size[i] < high:
                raise ValueError(f'invalid output_size "{output_size}" (dim {i} must be between {low} and {high})')
        natural = list(output_size)
    for i, n in enumerate(natural):
        if n < 0:
            raise ValueError(
                f"max_unpooling: output_size must contain non-negative spatial dimensions, but got output_size[{i}]={n}"
            )
    return natural


def _unpooled(
    dims: int, input: Any, indices: Any, kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> Any:
    name = f"max_unpool{dims}d"
    x = checked_array(name, input)
    kernel = _tuple(kernel_size, dims)
    steps = kernel if stride is None else _tuple(stride, dims)
    if len(kernel) > dims or len(steps) < len(kernel) or x.ndim < dims:
        raise IndexError("tuple index out of range")
    size = _unpooled_size(x.shape, kernel, steps, _tuple(padding, dims), output_size)
    if dims == 1:
        y = _put(2, unsqueeze(input, -1), unsqueeze(indices, -1), (*size, 1), steps)
        return squeeze(y, -1)
    return _put(dims, input, indices, size, steps)


def _checked_sizes(name: str, sizes: Any) -> Ints:
    for i, n in enumerate(sizes):
        if not isinstance(n, (int, np.integer)):
            raise TypeError(
                f"{name}(): argument 'output_size' (position 3) must be tuple of ints, but found element of type "
                f"{type(n).__name__} at pos {i}"
            )
    return tuple([int(n) for n in sizes])


def _put(dims: int, input: Any, indices: Any, size: Any, stride: Ints) -> Any:
    x, at = checked_array(f"max_unpool{dims}d", input), checked_array(f"max_unpool{dims}d", indices, "indices", 2)
    size = _checked_sizes(f"max_unpool{dims}d", size)
    if at.dtype != np.int64:
        given = f" but got: {scalar_name(at)}" if dims == 2 else ""
        raise RuntimeError(f"elements in indices should be type int64{given}")
    if x.ndim not in (dims + 1, dims + 2):
        raise RuntimeError(
            f"Input to max_unpooling{dims}d should be a {dims + 1}d or {dims + 2}d Tensor, but got a tensor with "
            f"{x.ndim} dimensions."
        )
    if x.shape != at.shape:
        raise RuntimeError(
            f"Expected shape of indices to be same as that of the input tensor ({list(x.shape)}) but got indices "
            f"tensor with shape: {list(at.shape)}"
        )
    if dims == 3 and min(stride) <= 0:
        raise RuntimeError(f"strides should be greater than zero, but got stride: {list(stride)}")
    for i in range(1, x.ndim):
        if not x.shape[i]:
            raise RuntimeError(
                f"max_unpooling{dims}d_forward_out_cpu(): Expected input to have non-zero size for non-batch "
                f"dimensions, but got {list(x.shape)} with dimension {i} being empty."
            )
    if x.dtype.kind != "f":
        raise NotImplementedError(f"\"max_unpool{dims}d\" not implemented for '{scalar_name(x)}'")
    pixels = math.prod(size)
    if at.size and pixels:
        bad = (at < 0) | (at >= pixels)
        if bad.any():
            volumes = "x".join(map(str, size))
            raise RuntimeError(f"Found an invalid max index: {int(at[bad][0])} (output volumes are of size {volumes})")
    return apply(ops.UNPOOLING[dims], (input, indices), {"size": size})


@public_function
def max_unpool1d(
    input: T, indices: T, kernel_size: Dims, stride: Dims | None = None, padding: Dims = 0, output_size: Any = None
) -> T:
    """Return signals of zeros with numbers at their places: max_pool1d undone.

    Args:
        input: (N, C, L) or (C, L), floating: the values of max_pool1d.
        indices: of the same shape, int64: the places. Of several numbers at one place the last one stays.
        kernel_size, stride, padding: those of max_pool1d.
        output_size: the sizes of the result, with or without N and C; None: the smallest that were possible.
    Raises: ValueError: for an output_size that does not fit. RuntimeError: for places outside, and other shapes.
    Source: torch.nn.functional.max_unpool1d.
    """
    return _unpooled(1, input, indices, kernel_size, stride, padding, output_size)


@public_function
def max_unpool2d(
    input: T, indices: T, kernel_size: Dims, stride: Dims | None = None, padding: Dims = 0, output_size: Any = None
) -> T:
    """Return images of zeros with numbers at their places: max_pool2d undone.

    Args:
        input: (N, C, H, W) or (C, H, W), floating: the values of max_pool2d.
        indices: of the same shape, int64: the places. Of several numbers at one place the last one stays.
        kernel_size, stride, padding: those of max_pool2d.
        output_size: the sizes of the result, with or without N and C; None: the smallest that were possible.
    Raises: ValueError: for an output_size that does not fit. RuntimeError: for places outside, and other shapes.
    Source: torch.nn.functional.max_unpool2d.
    """
    return _unpooled(2, input, indices, kernel_size, stride, padding, output_size)


@public_function
def max_unpool3d(
    input: T, indices: T, kernel_size: Dims, stride: Dims | None = None, padding: Dims = 0, output_size: Any = None
) -> T:
    """Return volumes of zeros with numbers at their places: max_pool3d undone.

    Args:
        input: (N, C, D, H, W) or (C, D, H, W), floating: the values of max_pool3d.
        indices: of the same shape, int64: the places. Of several numbers at one place the last one stays.
        kernel_size, stride, padding: those of max_pool3d.
        output_size: the sizes of the result, with or without N and C; None: the smallest that were possible.
    Raises: ValueError: for an output_size that does not fit. RuntimeError: for places outside, and other shapes.
    Source: torch.nn.functional.max_unpool3d.
    """
    return _unpooled(3, input, indices, kernel_size, stride, padding, output_size)
