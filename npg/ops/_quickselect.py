"""Where the k-th smallest of equal elements is: at the place that PyTorch finds, where the gradient goes."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def _equals(x: Array, value: Array) -> Array:
    return (x == value) | (np.isnan(x) & np.isnan(value))  # nan is the largest, and equal to itself


def place_in_order(x: Array, value: Array, k: int | Array, dim: int) -> Array:
    """Return where a stable sort along a dimension has the k-th smallest from.

    Args:
        value: the k-th smallest elements, the dimension kept.
        k: how many come before, an int or of the shape of value.
    """
    rank = k - np.count_nonzero(x < value, axis=dim, keepdims=True)  # among the equal ones
    equal = _equals(x, value)
    return np.argmax(equal & (np.cumsum(equal, axis=dim) == rank + 1), axis=dim, keepdims=True)


def place_of_search(x: Array, value: Array, k: int, dim: int) -> Array:
    """Return where a search by partition along a dimension finds the k-th smallest; see place_in_order."""
    equal = _equals(x, value)
    found = np.moveaxis(np.argmax(equal, axis=dim, keepdims=True), dim, -1)
    tied = np.moveaxis(np.count_nonzero(equal, axis=dim, keepdims=True) > 1, dim, -1)
    if tied.any():  # only those rows are searched, which is slow
        rows = np.moveaxis(x, dim, -1)[tied[..., 0]]
        if x.dtype.kind == "f" and np.isnan(rows).any():
            rows = np.stack([np.searchsorted(np.sort(row), row) for row in rows])  # numbers that compare
        found[tied] = [_search(row.tolist(), k) for row in rows]
    return np.moveaxis(found, -1, dim)


def _search(keys: list[Any], k: int) -> int:
    """Return the place of the k-th smallest key, from 0: by Hoare's partition around the median of three."""
    at = list(range(len(keys)))

    def swap(i: int, j: int) -> None:
        keys[i], keys[j] = keys[j], keys[i]
        at[i], at[j] = at[j], at[i]

    low, high = 0, len(keys) - 1
    while high > low + 1:
        swap(low + (high - low) // 2, low + 1)
        for i, j in ((low + 1, high), (low, high), (low + 1, low)):
            if keys[i] > keys[j]:
                swap(i, j)
        pivot, i, j = keys[low], low + 1, high
        while True:
            i += 1
            while pivot > keys[i]:
                i += 1
            j -= 1
            while keys[j] > pivot:
                j -= 1
            if j < i:
                break
            swap(i, j)
        swap(low, j)
        if j <= k:
            low = i
        if j >= k:
            high = j - 1
    if high == low + 1 and keys[low] > keys[high]:
        swap(low, high)
    return at[k]
