"""The cross-entropy of a linear map, without its logits in memory: they are made for some rows at a time, twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from npg.kernels.products import multiply
from npg.kernels.sums import column_sum
from npg.ops._op import fused
from npg.ops.classification_loss import cross_entropy
from npg.ops.linear import linear

_LOSSES: dict[str, Any] = {"reduction": "none", "label_smoothing": 0.0}


def _losses(
    input: Any, weight: Any, target: Any, bias: Any, class_weight: Any, ignore_index: int, chunk: int
) -> Iterator[tuple[slice, Any, Any, Any]]:
    """Yield for each chunk its rows, its logits, its losses, and what cross_entropy saves."""
    for start in range(0, len(input), chunk):
        rows = slice(start, start + chunk)
        logits = linear.forward(input[rows], weight, bias)
        losses, saved = cross_entropy.forward(logits, target[rows], class_weight, ignore_index=ignore_index, **_LOSSES)
        yield rows, logits, losses, saved


@fused(aten=None)
def linear_cross_entropy(
    input: Any, weight: Any, target: Any, bias: Any, class_weight: Any, *, ignore_index: int, chunk: int
) -> Any:
    """Return cross_entropy(linear(input, weight, bias), target) of each row.

    Args:
        input: (N, in). weight: (C, in). target: (N,) int64. bias, class_weight: (C,) or None.
        chunk: the number of rows whose logits are in memory at once.
    Returns: (N,).
    """
    y = np.empty(len(input), input.dtype)
    for rows, _, losses, _ in _losses(input, weight, target, bias, class_weight, ignore_index, chunk):
        y[rows] = losses
    return y, ()


@linear_cross_entropy.backward
def _backward(
    g: Any,
    y: Any,
    input: Any,
    weight: Any,
    target: Any,
    bias: Any,
    class_weight: Any,
    *,
    saved: Any,
    needs: tuple[bool, ...],
    ignore_index: int,
    chunk: int,
) -> Any:
    """With gl the gradient of a chunk's logits: gx = gl W, gW = gl^T x, gb = gl, the last two summed over chunks."""
    gx = np.empty(input.shape, input.dtype) if needs[0] else None
    gw = np.zeros(weight.shape, weight.dtype) if needs[1] else None
    gb = np.zeros(weight.shape[:1], weight.dtype) if bias is not None and needs[3] else None
    for rows, logits, losses, kept in _losses(input, weight, target, bias, class_weight, ignore_index, chunk):
        gl = cross_entropy.joint(  # type: ignore[misc]
            g[rows], losses, logits, target[rows], class_weight, saved=kept, needs=(True, False, False),
            ignore_index=ignore_index, **_LOSSES,
        )[0]  # fmt: skip
        if gx is not None:
            gx[rows] = multiply(gl, weight)
        if gw is not None:
            gw += multiply(gl.T, input[rows])
        if gb is not None:
            gb += column_sum(gl)
    return gx, gw, None, gb, None


@linear_cross_entropy.compose
def _composite(
    input: Any, weight: Any, target: Any, bias: Any, class_weight: Any, *, ignore_index: int, chunk: int
) -> Any:
    return cross_entropy(linear(input, weight, bias), target, class_weight, ignore_index=ignore_index, **_LOSSES)
