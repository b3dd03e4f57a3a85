"""Schedules that let the rate rise and fall, and the momentum fall and rise."""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from typing import Any

from npg.optim.lr_scheduler._base import LRScheduler, check_optimizer, one_per_group, set_value
from npg.optim.optimizer import Optimizer


class _WithMomentum(LRScheduler):
    """Base class of the two, which may also set "momentum", or the first of "betas"."""

    cycle_momentum: bool
    use_beta1: bool

    def _momentums(self, optimizer: Optimizer, base: Any, top: Any) -> tuple[list[Any], list[Any]]:
        """Return the lowest and highest momentum of each group.

        Raises: ValueError: when the optimizer has no momentum, or for another number of values.
        """
        if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
            raise ValueError("optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
        self.use_beta1 = "betas" in optimizer.defaults
        return one_per_group("base_momentum", optimizer, base), one_per_group("max_momentum", optimizer, top)

    def _start_momentums(self, optimizer: Optimizer, lows: list[Any], tops: list[Any]) -> None:
        for group, low, top in zip(optimizer.param_groups, lows, tops, strict=True):
            self._set_momentum(group, top)
            group["max_momentum"], group["base_momentum"] = top, low

    def _set_momentum(self, group: dict[str, Any], momentum: float) -> None:
        if self.use_beta1:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum


class CyclicLR(_WithMomentum):
    """Let lr rise from base_lr to max_lr in step_size_up steps and fall back in step_size_down, again and again.

    Args:
        base_lr, max_lr: the bounds, each a number or one per group.
        step_size_up, step_size_down: steps up and down; by default as many down as up.
        mode: the height of the cycles: "triangular", constant; "triangular2", halved each time; "exp_range",
            gamma ** step.
        scale_fn, scale_mode: the height as a function of the cycle ("cycle") or the step ("iterations"), instead.
        cycle_momentum, base_momentum, max_momentum: let the momentum fall while lr rises.
    Raises: ValueError: for an unknown mode, another number of values, an optimizer without momentum.
    Source: Smith 2017; torch.optim.lr_scheduler.CyclicLR.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: Any,
        max_lr: Any,
        step_size_up: float = 2000,
        step_size_down: float | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: Any = 0.8,
        max_momentum: Any = 0.9,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        base_lrs = one_per_group("base_lr", optimizer, base_lr)
        self.max_lrs = one_per_group("max_lr", optimizer, max_lr)
        up = float(step_size_up)
        self.total_size = up + (up if step_size_down is None else float(step_size_down))
        self.step_ratio = up / self.total_size
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError("mode is invalid and scale_fn is None")
        self.mode, self.gamma, self._scale_fn_custom = mode, gamma, scale_fn
        self.scale_mode = scale_mode
        if scale_fn is None:
            self.scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.base_momentums, self.max_momentums = self._momentums(optimizer, base_momentum, max_momentum)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, base_lrs, strict=True):
                set_value(group, "lr", lr)
            if cycle_momentum:
                self._start_momentums(optimizer, self.base_momentums, self.max_momentums)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """Return the height of cycle x or at step x, by scale_mode."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular":
            return 1.0
        scale: float = 1 / 2.0 ** (x - 1) if self.mode == "triangular2" else self.gamma**x
        return scale

    def get_lr(self) -> list[Any]:
        """Return the groups' rates, and set their momentum."""
        self._lrs()  # warns when the caller is not step
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        part = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        height = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            for group, low, top in zip(
                self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True
            ):
                self._set_momentum(group, top - (top - low) * part * height)
        return [low + (top - low) * part * height for low, top in zip(self.base_lrs, self.max_lrs, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """Return the state, with the attributes of a scale_fn that is no plain function."""
        state = super().state_dict()
        scale = state.pop("_scale_fn_custom")  # which PyTorch's state has last
        plain = scale is None or isinstance(scale, types.FunctionType)
        state["_scale_fn_custom"] = None if plain else dict(scale.__dict__)
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a state_dict; a plain scale_fn stays as it is."""
        saved = dict(state_dict)
        attributes = saved.pop("_scale_fn_custom")
        super().load_state_dict(saved)
        if attributes is not None:
            self._scale_fn_custom.__dict__.update(attributes)


class OneCycleLR(_WithMomentum):
    """Let lr rise from max_lr / div_factor to max_lr, then fall to (max_lr / div_factor) / final_div_factor.

    Args:
        max_lr: the highest rate, or one per group.
        total_steps: the length, or epochs and steps_per_epoch.
        pct_start: the fraction of the steps in which lr rises.
        anneal_strategy: "cos" or "linear".
        cycle_momentum, base_momentum, max_momentum: let the momentum fall while lr rises.
        three_phase: fall symmetrically to the initial lr, then to the final one.
    Raises: ValueError: for no length, a setting out of its range, an optimizer without momentum, too many steps.
    Source: Smith and Topin 2018; torch.optim.lr_scheduler.OneCycleLR.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: Any,
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: Any = 0.85,
        max_momentum: Any = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        self.total_steps = _length(total_steps, epochs, steps_per_epoch)
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self._schedule_phases = _phases(self.total_steps, pct_start, three_phase)
        self._anneal_func_type = anneal_strategy
        max_lrs = one_per_group("max_lr", optimizer, max_lr)
        self.cycle_momentum = cycle_momentum
        lows, tops = self._momentums(optimizer, base_momentum, max_momentum) if cycle_momentum else ([], [])
        if last_epoch == -1:
            for group, top in zip(optimizer.param_groups, max_lrs, strict=True):
                group["initial_lr"] = top / div_factor
                group["max_lr"] = top
                group["min_lr"] = group["initial_lr"] / final_div_factor
            if cycle_momentum:
                self._start_momentums(optimizer, lows, tops)
        super().__init__(optimizer, last_epoch)

    def _anneal(self, start: float, end: float, part: float) -> float:
        if self._anneal_func_type == "cos":
            return end + (start - end) / 2.0 * (math.cos(math.pi * part) + 1)
        return (end - start) * part + start

    def get_lr(self) -> list[Any]:
        """Return the groups' rates, and set their momentum."""
        self._lrs()  # warns when the caller is not step
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(f"Tried to step {step} times. The specified number of total steps is {self.total_steps}")
        start = 0.0
        phase = self._schedule_phases[0]
        for phase in self._schedule_phases:
            if step <= phase["end_step"] or phase is self._schedule_phases[-1]:
                break
            start = phase["end_step"]
        part = (step - start) / (phase["end_step"] - start)
        rates = []
        for group in self.optimizer.param_groups:
            rates.append(self._anneal(group[phase["start_lr"]], group[phase["end_lr"]], part))
            if self.cycle_momentum:
                ends = group[phase["start_momentum"]], group[phase["end_momentum"]]
                self._set_momentum(group, self._anneal(*ends, part))
        return rates


def _length(total_steps: Any, epochs: Any, steps_per_epoch: Any) -> int:
    if total_steps is not None:
        counts = {"total_steps": total_steps}
    elif epochs is not None and steps_per_epoch is not None:
        counts = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
    else:
        raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
    for name, value in counts.items():
        if not isinstance(value, int) or value <= 0:
            raise ValueError(f"Expected positive integer {name}, but got {value}")
    return math.prod(counts.values())


def _phases(steps: int, rising: float, three: bool) -> list[dict[str, Any]]:
    """Return the phases: the step at which each ends, and the group's settings between which lr and momentum move."""

    def phase(end: float, *names: str) -> dict[str, Any]:
        return {"end_step": end} | dict(
            zip(("start_lr", "end_lr", "start_momentum", "end_momentum"), names, strict=True)
        )

    up = phase(float(rising * steps) - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum")
    if not three:
        return [up, phase(steps - 1, "max_lr", "min_lr", "base_momentum", "max_momentum")]
    down = phase(float(2 * rising * steps) - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum")
    return [up, down, phase(steps - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum")]
