"""Adadelta."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.optim._flat_state import FlatState
from npg.optim._state import number
from npg.optim._step_program import average_square, step_program
from npg.optim.optimizer import Array, Optimizer
from npg.tensor import Tensor


@step_program()
def _adadelta(p: Any, g: Any, square_avg: Any, acc_delta: Any, *, rho: Any, new: Any, eps: Any, lr: Any) -> Any:
    v = average_square(square_avg, g, rho, new)
    d = np.sqrt(acc_delta + eps) / np.sqrt(v + eps) * g
    return p - d * lr, v, average_square(acc_delta, d, rho, new)


class Adadelta(Optimizer):
    """Adadelta: steps scaled by the ratio of the root mean squares of past steps and of the gradient.

        v = rho v + (1 - rho) g^2;  d = sqrt(u + eps) / sqrt(v + eps) g;  u = rho u + (1 - rho) d^2;  p = p - lr d

    Args:
        params: parameters or groups.
        lr, rho, eps: as above.
        weight_decay: adds weight_decay p to the gradient.
        maximize: step up the gradient.
        foreach: accepted and ignored; it selects among PyTorch's implementations.
        capturable: for other devices; a step with it raises.
        differentiable: record the step, so that gradients flow through it; parameters must not be leaves then.
    Raises: ValueError: for a setting that is negative or not finite, or a rho above 1.
    Source: Zeiler 2012; torch.optim.Adadelta.
    """

    _parameter_like = ("square_avg", "acc_delta")
    _xla = (False, False)
    _order = "lr rho eps weight_decay maximize capturable foreach differentiable"

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
        self._set_up(params, locals())

    def _update(self, p: Array, g: Array, state: FlatState, group: dict[str, Any]) -> None:
        rho = group["rho"]
        _adadelta(p, g, state.entries, group, rho=rho, new=1 - rho, eps=group["eps"], lr=float(group["lr"]))

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
