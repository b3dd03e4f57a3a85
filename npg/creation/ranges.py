"""arange, range, linspace, logspace, equal to PyTorch's AVX2 kernels to the last bit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg import dtypes
from npg._errors import warn
from npg._floating import silent
from npg._words import shape_text
from npg.engine import TensorBase
from npg.functional._factory import check_options, check_sizes, dtype_of, fill_number, finish, number, placed
from npg.functional._public import new_function
from npg.tensor import Tensor


def _fma(a: Any, b: Any, c: Any) -> Any:
    """Return a * b + c in float64, rounded once, as PyTorch's compiler emits fused multiply-adds."""
    # Veltkamp's splitting and Dekker's product give the rounding error of a * b, Knuth's two-sum that of the sum.
    p = a * b
    ca, cb = a * 134217729.0, b * 134217729.0
    ah, bh = ca - (ca - a), cb - (cb - b)
    al, bl = a - ah, b - bh
    e = ((ah * bh - p) + ah * bl + al * bh) + al * bl
    s = p + c
    t = s - p
    f = (p - (s - t)) + (c - t)
    y = s + (e + f)
    return np.where(np.isnan(y), s, y)  # the error is nan for infinities and for overflow in the splitting


def _finish(name: str, array: np.ndarray[Any, Any], out: Any, requires_grad: bool, place: Any) -> Tensor:
    """Return the new tensor, or `out` with these numbers, in its own shape if that has as many elements."""
    if isinstance(out, TensorBase) and out._array.size == array.size:
        array = array.reshape(out._array.shape)
    elif name == "arange" and isinstance(out, TensorBase) and out._array.size:
        old = out._array
        warn(
            f"The number of elements in the out tensor of shape {shape_text(old.shape)} is {old.size} which does not "
            f"match the computed number of elements {array.size}. Note that this may occur as a result of rounding "
            f"error. The out tensor will be resized to a tensor of shape ({array.size},)."
        )
    return finish(name, placed(array, place), out, requires_grad)


# ----- arange -----


def _bounds(name: str, args: tuple[Any, ...], start: Any, end: Any, step: Any) -> list[Any]:
    if len(args) == 1 and type(args[0]) is int and start is end is step is None:
        return [0, args[0], 1]
    bounds = {"start": start, "end": end, "step": step}
    order = ("end",) if len(args) == 1 and end is None else ("start", "end", "step")
    if len(args) > 3:
        raise TypeError(f"{name}() takes from 1 to 3 positional arguments but {len(args)} were given")
    for key, value in zip(order, args):
        if bounds[key] is not None:
            raise TypeError(f"{name}() got multiple values for argument '{key}'")
        bounds[key] = value
    if bounds["end"] is None:
        raise TypeError(f'{name}() missing 1 required positional arguments: "end"')
    for key, default in (("start", 0), ("step", 1)):
        if bounds[key] is None:
            bounds[key] = default
    return [number(name, value, key, i + 1) for i, (key, value) in enumerate(bounds.items())]


def _integers(*numbers: Any) -> list[int]:
    """Return the numbers truncated to integers.

    Raises: RuntimeError: when one does not fit in int64.
    """
    integers = [int(x) for x in numbers]
    if any(not -(2**63) <= n < 2**63 for n in integers):
        raise RuntimeError("value cannot be converted to type int64_t without overflow")
    return integers


def _size(n: Any) -> int:
    """Return a number of elements as an int. Raises: RuntimeError: when it is too large."""
    if n >= 2**63:
        raise RuntimeError("invalid size, possible overflow?")
    return check_sizes((max(int(n), 0),))[0]


def _check_range(start: Any, end: Any, step: Any) -> None:
    if step == 0 or step != step:
        raise RuntimeError("step must be nonzero")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"unsupported range: {start:g} -> {end:g}")
    if (step > 0 and end < start) or (step < 0 and end > start):
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")


def _steps(start: Any, step: Any, n: int, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Return start + i * step for i < n, computed as PyTorch does."""
    i = np.arange(n)
    if dtype.kind == "f":
        return _floating_steps(start, step, i, dtype)
    if start == 0 and step == 1:
        return i.astype(dtype, copy=False)
    return (int(start) + i * int(step)).astype(dtype)


@silent()
def _floating_steps(start: Any, step: Any, i: np.ndarray[Any, Any], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    n = len(i)
    # The kernel computes two vectors of 32 bytes at a time: the first element of each is rounded to the dtype, and the
    # others count from it. The remaining elements are computed one by one. float16 is computed in float32.
    wide = np.dtype(np.float32 if dtype.itemsize == 2 else np.float64)
    start, by = wide.type(start), np.full(n, step, wide)
    steps = _fma if wide == np.float64 else _fma32
    width = 32 // dtype.itemsize
    first = i - i % width
    base = steps(by, first.astype(wide), start).astype(dtype).astype(wide)
    values = steps(by, (i - first).astype(wide), base).astype(dtype)
    tail = n - n % (2 * width)
    values[tail:] = steps(by[tail:], i[tail:].astype(wide), start).astype(dtype)
    return values


def _fma32(a: Any, b: Any, c: Any) -> Any:
    # The product of two float32 is exact in float64.
    return (a.astype(np.float64) * b.astype(np.float64) + c.astype(np.float64)).astype(np.float32)


def _rounded(values: np.ndarray[Any, Any], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    # PyTorch converts to float16 through float32.
    return values.astype(np.float32).astype(dtype) if dtype == np.float16 else values.astype(dtype)


@new_function
def arange(
    *args: Any,
    start: Any = None,
    end: Any = None,
    step: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return the numbers from start, in steps, up to but not including end: arange(5), arange(1, 5), arange(1, 2, 0.5).

    Returns: ceil((end - start) / step) numbers, int64 if all three are integers, else the default dtype.
    Raises: RuntimeError: when step is zero or leads away from end, or a bound is not finite.
    Source: torch.arange.
    """
    place = check_options(layout, device, pin_memory)
    low, high, by = _bounds("arange", args, start, end, step)
    if dtype is None and out is None:
        integral = all(isinstance(x, int) for x in (low, high, by))
        kind = (dtypes.int64 if integral else dtypes.get_default_dtype()).dtype
    else:
        kind = dtype_of(dtype, out)
    if kind.kind == "b":
        raise NotImplementedError("\"arange_cpu\" not implemented for 'Bool'")
    _check_range(low, high, by)
    if kind.kind != "f":
        integers = _integers(low, high, by)
        if kind == np.int64:  # the other integer dtypes count in float64
            low, high, by = integers
            if by == 0:
                raise ValueError("step must be nonzero")
    n = -((low - high) // by) if isinstance(by, int) and isinstance(low, int) and isinstance(high, int) else 0
    n = n or math.ceil((float(high) - float(low)) / float(by))
    return _finish("arange", _steps(low, by, _size(n), kind), out, requires_grad, place)


@new_function
def range(
    start: Any = 0,
    end: Any = None,
    step: Any = 1,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return the numbers from start to end, both included, in steps; the default dtype. Use arange.

    Source: torch.range (deprecated there).
    """
    place = check_options(layout, device)
    if end is None:
        raise TypeError('range() missing 1 required positional arguments: "end"')
    low, high, by = (number("range", x, k, 1) for x, k in ((start, "start"), (end, "end"), (step, "step")))
    kind = dtype_of(dtype, out)
    if kind.kind == "b":
        raise NotImplementedError("\"range_cpu\" not implemented for 'Bool'")
    _check_range(low, high, by)
    if kind.kind != "f":
        low, high, by = _integers(low, high, by)
        if by == 0:
            raise ValueError("step must be nonzero")
    n = _size(int((float(high) - float(low)) / float(by)) + 1)
    i = np.arange(n)
    if kind.kind != "f":
        return _finish("range", (low + i * by).astype(kind), out, requires_grad, place)
    values = _fma(np.full(n, float(by)), i.astype(np.float64), float(low))
    return _finish("range", values.astype(kind), out, requires_grad, place)


# ----- linspace, logspace -----


def _count(steps: Any, name: str) -> int:
    if isinstance(steps, (bool, float)) or not hasattr(steps, "__index__"):
        raise TypeError(f"{name}(): argument 'steps' must be int, not {type(steps).__name__}")
    n = int(steps)
    if n < 0:
        raise RuntimeError("number of steps must be non-negative")
    return n


def _ends(name: str, start: Any, end: Any) -> tuple[Any, Any]:
    ranks = [x._array.ndim if isinstance(x, TensorBase) else 0 for x in (start, end)]
    if any(ranks):
        ends = [
            f"{argument} with {rank} dimension(s)"
            for argument, rank, x in zip(("start", "end"), ranks, (start, end), strict=True)
            if isinstance(x, TensorBase)
        ]
        description = " and ".join(ends)
        raise RuntimeError(f"{name} only supports 0-dimensional start and end tensors, but got {description}.")
    # Without their history, as in PyTorch.
    start, end = (x._array.item() if isinstance(x, TensorBase) else x for x in (start, end))
    return number(name, start, "start", 1), number(name, end, "end", 2)


@silent()
def _line(start: Any, end: Any, n: int, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Return n numbers from start to end: the first half counted from start, the second back from end."""
    if n <= 1:
        return np.full(n, fill_number(start, dtype) if n else 0, dtype)
    if dtype.kind == "b":
        raise NotImplementedError("\"linspace_cpu\" not implemented for 'Bool'")
    i = np.arange(n, dtype=np.float64)
    first = i < n // 2
    if dtype.itemsize == 2 and dtype.kind == "f":  # float16 is rounded after every operation
        low, high = dtype.type(start), dtype.type(end)
        by = (high - low) / dtype.type(n - 1)
        return np.where(first, low + by * i.astype(dtype), high - by * (n - 1 - i).astype(dtype))
    if dtype.kind == "f":
        low, high = dtype.type(start), dtype.type(end)
        by = float((high - low) / dtype.type(n - 1))
    else:  # a negative bound of an unsigned dtype wraps around first
        low, high = int(fill_number(start, dtype)), int(fill_number(end, dtype))
        by = (high - low) / (n - 1)
    by, low, high = np.full(n, by), float(low), float(high)
    return np.where(first, _fma(by, i, low), _fma(-by, n - 1 - i, high)).astype(dtype)


@new_function
def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return `steps` evenly spaced numbers from start to end, both included; the default dtype.

    Raises: RuntimeError: when steps is negative.
    Source: torch.linspace.
    """
    place = check_options(layout, device, pin_memory)
    low, high = _ends("linspace", start, end)
    n, kind = _count(steps, "linspace"), dtype_of(dtype, out)
    return _finish("linspace", _line(low, high, n, kind), out, requires_grad, place)


@silent()
def _whole_powers(start: Any, end: Any, n: int, base: float, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    # PyTorch truncates both exponents to the dtype, and steps between them in float32.
    low, high = (int(fill_number(x, dtype)) for x in (start, end))
    by = np.float32(high - low) / np.float32(n - 1)
    i = np.arange(n, dtype=np.float32)
    exponents = np.where(i < n // 2, np.float32(low) + by * i, np.float32(high) - by * (n - 1 - i))
    return np.power(float(base), exponents.astype(np.float64)).astype(dtype)


@new_function
def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return base to the power of evenly spaced exponents from start to end; the default dtype.

    Raises: RuntimeError: when steps is negative.
    Source: torch.logspace.
    """
    place = check_options(layout, device, pin_memory)
    low, high = _ends("logspace", start, end)
    n, kind = _count(steps, "logspace"), dtype_of(dtype, out)
    if not n:
        return _finish("logspace", np.empty(0, kind), out, requires_grad, place)
    if kind.kind == "b" and n > 1:
        raise NotImplementedError("\"logspace_cpu\" not implemented for 'Bool'")
    if kind.kind in "iu" and n > 1:
        return _finish("logspace", _whole_powers(low, high, n, base, kind), out, requires_grad, place)
    if kind.kind in "iub":
        with silent():
            power = np.power(float(base), float(low)).item()
        return _finish("logspace", np.full(1, fill_number(power, kind), kind), out, requires_grad, place)
    if kind.kind == "f":
        low, high = float(kind.type(low)), float(kind.type(high))
    by = (high - low) / (n - 1) if n > 1 else 0.0
    i = np.arange(n, dtype=np.float64)
    with silent():
        powers = np.power(float(base), np.where(i < n // 2 + (n == 1), low + by * i, high - by * (n - 1 - i)))
        return _finish("logspace", _rounded(powers, kind), out, requires_grad, place)
