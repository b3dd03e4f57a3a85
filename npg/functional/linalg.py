"""Factorizations of matrices for npg.linalg: Cholesky, QR, singular values, eigenvalues of symmetric matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg._errors import OUT_DTYPE
from npg._words import scalar_name
from npg.engine import TensorBase, apply, array_of, is_grad_enabled, wrap
from npg.functional import return_types
from npg.functional._arguments import checked_array
from npg.functional._public import public_function, writes
from npg.functional._square import matrix_of, not_positive, square_of
from npg.functional._types import QR, SVD, Eigh, T
from npg.ops import linalg as ops


def _recorded(x: Any) -> bool:
    return isinstance(x, TensorBase) and x.requires_grad and is_grad_enabled()


@public_function
@writes(OUT_DTYPE, looks=())
def cholesky(A: T, upper: bool = False, *, out: Any = None) -> T:
    """Return the lower triangular L with L L^T = A.

    Args:
        A: (..., n, n) float32 or float64, symmetric positive-definite; only one triangle is read, the upper one if
            upper.
        upper: return L^T.
    Raises: RuntimeError: when A is not square. LinAlgError: when it is not positive-definite.
    Source: torch.linalg.cholesky.
    """
    array = square_of("linalg.cholesky", A)
    matrices: Any = A
    try:
        return apply(ops.cholesky, (matrices.mT,), {}).mT if upper else apply(ops.cholesky, (matrices,), {})
    except np.linalg.LinAlgError:
        raise not_positive("linalg.cholesky", array.mT if upper else array) from None


@public_function(namespace="linalg")
@writes(OUT_DTYPE, looks=())
def qr(A: T, mode: str = "reduced", *, out: Any = None) -> QR[T]:
    """Return Q with orthonormal columns and the upper triangular R with Q R = A.

    Args:
        A: (..., m, n) float32 or float64.
        mode: "reduced": Q is (..., m, k), R (..., k, n) with k = min(m, n). "complete": (..., m, m) and (..., m, n).
            "r": R only; Q is empty.
    Returns: (Q, R).
    Raises: RuntimeError: when A is no floating matrix or mode is none of these.
    Source: torch.linalg.qr.
    """
    matrix_of("linalg.qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    return return_types.linalg_qr(apply(ops.qr, (A,), {"mode": mode}))


@public_function(namespace="linalg")
@writes(OUT_DTYPE, looks=())
def svd(A: T, full_matrices: bool = True, *, driver: str | None = None, out: Any = None) -> SVD[T]:
    """Return U, S, Vh with U diag(S) Vh = A: U and Vh orthogonal, S descending and not negative.

    Args:
        A: (..., m, n) float32 or float64.
        full_matrices: U is (..., m, m) and Vh (..., n, n); otherwise they have k = min(m, n) columns and rows. The
            gradient considers only these.
        driver: ignored.
    Returns: (U, S, Vh), S (..., k).
    Raises: RuntimeError: when A is no floating matrix. LinAlgError: when the algorithm does not converge.
    Source: torch.linalg.svd. U and Vh are unique up to signs; gradients through them need distinct singular values.
    """
    matrix_of("linalg.svd", A)
    return return_types.linalg_svd(apply(ops.svd, (A,), {"full_matrices": bool(full_matrices)}))


@public_function(namespace="linalg")
@writes(OUT_DTYPE, looks=())
def svdvals(A: T, *, driver: str | None = None, out: Any = None) -> T:
    """Return the singular values, descending; see svd. Source: torch.linalg.svdvals."""
    if _recorded(A):
        return svd(A, False)[1]
    return wrap(ops.singular_values(matrix_of("linalg.svd", A)))


@public_function(namespace="linalg")
@writes(OUT_DTYPE, looks=())
def eigh(A: T, UPLO: str = "L", *, out: Any = None) -> Eigh[T]:
    """Return the eigenvalues, ascending, and the eigenvectors, as columns, of a symmetric matrix.

    Args:
        A: (..., n, n) float32 or float64; only one triangle is read.
        UPLO: "L" or "U", the lower or the upper one.
    Returns: (eigenvalues (..., n), eigenvectors (..., n, n)).
    Raises: RuntimeError: when A is not square or UPLO neither. LinAlgError: when the algorithm does not converge.
    Source: torch.linalg.eigh. Eigenvectors are unique up to signs only; gradients through them need distinct
        eigenvalues.
    """
    lower = _check_symmetric(A, UPLO)
    try:
        return return_types.linalg_eigh(apply(ops.eigh, (A,), {"lower": lower}))
    except np.linalg.LinAlgError:
        raise ops.unfinished("linalg.eigh", array_of(A)) from None


def _check_symmetric(A: Any, uplo: Any) -> bool:
    array = checked_array("linalg.eigh", A)
    if array.ndim >= 2 and array.shape[-1] == array.shape[-2]:
        if array.dtype.kind != "f" or array.dtype.itemsize == 2:
            raise NotImplementedError(f"\"linalg_eigh_cpu\" not implemented for '{scalar_name(array)}'")
    square_of("linalg.eigh", A)
    if str(uplo).upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {uplo}")
    return str(uplo).upper() == "L"


@public_function(namespace="linalg")
@writes(OUT_DTYPE, looks=())
def eigvalsh(A: T, UPLO: str = "L", *, out: Any = None) -> T:
    """Return the eigenvalues of a symmetric matrix, ascending; see eigh. Source: torch.linalg.eigvalsh."""
    lower = _check_symmetric(A, UPLO)
    if _recorded(A):
        return eigh(A, UPLO)[0]
    array: Any = array_of(A)
    try:
        return wrap(np.linalg.eigvalsh(array, "L" if lower else "U"))
    except np.linalg.LinAlgError:
        raise ops.unfinished("linalg.eigh", array) from None
