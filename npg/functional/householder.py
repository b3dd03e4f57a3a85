"""Householder reflections: their product, and the QR factorization in terms of them."""

from __future__ import annotations

from typing import Any

from npg._naming import named
from npg._words import scalar_name
from npg.engine import apply
from npg.functional import return_types
from npg.functional._arguments import checked_array
from npg.functional._public import public_function, writes
from npg.functional._types import Geqrf, T
from npg.ops import householder as ops

_CASTABLE = (
    "npg.{name}: Expected {what} to be safely castable from {{result}} dtype, but got {what} with dtype {{wanted}}"
)


def _matrix(name: str, x: Any) -> Any:
    array = checked_array(name, x)
    if array.ndim < 2:
        raise RuntimeError(f"{named('npg.' + name)}: input must have at least 2 dimensions.")
    return array


def _refuse_dtype(array: Any, kernel: str) -> None:
    if array.dtype.char not in "fd":
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{scalar_name(array)}'")


@public_function
@writes(text=tuple(_CASTABLE.format(name="geqrf", what=what) for what in ("a", "tau")), looks=())
def geqrf(input: T, *, out: Any = None) -> Geqrf[T]:
    """Return the QR factorization in LAPACK's form.

    Args:
        input: (..., m, n) float32 or float64.
    Returns: (a, tau): a (..., m, n) has R on and above the diagonal, and below it the vectors of k = min(m, n)
        reflections, whose factors are tau (..., k); see linalg.householder_product.
    Raises: RuntimeError: for fewer than two dimensions. NotImplementedError: for other dtypes.
    Source: torch.geqrf. There is no derivative.
    """
    _refuse_dtype(_matrix("geqrf", input), "geqrf_cpu")
    return return_types.geqrf(apply(ops.geqrf, (input,), {}))


@public_function(namespace="linalg")
@writes(text=_CASTABLE.format(name="linalg.householder_product", what="result"), looks=())
def householder_product(input: T, tau: Any, *, out: Any = None) -> T:
    """Return the first n columns of the product of k Householder reflections, H_1 H_2 ... H_k.

    H_i = 1 - tau_i v_i v_i^T; v_i is column i of the input below the diagonal, with 1 on it and 0 above.

    Args:
        input: (..., m, n) float32 or float64, m >= n.
        tau: (..., k) of the same dtype, k <= n.
    Returns: (..., m, n).
    Raises: RuntimeError: when shapes do not fit or dtypes differ. NotImplementedError: for other dtypes.
    Source: torch.linalg.householder_product. The gradient is also right where tau_i |v_i|^2 = 1.
    """
    name = named("npg.linalg.householder_product")
    a = _matrix("linalg.householder_product", input)
    t = checked_array("linalg.householder_product", tau, "tau", 2)
    if a.shape[-2] < a.shape[-1]:
        raise RuntimeError(f"{name}: input.shape[-2] must be greater than or equal to input.shape[-1]")
    if not t.ndim:
        raise IndexError("Dimension specified as -1 but tensor has no dimensions")
    if a.shape[-1] < t.shape[-1]:
        raise RuntimeError(f"{name}: input.shape[-1] must be greater than or equal to tau.shape[-1]")
    if t.ndim != a.ndim - 1:
        raise RuntimeError(
            f"{name}: Expected tau to have one dimension less than input, but got tau.ndim equal to {t.ndim} and "
            f"input.ndim is equal to {a.ndim}"
        )
    if t.shape[:-1] != a.shape[:-2]:
        raise RuntimeError(
            f"{name}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got {list(t.shape[:-1])}"
        )
    if t.dtype != a.dtype:
        raise RuntimeError(f"{name}: tau dtype {scalar_name(t)} does not match input dtype {scalar_name(a)}")
    _refuse_dtype(a, "orgqr_cpu")
    return apply(ops.householder_product, (input, tau), {})


@public_function
@writes(text=_CASTABLE.format(name="linalg.householder_product", what="result"), looks=())
def orgqr(input: T, input2: Any, *, out: Any = None) -> T:
    """Return a product of Householder reflections; see linalg.householder_product. Source: torch.orgqr."""
    checked_array("orgqr", input)
    checked_array("orgqr", input2, "input2", 2)
    return householder_product(input, input2)
