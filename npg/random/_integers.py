"""Random integers: random_, randint and permutations."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from npg._floating import silent
from npg._words import c_name, scalar_name
from npg.random import _filling
from npg.random._generator import Generator, chosen

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
_LONG_RANGE = 2**28  # from this range on, two words make a number, so that the remainder is nearly unbiased
_LONG_PERMUTATION = (2**32 - 1) // 20  # likewise
_TOO_MANY = 2**60  # int64 whose bytes cannot be counted in one
_SMALL = 256  # up to here swapping in a list is faster than computing the outcome of all swaps with NumPy


# ----- Integers in a range -----


def random_(
    out: np.ndarray, low: int | None = None, high: int | None = None, generator: Generator | None = None
) -> np.ndarray:
    """Fill out with integers from [low, high), from [low, largest], or without low and high from [0, largest].

    low + word % (high - low); largest is the dtype's for integers, 2**11, 2**24 or 2**53 for floating dtypes.

    Args:
        out: an array of any shape and dtype.
        low: the first number; 0 when only high is given.
        high: one more than the last number.
    Returns: out.
    Raises: RuntimeError: when low >= high, or either is out of the range of out's dtype.
    Source: torch.Tensor.random_, number for number.
    """
    _filling.check_out(out, "random_", "fiub")
    if low is None and high is None:
        return _filling.fill(out, chosen(generator), _full_range_of(out.dtype))
    low = 0 if low is None else _whole(low, "from")
    if high is not None:
        span, low = _span(low, _whole(high, "to"), out.dtype)
    elif low != _LOWEST:
        span, low = _span_to_end(low, out.dtype)
    elif out.dtype in (np.int64, np.float32, np.float64):
        return _filling.fill(out, chosen(generator), lambda g, n: _floated(g._long_words(n).view(np.int64), out.dtype))
    elif out.dtype.kind in "iu":
        raise RuntimeError("random_full_64_bits_range_kernel_cpu handles only int64, double, float and bfloat16")
    else:
        title = scalar_name(out)
        raise NotImplementedError(f"\"random_full_64_bits_range_kernel_cpu\" not implemented for '{title}'")
    return _filling.fill(out, chosen(generator), lambda g, n: _floated(_from_range(g, n, span, low), out.dtype))


def randint(low: int, high: int, shape: Any, dtype: Any = np.int64, generator: Generator | None = None) -> np.ndarray:
    """Return a new array of integers from [low, high), see random_. Source: torch.randint."""
    return random_(np.empty(shape, dtype), low, high, generator)


def _whole(value: Any, name: str) -> int:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"random_(): argument '{name}' must be int, not {type(value).__name__}")
    if not _LOWEST <= value <= _HIGHEST:
        raise ValueError("Overflow when unpacking long long")
    return int(value)


def _from_range(generator: Generator, count: int, span: int, low: int) -> np.ndarray:
    # (count,) int64
    if span < _LONG_RANGE:
        words = generator._words(count)
        quotient = words // np.uint32(span)  # NumPy has a fast division by a number, but no such remainder
        quotient *= np.uint32(span)
        words -= quotient
        values = words.astype(np.int64)
        if low:
            values += low
        return values
    long = generator._long_words(count)
    long %= np.uint64(span)
    long += np.uint64(low % 2**64)  # wraps, as a signed sum would
    return long.view(np.int64)


def _full_range_of(dtype: np.dtype[Any]) -> Callable[[Generator, int], np.ndarray]:
    limits = _filling.LIMITS[dtype]
    modulus = (2**limits.digits if limits.digits else int(limits.largest)) + 1
    if dtype in (np.int64, np.float64):
        return lambda g, count: _floated((g._long_words(count) % np.uint64(modulus)).view(np.int64), dtype)
    return lambda g, count: _floated(g._words(count) % np.uint32(modulus), dtype)


def _floated(values: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    # C++ converts an integer to float16 by way of float32; NumPy would round once.
    return values.astype(np.float32) if dtype == np.float16 else values


# ----- Checks of a range -----


def _span(low: int, high: int, dtype: np.dtype[Any]) -> tuple[int, int]:
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    if dtype.kind == "f":
        low, high = _next_float(low, dtype), _previous_float(high, dtype)
        if low >= high:
            raise RuntimeError(
                f"random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, but got from={low} >= "
                f"to={high}"
            )
    _check_range(low, high - 1, dtype)
    return high - low, low


def _span_to_end(low: int, dtype: np.dtype[Any]) -> tuple[int, int]:
    if dtype.kind == "f":
        last = 2 ** _filling.LIMITS[dtype].digits
        low = _next_float(low, dtype)
        if low >= last:
            raise RuntimeError(
                "random_ expects 'from' casted to dtype to be less than or equal to 'to_inc' casted to dtype, but got "
                f"from={low} > to_inc={last}"
            )
    else:
        last = int(_filling.LIMITS[dtype].largest)
    _check_range(low, last, dtype)
    return last - low + 1, low


def _check_range(first: int, last: int, dtype: np.dtype[Any]) -> None:
    limits = _filling.LIMITS[dtype]
    for argument, value in (("from", first), ("to - 1", last)):
        if not limits.smallest <= value <= limits.largest:
            raise RuntimeError(f"{argument} is out of bounds for {c_name(dtype)}")
    if not limits.digits:
        return
    for argument, value in (("from", first), ("to - 1", last)):
        if not -(2**limits.digits) <= value <= 2**limits.digits:
            warnings.warn(
                f"{argument} is out of bounds [-(2^{limits.digits}), 2^{limits.digits}]. Due to precision limitations "
                f"{c_name(dtype)} can support discrete uniform distribution only within this range. This warning will "
                "become an error in version 1.7 release, please fix the code in advance",
                UserWarning,
                stacklevel=4,
            )


def _next_float(low: int, dtype: np.dtype[Any]) -> int:
    # The smallest integer not below low from which the dtype represents ranges without gaps.
    rounded = _cast(low + 1, dtype)
    if rounded >= low:
        return low
    return rounded + (1 << (abs(low + 1).bit_length() - _filling.LIMITS[dtype].digits))


def _previous_float(high: int, dtype: np.dtype[Any]) -> int:
    rounded = _cast(high - 1, dtype)
    if rounded < high:
        return high
    return rounded - (1 << (abs(high - 1).bit_length() - _filling.LIMITS[dtype].digits))


def _cast(value: int, dtype: np.dtype[Any]) -> int:
    # To the floating dtype and back, as on x86: values out of range become the lowest integer.
    wrapped = np.int64((value - _LOWEST) % 2**64 + _LOWEST)
    with silent():
        cast = float(wrapped.astype(np.float32 if dtype == np.float16 else dtype).astype(dtype))
    return int(cast) if _LOWEST <= cast <= _HIGHEST and cast != 2.0**63 else _LOWEST


# ----- Permutations -----


def randperm(n: int, dtype: Any = np.int64, generator: Generator | None = None) -> np.ndarray:
    """Return a random permutation of 0 ... n - 1.

    For i = 0 ... n - 2: swap i and i + word % (n - i).

    Args:
        n: the number of elements.
        dtype: any but bool that can represent the numbers.
    Returns: (n,) dtype.
    Raises: RuntimeError: when n is negative or too large for dtype.
    Source: torch.randperm, number for number; R. Durstenfeld, "Algorithm 235: Random permutation", 1964.
    """
    if isinstance(n, (bool, np.bool_)) or not isinstance(n, (int, np.integer)):
        raise TypeError(f"randperm(): argument 'n' (position 1) must be int, not {type(n).__name__}")
    n, dtype = int(n), np.dtype(dtype)
    _check_permutation(n, dtype)
    g = chosen(generator)
    with g._lock:
        if n < _LONG_PERMUTATION:
            targets = g._words(max(n - 1, 0)).astype(np.int64)
            targets %= np.arange(n, n - len(targets), -1)
        else:
            targets = (g._long_words(n - 1) % np.arange(n, 1, -1, dtype=np.uint64)).view(np.int64)
    targets += np.arange(len(targets))
    swapped = _swap_in_turn if n <= _SMALL else _outcome_of_swaps
    return _floated(swapped(targets, n), dtype).astype(dtype)


def _check_permutation(n: int, dtype: np.dtype[Any]) -> None:
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    if n >= _TOO_MANY:
        raise RuntimeError(f"Storage size calculation overflowed with sizes=[{n}]")
    if dtype not in _filling.LIMITS or dtype == np.bool_:
        raise NotImplementedError(f"\"randperm\" not implemented for '{scalar_name(dtype)}'")
    if dtype.kind == "f":
        if n > 2 ** _filling.LIMITS[dtype].digits + 1:
            limit = {"float16": "2049", "float32": "2^24+1", "float64": "2^53+1"}[dtype.name]
            raise RuntimeError(f"n cannot be greater than {limit} for {scalar_name(dtype)} type.")
    elif n - 1 > _filling.LIMITS[dtype].largest:
        raise RuntimeError(f"value cannot be converted to type {dtype.name}_t without overflow")


def _swap_in_turn(targets: np.ndarray, n: int) -> np.ndarray:
    numbers = list(range(n))
    for i, j in enumerate(targets.tolist()):
        numbers[i], numbers[j] = numbers[j], numbers[i]
    return np.array(numbers, np.int64)


def _outcome_of_swaps(targets: np.ndarray, n: int) -> np.ndarray:
    """Return 0 ... n - 1 after swapping positions i and targets[i] >= i, for i = 0, 1, ... in turn.

    Swap i moves the number at i to position targets[i], and the number found there to i for good. That number was moved
    there by the last earlier swap with the same target, or is the position's own. So every swap moves either its own
    number i or the number moved by an earlier swap, the last one with target i: these chains are followed for all
    swaps at once by doubling.
    """
    steps = np.arange(n - 1)
    width = n.bit_length()
    by_target = np.sort((targets << width) | steps)  # twice the width fits 63 bits for every n that fits in memory
    step, target = by_target & (2**width - 1), by_target >> width
    same = target[1:] == target[:-1]
    earlier = np.full(n, -1)  # the preceding swap with the same target
    earlier[step[1:][same]] = step[:-1][same]

    source = np.arange(n)  # the swap whose number swap i moves; itself when it moves its own
    moving = targets != steps
    source[targets[moving]] = steps[moving]  # where a target repeats, the last assignment wins
    while True:
        further = source[source]
        if np.array_equal(further, source):
            break
        source = further

    result = np.empty(n, np.int64)
    result[:-1] = targets
    result[-1] = source[-1]
    met = np.flatnonzero(earlier >= 0)
    result[met] = source[earlier[met]]
    return result
