"""NumPy's products of vectors and matrices, and np.linalg, on tensors; see numpy_math.py."""

from __future__ import annotations

import numpy as np

from npg import functional as F
from npg.functional import decomposing, linear_algebra, matrix_norms, solving
from npg.tensor.numpy_table import as_dtype, implements, tensor, tensors

# ----- Products -----


@implements(np.dot)
def _dot(a, b):
    a, b = tensor(a), tensor(b)
    if not a.ndim or not b.ndim:
        return a * b
    if a.ndim <= 2 and b.ndim <= 2:
        return F.matmul(a, b)
    return F.tensordot(a, b, ((-1,), (max(b.ndim - 2, 0),)))


@implements(np.inner)
def _inner(a, b):
    a, b = tensor(a), tensor(b)
    return F.tensordot(a, b, ((-1,), (-1,))) if a.ndim and b.ndim else a * b


@implements(np.vdot)
def _vdot(a, b):
    return F.dot(F.reshape(tensor(a), (-1,)), F.reshape(tensor(b), (-1,)))


@implements(np.outer, np.linalg.outer)
def _outer(a, b):
    return F.outer(F.reshape(tensor(a), (-1,)), F.reshape(tensor(b), (-1,)))


@implements(np.tensordot, np.linalg.tensordot)
def _tensordot(a, b, axes=2):
    return F.tensordot(tensor(a), tensor(b), axes)


@implements(np.einsum)
def _einsum(subscripts, *operands, optimize=False):
    if isinstance(subscripts, str):
        return F.einsum(subscripts, *tensors(operands))
    given = (subscripts, *operands)  # operand, its dimensions, operand, its dimensions, ..., those of the result
    pairs = [tensor(x) if i % 2 == 0 and i + 1 < len(given) else x for i, x in enumerate(given)]
    return F.einsum(*pairs)


@implements(np.kron)
def _kron(a, b):
    return F.kron(tensor(a), tensor(b))


@implements(np.linalg.matmul)
def _matmul(x1, x2, /):
    return F.matmul(tensor(x1), tensor(x2))


@implements(np.cross, np.linalg.cross)
def _cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=-1):
    if not axisa == axisb == axisc == -1:
        raise TypeError("np.cross of a Tensor takes axis= only")
    return linear_algebra.cross_along(tensor(a), tensor(b), dim=axis)


@implements(np.linalg.vecdot)
def _vecdot(x1, x2, /, *, axis=-1):
    return matrix_norms.vecdot(tensor(x1), tensor(x2), dim=axis)


@implements(np.linalg.multi_dot)
def _multi_dot(arrays):
    return linear_algebra.multi_dot(tensors(arrays))


# ----- Norms -----


@implements(np.linalg.norm)
def _norm(x, ord=None, axis=None, keepdims=False):
    return matrix_norms.norm(tensor(x), ord, axis, keepdims)


@implements(np.linalg.vector_norm)
def _vector_norm(x, /, *, axis=None, keepdims=False, ord=2):
    return F.vector_norm(tensor(x), ord, axis, keepdims)


@implements(np.linalg.matrix_norm)
def _matrix_norm(x, /, *, keepdims=False, ord="fro"):
    return matrix_norms.matrix_norm(tensor(x), ord, (-2, -1), keepdims)


@implements(np.linalg.cond)
def _cond(x, p=None):
    return matrix_norms.cond(tensor(x), p)


@implements(np.linalg.matrix_rank)
def _matrix_rank(A, tol=None, hermitian=False):
    return matrix_norms.matrix_rank(tensor(A), tol, hermitian)


# ----- Systems of equations -----


@implements(np.linalg.det)
def _det(a):
    return solving.det(tensor(a))


@implements(np.linalg.slogdet)
def _slogdet(a):
    return solving.slogdet(tensor(a))


@implements(np.linalg.inv)
def _inv(a):
    return solving.inv(tensor(a))


@implements(np.linalg.pinv)
def _pinv(a, rcond=1e-15, hermitian=False):
    return solving.pinv(tensor(a), rcond, hermitian)


@implements(np.linalg.solve)
def _solve(a, b):
    return solving.solve(tensor(a), tensor(b))


@implements(np.linalg.lstsq)
def _lstsq(a, b, rcond=None):
    a, b = tensor(a), tensor(b)
    found = solving.lstsq(a, b, None if rcond in (None, -1) else rcond, driver="gelsd")
    residuals = found.residuals
    if b.ndim == 1 and residuals._array.size:
        residuals = F.reshape(residuals, (1,))
    widths = decomposing.svdvals(a) if a.requires_grad else found.singular_values
    return found.solution, residuals, int(found.rank._array), widths


@implements(np.linalg.tensorinv)
def _tensorinv(a, ind=2):
    return solving.tensorinv(tensor(a), ind)


@implements(np.linalg.tensorsolve)
def _tensorsolve(a, b, axes=None):
    return solving.tensorsolve(tensor(a), tensor(b), axes)


@implements(np.linalg.trace)
def _trace(x, /, *, offset=0, dtype=None):
    return F.sum(F.diagonal(as_dtype(tensor(x), dtype), offset, -2, -1), -1)


@implements(np.linalg.matrix_power)
def _matrix_power(a, n):
    return solving.matrix_power(tensor(a), n)


# ----- Decompositions -----


@implements(np.linalg.cholesky)
def _cholesky(a, /, *, upper=False):
    return decomposing.cholesky(tensor(a), upper)


@implements(np.linalg.qr)
def _qr(a, mode="reduced"):
    if mode not in ("reduced", "complete", "r"):
        raise TypeError(f"np.linalg.qr of a Tensor has the modes reduced, complete and r, got {mode!r}")
    return decomposing.qr(tensor(a))[1] if mode == "r" else decomposing.qr(tensor(a), mode)


@implements(np.linalg.svd)
def _svd(a, full_matrices=True, compute_uv=True):
    return decomposing.svd(tensor(a), full_matrices) if compute_uv else decomposing.svdvals(tensor(a))


@implements(np.linalg.svdvals)
def _svdvals(x, /):
    return decomposing.svdvals(tensor(x))


@implements(np.linalg.eigh)
def _eigh(a, UPLO="L"):
    return decomposing.eigh(tensor(a), UPLO)


@implements(np.linalg.eigvalsh)
def _eigvalsh(a, UPLO="L"):
    return decomposing.eigvalsh(tensor(a), UPLO)
