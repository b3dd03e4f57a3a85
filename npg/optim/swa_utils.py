"""Averages of a network's parameters over its training, and the schedule for them. Source: torch.optim.swa_utils."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any, Literal

from npg import dtypes
from npg.autograd import no_grad
from npg.creation import tensor
from npg.nn import Module
from npg.optim.lr_scheduler import LRScheduler
from npg.optim.lr_scheduler._base import one_per_group
from npg.optim.optimizer import Optimizer
from npg.tensor import Tensor

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

# ----- Averages -----


def _check_decay(decay: float) -> None:
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


def get_ema_avg_fn(decay: float = 0.999) -> Callable[[Tensor, Tensor, Any], Tensor]:
    """Return the function of the average and the new value that gives decay * average + (1 - decay) * value.

    Raises: ValueError: for a decay outside [0, 1].
    """
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn() -> Callable[[Tensor, Tensor, Any], Tensor]:
    """Return the function of the average of n values and the next one that gives the average of n + 1."""

    @no_grad()
    def swa_update(averaged_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        step: Tensor = (current_param - averaged_param) / (num_averaged + 1)
        return averaged_param + step

    return swa_update


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[[Any, Any, Any], None]:
    """Return the function that changes a list of averages in place; see get_ema_avg_fn."""
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param_list: Any, current_param_list: Any, num_averaged: Any) -> None:
        for average, value in zip(ema_param_list, current_param_list, strict=True):
            if average.is_floating_point():
                average.lerp_(value, 1 - decay)
            else:
                average.copy_(average * decay + value * (1 - decay))

    return ema_update


def get_swa_multi_avg_fn() -> Callable[[Any, Any, Any], None]:
    """Return the function that changes a list of averages in place; see get_swa_avg_fn."""

    @no_grad()
    def swa_update(averaged_param_list: Any, current_param_list: Any, num_averaged: Any) -> None:
        for average, value in zip(averaged_param_list, current_param_list, strict=True):
            if average.is_floating_point():
                average.lerp_(value, float(1 / (num_averaged + 1)))
            else:
                average.add_(value - average, alpha=1.0 / float(num_averaged + 1))

    return swa_update


class AveragedModel(Module):
    """A copy of a network whose parameters are averages of the network's.

    Args:
        model: the network, which is copied.
        device: the CPU.
        avg_fn: gives the new average of (average, value, how many were averaged).
        multi_avg_fn: changes a list of averages in place, given (averages, values, how many were averaged). Without
            both, all values count alike.
        use_buffers: average the buffers too; otherwise they are the network's latest.
    Attributes:
        module: the copy.
        n_averaged: how many values were averaged.
    Raises: AssertionError: when both functions are given.
    Source: torch.optim.swa_utils.AveragedModel.
    """

    n_averaged: Tensor

    def __init__(
        self, model: Module, device: Any = None, avg_fn: Any = None, multi_avg_fn: Any = None, use_buffers: bool = False
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0, dtype=dtypes.int64, device=device))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the copy."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Add the network's values to the averages; the first ones are copied."""
        with no_grad():
            averages, values = self._averaged(self.module), self._averaged(model)
            if self.n_averaged == 0:
                for average, value in zip(averages, values, strict=False):
                    average.copy_(value)
            elif self.avg_fn is not None:
                for average, value in zip(averages, values, strict=False):
                    average.copy_(self.avg_fn(average, value, self.n_averaged))
            else:
                update = self.multi_avg_fn or get_swa_multi_avg_fn()
                by_dtype: dict[Any, Any] = {}
                for pair in zip(averages, values, strict=False):
                    by_dtype.setdefault(pair[0].dtype, []).append(pair)
                for pairs in by_dtype.values():
                    own, latest = (list(column) for column in zip(*pairs, strict=True))
                    update(own, latest, self.n_averaged)
            if not self.use_buffers:
                for buffer, value in zip(self.module.buffers(), model.buffers(), strict=True):
                    buffer.copy_(value)
            self.n_averaged += 1

    def _averaged(self, model: Module) -> list[Tensor]:
        buffers: Iterable[Tensor] = model.buffers() if self.use_buffers else ()
        return [x.detach() for x in itertools.chain(model.parameters(), buffers)]


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the running statistics of a network's batch normalizations anew, from all batches of a loader.

    Args:
        loader: yields tensors, or lists and tuples whose first item is one.
        device: the CPU.
    Source: torch.optim.swa_utils.update_bn.
    """
    norms = {m: getattr(m, "momentum", None) for m in model.modules() if hasattr(m, "reset_running_stats")}
    if not norms:
        return
    was_training = model.training
    model.train()
    for module in norms:
        module.reset_running_stats()
        module.momentum = None
    for batch in loader:
        x = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(x if device is None else x.to(device))
    for module, momentum in norms.items():
        module.momentum = momentum
    model.train(was_training)


# ----- The schedule -----


class SWALR(LRScheduler):
    """Go from the learning rate to a fixed one, and stay there.

    Args:
        optimizer: the optimizer.
        swa_lr: the fixed rate, or a list with one per group.
        anneal_epochs: how many epochs it takes.
        anneal_strategy: "cos" or "linear".
        last_epoch: the last epoch of a training that goes on.
    Raises: ValueError: for another strategy, a number of epochs that is no int from 0, or a list of another length.
    Source: torch.optim.swa_utils.SWALR.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: Any,
        anneal_epochs: int = 10,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        last_epoch: int = -1,
    ) -> None:
        rates = one_per_group("swa_lr", optimizer, swa_lr)
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        for rate, group in zip(rates, optimizer.param_groups, strict=True):
            group["swa_lr"] = rate
        self.anneal_epochs, self._anneal_strategy = anneal_epochs, anneal_strategy
        super().__init__(optimizer, last_epoch)

    def _share(self, step: float) -> float:
        """Return how much of the fixed rate there is after so many steps, from 0 to 1."""
        t = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return t if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2

    def get_lr(self) -> list[Any]:
        """Return the rates of the next step, from the present ones."""
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now, rates = self._share(step - 1), self._share(step), []
        for group, rate in zip(self.optimizer.param_groups, self._lrs(), strict=True):
            fixed = group["swa_lr"]
            first = fixed if before == 1 else (rate - before * fixed) / (1 - before)
            rates.append(fixed * now + first * (1 - now))
        return rates
