"""Elementwise arithmetic, powers, exponentials and logarithms, and their in-place forms."""

from __future__ import annotations

from typing import Any, overload

import numpy as np

from npg import _errors, dtypes
from npg._errors import OUT_DTYPE_FOUND
from npg._naming import named
from npg._words import c_name, scalar_name
from npg.engine import TensorBase, apply, apply_in_place, array_of
from npg.engine._out import DEFAULT, OutRule, is_same
from npg.functional._factory import fill_number
from npg.functional._forms import expose, run
from npg.functional._public import as_tensor_input, old_order, public_function, python_number, to_dtype, writes
from npg.functional._types import Operand, Scalar, T
from npg.ops import elementwise
from npg.ops._op import Op

# ----- Sums and differences -----

neg, neg_ = negative, negative_ = expose(elementwise.neg)
_add, _add_ = expose(elementwise.add)
_sub, _sub_ = expose(elementwise.sub)


def _with_alpha(name: str, input: Any, other: Any, alpha: Any, in_place: bool = False) -> Any:
    """Return input + alpha * other, or with the name "sub" input - alpha * other."""
    if not isinstance(alpha, (int, float)):
        raise TypeError(f"{name}(): argument 'alpha' must be Number, not {type(alpha).__name__}")
    if isinstance(other, np.generic):
        other = python_number(other)  # before the product, in which an int8 would wrap around
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
        other = other and alpha if alpha is True or alpha is False else other * alpha  # bool * bool is an int
    function = (_sub_ if in_place else _sub) if name == "sub" else (_add_ if in_place else _add)
    return function(input, other)


_SIGNATURE = "Tensor other, *, Number alpha = 1"


@overload
def add(input: Scalar, other: T, *late: Any, alpha: Scalar = ..., out: Any = ...) -> T: ...
@overload
def add(input: T, other: Operand, *late: Any, alpha: Scalar = ..., out: Any = ...) -> T: ...
@public_function
def add(input: Any, other: Any, *late: Any, alpha: Scalar = 1, out: Any = None) -> Any:
    """Return input + alpha * other.

    Args:
        input, other: tensors or numbers, broadcast.
        late: other, if alpha stands before it: PyTorch's old order, which gives a warning.
        alpha: a number; an integer if the result is one.
    Raises: RuntimeError: when alpha's kind does not fit, or the shapes do not broadcast.
    Source: torch.add.
    """
    if late:
        other, alpha = old_order("add", _SIGNATURE, other, late)
    return _add(input, other) if type(alpha) is int and alpha == 1 else _with_alpha("add", input, other, alpha)


@public_function
def add_(input: T, other: Operand, *late: Any, alpha: Scalar = 1) -> T:
    """Add alpha * other to the input in place. Source: torch.Tensor.add_."""
    if late:
        other, alpha = old_order("add_", _SIGNATURE, other, late)
    return _add_(input, other) if type(alpha) is int and alpha == 1 else _with_alpha("add", input, other, alpha, True)


@overload
def sub(input: Scalar, other: T, *late: Any, alpha: Scalar = ..., out: Any = ...) -> T: ...
@overload
def sub(input: T, other: Operand, *late: Any, alpha: Scalar = ..., out: Any = ...) -> T: ...
@public_function
def sub(input: Any, other: Any, *late: Any, alpha: Scalar = 1, out: Any = None) -> Any:
    """Return input - alpha * other.

    Args:
        input, other: tensors or numbers, broadcast; no bools.
        alpha: a number; an integer if the result is one.
    Raises: RuntimeError: for bools, or when alpha's kind does not fit, or the shapes do not broadcast.
    Source: torch.sub.
    """
    if late:
        other, alpha = old_order("sub", _SIGNATURE, other, late)
    return _sub(input, other) if type(alpha) is int and alpha == 1 else _with_alpha("sub", input, other, alpha)


@public_function
def sub_(input: T, other: Operand, *late: Any, alpha: Scalar = 1) -> T:
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


# ----- Products and neighbours -----

mul, mul_ = multiply, multiply_ = expose(elementwise.mul)
nextafter, nextafter_ = expose(elementwise.nextafter)


# ----- Powers and roots -----

_pow, _pow_ = expose(elementwise.pow)
_pow_tensor, _pow_tensor_ = expose(elementwise.pow_tensor)
_rpow, _ = expose(elementwise.rpow)
square, _square_ = expose(elementwise.square)


@public_function
def square_(input: T) -> T:
    """Square the input in place. Raises: RuntimeError: for bools. Source: torch.Tensor.square_."""
    if array_of(as_tensor_input("square_", input)).dtype == bool:
        raise RuntimeError(_errors.NO_CAST_IN_PLACE.format(result="Long", wanted="Bool"))
    return _square_(input)


sqrt, sqrt_ = expose(elementwise.sqrt)
rsqrt, rsqrt_ = expose(elementwise.rsqrt)


@overload
def pow(input: Scalar, exponent: T, *, out: Any = ...) -> T: ...
@overload
def pow(input: T, exponent: Operand, *, out: Any = ...) -> T: ...
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
def pow_(input: T, exponent: Operand) -> T:
    """Raise the input to the power of exponent in place; see pow. Source: torch.Tensor.pow_."""
    return (_pow_tensor_ if isinstance(exponent, TensorBase) else _pow_)(input, exponent)


ldexp, ldexp_ = expose(elementwise.ldexp)


@overload
def float_power(input: Scalar, exponent: T, *, out: Any = ...) -> T: ...
@overload
def float_power(input: T, exponent: Operand, *, out: Any = ...) -> T: ...
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

abs, abs_ = absolute, absolute_ = expose(elementwise.abs)
sign, sign_ = expose(elementwise.sign)
sgn, sgn_ = expose(elementwise.sgn)
copysign, copysign_ = expose(elementwise.copysign)


# ----- Exponentials and logarithms -----

exp, exp_ = expose(elementwise.exp)
exp2, exp2_ = expose(elementwise.exp2)
expm1, expm1_ = expose(elementwise.expm1)
log, log_ = expose(elementwise.log)
log2, log2_ = expose(elementwise.log2)
log10, log10_ = expose(elementwise.log10)
log1p, log1p_ = expose(elementwise.log1p)


# ----- Three operands -----


_SIGNATURE_OF_THREE = "Tensor tensor1, Tensor tensor2, *, Number value = 1"


@public_function
def addcmul(input: T, tensor1: Any, tensor2: Any, *late: Any, value: Scalar = 1, out: Any = None) -> T:
    """Return input + value * tensor1 * tensor2.

    Args:
        input, tensor1, tensor2: tensors, broadcast.
        late: tensor2, if value stands before the tensors: PyTorch's old order, which gives a warning.
        value: a number; truncated if the result is an integer.
    Source: torch.addcmul.
    """
    if late:
        tensor1, (tensor2, value) = tensor2, old_order("addcmul", _SIGNATURE_OF_THREE, tensor1, late)
    return _add_product(elementwise.addcmul, input, tensor1, tensor2, value, False)


@public_function
def addcmul_(input: T, tensor1: Any, tensor2: Any, *late: Any, value: Scalar = 1) -> T:
    """Add value * tensor1 * tensor2 in place. Source: torch.Tensor.addcmul_."""
    if late:
        tensor1, (tensor2, value) = tensor2, old_order("addcmul_", _SIGNATURE_OF_THREE, tensor1, late)
    return _add_product(elementwise.addcmul, input, tensor1, tensor2, value, True)


@public_function
def addcdiv(input: T, tensor1: Any, tensor2: Any, *late: Any, value: Scalar = 1, out: Any = None) -> T:
    """Return input + value * tensor1 / tensor2.

    Args:
        input, tensor1, tensor2: tensors, broadcast.
        value: a number.
    Raises: RuntimeError: when tensor1 and tensor2 are both integers.
    Source: torch.addcdiv.
    """
    if late:
        tensor1, (tensor2, value) = tensor2, old_order("addcdiv", _SIGNATURE_OF_THREE, tensor1, late)
    return _add_product(elementwise.addcdiv, input, tensor1, tensor2, value, False)


@public_function
def addcdiv_(input: T, tensor1: Any, tensor2: Any, *late: Any, value: Scalar = 1) -> T:
    """Add value * tensor1 / tensor2 in place. Source: torch.Tensor.addcdiv_."""
    if late:
        tensor1, (tensor2, value) = tensor2, old_order("addcdiv_", _SIGNATURE_OF_THREE, tensor1, late)
    return _add_product(elementwise.addcdiv, input, tensor1, tensor2, value, True)


_INTEGER_ADDCDIV = (
    "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a true "
    "division of tensor1 and tensor2. The historic addcdiv behavior can be implemented as (input + value * "
    "npg.trunc(tensor1 / tensor2)).to(input.dtype) for integer inputs and as (input + value * tensor1 / tensor2) for "
    "float inputs. The future addcdiv behavior is just the latter implementation: (input + value * tensor1 / tensor2), "
    "for all dtypes."
)


def _add_product(op: Op, input: Any, tensor1: Any, tensor2: Any, value: Any, in_place: bool) -> Any:
    arguments = zip((input, tensor1, tensor2), op.inputs)
    operands = [as_tensor_input(op.name, x, name, i + 1) for i, (x, name) in enumerate(arguments)]
    arrays = [array_of(x) for x in operands]
    if op is elementwise.addcdiv and arrays[1].dtype.kind != "f" and arrays[2].dtype.kind != "f":
        raise RuntimeError(named(_INTEGER_ADDCDIV))
    common = dtypes.common_dtype(arrays)
    if not common.is_floating_point:
        value = int(fill_number(value, common.dtype))
    return run(op, operands, in_place, value=value)


def _lerp(input: Any, end: Any, weight: Any, in_place: bool) -> Any:
    as_tensor_input("lerp", input)
    as_tensor_input("lerp", end, "end", 2)
    x = array_of(input)
    for name, other in (("end", end), ("weight", weight)):
        other = array_of(other)
        if isinstance(other, np.ndarray) and other.dtype != x.dtype and not (name == "weight" and other.ndim == 0):
            names = [c_name(d) for d in (x.dtype, other.dtype)]
            raise RuntimeError(f"expected dtype {names[0]} for `{name}` but got dtype {names[1]}")
    if x.dtype.kind != "f":
        kernel = "lerp_kernel_tensor" if isinstance(weight, TensorBase) else "lerp_kernel_scalar"
        kind = scalar_name(x)
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind}'")
    inputs = (input, end, to_dtype(weight, x.dtype))
    op = elementwise.lerp_tensor if isinstance(weight, TensorBase) else elementwise.lerp
    return apply_in_place(op, inputs, {}) if in_place else apply(op, inputs, {})


def _lerp_rule(arguments: dict[str, Any], _out: Any) -> OutRule:
    is_tensor = isinstance(arguments.get("weight"), (TensorBase, np.ndarray))
    return OutRule(is_same, OUT_DTYPE_FOUND) if is_tensor else DEFAULT


@public_function
@writes(_lerp_rule)
def lerp(input: T, end: T, weight: Any, *, out: Any = None) -> T:
    """Return input + weight * (end - input).

    Args:
        input, end: floating tensors of one dtype, broadcast.
        weight: a number, or a tensor of the same dtype.
    Raises: RuntimeError: when the dtypes differ. NotImplementedError: for integers.
    Source: torch.lerp.
    """
    return _lerp(input, end, weight, False)


@public_function
def lerp_(input: T, end: T, weight: Any) -> T:
    """Move the input towards end in place; see lerp. Source: torch.Tensor.lerp_."""
    return _lerp(input, end, weight, True)
