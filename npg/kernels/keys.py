"""Cutting large arrays into blocks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator


def keys(shape: tuple[int, ...], size: int) -> Iterator[tuple[slice, ...]]:
    """Yield the keys of blocks of about `size` elements that cover a shape."""
    d = len(shape) - 1
    while d and math.prod(shape[d:]) <= size:
        d -= 1
    height = max(1, size // max(1, math.prod(shape[d + 1 :])))
    ahead = [[slice(i, i + 1) for i in range(n)] for n in shape[:d]]
    here = [slice(i, i + height) for i in range(0, shape[d], height)]
    behind = [slice(None)] * (len(shape) - d - 1)
    for key in itertools.product(*ahead, here):
        yield (*key, *behind)
