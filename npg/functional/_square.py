"""Checks of the matrices passed to npg.linalg, and errors of LAPACK, in PyTorch's words."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg._errors import LinAlgError
from npg._floating import silent
from npg._words import scalar_name
from npg.functional._arguments import checked_array
from npg.ops import linalg as ops


def matrix_of(name: str, A: Any, argument: str = "A", low: bool = True) -> Any:
    """Return the array of a matrix or a batch of matrices.

    Args:
        low: refuse float16.
    Raises: RuntimeError: when it has fewer than two dimensions or is not floating.
    """
    array = checked_array(name, A, argument)
    if array.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor {argument} must have at least 2 dimensions.")
    if array.dtype.kind != "f":
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {scalar_name(array)}")
    if low and array.dtype.itemsize == 2:
        raise RuntimeError(f"{name}: Low precision dtypes not supported. Got {scalar_name(array)}")
    return array


def square_of(name: str, A: Any, low: bool = True) -> Any:
    """Return the array of a square matrix or a batch of them. Raises: RuntimeError: for anything else, as matrix_of."""
    array = checked_array(name, A, "A")
    if array.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions.")
    if array.shape[-1] != array.shape[-2]:
        n, m = array.shape[-2:]
        raise RuntimeError(f"{name}: A must be batches of square matrices, but they are {n} by {m} matrices")
    return matrix_of(name, A, low=low)


# ----- Matrices that LAPACK refuses -----


@silent()
def _first(array: np.ndarray[Any, Any], function: Any) -> tuple[str, Any]:
    """Return ("(Batch element i): " or "", matrix) for the first matrix that NumPy's function refuses."""
    for i, matrix in enumerate(array.reshape(-1, *array.shape[-2:])):
        try:
            function(matrix)
        except np.linalg.LinAlgError:
            return (f"(Batch element {i}): " if array.ndim > 2 else ""), matrix
    return "", array


@silent()
def _zero_pivot(matrix: np.ndarray[Any, Any]) -> int:
    """Return the number of the zero pivot of an LU factorization, counted from 1."""
    return ops.eliminated(matrix.astype(np.float64))[3] or len(matrix)


def singular(name: str, array: np.ndarray[Any, Any]) -> LinAlgError:
    """Return the error for an inverse that does not exist."""
    batch, matrix = _first(array, ops.inv)
    return LinAlgError(
        f"{name}: {batch}The diagonal element {_zero_pivot(matrix)} is zero, the inversion could not be completed "
        "because the input matrix is singular."
    )


def unsolvable(name: str, array: np.ndarray[Any, Any]) -> LinAlgError:
    """Return the error for equations without a solution."""
    batch, _ = _first(array, ops.inv)
    return LinAlgError(f"{name}: {batch}The solver failed because the input matrix is singular.")


@silent()
def not_positive(name: str, array: np.ndarray[Any, Any]) -> LinAlgError:
    """Return the error for a Cholesky factorization that does not exist."""
    batch, matrix = _first(array, ops.cholesky)
    order = 1
    while order < len(matrix):
        try:
            ops.cholesky(matrix[:order, :order])
        except np.linalg.LinAlgError:
            break
        order += 1
    return LinAlgError(
        f"{name}: {batch}The factorization could not be completed because the input is not positive-definite (the "
        f"leading minor of order {order} is not positive-definite)."
    )
