"""Pooling over windows of images: their largest numbers, their averages, and both undone.

Images are (..., *size), with one to three spatial dimensions. Places of largest numbers are counted in the image; they
are int64. The setting `windows` says how windows lie: (kernel, stride, padding, dilation, places), each with a number
for each dimension, or (places,) for windows that cover the image, as equal as can be. `padding` is what stands before
an image; as much follows as `places`, the numbers of windows, ask for. npg/kernels/pooling.py computes on images one
after the other.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from npg.kernels import pooling as kernels
from npg.ops._kinds import MATRICES, Kind, linear
from npg.ops._layouts import is_channels_last, with_channels_last
from npg.ops._op import Op, movement, primitive
from npg.ops.shape import expand, overload

Array = np.ndarray[Any, Any]
Ints = tuple[int, ...]
Windows = tuple[Ints, ...]

# ----- What the ops share -----


def _planes(x: Array, dims: int) -> Array:
    """Return images (..., *size) as (planes, numbers of an image)."""
    lead, size = x.shape[: x.ndim - dims], x.shape[x.ndim - dims :]
    return np.ascontiguousarray(x).reshape(math.prod(lead), math.prod(size))


def _images(planes: Array, like: Array, size: Ints, channels_last: bool = False) -> Array:
    """Return planes as images with the leading dimensions of another array."""
    y = planes.reshape(like.shape[: like.ndim - len(size)] + size)
    if not channels_last or y.ndim != len(size) + 2:
        return y
    return with_channels_last(y)


def _windows(size: Ints, windows: Windows) -> kernels.Windows:
    return kernels.adaptive_windows(size, *windows) if len(windows) == 1 else kernels.even_windows(size, *windows)


def _spatial(x: Any, windows: Windows) -> Ints:
    """Return the spatial sizes of images."""
    shape: Ints = x.shape
    return shape[len(shape) - len(windows[-1]) :]


def _expanded(op: Op, xs: Any, batched: Any, size: int, /, **settings: Any) -> Any:
    return op(
        *[x if flag else expand(x, shape=(size, *x.shape)) for x, flag in zip(xs, batched, strict=True)], **settings
    )


_IMAGES = Kind("images", MATRICES.batch, linear)
_PLACED = Kind("numbers at places", _expanded, linear)


# ----- Numbers at places -----


@movement(
    lambda g, _y, input_like, at, *, dims: put_sums(g, at, size=input_like.shape[len(input_like.shape) - dims :]),
    None,
    node="MaxPool2DWithIndicesBackwardBackward",
    kind=_PLACED,
    aten=None,
)
def picked(input: Any, at: Any, *, dims: int) -> Any:
    """Return the numbers of images at places: (..., *size) and (..., *places) give (..., *places)."""
    y = np.take_along_axis(_planes(input, dims), _planes(at, dims), 1)
    return _images(y, input, at.shape[at.ndim - dims :], is_channels_last(at, dims))


def _put_vjp(g: Any, _y: Any, _input: Any, at: Any, *, size: Ints, windows: Windows | None = None) -> Any:
    return picked(g, at, dims=len(size))


@primitive(_put_vjp, None, node="MaxPool2DWithIndicesBackward", kind=_PLACED, aten="max_pool2d_with_indices_backward")
def put_sums(input: Any, at: Any, *, size: Ints, windows: Windows | None = None) -> Any:
    """Return images of zeros with numbers added at their places: (..., *places) twice give (..., *size).

    windows: those in which the places lie, if known.
    """
    lie = None if windows is None else _windows(size, windows)
    dims = len(size)
    planes = kernels.put(_planes(input, dims), _planes(at, dims), math.prod(size), True, lie)
    return _images(planes, at, size, is_channels_last(at, dims))


@movement(_put_vjp, None, node="MaxUnpool2D", kind=_PLACED, aten="max_unpool2d")
def max_unpool(input: Any, at: Any, *, size: Ints) -> Any:
    """Return images of zeros with numbers at their places; of several at one place the last one stays."""
    dims = len(size)
    planes = kernels.put(_planes(input, dims), _planes(at, dims), math.prod(size), False)
    return _images(planes, input, size, dims == 2 and is_channels_last(input, dims))


# ----- The largest numbers -----


def _maxima_vjp(g: Any, y: Any, x_like: Any, *, needs: Any, windows: Windows) -> tuple[Any, ...]:
    """gx = g, added at the places it came from."""
    return (_MAXIMUM_BACK[len(windows), len(windows[-1])](g[0], y[1], size=_spatial(x_like, windows), windows=windows),)


def _maxima_tangent(node: Any, ts: list[Any]) -> Any:
    """t = the tangent at the places of the largest numbers."""
    at = node.output[1]
    return [picked.forward(ts[0], at, dims=len(node.params["windows"][-1])), np.zeros(at.shape)]


def _keeps_layout(x: Array, windows: Windows) -> bool:
    """Tell whether PyTorch lays the result out with channels last, like the input."""
    return (len(windows[-1]) == 2 or len(windows) == 5) and is_channels_last(x, len(windows[-1]))


@movement(kind=Kind("largest", MATRICES.batch), aten="max_pool2d")
def largest(input: Any, *, windows: Windows) -> Any:
    """Return the largest number of each window: (..., *size) gives (..., *places). It has no gradient: see max_pool."""
    lie = _windows(_spatial(input, windows), windows)
    values, _ = kernels.largest(_planes(input, len(windows[-1])), lie, False)
    return _images(values, input, windows[-1], _keeps_layout(input, windows))


@movement(
    multi=True, reads=(1,), node="MaxPool2DWithIndices", kind=Kind("maxima", MATRICES.batch, _maxima_tangent),
    aten="max_pool2d_with_indices",
)  # fmt: skip
def max_pool(input: Any, *, windows: Windows) -> tuple[Any, ...]:
    """Return the largest number of each window, and its place: (..., *size) gives (..., *places) twice.

    Of equal numbers it is the first; of several nan the last.
    """
    lie = _windows(_spatial(input, windows), windows)
    results = kernels.largest(_planes(input, len(windows[-1])), lie, True)
    channels_last = _keeps_layout(input, windows)
    return tuple([_images(y, input, windows[-1], channels_last) for y in results])


max_pool.vjp(_maxima_vjp)


def _fractional_vjp(g: Any, y: Any, x_like: Any, _samples: Any, *, needs: Any, kernel: Ints, out: Ints) -> Any:
    """gx = g, added at the places it came from."""
    size = x_like.shape[len(x_like.shape) - len(out) :]
    return _FRACTIONAL_BACK[len(out)](g[0], y[1], size=size), None


def _fractional_tangent(node: Any, ts: list[Any]) -> Any:
    at = node.output[1]
    return [picked.forward(ts[0], at, dims=len(node.params["out"])), np.zeros(at.shape)]


@movement(
    multi=True, reads=(1,), node="FractionalMaxPool2D", kind=Kind("maxima", _expanded, _fractional_tangent),
    aten="fractional_max_pool2d",
)  # fmt: skip
def fractional_max_pool(input: Any, samples: Any, *, kernel: Ints, out: Ints) -> tuple[Any, ...]:
    """Return the largest number of each window, and its place; windows lie at pseudo-random distances.

    samples: (..., dimensions), in [0, 1): for each image where the windows along a dimension begin.
    """
    dims = len(out)
    size = input.shape[input.ndim - dims :]
    if dims == 2:  # in PyTorch the width comes first there
        samples = samples[..., ::-1]
    lie = kernels.fractional_windows(samples.reshape(math.prod(samples.shape[:-1]), dims), size, kernel, out)
    results = kernels.largest(_planes(input, dims), lie, True)
    return tuple([_images(y, input, out) for y in results])


fractional_max_pool.vjp(_fractional_vjp)


# ----- Averages -----


@functools.lru_cache(maxsize=1024)
def _divisors(size: Ints, windows: Windows, divisor: int | None, with_padding: bool) -> tuple[Any, ...]:
    """Return by what sums are divided, one after the other: numbers, and arrays that broadcast to (planes, *places)."""
    if divisor is not None:
        return (divisor,)
    lie = _windows(size, windows)
    counts = [last - first for first, last in zip(lie.first, lie.last, strict=True)]
    if len(windows) == 1:
        given: list[Any] = [count.reshape((-1, *(1,) * (2 - i))) for i, count in enumerate(counts)]
    else:
        if with_padding:
            kernel, stride, padding, _, out = ((fill,) * (3 - len(w)) + w for w, fill in zip(windows, (1, 1, 0, 1, 1)))
            places = [np.arange(n) * s - p for n, s, p in zip(out, stride, padding, strict=True)]
            ends = [n + p for n, p in zip(lie.size, padding, strict=True)]
            counts = [np.minimum(a + k, end) - a for a, k, end in zip(places, kernel, ends, strict=True)]
        given = [counts[0][:, None, None] * counts[1][:, None] * counts[2]]
    return tuple([int(n.flat[0]) if n.size and (n == n.flat[0]).all() else n for n in given])


def _divided(y: Array, out: Ints, divisors: tuple[Any, ...]) -> Array:
    """Return (planes, windows) divided; PyTorch truncates the quotients of integers."""
    volumes = y.reshape(len(y), *(1,) * (3 - len(out)), *out)
    for divisor in divisors:
        if y.dtype.kind == "f":
            if not isinstance(divisor, int) or divisor != 1:
                volumes = volumes / np.asarray(divisor, y.dtype)
        else:
            volumes = np.sign(volumes) * np.sign(divisor) * (np.abs(volumes) // np.abs(divisor))
    return volumes.reshape(y.shape)


@primitive(
    lambda g, _y, x_like, *, windows, **settings: _AVERAGE_BACK[len(windows), len(windows[-1])](
        g, size=_spatial(x_like, windows), windows=windows, **settings
    ),
    node="AvgPool2D",
    kind=_IMAGES,
    aten="avg_pool2d",
)
def avg_pool(
    input: Any, *, windows: Windows, divisor: int | None = None, with_padding: bool = True, channels_last: bool = False
) -> Any:
    """Return the average of each window: (..., *size) gives (..., *places).

    divisor: by what sums are divided; None: by the numbers of a window, those of the padding too where it counts.
    channels_last: lay the result and the gradient out so.
    """
    size, out = _spatial(input, windows), windows[-1]
    y = kernels.total(_planes(input, len(size)), _windows(size, windows))
    return _images(_divided(y, out, _divisors(size, windows, divisor, with_padding)), input, out, channels_last)


@primitive(
    lambda g, _y, _x, *, size, windows, **settings: AVERAGE[len(windows), len(size)](g, windows=windows, **settings),
    node="AvgPool2DBackward",
    kind=_IMAGES,
    aten="avg_pool2d_backward",
)
def avg_pool_back(
    input: Any, *, size: Ints, windows: Windows, divisor: int | None = None, with_padding: bool = True,
    channels_last: bool = False,
) -> Any:  # fmt: skip
    """Return the adjoint of avg_pool: (..., *places) give (..., *size)."""
    y = _divided(_planes(input, len(size)), windows[-1], _divisors(size, windows, divisor, with_padding))
    return _images(kernels.spread(y, _windows(size, windows)), input, size, channels_last)


# ----- The same under PyTorch's names: by the length of `windows` and the number of dimensions, one as two -----


def _named(op: Op, aten: str) -> Op:
    node = "".join(word.capitalize() for word in aten.split("_")).replace("2d", "2D").replace("3d", "3D")
    return overload(op, node + "Backward0", aten=aten)


def _forms(op: Op, even: str, adaptive: str) -> dict[tuple[int, int], Op]:
    two = {(5, 2): _named(op, even), (1, 2): _named(op, adaptive)}
    three = {(n, 3): _named(op, form.aten.replace("2d", "3d")) for (n, _), form in two.items() if form.aten is not None}
    return {**two, **three, (5, 1): two[5, 2], (1, 1): two[1, 2]}


MAXIMUM = _forms(max_pool, "max_pool2d_with_indices", "adaptive_max_pool2d")
_MAXIMUM_BACK = _forms(put_sums, "max_pool2d_with_indices_backward", "adaptive_max_pool2d_backward")
AVERAGE = _forms(avg_pool, "avg_pool2d", "_adaptive_avg_pool2d")
_AVERAGE_BACK = _forms(avg_pool_back, "avg_pool2d_backward", "_adaptive_avg_pool2d_backward")
FRACTIONAL = {n: _named(fractional_max_pool, f"fractional_max_pool{n}d") for n in (2, 3)}
_FRACTIONAL_BACK = {n: _named(put_sums, f"fractional_max_pool{n}d_backward") for n in (2, 3)}
UNPOOLING = {n: _named(max_unpool, f"max_unpool{n}d") for n in (2, 3)}
