"""Gradient clipping and the flattening of parameters."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from npg import functional as F
from npg.autograd import no_grad
from npg.creation import tensor
from npg.tensor import Tensor

__all__ = ["clip_grad_norm_", "clip_grad_value_", "get_total_norm", "parameters_to_vector", "vector_to_parameters"]


def _gradients(parameters: Any) -> list[Tensor]:
    given = [parameters] if isinstance(parameters, Tensor) else parameters
    return [p.grad for p in given if p.grad is not None]


def get_total_norm(tensors: Iterable[Tensor], norm_type: float = 2.0, error_if_nonfinite: bool = False) -> Tensor:
    """Return the norm of all tensors seen as one vector, 0-d.

    Raises: RuntimeError: when it is not finite and error_if_nonfinite.
    """
    found = list(tensors)
    if not found:
        return tensor(0.0)
    norm_type = float(norm_type)
    with no_grad():
        norms = F.stack([F.vector_norm(t, norm_type) for t in found])
        total = F.vector_norm(norms, norm_type)
    if error_if_nonfinite and not math.isfinite(total.item()):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be "
            "clipped. To disable this error and scale the gradients by the non-finite norm anyway, set "
            "`error_if_nonfinite=False`"
        )
    return total


def clip_grad_norm_(
    parameters: Any,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients in place so that their total norm is at most max_norm.

    Args:
        parameters: a tensor or an iterable of tensors that have gradients.
        foreach: accepted and ignored.
    Returns: the norm before, 0-d.
    Source: torch.nn.utils.clip_grad_norm_.
    """
    grads = _gradients(parameters if isinstance(parameters, Tensor) else list(parameters))
    total = get_total_norm(grads, norm_type, error_if_nonfinite)
    scale = max_norm / (total.item() + 1e-6)
    if scale < 1.0 or math.isnan(scale):  # multiplying by a scale clamped to 1 would change nothing
        with no_grad():
            for g in grads:
                g.mul_(scale)
    return total


def clip_grad_value_(parameters: Any, clip_value: float, foreach: bool | None = None) -> None:
    """Clamp all gradients in place to [-clip_value, clip_value]."""
    with no_grad():
        for g in _gradients(parameters if isinstance(parameters, Tensor) else list(parameters)):
            g.clamp_(-float(clip_value), float(clip_value))


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Return all parameters as one vector."""
    return F.cat([p.view(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Set all parameters from one vector."""
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected npg.Tensor, but got: {type(vec).__name__}")
    at = 0
    for p in parameters:
        n = p.numel()
        p.data = vec[at : at + n].view_as(p).data
        at += n
