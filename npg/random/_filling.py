"""The loop that fills an array block by block, in the order in which PyTorch does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from npg import dtypes
from npg._errors import OVERLAP_IN_PLACE
from npg._floating import silent
from npg._words import scalar_name
from npg.kernels.layouts import memory_order
from npg.kernels.meta import MetaArray
from npg.random._generator import Generator

BLOCK = 32768  # elements at a time: the temporaries of a block stay in the processor's cache


class Limits(NamedTuple):
    """The limits of a dtype; integers up to 2**digits are exact in a floating dtype, 0 stands for other dtypes."""

    smallest: float
    largest: float
    digits: int = 0


def _limits(d: dtypes.dtype) -> Limits:
    if d is dtypes.bool_:
        return Limits(0, 1)
    if d.is_floating_point:
        info = np.finfo(d.dtype)
        return Limits(float(info.min), float(info.max), info.nmant + 1)
    return Limits(int(np.iinfo(d.dtype).min), int(np.iinfo(d.dtype).max))


LIMITS = {d.dtype: _limits(d) for d in dtypes.ALL}


# Kernels that PyTorch does not call when there is nothing to fill; for the others it checks the dtype first.
_NOT_RUN = frozenset(("normal_kernel_cpu", "log_normal_cpu", "geometric_cpu"))


def check_out(out: Any, kernel: str, kinds: str = "f") -> None:
    """Raise unless out is a writable ndarray with a dtype that the named kernel of PyTorch supports."""
    if not isinstance(out, np.ndarray):
        raise TypeError(f"expected an ndarray to fill, got {type(out).__name__}")
    if not out.size and kernel in _NOT_RUN:
        return
    if out.dtype not in LIMITS or out.dtype.kind not in kinds:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{scalar_name(out)}'")
    check_writable(out)


def check_writable(out: np.ndarray) -> None:
    """Raise when out is read-only, or has elements that share memory."""
    if not out.flags.writeable:
        raise RuntimeError("expected an array that can be written, got a read-only one; copy it first")
    if out.size and 0 in out.strides and any(s == 0 and n > 1 for s, n in zip(out.strides, out.shape, strict=True)):
        raise RuntimeError(OVERLAP_IN_PLACE)


# ----- Filling -----


def fill(out: np.ndarray, generator: Generator, make: Callable[[Generator, int], np.ndarray]) -> np.ndarray:
    """Write make(generator, count) into out, block by block in PyTorch's order, and return out.

    Args:
        make: returns count values; float64 is converted to float16 by way of float32, as in PyTorch.
    """
    total = out.size
    if not total or isinstance(out, MetaArray):
        return out
    with generator._lock:
        if out.flags.c_contiguous:
            _fill_flat(out.reshape(-1), generator, make)
        else:
            # A copy, because a block of this array is not a slice of any view.
            ordered = out.transpose(memory_order(out.shape, out.strides))
            values = np.empty(total, out.dtype)
            _fill_flat(values, generator, make)
            ordered[...] = values.reshape(ordered.shape)
    return out


@silent()
def _fill_flat(flat: np.ndarray, generator: Generator, make: Callable[[Generator, int], np.ndarray]) -> None:
    total = len(flat)
    if total <= BLOCK:
        flat[...] = narrowed(make(generator, total), flat.dtype)
        return
    for start in range(0, total, BLOCK):
        stop = min(start + BLOCK, total)
        flat[start:stop] = narrowed(make(generator, stop - start), flat.dtype)


def narrowed(values: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """Return floating values as a C++ cast to dtype would, too large ones infinite; other values unchanged."""
    if values.dtype == dtype or values.dtype.kind != "f" or dtype == np.float64:
        return values
    with silent():
        if dtype.kind == "f":
            return values.astype(np.float32).astype(dtype, copy=False)
        return values.astype(np.int64 if dtype == np.int64 else np.int32).astype(dtype, copy=False)


# ----- Uniform numbers in [0, 1) -----

_LOWER_53 = np.array(2**53 - 1, np.uint64)


def uniform32(generator: Generator, count: int) -> np.ndarray:
    """Return count float32 values: 24 bits of a word each."""
    words = generator._words(count)
    words &= np.uint32(0xFFFFFF)
    values = words.view(np.int32).astype(np.float32)  # signed words, because processors convert them faster
    values *= np.float32(2.0**-24)
    return values


def uniform64(generator: Generator, count: int) -> np.ndarray:
    """Return count float64 values: 53 bits of two words each."""
    words = generator._long_words(count)
    words &= _LOWER_53
    values = words.view(np.int64).astype(np.float64)
    values *= 2.0**-53
    return values
