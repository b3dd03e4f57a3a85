"""Formatting of numbers: the unit of a time, significant figures.

Like PyTorch, it computes in float32, so that a time next to a power of ten gets the same unit and the same number of
figures.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

_SCALES = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
_ENGLISH = {"ns": "nanosecond", "us": "microsecond", "ms": "millisecond", "s": "second"}


def log10(x: float) -> float:
    """Return log10 of x rounded to float32, as a float32; -inf for 0, nan for negative numbers."""
    x = float(np.float32(x))
    # Not np.log10, whose last bit is wrong at 1e-3 and most other powers of ten.
    return float(np.float32(math.log10(x))) if x > 0 else -math.inf if x == 0 else math.nan


def select_unit(t: float) -> tuple[str, float]:
    """Return the unit in which a time is a number from 1 to 1000, and that unit in seconds.

    Args:
        t: seconds, positive. Times below 1 ns are given in seconds.
    Source: torch.utils.benchmark.select_unit.
    """
    unit = {-3: "ns", -2: "us", -1: "ms"}.get(int(log10(t) // 3), "s")
    return unit, _SCALES[unit]


def unit_to_english(u: str) -> str:
    """Return the name of a unit of select_unit. Source: torch.utils.benchmark.unit_to_english."""
    return _ENGLISH[u]


def trim_sigfig(x: float, n: int) -> float:
    """Round x to n significant figures: trim_sigfig(3.14159, 2) is the float32 next to 3.1.

    Raises: AssertionError: when n is no integer. OverflowError: when x is 0.
    Source: torch.utils.benchmark.trim_sigfig.
    """
    if n != int(n):
        raise AssertionError("Number of significant figures must be an integer")
    scale = 10 ** (math.ceil(log10(abs(x))) - n)
    return float(np.round(np.float32(x / scale)) * np.float32(scale))


def ordered_unique(elements: Iterable[Any]) -> list[Any]:
    """Return the elements without repetitions, in order of first appearance."""
    return list(dict.fromkeys(elements))
