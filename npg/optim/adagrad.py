"""Adagrad."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.creation import full_like
from npg.optim._flat_state import FlatState
from npg.optim._state import number
from npg.optim._step_program import step_program
from npg.optim.optimizer import Array, Optimizer
from npg.tensor import Tensor


@step_program()
def _adagrad(p: Any, g: Any, sum: Any, *, eps: Any, rate: Any) -> Any:
    s = sum + g * g
    return p - g / (np.sqrt(s) + eps) * rate, s


class Adagrad(Optimizer):
    """Adagrad: steps divided by the root of the sum of all squared gradients.

        s = s + g^2;  p = p - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)

    Args:
        params: parameters or groups.
        lr, lr_decay, eps: as above.
        weight_decay: adds weight_decay p to the gradient.
        initial_accumulator_value: the initial s.
        maximize: step up the gradient.
        foreach, fused: accepted and ignored; they select among PyTorch's implementations.
        differentiable: record the step, so that gradients flow through it; parameters must not be leaves then.
    Source: Duchi et al. 2011; torch.optim.Adagrad.
    """

    _parameter_like = ("sum",)
    _order = "lr lr_decay eps weight_decay initial_accumulator_value foreach maximize differentiable fused"

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        self._set_up(params, locals())
        # As in PyTorch, the state exists from the start, so that a state_dict before the first step has it.
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p] = self._first_state(p, group)

    def _first_state(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {**super()._first_state(p, group), "sum": full_like(p.detach(), group["initial_accumulator_value"])}

    def _update(self, p: Array, g: Array, state: FlatState, group: dict[str, Any]) -> None:
        rate = float(group["lr"]) / (1 + (state.t - 1) * group["lr_decay"])
        _adagrad(p, g, state.entries, group, eps=group["eps"], rate=rate)

    def _update_by_ops(self, p: Tensor, group: dict[str, Any], state: dict[str, Any]) -> None:
        state["step"] += 1
        rate = number(group["lr"]) / (1 + (state["step"].item() - 1) * group["lr_decay"])
        g = self._gradient_tensor(p, group, group["weight_decay"])
        root = state["sum"].addcmul_(g, g, value=1).sqrt() + group["eps"]
        if isinstance(rate, Tensor):
            p.sub_(g / root * rate)
        else:
            p.addcdiv_(g, root, value=-rate)
