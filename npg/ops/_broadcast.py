"""Undoing broadcasts: the one place where a gradient is summed back to the shape of the input it belongs to."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.kernels.sums import add_up


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Return g summed over the dimensions along which an input of this shape was broadcast.

    Args:
        g: ndarray or Tensor whose shape `shape` broadcasts to.
        shape: the shape of the input.
    Returns: an array of exactly that shape; g itself when there is nothing to sum.
    """
    if g.shape == shape:
        return g
    lead = len(g.shape) - len(shape)
    axes = tuple(range(lead)) + tuple(
        i + lead for i, n in enumerate(shape) if n == 1 and g.shape[i + lead] != 1
    )  # fmt: skip
    if axes:
        if isinstance(g, np.ndarray) and g.dtype.kind == "f":
            g = add_up(g, axes, True).astype(g.dtype, copy=False)
        else:
            g = np.sum(g, axis=axes, keepdims=True)
    return np.reshape(g, shape) if lead else g
