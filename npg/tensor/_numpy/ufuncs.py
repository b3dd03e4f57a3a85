"""NumPy's ufuncs on tensors: calls, with out= and where=, and the methods reduce, accumulate, reduceat, outer and at.

A ufunc maps to the function of npg.functional that the table names, or to the composite below it. Methods map to a
function of npg if there is one; otherwise the binary ufunc is applied to one slice after the other, as in NumPy.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from npg import functional as F
from npg._naming import named
from npg.dtypes import is_known, to_numpy
from npg.engine import TensorBase, wrap
from npg.engine._arguments import is_number
from npg.functional import linalg_norms
from npg.functional._arguments import canonical_dim
from npg.functional._public import to_dtype
from npg.ops import (  # noqa: F401  (these declare ufuncs)
    activation,
    comparison,
    division,
    elementwise,
    matmul,
    rounding,
    selection,
    special,
    trigonometry,
)
from npg.ops._op import OPS
from npg.tensor._numpy.nondifferentiable import refused
from npg.tensor._numpy.registry import REMEDY, axes_of, tensor, values

# ----- Calls -----

# The public functions of ops that declare a ufunc, and of two ufuncs without an op.
_FUNCTIONS = {ufunc: op.name for op in OPS for ufunc in op.numpy} | {
    np.float_power: "float_power",
    np.positive: "positive",
}
_SCIPYS = {op.scipy: op.name for op in OPS if op.scipy}


def _cbrt(x: Any) -> Any:
    return F.copysign(F.pow(F.abs(x), 1 / 3), x)


def _frexp(x: Any) -> tuple[Any, Any]:
    mantissa, exponent = np.frexp(values(x))
    return x * np.ldexp(np.ones_like(mantissa), -exponent), wrap(np.asarray(exponent))


def _vecdot(a: Any, b: Any, axis: int = -1) -> Any:
    return linalg_norms.vecdot(a, b, dim=axis) if a._array.dtype.kind == "f" else F.sum(a * b, axis)


def _matvec(a: Any, b: Any) -> Any:
    return F.squeeze(F.matmul(a, F.unsqueeze(b, -1)), -1)


def _vecmat(a: Any, b: Any) -> Any:
    return F.squeeze(F.matmul(F.unsqueeze(a, -2), b), -2)


_COMPOSITES: dict[np.ufunc, Callable[..., Any]] = {
    np.cbrt: _cbrt,
    np.conjugate: lambda x: x,
    np.divmod: lambda a, b: (F.floor_divide(a, b), F.remainder(a, b)),
    np.frexp: _frexp,
    np.modf: lambda x: (x - F.trunc(x), F.trunc(x)),
    np.vecdot: _vecdot,
}
if hasattr(np, "matvec"):  # NumPy 2.2 and later
    _COMPOSITES |= {np.matvec: _matvec, np.vecmat: _vecmat}
# The ufuncs of Python's binary operators, which NumPy calls if the left operand is NumPy's.
_OPERATORS = frozenset(
    (
        np.add, np.subtract, np.multiply, np.divide, np.floor_divide, np.remainder, np.divmod, np.power, np.left_shift,
        np.right_shift, np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.equal, np.not_equal, np.less, np.less_equal,
        np.greater, np.greater_equal,
    )
)  # fmt: skip


def is_operator(ufunc: Any, inputs: tuple[Any, ...]) -> bool:
    """Tell whether a call is one of Python's operators, on operands that Tensor's own operators accept."""
    return ufunc in _OPERATORS and all(
        is_known(x.dtype) if isinstance(x, np.ndarray) else isinstance(x, TensorBase) or is_number(x) for x in inputs
    )


def ufunc_name(ufunc: Any) -> str:
    """Return the public name of a ufunc: np.exp, scipy.special.expit."""
    name = ufunc.__name__
    for module, short in (("numpy", "np"), ("scipy.special", "scipy.special")):
        if getattr(sys.modules.get(module), name, None) is ufunc:
            return f"{short}.{name}"
    return str(name)


def function_of(ufunc: Any) -> Callable[..., Any] | None:
    """Return the function with which npg computes a ufunc, or None."""
    if ufunc in _COMPOSITES:
        return _COMPOSITES[ufunc]
    name = _FUNCTIONS.get(ufunc)
    if name is None and ufunc_name(ufunc).startswith("scipy."):
        name = _SCIPYS.get(ufunc.__name__)
    return None if name is None else getattr(F, name)


def call(ufunc: Any, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return a ufunc's result for tensors, arrays and numbers, in PyTorch's dtype for operators, else in NumPy's.

    Raises: TypeError: for a ufunc or an argument that has no counterpart.
    """
    for ignored in ("order", "subok", "casting"):
        kwargs.pop(ignored, None)
    dtype = kwargs.pop("dtype", None)
    keywords = {"axis": kwargs.pop("axis")} if ufunc is np.vecdot and "axis" in kwargs else {}
    if kwargs:
        raise TypeError(f"{ufunc_name(ufunc)} of a Tensor takes no {next(iter(kwargs))}=; {REMEDY}")
    function = function_of(ufunc)
    if function is None:
        raise refused(ufunc_name(ufunc))
    if dtype is None and is_operator(ufunc, inputs):
        return function(*inputs)
    kinds = _numpys_dtypes(ufunc, inputs, dtype)
    result = function(*(to_dtype(tensor(x), kind) for x, kind in zip(inputs, kinds)), **keywords)
    if isinstance(result, tuple):
        return tuple([to_dtype(y, kind) for y, kind in zip(result, kinds[ufunc.nin :])])
    return to_dtype(result, kinds[-1])


def _numpys_dtypes(ufunc: Any, inputs: tuple[Any, ...], dtype: Any) -> tuple[Any, ...]:
    """Return the dtypes of the operands and results of NumPy's loop for these inputs."""
    kinds = tuple([type(x) if type(x) in (int, float) else values(x).dtype for x in inputs])
    settings = {} if dtype is None else {"signature": (None,) * ufunc.nin + (to_numpy(dtype),) * ufunc.nout}
    return ufunc.resolve_dtypes(kinds + (None,) * ufunc.nout, **settings)


def call_where(ufunc: Any, inputs: tuple[Any, ...], kwargs: dict[str, Any], where: Any, out: Any) -> Any:
    """Return a ufunc's results where a mask is True, and the mask in the shape of out.

    Raises: TypeError: without out, which holds the other elements.
    """
    if out is None or isinstance(out, tuple):
        raise TypeError(
            named(
                f"{ufunc_name(ufunc)} of a Tensor takes where= only together with one out=, which holds the other "
                "elements; use npg.where on the result"
            )
        )
    shape = tuple(out.shape)
    mask = np.broadcast_to(np.asarray(values(where), bool), shape)
    picked = tensor(mask)
    chosen = tuple(
        x if np.ndim(values(x)) == 0 else F.masked_select(F.expand(tensor(x), shape), picked) for x in inputs
    )
    elements = call(ufunc, chosen, kwargs)
    count = int(np.count_nonzero(mask))
    return (elements if elements._array.ndim else F.expand(elements, (count,))), mask


# ----- Reductions -----

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
_IDEMPOTENT = frozenset(("maximum", "minimum", "fmax", "fmin"))
_ANY_ORDER = frozenset(
    "add multiply maximum minimum fmax fmin logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor "
    "logaddexp logaddexp2 gcd lcm hypot".split()
)


def _fold(ufunc: Any, slices: Any, first: Any = None, masks: Any = None) -> Any:
    total = first
    for i, x in enumerate(slices):
        new = x if total is None else call(ufunc, (total, x), {})
        total = new if masks is None else F.where(masks[i], new, total)
    if total is None:
        raise ValueError(f"zero-size array to reduction operation {ufunc.__name__} which has no identity")
    return total


def _binary(ufunc: Any, method: str) -> None:
    if ufunc.nin != 2 or ufunc.nout != 1 or ufunc.signature is not None:
        raise ValueError(f"{method} only supported for binary functions that return a single value")
    if ufunc not in _FUNCTIONS:
        raise refused(f"{ufunc_name(ufunc)}.{method}")


def _reduce(
    ufunc: Any, x: Any, axis: Any = 0, dtype: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    _binary(ufunc, "reduce")
    x = tensor(x)
    if dtype is not None:
        x = to_dtype(x, np.dtype(dtype))
    name = ufunc.__name__
    if name.startswith("logical_"):
        x = F.ne(x, 0)
    dims = tuple(range(x.ndim)) if axis is None else axes_of(axis, x.ndim) if x.ndim else ()
    if len(dims) > 1 and name not in _ANY_ORDER:
        raise ValueError(f"reduction operation '{name}' is not reorderable, so at most one axis may be specified")
    mask = None if where is True else tensor(np.broadcast_to(np.asarray(values(where), bool), tuple(x.shape)))
    if mask is not None:
        if initial is None and ufunc.identity is None:
            raise ValueError(
                f"reduction operation '{name}' does not have an identity, so to use a where mask one has to specify "
                "'initial'"
            )
        fill = initial if name in _IDEMPOTENT else ufunc.identity
        if fill is not None:  # the neutral element
            x, mask = F.where(mask, x, to_dtype(tensor(np.asarray(fill)), x._array.dtype)), None
    if not dims:
        x, dims = F.unsqueeze(x, -1), (x.ndim,)
        mask, keepdims = mask if mask is None else F.unsqueeze(mask, -1), False
    shape = tuple(1 if d in dims else n for d, n in enumerate(x.shape))
    result_shape = shape if keepdims else tuple(n for d, n in enumerate(x.shape) if d not in dims)
    if name in _REDUCTIONS and (x._array.size or ufunc.identity is not None or initial is not None):
        if not x._array.size and ufunc.identity is None:
            return tensor(np.full(result_shape, initial, x._array.dtype))
        result = x
        if name == "multiply":  # torch.prod takes one dimension
            for d in dims:
                result = F.prod(result, d, keepdim=True)
        else:
            result = getattr(F, _REDUCTIONS[name][0])(x, dims, keepdim=True)
        result = F.reshape(result, result_shape)
        return result if initial is None else call(ufunc, (initial, result), {})
    others = tuple(d for d in range(x.ndim) if d not in dims)
    lined_up: Callable[[Any], Any] = lambda t: F.reshape(
        F.permute(t, (*dims, *others)), (-1, *(t.shape[d] for d in others))
    )
    rows = lined_up(x)
    first = initial if initial is not None else ufunc.identity if not rows.shape[0] else None
    first = first if first is None else tensor(np.asarray(first, x._array.dtype))
    result = _fold(ufunc, F.unbind(rows, 0), first, None if mask is None else lined_up(mask))
    if not rows.shape[0]:
        result = F.expand(result, rows.shape[1:])
    return F.reshape(result, result_shape)


def _accumulate(ufunc: Any, x: Any, axis: int = 0, dtype: Any = None) -> Any:
    _binary(ufunc, "accumulate")
    x = tensor(x)
    if dtype is not None:
        x = to_dtype(x, np.dtype(dtype))
    if ufunc.__name__.startswith("logical_"):
        x = F.ne(x, 0)
    running = _REDUCTIONS.get(ufunc.__name__, (None, None))[1]
    if running is not None:
        result = getattr(F, running)(x, axis)
        return result[0] if isinstance(result, tuple) else result
    parts: list[Any] = []
    for row in F.unbind(x, axis):
        parts.append(call(ufunc, (parts[-1], row), {}) if parts else row)
    return F.stack(parts, axis) if parts else x


def _reduceat(ufunc: Any, x: Any, indices: Any, axis: int = 0, dtype: Any = None) -> Any:
    _binary(ufunc, "reduceat")
    x = tensor(x)
    n = x.shape[axis]
    starts = np.asarray(values(indices)).reshape(-1).tolist()
    for i in starts:
        if not 0 <= i < n:
            raise IndexError(f"index {i} out-of-bounds in {ufunc.__name__}.reduceat [0, {n})")
    parts = []
    for i, j in zip(starts, [*starts[1:], n]):
        part = F.narrow(x, axis, i, max(j - i, 1))
        parts.append(_reduce(ufunc, part, canonical_dim(axis, x.ndim), dtype))
    return F.stack(parts, axis)


# ----- outer, at -----


def _outer(ufunc: Any, a: Any, b: Any, **kwargs: Any) -> Any:
    a, b = tensor(a), tensor(b)
    return call(ufunc, (F.reshape(a, (*a.shape, *(1,) * b.ndim)), b), kwargs)


def _at(ufunc: Any, a: Any, indices: Any, *operands: Any) -> None:
    name = ufunc.__name__
    array = a._array if isinstance(a, TensorBase) else None
    if array is None:
        raise TypeError(f"np.{name}.at cannot write a Tensor into an array; use tensor.detach()")
    key = indices if isinstance(indices, tuple) else (indices,)
    key = tuple(values(i) if isinstance(i, (TensorBase, list)) else i for i in key)
    places = np.arange(array.size).reshape(array.shape)[key]
    if np.unique(places).size == places.size:
        a[indices] = to_dtype(call(ufunc, (a[indices], *operands), {}), array.dtype)
        return None
    if name not in ("add", "subtract"):
        raise TypeError(f"np.{name}.at of a Tensor takes indices that do not repeat; add.at and subtract.at take any")
    added = F.expand(to_dtype(tensor(operands[0]), array.dtype), places.shape)
    at = np.unravel_index(places.reshape(-1), array.shape)
    added = F.reshape(added if name == "add" else -added, (-1,))
    F.index_put_(a, tuple(wrap(i) for i in at), added, accumulate=True)
    return None


METHODS: dict[str, Callable[..., Any]] = {
    "reduce": _reduce,
    "accumulate": _accumulate,
    "reduceat": _reduceat,
    "outer": _outer,
    "at": _at,
}
