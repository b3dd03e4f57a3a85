"""Largest and smallest elements, their indices, and order statistics."""

from __future__ import annotations

from typing import Any, overload

import numpy as np

from npg._errors import OUT_DTYPE
from npg.engine import Function, TensorBase, apply
from npg.engine._out import DEFAULT, OutRule, is_same
from npg.functional import return_types
from npg.functional._arguments import checked_array, dim_index, dims_of
from npg.functional._forms import expose
from npg.functional._public import public_function, writes
from npg.functional._types import Dims, MinMax, T, ValuesIndices
from npg.ops import extrema, reduction, selection
from npg.ops._op import Op

_MEDIAN_VALUES = (
    "Expected tensor for 'values' to have the same type as tensor for argument #2 'self'; but type npg.{wanted}Tensor "
    "does not equal npg.{result}Tensor (while checking arguments for median_cpu)"
)
_MEDIAN_INDICES = (
    "Expected tensor for argument #1 'indices' to have scalar type Long; but got npg.{wanted}Tensor instead (while "
    "checking arguments for median_cpu)"
)
_AMAX = (
    "Expected the dtype for input and out to match, but got {result} for input's dtype and {wanted} for out's dtype."
)


# ----- Checks -----


def _refuse_empty(name: str, array: Any, dim: Any, hint: str = "") -> None:
    """Raise for a reduction over no elements; dim is None or a tuple of dimensions."""
    if array.size:
        return
    if dim is None:
        message = f"{name}(): Expected reduction dim to be specified for input.numel() == 0."
        raise (RuntimeError if hint else IndexError)(message + hint)
    for d in dim:
        if array.ndim and array.shape[d] == 0:
            raise IndexError(f"{name}(): Expected reduction dim {d} to have non-zero size.")


_SPECIFY = " Specify the reduction dim with the 'dim' argument."


def _with_places(op: Op, returns: Any, name: str, input: Any, dim: Any, keepdim: bool, **settings: Any) -> Any:
    array = checked_array(name, input)
    d = dim_index(name, dim, array.ndim)
    _refuse_empty(name, array, (d,))
    return returns(apply(op, (input,), {"dim": d, "keepdim": keepdim, **settings}))


# ----- Extrema -----

_maximum, _minimum = expose(selection.maximum), expose(selection.minimum)


def _extreme(
    name: str,
    of_all: Op,
    along: Op,
    returns: Any,
    elementwise: Function,
    input: Any,
    dim: Any,
    keepdim: bool,
    other: Any,
) -> Any:
    array = checked_array(name, input)
    if other is None and isinstance(dim, TensorBase):
        other, dim = dim, None
    if other is not None:
        return elementwise(input, other)
    if dim is not None:
        return _with_places(along, returns, name, input, dim, keepdim)
    _refuse_empty(name, array, None, _SPECIFY)
    return apply(of_all, (input,), {})


_RULE_OF_ALL = OutRule(
    text="Expected canCast( typeMetaToScalarType(self.dtype()), typeMetaToScalarType(out.dtype())) to be true, but got "
    "false.",
    looks=(),
)  # fmt: skip
_RULE_ALONG = OutRule(is_same, OUT_DTYPE)


def _extreme_rule(arguments: dict[str, Any], _out: Any) -> OutRule:
    dim = arguments.get("dim")
    if dim is None:
        return _RULE_OF_ALL if arguments.get("other") is None else DEFAULT
    return DEFAULT if isinstance(dim, (TensorBase, np.ndarray)) else _RULE_ALONG


def _aminmax_rule(arguments: dict[str, Any], _out: Any) -> OutRule:
    if arguments.get("dim") is None:
        return OutRule(is_same, OUT_DTYPE, looks=())
    return OutRule(is_same, OUT_DTYPE, apart=("input",))


@overload
def max(input: T) -> T: ...
@overload
def max(input: T, dim: int, keepdim: bool = ...) -> ValuesIndices[T]: ...
@overload
def max(input: T, dim: T) -> T: ...
@overload
def max(input: T, *args: Any, **kwargs: Any) -> Any: ...
@public_function
@writes(_extreme_rule)
def max(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None, out: Any = None) -> Any:
    """Return the largest element; with dim, the largest along it and their indices; or maximum(input, other).

    Args:
        input: any shape and dtype.
        dim: an int; a tensor here counts as other.
        keepdim: keep the dimension, with size 1.
        other: a tensor; the result is maximum(input, other).
    Returns: a 0-d tensor; with dim (values, indices), the index of the first of equal elements. nan counts as largest.
        The gradient of the 0-d result is shared by equal elements; that of values goes to the elements at indices.
    Raises: RuntimeError, IndexError: when there are no elements.
    Source: torch.max.
    """
    return _extreme("max", reduction.max_, extrema.max_dim, return_types.max, _maximum, input, dim, keepdim, other)


@overload
def min(input: T) -> T: ...
@overload
def min(input: T, dim: int, keepdim: bool = ...) -> ValuesIndices[T]: ...
@overload
def min(input: T, dim: T) -> T: ...
@overload
def min(input: T, *args: Any, **kwargs: Any) -> Any: ...
@public_function
@writes(_extreme_rule)
def min(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None, out: Any = None) -> Any:
    """Return the smallest element; with dim, the smallest along it and their indices; or minimum(input, other).

    Args, results and gradients as in max. Source: torch.min.
    """
    return _extreme("min", reduction.min_, extrema.min_dim, return_types.min, _minimum, input, dim, keepdim, other)


def _spread_extreme(op: Op, input: Any, dim: Any, keepdim: bool) -> Any:
    array = checked_array(op.name, input)
    dims = dims_of(op.name, dim, array.ndim)
    _refuse_empty(op.name, array, dims, _SPECIFY)
    return apply(op, (input,), {"dim": dims, "keepdim": keepdim})


@public_function
@writes(_AMAX, looks=(), expanded=True)
def amax(input: T, dim: Dims | None = (), keepdim: bool = False, *, out: Any = None) -> T:
    """Return the largest elements over dimensions (an int, a tuple; () for all); equal ones share the gradient.

    Raises: RuntimeError, IndexError: when there are no elements.
    Source: torch.amax.
    """
    return _spread_extreme(reduction.amax, input, dim, keepdim)


@public_function
@writes(_AMAX, looks=(), expanded=True)
def amin(input: T, dim: Dims | None = (), keepdim: bool = False, *, out: Any = None) -> T:
    """Return the smallest elements over dimensions; see amax. Source: torch.amin."""
    return _spread_extreme(reduction.amin, input, dim, keepdim)


@public_function
@writes(_aminmax_rule)
def aminmax(input: T, *, dim: int | None = None, keepdim: bool = False, out: Any = None) -> MinMax[T]:
    """Return the smallest and the largest elements along a dimension or of all; see amax.

    Returns: (min, max).
    Source: torch.aminmax.
    """
    array = checked_array("aminmax", input)
    if dim is None and not array.size:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
        )
    d = None if dim is None else (dim_index("aminmax", dim, array.ndim),)
    if d is not None and array.ndim and not array.size and not array.shape[d[0]]:
        raise IndexError(f"aminmax: Expected reduction dim {d[0]} to have non-zero size.")
    return return_types.aminmax(
        apply(reduction.aminmax, (input,), {"dim": d if array.ndim else None, "keepdim": keepdim})
    )


# ----- Places -----


def _place(op: Op, input: Any, dim: Any, keepdim: bool) -> Any:
    array = checked_array(op.name, input)
    if array.dtype == bool:
        raise RuntimeError(f"{op.name}(): does not support bool input")
    d = None if dim is None else dim_index(op.name, dim, array.ndim)
    _refuse_empty(op.name, array, None if d is None else (d,))
    return apply(op, (input,), {"dim": d if array.ndim else None, "keepdim": keepdim})


@public_function
@writes(OUT_DTYPE, looks=(), grad=False, expanded=True)
def argmax(input: T, dim: int | None = None, keepdim: bool = False, *, out: Any = None) -> T:
    """Return the index of the (first) largest element along a dimension or in the flattened input.

    Returns: int64.
    Raises: IndexError: when there are no elements. RuntimeError: for bools.
    Source: torch.argmax.
    """
    return _place(extrema.argmax, input, dim, keepdim)


@public_function
@writes(OUT_DTYPE, looks=(), grad=False, expanded=True)
def argmin(input: T, dim: int | None = None, keepdim: bool = False, *, out: Any = None) -> T:
    """Return the index of the smallest element; see argmax. Source: torch.argmin."""
    return _place(extrema.argmin, input, dim, keepdim)


# ----- Order statistics -----


def _refuse_bool(name: str, input: Any, kernel: str) -> None:
    if checked_array(name, input).dtype == bool:
        raise NotImplementedError(f"\"{kernel}\" not implemented for 'Bool'")


@overload
def median(input: T) -> T: ...
@overload
def median(input: T, dim: int, keepdim: bool = ...) -> ValuesIndices[T]: ...
@overload
def median(input: T, *args: Any, **kwargs: Any) -> Any: ...
@public_function
@writes((_MEDIAN_VALUES, _MEDIAN_INDICES))
def median(input: Any, dim: int | None = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """Return the median, the lower of two middle elements; with dim, the medians along it and their indices.

    Args:
        input: any dtype but bool.
        dim: an int or None.
        keepdim: keep the dimension, with size 1.
    Returns: a 0-d tensor, whose gradient is shared by equal elements; with dim (values, indices). nan if there is one.
    Source: torch.median; for equal elements the index is that of the middle one in a stable sort.
    """
    _refuse_bool("median", input, "median_cpu" if dim is None else "median_out")
    if dim is None:
        return apply(extrema.median, (input,), {})
    return _with_places(extrema.median_dim, return_types.median, "median", input, dim, keepdim)


@overload
def nanmedian(input: T) -> T: ...
@overload
def nanmedian(input: T, dim: int, keepdim: bool = ...) -> ValuesIndices[T]: ...
@overload
def nanmedian(input: T, *args: Any, **kwargs: Any) -> Any: ...
@public_function
@writes((_MEDIAN_VALUES, _MEDIAN_INDICES))
def nanmedian(input: Any, dim: int | None = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """Return the median of the elements that are not nan; see median. Source: torch.nanmedian."""
    _refuse_bool("nanmedian", input, "median_cpu" if dim is None else "median_out")
    if dim is None:
        return apply(extrema.nanmedian, (input,), {})
    return _with_places(extrema.nanmedian_dim, return_types.nanmedian, "nanmedian", input, dim, keepdim)


@public_function
@writes(("output values must be of same type as input", "output indices must be of scalar type Long"), apart=("input",))
def kthvalue(input: T, k: int, dim: int = -1, keepdim: bool = False, *, out: Any = None) -> ValuesIndices[T]:
    """Return the k-th smallest elements along a dimension, k counted from 1, and their indices.

    Returns: (values, indices).
    Raises: RuntimeError: when k is out of range.
    Source: torch.kthvalue; for equal elements the index is the one that its CPU kernel finds.
    """
    array = checked_array("kthvalue", input)
    d = dim_index("kthvalue", dim, array.ndim)
    if not 1 <= k <= (array.shape[d] if array.ndim else 1):
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {d}")
    _refuse_bool("kthvalue", input, "kthvalue_cpu")
    return return_types.kthvalue(apply(extrema.kthvalue, (input,), {"k": k, "dim": d, "keepdim": keepdim}))


@public_function
@writes(
    (
        "expected scalar type '{result}' but got '{wanted}' for values output",
        "expected scalar type 'Long' but got '{wanted}' for indices output",
    ),
    apart=("input",),
)
def mode(input: T, dim: int = -1, keepdim: bool = False, *, out: Any = None) -> ValuesIndices[T]:
    """Return the most frequent elements along a dimension (the smallest of several) and their last indices.

    Returns: (values, indices).
    Source: torch.mode.
    """
    return _with_places(extrema.mode, return_types.mode, "mode", input, dim, keepdim)
