"""Intel's devices, of which there is none. Source: torch.xpu."""

from __future__ import annotations

from typing import Any

from npg import cuda
from npg._refusal import dummy_class, dummy_text, refusing, refusing_class
from npg.cuda import (
    device_count,
    get_arch_list,
    get_gencode_flags,
    is_available,
    is_bf16_supported,
    is_initialized,
    is_tf32_supported,
)
from npg.cuda.memory import (
    empty_cache,
    max_memory_allocated,
    max_memory_reserved,
    memory_allocated,
    memory_reserved,
    memory_stats,
    memory_stats_as_nested_dict,
)
from npg.cuda.random import get_rng_state_all, manual_seed, manual_seed_all, seed, seed_all
from npg.functional._attributes import NOT_COMPILED

_WITHOUT = NOT_COMPILED["xpu"]
_refuses = refusing(AssertionError, _WITHOUT)

default_generators: tuple[Any, ...] = ()

# ----- Memory and random numbers -----


def memory_snapshot(mempool_id: Any = None) -> list[Any]:
    """Return an empty list: there is no device."""
    return []


def set_rng_state(new_state: Any, device: Any = "xpu") -> None:
    """Do nothing with a state: there is no device that could take it. Raises: TypeError: for what is no tensor."""
    cuda.set_rng_state(new_state)


def set_rng_state_all(new_states: Any) -> None:
    """Do nothing with states: there is no device that could take them."""
    cuda.set_rng_state_all(new_states)


@_refuses
def get_rng_state(device: Any = "xpu") -> Any: ...


# ----- Devices -----


@_refuses
def init() -> Any: ...


@_refuses
def current_device() -> Any: ...


@_refuses
def current_stream(device: Any = None) -> Any: ...


@_refuses
def set_device(device: Any) -> Any: ...


@_refuses
def set_stream(stream: Any) -> Any: ...


@_refuses
def synchronize(device: Any = None) -> Any: ...


@_refuses
def get_device_name(device: Any = None) -> Any: ...


@_refuses
def get_device_capability(device: Any = None) -> Any: ...


@_refuses
def get_device_properties(device: Any = None) -> Any: ...


@_refuses
def can_device_access_peer(device: Any, peer: Any) -> Any: ...


@_refuses
def get_stream_from_external(data_ptr: int, device: Any = None) -> Any: ...


@_refuses
def clock_rate(device: Any = None) -> Any: ...


@_refuses
def device_memory_used(device: Any = None) -> Any: ...


@_refuses
def memory_usage(device: Any = None) -> Any: ...


@_refuses
def power_draw(device: Any = None) -> Any: ...


@_refuses
def temperature(device: Any = None) -> Any: ...


@_refuses
def utilization(device: Any = None) -> Any: ...


@_refuses
def initial_seed() -> Any: ...


@_refuses
def get_per_process_memory_fraction(device: Any = None) -> Any: ...


@_refuses
def set_per_process_memory_fraction(fraction: float, device: Any = None) -> Any: ...


@_refuses
def mem_get_info(device: Any = None) -> Any: ...


@_refuses
def reset_accumulated_memory_stats(device: Any = None) -> Any: ...


@_refuses
def reset_peak_memory_stats(device: Any = None) -> Any: ...


@_refuses
def change_current_allocator(allocator: Any) -> Any: ...


@_refuses
def use_mem_pool(pool: Any, device: Any = None) -> Any: ...


class device:
    """A block that computes on another device; to enter it raises where the device is not there."""

    def __init__(self, device: Any) -> None:
        self.idx = device
        self.prev_idx = -1

    def __enter__(self) -> None:
        if self.idx is not None and not (isinstance(self.idx, int) and self.idx < 0):
            raise AssertionError(_WITHOUT)

    def __exit__(self, *exc: object) -> None:
        pass


class device_of(device):
    """A block that computes where an object is: a tensor of npg is on the CPU, so the block changes nothing."""

    def __init__(self, obj: Any) -> None:
        super().__init__(None)


class StreamContext(cuda.StreamContext):
    """A block whose work goes to a stream; with None the block changes nothing, and there are no other streams."""

    _without = _WITHOUT


def stream(stream: Any) -> StreamContext:
    """Return a block whose work goes to a stream; with None the block changes nothing."""
    return StreamContext(stream)


Stream = dummy_class("Stream", __name__)
Event = dummy_class("Event", __name__)
MemPool = dummy_class("MemPool", __name__)
XPUGraph = dummy_class("XPUGraph", __name__)
XPUPluggableAllocator = refusing_class("XPUPluggableAllocator", __name__, AssertionError, _WITHOUT)
graph = dummy_class("graph", __name__, "XPUGraph")


@refusing(RuntimeError, dummy_text("_xpu_graph_pool_handle"))
def graph_pool_handle() -> Any: ...


@refusing(RuntimeError, dummy_text("_xpu_isCurrentStreamCapturing"))
def is_current_stream_capturing() -> Any: ...


@refusing(RuntimeError, dummy_text("XPUGraph"))
def make_graphed_callables(
    callables: Any, sample_args: Any, num_warmup_iters: int = 3, allow_unused_input: bool = False, pool: Any = None
) -> Any: ...


__all__ = [
    "Event",
    "MemPool",
    "Stream",
    "StreamContext",
    "XPUGraph",
    "XPUPluggableAllocator",
    "can_device_access_peer",
    "change_current_allocator",
    "clock_rate",
    "current_device",
    "current_stream",
    "default_generators",
    "device",
    "device_count",
    "device_memory_used",
    "device_of",
    "empty_cache",
    "get_arch_list",
    "get_device_capability",
    "get_device_name",
    "get_device_properties",
    "get_gencode_flags",
    "get_per_process_memory_fraction",
    "get_rng_state",
    "get_rng_state_all",
    "get_stream_from_external",
    "graph",
    "graph_pool_handle",
    "init",
    "initial_seed",
    "is_available",
    "is_bf16_supported",
    "is_current_stream_capturing",
    "is_initialized",
    "is_tf32_supported",
    "make_graphed_callables",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "max_memory_reserved",
    "mem_get_info",
    "memory_allocated",
    "memory_reserved",
    "memory_snapshot",
    "memory_stats",
    "memory_stats_as_nested_dict",
    "memory_usage",
    "power_draw",
    "reset_accumulated_memory_stats",
    "reset_peak_memory_stats",
    "seed",
    "seed_all",
    "set_device",
    "set_per_process_memory_fraction",
    "set_rng_state",
    "set_rng_state_all",
    "set_stream",
    "stream",
    "synchronize",
    "temperature",
    "use_mem_pool",
    "utilization",
]
