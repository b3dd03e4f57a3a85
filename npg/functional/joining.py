"""Joining tensors along an existing dimension or a new one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, overload

from npg import dtypes
from npg._naming import named
from npg.engine import TensorBase, apply
from npg.functional._arguments import checked_array, dim_index, tensor_list
from npg.functional._public import public_function, to_dtype, writes
from npg.functional._types import T
from npg.functional.shape import reshape, unsqueeze
from npg.ops import joining as ops

_CAT = "npg.cat(): input types can't be cast to the desired output type {wanted}"


# ----- A minimum number of dimensions -----


def _each(name: str, tensors: Any, change: Callable[[str, Any], Any]) -> Any:
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tensors[0]
    elif len(tensors) == 1:
        return change(name, tensors[0])
    return tuple(change(name, x) for x in tensors)


def _one(name: str, x: Any) -> Any:
    return x if checked_array(name, x).ndim else reshape(x, (1,))


def _two(name: str, x: Any) -> Any:
    ndim = checked_array(name, x).ndim
    return x if ndim >= 2 else unsqueeze(x, 0) if ndim else reshape(x, (1, 1))


def _three(name: str, x: Any) -> Any:
    ndim = checked_array(name, x).ndim
    if ndim == 1:
        return unsqueeze(unsqueeze(x, 0), -1)
    return x if ndim >= 3 else unsqueeze(x, -1) if ndim else reshape(x, (1, 1, 1))


@overload
def atleast_1d(tensor: T, /) -> T: ...
@overload
def atleast_1d(tensors: Sequence[T], /) -> tuple[T, ...]: ...
@overload
def atleast_1d(first: T, second: T, /, *others: T) -> tuple[T, ...]: ...
@public_function
def atleast_1d(*tensors: Any) -> Any:
    """Return the tensor, or a tuple of tensors, with 0-d ones as (1,). Source: torch.atleast_1d."""
    return _each("atleast_1d", tensors, _one)


@overload
def atleast_2d(tensor: T, /) -> T: ...
@overload
def atleast_2d(tensors: Sequence[T], /) -> tuple[T, ...]: ...
@overload
def atleast_2d(first: T, second: T, /, *others: T) -> tuple[T, ...]: ...
@public_function
def atleast_2d(*tensors: Any) -> Any:
    """Return the tensor, or a tuple of tensors, as at least 2-d: (n,) as (1, n). Source: torch.atleast_2d."""
    return _each("atleast_2d", tensors, _two)


@overload
def atleast_3d(tensor: T, /) -> T: ...
@overload
def atleast_3d(tensors: Sequence[T], /) -> tuple[T, ...]: ...
@overload
def atleast_3d(first: T, second: T, /, *others: T) -> tuple[T, ...]: ...
@public_function
def atleast_3d(*tensors: Any) -> Any:
    """Return the tensor, or a tuple of tensors, as at least 3-d: (n,) as (1, n, 1), (n, m) as (n, m, 1).

    Source: torch.atleast_3d.
    """
    return _each("atleast_3d", tensors, _three)


# ----- Joined -----


def _promoted(tensors: tuple[Any, ...], arrays: list[Any]) -> tuple[Any, ...]:
    first = arrays[0].dtype
    for a in arrays:
        if a.dtype != first:
            target = dtypes.common_dtype(arrays).dtype
            return tuple([to_dtype(x, target) for x in tensors])
    return tensors


@public_function
@writes(text=_CAT, error=TypeError, apart=("tensors",))
def cat(tensors: Sequence[T], dim: int = 0, *, out: Any = None) -> T:
    """Concatenate tensors along a dimension.

    Args:
        tensors: a sequence, of equal sizes except along dim; dtypes are promoted. Those of shape (0,) are skipped.
        dim: an int.
    Raises: ValueError: when there are none. RuntimeError: when their sizes do not fit.
    Source: torch.cat.
    """
    d = _plain_dim(tensors, dim)
    if d is not None:
        return apply(ops.cat, tuple(tensors), {"dim": d})
    tensors = tensor_list("cat", tensors)
    if not tensors:
        raise ValueError(named("npg.cat(): expected a non-empty list of Tensors"))
    arrays: list[Any] = [x._array if isinstance(x, TensorBase) else x for x in tensors]
    for i, a in enumerate(arrays):
        if not a.ndim:
            raise RuntimeError(f"zero-dimensional tensor (at position {i}) cannot be concatenated")
    tensors = _promoted(tensors, arrays)
    shape = arrays[0].shape
    if shape == (0,):
        shape = next((a.shape for a in arrays if a.shape != (0,)), shape)
    d = dim_index("cat", dim, len(shape)) if shape != (0,) else 0  # legacy empty tensors: any dim is valid
    for i, a in enumerate(arrays):
        if a.shape != shape:
            if a.shape == (0,) and len(shape) > 1:
                return _cat_with_empty(tensors, arrays, shape, d)
            _check_cat(i, a.shape, shape, d)
    return apply(ops.cat, tensors, {"dim": d})


def _plain_dim(tensors: Any, dim: Any) -> int | None:
    """Return dim as an index where all tensors fit: nearly every call, which needs no closer look. Else None."""
    if type(tensors) not in (list, tuple) or not tensors or type(dim) is not int:
        return None
    shape: Any = None
    for x in tensors:
        if not isinstance(x, TensorBase):
            return None
        array = x._array
        other = array.shape
        if shape is None:
            shape, dtype, ndim = other, array.dtype, len(other)
            if not -ndim <= dim < ndim or other == (0,):
                return None
            d = dim % ndim
            before, after = shape[:d], shape[d + 1 :]
        elif len(other) != ndim or other[:d] != before or other[d + 1 :] != after or array.dtype is not dtype:
            return None
    return d


def _cat_with_empty(tensors: tuple[Any, ...], arrays: list[Any], shape: tuple[int, ...], dim: int) -> Any:
    fitting = []
    for i, (x, a) in enumerate(zip(tensors, arrays, strict=True)):
        if a.shape != (0,):
            _check_cat(i, a.shape, shape, dim)
            fitting.append(x)
        else:  # it stays an input of the graph
            fitting.append(reshape(x, (*shape[:dim], 0, *shape[dim + 1 :])))
    return apply(ops.cat, tuple(fitting), {"dim": dim})


def _check_cat(i: int, shape: tuple[int, ...], expected: tuple[int, ...], dim: int) -> None:
    if len(shape) != len(expected):
        raise RuntimeError(f"Tensors must have same number of dimensions: got {len(expected)} and {len(shape)}")
    for d, (n, m) in enumerate(zip(shape, expected, strict=True)):
        if n != m and d != dim:
            raise RuntimeError(
                f"Sizes of tensors must match except in dimension {dim}. Expected size {m} but got size {n} for tensor "
                f"number {i} in the list."
            )


@public_function
@writes(text=_CAT, error=TypeError, apart=("tensors",))
def concat(tensors: Sequence[T], dim: int = 0, *, out: Any = None) -> T:
    """Concatenate tensors; see cat. Source: torch.concat."""
    return cat(tensors, dim)


@public_function
@writes(text=_CAT, error=TypeError, apart=("tensors",))
def concatenate(tensors: Sequence[T], dim: int = 0, *, out: Any = None) -> T:
    """Concatenate tensors; see cat. Source: torch.concatenate."""
    return cat(tensors, dim)


@public_function
@writes(text=_CAT, error=TypeError, apart=("tensors",))
def stack(tensors: Sequence[T], dim: int = 0, *, out: Any = None) -> T:
    """Stack tensors of one shape along a new dimension.

    Raises: RuntimeError: when there are none or their shapes differ.
    Source: torch.stack.
    """
    tensors = tensor_list("stack", tensors)
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    arrays = [checked_array("stack", x) for x in tensors]
    shape = arrays[0].shape
    d = dim_index("stack", dim, len(shape) + 1)
    for i, a in enumerate(arrays):
        if a.shape != shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(shape)} at entry 0 and {list(a.shape)} at "
                f"entry {i}"
            )
    return apply(ops.stack, _promoted(tensors, arrays), {"dim": d})


def _raised(name: str, tensors: Any, raise_one: Callable[[Any], Any]) -> list[Any]:
    tensors = tensor_list(name, tensors)
    if not tensors:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    return [raise_one(x) for x in tensors]


@public_function
@writes(text=_CAT, error=TypeError, apart=("tensors",))
def hstack(tensors: Sequence[T], *, out: Any = None) -> T:
    """Join tensors along the second dimension, 1-d ones along the first. Source: torch.hstack."""
    parts = _raised("hstack", tensors, atleast_1d)
    return cat(parts, 0 if checked_array("hstack", parts[0]).ndim == 1 else 1)


@public_function
@writes(text=_CAT, error=TypeError, apart=("tensors",))
def vstack(tensors: Sequence[T], *, out: Any = None) -> T:
    """Join tensors along the first dimension, 1-d ones as rows. Source: torch.vstack."""
    return cat(_raised("vstack", tensors, atleast_2d), 0)


@public_function
@writes(text=_CAT, error=TypeError, apart=("tensors",))
def row_stack(tensors: Sequence[T], *, out: Any = None) -> T:
    """Join tensors along the first dimension; see vstack. Source: torch.row_stack."""
    return vstack(tensors)


@public_function
@writes(text=_CAT, error=TypeError, apart=("tensors",))
def dstack(tensors: Sequence[T], *, out: Any = None) -> T:
    """Join tensors along the third dimension. Source: torch.dstack."""
    return cat(_raised("dstack", tensors, atleast_3d), 2)


@public_function
@writes(text=_CAT, error=TypeError, apart=("tensors",))
def column_stack(tensors: Sequence[T], *, out: Any = None) -> T:
    """Join tensors along the second dimension, 1-d ones as columns. Source: torch.column_stack."""

    def column(x: Any) -> Any:
        array = checked_array("column_stack", x)
        return x if array.ndim > 1 else reshape(x, (array.size, 1))

    return cat(_raised("column_stack", tensors, column), 1)
