"""Normalisation of channels: over a batch, in each image, in groups, and by the channels beside."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg._words import scalar_name, size_text
from npg.functional import batchnorm as functional
from npg.functional._arguments import checked_array
from npg.functional._public import public_function
from npg.functional._types import T
from npg.functional.division import div
from npg.functional.elementwise import mul
from npg.functional.nn.padding import pad
from npg.functional.split import narrow


def _check_several(shape: tuple[int, ...], size: str) -> None:
    """Raise ValueError when there is one value for each channel."""
    if shape[0] * math.prod(shape[2:]) == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {size}")


@public_function
def batch_norm(
    input: T,
    running_mean: T | None,
    running_var: T | None,
    weight: T | None = None,
    bias: T | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> T:
    """Return (input - mean) / sqrt(var + eps) * weight + bias for each channel.

    Args:
        input: (N, C, ...), floating; in training with more than one number for each channel.
        running_mean, running_var: (C,), or None. In training they move towards the mean and the unbiased variance of
            this batch; else they are the statistics.
        weight, bias: (C,), or None.
        training: take the mean and the variance (divided by the count) of this batch.
        momentum: how far the running statistics move, 0 to 1.
        eps: added to the variance.
    Raises: ValueError: for one number for each channel in training, or an eps that is not positive. RuntimeError: when
        shapes or dtypes do not fit. Nothing is changed then.
    Source: Ioffe, Szegedy, Batch Normalization, 2015; torch.nn.functional.batch_norm.
    """
    shape = checked_array("batch_norm", input).shape
    if training and shape:
        _check_several(shape, size_text(shape))
    if training and eps <= 0.0:
        raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    if eps < 0.0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    return functional.batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, True)


@public_function
def instance_norm(
    input: T,
    running_mean: T | None = None,
    running_var: T | None = None,
    weight: T | None = None,
    bias: T | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> T:
    """Return (input - mean) / sqrt(var + eps) * weight + bias for each channel of each image.

    Args:
        input: (N, C, ...), floating; with more than one number in a channel of an image.
        running_mean, running_var: (C,), or None; they move towards the averages over the images.
        use_input_stats: take the statistics of each channel of each image, not the running ones.
        weight, bias, momentum, eps: as in batch_norm.
    Raises: ValueError: for one number in a channel. RuntimeError: when shapes or dtypes do not fit.
    Source: Ulyanov, Vedaldi, Lempitsky, Instance Normalization, 2016; torch.nn.functional.instance_norm.
    """
    shape = checked_array("instance_norm", input).shape
    if use_input_stats and math.prod(shape[2:]) == 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size {size_text(shape)}")
    return functional.instance_norm(
        input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, True
    )


@public_function
def group_norm(input: T, num_groups: int, weight: T | None = None, bias: T | None = None, eps: float = 1e-5) -> T:
    """Return (input - mean) / sqrt(var + eps) * weight + bias, moments of each group of channels of an image.

    Args:
        input: (N, C, ...), floating; with more than one number in all groups.
        num_groups: into how many groups the channels are divided.
        weight, bias: (C,), or None.
        eps: added to the variance, which has no correction.
    Raises: ValueError: for one number in a batch. RuntimeError: when shapes or dtypes do not fit.
    Source: Wu, He, Group Normalization, 2018; torch.nn.functional.group_norm.
    """
    shape = checked_array("group_norm", input).shape
    if len(shape) < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {len(shape)}")
    if num_groups:  # torch.group_norm refuses 0
        sizes = [shape[0] * shape[1] // num_groups, num_groups, *shape[2:]]
        _check_several(tuple(sizes), str(sizes))
    return functional.group_norm(input, num_groups, weight, bias, eps)


@public_function
def local_response_norm(input: T, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> T:
    """Return input / (k + alpha mean(input^2))^beta, the mean over `size` channels around each one.

    Args:
        input: (N, C, ...) of three or more dimensions.
        size: the number of channels, with zeros beyond the first and the last one.
        alpha, beta, k: numbers.
    Raises: ValueError: for fewer dimensions. RuntimeError: for a size below 1.
    Source: Krizhevsky, Sutskever, Hinton, ImageNet Classification with Deep Convolutional Neural Networks, 2012;
        torch.nn.functional.local_response_norm.
    """
    x = checked_array("local_response_norm", input)
    if x.ndim < 3:
        blank = " " * 25
        raise ValueError(f"Expected 3D or higher dimensionality {blank}input (got {x.ndim} dimensions)")
    if not x.size:
        return input
    # PyTorch's mean is a pool over the channels.
    kernel = "avg_pool2d" if x.ndim == 3 else "avg_pool3d_out_frame"
    if x.dtype != np.int64 and (x.dtype.kind != "f" or x.dtype == np.float16 and x.ndim > 3):
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{scalar_name(x)}'")
    channels = x.shape[1]
    before, after = size // 2, (size - 1) // 2
    if size < 1:
        kernel = f"kH: {size} kW: 1" if x.ndim == 3 else f"kT: {size} kH: 1 kW: 1"
        raise RuntimeError(f"kernel size should be greater than zero, but got {kernel}")
    # Offsets of channels that are there for none are left out.
    before, after = min(before, channels - 1), min(after, channels - 1)
    squares: Any = pad(mul(input, input), (*(0, 0) * (x.ndim - 2), before, after))
    total = narrow(squares, 1, 0, channels)
    for i in range(1, before + after + 1):
        total = total + narrow(squares, 1, i, channels)
    mean = div(total, size, rounding_mode=None if x.dtype.kind == "f" else "trunc")  # as PyTorch's pool of integers
    return div(input, (mean * alpha + k) ** beta)
