"""Integrals by the trapezoidal rule along one dimension."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg._words import type_name
from npg.engine import array_of
from npg.functional._arguments import checked_array, dim_index
from npg.functional._public import public_function, to_dtype
from npg.functional._types import T
from npg.functional.cumulative import cumsum
from npg.functional.reduction import sum
from npg.functional.shape import reshape
from npg.functional.split import narrow, select


def _checked(name: str, y: Any, x: Any, dx: Any, dim: Any) -> tuple[Any, int]:
    """Return the array of y and the dimension, when the arguments fit."""
    array = checked_array(name, y, "y")
    given = array_of(x) if x is not None else None
    if x is not None and (dx is not None or not isinstance(given, np.ndarray)) or not _is_number(dx):
        third = "" if dx is None else f", dx={type_name(dx)}"
        second = "" if x is None else ", Tensor" if isinstance(given, np.ndarray) else f", {type_name(x)}"
        raise TypeError(
            f"{name}() received an invalid combination of arguments - got (Tensor{second}{third}), but expected one "
            "of:\n * (Tensor y, Tensor x, *, int dim = -1)\n * (Tensor y, *, Number dx = 1, int dim = -1)\n"
        )
    own = "trapezoid" if name == "trapz" else name
    d = dim_index(name, dim, array.ndim)
    if not array.ndim:
        if name == "cumulative_trapezoid":
            raise IndexError("slice() cannot be applied to a 0-dim tensor.")
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    if array.shape[d] and (array.dtype == bool or given is not None and given.dtype == bool):
        which = "`y`" if given is None else "`x` or `y`"
        raise RuntimeError(f"{own}: received a bool input for {which}, but bool is not supported")
    if array.shape[d] and isinstance(dx, bool):
        raise RuntimeError(f"{own}: Currently, we only support dx as a real number.")
    return array, d


def _is_number(dx: Any) -> bool:
    array = array_of(dx)
    return dx is None or isinstance(dx, (int, float, np.number)) or isinstance(array, np.ndarray) and not array.ndim


def _between(x: Any, d: int) -> tuple[Any, Any]:
    """Return the later and the earlier ones of neighbours along a dimension."""
    count = max(array_of(x).shape[d] - 1, 0)
    return narrow(x, d, min(1, count), count), narrow(x, d, 0, count)


def _steps(name: str, x: Any, shape: tuple[int, ...], d: int) -> Any:
    """Return the distances of neighbouring places, along the same dimension as y's."""
    places = array_of(x).shape
    if len(places) == 1:
        if places[0] != shape[d]:
            raise RuntimeError(f"{name}: There must be one `x` value for each sample point")
        x = reshape(x, [-1 if i == d else 1 for i in range(len(shape))])
    elif len(places) < len(shape):
        x = reshape(x, (1,) * (len(shape) - len(places)) + places)
    later, earlier = _between(x, d)
    return later - earlier


@public_function
def trapezoid(y: T, x: Any = None, *, dx: Any = None, dim: int = -1) -> T:
    """Return the integral of sampled values by the trapezoidal rule: the sum of (x[i+1] - x[i]) (y[i] + y[i+1]) / 2.

    Args:
        y: the values, not bool.
        x: their places, one per value along dim, or of y's shape.
        dx: the distance of neighbours instead of x; None means 1.
        dim: the dimension.
    Returns: y's shape without dim, floating.
    Raises: TypeError: for x and dx together. RuntimeError: when the places do not fit the values, or are bool.
        IndexError: when y has no dimension.
    Source: torch.trapezoid.
    """
    return _trapezoid("trapezoid", y, x, dx, dim)


@public_function
def trapz(y: T, x: Any = None, *, dx: Any = None, dim: int = -1) -> T:
    """Return the integral of sampled values: the old name of trapezoid. Source: torch.trapz."""
    return _trapezoid("trapz", y, x, float(dx) if isinstance(dx, bool) else dx, dim)


def _trapezoid(name: str, y: Any, x: Any, dx: Any, dim: Any) -> Any:
    array, d = _checked(name, y, x, dx, dim)
    if not array.shape[d]:
        return to_dtype(sum(y, d), array.dtype)
    if x is None:
        ends = (select(y, d, 0) + select(y, d, -1)) * 0.5
        return (sum(y, d) - ends) * (1.0 if dx is None else float(dx))
    steps = _steps("trapezoid", x, array.shape, d)  # before the sums, so that gradients come in PyTorch's order
    later, earlier = _between(y, d)
    return sum((earlier + later) * steps, d) / 2.0


@public_function
def cumulative_trapezoid(y: T, x: Any = None, *, dx: Any = None, dim: int = -1) -> T:
    """Return the integrals of sampled values from the first to each other by the trapezoidal rule; see trapezoid.

    Returns: y's shape with one element less along dim.
    Source: torch.cumulative_trapezoid.
    """
    name = "cumulative_trapezoid"
    array, d = _checked(name, y, x, dx, dim)
    if x is None:
        later, earlier = _between(y, d)
        return cumsum((later + earlier) * ((1.0 if dx is None else float(dx)) / 2.0), d)
    steps = _steps(name, x, array.shape, d)
    later, earlier = _between(y, d)
    return cumsum((earlier + later) * steps, d) / 2.0
