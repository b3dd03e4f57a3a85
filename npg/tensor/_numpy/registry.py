"""The table of NumPy functions that work on tensors, and helpers of its entries. See protocol.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from npg import dtypes, functional as F
from npg.engine import TensorBase, wrap
from npg.functional._arguments import canonical_dim
from npg.functional._public import to_dtype

FUNCTIONS: dict[Any, Callable[..., Any]] = {}
CALLING: set[Any] = set()  # functions that call one of the user's
WRITING: set[Any] = set()  # functions that may write into their first argument
REMEDY = "use a function of npg, or tensor.detach() for a result without history"


def implements(
    *functions: Any, calls: bool = False, writes: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the decorated function for these NumPy functions; see CALLING and WRITING."""

    def register(implementation: Callable[..., Any]) -> Callable[..., Any]:
        for f in functions:
            FUNCTIONS[f] = implementation
            if calls:
                CALLING.add(f)
            if writes:
                WRITING.add(f)
        return implementation

    return register


def name_of(function: Any) -> str:
    """Return the public name of a NumPy function: np.linalg.eig."""
    module = getattr(function, "__module__", "").replace("numpy", "np", 1) or "np"
    if "scimath" in module:  # np.lib._scimath_impl before NumPy 2.4
        module = "np.emath"
    return f"{module}.{getattr(function, '__name__', function)}"


def floating(x: Any) -> Any:
    """Return a floating tensor unchanged, any other in the default dtype."""
    return x if x._array.dtype.kind == "f" else to_dtype(x, dtypes.get_default_dtype().dtype)


def tensor(x: Any) -> Any:
    """Return x as a tensor: an ndarray or Python data becomes a constant."""
    return x if isinstance(x, TensorBase) else wrap(np.asarray(x))


def tensors(xs: Any) -> list[Any]:
    """Return a sequence of arrays, or the rows of a tensor, as tensors."""
    return [*xs] if isinstance(xs, TensorBase) else [tensor(x) for x in xs]  # type: ignore[misc]  # a Tensor has rows


def as_dtype(x: Any, dtype: Any) -> Any:
    """Return x in a dtype, unless that is None."""
    return x if dtype is None else to_dtype(x, dtypes.to_numpy(dtype))


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """Return one axis or several as a tuple of non-negative indices."""
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    return tuple(canonical_dim(int(d), ndim) for d in axes)


def flat(x: Any, axis: Any) -> tuple[Any, int]:
    """Return (x, axis); x is flattened if there is no axis, as in NumPy."""
    x = tensor(x)
    return (F.reshape(x, (-1,)), 0) if axis is None else (x, int(axis))


def values(x: Any) -> np.ndarray[Any, Any]:
    """Return the ndarray of x, for computations without a gradient."""
    return x._array if isinstance(x, TensorBase) else np.asarray(x)
