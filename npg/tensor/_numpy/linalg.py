"""NumPy's products of vectors and matrices, and np.linalg, on tensors; see math.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import functional as F
from npg.functional import linalg, linalg_norms, linalg_solvers
from npg.functional.einsum import einsum, tensordot
from npg.functional.matmul import cross_along, multi_dot
from npg.tensor._numpy.registry import as_dtype, implements, tensor, tensors

# ----- Products -----


@implements(np.dot)
def _dot(a: Any, b: Any) -> Any:
    a, b = tensor(a), tensor(b)
    if not a.ndim or not b.ndim:
        return a * b
    if a.ndim <= 2 and b.ndim <= 2:
        return F.matmul(a, b)
    return tensordot(a, b, ((-1,), (max(b.ndim - 2, 0),)))


@implements(np.inner)
def _inner(a: Any, b: Any) -> Any:
    a, b = tensor(a), tensor(b)
    return tensordot(a, b, ((-1,), (-1,))) if a.ndim and b.ndim else a * b


@implements(np.vdot)
def _vdot(a: Any, b: Any) -> Any:
    return F.dot(F.reshape(tensor(a), (-1,)), F.reshape(tensor(b), (-1,)))


@implements(np.outer, np.linalg.outer)
def _outer(a: Any, b: Any) -> Any:
    return F.outer(F.reshape(tensor(a), (-1,)), F.reshape(tensor(b), (-1,)))


@implements(np.tensordot, np.linalg.tensordot)
def _tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    return tensordot(tensor(a), tensor(b), axes)


@implements(np.einsum)
def _einsum(subscripts: Any, *operands: Any, optimize: Any = False) -> Any:
    if isinstance(subscripts, str):
        return einsum(subscripts, *tensors(operands))
    args = (subscripts, *operands)  # operand, its labels, operand, its labels, ..., the result's labels
    pairs = [tensor(x) if i % 2 == 0 and i + 1 < len(args) else x for i, x in enumerate(args)]
    return einsum(*pairs)


@implements(np.kron)
def _kron(a: Any, b: Any) -> Any:
    return F.kron(tensor(a), tensor(b))


@implements(np.linalg.matmul)
def _matmul(x1: Any, x2: Any, /) -> Any:
    return F.matmul(tensor(x1), tensor(x2))


@implements(np.cross, np.linalg.cross)
def _cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int = -1) -> Any:
    if not axisa == axisb == axisc == -1:
        raise TypeError("np.cross of a Tensor takes axis= only")
    return cross_along(tensor(a), tensor(b), dim=axis)


@implements(np.linalg.vecdot)
def _vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    return linalg_norms.vecdot(tensor(x1), tensor(x2), dim=axis)


@implements(np.linalg.multi_dot)
def _multi_dot(arrays: Any) -> Any:
    return multi_dot(tensors(arrays))


# ----- Norms -----


@implements(np.linalg.norm)
def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    return linalg_norms.norm(tensor(x), ord, axis, keepdims)


@implements(np.linalg.vector_norm)
def _vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    return F.vector_norm(tensor(x), ord, axis, keepdims)


@implements(np.linalg.matrix_norm)
def _matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    return linalg_norms.matrix_norm(tensor(x), ord, (-2, -1), keepdims)


@implements(np.linalg.cond)
def _cond(x: Any, p: Any = None) -> Any:
    return linalg_norms.cond(tensor(x), p)


@implements(np.linalg.matrix_rank)
def _matrix_rank(A: Any, tol: Any = None, hermitian: bool = False) -> Any:
    return linalg_norms.matrix_rank(tensor(A), tol, hermitian)


# ----- Systems of equations -----


@implements(np.linalg.det)
def _det(a: Any) -> Any:
    return linalg_solvers.det(tensor(a))


@implements(np.linalg.slogdet)
def _slogdet(a: Any) -> Any:
    return linalg_solvers.slogdet(tensor(a))


@implements(np.linalg.inv)
def _inv(a: Any) -> Any:
    return linalg_solvers.inv(tensor(a))


@implements(np.linalg.pinv)
def _pinv(a: Any, rcond: Any = 1e-15, hermitian: bool = False) -> Any:
    return linalg_solvers.pinv(tensor(a), rcond, hermitian)


@implements(np.linalg.solve)
def _solve(a: Any, b: Any) -> Any:
    return linalg_solvers.solve(tensor(a), tensor(b))


@implements(np.linalg.lstsq)
def _lstsq(a: Any, b: Any, rcond: Any = None) -> tuple[Any, Any, int, Any]:
    a, b = tensor(a), tensor(b)
    solved = linalg_solvers.lstsq(a, b, None if rcond in (None, -1) else rcond, driver="gelsd")
    residuals = solved.residuals
    if b.ndim == 1 and residuals._array.size:
        residuals = F.reshape(residuals, (1,))
    widths = linalg.svdvals(a) if a.requires_grad else solved.singular_values
    return solved.solution, residuals, int(solved.rank._array), widths


@implements(np.linalg.tensorinv)
def _tensorinv(a: Any, ind: int = 2) -> Any:
    return linalg_solvers.tensorinv(tensor(a), ind)


@implements(np.linalg.tensorsolve)
def _tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    return linalg_solvers.tensorsolve(tensor(a), tensor(b), axes)


@implements(np.linalg.trace)
def _trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    return F.sum(F.diagonal(as_dtype(tensor(x), dtype), offset, -2, -1), -1)


@implements(np.linalg.matrix_power)
def _matrix_power(a: Any, n: int) -> Any:
    return linalg_solvers.matrix_power(tensor(a), n)


# ----- Decompositions -----


@implements(np.linalg.cholesky)
def _cholesky(a: Any, /, *, upper: bool = False) -> Any:
    return linalg.cholesky(tensor(a), upper)


@implements(np.linalg.qr)
def _qr(a: Any, mode: str = "reduced") -> Any:
    if mode not in ("reduced", "complete", "r"):
        raise TypeError(f"np.linalg.qr of a Tensor has the modes reduced, complete and r, got {mode!r}")
    return linalg.qr(tensor(a))[1] if mode == "r" else linalg.qr(tensor(a), mode)


@implements(np.linalg.svd)
def _svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    return linalg.svd(tensor(a), full_matrices) if compute_uv else linalg.svdvals(tensor(a))


@implements(np.linalg.svdvals)
def _svdvals(x: Any, /) -> Any:
    return linalg.svdvals(tensor(x))


@implements(np.linalg.eigh)
def _eigh(a: Any, UPLO: str = "L") -> Any:
    return linalg.eigh(tensor(a), UPLO)


@implements(np.linalg.eigvalsh)
def _eigvalsh(a: Any, UPLO: str = "L") -> Any:
    return linalg.eigvalsh(tensor(a), UPLO)
