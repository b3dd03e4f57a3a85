"""The texts of dtypes, shapes, types and nodes in messages, in PyTorch's words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from npg import _naming, dtypes


def scalar_name(x: Any) -> str:
    """Return the name of the dtype of an array, or of a dtype: Float, Long; NumPy's name for one that npg lacks."""
    dtype = np.dtype(getattr(x, "dtype", x))
    return dtypes.from_numpy(dtype).scalar_name if dtypes.is_known(dtype) else dtype.name


def c_name(x: Any) -> str:
    """Return the C++ name of the dtype of an array, or of a NumPy dtype: long int for int64."""
    return dtypes.from_numpy(getattr(x, "dtype", x)).c_name


def shape_text(shape: Iterable[Any]) -> str:
    """Return a shape as messages print it: [2, 3]."""
    return "[" + ", ".join(str(n) for n in shape) + "]"


def size_text(shape: Iterable[Any]) -> str:
    """Return a shape as messages print it where PyTorch prints a Size: npg.Size([2, 3])."""
    return f"{_naming.library}.Size({shape_text(shape)})"


def op_text(node_name: str) -> str:
    """Return the name of a node without "Backward" and its number: Mul for MulBackward0."""
    return node_name.rstrip("0123456789").removesuffix("Backward")


def type_name(x: Any) -> str:
    """Return the name of an argument's type, with that of its module if it is not a builtin."""
    kind = type(x)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
