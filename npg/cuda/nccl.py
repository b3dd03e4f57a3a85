"""NVIDIA's communication between devices, which is not there. Source: torch.cuda.nccl."""

from __future__ import annotations

from typing import Any

from npg._errors import warn
from npg._refusal import refusing
from npg.functional._attributes import NO_CUDA

_refuses = refusing(AssertionError, NO_CUDA)


def is_available(tensors: Any) -> bool:
    """Return False, with PyTorch's warning."""
    warn("PyTorch is not compiled with NCCL support")
    return False


@_refuses
def version() -> Any: ...


@_refuses
def unique_id() -> Any: ...


@_refuses
def init_rank(num_ranks: int, uid: Any, rank: int) -> Any: ...


@_refuses
def all_reduce(inputs: Any, outputs: Any = None, op: int = 0, streams: Any = None, comms: Any = None) -> Any: ...


@_refuses
def reduce(
    inputs: Any,
    output: Any = None,
    root: int = 0,
    op: int = 0,
    streams: Any = None,
    comms: Any = None,
    *,
    outputs: Any = None,
) -> Any: ...


@_refuses
def broadcast(inputs: Any, root: int = 0, streams: Any = None, comms: Any = None) -> Any: ...


@_refuses
def all_gather(inputs: Any, outputs: Any, streams: Any = None, comms: Any = None) -> Any: ...


@_refuses
def reduce_scatter(inputs: Any, outputs: Any, op: int = 0, streams: Any = None, comms: Any = None) -> Any: ...


__all__ = [
    "all_gather",
    "all_reduce",
    "broadcast",
    "init_rank",
    "is_available",
    "reduce",
    "reduce_scatter",
    "unique_id",
    "version",
]
