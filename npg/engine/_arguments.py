"""The arguments of functions and operators, off the hot path: numbers, keywords, and errors."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import _errors, dtypes
from npg._words import type_name

# The operators that both engines install on tensors, see register_operators; the Cython engine relies on this order.
# In-place ones such as += are not among them: CPython would use a C __iadd__ for the concatenation of sequences too.
OPERATORS = (
    "__add__",
    "__radd__",
    "__sub__",
    "__rsub__",
    "__mul__",
    "__rmul__",
    "__truediv__",
    "__rtruediv__",
    "__neg__",
)

# What an operator takes besides tensors and arrays. NumPy's timedelta64 is a subclass of its integers.
_NUMBERS = (bool, int, float, np.bool_, np.integer, np.floating)

# NumPy's names for PyTorch's input and other, which PyTorch accepts too.
_NUMPY_INPUTS = {"input": ("x", "a", "x1"), "other": ("x2",)}


def is_number(x: Any) -> bool:
    """Tell whether x is a real number of Python or NumPy."""
    return isinstance(x, _NUMBERS) and not isinstance(x, np.timedelta64)


def operand_error(function: Any, args: Any, i: int) -> TypeError:
    """Return the error for an argument that is neither a tensor nor a number."""
    return TypeError(
        _errors.NOT_A_TENSOR.format(
            name=function.__name__, argument=function._names[i], position=i + 1, kind=type_name(args[i])
        )
    )


def of_numbers(function: Any, args: Any, wrap: Any) -> Any:
    """Return arguments that are all numbers with the first as a 0-d tensor, for an op that takes numbers alone.

    Raises: TypeError: when the op does not, or an argument is not a number.
    """
    if not function.op.takes_numbers or function.writes or not all(is_number(x) for x in args):
        raise operand_error(function, args, 0)
    args = [float(x) if isinstance(x, np.floating) else x.item() if isinstance(x, np.generic) else x for x in args]
    return wrap(np.asarray(args[0], dtypes.scalar_dtype(args[0]).dtype)), *args[1:]


def bind(function: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """Return the positional arguments of a call with keywords, and its out= tensor or None.

    Raises: TypeError: when they do not fit, in PyTorch's words.
    """
    target = kwargs.pop("out", None)
    if not kwargs and len(args) == len(function._names):  # only out=: reading the signature would take 10 microseconds
        return args, target
    signature = function.__signature__
    try:
        return tuple(signature.bind(*args, **kwargs).args), target
    except TypeError:
        names = list(signature.parameters)
        if len(args) > len(names):
            plural = "" if len(names) == 1 else "s"
            text = f"takes {len(names)} positional argument{plural} but {len(args)} were given"
            raise TypeError(f"{function.__name__}() {text}") from None
        for parameter, aliases in _NUMPY_INPUTS.items():
            for name in aliases:
                if name in kwargs and parameter in names[len(args) :] and parameter not in kwargs:
                    kwargs[parameter] = kwargs.pop(name)
        required = [n for n, p in signature.parameters.items() if p.default is p.empty]
        missing = [n for n in required[len(args) :] if n not in kwargs]
        if missing:
            plural = "s" if len(missing) == 1 else ""  # sic
            listed = ", ".join(f'"{n}"' for n in missing)
            text = f"missing {len(missing)} required positional argument{plural}: {listed}"
            raise TypeError(f"{function.__name__}() {text}") from None
        for name in kwargs:
            if name not in names:
                raise TypeError(f"{function.__name__}() got an unexpected keyword argument '{name}'") from None
            if name in names[: len(args)]:
                raise TypeError(f"{function.__name__}() got multiple values for argument '{name}'") from None
    return tuple(signature.bind(*args, **kwargs).args), target
