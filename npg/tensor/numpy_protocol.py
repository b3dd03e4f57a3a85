"""NumPy's protocols: `np.exp(t)`, `array * t` and `np.sum(t, axis=0)` give recorded tensors.

A ufunc becomes the function of npg.functional that the table names; another NumPy function the one that stands in
numpy_math.py, numpy_linalg.py, numpy_shape.py or numpy_joining.py. What is in none raises: a tensor never loses its
history without a word. The rules of npg/ops run on tensors through here when a backward pass is itself recorded
(create_graph).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import functional as F
from npg.dtypes import get_default_dtype
from npg.engine import TensorBase, wrap
from npg.functional._public import to_dtype
from npg.tensor import numpy_joining, numpy_linalg, numpy_math, numpy_shape  # noqa: F401  (they fill the table)
from npg.tensor.numpy_table import FUNCTIONS, MODULES

__all__ = ["array_function", "array_ufunc"]

# ufunc name: function name. Python's own names for what NumPy and PyTorch call differently.
_UFUNCS = {
    "absolute": "abs", "add": "add", "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh",
    "arctan": "atan", "arctan2": "atan2", "arctanh": "atanh", "bitwise_and": "bitwise_and", "bitwise_or": "bitwise_or",
    "bitwise_xor": "bitwise_xor", "ceil": "ceil", "clip": "clamp", "copysign": "copysign", "cos": "cos", "cosh": "cosh",
    "deg2rad": "deg2rad", "degrees": "rad2deg", "divide": "div", "equal": "eq", "exp": "exp", "exp2": "exp2",
    "expm1": "expm1", "fabs": "abs", "float_power": "float_power", "floor": "floor", "floor_divide": "floor_divide",
    "fmax": "fmax", "fmin": "fmin", "fmod": "fmod", "gcd": "gcd", "greater": "gt", "greater_equal": "ge",
    "heaviside": "heaviside", "hypot": "hypot", "invert": "bitwise_not", "isfinite": "isfinite", "isinf": "isinf",
    "isnan": "isnan", "lcm": "lcm", "ldexp": "ldexp", "left_shift": "bitwise_left_shift", "less": "lt",
    "less_equal": "le", "log": "log", "log10": "log10", "log1p": "log1p", "log2": "log2", "logaddexp": "logaddexp",
    "logaddexp2": "logaddexp2", "logical_and": "logical_and", "logical_not": "logical_not", "logical_or": "logical_or",
    "logical_xor": "logical_xor", "matmul": "matmul", "maximum": "maximum", "minimum": "minimum", "multiply": "mul",
    "negative": "neg", "nextafter": "nextafter", "not_equal": "ne", "positive": "positive", "power": "pow",
    "rad2deg": "rad2deg", "radians": "deg2rad", "reciprocal": "reciprocal", "remainder": "remainder",
    "right_shift": "bitwise_right_shift", "rint": "round", "sign": "sign", "signbit": "signbit", "sin": "sin",
    "sinh": "sinh", "sqrt": "sqrt", "square": "square", "subtract": "sub", "tan": "tan", "tanh": "tanh",
    "trunc": "trunc",
}  # fmt: skip

# ufunc name: (reduction, running reduction).
_REDUCTIONS = {
    "add": ("sum", "cumsum"),
    "multiply": ("prod", "cumprod"),
    "maximum": ("amax", "cummax"),
    "minimum": ("amin", "cummin"),
    "logical_and": ("all", None),
    "logical_or": ("any", None),
    "logaddexp": ("logsumexp", "logcumsumexp"),
}


def array_ufunc(self: Any, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """Run a ufunc, or one of its methods, on tensors. Called by NumPy (`__array_ufunc__`).

    Raises: TypeError: for a ufunc, a method or an argument that has no counterpart.
    """
    out = kwargs.pop("out", None)
    if kwargs.pop("where", True) is not True:
        raise TypeError(f"np.{ufunc.__name__} of a Tensor takes no where=; use npg.where on the result")
    if method == "__call__":
        result = _call(ufunc, inputs, kwargs)
    elif method in ("reduce", "accumulate"):
        result = _reduce(ufunc, method, inputs, kwargs)
    elif method == "outer":
        a: Any
        b: Any
        a, b = (x if isinstance(x, (TensorBase, np.ndarray)) else wrap(np.asarray(x)) for x in inputs)
        result = _call(ufunc, (F.reshape(a, (*a.shape, *(1,) * b.ndim)), b), kwargs)
    else:
        raise TypeError(f"np.{ufunc.__name__}.{method} is not supported on a Tensor; {_REMEDY}")
    if out is None:
        return result
    if isinstance(result, tuple):
        raise TypeError(f"np.{ufunc.__name__} of a Tensor takes no out=")
    return store(ufunc.__name__, out[0] if isinstance(out, tuple) else out, result)


_REMEDY = "use the function of npg, or tensor.detach().numpy() for an array without history"


def _call(ufunc: Any, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    for name in ("order", "subok", "casting"):
        kwargs.pop(name, None)
    dtype = kwargs.pop("dtype", None)
    if kwargs:
        raise TypeError(f"np.{ufunc.__name__} of a Tensor takes no {next(iter(kwargs))}=")
    if not any(isinstance(x, TensorBase) for x in inputs):  # a tensor is the target only
        return wrap(np.asarray(ufunc(*inputs, dtype=dtype)))
    inputs = tuple(np.asarray(x) if isinstance(x, (list, tuple)) else x for x in inputs)
    if dtype is not None:
        inputs = tuple(to_dtype(x, np.dtype(dtype)) if isinstance(x, (TensorBase, np.ndarray)) else x for x in inputs)
    name = ufunc.__name__
    if name == "divmod":
        return F.floor_divide(*inputs), F.remainder(*inputs)
    if name == "conjugate":
        return inputs[0]
    found = _UFUNCS.get(name)
    if found is None:
        raise TypeError(f"np.{name} is not supported on a Tensor; {_REMEDY}")
    if name in ("maximum", "minimum", "matmul", "arctan2", "heaviside", "ldexp"):  # functions of two tensors
        other = next(x for x in inputs if isinstance(x, TensorBase))
        inputs = tuple(_tensor_like(x, other) for x in inputs)
    return getattr(F, found)(*inputs)


def _tensor_like(x: Any, other: Any) -> Any:
    """Return a number as a 0-d array that does not promote the tensor beside it."""
    if isinstance(x, (TensorBase, np.ndarray)):
        return x
    floating = isinstance(x, (float, np.floating))
    keeps = other._array.dtype.kind == "f" or not floating
    return np.asarray(x, other._array.dtype if keeps else get_default_dtype().dtype)


def _reduce(ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    names = ("axis", "dtype", "out", "keepdims", "initial", "where") if method == "reduce" else ("axis", "dtype", "out")
    given = {"axis": 0, **dict(zip(names, inputs[1:])), **kwargs}
    x, axis, dtype = inputs[0], given.pop("axis"), given.pop("dtype", None)
    keepdims = given.pop("keepdims", False)
    if given.pop("out", None) is not None or given.pop("initial", None) is not None or given:
        raise TypeError(f"np.{ufunc.__name__}.{method} of a Tensor takes axis, dtype and keepdims only")
    name = _REDUCTIONS.get(ufunc.__name__, (None, None))[method != "reduce"]
    if name is None:
        raise TypeError(f"np.{ufunc.__name__}.{method} is not supported on a Tensor; {_REMEDY}")
    if dtype is not None:
        x = to_dtype(x, np.dtype(dtype))
    if method == "accumulate":
        found = getattr(F, name)(x, axis)
        return found[0] if isinstance(found, tuple) else found
    if axis == ():
        return x
    if axis is None:
        axis = tuple(range(x.ndim))
    if name == "prod" and not isinstance(axis, int):  # torch.prod takes one dimension
        for d in sorted((d % x.ndim for d in axis), reverse=True):
            x = F.prod(x, d, keepdim=keepdims)
        return x
    if not x.ndim and not (isinstance(axis, int) and axis in (0, -1)):
        axis = 0
    return getattr(F, name)(x, axis, keepdim=bool(keepdims))


def store(name: str, out: Any, result: Any) -> Any:
    """Write a result into NumPy's out=, a tensor or an array of its shape, and return that.

    Raises: ValueError: for another shape. TypeError: when a result that requires grad would lose its history.
    """
    if out.shape != result.shape:
        raise ValueError(f"np.{name}: expected out of shape {tuple(result.shape)}, got {tuple(out.shape)}")
    if isinstance(out, TensorBase):
        return F.copy_(out, result)
    if result.requires_grad:
        raise TypeError(f"np.{name} cannot write a Tensor that requires grad into an array; use tensor.detach()")
    np.copyto(out, result._array, casting="same_kind")
    return out


def array_function(self: Any, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
    """Run a NumPy function on tensors. Called by NumPy (`__array_function__`).

    Raises: TypeError: for a function that has no counterpart.
    """
    found = FUNCTIONS.get(function)
    if found is None:
        if not all(issubclass(t, (TensorBase, np.ndarray)) for t in types):
            return NotImplemented
        name = getattr(function, "__name__", str(function))
        module = MODULES.get(getattr(function, "__module__", ""), "np")
        raise TypeError(f"{module}.{name} is not supported on a Tensor; {_REMEDY}")
    out = kwargs.pop("out", None) if kwargs else None
    result = found(*args, **kwargs)
    return result if out is None else store(function.__name__, out, result)
