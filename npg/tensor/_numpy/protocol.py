"""NumPy's protocols: `np.exp(t)`, `array * t` and `np.sum(t, axis=0)` on tensors.

Without history NumPy itself computes the result, on the arrays of the tensors (nondifferentiable.py). With history the
call is recorded: a ufunc is looked up in ufuncs.py, any other function in the table filled by math.py and its siblings.
A call found in neither is refused if its result has floats: a tensor never loses its history silently. The rules of
npg/ops run on tensors through this module when a backward pass is itself recorded (create_graph).

Two kinds of calls are always npg's own: the ufunc behind a Python operator, as `array * t` is `t * array` and has
PyTorch's dtype; and functions that call one of the user's, which should see tensors.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from npg import functional as F
from npg.engine import TensorBase, array_of, bump_version, check_in_place
from npg.tensor._numpy import (  # noqa: F401  (they fill the registry)
    indexing,
    joining,
    linalg,
    math,
    polynomial,
    shape,
    statistics,
)
from npg.tensor._numpy.nondifferentiable import CONVERSIONS, as_arrays, has_history, is_batched, own_answer, refused
from npg.tensor._numpy.registry import CALLING, FUNCTIONS, REMEDY, WRITING, name_of, tensor
from npg.tensor._numpy.ufuncs import METHODS, call, call_where, function_of, is_operator, ufunc_name

# ----- Ufuncs -----


def array_ufunc(self: Any, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """Run a ufunc, or one of its methods, on tensors. Called by NumPy (`__array_ufunc__`).

    Raises: TypeError: when it cannot be recorded.
    """
    out = kwargs.pop("out", None)
    if any(_answers_itself(x) for x in (*inputs, *(out or ()))):
        return NotImplemented
    inputs = tuple([np.asarray(x) if isinstance(x, (list, tuple)) and method == "__call__" else x for x in inputs])
    if method == "__call__" and not kwargs and out is None and is_operator(ufunc, inputs):
        return call(ufunc, inputs, {})
    tensors: list[Any] = []
    arrays, settings = as_arrays(inputs, tensors), as_arrays(kwargs, tensors)
    targets = [t for t in out or () if isinstance(t, TensorBase)]
    name = ufunc_name(ufunc) if method == "__call__" else f"{ufunc_name(ufunc)}.{method}"
    run = functools.partial(getattr(ufunc, method), *arrays, **settings)
    if not has_history((*tensors, *targets)):
        if method == "at":
            return _written(ufunc.at, inputs[0], arrays, settings)
        return own_answer(name, run, tensors, out)
    out = out[0] if out is not None and len(out) == 1 else out
    if not any(isinstance(x, TensorBase) for x in inputs):  # tensors are targets only
        return _into_history(run, out if isinstance(out, tuple) else (out,))
    if method == "at":
        return METHODS[method](ufunc, *inputs)
    if method == "__call__" and function_of(ufunc) is None:
        if "where" in kwargs:  # the other elements would be undefined
            raise refused(name)
        result = own_answer(name, run, tensors)
        return result if out is None else store(name, out, result)
    result = _recorded(name, functools.partial(_record_ufunc, ufunc, method, inputs, dict(kwargs), out), run, tensors)
    if isinstance(result, _Masked):
        return store(name, out, *result)
    return result if out is None else store(name, out, result)


def _into_history(run: Callable[..., Any], outs: tuple[Any, ...]) -> Any:
    """Let NumPy compute constants, write them to tensors with history, and return these."""
    values = tuple([t._array.copy() if isinstance(t, TensorBase) else t for t in outs])
    written = run(out=values)
    written = written if isinstance(written, tuple) else (written,)
    results = [F.copy_(t, tensor(r)) if isinstance(t, TensorBase) else r for t, r in zip(outs, written)]
    return tuple(results) if len(results) > 1 else results[0]


class _Masked(tuple[Any, Any]):
    """Elements, and the mask of their positions."""


def _record_ufunc(ufunc: Any, method: str, inputs: Any, kwargs: dict[str, Any], out: Any) -> Any:
    if method != "__call__":
        return METHODS[method](ufunc, *inputs, **kwargs)
    where = kwargs.pop("where", True)
    return call(ufunc, inputs, kwargs) if where is True else _Masked(call_where(ufunc, inputs, kwargs, where, out))


def _answers_itself(x: Any) -> bool:
    # Whether NumPy should try another class next, such as pandas'.
    kind = type(x)
    return hasattr(kind, "__array_ufunc__") and not issubclass(kind, (TensorBase, np.ndarray, np.generic))


def store(name: str, out: Any, result: Any, mask: Any = None) -> Any:
    """Write a result into NumPy's out=, tensors or arrays to whose shape it broadcasts, and return out.

    Args:
        mask: None, or the positions of the elements of a one-dimensional result.
    Raises: ValueError: for another shape. TypeError: when a result that requires grad would lose its history.
    """
    if isinstance(result, tuple):
        outs = out if isinstance(out, tuple) else (out,)
        return tuple(r if o is None else store(name, o, r) for o, r in zip(outs, result, strict=True))
    if mask is None and out.shape != result.shape:
        _check_broadcast(name, tuple(out.shape), tuple(result.shape))
    if isinstance(out, TensorBase):
        if mask is None:
            return F.copy_(out, result)
        return F.masked_scatter_(out, tensor(mask), result.to(out._array.dtype))
    if isinstance(result, TensorBase):
        if result.requires_grad:
            raise TypeError(f"{name} cannot write a Tensor that requires grad into an array; use tensor.detach()")
        result = result._array
    if mask is None:
        np.copyto(out, result, casting="same_kind")
    else:
        out[mask] = result
    return out


def _check_broadcast(name: str, target: tuple[int, ...], expected: tuple[int, ...]) -> None:
    try:
        fits = np.broadcast_shapes(target, expected) == target
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"{name}: expected out of shape {expected}, got {target}")


# ----- Functions -----


def array_function(self: Any, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
    """Run a NumPy function on tensors. Called by NumPy (`__array_function__`).

    Raises: TypeError: when it cannot be recorded.
    """
    if not all(issubclass(t, (TensorBase, np.ndarray)) for t in types):
        return NotImplemented
    if len(args) > 2:
        args, kwargs = _named(function, args, kwargs)
    kwargs = dict(kwargs)
    out = kwargs.pop("out", None)
    tensors: list[Any] = []
    arrays, settings = as_arrays(args, tensors), as_arrays(kwargs, tensors)
    history = has_history([*tensors, out] if isinstance(out, TensorBase) else tensors)
    entry, name = FUNCTIONS.get(function), name_of(function)
    # Not the function itself, which would dispatch again for an overlooked tensor.
    run = functools.partial(getattr(function, "_implementation", function), *arrays, **settings)
    if entry is None or not (history or function in CALLING):
        if function in WRITING and _is_written(function, args, kwargs):
            return _written(run.func, args[0], arrays, settings)
        if not history:
            if function in CONVERSIONS:
                return run.func(*[array_of(x) for x in args], **kwargs)
            return own_answer(name, run, tensors, out)
        result = own_answer(name, run, tensors)
    else:
        # Their errors are the user's own, or about the array to write, and stay as they are.
        plain = function in CALLING or function in WRITING
        record = functools.partial(entry, *args, **kwargs)
        result = record() if plain else _recorded(name, record, run, tensors)
    return result if out is None else store(name, out, result)


def _recorded(name: str, record: Callable[[], Any], run: Callable[[], Any], tensors: Any) -> Any:
    """Return the result of a recorded call.

    Raises: TypeError: when the call fails although NumPy can compute it. Others: NumPy's own error.
    """
    try:
        return record()
    except (TypeError, ValueError, IndexError, RuntimeError) as error:
        if is_batched(tensors) or REMEDY in str(error):
            raise
        refusal = refused(name, str(error).split("\n")[0])
        refusal.__cause__ = error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run()
    raise refusal


def _is_written(function: Any, args: Any, kwargs: Any) -> bool:
    if not isinstance(args[0] if args else None, TensorBase):
        return False
    return function is not np.nan_to_num or not kwargs.get("copy", args[1] if len(args) > 1 else True)


def _written(function: Any, target: Any, arrays: Any, settings: Any) -> Any:
    """Let NumPy write into its first argument."""
    if not isinstance(target, TensorBase):
        return function(*arrays, **settings)
    check_in_place(target)
    result = function(target._array, *arrays[1:], **settings)
    bump_version(target)
    return None if result is None else target


@functools.cache
def _from_out(function: Any) -> tuple[int, tuple[str, ...]]:
    """Return the position of a NumPy function's out=, and the names of its parameters from there on."""
    try:
        parameters = [*inspect.signature(function).parameters.values()]
    except ValueError:  # a function in C, before NumPy 2.4
        parameters = []
    names = tuple(p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD)
    return (names.index("out"), names[names.index("out") :]) if "out" in names else (len(names), ())


def _named(function: Any, args: Any, kwargs: Any) -> tuple[Any, dict[str, Any]]:
    """Return the arguments with those from `out` on by name: the table's functions have no positional out."""
    at, names = _from_out(function)
    return args[:at] + args[at + len(names) :], {**kwargs, **dict(zip(names, args[at:]))}
