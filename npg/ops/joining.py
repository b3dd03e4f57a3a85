"""Splitting and joining along a dimension: split and unbind, and their adjoints cat and stack."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.kernels.layouts import address
from npg.ops._kinds import Kind, along_dims, linear
from npg.ops._layouts import is_channels_last
from npg.ops._op import movement, primitive
from npg.ops.shape import along, batches_along, c_order, overload, select, slice_

# ----- Splitting -----
# One node for all parts: its backward is a single concatenation, not the sum of one zeroed buffer per part.


@primitive(view=True, multi=True, kind=along_dims("dim", tangent=linear))
def split(input: Any, *, sizes: tuple[int, ...], dim: int) -> Any:
    """Return views of consecutive parts of these sizes along a dimension."""
    parts = []
    start, before = 0, (slice(None),) * dim
    for n in sizes:
        parts.append(input[(*before, slice(start, start + n))])
        start += n
    return parts


@split.vjp
def _split_vjp(g: Any, _y: Any, x_like: Any, *, needs: tuple[bool, ...], sizes: tuple[int, ...], dim: int) -> Any:
    """gx = g of all parts, concatenated; zeros for a part without one."""
    shape = x_like.shape
    parts = [
        np.zeros((*shape[:dim], n, *shape[dim + 1 :]), x_like.dtype) if p is None else p
        for p, n in zip(g, sizes, strict=True)
    ]
    joined = _adjacent(parts, dim)
    return (cat(*parts, dim=dim) if joined is None else joined,)


def _adjacent(parts: list[Any], dim: int) -> np.ndarray[Any, Any] | None:
    """Return the parts as one array, without a copy, where they are adjacent in one buffer; else None.

    The backward of attention lays out the gradients of its three inputs like that.
    """
    first = parts[0]
    owner = getattr(first, "base", None)
    if not isinstance(owner, np.ndarray) or not owner.flags.c_contiguous:
        return None
    start = at = address(first)
    for p in parts:
        if p.base is not owner or p.strides != first.strides or p.dtype != owner.dtype:
            return None
        if address(p) != at:
            return None
        at += p.shape[dim] * p.strides[dim]
    shape = (*first.shape[:dim], sum(p.shape[dim] for p in parts), *first.shape[dim + 1 :])
    return np.ndarray(shape, first.dtype, owner, start - address(owner), first.strides)


split_with_sizes = overload(split, "SplitWithSizesBackward0", aten="split_with_sizes")


@primitive(view=True, multi=True, kind=along_dims("dim", tangent=linear))
def unbind(input: Any, *, dim: int) -> Any:
    """Return a view of every slice along a dimension, without that dimension."""
    return [input[along(dim, i)] for i in range(input.shape[dim])]


@unbind.vjp
def _unbind_vjp(g: Any, _y: Any, x_like: Any, *, needs: tuple[bool, ...], dim: int) -> Any:
    """gx = g of all slices, stacked; zeros for a slice without one."""
    shape = x_like.shape[:dim] + x_like.shape[dim + 1 :]
    return (stack(*(np.zeros(shape, x_like.dtype) if p is None else p for p in g), dim=dim),)


# ----- Joining -----


def _join_tangent(node: Any, ts: list[Any]) -> Any:
    return NotImplemented if any(t is None for t in ts) else node.op.forward(*ts, **node.params)


JOIN = Kind("join", batches_along, _join_tangent)


@movement(kind=JOIN)
def cat(*tensors: Any, dim: int) -> Any:
    """Return the inputs concatenated along a dimension; channels of images stay innermost where all have them so."""
    y = np.concatenate(tensors, axis=dim)
    return y if is_channels_last(y) and all(map(is_channels_last, tensors)) else c_order(y)


@cat.vjp
def _cat_vjp(g: Any, _y: Any, *xs_like: Any, needs: tuple[bool, ...], dim: int) -> Any:
    """gx = the part of g that belongs to each input: views of g."""
    grads = []
    start = 0
    for x, need in zip(xs_like, needs, strict=True):
        stop = start + x.shape[dim]
        grads.append(slice_(g, dim=dim, start=start, stop=stop, step=1) if need else None)
        start = stop
    return grads


@movement(kind=JOIN)
def stack(*tensors: Any, dim: int) -> Any:
    """Return the inputs, all of one shape, along a new dimension."""
    shape = tensors[0].shape
    shape = (*shape[:dim], 1, *shape[dim:])
    return c_order(np.concatenate([x.reshape(shape) for x in tensors], axis=dim))


@stack.vjp
def _stack_vjp(g: Any, _y: Any, *_xs: Any, needs: tuple[bool, ...], dim: int) -> Any:
    """gx = the slice of g that belongs to each input: views of g."""
    return [select(g, dim=dim, index=i) if need else None for i, need in enumerate(needs)]
