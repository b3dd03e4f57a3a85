"""SGD, with momentum."""

from __future__ import annotations

from typing import Any

from npg.optim._flat_state import FlatState
from npg.optim._state import number
from npg.optim._step_program import step_program
from npg.optim.optimizer import Array, Optimizer
from npg.tensor import Tensor


@step_program("nesterov")
def _sgd(p: Any, g: Any, momentum_buffer: Any, *, nesterov: bool, lr: Any, momentum: Any, new: Any) -> Any:
    if momentum_buffer is None:
        return p - g * lr, None
    b = momentum_buffer * momentum + g * new
    return p - ((g + b * momentum) if nesterov else b) * lr, b


class SGD(Optimizer):
    """Stochastic gradient descent.

        b = momentum b + (1 - dampening) g   (b = g at the first step)
        p = p - lr b, or with nesterov p - lr (g + momentum b)

    Args:
        params: parameters or groups.
        lr, momentum, dampening, nesterov: as above.
        weight_decay: adds weight_decay p to the gradient.
        maximize: step up the gradient.
        foreach, fused: accepted and ignored; they select among PyTorch's implementations.
        differentiable: record the step, so that gradients flow through it; parameters must not be leaves then.
    Raises: ValueError: for a setting that is negative or not finite, or nesterov without momentum.
    Source: torch.optim.SGD.
    """

    _parameter_like = ("momentum_buffer",)
    _counts_steps = False
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
        self._set_up(params, locals())

    def _check(self, settings: dict[str, Any]) -> None:
        super()._check(settings)
        if settings["nesterov"] and (settings["momentum"] <= 0 or settings["dampening"] != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")

    def _entries(self, group: dict[str, Any]) -> tuple[str, ...]:
        return self._parameter_like if group["momentum"] != 0 else ()

    def _first_state(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return dict.fromkeys(self._entries(group))  # the first average is the gradient itself

    def _update(self, p: Array, g: Array, state: FlatState, group: dict[str, Any]) -> None:
        settings = {name: group[name] for name in ("momentum", "nesterov")}
        new = 1 if state.fresh else 1 - group["dampening"]
        _sgd(p, g, state.entries, group, lr=float(group["lr"]), new=new, **settings)

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
