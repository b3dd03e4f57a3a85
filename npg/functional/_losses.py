"""The reductions of losses, and their checks."""

from __future__ import annotations

from operator import index
from typing import Any

from npg._errors import warn
from npg.functional.reduction import mean, sum

# ----- Reduction -----

_REDUCTIONS = ("none", "mean", "sum")


def checked_reduction(reduction: Any, size_average: Any = None, reduce: Any = None) -> str:
    """Return the reduction, which the older size_average and reduce override.

    Raises: ValueError: when there is no such reduction.
    """
    if size_average is not None or reduce is not None:
        averages = size_average is None or size_average
        reduction = "none" if reduce is not None and not reduce else "mean" if averages else "sum"
        warn(f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.")
    if reduction not in _REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def reduction_number(reduction: Any, size_average: Any = None, reduce: Any = None) -> int:
    """Return the reduction as a number, as in the torch namespace: 0 for none, 1 for mean, 2 for sum."""
    return _REDUCTIONS.index(checked_reduction(reduction, size_average, reduce))


def reduction_name(number: int) -> str:
    """Return the name of a numbered reduction; an unknown number does not reduce."""
    return _REDUCTIONS[number] if index(number) in (1, 2) else "none"


def reduced(losses: Any, reduction: str) -> Any:
    """Return the losses after the reduction."""
    return losses if reduction == "none" else sum(losses) if reduction == "sum" else mean(losses)
