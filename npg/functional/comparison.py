"""Comparisons, tests for nan and inf, logical and bitwise functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg._words import scalar_name
from npg.engine import apply, array_of
from npg.functional._forms import expose
from npg.functional._public import as_tensor_input, public_function, writes
from npg.functional._types import T
from npg.kernels.meta import needs_data
from npg.ops import comparison as ops

# ----- Comparisons -----

eq, eq_ = expose(ops.eq)
ne, ne_ = not_equal, not_equal_ = expose(ops.ne)
lt, lt_ = less, less_ = expose(ops.lt)
le, le_ = less_equal, less_equal_ = expose(ops.le)
gt, gt_ = greater, greater_ = expose(ops.gt)
ge, ge_ = greater_equal, greater_equal_ = expose(ops.ge)


@public_function
def equal(input: Any, other: Any) -> bool:
    """Tell whether two tensors have the same shape and the same elements; nan equals nothing.

    Returns: bool.
    Source: torch.equal.
    """
    a = array_of(as_tensor_input("equal", input))
    b = array_of(as_tensor_input("equal", other, "other", 2))
    needs_data("equal", a, b)
    return a.shape == b.shape and bool(np.all(a == b))


@public_function
def isclose(input: T, other: T, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> T:
    """Tell elementwise whether |input - other| <= atol + rtol |other|.

    Args:
        input, other: tensors of one dtype, broadcast.
        rtol, atol: relative and absolute tolerance, not negative.
        equal_nan: count nan as close to nan.
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
    close = isclose(input, other, rtol, atol, equal_nan)._array
    needs_data("allclose", close)
    return bool(close.all())


# ----- nan, inf, sign -----

isnan = expose(ops.isnan)
isinf = expose(ops.isinf)
isfinite = expose(ops.isfinite)
isposinf = expose(ops.isposinf)
isneginf = expose(ops.isneginf)
isreal = expose(ops.isreal)
signbit = expose(ops.signbit)
_heaviside, _heaviside_ = expose(ops.heaviside)


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

logical_not, logical_not_ = expose(ops.logical_not)
logical_and, logical_and_ = expose(ops.logical_and)
logical_or, logical_or_ = expose(ops.logical_or)
logical_xor, logical_xor_ = expose(ops.logical_xor)

# ----- Bitwise -----

bitwise_not, bitwise_not_ = expose(ops.bitwise_not)
bitwise_and, bitwise_and_ = expose(ops.bitwise_and)
bitwise_or, bitwise_or_ = expose(ops.bitwise_or)
bitwise_xor, bitwise_xor_ = expose(ops.bitwise_xor)
bitwise_left_shift, bitwise_left_shift_ = expose(ops.bitwise_left_shift)
bitwise_right_shift, bitwise_right_shift_ = expose(ops.bitwise_right_shift)
