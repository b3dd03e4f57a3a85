"""SGD, with momentum."""

from __future__ import annotations

from typing import Any

from npg.creation import zeros_like
from npg.functional.stepping import in_place_array, on_lines, sgd
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
        settings = {name: group[name] for name in ("momentum", "dampening", "nesterov")}
        buffers = []
        if group["momentum"] != 0:
            if state.get("momentum_buffer") is None:
                state["momentum_buffer"] = zeros_like(p)
                settings["dampening"] = 0  # the first average is the gradient itself
            buffers = [state["momentum_buffer"].numpy()]
        on_lines(sgd, in_place_array(p), g, *buffers, lr=float(group["lr"]), **settings)
