"""Meta's devices, of which there is none. Source: torch.mtia."""

from __future__ import annotations

from typing import Any

from npg._refusal import refusing, refusing_class
from npg.accelerator._streams import Event, Stream
from npg.cuda import device_count, is_available, is_initialized
from npg.cuda.memory import max_memory_allocated, memory_allocated
from npg.cuda.random import (
    get_rng_state_all,
    manual_seed,
    manual_seed_all,
    seed,
    seed_all,
    set_rng_state_all,
)

_WITHOUT = "Cannot execute {}() without MTIA backend."
_NOT_COMPILED = (
    "Torch not compiled with MTIA enabled. Ensure you have `import "
    "mtia.host_runtime.torch_mtia.dynamic_library` in your python src file and include "
    "`//mtia/host_runtime/torch_mtia:torch_mtia` as your target dependency!"
)

default_generators: tuple[Any, ...] = ()


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Return True, as in PyTorch without a device: it says so of these devices, whether there is one or not."""
    return True


def memory_stats(device: Any = None) -> dict[str, Any]:
    """Return an empty dict: there is no device."""
    return {}


def reset_peak_memory_stats(device: Any = None) -> None:
    """Do nothing: there is no device."""


def record_memory_history(enabled: str | None = "all", stacks: str = "python", max_entries: int = 0) -> None:
    """Do nothing: there is no device."""


@refusing(AssertionError, _NOT_COMPILED)
def init() -> Any: ...


@refusing(AssertionError, _NOT_COMPILED)
def get_rng_state(device: Any = "mtia") -> Any: ...


@refusing(AssertionError, _NOT_COMPILED)
def initial_seed() -> Any: ...


_asks_for_the_device = refusing(RuntimeError, _WITHOUT.format("getCurrentDevice"))


@_asks_for_the_device
def synchronize(device: Any = None) -> Any: ...


@_asks_for_the_device
def current_device() -> Any: ...


@_asks_for_the_device
def current_stream(device: Any = None) -> Any: ...


@_asks_for_the_device
def default_stream(device: Any = None) -> Any: ...


@_asks_for_the_device
def stream(stream: Any) -> Any: ...


@_asks_for_the_device
def get_device_capability(device: Any = None) -> Any: ...


@_asks_for_the_device
def get_device_properties(device: Any = None) -> Any: ...


@_asks_for_the_device
def set_rng_state(new_state: Any, device: Any = "mtia") -> Any: ...


@refusing(RuntimeError, _WITHOUT.format("setCurrentDevice"))
def set_device(device: Any) -> Any: ...


@refusing(RuntimeError, _WITHOUT.format("setCurrentStream"))
def set_stream(stream: Any) -> Any: ...


@refusing(RuntimeError, _WITHOUT.format("emptyCache"))
def empty_cache() -> Any: ...


@refusing(RuntimeError, _WITHOUT.format("memorySnapshot"))
def snapshot() -> Any: ...


@refusing(RuntimeError, _WITHOUT.format("attachOutOfMemoryObserver"))
def attach_out_of_memory_observer(observer: Any) -> Any: ...


@refusing(RuntimeError, _WITHOUT.format("graphPoolHandle"))
def graph_pool_handle() -> Any: ...


class device:
    """A block that computes on another device; to enter it raises where the device is not there."""

    def __init__(self, device: Any) -> None:
        self.idx = device
        self.prev_idx = -1

    def __enter__(self) -> None:
        if self.idx is not None and not (isinstance(self.idx, int) and self.idx < 0):
            raise RuntimeError(_WITHOUT.format("maybeExchangeDevice"))

    def __exit__(self, *exc: object) -> None:
        pass


MTIAGraph = refusing_class("MTIAGraph", __name__, RuntimeError, _WITHOUT.format("mtiagraphCreate"))
graph = refusing_class("graph", __name__, RuntimeError, _WITHOUT.format("mtiagraphCreate"))

__all__ = [
    "Event",
    "MTIAGraph",
    "Stream",
    "attach_out_of_memory_observer",
    "current_device",
    "current_stream",
    "default_generators",
    "default_stream",
    "device",
    "device_count",
    "empty_cache",
    "get_device_capability",
    "get_device_properties",
    "get_rng_state",
    "get_rng_state_all",
    "graph",
    "graph_pool_handle",
    "init",
    "initial_seed",
    "is_available",
    "is_bf16_supported",
    "is_initialized",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "memory_allocated",
    "memory_stats",
    "record_memory_history",
    "reset_peak_memory_stats",
    "seed",
    "seed_all",
    "set_device",
    "set_rng_state",
    "set_rng_state_all",
    "set_stream",
    "snapshot",
    "stream",
    "synchronize",
]
