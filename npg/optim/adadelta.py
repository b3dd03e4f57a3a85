"""Adadelta."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.creation import from_numpy, tensor, zeros_like
from npg.optim._averages import average_square
from npg.optim._checks import check_hyperparameters, check_implementation
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
        foreach, capturable: accepted and ignored: they choose between PyTorch's implementations.
        differentiable: not supported.
    Raises: ValueError: for a setting that is negative or not finite, or a rho above 1.
    Source: Zeiler 2012; torch.optim.Adadelta.
    """

    _parameter_like = ("square_avg", "acc_delta")

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
        check_implementation(foreach, differentiable=differentiable)
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

    def _update(self, p: Tensor, group: dict[str, Any], state: dict[str, Any]) -> None:
        if not state:
            state["step"] = tensor(0.0)
            state["square_avg"] = zeros_like(p)
            state["acc_delta"] = zeros_like(p)
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
