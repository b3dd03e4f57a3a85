"""The dtypes and PyTorch's type promotion: the dtype in which an operation computes.

Every rule about result dtypes lives here. Python numbers are weak (they only decide the category), 0-d arrays do not
promote arrays within a category, and a number or an integer array that must become floating takes the default dtype.
Source: torch.result_type, torch.promote_types and the table in PyTorch's tensor attributes documentation.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from npg import _naming

# Categories, in the order in which they win.
BOOL, INTEGER, FLOATING = 0, 1, 2


# Their C++ names, which some of PyTorch's messages use.
_C_NAMES = {
    "float16": "c10::Half", "float32": "float", "float64": "double", "int8": "signed char", "int16": "short int",
    "int32": "int", "int64": "long int", "uint8": "unsigned char", "uint16": "short unsigned int",
    "uint32": "unsigned int", "uint64": "long unsigned int", "bool": "bool",
}  # fmt: skip


# ----- The dtype objects -----


class dtype:
    """An element type, such as npg.float32.

    Attributes:
        dtype: the NumPy dtype, so that NumPy accepts npg.float32 wherever it takes a dtype.
        itemsize: bytes per element.
        is_floating_point: whether it is float16, float32 or float64.
        kind, char, num, type: those of the NumPy dtype, for code that reads them from an array's dtype.
    Source: torch.dtype.
    """

    __slots__ = (
        "c_name", "category", "char", "dtype", "is_complex", "is_floating_point", "is_signed", "itemsize", "kind",
        "name", "num", "scalar_name", "type",
    )  # fmt: skip

    def __init__(self, name: str, scalar_name: str) -> None:
        if not isinstance(name, str) or name not in _C_NAMES:
            raise TypeError(_naming.named("cannot create 'npg.dtype' instances"))
        self.name = name
        self.scalar_name = scalar_name  # its name in PyTorch's error texts: Float, Long, ...
        self.c_name = _C_NAMES[name]
        self.dtype = np.dtype(name)
        self.itemsize = self.dtype.itemsize
        self.kind, self.char, self.num, self.type = self.dtype.kind, self.dtype.char, self.dtype.num, self.dtype.type
        self.is_floating_point = self.dtype.kind == "f"
        self.is_complex = False
        self.is_signed = self.dtype.kind in "if"
        self.category = {"b": BOOL, "i": INTEGER, "u": INTEGER, "f": FLOATING}[self.dtype.kind]

    def __repr__(self) -> str:
        return f"{_naming.library}.{self.name}"

    def __reduce__(self) -> tuple[Any, ...]:
        if self.name not in _C_NAMES:
            return named_only, (self.name,)
        return by_name, (self.name,)  # not by NumPy's dtype, whose pickles are not validated when loaded

    def __eq__(self, other: object) -> bool:
        # Equal to the NumPy dtype it stands for, so that both spellings work in comparisons.
        if isinstance(other, dtype):
            return self is other
        if isinstance(other, (np.dtype, type)):
            try:
                return bool(self.dtype == other)
            except TypeError:
                return False
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.dtype) if self.name in _C_NAMES else hash(self.name)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name not in dtype.__slots__:
                raise AttributeError(f"'{_naming.library}.dtype' object has no attribute {name!r}")
            # One of NAMES_ONLY: whatever would compute in it asks for this first.
            raise TypeError(f"npg has no tensors of dtype {self!r}, only the name; use another dtype, such as float32")

    def to_complex(self) -> dtype:
        """Return the complex dtype of this precision, a name only: npg has no complex tensors."""
        kinds = {"float16": "complex32", "bfloat16": "complex64", "float32": "complex64", "float64": "complex128"}
        if self.is_complex:
            return self
        if self.name not in kinds:
            raise RuntimeError(f"Unknown Complex ScalarType for {self.scalar_name}")
        return named_only(kinds[self.name])

    def to_real(self) -> dtype:
        """Return the floating dtype of the parts of a complex dtype."""
        kinds = {"complex32": "float16", "complex64": "float32", "complex128": "float64"}
        return by_name(kinds[self.name]) if self.is_complex else self


float16 = half = dtype("float16", "Half")
float32 = dtype("float32", "Float")
float64 = double = dtype("float64", "Double")
int8 = dtype("int8", "Char")
int16 = short = dtype("int16", "Short")
int32 = dtype("int32", "Int")
int64 = long = dtype("int64", "Long")
uint8 = dtype("uint8", "Byte")
uint16 = dtype("uint16", "UInt16")
uint32 = dtype("uint32", "UInt32")
uint64 = dtype("uint64", "UInt64")
bool_ = dtype("bool", "Bool")

# PyTorch's other dtypes are names only (npg/_dtype_names.py): their bytes, and their names in error texts. They are no
# names of this module, where code looks for what npg can compute in.
_COMPLEX = {"complex32": (4, "ComplexHalf"), "complex64": (8, "ComplexFloat"), "complex128": (16, "ComplexDouble")}
_QUANTIZED = {
    "qint8": (1, "QInt8"), "qint32": (4, "QInt32"), "quint8": (1, "QUInt8"), "quint4x2": (1, "QUInt4x2"),
    "quint2x4": (1, "QUInt2x4"),
}  # fmt: skip
_FLOATING = {
    "bfloat16": (2, "BFloat16"), "float8_e4m3fn": (1, "Float8_e4m3fn"), "float8_e4m3fnuz": (1, "Float8_e4m3fnuz"),
    "float8_e5m2": (1, "Float8_e5m2"), "float8_e5m2fnuz": (1, "Float8_e5m2fnuz"),
    "float8_e8m0fnu": (1, "Float8_e8m0fnu"), "float4_e2m1fn_x2": (1, "Float4_e2m1fn_x2"),
}  # fmt: skip
_BITS = {f"bits{n}": (size, f"Bits{n}") for n, size in (("1x8", 1), ("2x4", 1), ("4x2", 1), ("8", 1), ("16", 2))}
_NARROW = {f"{u}int{n}": (1, f"{u.upper()}Int{n}") for u in ("", "u") for n in range(1, 8)}  # a byte each


def _name_only(name: str, itemsize: int, scalar_name: str) -> dtype:
    d: dtype = object.__new__(dtype)  # without NumPy's dtype: see __getattr__
    d.name, d.itemsize, d.scalar_name = name, itemsize, scalar_name
    d.is_floating_point, d.is_complex = name in _FLOATING, name in _COMPLEX
    if name not in _QUANTIZED | _BITS:  # for these PyTorch raises, too
        d.is_signed = name != "float8_e8m0fnu" and name[0] != "u"
    return d


NAMES_ONLY = {
    name: _name_only(name, *facts) for name, facts in (_COMPLEX | _QUANTIZED | _FLOATING | _BITS | _NARROW).items()
}

ALL = (float16, float32, float64, int8, int16, int32, int64, uint8, uint16, uint32, uint64, bool_)
UNSIGNED = (uint16, uint32, uint64)  # promoted only with floats and Python numbers
# Keyed by the type character: on every platform two C types share a width, and NumPy distinguishes them.
_BY_CHAR = {
    np.dtype(kind).char: d
    for d in ALL
    for kind in "?bBhilqefdHILQ"
    if (np.dtype(kind).kind, np.dtype(kind).itemsize) == (d.dtype.kind, d.itemsize)
}
_default = float32


KNOWN = frozenset(map(np.dtype, _BY_CHAR))  # NumPy's, in native byte order


def is_known(numpy_dtype: np.dtype[Any]) -> bool:
    """Tell whether a tensor can have this NumPy dtype."""
    return numpy_dtype in KNOWN


def check_known(numpy_dtype: np.dtype[Any]) -> None:
    """Raise when a tensor cannot have this NumPy dtype.

    Raises: TypeError: when npg has no such dtype. ValueError: for foreign byte order.
    """
    if numpy_dtype in KNOWN:
        return
    if not numpy_dtype.isnative:
        raise ValueError(
            "given numpy array has byte order different from the native byte order. Conversion between byte orders is "
            "currently not supported."
        )
    from_numpy(numpy_dtype)


def from_numpy(numpy_dtype: Any) -> dtype:
    """Return the npg dtype of a NumPy dtype.

    Raises: TypeError: when npg has no such dtype.
    """
    d = _BY_CHAR.get(np.dtype(numpy_dtype).char)
    if d is None:
        kind = np.dtype(numpy_dtype).type
        raise TypeError(
            f"can't convert np.ndarray of type {kind.__module__}.{kind.__name__}. The only supported types are: "
            "float64, float32, float16, int64, int32, int16, int8, uint64, uint32, uint16, uint8, and bool."
        )
    return d


def by_name(name: str) -> dtype:
    """Return the dtype of this name, such as "float32".

    Raises: ValueError: when npg has no such dtype.
    """
    for d in ALL:
        if d.name == name:
            return d
    raise ValueError(f"expected the name of a dtype, such as float32, got {name!r:.100}")


def named_only(name: str) -> dtype:
    """Return the dtype of this name of which npg has no tensors, such as "bfloat16".

    Raises: ValueError: when there is no such name.
    """
    if name not in NAMES_ONLY:
        raise ValueError(f"expected the name of a dtype, such as bfloat16, got {name!r:.100}")
    return NAMES_ONLY[name]


def to_numpy(kind: Any) -> np.dtype[Any]:
    """Return the NumPy dtype of an npg dtype, a NumPy dtype or a Python type (as in PyTorch, float is float64)."""
    if isinstance(kind, dtype):
        return kind.dtype
    try:
        return from_numpy(np.dtype(kind)).dtype
    except (TypeError, ValueError):  # ValueError: it has a `dtype` attribute that is not NumPy's
        raise TypeError(_naming.named(f"expected a dtype such as npg.float32, got {kind!r}")) from None


def get_default_dtype() -> dtype:
    """Return the dtype of new floating tensors."""
    return _default


def set_default_dtype(d: dtype) -> None:
    """Set the dtype of new floating tensors.

    Raises: TypeError: when d is not a floating dtype.
    """
    global _default
    if not isinstance(d, dtype):
        raise TypeError(f"invalid dtype object: only floating-point types are supported as the default type, got {d!r}")
    if not d.is_floating_point:
        raise TypeError(f"only floating-point types are supported as the default type, got {d!r}")
    to_numpy(d)  # raises for a dtype of which npg has no tensors
    _default = d


# ----- Limits -----


def _dtype_of(type: Any) -> dtype:
    return type if isinstance(type, dtype) else from_numpy(to_numpy(type))


# Of the floating dtypes that are names only: eps, max, min, tiny, and the decimal digits that are exact.
_LIMITS = {
    "bfloat16": (2.0**-7, (2 - 2.0**-7) * 2.0**127, -(2 - 2.0**-7) * 2.0**127, 2.0**-126, 2),
    "float8_e4m3fn": (2.0**-3, 448.0, -448.0, 2.0**-6, 0),
    "float8_e4m3fnuz": (2.0**-3, 240.0, -240.0, 2.0**-7, 0),
    "float8_e5m2": (2.0**-2, 57344.0, -57344.0, 2.0**-14, 0),
    "float8_e5m2fnuz": (2.0**-3, 57344.0, -57344.0, 2.0**-15, 0),
    "float8_e8m0fnu": (1.0, 2.0**127, 2.0**-127, 2.0**-127, 0),
}


class finfo:
    """Machine limits of a floating dtype: bits, eps, max, min, tiny, smallest_normal, resolution, dtype.

    Args:
        type: a floating dtype, also one of which npg has no tensors; of a complex one the limits are its parts'. None
            means the default dtype.
    Raises: TypeError: for another dtype. NotImplementedError: for float4_e2m1fn_x2.
    Source: torch.finfo.
    """

    def __init__(self, type: dtype | None = None) -> None:
        d = _dtype_of(get_default_dtype() if type is None else type)
        if not d.is_floating_point and not d.is_complex:
            raise TypeError(f"torch.finfo() requires a floating point input type. Use torch.iinfo to handle '{d!r}'")
        d = d.to_real()
        self.bits = d.itemsize * 8
        if d.name in _LIMITS:
            self.eps, self.max, self.min, self.tiny, digits = _LIMITS[d.name]
        elif d.name in NAMES_ONLY:
            raise NotImplementedError(f"\"min\" not implemented for '{d.scalar_name}'")
        else:
            info = np.finfo(d.dtype)
            self.eps, self.max, self.min = float(info.eps), float(info.max), float(info.min)
            self.tiny, digits = float(info.tiny), info.precision
        self.dtype, self.smallest_normal = d.name, self.tiny
        self.resolution = float(f"1e-{digits}")  # the resolution of NumPy's float16 is inexact

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )


class iinfo:
    """Machine limits of an integer dtype: bits, max, min, dtype."""

    def __init__(self, type: dtype) -> None:
        d = _dtype_of(type)
        if d.name in _QUANTIZED:
            raise NotImplementedError(f"\"dtype\" not implemented for '{d.scalar_name}'")
        if d is bool_:
            raise TypeError(f"{d!r} is not supported by {_naming.library}.iinfo")
        if d.name in NAMES_ONLY or d.category != INTEGER:
            raise TypeError(f"torch.iinfo() requires an integer input type. Use torch.finfo to handle '{d!r}'")
        info = np.iinfo(d.dtype)
        self.bits, self.max, self.min, self.dtype = info.bits, int(info.max), int(info.min), d.name

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"


# ----- Promotion -----


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """Return the smallest dtype that is at least as wide and of at least the category of both.

    Raises: TypeError: when an argument is not a dtype. RuntimeError: for uint16, uint32, uint64 with integers or bools.
    """
    if type1 is type2:
        return type1
    _check_dtypes("promote_types", type1=type1, type2=type2)
    if type1.category != type2.category:
        wide, narrow = (type1, type2) if type1.category > type2.category else (type2, type1)
        if wide.is_floating_point or narrow not in UNSIGNED and wide not in UNSIGNED:
            return wide
    if type1 in UNSIGNED or type2 in UNSIGNED:
        raise RuntimeError(
            "Promotion for uint16, uint32, uint64 types is not supported, attempted to promote "
            f"{type1.scalar_name} and {type2.scalar_name}"
        )
    return from_numpy(np.promote_types(type1.dtype, type2.dtype))


def _check_dtypes(name: str, **arguments: Any) -> None:
    """Raise TypeError for an argument that is not a dtype."""
    for i, (argument, d) in enumerate(arguments.items(), 1):
        if not isinstance(d, dtype):
            kind = type(d).__name__
            raise TypeError(
                _naming.named(f"{name}(): argument '{argument}' (position {i}) must be npg.dtype, not {kind}")
            )


def can_cast(from_: dtype, to: dtype) -> bool:
    """Tell whether a result of dtype `from_` may be stored in `to`: its category must not be higher.

    Raises: TypeError: when an argument is not a dtype.
    """
    _check_dtypes("can_cast", from_=from_, to=to)
    return from_.category <= to.category


def scalar_dtype(number: Any) -> dtype:
    """Return the dtype that a Python or NumPy number stands for in promotion."""
    if isinstance(number, (bool, np.bool_)):
        return bool_
    if isinstance(number, (int, np.integer)):
        return int64
    return _default


def _combine(higher: dtype | None, lower: dtype | None) -> dtype | None:
    # `higher` has precedence (arrays over 0-d arrays over numbers): `lower` counts only by its category.
    if higher is None or lower is None:
        return higher or lower
    if higher.category >= lower.category and higher is not bool_:
        return higher
    return promote_types(higher, lower)


def common_dtype(operands: Any) -> dtype:
    """Return the dtype in which an operation on these operands computes.

    Args:
        operands: ndarrays (or anything with dtype and ndim) and Python numbers.
    Source: torch.result_type.
    """
    arrays: dtype | None = None
    scalars: dtype | None = None
    numbers: dtype | None = None
    for x in operands:
        if isinstance(x, np.generic) or not hasattr(x, "ndim"):
            d = scalar_dtype(x)
            numbers = d if numbers is None else promote_types(numbers, d)
        elif x.ndim:
            d = from_numpy(x.dtype)
            arrays = d if arrays is None else promote_types(arrays, d)
        else:
            d = from_numpy(x.dtype)
            scalars = d if scalars is None else promote_types(scalars, d)
    result = _combine(_combine(arrays, scalars), numbers)
    if result is None:
        raise TypeError("expected at least one operand, got none")
    if _strict:
        _refuse_upcast(operands, result)
    return result


def float_dtype(operands: Any) -> dtype:
    """Return the common dtype of the operands, or the default dtype where that is an integer or bool."""
    d = common_dtype(operands)
    return d if d.is_floating_point else _default


# ----- No silent promotion -----

# See npg.autograd.strict_dtype. common_dtype is called only where dtypes differ, so other calls pay nothing for this.
_strict = False


def _refuse_upcast(operands: Any, result: dtype) -> None:
    """Raise TypeError when a floating array among the operands of an op is narrower than the result."""
    kinds = [from_numpy(x.dtype) for x in operands if isinstance(x, np.ndarray) and x.dtype.kind == "f"]
    if not result.is_floating_point or all(d.itemsize >= result.itemsize for d in kinds):
        return
    frame: Any = sys._getframe(2)
    name = ""
    while frame is not None and _naming.is_own(frame.f_globals.get("__name__", "")):
        # The op that promotes, else the outermost function of npg.
        code = frame.f_code.co_name
        if code == "result_type":  # a query, which computes nothing
            return
        name = name if code == "call" else code  # "call" is a wrapper
        op = frame.f_locals.get("op")
        if hasattr(op, "name"):
            name = op.name
            break
        frame = frame.f_back
    names = " and ".join(sorted({d.name for d in kinds}))
    raise TypeError(
        f"{name.strip('_')}: expected floating tensors of one dtype within strict_dtype(), got {names}; use to()"
    )
