"""Softmax, its logarithm and relatives. Their `dim` may be left out, with PyTorch's warning."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import random
from npg._errors import warn
from npg.engine import TensorBase
from npg.functional._arguments import broadcast, checked_array, dim_index
from npg.functional._public import public_function
from npg.functional._types import T
from npg.functional.elementwise import neg
from npg.functional.softmax import apply_softmax
from npg.kernels.meta import empty_beside
from npg.ops import softmax as ops
from npg.ops._op import Op


def _apply(op: Op, name: str, input: Any, dim: int | None, dtype: Any) -> Any:
    return apply_softmax(op, name, input, _implicit_dim(name, input) if dim is None else dim, dtype)


def _implicit_dim(name: str, input: Any) -> int:
    ndim = checked_array(name, input).ndim
    warn(f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.")
    return 0 if ndim in (0, 1, 3) else 1


@public_function
def softmax(input: T, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> T:
    """Return exp(input) / sum(exp(input)) over a dimension.

    Args:
        input: floating, any shape.
        dim: the dimension along which the results sum to 1; None chooses one, with a warning.
        _stacklevel: ignored.
        dtype: cast the input to this dtype first.
    Returns: the shape of input.
    Raises: IndexError: when dim is out of range. NotImplementedError: for integers without dtype=.
    Source: torch.nn.functional.softmax.
    """
    return _apply(ops.softmax, "softmax", input, dim, dtype)


@public_function
def log_softmax(input: T, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> T:
    """Return the logarithm of softmax, computed without overflow.

    Args as in softmax.
    Source: torch.nn.functional.log_softmax.
    """
    return _apply(ops.log_softmax, "log_softmax", input, dim, dtype)


@public_function
def softmin(input: T, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> T:
    """Return softmax(-input). Args as in softmax. Source: torch.nn.functional.softmin."""
    return _apply(ops.softmax, "softmin", neg(input), dim, dtype)


@public_function
def gumbel_softmax(logits: T, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> T:
    """Return a sample from the Gumbel-softmax distribution: softmax((logits + noise) / tau).

    Args:
        logits: (..., num_features) unnormalised logarithms of probabilities.
        tau: the temperature.
        hard: return one-hot vectors, with the gradient of the soft sample.
        eps: ignored.
        dim: the dimension along which the results sum to 1.
    Source: Jang, Gu, Poole, Categorical Reparameterization with Gumbel-Softmax, 2017;
        torch.nn.functional.gumbel_softmax, with the same numbers for the same seed.
    """
    array = checked_array("gumbel_softmax", logits, "logits")
    if eps != 1e-10:
        warn("`eps` parameter is deprecated and has no effect.")
    dim, hard = dim_index("gumbel_softmax", dim, array.ndim), bool(hard)
    if not isinstance(tau, (int, float, TensorBase)):
        raise TypeError(f"gumbel_softmax(): argument 'tau' (position 2) must be float, not {type(tau).__name__}")
    if isinstance(tau, TensorBase):
        broadcast(array.shape, tau._array.shape)  # raises, before anything is drawn
    noise = random.exponential_(empty_beside(array, array.shape))
    np.log(noise, out=noise)
    y = softmax((logits - noise) / tau, dim)
    if not hard:
        return y
    soft = checked_array("gumbel_softmax", y)
    one_hot = np.zeros_like(soft, shape=soft.shape or (1,))
    np.put_along_axis(one_hot, np.atleast_1d(soft).argmax(dim, keepdims=True), 1.0, dim)
    one_hot = one_hot.reshape(soft.shape)
    return (one_hot - soft) + y  # its value is one_hot, its gradient that of y
