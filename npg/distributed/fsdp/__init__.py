"""Models shared out among processes, which npg does not have: DistributedDataParallel keeps a copy in each.

Source: torch.distributed.fsdp.
"""

from __future__ import annotations

from typing import Any

from npg._refusal import refusing, refusing_class

__all__ = ["CPUOffloadPolicy", "FSDPModule", "FullyShardedDataParallel", "MixedPrecisionPolicy", "fully_shard"]

_TEXT = "npg has no fully sharded data parallel; nn.parallel.DistributedDataParallel keeps the model in each process"

FullyShardedDataParallel = refusing_class("FullyShardedDataParallel", __name__, RuntimeError, _TEXT)
FSDPModule = refusing_class("FSDPModule", __name__, RuntimeError, _TEXT)
CPUOffloadPolicy = refusing_class("CPUOffloadPolicy", __name__, RuntimeError, _TEXT)
MixedPrecisionPolicy = refusing_class("MixedPrecisionPolicy", __name__, RuntimeError, _TEXT)


@refusing(RuntimeError, _TEXT)
def fully_shard(module: Any, **settings: Any) -> Any: ...
