"""Sorting along a dimension: sort, argsort, msort, topk."""

from __future__ import annotations

from typing import Any

from npg._errors import OUT_DTYPE
from npg.engine import apply
from npg.functional import return_types
from npg.functional._arguments import checked_array, dim_index
from npg.functional._public import public_function, writes
from npg.functional._types import T, ValuesIndices
from npg.ops import sort as ops


@public_function
@writes(OUT_DTYPE)
def sort(
    input: T, dim: Any = -1, descending: bool = False, *, stable: bool | None = None, out: Any = None
) -> ValuesIndices[T]:
    """Return the elements sorted along a dimension, and their indices in the input.

    Args:
        input: any shape and dtype.
        dim: an int.
        descending: the largest first; nan is larger than everything.
        stable: has no effect: equal elements always keep their order.
    Returns: (values, indices), indices int64; both of the shape of input.
    Raises: IndexError: when dim is out of range.
    Source: torch.sort.
    """
    dim = dim_index("sort", dim, checked_array("sort", input).ndim)
    return return_types.sort(apply(ops.sort, (input,), {"dim": dim, "descending": bool(descending)}))


@public_function
@writes(OUT_DTYPE, grad=False, looks=())
def argsort(input: T, dim: Any = -1, descending: bool = False, stable: bool = False, *, out: Any = None) -> T:
    """Return the indices that sort the elements along a dimension; see sort.

    Source: torch.argsort.
    """
    dim = dim_index("argsort", dim, checked_array("argsort", input).ndim)
    return apply(ops.argsort, (input,), {"dim": dim, "descending": bool(descending)})


@public_function
@writes(OUT_DTYPE)
def msort(input: T, *, out: Any = None) -> T:
    """Return input sorted along its first dimension. Source: torch.msort."""
    return sort(input, 0)[0]


@public_function
@writes(OUT_DTYPE, apart=("input",))
def topk(
    input: T, k: int, dim: Any = -1, largest: bool = True, sorted: bool = True, *, out: Any = None
) -> ValuesIndices[T]:
    """Return the k largest elements along a dimension, in descending order, and their indices.

    Args:
        input: any shape and dtype but bool.
        k: from 0 to the size of dim.
        dim: an int.
        largest: False gives the smallest in ascending order. nan is larger than everything.
        sorted: has no effect: the result is always sorted.
    Returns: (values, indices), of size k along dim. Which of several equal elements are chosen is unspecified.
    Raises: RuntimeError: when k is out of range, or for bools. IndexError: when dim is out of range.
    Source: torch.topk.
    """
    array = checked_array("topk", input)
    if array.dtype.kind == "b":
        raise RuntimeError("topk does not support bool dtypes on CPU")
    dim = dim_index("topk", dim, array.ndim)
    k = k.__index__()
    if not 0 <= k <= (array.shape[dim] if array.ndim else 1):
        raise RuntimeError("selected index k out of range")
    return return_types.topk(apply(ops.topk, (input,), {"k": k, "dim": dim, "largest": bool(largest)}))
