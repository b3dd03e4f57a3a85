"""Parts of a tensor, as views: slices, windows, diagonals, and splits of the whole."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from npg._naming import named
from npg._words import scalar_name, type_name
from npg.engine import TensorBase, apply
from npg.functional._arguments import checked_array, dim_index, index_of
from npg.functional._public import F, public_function
from npg.functional._types import Dims, Sizes, T
from npg.ops import joining as join_ops, shape as ops

# ----- One part -----


@public_function
def narrow(input: T, dim: int, start: Any, length: int) -> T:
    """Return a view of `length` elements from `start` on along a dimension.

    Args:
        input: at least one dimension.
        dim: an int.
        start: an int or a 0-d integer tensor; negative ones count from the end.
        length: an int.
    Raises: IndexError, RuntimeError: when the range exceeds the dimension.
    Source: torch.narrow.
    """
    shape = checked_array("narrow", input).shape
    if not shape:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    d = dim_index("narrow", dim, len(shape))
    first = int(start._array) if isinstance(start, TensorBase) else start
    size = shape[d]
    if not -size <= first <= size:
        raise IndexError(f"start out of range (expected to be in range of [{-size}, {size}], but got {first})")
    if first < 0:
        first += size
    if first + length > size:
        raise RuntimeError(f"start ({first}) + length ({length}) exceeds dimension size ({size}).")
    return apply(ops.slice_, (input,), {"dim": d, "start": first, "stop": first + length, "step": 1})


@public_function
def select(input: T, dim: int, index: Any) -> T:
    """Return a view at one index of a dimension, without that dimension.

    Raises: IndexError: when the index is out of range.
    Source: torch.select.
    """
    shape = checked_array("select", input).shape
    if not shape:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    d = dim_index("select", dim, len(shape))
    size = shape[d]
    index = int(index._array) if isinstance(index, TensorBase) else index
    if not -size <= index < size:
        raise IndexError(f"select(): index {index} out of range for tensor of size {list(shape)} at dimension {d}")
    return apply(ops.select, (input,), {"dim": d, "index": index % size})


@public_function
def diagonal(input: T, offset: int = 0, dim1: int = 0, dim2: int = 1) -> T:
    """Return a view of a diagonal of two dimensions, as the last dimension.

    Args:
        input: at least two dimensions.
        offset: above (positive) or below the main diagonal.
        dim1, dim2: two different dimensions.
    Source: torch.diagonal.
    """
    shape = checked_array("diagonal", input).shape
    d1, d2 = dim_index("diagonal", dim1, len(shape)), dim_index("diagonal", dim2, len(shape))
    if d1 == d2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    if not -shape[d1] <= offset <= shape[d2]:  # an empty diagonal; NumPy's offset has 32 bits
        offset = shape[d2] if offset > 0 else -shape[d1]
    return apply(ops.diagonal, (input,), {"offset": offset, "dim1": d1, "dim2": d2})


@public_function
def unfold(input: T, dimension: int, size: int, step: int) -> T:
    """Return a view of all windows of this size, `step` apart, along a dimension, as a new last dimension.

    Raises: RuntimeError: when size or step do not fit.
    Source: torch.Tensor.unfold.
    """
    shape = checked_array("unfold", input).shape
    d = dim_index("unfold", dimension, len(shape))
    longest = shape[d] if shape else 1
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > longest:
        raise RuntimeError(f"maximum size for tensor at dimension {d} is {longest} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    return apply(ops.unfold, (input,), {"dim": d, "size": size, "step": step})


# ----- All parts -----


@public_function
def split(
    tensor: T, split_size_or_sections: Dims | None = None, dim: int = 0, *, split_size: Dims | None = None
) -> tuple[T, ...]:
    """Return views of consecutive parts of a tensor along a dimension.

    Args:
        tensor: at least one dimension.
        split_size_or_sections: an int: the size of each part (the last may be smaller); or a sequence: all sizes.
        dim: an int.
        split_size: the same under the method's name.
    Returns: a tuple. All parts come from one node, whose backward is one concatenation.
    Raises: RuntimeError: when the sizes do not fit.
    Source: torch.split.
    """
    size: Any = split_size if split_size_or_sections is None else split_size_or_sections
    if isinstance(size, (tuple, list)):
        return split_with_sizes(tensor, size, dim)
    shape = checked_array("split", tensor, "tensor").shape
    if not shape:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    d = dim_index("split", dim, len(shape))
    n, size = shape[d], index_of(size)
    if size < 0:
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
    if size == 0 and n:
        raise RuntimeError(f"split_size can only be 0 if dimension size is 0, but got dimension size of {n}")
    return _split(tensor, n, size, d)


def _split(tensor: Any, n: int, size: int, dim: int) -> tuple[Any, ...]:
    if n <= size:
        sizes: tuple[int, ...] = (n,)
    else:
        full, remainder = divmod(n, size)
        sizes = (size,) * full + ((remainder,) if remainder else ())
    return apply(join_ops.split, (tensor,), {"sizes": sizes, "dim": dim})


@public_function
def split_with_sizes(input: T, split_sizes: Sizes, dim: int = 0) -> tuple[T, ...]:
    """Return views of consecutive parts of these sizes along a dimension; see split. Source: torch.split_with_sizes."""
    shape = checked_array("split_with_sizes", input).shape
    if not shape:
        raise RuntimeError("split_with_sizes expects at least a 1-dimensional tensor")
    d = dim_index("split_with_sizes", dim, len(shape))
    sizes = tuple(int(n) for n in split_sizes)
    if any(n < 0 for n in sizes):
        raise RuntimeError(
            f"split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes={list(sizes)}"
        )
    if sum(sizes) != shape[d]:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {shape[d]} (input tensor's size at dimension "
            f"{d}), but got split_sizes={list(sizes)}"
        )
    return apply(join_ops.split_with_sizes, (input,), {"sizes": sizes, "dim": d})


@public_function
def chunk(input: T, chunks: int, dim: int = 0) -> tuple[T, ...]:
    """Return views of at most `chunks` parts of equal size (the last may be smaller); see split.

    Raises: RuntimeError: when chunks is below 1.
    Source: torch.chunk.
    """
    shape = checked_array("chunk", input).shape
    if not shape:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    chunks = index_of(chunks)
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    d = dim_index("chunk", dim, len(shape))
    n = shape[d]
    if not n:  # the requested number of empty parts
        return apply(join_ops.split_with_sizes, (input,), {"sizes": (0,) * chunks, "dim": d})
    return _split(input, n, math.ceil(n / chunks), d)


# The names of the three kinds of the second argument in PyTorch's signatures; its documentation joins them to one.
_SPLIT_AT: dict[str, tuple[Any, str]] = {
    "indices": ((tuple, list), "tuple of ints"),
    "sections": (int, "int"),
    "tensor_indices_or_sections": (TensorBase, "Tensor"),
}


def _split_at(function: F) -> F:
    """Let indices_or_sections of a function be given under the name of its kind."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        for name in _SPLIT_AT.keys() & kwargs.keys():
            kind, words = _SPLIT_AT[name]
            given = kwargs.pop(name)
            if not isinstance(given, kind):
                raise TypeError(f"{function.__name__}(): argument '{name}' must be {words}, not {type_name(given)}")
            if len(args) > 1 or "indices_or_sections" in kwargs:
                raise TypeError(f"{function.__name__}() got multiple values for argument '{name}'")
            kwargs["indices_or_sections"] = given
        return function(*args, **kwargs)

    return call  # type: ignore[return-value]


@public_function
@_split_at
def tensor_split(input: T, indices_or_sections: Any, dim: int = 0) -> tuple[T, ...]:
    """Return views of parts along a dimension.

    Args:
        input: at least one dimension.
        indices_or_sections: an int: the number of parts, the first of which may be larger by one; or a sequence: the
            indices at which to split. Also a 0-d or 1-d int64 tensor. By keyword also as `sections`, `indices` and
            `tensor_indices_or_sections`.
        dim: an int.
    Raises: RuntimeError: when the number of parts is below 1.
    Source: torch.tensor_split.
    """
    shape = checked_array("tensor_split", input).shape
    if not shape:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    d = dim_index("tensor_split", dim, len(shape))
    n = shape[d]
    if isinstance(indices_or_sections, TensorBase):
        if indices_or_sections._array.dtype != np.int64:
            kind = scalar_name(indices_or_sections._array)
            raise RuntimeError(
                f"tensor_split expected tensor_indices_or_sections to have dtype of long, but got {kind}"
            )
        indices_or_sections = indices_or_sections._array.tolist()
    if isinstance(indices_or_sections, (tuple, list)):
        cuts = [0, *indices_or_sections, n]
    else:
        sections = indices_or_sections
        if sections <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {sections}")
        if sections > 2**32:
            raise RuntimeError(f"tensor_split(): {sections} tensors are more than fit into memory")
        size, larger = divmod(n, sections)
        cuts = [i * size + min(i, larger) for i in range(sections + 1)]
    parts = []
    for a, b in zip(cuts[:-1], cuts[1:], strict=True):
        start, stop, _ = slice(a, b).indices(n)
        settings = {"dim": d, "start": start, "stop": max(start, stop), "step": 1}
        parts.append(apply(ops.slice_, (input,), settings))
    return tuple(parts)


def _split_evenly(name: str, input: Any, indices_or_sections: Any, dim: int) -> tuple[Any, ...]:
    shape = input._array.shape
    if isinstance(indices_or_sections, int) and (indices_or_sections == 0 or shape[dim] % indices_or_sections):
        raise RuntimeError(
            named(
                f"npg.{name} attempted to split along dimension {dim}, but the size of the dimension {shape[dim]} is "
                f"not divisible by the split_size {indices_or_sections}!"
            )
        )
    return tensor_split(input, indices_or_sections, dim)


def _at_least(name: str, input: Any, ndim: int) -> int:
    actual = checked_array(name, input).ndim
    if actual < ndim:
        raise RuntimeError(
            named(
                f"npg.{name} requires a tensor with at least {ndim} dimension, but got a tensor with {actual} "
                "dimensions!"
            )
        )
    return actual


@public_function
@_split_at
def hsplit(input: T, indices_or_sections: Any) -> tuple[T, ...]:
    """Return views of parts along the second dimension, or the only one; see tensor_split.

    Source: torch.hsplit.
    """
    return _split_evenly("hsplit", input, indices_or_sections, 0 if _at_least("hsplit", input, 1) == 1 else 1)


@public_function
@_split_at
def vsplit(input: T, indices_or_sections: Any) -> tuple[T, ...]:
    """Return views of parts along the first dimension; see tensor_split. Source: torch.vsplit."""
    _at_least("vsplit", input, 2)
    return _split_evenly("vsplit", input, indices_or_sections, 0)


@public_function
@_split_at
def dsplit(input: T, indices_or_sections: Any) -> tuple[T, ...]:
    """Return views of parts along the third dimension; see tensor_split. Source: torch.dsplit."""
    _at_least("dsplit", input, 3)
    return _split_evenly("dsplit", input, indices_or_sections, 2)


@public_function
def unbind(input: T, dim: int = 0) -> tuple[T, ...]:
    """Return a tuple of views of all slices along a dimension, without it. Source: torch.unbind."""
    ndim = checked_array("unbind", input).ndim
    if not ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return apply(join_ops.unbind, (input,), {"dim": dim_index("unbind", dim, ndim)})
