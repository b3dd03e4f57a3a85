"""Pooling: what the torch namespace has, and the checks that it shares with torch.nn.functional."""

from __future__ import annotations

import functools
import operator
from typing import Any

import numpy as np

from npg._words import scalar_name
from npg.engine import apply, is_grad_enabled
from npg.functional._arguments import canonical_dim, checked_array, sizes_of
from npg.functional._public import public_function
from npg.functional._types import Dims, T
from npg.functional.reduction import mean
from npg.functional.shape import squeeze, unsqueeze
from npg.ops import pooling as ops
from npg.ops._layouts import is_channels_last

Array = np.ndarray[Any, Any]
Ints = tuple[int, ...]
Windows = tuple[Ints, ...]

_COUNTS = {1: "one", 2: "two", 3: "three"}
_LETTERS = {2: ("H", "W"), 3: ("T", "H", "W")}
_EMPTY = (
    "{name}: Expected input's non-batch dimensions to have positive length, but input has a shape of {shape} and "
    "non-batch dimension 0 has length zero!"
)

# ----- Settings -----


def _number(value: Any) -> int:
    """Return an integer. Anything else makes Python raise: the error that users see names the argument."""
    return operator.index(None if isinstance(value, bool) else value)  # type: ignore[arg-type]


def _sizes(argument: str, value: Any, dims: int, text: str) -> Ints:
    """Return a setting for each dimension.

    Args:
        value: a number, which stands for all, or a sequence of one or `dims` numbers.
        text: the error for another number of them, with {argument} and {count}.
    """
    if type(value) is int:
        sizes: Ints = (value,)
    elif isinstance(value, (tuple, list)):
        sizes = tuple([operator.index(n) for n in value])
    else:
        sizes = (_number(value),)
    if any(not -(2**63) <= n < 2**63 for n in sizes):
        raise ValueError("Overflow when unpacking long long")
    if len(sizes) == 1:
        return sizes * dims
    if len(sizes) != dims:
        raise RuntimeError(text.format(argument=argument, count=len(sizes)))
    return sizes


def _refuse_no_bool(value: Any) -> None:
    if not isinstance(value, (bool, np.bool_)):
        _number(None)


def _one(name: str) -> str:
    return name + "() argument '{argument}' should contain one int (got {count})"


def _settings(name: str, dims: int, kernel: Any, stride: Any, padding: Any, dilation: Any = None) -> tuple[Ints, ...]:
    """Return kernel, stride, padding and dilation (where it is given) for each dimension."""
    texts = [_one(name)] * 4
    if dims > 1:
        count = f"a single int, or a tuple of {_COUNTS[dims]} ints"
        either = "" if name == "avg_pool3d" else "either "
        texts = [f"{name}: {{argument}} must {either}be {count}"] * 4
        texts[1] = f"{name}: {{argument}} must {either}be omitted, {count}"
        texts[3] = f"{name}: {{argument}} must be either {count}"
    kernel = _sizes("kernel_size", kernel, dims, texts[0])
    stride = kernel if stride is None or stride == () or stride == [] else _sizes("stride", stride, dims, texts[1])
    sizes = (kernel, stride, _sizes("padding", padding, dims, texts[2]))
    return sizes if dilation is None else (*sizes, _sizes("dilation", dilation, dims, texts[3]))


def _places(n: int, k: int, s: int, p: int, d: int, ceil_mode: bool) -> int:
    """Return the number of windows along a dimension; with ceil_mode also one that reaches beyond the end."""
    if s == 0:
        raise RuntimeError("stride should not be zero")
    if p < 0:
        raise RuntimeError(f"pad must be non-negative, but got pad: {p}")
    if p > int(((k - 1) * d + 1) / 2):
        raise RuntimeError(
            f"pad should be at most half of effective kernel size, but got pad={p}, kernel_size={k} and dilation={d}"
        )
    count = (n + 2 * p - d * (k - 1) - 1 + (s - 1 if ceil_mode else 0)) // s + 1
    return count - 1 if ceil_mode and (count - 1) * s >= n + p else count


def _listed(prefix: str, sizes: Ints) -> str:
    return " ".join([f"{prefix}{letter}: {n}" for letter, n in zip(_LETTERS[len(sizes)], sizes, strict=True)])


def _times(sizes: Ints) -> str:
    return "x".join(map(str, sizes))


@functools.lru_cache(maxsize=1024)
def _laid(
    name: str, shape: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, ceil_mode: bool
) -> Windows:
    """Return how windows lie on images of two or three dimensions.

    Raises: RuntimeError: when the settings are out of range or do not fit the shape.
    """
    dims = len(kernel)
    size = shape[len(shape) - dims :]
    out = tuple(
        _places(n, k, s, p, d, ceil_mode) for n, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True)
    )
    for text, short, sizes in (
        ("kernel size", "k", kernel),
        ("stride", "d", stride),
        ("dilation", "dilation", dilation),
    ):
        if min(sizes) <= 0:
            raise RuntimeError(f"{text} should be greater than zero, but got {_listed(short, sizes)}")
    if dims == 2:
        if len(shape) not in (3, 4) or 0 in shape[len(shape) - 3 :]:
            raise RuntimeError(
                f"Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but got:{list(shape)}"
            )
    elif 0 in shape[len(shape) - 4 :]:
        raise RuntimeError(_EMPTY.format(name=name, shape=list(shape)))
    if name == "avg_pool3d()" and dims == 3 and not all(n >= k for n, k in zip(size, kernel, strict=True)):
        raise RuntimeError(f"input image ({_listed('', size)}) smaller than kernel size ({_listed('k', kernel)})")
    if any(int(k / 2) < p for k, p in zip(kernel, padding, strict=True)):
        k, p = kernel, padding
        given = (
            f"padW = {p[1]}, padH = {p[0]}, kW = {k[1]}, kH = {k[0]}" if dims == 2 else
            f"kT: {k[0]} kW: {k[2]} kH: {k[1]} padT: {p[0]} padW: {p[2]} padH: {p[1]}"
        )  # fmt: skip
        raise RuntimeError(f"pad should be smaller than or equal to half of kernel size, but got {given}")
    if min(out) < 1:
        channels = shape[-dims - 1]
        raise RuntimeError(
            f"Given input size: ({_times((channels, *size))}). Calculated output size: ({_times((channels, *out))}). "
            "Output size is too small"
        )
    return kernel, stride, padding, dilation, out


def _refuse_rank(name: str, x: Array) -> None:
    """Raise RuntimeError when signals have neither two nor three dimensions."""
    if x.ndim not in (2, 3):
        raise RuntimeError(
            f"Expected 2 to 3 dimensions, but got {x.ndim}-dimensional tensor for argument #1 'self' (while checking "
            f"arguments for {name})"
        )


def _refuse_dtype(kernel: str, x: Array, fits: bool) -> None:
    if not fits:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{scalar_name(x)}'")


# ----- The largest numbers -----


def _is_recorded(input: Any) -> bool:
    return is_grad_enabled() and bool(getattr(input, "requires_grad", False))


def _flat(sizes: Any, fill: int) -> Windows:
    """Return settings of one dimension for images that are one number high."""
    return tuple([(fill, *part) for part in sizes])


def largest(name: str, dims: int, input: Any, settings: tuple[Any, ...], ceil_mode: Any, with_indices: bool) -> Any:
    """Return the largest numbers of windows, and their places where these are asked for.

    Args:
        name: PyTorch's name of the function.
        settings: kernel, stride, padding, dilation, as given.
    """
    x = checked_array(name, input)
    _refuse_no_bool(ceil_mode)
    if dims == 1:
        return _largest_of_signals(name, input, x, settings, bool(ceil_mode), with_indices)
    short = f"max_pool{dims}d"
    kernel, stride, padding, dilation = _settings(short, dims, *settings)
    if x.ndim not in (dims + 1, dims + 2):
        raise RuntimeError(f"non-empty {dims + 1}D or {dims + 2}D (batch mode) tensor expected for input")
    template = "max_pool3d_with_indices_out_cpu_template()"
    windows = _laid(template, x.shape, kernel, stride, padding, dilation, bool(ceil_mode))
    return _compared(short, input, x, windows, with_indices)


def _compared(kernel: str, input: Any, x: Array, windows: Windows, with_indices: bool) -> Any:
    _refuse_dtype(
        kernel, x, x.dtype.kind == "f" or (x.dtype.kind in "iu" and (x.dtype.kind, x.dtype.itemsize) in _INTEGERS)
    )
    if with_indices or _is_recorded(input):
        values, indices = apply(ops.MAXIMUM[len(windows), len(windows[-1])], (input,), {"windows": windows})
        return (values, indices) if with_indices else values
    return apply(ops.largest, (input,), {"windows": windows})


_INTEGERS = {("i", 1), ("i", 2), ("i", 4), ("i", 8), ("u", 1)}


def _largest_of_signals(
    name: str, input: Any, x: Array, settings: tuple[Any, ...], ceil_mode: bool, with_indices: bool
) -> Any:
    if not with_indices:
        kernel, stride, padding, dilation, out = _checked_signals(x, settings, ceil_mode)
        if not _is_recorded(input):
            _refuse_dtype("max_pool1d_impl", x, x.dtype.kind == "f")
            return apply(ops.largest, (input,), {"windows": (kernel, stride, padding, dilation, out)})
    else:
        _refuse_rank("max_pool1d", x)
        kernel, stride, padding, dilation = _settings("max_pool1d", 1, *settings)
    (k, s, d), (p,) = _flat((kernel, stride, dilation), 1), _flat((padding,), 0)
    shape = (*x.shape[:-1], 1, x.shape[-1])
    windows = _laid("max_pool2d", shape, k, s, p, d, ceil_mode)
    found = _compared("max_pool2d", unsqueeze(input, -2), x, windows, with_indices)
    return tuple([squeeze(y, -2) for y in found]) if with_indices else squeeze(found, -2)


def _checked_signals(x: Array, settings: tuple[Any, ...], ceil_mode: bool) -> tuple[Ints, ...]:
    """Return kernel, stride, padding, dilation and the number of windows."""
    if x.ndim not in (2, 3) or 0 in x.shape[x.ndim - 2 :]:
        raise RuntimeError(
            "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but "
            f"got:{list(x.shape)}"
        )
    texts = ("an int, list of ints or tuple of ints", "None, an int, list of ints, or tuple of ints",
             "an int, list of ints, or tuple of ints", "an int, list of ints or tuple of ints")  # fmt: skip
    kernel, stride, padding, dilation = settings
    if stride is None or stride == () or stride == []:
        stride = kernel
    given = {"kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation}
    sizes = [
        _sizes(key, value, 1, f"max_pool1d() {{argument}} must be {text} of size 1 but got size {{count}}")
        for (key, value), text in zip(given.items(), texts, strict=True)
    ]
    (k,), (s,), (p,), (d,) = sizes
    for key, value in (("kernel_size", k), ("stride", s)):
        if value <= 0:
            raise RuntimeError(f"max_pool1d() {key} must be greater than zero, but got {value}")
    if p < 0:
        raise RuntimeError(f"max_pool1d() padding must be non-negative, but got {p}")
    if p > k // 2:
        raise RuntimeError(
            f"max_pool1d() padding should be at most half of kernel size, but got padding={p} and kernel_size={k}"
        )
    if d <= 0:
        raise RuntimeError(f"max_pool1d() dilation must be greater than zero, but got {d}")
    out = _places(x.shape[-1], k, s, p, d, ceil_mode)
    if out <= 0:
        raise RuntimeError(f"max_pool1d() Invalid computed output size: {out}")
    return (*sizes, (out,))


@public_function
def max_pool1d(
    input: T, kernel_size: Dims, stride: Dims | None = None, padding: Dims = 0, dilation: Dims = 1,
    ceil_mode: bool = False,
) -> T:  # fmt: skip
    """Return the largest number of each window over signals; see F.max_pool1d. Source: torch.max_pool1d."""
    return largest("max_pool1d", 1, input, (kernel_size, stride, padding, dilation), ceil_mode, False)


@public_function
def max_pool1d_with_indices(
    input: T, kernel_size: Dims, stride: Dims | None = None, padding: Dims = 0, dilation: Dims = 1,
    ceil_mode: bool = False,
) -> tuple[T, T]:  # fmt: skip
    """Return the largest number of each window over signals, and its place. Source: torch.max_pool1d_with_indices."""
    return largest("max_pool1d_with_indices", 1, input, (kernel_size, stride, padding, dilation), ceil_mode, True)


@public_function
def max_pool2d(
    input: T, kernel_size: Dims, stride: Dims | None = None, padding: Dims = 0, dilation: Dims = 1,
    ceil_mode: bool = False,
) -> T:  # fmt: skip
    """Return the largest number of each window over images; see F.max_pool2d. Source: torch.max_pool2d."""
    return largest("max_pool2d", 2, input, (kernel_size, stride, padding, dilation), ceil_mode, False)


@public_function
def max_pool3d(
    input: T, kernel_size: Dims, stride: Dims | None = None, padding: Dims = 0, dilation: Dims = 1,
    ceil_mode: bool = False,
) -> T:  # fmt: skip
    """Return the largest number of each window over volumes; see F.max_pool3d. Source: torch.max_pool3d."""
    return largest("max_pool3d", 3, input, (kernel_size, stride, padding, dilation), ceil_mode, False)


# ----- Averages -----


def average(
    name: str, dims: int, input: Any, kernel: Any, stride: Any, padding: Any, ceil_mode: Any, with_padding: Any,
    divisor: Any = None,
) -> Any:  # fmt: skip
    """Return the averages of windows over images of `dims` dimensions; `name` is PyTorch's of the function."""
    x = checked_array(name, input)
    _refuse_no_bool(ceil_mode)
    _refuse_no_bool(with_padding)
    if divisor is not None:
        divisor = _number(divisor)
    if dims == 1:
        _refuse_rank(name, x)
    settings = _settings(name, dims, kernel, stride, padding)
    if dims == 3 and x.ndim not in (4, 5):
        raise RuntimeError("non-empty 4D or 5D (batch mode) tensor expected for input")
    if divisor == 0:
        raise RuntimeError("divisor must be not zero")
    shape = x.shape
    if dims == 1:
        (k, s), (p,) = _flat(settings[:2], 1), _flat(settings[2:], 0)
        settings, shape = (k, s, p), (*shape[:-1], 1, shape[-1])
    elif dims == 2:
        if not x.ndim:
            raise IndexError("Dimension specified as -3 but tensor has no dimensions")
        canonical_dim(-3, x.ndim)
    windows = _laid("avg_pool3d()", shape, *settings, (1,) * len(settings[0]), bool(ceil_mode))
    if dims == 3:
        _refuse_dtype("avg_pool3d_out_frame", x, x.dtype in (np.float32, np.float64, np.int64))
    else:
        _refuse_dtype("avg_pool2d", x, x.dtype.kind == "f" or x.dtype == np.int64)
    params = {"windows": windows, "divisor": divisor, "with_padding": bool(with_padding)}
    if dims <= 2 and is_channels_last(x, dims):
        params["channels_last"] = True
    op = ops.AVERAGE[5, len(windows[-1])]
    if dims > 1:
        return apply(op, (input,), params)
    return squeeze(apply(op, (unsqueeze(input, -2),), params), -2)


@public_function
def avg_pool1d(
    input: T, kernel_size: Dims, stride: Dims | None = None, padding: Dims = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> T:  # fmt: skip
    """Return the average of each window over signals.

    Args:
        input: (N, C, L) or (C, L), floating or int64.
        kernel_size, stride, padding: one number each: of a window, between windows (None: kernel_size), of zeros on
            both sides.
        ceil_mode: the last window may reach beyond the end.
        count_include_pad: the zeros count.
    Returns: (N, C, windows) or without N.
    Raises: RuntimeError: when settings are out of range or do not fit. NotImplementedError: for other dtypes.
    Source: torch.nn.functional.avg_pool1d.
    """
    return average("avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad)


# ----- Windows that cover the input -----


def adaptive_average(dims: int, input: Any, output_size: Any) -> Any:
    """Return the averages of windows that cover images of two or three dimensions."""
    name = f"adaptive_avg_pool{dims}d"
    x = checked_array(name, input)
    if type(output_size) is int:
        output_size = (output_size,) * dims
    out = sizes_of(name, (output_size,), "output_size", position=2)
    if len(out) != dims:
        raise RuntimeError(f"{name}: output_size must be {dims}")
    if min(out) < 0:
        given = ", ".join(map(str, out[:2])) + "".join([f",{n}" for n in out[2:]])
        raise RuntimeError(
            f"{name}: elements of output_size must be greater than or equal to 0 but received {{{given}}}"
        )
    if set(out) == {1}:
        return mean(input, tuple(range(-1, -dims - 1, -1)), True)
    if x.ndim not in (dims + 1, dims + 2):
        raise RuntimeError(f"{name}(): Expected {dims + 1}D or {dims + 2}D tensor, but got {list(x.shape)}")
    _refuse_empty(name, x.shape, x.ndim - dims if dims == 2 else 1)
    _refuse_dtype(name if dims == 2 else f"{name}_cpu", x, x.dtype.kind == "f")
    params: dict[str, Any] = {"windows": (out,)}
    if dims <= 2 and is_channels_last(x, dims):
        params["channels_last"] = True
    return apply(ops.AVERAGE[1, dims], (input,), params)


def _refuse_empty(name: str, shape: Ints, first: int) -> None:
    for i, n in enumerate(shape):
        if i >= first and not n:
            raise RuntimeError(
                f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes "
                f"{list(shape)} with dimension {i} being empty"
            )


def adaptive_largest(dims: int, input: Any, output_size: Any) -> Any:
    """Return the largest numbers of windows that cover images of two or three dimensions, and their places."""
    name = f"adaptive_max_pool{dims}d"
    x = checked_array(name, input)
    if type(output_size) is int:
        output_size = (output_size,) * dims
    out = sizes_of(name, (output_size,), "output_size", position=2)
    if x.ndim not in (dims + 1, dims + 2):
        raise RuntimeError(f"{name}(): Expected {dims + 1}D or {dims + 2}D tensor, but got: {list(x.shape)}")
    _refuse_empty(name, x.shape, 1)
    if len(out) != dims:
        raise RuntimeError(f"{name}(): internal error: output_size.size() must be {dims}")
    refuse_negative((*x.shape[: x.ndim - dims], *out))
    _refuse_dtype(name if dims == 2 else f"{name}_cpu", x, x.dtype.kind == "f")
    return apply(ops.MAXIMUM[1, dims], (input,), {"windows": (out,)})


def refuse_negative(shape: Ints) -> None:
    """Raise RuntimeError for a shape with a negative size."""
    for n in shape:
        if n < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {n}: {list(shape)}")


@public_function
def adaptive_avg_pool1d(input: T, output_size: Dims) -> T:
    """Return the averages of windows that cover signals, as equal as can be.

    Window i of n is from floor(i L / n) to ceil((i + 1) L / n).

    Args:
        input: (N, C, L) or (C, L), floating.
        output_size: the number of windows.
    Returns: (N, C, output_size) or without N.
    Raises: RuntimeError: for another rank, or no numbers. NotImplementedError: for other dtypes.
    Source: torch.nn.functional.adaptive_avg_pool1d.
    """
    x = checked_array("adaptive_avg_pool1d", input)
    _refuse_rank("adaptive_avg_pool1d", x)
    out = _sizes("output_size", output_size, 1, _one("adaptive_avg_pool1d"))
    return squeeze(adaptive_average(2, unsqueeze(input, -2), (1, *out)), -2)


@public_function
def adaptive_max_pool1d(input: T, output_size: Dims) -> tuple[T, T]:
    """Return the largest numbers of windows that cover signals, and their places. Source: torch.adaptive_max_pool1d."""
    x = checked_array("adaptive_max_pool1d", input)
    _refuse_rank("adaptive_max_pool1d", x)
    out = _sizes("output_size", output_size, 1, _one("adaptive_max_pool1d"))
    _refuse_empty("adaptive_max_pool1d", x.shape, 1)
    values, indices = adaptive_largest(2, unsqueeze(input, -2), (1, *out))
    return squeeze(values, -2), squeeze(indices, -2)
