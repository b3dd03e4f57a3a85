"""How a tensor would lie on a mesh of devices: plain descriptions, because there are no such tensors here.

Source: torch.distributed.tensor.placement_types.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Partial", "Placement", "Replicate", "Shard"]

TEXT = "npg has no tensors that are shared out among processes"


class Placement:
    """Base class of the descriptions."""

    def is_shard(self, dim: int | None = None) -> bool:
        """Tell whether it is cut along a dimension, or along this one."""
        return isinstance(self, Shard) and dim in (None, self.dim)

    def is_replicate(self) -> bool:
        """Tell whether all processes have all of it."""
        return isinstance(self, Replicate)

    def is_partial(self, reduce_op: str | None = None) -> bool:
        """Tell whether the processes have parts of a sum, or of this reduction."""
        return isinstance(self, Partial) and reduce_op in (None, self.reduce_op)


@dataclass(frozen=True)
class Shard(Placement):
    """Cut along a dimension."""

    dim: int


@dataclass(frozen=True)
class _StridedShard(Shard):
    """Cut along a dimension that was cut before."""

    split_factor: int = 1


@dataclass(frozen=True)
class Replicate(Placement):
    """All processes have all of it."""


@dataclass(frozen=True)
class Partial(Placement):
    """The processes have parts, which a reduction makes one."""

    reduce_op: str = "sum"
