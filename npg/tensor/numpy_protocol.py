"""NumPy's protocols: `np.exp(t)`, `array * t` and `np.sum(t, axis=0)` give recorded tensors.

A ufunc is looked up in numpy_ufuncs.py, another function in the table that numpy_math.py and its like fill. What is in
none raises: a tensor never loses its history without a word. The rules of npg/ops run on tensors through here when a
backward pass is itself recorded (create_graph).
"""

from __future__ import annotations

import functools
import inspect
from typing import Any

import numpy as np

from npg import functional as F
from npg.engine import TensorBase
from npg.tensor import (  # noqa: F401  (they fill the table)
    numpy_calculus,
    numpy_choosing,
    numpy_constant,
    numpy_joining,
    numpy_linalg,
    numpy_math,
    numpy_shape,
    numpy_statistics,
)
from npg.tensor.numpy_table import FUNCTIONS, REMEDY, name_of, tensor
from npg.tensor.numpy_ufuncs import METHODS, call, call_where

__all__ = ["array_function", "array_ufunc"]


def array_ufunc(self: Any, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """Run a ufunc, or one of its methods, on tensors. Called by NumPy (`__array_ufunc__`).

    Raises: TypeError: for a ufunc, a method or an argument that has no counterpart.
    """
    out = kwargs.pop("out", None)
    if isinstance(out, tuple) and len(out) == 1:
        out = out[0]
    if method != "__call__":
        try:
            result = METHODS[method](ufunc, *inputs, **kwargs)
        except TypeError as error:
            raise _renamed(error, METHODS[method], f"np.{ufunc.__name__}.{method}") from None
    elif kwargs.get("where", True) is True:
        kwargs.pop("where", None)
        result = call(ufunc, inputs, kwargs)
    else:
        result, mask = call_where(ufunc, inputs, kwargs, kwargs.pop("where"), out)
        return store(ufunc.__name__, out, result, mask)
    return result if out is None else store(ufunc.__name__, out, result)


def store(name: str, out: Any, result: Any, mask: Any = None) -> Any:
    """Write a result into NumPy's out=, tensors or arrays of its shape, and return that.

    Args:
        mask: None, or where to write the elements, which then are one-dimensional.
    Raises: ValueError: for another shape. TypeError: when a result that requires grad would lose its history.
    """
    if isinstance(result, tuple):
        outs = out if isinstance(out, tuple) else (out,)
        return tuple(r if o is None else store(name, o, r) for o, r in zip(outs, result, strict=True))
    if mask is None and out.shape != result.shape:
        raise ValueError(f"np.{name}: expected out of shape {tuple(result.shape)}, got {tuple(out.shape)}")
    if isinstance(out, TensorBase):
        if mask is None:
            return F.copy_(out, result)
        return F.masked_scatter_(out, tensor(mask), result.to(out._array.dtype))
    if result.requires_grad:
        raise TypeError(f"np.{name} cannot write a Tensor that requires grad into an array; use tensor.detach()")
    if mask is None:
        np.copyto(out, result._array, casting="same_kind")
    else:
        out[mask] = result._array
    return out


def _renamed(error: TypeError, function: Any, name: str) -> TypeError:
    # A keyword that the implementation lacks: NumPy's name in place of its own.
    text = str(error)
    own = function.__name__ + "()"
    return TypeError(f"{name} of a Tensor{text.removeprefix(own)}; {REMEDY}") if text.startswith(own) else error


def array_function(self: Any, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
    """Run a NumPy function on tensors. Called by NumPy (`__array_function__`).

    Raises: TypeError: for a function that has no counterpart.
    """
    if not all(issubclass(t, (TensorBase, np.ndarray)) for t in types):
        return NotImplemented
    found = FUNCTIONS.get(function)
    if found is None:
        raise TypeError(f"{name_of(function)} is not supported on a Tensor; {REMEDY}")
    if len(args) > 2:
        args, kwargs = _named(function, args, kwargs)
    out = kwargs.pop("out", None) if kwargs else None
    try:
        result = found(*args, **kwargs)
    except TypeError as error:
        raise _renamed(error, found, name_of(function)) from None
    return result if out is None else store(function.__name__, out, result)


@functools.cache
def _from_out(function: Any) -> tuple[int, tuple[str, ...]]:
    """Return at which position a NumPy function takes out=, and the names of its parameters from there on."""
    try:
        parameters = [*inspect.signature(function).parameters.values()]
    except ValueError:  # a function in C, before NumPy 2.4
        parameters = []
    names = tuple(p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD)
    return (names.index("out"), names[names.index("out") :]) if "out" in names else (len(names), ())


def _named(function: Any, args: Any, kwargs: Any) -> tuple[Any, dict[str, Any]]:
    """Return the arguments with those from NumPy's `out` on by name: the table's functions have none in its place."""
    at, names = _from_out(function)
    return args[:at] + args[at + len(names) :], {**kwargs, **dict(zip(names, args[at:]))}
