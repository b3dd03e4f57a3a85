"""RMSprop."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.creation import from_numpy, zeros_like
from npg.optim._averages import average, average_square
from npg.optim._checks import check_hyperparameters
from npg.optim._state import number, step_count
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
        foreach: accepted and ignored: it chooses between PyTorch's implementations.
        capturable: for other devices only; a step refuses it.
        differentiable: record the step, so that gradients flow through it; parameters must not be leaves then.
    Source: Hinton's lecture 6e; torch.optim.RMSprop.
    """

    _parameter_like = ("square_avg", "momentum_buffer", "grad_avg")
    _lerped = ("grad_avg",)
    _xla = (True, True)

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

    def _first_state(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        state = {"step": step_count(), "square_avg": zeros_like(p)}
        if group["momentum"] > 0:
            state["momentum_buffer"] = zeros_like(p)
        if group["centered"]:
            state["grad_avg"] = zeros_like(p)
        return state

    def _update(self, p: Tensor, group: dict[str, Any], state: dict[str, Any]) -> None:
        state["step"] += 1
        g = self._gradient(p, group, group["weight_decay"])
        w = self._temporary(g, 1)
        v, alpha = state["square_avg"].numpy(), group["alpha"]
        average_square(v, g, alpha, w)
        if group["centered"]:
            mean = state["grad_avg"].numpy()
            average(mean, g, 1 - alpha, w)
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
