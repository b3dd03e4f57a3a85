"""NumPy's own answer on tensors: computed on their arrays, and a Tensor again where npg has its dtype.

This is the answer for tensors without history. For one with history it would lose a gradient wherever it has floats,
and then it is refused.

Conversions give the ndarray itself, which shows the tensor's memory as np.asarray(t) does, or is a copy: what a library
calls in order to have an array (np.array and np.asarray, which ask for `__array__`; np.atleast_1d to 3d, np.ravel and
np.copy, which ask here) it goes on to use as one, whose `size` is a number and whose `var` is NumPy's.
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


def as_arrays(x: Any, given: list[Any]) -> Any:
    """Return x with the array of every tensor in it, also within sequences, dicts and slices.

    The arrays cannot be written: NumPy would not tell the engine of it. A single integer, a count or a place, becomes
    NumPy's number.

    Args:
        given: the tensors are appended here.
    """
    if isinstance(x, TensorBase):
        given.append(x)
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
        return tuple([as_arrays(v, given) for v in x])
    if isinstance(x, Sequence):
        return [as_arrays(v, given) for v in x]
    if isinstance(x, dict):
        return {k: as_arrays(v, given) for k, v in x.items()}
    if isinstance(x, slice):
        return slice(*(as_arrays(v, given) for v in (x.start, x.stop, x.step)))
    return x


def as_tensors(x: Any, given: Any = ()) -> Any:
    """Return NumPy's result with a tensor for every array and NumPy number in it that npg has a dtype for.

    Args:
        given: tensors. What shows the memory of one becomes a view of it.
    """
    if isinstance(x, np.generic):
        return wrap(np.asarray(x)) if dtypes.is_known(x.dtype) else x
    if type(x) is np.ndarray:
        return _as_tensor(x, given) if dtypes.is_known(x.dtype) else x
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*[as_tensors(v, given) for v in x])
    return type(x)(as_tensors(v, given) for v in x) if type(x) in (list, tuple) else x


def _as_tensor(array: np.ndarray[Any, Any], given: Any) -> Any:
    if array.base is None:
        return wrap(array)
    if any(step < 0 for step in array.strides):  # as in PyTorch, no tensor has such
        return wrap(array.copy())
    for t in given:
        if t._array.dtype == array.dtype and np.may_share_memory(t._array, array):
            return apply(as_strided, (t,), geometry(t._array, array))
    return wrap(array)


# ----- History -----


def is_batched(tensors: Any) -> bool:
    """Tell whether a tensor stands for many, as under vmap: what it has in the place of an array has no values."""
    return any(type(t._array) is not np.ndarray for t in tensors)


def has_history(tensors: Any) -> bool:
    """Tell whether what is computed from these tensors is recorded."""
    return is_batched(tensors) or (is_grad_enabled() and any(t.requires_grad for t in tensors))


def refuse_recorded(name: str, *given: Any) -> None:
    """Raise TypeError when a tensor among the arguments requires grad, whose history NumPy's result would not have."""
    found: list[Any] = []
    as_arrays(given, found)
    if has_history(found):
        raise refused(name)


def refused(name: str, reason: str = "") -> TypeError:
    """Return the error of a call that NumPy can do and npg cannot record."""
    reason = f" ({reason})" if reason else ""
    return TypeError(f"{name} of a Tensor that requires grad is not supported{reason}; {REMEDY}")


def _has_floats(x: Any) -> bool:
    if isinstance(x, (tuple, list)):
        return any(map(_has_floats, x))
    return isinstance(x, (float, complex)) or getattr(getattr(x, "dtype", None), "kind", "") in ("f", "c", "O")


# ----- The answer -----


CONVERSIONS = frozenset([np.atleast_1d, np.atleast_2d, np.atleast_3d, np.copy, np.ravel])  # see the top of this file


def own_answer(name: str, run: Callable[..., Any], given: Any, outs: Any = None) -> Any:
    """Return what NumPy gives for the arrays of tensors.

    Args:
        run: takes out=, where that is not None, or nothing.
        given: the tensors of whose arrays run() makes the result.
        outs: None, or what NumPy is given as out=: a tensor or an array; or a tuple of such and of None.
    Raises: TypeError: when the result has floats and one of the tensors has history.
    """
    if has_history(given):
        found = run()
        if _has_floats(found):
            raise refused(name)
        return as_tensors(found, given)
    if outs is None:
        return as_tensors(run(), given)
    several = isinstance(outs, tuple)
    targets = outs if several else (outs,)
    for t in targets:
        if isinstance(t, TensorBase):
            check_in_place(t)
    arrays = tuple([array_of(t) for t in targets])
    found = run(out=arrays if several else arrays[0])
    for t in targets:
        if isinstance(t, TensorBase):
            bump_version(t)
    found = found if isinstance(found, tuple) else (found,)
    results = tuple([as_tensors(r, given) if t is None else t for t, r in zip(targets, found)])
    return results if len(results) > 1 else results[0]
