"""The steps shared by all functions that create tensors: parse sizes, dtype and device, and return a leaf."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg import _errors, dtypes
from npg._floating import silent
from npg._naming import named
from npg._words import c_name, type_name
from npg.engine import TensorBase, array_of, bump_version, check_in_place, is_grad_enabled, wrap, write_out
from npg.engine._arguments import is_number
from npg.engine._out import DEFAULT, OutRule, check_out
from npg.functional._arguments import sizes_of
from npg.functional._attributes import (
    CPU,
    DEFAULTS,
    META,
    channels_last_3d,
    check_memory_format,
    contiguous_format,
    default_device,
    device as device_type,
    layout,
    place_of,
    preserve_format,
    strided,
)
from npg.functional._public import as_tensor_input, to_dtype
from npg.kernels import meta
from npg.kernels.layouts import empty_like
from npg.kernels.meta import NO_DATA as NO_DATA, MetaArray

# ----- Arguments -----


def parse_sizes(name: str, args: tuple[Any, ...], size: Any = None) -> tuple[int, ...]:
    """Return the shape of a new tensor, passed as `f(2, 3)`, `f((2, 3))` or `f(size=(2, 3))`.

    Raises: TypeError: when it is no tuple of ints. RuntimeError: for a negative size.
    """
    return check_sizes(sizes_of(name, args, "size", size), name)


_MOST = 2**60  # elements; with more, the byte count of the widest dtype overflows


def check_sizes(shape: tuple[int, ...], name: str = "") -> tuple[int, ...]:
    """Return the shape. Raises: RuntimeError: for a negative size, or more bytes than can be counted."""
    if len(shape) > 64:
        raise RuntimeError(f"expected at most 64 dimensions, which are NumPy's limit, got {len(shape)}")
    count = 1
    for n in shape:
        if n < 0:
            if name == "zeros":
                raise RuntimeError("zeros: Dimension size must be non-negative.")
            raise RuntimeError(f"Trying to create tensor with negative dimension {n}: {list(shape)}")
        count *= n
    if count > _MOST:
        raise RuntimeError(f"Storage size calculation overflowed with sizes={list(shape)}")
    return shape


def dtype_of(dtype: Any, out: Any = None) -> np.dtype[Any]:
    """Return the NumPy dtype of a new tensor: the requested one, that of `out`, or the default.

    Raises: RuntimeError: when both are given and differ.
    """
    if out is not None:
        out_dtype = out._array.dtype
        if dtype is not None and dtypes.to_numpy(dtype) != out_dtype:
            asked, own = dtypes.from_numpy(dtypes.to_numpy(dtype)), dtypes.from_numpy(out_dtype)
            raise RuntimeError(f"dtype {asked.scalar_name} does not match dtype of out parameter ({own.scalar_name})")
        return out_dtype
    return dtypes.get_default_dtype().dtype if dtype is None else dtypes.to_numpy(dtype)


def check_options(layout_: Any = None, device: Any = None, pin_memory: bool = False) -> device_type:
    """Return the device of a new tensor, CPU or META.

    Raises: AssertionError, RuntimeError, TypeError: for a layout, device or kind of memory that npg does not support.
    """
    place = CPU
    if device is not None:
        place = place_of(device)
    elif DEFAULTS:
        place = place_of(default_device())
    if layout_ is not None and layout_ is not strided:
        if not isinstance(layout_, layout):
            raise TypeError(named(f"argument 'layout' must be npg.layout, not {type(layout_).__name__}"))
        raise RuntimeError(f"npg has strided tensors only, got layout {layout_!r}")
    if pin_memory:
        raise RuntimeError(
            "pin_memory=True requires a CUDA or other accelerator backend; no pinned memory allocator is available on "
            "this system."
        )
    return place


def number(name: str, value: Any, argument: str, position: int) -> Any:
    """Return a Python number from a number, a NumPy scalar or a 0-d tensor.

    Raises: TypeError: for anything else.
    """
    if isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, np.generic) and value.dtype.kind in "biuf":
        return value.item()
    if isinstance(value, TensorBase) and value._array.ndim == 0 and not value.requires_grad:
        return value._array.item()
    raise TypeError(f"{name}(): argument '{argument}' (position {position}) must be Number, not {type(value).__name__}")


def fill_number(value: Any, dtype: np.dtype[Any], suffix: str = "_t") -> Any:
    """Return a Python number as a NumPy scalar of `dtype`, truncated where that is an integer dtype.

    Raises: RuntimeError: when it does not fit; a negative integer wraps around in an unsigned dtype, as in PyTorch.
        OverflowError: for an integer of more than 64 bits.
    """
    kind = dtype.kind
    if kind == "b":
        return np.bool_(value != 0)
    if kind == "f":
        if dtype.itemsize < 8 and math.isfinite(value) and abs(value) > float(np.finfo(dtype).max):
            raise RuntimeError(overflow_text(dtype, suffix))
        # PyTorch converts to float16 through float32.
        with silent():
            return dtype.type(np.float32(value)) if dtype.itemsize == 2 else dtype.type(value)
    info = np.iinfo(dtype)
    lowest = -int(info.max) if kind == "u" and isinstance(value, int) else int(info.min)
    if value != value or not lowest <= value <= int(info.max):
        if isinstance(value, int) and not -(2**63) <= value < 2**64:
            raise OverflowError("int too big to convert" if value > 0 else "can't convert negative int to unsigned")
        raise RuntimeError(overflow_text(dtype, suffix))
    return dtype.type(int(value) % (info.max + 1) if kind == "u" else int(value))


def overflow_text(dtype: np.dtype[Any], suffix: str = "_t") -> str:
    """Return PyTorch's text for a number that does not fit."""
    name = dtype.name
    if suffix:  # a floating dtype and int by the C type, the others as int64_t
        name = c_name(dtype) if dtype.kind == "f" or name == "int32" else name + suffix
    return f"value cannot be converted to type {name} without overflow"


def fill_value(name: str, value: Any, dtype: np.dtype[Any]) -> Any:
    """Return a number as a NumPy scalar of the dtype, or a 0-d tensor cast to it."""
    if is_number(value):
        return fill_number(value.item() if isinstance(value, np.generic) else value, dtype)
    if not isinstance(value, (TensorBase, np.ndarray)):
        raise TypeError(_errors.NOT_A_TENSOR.format(name=name, argument="value", position=3, kind=type_name(value)))
    ndim = np.ndim(array_of(value))
    if ndim:
        raise RuntimeError(
            f"{name} only supports a 0-dimensional value tensor, but got tensor with {ndim} dimension(s)."
        )
    return to_dtype(value, dtype)


# ----- Results -----


def new_array(place: device_type, shape: tuple[int, ...], dtype: np.dtype[Any], make: Any = np.empty) -> Any:
    """Return a new array on a device: make(shape, dtype), or one without data."""
    return make(shape, dtype) if place is CPU else meta.empty(shape, dtype)


def placed(array: np.ndarray[Any, Any], place: device_type) -> np.ndarray[Any, Any]:
    """Return a new array on a device: itself, or one like it without data."""
    return array if place is CPU else meta.without_data(array)


def beside(array: np.ndarray[Any, Any], *inputs: Any) -> Any:
    """Return a tensor of an array that was computed from inputs, without data where one of them has none."""
    return wrap(meta.without_data(array) if meta.is_among(map(array_of, inputs)) else array)


def place_like(x: Any) -> device_type:
    """Return the device of a tensor or an array."""
    return META if isinstance(array_of(x), MetaArray) else CPU


def leaf(array: np.ndarray[Any, Any], requires_grad: bool = False) -> Any:
    """Return a new leaf tensor on an array, which it shares.

    Raises: RuntimeError: when a tensor of integers or bools is to require a gradient.
    """
    if requires_grad and array.dtype.kind != "f":
        raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
    t = wrap(array)
    if requires_grad:
        t._set_requires_grad(True)
    return t


def finish(
    name: str, array: np.ndarray[Any, Any], out: Any = None, requires_grad: bool = False, filled: bool = False
) -> Any:
    """Return the new tensor, or `out` resized to the array's shape and filled with its values.

    Args:
        filled: PyTorch fills `out` in place, so several of its elements may share a place in memory.
    """
    if out is None:
        return leaf(array, requires_grad)
    if isinstance(getattr(out, "_array", None), MetaArray):
        array = meta.without_data(array)
    if isinstance(out, TensorBase) and out._array.shape != array.shape:  # without other functions' warning
        check_out(name, out, wrap(array), ())
        out._swap_array(meta.empty_beside(out._array, array.shape))
    write_out(name, out, wrap(array), (), _FILLED if filled else DEFAULT)
    if requires_grad:
        out._set_requires_grad(True)
    return out


_FILLED = OutRule(expanded=True)


def drawn(
    name: str,
    draw: Any,
    shape: tuple[int, ...] | None,
    dtype: Any,
    out: Any = None,
    requires_grad: bool = False,
    inputs: tuple[Any, ...] = (),
    place: device_type = CPU,
) -> Any:
    """Return a new tensor of random numbers, or `out` filled with them, in the order of its memory.

    Without data nothing is drawn.

    Args:
        draw: a function of the array to fill and the inputs' arrays, which returns that array, or a new one where the
            shape is wrong; it raises before it draws.
        shape: None when only draw knows it.
        inputs: tensors, ndarrays and numbers; none may require grad or share part of its memory with `out`.
    """
    if out is None:
        array = new_array(place, shape or (), dtype)
        return leaf(array if place is META else draw(array), requires_grad)
    if is_grad_enabled() and any(isinstance(x, TensorBase) and x.requires_grad for x in inputs):
        raise RuntimeError(_errors.OUT_WITH_GRAD.format(name=name))
    array = getattr(out, "_array", np.empty(0))
    check_out(name, out, wrap(np.empty(0, array.dtype)), inputs)
    check_in_place(out)
    arrays = [array_of(x) for x in inputs]
    arrays = [x.copy() if isinstance(x, np.ndarray) and np.may_share_memory(x, array) else x for x in arrays]
    if isinstance(array, MetaArray):
        draw = lambda array, *_: array
    filled = draw(array if shape is None or array.shape == shape else np.empty(shape, array.dtype), *arrays)
    if filled is not array:
        out._swap_array(filled)
    bump_version(out)
    if requires_grad:
        out._set_requires_grad(True)
    return out


def like_array(array: np.ndarray[Any, Any], dtype: np.dtype[Any], memory_format: Any = None) -> np.ndarray[Any, Any]:
    """Return an uninitialised array of the shape of `array`, with its memory order if it is dense."""
    if memory_format is None or memory_format is preserve_format:
        return meta.like(array, dtype) if isinstance(array, MetaArray) else empty_like(array, dtype)
    if memory_format is contiguous_format:
        return new_array(place_like(array), array.shape, dtype)
    return placed(channels_last_array(array.shape, dtype, memory_format), place_like(array))


def empty_array_like(
    name: str, input: Any, dtype: Any, layout: Any, device: Any, memory_format: Any, pin_memory: bool
) -> np.ndarray[Any, Any]:
    """Return an uninitialised array for the `..._like` function `name`.

    Raises: TypeError: when input is no tensor. Others: as check_options.
    """
    place = check_options(layout, CPU if device is None else device, pin_memory)
    check_memory_format(name, memory_format)
    array = array_of(as_tensor_input(name, input))
    if device is None:
        place = place_like(array)
    kind = array.dtype if dtype is None else dtypes.to_numpy(dtype)
    if place is CPU:
        return like_array(np.asarray(array), kind, memory_format)
    return like_array(meta.like(array), kind, memory_format)


def channels_last_array(shape: tuple[int, ...], dtype: np.dtype[Any], memory_format: Any) -> np.ndarray[Any, Any]:
    """Return an uninitialised array whose channels (dimension 1) are innermost.

    Raises: RuntimeError: when the number of dimensions does not fit.
    """
    rank = 5 if memory_format is channels_last_3d else 4
    if len(shape) != rank:
        raise RuntimeError(f"required rank {rank} tensor to use channels_last{'_3d' * (rank == 5)} format")
    return np.moveaxis(np.empty((shape[0], *shape[2:], shape[1]), dtype), -1, 1)
