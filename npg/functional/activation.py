"""Elementwise activations. Those with `inplace` write into their input when it is true."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg._errors import OUT_DTYPE_FOUND
from npg._words import scalar_name
from npg.engine import TensorBase, apply, apply_in_place, array_of
from npg.functional._arguments import canonical_dim, checked_array
from npg.functional._factory import fill_number
from npg.functional._forms import expose
from npg.functional._public import apply_floating, as_tensor_input, public_function, writes
from npg.functional._types import T
from npg.ops import activation as ops, gelu as gelu_ops
from npg.ops._op import Op
from npg.ops.shape import reshape


def _activate(op: Op, input: Any, inplace: bool = False, kernel: str | None = None, **settings: Any) -> Any:
    """Apply an activation to a floating tensor; kernel is PyTorch's name in the message that refuses another dtype."""
    x = input._array if isinstance(input, TensorBase) else as_tensor_input(op.name, input)
    if x.dtype.kind != "f":
        kind = scalar_name(x)
        raise NotImplementedError(f"\"{kernel or op.name + '_cpu'}\" not implemented for '{kind}'")
    return apply_in_place(op, (input,), settings) if inplace else apply(op, (input,), settings)


# ----- Piecewise linear -----

_relu, _relu_ = expose(ops.relu)


@public_function
def relu(input: T, inplace: bool = False) -> T:
    """Return max(input, 0).

    Args:
        input: any shape, any dtype but bool.
        inplace: write into input.
    Raises: RuntimeError: for bools.
    Source: torch.nn.functional.relu.
    """
    if array_of(as_tensor_input("relu", input)).dtype == bool:
        raise RuntimeError("Boolean inputs not supported for relu")
    return _relu_(input) if inplace else _relu(input)


@public_function
def relu_(input: T) -> T:
    """Apply relu in place. Source: torch.relu_."""
    return relu(input, True)


@public_function
def leaky_relu(input: T, negative_slope: float = 0.01, inplace: bool = False) -> T:
    """Return input where it is positive, else negative_slope * input. Source: torch.nn.functional.leaky_relu."""
    op = ops.leaky_relu_in_place if inplace and negative_slope >= 0 else ops.leaky_relu
    return _activate(op, input, inplace, negative_slope=negative_slope)


@public_function
def leaky_relu_(input: T, negative_slope: float = 0.01) -> T:
    """Apply leaky_relu in place. Source: torch.nn.functional.leaky_relu_."""
    return leaky_relu(input, negative_slope, True)


@public_function
def prelu(input: T, weight: T) -> T:
    """Return input where it is positive, else weight * input.

    Args:
        input: (N, C, ...), or any shape with one weight.
        weight: (C,), (1,) or 0-d, of the same dtype.
    Raises: RuntimeError: when the number of weights is not 1 or C, or the dtypes differ.
    Source: torch.nn.functional.prelu.
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


@public_function
def hardtanh(input: T, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> T:
    """Return the input limited to [min_val, max_val]; the gradient at the limits is 0.

    Raises: ValueError: when min_val > max_val. RuntimeError: for bools, and unsigned integers with negative limits.
    Source: torch.nn.functional.hardtanh.
    """
    x = array_of(as_tensor_input("hardtanh", input))
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    return _hardtanh(input, x, min_val, max_val, inplace)


def _hardtanh(input: Any, x: Any, low: float, high: float, inplace: bool) -> Any:
    if x.dtype == bool:
        raise RuntimeError("Bool inputs not supported for hardtanh")
    if x.dtype.kind in "iu":
        low, high = (fill_number(b, np.dtype(np.int64)).item() for b in (low, high))
        if x.dtype == np.uint8 and (low < 0 or high < 0):
            raise RuntimeError("cannot do hardtanh on an unsigned type with negative limits")
    limits = fill_number(low, x.dtype), fill_number(high, x.dtype)
    if x.dtype != np.float16:  # which is computed in float32
        low, high = limits
    settings = {"low": low, "high": high}
    return apply_in_place(ops.hardtanh, (input,), settings) if inplace else apply(ops.hardtanh, (input,), settings)


@public_function
def hardtanh_(input: T, min_val: float = -1.0, max_val: float = 1.0) -> T:
    """Apply hardtanh in place. Source: torch.nn.functional.hardtanh_."""
    return hardtanh(input, min_val, max_val, True)


@public_function
def relu6(input: T, inplace: bool = False) -> T:
    """Return the input limited to [0, 6]. Source: torch.nn.functional.relu6."""
    return _hardtanh(input, array_of(as_tensor_input("relu6", input)), 0.0, 6.0, inplace)


@public_function
@writes(OUT_DTYPE_FOUND)
def threshold(input: T, threshold: float, value: float, inplace: bool = False, *, out: Any = None) -> T:
    """Return the input where it is above threshold, else value.

    Raises: NotImplementedError: for bools.
    Source: torch.nn.functional.threshold.
    """
    x = array_of(as_tensor_input("threshold", input))
    if x.dtype == bool:
        raise NotImplementedError("\"threshold_cpu\" not implemented for 'Bool'")
    threshold, value = fill_number(threshold, x.dtype), fill_number(value, x.dtype)
    settings = {"threshold": threshold, "value": value}
    return apply_in_place(ops.threshold, (input,), settings) if inplace else apply(ops.threshold, (input,), settings)


@public_function
def threshold_(input: T, threshold: float, value: float) -> T:
    """Apply threshold in place. Source: torch.nn.functional.threshold_."""
    return _threshold(input, threshold, value, True)


_threshold = threshold


@public_function
@writes(OUT_DTYPE_FOUND)
def hardshrink(input: T, lambd: float = 0.5, *, out: Any = None) -> T:
    """Return the input, 0 within [-lambd, lambd].

    Raises: RuntimeError: for a lambd that the dtype does not hold.
    Source: torch.nn.functional.hardshrink.
    """
    x = array_of(as_tensor_input("hardshrink", input))
    if x.dtype.kind == "f":
        fill_number(lambd, x.dtype)  # raises where it does not fit; float16 is computed in float32
    return _activate(ops.hardshrink, input, lambd=lambd)


@public_function
@writes(OUT_DTYPE_FOUND)
def softshrink(input: T, lambd: float = 0.5, *, out: Any = None) -> T:
    """Return the input moved by lambd towards 0, 0 within [-lambd, lambd].

    Raises: RuntimeError: for a negative lambd, or one that the dtype does not hold.
    Source: torch.nn.functional.softshrink.
    """
    x = array_of(as_tensor_input("softshrink", input))
    largest = float(np.finfo(x.dtype).max) if x.dtype.kind == "f" else math.inf
    if not 0 <= lambd <= largest and x.dtype.kind == "f":
        kind = scalar_name(x)
        raise RuntimeError(f"lambda must be in range [0, {largest:g}] for input dtype {kind}, but found {lambd:g}")
    return _activate(ops.softshrink, input, kernel="softshrink_check", lambd=lambd)


@public_function
def hardsigmoid(input: T, inplace: bool = False) -> T:
    """Return min(max(input + 3, 0), 6) / 6. Source: torch.nn.functional.hardsigmoid."""
    return _activate(ops.hardsigmoid, input, inplace)


@public_function
def hardswish(input: T, inplace: bool = False) -> T:
    """Return input * min(max(input + 3, 0), 6) / 6. Source: torch.nn.functional.hardswish."""
    return _activate(ops.hardswish, input, inplace)


# ----- Exponential below, linear above -----


@public_function
def elu(input: T, alpha: float = 1.0, inplace: bool = False) -> T:
    """Return input where it is positive, else alpha * (exp(input) - 1). Source: torch.nn.functional.elu."""
    op = ops.elu_in_place if inplace and alpha >= 0 else ops.elu
    return _activate(op, input, inplace, alpha=alpha, scale=1.0, input_scale=1.0)


@public_function
def elu_(input: T, alpha: float = 1.0) -> T:
    """Apply elu in place. Source: torch.nn.functional.elu_."""
    return elu(input, alpha, True)


_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


@public_function
def selu(input: T, inplace: bool = False) -> T:
    """Return scale * elu(input, alpha), with which means and variances stay near 0 and 1.

    Source: torch.nn.functional.selu; Klambauer et al. 2017, Self-Normalizing Neural Networks, for alpha and scale.
    """
    op = ops.elu_in_place if inplace else ops.elu
    return _activate(op, input, inplace, alpha=_SELU_ALPHA, scale=_SELU_SCALE, input_scale=1.0)


@public_function
def selu_(input: T) -> T:
    """Apply selu in place. Source: torch.nn.functional.selu_."""
    return selu(input, True)


@public_function
def celu(input: T, alpha: float = 1.0, inplace: bool = False) -> T:
    """Return max(0, input) + min(0, alpha * (exp(input / alpha) - 1)).

    Raises: RuntimeError: when alpha is 0.
    Source: torch.nn.functional.celu.
    """
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    op = ops.celu_in_place if inplace and alpha >= 0 else ops.celu
    return _activate(op, input, inplace, "elu_cpu", alpha=alpha, scale=1.0, input_scale=1.0 / alpha)


@public_function
def celu_(input: T, alpha: float = 1.0) -> T:
    """Apply celu in place. Source: torch.nn.functional.celu_."""
    return celu(input, alpha, True)


@public_function
@writes(OUT_DTYPE_FOUND)
def softplus(input: T, beta: float = 1.0, threshold: float = 20.0, *, out: Any = None) -> T:
    """Return log(1 + exp(beta * input)) / beta, the input itself where beta * input > threshold.

    Source: torch.nn.functional.softplus.
    """
    return _activate(ops.softplus, input, beta=beta, threshold=threshold)


@public_function
@writes("expected scalar type {result} but found {wanted}", looks=())
def logsigmoid(input: T, *, out: Any = None) -> T:
    """Return log(sigmoid(input)). Source: torch.nn.functional.logsigmoid."""
    return _activate(ops.logsigmoid, input, kernel="log_sigmoid_cpu")


# ----- With a gate -----


@public_function
def silu(input: T, inplace: bool = False) -> T:
    """Return input * sigmoid(input). Source: torch.nn.functional.silu."""
    return _activate(ops.silu, input, inplace)


@public_function
def mish(input: T, inplace: bool = False) -> T:
    """Return input * tanh(softplus(input)). Source: torch.nn.functional.mish."""
    return _activate(ops.mish, input, inplace)


@public_function
def glu(input: T, dim: int = -1) -> T:
    """Return the first half of the input along dim times the sigmoid of the second.

    Raises: RuntimeError: for a 0-d input, or when the size of dim is odd.
    Source: torch.nn.functional.glu.
    """
    x = array_of(as_tensor_input("glu", input))
    if x.ndim == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    dim = canonical_dim(dim, x.ndim)
    if x.shape[dim] % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim} is size {x.shape[dim]}")
    return _activate(ops.glu, input, dim=dim)


# ----- Of absolute values -----

softsign = expose(ops.softsign)
tanhshrink = expose(ops.tanhshrink)


@public_function
@writes(OUT_DTYPE_FOUND)
def gelu(input: T, approximate: str = "none", *, out: Any = None) -> T:
    """Return input * Phi(input), Phi the normal distribution function.

    Args:
        input: floating, any shape.
        approximate: "none": x (1 + erf(x / sqrt(2))) / 2; "tanh": x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.
    Raises: RuntimeError: for another approximate.
    Source: Hendrycks, Gimpel, Gaussian Error Linear Units, 2016; torch.nn.functional.gelu.
    """
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    checked_array("gelu", input)
    op = gelu_ops.gelu if approximate == "none" else gelu_ops.gelu_tanh
    return apply_floating(op, (input,), {}, "GeluKernelImpl")
