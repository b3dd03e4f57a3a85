"""Normalisation over the last dimensions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from npg import dtypes
from npg._errors import warn_once
from npg._words import c_name, scalar_name, shape_text
from npg.engine import TensorBase, apply
from npg.functional._arguments import checked_array
from npg.functional._public import apply_floating, public_function, to_dtype
from npg.functional._types import Sizes, T
from npg.functional.elementwise import mul
from npg.ops import normalization as norm_ops

_PLAIN = (np.dtype(np.float32), np.dtype(np.float64))


def _check_normalized(x: Any, shape: Any, name: str, star: str, weight: Any, bias: Any = None) -> tuple[int, ...]:
    """Return normalized_shape as a tuple. Raises: RuntimeError, TypeError: when it or a parameter does not fit."""
    if not isinstance(shape, (tuple, list)):
        kind = type(shape).__name__
        raise TypeError(f"{name}(): argument 'normalized_shape' (position 2) must be tuple of ints, not {kind}")
    shape = tuple(shape)
    if not shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            "normalized_shape = []"
        )
    if name == "rms_norm" and x.ndim < len(shape):
        raise ValueError(f"Input tensor must have at least {len(shape)} dimensions, but got {x.ndim}")
    for which, array in (("weight", weight), ("bias", bias)):
        if array is not None and array.shape != shape:
            raise RuntimeError(
                f"Expected {which} to be of same shape as normalized_shape, but got {which} of shape "
                f"{shape_text(array.shape)} and normalized_shape = {shape_text(shape)}"
            )
    if x.shape[-len(shape) :] != shape:
        sizes = ", ".join(str(n) for n in shape)
        raise RuntimeError(
            f"Given normalized_shape={shape_text(shape)}, expected input with shape [*{star}{sizes}], but got "
            f"input of size{shape_text(x.shape)}"
        )
    return shape


def refuse_mixed_dtypes(x: Any, parameters: Iterable[Any]) -> None:
    """Raise RuntimeError when dtypes do not fit: all are alike, or parameters are float32 beside a float16 input."""
    first, *others = (p.dtype for p in (*parameters, x))
    if first == x.dtype:
        for dtype in others:
            if dtype != first:
                raise RuntimeError(f"expected scalar type {scalar_name(first)} but found {scalar_name(dtype)}")
        return
    if any(dtype != np.float32 for dtype in (first, *others[:-1])):
        raise RuntimeError("mixed dtype (CPU): expect parameter to have scalar type of Float")
    if x.dtype != np.float16:
        raise RuntimeError("mixed dtype (CPU): all inputs must share same datatype.")


def refuse_integers(kernel: str, x: Any) -> None:
    """Raise NotImplementedError when x is not floating; kernel: PyTorch's name in the message."""
    if x.dtype.kind != "f":
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{scalar_name(x)}'")


def plain_layer_norm(input: Any, normalized_shape: Any, weight: Any, bias: Any, eps: float) -> Any:
    """Apply layer_norm to arrays of one floating dtype that fit, or return None: see layer_norm.

    Nearly every call: a closer look takes as long as the rest.
    """
    if isinstance(input, TensorBase) and isinstance(weight, TensorBase):
        if type(normalized_shape) is tuple and normalized_shape and type(eps) is float:
            x, w = input._array, weight._array
            b = bias._array if isinstance(bias, TensorBase) else w if bias is None else None
            if type(x) is type(w) is type(b) is np.ndarray and x.dtype is w.dtype is b.dtype in _PLAIN:
                dims = len(normalized_shape)
                if x.shape[-dims:] == w.shape == b.shape == normalized_shape:
                    return apply(norm_ops.layer_norm, (input, weight, bias), {"dims": dims, "eps": eps})
    return None


@public_function
def layer_norm(
    input: T,
    normalized_shape: Sizes,
    weight: T | None = None,
    bias: T | None = None,
    eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> T:
    """Return (input - mean) / sqrt(var + eps) * weight + bias, mean and variance over the last dimensions.

    Args:
        cudnn_enable: ignored. The others: as in torch.nn.functional.layer_norm.
    Source: torch.layer_norm.
    """
    y = plain_layer_norm(input, normalized_shape, weight, bias, eps)
    if y is not None:
        return y
    x = checked_array("layer_norm", input)
    w = None if weight is None else checked_array("layer_norm", weight, "weight", 3)
    b = None if bias is None else checked_array("layer_norm", bias, "bias", 4)
    shape = _check_normalized(x, normalized_shape, "layer_norm", ", ", w, b)
    refuse_mixed_dtypes(x, [p for p in (w, b) if p is not None])
    settings = {"dims": len(shape), "eps": float(eps)}
    return apply_floating(norm_ops.layer_norm, (input, weight, bias), settings, "LayerNormKernelImpl")


@public_function
def rms_norm(input: T, normalized_shape: Sizes, weight: T | None = None, eps: float | None = None) -> T:
    """Return input / sqrt(mean(input^2) + eps) * weight, the mean over the last dimensions.

    Args:
        input: (..., *normalized_shape), floating.
        normalized_shape: the sizes of the last dimensions, which are normalised together.
        weight: normalized_shape, or None.
        eps: None means the eps of the dtype.
    Raises: RuntimeError: when the shapes do not fit.
    Source: Zhang, Sennrich, Root Mean Square Layer Normalization, 2019; torch.nn.functional.rms_norm.
    """
    x = checked_array("rms_norm", input)
    w = None if weight is None else checked_array("rms_norm", weight, "weight", 3)
    shape = _check_normalized(x, normalized_shape, "rms_norm", "", w)
    if eps is None:
        eps = float(np.finfo(np.float32 if x.dtype == np.float16 else x.dtype).eps) if x.dtype.kind == "f" else 0.0
    settings = {"dims": len(shape), "eps": float(eps)}
    if w is not None and w.dtype != x.dtype and x.dtype.kind == "f":
        warn_once(
            f"Mismatch dtype between input and weight: input dtype = {c_name(x)}, weight dtype = {c_name(w)}, Cannot "
            "dispatch to fused implementation."
        )
        common = dtypes.promote_types(dtypes.from_numpy(x.dtype), dtypes.from_numpy(w.dtype)).dtype
        y = mul(apply_floating(norm_ops.rms_norm, (to_dtype(input, common), None), settings, "rms_norm"), weight)
        return to_dtype(y, x.dtype)
    return apply_floating(norm_ops.rms_norm, (input, weight), settings, "rms_norm")
