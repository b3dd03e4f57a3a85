"""NumPy's functions that join, split, pad and spread tensors; see math.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import functional as F
from npg.functional.nn.padding import pad
from npg.tensor._numpy.registry import as_dtype, implements, tensor, tensors
from npg.tensor._numpy.shape import atleast_1d, atleast_2d

# ----- Joining -----


@implements(np.concatenate)
def _concatenate(arrays: Any, axis: Any = 0, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    xs = tensors(arrays)
    if axis is None:
        xs, axis = [F.reshape(x, (-1,)) for x in xs], 0
    return as_dtype(F.cat(xs, axis), dtype)


@implements(np.stack)
def _stack(arrays: Any, axis: int = 0, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    return as_dtype(F.stack(tensors(arrays), axis), dtype)


@implements(np.vstack)
def _vstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    return as_dtype(F.cat([atleast_2d(x) for x in tensors(tup)], 0), dtype)


@implements(np.hstack)
def _hstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    xs = [atleast_1d(x) for x in tensors(tup)]
    return as_dtype(F.cat(xs, 0 if xs[0].ndim == 1 else 1), dtype)


@implements(np.dstack)
def _dstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    return as_dtype(F.dstack(tensors(tup)), dtype)


@implements(np.column_stack)
def _column_stack(tup: Any) -> Any:
    return F.column_stack(tensors(tup))


@implements(np.append)
def _append(arr: Any, values: Any, axis: Any = None) -> Any:
    return _concatenate((arr, values), axis)


# ----- Splitting -----


def _sections(name: str, a: Any, indices_or_sections: Any, axis: int, equal: bool) -> tuple[Any, ...]:
    a = tensor(a)
    if isinstance(indices_or_sections, (tuple, list, np.ndarray)):
        return tuple(F.tensor_split(a, tuple(int(i) for i in indices_or_sections), axis))
    if equal and a.shape[axis] % indices_or_sections:
        raise ValueError("array split does not result in an equal division")
    return tuple(F.tensor_split(a, int(indices_or_sections), axis))


@implements(np.split)
def _split(ary: Any, indices_or_sections: Any, axis: int = 0) -> tuple[Any, ...]:
    return _sections("split", ary, indices_or_sections, axis, True)


@implements(np.array_split)
def _array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> tuple[Any, ...]:
    return _sections("array_split", ary, indices_or_sections, axis, False)


def _split_along(name: str, a: Any, indices_or_sections: Any, axis: int) -> tuple[Any, ...]:
    a = tensor(a)
    if a.ndim <= axis:
        raise ValueError(f"{name} only works on arrays of {axis + 1} or more dimensions")
    return _sections(name, a, indices_or_sections, axis, True)


@implements(np.hsplit)
def _hsplit(ary: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    return _split_along("hsplit", ary, indices_or_sections, 1 if ary.ndim > 1 else 0)


@implements(np.vsplit)
def _vsplit(ary: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    return _split_along("vsplit", ary, indices_or_sections, 0)


@implements(np.dsplit)
def _dsplit(ary: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    return _split_along("dsplit", ary, indices_or_sections, 2)


if hasattr(np, "unstack"):  # NumPy 2.1

    @implements(np.unstack)
    def _unstack(x: Any, /, *, axis: int = 0) -> Any:
        return F.unbind(tensor(x), axis)


# ----- Padding and grids -----


@implements(np.pad)
def _pad(array: Any, pad_width: Any, mode: Any = "constant", *, constant_values: Any = 0) -> Any:
    array = tensor(array)
    widths = np.broadcast_to(np.asarray(pad_width), (array.ndim, 2)).tolist()
    if mode in ("edge", "reflect", "symmetric", "wrap"):  # elements of the array itself: NumPy pads their indices
        for d, width in enumerate(widths):
            array = F.index_select(array, d, tensor(np.pad(np.arange(array.shape[d]), width, mode)))
        return array
    if mode != "constant" or np.ndim(constant_values):
        raise TypeError(
            "np.pad of a Tensor has the modes edge, reflect, symmetric, wrap, and constant with one value, got "
            f"{mode!r}"
        )
    return pad(array, [int(n) for pair in reversed(widths) for n in pair], value=constant_values)


@implements(np.meshgrid)
def _meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Any, ...]:
    xs = [F.reshape(x, (-1,)) for x in tensors(xi)]
    order = list(range(len(xs)))
    if indexing == "xy" and len(xs) > 1:
        order[:2] = 1, 0
    grids = [F.reshape(x, tuple(-1 if d == i else 1 for d in order)) for i, x in enumerate(xs)]
    if sparse:
        return tuple(grids)
    shape = tuple(xs[i].shape[0] for i in order)
    return tuple(F.expand(x, shape) for x in grids)
