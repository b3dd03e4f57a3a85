"""Switches of NVIDIA's profiler, which is not there; see npg.profiler. Source: torch.cuda.profiler."""

from __future__ import annotations

from typing import Any

from npg._refusal import refusing
from npg.functional._attributes import NO_CUDA

_refuses = refusing(AssertionError, NO_CUDA)


@_refuses
def init(output_file: str, flags: Any = None, output_mode: str = "key_value") -> Any: ...


@_refuses
def start() -> Any: ...


@_refuses
def stop() -> Any: ...


@_refuses
def profile() -> Any: ...


__all__ = [
    "init",
    "profile",
    "start",
    "stop",
]
