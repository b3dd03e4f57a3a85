"""The memory of the accelerator, of which there is none. Source: torch.accelerator.memory."""

from __future__ import annotations

from typing import Any

from npg._refusal import refusing

NONE = "Cannot access accelerator device when none is available."
_refuses = refusing(RuntimeError, NONE)


@_refuses
def empty_cache() -> Any: ...


@_refuses
def empty_host_cache() -> Any: ...


@_refuses
def memory_allocated(device_index: Any = None, /) -> Any: ...


@_refuses
def memory_reserved(device_index: Any = None, /) -> Any: ...


@_refuses
def max_memory_allocated(device_index: Any = None, /) -> Any: ...


@_refuses
def max_memory_reserved(device_index: Any = None, /) -> Any: ...


@_refuses
def memory_stats(device_index: Any = None, /) -> Any: ...


@_refuses
def get_memory_info(device_index: Any = None, /) -> Any: ...


@_refuses
def reset_accumulated_memory_stats(device_index: Any = None, /) -> Any: ...


@_refuses
def reset_peak_memory_stats(device_index: Any = None, /) -> Any: ...


__all__ = [
    "NONE",
    "empty_cache",
    "empty_host_cache",
    "get_memory_info",
    "max_memory_allocated",
    "max_memory_reserved",
    "memory_allocated",
    "memory_reserved",
    "memory_stats",
    "reset_accumulated_memory_stats",
    "reset_peak_memory_stats",
]
