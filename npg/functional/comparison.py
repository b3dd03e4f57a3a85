"""Comparisons, tests for nan and inf, logical and bitwise functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg._words import scalar_name
from npg.engine import apply, array_of
from npg.functional._forms import both
from npg.functional._public import as_tensor_input, in_place, public, public_function, writes
from npg.functional._types import T
from npg.ops import comparison as ops

# fmt: off
__all__ = [
    "allclose", "bitwise_and", "bitwise_and_", "bitwise_left_shift", "bitwise_left_shift_", "bitwise_not",
    "bitwise_not_", "bitwise_or", "bitwise_or_", "bitwise_right_shift", "bitwise_right_shift_", "bitwise_xor",
    "bitwise_xor_", "eq", "eq_", "equal", "ge", "ge_", "greater", "greater_", "greater_equal", "greater_equal_", "gt",
    "gt_", "heaviside", "heaviside_", "isclose", "isfinite", "isinf", "isnan", "isneginf", "isposinf", "isreal", "le",
    "le_", "less", "less_", "less_equal", "less_equal_", "logical_and", "logical_and_", "logical_not", "logical_not_",
    "logical_or", "logical_or_", "logical_xor", "logical_xor_", "lt", "lt_", "ne", "ne_", "not_equal", "not_equal_",
    "signbit",
]
# fmt: on

# ----- Comparisons -----

eq, eq_ = public(ops.eq), in_place(ops.written(ops.eq))
ne, ne_ = not_equal, not_equal_ = public(ops.ne), in_place(ops.written(ops.ne))
lt, lt_ = less, less_ = public(ops.lt), in_place(ops.written(ops.lt))
le, le_ = less_equal, less_equal_ = public(ops.le), in_place(ops.written(ops.le))
gt, gt_ = greater, greater_ = public(ops.gt), in_place(ops.written(ops.gt))
ge, ge_ = greater_equal, greater_equal_ = public(ops.ge), in_place(ops.written(ops.ge))


@public_function
def equal(input: Any, other: Any) -> bool:
    """Tell whether two tensors have the same shape and the same elements; nan equals nothing.

    Returns: bool.
    Source: torch.equal.
    """
    a = array_of(as_tensor_input("equal", input))
    b = array_of(as_tensor_input("equal", other, "other", 2))
    return a.shape == b.shape and bool(np.all(a == b))


@public_function
def isclose(input: T, other: T, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> T:
    """Return whether |input - other| <= atol + rtol |other|, elementwise.

    Args:
        input, other: tensors of one dtype, broadcast.
        rtol, atol: relative and absolute tolerance, not negative.
        equal_nan: nan is close to nan.
    Returns: bool tensor.
    Raises: RuntimeError: when the dtypes differ or a tolerance is negative.
    Source: torch.isclose.
    """
    a = array_of(as_tensor_input("isclose", input))
    b = array_of(as_tensor_input("isclose", other, "other", 2))
    if a.dtype != b.dtype:
        kinds = [scalar_name(x) for x in (a, b)]
        raise RuntimeError(f"{kinds[0]} did not match {kinds[1]}")
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if not tolerance >= 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {tolerance}")
    return apply(ops.isclose, (input, other), {"rtol": rtol, "atol": atol, "equal_nan": equal_nan})


@public_function
def allclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Tell whether isclose holds for all elements.

    Returns: bool.
    Source: torch.allclose.
    """
    return bool(isclose(input, other, rtol, atol, equal_nan)._array.all())


# ----- nan, inf, sign -----

isnan = public(ops.isnan)
isinf = public(ops.isinf)
isfinite = public(ops.isfinite)
isposinf = public(ops.isposinf)
isneginf = public(ops.isneginf)
isreal = public(ops.isreal)
signbit = public(ops.signbit)
_heaviside, _heaviside_ = both(ops.heaviside)


def _one_dtype(input: Any, values: Any) -> None:
    a, b = array_of(as_tensor_input("heaviside", input)), array_of(as_tensor_input("heaviside", values, "values", 2))
    if a.dtype != b.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")


@public_function
@writes("heaviside is not yet implemented for tensors with different dtypes.")
def heaviside(input: T, values: T, *, out: Any = None) -> T:
    """Return 0 for negative input, 1 for positive, values where it is 0.

    Args:
        input, values: tensors of one dtype, broadcast.
    Raises: RuntimeError: when the dtypes differ.
    Source: torch.heaviside.
    """
    _one_dtype(input, values)
    return _heaviside(input, values)


@public_function
def heaviside_(input: T, values: T) -> T:
    """Replace the input by its step in place; see heaviside. Source: torch.Tensor.heaviside_."""
    _one_dtype(input, values)
    return _heaviside_(input, values)


# ----- Logical -----

logical_not, logical_not_ = both(ops.logical_not)
logical_and, logical_and_ = both(ops.logical_and)
logical_or, logical_or_ = both(ops.logical_or)
logical_xor, logical_xor_ = both(ops.logical_xor)

# ----- Bitwise -----

bitwise_not, bitwise_not_ = both(ops.bitwise_not)
bitwise_and, bitwise_and_ = both(ops.bitwise_and)
bitwise_or, bitwise_or_ = both(ops.bitwise_or)
bitwise_xor, bitwise_xor_ = both(ops.bitwise_xor)
bitwise_left_shift, bitwise_left_shift_ = both(ops.bitwise_left_shift)
bitwise_right_shift, bitwise_right_shift_ = both(ops.bitwise_right_shift)
