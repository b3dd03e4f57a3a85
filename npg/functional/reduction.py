"""Sums, means, variances, products, norms.

`dim` is an int, a tuple of ints or None; None (or an empty tuple) means all dimensions. Integers and bools are
summed and multiplied in int64, float16 in float32.
"""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from npg import dtypes
from npg._errors import warn
from npg._words import scalar_name, shape_text
from npg.engine import TensorBase, apply, is_grad_enabled
from npg.engine._out import OutRule
from npg.functional._arguments import checked_array, dim_index, dims_of
from npg.functional._factory import parse_sizes
from npg.functional._public import as_tensor_input, public_function, to_dtype, writes
from npg.functional._types import Dims, Scalar, T
from npg.functional.shape import reshape
from npg.ops import cumulative as scan_ops, distance, reduction as ops
from npg.ops._op import Op


def _bool_or_byte(own: dtypes.dtype, _result: dtypes.dtype) -> bool:
    return own is dtypes.bool_ or own is dtypes.uint8


# ----- Sums and means -----


@public_function
@writes(takes_dtype=True, looks=(), expanded=True)
def sum(input: T, dim: Dims | None = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None) -> T:
    """Return the sum over dimensions.

    Args:
        input: any shape and dtype.
        dim: the dimensions to sum over.
        keepdim: keep these dimensions, with size 1.
        dtype: cast the input to this dtype first.
    Returns: dtype of input, int64 for integers and bools.
    Source: torch.sum.
    """
    array = checked_array("sum", input)
    if dtype is not None:
        return _sum_as(input, dim, keepdim, dtypes.to_numpy(dtype))
    if dim is None and not keepdim:
        return apply(ops.sum_, (input,), {"dim": None, "keepdim": False})
    return apply(ops.sum_dim, (input,), {"dim": dims_of("sum", dim, array.ndim), "keepdim": keepdim})


def _cast(input: Any, dtype: np.dtype[Any]) -> Any:
    """Return the input cast to a NumPy dtype.

    Raises: RuntimeError: for an integer dtype when the input requires grad.
    """
    if dtype.kind != "f" and isinstance(input, TensorBase) and input.requires_grad and is_grad_enabled():
        raise RuntimeError(f"Autograd not support dtype: {scalar_name(dtype)}")
    return to_dtype(input, dtype)


def _sum_as(input: Any, dim: Any, keepdim: bool, dtype: np.dtype[Any]) -> Any:
    total = sum(_cast(input, dtype), dim, keepdim)
    return to_dtype(total, dtype)  # a sum in int64, when a smaller integer is requested


def _mean_rule(arguments: dict[str, Any], _out: Any) -> OutRule:
    text = "mean.dtype_out(): input types can't be cast to the desired output type {wanted}"
    return OutRule(text=text, looks=()) if arguments.get("dim") is None else OutRule(looks=())


@public_function
@writes(_mean_rule)
def mean(input: T, dim: Dims | None = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None) -> T:
    """Return the mean over dimensions; nan over no elements.

    Args:
        input: floating, or any with a floating dtype=.
        dim, keepdim, dtype: as in sum.
    Raises: RuntimeError: when the input or dtype is not floating.
    Source: torch.mean.
    """
    array = checked_array("mean", input)
    if dtype is not None:
        target = dtypes.to_numpy(dtype)
        _check_mean(target, "Optional")
        input = to_dtype(input, target)
    else:
        _check_mean(array.dtype, "Input")
    if dim is None and not keepdim:
        return apply(ops.mean, (input,), {"dim": None, "keepdim": False})
    return apply(ops.mean_dim, (input,), {"dim": dims_of("mean", dim, array.ndim), "keepdim": keepdim})


def _check_mean(dtype: np.dtype[Any], which: str) -> None:
    if dtype.kind != "f":
        raise RuntimeError(
            f"mean(): could not infer output dtype. {which} dtype must be either a floating point or complex dtype. "
            f"Got: {scalar_name(dtype)}"
        )


def _nansum_rule(arguments: dict[str, Any], out: Any) -> OutRule:
    kinds = [
        getattr(getattr(x, "_array", x), "dtype", np.dtype(np.float32)).kind for x in (arguments.get("input"), out)
    ]
    if kinds[0] != "f" or kinds[1] == "f":
        return OutRule(takes_dtype=True, looks=(), expanded=True)
    text = "\"nansum_cpu\" not implemented for '{wanted}'"
    return OutRule(lambda _held, _result: False, text, NotImplementedError, looks=())


@public_function
@writes(_nansum_rule)
def nansum(input: T, dim: Dims | None = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None) -> T:
    """Return the sum over dimensions, with nan as 0. Args as in sum. Source: torch.nansum."""
    array = checked_array("nansum", input)
    if array.dtype.kind != "f":
        return sum(input, dim, keepdim, dtype=dtype)
    if dtype is not None:
        target = dtypes.to_numpy(dtype)
        if target.kind != "f":  # also cast nan, as PyTorch does
            return sum(input, dim, keepdim, dtype=dtype)
        input = to_dtype(input, target)
    return apply(ops.nansum, (input,), {"dim": dims_of("nansum", dim, array.ndim), "keepdim": keepdim})


@public_function
@writes(looks=())
def nanmean(input: T, dim: Dims | None = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None) -> T:
    """Return the mean over dimensions of the elements that are not nan. Args as in mean. Source: torch.nanmean."""
    array = checked_array("nanmean", input)
    if array.dtype.kind != "f":
        raise RuntimeError(
            "nanmean(): expected input to have floating point or complex dtype but got " + scalar_name(array)
        )
    if dtype is not None:
        target = dtypes.to_numpy(dtype)
        if target.kind != "f":
            raise RuntimeError(
                "nanmean(): could not infer output dtype. Optional dtype must be either a floating point or complex "
                f"dtype. Got: {scalar_name(target)}"
            )
        input = to_dtype(input, target)
    return apply(ops.nanmean, (input,), {"dim": dims_of("nanmean", dim, array.ndim), "keepdim": keepdim})


@public_function
def count_nonzero(input: T, dim: Dims | None = None) -> T:
    """Return the int64 number of nonzero elements over dimensions. Source: torch.count_nonzero."""
    array = checked_array("count_nonzero", input)
    return apply(ops.count_nonzero, (input,), {"dim": dims_of("count_nonzero", dim, array.ndim)})


@public_function
def sum_to_size(input: T, *size: Dims) -> T:
    """Return input summed to a size that broadcasts to its own.

    Raises: RuntimeError: when the size does not.
    Source: torch.Tensor.sum_to_size.
    """
    shape = parse_sizes("sum_to_size", size)
    old = tuple(as_tensor_input("sum_to_size", input).shape)
    lead = len(old) - len(shape)
    if lead < 0 or builtins.any(n not in (1, m) for n, m in zip(shape, old[lead:])):
        raise RuntimeError(f"size {{{shape_text(shape)}}} is not expandable to size {{{shape_text(old)}}}.")
    if not shape:
        return sum(input)
    dims = tuple(i for i in range(len(old)) if i < lead or shape[i - lead] != old[i])
    return reshape(sum(input, dims), shape) if dims else input


# ----- Truth -----


@public_function
@writes(accepts=_bool_or_byte, text="all only supports bool tensor for result, got: {wanted}", looks=(), expanded=True)
def all(input: T, dim: Dims | None = None, keepdim: bool = False, *, out: Any = None) -> T:
    """Tell whether all elements over dimensions are true. Returns: bool; uint8 for uint8. Source: torch.all."""
    return _truth(ops.all_, "all", input, dim, keepdim)


@public_function
@writes(accepts=_bool_or_byte, text="any only supports bool tensor for result, got: {wanted}", looks=(), expanded=True)
def any(input: T, dim: Dims | None = None, keepdim: bool = False, *, out: Any = None) -> T:
    """Tell whether any element over dimensions is true. Returns: bool; uint8 for uint8. Source: torch.any."""
    return _truth(ops.any_, "any", input, dim, keepdim)


def _truth(op: Op, name: str, input: Any, dim: Any, keepdim: bool) -> Any:
    array = checked_array(name, input)
    # For these two reductions only, an empty tuple reduces nothing in PyTorch.
    nothing = isinstance(dim, (tuple, list)) and not dim
    dims = () if nothing else dims_of(name, dim, array.ndim)
    truth = apply(op, (input,), {"dim": dims, "keepdim": keepdim})
    return to_dtype(truth, array.dtype) if array.dtype == np.uint8 else truth


# ----- Variance -----


def _variance(op: Op, input: Any, dim: Any, unbiased: bool | None, keepdim: bool, correction: Scalar | None) -> Any:
    name = op.name
    array = checked_array(name, input)
    if array.dtype.kind != "f":
        subject = name if name.endswith("_mean") else "std and var"
        raise RuntimeError(f"{subject} only support floating point and complex dtypes")
    if isinstance(dim, bool):  # var(input, unbiased)
        dim, unbiased = None, dim
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    dims = dims_of(name, dim, array.ndim)
    if ops.count(array.shape, dims) <= correction:
        warn(
            f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor "
            "(input numel divided by output numel)."
        )
    return apply(op, (input,), {"dim": dims, "correction": correction, "keepdim": keepdim})


@public_function
@writes(looks=(), expanded=True)
def var(
    input: T,
    dim: Dims | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Scalar | None = None,
    out: Any = None,
) -> T:
    """Return the variance over dimensions, sum((x - mean)^2) / (n - correction).

    Args:
        input: floating.
        dim, keepdim: as in sum. `var(x, False)` is var(x, unbiased=False), as in PyTorch.
        unbiased: False means correction=0, True means 1.
        correction: 1 by default.
    Raises: RuntimeError: when the input is not floating.
    Source: torch.var.
    """
    return _variance(ops.var, input, dim, unbiased, keepdim, correction)


@public_function
@writes(looks=(), expanded=True)
def std(
    input: T,
    dim: Dims | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Scalar | None = None,
    out: Any = None,
) -> T:
    """Return the square root of the variance over dimensions. Args as in var. Source: torch.std."""
    return _variance(ops.std, input, dim, unbiased, keepdim, correction)


@public_function
def var_mean(
    input: T,
    dim: Dims | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Scalar | None = None,
    out: Any = None,
) -> tuple[T, T]:
    """Return the variance and the mean over dimensions. Args as in var. Source: torch.var_mean."""
    return _variance(ops.var_mean, input, dim, unbiased, keepdim, correction)


@public_function
def std_mean(
    input: T,
    dim: Dims | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Scalar | None = None,
    out: Any = None,
) -> tuple[T, T]:
    """Return the standard deviation and the mean over dimensions. Args as in var. Source: torch.std_mean."""
    return _variance(ops.std_mean, input, dim, unbiased, keepdim, correction)


# ----- Products and exponentials -----


@public_function
@writes(takes_dtype=True, looks=(), expanded=True)
def prod(input: T, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None) -> T:
    """Return the product over one dimension or all; the gradient is also right where elements are 0.

    Args:
        input: any shape and dtype.
        dim: an int, or None for all.
        keepdim, dtype: as in sum.
    Source: torch.prod.
    """
    array = checked_array("prod", input)
    if dtype is not None:
        dtype = dtypes.to_numpy(dtype)
        return to_dtype(prod(_cast(input, dtype), dim, keepdim), dtype)
    if dim is None:
        return apply(scan_ops.prod, (input,), {"dim": None, "keepdim": keepdim})
    d = dim_index("prod", dim, array.ndim)
    return apply(scan_ops.prod_dim, (input,), {"dim": d if array.ndim else None, "keepdim": keepdim})


@public_function
@writes(text="logsumexp(): Expected floating point type for result tensor, but got: {wanted}", looks=())
def logsumexp(input: T, dim: Dims, keepdim: bool = False, *, out: Any = None) -> T:
    """Return log(sum(exp(input))) over dimensions, without overflow. Integers give the default dtype.

    Source: torch.logsumexp.
    """
    array = checked_array("logsumexp", input)
    if array.dtype.kind != "f":
        input = to_dtype(input, dtypes.get_default_dtype().dtype)
    return apply(ops.logsumexp, (input,), {"dim": dims_of("logsumexp", dim, array.ndim), "keepdim": keepdim})


# ----- Norm -----


@public_function
def vector_norm(
    input: T, ord: Any = 2, dim: Dims | None = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None
) -> T:
    """Return the norm of the elements over dimensions: (sum |x|^ord)^(1/ord).

    Args:
        input: floating.
        ord: any number; inf and -inf give the largest and smallest |x|, 0 the number of nonzeros.
        dim, keepdim, dtype: as in sum.
    Raises: RuntimeError: when the input is not floating, or is empty and the norm has no value for that.
    Source: torch.linalg.vector_norm.
    """
    array = checked_array("linalg.vector_norm", input)
    if array.dtype.kind != "f":
        raise RuntimeError(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. Got " + scalar_name(array)
        )
    p = float(ord)
    dims = dims_of("linalg.vector_norm", dim, array.ndim)
    if not array.size and (p < 0 or p == math.inf):
        _refuse_empty(array.shape, dims, p)
    if dtype is not None:
        target = dtypes.to_numpy(dtype)
        _check_norm_dtype(array.dtype, target)
        input = to_dtype(input, target)
    return apply(distance.vector_norm, (input,), {"p": p, "dim": dims, "keepdim": keepdim})


def _check_norm_dtype(own: np.dtype[Any], target: np.dtype[Any]) -> None:
    """Raise RuntimeError when a norm cannot be computed in the requested dtype."""
    input_name, target_name = scalar_name(own), scalar_name(target)
    if target.kind != "f":
        raise RuntimeError(f"linalg.vector_norm: dtype should be floating point or complex, but got {target_name}")
    if target.itemsize < own.itemsize:
        raise RuntimeError(
            f"linalg.vector_norm: the dtype of the input ({input_name}) should be convertible without narrowing to the "
            f"specified dtype ({target_name})"
        )


def _refuse_empty(shape: tuple[int, ...], dims: tuple[int, ...] | None, p: float) -> None:
    order = f"{p:g}"
    if dims is None:
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {order} norm on an empty tensor because the operation does not "
            "have an identity"
        )
    for d in dims:
        if shape[d] == 0:
            raise RuntimeError(
                f"linalg.vector_norm cannot compute the {order} norm on the dimension {d}because this dimension is "
                "empty and the operation does not have an identity"
            )
