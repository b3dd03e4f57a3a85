"""Checks that vectors, matrices and batches of matrices can be multiplied, in PyTorch's words.

Each raises RuntimeError, or NotImplementedError for bools.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg._words import c_name, scalar_name, shape_text
from npg.functional._arguments import broadcast


def size_text(array: Any) -> str:
    return f"{array.shape[0]}x{array.shape[1]}"


# ----- Checks -----


def no_bool(array: Any, kernel: str) -> None:
    if array.dtype.kind == "b":
        raise NotImplementedError(f"\"{kernel}\" not implemented for 'Bool'")


def check_mm(a: Any, b: Any) -> None:
    if a.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if b.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    check_matrices(a, b)


def check_matrices(a: Any, b: Any) -> None:
    if a.dtype != b.dtype:
        raise RuntimeError(f"expected m1 and m2 to have the same dtype, but got: {c_name(a)} != {c_name(b)}")
    if a.shape[1] != b.shape[0]:
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({size_text(a)} and {size_text(b)})")
    no_bool(a, "addmm_impl_cpu_")


def check_bmm(a: Any, b: Any, kernel: str = "bmm") -> None:
    for i, x in enumerate((a, b)):
        if x.ndim != 3:
            raise RuntimeError(f"batch{i + 1} must be a 3D tensor")
    if b.shape[:2] != (a.shape[0], a.shape[2]):
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{a.shape[0]}, {a.shape[2]}] but got: "
            f"[{b.shape[0]}, {b.shape[1]}]."
        )
    if kernel == "bmm" and (0 in a.shape or 0 in b.shape):
        return  # nothing to compute: PyTorch takes the second operand's dtype
    check_same(a, b)
    no_bool(a, kernel)


def check_same(a: Any, b: Any) -> None:
    if a.dtype != b.dtype:
        raise RuntimeError(f"expected scalar type {scalar_name(a)} but found {scalar_name(b)}")


def check_mv(mat: Any, vec: Any, input: Any = None) -> None:
    if mat.ndim != 2 or vec.ndim != 1 or (input is not None and input.ndim > 1):
        ndim = 1 if input is None else input.ndim
        raise RuntimeError(f"vector + matrix @ vector expected, got {ndim}, {mat.ndim}, {vec.ndim}")
    size = mat.shape[0] if input is None else input.size
    if mat.shape[1] != vec.shape[0] or size not in (mat.shape[0], 1):
        raise RuntimeError(f"size mismatch, got input ({size}), mat ({size_text(mat)}), vec ({vec.shape[0]})")
    first = vec if input is None else input
    if mat.dtype != vec.dtype or mat.dtype != first.dtype:
        raise RuntimeError(
            f"addmv input tensors must have the same dtype, but got {scalar_name(first)}, {scalar_name(mat)}, and "
            f"{scalar_name(vec)}"
        )
    no_bool(mat, "addmv_impl_cpu")


def check_dot(a: Any, b: Any) -> None:
    if a.ndim != 1 or b.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {a.ndim}D and {b.ndim}D tensors")
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"dot : expected both vectors to have same dtype, but found {scalar_name(a)} and {scalar_name(b)}"
        )
    if a.size != b.size:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor {shape_text(a.shape)} and src {shape_text(b.shape)} to have "
            f"the same number of elements, but got {a.size} and {b.size} elements respectively"
        )
    no_bool(a, "dot")


def check_batches(a: Any, b: Any) -> None:
    # matmul of more than two dimensions fails in the check of the product that PyTorch folds it into.
    k = b.shape[-2] if b.ndim > 1 else b.shape[0]
    if a.dtype == b.dtype and a.shape[-1] == k and a.dtype.kind != "b":
        if a.ndim > 2 and b.ndim > 2 and a.shape[:-2] != b.shape[:-2]:
            broadcast(a.shape[:-2], b.shape[:-2])
        return
    if a.ndim > 2 and b.ndim == 2:
        check_matrices(_folded(a), b)
    if a.ndim > 2 and b.ndim == 1:
        check_mv(_folded(a), b)
    if a.ndim > 2 and b.ndim > 2:
        broadcast(a.shape[:-2], b.shape[:-2])
    n = a.shape[-2] if a.ndim > 1 else 1
    batch = math.prod(a.shape[:-2] if a.ndim > 2 else b.shape[:-2])
    check_bmm(Shape((batch, n, a.shape[-1]), a.dtype), Shape((batch, k, b.shape[-1]), b.dtype))


class Shape:
    """The shape and dtype of an array that PyTorch would create, for a check."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.shape, self.dtype, self.ndim = shape, dtype, len(shape)


def _folded(a: Any) -> Shape:
    return Shape((a.size // a.shape[-1] if a.shape[-1] else 0, a.shape[-1]), a.dtype)
