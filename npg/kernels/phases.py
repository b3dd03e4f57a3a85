"""Images split by the steps of a kernel, so that what a tap meets at all places is one stretch of memory.

A *phase* of an image has the numbers of each step-th plane, row and column, zeros outside the image. The phases of an
image stand one after the other, all of one size: large enough for the places and for the taps' distance from the first
tap. Place (z, y, x) is then number (z x rows + y) x pitch + x of a stretch that starts at the tap's offset, with as
many rows and numbers in a row as a phase. Such a stretch also has numbers that belong to no place: results there are
not used, and where results come in, they are zeros. See npg/kernels/convolution.py for windows, places and taps.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]
Sizes = tuple[int, int, int]


class Phases(NamedTuple):
    """The sizes of an image, places, steps, zeros before, and of a phase; the offset of each tap."""

    size: Sizes
    out: Sizes
    stride: Sizes
    before: Sizes
    extent: Sizes
    offsets: tuple[int, ...]

    @property
    def numbers(self) -> int:
        """Those of all phases of an image."""
        return math.prod(self.stride) * math.prod(self.extent)

    @property
    def rows(self) -> int:
        """Those from the first place to the last."""
        return (self.out[0] - 1) * self.extent[1] + self.out[1]

    @property
    def length(self) -> int:
        """The numbers from the first place to the last."""
        return (self.rows - 1) * self.extent[2] + self.out[2]


@functools.lru_cache(maxsize=1024)
def phases_of(window: Any) -> Phases:
    """Return how images are split for a window; negative padding leaves numbers of the image out."""
    last = [(k - 1) * d // s for k, d, s in zip(window.kernel, window.dilation, window.stride, strict=True)]
    deep, down, right = (n + more for n, more in zip(window.out, last, strict=True))
    offsets = []
    for tap in np.ndindex(window.kernel):
        (z, a), (y, b), (x, c) = (
            divmod(i * d, s) for i, d, s in zip(tap, window.dilation, window.stride, strict=True)
        )  # fmt: skip
        phase = (a * window.stride[1] + b) * window.stride[2] + c
        offsets.append(((phase * deep + z) * down + y) * right + x)
    return Phases(window.size, window.out, window.stride, window.before, (deep, down, right), tuple(offsets))


# ----- Without C -----


def split(x: Array, plan: Phases) -> Array:
    """Return the phases of each image: (N, C, D, H, W) gives (N, C, numbers)."""
    n = x.shape[:2]
    wide = np.zeros((*n, *(k * s for k, s in zip(plan.extent, plan.stride, strict=True))), x.dtype)
    there, here = _shared(plan)
    wide[:, :, *there] = x[:, :, *here]
    planes = wide.reshape(*n, *(k for pair in zip(plan.extent, plan.stride, strict=True) for k in pair))
    return planes.transpose(0, 1, 3, 5, 7, 2, 4, 6).reshape(*n, plan.numbers)


def joined(phases: Array, plan: Phases) -> Array:
    """Return the images of phases, zeros where there is no phase: (N, C, numbers) gives (N, C, D, H, W)."""
    n = phases.shape[:2]
    wide = phases.reshape(*n, *plan.stride, *plan.extent).transpose(0, 1, 5, 2, 6, 3, 7, 4)
    wide = wide.reshape(*n, *(k * s for k, s in zip(plan.extent, plan.stride, strict=True)))
    x = np.zeros((*n, *plan.size), phases.dtype)
    there, here = _shared(plan)
    x[:, :, *here] = wide[:, :, *there]
    return x


def _shared(plan: Phases) -> tuple[list[slice], list[slice]]:
    """Return what phases and image have in common: as places among the phases' numbers, and in the image."""
    there, here = [], []
    for before, size, extent, step in zip(plan.before, plan.size, plan.extent, plan.stride, strict=True):
        start, stop = max(before, 0), min(before + size, extent * step)
        there.append(slice(start, max(start, stop)))
        here.append(slice(start - before, max(start, stop) - before))
    return there, here


def in_rows(y: Array, plan: Phases) -> Array:
    """Return results in the rows of a phase, zeros between: (N, O, places) gives (N, O, rows x pitch)."""
    wide = np.zeros((*y.shape[:2], plan.out[0], *plan.extent[1:]), y.dtype)
    wide[:, :, :, : plan.out[1], : plan.out[2]] = y
    return wide.reshape(*y.shape[:2], -1)[..., : plan.rows * plan.extent[2]]


def at_places(rows: Array, plan: Phases) -> Array:
    """Return the places of results in rows: (N, O, length) gives (N, O, places along depth, height and width)."""
    wide = np.empty((*rows.shape[:2], plan.out[0] * plan.extent[1] * plan.extent[2]), rows.dtype)
    wide[..., : rows.shape[2]] = rows
    planes = wide.reshape(*rows.shape[:2], plan.out[0], *plan.extent[1:])
    return planes[:, :, :, : plan.out[1], : plan.out[2]].copy()
