"""Checks of an optimizer's settings."""

from __future__ import annotations

import math
import numbers
from typing import Any

from npg._words import scalar_name
from npg.functional import lerp
from npg.tensor import Tensor

# The settings that are checked, in this order, and their names in errors.
_NAMES = {
    "lr": "learning rate",
    "lr_decay": "lr_decay value",
    "rho": "rho value",
    "eps": "epsilon value",
    "momentum": "momentum value",
    "betas": "beta parameter",
    "weight_decay": "weight_decay value",
    "alpha": "alpha value",
    "initial_accumulator_value": "initial_accumulator_value value",
}
_AT_MOST = {"rho": 1.0}


def check_settings(settings: dict[str, Any]) -> None:
    """Raise for a setting that is negative or not finite and for invalid betas; make betas a tuple.

    PyTorch accepts some of these: nan, inf and, in groups, anything.
    Raises: TypeError: for something that is no number. ValueError: naming the setting and its value.
    """
    for name, text in _NAMES.items():
        if name == "betas" and name in settings:
            settings[name] = _checked_betas(settings[name])
        elif name in settings:
            value = settings[name]
            if isinstance(value, Tensor):
                if value.numel() != 1:
                    raise ValueError(f"Tensor {name} must be 1-element")
            elif not isinstance(value, numbers.Real):
                raise TypeError(f"expected {name} to be a number, got {type(value).__name__}")
            if not 0.0 <= float(value) < math.inf or float(value) > _AT_MOST.get(name, math.inf):
                raise ValueError(f"Invalid {text}: {value}")


def check_implementation(settings: dict[str, Any]) -> None:
    """Raise for settings that select PyTorch's implementations and exclude each other.

    Raises: RuntimeError.
    """
    if settings.get("fused") and settings["differentiable"]:
        raise RuntimeError("`fused` does not support `differentiable`")
    if settings.get("fused") and settings["foreach"]:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")


def _checked_betas(betas: Any) -> tuple[Any, Any]:
    """Return betas as a tuple.

    Raises: ValueError: when they are not two numbers, or one-element tensors, in [0, 1).
    """
    if not isinstance(betas, (tuple, list)) or len(betas) != 2:
        raise ValueError(f"expected betas to be a pair of floats, got {betas}")
    for i, beta in enumerate(betas):
        if isinstance(beta, Tensor) and beta.numel() != 1:
            raise ValueError(f"Tensor betas[{i}] must be 1-element")
        if not isinstance(beta, (Tensor, numbers.Real)) or not 0.0 <= float(beta) < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
    return betas[0], betas[1]


def check_implementation_at_step(optimizer: Any, group: dict[str, Any]) -> None:
    """Raise for a group's settings at which PyTorch's step raises: those of other devices, or that exclude each other.

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
    """Raise where a parameter's dtype or shape differs from its state's and PyTorch raises.

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
            lerp(value, g, 0.5)  # the operation itself raises
        value.clone().addcmul_(g, g)


def check_finite(group: dict[str, Any]) -> None:
    """Raise for a group's own learning rate that is nan or infinite.

    Raises: ValueError: naming it.
    """
    lr = group.get("lr")
    if isinstance(lr, (numbers.Real, Tensor)) and not math.isfinite(float(lr)):
        raise ValueError(f"Invalid learning rate: {lr}")
