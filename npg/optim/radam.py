"""RAdam."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg.optim._flat_state import FlatState
from npg.optim._state import number
from npg.optim._step_program import average, average_square, nearer_end, step_program
from npg.optim.optimizer import Array, Optimizer
from npg.tensor import Tensor


@step_program("far", "rectified")
def _radam(
    p: Any,
    g: Any,
    exp_avg: Any,
    exp_avg_sq: Any,
    *,
    far: bool,
    rectified: bool,
    new1: Any,
    keep2: Any,
    new2: Any,
    eps: Any,
    rate: Any,
) -> Any:
    m, v = average(exp_avg, g, new1, far), average_square(exp_avg_sq, g, keep2, new2)
    return p - (m / (np.sqrt(v) + eps) if rectified else m) * rate, m, v


class RAdam(Optimizer):
    """Rectified Adam: Adam whose early steps, when the average square is still uncertain, are plain or damped.

        m, v as Adam's; rho = rho_inf - 2 t beta2^t / (1 - beta2^t), rho_inf = 2 / (1 - beta2) - 1
        p = p - lr m / (1 - beta1^t), and where rho > 5 also times r sqrt(1 - beta2^t) / (sqrt(v) + eps),
        r^2 = (rho - 4) (rho - 2) rho_inf / ((rho_inf - 4) (rho_inf - 2) rho)

    Args:
        params: parameters or groups.
        lr, betas, eps: as above.
        weight_decay: adds weight_decay p to the gradient (or shrinks p directly, if decoupled_weight_decay).
        maximize: step up the gradient.
        foreach: accepted and ignored; it selects among PyTorch's implementations.
        capturable: for other devices; a step with it raises.
        differentiable: record the step, so that gradients flow through it; parameters must not be leaves then.
    Raises: ValueError: for a setting that is negative or not finite.
    Source: Liu et al. 2020; torch.optim.RAdam.
    """

    _parameter_like = ("exp_avg", "exp_avg_sq")
    _lerped = ("exp_avg",)
    _order = "lr betas eps weight_decay maximize foreach capturable decoupled_weight_decay differentiable"

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        self._set_up(params, locals())

    def _update(self, p: Array, g: Array, state: FlatState, group: dict[str, Any]) -> None:
        t, (beta1, beta2) = state.t, map(float, group["betas"])
        far, new1 = nearer_end(1 - beta1, p.dtype)
        rate, r = float(group["lr"]) / (1 - beta1**t), _rectified(beta2, t)
        if r is not None:
            rate = rate * math.sqrt(1 - beta2**t) * r
        numbers = {"new1": new1, "keep2": beta2, "new2": 1 - beta2, "eps": group["eps"], "rate": rate}
        _radam(p, g, state.entries, group, far=far, rectified=r is not None, **numbers)

    def _update_by_ops(self, p: Tensor, group: dict[str, Any], state: dict[str, Any]) -> None:
        lr, (beta1, beta2) = number(group["lr"]), map(number, group["betas"])
        m, v = state["exp_avg"], state["exp_avg_sq"]
        state["step"] += 1
        t, decay = state["step"].item(), group["weight_decay"]
        if decay != 0 and group["decoupled_weight_decay"]:
            p.mul_(1 - lr * number(decay))
            decay = 0
        g = self._gradient_tensor(p, group, decay)
        m.lerp_(g, 1 - beta1)
        v.mul_(beta2).addcmul_(g, g, value=1 - float(beta2))
        step = m / (1 - beta1**t) * lr
        rectified = _rectified(beta2, t)
        if rectified is not None:
            step = step * ((1 - beta2**t) ** 0.5 / v.sqrt().add(group["eps"])) * rectified
        p.add_(step, alpha=-1.0)


def _rectified(beta2: Any, t: float) -> Any:
    """Return r at step t, or None where the average square is still too uncertain."""
    longest = 2 / (1 - beta2) - 1
    length = longest - 2 * t * beta2**t / (1 - beta2**t)
    if length > 5.0:
        return ((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)) ** 0.5
    return None
