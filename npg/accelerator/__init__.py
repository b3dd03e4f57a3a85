"""The accelerator of this machine, whichever it is: npg has none. Source: torch.accelerator."""

from __future__ import annotations

from typing import Any

from npg._refusal import refusing, refusing_class
from npg.accelerator.memory import (
    empty_cache,
    empty_host_cache,
    get_memory_info,
    max_memory_allocated,
    max_memory_reserved,
    memory_allocated,
    memory_reserved,
    memory_stats,
    reset_accumulated_memory_stats,
    reset_peak_memory_stats,
)

NONE = "Cannot access accelerator device when none is available."
_refuses = refusing(RuntimeError, NONE)


def is_available() -> bool:
    """Return False: npg computes on the CPU."""
    return False


def device_count() -> int:
    """Return 0: npg computes on the CPU."""
    return 0


def current_accelerator(check_available: bool = False) -> None:
    """Return None: there is no accelerator."""


@_refuses
def current_device_index() -> Any: ...


@_refuses
def current_device_idx() -> Any: ...


@_refuses
def set_device_index(device: Any, /) -> Any: ...


@_refuses
def set_device_idx(device: Any, /) -> Any: ...


@_refuses
def current_stream(device: Any = None, /) -> Any: ...


@_refuses
def set_stream(stream: Any) -> Any: ...


@_refuses
def synchronize(device: Any = None, /) -> Any: ...


@_refuses
def get_device_capability(device: Any = None, /) -> Any: ...


class device_index:
    """A block that computes on the device of an index; None changes nothing, and there are no devices.

    Raises: RuntimeError: when a block with an index is entered.
    """

    def __init__(self, device: int | None, /) -> None:
        self.idx = device

    def __enter__(self) -> None:
        if self.idx is not None:
            raise RuntimeError(NONE)

    def __exit__(self, *exc: object) -> None:
        pass


Graph = refusing_class("Graph", __name__, RuntimeError, NONE)

__all__ = [
    "Graph",
    "NONE",
    "current_accelerator",
    "current_device_idx",
    "current_device_index",
    "current_stream",
    "device_count",
    "device_index",
    "empty_cache",
    "empty_host_cache",
    "get_device_capability",
    "get_memory_info",
    "is_available",
    "max_memory_allocated",
    "max_memory_reserved",
    "memory_allocated",
    "memory_reserved",
    "memory_stats",
    "reset_accumulated_memory_stats",
    "reset_peak_memory_stats",
    "set_device_idx",
    "set_device_index",
    "set_stream",
    "synchronize",
]
