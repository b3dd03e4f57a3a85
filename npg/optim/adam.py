"""Adam and AdamW."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg.creation import zeros_like
from npg.functional import maximum
from npg.functional.stepping import adam, in_place_array, on_lines
from npg.optim._checks import check_betas, check_hyperparameters, check_implementation
from npg.optim._flat_state import Together, fits, side_by_side
from npg.optim._state import number, step_count
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
        foreach, fused: accepted and ignored: they choose between PyTorch's implementations.
        capturable: for other devices only; a step refuses it.
        differentiable: record the step, so that gradients flow through it; parameters must not be leaves then.
    Raises: ValueError: for a setting that is negative or not finite.
    Source: Kingma and Ba 2015; torch.optim.Adam.
    """

    _parameter_like = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
    _lerped = ("exp_avg",)
    _refuses_lr_tensor = True

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
        if isinstance(lr, Tensor) and foreach and not capturable:
            raise ValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
        check_hyperparameters(lr, eps=eps)
        betas = check_betas(betas, foreach, capturable)
        check_hyperparameters(lr, weight_decay=weight_decay)
        check_implementation(foreach, fused, differentiable)
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

    def _first_state(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        names = self._parameter_like if group["amsgrad"] else self._parameter_like[:2]
        return {"step": step_count(group["fused"]), **{name: zeros_like(p) for name in names}}

    def _update_group(self, params: list[Tensor], group: dict[str, Any]) -> None:
        names = self._parameter_like if group["amsgrad"] else self._parameter_like[:2]
        small = [p for p in params if fits(p)]
        for dtype in {p._array.dtype for p in small}:
            those = [p for p in small if p._array.dtype == dtype]
            if len(those) > 1 and self._update_together(those, group, names):
                done = {id(p) for p in those}
                params = [p for p in params if id(p) not in done]
        super()._update_group(params, group)

    def _update_together(self, params: list[Tensor], group: dict[str, Any], names: tuple[str, ...]) -> bool:
        """Step small parameters of one dtype as one; return whether that was possible: not after unequal counts."""
        key = id(group["params"]), params[0]._array.dtype
        those: Together | None = self._together.get(key)
        if those is None or not those.serves(params, self.state, names):
            those = self._together[key] = Together(params, self.state, names)
        steps = those.flat["step"]
        if steps.min() != steps.max():
            return False
        steps += 1
        arrays = [in_place_array(p) for p in params]
        g = side_by_side([p.grad._array for p in params], those.gradient)  # type: ignore[union-attr]  # fits(p)
        if group["maximize"]:
            np.negative(g, out=g)
        p = side_by_side(arrays, those.values)
        if group["weight_decay"] and not group["decoupled_weight_decay"]:
            g += p * group["weight_decay"]
        adam(p, g, *[those.flat[name] for name in names], **_factors(group, steps[0].item()))
        for array, part in zip(arrays, those.slices, strict=True):
            array[...] = p[part].reshape(array.shape)
        return True

    def _update(self, p: Tensor, group: dict[str, Any], state: dict[str, Any]) -> None:
        if group["amsgrad"] and "max_exp_avg_sq" not in state:
            state["max_exp_avg_sq"] = zeros_like(p)
        state["step"] += 1
        decay = 0 if group["decoupled_weight_decay"] else group["weight_decay"]
        arrays = [in_place_array(p), self._gradient(p, group, decay)]
        arrays += [state[name].numpy() for name in self._parameter_like[: 3 if group["amsgrad"] else 2]]
        on_lines(adam, *arrays, **_factors(group, state["step"].item()))

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


def _factors(group: dict[str, Any], t: float) -> dict[str, Any]:
    """Return the factors of Adam's step number t, see npg.ops.step.adam."""
    lr, (beta1, beta2) = float(group["lr"]), map(float, group["betas"])
    decoupled = group["decoupled_weight_decay"] and group["weight_decay"] != 0
    return {
        "betas": (beta1, beta2),
        "decay": 1 - lr * group["weight_decay"] if decoupled else 1,
        "root": 1 / math.sqrt(1 - beta2**t),
        "eps": group["eps"],
        "rate": lr / (1 - beta1**t),
    }


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
