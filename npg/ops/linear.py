"""The linear layer: one matrix product over all rows, and the bias added in place."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from npg.kernels import core
from npg.kernels.blas_rows import as_rows
from npg.kernels.products import multiply
from npg.kernels.sums import column_sum
from npg.ops._kinds import padded, rank_of, total
from npg.ops._op import Op, primitive
from npg.ops.matmul import matmul, mm, multiplied, product_flops
from npg.ops.reduction import sum_
from npg.ops.shape import overload, reshape

_small: Callable[[Any, Any, Any], Any] | None = core.linear


def _rows(x: Any) -> Any:
    """Return (..., n) as (rows, n): an ndarray in a layout for BLAS, a Tensor by a recorded reshape."""
    if isinstance(x, np.ndarray):
        return as_rows(x, x.shape[-1])
    return reshape(x, shape=(math.prod(x.shape[:-1]), x.shape[-1]))


def _product(a: Any, b: Any) -> Any:
    """Return the product of two matrices: of ndarrays at once, because the way through an op takes a microsecond."""
    return multiply(a, b) if type(a) is type(b) is np.ndarray and a.dtype.char != "e" else mm(a, b)


def _input_vjp(g: Any, _y: Any, x_like: Any, weight: Any, _bias: Any) -> Any:
    """gx = g W."""
    gx = _product(_rows(g), weight)
    if len(x_like.shape) == 2:
        return gx
    return gx.reshape(x_like.shape) if isinstance(gx, np.ndarray) else reshape(gx, shape=x_like.shape)


def _weight_vjp(g: Any, _y: Any, x: Any, _weight: Any, _bias: Any) -> Any:
    """gW = g^T x, over all rows."""
    return _product(_rows(g).mT, _rows(x))


def _bias_vjp(g: Any, _y: Any, _x: Any, _weight: Any, _bias: Any) -> Any:
    """gb = g, summed over all rows."""
    rows = _rows(g)
    return column_sum(rows) if isinstance(rows, np.ndarray) else sum_(rows, dim=(0,), keepdim=False)


def _flops(y: list[int], input: list[int], weight: list[int], _bias: list[int]) -> int:
    return product_flops(y, input, weight)


@primitive(_input_vjp, _weight_vjp, _bias_vjp, node="Addmm", flops=_flops)
def linear(input: Any, weight: Any, bias: Any) -> Any:
    """Return input weight^T + bias: (..., in), (out, in) and (out,) or None give (..., out)."""
    # Separate rules and no fused backward, because they share no work, and each saves only what it needs.
    if _small is not None:
        y = _small(input, weight, bias)
        if y is not None:
            return y
    rows = input if input.ndim > 1 and input.flags.c_contiguous else as_rows(input, input.shape[-1])
    y = multiply(rows, weight.T, row=bias)
    return y if y.ndim == input.ndim else y.reshape(*input.shape[:-1], len(weight))


@linear.shape
def _linear_shape(input: Any, weight: Any, _bias: Any) -> tuple[int, ...]:
    return (*input.shape[:-1], len(weight))


@linear.batch
def _linear_batch(op: Op, xs: Any, batched: Any, size: int) -> Any:
    x, weight, bias = xs
    if not any(batched[1:]):
        return op(*xs)  # any leading dimensions
    if batched[0] and batched[1] and math.prod(x.shape[1:-1]) == 1:  # one row an example
        rows = x.reshape(size, x.shape[-1])
        y = multiplied(matmul, (weight, rows), (True, True)).reshape((*x.shape[:-1], weight.shape[-2]))
    else:
        y = multiplied(matmul, (x, weight.mT), batched[:2])
    if bias is None:
        return y
    return y + (padded(bias, rank_of(x, batched[0])) if batched[2] else bias)


@linear.tangent
def _linear_tangent(node: Any, ts: list[Any]) -> Any:
    x, weight = node.inputs[:2]
    terms = [
        node.op.forward(*operands, None)
        for operands in ((ts[0], weight), (x, ts[1]))
        if all(a is not None for a in operands)
    ]
    if terms and len(ts) > 2 and ts[2] is not None:
        terms.append(ts[2])
    result = total(terms)
    return result if result is NotImplemented else np.asarray(result)


linear.edge_order = (2, 0, 1)
# By the number of dimensions of the input, 3 for more, and whether there is a bias: PyTorch folds the leading
# dimensions, and its node is named after the last step.
node_variants = {
    (1, True): overload(linear, "ViewBackward0", (2, 1, 0)),
    (1, False): overload(linear, "SqueezeBackward4", (0, 1)),
    (2, True): linear,
    (2, False): overload(linear, "MmBackward0", (0, 1)),
    (3, True): overload(linear, "ViewBackward0", (2, 1, 0)),
    (3, False): overload(linear, "UnsafeViewBackward0", (0, 1)),
}
