"""NumPy's functions of shapes, joining, splitting, and new arrays on tensors; see math.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from npg import dtypes, functional as F
from npg.engine import TensorBase, apply, wrap
from npg.functional._arguments import canonical_dim
from npg.functional._factory import like_array
from npg.functional._public import to_dtype
from npg.ops.elementwise import clone
from npg.tensor._numpy.registry import axes_of, flat, implements, tensor, tensors, values

# ----- Shapes -----


def _order_c(name: str, order: str) -> None:
    if order != "C":
        raise TypeError(f"np.{name} of a Tensor has order='C' only, got {order!r}")


@implements(np.reshape)
def _reshape(a: Any, shape: Any = None, order: str = "C", *, newshape: Any = None, copy: Any = None) -> Any:
    _order_c("reshape", order)
    shape = newshape if shape is None else shape
    return F.reshape(tensor(a), tuple(shape) if isinstance(shape, (tuple, list)) else (shape,))


@implements(np.ravel)
def _ravel(a: Any, order: str = "C") -> Any:
    _order_c("ravel", order)
    return F.reshape(tensor(a), (-1,))


@implements(np.transpose, np.permute_dims)
def _transpose(a: Any, axes: Any = None) -> Any:
    a = tensor(a)
    return F.permute(a, tuple(range(a.ndim))[::-1] if axes is None else tuple(axes))


@implements(np.matrix_transpose, np.linalg.matrix_transpose)
def _matrix_transpose(x: Any, /) -> Any:
    return F.transpose(tensor(x), -2, -1)


@implements(np.swapaxes)
def _swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    return F.transpose(tensor(a), axis1, axis2)


@implements(np.moveaxis)
def _moveaxis(a: Any, source: Any, destination: Any) -> Any:
    return F.movedim(tensor(a), source, destination)


@implements(np.rollaxis)
def _rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    a = tensor(a)
    axis = canonical_dim(axis, a.ndim)
    start = start + a.ndim if start < 0 else start
    return F.movedim(a, axis, start - 1 if axis < start else start)


@implements(np.squeeze)
def _squeeze(a: Any, axis: Any = None) -> Any:
    a = tensor(a)
    if axis is None:
        return F.squeeze(a)
    dims = axes_of(axis, a.ndim)
    for d in dims:
        if a.shape[d] != 1:
            raise ValueError("cannot select an axis to squeeze out which has size not equal to one")
    return F.reshape(a, tuple(n for i, n in enumerate(a.shape) if i not in dims))


@implements(np.expand_dims)
def _expand_dims(a: Any, axis: Any) -> Any:
    a = tensor(a)
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    for d in sorted(axes_of(axes, a.ndim + len(axes))):
        a = F.unsqueeze(a, d)
    return a


@implements(np.broadcast_to)
def _broadcast_to(array: Any, shape: Any, subok: bool = False) -> Any:
    return F.expand(tensor(array), tuple(shape) if isinstance(shape, (tuple, list)) else (shape,))


@implements(np.broadcast_arrays)
def _broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Any, ...]:
    xs = tensors(args)
    shape = np.broadcast_shapes(*(x.shape for x in xs))
    return tuple(F.expand(x, shape) for x in xs)


@implements(np.atleast_1d)
def atleast_1d(*arys: Any) -> Any:
    results = tuple(x if x.ndim else F.reshape(x, (1,)) for x in tensors(arys))
    return results[0] if len(results) == 1 else results


@implements(np.atleast_2d)
def atleast_2d(*arys: Any) -> Any:
    results = tuple(x if x.ndim > 1 else F.reshape(x, (1, -1)) for x in tensors(arys))
    return results[0] if len(results) == 1 else results


@implements(np.atleast_3d)
def _atleast_3d(*arys: Any) -> Any:
    return F.atleast_3d(*tensors(arys))


@implements(np.flip)
def _flip(m: Any, axis: Any = None) -> Any:
    m = tensor(m)
    return F.flip(m, tuple(range(m.ndim)) if axis is None else axes_of(axis, m.ndim))


@implements(np.fliplr)
def _fliplr(m: Any) -> Any:
    return F.flip(tensor(m), (1,))


@implements(np.flipud)
def _flipud(m: Any) -> Any:
    return F.flip(tensor(m), (0,))


@implements(np.roll)
def _roll(a: Any, shift: Any, axis: Any = None) -> Any:
    if axis is None:
        return F.roll(tensor(a), int(np.sum(values(shift))))
    pairs = np.broadcast(shift, axis)  # a repeated dimension is rolled by both shifts
    return F.roll(tensor(a), tuple(int(s) for s, _ in pairs), tuple(int(d) for _, d in np.broadcast(shift, axis)))


@implements(np.rot90)
def _rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    return F.rot90(tensor(m), k, tuple(axes))


@implements(np.tile)
def _tile(A: Any, reps: Any) -> Any:
    return F.tile(tensor(A), tuple(reps) if isinstance(reps, (tuple, list)) else (reps,))


@implements(np.repeat)
def _repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    a, axis = flat(a, axis)
    return F.repeat_interleave(a, repeats if isinstance(repeats, int) else tensor(repeats), axis)


@implements(np.tril)
def _tril(m: Any, k: int = 0) -> Any:
    return F.tril(tensor(m), k)


@implements(np.triu)
def _triu(m: Any, k: int = 0) -> Any:
    return F.triu(tensor(m), k)


@implements(np.diag)
def _diag(v: Any, k: int = 0) -> Any:
    return F.diag(tensor(v), k)


@implements(np.diagflat)
def _diagflat(v: Any, k: int = 0) -> Any:
    return F.diagflat(tensor(v), k)


@implements(np.diagonal)
def _diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return F.diagonal(tensor(a), offset, axis1, axis2)


@implements(np.linalg.diagonal)
def _linalg_diagonal(x: Any, /, *, offset: int = 0) -> Any:
    return F.diagonal(tensor(x), offset, -2, -1)


@implements(np.trace)
def _trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return F.sum(F.diagonal(tensor(a), offset, axis1, axis2), -1)


@implements(np.copy)
def _copy(a: Any, order: str = "K", subok: bool = False) -> Any:
    return apply(clone, (tensor(a),), {})


# ----- New tensors -----


def _like(a: Any, dtype: Any, shape: Any) -> Any:
    array = a._array if isinstance(a, TensorBase) else np.asarray(a)
    kind = array.dtype if dtype is None else dtypes.to_numpy(dtype)
    if shape is not None:
        return np.empty(shape, kind)
    return like_array(array, kind)


@implements(np.empty_like)
def _empty_like(
    prototype: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *, device: Any = None
) -> Any:
    return wrap(_like(prototype, dtype, shape))


@implements(np.zeros_like)
def _zeros_like(
    a: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *, device: Any = None
) -> Any:
    return _full_like(a, 0, dtype, shape=shape)


@implements(np.ones_like)
def _ones_like(
    a: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *, device: Any = None
) -> Any:
    return _full_like(a, 1, dtype, shape=shape)


@implements(np.full_like)
def _full_like(
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: str = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Any:
    array = _like(a, dtype, shape)
    if isinstance(fill_value, TensorBase):
        return F.fill_(wrap(array), fill_value)
    array[...] = fill_value
    return wrap(array)


# ----- Written elsewhere -----


@implements(np.copyto, writes=True)
def _copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    if isinstance(dst, TensorBase):
        if where is not True:
            before = apply(clone, (dst,), {})
            src = F.where(tensor(np.asarray(values(where), bool)), to_dtype(tensor(src), before._array.dtype), before)
        F.copy_(dst, src)
    elif isinstance(src, TensorBase) and src.requires_grad:
        raise TypeError("np.copyto cannot write a Tensor that requires grad into an array; use tensor.detach()")
    else:
        np.copyto(dst, values(src), casting, values(where))
    return None


def _on_host(function: Callable[..., Any]) -> None:
    """Register a function that only outputs values: it gets the tensors' arrays, or raises if one requires grad."""

    def call(*args: Any, **kwargs: Any) -> Any:
        def plain(x: Any) -> Any:
            return x.numpy() if hasattr(x, "__npg_apply__") else x

        return function(*map(plain, args), **{k: plain(v) for k, v in kwargs.items()})

    implements(function, writes=True)(call)


for _f in (np.save, np.savetxt, np.savez, np.savez_compressed):
    _on_host(_f)
