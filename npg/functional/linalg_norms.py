"""Norms of vectors and matrices, rank and condition number, for npg.linalg."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg._errors import LinAlgError
from npg._floating import silent
from npg._naming import named
from npg._words import scalar_name, shape_text
from npg.dtypes import to_numpy
from npg.engine import wrap
from npg.functional._arguments import broadcast, checked_array, dim_index
from npg.functional._factory import beside
from npg.functional._public import public_function, to_dtype, writes
from npg.functional._square import matrix_of
from npg.functional._types import T
from npg.functional.extrema import amax, amin
from npg.functional.linalg import eigvalsh, svdvals
from npg.functional.linalg_solvers import CASTABLE, inv, tolerance
from npg.functional.reduction import sum as total, vector_norm
from npg.functional.shape import reshape, unsqueeze
from npg.functional.transpose import movedim
from npg.ops.linalg import singular_values

# ----- Norms -----


@public_function(namespace="linalg")
@writes("linalg.matrix_norm expected out tensor dtype {result} but got: {wanted}", looks=())
def matrix_norm(
    A: T, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None, out: Any = None
) -> T:
    """Return a norm of matrices.

    Args:
        A: at least two dimensions, floating.
        ord: "fro": the 2-norm of all elements; "nuc": the sum of the singular values; 2 and -2: the largest and the
            smallest of them; 1 and -1: those of the absolute column sums; inf and -inf: those of the row sums.
        dim: the two dimensions of the rows and the columns.
        keepdim: keep them, with size 1.
        dtype: cast A to this first.
    Raises: RuntimeError: when A is no floating matrix, dim no pair, or ord none of these.
    Source: torch.linalg.matrix_norm.
    """
    name = "linalg.matrix_norm"
    array = checked_array(name, A, "A")
    if array.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions.")
    if array.dtype.kind != "f":
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {scalar_name(array)}")
    dims = tuple(dim) if isinstance(dim, (tuple, list)) else (dim,)
    if len(dims) != 2:
        raise RuntimeError(f"{name}: dim must be a 2-tuple. Got {' '.join(map(str, dims))}")
    rows, columns = (dim_index(name, d, array.ndim) for d in dims)
    if rows == columns:
        raise RuntimeError(f"{name}: dims must be different. Got ({dims[0]}, {dims[1]})")
    numeric = isinstance(ord, (int, float)) and not isinstance(ord, bool)
    if ord not in ("fro", "nuc") and not (numeric and abs(ord) in (1, 2, math.inf)):
        raise RuntimeError(f"{name}: Order {ord} not supported.")
    if dtype is not None:
        A = to_dtype(A, to_numpy(dtype))
    if ord == "fro":
        return vector_norm(A, 2, (rows, columns), keepdim)
    if ord == "nuc" or abs(ord) == 2:
        values = svdvals(movedim(A, (rows, columns), (-2, -1)))
        norms = total(values, -1) if ord == "nuc" else _extreme(values, -1, ord > 0)
        if not keepdim:
            return norms
        return reshape(norms, tuple(1 if d in (rows, columns) else n for d, n in enumerate(array.shape)))
    summed, other = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = vector_norm(A, 1, (summed,), True)
    norms = _extreme(sums, other, ord > 0, True)
    return norms if keepdim else reshape(norms, tuple(n for d, n in enumerate(array.shape) if d not in (rows, columns)))


def _extreme(values: Any, dim: int, largest: bool, keepdim: bool = False) -> Any:
    """Return the largest or smallest along a dimension; the largest of no norms is 0."""
    if largest and not values.shape[dim]:
        return total(values, dim, keepdim)
    return (amax if largest else amin)(values, dim, keepdim)


@public_function(namespace="linalg")
@writes("linalg.norm expected out tensor dtype {result} but got: {wanted}", looks=())
def norm(A: T, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None) -> T:
    """Return a norm of vectors or of matrices.

    Args:
        A: any shape, floating.
        ord: None: the 2-norm of all elements; a number: see vector_norm and matrix_norm; "fro" and "nuc": for matrices
            only.
        dim: an int for vectors, two for matrices; None treats a 1-d A as a vector, a 2-d one as a matrix.
        keepdim: keep the dimensions, with size 1.
        dtype: cast A to this first.
    Raises: RuntimeError: when dim or ord do not fit.
    Source: torch.linalg.norm.
    """
    array = checked_array("linalg.norm", A, "A")
    dims = None if dim is None else tuple(dim) if isinstance(dim, (tuple, list)) else (dim,)
    if dims is not None and ord is not None and len(dims) not in (1, 2):
        raise RuntimeError(f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {shape_text(dims)}")
    if dims is None and ord is not None and array.ndim not in (1, 2):
        raise RuntimeError(
            f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {array.ndim}D."
        )
    matrix = isinstance(ord, str) or (ord is not None and (array.ndim if dims is None else len(dims)) == 2)
    if not matrix:
        return vector_norm(A, 2 if ord is None else ord, dims, keepdim, dtype=dtype)
    return matrix_norm(A, ord, (-2, -1) if dims is None else dims, keepdim, dtype=dtype)


@public_function(namespace="linalg")
@writes(
    text=CASTABLE.format(name="linalg.cond"),
    looks=(),
)
def cond(A: T, p: Any = None, *, out: Any = None) -> T:
    """Return the condition number of a matrix: the norm of A times that of its inverse.

    Args:
        A: (..., m, n) float32 or float64; square unless p is None, 2 or -2.
        p: order of the norm, see matrix_norm; None is 2.
    Returns: (...); inf for a singular matrix.
    Raises: RuntimeError: when A does not fit p.
    Source: torch.linalg.cond.
    """
    array = checked_array("linalg.cond", A)
    if array.ndim < 2:
        raise RuntimeError("linalg.cond: The input tensor must have at least 2 dimensions.")
    if p is None or p in (2, -2):
        values: Any = svdvals(A)
        if not values.shape[-1]:
            return total(values, -1)
        first, last = values[..., 0], values[..., -1]
        return last / first if p == -2 else first / last
    if p not in ("fro", "nuc") and (isinstance(p, str) or abs(p) not in (1, math.inf)):
        raise RuntimeError(f"linalg.cond got an invalid norm type: {p}")
    if not min(array.shape[-2:]):
        return wrap(np.zeros(array.shape[:-2], array.dtype))
    if array.shape[-1] != array.shape[-2]:
        n, m = array.shape[-2:]
        raise RuntimeError(
            f"linalg.cond(ord={p}): A must be batches of square matrices, but they are {n} by {m} matrices"
        )
    try:
        inverse: Any = inv(A)
    except LinAlgError:
        conditions = [_cond_of(matrix, p) for matrix in array.reshape(-1, *array.shape[-2:])]
        return wrap(np.array(conditions, array.dtype).reshape(array.shape[:-2]))
    return matrix_norm(A, p) * matrix_norm(inverse, p)


@silent()
def _cond_of(matrix: np.ndarray[Any, Any], p: Any) -> Any:
    try:
        return np.linalg.norm(matrix, p) * np.linalg.norm(np.linalg.inv(matrix), p)
    except np.linalg.LinAlgError:
        return math.inf


@public_function(namespace="linalg")
@writes(
    text=CASTABLE.format(name="npg.linalg.matrix_rank"),
    looks=(),
    expanded=True,
)
def matrix_rank(
    A: T, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None, out: Any = None
) -> T:
    """Return the number of singular values larger than a tolerance.

    Args:
        A: (..., m, n) float32 or float64.
        tol: the tolerance itself.
        hermitian: A is symmetric: use its absolute eigenvalues.
        atol, rtol: the tolerance is max(atol, rtol * the largest), see pinv.
    Returns: (...) int64.
    Raises: RuntimeError: when A is no floating matrix.
    Source: torch.linalg.matrix_rank.
    """
    array = checked_array("linalg.matrix_rank", A)
    if array.ndim < 2:
        raise RuntimeError(named("npg.linalg.matrix_rank: The input tensor input must have at least 2 dimensions."))
    if array.dtype.kind != "f":
        raise RuntimeError("This function doesn't handle types other than float and double")
    if hermitian and array.size:
        values = np.abs(eigvalsh(wrap(array))._array)
    else:
        values = singular_values(matrix_of("linalg.svd", A))
    if tol is not None:
        atol, rtol = tol, 0.0
    limit = tolerance(values, max(array.shape[-2:]), atol, rtol)
    return beside(np.asarray((values > limit).sum(axis=-1), np.int64), array)


# ----- Vectors -----


@public_function(namespace="linalg")
@writes("linalg.vecdot: Expected out of dtype{result} but found {wanted}", looks=())
def vecdot(x: T, y: Any, *, dim: Any = -1, out: Any = None) -> T:
    """Return the inner products along a dimension; the others broadcast. Source: torch.linalg.vecdot."""
    a, b = checked_array("linalg.vecdot", x, "x"), checked_array("linalg.vecdot", y, "y", 2)
    if a.dtype.kind != "f":
        raise RuntimeError(f"linalg.vecdot: Expected a floating point or complex tensor as input. Got {scalar_name(a)}")
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"linalg.vecdot: Expected x and y to have the same dtype, but found x of type {scalar_name(a)} and y of "
            f"type {scalar_name(b)} instead"
        )
    broadcast(a.shape, b.shape)
    return total(x * y, dim)


@public_function(namespace="linalg")
def vander(x: T, N: int | None = None) -> T:
    """Return the matrix of powers x^0, x^1, ..., x^(N-1), one row for each element.

    Args:
        x: (..., n); 0-d counts as one element.
        N: the number of columns; None means n.
    Returns: (..., n, N); of integers int64.
    Raises: RuntimeError: when N is not above 1.
    Source: torch.linalg.vander.
    """
    array = checked_array("linalg.vander", x, "x")
    if not array.ndim:
        x, array = reshape(x, (1,)), array.reshape(1)
    if array.dtype == np.float16:
        raise RuntimeError("linalg.vander supports floating point, complex, and integer tensors, but got Half")
    count = array.shape[-1] if N is None else N
    if count <= 1:
        raise RuntimeError("N must be greater than 1.")
    dtype = array.dtype if array.dtype.kind == "f" else np.dtype(np.int64)
    return unsqueeze(to_dtype(x, dtype), -1) ** beside(np.arange(count).astype(dtype), x)
