"""Comparisons, tests for nan and inf, logical and bitwise ops. They have no gradient, except when written in place."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from npg.ops._dtypes import only_integers, refuse_floats
from npg.ops._kinds import ELEMENTWISE
from npg.ops._op import ARITHMETIC, COMPARISON, Op, elementwise, movement, primitive, ufunc
from npg.ops.elementwise import not_implemented, zeros
from npg.ops.indexing import like_dtype

# ----- Comparisons -----


@ufunc(np.equal, promote=COMPARISON, exact=True)
def eq(input: Any, other: Any) -> Any:
    """Return whether input == other, elementwise."""


@ufunc(np.not_equal, promote=COMPARISON, exact=True)
def ne(input: Any, other: Any) -> Any:
    """Return whether input != other, elementwise."""


@ufunc(np.less, promote=COMPARISON, exact=True)
def lt(input: Any, other: Any) -> Any:
    """Return whether input < other, elementwise."""


@ufunc(np.less_equal, promote=COMPARISON, exact=True)
def le(input: Any, other: Any) -> Any:
    """Return whether input <= other, elementwise."""


@ufunc(np.greater, promote=COMPARISON, exact=True)
def gt(input: Any, other: Any) -> Any:
    """Return whether input > other, elementwise."""


@ufunc(np.greater_equal, promote=COMPARISON, exact=True)
def ge(input: Any, other: Any) -> Any:
    """Return whether input >= other, elementwise."""


def _written(comparison: Op) -> Op:
    """Return the op of a comparison's in-place form: a step function, whose gradient is zero.

    The comparison itself gives bools and needs no history; an input that is overwritten must lose its own.
    """

    def to_input(g: Any, _y: Any, _input: Any, _other: Any) -> Any:
        return zeros(g)

    def to_other(g: Any, _y: Any, _input: Any, other_like: Any) -> Any:  # g has the dtype that both promote to
        return like_dtype(zeros(g), other_like.dtype)

    return ufunc(comparison.forward, to_input, to_other, promote=COMPARISON, exact=True)(comparison._declared)


for _comparison in (eq, ne, lt, le, gt, ge):
    _comparison.in_place = _written(_comparison)


@primitive(broadcasts=True, kind=ELEMENTWISE)
def isclose(input: Any, other: Any, *, rtol: float, atol: float, equal_nan: bool) -> Any:
    """Return whether |input - other| <= atol + rtol |other|, or both are the same infinity."""
    close = input == other
    if input.dtype.kind != "f":
        input, other = input.astype(np.int64), other.astype(np.int64)  # uint8 differences would wrap around
        return close | (np.abs(input - other) <= atol + np.abs(rtol * other))
    if equal_nan:
        close |= (input != input) & (other != other)
    if rtol == 0 and atol == 0:
        return close
    difference = np.abs(input - other)
    return close | (np.isfinite(difference) & (difference <= atol + np.abs(rtol * other)))


# ----- nan and inf -----


@ufunc(np.isnan, promote=None, exact=True, in_place=False, takes_out=False)
def isnan(input: Any) -> Any:
    """Return whether each element is nan."""


@ufunc(np.isinf, promote=None, exact=True, in_place=False, takes_out=False)
def isinf(input: Any) -> Any:
    """Return whether each element is inf or -inf."""


@ufunc(np.isfinite, promote=None, exact=True, in_place=False, takes_out=False)
def isfinite(input: Any) -> Any:
    """Return whether each element is neither inf nor nan."""


@movement(kind=ELEMENTWISE, in_place=False)
def isposinf(input: Any) -> Any:
    """Return whether each element is inf."""
    return input == np.inf


@movement(kind=ELEMENTWISE, in_place=False)
def isneginf(input: Any) -> Any:
    """Return whether each element is -inf."""
    return input == -np.inf


@movement(kind=ELEMENTWISE, in_place=False, takes_out=False)
def isreal(input: Any) -> Any:
    """Return True for each element: there are no complex dtypes."""
    return np.ones(input.shape, bool)


@movement(kind=ELEMENTWISE, numpy=(np.signbit,), in_place=False)
def signbit(input: Any) -> Any:
    """Return whether each element's sign bit is set; -0.0 counts as negative."""
    return np.signbit(input) if input.dtype.kind == "f" else input < 0


for _op in (isposinf, isneginf, signbit):
    _op.out_text = f"{_op.name} does not support non-boolean outputs."


# ----- Logical -----


@ufunc(np.logical_not, promote=None, exact=True)
def logical_not(input: Any) -> Any:
    """Return whether each element is zero."""


@ufunc(np.logical_and, promote=None, exact=True)
def logical_and(input: Any, other: Any) -> Any:
    """Return whether both are nonzero."""


@ufunc(np.logical_or, promote=None, exact=True)
def logical_or(input: Any, other: Any) -> Any:
    """Return whether one is nonzero."""


@ufunc(np.logical_xor, promote=None, exact=True)
def logical_xor(input: Any, other: Any) -> Any:
    """Return whether exactly one is nonzero."""


# ----- Bitwise -----


def _of_bits(forward: np.ufunc, kernel: str, bools: bool = True) -> Callable[[Callable[..., Any]], Op]:
    """Declare an op on the bits of integers, computed by a NumPy ufunc.

    Args:
        kernel: PyTorch's name for it, in what refuses floats.
        bools: whether it takes bools too.
    """

    def compute(*operands: Any) -> Any:
        refuse_floats(kernel, *operands)  # again: Op.refuses does not see operands that are all of one floating dtype
        return forward(*operands)

    def declare(function: Callable[..., Any]) -> Op:
        # Integers have no gradient. The rule is never called: it refuses floats that require one.
        rules = [not_implemented(function.__name__)] * forward.nin
        facts = {"promote": ARITHMETIC, "kind": ELEMENTWISE, "numpy": (forward,), "broadcasts": forward.nin > 1}
        op = movement(*rules, **facts)(functools.wraps(function)(compute))
        if forward.nin > 1:
            op.refuses(only_integers(kernel, bools=bools))
        return op

    return declare


@_of_bits(np.invert, "bitwise_not_cpu")
def bitwise_not(input: Any) -> Any:
    """Return the input with every bit flipped; of bools the negation."""


@_of_bits(np.bitwise_and, "bitwise_and_cpu")
def bitwise_and(input: Any, other: Any) -> Any:
    """Return the bitwise and; of bools the logical one."""


@_of_bits(np.bitwise_or, "bitwise_or_cpu")
def bitwise_or(input: Any, other: Any) -> Any:
    """Return the bitwise or; of bools the logical one."""


@_of_bits(np.bitwise_xor, "bitwise_xor_cpu")
def bitwise_xor(input: Any, other: Any) -> Any:
    """Return the bitwise exclusive or; of bools the logical one."""


@_of_bits(np.left_shift, "lshift_cpu", bools=False)
def bitwise_left_shift(input: Any, other: Any) -> Any:
    """Return input * 2**other, 0 when other is as large as the number of bits."""


@_of_bits(np.right_shift, "rshift_cpu", bools=False)
def bitwise_right_shift(input: Any, other: Any) -> Any:
    """Return floor(input / 2**other)."""


# ----- Steps -----


@primitive(
    not_implemented("heaviside"),
    not_implemented("heaviside"),
    promote=ARITHMETIC,
    broadcasts=True,
    kind=ELEMENTWISE,
    numpy=(np.heaviside,),
)
def heaviside(input: Any, values: Any) -> Any:
    """Return 0 for negative input and for nan, 1 for positive, and values where the input is 0."""
    return np.where(input == 0, values, (input > 0).astype(input.dtype))


heaviside.node_name = "NotImplemented"

elementwise(isclose, heaviside)
