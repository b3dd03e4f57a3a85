"""Rounding to integers or decimals, the fractional part, and replacing nan and inf."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg.ops._dtypes import no_bool, no_integers
from npg.ops._kinds import ELEMENTWISE
from npg.ops._op import ARITHMETIC, elementwise, movement, primitive
from npg.ops.elementwise import zeros
from npg.ops.selection import mask
from npg.ops.shape import copied

# ----- To integers -----


def _round(function: Any, input: Any) -> Any:
    # NumPy 2.0 turns integers into float64 here.
    return function(input) if input.dtype.kind == "f" else input.copy()


@movement(lambda g, _y, _x: zeros(g), promote=ARITHMETIC, kind=ELEMENTWISE, numpy=(np.floor,))
def floor(input: Any) -> Any:
    """Return the largest integer that is not above each element."""
    return _round(np.floor, input)


@movement(lambda g, _y, _x: zeros(g), promote=ARITHMETIC, kind=ELEMENTWISE, numpy=(np.ceil,))
def ceil(input: Any) -> Any:
    """Return the smallest integer that is not below each element."""
    return _round(np.ceil, input)


@movement(lambda g, _y, _x: zeros(g), promote=ARITHMETIC, kind=ELEMENTWISE, numpy=(np.trunc,))
def trunc(input: Any) -> Any:
    """Return each element rounded towards zero."""
    return _round(np.trunc, input)


@movement(lambda g, _y, _x: zeros(g), promote=ARITHMETIC, kind=ELEMENTWISE, numpy=(np.rint,))
def round(input: Any) -> Any:
    """Return each element rounded to the nearest integer, halves to the even one."""
    return _round(np.rint, input)


floor.refuses(no_bool("floor_vml_cpu"))
ceil.refuses(no_bool("ceil_vml_cpu"))
trunc.refuses(no_bool("trunc_vml_cpu"))
round.refuses(no_bool("round_vml_cpu"))


# ----- To decimals -----


@primitive(lambda g, _y, _x, *, decimals: zeros(g), promote=ARITHMETIC, node="Round", kind=ELEMENTWISE, aten="round")
def round_decimals(input: Any, *, decimals: int) -> Any:
    """Return each element rounded to this many decimals; a negative number rounds before the point."""
    power = 10.0 ** math.fabs(decimals) if math.fabs(decimals) <= 308 else math.inf
    return np.rint(input * power) / power if decimals >= 0 else np.rint(input / power) * power


round_decimals.node_name = "RoundBackward1"
round_decimals.refuses(no_integers("round_cpu"))


@movement(lambda g, _y, _x: g, promote=ARITHMETIC, kind=ELEMENTWISE)
def frac(input: Any) -> Any:
    """Return the fractional part, with the input's sign."""
    return input - np.trunc(input)


frac.refuses(no_integers("frac_cpu"))


# ----- Replacing nan and infinities -----


@movement(lambda g, _y, x, *, nan, posinf, neginf: mask(g, np.isfinite(x)), kind=ELEMENTWISE)
def nan_to_num(input: Any, *, nan: float | None, posinf: float | None, neginf: float | None) -> Any:
    """Return the input with nan, inf and -inf replaced; None: by 0, and by the largest and smallest number."""
    if input.dtype.kind != "f":
        return input.copy()
    y = copied(input, input.dtype)
    return np.nan_to_num(y, copy=False, nan=0.0 if nan is None else nan, posinf=posinf, neginf=neginf)


elementwise(round_decimals, frac, nan_to_num)
