"""Copies with rearranged elements: repeated, reversed, rolled, cut to a triangle, put on a diagonal, padded."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.ops._kinds import ELEMENTWISE, along_dims, flattened, linear, moved, padded
from npg.ops._layouts import filled_like, is_channels_last
from npg.ops._op import Op, movement, primitive
from npg.ops.reduction import sum_dim
from npg.ops.shape import along, c_order, diagonal, diagonal_backward, expand, reshape, slice_

# ----- Repeated -----


def _repeat_vjp(g: Any, _y: Any, x_like: Any, *, repeats: tuple[int, ...]) -> Any:
    # (r0, n0, r1, n1, ...), summed over the r
    lead = len(repeats) - x_like.ndim
    shape = (1,) * lead + x_like.shape
    pairs = tuple(k for pair in zip(repeats, shape, strict=True) for k in pair)
    g = sum_dim(reshape(g, shape=pairs), dim=tuple(range(0, 2 * len(repeats), 2)), keepdim=False)
    return reshape(g, shape=x_like.shape)


@movement(_repeat_vjp, tangent=linear)
def repeat(input: Any, *, repeats: tuple[int, ...]) -> Any:
    """Return the input tiled `repeats` times along each dimension; `repeats` may add dimensions in front."""
    shape = (1,) * (len(repeats) - input.ndim) + input.shape
    pairs = tuple(k for pair in zip(repeats, shape, strict=True) for k in pair)
    single = tuple(k for n in shape for k in (1, n))
    out = np.empty(tuple(r * n for r, n in zip(repeats, shape, strict=True)), input.dtype)
    out.reshape(pairs)[...] = input.reshape(single)
    return out


@repeat.batch
def _repeat_batch(op: Op, xs: Any, batched: Any, size: int, /, *, repeats: tuple[int, ...]) -> Any:
    return op(padded(xs[0], len(repeats)), repeats=(1, *repeats))


@movement(
    lambda g, _y, x_like, *, repeats, dim: sum_dim(
        reshape(g, shape=(*x_like.shape[: dim + 1], repeats, *x_like.shape[dim + 1 :])), dim=(dim + 1,), keepdim=False
    ),
    kind=along_dims("dim", tangent=linear),
)
def repeat_interleave(input: Any, *, repeats: int, dim: int) -> Any:
    """Return the input with every slice along a dimension repeated `repeats` times."""
    return np.repeat(input, repeats, axis=dim)


# ----- Reversed and rolled -----


def _reversed(x: np.ndarray[Any, Any], dims: tuple[int, ...]) -> np.ndarray[Any, Any]:
    return x[tuple(slice(None, None, -1) if i in dims else slice(None) for i in range(x.ndim))]


@movement(lambda g, _y, _x, *, dims: flip(g, dims=dims), kind=along_dims("dims", tangent=linear))
def flip(input: Any, *, dims: tuple[int, ...]) -> Any:
    """Return a copy with these dimensions in reverse order."""
    return _reversed(input, dims).copy()


@movement(lambda g, _y, _x, *, shifts, dims: roll(g, shifts=tuple(-s for s in shifts), dims=dims), tangent=linear)
def roll(input: Any, *, shifts: tuple[int, ...], dims: tuple[int, ...] | None) -> Any:
    """Return a copy shifted along these dimensions (None: flattened), with wrap-around."""
    return c_order(np.roll(input, shifts if dims is not None else shifts[0], dims))


@roll.batch
def _roll_batch(
    op: Op, xs: Any, batched: Any, size: int, /, *, shifts: tuple[int, ...], dims: tuple[int, ...] | None
) -> Any:
    (x,) = xs
    if dims is not None:
        return op(x, shifts=shifts, dims=moved(dims))
    return reshape(op(flattened(x), shifts=shifts, dims=(1,)), shape=tuple(x.shape))


@movement(lambda g, _y, _x, *, k, dims: rot90(g, k=-k, dims=dims), kind=along_dims("dims", tangent=linear))
def rot90(input: Any, *, k: int, dims: tuple[int, int]) -> Any:
    """Return a copy rotated k times by 90 degrees in the plane of two dimensions."""
    return np.rot90(input, k, dims).copy()


# ----- Triangles and diagonals -----


@movement(lambda g, _y, _x, *, diagonal: tril(g, diagonal=diagonal), kind=ELEMENTWISE, tangent=linear)
def tril(input: Any, *, diagonal: int) -> Any:
    """Return a copy with zeros above a diagonal of the last two dimensions."""
    return c_order(np.tril(input, diagonal))


@movement(lambda g, _y, _x, *, diagonal: triu(g, diagonal=diagonal), kind=ELEMENTWISE, tangent=linear)
def triu(input: Any, *, diagonal: int) -> Any:
    """Return a copy with zeros below a diagonal of the last two dimensions."""
    return c_order(np.triu(input, diagonal))


@movement(
    lambda g, _y, _x, *, offset, dim1, dim2: diagonal(g, offset=offset, dim1=dim1, dim2=dim2),
    kind=along_dims("dim1", "dim2", tangent=linear),
)
def diag_embed(input: Any, *, offset: int, dim1: int, dim2: int) -> Any:
    """Return zeros with the last dimension of the input on a diagonal of two new dimensions."""
    n = input.shape[-1] + abs(offset)
    sizes = iter(input.shape[:-1])
    shape = tuple(n if i in (dim1, dim2) else next(sizes) for i in range(input.ndim + 1))
    return diagonal_backward(input, shape=shape, offset=offset, dim1=dim1, dim2=dim2)


def _trace_vjp(g: Any, _y: Any, x_like: Any) -> Any:
    spread = expand(g, shape=(min(x_like.shape),))
    return diagonal_backward(spread, shape=x_like.shape, offset=0, dim1=0, dim2=1)


@primitive(_trace_vjp, tangent=linear)
def trace(input: Any) -> Any:
    """Return the sum of a matrix's diagonal."""
    d = input.diagonal()
    return sum_dim(d, dim=None, keepdim=False)


@trace.batch
def _trace_batch(op: Op, xs: Any, batched: Any, size: int, /) -> Any:
    return sum_dim(diagonal(*xs, offset=0, dim1=1, dim2=2), dim=(1,), keepdim=False)


# ----- Padded -----


def _constant_pad_vjp(g: Any, _y: Any, _x: Any, *, pad: tuple[tuple[int, int], ...], value: float) -> Any:
    if any(a < 0 or b < 0 for a, b in pad):
        return constant_pad(g, pad=tuple((-a, -b) for a, b in pad), value=0.0)
    for dim, (a, b) in enumerate(pad):  # the padding is cut off: a view of g
        if a or b:
            g = slice_(g, dim=dim, start=a, stop=g.shape[dim] - b, step=1)
    return g


@movement(_constant_pad_vjp, node="ConstantPadNd", aten="constant_pad_nd")
def constant_pad(input: Any, *, pad: tuple[tuple[int, int], ...], value: float) -> Any:
    """Return the input padded with a value by (before, after) elements in each dimension; negative ones are cut off."""
    shape = tuple(n + a + b for n, (a, b) in zip(input.shape, pad, strict=True))
    inside = input[tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(input.shape, pad, strict=True))]
    if inside.shape == shape:
        return inside.copy(order="K")
    out = filled_like(shape, value, input)
    out[tuple(slice(max(a, 0), n - max(b, 0)) for n, (a, b) in zip(shape, pad, strict=True))] = inside
    return out


@constant_pad.batch
def _constant_pad_batch(op: Op, xs: Any, batched: Any, size: int, /, *, pad: Any, value: float) -> Any:
    return op(*xs, pad=((0, 0), *pad), value=value)


@constant_pad.tangent
def _constant_pad_tangent(node: Any, ts: list[Any]) -> Any:
    return node.op.forward(ts[0], **{**node.params, "value": 0})


def _pad_index(n: int, before: int, after: int, mode: str) -> np.ndarray[Any, Any]:
    """Return, for each index of the padded dimension, the index it comes from in the dimension of size n."""
    if mode == "circular":  # of what remains when negative padding has been cut off
        first, remaining = max(-before, 0), n - max(-before, 0) - max(-after, 0)
        return first + np.arange(-max(before, 0), remaining + max(after, 0)) % remaining
    at = np.arange(-before, n + after)
    if mode == "replicate":
        return at.clip(0, n - 1)
    at = np.abs(at)  # reflect: the border itself is not repeated
    return np.where(at >= n, 2 * (n - 1) - at, at)


@movement(
    lambda g, _y, x_like, *, dim, before, after, mode: index_pad_backward(
        g, n=x_like.shape[dim], dim=dim, before=before, after=after, mode=mode
    ),
    kind=along_dims("dim", tangent=linear),
    aten=None,
)
def index_pad(input: Any, *, dim: int, before: int, after: int, mode: str) -> Any:
    """Return the input with one dimension padded by its own elements: mode is reflect, replicate or circular."""
    index = _pad_index(input.shape[dim], before, after, mode)
    if (
        mode != "circular" and dim > 1 and is_channels_last(input)
    ):  # in PyTorch, a circular one has no layout of its own
        return np.moveaxis(np.moveaxis(input, 1, -1).take(index, axis=dim - 1), -1, 1)
    return input.take(index, axis=dim)


@primitive(
    lambda g, _y, _x, *, n, dim, before, after, mode: index_pad(g, dim=dim, before=before, after=after, mode=mode),
    kind=along_dims("dim", tangent=linear),
    aten=None,
)
def index_pad_backward(input: Any, *, n: int, dim: int, before: int, after: int, mode: str) -> Any:
    """Return the padding added to the elements it was taken from: the adjoint of index_pad."""
    shape = (*input.shape[:dim], n, *input.shape[dim + 1 :])
    out = np.zeros(shape, input.dtype) if mode == "circular" else filled_like(shape, 0, input)
    size = input.shape[dim]
    first = min(max(before, 0), size)  # [first:last] of the padded dimension is the part that was not cut off
    last = min(max(before + n, first), size)
    out[along(dim, slice(first - before, last - before))] = input[along(dim, slice(first, last))]
    index = _pad_index(n, before, after, mode)
    for j in (*range(first), *range(last, size)):
        out[along(dim, index[j])] += input[along(dim, j)]
    return out
