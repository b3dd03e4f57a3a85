"""Settings, checked before an optimizer is made of them."""

from __future__ import annotations

import math
import numbers
from typing import Any

from npg._words import scalar_name
from npg.functional import lerp
from npg.tensor import Tensor

__all__ = [
    "check_betas",
    "check_finite",
    "check_hyperparameters",
    "check_implementation",
    "check_implementation_at_step",
    "check_state",
]

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
) -> tuple[Any, Any]:
    """Return a pair of decay rates.

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
    return betas[0], betas[1]


def check_implementation(foreach: bool | None, fused: bool | None, differentiable: bool) -> None:
    """Refuse settings that choose between PyTorch's implementations and do not go together.

    Raises: RuntimeError.
    """
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")


def check_implementation_at_step(optimizer: Any, group: dict[str, Any]) -> None:
    """Refuse a group's settings that PyTorch refuses when it steps: for other devices, or that do not go together.

    Raises: AssertionError, RuntimeError.
    """
    foreach, capturable = bool(group.get("foreach")), group.get("capturable")
    if foreach and capturable is False and optimizer._refuses_lr_tensor and isinstance(group["lr"], Tensor):
        raise RuntimeError("lr as a Tensor is not supported for capturable=False and foreach=True")
    if capturable and not group.get("fused"):
        devices = ["cuda", "xpu", "hpu", "privateuseone"] + ["xla"] * optimizer._xla[foreach]
        raise AssertionError(f"If capturable=True, params and state_steps must be on supported devices: {devices}.")
    if foreach and group.get("differentiable") and not optimizer._foreach_records:
        raise AssertionError("_foreach ops don't support autograd")


def check_state(optimizer: Any, p: Tensor, group: dict[str, Any]) -> None:
    """Refuse a parameter that has another dtype or shape than what is remembered of it, where PyTorch refuses it.

    Raises: RuntimeError.
    """
    for name, value in optimizer.state.get(p, {}).items():
        if name not in optimizer._parameter_like or value is None:
            continue
        value, g = value.detach(), p.grad.detach()  # type: ignore[union-attr]  # those without are passed over
        if group.get("fused") and value.dtype != p.dtype:
            names = [scalar_name(x._array) for x in (p, value)]
            raise RuntimeError(f"expected scalar type {names[0]} but found {names[1]}")
        if name in optimizer._lerped:
            lerp(value, g, 0.5)  # the operations themselves say what they refuse
        value.clone().addcmul_(g, g)


def check_finite(group: dict[str, Any]) -> None:
    """Refuse a group's own learning rate that is nan or infinite.

    Raises: ValueError: naming it.
    """
    lr = group.get("lr")
    if isinstance(lr, (numbers.Real, Tensor)) and not math.isfinite(float(lr)):
        raise ValueError(f"Invalid learning rate: {lr}")
