"""Normalisation over the last dimensions, and of vectors to length one."""

from __future__ import annotations

from typing import Any

from npg.functional._public import exposed, public_function
from npg.functional._types import Dims, Sizes, T
from npg.functional.division import div
from npg.functional.norm import norm
from npg.functional.normalization import layer_norm as any_layer_norm, plain_layer_norm
from npg.functional.selection import clamp_min


@exposed
def layer_norm(
    input: T, normalized_shape: Sizes, weight: T | None = None, bias: T | None = None, eps: float = 1e-5
) -> T:
    """Return (input - mean) / sqrt(var + eps) * weight + bias, mean and variance over the last dimensions.

    Args:
        input: (..., *normalized_shape), floating.
        normalized_shape: the sizes of the last dimensions, which are normalised together.
        weight, bias: normalized_shape, or None.
        eps: added to the variance, which has no correction.
    Raises: RuntimeError: when shapes or dtypes do not fit.
    Source: Ba, Kiros, Hinton, Layer Normalization, 2016; torch.nn.functional.layer_norm.
    """
    y = plain_layer_norm(input, normalized_shape, weight, bias, eps)
    return any_layer_norm(input, normalized_shape, weight, bias, eps) if y is None else y


@public_function
def normalize(input: T, p: float = 2.0, dim: Dims = 1, eps: float = 1e-12, out: Any = None) -> T:
    """Return input / max(norm(input, p), eps), the norm over a dimension.

    Args:
        input: floating, any shape.
        p: the norm's exponent.
        dim: the dimension, or several.
        eps: the lower bound of the norm, which avoids 0 / 0.
    Source: torch.nn.functional.normalize.
    """
    return div(input, clamp_min(norm(input, p, dim, keepdim=True), eps))
