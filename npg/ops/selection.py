"""Ops that choose between values: where, mask, maximum and minimum, clamp."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.kernels.moving import choose, keep_where
from npg.ops._kinds import ELEMENTWISE
from npg.ops._op import ARITHMETIC, elementwise, movement, primitive, ufunc
from npg.ops.shape import overload

# ----- Masks -----


@movement(lambda g, _y, _x, keep: mask(g, keep), None, broadcasts=True, kind=ELEMENTWISE, aten=None)
def mask(input: Any, keep: Any) -> Any:
    """Return the input where keep is true, else 0, also where the input is inf or nan."""
    return keep_where(np.asarray(keep), np.asarray(input))


@movement(
    None,
    lambda g, _y, condition, _a, _b: mask(g, condition),
    lambda g, _y, condition, _a, _b: mask(g, ~condition),
    broadcasts=True,
    kind=ELEMENTWISE,
)
def where(condition: Any, input: Any, other: Any) -> Any:
    """Return input where the bool condition is true, else other."""
    return choose(condition, input, other)


# ----- Maximum and minimum -----


@ufunc(
    np.maximum,
    lambda g, _y, a, b: mask(where(a == b, g * 0.5, g), ~(a < b)),
    lambda g, _y, a, b: mask(where(a == b, g * 0.5, g), ~(a > b)),
    in_place=False,
)
def maximum(input: Any, other: Any) -> Any:
    """Return the larger of the two; nan where one is nan. Equal elements share the gradient."""


@ufunc(
    np.minimum,
    lambda g, _y, a, b: mask(where(a == b, g * 0.5, g), ~(a > b)),
    lambda g, _y, a, b: mask(where(a == b, g * 0.5, g), ~(a < b)),
    in_place=False,
)
def minimum(input: Any, other: Any) -> Any:
    """Return the smaller of the two; nan where one is nan. Equal elements share the gradient."""


@ufunc(
    np.fmax,
    lambda g, _y, a, b: mask(g, (a >= b) | (b != b)),
    lambda g, _y, a, b: mask(g, ~((a >= b) | (b != b))),
    in_place=False,
)
def fmax(input: Any, other: Any) -> Any:
    """Return the larger of the two; where one is nan, the other. Of equal elements the first gets the gradient."""


@ufunc(
    np.fmin,
    lambda g, _y, a, b: mask(g, (a <= b) | (b != b)),
    lambda g, _y, a, b: mask(g, ~((a <= b) | (b != b))),
    in_place=False,
)
def fmin(input: Any, other: Any) -> Any:
    """Return the smaller of the two; where one is nan, the other. Of equal elements the first gets the gradient."""


# ----- Clamp -----


def _inside(x: Any, low: Any, high: Any) -> Any:
    return x <= high if low is None else x >= low if high is None else (x >= low) & (x <= high)


@primitive(
    lambda g, _y, x, *, low, high: mask(g, _inside(x, low, high)),
    promote=ARITHMETIC,
    node="Clamp",
    kind=ELEMENTWISE,
    numpy=(np.clip,),
)
def clamp(input: Any, *, low: Any, high: Any) -> Any:
    """Return the input limited to [low, high], numbers or None; high where low > high."""
    if low is None:
        return np.minimum(input, high)
    y = np.maximum(input, low)
    return y if high is None else np.minimum(y, high, out=y if isinstance(y, np.ndarray) else None)


@ufunc(
    np.maximum,
    lambda g, _y, x, low: mask(g, x >= low),
    lambda g, _y, x, low: mask(g, x < low),
    node="Clamp",
    aten="clamp",
    numpy=(),
)
def clamp_low(input: Any, low: Any) -> Any:
    """Return the input, at least low."""


@ufunc(
    np.minimum,
    lambda g, _y, x, high: mask(g, x <= high),
    lambda g, _y, x, high: mask(g, x > high),
    node="Clamp",
    aten="clamp",
    numpy=(),
)
def clamp_high(input: Any, high: Any) -> Any:
    """Return the input, at most high."""


@primitive(
    lambda g, _y, x, low, high: mask(g, (x >= low) & (x <= high)),
    lambda g, _y, x, low, high: mask(g, (low < high) & (x < low)),
    lambda g, _y, x, low, high: mask(g, (x > high) | (high < low)),
    promote=ARITHMETIC,
    broadcasts=True,
    node="Clamp",
    kind=ELEMENTWISE,
    aten="clamp",
)
def clamp_between(input: Any, low: Any, high: Any) -> Any:
    """Return the input limited to [low, high], tensors; high where low > high."""
    return np.minimum(np.maximum(input, low), high)


# clamp_min and clamp_max, with a number and with a tensor.
clamp.node_name = "ClampBackward1"
clamp_min = overload(clamp, "ClampMinBackward0", aten="clamp_min")
clamp_max = overload(clamp, "ClampMaxBackward0", aten="clamp_max")
clamp_min_tensor = overload(clamp_low, "ClampMinBackward1", aten="clamp_min")
clamp_max_tensor = overload(clamp_high, "ClampMaxBackward1", aten="clamp_max")

elementwise(mask, where, clamp_between)
elementwise(clamp, clamp_min, clamp_max, forward=False)
