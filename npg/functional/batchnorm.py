"""Normalisation of each channel over a batch, of each image by itself, and of groups of channels."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg._errors import READ_ONLY
from npg._words import shape_text
from npg.engine import apply, apply_in_place, check_in_place, wrap
from npg.functional._arguments import checked_array, index_of
from npg.functional._public import apply_floating, public_function, refuse_gradient, to_dtype
from npg.functional._types import T
from npg.functional.copy import clone, detach
from npg.functional.normalization import refuse_integers, refuse_mixed_dtypes
from npg.functional.rearrange import repeat
from npg.functional.shape import reshape, view
from npg.ops import batchnorm as ops
from npg.ops._half import HALF, SINGLE

# What batch_norm takes beside the input, in the order of torch.batch_norm.
_NAMES = ("weight", "bias", "running_mean", "running_var")
_UNBATCHED = (
    "Batch norm got a batched tensor as input while the running_mean or running_var, which will be updated in place, "
    "were not batched.\nIf you are using a module and do not need eval mode, please set `track_running_stats` to be "
    "False.If you are using a prebuilt module and do not need eval mode, please see the functorch website for "
    "resources on how to patch your module to work with vmap"
)


# ----- Checks -----


def _arrays(name: str, parameters: tuple[Any, ...]) -> dict[str, Any]:
    """Return the arrays of the parameters that are not None, by name."""
    pairs = enumerate(zip(_NAMES, parameters, strict=False))
    return {which: checked_array(name, p, which, i + 2) for i, (which, p) in pairs if p is not None}


def _channels(x: Any) -> int:
    """Return the number of channels. Raises: IndexError: for fewer than two dimensions."""
    if x.ndim < 2:
        dim = f"(expected to be in range of [{-max(x.ndim, 1)}, {max(x.ndim, 1) - 1}], but got 1)"
        raise IndexError(f"Dimension out of range {dim}")
    return int(x.shape[1])


def _check_parameters(channels: int, arrays: dict[str, Any], training: bool) -> None:
    """Raise RuntimeError when a parameter or statistic has not one number for each channel, or is missing."""
    for which in ("running_mean", "running_var", "weight", "bias"):
        if which in arrays:
            size = arrays[which].size
            if size != channels or arrays[which].ndim != 1:
                raise RuntimeError(f"{which} should contain {channels} elements not {size}")
        elif not training and which[:7] == "running":
            raise RuntimeError(f"{which} must be defined in evaluation mode")


# ----- batch_norm -----


def _level(x: Any) -> int:
    return getattr(x, "level", 0)  # of a tensor in npg.func.vmap


def _checked(
    name: str, input: Any, parameters: tuple[Any, ...], training: bool, track: bool = True
) -> tuple[Any, dict[str, Any]]:
    """Return the arrays of a call of batch_norm that may go on.

    Args: track: whether training changes the statistics themselves.
    """
    x, arrays = checked_array(name, input), _arrays(name, parameters)
    if x.size:  # PyTorch checks nothing of nothing
        _check_parameters(_channels(x), arrays, training)
        for which, p in zip(_NAMES[2:], parameters[2:], strict=True):
            refuse_gradient("native_batch_norm", which, p)
        if training and (parameters[2] is None) != (parameters[3] is None):
            raise ValueError("running_mean and running_var must either both be None or neither be None")
        refuse_integers("batch_norm", x)
        refuse_mixed_dtypes(x, arrays.values())
        if training and track:
            _check_statistics(input, parameters[2:])
    return x, arrays


def _check_statistics(input: Any, statistics: tuple[Any, ...]) -> None:
    """Raise RuntimeError, ValueError: when statistics cannot be changed."""
    given = [p for p in statistics if p is not None]
    if any(_level(p) < _level(input) for p in given):
        raise RuntimeError(_UNBATCHED)
    for p in given:
        if not _level(p):
            t = _tensor(p)
            check_in_place(t)
            if not t._array.flags.writeable:
                raise ValueError(READ_ONLY)


def _tensor(x: Any) -> Any:
    return wrap(x) if isinstance(x, np.ndarray) else x


def _wide(x: Any) -> Any:
    return to_dtype(x, SINGLE) if getattr(x, "dtype", None) == HALF else x


def _trained(input: Any, weight: Any, bias: Any, eps: float) -> tuple[Any, Any, Any]:
    """Return the normalised input, and the mean and variance of each channel in float64."""
    if getattr(input, "dtype", None) != HALF:
        return apply(ops.batch_norm, (input, weight, bias), {"eps": eps})
    y, mean, var = apply(ops.batch_norm, (_wide(input), _wide(weight), _wide(bias)), {"eps": eps})
    return to_dtype(y, HALF), mean, var


def _track(running: Any, value: Any, momentum: float, factor: float = 1.0) -> None:
    """Move a running statistic, which may be None, towards its value in this batch."""
    if running is not None:
        apply_in_place(ops.moving_average, (_tensor(running), value), {"momentum": momentum, "factor": factor})


def _unbiased(count: int) -> float:
    """Return the factor from the mean of squared differences to the unbiased variance: 0 times it is nan for one."""
    return count / (count - 1) if count > 1 else float("inf")


def _frozen(input: Any, parameters: tuple[Any, ...], eps: float) -> Any:
    return apply_floating(ops.frozen_batch_norm, (input, *parameters), {"eps": eps}, "batch_norm")


def _of_nothing(input: Any, weight: Any, bias: Any) -> Any:
    y = clone(input)
    if weight is not None:
        y = y * weight[0]
    return y if bias is None else y + bias[0]


@public_function
def batch_norm(
    input: T,
    weight: T | None,
    bias: T | None,
    running_mean: T | None,
    running_var: T | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> T:
    """Return (input - mean) / sqrt(var + eps) * weight + bias for each channel.

    Args:
        input: (N, C, ...), floating.
        weight, bias: (C,), or None.
        running_mean, running_var: (C,), or None. In training they move towards the mean and the unbiased variance of
            this batch; else they are the statistics.
        training: take the mean and the variance (divided by the count) of this batch.
        momentum: how far the running statistics move, 0 to 1.
        eps: added to the variance.
        cudnn_enabled: ignored.
    Raises: RuntimeError: when shapes or dtypes do not fit. Nothing is changed then.
    Source: Ioffe, Szegedy, Batch Normalization, 2015; torch.batch_norm.
    """
    momentum, eps = float(momentum), float(eps)
    parameters = (weight, bias, running_mean, running_var)
    x, _ = _checked("batch_norm", input, parameters, training)
    if not x.size:
        return _of_nothing(input, weight, bias)
    if not training:
        return _frozen(input, parameters, eps)
    y, mean, var = _trained(input, weight, bias, eps)
    _track(running_mean, mean, momentum)
    _track(running_var, var, momentum, _unbiased(x.size // x.shape[1]))
    return y


@public_function
def native_batch_norm(
    input: T,
    weight: T | None,
    bias: T | None,
    running_mean: T | None,
    running_var: T | None,
    training: bool,
    momentum: float,
    eps: float,
) -> tuple[T, T, T]:
    """Return batch_norm, and in training the mean and 1 / sqrt(var + eps) of each channel, else two empty tensors.

    Args as in batch_norm.
    Source: torch.native_batch_norm.
    """
    momentum, eps = float(momentum), float(eps)
    parameters = (weight, bias, running_mean, running_var)
    x, arrays = _checked("native_batch_norm", input, parameters, training)
    if training and not x.size:
        sizes = shape_text(x.shape)
        raise RuntimeError(f"input tensor must have at least one element, but got input_sizes = {sizes}")
    dtype = next((p.dtype for p in arrays.values()), x.dtype)
    if not training:
        y: Any = _frozen(input, parameters, eps) if x.size else clone(input)
        nothing = to_dtype(detach(y).reshape(-1)[:0], dtype)
        return y, nothing, nothing.clone()
    y, mean, var = _trained(input, weight, bias, eps)
    _track(running_mean, mean, momentum)
    _track(running_var, var, momentum, _unbiased(x.size // x.shape[1]))
    mean, var = detach(mean), detach(var)
    return y, to_dtype(mean, dtype), to_dtype((var + eps).rsqrt(), dtype)


# ----- instance_norm -----


@public_function
def instance_norm(
    input: T,
    weight: T | None,
    bias: T | None,
    running_mean: T | None,
    running_var: T | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> T:
    """Return (input - mean) / sqrt(var + eps) * weight + bias for each channel of each image.

    Args:
        input: (N, C, ...), floating.
        running_mean, running_var: (C,), or None; they move towards the averages over the images.
        use_input_stats: take the statistics of each channel of each image, not the running ones.
        cudnn_enabled: ignored. The others: as in batch_norm.
    Raises: RuntimeError: when shapes or dtypes do not fit.
    Source: Ulyanov, Vedaldi, Lempitsky, Instance Normalization, 2016; torch.instance_norm.
    """
    momentum, eps = float(momentum), float(eps)
    if not use_input_stats and (running_mean is None or running_var is None):
        raise RuntimeError("Expected running_mean and running_var to be defined when use_input_stats is false")
    x = checked_array("instance_norm", input)
    arrays = _arrays("instance_norm", (weight, bias, running_mean, running_var))
    channels = _channels(x)
    images = x.shape[0]
    for which, p in arrays.items():
        if not x.size and which[:7] == "running" and p.size != channels and images:
            raise RuntimeError(f"shape '[{images}, {channels}]' is invalid for input of size {images * p.size}")
    repeated: Any = [None if p is None else repeat(p, images) for p in (weight, bias, running_mean, running_var)]
    if x.dtype.kind == "f":  # the statistics may be of any dtype here
        dtype = next((p.dtype for which, p in arrays.items() if which[:7] != "running"), x.dtype)
        repeated[2:] = [None if p is None else to_dtype(p, dtype) for p in repeated[2:]]
    rows = reshape(input, (1, images * channels, *x.shape[2:]))
    _checked("instance_norm", rows, tuple(repeated), use_input_stats, False)
    if x.dtype == HALF:  # gradients are added up over the images before they are rounded
        repeated[:2] = [None if p is None else repeat(_wide(p), images) for p in (weight, bias)]
    if not x.size:
        y: Any = _of_nothing(rows, *repeated[:2])
    elif use_input_stats:
        _check_statistics(input, (running_mean, running_var))
        y, mean, var = _trained(rows, repeated[0], repeated[1], eps)
        if running_mean is not None:
            _track(running_mean, mean.reshape(images, channels).mean(0), momentum)
        if running_var is not None:
            factor = _unbiased(x.size // (images * channels))
            _track(running_var, var.reshape(images, channels).mean(0), momentum, factor)
    else:
        y = _frozen(rows, tuple(repeated), eps)
    return view(y, x.shape)


# ----- group_norm -----


@public_function
def group_norm(
    input: T,
    num_groups: int,
    weight: T | None = None,
    bias: T | None = None,
    eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> T:
    """Return (input - mean) / sqrt(var + eps) * weight + bias, moments of each group of channels of an image.

    Args:
        input: (N, C, ...), floating.
        num_groups: into how many groups the channels are divided.
        weight, bias: (C,), or None.
        eps: added to the variance, which has no correction.
        cudnn_enabled: ignored.
    Raises: RuntimeError: when shapes or dtypes do not fit.
    Source: Wu, He, Group Normalization, 2018; torch.group_norm.
    """
    x = checked_array("group_norm", input)
    parameters = {
        which: checked_array("group_norm", p, which, i)
        for i, which, p in ((3, "weight", weight), (4, "bias", bias))
        if p is not None
    }
    channels, num_groups = _channels(x), index_of(num_groups)
    if num_groups <= 0:
        raise RuntimeError(f"Expected num groups to be greater than 0, got {num_groups}")
    if channels % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{shape_text(x.shape)} and num_groups={num_groups}"
        )
    for which, p in parameters.items():
        if p.shape != (channels,):
            raise RuntimeError(
                f"Expected {which} to be a vector of size equal to the number of channels in input, but got {which} of "
                f"shape {shape_text(p.shape)} and input of shape {shape_text(x.shape)}"
            )
    refuse_mixed_dtypes(x, parameters.values())
    settings = {"groups": num_groups, "eps": float(eps)}
    return apply_floating(ops.group_norm, (input, weight, bias), settings, "GroupNormKernelImpl")
