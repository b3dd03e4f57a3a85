"""Dropout and its relatives. For the same seed they zero the same elements as PyTorch on a CPU."""

from __future__ import annotations

import math
from typing import Any

from npg import random
from npg.engine import apply, apply_in_place
from npg.functional._arguments import checked_array
from npg.functional._public import public_function
from npg.functional._types import T
from npg.functional.elementwise import add, add_
from npg.kernels.meta import empty_beside
from npg.ops.elementwise import mul

_SELU = 1.7580993408473766  # the product of SELU's two constants; SELU's limit at -inf is -_SELU


def drop(
    name: str, input: Any, p: float, train: bool, inplace: bool = False, features: bool = False, alpha: bool = False
) -> Any:
    """Return the input with elements, or whole channels, dropped: the function behind all relatives of dropout."""
    x = checked_array(name, input)
    if not 0.0 <= p <= 1.0:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p:g}")
    if p == 0 or not train or not x.size:
        return input
    scaled = apply_in_place if inplace else apply
    like = x
    if features:
        if x.ndim < 2:
            raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
        like = empty_beside(x, (*x.shape[:2], *(1,) * (x.ndim - 2)))
    if not alpha or p == 1:
        return scaled(mul, (input, random.dropout_mask(like, p)), {})
    noise = random.bernoulli_(random.empty_like(like), 1.0 - p)
    # Dropped elements become -_SELU; the factor a and the shift restore mean 0 and variance 1.
    a = 1.0 / math.sqrt((_SELU * _SELU * p + 1.0) * (1.0 - p))
    shift = (noise - 1.0) * (_SELU * a) + _SELU * a * p
    y = scaled(mul, (input, noise * a), {})
    return add_(y, shift) if inplace else add(y, shift)


@public_function
def dropout(input: T, p: float, train: bool) -> T:
    """Return the input with elements zeroed at random and the others divided by 1 - p.

    Args:
        input: floating, any shape.
        p: the probability of a zero.
        train: if False, return the input itself.
    Raises: RuntimeError: when p is outside [0, 1], and for integers.
    Source: Srivastava et al., Dropout, 2014; torch.dropout.
    """
    return drop("dropout", input, p, train)


@public_function
def feature_dropout(input: T, p: float, train: bool) -> T:
    """Return the input (N, C, ...) with whole channels zeroed at random, as dropout. Source: torch.feature_dropout."""
    return drop("feature_dropout", input, p, train, features=True)


@public_function
def alpha_dropout(input: T, p: float, train: bool) -> T:
    """Return the input with elements at random set to SELU's lower limit, then scaled and shifted.

    A mean of 0 and a variance of 1 are preserved.

    Args as in dropout.
    Source: Klambauer et al., Self-Normalizing Neural Networks, 2017; torch.alpha_dropout.
    """
    return drop("alpha_dropout", input, p, train, alpha=True)


@public_function
def feature_alpha_dropout(input: T, p: float, train: bool) -> T:
    """Apply alpha_dropout to whole channels of (N, C, ...). Source: torch.feature_alpha_dropout."""
    return drop("feature_alpha_dropout", input, p, train, features=True, alpha=True)
