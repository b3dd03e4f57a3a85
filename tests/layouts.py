"""Copies of arrays that lie in memory in other ways: for tests that no kernel reads more of a layout than it tells.

    for name, laid_out in LAYOUTS.items():
        x = laid_out(a)        # equal to a, or None where `a` cannot lie so

The stride of a dimension of size 1 tells nothing, also in an array that NumPy calls contiguous. Other arrays have gaps,
run backwards, start at odd addresses or may not be written.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray


def odd(a: Array) -> Array | None:
    """With strides in dimensions of size 1 that lead far away: large, negative, zero and no multiple of the item."""
    if 1 not in a.shape or not a.size:
        return None
    far = iter([1 << 40, -(1 << 40), 0, a.itemsize, 3, -a.itemsize] * a.ndim)
    strides = tuple(next(far) if n == 1 else s for n, s in zip(a.shape, a.strides, strict=True))
    return np.ndarray(a.shape, a.dtype, np.array(a, order="C"), 0, strides)


def reverse(a: Array) -> Array | None:
    """With the dimensions in reverse order: Fortran's."""
    return np.array(a, order="F") if a.ndim > 1 else None


def swapped(a: Array) -> Array | None:
    """With the last two dimensions in reverse order, in a batch of matrices that are transposed."""
    return np.array(a.swapaxes(-1, -2), order="C").swapaxes(-1, -2) if a.ndim > 1 else None


def gaps(a: Array) -> Array | None:
    """Every other element of a larger array, whose last dimension lies outermost."""
    if not a.ndim or not a.size:
        return None
    order = (a.ndim - 1, *range(a.ndim - 1))
    wide = np.full([2 * a.shape[d] + 1 for d in order], 77, a.dtype)
    view = wide.transpose([*range(1, a.ndim), 0])[(slice(1, None, 2),) * a.ndim]
    view[...] = a
    return view


def columns(a: Array) -> Array | None:
    """Some columns of a wider array: rows lie one after the other, with gaps between them."""
    if not a.ndim or not a.size:
        return None
    wide = np.full((*a.shape[:-1], a.shape[-1] + 3), 77, a.dtype)
    wide[..., 1:-2] = a
    return wide[..., 1:-2]


def backwards(a: Array) -> Array | None:
    """Every dimension from its end to its start, of all elements."""
    if not a.ndim or not a.size:
        return None
    turned = (slice(None, None, -1),) * a.ndim
    return np.array(a[turned], order="C")[turned]


def unaligned(a: Array) -> Array | None:
    """At an odd address."""
    if a.itemsize == 1 or not a.size:
        return None
    memory = np.empty(a.nbytes + 1, np.uint8)
    view = np.ndarray(a.shape, a.dtype, memory, 1)
    view[...] = a
    return view


def field(a: Array) -> Array | None:
    """A field of a structured array: the strides are no multiples of the item."""
    if a.itemsize == 1 or not a.ndim or not a.size:
        return None
    records = np.zeros(a.shape, [("flag", np.int8), ("value", a.dtype)])
    records["value"] = a
    return records["value"]


def read_only(a: Array) -> Array:
    """Not to be written."""
    a = a.copy()
    a.flags.writeable = False
    return a


LAYOUTS: dict[str, Callable[[Array], Array | None]] = {
    f.__name__: f for f in (odd, reverse, swapped, gaps, columns, backwards, unaligned, field, read_only)
}


# ----- Elements that share memory: of arrays that were made for it -----


def expanded(a: Array, dim: int = 0) -> Array | None:
    """The first of a dimension, again and again."""
    if not a.ndim or a.shape[dim] < 2 or not a.size:
        return None
    first = a[(slice(None),) * dim + (slice(0, 1),)].copy()
    strides = tuple(0 if d == dim else s for d, s in enumerate(first.strides))
    return np.lib.stride_tricks.as_strided(first, a.shape, strides)


def windows(a: Array) -> Array | None:
    """Rows that overlap: each starts one element after the one before it."""
    if a.ndim < 2 or min(a.shape) < 2:
        return None
    line = np.resize(a, sum(a.shape))
    return np.lib.stride_tricks.as_strided(line, a.shape, (a.itemsize,) * a.ndim)


SHARING: dict[str, Callable[[Array], Array | None]] = {f.__name__: f for f in (expanded, windows)}
