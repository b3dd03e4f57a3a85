"""The norm of a tensor and the distance of two; linalg_norms.py has the norms of npg.linalg."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import dtypes
from npg._errors import OUT_DTYPE
from npg._floating import silent
from npg._words import scalar_name
from npg.engine import apply, array_of, wrap
from npg.functional._arguments import checked_array, dim_index
from npg.functional._public import promote, public_function, writes
from npg.functional._types import Dims, T
from npg.functional.joining import stack
from npg.functional.reduction import vector_norm
from npg.functional.shape import reshape
from npg.ops import distance


def norms(tensors: list[Any], p: float) -> Any:
    """Return the vector_norm of each tensor, (len(tensors),), unrecorded where all are of one floating dtype."""
    arrays = [array_of(t) for t in tensors]
    if all(type(x) is np.ndarray and x.size for x in arrays) and len({x.dtype for x in arrays}) == 1:
        kind = type(wrap(arrays[0]))  # and no classes of users, which may ask to see each call
        if arrays[0].dtype.char in "fd" and all(type(t) is kind for t in tensors):
            with silent():  # as an op; the calls of vector_norm take longer than norms of few numbers
                return wrap(distance.norms(arrays, p))
    return stack([vector_norm(t, p) for t in tensors])


@public_function
@writes(OUT_DTYPE, looks=(), expanded=True)
def norm(
    input: T,
    p: float | str | None = "fro",
    dim: Dims | None = None,
    keepdim: bool = False,
    dtype: Any = None,
    *,
    out: Any = None,
) -> T:
    """Return the norm of the elements over dimensions.

    Args:
        input: floating.
        p: a number as in vector_norm; "fro" means 2; "nuc": the sum of a matrix's singular values.
        dim, keepdim, dtype: as in sum; with "nuc" dim is two dimensions, the rows and the columns.
    Raises: RuntimeError: when the input is not floating or p is none of these.
    Source: torch.norm.
    """
    array = checked_array("norm", input)
    if isinstance(p, str) and p not in ("fro", "nuc"):
        raise RuntimeError(f"linalg.matrix_norm: Order {p} not supported.")
    if p == "nuc":
        from npg.functional.linalg_norms import matrix_norm  # here: rarely needed

        return matrix_norm(input, p, tuple(range(array.ndim)) if dim is None else dim, keepdim, dtype=dtype)
    return vector_norm(input, 2 if p is None or p == "fro" else p, dim, keepdim, dtype=dtype)


def _refuse_integers(dtype: Any) -> None:
    if dtype.kind != "f":
        raise RuntimeError(
            f"norm(): input dtype should be either floating point or complex. Got {scalar_name(dtype)} instead."
        )


@public_function
def norm_except_dim(v: T, pow: int = 2, dim: int = 0) -> T:
    """Return the norms of the elements over all dimensions except one, which keeps its place; over all for -1.

    Args:
        v: floating.
        pow: the order of the norm.
        dim: the dimension that stays.
    Returns: 0-d for -1, otherwise of as many dimensions as v, of size 1 but for dim.
    Raises: IndexError: when dim is out of range. RuntimeError: when v is not floating.
    Source: torch.norm_except_dim.
    """
    array = checked_array("norm_except_dim", v, "v")
    _refuse_integers(array.dtype)
    if dim == -1:
        return norm(v, pow)
    if not array.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    kept = dim_index("norm_except_dim", dim, array.ndim)
    others = tuple([d for d in range(array.ndim) if d != kept])
    # A single number has a norm too, whose gradient is not that of its magnitude where it is infinite.
    return norm(v, pow, others, True) if others else norm(reshape(v, (array.shape[0], 1)), pow, 1)


@public_function
def dist(input: T, other: Any, p: float = 2) -> T:
    """Return the p-norm of input - other, broadcast.

    Raises: RuntimeError: when both are integers.
    Source: torch.dist.
    """
    common = dtypes.common_dtype([checked_array("dist", input), checked_array("dist", other, "other", 2)])
    _refuse_integers(common.dtype)
    if not isinstance(input, np.ndarray) and input._array.dtype != getattr(other, "_array", other).dtype:
        input, other = promote(distance.dist, (input, other))
    return apply(distance.dist, (input, other), {"p": float(p)})
