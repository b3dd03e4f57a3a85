"""Which of several equal elements is the k-th smallest: the one that PyTorch finds, because it gets the gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def _equals(x: Array, value: Array) -> Array:
    return (x == value) | (np.isnan(x) & np.isnan(value))  # nan is the largest, and equal to itself


def place_in_order(x: Array, value: Array, k: int | Array, dim: int) -> Array:
    """Return the index from which a stable sort along a dimension takes the k-th smallest element.

    Args:
        value: the k-th smallest elements, the dimension kept.
        k: the number of elements before it, an int or an array of the shape of value.
    """
    rank = k - np.count_nonzero(x < value, axis=dim, keepdims=True)  # among the equal ones
    equal = _equals(x, value)
    return np.argmax(equal & (np.cumsum(equal, axis=dim) == rank + 1), axis=dim, keepdims=True)


def place_of_search(x: Array, value: Array, k: int, dim: int) -> Array:
    """Return the index at which quickselect along a dimension finds the k-th smallest; see place_in_order."""
    equal = _equals(x, value)
    places = np.moveaxis(np.argmax(equal, axis=dim, keepdims=True), dim, -1)
    tied = np.moveaxis(np.count_nonzero(equal, axis=dim, keepdims=True) > 1, dim, -1)
    if tied.any():  # the search is slow, so only for rows with ties
        rows = np.moveaxis(x, dim, -1)[tied[..., 0]]
        if x.dtype.kind == "f" and np.isnan(rows).any():
            rows = np.stack([np.searchsorted(np.sort(row), row) for row in rows])  # ranks, because nan does not compare
        places[tied] = [_search(row.tolist(), k) for row in rows]
    return np.moveaxis(places, -1, dim)


def _search(keys: list[Any], k: int) -> int:
    """Return the index of the k-th smallest key, counted from 0, by Hoare's partition around the median of three."""
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
