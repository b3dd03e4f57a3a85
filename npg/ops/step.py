"""Adam's step on arrays: in blocks that stay in the processor's cache, all passes over one block before the next."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.ops._scratch import scratch

__all__ = ["BLOCK", "adam"]

Array = np.ndarray[Any, Any]

BLOCK = 1 << 15  # elements: five arrays of them stay in a cache of 1 MB


def adam(
    p: Array | None,
    g: Array,
    m: Array,
    v: Array,
    largest: Array | None,
    *,
    betas: tuple[float, float],
    decay: float,
    root: float,
    eps: float,
    rate: float,
    out: Array | None = None,
) -> None:
    """Update m, v (and largest), and step p, or write what shall be subtracted to out.

        p = decay p;  m += (1 - beta1)(g - m);  v = beta2 v + (1 - beta2) g^2;  largest = max(largest, v)
        p -= rate m / (root sqrt(v or largest) + eps)

    Args:
        p, g, m, v, largest, out: one-dimensional, contiguous, of one dtype and length; one of p and out is None.
        decay: 1 leaves p as it is.
    """
    beta1, beta2 = betas
    for start in range(0, len(g), BLOCK):
        block = slice(start, start + BLOCK)
        gb, mb, vb = g[block], m[block], v[block]
        w = scratch(0, gb.shape, gb.dtype) if out is None else out[block]
        np.subtract(gb, mb, out=w)
        w *= 1 - beta1
        mb += w
        np.multiply(gb, gb, out=w)
        w *= 1 - beta2
        vb *= beta2
        vb += w
        if largest is not None:
            vb = np.maximum(largest[block], vb, out=largest[block])
        np.sqrt(vb, out=w)
        w *= root
        w += eps
        np.divide(mb, w, out=w)
        w *= rate
        if p is not None:
            pb = p[block]
            if decay != 1:
                pb *= decay
            pb -= w
