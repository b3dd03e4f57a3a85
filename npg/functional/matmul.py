"""Products of vectors, matrices and batches of matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from npg._errors import OUT_DTYPE, OUT_OF_TENSORDOT, warn
from npg._words import scalar_name, shape_text
from npg.engine import TensorBase, apply, write_out
from npg.engine._out import DEFAULT, OutRule, is_same
from npg.functional._arguments import broadcast, checked_array, dim_index, tensor_list
from npg.functional._matrices import (
    Shape,
    check_batches,
    check_bmm,
    check_dot,
    check_matrices,
    check_mm,
    check_mv,
    check_same,
    no_bool,
)
from npg.functional._public import exposed, public_function, to_dtype, writes
from npg.functional._types import T
from npg.functional.elementwise import mul
from npg.functional.shape import reshape, unsqueeze
from npg.ops import matmul as ops
from npg.ops.einsum import contract
from npg.ops.elementwise import clone

_MV = "addmv input tensors must have the same dtype, but got {wanted}, {result}, and {result}"
_MULTI_DOT = "multi_dot(): expected out tensor to have dtype {c_result} but got {c_wanted}"
_DOT = "result dtype {wanted} does not match input dtype {result}"


# ----- Two factors -----


@exposed
def matmul(input: T, other: Any, *, out: Any = None) -> T:
    """Return the matrix product; also `input @ other`.

    Args:
        input, other: of one dtype. Vectors give inner products; dimensions before the last two are batches and
            broadcast.
    Returns: (..., n, m) from (..., n, k) and (..., k, m), without n or m where that side is a vector.
    Raises: RuntimeError: when shapes do not fit or dtypes differ. NotImplementedError: for bools.
    Source: torch.matmul.
    """
    a = input._array if isinstance(input, TensorBase) else checked_array("matmul", input)
    b = other._array if isinstance(other, TensorBase) else checked_array("matmul", other, "other", 2)
    na, nb = a.ndim, b.ndim
    if na == 2 and nb == 2:
        check_matrices(a, b)
        op = ops.mm
    elif na == 0 or nb == 0:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {na}D and {nb}D")
    elif na == 1 and nb == 1:
        check_dot(a, b)
        op = ops.dot
    elif na == 2 and nb == 1:
        check_mv(a, b)
        op = ops.mv
    elif na == 1 and nb == 2:
        check_matrices(Shape((1, a.size), a.dtype), b)
        op = ops.vm
    else:
        check_batches(a, b)
        op = ops.matmul if na > 2 else ops.matrix_and_batch if na == 2 else ops.vector_and_batch
        if a.dtype != b.dtype:  # allowed for empty operands
            input = to_dtype(input, b.dtype)
    result = apply(op, (input, other), {})
    if out is None:
        return result
    text = _DOT if na == nb == 1 else _MV if nb == 1 and na == 2 else OUT_DTYPE
    rule = OutRule(is_same, text, looks=(), expanded=nb == 1)
    return write_out("matmul", out, result, (), rule)


@public_function
@writes(OUT_DTYPE, looks=())
def mm(input: T, mat2: Any, *, out: Any = None) -> T:
    """Return the product of two matrices.

    Args:
        input: (n, k). mat2: (k, m), of the same dtype.
    Returns: (n, m).
    Raises: RuntimeError: when shapes do not fit or dtypes differ.
    Source: torch.mm.
    """
    check_mm(checked_array("mm", input), checked_array("mm", mat2, "mat2", 2))
    return apply(ops.mm, (input, mat2), {})


@public_function
@writes(OUT_DTYPE, looks=())
def bmm(input: T, mat2: Any, *, out: Any = None) -> T:
    """Return the products of two batches of matrices.

    Args:
        input: (B, n, k). mat2: (B, k, m), of the same dtype.
    Returns: (B, n, m).
    Raises: RuntimeError: when shapes do not fit or dtypes differ.
    Source: torch.bmm.
    """
    a, b = checked_array("bmm", input), checked_array("bmm", mat2, "mat2", 2)
    check_bmm(a, b)
    return apply(ops.bmm, (to_dtype(input, b.dtype), mat2), {})


@public_function
@writes(_MV, looks=(), expanded=True)
def mv(input: T, vec: Any, *, out: Any = None) -> T:
    """Return the product of a matrix and a vector.

    Args:
        input: (n, k). vec: (k,), of the same dtype.
    Returns: (n,).
    Raises: RuntimeError: when shapes do not fit or dtypes differ.
    Source: torch.mv.
    """
    check_mv(checked_array("mv", input), checked_array("mv", vec, "vec", 2))
    return apply(ops.mv, (input, vec), {})


@public_function
@writes(_DOT, looks=())
def dot(input: T, tensor: Any, *, out: Any = None) -> T:
    """Return the inner product of two vectors.

    Args:
        input, tensor: (n,), of one dtype.
    Returns: 0-d.
    Raises: RuntimeError: when they are no vectors of one size and dtype.
    Source: torch.dot.
    """
    check_dot(checked_array("dot", input), checked_array("dot", tensor, "tensor", 2))
    return apply(ops.dot, (input, tensor), {})


@public_function
@writes(_DOT, looks=())
def vdot(input: T, other: Any, *, out: Any = None) -> T:
    """Return the inner product of two vectors; for real numbers the same as dot. Source: torch.vdot."""
    check_dot(checked_array("vdot", input), checked_array("vdot", other, "other", 2))
    return apply(ops.vdot, (input, other), {})


@public_function
def outer(input: T, vec2: Any, *, out: Any = None) -> T:
    """Return the outer product of two vectors.

    Args:
        input: (n,). vec2: (m,); dtypes are promoted.
    Returns: (n, m).
    Raises: RuntimeError: when one is no vector.
    Source: torch.outer.
    """
    for name, x in (("self", checked_array("outer", input)), ("vec2", checked_array("outer", vec2, "vec2", 2))):
        if x.ndim != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {name}, but got {x.ndim}-D")
    return mul(unsqueeze(input, 1), vec2)


ger = outer


def _inner_rule(arguments: dict[str, Any], _out: Any) -> OutRule:
    ranks = [getattr(x, "ndim", 0) for x in arguments.values()]
    return OutRule(is_same, OUT_OF_TENSORDOT, looks=()) if all(ranks) else DEFAULT  # a product of numbers


@public_function
@writes(_inner_rule)
def inner(input: T, other: Any, *, out: Any = None) -> T:
    """Return the inner products over the last dimensions of both.

    Args:
        input: (..., k). other: (..., k), of the same dtype; a 0-d operand multiplies.
    Returns: the dimensions of input except the last, then those of other except the last.
    Raises: RuntimeError: when the last sizes or the dtypes differ.
    Source: torch.inner.
    """
    a, b = checked_array("inner", input), checked_array("inner", other, "other", 2)
    if not a.ndim or not b.ndim:
        return mul(input, other)
    if a.dtype != b.dtype:
        raise RuntimeError("both inputs should have same dtype")
    if a.shape[-1] != b.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{shape_text(a.shape)} and {shape_text(b.shape)}"
        )
    no_bool(a, "addmm_impl_cpu_")
    if a.ndim == b.ndim == 1:
        return apply(ops.dot, (input, other), {})
    left, right = tuple(range(a.ndim)), (*range(a.ndim, a.ndim + b.ndim - 1), a.ndim - 1)
    return apply(contract, (input, other), {"left": left, "right": right, "out": left[:-1] + right[:-1]})


@public_function
def kron(input: T, other: Any, *, out: Any = None) -> T:
    """Return the Kronecker product: every element of input times all of other.

    Args:
        input, other: any shapes, the shorter one extended by leading dimensions of size 1. Dtypes are promoted.
    Source: torch.kron.
    """
    a, b = checked_array("kron", input).shape, checked_array("kron", other, "other", 2).shape
    ndim = max(len(a), len(b))
    a, b = (1,) * (ndim - len(a)) + a, (1,) * (ndim - len(b)) + b
    left = reshape(input, tuple(k for n in a for k in (n, 1)))
    right = reshape(other, tuple(k for n in b for k in (1, n)))
    return reshape(mul(left, right), tuple(n * m for n, m in zip(a, b)))


@public_function
@writes(OUT_DTYPE, apart=("input", "other"))
def cross(input: T, other: Any, dim: Any = None, *, out: Any = None) -> T:
    """Return the cross products of the vectors along a dimension of size 3.

    Args:
        input, other: of one dtype and number of dimensions; those other than dim broadcast.
        dim: None means the first dimension of size 3 (deprecated; linalg.cross uses the last dimension).
    Raises: RuntimeError: when the dimension has another size or the dtypes differ.
    Source: torch.cross.
    """
    array = checked_array("cross", input)
    if dim is None:
        warn(
            "Using npg.cross without specifying the dim arg is deprecated.\nPlease either pass the dim explicitly or "
            "simply use npg.linalg.cross.\nThe default value of dim will change to agree with that of linalg.cross "
            "in a future release."
        )
        if 3 not in array.shape:
            raise RuntimeError("no dimension of size 3 in input")
        dim = array.shape.index(3)
    return cross_along(input, other, dim)


@public_function(namespace="linalg")
@writes(OUT_DTYPE, apart=("input", "other"))
def cross_along(input: T, other: Any, dim: Any = -1, *, out: Any = None) -> T:
    """Return the cross products along a dimension; see cross."""
    a, b = checked_array("linalg.cross", input), checked_array("linalg.cross", other, "other", 2)
    if a.ndim != b.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    at = dim_index("linalg.cross", dim, a.ndim)
    if a.shape[at] != 3 or b.shape[at] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {a.shape[at]} and {b.shape[at]}"
        )
    check_same(a, b)
    no_bool(a, "cross")
    broadcast(a.shape, b.shape)
    return apply(ops.cross, (input, other), {"dim": at})


# ----- Many factors -----


def _order(sizes: list[int]) -> list[list[int]]:
    """Return where to split each chain of matrices i..j for the fewest multiplications.

    Source: Cormen, Leiserson, Rivest, Stein, Introduction to Algorithms, section 15.2.
    """
    n = len(sizes) - 1
    cost = [[0] * n for _ in range(n)]
    split = [[0] * n for _ in range(n)]
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i][j], split[i][j] = min(
                (cost[i][s] + cost[s + 1][j] + sizes[i] * sizes[s + 1] * sizes[j + 1], s) for s in range(i, j)
            )
    return split


@public_function(namespace="linalg")
@writes(_MULTI_DOT, looks=())
def multi_dot(tensors: Sequence[T], *, out: Any = None) -> T:
    """Return the product of two or more matrices, multiplied in the cheapest order.

    Args:
        tensors: matrices of one dtype; the first and the last may be vectors.
    Returns: the product's shape, without the dimension of a first or last factor that is a vector.
    Raises: RuntimeError: when there are fewer than two, or shapes or dtypes do not fit.
    Source: torch.linalg.multi_dot.
    """
    tensors = list(tensor_list("multi_dot", tensors))
    arrays = [checked_array("multi_dot", t, "tensors", 1) for t in tensors]
    last = len(arrays) - 1
    if last < 1:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(arrays)}")
    for i, a in enumerate(arrays):
        if i in (0, last) and a.ndim not in (1, 2):
            which = "the first" if i == 0 else "the last"
            raise RuntimeError(f"multi_dot(): {which} tensor must be 1D or 2D but got {a.ndim}D")
        if i not in (0, last) and a.ndim != 2:
            raise RuntimeError(f"multi_dot(): tensor {i} must be 2D but got {a.ndim}D")
        if a.dtype != arrays[0].dtype:
            raise RuntimeError(
                f"multi_dot(): all tensors must have be the same dtype but tensor 0 is {scalar_name(arrays[0])} and "
                f"tensor {i} {scalar_name(a)}"
            )
    shapes = [a.shape for a in arrays]
    first_vector, last_vector = len(shapes[0]) == 1, len(shapes[last]) == 1
    if first_vector:
        shapes[0], tensors[0] = (1, *shapes[0]), unsqueeze(tensors[0], 0)
    if last_vector:
        shapes[last], tensors[last] = (*shapes[last], 1), unsqueeze(tensors[last], 1)
    for i in range(last):
        if shapes[i][1] != shapes[i + 1][0]:
            raise RuntimeError(
                f"multi_dot(): tensors {i} and {i + 1} with shapes {shape_text(arrays[i].shape)} and "
                f"{shape_text(arrays[i + 1].shape)} cannot be multiplied"
            )
    split = _order([s[0] for s in shapes] + [shapes[last][1]])

    def product(i: int, j: int) -> Any:
        return tensors[i] if i == j else mm(product(i, split[i][j]), product(split[i][j] + 1, j))

    result = product(0, last)
    if not (first_vector or last_vector):
        return result
    return reshape(result, shapes[0][: 0 if first_vector else 1] + shapes[last][2 if last_vector else 1 :])


@public_function
@writes(_MULTI_DOT, looks=())
def chain_matmul(*matrices: T, out: Any = None) -> T:
    """Return the product of matrices, as multi_dot; a single matrix is copied.

    Source: torch.chain_matmul, deprecated there.
    """
    if not matrices:
        raise RuntimeError("chain_matmul(): Expected one or more matrices")
    tensor_list("chain_matmul", matrices)
    return apply(clone, matrices, {}) if len(matrices) == 1 else multi_dot(matrices)
