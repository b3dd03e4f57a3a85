"""The names of npg.distributed.fsdp, which refuse. Source: torch.distributed._composable.fsdp."""

from npg.distributed.fsdp import (
    CPUOffloadPolicy as CPUOffloadPolicy,
    FSDPModule as FSDPModule,
    MixedPrecisionPolicy as MixedPrecisionPolicy,
    fully_shard as fully_shard,
)
