"""Changes of shape, as views wherever possible; broadcasting; queries of layout."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg import _errors, dtypes
from npg._words import scalar_name
from npg.engine import TensorBase, apply, apply_view, check_in_place
from npg.functional._arguments import checked_array, dim_index, dims_tuple, expanded_shape, sizes_of
from npg.functional._attributes import Size
from npg.functional._in_place import each_once
from npg.functional._public import exposed, public_function
from npg.functional._types import Dims, Sizes, T
from npg.ops import shape as ops
from npg.ops.strided import contiguous_strides, offset_of, overlaps

# ----- Another shape -----


def _shape_error(shape: tuple[int, ...], size: int) -> RuntimeError:
    """Return PyTorch's error for a shape that does not fit `size` elements."""
    text = str(list(shape))
    for i, n in enumerate(shape):
        if n < -1:
            return RuntimeError(f"invalid shape dimension {n} at index {i} of shape {text}")
    if shape.count(-1) > 1:
        return RuntimeError("only one dimension can be inferred")
    if -1 in shape and 0 in shape and not size:
        return RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {text} because the unspecified dimension size -1 can be "
            "any value and is ambiguous"
        )
    if not size and 0 in shape:  # NumPy ignores the 0 when it counts the bytes
        return RuntimeError(f"Storage size calculation overflowed with sizes={text}")
    return RuntimeError(f"shape '{text}' is invalid for input of size {size}")


def _reshaped(op: Any, input: Any, array: Any, shape: tuple[int, ...]) -> Any:
    try:
        if shape and min(shape) < -1:  # NumPy infers any negative size
            raise ValueError
        return apply(op, (input,), {"shape": shape})
    except ValueError:
        raise _shape_error(shape, array.size) from None


@exposed
def view(input: T, *shape: Any, size: Dims | None = None, dtype: Any = None) -> T:
    """Return a view of another shape, or of the same bytes as another dtype.

    Args:
        input: any shape.
        shape: ints, or one sequence of them, one of which may be -1, which is inferred; or a dtype.
        size, dtype: the same by keyword.
    Returns: a view. A dtype of another width changes the size of the last dimension.
    Raises: RuntimeError: when the number of elements or the strides do not allow it.
    Source: torch.Tensor.view.
    """
    y = apply_view(ops.view, input, shape)
    if y is not None:  # nearly every call
        return y
    array = checked_array("view", input)
    if dtype is not None or (len(shape) == 1 and isinstance(shape[0], (dtypes.dtype, np.dtype))):
        return _view_dtype(input, array, dtypes.to_numpy(shape[0] if dtype is None else dtype))
    return _reshaped(ops.view, input, array, sizes_of("view", shape, "size", size))


def _view_dtype(input: Any, array: np.ndarray[Any, Any], dtype: np.dtype[Any]) -> Any:
    old, new = array.itemsize, dtype.itemsize
    if old != new:
        names = f"to view {scalar_name(array)} as {scalar_name(dtype)}"
        names += " (different element sizes)"
        if not array.ndim:
            raise RuntimeError(f"self.dim() cannot be 0 {names}")
        steps, ratio = [s // old for s in array.strides], max(new // old, 1)
        if not array.size:  # NumPy's strides are zero here
            steps = list(contiguous_strides(array.shape))
        for quantity, n in (("size(-1)", array.shape[-1]), ("storage_offset()", offset_of(array))):
            if n % ratio:
                raise RuntimeError(f"self.{quantity} must be divisible by {ratio} {names}, but got {n}")
        if steps[-1] != 1:
            raise RuntimeError(f"self.stride(-1) must be 1 {names}, but got {steps[-1]}")
        for d, n in enumerate(steps[:-1]):
            if n % ratio:
                raise RuntimeError(f"self.stride({d}) must be divisible by {ratio} {names}, but got {n}")
    result = apply(ops.view_dtype, (input,), {"dtype": dtype})
    if isinstance(input, TensorBase):
        result._share_version(input)  # as detach(): outside the graph, but its writes are counted
    return result


@public_function
def view_as(input: T, other: Any) -> T:
    """Return input.view(other.shape). Source: torch.Tensor.view_as."""
    return view(input, checked_array("view_as", other, "other").shape)


@exposed
def reshape(input: T, *sizes: Any, shape: Dims | None = None) -> T:
    """Return the elements in another shape: a view where the strides allow it, else a copy.

    Args:
        input: any shape.
        sizes: ints, or one sequence of them, also as shape=; one may be -1, which is inferred.
    Raises: RuntimeError: when the number of elements does not fit.
    Source: torch.reshape.
    """
    y = apply_view(ops.view, input, sizes)
    if y is not None:  # nearly every call
        return y
    array = checked_array("reshape", input)
    op = ops.view if array.flags.c_contiguous else ops.reshape
    return _reshaped(op, input, array, sizes_of("reshape", sizes, "shape", shape))


@public_function
def reshape_as(input: T, other: Any) -> T:
    """Return input.reshape(other.shape). Source: torch.Tensor.reshape_as."""
    return reshape(input, checked_array("reshape_as", other, "other").shape)


@public_function
def flatten(input: T, start_dim: int = 0, end_dim: int = -1) -> T:
    """Return the input with the dimensions from start_dim to end_dim merged; a 0-d input becomes 1-d.

    Raises: RuntimeError: when start_dim comes after end_dim.
    Source: torch.flatten.
    """
    shape = checked_array("flatten", input).shape
    first = dim_index("flatten", start_dim, len(shape))
    last = dim_index("flatten", end_dim, len(shape))
    if not shape:
        return reshape(input, (1,))
    if first > last:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if first == last:
        return input
    return reshape(input, (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))


@public_function
def unflatten(input: T, dim: int, sizes: Sizes) -> T:
    """Return the input with one dimension split into several.

    Args:
        input: any shape.
        dim: an int.
        sizes: their product is the size of dim; one may be -1.
    Raises: RuntimeError: when the product does not fit.
    Source: torch.unflatten.
    """
    shape = checked_array("unflatten", input).shape
    d = dim_index("unflatten", dim, len(shape))
    sizes = sizes_of("unflatten", (sizes,), "sizes", position=2)
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    product = math.prod(n for n in sizes if n != -1)
    if sizes.count(-1) > 1:
        raise RuntimeError("only one dimension can be inferred")
    inferred = -1 in sizes and product > 0 and shape[d] % product == 0
    if product != shape[d] and not inferred:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {d} ({shape[d]}) in the "
            "input tensor"
        )
    filled = tuple(shape[d] // product if n == -1 else n for n in sizes)
    return view(input, (*shape[:d], *filled, *shape[d + 1 :]))


@public_function
def ravel(input: T) -> T:
    """Return the elements in one dimension: a view of a contiguous input, else a copy. Source: torch.ravel."""
    return view(contiguous(input), (checked_array("ravel", input).size,))


@public_function
def squeeze(input: T, dim: Dims | None = None) -> T:
    """Return a view without dimensions of size 1.

    Args:
        input: any shape.
        dim: an int or a tuple: only these, if their size is 1; None: all.
    Source: torch.squeeze.
    """
    op, d = _squeezed(input, dim)
    return apply(op, (input,), {"dim": d})


def _squeezed(input: Any, dim: Dims | None) -> tuple[Any, tuple[int, ...] | None]:
    ndim = checked_array("squeeze", input).ndim
    if dim is None:
        return ops.squeeze, None
    op = ops.squeeze_dims if isinstance(dim, (tuple, list)) else ops.squeeze_dim
    return op, dims_tuple("squeeze", dim, ndim)


@public_function
def unsqueeze(input: T, dim: int) -> T:
    """Return a view with a dimension of size 1 inserted at dim, which may be the number of dimensions.

    Source: torch.unsqueeze.
    """
    ndim = checked_array("unsqueeze", input).ndim
    return apply(ops.unsqueeze, (input,), {"dim": dim_index("unsqueeze", dim, ndim + 1)})


# ----- Broadcasting -----


@public_function
def expand(input: T, *sizes: Any, size: Dims | None = None, implicit: bool = False) -> T:
    """Return a read-only view of a larger shape: dimensions of size 1 and new leading ones are repeated.

    Args:
        input: any shape.
        sizes: ints, or one sequence of them, also as size=; -1 keeps the size of a dimension.
    Raises: RuntimeError: when the input does not broadcast to this size.
    Source: torch.Tensor.expand, whose result is writable where no two elements share memory.
    """
    array = checked_array("expand", input)
    target = sizes_of("expand", sizes, "size", size)
    return apply(ops.expand, (input,), {"shape": expanded_shape(array, target)})


@public_function
def expand_as(input: T, other: Any) -> T:
    """Return input.expand(other.shape). Source: torch.Tensor.expand_as."""
    return expand(input, checked_array("expand_as", other, "other").shape)


@public_function
def broadcast_to(input: T, *sizes: Any, size: Dims | None = None) -> T:
    """Return a view broadcast to this size; see expand. Source: torch.broadcast_to."""
    return expand(input, *sizes, size=size)


@public_function
def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """Return the shape that these shapes broadcast to.

    Raises: RuntimeError: when they do not broadcast.
    Source: torch.broadcast_shapes.
    """
    shapes = tuple((s,) if isinstance(s, int) else tuple(s) for s in shapes)
    result = [1] * max((len(s) for s in shapes), default=0)
    for index, s in enumerate(shapes):
        for i in range(-1, -1 - len(s), -1):
            if s[i] < 0:
                raise RuntimeError(
                    f"Trying to create tensor with negative dimension ({s[i]}): ({s[i]})",
                )
            if s[i] not in (1, result[i]):
                if result[i] != 1:
                    raise RuntimeError(
                        f"Attempting to broadcast a dimension of length {s[i]} at {i}! Mismatching argument at index "
                        f"{index} had {s}; but expected shape should be broadcastable to {result}"
                    )
                result[i] = s[i]
    return Size(result)


@public_function
def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """Return the tensors broadcast against each other, as views.

    Raises: RuntimeError: when their shapes do not broadcast.
    Source: torch.broadcast_tensors.
    """
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tuple(tensors[0])
    shape: tuple[int, ...] = ()
    for i, x in enumerate(tensors):
        own = checked_array("broadcast_tensors", x, "tensors", i + 1).shape
        a, b = ((1,) * (max(len(own), len(shape)) - len(s)) + s for s in (shape, own))
        for d in reversed(range(len(a))):
            if a[d] != b[d] and 1 not in (a[d], b[d]):
                raise RuntimeError(_errors.SIZE_MISMATCH.format(a=a[d], b=b[d], dimension=d))
        shape = tuple(n if m == 1 else m for m, n in zip(a, b, strict=True))
    return tuple(x if checked_array("broadcast_tensors", x).shape == shape else expand(x, shape) for x in tensors)


# ----- The layout -----


@public_function
def contiguous(input: T, memory_format: Any = None) -> T:
    """Return the input itself if it is contiguous, else a contiguous copy.

    Source: torch.Tensor.contiguous.
    """
    if checked_array("contiguous", input).flags.c_contiguous:
        return input
    return apply(ops.contiguous, (input,), {})


@public_function
def numel(input: Any) -> int:
    """Return the number of elements. Source: torch.numel."""
    return checked_array("numel", input).size


# ----- In place -----


def reshape_in_place(op: Any, input: Any, settings: dict[str, Any]) -> Any:
    """Turn a tensor in place into the result of a view op, which is recorded."""
    check_in_place(each_once(input) if overlaps(input._array) else input)  # no element is written
    result = apply(op, (input,), settings)
    input._array = result._array
    if result._fn is not None:
        input._fn, input._nr = result._fn, result._nr
    input._counter.value += 1
    input._seen = input._counter.value
    return input


@public_function
def squeeze_(input: T, dim: Dims | None = None) -> T:
    """Remove dimensions of size 1 from the input, in place; see squeeze."""
    op, d = _squeezed(input, dim)
    return reshape_in_place(op, input, {"dim": d})


@public_function
def unsqueeze_(input: T, dim: int) -> T:
    """Insert a dimension of size 1 into the input, in place; see unsqueeze."""
    ndim = checked_array("unsqueeze_", input).ndim
    return reshape_in_place(ops.unsqueeze, input, {"dim": dim_index("unsqueeze_", dim, ndim + 1)})
