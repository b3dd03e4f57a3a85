"""Elementwise activations. Those with `inplace` write into their input if it is true."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg._errors import OUT_DTYPE_FOUND
from npg._words import scalar_name
from npg.engine import apply, apply_in_place, array_of
from npg.functional._arguments import canonical_dim, checked_array, index_of
from npg.functional._factory import fill_number, number
from npg.functional._forms import expose
from npg.functional._public import apply_floating, as_tensor_input, public_function, writes
from npg.functional._types import T
from npg.functional.activation import activate, apply_celu, apply_relu, apply_rrelu, apply_selu, apply_threshold
from npg.ops import activation as ops, gelu as gelu_ops

# ----- Piecewise linear -----


@public_function
def relu(input: T, inplace: bool = False) -> T:
    """Return max(input, 0).

    Args:
        input: any shape, any dtype but bool.
        inplace: write into input.
    Raises: RuntimeError: for bools.
    Source: torch.nn.functional.relu.
    """
    return apply_relu(input, inplace)


@public_function
def leaky_relu(input: T, negative_slope: float = 0.01, inplace: bool = False) -> T:
    """Return input where it is positive, else negative_slope * input. Source: torch.nn.functional.leaky_relu."""
    op = ops.leaky_relu_in_place if inplace and negative_slope >= 0 else ops.leaky_relu
    return activate(op, input, inplace, negative_slope=negative_slope)


@public_function
def leaky_relu_(input: T, negative_slope: float = 0.01) -> T:
    """Apply leaky_relu in place. Source: torch.nn.functional.leaky_relu_."""
    return leaky_relu(input, negative_slope, True)


@public_function
def rrelu(input: T, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False) -> T:
    """Return torch.rrelu(input, lower, upper, training); inplace: write into input.

    Source: torch.nn.functional.rrelu.
    """
    return apply_rrelu(input, lower, upper, training, inplace)


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
    if x.dtype != np.float16:  # float16 is computed in float32
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
def threshold(input: T, threshold: float, value: float, inplace: bool = False) -> T:
    """Return the input where it is above threshold, else value.

    Raises: NotImplementedError: for bools.
    Source: torch.nn.functional.threshold.
    """
    return apply_threshold(input, threshold, value, inplace)


@public_function
@writes(OUT_DTYPE_FOUND)
def softshrink(input: T, lambd: float = 0.5, *, out: Any = None) -> T:
    """Return the input shrunk by lambd towards 0, 0 within [-lambd, lambd].

    Raises: RuntimeError: for a lambd that is negative or does not fit in the dtype.
    Source: torch.nn.functional.softshrink.
    """
    x, lambd = array_of(as_tensor_input("softshrink", input)), number("softshrink", lambd, "lambd", 2)
    largest = float(np.finfo(x.dtype).max) if x.dtype.kind == "f" else math.inf
    if not 0 <= lambd <= largest and x.dtype.kind == "f":
        kind = scalar_name(x)
        raise RuntimeError(f"lambda must be in range [0, {largest:g}] for input dtype {kind}, but found {lambd:g}")
    return activate(ops.softshrink, input, kernel="softshrink_check", lambd=lambd)


@public_function
def hardsigmoid(input: T, inplace: bool = False) -> T:
    """Return min(max(input + 3, 0), 6) / 6. Source: torch.nn.functional.hardsigmoid."""
    return activate(ops.hardsigmoid, input, inplace)


@public_function
def hardswish(input: T, inplace: bool = False) -> T:
    """Return input * min(max(input + 3, 0), 6) / 6. Source: torch.nn.functional.hardswish."""
    return activate(ops.hardswish, input, inplace)


# ----- Exponential below, linear above -----


@public_function
def elu(input: T, alpha: float = 1.0, inplace: bool = False) -> T:
    """Return input where it is positive, else alpha * (exp(input) - 1). Source: torch.nn.functional.elu."""
    op = ops.elu_in_place if inplace and alpha >= 0 else ops.elu
    return activate(op, input, inplace, alpha=alpha, scale=1.0, input_scale=1.0)


@public_function
def elu_(input: T, alpha: float = 1.0) -> T:
    """Apply elu in place. Source: torch.nn.functional.elu_."""
    return elu(input, alpha, True)


_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


@public_function
def selu(input: T, inplace: bool = False) -> T:
    """Return torch.selu(input). Source: torch.nn.functional.selu."""
    return apply_selu(input, inplace)


@public_function
def celu(input: T, alpha: float = 1.0, inplace: bool = False) -> T:
    """Return max(0, input) + min(0, alpha * (exp(input / alpha) - 1)).

    Raises: RuntimeError: when alpha is 0.
    Source: torch.nn.functional.celu.
    """
    return apply_celu(input, alpha, inplace)


@public_function
@writes(OUT_DTYPE_FOUND)
def softplus(input: T, beta: float = 1.0, threshold: float = 20.0, *, out: Any = None) -> T:
    """Return log(1 + exp(beta * input)) / beta, or the input where beta * input > threshold.

    Source: torch.nn.functional.softplus.
    """
    beta, threshold = number("softplus", beta, "beta", 2), number("softplus", threshold, "threshold", 3)
    return activate(ops.softplus, input, beta=beta, threshold=threshold)


@public_function
@writes("expected scalar type {result} but found {wanted}", looks=())
def logsigmoid(input: T, *, out: Any = None) -> T:
    """Return log(sigmoid(input)). Source: torch.nn.functional.logsigmoid."""
    return activate(ops.logsigmoid, input, kernel="log_sigmoid_cpu")


# ----- With a gate -----


@public_function
def silu(input: T, inplace: bool = False) -> T:
    """Return input * sigmoid(input). Source: torch.nn.functional.silu."""
    return activate(ops.silu, input, inplace)


@public_function
def mish(input: T, inplace: bool = False) -> T:
    """Return input * tanh(softplus(input)). Source: torch.nn.functional.mish."""
    return activate(ops.mish, input, inplace)


@public_function
def glu(input: T, dim: int = -1) -> T:
    """Return the first half of the input along dim times the sigmoid of the second.

    Raises: RuntimeError: for a 0-d input, or when the size of dim is odd.
    Source: torch.nn.functional.glu.
    """
    x = array_of(as_tensor_input("glu", input))
    if x.ndim == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    dim = canonical_dim(index_of(dim), x.ndim)
    if x.shape[dim] % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim} is size {x.shape[dim]}")
    return activate(ops.glu, input, dim=dim)


# ----- Of absolute values -----

_softsign = expose(ops.softsign)
_tanhshrink = expose(ops.tanhshrink)


@public_function
def softsign(input: T) -> T:
    """Return input / (1 + |input|). Source: torch.nn.functional.softsign."""
    return _softsign(input)


@public_function
def tanhshrink(input: T) -> T:
    """Return input - tanh(input). Source: torch.nn.functional.tanhshrink."""
    return _tanhshrink(input)


@public_function
@writes(OUT_DTYPE_FOUND)
def gelu(input: T, *, approximate: str = "none", out: Any = None) -> T:
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
