"""The memory of devices: there is none, so its figures are 0. Source: torch.cuda.memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from npg._errors import warn
from npg._refusal import dummy_class, refusing, refusing_class
from npg.functional._attributes import NO_CUDA

_refuses = refusing(AssertionError, NO_CUDA)

# ----- Figures -----


def empty_cache() -> None:
    """Do nothing: there is no device's memory to free. npg.empty_cache frees what npg keeps of the CPU's."""


def memory_allocated(device: Any = None) -> int:
    """Return 0: there is no device."""
    return 0


def max_memory_allocated(device: Any = None) -> int:
    """Return 0: there is no device."""
    return 0


def memory_reserved(device: Any = None) -> int:
    """Return 0: there is no device."""
    return 0


def max_memory_reserved(device: Any = None) -> int:
    """Return 0: there is no device."""
    return 0


def memory_cached(device: Any = None) -> int:
    """Return 0, with a warning: the old name of memory_reserved."""
    warn("`npg.cuda.memory_cached` has been renamed to `npg.cuda.memory_reserved`", FutureWarning)
    return 0


def max_memory_cached(device: Any = None) -> int:
    """Return 0, with a warning: the old name of max_memory_reserved."""
    warn("`npg.cuda.max_memory_cached` has been renamed to `npg.cuda.max_memory_reserved`", FutureWarning)
    return 0


def memory_stats(device: Any = None) -> OrderedDict[str, Any]:
    """Return an empty dict: there is no device."""
    return OrderedDict()


def memory_stats_as_nested_dict(device: Any = None) -> dict[str, Any]:
    """Return an empty dict: there is no device."""
    return {}


def host_memory_stats() -> OrderedDict[str, Any]:
    """Return an empty dict: no memory is pinned for a device."""
    return OrderedDict()


def host_memory_stats_as_nested_dict() -> dict[str, Any]:
    """Return an empty dict: no memory is pinned for a device."""
    return {}


def list_gpu_processes(device: Any = None) -> str:
    """Return PyTorch's text where NVIDIA's library is absent."""
    return "pynvml module not found, please install nvidia-ml-py"


# ----- What needs a device -----


@_refuses
def mem_get_info(device: Any = None) -> Any: ...


@_refuses
def memory_summary(device: Any = None, abbreviated: bool = False) -> Any: ...


@_refuses
def memory_snapshot(mempool_id: Any = None, include_traces: bool = True) -> Any: ...


@_refuses
def get_per_process_memory_fraction(device: Any = None) -> Any: ...


@_refuses
def set_per_process_memory_fraction(fraction: float, device: Any = None) -> Any: ...


@_refuses
def reset_peak_memory_stats(device: Any = None) -> Any: ...


@_refuses
def reset_accumulated_memory_stats(device: Any = None) -> Any: ...


@_refuses
def reset_max_memory_allocated(device: Any = None) -> Any: ...


@_refuses
def reset_max_memory_cached(device: Any = None) -> Any: ...


@_refuses
def reset_peak_host_memory_stats() -> Any: ...


@_refuses
def reset_accumulated_host_memory_stats() -> Any: ...


@_refuses
def get_allocator_backend() -> Any: ...


@_refuses
def change_current_allocator(allocator: Any) -> Any: ...


@_refuses
def caching_allocator_alloc(size: int, device: Any = None, stream: Any = None) -> Any: ...


@_refuses
def caching_allocator_delete(mem_ptr: int) -> Any: ...


@_refuses
def _record_memory_history(enabled: Any = "all", *args: Any, **kwargs: Any) -> Any: ...


@_refuses
def _snapshot(device: Any = None, augment_with_fx_traces: bool = False) -> Any: ...


@_refuses
def _dump_snapshot(filename: str = "dump_snapshot.pickle", augment_with_fx_traces: bool = False) -> Any: ...


def caching_allocator_enable(value: bool = True) -> None:
    """Do nothing: there is no allocator of a device to switch."""


@contextmanager
def caching_allocator_disabled() -> Iterator[None]:
    """Return a block that changes nothing: there is no allocator of a device."""
    yield


@_refuses
def use_mem_pool(pool: Any, device: Any = None) -> Any: ...


MemPool = dummy_class("MemPool", __name__)
CUDAPluggableAllocator = refusing_class("CUDAPluggableAllocator", __name__, AssertionError, NO_CUDA)

__all__ = [
    "CUDAPluggableAllocator",
    "MemPool",
    "caching_allocator_alloc",
    "caching_allocator_delete",
    "caching_allocator_disabled",
    "caching_allocator_enable",
    "change_current_allocator",
    "empty_cache",
    "get_allocator_backend",
    "get_per_process_memory_fraction",
    "host_memory_stats",
    "host_memory_stats_as_nested_dict",
    "list_gpu_processes",
    "max_memory_allocated",
    "max_memory_cached",
    "max_memory_reserved",
    "mem_get_info",
    "memory_allocated",
    "memory_cached",
    "memory_reserved",
    "memory_snapshot",
    "memory_stats",
    "memory_stats_as_nested_dict",
    "memory_summary",
    "reset_accumulated_host_memory_stats",
    "reset_accumulated_memory_stats",
    "reset_max_memory_allocated",
    "reset_max_memory_cached",
    "reset_peak_host_memory_stats",
    "reset_peak_memory_stats",
    "set_per_process_memory_fraction",
    "use_mem_pool",
]
