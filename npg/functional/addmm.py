"""beta times a tensor plus alpha times a product: addmm and its relatives."""

from __future__ import annotations

from typing import Any

from npg._errors import OUT_DTYPE
from npg._words import c_name, scalar_name, shape_text
from npg.engine import TensorBase, apply, apply_in_place, array_of
from npg.functional._arguments import checked_array, expanded_shape
from npg.functional._factory import fill_number
from npg.functional._matrices import check_bmm, check_mv, no_bool, size_text
from npg.functional._public import promote, public_function, writes
from npg.functional._types import T
from npg.ops import elementwise, matmul as ops


def _factor(value: Any, array: Any) -> Any:
    """Return alpha or beta: a Python number, truncated for integers."""
    if isinstance(value, TensorBase):
        value = value._array.item()
    return fill_number(value, array.dtype).item() if array.dtype.kind in "iub" else float(value)


def _added(name: str, op: Any, inputs: tuple[Any, ...], shape: tuple[int, ...], beta: Any, alpha: Any) -> Any:
    """Apply one of the ops beta * input + alpha * product."""
    array = array_of(inputs[0])
    settings = {"beta": _factor(beta, array), "alpha": _factor(alpha, array)}
    if name.endswith("_"):
        if array.shape != shape:
            raise RuntimeError(
                f"Bad in-place call: input tensor size {shape_text(array.shape)} and output tensor size "
                f"{shape_text(shape)} should match"
            )
        return apply_in_place(op, inputs, settings)
    expanded_shape(array, shape)
    return apply(op, inputs, settings)


def _addmm(name: str, input: Any, mat1: Any, mat2: Any, beta: Any, alpha: Any) -> Any:
    x, a, b = checked_array(name, input), checked_array(name, mat1, "mat1", 2), checked_array(name, mat2, "mat2", 3)
    for which, m in (("mat1", a), ("mat2", b)):
        if m.ndim != 2:
            raise RuntimeError(f"{which} must be a matrix, got {m.ndim}-D tensor")
    if a.shape[1] != b.shape[0]:
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({size_text(a)} and {size_text(b)})")
    _check_three(x, a, b)
    no_bool(a, "addmm_impl_cpu_")
    return _added(name, ops.addmm, (input, mat1, mat2), (a.shape[0], b.shape[1]), beta, alpha)


def _check_three(x: Any, a: Any, b: Any) -> None:
    for which, m in (("self", x), ("mat1", a)):
        if m.dtype != b.dtype:
            raise RuntimeError(
                f"{which} and mat2 must have the same dtype, but got {scalar_name(m)} and {scalar_name(b)}"
            )


@public_function
@writes(OUT_DTYPE, looks=("input",))
def addmm(input: T, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> T:
    """Return beta * input + alpha * (mat1 @ mat2).

    Args:
        input: broadcasts to (n, m). mat1: (n, k). mat2: (k, m), all of one dtype.
        beta, alpha: numbers; beta = 0 ignores input, even nan.
    Raises: RuntimeError: when shapes do not fit or dtypes differ.
    Source: torch.addmm.
    """
    return _addmm("addmm", input, mat1, mat2, beta, alpha)


@public_function
def addmm_(input: T, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> T:
    """Add a product to beta * input, in place; see addmm."""
    return _addmm("addmm_", input, mat1, mat2, beta, alpha)


def _addmv(name: str, input: Any, mat: Any, vec: Any, beta: Any, alpha: Any) -> Any:
    x, a, v = checked_array(name, input), checked_array(name, mat, "mat", 2), checked_array(name, vec, "vec", 3)
    check_mv(a, v, x)
    return _added(name, ops.addmv, (input, mat, vec), (a.shape[0],), beta, alpha)


@public_function
@writes(OUT_DTYPE, looks=("input",))
def addmv(input: T, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> T:
    """Return beta * input + alpha * (mat @ vec), from (n,) or one element, (n, k) and (k,); see addmm.

    Source: torch.addmv.
    """
    return _addmv("addmv", input, mat, vec, beta, alpha)


@public_function
def addmv_(input: T, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> T:
    """Add a product to beta * input, in place; see addmv."""
    return _addmv("addmv_", input, mat, vec, beta, alpha)


def _addr(name: str, input: Any, vec1: Any, vec2: Any, beta: Any, alpha: Any) -> Any:
    x, a, b = checked_array(name, input), checked_array(name, vec1, "vec1", 2), checked_array(name, vec2, "vec2", 3)
    for which, v in (("vec1", a), ("vec2", b)):
        if v.ndim != 1:
            raise RuntimeError(f"addr: Expected 1-D argument {which}, but got {v.ndim}-D")
    for which, factor in (("beta", beta), ("alpha", alpha)):
        if isinstance(factor, float) and all(m.dtype.kind in "iub" for m in (x, a, b)):
            kind = "integral" if x.dtype.kind != "b" else "boolean"
            raise RuntimeError(f"For {kind} input tensors, argument {which} must not be a floating point number.")
    inputs = (input, vec1, vec2)
    if not x.dtype == a.dtype == b.dtype:
        inputs = tuple(promote(elementwise.add, inputs, name.endswith("_")))
    return _added(name, ops.addr, inputs, (a.size, b.size), beta, alpha)


@public_function
def addr(input: T, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> T:
    """Return beta * input + alpha * outer(vec1, vec2), from (n, m), (n,) and (m,); dtypes are promoted. See addmm.

    Source: torch.addr.
    """
    return _addr("addr", input, vec1, vec2, beta, alpha)


@public_function
def addr_(input: T, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1) -> T:
    """Add an outer product to beta * input, in place; see addr."""
    return _addr("addr_", input, vec1, vec2, beta, alpha)


def _baddbmm(name: str, input: Any, batch1: Any, batch2: Any, beta: Any, alpha: Any) -> Any:
    x, a, b = (
        checked_array(name, input),
        checked_array(name, batch1, "batch1", 2),
        checked_array(name, batch2, "batch2", 3),
    )
    if a.ndim == b.ndim == 3 and not x.dtype == a.dtype == b.dtype:
        raise RuntimeError(
            f"Input dtypes must be the same, got: input {c_name(x)}, batch1: {c_name(a)}, batch2: {c_name(b)}"
        )
    check_bmm(a, b, "baddbmm")
    return _added(name, ops.baddbmm, (input, batch1, batch2), (*a.shape[:2], b.shape[2]), beta, alpha)


@public_function
@writes(OUT_DTYPE, looks=("input",))
def baddbmm(input: T, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> T:
    """Return beta * input + alpha * bmm(batch1, batch2), from (B, n, m), (B, n, k) and (B, k, m); see addmm.

    Source: torch.baddbmm.
    """
    return _baddbmm("baddbmm", input, batch1, batch2, beta, alpha)


@public_function
def baddbmm_(input: T, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> T:
    """Add the products of two batches to beta * input, in place; see baddbmm."""
    return _baddbmm("baddbmm_", input, batch1, batch2, beta, alpha)


def _addbmm(name: str, input: Any, batch1: Any, batch2: Any, beta: Any, alpha: Any) -> Any:
    x, a, b = (
        checked_array(name, input),
        checked_array(name, batch1, "batch1", 2),
        checked_array(name, batch2, "batch2", 3),
    )
    for i, m in enumerate((a, b)):
        if m.ndim != 3:
            raise RuntimeError(f"batch{i + 1} must be a 3D tensor")
    if a.shape[0] != b.shape[0]:
        raise RuntimeError(f"batch1 and batch2 must have same number of batches, got {a.shape[0]} and {b.shape[0]}")
    if a.shape[2] != b.shape[1]:
        raise RuntimeError(f"Incompatible matrix sizes for bmm ({size_text(a[0])} and {size_text(b[0])})")
    _check_three(x, a, b)
    no_bool(a, "addmm_impl_cpu_")
    return _added(name, ops.addbmm, (input, batch1, batch2), (a.shape[1], b.shape[2]), beta, alpha)


@public_function
@writes("self and mat2 must have the same dtype, but got {wanted} and {result}", looks=("input",))
def addbmm(input: T, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> T:
    """Return beta * input + alpha * bmm(batch1, batch2).sum(0), from (n, m), (B, n, k) and (B, k, m); see addmm.

    Source: torch.addbmm.
    """
    return _addbmm("addbmm", input, batch1, batch2, beta, alpha)


@public_function
def addbmm_(input: T, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> T:
    """Add the sum of the products of two batches to beta * input, in place; see addbmm."""
    return _addbmm("addbmm_", input, batch1, batch2, beta, alpha)
