"""Arrays without data: what a tensor on the device "meta" holds.

A MetaArray has a shape, a dtype and strides, and no numbers. It is an ndarray over address space that all of them share
and nobody writes, so that it takes no memory, however large it is, and every number that is read from it is zero. What
NumPy computes from it has no data either. The class says so, not a flag: views have it too.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

NO_ITEM = "Tensor.item() cannot be called on meta tensors"


class MetaArray(np.ndarray[Any, Any]):
    """An ndarray without data: writing to it does nothing, what is computed from it is a MetaArray."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        if out is not None:
            return out[0] if len(out) == 1 else out
        if method == "at":
            return None
        return without_data(getattr(ufunc, method)(*_plain(inputs), **_plain(kwargs)))

    def __array_function__(self, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        if func in _IN_PLACE:
            return None
        if func in _OF_NUMBERS:
            needs_data(func.__name__, self)
        if func in _LIKE:
            return _like(args[0], *args[1 + (func is np.full_like) :], **kwargs)
        return without_data(func(*_plain(args), **_plain(kwargs)))

    def __setitem__(self, index: Any, value: Any) -> None:
        """Write nothing."""

    def nonzero(self) -> Any:
        """Raise NotImplementedError: there are no numbers."""
        needs_data("nonzero", self)

    def fill(self, value: Any) -> None:
        """Write nothing."""

    def sort(self, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> None:
        """Write nothing."""

    def copy(self, order: Any = "C") -> MetaArray:
        return like(self) if order in ("K", "A") else empty(self.shape, self.dtype)

    def reshape(self, *shape: Any, order: Any = "C", copy: bool | None = None) -> Any:
        shape = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        try:
            return super().reshape(shape, order=order, copy=False)
        except TypeError:  # NumPy 2.0
            return without_data(super().reshape(shape, order=order))
        except ValueError:
            known = math.prod(n for n in shape if n != -1)
            if self.size != known and (shape.count(-1) != 1 or not known or self.size % known):
                raise
            return empty(tuple([self.size // known if n == -1 else n for n in shape]), self.dtype)

    def astype(  # type: ignore[override]
        self, dtype: Any, order: Any = "K", casting: Any = "unsafe", subok: bool = True, copy: bool = True
    ) -> MetaArray:
        return self if np.dtype(dtype) == self.dtype and not copy else like(self, dtype)

    def __copy__(self) -> MetaArray:
        return like(self)

    def __deepcopy__(self, memo: Any) -> MetaArray:
        return like(self)

    def __reduce__(self) -> Any:
        return empty, (self.shape, self.dtype, self.strides)

    def item(self, *args: Any) -> Any:
        """Raise RuntimeError: there is no number."""
        raise RuntimeError(NO_ITEM)

    def tolist(self) -> Any:
        """Raise NotImplementedError: there are no numbers."""
        raise NotImplementedError(NO_DATA)


NO_DATA = "Cannot copy out of meta tensor; no data!"


def _like(
    array: Array, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, **_: Any
) -> MetaArray:
    if shape is None and order in ("K", "A"):
        return like(array, dtype)
    return empty(array.shape if shape is None else tuple(shape), array.dtype if dtype is None else dtype)


_LIKE: set[Any] = {np.empty_like, np.zeros_like, np.ones_like, np.full_like}
_OF_NUMBERS: set[Any] = {np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.bincount, np.extract, np.array_equal}
_IN_PLACE: set[Any] = {np.copyto, np.put, np.putmask, np.place, np.put_along_axis, np.fill_diagonal}


# ----- Address space -----

_space: Any = None  # the latest map, at least as large as the largest array so far; arrays keep theirs


def _mapped(nbytes: int) -> memoryview:
    """Return as many bytes of address space, a memoryview of its own for each array: its views are told by that."""
    global _space
    if _space is None or len(_space) < nbytes:
        import mmap  # only loaded when it is used

        size = max(1 << 20, 1 << (nbytes - 1).bit_length())
        flags: tuple[int, ...] = ()
        if hasattr(mmap, "MAP_ANONYMOUS"):
            unreserved = getattr(mmap, "MAP_NORESERVE", 0x4000 if sys.platform == "linux" else 0)  # named since 3.13
            flags = (mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | unreserved,)
        try:
            _space = mmap.mmap(-1, size, *flags)
        except (OSError, OverflowError) as error:
            raise RuntimeError(f"a tensor without data takes address space, and there are no {nbytes} bytes") from error
    return memoryview(_space)


# ----- Making them -----


def empty(shape: tuple[int, ...], dtype: Any, strides: tuple[int, ...] | None = None) -> MetaArray:
    """Return an array without data; strides in bytes, None for C order."""
    dtype = np.dtype(dtype)
    if strides is None:
        nbytes = dtype.itemsize
        for n in shape:
            nbytes *= max(n, 1)
    else:
        nbytes = dtype.itemsize + sum((n - 1) * s for n, s in zip(shape, strides, strict=True) if n > 1)
    return MetaArray(shape, dtype, _mapped(nbytes), 0, strides)


def empty_beside(array: Any, shape: tuple[int, ...], dtype: Any = None) -> Array:
    """Return an uninitialised array, without data where another has none; of its dtype unless one is given."""
    dtype = array.dtype if dtype is None else dtype
    return empty(shape, dtype) if isinstance(array, MetaArray) else np.empty(shape, dtype)


def like(array: Array, dtype: Any = None) -> MetaArray:
    """Return an array without data, of the shape and the memory order of another, and its dtype unless one is given."""
    kind = array.dtype if dtype is None else np.dtype(dtype)
    if array.flags.c_contiguous:
        return empty(array.shape, kind)
    small = np.empty_like(_corner(array), kind)  # NumPy knows the order
    return ordered(array.shape, small)


def ordered(shape: tuple[int, ...], small: Array) -> MetaArray:
    """Return an array without data of a shape, and of the dtype and memory order of a smaller array."""
    if small.flags.c_contiguous:
        return empty(shape, small.dtype)
    strides, step = [0] * len(shape), small.itemsize
    for d in sorted(range(len(shape)), key=lambda d: small.strides[d]):
        strides[d] = step
        step *= max(shape[d], 1)
    return empty(shape, small.dtype, tuple(strides))


def _corner(array: Array) -> Array:
    """Return the first two numbers along each dimension, a view."""
    return np.asarray(array)[(slice(0, 2),) * array.ndim]


def corner(x: Any) -> Any:
    """Return the first two numbers along each dimension, a view; ones in its memory order where there is no data."""
    if not isinstance(x, np.ndarray):
        return x
    return np.ones_like(_corner(x)) if isinstance(x, MetaArray) else _corner(x)


def stand_in(x: Any, is_matrix: bool = False) -> Any:
    """Return an array like one without data, in its memory order, of numbers with which most can be computed.

    Floating ones are 1, integers 0, which are indices of any dimension.

    Args:
        is_matrix: large numbers on the diagonal of the last two dimensions, so that there is an inverse.
    """
    if not isinstance(x, MetaArray):
        return x
    numbers = np.empty_like(np.asarray(x))
    numbers.fill(x.dtype.kind == "f")
    if is_matrix and x.ndim > 1:
        diagonal = np.arange(min(x.shape[-2:]))
        numbers[..., diagonal, diagonal] = 1 + len(diagonal)
    return numbers


# ----- From NumPy's results -----


def _plain(x: Any) -> Any:
    if isinstance(x, MetaArray):
        return np.asarray(x)
    if isinstance(x, (tuple, list)):
        return type(x)([_plain(part) for part in x])
    return {key: _plain(value) for key, value in x.items()} if isinstance(x, dict) else x


def _is_mapped(array: Array) -> bool:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return isinstance(array, MetaArray) and not array.flags.owndata


def without_data(x: Any) -> Any:
    """Return a result (an array, a NumPy number, several in a tuple or list) without its data; a view stays one."""
    if isinstance(x, np.ndarray):
        if _is_mapped(x):
            return x if isinstance(x, MetaArray) else x.view(MetaArray)
        return like(x)
    if isinstance(x, np.generic):
        return empty((), x.dtype)
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*[without_data(part) for part in x])
    return type(x)([without_data(part) for part in x]) if isinstance(x, (tuple, list)) else x


def needs_data(name: str, *arrays: Any) -> None:
    """Raise NotImplementedError when one of the arrays has no data, because a function's result depends on them."""
    if is_among(arrays):
        raise NotImplementedError(f"aten::{name}: its result depends on numbers, and tensors on device meta have none")


def is_among(arrays: Any) -> bool:
    """Tell whether one of the arrays has no data."""
    return any(isinstance(x, MetaArray) for x in arrays)
