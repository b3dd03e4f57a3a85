"""RMSprop."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.creation import from_numpy, tensor, zeros_like
from npg.optim._averages import average_square
from npg.optim._checks import check_hyperparameters, check_implementation
from npg.optim.optimizer import Optimizer
from npg.tensor import Tensor

__all__ = ["RMSprop"]


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
        foreach, capturable: accepted and ignored: they choose between PyTorch's implementations.
        differentiable: not supported.
    Source: Hinton's lecture 6e; torch.optim.RMSprop.
    """

    _parameter_like = ("square_avg", "momentum_buffer", "grad_avg")

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
        check_hyperparameters(lr, eps=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        check_implementation(foreach, differentiable=differentiable)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _update(self, p: Tensor, group: dict[str, Any], state: dict[str, Any]) -> None:
        if not state:
            state["step"] = tensor(0.0)
            state["square_avg"] = zeros_like(p)
            if group["momentum"] > 0:
                state["momentum_buffer"] = zeros_like(p)
            if group["centered"]:
                state["grad_avg"] = zeros_like(p)
        state["step"] += 1
        g = self._gradient(p, group, group["weight_decay"])
        w = self._temporary(g, 1)
        v, alpha = state["square_avg"].numpy(), group["alpha"]
        average_square(v, g, alpha, w)
        if group["centered"]:
            mean = state["grad_avg"].numpy()
            np.subtract(g, mean, out=w)
            w *= 1 - alpha
            mean += w
            np.multiply(mean, mean, out=w)
            np.subtract(v, w, out=w)
            np.sqrt(w, out=w)
        else:
            np.sqrt(v, out=w)
        w += group["eps"]
        np.divide(g, w, out=w)
        if group["momentum"] > 0:
            b = state["momentum_buffer"].numpy()
            b *= group["momentum"]
            b += w
            np.multiply(b, float(group["lr"]), out=w)
        else:
            w *= float(group["lr"])
        p.sub_(from_numpy(w))
