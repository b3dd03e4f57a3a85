"""What the functions that pick and write by index share: numbers to fill with, shapes, names of dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import _errors, dtypes
from npg.engine import TensorBase
from npg.functional._factory import fill_number
from npg.functional._public import to_dtype

__all__ = ["broadcast", "fill_value", "is_number", "scalar_name", "without"]


def scalar_name(array: Any) -> str:
    """Return what PyTorch's texts call the dtype of an array: Float, Long, ..."""
    return dtypes.from_numpy(array.dtype).scalar_name


def is_number(value: Any) -> bool:
    """Tell whether value is a Python or NumPy number."""
    return isinstance(value, (bool, int, float, np.generic))


def without(sizes: tuple[int, ...], dim: int) -> tuple[int, ...]:
    """Return the sizes without that of one dimension."""
    return sizes[:dim] + sizes[dim + 1 :]


def fill_value(name: str, value: Any, dtype: np.dtype[Any]) -> Any:
    """Return a number as a NumPy scalar of the dtype, a 0-d tensor in the dtype."""
    if is_number(value):
        return fill_number(value.item() if isinstance(value, np.generic) else value, dtype)
    if not isinstance(value, (TensorBase, np.ndarray)):
        raise TypeError(_errors.NOT_A_TENSOR.format(name=name, argument="value", position=3, kind=type(value).__name__))
    if value.ndim:
        raise RuntimeError(
            f"{name} only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    return to_dtype(value, dtype)


def broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that two shapes broadcast to.

    Raises: RuntimeError: when they do not, in PyTorch's words.
    """
    try:
        return a if a == b else np.broadcast_shapes(a, b)
    except ValueError:
        for i in range(1, min(len(a), len(b)) + 1):
            if a[-i] != b[-i] and a[-i] != 1 and b[-i] != 1:
                raise RuntimeError(
                    f"The size of tensor a ({a[-i]}) must match the size of tensor b ({b[-i]}) at non-singleton "
                    f"dimension {max(len(a), len(b)) - i}"
                ) from None
        raise
