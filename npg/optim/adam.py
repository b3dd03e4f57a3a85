"""Adam and AdamW."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg.creation import from_numpy, zeros_like
from npg.optim._averages import moments
from npg.optim._checks import check_betas, check_hyperparameters, check_implementation
from npg.optim.optimizer import Optimizer
from npg.tensor import Tensor

__all__ = ["Adam", "AdamW"]


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
        foreach, capturable, fused: accepted and ignored: they choose between PyTorch's implementations.
        differentiable: not supported.
    Raises: ValueError: for a setting that is negative or not finite.
    Source: Kingma and Ba 2015; torch.optim.Adam.
    """

    _parameter_like = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")

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
        check_implementation(foreach, fused, differentiable, lr, capturable)
        check_hyperparameters(lr, eps=eps)
        betas = check_betas(betas, foreach, capturable)
        check_hyperparameters(lr, weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def _update(self, p: Tensor, group: dict[str, Any], state: dict[str, Any]) -> None:
        t, m, v, w = moments(self, p, group, state)
        lr, (beta1, beta2) = float(group["lr"]), group["betas"]
        if group["amsgrad"]:
            if "max_exp_avg_sq" not in state:
                state["max_exp_avg_sq"] = zeros_like(p)
            largest = state["max_exp_avg_sq"].numpy()
            v = np.maximum(largest, v, out=largest)
        np.sqrt(v, out=w)
        w *= 1 / math.sqrt(1 - beta2**t)
        w += group["eps"]
        np.divide(m, w, out=w)
        w *= lr / (1 - beta1**t)
        p.sub_(from_numpy(w))


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
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )
