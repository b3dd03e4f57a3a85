"""NumPy's reductions, elementwise functions and sorting on tensors.

Each entry has NumPy's parameters, as far as npg has something for them; another keyword is a TypeError. Results follow
npg, so `np.mean` of float32 is float32; where the two libraries differ in meaning (np.var divides by N, np.sort gives
values only) the entry does what NumPy means.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from npg import functional as F
from npg.engine import TensorBase
from npg.functional._public import canonical_dim, to_dtype
from npg.tensor.numpy_table import as_dtype, axes_of, flat, floating, implements, tensor, values

# ----- Reductions -----


def _reduce(function: Callable[..., Any], x: Any, axis: Any, keepdims: bool) -> Any:
    x = tensor(x)
    if axis == ():  # over nothing: every element is a group of its own
        return function(F.unsqueeze(x, -1), -1)
    if axis is None:
        axis = tuple(range(x.ndim))
    if isinstance(axis, tuple) and not axis:
        return function(x)
    return function(x, axis, keepdim=keepdims)


def _where_or(a: Any, where: Any, fill: Any) -> Any:
    """Return a with a number where the mask does not hold, so that a reduction does not see what was there."""
    return a if where is True else F.where(tensor(np.asarray(values(where), bool)), a, fill)


@implements(np.sum)
def _sum(a, axis=None, dtype=None, keepdims=False, initial=None, where=True):
    found = _reduce(F.sum, _where_or(as_dtype(tensor(a), dtype), where, 0), axis, keepdims)
    return found if initial is None else found + initial


@implements(np.nansum)
def _nansum(a, axis=None, dtype=None, keepdims=False, initial=None, where=True):
    found = _reduce(F.nansum, _where_or(as_dtype(tensor(a), dtype), where, 0), axis, keepdims)
    return found if initial is None else found + initial


@implements(np.mean)
def _mean(a, axis=None, dtype=None, keepdims=False, *, where=True):
    a = floating(as_dtype(tensor(a), dtype))
    if where is not True:
        count = np.sum(np.broadcast_to(np.asarray(values(where), bool), tuple(a.shape)), axis, keepdims=keepdims)
        return _sum(a, axis, None, keepdims, where=where) / np.asarray(count, a._array.dtype)
    return _reduce(F.mean, a, axis, keepdims)


@implements(np.nanmean)
def _nanmean(a, axis=None, dtype=None, keepdims=False, *, where=True):
    return _reduce(F.nanmean, _where_or(as_dtype(tensor(a), dtype), where, float("nan")), axis, keepdims)


@implements(np.prod)
def _prod(a, axis=None, dtype=None, keepdims=False, initial=None, where=True):
    if initial is not None:
        return _prod(a, axis, dtype, keepdims, None, where) * initial
    a = _where_or(as_dtype(tensor(a), dtype), where, 1)
    if axis is None:
        found = F.prod(a)
        return F.reshape(found, (1,) * a.ndim) if keepdims else found
    for d in sorted(axes_of(axis, a.ndim), reverse=True):  # torch.prod takes one dimension
        a = F.prod(a, d, keepdim=keepdims)
    return a


def _extremum(function, pair, a, axis, keepdims, initial, where):
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
def _max(a, axis=None, keepdims=False, initial=None, where=True):
    return _extremum(F.amax, F.maximum, a, axis, keepdims, initial, where)


@implements(np.min, np.amin)
def _min(a, axis=None, keepdims=False, initial=None, where=True):
    return _extremum(F.amin, F.minimum, a, axis, keepdims, initial, where)


@implements(np.ptp)
def _ptp(a, axis=None, keepdims=False):
    return _reduce(F.amax, a, axis, keepdims) - _reduce(F.amin, a, axis, keepdims)


@implements(np.argmax)
def _argmax(a, axis=None, *, keepdims=False):
    return F.argmax(tensor(a), axis, keepdim=keepdims)


@implements(np.argmin)
def _argmin(a, axis=None, *, keepdims=False):
    return F.argmin(tensor(a), axis, keepdim=keepdims)


@implements(np.any)
def _any(a, axis=None, keepdims=False, *, where=True):
    return _reduce(F.any, _where_or(tensor(a), where, 0), axis, keepdims)


@implements(np.all)
def _all(a, axis=None, keepdims=False, *, where=True):
    return _reduce(F.all, _where_or(tensor(a), where, 1), axis, keepdims)


@implements(np.count_nonzero)
def _count_nonzero(a, axis=None, *, keepdims=False):
    return _reduce(F.sum, F.ne(tensor(a), 0), axis, keepdims)


@implements(np.cumsum)
def _cumsum(a, axis=None, dtype=None):
    a, axis = flat(a, axis)
    return F.cumsum(as_dtype(a, dtype), axis)


@implements(np.cumprod)
def _cumprod(a, axis=None, dtype=None):
    a, axis = flat(a, axis)
    return F.cumprod(as_dtype(a, dtype), axis)


@implements(np.diff)
def _diff(a, n=1, axis=-1, prepend=None, append=None):
    a = tensor(a)
    ends = tuple(1 if d == axis % a.ndim else m for d, m in enumerate(a.shape))
    prepend, append = (
        x if x is None else F.expand(tensor(x), ends) if np.ndim(values(x)) == 0 else tensor(x)
        for x in (prepend, append)
    )
    return F.diff(a, n, axis, prepend=prepend, append=append)


@implements(np.average)
def _average(a, axis=None, weights=None, returned=False, *, keepdims=False):
    a = tensor(a)
    if weights is None:
        found = _mean(a, axis, keepdims=keepdims)
        each = a._array.size // max(found._array.size, 1)
        return (found, tensor(np.full_like(found._array, each))) if returned else found
    a, weights = tensor(a), tensor(weights)
    if weights.shape != a.shape:
        if not isinstance(axis, int) or weights.ndim != 1:
            raise TypeError(f"np.average of a Tensor needs weights of its shape, got {weights.shape} and {a.shape}")
        weights = F.movedim(F.expand(weights, F.movedim(a, axis, -1).shape), -1, axis)
    total = _sum(weights, axis, keepdims=keepdims)
    found = _sum(a * weights, axis, keepdims=keepdims) / total
    return (found, to_dtype(total, found._array.dtype)) if returned else found


# ----- Element by element -----


@implements(np.where)
def _where(condition, x=None, y=None, /):
    condition = tensor(condition)
    if condition._array.dtype.kind != "b":
        condition = F.ne(condition, 0)
    if x is None and y is None:
        return F.nonzero(condition, as_tuple=True)
    if not isinstance(x, TensorBase) and not isinstance(y, TensorBase):
        x = tensor(x)  # the condition alone is a tensor
    return F.where(condition, x, y)


@implements(np.select)
def _select(condlist, choicelist, default=0):
    found = default
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        found = _where(condition, choice, found)
    return found


@implements(np.clip)
def _clip(a, a_min=None, a_max=None, *, min=None, max=None, dtype=None):
    return F.clamp(as_dtype(tensor(a), dtype), min if a_min is None else a_min, max if a_max is None else a_max)


@implements(np.round, np.around)
def _round(a, decimals=0):
    return F.round(tensor(a), decimals=decimals) if decimals else F.round(tensor(a))


@implements(np.fix)
def _fix(x):
    return F.trunc(tensor(x))


@implements(np.nan_to_num)
def _nan_to_num(x, copy=True, nan=0.0, posinf=None, neginf=None):
    return F.nan_to_num(tensor(x), nan=nan, posinf=posinf, neginf=neginf)


@implements(np.sinc)
def _sinc(x):
    return F.sinc(tensor(x))


@implements(np.real, np.real_if_close)
def _real(val, tol=100):
    return tensor(val)


@implements(np.isclose)
def _isclose(a, b, rtol=1e-5, atol=1e-8, equal_nan=False):
    return tensor(np.isclose(values(a), values(b), rtol, atol, equal_nan))


@implements(np.allclose)
def _allclose(a, b, rtol=1e-5, atol=1e-8, equal_nan=False):
    return np.allclose(values(a), values(b), rtol, atol, equal_nan)


@implements(np.array_equal)
def _array_equal(a1, a2, equal_nan=False):
    return np.array_equal(values(a1), values(a2), equal_nan)


# ----- Indices, sorting -----


@implements(np.take)
def _take(a, indices, axis=None, mode="raise"):
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
    found = F.index_select(a, axis, tensor(np.where(indices < 0, indices + n, indices).reshape(-1)))
    return F.reshape(found, (*a.shape[:axis], *indices.shape, *a.shape[axis + 1 :]))


@implements(np.take_along_axis)
def _take_along_axis(arr, indices, axis=-1):
    arr, axis = flat(arr, axis)
    return F.take_along_dim(arr, tensor(indices), axis)


@implements(np.nonzero)
def _nonzero(a):
    return F.nonzero(tensor(a), as_tuple=True)


@implements(np.argwhere)
def _argwhere(a):
    return F.nonzero(tensor(a))


@implements(np.flatnonzero)
def _flatnonzero(a):
    return F.reshape(F.nonzero(F.reshape(tensor(a), (-1,))), (-1,))


@implements(np.sort)
def _sort(a, axis=-1, kind=None, *, stable=None):
    a, axis = flat(a, axis)
    return F.sort(a, dim=axis, stable=bool(stable or kind in ("stable", "mergesort")))[0]


@implements(np.argsort)
def _argsort(a, axis=-1, kind=None, *, stable=None):
    a, axis = flat(a, axis)
    return F.argsort(a, dim=axis, stable=bool(stable or kind in ("stable", "mergesort")))


@implements(np.median)
def _median(a, axis=None, overwrite_input=False, keepdims=False):
    # NumPy takes the mean of the two middle values, torch.median the lower one.
    a, dims = tensor(a), None if axis is None else axes_of(axis, tensor(a).ndim)
    dims = tuple(range(a.ndim)) if dims is None else dims
    kept = tuple(n for i, n in enumerate(a.shape) if i not in dims)
    flat = F.reshape(F.permute(a, (*(i for i in range(a.ndim) if i not in dims), *dims)), (*kept, -1))
    n = flat.shape[-1]
    ordered = F.sort(flat, dim=-1)[0]
    found = (ordered[..., (n - 1) // 2] + ordered[..., n // 2]) / 2
    return F.reshape(found, tuple(1 if i in dims else m for i, m in enumerate(a.shape))) if keepdims else found


@implements(np.searchsorted)
def _searchsorted(a, v, side="left", sorter=None):
    a, v = tensor(a), tensor(v)
    return F.searchsorted(a, v, side=side, sorter=None if sorter is None else tensor(sorter))


@implements(np.bincount)
def _bincount(x, /, weights=None, minlength=0):
    if weights is None:
        return F.bincount(tensor(x), None, minlength)
    x, weights = np.asarray(values(x)), floating(tensor(weights))
    if x.ndim != 1 or x.dtype.kind not in "biu" or (x.size and x.min() < 0):
        raise ValueError("expected a one-dimensional list of integers that are not negative")
    if x.shape != tuple(weights.shape):
        raise ValueError("The weights and list don't have the same length.")
    n = max(minlength, int(x.max()) + 1 if x.size else 0)
    return F.index_add(tensor(np.zeros(n, weights._array.dtype)), 0, tensor(x.astype(np.int64)), weights)


@implements(np.put_along_axis)
def _put_along_axis(arr, indices, values, axis):
    if not isinstance(arr, TensorBase):
        raise TypeError("np.put_along_axis cannot write a Tensor into an array; use tensor.detach().numpy()")
    if axis is None:
        raise TypeError("np.put_along_axis of a Tensor needs an axis")
    indices = tensor(indices)
    values = values if isinstance(values, TensorBase) else to_dtype(tensor(values), arr._array.dtype)
    F.scatter_(arr, axis, indices, F.expand(values, tuple(indices.shape)))
