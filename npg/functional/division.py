"""Division: quotients, exact and rounded, remainders, common divisors, and their in-place forms."""

from __future__ import annotations

from typing import Any, overload

from npg.engine import TensorBase
from npg.functional._forms import expose, run
from npg.functional._public import public_function
from npg.functional._types import Operand, Scalar, T
from npg.ops import division as ops

_div, _div_ = expose(ops.div)
reciprocal, reciprocal_ = expose(ops.reciprocal)
floor_divide, floor_divide_ = expose(ops.floor_divide)
_remainder, _remainder_ = expose(ops.remainder)
_remainder_tensor, _remainder_tensor_ = expose(ops.remainder_tensor)
_fmod, _fmod_ = expose(ops.fmod)
_fmod_tensor, _fmod_tensor_ = expose(ops.fmod_tensor)
gcd, gcd_ = expose(ops.gcd)
lcm, lcm_ = expose(ops.lcm)


@overload
def remainder(input: Scalar, other: T, *, out: Any = ...) -> T: ...
@overload
def remainder(input: T, other: Operand, *, out: Any = ...) -> T: ...
@public_function
def remainder(input: Any, other: Any, *, out: Any = None) -> Any:
    """Return input - other * floor(input / other), which has the divisor's sign, as in Python.

    Args:
        input, other: tensors or numbers, broadcast.
    Raises: RuntimeError: when an integer is divided by zero.
    Source: torch.remainder.
    """
    return (_remainder_tensor if isinstance(other, TensorBase) else _remainder)(input, other)


@public_function
def remainder_(input: T, other: Operand) -> T:
    """Replace the input by its remainder in place; see remainder. Source: torch.Tensor.remainder_."""
    return (_remainder_tensor_ if isinstance(other, TensorBase) else _remainder_)(input, other)


@overload
def fmod(input: Scalar, other: T, *, out: Any = ...) -> T: ...
@overload
def fmod(input: T, other: Operand, *, out: Any = ...) -> T: ...
@public_function
def fmod(input: Any, other: Any, *, out: Any = None) -> Any:
    """Return input - other * trunc(input / other), which has the dividend's sign, as in C.

    Args:
        input, other: tensors or numbers, broadcast.
    Raises: RuntimeError: when an integer is divided by zero.
    Source: torch.fmod.
    """
    return (_fmod_tensor if isinstance(other, TensorBase) else _fmod)(input, other)


@public_function
def fmod_(input: T, other: Operand) -> T:
    """Replace the input by its remainder in place; see fmod. Source: torch.Tensor.fmod_."""
    return (_fmod_tensor_ if isinstance(other, TensorBase) else _fmod_)(input, other)


def _divide(input: Any, other: Any, rounding_mode: Any, in_place: bool) -> Any:
    if rounding_mode is None:
        return _div_(input, other) if in_place else _div(input, other)
    if rounding_mode not in ("trunc", "floor"):
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
        )
    return run(ops.div_rounded, (input, other), in_place, rounding_mode=rounding_mode)


@overload
def div(input: Scalar, other: T, *, rounding_mode: str | None = ..., out: Any = ...) -> T: ...
@overload
def div(input: T, other: Operand, *, rounding_mode: str | None = ..., out: Any = ...) -> T: ...
@public_function
def div(input: Any, other: Any, *, rounding_mode: str | None = None, out: Any = None) -> Any:
    """Return input / other, exact or rounded.

    Args:
        input, other: tensors or numbers, broadcast.
        rounding_mode: None: integers give the default floating dtype; "trunc": rounded towards zero; "floor": rounded
            down. The last two keep integer dtypes, and have gradient 0.
    Raises: RuntimeError: for another rounding_mode, or when a rounded integer division is by zero.
    Source: torch.div.
    """
    return _divide(input, other, rounding_mode, False)


@public_function
def div_(input: T, other: Operand, *, rounding_mode: str | None = None) -> T:
    """Divide the input in place; see div. Source: torch.Tensor.div_."""
    return _divide(input, other, rounding_mode, True)


divide = true_divide = div
divide_ = true_divide_ = div_
