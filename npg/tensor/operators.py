"""Operators of Tensor that are more than one function, and those that the engine implements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from npg import functional as F
from npg.engine import TensorBase, register_operators
from npg.functional._public import augmented, operator, reflected
from npg.functional._types import T
from npg.ops import division, elementwise

_ARRAYS: Any = (TensorBase, np.ndarray)  # ndarrays count as constants

# PyTorch's graph has separate nodes for tensors on the right.
_mod, _mod_tensor = operator(division.remainder), operator(division.remainder_tensor)
_imod, _imod_tensor = augmented(division.remainder), augmented(division.remainder_tensor)
_pow, _pow_tensor = operator(elementwise.pow), operator(elementwise.pow_tensor)
_ipow, _ipow_tensor = augmented(elementwise.pow), augmented(elementwise.pow_tensor)


def mod(tensor: T, other: Any) -> T:
    """Return `tensor % other`."""
    return (_mod_tensor if isinstance(other, TensorBase) else _mod)(tensor, other)


def imod(tensor: T, other: Any) -> T:
    """Return `tensor %= other`."""
    return (_imod_tensor if isinstance(other, TensorBase) else _imod)(tensor, other)


def pow(tensor: T, exponent: Any) -> T:
    """Return `tensor ** exponent`."""
    return (_pow_tensor if isinstance(exponent, TensorBase) else _pow)(tensor, exponent)


def ipow(tensor: T, exponent: Any) -> T:
    """Return `tensor **= exponent`."""
    return (_ipow_tensor if isinstance(exponent, TensorBase) else _ipow)(tensor, exponent)


def pos(tensor: T) -> T:
    """Return `+tensor`."""
    if tensor._array.dtype.kind == "b":
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return tensor


def invert(tensor: T) -> T:
    """Return `~tensor`."""
    if tensor._array.dtype.kind == "f":
        raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
    return F.bitwise_not(tensor)


def matmul(tensor: T, other: Any) -> T:
    """Return `tensor @ other`."""
    return F.matmul(tensor, other) if isinstance(other, _ARRAYS) else NotImplemented


def rmatmul(tensor: Any, other: Any) -> Any:
    """Return `other @ tensor`."""
    return F.matmul(other, tensor) if isinstance(other, _ARRAYS) else NotImplemented


# ----- As a container -----


def length(tensor: TensorBase) -> int:
    """Return the size of the first dimension."""
    if not tensor._array.ndim:
        raise TypeError("len() of a 0-d tensor")
    return tensor._array.shape[0]


def iterator(tensor: Any) -> Iterator[Any]:
    """Return an iterator of the views along the first dimension."""
    if not tensor.dim():  # asked by its name, so that classes and modes are
        raise TypeError("iteration over a 0-d tensor")
    return iter(tensor.unbind(0))


def backwards(tensor: T) -> T:
    """Return a copy that runs backwards along the first dimension."""
    return F.flip(tensor, (0,)) if tensor._array.ndim else tensor


def contains(tensor: TensorBase, element: Any) -> bool:
    """Tell whether an element is equal to this one."""
    if isinstance(element, (TensorBase, bool, int, float, np.generic)):
        return bool(F.eq(tensor, element)._array.any())
    raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")


# ----- Of the engine -----


def _divided_into(self: Any, other: Any) -> Any:
    if isinstance(other, _ARRAYS):
        return F.div(other, self)
    try:
        return F.reciprocal(self) * other  # rounded twice, as in PyTorch
    except TypeError:
        return NotImplemented


register_operators(
    {
        "__add__": operator(elementwise.add),
        "__radd__": reflected(elementwise.add),
        "__sub__": operator(elementwise.sub),
        "__rsub__": reflected(elementwise.rsub),
        "__mul__": operator(elementwise.mul),
        "__rmul__": reflected(elementwise.mul),
        "__truediv__": operator(division.div),
        "__rtruediv__": _divided_into,
        "__neg__": operator(elementwise.neg),
    }
)
