"""NumPy's functions whose results have no gradient, on tensors: NumPy computes them, the results are tensors.

Those that count, compare or name places (integers and bools) take any tensor. Those that compute floats in a way that
npg has no derivative of take constants: of a tensor that requires grad they raise, because its history would be lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from npg.engine import TensorBase, is_grad_enabled, wrap
from npg.tensor.numpy_table import FUNCTIONS, REMEDY, name_of

__all__ = ["as_arrays", "as_tensors", "constant_ufunc"]


def as_arrays(x: Any) -> Any:
    """Return x with the array of every tensor in it, also within lists, tuples and dicts."""
    if isinstance(x, TensorBase):
        return x._array
    if type(x) in (list, tuple):
        return type(x)(as_arrays(v) for v in x)
    return {k: as_arrays(v) for k, v in x.items()} if type(x) is dict else x


def as_tensors(x: Any) -> Any:
    """Return NumPy's result with a tensor for every array and NumPy number in it."""
    if isinstance(x, (np.ndarray, np.generic)):
        if x.dtype.kind not in "biuf":
            raise TypeError(f"expected a result of real numbers, got one of {x.dtype}; {REMEDY}")
        return wrap(np.asarray(x))
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*map(as_tensors, x))
    return type(x)(as_tensors(v) for v in x) if type(x) in (list, tuple) else x


def _requires_grad(x: Any) -> bool:
    if isinstance(x, TensorBase):
        return x.requires_grad
    if type(x) is dict:
        return any(map(_requires_grad, x.values()))
    return type(x) in (list, tuple) and any(map(_requires_grad, x))


def refuse_recorded(name: str, *given: Any) -> None:
    """Raise TypeError when a tensor among the arguments requires grad, whose history NumPy's result would not have."""
    if is_grad_enabled() and _requires_grad(given):
        raise TypeError(f"{name} of a Tensor that requires grad is not supported; {REMEDY}")


def _enter(function: Any, differentiable: bool) -> None:
    def call(*args: Any, **kwargs: Any) -> Any:
        if differentiable:
            refuse_recorded(name_of(function), args, kwargs)
        return as_tensors(function(*as_arrays(args), **as_arrays(kwargs)))

    FUNCTIONS[function] = call


def constant_ufunc(ufunc: Any, inputs: Any, dtype: Any = None) -> Any:
    """Return the tensors of a ufunc's results.

    Raises: TypeError: for a result of floats when an input requires grad.
    """
    result = ufunc(*as_arrays(inputs), dtype=dtype)
    if any(np.asarray(r).dtype.kind == "f" for r in (result if isinstance(result, tuple) else (result,))):
        refuse_recorded(f"np.{ufunc.__name__}", inputs)
    return as_tensors(result)


def _named(module: Any, names: str) -> list[Callable[..., Any]]:
    return [getattr(module, name) for name in names.split() if hasattr(module, name)]


# Integers and bools.
for _f in _named(
    np,
    "argpartition digitize isin isreal iscomplex isneginf isposinf lexsort nanargmax nanargmin packbits unpackbits "
    "ravel_multi_index unravel_index ix_ diag_indices_from tril_indices_from triu_indices_from",
):
    _enter(_f, False)

# Floats that npg has no derivative of.
for _f in _named(
    np,
    "histogram histogram2d histogramdd histogram_bin_edges i0 intersect1d setdiff1d setxor1d union1d unique "
    "unique_all unique_counts unique_inverse unique_values polyfit polydiv",
):
    _enter(_f, True)


# Questions: the answer is no tensor.
def _ask(function: Any) -> None:
    FUNCTIONS[function] = lambda *args, **kwargs: function(*as_arrays(args), **as_arrays(kwargs))


for _f in _named(np, "array_equiv common_type min_scalar_type einsum_path"):
    _ask(_f)
