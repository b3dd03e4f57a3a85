"""Inverses, determinants, factorizations: NumPy's LAPACK routines on batches of matrices, with their derivatives.

Source of the formulas: M. Giles, An extended collection of matrix derivative results for forward and reverse mode
automatic differentiation (2008); J. Townsend, Differentiating the singular value decomposition (2016); H.-J. Liao et
al., Differentiable programming tensor networks (2019) for QR; G. Golub, V. Pereyra, The differentiation of
pseudo-inverses (1973).
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from npg._errors import LinAlgError
from npg.kernels.products import multiply
from npg.kernels.sums import add_up
from npg.ops._broadcast import unbroadcast
from npg.ops._kinds import MATRICES, PAIRS_OF_MATRICES, weights
from npg.ops._op import Op, primitive
from npg.ops.joining import cat
from npg.ops.matmul import matmul
from npg.ops.rearrange import tril
from npg.ops.shape import all_batched


def _column(x: Any) -> Any:
    """Return (..., n) as (..., n, 1)."""
    return x[..., None]


def _row(x: Any) -> Any:
    """Return (..., n) as (..., 1, n)."""
    return x[..., None, :]


def _trace_of_product(a: Any, b: Any) -> Any:
    """Return sum(a * b) of each matrix as (..., 1, 1)."""
    return np.sum(a * b, axis=(-2, -1), keepdims=True)


# ----- Algorithms that do not converge -----


def unfinished(name: str, array: Any) -> LinAlgError:
    """Return the error for a factorization that did not converge, naming the first matrix with nan or inf."""
    finite = np.isfinite(array).all(axis=(-2, -1))
    why = "is ill-conditioned or has too many repeated singular values"
    batch = ""
    if not np.all(finite):
        why = "contained non-finite values"
        batch = f"(Batch element {int(np.argmin(finite))}): " if array.ndim > 2 else ""
    return LinAlgError(f"{name}: {batch}The algorithm failed to converge because the input matrix {why}.")


def _svd(A: Any, full_matrices: bool = True) -> Any:
    try:
        return np.linalg.svd(A, full_matrices=full_matrices)
    except np.linalg.LinAlgError:
        raise unfinished("linalg.svd", A) from None


def singular_values(A: Any) -> Any:
    """Return the singular values of an array of matrices, descending."""
    try:
        return np.linalg.svd(A, compute_uv=False)
    except np.linalg.LinAlgError:
        raise unfinished("linalg.svd", A) from None


# ----- Matrices that hold inf or nan -----

_BASE_SIZE = 16  # rows up to which a triangle is not halved once more


def _unusual(A: Any) -> list[tuple[int, ...]] | None:
    """Return the indices of the matrices with inf or nan, which OpenBLAS would turn into numbers; None if none has."""
    finite = np.isfinite(A)
    if finite.all():
        return None
    finite = finite.all(axis=(-2, -1))
    return [i for i in np.ndindex(finite.shape) if not finite[i]]


def eliminated(A: Any) -> tuple[Any, Any, int, int]:
    """Factor a matrix by Gaussian elimination with the largest pivots, like the reference LAPACK.

    Returns: L and U in one matrix, the order of A's rows, the sign of that permutation, and the number of the first
        pivot that is 0, counted from 1, or 0.
    """
    a, order = A.copy(), np.arange(len(A))
    sign, zero = 1, 0
    for k in range(len(a)):
        column = np.abs(a[k:, k])
        p = k if np.isnan(column[0]) else k + int(np.argmax(np.where(np.isnan(column), -1, column)))
        if p != k:
            a[[k, p]], order[[k, p]], sign = a[[p, k]], order[[p, k]], -sign
        if a[k, k] == 0:
            zero = zero or k + 1
        else:
            a[k + 1 :, k] /= a[k, k]
        a[k + 1 :, k + 1 :] -= np.outer(a[k + 1 :, k], a[k, k + 1 :])
    return a, order, sign, zero


def _substituted(A: Any, X: Any, upper: bool) -> None:
    """Solve A X = B in place of B (given as X) by substitution: one half of A, then the other, with B updated."""
    n = A.shape[-1]
    if n > _BASE_SIZE:
        first, last = slice(0, n // 2), slice(n // 2, n)
        if upper:
            first, last = last, first
        _substituted(A[..., first, first], X[..., first, :], upper)
        X[..., last, :] -= multiply(A[..., last, first], X[..., first, :])
        _substituted(A[..., last, last], X[..., last, :], upper)
        return
    for i in range(n - 1, -1, -1) if upper else range(n):
        X[..., i, :] /= A[..., i, i, None]
        rest = slice(0, i) if upper else slice(i + 1, n)
        X[..., rest, :] -= A[..., rest, i, None] * X[..., i, None, :]


def _solved_each(A: Any, B: Any, unusual: list[tuple[int, ...]]) -> Any:
    """Return X with A X = B, by elimination for the unusual matrices. Raises: np.linalg.LinAlgError."""
    unit = np.eye(A.shape[-1], dtype=A.dtype)
    usual = A.copy()
    for i in unusual:
        usual[i] = unit
    out = np.linalg.solve(usual, B)
    batch = out.shape[:-2]
    B, A = np.broadcast_to(B, out.shape), np.broadcast_to(A, (*batch, *A.shape[-2:]))
    for i in _unusual(A) or ():
        lu, order, _, zero = eliminated(A[i])
        if zero:
            raise np.linalg.LinAlgError("Singular matrix")
        out[i] = B[i][order]
        _substituted(np.tril(lu, -1) + unit, out[i], False)
        _substituted(np.triu(lu), out[i], True)
    return out


# ----- Inverse and determinant -----


@primitive(lambda g, y, _x: -matmul(matmul(y.mT, g), y.mT), node="LinalgInvEx", kind=MATRICES, namespace="linalg")
def inv(A: Any) -> Any:
    """Return the inverse: its gradient is -y^T g y^T."""
    unusual = _unusual(A)
    return np.linalg.inv(A) if unusual is None else _solved_each(A, np.eye(A.shape[-1], dtype=A.dtype), unusual)


@inv.tangent
def _inv_tangent(node: Any, ts: list[Any]) -> Any:
    return -(node.output @ ts[0] @ node.output)


@primitive(lambda g, _y, x: g[..., None, None] * cofactor(x), node="LinalgDet", kind=MATRICES, namespace="linalg")
def det(A: Any) -> Any:
    """Return the determinant: its gradient is the matrix of cofactors."""
    result, unusual = np.linalg.det(A), _unusual(A)
    if unusual is None:
        return result
    result = np.array(result)
    for i in unusual:
        lu, _, sign, _ = eliminated(A[i].mT)  # PyTorch's LAPACK reads by columns, so it factors the transpose
        result[i] = sign * np.prod(np.diagonal(lu))
    return result


@det.tangent
def _det_tangent(node: Any, ts: list[Any]) -> Any:
    (t,) = ts
    return add_up(weights(node, [np.ones(t.shape[:-2], t.dtype)])[0] * t, (t.ndim - 2, t.ndim - 1))


def _cofactor_rule(g: Any, _y: Any, x: Any) -> Any:
    # d cof = d(det x x^-T); for regular x.
    inverse = inv(x).mT
    return det(x)[..., None, None] * (
        _trace_of_product(g, inverse) * inverse - matmul(matmul(inverse, g.mT), inverse)
    )  # fmt: skip


@primitive(_cofactor_rule, aten=None, kind=MATRICES)
def cofactor(A: Any) -> Any:
    """Return the matrix of cofactors: det(A) A^-T, or by the singular values where a matrix is singular."""
    d = np.linalg.det(A)
    if np.all(d != 0):
        return _column(_column(d)) * np.linalg.inv(A).mT
    u, s, vh = _svd(A)
    n = s.shape[-1]
    others = np.where(np.eye(n, dtype=bool), s.dtype.type(1), _row(s))
    sign = np.linalg.det(u) * np.linalg.det(vh)
    return sign[..., None, None] * multiply(u * _row(np.prod(others, axis=-1)), vh)


@primitive(multi=True, node="LinalgSlogdet", kind=MATRICES, namespace="linalg")
def slogdet(A: Any) -> Any:
    """Return the sign and the logarithm of the absolute value of the determinant; 0 and nan where that is nan."""
    sign, logarithm = np.linalg.slogdet(A)
    for i in _unusual(A) or ():
        sign, logarithm = np.array(sign), np.array(logarithm)
        lu, _, parity, _ = eliminated(A[i].mT)
        pivots = np.diagonal(lu)
        sign[i], logarithm[i] = parity * np.prod(np.sign(pivots)), np.sum(np.log(np.abs(pivots)))
    return np.where(np.isnan(logarithm), sign.dtype.type(0), sign), logarithm


@slogdet.vjp
def _slogdet_rule(g: Any, _y: Any, x: Any, *, needs: tuple[bool, ...]) -> Any:
    """gx = g x^-T; the sign is constant."""
    return (np.zeros_like(x) if g[1] is None else g[1][..., None, None] * inv(x).mT,)


# ----- Linear equations -----


@primitive(node="LinalgSolveEx", kind=PAIRS_OF_MATRICES, namespace="linalg")
def solve(A: Any, B: Any) -> Any:
    """Return X with A X = B; B is a matrix, batches broadcast."""
    unusual = _unusual(A)
    return np.linalg.solve(A, B) if unusual is None else _solved_each(A, B, unusual)


@solve.vjp
def _solve_rule(g: Any, y: Any, a: Any, b_like: Any, *, needs: tuple[bool, ...]) -> Any:
    """gB = A^-T g; gA = -gB X^T."""
    gb = solve(a.mT, g)
    ga = unbroadcast(-matmul(gb, y.mT), a.shape) if needs[0] else None
    return ga, unbroadcast(gb, b_like.shape) if needs[1] else None


@primitive(node="LinalgSolveTriangular", kind=PAIRS_OF_MATRICES, namespace="linalg")
def solve_triangular(A: Any, B: Any, *, upper: bool) -> Any:
    """Return X with A X = B for a triangular A, whose other triangle is 0; B is a matrix, batches broadcast."""
    batch = np.broadcast_shapes(A.shape[:-2], B.shape[:-2])
    out = np.array(np.broadcast_to(B, (*batch, *B.shape[-2:])), order="C")
    _substituted(A, out, upper)
    return out


@solve_triangular.vjp
def _solve_triangular_rule(g: Any, y: Any, a: Any, b_like: Any, *, needs: tuple[bool, ...], upper: bool) -> Any:
    """gB = A^-T g; gA = -gB X^T, cut to the triangle by the op that made A triangular."""
    gb = solve_triangular(a.mT, g, upper=not upper)
    ga = unbroadcast(-matmul(gb, y.mT), a.shape) if needs[0] else None
    return ga, unbroadcast(gb, b_like.shape) if needs[1] else None


@primitive(node="LinalgLstsq", namespace="linalg")
def lstsq(A: Any, B: Any, *, rcond: float | None) -> Any:
    """Return the X of least norm that minimizes the norm of A X - B; matrices, batches of one shape."""
    if not (np.isfinite(A).all() and np.isfinite(B).all()):  # LAPACK would print a message
        raise unfinished("linalg.lstsq", np.concatenate([A, B], axis=-1))
    out = np.empty((*A.shape[:-2], A.shape[-1], B.shape[-1]), A.dtype)
    for i in np.ndindex(A.shape[:-2]):
        out[i] = np.linalg.lstsq(A[i], B[i], rcond)[0] if A.size and B.size else 0
    return out


lstsq.batch(all_batched)


@lstsq.vjp
def _lstsq_rule(g: Any, _y: Any, a: Any, b: Any, *, needs: tuple[bool, ...], rcond: float | None) -> Any:
    """Return the gradients of pinv(A) B."""
    inverse = pinv(a, tolerance=None)
    ga = _pinv_rule(matmul(g, b.mT), inverse, a) if needs[0] else None
    return ga, matmul(inverse.mT, g) if needs[1] else None


def _pinv_rule(g: Any, y: Any, x: Any) -> Any:
    """gx = -y^T g y^T + (1 - x y) g^T y y^T + y^T y g^T (1 - y x)."""
    yt, gt = y.mT, g.mT
    right, left = matmul(gt, matmul(y, yt)), matmul(matmul(yt, y), gt)
    return (
        right - matmul(x, matmul(y, right)) + left - matmul(matmul(left, y), x) - matmul(matmul(yt, g), yt)
    )  # fmt: skip


@primitive(lambda g, y, x, **_: _pinv_rule(g, y, x), node="LinalgPinv", kind=MATRICES, namespace="linalg")
def pinv(A: Any, *, tolerance: Any, hermitian: bool = False) -> Any:
    """Return the pseudo-inverse; singular values up to the tolerance (an array that broadcasts; None: rounding) are 0.

    With hermitian, A is taken to be symmetric and only its lower triangle is read.
    """
    u, s, vh = _svd(mirrored(A) if hermitian else A, False)
    if tolerance is None:
        largest = s.max(axis=-1, keepdims=True, initial=0)
        tolerance = largest * (max(A.shape[-2:]) * np.finfo(A.dtype).eps)
    nonzero = s > tolerance
    inverse = np.where(nonzero, 1 / np.where(nonzero, s, 1), 0).astype(A.dtype)
    return multiply(vh.mT * _row(inverse), u.mT)


# ----- Factorizations -----


def mirrored(x: Any) -> Any:
    """Return the symmetric matrices with the lower triangles of x."""
    lower = np.tril(x)
    return lower + np.tril(lower, -1).mT


def _half_lower(x: Any) -> Any:
    """Return the lower triangle with half the diagonal."""
    return (tril(x, diagonal=0) + tril(x, diagonal=-1)) * 0.5


def _cholesky_rule(g: Any, y: Any, _x: Any) -> Any:
    """gx = the symmetric part of L^-T half_lower(L^T g) L^-1."""
    lt = y.mT
    left = solve(lt, _half_lower(matmul(lt, g)))
    gx = solve(lt, left.mT)
    return (gx + gx.mT) * 0.5


@primitive(_cholesky_rule, node="LinalgCholeskyEx", kind=MATRICES, namespace="linalg")
def cholesky(A: Any) -> Any:
    """Return the lower triangular L with L L^T = A; only the lower triangle of A is read."""
    factor = np.linalg.cholesky(A)
    if np.isnan(np.einsum("...ii", factor)).any():  # LAPACK accepts nan as a pivot
        raise np.linalg.LinAlgError("Matrix is not positive definite")
    return factor


@primitive(multi=True, node="LinalgQr", namespace="linalg")
def qr(A: Any, *, mode: Literal["complete", "r", "reduced"]) -> Any:
    """Return Q with orthonormal columns and the upper triangular R with Q R = A; with mode "r" Q is empty."""
    return (np.zeros(0, A.dtype), np.linalg.qr(A, "r")) if mode == "r" else tuple(np.linalg.qr(A, mode))


@qr.batch
def _qr_batch(op: Op, xs: Any, batched: Any, size: int, /, *, mode: Literal["complete", "r", "reduced"]) -> Any:
    return NotImplemented if mode == "r" else op(*xs, mode=mode)  # one empty Q is that of no example


def _qr_square(gq: Any, gr: Any, q: Any, r: Any) -> Any:
    """Return the gradient where R is square: (gQ + Q sym(R gR^T - gQ^T Q)) R^-T."""
    m = None
    if gr is not None:
        m = matmul(r, gr.mT)
    if gq is not None:
        part = matmul(gq.mT, q)
        m = -part if m is None else m - part
    total = matmul(q, tril(m, diagonal=0) + tril(m, diagonal=-1).mT)
    if gq is not None:
        total = gq + total
    return solve(r, total.mT).mT


@qr.vjp
def _qr_rule(g: Any, y: Any, x: Any, *, needs: tuple[bool, ...], mode: Literal["complete", "r", "reduced"]) -> Any:
    """For a wide A = (X, Y), X = Q R1 is the factorization and R = (R1, Q^T Y)."""
    (gq, gr), (q, r) = g, y
    rows, columns = x.shape[-2:]
    if mode == "r":
        raise RuntimeError(
            "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use linalg.qr(A, "
            "mode='reduced') if you are going to differentiate through linalg.qr."
        )
    if mode == "complete" and rows > columns:
        raise RuntimeError("The QR decomposition is not differentiable when mode='complete' and nrows > ncols.")
    if rows >= columns:
        return (_qr_square(gq, gr, q, r),)
    if gr is None:
        first, gy = None, np.zeros((*x.shape[:-1], columns - rows), x.dtype)
    else:
        first, gr2 = gr[..., :rows], gr[..., rows:]
        part = matmul(x[..., rows:], gr2.mT)
        gq = part if gq is None else gq + part
        gy = matmul(q, gr2)
    return (cat(_qr_square(gq, first, q, r[..., :rows]), gy, dim=len(x.shape) - 1),)


def _differences(x: Any) -> Any:
    """Return x_j - x_i as a matrix (..., i, j), with 1 on the diagonal."""
    return _row(x) - _column(x) + np.eye(x.shape[-1], dtype=x.dtype)


@primitive(multi=True, node="LinalgSvd", namespace="linalg", kind=MATRICES)
def svd(A: Any, *, full_matrices: bool) -> Any:
    """Return U, S, Vh with U diag(S) Vh = A, U and V orthogonal, S descending."""
    return tuple(_svd(A, full_matrices))


@svd.vjp
def _svd_rule(g: Any, y: Any, x_like: Any, *, needs: tuple[bool, ...], full_matrices: bool) -> Any:
    """U ((skew(U^T gU) / E) S + S (skew(V^T gV) / E) + gS) V^T, E_ij = S_j^2 - S_i^2, plus parts outside the spans."""
    k = min(x_like.shape[-2:])
    (gu, gs, gvh), (u, s, vh) = g, y
    u, vh = u[..., :k], vh[..., :k, :]
    middle = None if gs is None else _column(gs) * np.eye(k, dtype=s.dtype)
    e = _differences(s * s)
    outside = []
    if gu is not None:
        gu = gu[..., :k]
        inner = matmul(u.mT, gu)
        part = (inner - inner.mT) / e * _row(s)
        middle = part if middle is None else middle + part
        if x_like.shape[-2] > k:
            outside.append(matmul((gu - matmul(u, inner)) / _row(s), vh))
    if gvh is not None:
        gv = gvh[..., :k, :].mT
        inner = matmul(vh, gv)
        part = _column(s) * ((inner - inner.mT) / e)
        middle = part if middle is None else middle + part
        if x_like.shape[-1] > k:
            outside.append(matmul(u / _row(s), (gv - matmul(vh.mT, inner)).mT))
    gx = matmul(matmul(u, middle), vh)
    for part in outside:
        gx = gx + part
    return (gx,)


@primitive(multi=True, node="LinalgEigh", namespace="linalg", kind=MATRICES)
def eigh(A: Any, *, lower: bool) -> Any:
    """Return the eigenvalues in ascending order and the eigenvectors of a symmetric matrix; one triangle is read."""
    return tuple(np.linalg.eigh(A, "L" if lower else "U"))


@eigh.vjp
def _eigh_rule(g: Any, y: Any, _x: Any, *, needs: tuple[bool, ...], lower: bool) -> Any:
    """V (diag(gL) + skew(V^T gV) / 2E) V^T, E_ij = L_j - L_i: symmetric, as any change of A is."""
    (gl, gv), (values, v) = g, y
    unit = np.eye(v.shape[-1], dtype=v.dtype)
    middle = None if gl is None else _column(gl) * unit
    if gv is not None:
        part = matmul(v.mT, gv)
        part = (part - part.mT) * 0.5 / _differences(values)
        middle = part if middle is None else middle + part
    return (matmul(matmul(v, middle), v.mT),)
