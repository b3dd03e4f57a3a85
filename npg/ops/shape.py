"""Views: the same memory in another shape. Every op here returns a NumPy view of its input (reshape where it can).

Dimensions in the settings are counted from the front; npg/functional/shape.py has checked them.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np

from npg.kernels.layouts import address, empty_like
from npg.ops._broadcast import unbroadcast
from npg.ops._kinds import ELEMENTWISE, adjoint_along, along_dims, linear, moved, padded, rank_of
from npg.ops._op import Op, movement, primitive

VIEW_NEEDS_COPY = (
    "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
    "contiguous subspaces). Use .reshape(...) instead."
)


def overload(op: Op, node_name: str, edge_order: tuple[int, ...] | None = None, aten: str | None = None) -> Op:
    """Return the op under another node name: PyTorch numbers the overloads of a function.

    Args:
        edge_order, aten: see Op; None: those of `op`.
    """
    twin = copy.copy(op)
    twin.node_name, twin.edge_order, twin.aten = node_name, edge_order or op.edge_order, aten or op.aten
    twin.in_place = twin if op.in_place is op else op.in_place
    return twin


def shares_memory(out: np.ndarray[Any, Any], x: np.ndarray[Any, Any]) -> bool:
    """Tell whether `out`, made from x by a NumPy call, is a view of it. NumPy collapses chains of views."""
    return out.base is not None and (out.base is x or out.base is x.base)


def c_order(y: Any) -> Any:
    """Return y, or a C-contiguous copy of it.

    NumPy lays a result out like its input. PyTorch's reductions and joins are contiguous, and users view() them.
    """
    return y if y.ndim < 2 or y.flags.c_contiguous else np.ascontiguousarray(y)


def copied(x: np.ndarray[Any, Any], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Return a copy with the memory order of x; that of an expanded x is PyTorch's."""
    if 0 not in x.strides:
        return x.astype(dtype)
    out = empty_like(x, dtype)
    np.copyto(out, x, casting="unsafe")
    return out


def along(dim: int, index: Any) -> tuple[Any, ...]:
    """Return the NumPy index with `index` in one dimension and all of the others; it always gives an array."""
    return (slice(None),) * dim + (index, ...)


def _with_strides(x: np.ndarray[Any, Any], shape: Any, strides: Any) -> np.ndarray[Any, Any] | None:
    # np.ndarray on a buffer costs a tenth of np.broadcast_to or as_strided, and its .base is the array, by which the
    # engine knows a view. The buffer must be C-contiguous. None where there is none.
    if not x.size or 0 in shape:
        return None
    owner = x if x.flags.c_contiguous or not isinstance(x.base, np.ndarray) else x.base
    if not owner.flags.c_contiguous:
        order = sorted(range(owner.ndim), key=owner.strides.__getitem__, reverse=True)
        owner = owner.transpose(order)
        if not owner.flags.c_contiguous:
            return None
    offset = 0 if owner is x else address(x) - address(owner)
    return np.ndarray(shape, x.dtype, owner, offset, strides)


# ----- Shapes -----


@primitive(lambda g, _y, x_like, *, shape: reshape(g, shape=x_like.shape), view=True)
def view(input: Any, *, shape: tuple[int, ...]) -> Any:
    """Return a view of this shape.

    Raises: RuntimeError: when the strides do not allow it.
    """
    out = input.reshape(shape)
    if not shares_memory(out, input) and input.size:
        raise RuntimeError(VIEW_NEEDS_COPY)
    return out


@view.tangent
def _view_tangent(node: Any, ts: list[Any]) -> Any:
    return ts[0].reshape(node.params["shape"])  # the tangent may have other strides than the value


@primitive(lambda g, _y, x_like, *, shape: reshape(g, shape=x_like.shape), view=True, node="UnsafeView", tangent=linear)
def reshape(input: Any, *, shape: tuple[int, ...]) -> Any:
    """Return a view of this shape, or a copy where the strides allow none."""
    return input.reshape(shape)


@view.batch
@reshape.batch
def _reshape_batch(op: Op, xs: Any, batched: Any, size: int, /, *, shape: tuple[int, ...]) -> Any:
    (x,) = xs
    if -1 in shape:
        count, known_size = math.prod(x.shape[1:]), -math.prod(shape)
        if shape.count(-1) > 1 or not known_size or count % known_size:
            raise ValueError("cannot infer a size")  # the caller raises PyTorch's error
        shape = tuple([count // known_size if n == -1 else n for n in shape])
    return reshape(x, shape=(size, *shape))


@movement(aten="view")
def view_dtype(input: Any, *, dtype: np.dtype[Any]) -> Any:
    """Return the bytes read as another dtype: a view of the memory, but without history."""
    return input.view(dtype)


@view_dtype.batch
def _view_dtype_batch(op: Op, xs: Any, batched: Any, size: int, /, *, dtype: np.dtype[Any]) -> Any:
    return op(*xs, dtype=dtype) if rank_of(xs[0], True) else NotImplemented


@primitive(lambda g, _y, x_like, *, dim: reshape(g, shape=x_like.shape), view=True, tangent=linear)
def squeeze(input: Any, *, dim: tuple[int, ...] | None) -> Any:
    """Return the input without the dimensions of size 1 among `dim` (None: all)."""
    return input.reshape(_squeezed(input.shape, dim))


def _squeezed(shape: tuple[int, ...], dim: tuple[int, ...] | None) -> tuple[int, ...]:
    return tuple(n for i, n in enumerate(shape) if n != 1 or (dim is not None and i not in dim))


@squeeze.batch
def _squeeze_batch(op: Op, xs: Any, batched: Any, size: int, /, *, dim: tuple[int, ...] | None) -> Any:
    return reshape(xs[0], shape=(size, *_squeezed(xs[0].shape[1:], dim)))


squeeze_dim = overload(squeeze, "SqueezeBackward1")
squeeze_dims = overload(squeeze, "SqueezeBackward2")


@primitive(lambda g, _y, x_like, *, dim: reshape(g, shape=x_like.shape), view=True, tangent=linear)
def unsqueeze(input: Any, *, dim: int) -> Any:
    """Return the input with a dimension of size 1 inserted before dimension `dim`."""
    shape = input.shape
    return input.reshape((*shape[:dim], 1, *shape[dim:]))


@unsqueeze.batch
def _unsqueeze_batch(op: Op, xs: Any, batched: Any, size: int, /, *, dim: int) -> Any:
    return op(*xs, dim=dim + 1)


@primitive(lambda g, _y, x_like, *, shape: unbroadcast(g, x_like.shape), view=True, tangent=linear)
def expand(input: Any, *, shape: tuple[int, ...]) -> Any:
    """Return a view of this shape: dimensions of size 1, and new ones in front, get stride 0."""
    own = input.shape
    if own == shape:
        return input
    if math.prod(shape) == input.size:
        return input.reshape(shape)
    lead = len(shape) - len(own)
    strides = (0,) * lead + tuple(
        0 if n == 1 and m != 1 else s for n, m, s in zip(own, shape[lead:], input.strides, strict=True)
    )  # fmt: skip
    out = _with_strides(input, shape, strides)
    if out is None:
        out = np.broadcast_to(input, shape)
        out.flags.writeable = input.flags.writeable  # the engine refuses writes to overlapping elements
    return out


@expand.batch
def _expand_batch(op: Op, xs: Any, batched: Any, size: int, /, *, shape: tuple[int, ...]) -> Any:
    return op(padded(xs[0], len(shape)), shape=(size, *shape))


def as_batch(x: Any, is_batch: bool, size: int) -> Any:
    """Return x as a batch of `size` examples: itself where it is one, else expanded."""
    x = np.asarray(x) if isinstance(x, (bool, int, float, np.generic)) else x
    return x if is_batch else expand(x, shape=(size, *x.shape))


def all_batched(op: Op, xs: Any, batched: Any, size: int, /, **params: Any) -> Any:
    """Return the op on inputs that have the same leading dimensions: a batching rule."""
    return op(*[as_batch(x, flag, size) for x, flag in zip(xs, batched, strict=True)], **params)


def batches_along(op: Op, xs: Any, batched: Any, size: int, /, *, dim: int, **params: Any) -> Any:
    """Return the op on inputs of one rank along a dimension of theirs: a batching rule."""
    return all_batched(op, xs, batched, size, dim=dim + 1, **params)


@movement(lambda g, _y, _x: g, node="Clone", kind=ELEMENTWISE, tangent=linear)
def contiguous(input: Any) -> Any:
    """Return a C-contiguous copy."""
    return input.copy(order="C")


# ----- The order of dimensions -----


@primitive(lambda g, _y, _x, *, dim0, dim1: transpose(g, dim0=dim0, dim1=dim1), view=True, tangent=linear)
def transpose(input: Any, *, dim0: int, dim1: int) -> Any:
    """Return the input with two dimensions swapped."""
    return input.swapaxes(dim0, dim1) if dim0 != dim1 else input.view()


@transpose.batch
def _transpose_batch(op: Op, xs: Any, batched: Any, size: int, /, *, dim0: int, dim1: int) -> Any:
    if dim0 == dim1:  # also for 0-d examples
        return reshape(*xs, shape=tuple(xs[0].shape))
    return op(*xs, dim0=dim0 + 1, dim1=dim1 + 1)


t = overload(transpose, "TBackward0", aten="t")


def _inverse(dims: tuple[int, ...]) -> tuple[int, ...]:
    order = [0] * len(dims)
    for i, d in enumerate(dims):
        order[d] = i
    return tuple(order)


@primitive(lambda g, _y, _x, *, dims: permute(g, dims=_inverse(dims)), view=True, tangent=linear)
def permute(input: Any, *, dims: tuple[int, ...]) -> Any:
    """Return the input with its dimensions in this order."""
    return input.transpose(dims)


@permute.batch
def _permute_batch(op: Op, xs: Any, batched: Any, size: int, /, *, dims: tuple[int, ...]) -> Any:
    return op(*xs, dims=(0, *moved(dims)))


# ----- Parts -----


@primitive(
    lambda g, _y, x_like, *, dim, index: select_backward(g, shape=x_like.shape, dim=dim, index=index),
    view=True,
    kind=along_dims("dim", tangent=linear),
)
def select(input: Any, *, dim: int, index: int) -> Any:
    """Return the slice at one index of a dimension, without that dimension."""
    return input[along(dim, index)]


@movement(lambda g, _y, _x, *, shape, dim, index: select(g, dim=dim, index=index), kind=adjoint_along("dim"))
def select_backward(input: Any, *, shape: tuple[int, ...], dim: int, index: int) -> Any:
    """Return zeros with the input at one index of a dimension: the adjoint of select."""
    out = np.zeros(shape, input.dtype)
    out[along(dim, index)] = input
    return out


@primitive(
    lambda g, _y, x_like, *, dim, start, stop, step: slice_backward(
        g, shape=x_like.shape, dim=dim, start=start, stop=stop, step=step
    ),
    view=True,
    kind=along_dims("dim", tangent=linear),
)
def slice_(input: Any, *, dim: int, start: int | None, stop: int | None, step: int) -> Any:
    """Return input[start:stop:step] in one dimension."""
    return input[along(dim, slice(start, stop, step))]


@movement(
    lambda g, _y, _x, *, shape, dim, start, stop, step: slice_(g, dim=dim, start=start, stop=stop, step=step),
    kind=adjoint_along("dim"),
)
def slice_backward(
    input: Any, *, shape: tuple[int, ...], dim: int, start: int | None, stop: int | None, step: int
) -> Any:
    """Return zeros with the input at [start:stop:step] of a dimension: the adjoint of slice."""
    out = np.zeros(shape, input.dtype)
    out[along(dim, slice(start, stop, step))] = input
    return out


# ----- Diagonals and windows -----


def _diagonal_of(x: np.ndarray[Any, Any], offset: int, dim1: int, dim2: int) -> np.ndarray[Any, Any]:
    out = x.diagonal(offset, dim1, dim2)
    out.flags.writeable = x.flags.writeable  # NumPy clears the flag
    return out


def _diagonal_rule(g: Any, _y: Any, x_like: Any, *, offset: int, dim1: int, dim2: int) -> Any:
    return diagonal_backward(g, shape=x_like.shape, offset=offset, dim1=dim1, dim2=dim2)


@primitive(_diagonal_rule, view=True, kind=along_dims("dim1", "dim2", tangent=linear))
def diagonal(input: Any, *, offset: int, dim1: int, dim2: int) -> Any:
    """Return the elements (.., i, .., i + offset, ..) of two dimensions as a new last dimension."""
    return _diagonal_of(input, offset, dim1, dim2)


@movement(_diagonal_rule, kind=along_dims("dim1", "dim2", tangent=linear))
def diagonal_copy(input: Any, *, offset: int, dim1: int, dim2: int) -> Any:
    """Return a copy of the diagonal."""
    return input.diagonal(offset, dim1, dim2).copy()


diagonal_copy.node_name = "DiagonalBackward0_copy"


@movement(
    lambda g, _y, _x, *, shape, offset, dim1, dim2: diagonal(g, offset=offset, dim1=dim1, dim2=dim2),
    kind=adjoint_along("dim1", "dim2"),
)
def diagonal_backward(input: Any, *, shape: tuple[int, ...], offset: int, dim1: int, dim2: int) -> Any:
    """Return zeros with the input on a diagonal: the adjoint of diagonal."""
    out = np.zeros(shape, input.dtype)
    _diagonal_of(out, offset, dim1, dim2)[...] = input
    return out


@primitive(
    lambda g, _y, x_like, *, dim, size, step: unfold_backward(g, shape=x_like.shape, dim=dim, size=size, step=step),
    view=True,
    kind=along_dims("dim", tangent=linear),
)
def unfold(input: Any, *, dim: int, size: int, step: int) -> Any:
    """Return the windows of this size, `step` apart, along a dimension; a new last dimension runs within a window."""
    if not input.ndim:
        return input.reshape(1)[:size]
    count = (input.shape[dim] - size) // step + 1
    shape = (*input.shape[:dim], count, *input.shape[dim + 1 :], size)
    stride = input.strides[dim]
    strides = (*input.strides[:dim], stride * step, *input.strides[dim + 1 :], stride)
    out = _with_strides(input, shape, strides)
    if out is None:
        out = np.lib.stride_tricks.as_strided(input, shape, strides)
    return out


@primitive(
    lambda g, _y, _x, *, shape, dim, size, step: unfold(g, dim=dim, size=size, step=step), kind=adjoint_along("dim")
)
def unfold_backward(input: Any, *, shape: tuple[int, ...], dim: int, size: int, step: int) -> Any:
    """Return the windows added at their positions: the adjoint of unfold."""
    out = np.zeros(shape, input.dtype)
    if not shape:
        out += input.sum()
        return out
    reach = input.shape[dim] * step
    for j in range(size):  # one element of every window at a time: these do not overlap
        out[along(dim, slice(j, j + reach - step + 1, step))] += input[..., j]
    return out
