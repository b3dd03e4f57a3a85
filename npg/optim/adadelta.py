"""Adadelta."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.creation import from_numpy, zeros_like
from npg.optim._averages import average_square
from npg.optim._checks import check_hyperparameters
from npg.optim._state import number, step_count
from npg.optim.optimizer import Optimizer
from npg.tensor import Tensor

__all__ = ["Adadelta"]


class Adadelta(Optimizer):
    """Adadelta: steps scaled by the ratio of the root mean squares of past steps and of the gradient.

        v = rho v + (1 - rho) g^2;  d = sqrt(u + eps) / sqrt(v + eps) g;  u = rho u + (1 - rho) d^2;  p = p - lr d

    Args:
        params: parameters or groups.
        lr, rho, eps: as above.
        weight_decay: adds weight_decay p to the gradient.
        maximize: step up the gradient.
        foreach: accepted and ignored: it chooses between PyTorch's implementations.
        capturable: for other devices only; a step refuses it.
        differentiable: record the step, so that gradients flow through it; parameters must not be leaves then.
    Raises: ValueError: for a setting that is negative or not finite, or a rho above 1.
    Source: Zeiler 2012; torch.optim.Adadelta.
    """

    _parameter_like = ("square_avg", "acc_delta")
    _xla = (False, False)

    def __init__(
        self,
        params: Any,
        lr: Any = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_hyperparameters(lr, rho=rho, eps=eps, weight_decay=weight_decay)
        if rho > 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _first_state(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {"step": step_count(), "square_avg": zeros_like(p), "acc_delta": zeros_like(p)}

    def _update(self, p: Tensor, group: dict[str, Any], state: dict[str, Any]) -> None:
        state["step"] += 1
        g = self._gradient(p, group, group["weight_decay"])
        w, d = self._temporary(g, 1), self._temporary(g, 4)
        v, u, rho, eps = state["square_avg"].numpy(), state["acc_delta"].numpy(), group["rho"], group["eps"]
        average_square(v, g, rho, w)
        np.add(v, eps, out=w)
        np.sqrt(w, out=w)
        np.add(u, eps, out=d)
        np.sqrt(d, out=d)
        d /= w
        d *= g
        average_square(u, d, rho, w)
        d *= float(group["lr"])
        p.sub_(from_numpy(d))

    def _update_by_ops(self, p: Tensor, group: dict[str, Any], state: dict[str, Any]) -> None:
        lr, rho, eps = number(group["lr"]), group["rho"], group["eps"]
        v, u = state["square_avg"], state["acc_delta"]
        state["step"] += 1
        g = self._gradient_tensor(p, group, group["weight_decay"])
        v.mul_(rho).addcmul_(g, g, value=1 - rho)
        d = u.add(eps).sqrt_().clone().div_(v.add(eps).sqrt_()).mul_(g)
        u.mul_(rho).addcmul_(d, d, value=1 - rho)
        if isinstance(lr, Tensor):
            p.sub_(d * lr)
        else:
            p.add_(d, alpha=-lr)
