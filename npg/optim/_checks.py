"""Settings, checked before an optimizer is made of them."""

from __future__ import annotations

import math
import numbers
from typing import Any

from npg.tensor import Tensor

__all__ = ["check_betas", "check_finite", "check_hyperparameters", "check_implementation"]

_NAMES = {
    "lr": "learning rate",
    "eps": "epsilon value",
}


def check_hyperparameters(lr: Any, **others: Any) -> None:
    """Refuse a learning rate or another setting that is negative or not finite.

    PyTorch lets some of these pass: nan, inf and, in groups, anything.
    Raises: TypeError: for what is no number. ValueError: naming the setting and its value.
    """
    for name, value in {"lr": lr, **others}.items():
        if isinstance(value, Tensor):
            if value.numel() != 1:
                raise ValueError(f"Tensor {name} must be 1-element")
        elif not isinstance(value, numbers.Real):
            raise TypeError(f"expected {name} to be a number, got {type(value).__name__}")
        if not 0.0 <= float(value) < math.inf:
            raise ValueError(f"Invalid {_NAMES.get(name, name + ' value')}: {value}")


def check_betas(
    betas: Any, foreach: bool | None = None, capturable: bool = False, of_one_kind: bool = True
) -> tuple[float, float]:
    """Return a pair of decay rates as floats.

    Args: of_one_kind: insist on two floats or two tensors, as PyTorch's Adam does.
    Raises: ValueError: when they are no pair of numbers, or of one-element tensors, in [0, 1).
    """
    if not isinstance(betas, (tuple, list)) or len(betas) != 2:
        raise ValueError(f"expected betas to be a pair of floats, got {betas}")
    for i, beta in enumerate(betas):
        if isinstance(beta, Tensor) and beta.numel() != 1:
            raise ValueError(f"Tensor betas[{i}] must be 1-element")
        if not isinstance(beta, (Tensor, numbers.Real)) or not 0.0 <= float(beta) < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
    if of_one_kind and not (all(isinstance(b, float) for b in betas) or all(isinstance(b, Tensor) for b in betas)):
        raise ValueError("betas must be either both floats or both Tensors")
    for i, beta in enumerate(betas):
        if isinstance(beta, Tensor) and foreach and not capturable:
            raise ValueError(f"betas[{i}] as a Tensor is not supported for capturable=False and foreach=True")
    return float(betas[0]), float(betas[1])


def check_implementation(
    foreach: bool | None = None,
    fused: bool | None = None,
    differentiable: bool = False,
    lr: Any = None,
    capturable: bool = True,
) -> None:
    """Refuse what PyTorch refuses among the settings that choose between its implementations. npg has only one.

    Raises: RuntimeError: for several at once. ValueError: for differentiable, which npg has not, and for a rate in a
        tensor together with foreach, where the optimizer refuses that.
    """
    if isinstance(lr, Tensor) and foreach and not capturable:
        raise ValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
    if differentiable:
        raise ValueError("expected differentiable=False, got True; npg steps outside the graph")


def check_finite(group: dict[str, Any]) -> None:
    """Refuse a group's own learning rate that is nan or infinite.

    Raises: ValueError: naming it.
    """
    lr = group.get("lr")
    if isinstance(lr, (numbers.Real, Tensor)) and not math.isfinite(float(lr)):
        raise ValueError(f"Invalid learning rate: {lr}")
