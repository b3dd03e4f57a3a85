"""The contraction of two arrays, of which einsum and tensordot are made: one matrix product wherever possible."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from npg.kernels.limits import ADDED_IN_A_RUN, ADDED_SINGLY
from npg.kernels.products import multiply
from npg.kernels.sums import add_up
from npg.ops._kinds import product
from npg.ops._op import Op, primitive
from npg.ops.shape import along

Labels = tuple[int, ...]


@functools.lru_cache(maxsize=1024)
def _plan(left: Labels, right: Labels, out: Labels) -> tuple[Any, ...]:
    """Plan the contraction as a product of (batch, m, k) and (batch, k, n).

    Returns: (swap, orders of the dimensions of a and b, the numbers of batch, m, k and n labels, order of the result).
        With swap the operands change places, because then the product comes out in the order of `out`.
    """
    own = {label for label in left if label in out and label not in right}
    other = {label for label in right if label in out and label not in left}
    first = next((label for label in out if label in own or label in other), None)
    swap = first in other and bool(own)
    if swap:
        left, right, own, other = right, left, other, own
    batch = [label for label in out if label in left and label in right]
    m = [label for label in out if label in own]
    n = [label for label in out if label in other]
    k = [label for label in left if label in right and label not in out]
    labels = batch + m + n
    order = tuple(labels.index(label) for label in out)
    return (
        swap,
        tuple(left.index(label) for label in batch + m + k),
        tuple(right.index(label) for label in batch + k + n),
        (len(batch), len(m), len(k), len(n)),
        None if order == tuple(range(len(order))) else order,
    )


def _spread(x: np.ndarray[Any, Any], labels: Labels, out: Labels) -> np.ndarray[Any, Any]:
    """Return x with its dimensions in the order of `out`, and size 1 for labels that it lacks."""
    x = x.transpose([labels.index(label) for label in out if label in labels])
    return x[tuple(slice(None) if label in labels else None for label in out)]


def _grouped(x: np.ndarray[Any, Any], batch: int, rows: int) -> np.ndarray[Any, Any]:
    """Return x as (batch..., rows, columns): the dimensions of rows, and of what follows, are merged."""
    shape = x.shape
    if rows == 1 and x.ndim == batch + 2:
        return x
    split = batch + rows
    return x.reshape(*shape[:batch], math.prod(shape[batch:split]), math.prod(shape[split:]))


def _element_by_element(
    a: np.ndarray[Any, Any], b: np.ndarray[Any, Any], left: Labels, right: Labels, out: Labels
) -> np.ndarray[Any, Any]:
    """Return the sums of elementwise products, for operands that both have all labels."""
    b = b.transpose([right.index(label) for label in left])
    longest = max((i for i, label in enumerate(left) if label not in out), key=a.shape.__getitem__)
    number = {label: i for i, label in enumerate(left)}  # NumPy takes labels below 52 only
    labels, out_labels = list(range(a.ndim)), [number[x] for x in out]
    n = a.shape[longest]
    height = ADDED_SINGLY if a.strides[longest] != a.itemsize else ADDED_IN_A_RUN // 4  # by few sums at once
    if n <= 2 * height:
        return np.einsum(a, labels, b, labels, out_labels)
    # np.einsum adds products one after the other: so a block of them at a time, and then the sums of the blocks.
    blocked = n - n % height
    start, remainder = (along(longest, part) for part in (slice(blocked), slice(blocked, None)))
    runs = (*a.shape[:longest], blocked // height, height, *a.shape[longest + 1 :])
    labels.insert(longest, a.ndim)
    parts = np.einsum(a[start].reshape(runs), labels, b[start].reshape(runs), labels, [a.ndim, *out_labels])
    total = add_up(parts, 0)
    if blocked < n:
        labels.remove(a.ndim)
        total = total + np.einsum(a[remainder], labels, b[remainder], labels, out_labels)
    return total


@primitive(
    lambda g, _y, _a, b, *, left, right, out: contract(g, b, left=out, right=right, out=left),
    lambda g, _y, a, _b, *, left, right, out: contract(g, a, left=out, right=left, out=right),
    node="View",
    aten=None,
    tangent=product,
)
def contract(input: Any, other: Any, *, left: Labels, right: Labels, out: Labels) -> Any:
    """Return the products of two arrays, summed over the labels that are not in `out`.

    Every dimension has a label: `left` has those of input, `right` those of other, `out` those of the result. No array
    has a label twice, and a label of one array is also in the other or in `out`. Equal labels have equal sizes.
    """
    swap, a_order, b_order, (batch, m, k, n), order = _plan(left, right, out)
    if not k:
        return _spread(input, left, out) * _spread(other, right, out)
    a, b = (other, input) if swap else (input, other)
    if not m and not n and input.dtype.kind == "f" and input.dtype.itemsize > 2:
        # Element by element: a product of (1, k) and (k, 1) for each is slower.
        return _element_by_element(input, other, left, right, out)
    a, b = a.transpose(a_order), b.transpose(b_order)
    product = multiply(_grouped(a, batch, m), _grouped(b, batch, k))
    if m != 1 or n != 1:
        product = product.reshape(a.shape[: batch + m] + b.shape[batch + k :])
    return product if order is None else product.transpose(order)


@contract.batch
def _contract_batch(op: Op, xs: Any, batched: Any, size: int, /, *, left: Labels, right: Labels, out: Labels) -> Any:
    label = max((*left, *right, *out), default=-1) + 1
    left, right = ((label, *labels) if flag else labels for labels, flag in zip((left, right), batched, strict=True))
    return op(*xs, left=left, right=right, out=(label, *out))
