"""RMSprop."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.optim._flat_state import FlatState
from npg.optim._state import number
from npg.optim._step_program import average, average_square, nearer_end, step_program
from npg.optim.optimizer import Array, Optimizer
from npg.tensor import Tensor


@step_program("far")
def _rmsprop(
    p: Any,
    g: Any,
    square_avg: Any,
    momentum_buffer: Any,
    grad_avg: Any,
    *,
    far: bool,
    alpha: Any,
    new1: Any,
    new2: Any,
    eps: Any,
    momentum: Any,
    lr: Any,
) -> Any:
    v = average_square(square_avg, g, alpha, new2)
    mean = None if grad_avg is None else average(grad_avg, g, new1, far)
    d = g / (np.sqrt(v if mean is None else v - mean * mean) + eps)
    b = None if momentum_buffer is None else momentum_buffer * momentum + d
    return p - (d if b is None else b) * lr, v, b, mean


class RMSprop(Optimizer):
    """RMSprop: steps divided by a running root mean square of the gradient.

        v = alpha v + (1 - alpha) g^2;  p = p - lr g / (sqrt(v) + eps)

    Args:
        params: parameters or groups.
        lr, alpha, eps: as above.
        weight_decay: adds weight_decay p to the gradient.
        momentum: b = momentum b + g / (sqrt(v) + eps); p = p - lr b.
        centered: subtract the square of the running mean gradient from v.
        maximize: step up the gradient.
        foreach: accepted and ignored; it selects among PyTorch's implementations.
        capturable: for other devices; a step with it raises.
        differentiable: record the step, so that gradients flow through it; parameters must not be leaves then.
    Source: Hinton's lecture 6e; torch.optim.RMSprop.
    """

    _parameter_like = ("square_avg", "momentum_buffer", "grad_avg")
    _lerped = ("grad_avg",)
    _xla = (True, True)
    _order = "lr momentum alpha eps centered weight_decay capturable foreach maximize differentiable"

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        self._set_up(params, locals())

    def _entries(self, group: dict[str, Any]) -> tuple[str, ...]:
        used = {"square_avg": True, "momentum_buffer": group["momentum"] > 0, "grad_avg": group["centered"]}
        return tuple(name for name in self._parameter_like if used[name])

    def _update(self, p: Array, g: Array, state: FlatState, group: dict[str, Any]) -> None:
        far, new1 = nearer_end(1 - group["alpha"], p.dtype)
        numbers = {name: group[name] for name in ("alpha", "eps", "momentum")}
        numbers |= {"new1": new1, "new2": 1 - group["alpha"], "lr": float(group["lr"])}
        _rmsprop(p, g, state.entries, group, far=far, **numbers)

    def _update_by_ops(self, p: Tensor, group: dict[str, Any], state: dict[str, Any]) -> None:
        lr, v, alpha = number(group["lr"]), state["square_avg"], group["alpha"]
        state["step"] += 1
        g = self._gradient_tensor(p, group, group["weight_decay"])
        v.mul_(alpha).addcmul_(g, g, value=1 - alpha)
        if group["centered"]:
            mean = state["grad_avg"].lerp_(g, 1 - alpha).clone()  # the next step changes it
            root = v.addcmul(mean, mean, value=-1).sqrt_().add(group["eps"])
        else:
            root = v.sqrt().add(group["eps"])
        if group["momentum"] > 0:
            b = state["momentum_buffer"]
            b.mul_(group["momentum"]).addcdiv_(g, root)
            g, root = b.clone(), None  # the next step changes it
        if isinstance(lr, Tensor):
            p.sub_((g if root is None else g / root) * lr)
        elif root is None:
            p.add_(g, alpha=-lr)
        else:
            p.addcdiv_(g, root, value=-lr)
