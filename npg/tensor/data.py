"""Conversion of Python data to arrays, for `npg.tensor([[1, 2], [3, 4]])` and the constructors."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from npg import dtypes
from npg._floating import silent
from npg.engine import TensorBase, array_of
from npg.functional._factory import fill_number, overflow_text
from npg.kernels.meta import MetaArray
from npg.ops.shape import copied as copied_array

_TOO_DEEP = 128  # as in PyTorch: deeper nesting counts as a sequence that contains itself


# ----- Arrays -----


def check_shareable(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return a plain view of the array if a tensor can share its memory.

    Raises: TypeError: for a dtype that npg does not have. ValueError: for foreign byte order, negative strides, and
        strides that are no multiple of the itemsize, as of a field of a structured array.
    """
    if type(array) is not np.ndarray and not isinstance(array, MetaArray):
        array = array.view(np.ndarray)
    dtypes.check_known(array.dtype)
    if any(step % array.itemsize for step in array.strides):
        raise ValueError(
            "given numpy array strides not a multiple of the element byte size. Copy the numpy array to reallocate the "
            "memory."
        )
    if array.strides and min(array.strides) < 0:
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are not "
            "currently supported. (You can probably work around this by making a copy of your array  with array.copy()."
            ") "
        )
    return array


def shared(data: Any, dtype: np.dtype[Any] | None = None) -> np.ndarray[Any, Any]:
    """Return an array of the data, which shares memory if the data is an array or tensor of this dtype."""
    if isinstance(data, TensorBase):
        array = data._array
    elif isinstance(data, np.ndarray):
        array = check_shareable(data)
    else:
        return copied(data, dtype)
    return array if dtype is None or array.dtype == dtype else _converted(array, dtype)


def copied(data: Any, dtype: np.dtype[Any] | None = None) -> np.ndarray[Any, Any]:
    """Return a new array of the data, in `dtype` or the one that its elements imply.

    Args:
        data: a number, an array, a tensor, or nested sequences of these.
        dtype: a NumPy dtype, or None.
    Raises: TypeError, ValueError, RuntimeError: as torch.tensor, for data that is not numeric and for ragged sequences.
    """
    if isinstance(data, TensorBase):
        data = data._array
    if isinstance(data, np.ndarray):
        array = np.asarray(data)
        if not array.dtype.isnative:
            array = array.astype(array.dtype.newbyteorder("="))
        dtypes.from_numpy(array.dtype)
        return copied_array(array, array.dtype) if dtype is None or array.dtype == dtype else _converted(array, dtype)
    if isinstance(data, np.generic):
        dtypes.from_numpy(data.dtype)
        return np.array(data) if dtype is None else _converted(np.array(data), dtype)
    if _is_foreign(data):
        return copied(_of_foreign(data), dtype)
    shape = _shape(data)
    values: list[Any] = []
    types: set[Any] = set()
    if 0 in shape:  # nothing to collect: PyTorch does not check that the rest is empty, either
        ragged = _note(data, types)
    else:
        ragged = _collect(data, shape, 0, values, types)
    if dtype is None:
        dtype = _inferred(types)
    if isinstance(ragged, Exception):
        raise ragged
    if isinstance(ragged, str) and 0 not in shape:
        if dtype.kind == "f":
            raise TypeError(f"must be real number, not {ragged}")
        raise TypeError(f"'{ragged}' object cannot be interpreted as an integer")
    return _filled(values, types, dtype).reshape(shape)


def _converted(array: np.ndarray[Any, Any], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    with silent():
        if dtype.itemsize == 2 and dtype.kind == "f" and array.dtype.itemsize == 8:
            array = array.astype(np.float32)  # PyTorch converts to float16 through float32
        return copied_array(array, dtype)


# ----- Nested sequences -----


def _is_foreign(data: Any) -> bool:
    """Tell whether data is an array of another library, such as a PyTorch tensor or a pandas DataFrame."""
    kind = type(data)
    if kind in _PLAIN or kind is list or kind is tuple or isinstance(data, (np.ndarray, np.generic, TensorBase)):
        return False
    return hasattr(kind, "__array__") or hasattr(kind, "__dlpack__")


def _of_foreign(data: Any) -> np.ndarray[Any, Any]:
    return np.asarray(data) if hasattr(type(data), "__array__") else np.from_dlpack(data)


def _is_sequence(data: Any) -> bool:
    kind = type(data)
    if kind is list or kind is tuple:
        return True
    if isinstance(data, (dict, set, frozenset, np.generic, TensorBase)):
        return False
    return hasattr(kind, "__getitem__") and hasattr(kind, "__len__")


def _shape(data: Any) -> tuple[int, ...]:
    # The first element of each sequence decides; the others are checked when the values are collected.
    shape: list[int] = []
    while _is_sequence(data):
        if _is_foreign(data):
            return (*shape, *_of_foreign(data).shape)
        if isinstance(data, (str, bytes)):
            if shape and len(shape) == 1 and isinstance(data, str):
                raise ValueError("too many dimensions 'str'")
            raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
        try:
            n = len(data)
            first = data[0] if n else None
        except (KeyError, IndexError, TypeError):  # not a sequence after all
            raise ValueError(f"could not determine the shape of object type '{type(data).__name__}'") from None
        shape.append(n)
        if len(shape) > _TOO_DEEP:
            raise ValueError(f"too many dimensions '{type(data).__name__}'")
        if n == 0:
            break
        data = first
    return tuple(shape)


def _collect(data: Any, shape: tuple[int, ...], dim: int, values: list[Any], types: set[Any]) -> Exception | str | None:
    """Append the elements of data to values, and their types to types.

    Returns: the error for the first place where the data is ragged, or the type name of a sequence in place of a
        number. The caller raises it after inferring the dtype from all elements, as PyTorch does.
    """
    if _is_foreign(data):
        data = _of_foreign(data)
    if dim == len(shape):
        values.append(data)
        return _note(data, types)
    if isinstance(data, np.ndarray) and data.shape == shape[dim:]:
        types.add(data.dtype)
        values.extend(data.reshape(-1).tolist())
        return None
    if isinstance(data, TensorBase) and data._array.shape == shape[dim:] and dim + 1 == len(shape):
        types.add(data._array.dtype)
        values.extend(data._array.tolist())
        return None
    if not _is_sequence(data) or isinstance(data, (str, bytes)):
        return _note(data, types) or TypeError("not a sequence")
    if len(data) != shape[dim]:
        _note(data, types)
        return ValueError(f"expected sequence of length {shape[dim]} at dim {dim} (got {len(data)})")
    if dim + 1 == len(shape) and type(data) in (list, tuple):
        kinds = set(map(type, data))
        if kinds <= _PLAIN:
            types |= kinds
            values.extend(data)
            return None
    ragged: Exception | str | None = None
    for item in data:
        inner = _collect(item, shape, dim + 1, values, types)
        ragged = ragged or inner
    return ragged


_PLAIN = {bool, int, float}


def _note(x: Any, types: set[Any]) -> Exception | str | None:
    """Add the type of x, or of its elements, to types; return the error if it is no number (see _collect)."""
    if _is_foreign(x):
        x = _of_foreign(x)
    kind = type(x)
    if kind in _PLAIN:
        types.add(kind)
    elif isinstance(x, np.generic):
        types.add(x.dtype)
    elif isinstance(x, (TensorBase, np.ndarray)):
        array = array_of(x)
        types.add(array.dtype)
        if array.size != 1:
            return ValueError("only one element tensors can be converted to Python scalars")
    elif isinstance(x, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{kind.__name__}'")
    elif _is_sequence(x):
        if not len(x):
            types.add(float)
        for item in x:
            _note(item, types)
        return kind.__name__
    elif isinstance(x, (bool, int, float)):
        types.add(bool if isinstance(x, bool) else int if isinstance(x, int) else float)
    elif isinstance(x, complex):
        raise TypeError("complex dtypes are not supported, got a complex number")
    else:
        types.add(kind)  # its dtype cannot be inferred; with an explicit dtype its conversion fails
    return None


def _inferred(types: set[Any]) -> np.dtype[Any]:
    result: dtypes.dtype | None = None
    for kind in types:
        if kind is float:
            d = dtypes.get_default_dtype()
        elif kind is int:
            d = dtypes.int64
        elif kind is bool:
            d = dtypes.bool_
        elif isinstance(kind, np.dtype):
            d = dtypes.from_numpy(kind)
        else:
            raise RuntimeError(f"Could not infer dtype of {kind.__name__}")
        result = d if result is None else dtypes.promote_types(result, d)
    return (result or dtypes.get_default_dtype()).dtype


def _filled(values: list[Any], types: set[Any], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    if not types <= _PLAIN:
        values = [_plain(x) for x in values]
        types = set(map(type, values))
    if dtype.kind == "b":
        return np.fromiter((_number(x) != 0 for x in values), dtype, len(values))
    if dtype.kind == "f":
        with silent():
            if dtype.itemsize == 2:  # PyTorch converts to float16 through float32
                return np.array([_number(x, float) for x in values], np.float32).astype(dtype)
            if types <= _PLAIN:
                return np.array(values, dtype)
            return np.array([_number(x, float) for x in values], dtype)
    if types <= {bool, int}:
        if dtype == np.uint64 and all(x < 2**64 for x in values):
            if values and min(values) < 0:
                raise OverflowError("can't convert negative int to unsigned")
            return np.array(values, dtype)
        try:
            wide = np.array(values, np.int64)
        except OverflowError:
            raise ValueError("Overflow when unpacking long long") from None
        if dtype == wide.dtype:
            return wide
        info = np.iinfo(dtype)
        lowest = -int(info.max) if dtype.kind == "u" else int(info.min)
        if wide.size and (wide.min() < lowest or wide.max() > info.max):
            raise RuntimeError(overflow_text(dtype, ""))
        return wide.astype(dtype)
    return np.array([fill_number(_number(x), dtype, "") for x in values], dtype)


def _plain(x: Any) -> Any:
    if isinstance(x, TensorBase):
        return x._array.item()
    return x.item() if isinstance(x, (np.generic, np.ndarray)) else x


def _number(x: Any, kind: type = int) -> Any:
    if isinstance(x, (bool, int, float)):
        return x
    try:
        return operator.index(x) if kind is int else float(x)
    except TypeError:
        raise TypeError(f"must be real number, not {type(x).__name__}") from None
