"""The running averages that several optimizers keep."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["average", "average_square"]

Array = np.ndarray[Any, Any]


def average(m: Array, g: Array, weight: float, w: Array) -> None:
    """Let m = m + weight (g - m), counted from the nearer end as by lerp; w is memory to compute in."""
    np.subtract(g, m, out=w)
    if abs(weight) < 0.5:
        w *= weight
        m += w
    else:
        w *= 1 - m.dtype.type(weight)
        np.subtract(g, w, out=m)


def average_square(v: Array, g: Array, keep: float, w: Array) -> None:
    """Let v = keep v + (1 - keep) g^2; w is memory to compute in."""
    np.multiply(g, g, out=w)
    w *= 1 - keep
    v *= keep
    v += w
