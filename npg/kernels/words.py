"""Words of MT19937 and what is made of them, from a bit generator of numpy.random."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.kernels import core

Array = np.ndarray[Any, Any]

_WORD = np.array(32, np.uint64)  # bits; an array, because a scalar would be converted in each operation


class Words:
    """The words that an MT19937 is about to give. The caller sees to it that one thread at a time takes some.

    Args:
        source: a numpy.random.MT19937; what is taken here is passed over there.
    """

    def __init__(self, source: Any) -> None:
        self._source = source
        self._capsule = None
        if core.holds_words is not None:
            state = source.state["state"]
            if core.holds_words(source.capsule, state["key"], state["pos"]):
                self._capsule = source.capsule

    def take(self, count: int) -> Array:
        """Return the next words, (count,) uint32."""
        if self._capsule is not None:
            words: Array = core.take_words(self._capsule, count)
            return words
        return np.asarray(self._source.random_raw(count), np.uint32)

    def take_long(self, count: int) -> Array:
        """Return (count,) uint64 of two words each, the first in the upper half."""
        if self._capsule is not None:
            long: Array = core.take_long_words(self._capsule, count)
            return long
        return paired(self.take(2 * count))

    def take_trials(self, count: int, bound: int) -> Array:
        """Return (count,) bool: whether numbers of 53 bits, two words each, are below a bound of at most 2**53."""
        if self._capsule is not None:
            trials: Array = core.take_trials(self._capsule, count, *divmod(bound, 2**32))
            return trials
        return less(self.take(2 * count), bound)


def paired(words: Array) -> Array:
    """Return (n,) uint64 of two words each, of (2 n,) uint32, the first in the upper half."""
    long = words[0::2].astype(np.uint64)
    long <<= _WORD
    long |= words[1::2]
    return long


def less(words: Array, bound: int) -> Array:
    """Return (n,) bool: whether the lower 53 bits of two words each, of (2 n,) uint32, are less than a bound."""
    # The first word holds the upper 21 bits and nearly always decides.
    upper, lower = divmod(bound, 2**32)
    high = words[0::2] & np.uint32(0x1FFFFF)
    result: Array = high < np.uint32(upper)
    tied = np.flatnonzero(high == np.uint32(upper))
    if tied.size:
        result[tied] = words[1::2][tied] < np.uint32(lower)
    return result
