"""Reading and writing x[...], and the functions that write whole tensors or at a tuple of indices."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import _errors
from npg._floating import silent
from npg._naming import named
from npg._words import scalar_name, shape_text, type_name
from npg.engine import TensorBase, apply, apply_in_place, array_of, bump_version, check_in_place, is_grad_enabled
from npg.engine._checks import refuse_in_place, refuse_partial_overlap
from npg.functional._arguments import expanded_shape
from npg.functional._attributes import CPU, META
from npg.functional._factory import fill_number, overflow_text, place_like
from npg.functional._in_place import each_once
from npg.functional._index import (
    WHOLE,
    advanced,
    basic,
    explained,
    is_mask,
    item_of,
    refuse_meeting,
    result_shape,
    sequence,
    without_masks,
)
from npg.functional._public import as_tensor_input, exposed, public_function, to_dtype
from npg.functional._types import T
from npg.kernels.layouts import address
from npg.kernels.meta import NO_DATA, needs_data
from npg.ops import indexing as ops
from npg.ops.elementwise import clone
from npg.ops.shape import reshape
from npg.ops.strided import overlaps

# ----- x[index] -----

_ROWS = {"at": (0,)}


def _is_rows(index: Any) -> bool:
    # The usual integer index, which takes a fast path.
    return isinstance(index, TensorBase) and index._array.dtype.char in "lq" and index._array.ndim > 0


@exposed
def getitem(input: T, index: Any) -> T:
    """Return input[index].

    Args:
        input: tensor.
        index: an int, slice, None, Ellipsis, bool, mask or integer array (tensor, ndarray, list), or a tuple of these.
    Returns: a view when the index holds ints, slices, None and Ellipsis only, otherwise a copy.
    Raises: IndexError: for an index out of range or of the wrong kind, or too many. ValueError: for a step below 1.
    Source: Tensor.__getitem__. Floats in lists and arrays are refused, as NumPy does; PyTorch truncates them.
    """
    op, key = basic(index)
    indices: Any = ()
    try:
        if op is not None:
            return apply(op, (input,), {"index": key})
        if _is_rows(index):
            indices = (index,)
            return apply(ops.index, (input, index), _ROWS)
        op, key, arrays, at = advanced(input._array, index)
        if not arrays:
            return apply(op or ops.getitem_alias, (input,), {"index": key})
        x = input if op is None else apply(op, (input,), {"index": key})
        indices = arrays
        needs_data("nonzero", *[i for i in map(array_of, arrays) if is_mask(i)])
        return apply(ops.index, (x, *arrays), {"at": at})
    except IndexError as error:
        raise explained(error, input._array, index, indices) from None


def _value(value: Any, dtype: np.dtype[Any]) -> Any:
    """Return a value to write as a Tensor, or as an ndarray or a NumPy scalar of the target's dtype."""
    if isinstance(value, TensorBase):
        return value
    if isinstance(value, (bool, int, float)):
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise ValueError("Overflow when unpacking long long")
        if dtype != np.float16:
            return fill_number(value, dtype)
        with silent():  # PyTorch turns a number that is too large for float16 into inf
            return np.asarray(np.clip(value, -7e4, 7e4)).astype(dtype)
    if isinstance(value, np.generic) and value.dtype.kind in "biuf":
        return fill_number(value.item(), dtype)
    if isinstance(value, (list, tuple)):
        value = _listed(value, dtype)
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        with silent():
            return value.astype(dtype, copy=False)
    if isinstance(value, complex):
        raise RuntimeError(overflow_text(dtype).replace("float64_t", "double"))
    name = scalar_name(dtype)
    raise TypeError(named(f"can't assign a {type(value).__name__} to a npg.{name}Tensor"))


def _listed(values: Any, dtype: np.dtype[Any]) -> Any:
    """Return a list as an array, of numbers that fit as those that are written one by one must."""
    try:
        array = sequence(values)
    except ValueError:  # of different lengths
        return values
    if array.dtype.kind not in "biuf":
        return values
    if dtype.kind in "iu" and array.dtype.kind != "b" and array.size:
        for bound in (array.min(), array.max()):
            fill_number(bound.item(), dtype)
    return array


def _fitted(value: Any, ndim: int) -> Any:
    """Return value without the leading dimensions of size 1 that the target lacks."""
    array = array_of(value)
    extra = array.ndim - ndim
    if extra <= 0 or array.shape[:extra] != (1,) * extra:
        return value
    if isinstance(value, TensorBase):
        return apply(reshape, (value,), {"shape": array.shape[extra:]})
    return value.reshape(array.shape[extra:])


def _recorded(x: Any, value: Any) -> bool:
    return (
        is_grad_enabled()
        and x._array.dtype.kind == "f"
        and (x.requires_grad or (isinstance(value, TensorBase) and value.requires_grad))
    )


@exposed
def setitem(input: Any, index: Any, value: Any) -> None:
    """Write value at input[index].

    Args:
        input: tensor; changed in place.
        index: as for getitem. If an integer array repeats an index, the last value stays.
        value: tensor, number, ndarray or list that broadcasts to input[index]. Numbers, arrays, and tensors written to
            a view are cast; a tensor written through integer arrays or a mask must have the dtype of input.
    Raises: IndexError: as getitem. RuntimeError: when value does not fit, or input may not be changed in place.
    Source: Tensor.__setitem__, which takes no ndarrays and lists as values.
    """
    array = input._array
    value = _value(value, array.dtype)
    op, key = basic(index)
    if op is None and isinstance(index, bool):  # True selects everything, False nothing
        if not index:
            return
        op, key = basic(None)
    arrays: Any = ()
    indices: Any = ()
    at: Any
    try:
        if op is None and array.ndim and _is_rows(index):
            arrays, at = (index,), (0,)
        elif op is None:
            op, key, arrays, at = advanced(array, index)
        if op is ops.getitem_alias or (op is ops.getitem and key == WHOLE and array.ndim):
            op = None  # the whole tensor
        target = array if op is None else array[key]
        if target is not array and _is_all_of(target, array):
            op, target = None, array  # full slices: PyTorch makes no view for them
        if op is None and not arrays and _written_into_itself(input, value):
            return
        indices = arrays
        value = _fitted(value, _rank(target.shape, arrays))
        # Part of an expanded tensor may be writable when the whole is not; the recorded path checks the view.
        recorded = _recorded(input, value) or overlaps(array)
        if arrays:
            if isinstance(value, TensorBase) and _fills_a_mask(index, value):
                if value._array.dtype != array.dtype:
                    value = to_dtype(value, array.dtype)
                elif not value._array.ndim and value._array.base is not None:
                    value = apply(clone, (value,), {})  # it may be an element of input, but counts as a number
            value = _check_put(value, target, arrays, at)
        else:
            expanded_shape(array_of(value), target.shape)
        if not recorded:
            check_in_place(input)
            if arrays:
                _write(target, array_of(value), arrays, at, False)
            else:
                source = array_of(value)
                while isinstance(source, np.ndarray) and source.ndim < target.ndim and len(target) == 1:
                    target = target[0, ...]  # equal dimensions, so that x[None] = x is no partial overlap
                refuse_partial_overlap((target, source))
                with silent():
                    np.copyto(target, source, casting="unsafe")
            bump_version(input)
            return
        x = input if op is None else apply(op, (input,), {"index": key})
        if arrays:
            _put(ops.index_put_into, x, value, arrays, at, False)
        else:
            apply_in_place(ops.assign if op is None else ops.assign_view, (x, value), {})
    except IndexError as error:
        raise explained(error, array, index, indices) from None


def _fills_a_mask(index: Any, value: Any) -> bool:
    """Tell whether one number is written through one mask and no other array; PyTorch casts it then."""
    items = index if isinstance(index, tuple) else (index,)
    arrays = [item for item in map(item_of, items) if isinstance(item, (bool, np.ndarray, TensorBase))]
    if value._array.size != 1 or len(arrays) != 1:
        return False
    return is_mask(arrays[0])


def _is_all_of(part: Any, array: np.ndarray[Any, Any]) -> bool:
    # A part with the array's own shape and strides is the whole array.
    return part.shape == array.shape and part.strides == array.strides


def _is_same(a: Any, b: Any) -> bool:
    return a is b or (a.dtype == b.dtype and _is_all_of(a, b) and address(a) == address(b))


def _written_into_itself(input: Any, value: Any) -> bool:
    """Write an expanded tensor into itself, which only needs checks and a new version; tell whether it was one.

    No other write to a whole tensor that has several elements in one place is allowed.
    """
    if not (overlaps(input._array) and _is_same(input._array, array_of(value))):
        return False
    if is_grad_enabled() and input.requires_grad:
        refuse_in_place(input)
    check_in_place(each_once(input))
    bump_version(input)
    return True


def _rank(shape: tuple[int, ...], arrays: Any) -> int:
    if not arrays:
        return len(shape)
    if len(arrays) == 1 and array_of(arrays[0]).dtype.kind == "b":
        return len(shape) - arrays[0].ndim + 1
    return len(shape) - len(arrays) + max(array_of(a).ndim for a in arrays)


def _check_put(value: Any, target: np.ndarray[Any, Any], arrays: Any, at: tuple[int, ...]) -> Any:
    """Return the value to write.

    Raises: RuntimeError: for a tensor of another dtype than the target's.
    """
    source = array_of(value)
    if source.dtype == target.dtype:
        return value
    if isinstance(value, TensorBase):
        indexed_shape = result_shape(target.shape, arrays, at)
        try:
            fits = np.broadcast_shapes(source.shape, indexed_shape) == indexed_shape
        except ValueError:
            fits = False
        if not fits:
            raise _misfit(source, target.shape, arrays, at)
        target_name, source_name = (scalar_name(a) for a in (target, source))
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {target_name} for the destination and "
            f"{source_name} for the source."
        )
    return value


def _write(target: np.ndarray[Any, Any], value: Any, arrays: Any, at: tuple[int, ...], accumulate: bool) -> None:
    indices = [array_of(a) for a in arrays]
    refuse_meeting(target, (value, *indices))
    try:
        with silent():
            ops.index_put_into.forward(target, value, *indices, at=at, accumulate=accumulate)
    except (ValueError, TypeError):  # TypeError when NumPy expects one dimension for those of the mask
        raise _misfit(value, target.shape, indices, at) from None


def _put(op: Any, x: Any, value: Any, arrays: Any, at: tuple[int, ...], accumulate: bool) -> Any:
    refuse_meeting(x._array, map(array_of, (value, *arrays)))
    try:
        return apply_in_place(op, (x, value, *arrays), {"at": at, "accumulate": accumulate})
    except (ValueError, TypeError):
        if not x._array.flags.writeable:
            raise
        raise _misfit(array_of(value), x._array.shape, arrays, at) from None


def _misfit(value: Any, shape: tuple[int, ...], arrays: Any, at: tuple[int, ...]) -> RuntimeError:
    indexed_shape = shape_text(result_shape(shape, arrays, at))
    return RuntimeError(
        f"shape mismatch: value tensor of shape {shape_text(value.shape)} cannot be broadcast to indexing result of "
        f"shape {indexed_shape}"
    )


# ----- index_put, copy_ -----


def _put_arguments(name: str, x: Any, indices: Any, values: Any) -> tuple[Any, list[Any], tuple[int, ...]]:
    as_tensor_input(name, values, "values", 2)
    if not isinstance(indices, (tuple, list)):
        kind = type(indices).__name__
        raise TypeError(f"{name}(): argument 'indices' (position 1) must be tuple of Tensors, not {kind}")
    arrays: list[Any] = []
    at: list[int] = []
    position = 0
    for i, item in enumerate(indices):
        if not isinstance(item, (TensorBase, np.ndarray)):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got {type_name(item)}")
        index = item_of(item)
        if isinstance(index, bool):
            raise IndexError(f"expected masks of at least one dimension as indices, got a 0-d one as element {i}")
        if isinstance(index, int):  # from a 0-d tensor, which counts as an array here
            index = np.array(index)
        arrays.append(index)
        at.append(position)
        position += index.ndim if is_mask(index) else 1
    shape = x._array.shape
    if position > len(shape):
        raise IndexError(f"too many indices for tensor of dimension {len(shape)} (got {position})")
    if any(map(is_mask, arrays)):
        arrays, at = without_masks(arrays, at, shape)
    return _check_put(values, x._array, arrays, tuple(at)) if arrays else values, arrays, tuple(at)


@public_function
def index_put_(input: T, indices: Any, values: Any, accumulate: bool = False) -> T:
    """Write values at input[indices] in place.

    Args:
        input: tensor.
        indices: tuple of integer tensors or masks, one for each leading dimension.
        values: tensor of the dtype of input that broadcasts to input[indices].
        accumulate: add instead; repeated indices accumulate.
    Returns: input.
    Raises: IndexError: when an index is out of range. RuntimeError: when values do not fit.
    Source: torch.Tensor.index_put_.
    """
    values, arrays, at = _put_arguments("index_put_", input, indices, values)
    if not arrays:
        return copy_(input, values)
    try:
        return _put(ops.index_put_into, input, values, arrays, at, bool(accumulate))
    except IndexError as error:
        raise explained(error, input._array, indices, arrays) from None


@public_function
def index_put(input: T, indices: Any, values: Any, accumulate: bool = False) -> T:
    """Return a copy of input with values written at input[indices]; see index_put_."""
    as_tensor_input("index_put", input)
    values, arrays, at = _put_arguments("index_put", input, indices, values)
    try:
        return apply(ops.index_put, (input, values, *arrays), {"at": at, "accumulate": bool(accumulate)})
    except ValueError:
        raise _misfit(array_of(values), input._array.shape, arrays, at) from None
    except IndexError as error:
        raise explained(error, input._array, indices, arrays) from None


@public_function
def copy_(input: T, src: Any, non_blocking: bool = False) -> T:
    """Copy src into input, cast to its dtype and broadcast to its shape.

    Args:
        input: tensor; changed in place.
        src: tensor, ndarray or number.
        non_blocking: ignored.
    Returns: input.
    Raises: RuntimeError: when src does not broadcast to the shape of input, or input may not be changed in place.
    Source: torch.Tensor.copy_.
    """
    if not isinstance(src, (TensorBase, np.ndarray, bool, int, float, np.generic)):
        raise TypeError(_errors.NOT_A_TENSOR.format(name="copy_", argument="other", position=1, kind=type_name(src)))
    src = _value(src, input._array.dtype)
    source, shape = array_of(src).shape, input._array.shape
    for i in range(1, min(len(source), len(shape)) + 1):
        if source[-i] != shape[-i] and source[-i] != 1 and shape[-i] != 1:
            raise RuntimeError(
                f"The size of tensor a ({shape[-i]}) must match the size of tensor b ({source[-i]}) at non-singleton "
                f"dimension {max(len(source), len(shape)) - i}"
            )
    if len(source) > len(shape) or any(n != 1 and m == 1 for n, m in zip(source[::-1], shape[::-1])):
        broadcast = np.broadcast_shapes(source, shape)
        raise RuntimeError(_errors.BROADCAST_IN_PLACE.format(shape=shape_text(shape), broadcast=shape_text(broadcast)))
    if place_like(src) is META and place_like(input) is CPU:
        raise NotImplementedError(NO_DATA)
    if _written_into_itself(input, src):
        return input
    return apply_in_place(ops.assign, (input, src), {})
