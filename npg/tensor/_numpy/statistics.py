"""NumPy's statistics on tensors: quantiles, reductions that skip nan, running sums, covariances; see math.py."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from npg import functional as F
from npg.tensor._numpy.math import _cumprod, _cumsum, _max, _min, _prod, _sum
from npg.tensor._numpy.nondifferentiable import refuse_recorded
from npg.tensor._numpy.registry import as_dtype, axes_of, floating, implements, tensor, values
from npg.tensor._numpy.shape import atleast_2d

# ----- Quantiles -----

_VIRTUAL = {  # method: (index from the virtual index, weight of the next element)
    "linear": lambda v: (np.floor(v), v - np.floor(v)),
    "lower": lambda v: (np.floor(v), 0 * v),
    "higher": lambda v: (np.ceil(v), 0 * v),
    "nearest": lambda v: (np.rint(v), 0 * v),
    "midpoint": lambda v: (np.floor(v), 0.5 * (v % 1 > 0)),
}


def _rows(a: Any, axis: Any) -> tuple[Any, tuple[int, ...], tuple[int, ...]]:
    """Return a with the axes flattened into a last one, the shape without them, and the shape with 1 for them."""
    dims = tuple(range(a.ndim)) if axis is None else axes_of(axis, a.ndim)
    remaining = tuple(n for i, n in enumerate(a.shape) if i not in dims)
    flat = F.reshape(F.permute(a, (*(i for i in range(a.ndim) if i not in dims), *dims)), (*remaining, -1))
    return flat, remaining, tuple(1 if i in dims else n for i, n in enumerate(a.shape))


def _quantile(name: str, a: Any, q: Any, axis: Any, method: str, keepdims: bool, skip: bool, scale: float = 1.0) -> Any:
    a = floating(tensor(a))
    refuse_recorded(f"the q of np.{name}", q)
    q = np.asarray(values(q), a._array.dtype if a._array.dtype.itemsize == 8 else np.float64) / scale
    if method not in _VIRTUAL:
        raise TypeError(f"np.{name} of a Tensor has the methods {', '.join(_VIRTUAL)}, got {method!r}")
    if q.size and not (q.min() >= 0 and q.max() <= 1):
        raise ValueError(
            "Quantiles must be in the range [0, 1]" if scale == 1 else "Percentiles must be in the range [0, 100]"
        )
    flat, remaining, kept_dims = _rows(a, axis)
    ordered = F.sort(flat, dim=-1)[0]  # nan is last
    count = np.count_nonzero(~np.isnan(ordered._array), axis=-1)
    length = count if skip else np.full(remaining, ordered.shape[-1])
    last = np.maximum(length - 1, 0)
    place, weight = _VIRTUAL[method](q.reshape(-1, *(1,) * len(remaining)) * last)  # (number of q, *kept)
    low = np.moveaxis(place.astype(np.int64), 0, -1)
    high = np.minimum(low + 1, last[..., None])
    w = np.moveaxis(weight, 0, -1).astype(a._array.dtype)
    first, second = F.take_along_dim(ordered, low, -1), F.take_along_dim(ordered, high, -1)
    quantiles = F.where(tensor(w == 0), first, first + (second - first) * w)
    bad = count == 0 if skip else count < length
    if bad.any():
        if skip:
            warnings.warn("All-NaN slice encountered", RuntimeWarning, stacklevel=5)
        quantiles = F.where(tensor(bad[..., None]), float("nan"), quantiles)
    quantiles = F.movedim(quantiles, -1, 0)
    return F.reshape(quantiles, (*q.shape, *(kept_dims if keepdims else remaining)))


@implements(np.quantile)
def _np_quantile(
    a: Any, q: Any, axis: Any = None, *, overwrite_input: bool = False, method: str = "linear", keepdims: bool = False
) -> Any:
    return _quantile("quantile", a, q, axis, method, keepdims, False)


@implements(np.percentile)
def _percentile(
    a: Any, q: Any, axis: Any = None, *, overwrite_input: bool = False, method: str = "linear", keepdims: bool = False
) -> Any:
    return _quantile("percentile", a, q, axis, method, keepdims, False, 100.0)


@implements(np.nanquantile)
def _nanquantile(
    a: Any, q: Any, axis: Any = None, *, overwrite_input: bool = False, method: str = "linear", keepdims: bool = False
) -> Any:
    return _quantile("nanquantile", a, q, axis, method, keepdims, True)


@implements(np.nanpercentile)
def _nanpercentile(
    a: Any, q: Any, axis: Any = None, *, overwrite_input: bool = False, method: str = "linear", keepdims: bool = False
) -> Any:
    return _quantile("nanpercentile", a, q, axis, method, keepdims, True, 100.0)


@implements(np.nanmedian)
def _nanmedian(a: Any, axis: Any = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    return _quantile("nanmedian", a, 0.5, axis, "linear", keepdims, True)


# ----- Without nan -----


def _filled(a: Any, value: float) -> Any:
    a = tensor(a)
    return F.where(F.isnan(a), value, a) if a._array.dtype.kind == "f" else a


@implements(np.nanprod)
def _nanprod(
    a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    return _prod(_filled(a, 1.0), axis, dtype, keepdims, initial, where)


@implements(np.nancumsum)
def _nancumsum(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    return _cumsum(_filled(a, 0.0), axis, dtype)


@implements(np.nancumprod)
def _nancumprod(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    return _cumprod(_filled(a, 1.0), axis, dtype)


def _nan_extremum(extremum: Any, a: Any, axis: Any, keepdims: bool, initial: Any, where: Any, other: float) -> Any:
    a = tensor(a)
    extrema = extremum(_filled(a, other), axis, keepdims, initial, where)
    nothing = np.isnan(a._array).all(axis, keepdims=keepdims) if initial is None else np.False_
    if not np.any(nothing):
        return extrema
    warnings.warn("All-NaN slice encountered", RuntimeWarning, stacklevel=5)
    return F.where(tensor(nothing), float("nan"), extrema)


@implements(np.nanmax)
def _nanmax(a: Any, axis: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True) -> Any:
    return _nan_extremum(_max, a, axis, keepdims, initial, where, -np.inf)


@implements(np.nanmin)
def _nanmin(a: Any, axis: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True) -> Any:
    return _nan_extremum(_min, a, axis, keepdims, initial, where, np.inf)


# ----- Variances -----


def _variance(a: Any, mask: Any, axis: Any, ddof: float, keepdims: bool, mean: Any) -> Any:
    """Return the variance of the elements where the mask is True, about their mean or a given one."""
    axis = tuple(range(a.ndim)) if axis is None else axis
    count = np.count_nonzero(mask, axis, keepdims=True)
    present = F.where(tensor(mask), a, 0.0)
    if mean is not None:
        mean = as_dtype(tensor(mean), a._array.dtype)
    else:
        mean = _sum(present, axis, None, True) / count.astype(a._array.dtype)
    # Masked differences must not enter the product, whose gradient could be nan.
    deviation = F.where(tensor(mask), present - mean, 0.0)
    freedom = (count - ddof).astype(a._array.dtype)
    if (freedom <= 0).any():
        warnings.warn("Degrees of freedom <= 0 for slice.", RuntimeWarning, stacklevel=5)
        freedom = np.where(freedom <= 0, np.nan, freedom)
    variance = _sum(deviation * deviation, axis, None, True) / freedom
    return variance if keepdims else F.reshape(variance, values(variance).squeeze(axis).shape)


def _root(x: Any) -> Any:
    """Return the square root, with gradient 0 where it is 0, as torch.std."""
    nothing = F.eq(x, 0)
    return F.where(nothing, 0.0, F.sqrt(F.where(nothing, 1.0, x)))


@implements(np.var)
def _var(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: Any = None,
) -> Any:
    a, ddof = floating(as_dtype(tensor(a), dtype)), ddof if correction is None else correction
    if where is True and mean is None and axis != ():
        return F.var(a, axis, correction=ddof, keepdim=keepdims)
    mask = np.broadcast_to(np.asarray(values(where), bool), tuple(a.shape))
    return _variance(a, mask, axis, ddof, keepdims, mean)


@implements(np.std)
def _std(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: Any = None,
) -> Any:
    a, ddof = floating(as_dtype(tensor(a), dtype)), ddof if correction is None else correction
    if where is True and mean is None and axis != ():
        return F.std(a, axis, correction=ddof, keepdim=keepdims)
    return _root(_var(a, axis, None, ddof, keepdims, where=where, mean=mean))


@implements(np.nanvar)
def _nanvar(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: Any = None,
) -> Any:
    a, ddof = floating(as_dtype(tensor(a), dtype)), ddof if correction is None else correction
    return _variance(a, ~np.isnan(a._array) & values(where), axis, ddof, keepdims, mean)


@implements(np.nanstd)
def _nanstd(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: Any = None,
) -> Any:
    return _root(_nanvar(a, axis, dtype, ddof, keepdims, where=where, mean=mean, correction=correction))


# ----- Running sums -----


def _cumulative(name: str, running: Any, first: int, x: Any, axis: Any, dtype: Any, include_initial: bool) -> Any:
    x = tensor(x)
    if axis is None:
        if x.ndim > 1:
            raise ValueError("For arrays which have more than one dimension ``axis`` argument is required.")
        axis = 0
    sums = running(F.reshape(x, (-1,)) if not x.ndim else x, axis, dtype)
    if not include_initial:
        return sums
    start = np.full(tuple(1 if d == axis % sums.ndim else n for d, n in enumerate(sums.shape)), first)
    return F.cat([tensor(start.astype(sums._array.dtype)), sums], axis)


if hasattr(np, "cumulative_sum"):  # NumPy 2.1

    @implements(np.cumulative_sum)
    def _cumulative_sum(x: Any, /, *, axis: Any = None, dtype: Any = None, include_initial: bool = False) -> Any:
        return _cumulative("cumulative_sum", _cumsum, 0, x, axis, dtype, include_initial)

    @implements(np.cumulative_prod)
    def _cumulative_prod(x: Any, /, *, axis: Any = None, dtype: Any = None, include_initial: bool = False) -> Any:
        return _cumulative("cumulative_prod", _cumprod, 1, x, axis, dtype, include_initial)


# ----- Covariances -----


@implements(np.cov)
def _cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: float | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    x = floating(as_dtype(tensor(m), dtype))
    if x.ndim > 2:
        raise ValueError("m has more than 2 dimensions")
    x = atleast_2d(x)
    if not rowvar and tensor(m).ndim != 1:
        x = x.T
    if y is not None:
        other = atleast_2d(floating(tensor(y)))
        x = F.cat([x, other if rowvar or other.shape[0] == 1 else other.T], 0)
    ddof = (0 if bias else 1) if ddof is None else ddof
    if fweights is None and aweights is None:
        x = x - F.mean(x, 1, keepdim=True)
        return F.squeeze(F.matmul(x, x.T) / (x.shape[1] - ddof))
    w = tensor(1.0 if fweights is None else fweights)
    if aweights is not None:
        w = w * tensor(aweights)
    total = F.sum(w)
    if ddof == 0:
        freedom = total
    elif aweights is None:
        freedom = total - ddof
    else:
        freedom = total - ddof * F.sum(w * tensor(aweights)) / total
    x = x - F.sum(x * w, 1, keepdim=True) / total
    return F.squeeze(F.matmul(x * w, x.T) / freedom)


@implements(np.corrcoef)
def _corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    c = _cov(x, y, rowvar, dtype=dtype)
    if not c.ndim:
        return c / c
    deviations = F.sqrt(F.diagonal(c))
    return F.clamp(c / deviations[:, None] / deviations[None], -1, 1)


# ----- Order -----


@implements(np.partition)
def _partition(a: Any, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None) -> Any:
    # A sorted array is partitioned at every index.
    a = tensor(a)
    a, axis = (F.reshape(a, (-1,)), 0) if axis is None else (a, axis)
    kth = np.atleast_1d(np.asarray(values(kth)))
    if ((kth < -a.shape[axis]) | (kth >= a.shape[axis])).any():
        raise ValueError(f"kth(={kth.max()}) out of bounds ({a.shape[axis]})")
    return F.sort(a, dim=axis)[0]
