"""Elementwise activations. gelu and softmax have files of their own."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from npg.kernels.moving import choose, keep_where
from npg.kernels.programs import program
from npg.ops._dtypes import no_bool
from npg.ops._kinds import ELEMENTWISE, along_dims, weights
from npg.ops._op import FLOAT, Op, elementwise, primitive
from npg.ops.division import reciprocal
from npg.ops.elementwise import abs, exp, refuse_subtraction
from npg.ops.selection import mask, where
from npg.ops.shape import c_order, overload
from npg.ops.special import sigmoid


def _of_result(op: Op, rule: Callable[..., Any]) -> Op:
    """Return the op of the in-place form, whose rule reads the result, so that the old value need not be saved.

    PyTorch does the same, hence a later change of the result is refused in backward there and here.
    """
    twin = copy.copy(op)
    twin._saves = {}
    twin._set_vjps((rule,))
    return twin


# ----- Piecewise linear -----

# As programs, which threads share: a pass over a large array waits for memory otherwise.


@program
def _rectified(x: Any) -> Any:
    return np.maximum(0.0, x)  # in this order -0 stays, as in PyTorch


@program
def _leaking(x: Any, *, slope: float) -> Any:
    return np.maximum(x, x * slope)


@program
def _limited(x: Any, *, low: float, high: float) -> Any:
    return np.minimum(np.maximum(x, low), high)


def _is_large(x: Any) -> bool:
    """Tell whether a program is worth its call."""
    return isinstance(x, np.ndarray) and x.size > 1 << 15 and x.dtype.char in "fd"


@primitive(lambda g, y, _x: mask(g, ~(y <= 0)), kind=ELEMENTWISE)
def relu(input: Any) -> Any:
    """Return max(input, 0)."""
    return _rectified.of(input) if _is_large(input) else np.maximum(0, input)


@primitive(lambda g, _y, x, *, negative_slope: where(x > 0, g, g * negative_slope), kind=ELEMENTWISE)
def leaky_relu(input: Any, *, negative_slope: float) -> Any:
    """Return input where it is positive, else input * negative_slope."""
    if 0 < negative_slope <= 1:
        if _is_large(input):
            return _leaking.of(input, slope=negative_slope)
        return np.maximum(input, input * negative_slope)
    return choose(input > 0, input, input * negative_slope)


# For slopes that are not negative, where the result has the sign of the input.
leaky_relu_in_place = _of_result(leaky_relu, lambda g, y, _x, *, negative_slope: where(y > 0, g, g * negative_slope))


@primitive(
    lambda g, _y, x, weight: where(x > 0, g, g * weight),
    lambda g, _y, x, _weight: mask(g * x, ~(x > 0)),
    broadcasts=True,
    node="PreluKernel",
    kind=ELEMENTWISE,
)
def prelu(input: Any, weight: Any) -> Any:
    """Return input where it is positive, else input * weight; weight broadcasts."""
    return choose(input > 0, input, input * weight)


@primitive(lambda g, _y, _x, slopes: g * slopes, None, kind=ELEMENTWISE)
def rrelu_with_noise(input: Any, slopes: Any) -> Any:
    """Return the input times its slopes."""
    return input * slopes


@primitive(lambda g, _y, x, *, low, high: mask(g, (x > low) & (x < high)), kind=ELEMENTWISE)
def hardtanh(input: Any, *, low: float, high: float) -> Any:
    """Return the input limited to [low, high]; unlike clamp's, the gradient at the limits is 0."""
    if _is_large(input):
        return _limited.of(input, low=low, high=high)
    return np.minimum(np.maximum(input, low), high)


@primitive(lambda g, _y, x, *, threshold, value: mask(g, ~(x <= threshold)), kind=ELEMENTWISE)
def threshold(input: Any, *, threshold: float, value: float) -> Any:
    """Return the input where it is above threshold, else value."""
    return np.where(input <= threshold, np.asarray(value).astype(input.dtype), input)


@primitive(lambda g, _y, x, *, lambd: mask(g, (x < -lambd) | (x > lambd)), kind=ELEMENTWISE)
def hardshrink(input: Any, *, lambd: float) -> Any:
    """Return the input, 0 within [-lambd, lambd]."""
    return keep_where(np.asarray(~((input >= -lambd) & (input <= lambd))), input)


@primitive(lambda g, _y, x, *, lambd: mask(g, (x < -lambd) | (x > lambd)), kind=ELEMENTWISE)
def softshrink(input: Any, *, lambd: float) -> Any:
    """Return the input moved by lambd towards 0, 0 within [-lambd, lambd]."""
    return input - np.clip(input, -lambd, lambd)


@primitive(lambda g, _y, x: mask(g * (1.0 / 6.0), (x > -3.0) & (x < 3.0)), kind=ELEMENTWISE)
def hardsigmoid(input: Any) -> Any:
    """Return min(max(input + 3, 0), 6) / 6."""
    y = input + 3.0
    return np.minimum(np.maximum(y, 0.0), 6.0) / 6.0


@primitive(lambda g, _y, x: where(x >= 3.0, g, mask(g * (x / 3.0 + 0.5), ~(x <= -3.0))), kind=ELEMENTWISE)
def hardswish(input: Any) -> Any:
    """Return input * min(max(input + 3, 0), 6) / 6."""
    return input * np.minimum(np.maximum(input + 3.0, 0.0), 6.0) / 6.0


# ----- Exponential below, linear above -----


def _elu_vjp(g: Any, _y: Any, x: Any, *, alpha: float, scale: float, input_scale: float) -> Any:
    """gx = g scale where x > 0, else g scale alpha input_scale exp(x input_scale)."""
    above = x > 0
    slope = exp(mask(x * input_scale, ~above))  # not of positive x, where it may be inf
    return where(above, g if scale == 1 else g * scale, g * (slope * (alpha * scale * input_scale)))


@primitive(_elu_vjp, kind=ELEMENTWISE)
def elu(input: Any, *, alpha: float, scale: float, input_scale: float) -> Any:
    """Return scale * input where it is positive, else scale * alpha * (exp(input * input_scale) - 1)."""
    below = np.asarray(input * input_scale)
    below = np.minimum(below, 0.0, out=below) if input_scale > 0 else np.where(input > 0, 0.0, below)
    np.expm1(below, out=below)
    below *= alpha * scale
    return choose(np.asarray(input >= 0), input if scale == 1 else input * scale, below)


@primitive(_elu_vjp, kind=ELEMENTWISE)
def celu(input: Any, *, alpha: float, scale: float, input_scale: float) -> Any:
    """Return max(0, input) + min(0, alpha * (exp(input / alpha) - 1)): elu with input_scale 1 / alpha."""
    return elu.forward(input, alpha=alpha, scale=scale, input_scale=input_scale)


def _elu_result_vjp(g: Any, y: Any, _x: Any, *, alpha: float, scale: float, input_scale: float) -> Any:
    """gx = g scale where y > 0, else g input_scale (y + scale alpha)."""
    return where(y > 0, g if scale == 1 else g * scale, g * ((y + alpha * scale) * input_scale))


# For alpha that is not negative.
elu_in_place, celu_in_place = _of_result(elu, _elu_result_vjp), _of_result(celu, _elu_result_vjp)


def _softplus_vjp(g: Any, _y: Any, x: Any, *, beta: float, threshold: float) -> Any:
    """gx = g sigmoid(beta x); beyond the threshold g."""
    t = x * beta
    return where(t > threshold, g, g * sigmoid(t))


@primitive(_softplus_vjp, kind=ELEMENTWISE)
def softplus(input: Any, *, beta: float, threshold: float) -> Any:
    """Return log(1 + exp(beta * input)) / beta; the input itself where beta * input > threshold."""
    t = input * beta
    y = np.log1p(np.exp(np.minimum(t, threshold))) / beta
    return choose(np.asarray(t > threshold), input, y)


@primitive(lambda g, _y, x: g * sigmoid(-x), kind=ELEMENTWISE, aten="log_sigmoid", scipy="log_expit")
def logsigmoid(input: Any) -> Any:
    """Return log(sigmoid(input)) = min(0, input) - log(1 + exp(-|input|))."""
    return c_order(np.minimum(input, 0.0) - np.log1p(np.exp(-np.abs(input))))


logsigmoid.node_name = "LogSigmoidBackward0"


# ----- Products with a gate -----


def _silu_vjp(g: Any, _y: Any, x: Any) -> Any:
    """gx = g s (1 + x (1 - s)) with s = sigmoid(x)."""
    s = sigmoid(x)
    return g * (s * (1.0 + x * (1.0 - s)))


@program
def _silu(x: Any) -> Any:
    return x / (np.exp(-x) + 1.0)


@primitive(_silu_vjp, kind=ELEMENTWISE)
def silu(input: Any) -> Any:
    """Return input * sigmoid(input)."""
    return _silu.of(input)


def _mish_vjp(g: Any, _y: Any, x: Any) -> Any:
    """gx = g (t + x sigmoid(x) (1 - t^2)) with t = tanh(softplus(x))."""
    t = np.tanh(softplus(x, beta=1.0, threshold=20.0))
    return g * (t + x * (sigmoid(x) * (1.0 - t * t)))


@primitive(_mish_vjp, kind=ELEMENTWISE)
def mish(input: Any) -> Any:
    """Return input * tanh(softplus(input))."""
    y = np.asarray(np.exp(input))
    np.log1p(y, out=y)
    np.tanh(y, out=y)
    y *= input
    return y


def _halves(x: Any, dim: int) -> tuple[Any, Any]:
    before = (slice(None),) * dim
    middle = x.shape[dim] // 2
    return x[(*before, slice(None, middle))], x[(*before, slice(middle, None))]


def _glu_vjp(g: Any, _y: Any, x: Any, *, dim: int) -> Any:
    """With the halves a, b of x and s = sigmoid(b): ga = g s, gb = g s a (1 - s)."""
    a, b = _halves(x, dim)
    s = sigmoid(b)
    ga = g * s
    return np.concatenate((ga, ga * (a * (1.0 - s))), axis=dim)


@primitive(_glu_vjp, kind=along_dims("dim"))
def glu(input: Any, *, dim: int) -> Any:
    """Return the first half of the input along dim times the sigmoid of the second."""
    a, b = _halves(input, dim)
    y = sigmoid.forward(b)
    y *= a
    return y


@glu.tangent
def _glu_tangent(node: Any, ts: list[Any]) -> Any:
    (t,), dim = ts, node.params["dim"]
    ones = np.ones_like(t.take(range(t.shape[dim] // 2), dim))
    a, b = np.split(weights(node, [ones])[0] * t, 2, dim)
    return a + b


# ----- With absolute values -----


def _softsign_vjp(g: Any, _y: Any, x: Any) -> Any:
    """gx = g / (1 + |x|)^2."""
    r = reciprocal(abs(x) + 1.0)
    return g * (r * r)


@primitive(_softsign_vjp, promote=FLOAT, node="Div", kind=ELEMENTWISE, aten=None, in_place=False)
def softsign(input: Any) -> Any:
    """Return input / (1 + |input|)."""
    return input / (np.abs(input) + 1.0)


@primitive(
    lambda g, _y, x: g * (np.tanh(x) * np.tanh(x)), promote=FLOAT, node="Sub", kind=ELEMENTWISE, aten=None,
    in_place=False,
)  # fmt: skip
def tanhshrink(input: Any) -> Any:
    """Return input - tanh(input)."""
    return input - np.tanh(input)


softsign.refuses(no_bool("abs_cpu"))
tanhshrink.refuses(lambda input: refuse_subtraction(input, 0.0))

elementwise(leaky_relu, rrelu_with_noise, prelu, hardtanh, threshold, hardshrink, softshrink, hardsigmoid, hardswish)
elementwise(elu, celu, softplus, logsigmoid, softsign, tanhshrink, leaky_relu_in_place, elu_in_place, celu_in_place)
elementwise(relu, silu, mish, forward=False)

rrelu_in_place = overload(rrelu_with_noise, "RreluWithNoiseBackward1")
rrelu_mean = overload(leaky_relu, "RreluWithNoiseBackward0", aten="rrelu_with_noise")
rrelu_mean_in_place = overload(leaky_relu, "RreluWithNoiseBackward1", aten="rrelu_with_noise")
