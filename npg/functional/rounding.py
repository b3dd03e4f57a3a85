"""Rounding, and replacement of nan and inf."""

from __future__ import annotations

from typing import Any

from npg._errors import OUT_DTYPE_FOUND
from npg.functional._forms import expose, run
from npg.functional._public import public_function, writes
from npg.functional._types import T
from npg.ops import rounding

# ----- Rounding -----

floor, floor_ = expose(rounding.floor)
ceil, ceil_ = expose(rounding.ceil)
trunc, trunc_ = fix, fix_ = expose(rounding.trunc)
frac, frac_ = expose(rounding.frac)
_round, _round_ = expose(rounding.round)


@public_function
@writes(OUT_DTYPE_FOUND)
def round(input: T, *, decimals: int = 0, out: Any = None) -> T:
    """Return each element rounded to this number of decimals, halves to even.

    Args:
        input: any shape; floating if decimals is not 0.
        decimals: negative numbers round to the left of the point.
    Source: torch.round.
    """
    return run(rounding.round_decimals, (input,), decimals=decimals) if decimals else _round(input)


@public_function
def round_(input: T, *, decimals: int = 0) -> T:
    """Round the input in place; see round. Source: torch.Tensor.round_."""
    return run(rounding.round_decimals, (input,), True, decimals=decimals) if decimals else _round_(input)


@public_function
@writes("nan_to_num: dtype of out: {wanted} should be same as input: {result}")
def nan_to_num(
    input: T, nan: float | None = None, posinf: float | None = None, neginf: float | None = None, *, out: Any = None
) -> T:
    """Return the input with nan, inf and -inf replaced by numbers.

    Args:
        input: any shape and dtype.
        nan: replaces nan; None means 0.
        posinf, neginf: replace inf and -inf; None means the dtype's largest and smallest number.
    Source: torch.nan_to_num.
    """
    return run(rounding.nan_to_num, (input,), nan=nan, posinf=posinf, neginf=neginf)


@public_function
def nan_to_num_(input: T, nan: float | None = None, posinf: float | None = None, neginf: float | None = None) -> T:
    """Replace nan and infinities in place; see nan_to_num. Source: torch.Tensor.nan_to_num_."""
    return run(rounding.nan_to_num, (input,), True, nan=nan, posinf=posinf, neginf=neginf)
