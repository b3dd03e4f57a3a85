"""RAdam."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg.creation import from_numpy, zeros_like
from npg.optim._averages import average, average_square
from npg.optim._checks import check_betas, check_hyperparameters
from npg.optim._state import number, step_count
from npg.optim.optimizer import Optimizer
from npg.tensor import Tensor

__all__ = ["RAdam"]


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
        foreach: accepted and ignored: it chooses between PyTorch's implementations.
        capturable: for other devices only; a step refuses it.
        differentiable: record the step, so that gradients flow through it; parameters must not be leaves then.
    Raises: ValueError: for a setting that is negative or not finite.
    Source: Liu et al. 2020; torch.optim.RAdam.
    """

    _parameter_like = ("exp_avg", "exp_avg_sq")
    _lerped = ("exp_avg",)

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
        check_hyperparameters(lr, eps=eps)
        betas = check_betas(betas, of_one_kind=False)
        check_hyperparameters(lr, weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _first_state(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {"step": step_count(), "exp_avg": zeros_like(p), "exp_avg_sq": zeros_like(p)}

    def _update(self, p: Tensor, group: dict[str, Any], state: dict[str, Any]) -> None:
        state["step"] += 1
        t, lr, (beta1, beta2) = state["step"].item(), float(group["lr"]), map(float, group["betas"])
        decoupled = group["decoupled_weight_decay"]
        if decoupled and group["weight_decay"] != 0:
            p.mul_(1 - lr * group["weight_decay"])
        g = self._gradient(p, group, 0 if decoupled else group["weight_decay"])
        w = self._temporary(g, 1)
        m, v = state["exp_avg"].numpy(), state["exp_avg_sq"].numpy()
        average(m, g, 1 - beta1, w)
        average_square(v, g, beta2, w)
        rectified = _rectified(beta2, t)
        if rectified is not None:
            np.sqrt(v, out=w)
            w += group["eps"]
            np.divide(m, w, out=w)
            w *= lr / (1 - beta1**t) * math.sqrt(1 - beta2**t) * rectified
        else:
            np.multiply(m, lr / (1 - beta1**t), out=w)
        p.sub_(from_numpy(w))

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
    """Return r of step number t, or None where the average square is still too uncertain."""
    longest = 2 / (1 - beta2) - 1
    length = longest - 2 * t * beta2**t / (1 - beta2**t)
    if length > 5.0:
        return ((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)) ** 0.5
    return None
