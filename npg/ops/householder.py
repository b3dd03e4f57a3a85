"""Householder reflections: their product, and the QR factorization in terms of them.

Source: C. Puglisi, Modification of the Householder method based on the compact WY representation (1992).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.ops._kinds import MATRICES
from npg.ops._op import primitive
from npg.ops.joining import cat
from npg.ops.linalg import solve_triangular
from npg.ops.matmul import matmul
from npg.ops.rearrange import tril, triu
from npg.ops.shape import all_batched


@primitive(multi=True, kind=MATRICES, node="Geqrf")
def geqrf(input: Any) -> Any:
    """Return R with the vectors of k reflections below its diagonal, and their factors tau (..., k)."""
    h, tau = np.linalg.qr(input, "raw")
    return h.mT, tau


@geqrf.vjp
def _geqrf_rule(g: Any, _y: Any, _input: Any, *, needs: tuple[bool, ...]) -> Any:
    raise NotImplementedError("the derivative for 'geqrf' is not implemented.")


def _parts(A: Any, tau: Any) -> Any:
    """Return V, N, D, R, S of the product 1 - V T V^T of k reflections 1 - tau v v^T.

    V (m, k) has the columns v, N (k, k) is the part of V^T V above the diagonal, D is tau as a column, R = D V^T (k, n)
    and S = T V^T (k, n), where T = (1 + D N)^-1 D is given by the recursion T' = T, -T V^T v tau; 0, tau.
    """
    k, n = tau.shape[-1], A.shape[-1]
    v = tril(A[..., :k], diagonal=-1) + np.eye(A.shape[-2], k, dtype=A.dtype)
    above = triu(matmul(v.mT, v), diagonal=1)
    column = tau[..., None]
    r = column * v[..., :n, :].mT
    return v, above, column, r, solve_triangular(_triangle(column, above), r, upper=True)


def _triangle(column: Any, above: Any) -> Any:
    return column * above + np.eye(above.shape[-1], dtype=above.dtype)


@primitive(node="LinalgHouseholderProduct", namespace="linalg")
def householder_product(A: Any, tau: Any) -> Any:
    """Return the first n columns of H_1 H_2 ... H_k, H_i = 1 - tau_i v_i v_i^T.

    v_i is column i of A (m, n) below the diagonal, with 1 on it and 0 above.
    """
    v, *_, s = _parts(A, tau)
    return np.eye(*A.shape[-2:], dtype=A.dtype) - matmul(v, s)


householder_product.batch(all_batched)


@householder_product.vjp
def _householder_rule(g: Any, _y: Any, A: Any, tau: Any, *, needs: tuple[bool, ...]) -> Any:
    """With W = -(1 + D N)^-T V^T g, gM = -W S^T of 1 + D N and gN above the diagonal of D gM:

    gV = V (gN + gN^T) - g S^T + (D W)^T in its first n rows, gtau = the sums of rows of W * V^T and gM * N.
    """
    v, above, column, _, s = _parts(A, tau)
    (m, n), k = A.shape[-2:], tau.shape[-1]
    w = -solve_triangular(_triangle(column, above).mT, matmul(v.mT, g), upper=False)
    gm = -matmul(w, s.mT)
    gtau = np.sum(w * v[..., :n, :].mT, axis=-1) + np.sum(gm * above, axis=-1) if needs[1] else None
    if not needs[0]:
        return None, gtau
    gn, upper = triu(column * gm, diagonal=1), (column * w).mT
    last = len(A.shape) - 1
    rows = np.zeros((*A.shape[:-2], m - n, k), A.dtype)
    gv = matmul(v, gn + gn.mT) - matmul(g, s.mT) + cat(upper, rows, dim=last - 1)
    columns = np.zeros((*A.shape[:-1], n - k), A.dtype)
    return cat(tril(gv, diagonal=-1), columns, dim=last), gtau
