"""Adam and AdamW."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg.creation import zeros_like
from npg.functional import maximum
from npg.optim._flat_state import FlatState
from npg.optim._state import number
from npg.optim._step_program import average, average_square, nearer_end, step_program
from npg.optim.optimizer import Array, Optimizer
from npg.tensor import Tensor


@step_program("far")
def _adam(
    p: Any,
    g: Any,
    exp_avg: Any,
    exp_avg_sq: Any,
    max_exp_avg_sq: Any,
    *,
    far: bool,
    new1: Any,
    keep2: Any,
    new2: Any,
    root: Any,
    eps: Any,
    rate: Any,
) -> Any:
    m, v = average(exp_avg, g, new1, far), average_square(exp_avg_sq, g, keep2, new2)
    largest = None if max_exp_avg_sq is None else np.maximum(max_exp_avg_sq, v)
    return p - m / (np.sqrt(v if largest is None else largest) * root + eps) * rate, m, v, largest


class Adam(Optimizer):
    """Adam: steps scaled by running averages of the gradient and of its square.

        m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
        p = p - lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps)

    Args:
        params: parameters or groups.
        lr, betas, eps: as above.
        weight_decay: adds weight_decay p to the gradient (or shrinks p directly, if decoupled_weight_decay).
        amsgrad: divide by the largest v so far.
        maximize: step up the gradient.
        foreach, fused: accepted and ignored; they select among PyTorch's implementations.
        capturable: for other devices; a step with it raises.
        differentiable: record the step, so that gradients flow through it; parameters must not be leaves then.
    Raises: ValueError: for a setting that is negative or not finite.
    Source: Kingma and Ba 2015; torch.optim.Adam.
    """

    _parameter_like = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
    _lerped = ("exp_avg",)
    _refuses_lr_tensor = True
    _order = "lr betas eps weight_decay amsgrad maximize foreach capturable differentiable fused decoupled_weight_decay"

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        self._set_up(params, locals())

    def _check(self, settings: dict[str, Any]) -> None:
        foreach = settings["foreach"] and not settings["capturable"]
        if isinstance(settings["lr"], Tensor) and foreach:
            raise ValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
        super()._check(settings)
        betas = settings["betas"]
        if not any(all(isinstance(b, kind) for b in betas) for kind in (float, Tensor)):
            raise ValueError("betas must be either both floats or both Tensors")
        if isinstance(betas[0], Tensor) and foreach:
            raise ValueError("betas[0] as a Tensor is not supported for capturable=False and foreach=True")

    def _entries(self, group: dict[str, Any]) -> tuple[str, ...]:
        return self._parameter_like if group["amsgrad"] else self._parameter_like[:2]

    def _update(self, p: Array, g: Array, state: FlatState, group: dict[str, Any]) -> None:
        lr, (beta1, beta2) = float(group["lr"]), map(float, group["betas"])
        far, new1 = nearer_end(1 - beta1, p.dtype)
        root, rate = 1 / math.sqrt(1 - beta2**state.t), lr / (1 - beta1**state.t)
        numbers = {"new1": new1, "keep2": beta2, "new2": 1 - beta2, "root": root, "eps": group["eps"], "rate": rate}
        _adam(p, g, state.entries, group, far=far, **numbers)

    def _update_by_ops(self, p: Tensor, group: dict[str, Any], state: dict[str, Any]) -> None:
        lr, (beta1, beta2) = number(group["lr"]), map(number, group["betas"])
        if group["amsgrad"] and "max_exp_avg_sq" not in state:
            state["max_exp_avg_sq"] = zeros_like(p)
        m, v = state["exp_avg"], state["exp_avg_sq"]
        state["step"] += 1
        decay = group["weight_decay"]
        if decay != 0 and group["decoupled_weight_decay"]:
            p.mul_(1 - lr * number(decay))
            decay = 0
        g = self._gradient_tensor(p, group, decay)
        m.lerp_(g, 1 - beta1.to(m.dtype) if isinstance(beta1, Tensor) else 1 - beta1)
        if isinstance(beta2, Tensor):
            v.lerp_(g.square(), 1 - beta2.to(v.dtype))
        else:
            v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
        if group["amsgrad"]:
            state["max_exp_avg_sq"].copy_(maximum(state["max_exp_avg_sq"].clone(), v.clone()))
            v = state["max_exp_avg_sq"]
        t = state["step"].item()
        rate, root = lr / (1 - beta1**t), (v.sqrt() / (1 - beta2**t) ** 0.5).add(group["eps"])
        if group["differentiable"]:
            m = m.clone()  # the next step changes it
        if isinstance(rate, Tensor):
            p.addcdiv_(m, root / -rate)
        else:
            p.addcdiv_(m, root, value=-rate)


class AdamW(Adam):
    """Adam with decoupled weight decay: p = p (1 - lr weight_decay), then Adam's step.

    Args: as Adam; weight_decay is 0.01 by default.
    Source: Loshchilov and Hutter 2019; torch.optim.AdamW.
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        self._set_up(params, {**locals(), "decoupled_weight_decay": True})
