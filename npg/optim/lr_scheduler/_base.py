"""The base class of schedules: counts epochs, calls get_lr for the groups' rates and sets them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from npg._contextlib import Block
from npg.optim.optimizer import Optimizer
from npg.tensor import Tensor

EPOCH_DEPRECATION_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. Please use "
    "`scheduler.step()` to step the scheduler. During the deprecation, if epoch is different from None, the closed "
    "form is used instead of the new chainable form, where available. Please open an issue if you are unable to "
    "replicate your use case: https://github.com/pytorch/pytorch/issues/new/choose."
)
_TOO_EARLY = (
    "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and later, you should call "
    "them in the opposite order: `optimizer.step()` before `lr_scheduler.step()`.  Failure to do this will result in "
    "PyTorch skipping the first value of the learning rate schedule. See more details at "
    "https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"
)


def check_optimizer(optimizer: Any) -> Optimizer:
    """Return the optimizer.

    Raises: TypeError: when it is something else.
    """
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
    return optimizer


def one_per_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """Return one value per group.

    Raises: ValueError: for a list of another length.
    """
    count = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * count
    if len(value) != count:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. {name} has {len(value)} values, param_groups "
            f"has {count}."
        )
    return list(value)


def values_of(optimizer: Optimizer, key: str) -> list[Any]:
    """Return one setting of all groups; tensors are copied, since set_value writes into them."""
    return [g[key].clone() if isinstance(g[key], Tensor) else g[key] for g in optimizer.param_groups]


def set_value(group: dict[str, Any], key: str, value: Any) -> None:
    """Set one setting of a group; a tensor is written in place."""
    if isinstance(group[key], Tensor):
        group[key].fill_(float(value))
    else:
        group[key] = value


class _Asking(Block):
    """A context within which a scheduler's get_lr is called by step."""

    def __init__(self, scheduler: LRScheduler) -> None:
        self._scheduler = scheduler

    def _places(self) -> Any:
        return ((self._scheduler, "_get_lr_called_within_step", True),)


class LRScheduler:
    """Base class of all schedules: subclass it and define get_lr.

    Most schedules compute the new rate from the previous one, so that several can be chained on one optimizer;
    `_get_closed_form_lr`, where a schedule has one, computes an epoch's rate directly.

    Args:
        optimizer: the optimizer whose groups' "lr" is set.
        last_epoch: -1 to start; to resume, the last completed epoch (groups then have "initial_lr").
    Attributes:
        base_lrs: the rates that the schedule starts from. last_epoch: the current epoch.
    Raises: TypeError: for something that is no Optimizer. KeyError: when a group lacks "initial_lr" on resuming.
    Source: torch.optim.lr_scheduler.LRScheduler.
    """

    _is_initial = False
    _get_lr_called_within_step = False
    _get_closed_form_lr: Callable[[], list[Any]]

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_optimizer(optimizer)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch != -1 and "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming scheduler with "
                    "last_epoch >= 0.\nThis typically happens when:\n1. You're trying to resume training from a "
                    "checkpoint but haven't properly loaded the optimizer state\n2. You're using last_epoch >= 0 for "
                    "a fresh training run (not recommended)"
                )
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, values_of(optimizer, "lr"), strict=True):
                group.setdefault("initial_lr", lr)
        self.optimizer = optimizer
        self.base_lrs = values_of(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        if not optimizer._scheduled:  # as in PyTorch, steps count from the first schedule on
            optimizer._scheduled, optimizer._stepped = True, False
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    # ----- Rates -----

    def get_last_lr(self) -> list[Any]:
        """Return the rates that the last step set."""
        return self._last_lr

    def get_lr(self) -> list[Any]:
        """Return the groups' rates for the current epoch; every schedule defines it, and step calls it."""
        raise NotImplementedError

    def _lrs(self) -> list[Any]:
        """Return the groups' present rates, and warn when the caller is not step."""
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use `get_last_lr()`.",
                UserWarning,
                stacklevel=3,
            )
        return values_of(self.optimizer, "lr")

    def _asking(self) -> Block:
        return _Asking(self)

    def step(self, epoch: int | None = None) -> None:
        """Go to the next epoch and set the rates; call it after optimizer.step().

        Args: epoch: deprecated: go to this one.
        """
        if self._step_count == 1 and not self.optimizer._stepped:
            warnings.warn(_TOO_EARLY, UserWarning, stacklevel=2)
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        with self._asking():
            if epoch is None:
                self.last_epoch += 1
                rates = self.get_lr()
            else:
                self.last_epoch = epoch
                rates = self._get_closed_form_lr() if hasattr(self, "_get_closed_form_lr") else self.get_lr()
        for group, lr in zip(self.optimizer.param_groups, rates, strict=True):
            set_value(group, "lr", lr)
        self._last_lr = values_of(self.optimizer, "lr")

    # ----- State -----

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer."""
        return {k: v for k, v in self.__dict__.items() if k != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a state_dict."""
        self.__dict__.update(state_dict)
