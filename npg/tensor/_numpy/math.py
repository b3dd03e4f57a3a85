"""NumPy's reductions, elementwise functions and sorting on tensors.

Each entry has NumPy's parameters, as far as npg supports them; any other keyword is a TypeError. Results have npg's
dtypes, so `np.mean` of float32 is float32; where the meaning differs (np.var divides by N, np.sort returns values only)
the entry follows NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from npg import functional as F
from npg.engine import TensorBase
from npg.functional._arguments import canonical_dim
from npg.functional._public import to_dtype
from npg.tensor._numpy.registry import as_dtype, axes_of, flat, floating, implements, tensor, values

# ----- Reductions -----


def _reduce(function: Callable[..., Any], x: Any, axis: Any, keepdims: bool) -> Any:
    x = tensor(x)
    if axis == ():  # no axis to reduce: every element is its own result
        return function(F.unsqueeze(x, -1), -1)
    if axis is None:
        axis = tuple(range(x.ndim))
    if isinstance(axis, tuple) and not axis:
        return function(x)
    return function(x, axis, keepdim=keepdims)


def _where_or(a: Any, where: Any, fill: Any) -> Any:
    """Return a with a number where the mask is False, so that a reduction ignores the elements there."""
    return a if where is True else F.where(tensor(np.asarray(values(where), bool)), a, fill)


@implements(np.sum)
def _sum(
    a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    total = _reduce(F.sum, _where_or(as_dtype(tensor(a), dtype), where, 0), axis, keepdims)
    return total if initial is None else total + initial


@implements(np.nansum)
def _nansum(
    a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    total = _reduce(F.nansum, _where_or(as_dtype(tensor(a), dtype), where, 0), axis, keepdims)
    return total if initial is None else total + initial


@implements(np.mean)
def _mean(a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, *, where: Any = True) -> Any:
    a = floating(as_dtype(tensor(a), dtype))
    if where is not True:
        count = np.sum(np.broadcast_to(np.asarray(values(where), bool), tuple(a.shape)), axis, keepdims=keepdims)
        return _sum(a, axis, None, keepdims, where=where) / np.asarray(count, a._array.dtype)
    return _reduce(F.mean, a, axis, keepdims)


@implements(np.nanmean)
def _nanmean(a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, *, where: Any = True) -> Any:
    return _reduce(F.nanmean, _where_or(as_dtype(tensor(a), dtype), where, float("nan")), axis, keepdims)


@implements(np.prod)
def _prod(
    a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    if initial is not None:
        return _prod(a, axis, dtype, keepdims, None, where) * initial
    a = _where_or(as_dtype(tensor(a), dtype), where, 1)
    if axis is None:
        product = F.prod(a)
        return F.reshape(product, (1,) * a.ndim) if keepdims else product
    for d in sorted(axes_of(axis, a.ndim), reverse=True):  # torch.prod takes one dimension
        a = F.prod(a, d, keepdim=keepdims)
    return a


def _extremum(
    function: Callable[..., Any], pair: Callable[..., Any], a: Any, axis: Any, keepdims: bool, initial: Any, where: Any
) -> Any:
    a = tensor(a)
    if initial is None:
        if where is not True:
            name = pair.__name__
            raise ValueError(
                f"reduction operation '{name}' does not have an identity, so to use a where mask one has to specify "
                "'initial'"
            )
        return _reduce(function, a, axis, keepdims)
    first = to_dtype(tensor(initial), a._array.dtype)
    a = _where_or(a, where, first)
    if not a._array.size:
        return F.expand(first, np.sum(a._array, axis, keepdims=keepdims).shape)
    return pair(_reduce(function, a, axis, keepdims), first)


@implements(np.max, np.amax)
def _max(a: Any, axis: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True) -> Any:
    return _extremum(F.amax, F.maximum, a, axis, keepdims, initial, where)


@implements(np.min, np.amin)
def _min(a: Any, axis: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True) -> Any:
    return _extremum(F.amin, F.minimum, a, axis, keepdims, initial, where)


@implements(np.ptp)
def _ptp(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _reduce(F.amax, a, axis, keepdims) - _reduce(F.amin, a, axis, keepdims)


@implements(np.argmax)
def _argmax(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return F.argmax(tensor(a), axis, keepdim=keepdims)


@implements(np.argmin)
def _argmin(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return F.argmin(tensor(a), axis, keepdim=keepdims)


@implements(np.any)
def _any(a: Any, axis: Any = None, keepdims: bool = False, *, where: Any = True) -> Any:
    return _reduce(F.any, _where_or(tensor(a), where, 0), axis, keepdims)


@implements(np.all)
def _all(a: Any, axis: Any = None, keepdims: bool = False, *, where: Any = True) -> Any:
    return _reduce(F.all, _where_or(tensor(a), where, 1), axis, keepdims)


@implements(np.count_nonzero)
def _count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _reduce(F.sum, F.ne(tensor(a), 0), axis, keepdims)


@implements(np.cumsum)
def _cumsum(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    a, axis = flat(a, axis)
    return F.cumsum(as_dtype(a, dtype), axis)


@implements(np.cumprod)
def _cumprod(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    a, axis = flat(a, axis)
    return F.cumprod(as_dtype(a, dtype), axis)


@implements(np.diff)
def _diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    a = tensor(a)
    ends = tuple(1 if d == axis % a.ndim else m for d, m in enumerate(a.shape))
    prepend, append = (
        x if x is None else F.expand(tensor(x), ends) if np.ndim(values(x)) == 0 else tensor(x)
        for x in (prepend, append)
    )
    return F.diff(a, n, axis, prepend=prepend, append=append)


@implements(np.average)
def _average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    a = tensor(a)
    if weights is None:
        average = _mean(a, axis, keepdims=keepdims)
        count = a._array.size // max(average._array.size, 1)
        return (average, tensor(np.full_like(average._array, count))) if returned else average
    a, weights = tensor(a), tensor(weights)
    if weights.shape != a.shape:
        if not isinstance(axis, int) or weights.ndim != 1:
            raise TypeError(f"np.average of a Tensor needs weights of its shape, got {weights.shape} and {a.shape}")
        weights = F.movedim(F.expand(weights, F.movedim(a, axis, -1).shape), -1, axis)
    total = _sum(weights, axis, keepdims=keepdims)
    average = _sum(a * weights, axis, keepdims=keepdims) / total
    return (average, to_dtype(total, average._array.dtype)) if returned else average


# ----- Element by element -----


@implements(np.where)
def _where(condition: Any, x: Any = None, y: Any = None, /) -> Any:
    condition = tensor(condition)
    if condition._array.dtype.kind != "b":
        condition = F.ne(condition, 0)
    if x is None and y is None:
        return F.nonzero(condition, as_tuple=True)
    if not isinstance(x, TensorBase) and not isinstance(y, TensorBase):
        x = tensor(x)  # only the condition is a tensor
    return F.where(condition, x, y)


@implements(np.select)
def _select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    result = default
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        result = _where(condition, choice, result)
    return result


@implements(np.clip)
def _clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None, dtype: Any = None) -> Any:
    return F.clamp(as_dtype(tensor(a), dtype), min if a_min is None else a_min, max if a_max is None else a_max)


@implements(np.round, np.around)
def _round(a: Any, decimals: int = 0) -> Any:
    return F.round(tensor(a), decimals=decimals) if decimals else F.round(tensor(a))


@implements(np.fix)
def _fix(x: Any) -> Any:
    return F.trunc(tensor(x))


@implements(np.nan_to_num, writes=True)
def _nan_to_num(
    x: Any, copy: bool = True, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Any:
    numbers = F.nan_to_num(tensor(x), nan=nan, posinf=posinf, neginf=neginf)
    return F.copy_(x, numbers) if not copy and isinstance(x, TensorBase) else numbers


@implements(np.sinc)
def _sinc(x: Any) -> Any:
    return F.sinc(tensor(x))


@implements(np.real, np.real_if_close)
def _real(val: Any, tol: float = 100) -> Any:
    return tensor(val)


# ----- Indices, sorting -----


@implements(np.take)
def _take(a: Any, indices: Any, axis: Any = None, mode: str = "raise") -> Any:
    a, axis = flat(a, axis)
    axis = canonical_dim(axis, a.ndim)
    indices, n = np.asarray(values(indices)), a.shape[axis]
    if mode == "clip":
        indices = np.clip(indices, 0, n - 1)
    elif mode == "wrap":
        indices = indices % n
    elif indices.size and not (indices.min() >= -n and indices.max() < n):
        bad = indices.max() if indices.max() >= n else indices.min()
        raise IndexError(f"index {bad} is out of bounds for axis {axis} with size {n}")
    slices = F.index_select(a, axis, tensor(np.where(indices < 0, indices + n, indices).reshape(-1)))
    return F.reshape(slices, (*a.shape[:axis], *indices.shape, *a.shape[axis + 1 :]))


@implements(np.take_along_axis)
def _take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    arr, axis = flat(arr, axis)
    return F.take_along_dim(arr, tensor(indices), axis)


@implements(np.nonzero)
def _nonzero(a: Any) -> Any:
    return F.nonzero(tensor(a), as_tuple=True)


@implements(np.argwhere)
def _argwhere(a: Any) -> Any:
    return F.nonzero(tensor(a))


@implements(np.flatnonzero)
def _flatnonzero(a: Any) -> Any:
    return F.reshape(F.nonzero(F.reshape(tensor(a), (-1,))), (-1,))


@implements(np.sort)
def _sort(a: Any, axis: Any = -1, kind: str | None = None, *, stable: bool | None = None) -> Any:
    a, axis = flat(a, axis)
    return F.sort(a, dim=axis, stable=bool(stable or kind in ("stable", "mergesort")))[0]


@implements(np.argsort)
def _argsort(a: Any, axis: Any = -1, kind: str | None = None, *, stable: bool | None = None) -> Any:
    a, axis = flat(a, axis)
    return F.argsort(a, dim=axis, stable=bool(stable or kind in ("stable", "mergesort")))


@implements(np.median)
def _median(a: Any, axis: Any = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    # NumPy returns the mean of the two middle values, torch.median the lower one.
    a, dims = tensor(a), None if axis is None else axes_of(axis, tensor(a).ndim)
    dims = tuple(range(a.ndim)) if dims is None else dims
    remaining = tuple(n for i, n in enumerate(a.shape) if i not in dims)
    flat = F.reshape(F.permute(a, (*(i for i in range(a.ndim) if i not in dims), *dims)), (*remaining, -1))
    n = flat.shape[-1]
    ordered = F.sort(flat, dim=-1)[0]
    median = (ordered[..., (n - 1) // 2] + ordered[..., n // 2]) / 2
    return F.reshape(median, tuple(1 if i in dims else m for i, m in enumerate(a.shape))) if keepdims else median


@implements(np.searchsorted)
def _searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    a, v = tensor(a), tensor(v)
    return F.searchsorted(a, v, side=side, sorter=None if sorter is None else tensor(sorter))


@implements(np.bincount)
def _bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    if weights is None:
        return F.bincount(tensor(x), None, minlength)
    x, weights = np.asarray(values(x)), floating(tensor(weights))
    if x.ndim != 1 or x.dtype.kind not in "biu" or (x.size and x.min() < 0):
        raise ValueError("expected a one-dimensional list of integers that are not negative")
    if x.shape != tuple(weights.shape):
        raise ValueError("The weights and list don't have the same length.")
    n = max(minlength, int(x.max()) + 1 if x.size else 0)
    return F.index_add(tensor(np.zeros(n, weights._array.dtype)), 0, tensor(x.astype(np.int64)), weights)


@implements(np.put_along_axis, writes=True)
def _put_along_axis(arr: Any, indices: Any, values: Any, axis: Any) -> None:
    if not isinstance(arr, TensorBase):
        raise TypeError("np.put_along_axis cannot write a Tensor into an array; use tensor.detach().numpy()")
    if axis is None:
        raise TypeError("np.put_along_axis of a Tensor needs an axis")
    indices = tensor(indices)
    values = values if isinstance(values, TensorBase) else to_dtype(tensor(values), arr._array.dtype)
    F.scatter_(arr, axis, indices, F.expand(values, tuple(indices.shape)))
