"""Normal and log-normal numbers: the Box-Muller transform, in the three forms that PyTorch uses.

A contiguous array of 16 or more elements is filled in blocks of 16, in float32 or float64; any other array value by
value in float64, where each pair of uniforms gives two values, the second of which is kept for the next call.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from npg._floating import silent
from npg.kernels import meta
from npg.kernels.meta import MetaArray
from npg.random import _filling
from npg.random._arithmetic import Kernel32, fma32, fma64, libm
from npg.random._generator import Generator, chosen

_TWO_PI, _ONE = 2.0 * math.pi, np.float32(1)


def normal_(out: np.ndarray, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> np.ndarray:
    """Fill out with normally distributed numbers.

    mean + std * sqrt(-2 ln(1 - u)) * (cos or sin)(2 pi v), u and v uniform.

    Args:
        out: an array of any shape, float16, float32 or float64.
        mean: the mean.
        std: the standard deviation, >= 0.
    Returns: out.
    Raises:
        RuntimeError: when std is negative or NaN.
        NotImplementedError: when out is not floating.
    Source: torch.Tensor.normal_; float16 and float32 bit for bit where PyTorch runs its AVX2 kernel; G. E. P. Box,
        M. E. Muller, "A Note on the Generation of Random Normal Deviates", 1958.
    """
    mean, std = float(mean), float(std)
    if not std >= 0.0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
    _filling.check_out(out, "normal_kernel_cpu")
    g = chosen(generator)
    if out.size < 16 or not out.flags.c_contiguous or isinstance(out, MetaArray):
        return _filling.fill(out, g, lambda g, count: _pairwise(g, count, mean, std))
    _fill_by_sixteens(out.reshape(-1), g, mean, std)
    return out


def randn(shape: Any, dtype: Any = np.float32, generator: Generator | None = None) -> np.ndarray:
    """Return a new array of standard normal numbers, see normal_."""
    return normal_(np.empty(shape, dtype), generator=generator)


def log_normal_(out: np.ndarray, mean: float = 1.0, std: float = 2.0, generator: Generator | None = None) -> np.ndarray:
    """Fill out with numbers whose logarithm is normally distributed.

    Args:
        out: an array of any shape, float16, float32 or float64.
        mean, std: those of the logarithm, std > 0.
    Returns: out.
    Raises:
        RuntimeError: when std is not positive.
        NotImplementedError: when out is not floating.
    Source: torch.Tensor.log_normal_, which draws its normal numbers in pairs for any size.
    """
    mean, std = float(mean), float(std)
    if not std > 0.0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}")
    _filling.check_out(out, "log_normal_cpu")

    def make(g: Generator, count: int) -> np.ndarray:
        return libm(_exp, _pairwise(g, count, mean, std))

    return _filling.fill(out, chosen(generator), make)


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def normal(
    mean: np.ndarray | float = 0.0,
    std: np.ndarray | float = 1.0,
    generator: Generator | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Return normally distributed numbers, each with its own mean and standard deviation.

    Args:
        mean, std: arrays or numbers, at least one an array; they are broadcast. std >= 0.
        out: a floating array, which is filled if it has the broadcast shape; otherwise a new array of its dtype is
            returned.
    Returns: the broadcast shape, in the dtype of mean, or of std where mean is a number.
    Raises:
        RuntimeError: when an element of std is negative or NaN, or the shapes do not broadcast.
        NotImplementedError: when that dtype is not floating.
    Source: torch.normal.
    """
    lead = mean if isinstance(mean, np.ndarray) else std
    if not isinstance(lead, np.ndarray):
        raise TypeError("normal: expected an array for mean or std, got two numbers; use normal_ for these")
    if isinstance(std, np.ndarray):
        if std.size and not std.min() >= 0:
            raise RuntimeError("normal expects all elements of std >= 0.0")
        shape = np.broadcast_shapes(np.shape(mean), std.shape) if _agree(np.shape(mean), std.shape) else ()
    else:
        shape = lead.shape
    dtype = lead.dtype if out is None else out.dtype
    if dtype.kind != "f":
        _filling.check_out(np.empty(0, dtype), "normal_kernel_cpu")
    if out is None or out.shape != shape:
        out = meta.empty(shape, dtype) if meta.is_among((mean, std)) else np.empty(shape, dtype)
    normal_(out, 0.0, 1.0 if isinstance(std, np.ndarray) else std, generator)
    if isinstance(std, np.ndarray):
        np.multiply(out, _operand(std, out), out=out, casting="same_kind")
    np.add(out, _operand(np.asarray(mean), out), out=out, casting="same_kind")
    return out


def _operand(x: np.ndarray, out: np.ndarray) -> np.ndarray:
    # x, promoted beside out as in PyTorch: only a floating array keeps its own dtype.
    return x if x.dtype.kind == "f" and (x.ndim or not out.ndim) else x.astype(out.dtype)


def _agree(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    for i in range(1, min(len(a), len(b)) + 1):
        if a[-i] != b[-i] and 1 not in (a[-i], b[-i]):
            raise RuntimeError(
                f"The size of tensor a ({a[-i]}) must match the size of tensor b ({b[-i]}) at non-singleton dimension "
                f"{max(len(a), len(b)) - i}"
            )
    return True


# ----- One after the other, in float64 -----


def _pairwise(g: Generator, count: int, mean: float, std: float) -> np.ndarray:
    """Return (count,) float64 normal numbers, first the one that the generator kept. The caller holds its lock."""
    start = 0 if g._normal is None else 1
    pairs = (count - start + 1) // 2
    values = np.empty(start + 2 * pairs)
    if start:
        values[0] = g._normal
    uniforms = _filling.uniform64(g, 2 * pairs)
    radius, angle = np.sqrt(-2.0 * libm(math.log1p, -uniforms[1::2])), _TWO_PI * uniforms[0::2]
    np.multiply(radius, libm(math.cos, angle), out=values[start::2])
    np.multiply(radius, libm(math.sin, angle), out=values[start + 1 :: 2])
    g._normal = float(values[-1]) if len(values) > count else None
    return values[:count] if std == 1.0 and mean == 0.0 else fma64(values[:count], std, mean)


# ----- Blocks of 16 -----


@silent()
def _fill_by_sixteens(flat: np.ndarray, g: Generator, mean: float, std: float) -> None:
    total, block = len(flat), _filling.BLOCK
    blocked, remainder = total // 16 * 16, total % 16
    # PyTorch draws the remainder too and then the last 16 again, but only the latter for float16.
    passed_over = 0 if flat.dtype == np.float16 else remainder
    if flat.dtype == np.float64:
        draw, transform, fma = _filling.uniform64, _sixteens64, fma64
    else:
        kernel = Kernel32(min(blocked + 16, block + 16) // 2)
        draw, fma = _filling.uniform32, fma32
        transform = functools.partial(_sixteens32, kernel)
    with g._lock:
        for start in range(0, blocked, block):
            count = min(block, blocked - start)
            redrawn = 16 if remainder and start + count == blocked else 0
            values = draw(g, count + (passed_over + redrawn if redrawn else 0))
            if redrawn:
                values[count : count + 16] = values[-16:]
                values = values[: count + 16]
            transform(values.reshape(-1, 2, 8))
            if std != 1.0 or mean != 0.0:
                values = fma(values, std, mean)
            values = _filling.narrowed(values, flat.dtype)
            flat[start : start + count] = values[:count]
            if redrawn:
                flat[-16:] = values[-16:]


def _sixteens32(kernel: Kernel32, uniforms: np.ndarray) -> None:
    # uniforms: (blocks, radii and angles, 8); replaced by the normal numbers
    radius = np.subtract(_ONE, uniforms[:, 0]).reshape(-1)
    kernel.log(radius)
    radius *= np.float32(-2)
    np.sqrt(radius, out=radius)
    angle = np.multiply(uniforms[:, 1], np.float32(_TWO_PI)).reshape(-1)
    sin, cos = np.empty_like(angle), np.empty_like(angle)
    kernel.sincos(angle, sin, cos)
    cos *= radius
    sin *= radius
    uniforms[:, 0] = cos.reshape(-1, 8)
    uniforms[:, 1] = sin.reshape(-1, 8)


def _sixteens64(uniforms: np.ndarray) -> None:
    radius = np.sqrt(-2.0 * libm(math.log, 1.0 - uniforms[:, 0].reshape(-1)))
    angle = _TWO_PI * uniforms[:, 1].reshape(-1)
    uniforms[:, 0] = (radius * libm(math.cos, angle)).reshape(-1, 8)
    uniforms[:, 1] = (radius * libm(math.sin, angle)).reshape(-1, 8)
