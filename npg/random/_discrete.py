"""Counts and choices: Bernoulli trials, the mask of dropout, geometric, Poisson and multinomial numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from npg._floating import silent
from npg._words import scalar_name
from npg.kernels import meta
from npg.kernels.layouts import empty_like, memory_order
from npg.kernels.meta import MetaArray
from npg.random import _filling
from npg.random._arithmetic import libm
from npg.random._continuous import exponential_
from npg.random._generator import Generator, chosen

_PROBABILITY = (
    "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be improved?  If so, please "
    "report an enhancement request to PyTorch.)"
)

# ----- Bernoulli trials -----


def bernoulli_(out: np.ndarray, p: float | np.ndarray = 0.5, generator: Generator | None = None) -> np.ndarray:
    """Fill out with 1 where a uniform number is less than p, else 0.

    u < p, u of 53 bits for a number p and for a float64 array, of 24 bits for other arrays.

    Args:
        out: an array of any shape and dtype.
        p: probabilities in [0, 1]: a number, or a floating array that broadcasts to out's shape.
    Returns: out.
    Raises: RuntimeError: when a probability is outside [0, 1] or the shapes do not fit.
    Source: torch.Tensor.bernoulli_ as PyTorch computes it without MKL (on Intel
        processors its builds draw for a number p from MKL's own stream).
    """
    _filling.check_out(out, "bernoulli_", "fiub")
    if isinstance(p, np.ndarray):
        return _bernoulli_each(out, p, chosen(generator))
    p = float(p)
    if not 0.0 <= p <= 1.0:
        raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
    return _filling.fill(out, chosen(generator), lambda g, count: _trials(g, count, p))


def bernoulli(p: np.ndarray, generator: Generator | None = None) -> np.ndarray:
    """Return a new contiguous array of p's dtype: 1 with the probability in p, else 0. Source: torch.bernoulli."""
    return bernoulli_(meta.empty_beside(p, p.shape), p, generator)


def _trials(generator: Generator, count: int, p: float) -> np.ndarray:
    # (count,) bool. With the 53 bits k, k * 2**-53 < p exactly when k < ceil(p * 2**53).
    return generator._trials(count, math.ceil(p * 2.0**53))


def _bernoulli_each(out: np.ndarray, p: np.ndarray, g: Generator) -> np.ndarray:
    if p.dtype.kind != "f" and out.size:
        title = scalar_name(p)
        raise NotImplementedError(f"\"bernoulli_tensor_cpu_p_\" not implemented for '{title}'")
    p = _expanded(p, out.shape)
    if not (np.all(p >= 0) and np.all(p <= 1)):
        raise RuntimeError(_PROBABILITY)
    order = memory_order(out.shape, out.strides)
    in_order = p.transpose(order).reshape(-1)
    draw = _filling.uniform64 if p.dtype == np.float64 else _filling.uniform32
    return _filling.fill(out, g, _along(in_order, lambda g, part: draw(g, len(part)) < part))


def _along(values: np.ndarray, make: Callable[[Generator, np.ndarray], np.ndarray]) -> Callable[..., np.ndarray]:
    # Turn a function of values into make(generator, count) for fill, which goes through them block by block.
    start = 0

    def block(generator: Generator, count: int) -> np.ndarray:
        nonlocal start
        start += count
        return make(generator, values[start - count : start])

    return block


def _expanded(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if x.ndim > len(shape):
        raise RuntimeError(
            f"expand(torch.{scalar_name(x)}Tensor{{{list(x.shape)}}}, size={list(shape)}): the number "
            f"of sizes provided ({len(shape)}) must be greater or equal to the number of dimensions in the tensor "
            f"({x.ndim})"
        )
    for i in range(1, x.ndim + 1):
        if x.shape[-i] not in (1, shape[-i]):
            raise RuntimeError(
                f"The expanded size of the tensor ({shape[-i]}) must match the existing size ({x.shape[-i]}) at "
                f"non-singleton dimension {len(shape) - i}.  Target sizes: {list(shape)}.  Tensor sizes: "
                f"{list(x.shape)}"
            )
    return np.broadcast_to(x, shape)


def dropout_mask(x: np.ndarray, p: float = 0.5, generator: Generator | None = None) -> np.ndarray:
    """Return the factors of dropout: 0 with probability p, else 1 / (1 - p).

    Args:
        x: the array to which dropout is applied; only its shape, dtype and layout are used.
        p: the probability of a zero. For 0 and 1 nothing is drawn.
    Returns: the shape, dtype and layout of x.
    Raises: RuntimeError: when p is outside [0, 1], or x is an array of integers.
    Source: torch.dropout(x, p, True) / x; see bernoulli_ on Intel processors.
    """
    p = float(p)
    _check_probability(p)
    mask = empty_like(x)
    if p in (0.0, 1.0):
        mask[...] = 1.0 - p
        return mask
    if x.dtype.kind != "f":
        title = scalar_name(x)
        raise RuntimeError(f"result type Float can't be cast to the desired output type {title}")
    keep = 1.0 - p
    bernoulli_(mask, keep, generator)
    mask /= mask.dtype.type(keep) if mask.dtype != np.float16 else np.float32(keep)
    return mask


def dropout_bits(shape: tuple[int, ...], p: float, generator: Generator | None = None) -> np.ndarray:
    """Return which of the factors that dropout_mask draws for a contiguous array of this shape are not 0, a bit each.

    Returns: (*shape[:-1], ceil(shape[-1] / 8)) uint8; the bits of a row begin with the highest one of its first byte.
    Raises: RuntimeError: when p is outside [0, 1].
    """
    p = float(p)
    _check_probability(p)
    rows, width = math.prod(shape[:-1]), shape[-1]
    bits = np.full((rows, -(-width // 8)), 255 if p == 0.0 else 0, np.uint8)
    if 0.0 < p < 1.0:
        g, step = chosen(generator), max(1, _filling.BLOCK // max(1, width))
        with g._lock:
            for start in range(0, rows, step):
                part = bits[start : start + step]
                part[...] = np.packbits(_trials(g, len(part) * width, 1.0 - p).reshape(-1, width), axis=1)
    return bits.reshape(*shape[:-1], bits.shape[1])


def _check_probability(p: float) -> None:
    if not 0.0 <= p <= 1.0:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p:g}")


def rrelu_slopes(x: np.ndarray, lower: float, upper: float, generator: Generator | None = None) -> np.ndarray:
    """Return the factors of a randomised leaky ReLU: 1 above 0 and for nan, else uniform in [lower, upper).

    The slopes are drawn in the order of x in C, from bounds in its dtype, with 53 bits.

    Returns: the shape and dtype of x, in C order.
    Source: torch.rrelu(x, lower, upper, True) / x.
    """
    low, high = (float(x.dtype.type(bound)) for bound in (lower, upper))
    if isinstance(x, MetaArray):
        return meta.empty(x.shape, x.dtype)
    slopes = np.ones(x.shape, x.dtype)
    below = x <= 0
    count = int(np.count_nonzero(below))
    if count:
        slopes[below] = _filling.uniform64(chosen(generator), count) * (high - low) + low  # rounded twice, as there
    return slopes


# ----- Counts -----


def geometric_(out: np.ndarray, p: float, generator: Generator | None = None) -> np.ndarray:
    """Fill out with the number of trials up to the first success.

    ceil(log(u) / log1p(-p)), u of 53 bits.

    Args:
        out: an array of any shape and dtype but bool.
        p: the probability of a success, in (0, 1).
    Returns: out.
    Raises: RuntimeError: when p is outside (0, 1).
    Source: torch.Tensor.geometric_.
    """
    p = float(p)
    if not 0.0 < p < 1.0:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}")
    _filling.check_out(out, "geometric_cpu", "fiu")
    scale = math.log1p(-p)

    def make(g: Generator, count: int) -> np.ndarray:
        values = libm(_log, _filling.uniform64(g, count))
        values /= scale
        np.ceil(values, out=values)
        return values

    return _filling.fill(out, chosen(generator), make)


def _log(x: float) -> float:
    return math.log(x) if x else -math.inf


def poisson(rate: np.ndarray, generator: Generator | None = None) -> np.ndarray:
    """Return Poisson-distributed counts.

    Args:
        rate: an array of any shape, floating; the mean of each count, >= 0.
    Returns: the shape and dtype of rate.
    Raises:
        RuntimeError: when a rate is negative, NaN or infinite.
        NotImplementedError: when rate is not floating.
    Source: torch.poisson, which returns the least integer for an infinite rate; below 10 a product of uniforms
        (D. E. Knuth, The Art of Computer Programming, 3.4.1), from 10 on algorithm PTRS (W. Hörmann, "The transformed
        rejection method for generating Poisson random variables", 1993).
    """
    out = meta.empty_beside(rate, rate.shape)
    _filling.check_out(out, "poisson_cpu")
    if isinstance(out, MetaArray):
        return out
    if not np.all(rate >= 0):
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    if np.any(rate == math.inf):
        raise RuntimeError("invalid Poisson rate, expected rate to be finite, got inf")
    g = chosen(generator)
    with g._lock:
        uniforms = _Uniforms(g)
        # The number of uniforms that a count takes depends on their values, so this cannot be vectorised.
        counts = [_poisson(r, uniforms) for r in rate.reshape(-1).tolist()]
        uniforms.close()
    values = np.array(counts, np.float64).reshape(rate.shape)
    out[...] = _filling.narrowed(values, out.dtype)
    return out


class _Uniforms:
    """An endless stream of float64 uniforms, drawn ahead; close() moves the generator to the last one used."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._before = generator._source_state()
        self._taken = 0
        self.next = self._row().__next__

    def _row(self) -> Iterator[float]:
        size = 8
        while True:
            for u in _filling.uniform64(self._generator, size).tolist():
                self._taken += 1
                yield u
            size = min(2 * size, _filling.BLOCK)

    def close(self) -> None:
        self._generator._restore_source(self._before)
        self._generator._words(2 * self._taken)


def _poisson(rate: float, uniforms: _Uniforms) -> float:
    draw = uniforms.next
    if rate >= 10.0:
        return _poisson_by_rejection(rate, draw)
    if rate == 0.0:
        return 0.0
    limit, product, count = math.exp(-rate), 1.0, 0
    while True:
        product *= draw()
        if product <= limit:
            return float(count)
        count += 1


def _poisson_by_rejection(rate: float, draw: Callable[[], float]) -> float:
    log_rate = math.log(rate)
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    accept = 0.9277 - 3.6224 / (b - 2.0)
    while True:
        u = draw() - 0.5
        v = draw()
        distance = 0.5 - abs(u)
        if distance == 0.0:
            continue
        k = math.floor((2.0 * a / distance + b) * u + rate + 0.43)
        if distance >= 0.07 and v <= accept:
            return float(k)
        if k < 0 or (distance < 0.013 and v > distance):
            continue
        log_ratio = (
            (math.log(v) if v else -math.inf) + math.log(inverse_alpha) - math.log(a / (distance * distance) + b)
        )
        if log_ratio <= -rate + k * log_rate - math.lgamma(k + 1.0):
            return float(k)


# ----- Multinomial -----


def multinomial(
    probs: np.ndarray, num_samples: int, replacement: bool = False, generator: Generator | None = None
) -> np.ndarray:
    """Draw categories with the given weights.

    With replacement: the first category whose cumulative weight reaches u of 53 bits. Without, or for one sample: those
    with the largest weight / q, q exponentially distributed, in descending order.

    Args:
        probs: (K,) or (B, K) floating; weights >= 0, finite, not all zero in a row.
        num_samples: how many of each row; at most K without replacement.
        replacement: whether a category may be drawn twice.
    Returns: (num_samples,) or (B, num_samples) int64.
    Raises: RuntimeError: when one of these conditions does not hold.
    Source: torch.multinomial; categories with equal weight / q (such as those of weight 0, when more samples are drawn
        than there are others) come in another order.
    """
    _check_multinomial(probs, num_samples, replacement)
    g = chosen(generator)
    rows = probs if probs.ndim == 2 else probs[None]
    shape = probs.shape[:-1] + (num_samples,)
    if not len(rows):
        return np.empty(shape, np.int64)
    if isinstance(probs, MetaArray):
        return meta.empty(shape, np.int64)
    if replacement and num_samples > 1:
        return _with_replacement(rows, num_samples, g).reshape(shape)
    if not probs.shape[-1]:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
        )
    tops = np.maximum.reduce(rows, axis=1).tolist()
    # The minimum also detects nan, which Python's max may miss.
    if not (np.minimum.reduce(probs, axis=None) >= 0 and max(tops) < math.inf):
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if not min(tops) > 0:
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    quotients = exponential_(empty_like(probs), 1.0, g)
    with silent():
        np.divide(probs, quotients, out=quotients)
    if num_samples == 1:
        categories: np.ndarray = quotients.argmax(-1).reshape(shape)
        return categories
    return _largest(quotients, num_samples)


def _check_multinomial(probs: np.ndarray, num_samples: int, replacement: bool) -> None:
    if isinstance(num_samples, bool) or not isinstance(num_samples, (int, np.integer)):
        raise TypeError(
            f"multinomial(): argument 'num_samples' (position 2) must be int, not {type(num_samples).__name__}"
        )
    if probs.ndim not in (1, 2):
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    if probs.dtype.kind != "f":
        title = scalar_name(probs)
        raise RuntimeError(f"multinomial only supports floating-point dtypes for input, got: {title}")
    if num_samples <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    if not replacement and num_samples > probs.shape[-1]:
        raise RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    if probs.shape[-1] > 2**24:
        raise RuntimeError("number of categories cannot exceed 2^24")


def _largest(quotients: np.ndarray, count: int) -> np.ndarray:
    # (..., count): the indices of the largest quotients, in descending order.
    quotients[np.isnan(quotients)] = math.inf  # 0 / 0: PyTorch sorts NaN above all
    np.negative(quotients, out=quotients)
    if count == quotients.shape[-1]:
        return quotients.argsort(-1, kind="stable")
    best = np.sort(quotients.argpartition(count - 1, -1)[..., :count], -1)
    return np.take_along_axis(best, np.take_along_axis(quotients, best, -1).argsort(-1, kind="stable"), -1)


def _with_replacement(rows: np.ndarray, count: int, g: Generator) -> np.ndarray:
    if np.any(rows < 0) or np.isnan(rows).any():
        raise RuntimeError("invalid multinomial distribution (encountering probability entry < 0)")
    if not np.isfinite(rows).all():
        raise RuntimeError("invalid multinomial distribution (encountering probability entry = infinity or NaN)")
    if not rows.any(axis=1).all():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    with silent():
        cumulative = np.cumsum(rows, axis=1, dtype=np.float32 if rows.dtype == np.float16 else rows.dtype)
        cumulative /= cumulative[:, -1:].copy()
    cumulative[:, -1] = 1
    with g._lock:
        uniforms = _filling.uniform64(g, len(rows) * count).reshape(len(rows), count)
    categories = np.empty(uniforms.shape, np.int64)
    if len(rows) <= count:
        for i, row in enumerate(cumulative):
            categories[i] = np.searchsorted(row, uniforms[i])
    else:
        for j in range(count):
            np.sum(cumulative < uniforms[:, j : j + 1], axis=1, out=categories[:, j])
    return categories
