"""How functions call fused kernels: the dtypes that these take, and PyTorch's words for the others."""

from __future__ import annotations

from typing import Any

from npg import dtypes
from npg.engine import TensorBase, apply
from npg.functional._public import to_dtype
from npg.ops._half import SINGLE
from npg.ops._op import Op

__all__ = ["apply_floating", "title"]


def title(dtype: Any) -> str:
    """Return what PyTorch's messages call a NumPy dtype: Float, Long, ..."""
    return dtypes.from_numpy(dtype).scalar_name


def apply_floating(op: Op, inputs: tuple[Any, ...], settings: dict[str, Any], kernel: str) -> Any:
    """Apply an op whose first input must be floating; beside float16 the others may be float32.

    Args:
        kernel: PyTorch's name in the message.
    Raises: NotImplementedError: for integers and bools.
    """
    first = inputs[0]
    dtype = (first._array if isinstance(first, TensorBase) else first).dtype
    if dtype.kind != "f":
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{title(dtype)}'")
    if dtype.char != "e" or not any(getattr(x, "dtype", None) == SINGLE for x in inputs):
        return apply(op, inputs, settings)
    wide = tuple([to_dtype(x, SINGLE) if getattr(x, "dtype", None) == dtype else x for x in inputs])
    return to_dtype(apply(op, wide, settings), dtype)
