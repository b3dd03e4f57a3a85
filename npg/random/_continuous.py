"""Continuous distributions: uniform, exponential, Cauchy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from npg._words import c_name, scalar_name
from npg.random import _filling
from npg.random._arithmetic import fma32, fma64, libm
from npg.random._generator import Generator, chosen

# ----- Uniform -----


def uniform_(out: np.ndarray, low: float = 0.0, high: float = 1.0, generator: Generator | None = None) -> np.ndarray:
    """Fill out with uniform numbers from [low, high).

    low + u * (high - low), u of 24 bits (float16, float32) or 53 bits (float64), rounded once; high itself becomes low.

    Args:
        out: an array of any shape, float16, float32 or float64.
        low, high: numbers in the range of out's dtype, low <= high.
    Returns: out.
    Raises:
        NotImplementedError: when out is not floating.
        RuntimeError: when low > high, or low, high or their difference is out of range.
    Source: torch.Tensor.uniform_, bit for bit.
    """
    _filling.check_out(out, "check_uniform_bounds")
    low, high = float(low), float(high)
    _check_bounds(low, high, out.dtype)
    g = chosen(generator)
    if out.dtype == np.float64:
        scale, start, draw, fma = high - low, low, _filling.uniform64, fma64
    else:  # float16 is drawn in float32 from bounds that are not rounded to float16
        start = float(np.float32(low))
        scale, draw, fma = float(np.float32(high) - np.float32(low)), _filling.uniform32, fma32
    if low == 0.0 and high == 1.0 and out.dtype != np.float16:
        return _filling.fill(out, g, draw)
    bottom, top = out.dtype.type(low), out.dtype.type(high)

    def make(g: Generator, count: int) -> np.ndarray:
        values = fma(draw(g, count), scale, start).astype(out.dtype, copy=False)
        values[values == top] = bottom  # rounding can reach the upper bound, which is excluded
        return values

    return _filling.fill(out, g, make)


def _check_bounds(low: float, high: float, dtype: np.dtype[Any]) -> None:
    limits = _filling.LIMITS[dtype]
    limit = limits.largest
    for argument, value in (("from", low), ("to", high)):
        if not -limit <= value <= limit:
            raise RuntimeError(f"{argument} is out of bounds for {c_name(dtype)}")
    if low > high:
        raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}")
    if high - low > limit:
        raise RuntimeError(
            f"uniform_ expects to-from <= std::numeric_limits<{scalar_name(dtype)}>::max(), but found to={high:g} and "
            f"from={low:g} which result in to-from to exceed the limit"
        )


def rand(shape: Any, dtype: Any = np.float32, generator: Generator | None = None) -> np.ndarray:
    """Return a new array of uniform numbers from [0, 1), see uniform_."""
    return uniform_(np.empty(shape, dtype), generator=generator)


# ----- Exponential -----


def exponential_(out: np.ndarray, lambd: float = 1.0, generator: Generator | None = None) -> np.ndarray:
    """Fill out with exponentially distributed numbers.

    -log1p(-u) / lambd, u of 53 bits.

    Args:
        out: an array of any shape, float16, float32 or float64.
        lambd: the rate, > 0.
    Returns: out.
    Raises: RuntimeError: when lambd is not positive, or out not floating.
    Source: torch.Tensor.exponential_.
    """
    lambd = float(lambd)
    if not lambd > 0.0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd:g}")
    _check_floating(out, "Exponential", scalar_name)
    return _filling.fill(out, chosen(generator), lambda g, count: exponentials(g, count, lambd))


def exponentials(generator: Generator, count: int, lambd: float = 1.0) -> np.ndarray:
    """Return (count,) float64 exponential numbers. The caller holds the generator's lock."""
    values = _filling.uniform64(generator, count)
    values = libm(math.log1p, -values)
    values *= -1.0 / lambd
    return values


# ----- Cauchy -----


def cauchy_(out: np.ndarray, median: float = 0.0, sigma: float = 1.0, generator: Generator | None = None) -> np.ndarray:
    """Fill out with Cauchy-distributed numbers.

    median + sigma * tan(pi * (u - 1/2)), u of 53 bits.

    Args:
        out: an array of any shape, float16, float32 or float64.
        median: the median.
        sigma: the scale, > 0.
    Returns: out.
    Raises: RuntimeError: when sigma is not positive, or out not floating.
    Source: torch.Tensor.cauchy_.
    """
    median, sigma = float(median), float(sigma)
    if not sigma > 0.0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")
    _check_floating(out, "Cauchy", c_name)

    def make(g: Generator, count: int) -> np.ndarray:
        angles = _filling.uniform64(g, count)
        angles -= 0.5
        angles *= math.pi
        return fma64(libm(math.tan, angles), sigma, median)

    return _filling.fill(out, chosen(generator), make)


def _check_floating(out: np.ndarray, name: str, word: Callable[[Any], str]) -> None:
    if name == "Exponential" and isinstance(out, np.ndarray) and not out.size:  # PyTorch checks after returning early
        return
    if isinstance(out, np.ndarray) and out.dtype.kind != "f" and out.dtype in _filling.LIMITS:
        raise RuntimeError(
            f"{name} distribution is a continuous probability distribution. dtype must be a floating point but you "
            f"specified {word(out)}"
        )
    _filling.check_out(out, f"{name.lower()}_cpu")
