"""What a refused call is told: which argument is of another kind than its parameter, as PyTorch's parser puts it.

No call that succeeds comes here. A function checks what it must know itself; where it was given something absurd, and
NumPy or Python stumbled over that, `explain` reads the function's signature and finds the argument that does not fit.
"""

from __future__ import annotations

import inspect
import opcode
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from npg import dtypes
from npg._words import scalar_name, shape_text, type_name
from npg.engine import TensorBase, array_of

_RAISE = opcode.opmap["RAISE_VARARGS"]
# What npg raises on purpose, it raises as one of these; PyTorch's own OverflowError is the one text among the others.
_ERRORS = (TypeError, ValueError, IndexError, RuntimeError)
_INT64 = 1 << 63
_OVERFLOWS = (  # Python's words, which PyTorch has too
    "int too big to convert", "int too large to convert to float", "can't convert negative int to unsigned",
)  # fmt: skip
# Python's words of arguments that PyTorch's modules, functions of Python as npg's, have too.
_PYTHONS = "object is not iterable|could not convert string to float|float division by zero"
_TOO_LARGE = "array is too big|Maximum allowed (size|dimension) exceeded|larger than the maximum"  # NumPy's words

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
    """What a parameter takes: PyTorch's name of it, a test, and the test of the items where it may be a sequence."""

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

# By annotation; what is none of these says nothing of the kind, and the name decides.
_BY_ANNOTATION = {
    "T": _TENSOR, "B": _TENSOR, "Tensor": _TENSOR, "TensorBase": _TENSOR, "Sequence[T]": _TENSORS,
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
    found = _BY_ANNOTATION.get(text.removesuffix(" | None"))
    if found is None and text.startswith("Callable"):
        found = _CALLABLE
    if found is None:
        found = _BY_NAME.get(parameter.name)
        optional = parameter.default is None
    return found, optional


# ----- The argument that does not fit -----


def _misfit(name: str, label: str, kind: Kind, value: Any) -> Exception | None:
    """Return the error for an argument that is not of its parameter's kind, or too large for one; None: it fits."""
    argument = f"{name}(): argument {label}"
    if kind.items is not None and isinstance(value, (tuple, list)):
        for i, item in enumerate(value):
            if not kind.items(item):
                if kind is _TENSORS:
                    return TypeError(f"expected Tensor as element {i} in argument 0, but got {type_name(item)}")
                text = f"must be {kind.text}, but found element of type {type_name(item)} at pos {i}"
                return TypeError(f"{argument} {text}")
        if kind is not _TENSORS and any(_too_long(item) for item in value):
            return ValueError("Overflow when unpacking long long")
        return None
    if not kind.fits(value):
        return TypeError(f"{argument} must be {kind.text}, not {type_name(value)}")
    if kind in (_INT, _INTS, _SECTIONS) and _is_int(value) and _too_long(value):
        return ValueError("Overflow when unpacking long long")
    if kind in (_NUMBER, _OPERAND, _FLOAT) and type(value) is int and not -_INT64 <= value < 2 * _INT64:
        return OverflowError("int too big to convert")
    return None


def _too_long(value: Any) -> bool:
    return not -_INT64 <= value.__index__() < _INT64


def _wrong_argument(function: Callable[..., Any], args: Any, kwargs: Any) -> Exception | None:
    """Return the error for the first argument that does not fit its parameter, None where all do."""
    name, signature = _name(function), inspect.signature(function)
    # Of what is a method only, PyTorch does not count self.
    method = name.endswith("_") or function.__name__ == "__init__" or function.__module__.startswith("npg.tensor")
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        return TypeError(f"{name}() {_arguments_text(str(error), signature, len(args))}")
    for i, (key, value) in enumerate(bound.arguments.items()):
        parameter = signature.parameters[key]
        kind, optional = _kind(parameter)
        if kind is None or (value is None and optional):
            continue
        label = f"'{key}'" + (f" (position {i + 1 - method})" if key not in kwargs and i >= method else "")
        if parameter.kind is parameter.VAR_POSITIONAL:
            value = value[0] if len(value) == 1 else value
            label = f"'{key}' (position {i + 1 - method})"
        found = _misfit(name, label, kind, value)
        if found is not None:
            return found
    return None


def _name(function: Callable[..., Any]) -> str:
    return function.__qualname__.split(".")[-2] if function.__name__ == "__init__" else function.__name__


def _arguments_text(text: str, signature: inspect.Signature, count: int) -> str:
    """Return what inspect says of missing, unknown and too many arguments as PyTorch does."""
    if text == "too many positional arguments":
        places = [p for p in signature.parameters.values() if p.kind is not p.KEYWORD_ONLY]
        least, most = sum(p.default is p.empty for p in places), len(places)
        takes = f"{most}" if least == most else f"from {least} to {most}"
        return f"takes {takes} positional argument{'s' * (most != 1)} but {count} were given"
    found = re.fullmatch(r"missing a required (?:keyword-only )?argument: '(\w+)'", text)
    return f'missing 1 required positional arguments: "{found[1]}"' if found else text


# ----- Errors that nobody meant -----


def is_accident(error: BaseException) -> bool:
    """Tell whether Python or NumPy raised an error within npg, where no statement of npg's raised it."""
    trace = error.__traceback__
    if trace is None or isinstance(error, (Warning, RecursionError)):
        return False
    if str(error).endswith("is read-only"):  # NumPy says it best
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    frame = trace.tb_frame
    room = frame.f_globals.get("__name__", "").partition(".")[0]
    if room == "numpy":
        return True
    if room != "npg":  # a function that the user gave
        return False
    code = frame.f_code.co_code
    if len(code) <= trace.tb_lasti or not frame.f_code.co_filename.endswith(".py"):  # of the extension: it checks
        return not isinstance(error, _ERRORS) or type(error) not in (*_ERRORS, NotImplementedError)
    return code[trace.tb_lasti] != _RAISE


def explain(function: Callable[..., Any], args: Any, kwargs: Any, error: Exception) -> Exception:
    """Return the error that a call which failed should raise: a better one, or the one it had.

    Args:
        function, args, kwargs: the call.
        error: what it raised.
    """
    inner = error.__cause__ if getattr(error, "_explains", False) else None  # of a function that this one called
    if inner is None and not is_accident(error):
        return error
    if function.__module__.startswith("npg.nn.") and re.search(_PYTHONS, str(error)):
        return error
    name, signature = _name(function), inspect.signature(function)
    found = _wrong_argument(function, args, kwargs)
    if found is None and inner is None:
        found = _translated(name, signature, args, kwargs, error)
    if found is None:
        return error
    found._explains = True  # type: ignore[attr-defined]
    found.__cause__ = inner or error
    return found


def _translated(name: str, signature: inspect.Signature, args: Any, kwargs: Any, error: Exception) -> Exception | None:
    """Return PyTorch's words for what no argument's kind explains."""
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
        return RuntimeError(f"{name}(): Storage size calculation overflowed with {_given(args, kwargs)}")
    if text in _OVERFLOWS:
        return None
    if isinstance(error, OverflowError):
        return ValueError("Overflow when unpacking long long")
    return TypeError(
        f"{name}() received an invalid combination of arguments - got {_given(args, kwargs)}, but expected "
        f"{_expected(signature)}"
    )


def _given(args: Any, kwargs: Any) -> str:
    return "(" + ", ".join([*map(_word, args), *(f"{k}={_word(v)}" for k, v in kwargs.items())]) + ")"


def _word(value: Any) -> str:
    """Return what a text says of an argument: a number itself, the shape of a tensor, else the type."""
    if isinstance(value, TensorBase):
        return f"{scalar_name(value._array)}Tensor{shape_text(value._array.shape)}"
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    if isinstance(value, str) and len(value) < 40:
        return repr(value)
    if isinstance(value, (tuple, list)) and len(value) < 8:
        return f"{type(value).__name__} of ({', '.join(map(_word, value))})"
    return type_name(value)


def _expected(signature: inspect.Signature) -> str:
    """Return a signature with PyTorch's names of the kinds: (Tensor input, int dim = 0)."""
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
