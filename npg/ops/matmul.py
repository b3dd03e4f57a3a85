"""Products of vectors, matrices and batches of matrices.

npg/functional/matmul.py has checked shapes and dtypes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg.kernels.limits import ADDED_IN_A_RUN
from npg.kernels.products import multiply
from npg.kernels.sums import inner
from npg.ops._broadcast import unbroadcast
from npg.ops._kinds import Kind, padded, product, rank_of, reshaped, total
from npg.ops._op import Op, primitive
from npg.ops.einsum import contract
from npg.ops.shape import batches_along, overload

Array = np.ndarray[Any, Any]

# ----- Batches -----


def multiplied(op: Op, xs: Any, batched: Any, size: int = 0) -> Any:
    """Return the products of examples: the batching rule of mm, bmm, mv, dot and matmul."""
    a, b = (x if hasattr(x, "shape") else np.asarray(x) for x in xs)
    ranks = [rank_of(x, flag) for x, flag in zip((a, b), batched, strict=True)]
    if ranks == [2, 1] and not batched[0]:  # the vectors as the rows of one matrix
        return matmul(b, a.mT)
    if all(batched) and sorted(ranks) == [1, 2]:
        # The gradient of the matrix is then an elementwise product, in a quarter of the time of matmul's.
        matrix = ranks.index(2)
        labels = ((0, 1, 2), (0, 2), (0, 1)) if not matrix else ((0, 1), (0, 1, 2), (0, 2))
        return contract(a, b, left=labels[0], right=labels[1], out=labels[2])
    if ranks[0] == 1:
        a = a.reshape((*a.shape[:-1], 1, a.shape[-1]))
    if ranks[1] == 1:
        b = b.reshape((*b.shape, 1))
    rank = max(*ranks, 2)
    a, b = (padded(x, rank) if flag else x for x, flag in zip((a, b), batched, strict=True))
    y = matmul(a, b)
    sizes = list(y.shape)
    if ranks[1] == 1:
        del sizes[-1]
    if ranks[0] == 1:
        del sizes[-1 if ranks[1] == 1 else -2]
    return reshaped(y, tuple(sizes))


def _sum_of_product(op: Op, xs: Any, batched: Any, size: int, /, *, beta: float, alpha: float) -> Any:
    if op is addbmm:
        return NotImplemented
    x, a, b = xs
    if op is addr:
        a, b = (v[..., None] if is_column else v[..., None, :] for v, is_column in ((a, True), (b, False)))
    y = multiplied(matmul, (a, b), batched[1:])
    y = y if alpha == 1 else y * alpha
    if not beta:
        return y
    rank = rank_of(y, any(batched[1:]))
    x, y = (padded(v, rank) if flag else v for v, flag in ((x, batched[0]), (y, any(batched[1:]))))
    return y + (x if beta == 1 else x * beta)


def _sum_of_product_tangent(node: Any, ts: list[Any]) -> Any:
    x, a, b = node.inputs
    start = ts[0] if ts[0] is not None else None if x is None else np.zeros(x.shape, x.dtype)
    if start is None:
        return NotImplemented
    terms = []
    for operands in ((ts[1], b), (a, ts[2])):
        if all(v is not None for v in operands):
            terms.append(node.op.forward(start, *operands, **node.params))
            start = np.zeros_like(start)
    return total(terms)


def product_flops(y: list[int], a: list[int], b: list[int]) -> int:
    """Return the number of additions and multiplications in the product y of arrays of these shapes."""
    return 2 * math.prod(y) * a[-1] if a and b else 0


def _sum_of_product_flops(y: list[int], _input: list[int], a: list[int], b: list[int]) -> int:
    return product_flops(y, a, b)


def _product_shape(a: Array, b: Array) -> tuple[int, ...]:
    left, right = a.shape[-2:-1], b.shape[-1:] if b.ndim > 1 else ()
    if a.ndim == 1:
        left = ()
    return (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), *left, *right)


PRODUCT = Kind("product", multiplied, product, shape=_product_shape)
SUM_OF_PRODUCT = Kind("sum of a product", _sum_of_product, _sum_of_product_tangent)

# ----- Two matrices, a matrix and a vector, two vectors -----


@primitive(lambda g, _y, _a, b: mm(g, b.mT), lambda g, _y, a, _b: mm(a.mT, g), kind=PRODUCT, flops=product_flops)
def mm(input: Any, mat2: Any) -> Any:
    """Return the product of two matrices."""
    return multiply(input, mat2)


@primitive(lambda g, _y, _a, b: bmm(g, b.mT), lambda g, _y, a, _b: bmm(a.mT, g), kind=PRODUCT, flops=product_flops)
def bmm(input: Any, mat2: Any) -> Any:
    """Return the product of each matrix of a batch with that of another."""
    return multiply(input, mat2)


@primitive(lambda g, _y, _a, v: g[:, None] * v, lambda g, _y, a, _v: mv(a.mT, g), kind=PRODUCT, flops=product_flops)
def mv(input: Any, vec: Any) -> Any:
    """Return the product of a matrix and a vector."""
    return multiply(input, vec)


@primitive(lambda g, _y, _a, b: g * b, lambda g, _y, a, _b: g * a, kind=PRODUCT, flops=product_flops)
def dot(input: Any, tensor: Any) -> Any:
    """Return the inner product of two vectors."""
    if input.dtype.kind != "f" or len(input) < 2 * ADDED_IN_A_RUN:
        return multiply(input, tensor)
    return inner(np.ascontiguousarray(input), np.ascontiguousarray(tensor))


vdot = overload(dot, "VdotBackward0", aten="vdot")


# ----- matmul of any other shapes -----


def _matmul_gx(g: Any, _y: Any, x_like: Any, w: Any) -> Any:
    """gx = g w^T, summed over the dimensions along which x was broadcast."""
    if len(w.shape) == 1:
        return g[..., None] * w
    if len(x_like.shape) == 1:
        return unbroadcast(matmul(w, g[..., None])[..., 0], x_like.shape)
    return unbroadcast(matmul(g, w.mT), x_like.shape)


def _matmul_gw(g: Any, _y: Any, x: Any, w_like: Any) -> Any:
    """gw = x^T g, summed over the dimensions along which w was broadcast: for a matrix w one product of all rows."""
    if len(x.shape) == 1:
        return unbroadcast(x[:, None] * g[..., None, :], w_like.shape)
    shape = w_like.shape
    if len(shape) == 1:
        return mv(x.reshape(math.prod(x.shape[:-1]), shape[0]).mT, g.reshape(-1))
    if len(shape) == 2:
        rows = math.prod(x.shape[:-1])
        return mm(x.reshape(rows, shape[0]).mT, g.reshape(rows, shape[1]))
    return unbroadcast(matmul(x.mT, g), w_like.shape)


@primitive(_matmul_gx, _matmul_gw, node="UnsafeView", kind=PRODUCT, flops=product_flops, numpy=(np.matmul,))
def matmul(input: Any, other: Any) -> Any:
    """Return np.matmul(input, other)."""
    return multiply(input, other)


matmul.edge_order = (1, 0)
vm = overload(matmul, "SqueezeBackward4")  # of a vector and a matrix
# And of a vector or a matrix and a batch of matrices.
vector_and_batch = overload(matmul, "UnsafeViewBackward0", (0, 1))
matrix_and_batch = overload(matmul, "CloneBackward0", (0, 1))


# ----- Products added to an input -----
# With beta = 0 the input is ignored, even where it is nan.


def _add_product(x: Array, product: Any, beta: float, alpha: float) -> Array:
    if not isinstance(product, np.ndarray):
        product = np.asarray(product)
    if alpha != 1:
        product *= alpha
    if beta == 0:
        return product
    return np.add(product, x if beta == 1 else x * beta, out=product)


def _scaled(g: Any, factor: float) -> Any:
    return g if factor == 1 else g * factor


def _input_rule(g: Any, _y: Any, x_like: Any, *_others: Any, beta: float, alpha: float) -> Any:
    return unbroadcast(_scaled(g, beta), x_like.shape)


@primitive(
    lambda g, _y, x_like, _a, _b, *, beta, alpha: _input_rule(g, _y, x_like, beta=beta, alpha=alpha),
    lambda g, _y, _x, _a, b, *, beta, alpha: _scaled(mm(g, b.mT), alpha),
    lambda g, _y, _x, a, _b, *, beta, alpha: _scaled(mm(a.mT, g), alpha),
    kind=SUM_OF_PRODUCT,
    flops=_sum_of_product_flops,
)
def addmm(input: Any, mat1: Any, mat2: Any, *, beta: float, alpha: float) -> Any:
    """Return beta input + alpha mat1 mat2."""
    return _add_product(input, multiply(mat1, mat2), beta, alpha)


@primitive(
    lambda g, _y, x_like, _a, _v, *, beta, alpha: _input_rule(g, _y, x_like, beta=beta, alpha=alpha),
    lambda g, _y, _x, _a, v, *, beta, alpha: _scaled(g[:, None] * v, alpha),
    lambda g, _y, _x, a, _v, *, beta, alpha: _scaled(mv(a.mT, g), alpha),
    kind=SUM_OF_PRODUCT,
)
def addmv(input: Any, mat: Any, vec: Any, *, beta: float, alpha: float) -> Any:
    """Return beta input + alpha mat vec."""
    return _add_product(input, multiply(mat, vec), beta, alpha)


@primitive(
    lambda g, _y, x_like, _a, _b, *, beta, alpha: _input_rule(g, _y, x_like, beta=beta, alpha=alpha),
    lambda g, _y, _x, _a, b, *, beta, alpha: _scaled(mv(g, b), alpha),
    lambda g, _y, _x, a, _b, *, beta, alpha: _scaled(mv(g.mT, a), alpha),
    kind=SUM_OF_PRODUCT,
)
def addr(input: Any, vec1: Any, vec2: Any, *, beta: float, alpha: float) -> Any:
    """Return beta input + alpha vec1 vec2^T."""
    return _add_product(input, vec1[:, None] * vec2, beta, alpha)


@primitive(
    lambda g, _y, x_like, _a, _b, *, beta, alpha: _input_rule(g, _y, x_like, beta=beta, alpha=alpha),
    lambda g, _y, _x, _a, b, *, beta, alpha: _scaled(bmm(g, b.mT), alpha),
    lambda g, _y, _x, a, _b, *, beta, alpha: _scaled(bmm(a.mT, g), alpha),
    kind=SUM_OF_PRODUCT,
    flops=_sum_of_product_flops,
)
def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: float, alpha: float) -> Any:
    """Return beta input + alpha batch1 batch2, matrix by matrix."""
    return _add_product(input, multiply(batch1, batch2), beta, alpha)


@addmm.shape
@addmv.shape
@baddbmm.shape
def _sum_shape(_input: Array, a: Array, b: Array, **_settings: Any) -> tuple[int, ...]:
    return _product_shape(a, b)


def _side_by_side(x: Array) -> Array:
    """Return a batch of matrices as one matrix (n, batch * k)."""
    n = x.shape[1]
    return np.swapaxes(x, 0, 1).reshape(n, -1 if n else 0)


@primitive(
    lambda g, _y, x_like, _a, _b, *, beta, alpha: _input_rule(g, _y, x_like, beta=beta, alpha=alpha),
    lambda g, _y, _x, _a, b, *, beta, alpha: _scaled(matmul(g, b.mT), alpha),
    lambda g, _y, _x, a, _b, *, beta, alpha: _scaled(matmul(a.mT, g), alpha),
    kind=SUM_OF_PRODUCT,
)
def addbmm(input: Any, batch1: Any, batch2: Any, *, beta: float, alpha: float) -> Any:
    """Return beta input + alpha times the sum of the products of two batches of matrices."""
    batch, n, k = batch1.shape
    m = batch2.shape[2]
    if not batch or not k:
        product = np.zeros((n, m), input.dtype)
    else:  # one product: the batch and k are summed alike
        product = multiply(_side_by_side(batch1), batch2.reshape(batch * k, m))
    return _add_product(input, product, beta, alpha)


# ----- The cross product -----


@primitive(
    lambda g, _y, _a, b, *, dim: cross(b, g, dim=dim),
    lambda g, _y, a, _b, *, dim: cross(g, a, dim=dim),
    broadcasts=True,
    node="LinalgCross",
    namespace="linalg",
    tangent=product,
)
def cross(input: Any, other: Any, *, dim: int) -> Any:
    """Return the cross products of the vectors along a dimension of size 3, counted from the front."""
    shape = np.broadcast_shapes(input.shape, other.shape)
    y = np.empty(shape, input.dtype)
    a, b = (np.moveaxis(np.broadcast_to(x, shape), dim, 0) for x in (input, other))
    parts = np.moveaxis(y, dim, 0)
    for i in range(3):
        j, k, part = (i + 1) % 3, (i + 2) % 3, parts[i, ...]
        np.multiply(a[j], b[k], out=part)
        part -= a[k] * b[j]
    return y


@cross.batch
def _cross_batch(op: Op, xs: Any, batched: Any, size: int, /, *, dim: int) -> Any:
    if rank_of(xs[0], batched[0]) != rank_of(xs[1], batched[1]):
        return NotImplemented
    return batches_along(op, xs, batched, size, dim=dim)
