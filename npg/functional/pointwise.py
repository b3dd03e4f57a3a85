"""Elementwise arithmetic, powers, exponentials, trigonometry, rounding, special functions, and their in-place forms."""

from __future__ import annotations

from typing import Any, overload

import numpy as np

from npg import _errors, dtypes
from npg._errors import OUT_DTYPE_FOUND
from npg.engine import Function, TensorBase, apply, apply_in_place, wrap
from npg.engine._common import of_numbers
from npg.functional._factory import fill_number
from npg.functional._public import (
    as_tensor_input,
    in_place,
    old_order,
    promote,
    public,
    public_function,
    python_number,
    to_dtype,
    writes,
)
from npg.functional._types import B, Scalar, T
from npg.ops import elementwise, rounding, special, trigonometry
from npg.ops._op import Op

# fmt: off
__all__ = [
    "abs", "abs_", "absolute", "absolute_", "acos", "acos_", "acosh", "acosh_", "add", "add_", "arccos", "arccos_",
    "arccosh", "arccosh_", "arcsin", "arcsin_", "arcsinh", "arcsinh_", "arctan", "arctan2", "arctan2_", "arctan_",
    "arctanh", "arctanh_", "asin", "asin_", "asinh", "asinh_", "atan", "atan2", "atan2_", "atan_", "atanh", "atanh_",
    "ceil", "ceil_", "copysign", "copysign_", "cos", "cos_", "cosh", "cosh_", "deg2rad", "deg2rad_", "div", "div_",
    "divide", "divide_", "erf", "erf_", "erfc", "erfc_", "erfinv", "erfinv_", "exp", "exp2", "exp2_", "exp_", "expm1",
    "expm1_", "fix", "fix_", "float_power", "floor", "floor_", "floor_divide", "floor_divide_", "fmod", "fmod_",
    "frac", "frac_", "gcd", "gcd_", "hypot", "hypot_", "lcm", "lcm_", "ldexp", "ldexp_", "log", "log10", "log10_",
    "log1p", "log1p_", "log2", "log2_", "log_", "logaddexp", "logaddexp2", "logit", "logit_", "mul", "mul_",
    "multiply", "multiply_", "nan_to_num", "nan_to_num_", "neg", "neg_", "negative", "negative_", "nextafter",
    "nextafter_", "positive", "pow", "pow_", "rad2deg", "rad2deg_", "reciprocal", "reciprocal_", "remainder",
    "remainder_", "round", "round_", "rsqrt", "rsqrt_", "rsub", "sgn", "sgn_", "sigmoid", "sigmoid_", "sign", "sign_",
    "sin", "sin_", "sinc", "sinc_", "sinh", "sinh_", "sqrt", "sqrt_", "square", "square_", "sub", "sub_", "subtract",
    "subtract_", "tan", "tan_", "tanh", "tanh_", "true_divide", "true_divide_", "trunc", "trunc_", "xlogy", "xlogy_",
]
# fmt: on


def both(op: Op) -> tuple[Function, Function]:
    """Return the public function of an op and its in-place form."""
    return public(op), in_place(op)


def run(op: Op, inputs: Any, in_place: bool = False, **settings: Any) -> Any:
    """Promote the inputs of an op with settings and apply it, in place if wanted."""
    if not any(isinstance(x, (TensorBase, np.ndarray)) for x in inputs):
        inputs = of_numbers(public(op), inputs, wrap)
    inputs = tuple(promote(op, inputs, in_place))
    return apply_in_place(op, inputs, settings) if in_place else apply(op, inputs, settings)


def array_of(x: Any) -> Any:
    """Return a tensor's ndarray; anything else as it is."""
    return x._array if isinstance(x, TensorBase) else x


# ----- Sums and differences -----

neg, neg_ = negative, negative_ = both(elementwise.neg)
_add, _add_ = both(elementwise.add)
_sub, _sub_ = both(elementwise.sub)


def _with_alpha(name: str, input: Any, other: Any, alpha: Any, in_place: bool = False) -> Any:
    """Return input + alpha * other, or with the name "sub" input - alpha * other."""
    if not isinstance(alpha, (int, float)):
        raise TypeError(f"{name}(): argument 'alpha' must be Number, not {type(alpha).__name__}")
    if isinstance(other, np.generic):
        other = python_number(other)  # before it is multiplied: an int8 would wrap around
    if name == "sub":
        elementwise.refuse_subtraction(array_of(input), array_of(other))
    common = dtypes.common_dtype([array_of(input), array_of(other)])
    if isinstance(alpha, bool) and common is not dtypes.bool_:
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    if isinstance(alpha, float) and not common.is_floating_point:
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
    if common is not dtypes.bool_:
        fill_number(-alpha if name == "sub" else alpha, common.dtype)  # raises where it does not fit
    if common.is_floating_point and isinstance(other, TensorBase):
        op = elementwise.sub_scaled if name == "sub" else elementwise.add_scaled
        return run(op, (input, other), in_place, alpha=-alpha if name == "sub" else alpha)
    if common is dtypes.bool_:
        alpha = bool(alpha)
    if isinstance(other, TensorBase):
        other = mul(to_dtype(other, common.dtype), alpha)
    else:
        other = other and alpha if alpha is True or alpha is False else other * alpha  # no bool is a product of two
    function = (_sub_ if in_place else _sub) if name == "sub" else (_add_ if in_place else _add)
    return function(input, other)


_SIGNATURE = "Tensor other, *, Number alpha = 1"


@public_function
def add(input: T, other: Any, *late: Any, alpha: Scalar = 1, out: Any = None) -> T:
    """Return input + alpha * other.

    Args:
        input, other: tensors or numbers, broadcast.
        late: other, where alpha stands before it: PyTorch's old order, of which a warning is given.
        alpha: a number; an integer where the result is one.
    Raises: RuntimeError: when alpha's kind does not fit, or the shapes do not broadcast.
    Source: torch.add.
    """
    if late:
        other, alpha = old_order("add", _SIGNATURE, other, late)
    return _add(input, other) if type(alpha) is int and alpha == 1 else _with_alpha("add", input, other, alpha)


@public_function
def add_(input: T, other: Any, *late: Any, alpha: Scalar = 1) -> T:
    """Add alpha * other to the input in place. Source: torch.Tensor.add_."""
    if late:
        other, alpha = old_order("add_", _SIGNATURE, other, late)
    return _add_(input, other) if type(alpha) is int and alpha == 1 else _with_alpha("add", input, other, alpha, True)


@public_function
def sub(input: T, other: Any, *late: Any, alpha: Scalar = 1, out: Any = None) -> T:
    """Return input - alpha * other.

    Args:
        input, other: tensors or numbers, broadcast; no bools.
        alpha: a number; an integer where the result is one.
    Raises: RuntimeError: for bools, or when alpha's kind does not fit, or the shapes do not broadcast.
    Source: torch.sub.
    """
    if late:
        other, alpha = old_order("sub", _SIGNATURE, other, late)
    return _sub(input, other) if type(alpha) is int and alpha == 1 else _with_alpha("sub", input, other, alpha)


@public_function
def sub_(input: T, other: Any, *late: Any, alpha: Scalar = 1) -> T:
    """Subtract alpha * other from the input in place. Source: torch.Tensor.sub_."""
    if late:
        other, alpha = old_order("sub_", _SIGNATURE, other, late)
    return _sub_(input, other) if type(alpha) is int and alpha == 1 else _with_alpha("sub", input, other, alpha, True)


@public_function
def rsub(input: T, other: Any, *, alpha: Scalar = 1) -> T:
    """Return other - alpha * input. Source: torch.rsub."""
    return sub(other, input, alpha=alpha)


subtract, subtract_ = sub, sub_


@public_function
def positive(input: T) -> T:
    """Return the input itself.

    Raises: RuntimeError: for bools.
    Source: torch.positive.
    """
    if array_of(as_tensor_input("positive", input)).dtype == bool:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


# ----- Products and quotients -----

mul, mul_ = multiply, multiply_ = both(elementwise.mul)
_div, _div_ = both(elementwise.div)
reciprocal, reciprocal_ = both(elementwise.reciprocal)
floor_divide, floor_divide_ = both(elementwise.floor_divide)
_remainder, _remainder_ = both(elementwise.remainder)
_remainder_tensor, _remainder_tensor_ = both(elementwise.remainder_tensor)
_fmod, _fmod_ = both(elementwise.fmod)
_fmod_tensor, _fmod_tensor_ = both(elementwise.fmod_tensor)
gcd, gcd_ = both(elementwise.gcd)
lcm, lcm_ = both(elementwise.lcm)
nextafter, nextafter_ = both(elementwise.nextafter)


@overload
def remainder(input: Scalar, other: B, *, out: Any = ...) -> B: ...
@overload
def remainder(input: B, other: Any, *, out: Any = ...) -> B: ...
@public_function
def remainder(input: Any, other: Any, *, out: Any = None) -> Any:
    """Return input - other * floor(input / other): the sign is the divisor's, as in Python.

    Args:
        input, other: tensors or numbers, broadcast.
    Raises: RuntimeError: when an integer is divided by zero.
    Source: torch.remainder.
    """
    return (_remainder_tensor if isinstance(other, TensorBase) else _remainder)(input, other)


@public_function
def remainder_(input: T, other: Any) -> T:
    """Replace the input by its remainder in place; see remainder. Source: torch.Tensor.remainder_."""
    return (_remainder_tensor_ if isinstance(other, TensorBase) else _remainder_)(input, other)


@public_function
def fmod(input: T, other: Any, *, out: Any = None) -> T:
    """Return input - other * trunc(input / other): the sign is the dividend's, as in C.

    Args:
        input, other: tensors or numbers, broadcast.
    Raises: RuntimeError: when an integer is divided by zero.
    Source: torch.fmod.
    """
    return (_fmod_tensor if isinstance(other, TensorBase) else _fmod)(input, other)


@public_function
def fmod_(input: T, other: Any) -> T:
    """Replace the input by its remainder in place; see fmod. Source: torch.Tensor.fmod_."""
    return (_fmod_tensor_ if isinstance(other, TensorBase) else _fmod_)(input, other)


def _divide(input: Any, other: Any, rounding_mode: Any, in_place: bool) -> Any:
    if rounding_mode is None:
        return _div_(input, other) if in_place else _div(input, other)
    if rounding_mode not in ("trunc", "floor"):
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
        )
    return run(elementwise.div_rounded, (input, other), in_place, rounding_mode=rounding_mode)


@public_function
def div(input: T, other: Any, *, rounding_mode: str | None = None, out: Any = None) -> T:
    """Return input / other, exact or rounded.

    Args:
        input, other: tensors or numbers, broadcast.
        rounding_mode: None: integers give the default floating dtype; "trunc": rounded towards zero; "floor": rounded
            down. Both keep integers, and their gradient is 0.
    Raises: RuntimeError: for another rounding_mode, or when a rounded integer division is by zero.
    Source: torch.div.
    """
    return _divide(input, other, rounding_mode, False)


@public_function
def div_(input: T, other: Any, *, rounding_mode: str | None = None) -> T:
    """Divide the input in place; see div. Source: torch.Tensor.div_."""
    return _divide(input, other, rounding_mode, True)


divide = true_divide = div
divide_ = true_divide_ = div_


# ----- Powers and roots -----

_pow, _pow_ = both(elementwise.pow)
_pow_tensor, _pow_tensor_ = both(elementwise.pow_tensor)
_rpow = public(elementwise.rpow)
square, _square_ = both(elementwise.square)


@public_function
def square_(input: T) -> T:
    """Square the input in place. Raises: RuntimeError: for bools. Source: torch.Tensor.square_."""
    if array_of(as_tensor_input("square_", input)).dtype == bool:
        raise RuntimeError(_errors.NO_CAST_IN_PLACE.format(result="Long", wanted="Bool"))
    return _square_(input)


sqrt, sqrt_ = both(elementwise.sqrt)
rsqrt, rsqrt_ = both(elementwise.rsqrt)


@overload
def pow(input: Scalar, exponent: B, *, out: Any = ...) -> B: ...
@overload
def pow(input: B, exponent: Any, *, out: Any = ...) -> B: ...
@public_function
def pow(input: Any, exponent: Any, *, out: Any = None) -> Any:
    """Return input to the power of exponent.

    Args:
        input, exponent: tensors or numbers, broadcast.
    Raises: RuntimeError: for integers to the power of a negative number.
    Source: torch.pow.
    """
    if not isinstance(exponent, TensorBase):
        return _pow(input, exponent)
    return (_pow_tensor if isinstance(input, (TensorBase, np.ndarray)) else _rpow)(input, exponent)


@public_function
def pow_(input: T, exponent: Any) -> T:
    """Raise the input to the power of exponent in place; see pow. Source: torch.Tensor.pow_."""
    return (_pow_tensor_ if isinstance(exponent, TensorBase) else _pow_)(input, exponent)


ldexp, ldexp_ = both(elementwise.ldexp)


@overload
def float_power(input: Scalar, exponent: B, *, out: Any = ...) -> B: ...
@overload
def float_power(input: B, exponent: Any, *, out: Any = ...) -> B: ...
@public_function
@writes("the output given to float_power has dtype {wanted} but the operation's result requires dtype {result}")
def float_power(input: Any, exponent: Any, *, out: Any = None) -> Any:
    """Return input to the power of exponent, both in float64.

    Args:
        input, exponent: tensors or numbers, broadcast.
    Source: torch.float_power.
    """
    double = np.dtype(np.float64)
    return pow(*(to_dtype(x, double) if isinstance(x, TensorBase) else x for x in (input, exponent)))


# ----- Absolute value, sign -----

abs, abs_ = absolute, absolute_ = both(elementwise.abs)
sign, sign_ = both(elementwise.sign)
sgn, sgn_ = both(elementwise.sgn)
copysign, copysign_ = both(elementwise.copysign)

# ----- Exponentials and logarithms -----

exp, exp_ = both(elementwise.exp)
exp2, exp2_ = both(elementwise.exp2)
expm1, expm1_ = both(elementwise.expm1)
log, log_ = both(elementwise.log)
log2, log2_ = both(elementwise.log2)
log10, log10_ = both(elementwise.log10)
log1p, log1p_ = both(elementwise.log1p)
logaddexp = public(special.logaddexp)
logaddexp2 = public(special.logaddexp2)
xlogy, xlogy_ = both(special.xlogy)

# ----- Trigonometric and hyperbolic -----

sin, sin_ = both(trigonometry.sin)
cos, cos_ = both(trigonometry.cos)
tan, tan_ = both(trigonometry.tan)
asin, asin_ = arcsin, arcsin_ = both(trigonometry.asin)
acos, acos_ = arccos, arccos_ = both(trigonometry.acos)
atan, atan_ = arctan, arctan_ = both(trigonometry.atan)
atan2, atan2_ = arctan2, arctan2_ = both(trigonometry.atan2)
sinh, sinh_ = both(trigonometry.sinh)
cosh, cosh_ = both(trigonometry.cosh)
tanh, tanh_ = both(trigonometry.tanh)
asinh, asinh_ = arcsinh, arcsinh_ = both(trigonometry.asinh)
acosh, acosh_ = arccosh, arccosh_ = both(trigonometry.acosh)
atanh, atanh_ = arctanh, arctanh_ = both(trigonometry.atanh)
deg2rad, deg2rad_ = both(trigonometry.deg2rad)
rad2deg, rad2deg_ = both(trigonometry.rad2deg)
hypot, hypot_ = both(trigonometry.hypot)
sinc, sinc_ = both(trigonometry.sinc)

# ----- Special functions -----

erf, erf_ = both(special.erf)
erfc, erfc_ = both(special.erfc)
erfinv, erfinv_ = both(special.erfinv)
sigmoid, sigmoid_ = both(special.sigmoid)


@public_function
def logit(input: T, eps: float | None = None, *, out: Any = None) -> T:
    """Return log(x / (1 - x)).

    Args:
        input: any shape; integers give the default floating dtype.
        eps: cut the input to [eps, 1 - eps] first; with None or below 0, what is outside [0, 1] gives nan.
    Source: torch.logit.
    """
    return run(special.logit, (input,), eps=None if eps is not None and eps < 0 else eps)


@public_function
def logit_(input: T, eps: float | None = None) -> T:
    """Replace the input by its logit in place. Source: torch.Tensor.logit_."""
    return run(special.logit, (input,), True, eps=None if eps is not None and eps < 0 else eps)


# ----- Rounding -----

floor, floor_ = both(rounding.floor)
ceil, ceil_ = both(rounding.ceil)
trunc, trunc_ = fix, fix_ = both(rounding.trunc)
frac, frac_ = both(rounding.frac)
_round, _round_ = both(rounding.round)


@public_function
@writes(OUT_DTYPE_FOUND)
def round(input: T, *, decimals: int = 0, out: Any = None) -> T:
    """Return each element rounded to the nearest number with so many decimals, halves to the even one.

    Args:
        input: any shape; with decimals a floating dtype.
        decimals: how many; a negative number rounds before the point.
    Source: torch.round.
    """
    return run(rounding.round_decimals, (input,), decimals=decimals) if decimals else _round(input)


@public_function
def round_(input: T, *, decimals: int = 0) -> T:
    """Round the input in place; see round. Source: torch.Tensor.round_."""
    return run(rounding.round_decimals, (input,), True, decimals=decimals) if decimals else _round_(input)


@public_function
@writes("nan_to_num: dtype of out: {wanted} should be same as input: {result}")
def nan_to_num(
    input: T, nan: float | None = None, posinf: float | None = None, neginf: float | None = None, *, out: Any = None
) -> T:
    """Return the input with nan, inf and -inf replaced by numbers.

    Args:
        input: any shape and dtype.
        nan: in place of nan; None: 0.
        posinf, neginf: in place of inf and -inf; None: the dtype's largest and smallest number.
    Source: torch.nan_to_num.
    """
    return run(rounding.nan_to_num, (input,), nan=nan, posinf=posinf, neginf=neginf)


@public_function
def nan_to_num_(input: T, nan: float | None = None, posinf: float | None = None, neginf: float | None = None) -> T:
    """Replace nan and infinities in place; see nan_to_num. Source: torch.Tensor.nan_to_num_."""
    return run(rounding.nan_to_num, (input,), True, nan=nan, posinf=posinf, neginf=neginf)
