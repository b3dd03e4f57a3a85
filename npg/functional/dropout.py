"""Dropout and its relatives. For the same seed they zero what PyTorch zeroes on a CPU."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg import random
from npg._errors import warn
from npg.engine import apply, apply_in_place
from npg.functional._arguments import checked_array
from npg.functional._public import public_function
from npg.functional._types import T
from npg.functional.elementwise import add, add_
from npg.functional.shape import squeeze, unsqueeze
from npg.ops.elementwise import mul

_SELU = 1.7580993408473766  # the product of SELU's two constants: what an input of -inf becomes, negated


def _check(p: float) -> None:
    if not 0.0 <= p <= 1.0:
        # PyTorch's Python looks for what is too small or too large, its C++ for nan.
        kind = RuntimeError if p != p else ValueError
        raise kind(f"dropout probability has to be between 0 and 1, but got {p}")


def _drop(name: str, input: Any, p: float, training: bool, inplace: bool, features: bool, alpha: bool) -> Any:
    x = checked_array(name, input)
    _check(p)
    if p == 0 or not training or not x.size:
        return input
    scaled = apply_in_place if inplace else apply
    like = x
    if features:
        if x.ndim < 2:
            raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
        like = np.empty((*x.shape[:2], *(1,) * (x.ndim - 2)), x.dtype)
    if not alpha or p == 1:
        return scaled(mul, (input, random.dropout_mask(like, p)), {})
    noise = random.bernoulli_(random.empty_like(like), 1.0 - p)
    # Dropped elements become -_SELU, and a and the shift restore mean 0 and variance 1.
    a = 1.0 / math.sqrt((_SELU * _SELU * p + 1.0) * (1.0 - p))
    shift = (noise - 1.0) * (_SELU * a) + _SELU * a * p
    y = scaled(mul, (input, noise * a), {})
    return add_(y, shift) if inplace else add(y, shift)


@public_function
def dropout(input: T, p: float = 0.5, training: bool = True, inplace: bool = False) -> T:
    """Return the input with elements zeroed at random and the others divided by 1 - p.

    Args:
        input: floating, any shape.
        p: the probability of a zero.
        training: otherwise the input itself is returned.
        inplace: write into input.
    Raises: ValueError: when p is outside [0, 1]. RuntimeError: for integers.
    Source: Srivastava et al., Dropout, 2014; torch.nn.functional.dropout.
    """
    return _drop("dropout", input, p, training, inplace, False, False)


@public_function
def feature_dropout(input: T, p: float = 0.5, training: bool = True) -> T:
    """Return the input (N, C, ...) with whole channels zeroed at random, as dropout. Source: torch.feature_dropout."""
    return _drop("feature_dropout", input, p, training, False, True, False)


@public_function
def alpha_dropout(input: T, p: float = 0.5, training: bool = False, inplace: bool = False) -> T:
    """Return the input with elements at random set to SELU's lower limit, then scaled and shifted.

    Mean 0 and variance 1 stay what they are.

    Args as in dropout.
    Source: Klambauer et al., Self-Normalizing Neural Networks, 2017; torch.nn.functional.alpha_dropout.
    """
    return _drop("alpha_dropout", input, p, training, inplace, False, True)


@public_function
def feature_alpha_dropout(input: T, p: float = 0.5, training: bool = False, inplace: bool = False) -> T:
    """Apply alpha_dropout to whole channels of (N, C, ...). Source: torch.nn.functional.feature_alpha_dropout."""
    return _drop("feature_alpha_dropout", input, p, training, inplace, True, True)


# ----- By the number of dimensions -----


def _channels(name: str, input: Any, p: float, training: bool, inplace: bool, batched: int) -> Any:
    if checked_array(name, input).ndim == batched:
        return _drop(name, input, p, training, inplace, True, False)
    y = _drop(name, unsqueeze(input, 0), p, training, inplace, True, False)
    return input if inplace else squeeze(y, 0)


@public_function
def dropout1d(input: T, p: float = 0.5, training: bool = True, inplace: bool = False) -> T:
    """Return the input, (N, C, L) or (C, L), with whole channels zeroed at random.

    Args as in dropout.
    Raises: RuntimeError: for another number of dimensions.
    Source: torch.nn.functional.dropout1d.
    """
    ndim = checked_array("dropout1d", input).ndim
    _check(p)
    if ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {ndim}D input. Note that dropout1d exists to provide "
            "channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional batch "
            "dimension (i.e. 2D or 3D inputs)."
        )
    return _channels("dropout1d", input, p, training, inplace, 3)


def _warn(name: str, ndim: int, spatial: int) -> None:
    warn(
        f"{name}: Received a {ndim}-D input to {name}, which is deprecated and will result in an error in a future "
        f"release. To retain the behavior and silence this warning, please use dropout instead. Note that {name} "
        f"exists to provide channel-wise dropout on inputs with {spatial} spatial dimensions, a channel dimension, and "
        f"an optional batch dimension (i.e. {spatial + 1}D or {spatial + 2}D inputs)."
    )


@public_function
def dropout2d(input: T, p: float = 0.5, training: bool = True, inplace: bool = False) -> T:
    """Return the input (N, C, H, W) with whole channels zeroed at random.

    A 3-D input counts as (N, C, L), of which PyTorch warns. Args as in dropout.
    Source: torch.nn.functional.dropout2d.
    """
    ndim = checked_array("dropout2d", input).ndim
    _check(p)
    if ndim not in (3, 4):
        _warn("dropout2d", ndim, 2)
    if ndim == 3:
        warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired "
            "- input is interpreted as shape (N, C, L), where C is the channel dim. This behavior will change in a "
            "future release to interpret the input as one without a batch dimension, i.e. shape (C, H, W). To maintain "
            "the 1D channel-wise dropout behavior, please switch to using dropout1d instead."
        )
    return _drop("dropout2d", input, p, training, inplace, True, False)


@public_function
def dropout3d(input: T, p: float = 0.5, training: bool = True, inplace: bool = False) -> T:
    """Return the input, (N, C, D, H, W) or (C, D, H, W), with whole channels zeroed at random.

    Args as in dropout.
    Source: torch.nn.functional.dropout3d.
    """
    ndim = checked_array("dropout3d", input).ndim
    _check(p)
    if ndim not in (4, 5):
        _warn("dropout3d", ndim, 3)
    return _channels("dropout3d", input, p, training, inplace, 5)
