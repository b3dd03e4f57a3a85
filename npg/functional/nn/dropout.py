"""Dropout and its relatives. For the same seed they zero the same elements as PyTorch on a CPU."""

from __future__ import annotations

from typing import Any

from npg._errors import warn
from npg.functional._arguments import checked_array
from npg.functional._public import public_function
from npg.functional._types import T
from npg.functional.dropout import drop
from npg.functional.shape import squeeze, unsqueeze


def _check(p: float) -> None:
    if p < 0.0 or p > 1.0:  # nan is left to torch.dropout, which refuses it
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


@public_function
def dropout(input: T, p: float = 0.5, training: bool = True, inplace: bool = False) -> T:
    """Return the input with elements zeroed at random and the others divided by 1 - p.

    Args:
        input: floating, any shape.
        p: the probability of a zero.
        training: if False, return the input itself.
        inplace: write into input.
    Raises: ValueError: when p is outside [0, 1]. RuntimeError: for integers.
    Source: Srivastava et al., Dropout, 2014; torch.nn.functional.dropout.
    """
    _check(p)
    return drop("dropout", input, p, training, inplace)


@public_function
def alpha_dropout(input: T, p: float = 0.5, training: bool = False, inplace: bool = False) -> T:
    """Return the input with elements at random set to SELU's lower limit, then scaled and shifted.

    A mean of 0 and a variance of 1 are preserved.

    Args as in dropout.
    Source: Klambauer et al., Self-Normalizing Neural Networks, 2017; torch.nn.functional.alpha_dropout.
    """
    _check(p)
    return drop("alpha_dropout", input, p, training, inplace, alpha=True)


@public_function
def feature_alpha_dropout(input: T, p: float = 0.5, training: bool = False, inplace: bool = False) -> T:
    """Apply alpha_dropout to whole channels of (N, C, ...). Source: torch.nn.functional.feature_alpha_dropout."""
    _check(p)
    return drop("feature_alpha_dropout", input, p, training, inplace, features=True, alpha=True)


# ----- By the number of dimensions -----


def _channels(name: str, input: Any, p: float, training: bool, inplace: bool, batched: int) -> Any:
    if checked_array(name, input).ndim == batched:
        return drop(name, input, p, training, inplace, features=True)
    y = drop(name, unsqueeze(input, 0), p, training, inplace, features=True)
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

    A 3-D input counts as (N, C, L), with PyTorch's warning. Args as in dropout.
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
    return drop("dropout2d", input, p, training, inplace, features=True)


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
