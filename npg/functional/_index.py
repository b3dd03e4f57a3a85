"""Parsing of indices: from any index that NumPy or PyTorch accepts to the arguments of npg.ops.indexing.

An index is read item by item, as in PyTorch: ints, slices, None and Ellipsis give a view; the remaining integer arrays
and masks are then applied to that view together. NumPy differs in one case: it treats an int beside an array as an
array, and places the result's dimensions accordingly.
"""

from __future__ import annotations

import operator
import re
from typing import Any

import numpy as np

from npg import _errors
from npg._errors import warn
from npg._words import shape_text, type_name
from npg.engine import TensorBase, array_of, is_grad_enabled
from npg.ops import indexing as ops
from npg.ops.strided import intersects

_KINDS = "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got {kind})"
_DTYPES = "tensors used as indices must be long, int, byte or bool tensors"
_BYTE_MASK = "indexing with dtype npg.uint8 is now deprecated, please use a dtype npg.bool instead."
_LIST_AS_TUPLE = (
    "Using a non-tuple sequence for multidimensional indexing is deprecated; use x[tuple(seq)] instead of x[seq]."
)
WHOLE = slice(None)


# ----- Reading an index -----


def basic(index: Any) -> tuple[Any, Any]:
    """Return (op, key) of an index of ints, slices, None and Ellipsis, or (None, None) if it holds anything else.

    An Ellipsis is appended unless there is one, because NumPy returns a scalar, not a view, when no dimension is left.
    """
    kind = type(index)
    if kind is int:
        return ops.getitem_select, (index, ...)
    if kind is slice:
        if index.step is not None:
            _check_step(index)
        return ops.getitem, index
    if kind is not tuple:
        if index is None:
            return ops.getitem_unsqueeze, index
        if index is Ellipsis:
            return ops.getitem_alias, index
        return None, None
    op = ops.getitem_alias
    open_ended = True
    for item in index:
        kind = type(item)
        if kind is int:
            op = ops.getitem_select
        elif kind is slice:
            if item.step is not None:
                _check_step(item)
            if item.start is not None or item.stop is not None or item.step is not None:
                op = ops.getitem
        elif item is None:
            op = ops.getitem_unsqueeze
        elif item is Ellipsis:
            if not open_ended:
                return None, None
            open_ended = False
        else:
            return None, None
    return op, (*index, ...) if open_ended else index


def _check_step(item: slice) -> None:
    step = operator.index(item.step)
    if step <= 0:
        raise ValueError("step must be greater than zero" if step else "slice step cannot be zero")


def _is_legacy_tuple(index: list[Any]) -> bool:
    # A short list that holds a sequence, slice, tensor, None or Ellipsis counts as a tuple; PyTorch warns, so npg does.
    return len(index) < 32 and any(
        item is None or item is Ellipsis or isinstance(item, (slice, list, tuple, str, range, np.ndarray, TensorBase))
        for item in index
    )


def item_of(item: Any) -> Any:
    """Return one item of an index as an int, a slice, None, Ellipsis, a bool, a Tensor of integers or an ndarray."""
    if item is None or item is Ellipsis or isinstance(item, (bool, int)):
        return item
    if isinstance(item, slice):
        if item.step is not None:
            _check_step(item)
        return item
    if isinstance(item, TensorBase):
        array = item._array
        if array.dtype.char in "lqi" and array.ndim:  # int64, int32
            return item  # uncopied: the engine's version check notices a change before the backward pass
        if array.dtype.kind == "f" or (array.ndim and array.dtype.kind != "b" and array.dtype != np.uint8):
            raise IndexError(_DTYPES)
        # A mask is copied, so that it may change before the backward pass: PyTorch saves the places of its ones.
        return _array_item(array.copy() if is_grad_enabled() else array)
    if isinstance(item, np.integer):
        return operator.index(item)
    is_foreign = hasattr(type(item), "__array__") and not isinstance(item, np.generic)  # arrays of other libraries
    if isinstance(item, (np.ndarray, np.bool_)) or is_foreign:
        return _array_item(np.asarray(item).copy())
    if isinstance(item, (list, tuple, range)):
        values = sequence(item)
        return _array_item(values if values.size else values.astype(np.int64))
    if isinstance(item, str):
        raise TypeError("new(): invalid data type 'str'")
    if hasattr(item, "__index__"):
        return operator.index(item)
    raise IndexError(_KINDS.format(kind=type_name(item)))


def sequence(item: Any) -> np.ndarray[Any, Any]:
    if isinstance(item, range):
        return np.asarray(item)
    return np.array([sequence(k) if isinstance(k, (list, tuple)) else array_of(k) for k in item])


def _array_item(array: np.ndarray[Any, Any]) -> Any:
    kind = array.dtype.kind
    if kind == "b" or array.dtype == np.uint8:
        if kind == "u":
            warn(_BYTE_MASK)
            array = array.astype(bool)
        return bool(array) if array.ndim == 0 else array
    if kind not in "iu":
        raise IndexError(_DTYPES)
    return int(array) if array.ndim == 0 else array.astype(np.intp, copy=False)


def is_mask(item: Any) -> bool:
    return isinstance(item, np.ndarray) and item.dtype.kind == "b"


def advanced(array: np.ndarray[Any, Any], index: Any) -> tuple[Any, Any, list[Any], tuple[int, ...]]:
    """Return (op, key, arrays, at): the view to take first (no view if op is None), then the advanced index."""
    if isinstance(index, list) and _is_legacy_tuple(index):
        warn(_LIST_AS_TUPLE)
        index = tuple(index)
    items = list(map(item_of, index if isinstance(index, tuple) else (index,)))
    consumed = [0 if i is None or i is Ellipsis or isinstance(i, bool) else i.ndim if is_mask(i) else 1 for i in items]
    remaining = array.ndim - sum(consumed)
    if remaining < 0:
        raise IndexError(f"too many indices for tensor of dimension {array.ndim}")
    key: list[Any] = []
    arrays: list[Any] = []
    at: list[int] = []
    position = 0  # in the view
    op = None
    for item, dims in zip(items, consumed, strict=True):
        if item is None or isinstance(item, bool):
            key.append(None)
            op = ops.getitem_unsqueeze
            if item is not None:  # True is index 0 of a new dimension, False is no index of it
                arrays.append(np.zeros(int(item), np.intp))
                at.append(position)
            position += 1
        elif item is Ellipsis:
            key.extend([WHOLE] * remaining)
            position += remaining
            remaining = 0  # a second Ellipsis covers no dimension
        elif isinstance(item, int):
            key.append(item)
            op = ops.getitem_select
        elif isinstance(item, slice):
            key.append(item)
            if item.start is not None or item.stop is not None or item.step is not None:
                op = ops.getitem
            position += 1
        else:
            key.extend([WHOLE] * dims)
            arrays.append(item)
            at.append(position)
            position += dims
    full = (*key, ...)
    if any(map(is_mask, arrays)):
        shape = array[full].shape
        arrays, at = without_masks(arrays, at, shape)
    return op, full, arrays, tuple(at)


def without_masks(arrays: list[Any], at: list[int], shape: tuple[int, ...]) -> tuple[list[Any], list[int]]:
    """Return the index with masks replaced by the places of their ones; a single leading mask stays."""
    items: list[Any] = []
    positions: list[int] = []
    for item, d in zip(arrays, at, strict=True):
        if not is_mask(item):
            items.append(item)
            positions.append(d)
            continue
        for j, n in enumerate(item.shape):
            if n != shape[d + j]:
                raise IndexError(
                    f"The shape of the mask {shape_text(item.shape)} at index {j} does not match the shape of the "
                    f"indexed tensor {shape_text(shape)} at index {d + j}"
                )
        if len(arrays) == 1 and d == 0:
            return [item], [0]
        items.extend(item.nonzero())
        positions.extend(range(d, d + item.ndim))
    return items, positions


# ----- Errors in PyTorch's words -----

# A string, so that it is compiled at the first use and not at import.
_OUT_OF_BOUNDS = r"index (-?\d+) is out of bounds for axis (\d+) with size (\d+)"


def explained(error: IndexError, array: np.ndarray[Any, Any], index: Any, arrays: Any = ()) -> IndexError:
    match = re.search(_OUT_OF_BOUNDS, str(error))
    if arrays and ((match and match[3] == "0") or "empty axes" in str(error)):
        return IndexError("index is out of bounds for dimension with size 0")
    if match:
        i, axis, size = match.groups()
        return IndexError(f"index {i} is out of bounds for dimension {axis} with size {size}")
    if str(error).startswith("shape mismatch"):
        shapes = ", ".join(shape_text(array_of(a).shape) for a in arrays)
        return IndexError(f"shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}")
    if "numpy.newaxis" in str(error):  # only an int of more than 64 bits gets here
        return IndexError("Overflow when unpacking long long")
    if str(error).startswith("too many indices"):
        if array.ndim == 0 and isinstance(index, (int, np.integer)):
            return IndexError(
                "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to "
                "convert a 0-dim tensor to a number"
            )
        if array.ndim == 0 and isinstance(index, slice):
            return IndexError("slice() cannot be applied to a 0-dim tensor.")
        return IndexError(f"too many indices for tensor of dimension {array.ndim}")
    return error


def result_shape(shape: tuple[int, ...], arrays: Any, at: tuple[int, ...]) -> tuple[int, ...]:
    indices = [array_of(a) for a in arrays]
    if indices[0].dtype.kind == "b":
        return (int(np.count_nonzero(indices[0])), *shape[indices[0].ndim :])
    try:
        b = np.broadcast_shapes(*(a.shape for a in indices))
    except ValueError as error:
        raise IndexError(str(error)) from None  # the text that NumPy raises on reading; see explained
    rest = tuple(n for d, n in enumerate(shape) if d not in at)
    start = at[0] if at[-1] - at[0] == len(at) - 1 else 0
    return rest[:start] + b + rest[start:]


def refuse_meeting(written: np.ndarray[Any, Any], others: Any) -> None:
    """Raise when an array written by index shares memory with one that is read at the same time.

    Raises: RuntimeError: in PyTorch's words, and like PyTorch only for arrays without gaps.
    """
    for other in others:
        if isinstance(other, np.ndarray) and intersects(written, other):
            raise RuntimeError(_errors.PARTIAL_OVERLAP_IN_PLACE)
