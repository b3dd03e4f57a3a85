"""Rearranged elements: repeated, reversed, rolled, in triangles, on diagonals, as grids."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg._errors import OUT_DTYPE, warn
from npg._naming import named
from npg._words import scalar_name
from npg.engine import TensorBase, apply, apply_in_place, wrap
from npg.functional._arguments import checked_array, dim_index, dims_tuple, sizes_of
from npg.functional._factory import check_sizes
from npg.functional._public import public_function, writes
from npg.functional._types import Dims, Sizes, T
from npg.functional.shape import expand, flatten, reshape
from npg.kernels import meta
from npg.kernels.meta import MetaArray, needs_data
from npg.ops import indexing as index_ops, rearrange as ops, shape as shape_ops
from npg.ops._op import Op
from npg.ops.elementwise import clone

# ----- Repeated -----


@public_function
def repeat(input: T, *times: Dims, repeats: Dims | None = None) -> T:
    """Return the input repeated along each dimension.

    Args:
        input: any shape.
        times: an int for each dimension, also as repeats=; extra ones are for new leading dimensions.
    Raises: RuntimeError: when there are fewer ints than dimensions, or a negative one.
    Source: torch.Tensor.repeat.
    """
    shape = checked_array("repeat", input).shape
    repeats = sizes_of("repeat", times, "repeats", repeats)
    lead = len(repeats) - len(shape)
    if lead < 0:
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    for r, n in zip(repeats, (1,) * lead + shape, strict=True):
        if r < 0:
            sizes = [r * n for r, n in zip(repeats, (1,) * lead + shape, strict=True)]
            raise RuntimeError(f"Trying to create tensor with negative dimension {r * n}: {sizes}")
    return apply(ops.repeat, (input,), {"repeats": repeats})


@public_function
def tile(input: T, *times: Dims, dims: Dims | None = None) -> T:
    """Return the input repeated, as repeat; fewer numbers than dimensions refer to the last ones.

    Source: torch.tile.
    """
    dims = sizes_of("tile", times, "dims", dims)
    return repeat(input, (1,) * (checked_array("tile", input).ndim - len(dims)) + dims)


@public_function
def repeat_interleave(input: T, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None) -> T:
    """Return the input with each element, or each slice along a dimension, repeated consecutively.

    Args:
        input: any shape; without repeats, the repeats themselves, and the result holds the repeated indices.
        repeats: an int, or an integer tensor with one number per element or slice.
        dim: an int; None flattens the input.
        output_size: the expected size of the result along dim.
    Raises: RuntimeError: when a number is negative, or their count is wrong.
    Source: torch.repeat_interleave.
    """
    array = checked_array("repeat_interleave", input)
    if repeats is None:
        needs_data("repeat_interleave", array)
        counts = _counts(array, array.size, 0)
        return wrap(np.repeat(np.arange(array.size), counts))
    if dim is None:
        input, d = flatten(input), 0
        array = checked_array("repeat_interleave", input)
    else:
        d = dim_index("repeat_interleave", dim, array.ndim)
        if not array.ndim:
            input = reshape(input, (1,))
            array = checked_array("repeat_interleave", input)
    n = array.shape[d]
    if isinstance(repeats, (TensorBase, np.ndarray)):
        counts = _counts(checked_array("repeat_interleave", repeats, "repeats", 2), n, d)
        if output_size is None:
            needs_data("repeat_interleave", counts)
        unknown = output_size is not None and isinstance(counts, MetaArray)
        index = meta.empty((output_size or 0,), np.int64) if unknown else np.repeat(np.arange(n), counts)
        if n:
            _check_size(len(index), output_size)
        return apply(index_ops.index_select, (input, index), {"at": (d,)})
    if repeats < 0:
        raise RuntimeError("Repeats must be non-negative")
    check_sizes((*array.shape[:d], n * repeats, *array.shape[d + 1 :]))  # NumPy would write beyond its memory
    _check_size(n * repeats, output_size)
    return apply(ops.repeat_interleave, (input,), {"repeats": int(repeats), "dim": d})


def _counts(repeats: Any, n: int, dim: int) -> np.ndarray[Any, Any]:
    if repeats.dtype.kind not in "iu" or repeats.itemsize < 4:
        kind = scalar_name(repeats)
        raise NotImplementedError(f"\"repeat_interleave_cpu\" not implemented for '{kind}'")
    if repeats.ndim > 1:
        raise RuntimeError("repeats must be 0-dim or 1-dim tensor")
    if repeats.size != 1 and repeats.size != n:
        raise RuntimeError(
            f"repeats must have the same size as input along dim, but got repeats.size(0) = {repeats.size} and "
            f"input.size({dim}) = {n}"
        )
    if repeats.size and repeats.min() < 0:
        raise RuntimeError("repeats can not be negative")
    counts = np.broadcast_to(repeats.reshape(-1), (n,))
    check_sizes((int(counts.sum(dtype=object)) if n and counts.max() > 2**31 else 0,))
    return counts


def _check_size(size: int, expected: int | None) -> None:
    if expected is not None and size != expected:
        raise RuntimeError("allocated size does not match required size")


# ----- Reversed and rolled -----


@public_function
def flip(input: T, *where: Dims, dims: Dims | None = None) -> T:
    """Return a copy with these dimensions (ints or a sequence, also dims=) in reverse order. Source: torch.flip."""
    ndim = checked_array("flip", input).ndim
    return apply(ops.flip, (input,), {"dims": dims_tuple("flip", sizes_of("flip", where, "dims", dims), ndim)})


@public_function
def fliplr(input: T) -> T:
    """Return a copy with the second dimension in reverse order. Source: torch.fliplr."""
    if checked_array("fliplr", input).ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip(input, 1)


@public_function
def flipud(input: T) -> T:
    """Return a copy with the first dimension in reverse order. Source: torch.flipud."""
    if not checked_array("flipud", input).ndim:
        raise RuntimeError("Input must be >= 1-d.")
    return flip(input, 0)


@public_function
def roll(input: T, shifts: Dims, dims: Dims | None = None) -> T:
    """Return a copy shifted along dimensions; elements that leave at the end reappear in front.

    Args:
        input: any shape.
        shifts: an int, or one for each of dims.
        dims: an int or a tuple; None (or an empty one) shifts the flattened input.
    Raises: RuntimeError: when shifts and dims differ in length.
    Source: torch.roll.
    """
    array = checked_array("roll", input)
    ndim = array.ndim
    shifts = shifts if isinstance(shifts, (tuple, list)) else (shifts,)
    dims = () if dims is None else dims if isinstance(dims, (tuple, list)) else (dims,)
    if not shifts:
        raise RuntimeError("`shifts` required")
    if len(shifts) != len(dims) and (dims or len(shifts) != 1):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}")
    if not array.size:
        return apply(clone, (input,), {})  # dims are unchecked, as in PyTorch
    if dims and not ndim:
        raise IndexError(f"Dimension specified as {dims[0]} but tensor has no dimensions")
    axes = tuple(dim_index("roll", d, ndim) for d in dims)
    shifts = tuple(int(s) for s in shifts)
    return apply(ops.roll, (input,), {"shifts": shifts, "dims": axes or None})


@public_function
def rot90(input: T, k: int = 1, dims: Sizes = (0, 1)) -> T:
    """Return a copy rotated k times by 90 degrees, from the first towards the second of two dimensions.

    Raises: RuntimeError: unless dims are two different dimensions.
    Source: torch.rot90.
    """
    ndim = checked_array("rot90", input).ndim
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {ndim}")
    plane = tuple(dim_index("rot90", d, ndim) for d in dims)
    if plane[0] == plane[1]:
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    return apply(ops.rot90, (input,), {"k": int(k), "dims": plane})


# ----- Triangles -----


def _triangle(op: Op, input: Any, diagonal: int) -> dict[str, int]:
    if checked_array(op.name, input).ndim < 2:
        raise RuntimeError(f"{op.name}: input tensor must have at least 2 dimensions")
    return {"diagonal": int(diagonal)}


@public_function
@writes(OUT_DTYPE, looks=(), expanded=True)
def tril(input: T, diagonal: int = 0, *, out: Any = None) -> T:
    """Return the input (.., n, m) with zeros above a diagonal (positive ones lie above the main one).

    Source: torch.tril.
    """
    return apply(ops.tril, (input,), _triangle(ops.tril, input, diagonal))


@public_function
@writes(OUT_DTYPE, looks=(), expanded=True)
def triu(input: T, diagonal: int = 0, *, out: Any = None) -> T:
    """Return the input (.., n, m) with zeros below a diagonal (positive ones lie above the main one).

    Source: torch.triu.
    """
    return apply(ops.triu, (input,), _triangle(ops.triu, input, diagonal))


@public_function
def tril_(input: T, diagonal: int = 0) -> T:
    """Set the elements above a diagonal of the input to zero; see tril."""
    return apply_in_place(ops.tril, (input,), _triangle(ops.tril, input, diagonal))


@public_function
def triu_(input: T, diagonal: int = 0) -> T:
    """Set the elements below a diagonal of the input to zero; see triu."""
    return apply_in_place(ops.triu, (input,), _triangle(ops.triu, input, diagonal))


# ----- Diagonals -----


@public_function
@writes(OUT_DTYPE, looks=())
def diag(input: T, diagonal: int = 0, *, out: Any = None) -> T:
    """Return a square matrix with a vector on a diagonal, or a copy of a diagonal of a matrix.

    Raises: RuntimeError: unless it has one or two dimensions.
    Source: torch.diag.
    """
    ndim = checked_array("diag", input).ndim
    if ndim == 1:
        return diag_embed(input, diagonal)
    if ndim != 2:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {ndim}D")
    return apply(shape_ops.diagonal_copy, (input,), {"offset": int(diagonal), "dim1": 0, "dim2": 1})


@public_function
def diag_embed(input: T, offset: int = 0, dim1: int = -2, dim2: int = -1) -> T:
    """Return zeros with the last dimension of the input on a diagonal of two new dimensions.

    Args:
        input: at least one dimension.
        offset: above (positive) or below the main diagonal.
        dim1, dim2: the positions of the new dimensions in the result.
    Raises: RuntimeError: when dim1 and dim2 are the same.
    Source: torch.diag_embed.
    """
    ndim = checked_array("diag_embed", input).ndim
    d1, d2 = dim_index("diag_embed", dim1, ndim + 1), dim_index("diag_embed", dim2, ndim + 1)
    if d1 == d2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return apply(ops.diag_embed, (input,), {"offset": int(offset), "dim1": d1, "dim2": d2})


@public_function
def diagflat(input: T, offset: int = 0) -> T:
    """Return a square matrix with all elements of the input on a diagonal. Source: torch.diagflat."""
    checked_array("diagflat", input)
    return diag_embed(flatten(input), offset)


@public_function
def trace(input: T) -> T:
    """Return the sum of the diagonal of a matrix, int64 for integers. Source: torch.trace."""
    ndim = checked_array("trace", input).ndim
    if ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {ndim}")
    if checked_array("trace", input).dtype == bool:
        raise NotImplementedError("\"trace\" not implemented for 'Bool'")
    return apply(ops.trace, (input,), {})


# ----- Grids -----


@public_function
def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Any, ...]:
    """Return grids of coordinates: a view of each vector that varies along one dimension only.

    Args:
        tensors: vectors (or 0-d tensors) of one dtype, one by one or as a sequence.
        indexing: "ij": the first vector varies along the first dimension; "xy": the first two are swapped. None means
            "ij", with a warning.
    Returns: a tuple.
    Source: torch.meshgrid.
    """
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tuple(tensors[0])
    if not tensors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    arrays = [checked_array("meshgrid", x, "tensors", i + 1) for i, x in enumerate(tensors)]
    for a in arrays:
        if a.ndim > 1:
            raise RuntimeError(named(f"npg.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {a}"))
        if a.dtype != arrays[0].dtype:
            raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    if indexing is None:
        warn("npg.meshgrid: in an upcoming release, it will be required to pass the indexing argument.")
    elif indexing not in ("ij", "xy"):
        raise RuntimeError(named(f'npg.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}'))
    order = list(range(len(tensors)))
    if indexing == "xy" and len(tensors) > 1:
        order[0], order[1] = 1, 0
    shape = [1] * len(tensors)
    for place, a in zip(order, arrays, strict=True):
        shape[place] = a.size
    grids = []
    for place, x in zip(order, tensors, strict=True):
        own = [1] * len(tensors)
        own[place] = shape[place]
        grids.append(expand(reshape(x, tuple(own)), tuple(shape)))
    return tuple(grids)
