"""Inverses, determinants and linear equations, for npg.linalg and for npg itself."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg._errors import OUT_DTYPE
from npg._floating import silent
from npg._naming import named
from npg._words import scalar_name, shape_text
from npg.engine import apply, apply_in_place, array_of, wrap
from npg.functional import return_types
from npg.functional._arguments import broadcast, checked_array
from npg.functional._factory import beside
from npg.functional._matrices import no_bool
from npg.functional._public import public_function, refuse_gradient, writes
from npg.functional._square import matrix_of, singular, square_of, unsolvable
from npg.functional._types import Lstsq, SignLogdet, T
from npg.functional.matmul import matmul
from npg.functional.rearrange import tril, triu
from npg.functional.selection import where
from npg.functional.shape import expand, reshape, unsqueeze
from npg.functional.transpose import permute, transpose
from npg.kernels.meta import needs_data
from npg.ops import linalg as ops
from npg.ops.indexing import assign
from npg.ops.shape import contiguous

_LSTSQ = tuple(
    f"npg.linalg.lstsq: Expected {what} to be safely castable from {{result}} dtype, but got {what} with dtype "
    "{wanted}"
    for what in ("solution", "solution", "rank", "singular_values")
)
CASTABLE = "{name}: Expected result to be safely castable from {{result}} dtype, but got result with dtype {{wanted}}"


# ----- Inverse and determinant -----


@public_function(namespace="linalg")
@writes(OUT_DTYPE, looks=())
def inv(A: T, *, out: Any = None) -> T:
    """Return the inverse of a square matrix.

    Args:
        A: (..., n, n) float32 or float64.
    Raises: RuntimeError: when A is not square. LinAlgError: when it is singular.
    Source: torch.linalg.inv.
    """
    array = square_of("linalg.inv", A)
    try:
        return apply(ops.inv, (A,), {})
    except np.linalg.LinAlgError:
        raise singular("linalg.inv", array) from None


@public_function
@writes(OUT_DTYPE, looks=())
def inverse(input: T, *, out: Any = None) -> T:
    """Return the inverse of a square matrix; see linalg.inv. Source: torch.inverse."""
    return inv(input) if out is None else inv(input, out=out)


@public_function
@writes(OUT_DTYPE, looks=())
def det(A: T, *, out: Any = None) -> T:
    """Return the determinant of a square matrix.

    Args:
        A: (..., n, n) float32 or float64.
    Returns: (...), without the last two dimensions.
    Raises: RuntimeError: when A is not square.
    Source: torch.linalg.det. The gradient is also right for singular matrices, where PyTorch's not always is.
    """
    square_of("linalg.det", A)
    return apply(ops.det, (A,), {})


def _slogdet(A: Any) -> Any:
    square_of("linalg.slogdet", A)
    return apply(ops.slogdet, (A,), {})


@public_function
@writes(OUT_DTYPE, looks=())
def slogdet(A: T, *, out: Any = None) -> SignLogdet[T]:
    """Return the sign of the determinant and the logarithm of its absolute value.

    Args:
        A: (..., n, n) float32 or float64.
    Returns: (sign, logabsdet); 0 and -inf for a singular matrix.
    Raises: RuntimeError: when A is not square.
    Source: torch.linalg.slogdet.
    """
    return return_types.linalg_slogdet(_slogdet(A))


@public_function
def logdet(input: T) -> T:
    """Return the logarithm of the determinant, nan if that is negative. Source: torch.logdet."""
    sign, logabsdet = _slogdet(input)
    return where(wrap(sign._array < 0), math.nan, logabsdet)


@public_function
@writes(text=CASTABLE.format(name="matrix_power"), looks=())
def matrix_power(A: T, n: int, *, out: Any = None) -> T:
    """Return the n-th power of a square matrix; for negative n that of its inverse.

    Args:
        A: (..., m, m).
        n: any integer.
    Raises: RuntimeError: when A is not square. LinAlgError: when n is negative and A singular.
    Source: torch.matrix_power.
    """
    array = checked_array("matrix_power", A)
    if array.ndim < 2:
        raise RuntimeError("linalg.matrix_power: The input tensor A must have at least 2 dimensions.")
    if array.shape[-1] != array.shape[-2]:
        size = "{} by {}".format(*array.shape[-2:])
        raise RuntimeError(f"linalg.matrix_power: A must be batches of square matrices, but they are {size} matrices")
    no_bool(array, "addmm_impl_cpu_")
    if n == 0:
        return apply_in_place(assign, (apply(contiguous, (A,), {}), np.eye(array.shape[-1], dtype=array.dtype)), {})
    if n == 1:
        return apply(contiguous, (A,), {})
    if n < 0:
        A, n = inv(A), -n
    result: Any = None
    while True:  # by squaring
        if n & 1:
            result = A if result is None else matmul(result, A)
        n >>= 1
        if not n:
            return result
        A = matmul(A, A)


# ----- Linear equations -----


def _is_vector(a: Any, b: Any) -> bool:
    return b.ndim == 1 or (a.ndim - 1 == b.ndim and b.shape == a.shape[:-1])


@public_function(namespace="linalg")
@writes(OUT_DTYPE, looks=())
def solve(A: T, B: Any, *, left: bool = True, out: Any = None) -> T:
    """Return X with A X = B.

    Args:
        A: (..., n, n) float32 or float64.
        B: (..., n, k) of the same dtype, or (..., n), a vector for each matrix; batches broadcast.
        left: False solves X A = B.
    Returns: shape of B, broadcast.
    Raises: RuntimeError: when shapes do not fit or dtypes differ. LinAlgError: when A is singular.
    Source: torch.linalg.solve.
    """
    a, b = square_of("linalg.solve", A), checked_array("linalg.solve", B, "B", 2)
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"linalg.solve: Expected A and B to have the same dtype, but found A of type {scalar_name(a)} and B of "
            f"type {scalar_name(b)} instead"
        )
    vector = _is_vector(a, b)
    if vector and not left:
        raise RuntimeError("linalg.solve: Vector broadcasting of the left hand side is not supported for left=False")
    if vector:
        if a.shape[-1] != b.shape[-1]:
            raise _incompatible("linalg.solve", a, _Sizes((*b.shape, 1)), left)
        B = unsqueeze(B, -1)
    elif a.shape[-1] != b.shape[-2 if left else -1]:
        raise _incompatible("linalg.solve", a, b, left)
    broadcast(a.shape[:-2], b.shape[:-1] if vector else b.shape[:-2])
    try:
        if left:
            solution = apply(ops.solve, (A, B), {})
        else:
            solution = apply(ops.solve, (transpose(A, -2, -1), transpose(B, -2, -1)), {}).mT
    except np.linalg.LinAlgError:
        raise unsolvable(named("npg.linalg.solve"), a) from None
    return solution.squeeze(-1) if vector else solution


class _Sizes:
    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape


def _incompatible(name: str, a: Any, b: Any, left: bool) -> RuntimeError:
    equation = "AX = B" if left else "XA = B"
    sizes = "{}x{} and {}x{}".format(*a.shape[-2:], *b.shape[-2:])
    return RuntimeError(f"{name}: Incompatible shapes of A and B for the equation {equation} ({sizes})")


@public_function(namespace="linalg")
@writes("expected scalar type {result} but found {wanted}", looks=("B",))
def solve_triangular(
    A: T, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False, out: Any = None
) -> T:
    """Return X with A X = B for a triangular A, whose other triangle is not read.

    Args:
        A: (..., n, n) float32 or float64.
        B: (..., n, k), of the same dtype; batches broadcast.
        upper: read the upper triangle, otherwise the lower.
        left: False solves X A = B.
        unitriangular: treat the diagonal as ones.
    Returns: shape of B, broadcast; inf and nan where the diagonal has a zero.
    Raises: RuntimeError: when shapes do not fit or dtypes differ.
    Source: torch.linalg.solve_triangular.
    """
    name = "linalg.solve_triangular"
    a, b = square_of(name, A), matrix_of(name, B, "B")
    if a.shape[-1] != b.shape[-2 if left else -1]:
        raise _incompatible(name, a, b, left)
    diagonal = 1 if unitriangular else 0
    triangle = triu(A, diagonal) if upper else tril(A, -diagonal)
    if unitriangular:
        triangle = triangle + beside(np.eye(a.shape[-1], dtype=a.dtype), a)
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"{name}: Expected A and B to have the same dtype, but found A of type {scalar_name(a)} and B of type "
            f"{scalar_name(b)} instead"
        )
    broadcast(a.shape[:-2], b.shape[:-2])
    if left:
        return apply(ops.solve_triangular, (triangle, B), {"upper": upper})
    return apply(ops.solve_triangular, (transpose(triangle, -2, -1), transpose(B, -2, -1)), {"upper": not upper}).mT


_DRIVERS = ("gels", "gelsy", "gelsd", "gelss")


@public_function(namespace="linalg")
@writes(text=_LSTSQ, looks=())
def lstsq(A: T, B: Any, rcond: float | None = None, *, driver: str | None = None, out: Any = None) -> Lstsq[T]:
    """Return the least-squares solution of A X = B, of minimal norm.

    Args:
        A: (..., m, n) float32 or float64.
        B: (..., m, k) of the same dtype, or (..., m), one dimension less than A.
        rcond: singular values below rcond times the largest count as 0; None means the dtype's eps times max(m, n).
        driver: the LAPACK routine whose other results are returned; the solution is always computed by gelsd.
    Returns: (solution, residuals, rank, singular_values). Residuals for m > n, rank unless the driver is gels, singular
        values for gelsd and gelss; otherwise they are empty.
    Raises: RuntimeError: when shapes do not fit, dtypes differ or the driver is unknown.
    Source: torch.linalg.lstsq.
    """
    a, b = matrix_of("linalg.lstsq", A, "input"), checked_array("linalg.lstsq", B, "B", 2)
    if driver is None:
        driver = "gelsy"
    if driver not in _DRIVERS:
        raise RuntimeError(named("npg.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)"))
    if a.dtype != b.dtype:
        raise RuntimeError(
            named(
                "npg.linalg.lstsq: Expected input and other to have the same dtype, but got input's dtype "
                f"{scalar_name(a)} and other's dtype {scalar_name(b)}"
            )
        )
    vector = _is_vector(a, b)
    if not 0 <= a.ndim - b.ndim <= 1:
        raise RuntimeError(
            named(
                "npg.linalg.lstsq: input.dim() must be greater or equal to other.dim() and (input.dim() - "
                "other.dim()) <= 1"
            )
        )
    if a.shape[-2] != b.shape[-1 if vector else -2]:
        axis = -1 if vector else -2
        raise RuntimeError(named(f"npg.linalg.lstsq: input.size(-2) should match other.size({axis})"))
    right = unsqueeze(B, -1) if vector else B
    # PyTorch first treats a B with fewer dimensions as a batch of vectors, and then that B as a matrix.
    batch = broadcast(a.shape[:-2], b.shape[:-1] if b.ndim < a.ndim else b.shape[:-2])
    A, right = (_batched(x, batch) for x in (A, right))
    needs_data("linalg_lstsq", array_of(A), array_of(right))
    solution = apply(ops.lstsq, (A, right), {"rcond": rcond})
    singular_values = ops.singular_values(array_of(A))
    m, n = a.shape[-2:]
    limit = rcond if rcond is not None else np.finfo(a.dtype).eps * max(m, n)
    rank = (singular_values > limit * singular_values.max(axis=-1, keepdims=True, initial=0)).sum(axis=-1)
    empty = np.zeros(0, a.dtype)
    residuals = reshape(solution, (-1,))[:0]
    if m > n and driver != "gelsy" and (driver == "gels" or np.all(rank == n)):
        difference = matmul(A, solution) - right
        residuals = (difference * difference).sum(-2)
    return return_types.linalg_lstsq(
        (
            solution.squeeze(-1) if vector else solution,
            residuals,
            wrap(np.zeros(0, np.int64) if driver == "gels" else np.asarray(rank, np.int64)),
            wrap(singular_values if driver in ("gelsd", "gelss") else empty),
        )
    )


def _batched(x: Any, batch: tuple[int, ...]) -> Any:
    shape = array_of(x).shape
    return x if shape[:-2] == batch else expand(x, (*batch, *shape[-2:]))


# ----- Pseudo-inverse -----


@silent()
def tolerance(values: np.ndarray[Any, Any], size: int, atol: Any, rtol: Any) -> Any:
    """Return max(atol, rtol * the largest singular value) in shape (..., 1): values up to this count as 0.

    Args:
        values: (..., k) singular values.
        size: the larger side of the matrix.
        atol, rtol: numbers or tensors of the batch's shape, or None.
    """
    if rtol is None:
        atol_is_positive = atol is not None and np.all(np.asarray(array_of(atol)) > 0)
        rtol = 0.0 if atol_is_positive else size * float(np.finfo(values.dtype).eps)
    atol = 0.0 if atol is None else atol
    atol, rtol = (np.asarray(array_of(t))[..., None] for t in (atol, rtol))
    return np.maximum(atol, rtol * values.max(axis=-1, keepdims=True, initial=0))


@public_function(namespace="linalg")
@writes(text=CASTABLE.format(name="linalg.pinv"), looks=())
def pinv(A: T, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None, out: Any = None) -> T:
    """Return the Moore-Penrose inverse.

    Args:
        A: (..., m, n) float32 or float64.
        rcond: an older name of rtol.
        hermitian: A is symmetric; only its lower triangle is read.
        atol, rtol: singular values up to max(atol, rtol * the largest) count as 0. Numbers or tensors of the batch's
            shape; rtol None means the dtype's eps times max(m, n), or 0 if atol is positive.
    Returns: (..., n, m).
    Raises: RuntimeError: when A is no floating matrix.
    Source: torch.linalg.pinv.
    """
    array = checked_array("linalg.pinv", A)
    if array.ndim < 2 or array.dtype.char not in "fd":
        raise RuntimeError(
            f"linalg.pinv({scalar_name(array)}{{{shape_text(array.shape)}}}): expected a tensor with 2 or more "
            "dimensions of float, double, cfloat or cdouble types"
        )
    hermitian = hermitian and array.size > 0
    if hermitian:
        square_of("linalg.eigh", A)
    for name, limit in (("atol", atol), ("rtol", rtol)):
        refuse_gradient("linalg_pinv", name, limit)
    rtol = rcond if rtol is None else rtol
    limit = None
    if atol is not None or rtol is not None:
        # The same call as in the op: without vectors LAPACK's last digits differ, and the largest value could
        # then exceed a tolerance that it should equal.
        values = ops.svd(ops.mirrored(array) if hermitian else array, full_matrices=False)[1]
        limit = tolerance(values, max(array.shape[-2:]), atol, rtol).astype(array.dtype)
    return apply(ops.pinv, (A,), {"tolerance": limit, "hermitian": hermitian})


@public_function
def pinverse(input: T, rcond: float = 1e-15) -> T:
    """Return the Moore-Penrose inverse; see linalg.pinv. Source: torch.pinverse."""
    return pinv(input, rcond)


# ----- Tensors as matrices -----


@public_function(namespace="linalg")
@writes(text=CASTABLE.format(name="tensorinv"), looks=())
def tensorinv(A: T, ind: int = 2, *, out: Any = None) -> T:
    """Return the inverse of A for tensordot: of the matrix whose rows are the first `ind` dimensions of A.

    Raises: RuntimeError: when this matrix is not square. LinAlgError: when it is singular.
    Source: torch.linalg.tensorinv.
    """
    shape = checked_array("linalg.tensorinv", A).shape
    if ind <= 0:
        raise RuntimeError(f"Expected a strictly positive integer for 'ind', but got {ind}")
    if ind > len(shape):
        raise RuntimeError(f"ArrayRef: invalid slice, N = {ind}; size = {len(shape)}")
    rows, columns = math.prod(shape[:ind]), math.prod(shape[ind:])
    if rows != columns:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got "
            f"{columns} != {rows}"
        )
    return reshape(inv(reshape(A, (rows, columns))), shape[ind:] + shape[:ind])


@public_function(namespace="linalg")
@writes(text=CASTABLE.format(name="tensorsolve"), looks=())
def tensorsolve(A: T, B: Any, dims: Any = None, *, out: Any = None) -> T:
    """Return X with tensordot(A, X, X.ndim) = B.

    Args:
        A: dimensions of B, then those of X.
        B: any shape.
        dims: dimensions of A to move to its end first, or None.
    Raises: RuntimeError: when the numbers of elements do not fit. LinAlgError: when A is singular.
    Source: torch.linalg.tensorsolve.
    """
    shape, other = checked_array("linalg.tensorsolve", A).shape, checked_array("linalg.tensorsolve", B, "B", 2).shape
    if dims is not None:
        moved = tuple(d % len(shape) for d in dims)
        order = tuple(d for d in range(len(shape)) if d not in moved) + moved
        A, shape = permute(A, order), tuple(shape[d] for d in order)
    rows, columns = math.prod(other), math.prod(shape[len(other) :])
    if rows != columns:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
            f"prod(self.shape[:other.ndim]), but got {columns} != {rows}"
        )
    return reshape(solve(reshape(A, (rows, columns)), reshape(B, (rows,))), shape[len(other) :])
