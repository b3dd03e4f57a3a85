"""What the functions that pick and write by index share: numbers to fill with, shapes, names of dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import _errors, dtypes
from npg._errors import shape_text
from npg.engine import TensorBase
from npg.engine._common import type_name
from npg.functional._factory import fill_number
from npg.functional._public import to_dtype

__all__ = ["broadcast", "check_expand", "fill_value", "is_number", "scalar_name", "without"]


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
        raise TypeError(_errors.NOT_A_TENSOR.format(name=name, argument="value", position=3, kind=type_name(value)))
    ndim = np.ndim(value._array if isinstance(value, TensorBase) else value)
    if ndim:
        raise RuntimeError(
            f"{name} only supports a 0-dimensional value tensor, but got tensor with {ndim} dimension(s)."
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


def check_expand(value: np.ndarray[Any, Any], shape: tuple[int, ...]) -> None:
    """Raise RuntimeError when value does not broadcast to the shape."""
    given = value.shape
    lead = len(shape) - len(given)
    if lead < 0:
        kind = dtypes.from_numpy(value.dtype).scalar_name
        raise RuntimeError(
            f"expand(npg.{kind}Tensor{{{shape_text(given)}}}, size={shape_text(shape)}): the number of sizes provided "
            f"({len(shape)}) must be greater or equal to the number of dimensions in the tensor ({len(given)})"
        )
    for i in reversed(range(len(given))):
        if given[i] != 1 and given[i] != shape[i + lead]:
            raise RuntimeError(
                f"The expanded size of the tensor ({shape[i + lead]}) must match the existing size ({given[i]}) at "
                f"non-singleton dimension {i + lead}.  Target sizes: {shape_text(shape)}.  Tensor sizes: "
                f"{shape_text(given)}"
            )
