"""What losses share: how they are reduced, and what they refuse."""

from __future__ import annotations

from typing import Any

from npg._errors import warn
from npg._words import shape_text
from npg.functional.reduction import mean, sum

# ----- Reduction -----


def checked_reduction(reduction: Any, size_average: Any = None, reduce: Any = None) -> str:
    """Return the reduction that is meant.

    Raises: ValueError: when there is no such.
    """
    if size_average is not None or reduce is not None:
        averages = size_average is None or size_average
        reduction = "none" if reduce is False else "mean" if averages else "sum"
        warn(f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.")
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def reduced(losses: Any, reduction: str) -> Any:
    """Return the losses as the result."""
    return losses if reduction == "none" else sum(losses) if reduction == "sum" else mean(losses)


def sizes(shape: tuple[int, ...]) -> str:
    """Return a shape as PyTorch prints a Size."""
    return f"npg.Size({shape_text(shape)})"
