"""The running averages of gradients and of their squares, which several optimizers keep."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.creation import tensor, zeros_like
from npg.optim.optimizer import Optimizer
from npg.tensor import Tensor

__all__ = ["average_square", "moments"]

Array = np.ndarray[Any, Any]


def average_square(v: Array, g: Array, keep: float, w: Array) -> None:
    """Let v = keep v + (1 - keep) g^2; w is memory to compute in."""
    np.multiply(g, g, out=w)
    w *= 1 - keep
    v *= keep
    v += w


def moments(optimizer: Optimizer, p: Tensor, group: dict[str, Any], state: dict[str, Any]) -> tuple[Any, ...]:
    """Do what Adam and its variants begin a step with: count it, decay p, and bring both averages up to date.

    Returns: t, the number of steps so far; the averages m of the gradient and v of its square; w, memory to compute in.
    """
    if not state:
        state["step"] = tensor(0.0)
        state["exp_avg"] = zeros_like(p)
        state["exp_avg_sq"] = zeros_like(p)
    state["step"] += 1
    beta1, beta2 = group["betas"]
    decoupled = group["decoupled_weight_decay"]
    if decoupled and group["weight_decay"] != 0:
        p.mul_(1 - float(group["lr"]) * group["weight_decay"])
    g = optimizer._gradient(p, group, 0 if decoupled else group["weight_decay"])
    w = optimizer._temporary(g, 1)
    m, v = state["exp_avg"].numpy(), state["exp_avg_sq"].numpy()
    np.subtract(g, m, out=w)  # m += (1 - beta1) (g - m)
    w *= 1 - beta1
    m += w
    average_square(v, g, beta2, w)
    return state["step"].item(), m, v, w
