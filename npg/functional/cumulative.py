"""Running sums, products and extrema, and differences, along one dimension."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import dtypes
from npg._errors import OUT_SCALAR_TYPE
from npg._words import scalar_name
from npg.engine import apply, apply_in_place, is_grad_enabled, wrap
from npg.functional import return_types
from npg.functional._arguments import checked_array, dim_index
from npg.functional._public import public_function, to_dtype, writes
from npg.functional._types import T, ValuesIndices
from npg.functional.joining import cat
from npg.functional.split import narrow
from npg.ops import cumulative as ops
from npg.ops._op import Op
from npg.ops.elementwise import clone


def _running(op: Op, input: Any, dim: Any, dtype: Any) -> Any:
    array = checked_array(op.name, input)
    d = dim_index(op.name, dim, array.ndim)
    if dtype is not None:
        target = dtypes.to_numpy(dtype)
        if target.kind != "f" and is_grad_enabled() and getattr(input, "requires_grad", False):
            raise RuntimeError(f"Autograd not support dtype: {scalar_name(target)}")
        if target.kind == "b":
            raise NotImplementedError(f"\"{op.name}_out_cpu\" not implemented for 'Bool'")
        return to_dtype(apply(op, (to_dtype(input, target),), {"dim": d}), target)
    result = apply(op, (input,), {"dim": d})
    return result if array.ndim or array.dtype.kind == "f" else to_dtype(result, np.dtype(np.int64))


@public_function
@writes(takes_dtype=True)
def cumsum(input: T, dim: int, *, dtype: Any = None, out: Any = None) -> T:
    """Return the cumulative sums along a dimension.

    Args:
        input: any shape and dtype.
        dim: an int.
        dtype: cast the input to this dtype first.
    Returns: dtype of input, int64 for integers and bools. float32 is accumulated in float64, as in PyTorch.
    Source: torch.cumsum.
    """
    return _running(ops.cumsum, input, dim, dtype)


@public_function
@writes(takes_dtype=True)
def cumprod(input: T, dim: int, *, dtype: Any = None, out: Any = None) -> T:
    """Return the cumulative products along a dimension; the gradient is also right where elements are 0.

    Args and dtypes as in cumsum. Source: torch.cumprod.
    """
    return _running(ops.cumprod, input, dim, dtype)


@public_function
def cumsum_(input: T, dim: int, *, dtype: Any = None) -> T:
    """Replace the input by its cumulative sums in place; see cumsum. A dtype must be the input's."""
    return _running_in_place(ops.cumsum, input, dim, dtype)


@public_function
def cumprod_(input: T, dim: int, *, dtype: Any = None) -> T:
    """Replace the input by its cumulative products in place; see cumprod. A dtype must be the input's."""
    return _running_in_place(ops.cumprod, input, dim, dtype)


def _running_in_place(op: Op, input: Any, dim: Any, dtype: Any) -> Any:
    array = checked_array(op.name, input)
    target = array.dtype if dtype is None else dtypes.to_numpy(dtype)
    if target != array.dtype:
        raise RuntimeError(
            f"Bad in-place call: input tensor dtype {array.dtype} and output tensor dtype {target} should match"
        )
    if array.dtype == bool and array.ndim and array.size:  # otherwise PyTorch runs no kernel
        raise NotImplementedError(f"\"{op.name}_out_cpu\" not implemented for 'Bool'")
    return apply_in_place(op, (input,), {"dim": dim_index(op.name, dim, array.ndim)})


@public_function
@writes(OUT_SCALAR_TYPE)
def logcumsumexp(input: T, dim: int, *, out: Any = None) -> T:
    """Return cumulative log(sum(exp)) along a dimension, without overflow. Source: torch.logcumsumexp."""
    array = checked_array("logcumsumexp", input)
    if array.dtype.kind != "f":
        kind = scalar_name(array)
        raise NotImplementedError(f"\"logcumsumexp_out_cpu\" not implemented for '{kind}'")
    return apply(ops.logcumsumexp, (input,), {"dim": dim_index("logcumsumexp", dim, array.ndim)})


@public_function
@writes(OUT_SCALAR_TYPE, looks=(), expanded=True)
def cummax(input: T, dim: int, *, out: Any = None) -> ValuesIndices[T]:
    """Return the cumulative maxima along a dimension, and the index of the last element equal to each.

    Returns: (values, indices).
    Source: torch.cummax.
    """
    d = dim_index("cummax", dim, checked_array("cummax", input).ndim)
    return return_types.cummax(apply(ops.cummax, (input,), {"dim": d}))


@public_function
@writes(OUT_SCALAR_TYPE, looks=(), expanded=True)
def cummin(input: T, dim: int, *, out: Any = None) -> ValuesIndices[T]:
    """Return the cumulative minima along a dimension, and their indices; see cummax.

    Source: torch.cummin.
    """
    d = dim_index("cummin", dim, checked_array("cummin", input).ndim)
    return return_types.cummin(apply(ops.cummin, (input,), {"dim": d}))


@public_function
@writes(OUT_SCALAR_TYPE)
def diff(
    input: T, n: int = 1, dim: int = -1, prepend: T | None = None, append: T | None = None, *, out: Any = None
) -> T:
    """Return the n-th differences of neighbours along a dimension.

    Args:
        input: at least one dimension.
        n: the order of the differences; 0 gives a copy of the input.
        dim: an int.
        prepend, append: tensors with as many dimensions, joined to the input's ends first.
    Returns: n fewer elements along dim, at least 0. For bools: whether neighbours differ.
    Source: torch.diff.
    """
    array = checked_array("diff", input)
    if not array.ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    d = dim_index("diff", dim, array.ndim)
    if n == 0:
        return apply(clone, (input,), {})
    parts = [x for x in (prepend, input, append) if x is not None]
    for x in parts:
        if checked_array("diff", x).ndim != array.ndim:
            raise RuntimeError("diff expects prepend or append to be the same dimension as input")
    if len(parts) > 1:
        input = cat(parts, d)
    joined = checked_array("diff", input)
    size = joined.shape[d]
    later: Any
    earlier: Any
    for _ in range(min(n, size)):
        length = checked_array("diff", input).shape[d] - 1
        later, earlier = narrow(input, d, 1, length), narrow(input, d, 0, length)
        input = wrap(later._array != earlier._array) if joined.dtype == bool else later - earlier
    return input
