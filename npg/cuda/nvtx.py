"""Ranges and marks for NVIDIA's profiler, which is not there; npg.profiler.record_function names ranges.

Source: torch.cuda.nvtx.
"""

from __future__ import annotations

from typing import Any

from npg._refusal import refusing

_refuses = refusing(RuntimeError, "NVTX functions not installed. Are you sure you have a CUDA build?")


@_refuses
def range_push(msg: str) -> Any: ...


@_refuses
def range_pop() -> Any: ...


@_refuses
def range_start(msg: str) -> Any: ...


@_refuses
def range_end(range_id: int) -> Any: ...


@_refuses
def mark(msg: str) -> Any: ...


@_refuses
def range(msg: str, *args: Any, **kwargs: Any) -> Any: ...


__all__ = [
    "mark",
    "range",
    "range_end",
    "range_pop",
    "range_push",
    "range_start",
]
