"""Recorded work of a device: nothing can be recorded. Source: torch.cuda.graphs."""

from __future__ import annotations

from typing import Any

from npg._refusal import refusing, refusing_class

CUDAGraph = refusing_class("CUDAGraph", __name__, RuntimeError, "Tried to instantiate dummy base class CUDAGraph")
graph = refusing_class("graph", __name__, RuntimeError, "Tried to instantiate dummy base class CUDAGraph")


@refusing(RuntimeError, "Tried to instantiate dummy base class _graph_pool_handle")
def graph_pool_handle() -> Any: ...


@refusing(RuntimeError, "Tried to instantiate dummy base class _cuda_isCurrentStreamCapturing")
def is_current_stream_capturing() -> Any: ...


@refusing(RuntimeError, "Tried to instantiate dummy base class CUDAGraph")
def make_graphed_callables(
    callables: Any, sample_args: Any, num_warmup_iters: int = 3, allow_unused_input: bool = False, pool: Any = None
) -> Any: ...


__all__ = [
    "CUDAGraph",
    "graph",
    "graph_pool_handle",
    "is_current_stream_capturing",
    "make_graphed_callables",
]
