"""From samples to a batch: tensors are stacked, numbers become tensors, containers are kept.

Source: torch.utils.data._utils.collate.
"""

from __future__ import annotations

import contextlib
import copy
import re
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from npg import dtypes
from npg.creation import as_tensor, tensor
from npg.engine import TensorBase, is_grad_enabled, wrap
from npg.functional import stack
from npg.tensor import Tensor
from npg.utils.data._utils import shared

__all__ = ["collate", "default_collate", "default_collate_fn_map", "default_convert"]

CollateMap = dict[Any, Callable[..., Any]]  # a type or a tuple of types: the function for samples of it

np_str_obj_array_pattern = re.compile(r"[SaUO]")
default_collate_err_msg_format = (
    "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"
)

_getter: Any = TensorBase.requires_grad
_requires_grad: Callable[[Any], bool] = getattr(_getter, "fget", None) or _getter.__get__  # quicker than Tensor's

# ----- Containers -----


def mapping_like(data: Any, values: dict[Any, Any]) -> Any:
    """Return a mapping of data's type with these values, a dict where the type cannot be built from one."""
    try:
        if not isinstance(data, MutableMapping):
            return type(data)(values)
        clone = copy.copy(data)  # which keeps what the type has beside its items
        clone.update(values)
        return clone
    except TypeError:
        return values


def sequence_like(data: Any, values: list[Any]) -> Any:
    """Return a sequence of data's type with these values, a list where the type cannot be built from one."""
    try:
        if not isinstance(data, MutableSequence):
            return type(data)(values)
        clone = copy.copy(data)
        for i, value in enumerate(values):
            clone[i] = value
        return clone
    except TypeError:
        return values


# ----- A sample alone -----


def default_convert(data: Any) -> Any:
    """Return NumPy's arrays and numbers in any containers as tensors, all else unchanged; tuples become lists.

    Source: torch.utils.data.default_convert.
    """
    kind = type(data)
    if isinstance(data, TensorBase):
        return data
    if kind.__module__ == "numpy" and kind.__name__ not in ("str_", "string_"):
        if kind is np.ndarray and np_str_obj_array_pattern.search(data.dtype.str) is not None:
            return data
        return as_tensor(data)
    if isinstance(data, Mapping):
        return mapping_like(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, tuple):
        values = [default_convert(item) for item in data]
        return kind(*values) if hasattr(data, "_fields") else values
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return sequence_like(data, [default_convert(item) for item in data])
    return data


# ----- Batches -----


def collate(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """Return a batch of samples, by a function for the type of the first one.

    Args:
        batch: the samples, of equal structure.
        collate_fn_map: functions f(batch, collate_fn_map=...) by type; what is of none of the types must be a mapping
            or a sequence, whose items are collated.
    Raises: TypeError: for a sample of no known type. RuntimeError: for sequences of different lengths.
    Source: torch.utils.data._utils.collate.collate.
    """
    first = batch[0]
    kind = type(first)
    if collate_fn_map is not None:
        function = collate_fn_map.get(kind)
        if function is None:
            function = next((f for types, f in collate_fn_map.items() if isinstance(first, types)), None)
        if function is not None:
            return function(batch, collate_fn_map=collate_fn_map)
    if isinstance(first, Mapping):
        columns = {key: collate([sample[key] for sample in batch], collate_fn_map=collate_fn_map) for key in first}
        return mapping_like(first, columns)
    if not isinstance(first, Sequence):
        raise TypeError(default_collate_err_msg_format.format(kind))
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return kind(*[collate(column, collate_fn_map=collate_fn_map) for column in zip(*batch)])
    if len(set(map(len, batch))) > 1:
        raise RuntimeError("each element in list of batch should be of equal size")
    values = [collate(column, collate_fn_map=collate_fn_map) for column in zip(*batch)]
    return values if isinstance(first, tuple) else sequence_like(first, values)


def stacked(arrays: Sequence[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any] | None:
    """Return arrays of one shape and dtype as one, in a worker in memory that it shares; None for others."""
    shape, dtype = arrays[0].shape, arrays[0].dtype
    if len({array.shape for array in arrays}) > 1 or len({array.dtype.char for array in arrays}) > 1:
        return None
    whole = (len(arrays), *shape)
    if not shape:
        return np.array(arrays, dtype)
    out = None if shared.arena is None else shared.arena.empty(whole, dtype).reshape(-1, *shape[1:])
    return np.concatenate(arrays, out=out).reshape(whole)


def collate_tensor_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """Return tensors stacked along a new first dimension."""
    if set(map(type, batch)) == {Tensor} and not (
        (is_grad_enabled() or shared.arena is not None) and any(map(_requires_grad, batch))
    ):
        array = stacked([sample._array for sample in batch])
        if array is not None:
            return wrap(array)
    if shared.arena is None:
        return stack(batch, 0)
    # As in PyTorch, what leaves a worker is a leaf without gradient: out= refuses others.
    first = batch[0]
    return stack(batch, 0, out=first.new_empty((len(batch), *first.size())))


def collate_numpy_array_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """Return arrays as one tensor."""
    first = batch[0]
    if np_str_obj_array_pattern.search(first.dtype.str) is not None:
        raise TypeError(default_collate_err_msg_format.format(first.dtype))
    return collate([as_tensor(array) for array in batch], collate_fn_map=collate_fn_map)


def collate_numpy_scalar_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """Return NumPy's numbers as a tensor."""
    return as_tensor(batch)


def collate_float_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """Return floats as a float64 tensor."""
    if set(map(type, batch)) == {float}:
        return wrap(np.array(batch, np.float64))
    return tensor(batch, dtype=dtypes.float64)


def collate_int_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """Return ints as an int64 tensor, bools as a bool one."""
    if set(map(type, batch)) == {int}:
        with contextlib.suppress(OverflowError):  # tensor says what does not fit
            return wrap(np.array(batch, np.int64))
    return tensor(batch)


def collate_str_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """Return the texts as they are."""
    return batch


default_collate_fn_map: CollateMap = {
    Tensor: collate_tensor_fn,
    np.ndarray: collate_numpy_array_fn,
    (np.bool_, np.number, np.object_): collate_numpy_scalar_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}


def default_collate(batch: Any) -> Any:
    """Return a batch of samples: tensors, arrays and numbers become tensors with a new first dimension.

    Mappings, named tuples and sequences keep their type, tuples become lists; texts stay as they are.
    `default_collate_fn_map` has the functions by type, and can be extended.

    Raises: TypeError: for samples of other types.
    Source: torch.utils.data.default_collate.
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)
