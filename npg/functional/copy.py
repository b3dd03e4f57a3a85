"""Copies and views of the same values: clone, detach, as_strided, and identities on real numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg._errors import OUT_DTYPE_FOUND
from npg._words import shape_text
from npg.engine import apply, array_of, wrap
from npg.functional._attributes import channels_last, channels_last_3d, check_memory_format, contiguous_format
from npg.functional._factory import channels_last_array, like_array, parse_sizes
from npg.functional._public import as_tensor_input, exposed, public_function, writes
from npg.functional._types import Sizes, T
from npg.kernels.meta import MetaArray
from npg.ops import elementwise, shape, strided
from npg.ops.strided import offset_of, root


@exposed
def clone(input: T, *, memory_format: Any = None) -> T:
    """Return a copy of input, through which gradients flow.

    Args:
        memory_format: npg.preserve_format (as None: input's strides if it is dense), npg.contiguous_format, or
            npg.channels_last.
    Source: torch.clone.
    """
    x = as_tensor_input("clone", input)
    check_memory_format("clone", memory_format)
    if memory_format is contiguous_format:
        return apply(shape.contiguous, (x,), {})
    copy = apply(elementwise.clone, (x,), {})
    laid_out(copy, memory_format)
    return copy


def laid_out(fresh: Any, memory_format: Any) -> None:
    """Convert a new tensor, which nothing else refers to, to a memory format."""
    array = fresh._array
    if isinstance(array, MetaArray):
        fresh._array = like_array(array, array.dtype, memory_format)
    elif memory_format is contiguous_format:
        fresh._array = np.ascontiguousarray(array) if array.ndim else array
    elif memory_format in (channels_last, channels_last_3d):
        fresh._array = channels_last_array(array.shape, array.dtype, memory_format)
        fresh._array[...] = array


@public_function
def detach(input: T) -> T:
    """Return a tensor on the same memory, outside the graph; writes through it bump the shared version.

    Source: torch.Tensor.detach.
    """
    detached = wrap(input._array)
    detached._share_version(input)
    return detached


@public_function
def as_strided(input: T, size: Sizes, stride: Sizes, storage_offset: int | None = None) -> T:
    """Return a view of input's memory with these sizes and strides.

    Args:
        size, stride: in elements.
        storage_offset: of the first element from the start of the memory; None: that of input.
    Raises: RuntimeError: when the view would exceed the memory.
    Source: torch.as_strided.
    """
    x = as_tensor_input("as_strided", input)
    array = array_of(x)
    sizes, strides = parse_sizes("as_strided", (tuple(size),)), tuple(int(s) for s in stride)
    if len(sizes) != len(strides):
        raise RuntimeError("mismatch in length of strides and shape")
    if any(s < 0 for s in strides):
        raise RuntimeError(
            f"as_strided: Negative strides are not supported at the moment, got strides: {shape_text(strides)}"
        )
    own_offset = offset_of(array)
    start = own_offset if storage_offset is None else int(storage_offset)
    if start < 0:
        raise RuntimeError(f"Tensor: invalid storage offset {start}")
    reach = start + 1 + sum((n - 1) * s for n, s in zip(sizes, strides)) if 0 not in sizes else 0
    width, nbytes = array.itemsize, root(array).nbytes
    if reach * width > nbytes:
        raise RuntimeError(
            f"setStorage: sizes {shape_text(sizes)}, strides {shape_text(strides)}, storage offset {start}, and "
            f"itemsize {width} requiring a storage size of {reach * width} are out of bounds for storage of size "
            f"{nbytes}"
        )
    where = {
        "shape": sizes,
        "strides": tuple(s * width for s in strides),
        "offset": (start - own_offset) * width,
        "base": (array.shape, array.strides),
    }
    return apply(strided.as_strided, (x,), where)


# ----- What is the identity on real numbers -----


@public_function
def real(input: T) -> T:
    """Return input itself: npg has no complex numbers. Source: torch.real."""
    return as_tensor_input("real", input)


@public_function
def conj(input: T) -> T:
    """Return input itself: npg has no complex numbers. Source: torch.conj."""
    return as_tensor_input("conj", input)


@public_function
@writes(OUT_DTYPE_FOUND)
def conj_physical(input: T, *, out: Any = None) -> T:
    """Return input itself: npg has no complex numbers. Source: torch.conj_physical."""
    return as_tensor_input("conj_physical", input)


@public_function
def resolve_conj(input: T) -> T:
    """Return input itself: npg has no lazy conjugation. Source: torch.resolve_conj."""
    return as_tensor_input("resolve_conj", input)


@public_function
def resolve_neg(input: T) -> T:
    """Return input itself: npg has no lazy negation. Source: torch.resolve_neg."""
    return as_tensor_input("resolve_neg", input)
