"""NumPy's functions that choose, insert, remove and replace elements of tensors; see math.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from npg import functional as F
from npg.engine import TensorBase, apply, array_of
from npg.functional._arguments import canonical_dim
from npg.functional._public import to_dtype
from npg.ops.elementwise import clone
from npg.tensor._numpy.registry import as_dtype, axes_of, flat, implements, tensor, tensors, values

# ----- Chosen elements -----


@implements(np.compress)
def _compress(condition: Any, a: Any, axis: Any = None) -> Any:
    a, axis = flat(a, axis)
    return F.index_select(a, axis, tensor(np.flatnonzero(values(condition))))


@implements(np.extract)
def _extract(condition: Any, arr: Any) -> Any:
    return _compress(np.ravel(values(condition)), arr)


@implements(np.choose)
def _choose(a: Any, choices: Any, mode: str = "raise") -> Any:
    choices = tensors(choices)
    at, n = np.asarray(values(a)), len(choices)
    if mode == "wrap":
        at = at % n
    elif mode == "clip":
        at = np.clip(at, 0, n - 1)
    elif at.size and (at.min() < 0 or at.max() >= n):
        raise ValueError("invalid entry in choice array")
    at, *candidates = F.broadcast_tensors(tensor(at.astype(np.int64)), *choices)
    return F.gather(F.stack(candidates), 0, at[None])[0]


@implements(np.resize)
def _resize(a: Any, new_shape: Any) -> Any:
    a = F.reshape(tensor(a), (-1,))
    return F.take(a, tensor(np.resize(np.arange(a.shape[0]), new_shape)))


@implements(np.delete)
def _delete(arr: Any, obj: Any, axis: Any = None) -> Any:
    arr, axis = flat(arr, axis)
    obj = values(obj) if isinstance(obj, TensorBase) else obj
    return F.index_select(arr, axis, tensor(np.delete(np.arange(arr.shape[axis]), obj)))


@implements(np.insert)
def _insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Any:
    arr, axis = flat(arr, axis)
    axis = canonical_dim(axis, arr.ndim)
    added = to_dtype(tensor(values), arr._array.dtype)
    added = F.reshape(added, (1,) * (arr.ndim - added.ndim) + tuple(added.shape))
    n = arr.shape[axis]
    obj = array_of(obj)
    places = np.arange(*obj.indices(n)) if isinstance(obj, slice) else np.asarray(obj)
    if places.dtype.kind == "b":
        places = np.flatnonzero(places)
    if not places.ndim:
        added = F.movedim(added, 0, axis)
        count = added.shape[axis]
    else:
        count = places.size if places.size != 1 else max(added.shape[axis], 1)
    added = F.expand(added, tuple(count if d == axis else m for d, m in enumerate(arr.shape)))
    order = np.insert(np.arange(n), places, np.arange(n, n + count))
    return F.index_select(F.cat([arr, added], axis), axis, tensor(order))


@implements(np.trim_zeros)
def _trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    filt = tensor(filt)
    if axis is not None or filt.ndim != 1:
        raise TypeError("np.trim_zeros of a Tensor takes one dimension only")
    nonzero = np.flatnonzero(filt._array)
    if not nonzero.size:
        return filt[:0]
    start = int(nonzero[0]) if "f" in trim.lower() else 0
    return filt[start : int(nonzero[-1]) + 1 if "b" in trim.lower() else filt.shape[0]]


@implements(np.piecewise, calls=True)
def _piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    x = tensor(x)
    conditions = values(condlist) if isinstance(condlist, TensorBase) else condlist
    if np.isscalar(conditions) or (not isinstance(conditions[0], (list, np.ndarray, TensorBase)) and x.ndim):
        conditions = [conditions]
    masks = [np.broadcast_to(np.asarray(values(c), bool), tuple(x.shape)) for c in conditions]
    if len(funclist) == len(masks) + 1:
        masks.append(~np.any(masks, axis=0))
    elif len(funclist) != len(masks):
        raise ValueError(
            f"with {len(masks)} condition(s), either {len(masks)} or {len(masks) + 1} functions are expected"
        )
    result = tensor(np.zeros_like(x._array))
    for mask, function in zip(masks, funclist):
        if not callable(function):
            result = F.where(tensor(mask), function, result)
        elif mask.any():
            part = F.masked_select(x, tensor(mask))
            result = F.masked_scatter(
                result, tensor(mask), to_dtype(tensor(function(part, *args, **kw)), x._array.dtype)
            )
    return to_dtype(result, x._array.dtype)


# ----- Elements written in place -----


def _target(name: str, a: Any, *sources: Any) -> bool:
    """Tell whether a is a tensor; raise if it is an array and a source requires grad."""
    if isinstance(a, TensorBase):
        return True
    if any(isinstance(s, TensorBase) and s.requires_grad for s in sources):
        raise TypeError(f"np.{name} cannot write a Tensor that requires grad into an array; use tensor.detach()")
    return False


def _repeated(x: Any, dtype: Any, count: int) -> Any:
    """Return the elements of x, repeated up to this count."""
    x = F.reshape(to_dtype(tensor(x), dtype), (-1,))
    return F.take(x, tensor(np.resize(np.arange(x.shape[0]), count)))


@implements(np.place, writes=True)
def _place(arr: Any, mask: Any, vals: Any) -> None:
    if not _target("place", arr, vals):
        return np.place(arr, values(mask), values(vals))
    mask = np.asarray(values(mask), bool).reshape(tuple(arr.shape))
    count = int(np.count_nonzero(mask))
    if count:
        F.masked_scatter_(arr, tensor(mask), _repeated(vals, arr._array.dtype, count))
    return None


@implements(np.putmask, writes=True)
def _putmask(a: Any, mask: Any, values: Any) -> None:
    mask = mask._array if isinstance(mask, TensorBase) else np.asarray(mask)
    if not _target("putmask", a, values):
        return np.putmask(a, mask, array_of(values))
    new = F.reshape(_repeated(values, a._array.dtype, a._array.size), tuple(a.shape))
    F.copy_(a, F.where(tensor(mask.astype(bool)), new, apply(clone, (a,), {})))
    return None


@implements(np.put, writes=True)
def _put(a: Any, ind: Any, v: Any, mode: Any = "raise") -> None:
    ind = np.asarray(values(ind))
    if not _target("put", a, v):
        return np.put(a, ind, values(v), mode)
    n = a._array.size
    if mode == "wrap":
        ind = ind % n
    elif mode == "clip":
        ind = np.clip(ind, 0, n - 1)
    if ind.size:
        F.put_(a, tensor(ind.reshape(-1).astype(np.int64)), _repeated(v, a._array.dtype, ind.size))
    return None


@implements(np.fill_diagonal, writes=True)
def _fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    if not _target("fill_diagonal", a, val):
        return np.fill_diagonal(a, values(val), wrap)
    if a.ndim != 2 or wrap:
        raise TypeError("np.fill_diagonal of a Tensor takes matrices without wrap=")
    row = F.diagonal(a)
    F.copy_(row, F.reshape(_repeated(val, a._array.dtype, row.shape[0]), tuple(row.shape)))
    return None


# ----- Blocks, functions along dimensions -----


@implements(np.block)
def _block(arrays: Any) -> Any:
    def depth(x: Any) -> int:
        return 1 + max(map(depth, x), default=0) if isinstance(x, list) else 0

    def leaves(x: Any) -> list[Any]:
        return [leaf for v in x for leaf in leaves(v)] if isinstance(x, list) else [tensor(x)]

    levels = depth(arrays)
    ndim = max(levels, *(x.ndim for x in leaves(arrays)), 0)

    def joined(x: Any, level: int) -> Any:
        if not isinstance(x, list):
            x = tensor(x)
            return F.reshape(x, (1,) * (ndim - x.ndim) + tuple(x.shape))
        return F.cat([joined(v, level - 1) for v in x], -level)

    return joined(arrays, levels) if levels else apply(clone, (joined(arrays, 0),), {})


@implements(np.apply_along_axis, calls=True)
def _apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    arr = F.movedim(tensor(arr), axis, -1)
    lead = tuple(arr.shape[:-1])
    rows = [tensor(func1d(row, *args, **kwargs)) for row in F.unbind(F.reshape(arr, (-1, arr.shape[-1])), 0)]
    result = F.reshape(F.stack(rows), (*lead, *rows[0].shape))
    k = rows[0].ndim
    axis = canonical_dim(axis, len(lead) + 1)
    return F.movedim(result, tuple(range(len(lead), len(lead) + k)), tuple(range(axis, axis + k))) if k else result


@implements(np.apply_over_axes, calls=True)
def _apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    a = tensor(a)
    ndim = a.ndim
    for axis in axes_of(axes, ndim):
        reduced = tensor(func(a, axis))
        a = reduced if reduced.ndim == ndim else F.unsqueeze(reduced, axis)
    return a


def _astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    converted = as_dtype(tensor(x), dtype)
    return apply(clone, (converted,), {}) if copy and converted is x else converted


if hasattr(np, "astype"):  # NumPy 2.1
    implements(np.astype)(_astype)
