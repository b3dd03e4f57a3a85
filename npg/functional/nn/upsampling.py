"""Images of another size."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from npg._errors import warn
from npg._words import scalar_name, type_name
from npg.engine import apply
from npg.functional._arguments import checked_array, sizes_of
from npg.functional._public import public_function
from npg.functional._types import Dims, T
from npg.functional.nn.pooling import adaptive_avg_pool2d, adaptive_avg_pool3d
from npg.functional.pooling import adaptive_avg_pool1d
from npg.kernels import upsampling as kernels
from npg.kernels.upsampling import Resizing
from npg.ops import upsampling as ops

Array = np.ndarray[Any, Any]
Ints = tuple[int, ...]

# PyTorch's modes, for images of these numbers of dimensions in space, and those of the kernels.
_MODES = {
    "nearest": ((1, 2, 3), kernels.NEAREST),
    "nearest-exact": ((1, 2, 3), kernels.NEAREST_EXACT),
    "area": ((1, 2, 3), ""),  # is adaptive pooling
    "linear": ((1,), kernels.LINEAR),
    "bilinear": ((2,), kernels.LINEAR),
    "trilinear": ((3,), kernels.LINEAR),
    "bicubic": ((2,), kernels.CUBIC),
    "lanczos": ((2,), kernels.LANCZOS),
}


_AVERAGES = adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d


def _is_integer(x: Any) -> bool:
    return isinstance(x, (int, np.integer)) or (getattr(x, "ndim", None) == 0 and x.dtype.kind in "iu")


def _each(value: Any, rank: int, shape: Ints, argument: str, name: str, letter: str) -> Any:
    """Return a value for every dimension in space.

    Raises: ValueError: when there are more or fewer.
    """
    if not isinstance(value, (list, tuple)):
        return [value] * rank
    if len(value) != rank:
        shown = f"{name} of {'shape ' if letter == 's' else ''}{value}"
        raise ValueError(
            f"Input and {argument} must have the same number of spatial dimensions, but got input with spatial "
            f"dimensions of {list(shape[2:])} and {shown}. Please provide input tensor in (N, C, d1, d2, ...,dK) "
            f"format and {name} in ({letter}1, {letter}2, ...,{letter}K) format."
        )
    return value


def _sizes(shape: Ints, rank: int, size: Any) -> Any:
    sizes = _each(size, rank, shape, "output", "output size", "o")
    if sizes is size and not all(map(_is_integer, size)):
        raise TypeError(
            "expected size to be one of int or Tuple[int] or Tuple[int, int] or Tuple[int, int, int], but got size "
            f"with types {[type(x) for x in size]}"
        )
    return sizes


def _scaled(shape: Ints, scales: Sequence[float]) -> Ints:
    """Return the sizes of the result, as PyTorch's kernels compute them."""
    sizes = [n * scale for n, scale in zip(shape[2:], scales, strict=True)]
    if not all(abs(n) < 2**63 for n in sizes):
        raise RuntimeError("value cannot be converted to type int64_t without overflow")
    return tuple(map(int, sizes))


def _function(mode: str, rank: int, antialias: bool) -> str:
    """Return PyTorch's name of the function of a mode."""
    return f"{'_' * antialias}upsample_{mode.replace('-', '_')}{rank}d{'_aa' * antialias}"


def _check(x: Array, mode: str, sizes: Ints, antialias: bool) -> None:
    """Raise where a resize to these sizes is not defined, in PyTorch's words."""
    shape, rank = x.shape, x.ndim - 2
    if min(*shape[2:], *sizes) <= 0:
        found, wanted = (
            ", ".join(f"{letter}: {n}" for letter, n in zip("DHW"[3 - rank :], each, strict=True))
            for each in (shape[2:], sizes)
        )
        joint = " and" if rank == 1 else ""
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input ({found}){joint} output ({wanted})"
        )
    if not math.prod(shape[1:]):
        raise RuntimeError(f"Non-empty {rank + 2}D data tensor expected but got a tensor with sizes {list(shape)}")
    if antialias and sizes == shape[2:]:  # a copy
        return
    if antialias:
        kernel, fits = "compute_index_ranges_weights", x.dtype.char != "e"
    elif "nearest" in mode:
        kernel, fits = "compute_indices_weights_nearest" if rank != 2 else "upsample_nearest2d_channels_last", True
    elif rank == 2:
        kernel, fits = (
            "compute_indices_weights_cubic" if mode == "bicubic" else "upsample_bilinear2d_channels_last",
            True,
        )
    else:
        kernel, fits = "compute_indices_weights_linear", x.dtype != np.uint8
    _refuse(kernel, x, fits and (x.dtype.kind == "f" or x.dtype == np.uint8))


def _refuse(kernel: str, x: Array, fits: bool) -> None:
    if not fits:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{scalar_name(x)}'")


@functools.lru_cache(maxsize=1024)
def _dims(
    shape: Ints, sizes: Ints, mode: str, align_corners: bool, scales: tuple[float, ...] | None, antialias: bool
) -> tuple[Resizing, ...]:
    given: Any = scales or (None,) * len(sizes)
    return tuple(
        Resizing(n, m, mode, align_corners, scale, antialias, len(sizes) == 2)
        for n, m, scale in zip(shape, sizes, given, strict=True)
    )


@public_function
def interpolate(
    input: T,
    size: Dims | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> T:
    """Return images of another size.

    Args:
        input: (N, C, *spatial) with one to three dimensions in space: floating, or uint8 in the modes nearest,
            nearest-exact, bilinear, bicubic and lanczos.
        size: the new sizes, or one for all; or else
        scale_factor: new sizes by old ones, or one ratio for all; sizes are rounded down.
        mode: "nearest" (rounded down, as in old versions of OpenCV), "nearest-exact", "area" (means), "linear" (one
            dimension), "bilinear", "bicubic", "lanczos" (two), "trilinear" (three).
        align_corners: in the linear and cubic modes: the outer pixels' centres stay where they are, not their edges.
        recompute_scale_factor: positions are computed from the rounded sizes, not from scale_factor.
        antialias: smooth what is made smaller; in the modes bilinear, bicubic, and always in lanczos.
    Returns: (N, C, *sizes), dtype of input.
    Raises: ValueError, TypeError: for settings that exclude each other. NotImplementedError: when mode and dimensions
        do not fit, or the dtype. RuntimeError: for sizes of 0.
    Source: torch.nn.functional.interpolate. The gradient is the adjoint of the result also where scale_factor and the
        rounded sizes differ; there PyTorch's can be that of other positions.
    """
    x = checked_array("interpolate", input)
    shape, rank = x.shape, x.ndim - 2
    if mode in ("nearest", "area", "nearest-exact"):
        if align_corners is not None:
            raise ValueError(
                "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | "
                "trilinear"
            )
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    sizes: Any = None
    scales: Any = None
    if size is not None:
        sizes = _sizes(shape, rank, size)
    elif scale_factor is not None:
        scales = _each(scale_factor, rank, shape, "scale_factor", "scale_factor", "s")
    else:
        raise ValueError("either size or scale_factor should be defined")
    if recompute_scale_factor and size is not None:
        raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
    if scales is not None and (recompute_scale_factor or mode == "area"):
        sizes, scales = [int(n * scale) for n, scale in zip(shape[2:], scales, strict=True)], None
    if antialias and not (mode in ("bilinear", "bicubic", "lanczos") and rank == 2):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input"
        )
    ranks, kernel_mode = _MODES.get(mode, ((), ""))
    if rank not in ranks:
        _refuse_mode(mode, rank)
    if mode == "lanczos":
        if align_corners:
            raise ValueError("Lanczos mode does not support align_corners=True")
        if not antialias:
            raise ValueError("Lanczos mode requires antialias=True")
    if mode == "area":
        return _AVERAGES[rank - 1](input, sizes)
    name = _function(mode, rank, antialias)
    if scales is not None:
        scales = _floats(name, scales)
        sizes = _scaled(shape, scales)
    else:
        sizes = sizes_of(name, (sizes,), "output_size")
    _check(x, mode, sizes, antialias)
    dims = _dims(shape[2:], sizes, kernel_mode, bool(align_corners), scales, bool(antialias))
    return apply(ops.form_of(dims)[0], (input,), {"dims": dims})


def _floats(name: str, scales: Any) -> tuple[float, ...]:
    for scale in scales:
        if not isinstance(scale, (int, float, np.number)):
            raise TypeError(
                f"{name}(): argument 'scale_factors' must be tuple of floats, but found element of type "
                f"{type_name(scale)}"
            )
    return tuple(map(float, scales))


def _refuse_mode(mode: str, rank: int) -> None:
    """Raise PyTorch's error for a mode that does not exist for these dimensions."""
    needed = {"linear": 3, "bilinear": 4, "trilinear": 5}.get(mode)
    if needed and rank in (1, 2, 3):
        raise NotImplementedError(f"Got {rank + 2}D input, but {mode} mode needs {needed}D input")
    raise NotImplementedError(
        f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {rank + 2}D) for the modes: nearest | linear | "
        f"bilinear | bicubic | trilinear | lanczos | area | nearest-exact (got {mode})"
    )


def _deprecated(name: str) -> None:
    warn(f"`nn.functional.{name}` is deprecated. Use `nn.functional.interpolate` instead.")


@public_function
def upsample(
    input: T,
    size: Dims | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> T:
    """Return images of another size, with a warning: deprecated.

    Source: torch.nn.functional.upsample.
    """
    _deprecated("upsample")
    return interpolate(input, size, scale_factor, mode, align_corners)


@public_function
def upsample_nearest(input: T, size: Dims | None = None, scale_factor: float | Sequence[float] | None = None) -> T:
    """Return images of another size in mode nearest, with a warning: deprecated.

    Source: torch.nn.functional.upsample_nearest.
    """
    _deprecated("upsample_nearest")
    return interpolate(input, size, scale_factor, mode="nearest")


@public_function
def upsample_bilinear(input: T, size: Dims | None = None, scale_factor: float | Sequence[float] | None = None) -> T:
    """Return images of another size in mode bilinear with aligned corners, with a warning: deprecated.

    Source: torch.nn.functional.upsample_bilinear.
    """
    _deprecated("upsample_bilinear")
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)
