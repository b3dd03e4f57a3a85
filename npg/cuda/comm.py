"""Copies and sums over several devices, of which there is none. Source: torch.cuda.comm."""

from __future__ import annotations

from typing import Any

from npg._refusal import refusing
from npg.functional._attributes import NO_CUDA

_refuses = refusing(AssertionError, NO_CUDA)


@_refuses
def broadcast(tensor: Any, devices: Any = None, *, out: Any = None) -> Any: ...


@_refuses
def broadcast_coalesced(tensors: Any, devices: Any, buffer_size: int = 10485760) -> Any: ...


@_refuses
def reduce_add(inputs: Any, destination: Any = None) -> Any: ...


@_refuses
def reduce_add_coalesced(inputs: Any, destination: Any = None, buffer_size: int = 10485760) -> Any: ...


@_refuses
def gather(tensors: Any, dim: int = 0, destination: Any = None, *, out: Any = None) -> Any: ...


@_refuses
def scatter(
    tensor: Any, devices: Any = None, chunk_sizes: Any = None, dim: int = 0, streams: Any = None, *, out: Any = None
) -> Any: ...


__all__ = ["broadcast", "broadcast_coalesced", "gather", "reduce_add", "reduce_add_coalesced", "scatter"]
