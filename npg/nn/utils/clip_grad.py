"""Gradient clipping, by the total norm or by value."""

from __future__ import annotations

import math
import types
from collections.abc import Iterable
from typing import Any

from npg import functional as F
from npg._errors import warn
from npg.autograd import no_grad
from npg.creation import tensor
from npg.functional._public import public_function
from npg.functional.norm import norms
from npg.tensor import Tensor


def _gradients(parameters: Any) -> list[Tensor]:
    tensors = [parameters] if isinstance(parameters, Tensor) else parameters
    return [p.grad for p in tensors if p.grad is not None]


@public_function
def get_total_norm(
    tensors: Any, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None
) -> Tensor:
    """Return the norm of all tensors seen as one vector, 0-d.

    Args:
        tensors: a tensor or an iterable of tensors.
        norm_type: the order of the norm; math.inf for the largest absolute value.
        error_if_nonfinite: raise when the norm is nan or infinite.
        foreach: accepted and ignored; it selects among PyTorch's implementations.
    Raises: RuntimeError: when the norm is not finite and error_if_nonfinite.
    Source: torch.nn.utils.get_total_norm.
    """
    grads = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    if not grads:
        return tensor(0.0)
    norm_type = float(norm_type)
    with no_grad():
        total: Tensor = F.vector_norm(norms(grads, norm_type), norm_type)
    if error_if_nonfinite and not math.isfinite(total.item()):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be "
            "clipped. To disable this error and scale the gradients by the non-finite norm anyway, set "
            "`error_if_nonfinite=False`"
        )
    return total


@public_function
def clip_grads_with_norm_(parameters: Any, max_norm: float, total_norm: Tensor, foreach: bool | None = None) -> None:
    """Scale all gradients in place by max_norm / (total_norm + 1e-6), if that is below 1.

    Args:
        total_norm: the gradients' norm, from get_total_norm. foreach: accepted and ignored.
    Source: torch.nn.utils.clip_grads_with_norm_.
    """
    grads = _gradients(parameters)
    scale = (float(max_norm) / (total_norm + 1e-6)).item()  # on tensors, to be rounded as PyTorch's
    if scale < 1.0 or math.isnan(scale):  # else the scale, clamped to 1, changes nothing
        with no_grad():
            for g in grads:
                g.mul_(scale)


@public_function
def clip_grad_norm_(
    parameters: Any,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients in place so that their total norm is at most max_norm.

    Args:
        parameters: a tensor or an iterable of tensors; those without a gradient are skipped.
        max_norm: the bound. norm_type: the order of the norm.
        error_if_nonfinite: raise when the norm is nan or infinite, and change nothing.
        foreach: accepted and ignored; it selects among PyTorch's implementations.
    Returns: the norm before clipping, 0-d.
    Raises: RuntimeError: when the norm is not finite and error_if_nonfinite.
    Source: torch.nn.utils.clip_grad_norm_.
    """
    max_norm = float(max_norm)
    is_generator = isinstance(parameters, types.GeneratorType)
    tensors = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    if is_generator and not tensors:
        warn("`parameters` is an empty generator, no gradient clipping will occur.")
    total = get_total_norm(_gradients(tensors), norm_type, error_if_nonfinite)
    clip_grads_with_norm_(tensors, max_norm, total)
    return total


def clip_grad_norm(
    parameters: Any,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Call clip_grad_norm_, with the same arguments; a deprecated name, which warns."""
    warn(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of `torch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


@public_function
def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Clamp all gradients in place to [-clip_value, clip_value].

    Args: foreach: accepted and ignored.
    Source: torch.nn.utils.clip_grad_value_.
    """
    bound = float(clip_value)
    with no_grad():
        for g in _gradients(parameters):
            g.clamp_(-bound, bound)
