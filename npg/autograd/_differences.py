"""The numerical half of gradcheck: differences of function values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from npg._floating import silent
from npg.engine import no_grad
from npg.tensor import Tensor

Array = np.ndarray[Any, Any]


def sequence(values: Any) -> tuple[Any, ...]:
    """Return a tuple of the items of a list or tuple, or of a single value."""
    return tuple(values) if isinstance(values, Sequence) and not isinstance(values, Tensor) else (values,)


def values(func: Callable[..., Any], inputs: tuple[Any, ...]) -> list[Array]:
    with no_grad():
        outputs = sequence(func(*inputs))
    return [np.array(y._array, np.float64) for y in outputs if isinstance(y, Tensor) and y._array.dtype.kind == "f"]


def difference(func: Callable[..., Any], inputs: tuple[Any, ...], x: Tensor, step: Array, eps: float) -> list[Array]:
    """Return (f(x + eps step) - f(x - eps step)) / (2 eps) of every floating output; x is restored."""
    array = x._array
    original = array.copy()
    try:
        array[...] = original + eps * step
        above = values(func, inputs)
        array[...] = original - eps * step
        below = values(func, inputs)
    finally:
        array[...] = original
    with silent():
        return [(a - b) / (2 * eps) for a, b in zip(above, below, strict=True)]


def numerical_jacobian(func: Callable[..., Any], inputs: tuple[Any, ...], x: Tensor, eps: float) -> list[Array]:
    """Return the Jacobian of every floating output with respect to x: (elements of x, elements of the output)."""
    rows = []
    for place in np.ndindex(x._array.shape):
        step = np.zeros_like(x._array)
        step[place] = 1
        rows.append([d.reshape(-1) for d in difference(func, inputs, x, step, eps)])
    outputs = values(func, inputs)
    return [np.array([row[i] for row in rows]).reshape(x.numel(), y.size) for i, y in enumerate(outputs)]
