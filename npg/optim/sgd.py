"""SGD, with momentum."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.creation import from_numpy
from npg.optim._checks import check_hyperparameters, check_implementation
from npg.optim.optimizer import Optimizer
from npg.tensor import Tensor

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent.

        b = momentum b + (1 - dampening) g   (b = g at the first step)
        p = p - lr b, or with nesterov p - lr (g + momentum b)

    Args:
        params: parameters or groups.
        lr, momentum, dampening, nesterov: as above.
        weight_decay: adds weight_decay p to the gradient.
        maximize: step up the gradient.
        foreach, fused: accepted and ignored: they choose between PyTorch's implementations.
        differentiable: not supported.
    Raises: ValueError: for a setting that is negative or not finite, or nesterov without momentum.
    Source: torch.optim.SGD.
    """

    _parameter_like = ("momentum_buffer",)

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_hyperparameters(lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        check_implementation(foreach, fused, differentiable)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def _update(self, p: Tensor, group: dict[str, Any], state: dict[str, Any]) -> None:
        g = self._gradient(p, group, group["weight_decay"])
        w = self._temporary(g, 1)
        if group["momentum"] != 0:
            if state.get("momentum_buffer") is None:
                state["momentum_buffer"] = from_numpy(g.copy())
                b = state["momentum_buffer"].numpy()
            else:
                b = state["momentum_buffer"].numpy()
                b *= group["momentum"]
                np.multiply(g, 1 - group["dampening"], out=w)
                b += w
            if group["nesterov"]:
                np.multiply(b, group["momentum"], out=w)
                g = np.add(g, w, out=w)
            else:
                g = b
        np.multiply(g, float(group["lr"]), out=w)
        p.sub_(from_numpy(w))
