"""The running average of squares, which several optimizers keep."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["average_square"]

Array = np.ndarray[Any, Any]


def average_square(v: Array, g: Array, keep: float, w: Array) -> None:
    """Let v = keep v + (1 - keep) g^2; w is memory to compute in."""
    np.multiply(g, g, out=w)
    w *= 1 - keep
    v *= keep
    v += w
