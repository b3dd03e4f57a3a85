"""The activations of the torch namespace; those with `inplace`, and most others, stand in nn/activation.py.

The functions named `apply_...` serve both namespaces.
"""

from __future__ import annotations

import math
from typing import Any

from npg._errors import OUT_DTYPE_FOUND
from npg._words import scalar_name
from npg.engine import TensorBase, apply, apply_in_place, array_of
from npg.functional._factory import fill_number
from npg.functional._forms import expose
from npg.functional._in_place import check_in_place
from npg.functional._public import as_tensor_input, public_function, writes
from npg.functional._types import T
from npg.functional.generator import Generator
from npg.ops import activation as ops
from npg.ops._op import Op
from npg.ops.random import rrelu_slopes
from npg.ops.shape import reshape


def activate(op: Op, input: Any, inplace: bool = False, kernel: str | None = None, **settings: Any) -> Any:
    """Apply an activation to a floating tensor; kernel is PyTorch's name of it in the error for other dtypes."""
    x = input._array if isinstance(input, TensorBase) else as_tensor_input(op.name, input)
    if x.dtype.kind != "f":
        kind = scalar_name(x)
        raise NotImplementedError(f"\"{kernel or op.name + '_cpu'}\" not implemented for '{kind}'")
    return apply_in_place(op, (input,), settings) if inplace else apply(op, (input,), settings)


# ----- Piecewise linear -----

_relu, _relu_ = expose(ops.relu)


def apply_relu(input: Any, inplace: bool) -> Any:
    """Apply relu. Raises: RuntimeError: for bools."""
    if array_of(as_tensor_input("relu", input)).dtype == bool:
        raise RuntimeError("Boolean inputs not supported for relu")
    return _relu_(input) if inplace else _relu(input)


@public_function
def relu(input: T) -> T:
    """Return max(input, 0).

    Args:
        input: any shape, any dtype but bool.
    Raises: RuntimeError: for bools.
    Source: torch.relu.
    """
    return apply_relu(input, False)


@public_function
def relu_(input: T) -> T:
    """Apply relu in place. Source: torch.relu_."""
    return apply_relu(input, True)


def apply_rrelu(
    input: Any, lower: float, upper: float, training: bool, inplace: bool = False, generator: Any = None
) -> Any:
    """Apply rrelu.

    Raises: RuntimeError: for bounds that are not finite or in the wrong order. NotImplementedError: for other dtypes.
    """
    x = array_of(as_tensor_input("rrelu", input))
    if not lower <= upper and math.isfinite(lower) and math.isfinite(upper):
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")
    for name, bound in (("lower", lower), ("upper", upper)):
        if not math.isfinite(bound):
            raise RuntimeError(f"rrelu: {name} bound must be finite, got {bound:g}")
    run = apply_in_place if inplace else apply
    if not training:
        op = ops.rrelu_mean_in_place if inplace else ops.rrelu_mean
        return activate(op, input, inplace, "leaky_relu_cpu", negative_slope=(lower + upper) / 2)
    if x.dtype.char not in "fd":
        raise NotImplementedError(f"\"rrelu_with_noise_out_cpu\" not implemented for '{scalar_name(x)}'")
    if inplace:
        check_in_place(input)
    slopes = apply(rrelu_slopes, (input,), {"lower": lower, "upper": upper, "generator": generator})
    return run(ops.rrelu_in_place if inplace else ops.rrelu_with_noise, (input, slopes), {})


@public_function
def rrelu(
    input: T, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, generator: Generator | None = None
) -> T:
    """Return input where it is positive, else a slope times input.

    Args:
        input: floating, any shape.
        lower, upper: the slopes are drawn uniformly between them; not in training, all are their mean.
        training: draw slopes.
        generator: the stream to draw from; None: the default one.
    Raises: RuntimeError: when a bound is not finite, or lower > upper.
    Source: Xu et al., Empirical evaluation of rectified activations, 2015; torch.rrelu.
    """
    return apply_rrelu(input, lower, upper, training, False, generator)


@public_function
def rrelu_(
    input: T, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, generator: Generator | None = None
) -> T:
    """Apply rrelu in place. Source: torch.rrelu_."""
    return apply_rrelu(input, lower, upper, training, True, generator)


@public_function
def prelu(input: T, weight: T) -> T:
    """Return input where it is positive, else weight * input.

    Args:
        input: (N, C, ...), or any shape with one weight.
        weight: (C,), (1,) or 0-d, of the same dtype.
    Raises: RuntimeError: when the number of weights is not 1 or C, or the dtypes differ.
    Source: torch.prelu.
    """
    x = array_of(as_tensor_input("prelu", input))
    w = array_of(as_tensor_input("prelu", weight, "weight", 2))
    if x.dtype != w.dtype:
        kinds = [scalar_name(a) for a in (x, w)]
        raise RuntimeError(f"prelu: Type promoting not supported. Got {kinds[0]} and {kinds[1]}")
    if w.size != 1:
        if x.ndim == 0:
            raise RuntimeError("Not allow zero-dim input tensor.")
        channels = x.shape[1] if x.ndim > 1 else 1
        if channels != w.size:
            raise RuntimeError(
                f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {w.size} and channel "
                f"size = {channels}."
            )
    if w.ndim > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {w.ndim}")
    shape = (1, -1) + (1,) * (x.ndim - 2) if x.ndim > 1 else (1,) * x.ndim
    return apply(ops.prelu, (input, apply(reshape, (weight,), {"shape": shape})), {})


def apply_threshold(input: Any, threshold: float, value: float, inplace: bool) -> Any:
    """Apply threshold. Raises: NotImplementedError: for bools."""
    x = array_of(as_tensor_input("threshold", input))
    if x.dtype == bool:
        raise NotImplementedError("\"threshold_cpu\" not implemented for 'Bool'")
    settings = {"threshold": fill_number(threshold, x.dtype), "value": fill_number(value, x.dtype)}
    return apply_in_place(ops.threshold, (input,), settings) if inplace else apply(ops.threshold, (input,), settings)


@public_function
@writes(OUT_DTYPE_FOUND)
def threshold(input: T, threshold: float, value: float, *, out: Any = None) -> T:
    """Return the input where it is above threshold, else value.

    Raises: NotImplementedError: for bools.
    Source: torch.threshold.
    """
    return apply_threshold(input, threshold, value, False)


@public_function
def threshold_(input: T, threshold: float, value: float) -> T:
    """Apply threshold in place. Source: torch.threshold_."""
    return apply_threshold(input, threshold, value, True)


@public_function
@writes(OUT_DTYPE_FOUND)
def hardshrink(input: T, lambd: float = 0.5, *, out: Any = None) -> T:
    """Return the input, 0 within [-lambd, lambd].

    Raises: RuntimeError: for a lambd that does not fit in the dtype.
    Source: torch.hardshrink.
    """
    x = array_of(as_tensor_input("hardshrink", input))
    if x.dtype.kind == "f":
        fill_number(lambd, x.dtype)  # raises where it does not fit; float16 is computed in float32
    return activate(ops.hardshrink, input, lambd=lambd)


# ----- Exponential below, linear above -----


_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def apply_selu(input: Any, inplace: bool) -> Any:
    """Apply selu."""
    op = ops.elu_in_place if inplace else ops.elu
    return activate(op, input, inplace, alpha=_SELU_ALPHA, scale=_SELU_SCALE, input_scale=1.0)


@public_function
def selu(input: T) -> T:
    """Return scale * elu(input, alpha), which keeps means and variances near 0 and 1.

    Source: torch.selu; Klambauer et al. 2017, Self-Normalizing Neural Networks, for alpha and scale.
    """
    return apply_selu(input, False)


@public_function
def selu_(input: T) -> T:
    """Apply selu in place. Source: torch.selu_."""
    return apply_selu(input, True)


def apply_celu(input: Any, alpha: float, inplace: bool) -> Any:
    """Apply celu. Raises: RuntimeError: when alpha is 0."""
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    op = ops.celu_in_place if inplace and alpha >= 0 else ops.celu
    return activate(op, input, inplace, "elu_cpu", alpha=alpha, scale=1.0, input_scale=1.0 / alpha)


@public_function
def celu(input: T, alpha: float = 1.0) -> T:
    """Return max(0, input) + min(0, alpha * (exp(input / alpha) - 1)).

    Raises: RuntimeError: when alpha is 0.
    Source: torch.celu.
    """
    return apply_celu(input, alpha, False)


@public_function
def celu_(input: T, alpha: float = 1.0) -> T:
    """Apply celu in place. Source: torch.celu_."""
    return apply_celu(input, alpha, True)
