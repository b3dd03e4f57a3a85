"""Recorded work of a device: nothing can be recorded. Source: torch.cuda.graphs."""

from __future__ import annotations

from typing import Any

from npg._refusal import dummy_class, dummy_text, refusing

CUDAGraph = dummy_class("CUDAGraph", __name__)
graph = dummy_class("graph", __name__, "CUDAGraph")


@refusing(RuntimeError, dummy_text("_graph_pool_handle"))
def graph_pool_handle() -> Any: ...


@refusing(RuntimeError, dummy_text("_cuda_isCurrentStreamCapturing"))
def is_current_stream_capturing() -> Any: ...


@refusing(RuntimeError, dummy_text("CUDAGraph"))
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
