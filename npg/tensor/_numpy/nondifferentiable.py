"""NumPy's own results on tensors: computed on their arrays, and a Tensor again if npg has the dtype.

They are used for tensors without history. With history, a result with floats would lose a gradient, so the call is
refused.

Conversions return an ndarray, on the tensor's memory as from np.asarray(t), or a copy: libraries call them to get an
array (np.array and np.asarray, through `__array__`; np.atleast_1d to 3d, np.ravel and np.copy, through this module),
and rely on NumPy's attributes, such as a `size` that is a number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from npg import dtypes
from npg.engine import TensorBase, apply, array_of, bump_version, check_in_place, is_grad_enabled, wrap
from npg.ops.strided import as_strided, geometry
from npg.tensor._numpy.registry import REMEDY

# ----- To arrays and back -----


def as_arrays(x: Any, tensors: list[Any]) -> Any:
    """Return x with each tensor replaced by its array, also within sequences, dicts and slices.

    The arrays are read-only, because NumPy would not report writes to the engine. A 0-d integer, such as a count or an
    index, becomes a NumPy scalar.

    Args:
        tensors: the list to which the tensors are appended.
    """
    if isinstance(x, TensorBase):
        tensors.append(x)
        array = x._array
        if type(array) is np.ndarray:
            if not array.ndim and array.dtype.kind in "iu":
                return array[()]
            array = array.view()
            array.flags.writeable = False
        return array
    if isinstance(x, (int, float, str, bytes, np.ndarray, np.generic, range)) or x is None:
        return x
    if isinstance(x, tuple):
        return tuple([as_arrays(v, tensors) for v in x])
    if isinstance(x, Sequence):
        return [as_arrays(v, tensors) for v in x]
    if isinstance(x, dict):
        return {k: as_arrays(v, tensors) for k, v in x.items()}
    if isinstance(x, slice):
        return slice(*(as_arrays(v, tensors) for v in (x.start, x.stop, x.step)))
    return x


def as_tensors(x: Any, tensors: Any = ()) -> Any:
    """Return NumPy's result with each array and NumPy scalar of one of npg's dtypes replaced by a tensor.

    Args:
        tensors: an array on the memory of one of these becomes a view of it.
    """
    if isinstance(x, np.generic):
        return wrap(np.asarray(x)) if dtypes.is_known(x.dtype) else x
    if type(x) is np.ndarray:
        return _as_tensor(x, tensors) if dtypes.is_known(x.dtype) else x
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*[as_tensors(v, tensors) for v in x])
    return type(x)(as_tensors(v, tensors) for v in x) if type(x) in (list, tuple) else x


def _as_tensor(array: np.ndarray[Any, Any], tensors: Any) -> Any:
    if array.base is None:
        return wrap(array)
    if any(step < 0 for step in array.strides):  # tensors have no negative strides, as in PyTorch
        return wrap(array.copy())
    for t in tensors:
        if t._array.dtype == array.dtype and np.may_share_memory(t._array, array):
            return apply(as_strided, (t,), geometry(t._array, array))
    return wrap(array)


# ----- History -----


def is_batched(tensors: Any) -> bool:
    """Tell whether a tensor is batched, as under vmap: then its `_array` is a placeholder without values."""
    return any(type(t._array) is not np.ndarray for t in tensors)


def has_history(tensors: Any) -> bool:
    """Tell whether operations on these tensors are recorded."""
    return is_batched(tensors) or (is_grad_enabled() and any(t.requires_grad for t in tensors))


def refuse_recorded(name: str, *args: Any) -> None:
    """Raise TypeError when a tensor among the arguments requires grad, as NumPy's result would lose its history."""
    tensors: list[Any] = []
    as_arrays(args, tensors)
    if has_history(tensors):
        raise refused(name)


def refused(name: str, reason: str = "") -> TypeError:
    """Return the error for a call that NumPy can compute but npg cannot record."""
    reason = f" ({reason})" if reason else ""
    return TypeError(f"{name} of a Tensor that requires grad is not supported{reason}; {REMEDY}")


def _has_floats(x: Any) -> bool:
    if isinstance(x, (tuple, list)):
        return any(map(_has_floats, x))
    return isinstance(x, (float, complex)) or getattr(getattr(x, "dtype", None), "kind", "") in ("f", "c", "O")


# ----- NumPy's result -----


CONVERSIONS = frozenset([np.atleast_1d, np.atleast_2d, np.atleast_3d, np.copy, np.ravel])  # see the top of this file


def own_answer(name: str, run: Callable[..., Any], tensors: Any, outs: Any = None) -> Any:
    """Return NumPy's result for the arrays of tensors.

    Args:
        run: the call; it takes out= if outs is not None, else nothing.
        tensors: those whose arrays run() computes with.
        outs: NumPy's out=: None, a tensor or an array, or a tuple of these.
    Raises: TypeError: when the result has floats and one of the tensors has history.
    """
    if has_history(tensors):
        result = run()
        if _has_floats(result):
            raise refused(name)
        return as_tensors(result, tensors)
    if outs is None:
        return as_tensors(run(), tensors)
    several = isinstance(outs, tuple)
    targets = outs if several else (outs,)
    for t in targets:
        if isinstance(t, TensorBase):
            check_in_place(t)
    arrays = tuple([array_of(t) for t in targets])
    result = run(out=arrays if several else arrays[0])
    for t in targets:
        if isinstance(t, TensorBase):
            bump_version(t)
    result = result if isinstance(result, tuple) else (result,)
    results = tuple([as_tensors(r, tensors) if t is None else t for t, r in zip(targets, result)])
    return results if len(results) > 1 else results[0]
