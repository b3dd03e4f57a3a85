"""Choosing between values: where, maximum and minimum, clamp."""

from __future__ import annotations

from typing import Any, overload

import numpy as np

from npg import dtypes
from npg._naming import named
from npg._words import scalar_name
from npg.engine import TensorBase, apply, apply_in_place, array_of, wrap
from npg.functional._factory import fill_number
from npg.functional._forms import expose
from npg.functional._public import as_tensor_input, public_function, to_dtype
from npg.functional._types import T
from npg.kernels.meta import needs_data
from npg.ops import selection as ops

# ----- Where -----


@overload
def where(condition: T) -> tuple[T, ...]: ...
@overload
def where(condition: T, input: Any, other: Any, *, out: Any = ...) -> T: ...
@public_function
def where(condition: Any, input: Any = None, other: Any = None, *, out: Any = None) -> Any:
    """Return input where condition is true, else other; with condition alone, the indices where it is true.

    Args:
        condition: bool tensor.
        input, other: tensors or numbers, broadcast with condition.
        out: a tensor to write to.
    Returns: common dtype of input and other; with condition alone, a tuple of int64 tensors, one per dimension.
    Raises: RuntimeError: when condition is not bool. TypeError: when only one of input and other is given.
    Source: torch.where.
    """
    chosen = array_of(as_tensor_input("where", condition, "condition"))
    if input is None and other is None:
        needs_data("nonzero", chosen)
        return tuple(wrap(i) for i in np.nonzero(np.atleast_1d(chosen)))
    if input is None or other is None:
        raise TypeError("where(): expected condition alone or condition, input and other, got one of input and other")
    if chosen.dtype == np.uint8:
        chosen = condition = chosen.astype(bool)
    if chosen.dtype != bool:
        kind = scalar_name(chosen)
        raise RuntimeError(f"where expected condition to be a boolean tensor, but got a tensor with dtype {kind}")
    operands = [x.item() if isinstance(x, np.generic) else x for x in (input, other)]
    common = dtypes.common_dtype([array_of(x) for x in operands]).dtype
    if not any(map(_has_dtype, operands)):
        operands[0] = np.asarray(operands[0], common)
    if common != np.float16:  # for which PyTorch turns a number that is too large into inf
        operands = [x if _has_dtype(x) else fill_number(x, common) for x in operands]
    operands = [to_dtype(x, common) for x in operands]
    return apply(ops.where, (condition, *operands), {})


def _has_dtype(x: Any) -> bool:
    return isinstance(x, (TensorBase, np.ndarray))


# ----- Maximum and minimum -----

maximum = expose(ops.maximum)
minimum = expose(ops.minimum)
fmax = expose(ops.fmax)
fmin = expose(ops.fmin)

# ----- Clamp -----

# For each function: the op with numbers, and the pairs (out of place, in place) with a lower and an upper bound.
_CLAMP = (ops.clamp, expose(ops.clamp_low), expose(ops.clamp_high))
_CLAMP_MIN = (ops.clamp_min, expose(ops.clamp_min_tensor), None)
_CLAMP_MAX = (ops.clamp_max, None, expose(ops.clamp_max_tensor))
_between = expose(ops.clamp_between)


def _number(bound: Any) -> Any:
    # Beside a number, a 0-d tensor without a gradient counts as a number, as in PyTorch.
    if isinstance(bound, np.generic) or (isinstance(bound, np.ndarray) and bound.ndim == 0):
        return bound.item()
    if isinstance(bound, TensorBase) and bound._array.ndim == 0 and not bound.requires_grad:
        return bound._array.item()
    return bound


def _bound(b: Any, dtype: Any) -> Any:
    """Return a bound as a number of the computation's dtype; a negative one wraps around in an unsigned dtype."""
    if b is None:
        return None
    bound = fill_number(b, dtype)  # raises where it does not fit
    return bound.item() if dtype.kind in "iu" else b


def _clamp(name: str, forms: Any, input: Any, low: Any, high: Any, in_place: bool) -> Any:
    x = array_of(as_tensor_input(name, input))
    if low is None and high is None:
        raise RuntimeError(named(f"npg.{name}: At least one of 'min' or 'max' must not be None"))
    if isinstance(low, (int, float)) or isinstance(high, (int, float)):
        low, high = _number(low), _number(high)
    by_numbers, below, above = forms
    if all(b is None or isinstance(b, (int, float)) for b in (low, high)):
        bounds = [b for b in (low, high) if b is not None]
        common = dtypes.common_dtype((x, *bounds))
        if common is dtypes.bool_:
            kernel = "clamp_min_scalar" if high is None else "clamp_max_scalar" if low is None else "clamp_scalar"
            raise NotImplementedError(f"\"{kernel}_cpu\" not implemented for 'Bool'")
        low, high = _bound(low, common.dtype), _bound(high, common.dtype)
        if x.dtype.kind == "f" or (all(isinstance(b, int) for b in bounds) and x.dtype != bool):
            settings = {"low": low, "high": high}
            return apply_in_place(by_numbers, (input,), settings) if in_place else apply(by_numbers, (input,), settings)
    if high is None:
        return below[in_place](input, low)
    if low is None:
        return above[in_place](input, high)
    return _between[in_place](input, low, high)


@public_function
def clamp(input: T, min: Any = None, max: Any = None, *, out: Any = None) -> T:
    """Return the input limited to [min, max].

    Args:
        input: any shape.
        min, max: numbers or tensors that broadcast with the input; one may be None. If min > max the result is max.
    Returns: the common dtype. The gradient at the limits is 1.
    Raises: RuntimeError: when both are None.
    Source: torch.clamp.
    """
    return _clamp("clamp", _CLAMP, input, min, max, False)


@public_function
def clamp_(input: T, min: Any = None, max: Any = None) -> T:
    """Limit the input in place; see clamp. Source: torch.Tensor.clamp_."""
    return _clamp("clamp", _CLAMP, input, min, max, True)


@public_function
def clamp_min(input: T, min: Any, *, out: Any = None) -> T:
    """Return the input limited to at least min, a number or tensor. Source: torch.clamp_min."""
    return _clamp("clamp_min", _CLAMP_MIN, input, min, None, False)


@public_function
def clamp_min_(input: T, min: Any) -> T:
    """Raise the input to at least min in place. Source: torch.Tensor.clamp_min_."""
    return _clamp("clamp_min", _CLAMP_MIN, input, min, None, True)


@public_function
def clamp_max(input: T, max: Any, *, out: Any = None) -> T:
    """Return the input limited to at most max, a number or tensor. Source: torch.clamp_max."""
    return _clamp("clamp_max", _CLAMP_MAX, input, None, max, False)


@public_function
def clamp_max_(input: T, max: Any) -> T:
    """Lower the input to at most max in place. Source: torch.Tensor.clamp_max_."""
    return _clamp("clamp_max", _CLAMP_MAX, input, None, max, True)


clip, clip_ = clamp, clamp_
