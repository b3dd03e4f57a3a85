"""Elementwise arithmetic, powers, exponentials, trigonometry and rounding: one declaration per op, the simple first."""

from __future__ import annotations

import math

import numpy as np

from npg.ops._op import ARITHMETIC, FLOAT, primitive, ufunc

# ----- Copies and casts -----


@primitive(lambda g, _y, _x: g)
def clone(input):
    """Return a copy of the input."""
    return input.copy(order="K")


@primitive(lambda g, _y, x_like, *, dtype: cast(g, dtype=x_like.dtype), node="ToCopy")
def cast(input, *, dtype):
    """Return the input in another dtype."""
    return input.astype(dtype)


# ----- Arithmetic -----


@ufunc(np.negative, lambda g, _y, _x: -g)
def neg(input):
    """Return the input with its sign changed."""


@ufunc(np.add, lambda g, _y, _a, _b: g, lambda g, _y, _a, _b: g)
def add(input, other):
    """Return input + other."""


@ufunc(np.subtract, lambda g, _y, _a, _b: g, lambda g, _y, _a, _b: -g)
def sub(input, other):
    """Return input - other."""


@ufunc(np.multiply, lambda g, _y, _a, b: g * b, lambda g, _y, a, _b: g * a)
def mul(input, other):
    """Return input * other."""


@ufunc(np.true_divide, lambda g, _y, _a, b: g / b, lambda g, y, _a, b: -g * y / b, promote=FLOAT)
def div(input, other):
    """Return input / other; two integers give the default floating dtype."""


# ----- Exponentials and logarithms -----


@ufunc(np.exp, lambda g, y, _x: g * y, promote=FLOAT)
def exp(input):
    """Return e to the power of each element."""


@ufunc(np.log, lambda g, _y, x: g / x, promote=FLOAT)
def log(input):
    """Return the natural logarithm of each element."""
