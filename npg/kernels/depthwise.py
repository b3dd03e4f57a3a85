"""Correlations of each channel with kernels of its own: sums of shifted images, each times a number.

A product of matrices would have one row. With images in phases (npg/kernels/phases.py) a tap is one multiplication and
one addition of whole images. csrc/kernels/depthwise.pxi does the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.kernels import core
from npg.kernels.limits import UNSHARED_VECTOR
from npg.kernels.phases import Phases, at_places, in_rows, joined, split

Array = np.ndarray[Any, Any]


def correlate(x: Array, w: Array, bias: Array | None, plan: Phases) -> Array:
    """Return the correlation of images with a weight.

    Args:
        x: C-contiguous (N, C, D, H, W). w: C-contiguous (O, taps), O a multiple of C. bias: (O,) or None.
    Returns: (N, O, places along depth, height and width).
    """
    y = np.empty((len(x), len(w), *plan.out), x.dtype)
    if core.depthwise is not None and core.depthwise(x, w, bias, y, plan):
        return y
    phases = np.repeat(split(x, plan), len(w) // x.shape[1], 1)
    n, total = plan.length, np.empty(0)
    for tap, offset in enumerate(plan.offsets):
        part = phases[..., offset : offset + n] * w[:, tap, None]
        total = part if not tap else total + part
    return at_places(total if bias is None else total + bias[:, None], plan)


def spread(y: Array, w: Array, channels: int, plan: Phases) -> Array:
    """Return the adjoint of `correlate` in the images: (N, O, places) give (N, channels, D, H, W)."""
    x = np.empty((len(y), channels, *plan.size), y.dtype)
    if core.depthwise_spread is not None and core.depthwise_spread(x, w, y, plan):
        return x
    phases = np.zeros((len(y), channels, plan.numbers), x.dtype)
    several, n = len(w) // channels, plan.length
    rows = in_rows(y, plan)[..., :n]
    for i in range(several):
        for tap, offset in enumerate(plan.offsets):
            phases[..., offset : offset + n] += rows[:, i::several] * w[i::several, tap, None]
    return joined(phases, plan)


def weigh(x: Array, y: Array, plan: Phases) -> Array:
    """Return the adjoint of `correlate` in the weight: (N, C, D, H, W) and (N, O, places) give (O, taps)."""
    pieces = -(-plan.length // UNSHARED_VECTOR)
    parts = np.empty((len(x), pieces, y.shape[1], len(plan.offsets)), x.dtype)
    if core.depthwise_weigh is None or not core.depthwise_weigh(x, y, parts, plan):
        phases = np.repeat(split(x, plan), y.shape[1] // x.shape[1], 1)
        rows = in_rows(y, plan)[..., : plan.length]
        for piece in range(pieces):
            here = rows[..., piece * UNSHARED_VECTOR : (piece + 1) * UNSHARED_VECTOR]
            for tap, offset in enumerate(plan.offsets):
                start = offset + piece * UNSHARED_VECTOR
                met = phases[..., start : start + here.shape[-1]]
                parts[:, piece, :, tap] = np.matmul(met[..., None, :], here[..., None])[..., 0, 0]
    return np.add.reduce(parts.reshape(-1, *parts.shape[2:]), 0)
