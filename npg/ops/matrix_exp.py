"""The exponential of matrices, by Padé approximants with scaling and squaring, and its derivative.

Source: N. Higham, The scaling and squaring method for the matrix exponential revisited (2005), with the greatest degree
of each precision at once; the derivative as a block of a larger exponential: R. Mathias, A chain rule for matrix
functions (1996).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg.kernels.products import multiply
from npg.ops._kinds import MATRICES
from npg.ops._op import primitive
from npg.ops.joining import cat
from npg.ops.shape import all_batched

# By precision: the degree, and the 1-norm up to which an approximant of it is exact to rounding.
_DEGREES = {4: (7, 3.925724783138660), 8: (13, 5.371920351148152)}


def _coefficients(degree: int) -> list[float]:
    """Return the numerator of the approximant of exp with this degree in both parts, that of power 0 being 1."""
    found = [1.0]
    for j in range(degree):
        found.append(found[-1] * (degree - j) / ((2 * degree - j) * (j + 1)))
    return found


def _horner(even: list[Any], terms: list[float], unit: Any) -> Any:
    """Return terms[0] + terms[1] X + terms[2] X^2 + ..., with X = even[0], X^2 = even[1], ... the powers at hand."""
    k = len(even)
    if len(terms) > k + 1:
        y = multiply(even[-1], _horner(even, [0.0, *terms[k + 1 :]], unit))
    else:
        y = np.zeros_like(even[0])
    for power, c in zip([unit, *even], terms[: k + 1], strict=False):
        if c:
            y += c * power
    return y


def _exponential(A: Any) -> Any:
    """Return the exponentials of (batch, n, n) arrays; nan where a matrix has inf or nan."""
    degree, bound = _DEGREES[A.dtype.itemsize]
    norm = np.abs(A).sum(axis=-2).max(axis=-1)
    finite = np.isfinite(norm)
    exponent = np.maximum(np.frexp(np.where(finite, norm, 0) / bound)[1], 0)
    X = np.ldexp(np.where(finite[:, None, None], A, 0), -exponent[:, None, None])
    unit, c = np.eye(A.shape[-1], dtype=A.dtype), _coefficients(degree)
    X2 = multiply(X, X)
    X4 = multiply(X2, X2)
    even = [X2, X4, multiply(X4, X2)]
    odd_part = multiply(X, _horner(even, c[1::2], unit))
    # exp(X) = (E - O)^-1 (E + O): as a difference from 1, so that of 0 is 1 exactly.
    y = unit + np.linalg.solve(_horner(even, c[0::2], unit) - odd_part, 2 * odd_part)
    for step in range(int(exponent.max(initial=0))):
        live = exponent > step
        part = y[live]
        y[live] = multiply(part, part)
    y[~finite] = math.nan
    return y


@primitive(lambda g, _y, A: derivative(A.mT, g), node="LinalgMatrixExp", kind=MATRICES, namespace="linalg")
def matrix_exp(A: Any) -> Any:
    """Return the exponential: its gradient is the derivative at A^T in the direction g."""
    return _exponential(A.reshape(-1, *A.shape[-2:])).reshape(A.shape) if A.size else A.copy()


@matrix_exp.tangent
def _matrix_exp_tangent(node: Any, ts: list[Any]) -> Any:
    return derivative(node.inputs[0], ts[0])


def _block(A: Any, E: Any) -> Any:
    """Return the matrix of the blocks A, E; 0, A."""
    last = len(A.shape) - 1
    return cat(cat(A, E, dim=last), cat(np.zeros_like(A), A, dim=last), dim=last - 1)


@primitive(aten=None)
def derivative(A: Any, E: Any) -> Any:
    """Return the derivative of the exponential at A in the direction E: the corner of exp of the blocks A, E; 0, A.

    It is linear in E, whose length must not decide how often is squared.
    """
    if not A.size:
        return A.copy()
    n = A.shape[-1]
    length = np.frexp(np.abs(E).sum(axis=-2, keepdims=True).max(axis=-1, keepdims=True))[1]
    return np.ldexp(matrix_exp(_block(A, np.ldexp(E, -length)))[..., :n, n:], length)


derivative.batch(all_batched)


@derivative.vjp
def _derivative_rule(g: Any, _y: Any, A: Any, E: Any, *, needs: tuple[bool, ...]) -> Any:
    """The blocks of the derivative at A^T, 0; E^T, A^T in the direction 0, g; 0, 0: gA is the sum of the diagonal ones.

    gE is the corner, the derivative at A^T in the direction g.
    """
    if not needs[0]:
        return None, derivative(A.mT, g)
    n, zero = A.shape[-1], np.zeros_like(g)
    last = len(A.shape) - 1
    corner = cat(cat(zero, g, dim=last), cat(zero, zero, dim=last), dim=last - 1)
    d = derivative(_block(A, E).mT, corner)
    return d[..., :n, :n] + d[..., n:, n:], d[..., :n, n:]
