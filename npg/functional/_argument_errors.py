"""The error messages of refused calls: which argument has the wrong kind, in the words of PyTorch's parser.

No successful call comes here. A function checks only what it needs to know; where an argument is so wrong that NumPy
or Python fails on it, `explain` reads the function's signature and finds the argument that does not fit.
"""

from __future__ import annotations

import inspect
import opcode
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from npg import dtypes
from npg._naming import home, is_own, named
from npg._words import scalar_name, shape_text, type_name
from npg.engine import TensorBase, array_of

_RAISE = opcode.opmap["RAISE_VARARGS"]
# The types that npg raises on purpose; an OverflowError is deliberate only with PyTorch's text.
_ERRORS = (TypeError, ValueError, IndexError, RuntimeError)
_INT64 = 1 << 63
_OVERFLOWS = (  # Python's texts, which PyTorch also uses
    "int too big to convert", "int too large to convert to float", "can't convert negative int to unsigned",
)  # fmt: skip
# Python's texts that also come from PyTorch's modules, which are written in Python like npg's.
_PYTHONS = "object is not iterable|could not convert string to float|float division by zero"
_TOO_LARGE = "array is too big|Maximum allowed (size|dimension) exceeded|larger than the maximum"  # NumPy's texts

# ----- Kinds of arguments -----


def _is_tensor(x: Any) -> bool:
    return isinstance(x, (TensorBase, np.ndarray))


def _is_single(x: Any) -> bool:
    return _is_tensor(x) and x.ndim == 0


def _is_number(x: Any) -> bool:
    return isinstance(x, (bool, int, float, np.number, np.bool_)) or _is_single(x)


def _is_int(x: Any) -> bool:
    if isinstance(x, (bool, np.bool_)):
        return False
    return hasattr(x, "__index__") and (not _is_tensor(x) or (x.ndim == 0 and array_of(x).dtype.kind in "iu"))


def _is_dtype(x: Any) -> bool:
    try:
        dtypes.to_numpy(x)
    except TypeError:
        return False
    return True


class Kind(NamedTuple):
    """The kind of argument that a parameter takes: PyTorch's name, a test, and a test of the items of a sequence."""

    text: str
    fits: Callable[[Any], bool]
    items: Callable[[Any], bool] | None = None


_TENSOR = Kind("Tensor", _is_tensor)
_OPERAND = Kind("Tensor", lambda x: _is_tensor(x) or _is_number(x))
_TENSORS = Kind("tuple of Tensors", lambda x: False, _is_tensor)
_NUMBER = Kind("Number", _is_number)
_INT = Kind("int", _is_int)
_INTS = Kind("tuple of ints", _is_int, _is_int)
_SECTIONS = Kind("tuple of ints", lambda x: _is_int(x) or _is_tensor(x), _is_int)
_FLOAT = Kind("float", _is_number)
_BOOL = Kind("bool", lambda x: isinstance(x, (bool, np.bool_)))
_STR = Kind("str", lambda x: isinstance(x, str))
_DTYPE = Kind("npg.dtype", _is_dtype)
_ARRAY = Kind("np.ndarray", lambda x: isinstance(x, np.ndarray))
_CALLABLE = Kind("callable", callable)

# By annotation; with any other annotation the parameter's name decides.
_BY_ANNOTATION = {
    "T": _TENSOR, "Tensor": _TENSOR, "TensorBase": _TENSOR, "Sequence[T]": _TENSORS,
    "int": _INT, "bool": _BOOL, "float": _FLOAT, "str": _STR, "Scalar": _NUMBER, "Dims": _INTS, "Sizes": _INTS,
    "int | tuple[int, ...] | list[int]": _INTS, "dtype": _DTYPE, "np.ndarray[Any, Any]": _ARRAY,
}  # fmt: skip
_BY_NAME = {
    **dict.fromkeys(("input", "index", "source", "mask", "out", "tensor", "tensor1", "tensor2", "batch1"), _TENSOR),
    **dict.fromkeys(("batch2", "mat", "mat1", "mat2", "vec", "vec1", "vec2", "sorter", "weights", "values"), _TENSOR),
    **dict.fromkeys(("condition", "the_template", "B", "b", "y"), _TENSOR),
    **dict.fromkeys(("other", "exponent", "min", "max", "src", "weight", "repeats", "value"), _OPERAND),
    **dict.fromkeys(("alpha", "beta", "start", "end", "step", "fill_value", "low", "high"), _NUMBER),
    **dict.fromkeys(("dim", "size", "sizes", "stride", "shape", "physical_layout"), _INTS),
    "indices_or_sections": _SECTIONS,
    "dtype": _DTYPE,
    "callable": _CALLABLE,
    "func": _CALLABLE,
}  # fmt: skip


def _kind(parameter: inspect.Parameter) -> tuple[Kind | None, bool]:
    """Return the kind of a parameter, and whether it may be None."""
    text = str(parameter.annotation).replace("builtins.", "")
    optional = parameter.default is None or text.endswith("| None") or text == "Any"
    kind = _BY_ANNOTATION.get(text.removesuffix(" | None"))
    if kind is None and text.startswith("Callable"):
        kind = _CALLABLE
    if kind is None:
        kind = _BY_NAME.get(parameter.name)
        optional = parameter.default is None
    return kind, optional


# ----- The argument that does not fit -----


def _misfit(name: str, label: str, kind: Kind, value: Any) -> Exception | None:
    """Return the error for an argument of the wrong kind or too large for its parameter; None if it fits."""
    argument = f"{name}(): argument {label}"
    if kind.items is not None and isinstance(value, (tuple, list)):
        for i, item in enumerate(value):
            if not kind.items(item):
                if kind is _TENSORS:
                    return TypeError(f"expected Tensor as element {i} in argument 0, but got {type_name(item)}")
                if i and kind.text == "tuple of ints":
                    why = f"type must be tuple of ints,but got {type_name(item)}"
                    place = f'failed to unpack the object at pos {i + 1} with error "{why}"'
                    return TypeError(f"{argument.partition(' (position')[0]} {place}")
                text = f"must be {kind.text}, but found element of type {type_name(item)} at pos {i}"
                return TypeError(f"{argument} {text}")
        if kind is not _TENSORS and any(_too_long(item) for item in value):
            return ValueError("Overflow when unpacking long long")
        return None
    if not kind.fits(value):
        return TypeError(named(f"{argument} must be {kind.text}, not {type_name(value)}"))
    if kind in (_INT, _INTS, _SECTIONS) and _is_int(value) and _too_long(value):
        return ValueError("Overflow when unpacking long long")
    if kind in (_NUMBER, _OPERAND, _FLOAT) and type(value) is int and not -_INT64 <= value < 2 * _INT64:
        return OverflowError("int too big to convert")
    return None


def _too_long(value: Any) -> bool:
    return not -_INT64 <= value.__index__() < _INT64


def _wrong_argument(function: Callable[..., Any], args: Any, kwargs: Any) -> Exception | None:
    """Return the error for the first argument that does not fit its parameter; None if all fit."""
    name, signature = _name(function, args), inspect.signature(function)
    # PyTorch does not count self in functions that exist as methods only.
    method = name.endswith("_") or function.__name__ == "__init__" or _home(function).startswith("npg.tensor")
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        unknown = [key for key in kwargs if key not in signature.parameters]
        if function.__name__ == "__init__" and unknown:  # Python names it before what is missing
            return TypeError(f"{name}() got an unexpected keyword argument '{unknown[0]}'")
        return TypeError(f"{name}() {_arguments_text(str(error), signature, len(args), kwargs)}")
    for i, (key, value) in enumerate(bound.arguments.items()):
        parameter = signature.parameters[key]
        kind, optional = _kind(parameter)
        if kind is None or (value is None and optional):
            continue
        label = f"'{key}'" + (f" (position {i + 1 - method})" if key not in kwargs and i >= method else "")
        if parameter.kind is parameter.VAR_POSITIONAL:
            value = value[0] if len(value) == 1 else value
            label = f"'{key}' (position {i + 1 - method})"
        misfit = _misfit(name, label, kind, value)
        if misfit is not None:
            return misfit
    return None


def _home(function: Callable[..., Any]) -> str:
    """Return the name of the module that defines a function; its __module__ is torch's name while npg serves it."""
    return home(getattr(function, "__globals__", {}))


def _name(function: Callable[..., Any], args: Any) -> str:
    """Return a function's name; of an __init__ that of the public class of npg's that is built."""
    if function.__name__ != "__init__":
        return function.__name__
    own = [c for c in type(args[0]).__mro__ if is_own(c.__module__) and c.__name__[0] != "_"]
    return own[0].__name__


def _arguments_text(text: str, signature: inspect.Signature, count: int, keywords: Any) -> str:
    """Return inspect's text on missing, unknown or too many arguments in PyTorch's words."""
    if text == "too many positional arguments":
        places = [p for p in signature.parameters.values() if p.kind is not p.KEYWORD_ONLY]
        least, most = sum(p.default is p.empty for p in places), len(places)
        takes = f"{most}" if least == most else f"from {least} to {most}"
        return f"takes {takes} positional argument{'s' * (most != 1)} but {count} were given"
    if text.startswith("multiple values"):
        return f"got {text}"
    if not text.startswith("missing a required"):
        return text
    later = [p for p in signature.parameters.values() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)][count:]
    names = [f'"{p.name}"' for p in later if p.default is p.empty and p.name not in keywords]
    plural = "s" if len(names) == 1 else ""  # sic
    return f"missing {len(names)} required positional argument{plural}: {', '.join(names)}"


# ----- Unintended errors -----


def is_accident(error: BaseException) -> bool:
    """Tell whether an error was raised by Python or NumPy, not by a raise statement of npg's."""
    trace = error.__traceback__
    if trace is None or isinstance(error, (Warning, RecursionError)):
        return False
    if str(error).endswith("is read-only"):  # NumPy's text is clear enough
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    frame = trace.tb_frame
    room = home(frame.f_globals).partition(".")[0]
    if room == "numpy":
        return True
    if room != "npg":  # a function of the user's
        return False
    if isinstance(error, AttributeError) and frame.f_code.co_name == "__getattr__":  # in Python's place
        return True
    code = frame.f_code.co_code
    if len(code) <= trace.tb_lasti or not frame.f_code.co_filename.endswith(".py"):  # the extension checks arguments
        return not isinstance(error, _ERRORS) or type(error) not in (*_ERRORS, NotImplementedError)
    return code[trace.tb_lasti] != _RAISE


def explain(function: Callable[..., Any], args: Any, kwargs: Any, error: Exception) -> Exception:
    """Return the error that a failed call should raise: a clearer one, or the original.

    Args:
        function, args, kwargs: the call.
        error: the exception that it raised.
    """
    inner = error.__cause__ if getattr(error, "_explains", False) else None  # raised by a function called by this one
    if inner is None and not is_accident(error):
        return error
    if _home(function).startswith("npg.nn.") and re.search(_PYTHONS, str(error)):
        return error
    name, signature = _name(function, args), inspect.signature(function)
    explanation = _wrong_argument(function, args, kwargs)
    if explanation is None and inner is None:
        if function.__name__ == "__init__":  # nobody passes self
            args, signature = args[1:], signature.replace(parameters=[*signature.parameters.values()][1:])
        explanation = _translated(name, signature, args, kwargs, error)
    if explanation is None:
        return error
    explanation._explains = True  # type: ignore[attr-defined]
    explanation.__cause__ = inner or error
    return explanation


def _translated(name: str, signature: inspect.Signature, args: Any, kwargs: Any, error: Exception) -> Exception | None:
    """Return PyTorch's error for a failure that no argument's kind explains."""
    text = str(error)
    if isinstance(error, MemoryError):
        shape, dtype = getattr(error, "shape", None), getattr(error, "dtype", None)
        if shape is None or dtype is None:
            return RuntimeError("DefaultCPUAllocator: not enough memory")
        count = dtype.itemsize
        for n in shape:
            count *= int(n)
        return RuntimeError(
            f"DefaultCPUAllocator: can't allocate memory: you tried to allocate {count} bytes. Error code 12 (Cannot "
            "allocate memory)"
        )
    if re.search(_TOO_LARGE, text):
        return RuntimeError(f"{name}(): Storage size calculation overflowed with {_call_text(args, kwargs)}")
    if text in _OVERFLOWS:
        return None
    if isinstance(error, OverflowError):
        return ValueError("Overflow when unpacking long long")
    return TypeError(
        f"{name}() received an invalid combination of arguments - got {_call_text(args, kwargs)}, but expected "
        f"{_expected(signature)}"
    )


def _call_text(args: Any, kwargs: Any) -> str:
    return "(" + ", ".join([*map(_argument_text, args), *(f"{k}={_argument_text(v)}" for k, v in kwargs.items())]) + ")"


def _argument_text(value: Any) -> str:
    """Return how a message shows an argument: a number itself, a tensor's shape, else the type."""
    if isinstance(value, TensorBase):
        return f"{scalar_name(value._array)}Tensor{shape_text(value._array.shape)}"
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    if isinstance(value, str) and len(value) < 40:
        return repr(value)
    if isinstance(value, (tuple, list)) and len(value) < 8:
        return f"{type(value).__name__} of ({', '.join(map(_argument_text, value))})"
    return type_name(value)


def _expected(signature: inspect.Signature) -> str:
    """Return a signature with PyTorch's names of kinds: (Tensor input, int dim = 0)."""
    parts = []
    star = False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            parts.append("*")
            star = True
        kind, _ = _kind(parameter)
        words = [kind.text, parameter.name] if kind else [parameter.name]
        if parameter.kind is parameter.VAR_POSITIONAL:
            words[-1] = f"*{words[-1]}"
            star = True
        if parameter.default is not parameter.empty:
            words.append(f"= {parameter.default}")
        parts.append(" ".join(words))
    return "(" + ", ".join(parts) + ")"
