"""Join and communication hooks. Source: torch.distributed.algorithms."""

from npg.distributed.algorithms import ddp_comm_hooks as ddp_comm_hooks
from npg.distributed.algorithms.join import Join as Join, Joinable as Joinable, JoinHook as JoinHook

__all__ = ["Join", "JoinHook", "Joinable", "ddp_comm_hooks"]
