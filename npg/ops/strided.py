"""Ops on memory: views by shape and strides, and the effect of an in-place change of a view on its base.

A layout is (shape, strides in bytes) and an offset in bytes from the base's first element. The engine uses these ops
when a view or its base is changed in place. They work in the layout of the base: a gradient with another layout is
copied to it first.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.kernels.layouts import address
from npg.kernels.meta import MetaArray
from npg.kernels.sums import add_up
from npg.ops._half import HALF
from npg.ops._kinds import ELEMENTWISE, linear
from npg.ops._op import movement, primitive


@primitive(lambda g, _y, _x: g, view=True, kind=ELEMENTWISE, tangent=linear)
def alias(input: Any) -> Any:
    """Return a view of the whole input."""
    return input.view()


# ----- Layouts -----


def geometry(base: np.ndarray[Any, Any], view: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Return the layout of `view` in the memory of `base`, as settings of the ops below."""
    offset = address(view) - address(base) if view.size and base.size else 0
    return {"shape": view.shape, "strides": view.strides, "offset": offset, "base": (base.shape, base.strides)}


def overlaps(array: np.ndarray[Any, Any]) -> bool:
    """Tell whether several elements share one address because a dimension was expanded."""
    if 0 not in array.strides:
        return False
    return any(s == 0 and n > 1 for n, s in zip(array.shape, array.strides, strict=True)) and array.size > 0


def partly_overlaps(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
    """Tell whether two arrays without gaps share some elements but not all, or all of them in another order."""
    if a.base is None and b.base is None or isinstance(a, MetaArray):
        return False
    if not np.may_share_memory(a, b) or not (_is_dense(a) and _is_dense(b)):
        return False
    first, second = address(a), address(b)
    return first != second or a.nbytes != b.nbytes or a.ndim != b.ndim or _steps(a) != _steps(b)


def _steps(a: np.ndarray[Any, Any]) -> list[tuple[int, int]]:
    # The stride of a dimension of size 1 is arbitrary.
    return [(n, s) for n, s in zip(a.shape, a.strides, strict=True) if n != 1]


def intersects(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
    """Tell whether two arrays without gaps share any element."""
    if a is b:
        return a.size > 0
    if a.base is None and b.base is None or isinstance(a, MetaArray):
        return False
    return np.may_share_memory(a, b) and _is_dense(a) and _is_dense(b)


def _is_dense(a: np.ndarray[Any, Any]) -> bool:
    reach = a.itemsize
    for s, n in sorted((s, n) for n, s in zip(a.shape, a.strides, strict=True) if n > 1):
        if s != reach:
            return False
        reach *= n
    return a.size > 0


def _extent(shape: tuple[int, ...], strides: tuple[int, ...], itemsize: int) -> int:
    return sum((n - 1) * s for n, s in zip(shape, strides, strict=True)) + itemsize if 0 not in shape else 0


class Window:
    """Memory with a layout: NumPy makes an array of its `__array_interface__`. Holding `owner` keeps it alive."""

    def __init__(self, interface: dict[str, Any], owner: Any) -> None:
        self.__array_interface__ = interface
        self.owner = owner


def root(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the array that owns the memory."""
    while True:
        owner = array.base
        if not isinstance(owner, np.ndarray):
            owner = getattr(owner, "owner", getattr(owner, "base", None))  # a Window on another array
            if not isinstance(owner, np.ndarray):
                return array
        array = owner


def offset_of(array: np.ndarray[Any, Any]) -> int:
    """Return the number of elements between the start of the memory and the first element."""
    return (address(array) - address(root(array))) // array.itemsize if array.size else 0


def contiguous_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides, in elements, of a contiguous array; a size of 0 counts as 1."""
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= max(n, 1)
    return tuple(reversed(strides))


def _window(array: np.ndarray[Any, Any], shape: Any, strides: Any, offset: int) -> np.ndarray[Any, Any]:
    """Return the view of the array's memory with this layout, in bytes from the array's first element."""
    owner = root(array)
    first = address(array) + offset
    dense = owner.transpose(sorted(range(owner.ndim), key=lambda d: -owner.strides[d]))
    if dense.flags.c_contiguous:  # the view's base is then the owner, by which the engine knows a view
        start = first - address(owner)
        return np.ndarray(shape, array.dtype, dense, start if 0 not in shape else 0, strides)
    interface = dict(array.__array_interface__)
    interface["shape"], interface["strides"] = tuple(shape), tuple(strides)
    interface["data"] = (first, not array.flags.writeable)
    return np.asarray(Window(interface, array))


def _blank(base: Any, dtype: Any, shape: Any, strides: Any, offset: int) -> tuple[Any, Any]:
    """Return a zeroed array of the base's layout, and the view into it."""
    start = max(0, -offset)  # as_strided may reach memory before its input
    size = start + max(_extent(base[0], base[1], dtype.itemsize), offset + _extent(shape, strides, dtype.itemsize))
    memory = np.zeros(size, np.uint8)
    full = np.ndarray(base[0], dtype, memory, start, base[1])
    part = np.ndarray(shape, dtype, memory, start + offset, strides)
    return full, part


def _are_apart(shape: Any, strides: Any, itemsize: int) -> bool:
    """Tell whether no two elements share an address, as far as the strides show directly."""
    reach = itemsize
    for s, n in sorted((abs(s), n) for n, s in zip(shape, strides, strict=True) if n > 1):
        if s < reach:
            return False
        reach += s * (n - 1)
    return True


def _add_into(part: np.ndarray[Any, Any], g: np.ndarray[Any, Any]) -> None:
    for i, (n, s) in enumerate(zip(part.shape, part.strides, strict=True)):
        if s == 0 and n > 1:  # an expanded dimension: all its elements share one address
            g = add_up(g, i, True)
            part = part[(slice(None),) * i + (slice(0, 1),)]
    if _are_apart(part.shape, part.strides, part.itemsize):
        part += g
        return
    for index in np.ndindex(part.shape):  # overlapping windows: one element at a time, so that none is lost
        part[index] += g[index]


def _mean_of_shared(base: Any, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return x, each element divided by the number of elements of the base that share its address.

    An address that an overlapping base shows several times has one gradient, which its elements share: the backward of
    that base adds them up.
    """
    shape, strides = base
    if 0 in shape or _are_apart(shape, strides, x.itemsize):
        return x
    counts, _ = _blank(base, x.dtype, shape, strides, 0)
    _add_into(counts, np.ones(shape, x.dtype))
    return x / counts


# ----- The ops -----


@primitive(lambda g, _y, _x, **where: strided_scatter(g, **where), view=True)
def as_strided(
    input: Any,
    *,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    offset: int,
    base: tuple[tuple[int, ...], tuple[int, ...]],
) -> Any:
    """Return the view of the input's memory with this layout."""
    return _window(input, shape, strides, offset)


@movement(lambda g, _y, _x, **where: strided_gather(g, **where), aten=None)
def strided_scatter(
    input: Any,
    *,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    offset: int,
    base: tuple[tuple[int, ...], tuple[int, ...]],
) -> Any:
    """Return zeros of the base's layout with the input added in the view: the adjoint of strided_gather."""
    if input.dtype == HALF:  # accumulated in float32, whose elements lie twice as far apart
        twice = tuple([2 * s for s in strides]), (base[0], tuple([2 * s for s in base[1]]))
        wide = strided_scatter(
            input.astype(np.float32), shape=shape, strides=twice[0], offset=2 * offset, base=twice[1]
        )
        full, _ = _blank(base, HALF, shape, strides, offset)
        np.copyto(full, wide, casting="same_kind")
        return full
    full, part = _blank(base, input.dtype, shape, strides, offset)
    _add_into(part, input)
    return _mean_of_shared(base, full)


@movement(lambda g, _y, _x, **where: strided_scatter(g, **where), aten=None)
def strided_gather(
    input: Any,
    *,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    offset: int,
    base: tuple[tuple[int, ...], tuple[int, ...]],
) -> Any:
    """Return a copy of the view of the input, laid out like the base; the mean where elements share an address."""
    full, part = _blank(base, input.dtype, shape, strides, offset)
    shared = _mean_of_shared(base, input)
    if shared is input:
        full[...] = input
    else:
        _add_into(full, shared)
    return part.copy()


@movement(lambda g, _y, _x, **where: strided_clear(g, **where), aten=None)
def strided_clear(
    input: Any,
    *,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    offset: int,
    base: tuple[tuple[int, ...], tuple[int, ...]],
) -> Any:
    """Return a copy of the input, laid out like the base, with zeros in the view."""
    full, part = _blank(base, input.dtype, shape, strides, offset)
    full[...] = input
    part[...] = 0
    return full


@movement(
    lambda g, _y, _base, _value, **where: strided_clear(g, **where),
    lambda g, _y, _base, _value, **where: strided_gather(g, **where),
    aten=None,
)
def copy_slices(
    input: Any,
    value: Any,
    *,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    offset: int,
    base: tuple[tuple[int, ...], tuple[int, ...]],
) -> Any:
    """Return the input with the view replaced by value."""
    full, part = _blank(base, input.dtype, shape, strides, offset)
    full[...] = input
    part[...] = value
    return full


copy_slices.node_name = "torch::autograd::CopySlices"
