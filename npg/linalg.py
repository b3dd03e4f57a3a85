"""Linear algebra under PyTorch's names; the functions are implemented in npg/functional."""

from __future__ import annotations

from npg._errors import LinAlgError
from npg.functional._types import T
from npg.functional.householder import householder_product
from npg.functional.linalg import cholesky, eigh, eigvalsh, qr, svd, svdvals
from npg.functional.linalg_norms import cond, matrix_norm, matrix_rank, norm, vander, vecdot
from npg.functional.linalg_solvers import (
    det,
    inv,
    lstsq,
    matrix_power,
    pinv,
    slogdet,
    solve,
    solve_triangular,
    tensorinv,
    tensorsolve,
)
from npg.functional.matmul import cross_along as cross, matmul, multi_dot
from npg.functional.matrix_exp import matrix_exp
from npg.functional.reduction import vector_norm
from npg.functional.split import diagonal as _diagonal

__all__ = [
    "LinAlgError",
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "householder_product",
    "inv",
    "lstsq",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensorinv",
    "tensorsolve",
    "vander",
    "vecdot",
    "vector_norm",
]


def __dir__() -> list[str]:
    return sorted(__all__)


def diagonal(A: T, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> T:
    """Return the diagonals of the matrices in the last two dimensions. Source: torch.linalg.diagonal."""
    return _diagonal(A, offset, dim1, dim2)
