"""An optimizer whose state is shared out among ranks. Source: torch.distributed.optim.zero_redundancy_optimizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from npg import distributed
from npg.distributed._collectives import broadcast_coalesced
from npg.distributed._groups import group_or_default
from npg.distributed.algorithms.join import Joinable, JoinHook
from npg.optim import Optimizer
from npg.tensor import Tensor

__all__ = ["ZeroRedundancyOptimizer"]


class ZeroRedundancyOptimizer(Optimizer, Joinable):
    """Keep the state of each parameter in one rank only, which takes its step and gives the others the result.

    The steps are those of the optimizer that is given; each rank keeps about one part in as many as there are ranks of
    its state. Gradients must be equal in all ranks, as DistributedDataParallel makes them.

    Args:
        params: parameters, or groups of them, the same in all ranks.
        optimizer_class: of the optimizer, such as optim.Adam.
        process_group: the ranks; None: all.
        parameters_as_bucket_view: accepted: how PyTorch lays out its messages.
        overlap_with_ddp: refused where true.
        **defaults: of the optimizer.
    Source: Rajbhandari et al., ZeRO, 2019; torch.distributed.optim.ZeroRedundancyOptimizer.
    """

    def __init__(
        self,
        params: Any,
        optimizer_class: type[Optimizer],
        process_group: Any = None,
        parameters_as_bucket_view: bool = False,
        overlap_with_ddp: bool = False,
        **defaults: Any,
    ) -> None:
        if overlap_with_ddp:
            raise RuntimeError("npg has no overlap_with_ddp of ZeroRedundancyOptimizer")
        self.process_group = group_or_default(process_group)
        self.rank, self.world_size = self.process_group.rank(), self.process_group.size()
        self._optimizer_class, self._arguments = optimizer_class, defaults
        self._collected: list[Any] | None = None
        self._owners: dict[Tensor, int] = {}
        self._loads = [0] * self.world_size
        self.optim: Any = None
        super().__init__(params, {**optimizer_class([Tensor()], **defaults).defaults})
        self._share_out()

    def _share_out(self) -> None:
        """Give each parameter that has none an owner, the largest first, and make the optimizer of this rank's."""
        for group in self.param_groups:
            for p in sorted(group["params"], key=lambda p: -p.numel()):
                if p not in self._owners:
                    owner = min(range(self.world_size), key=self._loads.__getitem__)
                    self._owners[p], self._loads[owner] = owner, self._loads[owner] + p.numel()
        mine = [{**group, "params": self._owned(group, self.rank)} for group in self.param_groups]
        before = {} if self.optim is None else self.optim.state
        self.optim = self._optimizer_class(mine, **self._arguments)
        self.optim.state.update(before)

    def _owned(self, group: dict[str, Any], rank: int) -> list[Tensor]:
        return [p for p in group["params"] if self._owners[p] == rank]

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters, in all ranks."""
        super().add_param_group(param_group)
        if self.optim is not None:
            self._share_out()

    def _sync_settings(self) -> None:
        """Take over what schedulers and scripts have set, such as lr."""
        for own, group in zip(self.optim.param_groups, self.param_groups, strict=True):
            own.update({name: value for name, value in group.items() if name != "params"})

    def step(self, closure: Callable[[], Any] | None = None, **kwargs: Any) -> Any:
        """Take a step with this rank's parameters, and take those of the others from their ranks."""
        self._sync_settings()
        loss = self.optim.step(closure=closure, **kwargs) if closure is not None else self.optim.step(**kwargs)
        for rank in range(self.world_size):
            by_dtype: dict[Any, list[Tensor]] = {}
            for group in self.param_groups:
                for p in self._owned(group, rank):
                    by_dtype.setdefault(p.dtype, []).append(p)
            for some in by_dtype.values():
                broadcast_coalesced(some, self.process_group, rank)
        return loss

    # ----- State -----

    def consolidate_state_dict(self, to: int = 0) -> None:
        """Collect the state of all ranks in rank `to`, where state_dict() may then be called; in all ranks."""
        self._sync_settings()
        found: list[Any] | None = [None] * self.world_size if self.rank == to else None
        distributed.gather_object(self.optim.state_dict(), found, group=self.process_group, group_dst=to)
        self._collected = found

    def state_dict(self) -> dict[str, Any]:
        """Return the state of all parameters, as the optimizer without ranks has it.

        Raises: RuntimeError: when consolidate_state_dict() has not collected it here.
        """
        if self._collected is None:
            raise RuntimeError(
                "Optimizer state has not been consolidated on this rank. "
                f"Please call `consolidate_state_dict(to={self.rank})` on all ranks beforehand if you meant to save "
                "the global state."
            )
        result: dict[str, Any] = super().state_dict()
        numbers = {p: i for i, p in enumerate(p for group in self.param_groups for p in group["params"])}
        result["state"] = {}
        for rank, found in enumerate(self._collected):
            owned = [p for group in self.param_groups for p in self._owned(group, rank)]
            for i, state in found["state"].items():
                result["state"][numbers[owned[i]]] = state
        result["state"] = dict(sorted(result["state"].items()))
        return result

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load the state of all parameters, of which this rank keeps its own."""
        super().load_state_dict({**state_dict, "state": {}})
        numbers = {p: i for i, p in enumerate(p for group in self.param_groups for p in group["params"])}
        owned = [p for group in self.param_groups for p in self._owned(group, self.rank)]
        own = self.optim.state_dict()
        own["state"] = {
            k: state_dict["state"][numbers[p]] for k, p in enumerate(owned) if numbers[p] in state_dict["state"]
        }
        self.optim.load_state_dict(own)
        self._sync_settings()

    # ----- Uneven inputs -----

    def join_hook(self, **kwargs: Any) -> JoinHook:
        """Return what a rank does that has run out of inputs: it takes its steps."""
        return _ZeROJoinHook(self)

    @property
    def join_device(self) -> Any:
        """The CPU."""
        return self.param_groups[0]["params"][0].device

    @property
    def join_process_group(self) -> Any:
        """The group."""
        return self.process_group


class _ZeROJoinHook(JoinHook):
    def __init__(self, zero: ZeroRedundancyOptimizer) -> None:
        self.zero = zero

    def main_hook(self) -> None:
        """Take the step of this rank's parameters, whose gradients the reduction has just brought."""
        self.zero.step()
