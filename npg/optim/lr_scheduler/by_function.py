"""Schedules given by a function of the epoch."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

from npg.optim.lr_scheduler._base import LRScheduler, check_optimizer
from npg.optim.optimizer import Optimizer


class _ByFunction(LRScheduler):
    def __init__(self, optimizer: Optimizer, lr_lambda: Any, last_epoch: int = -1) -> None:
        groups = len(check_optimizer(optimizer).param_groups)
        self.lr_lambdas: list[Callable[[int], float]]
        if isinstance(lr_lambda, (list, tuple)):
            if len(lr_lambda) != groups:
                raise ValueError(f"Expected {groups} lr_lambdas, but got {len(lr_lambda)}")
            self.lr_lambdas = list(lr_lambda)
        else:
            self.lr_lambdas = [lr_lambda] * groups
        for function in self.lr_lambdas:
            if not callable(function):
                raise TypeError(f"lr_lambda should be a function, but got {type(function).__name__}")
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """Return the state, with the attributes of callables that are no plain functions."""
        state = super().state_dict()
        del state["lr_lambdas"]  # which PyTorch's state has last
        state["lr_lambdas"] = [None if isinstance(f, types.FunctionType) else dict(f.__dict__) for f in self.lr_lambdas]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a state_dict; plain functions stay as they are."""
        saved = dict(state_dict)
        for f, attributes in zip(self.lr_lambdas, saved.pop("lr_lambdas"), strict=True):
            if attributes is not None:
                f.__dict__.update(attributes)
        super().load_state_dict(saved)


class LambdaLR(_ByFunction):
    """lr = initial lr * lr_lambda(epoch).

    Args:
        lr_lambda: a function, or one per group.
    Raises: ValueError: for another number of functions. TypeError: for something that cannot be called.
    Source: torch.optim.lr_scheduler.LambdaLR.
    """

    def get_lr(self) -> list[Any]:
        self._lrs()  # warns when the caller is not step
        return [base * f(self.last_epoch) for f, base in zip(self.lr_lambdas, self.base_lrs, strict=True)]


class MultiplicativeLR(_ByFunction):
    """lr = lr * lr_lambda(epoch). Arguments and errors are LambdaLR's.

    Source: torch.optim.lr_scheduler.MultiplicativeLR.
    """

    def get_lr(self) -> list[Any]:
        rates = self._lrs()
        if self._is_initial:
            return rates
        return [lr * f(self.last_epoch) for f, lr in zip(self.lr_lambdas, rates, strict=True)]
