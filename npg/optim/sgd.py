"""SGD, with momentum."""

from __future__ import annotations

from typing import Any

from npg.creation import zeros_like
from npg.functional.stepping import in_place_array, on_lines, sgd
from npg.optim._checks import check_hyperparameters, check_implementation
from npg.optim._state import number
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
        differentiable: record the step, so that gradients flow through it; parameters must not be leaves then.
    Raises: ValueError: for a setting that is negative or not finite, or nesterov without momentum.
    Source: torch.optim.SGD.
    """

    _parameter_like = ("momentum_buffer",)
    _foreach_records = True

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

    def _update_by_ops(self, p: Tensor, group: dict[str, Any], state: dict[str, Any]) -> None:
        g, lr, momentum = self._gradient_tensor(p, group, group["weight_decay"]), number(group["lr"]), group["momentum"]
        if momentum != 0:
            b = state.get("momentum_buffer")
            if b is None:
                b = state["momentum_buffer"] = g.detach().clone()
            else:
                b.mul_(momentum).add_(g, alpha=1 - group["dampening"])
            g = g.add(b, alpha=momentum) if group["nesterov"] else b.clone()  # the next step changes it
        if isinstance(lr, Tensor):
            p.addcmul_(g, lr, value=-1)
        else:
            p.add_(g, alpha=-lr)
