"""Ranks that run out of inputs at different times. Source: torch.distributed.algorithms.join."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np

from npg import distributed
from npg.creation import from_numpy

__all__ = ["Join", "JoinHook", "Joinable"]


class JoinHook:
    """What a rank does that has run out of inputs. Source: torch.distributed.algorithms.JoinHook."""

    def main_hook(self) -> None:
        """Take part in the collectives of one iteration of the others; called again and again."""

    def post_hook(self, is_last_joiner: bool) -> None:
        """Do what is left when all ranks have run out.

        Args: is_last_joiner: whether this rank was among the last ones.
        """


class _JoinConfig(NamedTuple):
    enable: bool
    throw_on_early_termination: bool
    is_first_joinable: bool


_OFF = _JoinConfig(False, False, False)


class Joinable(ABC):
    """Something with collectives in each iteration. Source: torch.distributed.algorithms.Joinable."""

    _join_config: _JoinConfig = _OFF

    @abstractmethod
    def join_hook(self, **kwargs: Any) -> JoinHook:
        """Return what a rank does that has run out of inputs."""

    @property
    @abstractmethod
    def join_device(self) -> Any:
        """The device of its collectives."""

    @property
    @abstractmethod
    def join_process_group(self) -> Any:
        """The group of its collectives."""


class Join:
    """A context in which ranks may have different numbers of inputs.

    A rank that leaves the block early takes part in the collectives of the others until all have left.

    Args:
        joinables: what has collectives in each iteration.
        enable: False: do nothing.
        throw_on_early_termination: raise RuntimeError in all ranks as soon as one has run out.
        **kwargs: for the hooks of the joinables.
    Source: torch.distributed.algorithms.Join.
    """

    def __init__(
        self,
        joinables: Sequence[Joinable],
        enable: bool = True,
        throw_on_early_termination: bool = False,
        **kwargs: Any,
    ) -> None:
        if not joinables:
            raise ValueError("The join context manager requires at least one joinable")
        self._joinables = list(joinables)
        self._hooks = [joinable.join_hook(**kwargs) for joinable in self._joinables]
        self._enable, self._throw = enable, throw_on_early_termination
        groups = {id(joinable.join_process_group): joinable.join_process_group for joinable in self._joinables}
        if len(groups) != 1:
            raise ValueError("Using join context manager with multiple process groups")
        (self._group,) = groups.values()
        for i, joinable in enumerate(self._joinables):
            joinable._join_config = _JoinConfig(enable, throw_on_early_termination, i == 0)

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if self._enable and kind is None:
                self._shadow()
        finally:
            for joinable in self._joinables:
                joinable._join_config = _OFF

    def _shadow(self) -> None:
        """Take part in the iterations of the others until none is left."""
        is_last, count = True, 0
        while self._others_left():
            count += 1
            if count == 1000:
                warnings.warn(
                    f"Detected uneven input skew of greater than {count}. This means that rank {self._group.rank()} "
                    f"has at least {count} fewer inputs than other currently-active ranks. This level of skew could "
                    "lead to performance degradation during training.",
                    stacklevel=4,
                )
            is_last = False
            if self._throw:
                self._tell_termination()
            for hook in self._hooks:
                hook.main_hook()
        for hook in self._hooks:
            hook.post_hook(is_last)

    def _others_left(self) -> int:
        count = from_numpy(np.zeros(1, np.float32))
        distributed.all_reduce(count, group=self._group)
        return int(count.item())

    def _tell_termination(self) -> None:
        distributed.all_reduce(from_numpy(np.ones(1, np.float32)), group=self._group)
        raise RuntimeError(f"Rank {self._group.rank()} exhausted all inputs.")

    @staticmethod
    def notify_join_context(joinable: Joinable) -> Any:
        """Tell the ranks that have run out that an iteration begins; return the Work, or None without a Join.

        Raises: RuntimeError: when one has run out, and Join was told to raise then.
        """
        config = joinable._join_config
        if not config.is_first_joinable or not config.enable:
            return None
        group = joinable.join_process_group
        work = distributed.all_reduce(from_numpy(np.ones(1, np.float32)), group=group, async_op=True)
        if config.throw_on_early_termination:
            ended = from_numpy(np.zeros(1, np.float32))
            distributed.all_reduce(ended, group=group)
            if ended.item():
                raise RuntimeError("Detected at least one rank that exhausted inputs. Throwing across all ranks.")
        return work
