"""Elementwise arithmetic, powers, exponentials and logarithms: one declaration per op, the simple first."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg.kernels import meta
from npg.ops._dtypes import no_bool, no_integers
from npg.ops._kinds import ELEMENTWISE, linear
from npg.ops._op import ARITHMETIC, FLOAT, elementwise, movement, primitive, ufunc
from npg.ops.selection import mask
from npg.ops.shape import copied, overload

# ----- Copies, casts, zeros -----


@movement(lambda g, _y, _x: g, kind=ELEMENTWISE, tangent=linear)
def clone(input: Any) -> Any:
    """Return a copy of the input."""
    return copied(input, input.dtype)


@movement(
    lambda g, _y, x_like, *, dtype: cast(g, dtype=x_like.dtype),
    node="ToCopy",
    kind=ELEMENTWISE,
    tangent=linear,
    aten="_to_copy",
)
def cast(input: Any, *, dtype: np.dtype[Any]) -> Any:
    """Return the input in another dtype."""
    if dtype == np.float16 and input.dtype == np.float64:  # PyTorch converts by way of float32
        input = input.astype(np.float32)
    return copied(input, dtype)


def _no_data(_g: Any, _y: Any, _x: Any) -> Any:
    raise NotImplementedError(meta.NO_DATA)


@movement(_no_data, kind=ELEMENTWISE, node="ToCopy", aten="_to_copy")
def to_meta(input: Any) -> Any:
    """Return an array like the input without data; no gradient comes back from it."""
    return meta.like(input)


@movement(kind=ELEMENTWISE)
def zeros(input: Any) -> Any:
    """Return zeros of the input's shape and dtype: the gradient of a step function."""
    return np.zeros_like(input)


# ----- Arithmetic -----


def _of_first(_y: list[int], input: list[int], _other: list[int]) -> int:
    return math.prod(input)  # as torch.profiler counts


@ufunc(np.negative, lambda g, _y, _x: -g)
def neg(input: Any) -> Any:
    """Return the input with its sign changed."""


@ufunc(np.add, lambda g, _y, _a, _b: g, lambda g, _y, _a, _b: g, flops=_of_first)
def add(input: Any, other: Any) -> Any:
    """Return input + other."""


@ufunc(np.subtract, lambda g, _y, _a, _b: g, lambda g, _y, _a, _b: -g)
def sub(input: Any, other: Any) -> Any:
    """Return input - other."""


@ufunc(np.multiply, lambda g, _y, _a, b: g * b, lambda g, _y, a, _b: g * a, flops=_of_first)
def mul(input: Any, other: Any) -> Any:
    """Return input * other."""


_NEGATIVE_BOOL = (
    "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, "
    "use the `~` or `logical_not()` operator instead."
)
_SUBTRACT_BOOLS = (
    "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator "
    "instead."
)
_SUBTRACT_BOOL = (
    "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, "
    "use the `~` or `logical_not()` operator instead."
)


@neg.refuses
def _(input: Any) -> None:
    if input.dtype == bool:
        raise RuntimeError(_NEGATIVE_BOOL)


@sub.refuses
def refuse_subtraction(input: Any, other: Any) -> None:
    """Raise RuntimeError where one of the operands is bool."""
    bools = [x.dtype == bool if isinstance(x, np.ndarray) else isinstance(x, bool) for x in (input, other)]
    if any(bools):
        raise RuntimeError(_SUBTRACT_BOOLS if all(bools) else _SUBTRACT_BOOL)


rsub = overload(sub, "RsubBackward1", aten="rsub")  # of `number - tensor`


@primitive(
    lambda g, _y, _a, _b, *, alpha: g,
    lambda g, _y, _a, _b, *, alpha: g * alpha,
    promote=ARITHMETIC,
    broadcasts=True,
    node="Add",
    kind=ELEMENTWISE,
    aten="add",
)
def add_scaled(input: Any, other: Any, *, alpha: float) -> Any:
    """Return input + alpha * other, of floating dtypes."""
    return input + other * alpha


sub_scaled = overload(add_scaled, "SubBackward0", aten="sub")  # with -alpha


def not_implemented(name: str) -> Any:
    """Return the rule of an op that PyTorch records but cannot differentiate."""

    def rule(g: Any, _y: Any, *_inputs: Any) -> Any:
        raise RuntimeError(f"derivative for aten::{name} is not implemented")

    return rule


@ufunc(np.nextafter, lambda g, _y, a, b: mask(g, a != b), lambda g, _y, _a, _b: zeros(g), exact=True)
def nextafter(input: Any, other: Any) -> Any:
    """Return the next floating number after input in the direction of other."""


nextafter.refuses(no_integers("nextafter_cpu"))


for op in (add, sub, mul):
    op.takes_numbers = True


# ----- Powers and roots -----


def _float_power(x: Any, p: float) -> Any:
    # The usual exponents by multiplication: np.power is ten times slower, and PyTorch does the same.
    if p == 0:
        return np.ones_like(x)
    if p == 1:
        return x.copy()
    if p == 2:
        return x * x
    if p == 3:
        return x * x * x
    if p == 0.5:
        return np.sqrt(x)
    if p == -0.5:
        return 1.0 / np.sqrt(x)
    if p == -1:
        return 1.0 / x
    if p == -2:
        return 1.0 / (x * x)
    return np.power(x, p)


def _integer_power(x: Any, p: Any) -> Any:
    negative = p < 0
    if not negative.any():
        return np.power(x, p)
    # 1 / x**|p| rounded towards zero: 0 except for x = 1 and x = -1.
    unit = np.where(x == 1, 1, np.where(x == -1, 1 - 2 * (p & 1), 0))
    return np.where(negative, unit, np.power(x, np.where(negative, 0, p))).astype(np.result_type(x, p))


def _pow_input_vjp(g: Any, _y: Any, x: Any, p: Any) -> Any:
    """gx = g p x^(p-1), and 0 where p = 0 even if x is 0 too."""
    if isinstance(p, (int, float)):
        return zeros(g) if p == 0 else g if p == 1 else g * (p * pow(x, p - 1))
    return mask(g * (p * pow(x, p - 1)), p != 0)


def _pow_exponent_vjp(g: Any, y: Any, x: Any, p: Any) -> Any:
    """gp = g y log x, and 0 where x = 0 and p >= 0, where y does not depend on p."""
    if isinstance(x, (int, float)):
        if x == 0:
            return g * mask(y * -math.inf, ~(p >= 0))
        return g * (y * (math.log(x) if x > 0 else math.nan))
    return g * mask(y * log(x), ~((x == 0) & (p >= 0)))


@primitive(_pow_input_vjp, _pow_exponent_vjp, promote=ARITHMETIC, broadcasts=True, kind=ELEMENTWISE, numpy=(np.power,))
def pow(input: Any, exponent: Any) -> Any:
    """Return input to the power of exponent.

    Raises: RuntimeError: for integers to the power of a negative number.
    """
    if isinstance(exponent, (int, float)):
        return _float_power(input, exponent)
    if exponent.dtype.kind == "i":
        return _integer_power(input, exponent)
    return np.power(input, exponent)


@pow.in_half
def _pow_half(input: Any, exponent: Any) -> Any:
    if isinstance(exponent, (int, float)) and 65504 < math.fabs(exponent) < math.inf:
        raise RuntimeError("value cannot be converted to type c10::Half without overflow")
    return pow.forward(input, exponent)


@pow.refuses
def _(input: Any, exponent: Any) -> None:
    if not isinstance(exponent, bool):
        no_bool("pow")(input, exponent)
    if type(exponent) is int and input.dtype.kind in "iub":
        if exponent < 0:
            raise RuntimeError("Integers to negative integer powers are not allowed.")
        if input.dtype != bool and exponent > np.iinfo(input.dtype).max:
            raise RuntimeError(f"value cannot be converted to type {input.dtype}_t without overflow")


pow_tensor = overload(pow, "PowBackward1")  # where the exponent is a tensor
rpow = overload(pow, "PowBackward2")  # of `number ** tensor`


def _two_to(p: Any) -> Any:
    return 2.0**p if hasattr(p, "dtype") else float(np.power(2.0, p))  # Python's may overflow


@primitive(
    lambda g, _y, _x, other: g * _two_to(other),
    lambda g, _y, x, other: g * (x * _two_to(other) * math.log(2.0)),
    promote=FLOAT,
    broadcasts=True,
    kind=ELEMENTWISE,
    numpy=(np.ldexp,),
)
def ldexp(input: Any, other: Any) -> Any:
    """Return input * 2**other."""
    return input * _two_to(other)


@primitive(lambda g, _y, x: g * (2.0 * x), promote=ARITHMETIC, node="Pow", kind=ELEMENTWISE, numpy=(np.square,))
def square(input: Any) -> Any:
    """Return the square of each element."""
    return input * input if input.dtype != bool else input.astype(np.int64)


square.out_text = ""  # a power


@ufunc(np.sqrt, lambda g, y, _x: g / (2.0 * y), promote=FLOAT)
def sqrt(input: Any) -> Any:
    """Return the square root of each element."""


@primitive(lambda g, y, _x: -0.5 * g * (y * y * y), promote=FLOAT, kind=ELEMENTWISE)
def rsqrt(input: Any) -> Any:
    """Return 1 / sqrt(input)."""
    return 1.0 / np.sqrt(input)


# ----- Absolute value and sign -----


@ufunc(np.absolute, lambda g, _y, x: g * sign(x), numpy=(np.absolute, np.fabs))
def abs(input: Any) -> Any:
    """Return the absolute value of each element."""


abs.refuses(no_bool("abs_cpu"))


@movement(lambda g, _y, _x: zeros(g), kind=ELEMENTWISE, numpy=(np.sign,))
def sign(input: Any) -> Any:
    """Return -1, 0 or 1; 0 for nan, as in PyTorch."""
    if input.dtype == bool:
        return input.copy()
    above, below = np.asarray(input > 0), np.asarray(input < 0)
    return (above.view(np.int8) - below.view(np.int8)).astype(input.dtype)


@movement(lambda g, _y, _x: zeros(g), kind=ELEMENTWISE)
def sgn(input: Any) -> Any:
    """Return -1, 0 or 1; the same as sign for real numbers."""
    return sign.forward(input)


@ufunc(
    np.copysign,
    lambda g, y, x, _other: g * mask(y / x, x != 0),
    lambda g, _y, _x, _other: zeros(g),
    promote=FLOAT,
)
def copysign(input: Any, other: Any) -> Any:
    """Return the magnitude of input with the sign of other."""


# ----- Exponentials and logarithms -----


@ufunc(np.exp, lambda g, y, _x: g * y, promote=FLOAT)
def exp(input: Any) -> Any:
    """Return e to the power of each element."""


@ufunc(np.exp2, lambda g, y, _x: g * (y * math.log(2.0)), promote=FLOAT, scipy="exp2")
def exp2(input: Any) -> Any:
    """Return 2 to the power of each element."""


@ufunc(np.expm1, lambda g, y, _x: g * (y + 1.0), promote=FLOAT, scipy="expm1")
def expm1(input: Any) -> Any:
    """Return exp(input) - 1, exact near 0."""


@ufunc(np.log, lambda g, _y, x: g / x, promote=FLOAT)
def log(input: Any) -> Any:
    """Return the natural logarithm of each element."""


@ufunc(np.log2, lambda g, _y, x: g / (x * math.log(2.0)), promote=FLOAT)
def log2(input: Any) -> Any:
    """Return the logarithm to base 2 of each element."""


@ufunc(np.log10, lambda g, _y, x: g / (x * math.log(10.0)), promote=FLOAT)
def log10(input: Any) -> Any:
    """Return the logarithm to base 10 of each element."""


@ufunc(np.log1p, lambda g, _y, x: g / (x + 1.0), promote=FLOAT, node="Log1P", scipy="log1p")
def log1p(input: Any) -> Any:
    """Return log(1 + input), exact near 0."""


elementwise(pow, pow_tensor, rpow, sign, sgn, rsqrt)
elementwise(square, forward=False)


# ----- Compound arithmetic -----


@primitive(
    lambda g, _y, _x, _a, _b, *, value: g,
    lambda g, _y, _x, _a, b, *, value: g * (b * value),
    lambda g, _y, _x, a, _b, *, value: g * (a * value),
    promote=ARITHMETIC,
    broadcasts=True,
    kind=ELEMENTWISE,
)
def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: float) -> Any:
    """Return input + value * tensor1 * tensor2."""
    return input + (tensor1 * tensor2 if value == 1 else value * tensor1 * tensor2)


addcmul.refuses(no_bool("addcmul_cpu_out"))


@primitive(
    lambda g, _y, _x, _a, _b, *, value: g,
    lambda g, _y, _x, _a, b, *, value: g * (value / b),
    lambda g, _y, _x, a, b, *, value: -g * (value * (a / (b * b))),
    promote=ARITHMETIC,
    broadcasts=True,
    kind=ELEMENTWISE,
)
def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: float) -> Any:
    """Return input + value * tensor1 / tensor2."""
    return input + (tensor1 / tensor2 if value == 1 else value * (tensor1 / tensor2))


@primitive(
    lambda g, _y, _a, _b, w: g * (1 - w),
    lambda g, _y, _a, _b, w: g * w,
    lambda g, _y, a, b, _w: g * (b - a),
    broadcasts=True,
    kind=ELEMENTWISE,
)
def lerp(input: Any, end: Any, weight: Any) -> Any:
    """Return input + weight * (end - input), computed from the nearer end."""
    difference = end - input
    near = np.abs(weight) < 0.5
    if isinstance(weight, (int, float)):
        return input + weight * difference if near else end - difference * (1 - weight)
    return np.where(near, input + weight * difference, end - difference * (1 - weight))


lerp_tensor = overload(lerp, "LerpBackward1")  # where the weight is a tensor

elementwise(addcmul, addcdiv, lerp, lerp_tensor)
