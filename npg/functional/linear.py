"""Bilinear maps."""

from __future__ import annotations

import math

from npg._words import c_name
from npg.functional._arguments import canonical_dim, checked_array
from npg.functional._public import public_function, to_dtype
from npg.functional._types import T
from npg.functional.elementwise import add, mul
from npg.functional.matmul import matmul
from npg.functional.reduction import sum
from npg.functional.shape import reshape
from npg.functional.transpose import transpose


@public_function
def bilinear(input1: T, input2: T, weight: T, bias: T | None = None) -> T:
    """Return input1 weight[k] input2^T for each k, plus bias.

    Args:
        input1: (..., in1). input2: (..., in2), of the same leading dimensions.
        weight: (out, in1, in2).
        bias: (out,) or None.
    Returns: (..., out).
    Raises: RuntimeError: when the shapes do not fit.
    Source: torch.bilinear.
    """
    a, b = checked_array("bilinear", input1, "input1"), checked_array("bilinear", input2, "input2", 2)
    w = checked_array("bilinear", weight, "weight", 3)
    c = None if bias is None else checked_array("bilinear", bias, "bias", 4)
    given = {"input1": a, "input2": b, "weight": w, **({} if c is None else {"bias": c})}
    if any(x.dtype != a.dtype for x in given.values()):
        names = ", ".join(f"{key}: {c_name(x)}" for key, x in given.items())
        raise RuntimeError(f"All tensors must have the same dtype, got {names}")
    if a.ndim != b.ndim:
        raise RuntimeError(f"bilinear(): input dimensions do not match: got {a.ndim} and {b.ndim}")
    for x, dim in ((a, -1), (b, -1), (c, 0)):
        if x is not None and not x.ndim:
            raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    for i, (m, n) in enumerate(zip(a.shape[:-1], b.shape[:-1], strict=True)):
        if m != n:
            raise RuntimeError(f"bilinear(): input batch dimensions do not match at dim {i}: got {m} and {n}")
    for i, array in ((1, a), (2, b)):
        canonical_dim(i, w.ndim)  # raises
        if array.shape[-1] != w.shape[i]:
            raise RuntimeError(
                f"bilinear(): input{i} size does not match weight size: got {array.shape[-1]} but expected {w.shape[i]}"
            )
    if c is not None and c.shape[0] != w.shape[0]:
        raise RuntimeError(
            f"bilinear(): bias size does not match weight size: got {c.shape[0]} but expected {w.shape[0]}"
        )
    rows = math.prod(a.shape[:-1])
    out, first, second = w.shape
    # All k in one product: (rows, out * in1) from input2, then a sum over in1.
    part = matmul(reshape(input2, (rows, second)), transpose(reshape(weight, (out * first, second)), 0, 1))
    y = sum(mul(reshape(part, (rows, out, first)), reshape(input1, (rows, 1, first))), -1)
    y = to_dtype(reshape(y, (*a.shape[:-1], out)), a.dtype)  # a sum of integers is int64
    return y if bias is None else add(y, bias)
