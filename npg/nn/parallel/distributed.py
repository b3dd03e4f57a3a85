"""DistributedDataParallel, which needs process groups. Source: torch.nn.parallel.distributed."""

from __future__ import annotations

from npg._refusal import refusing_class
from npg.nn.modules.module import Module

__all__ = ["DistributedDataParallel"]

DistributedDataParallel = refusing_class(
    "DistributedDataParallel",
    __name__,
    RuntimeError,
    "npg has no process groups yet; run one process, with the module as it is",
    (Module,),
)
