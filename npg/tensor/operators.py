"""The operators of Tensor: `x + y` is `npg.add(x, y)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from npg import functional as F
from npg.engine import TensorBase, register_operators
from npg.functional._public import augmented, operator, reflected
from npg.ops import comparison, elementwise
from npg.tensor.methods import Methods

__all__ = ["Operators"]

# PyTorch's graph has nodes of their own for tensors on the right.
_mod, _mod_tensor = operator(elementwise.remainder), operator(elementwise.remainder_tensor)
_imod, _imod_tensor = augmented(elementwise.remainder), augmented(elementwise.remainder_tensor)
_pow, _pow_tensor = operator(elementwise.pow), operator(elementwise.pow_tensor)
_ipow, _ipow_tensor = augmented(elementwise.pow), augmented(elementwise.pow_tensor)


class Operators(Methods):
    """What stands for Tensor on either side of an operator."""

    if TYPE_CHECKING:  # the engine keeps these, see below

        def __add__(self, other: Any) -> Self: ...
        def __radd__(self, other: Any) -> Self: ...
        def __sub__(self, other: Any) -> Self: ...
        def __rsub__(self, other: Any) -> Self: ...
        def __mul__(self, other: Any) -> Self: ...
        def __rmul__(self, other: Any) -> Self: ...
        def __truediv__(self, other: Any) -> Self: ...
        def __rtruediv__(self, other: Any) -> Self: ...
        def __neg__(self) -> Self: ...

    __abs__ = operator(elementwise.abs)
    __iadd__ = augmented(elementwise.add)
    __isub__ = augmented(elementwise.sub)
    __imul__ = augmented(elementwise.mul)
    __itruediv__ = augmented(elementwise.div)
    __floordiv__ = operator(elementwise.floor_divide)
    __rfloordiv__ = reflected(elementwise.floor_divide)
    __ifloordiv__ = augmented(elementwise.floor_divide)
    __rmod__ = reflected(elementwise.remainder)
    __rpow__ = reflected(elementwise.rpow)
    __and__ = operator(comparison.bitwise_and)
    __rand__ = reflected(comparison.bitwise_and)
    __iand__ = augmented(comparison.bitwise_and)
    __or__ = operator(comparison.bitwise_or)
    __ror__ = reflected(comparison.bitwise_or)
    __ior__ = augmented(comparison.bitwise_or)
    __xor__ = operator(comparison.bitwise_xor)
    __rxor__ = reflected(comparison.bitwise_xor)
    __ixor__ = augmented(comparison.bitwise_xor)
    __lshift__ = operator(comparison.bitwise_left_shift)
    __rlshift__ = reflected(comparison.bitwise_left_shift)
    __ilshift__ = augmented(comparison.bitwise_left_shift)
    __rshift__ = operator(comparison.bitwise_right_shift)
    __rrshift__ = reflected(comparison.bitwise_right_shift)
    __irshift__ = augmented(comparison.bitwise_right_shift)
    __eq__ = operator(comparison.eq)  # type: ignore[assignment]  # object has bools
    __ne__ = operator(comparison.ne)  # type: ignore[assignment]
    __lt__ = operator(comparison.lt)
    __le__ = operator(comparison.le)
    __gt__ = operator(comparison.gt)
    __ge__ = operator(comparison.ge)
    __hash__ = object.__hash__  # by identity: == compares the elements

    def __mod__(self, other: Any) -> Self:
        return (_mod_tensor if isinstance(other, TensorBase) else _mod)(self, other)

    def __imod__(self, other: Any) -> Self:
        return (_imod_tensor if isinstance(other, TensorBase) else _imod)(self, other)

    def __pow__(self, exponent: Any) -> Self:
        return (_pow_tensor if isinstance(exponent, TensorBase) else _pow)(self, exponent)

    def __ipow__(self, exponent: Any) -> Self:
        return (_ipow_tensor if isinstance(exponent, TensorBase) else _ipow)(self, exponent)

    def __pos__(self) -> Self:
        if self._array.dtype.kind == "b":
            raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
        return self

    def __invert__(self) -> Self:
        if self._array.dtype.kind == "f":
            raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
        return F.bitwise_not(self)

    def __matmul__(self, other: Any) -> Self:
        return F.matmul(self, other) if isinstance(other, (TensorBase, np.ndarray)) else NotImplemented

    def __rmatmul__(self, other: Any) -> Any:
        return F.matmul(other, self) if isinstance(other, (TensorBase, np.ndarray)) else NotImplemented


def _divided_into(self: Any, other: Any) -> Any:
    if isinstance(other, (TensorBase, np.ndarray)):
        return F.div(other, self)
    return F.reciprocal(self) * other  # rounded twice, as PyTorch does


register_operators(
    {
        "__add__": operator(elementwise.add),
        "__radd__": reflected(elementwise.add),
        "__sub__": operator(elementwise.sub),
        "__rsub__": reflected(elementwise.rsub),
        "__mul__": operator(elementwise.mul),
        "__rmul__": reflected(elementwise.mul),
        "__truediv__": operator(elementwise.div),
        "__rtruediv__": _divided_into,
        "__neg__": operator(elementwise.neg),
    }
)
