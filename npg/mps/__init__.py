"""Apple's devices, of which there is none. Source: torch.mps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from npg import _lazy
from npg._naming import named
from npg._refusal import refusing, refusing_class
from npg.engine import TensorBase

_WITHOUT = "Cannot execute {}() without MPS backend."


def is_available() -> bool:
    """Return False: npg computes on the CPU."""
    return False


def device_count() -> int:
    """Return 0: npg computes on the CPU."""
    return 0


def manual_seed(seed: int) -> None:
    """Do nothing: there is no device to seed. npg.manual_seed seeds the CPU."""
    int(seed)


@refusing(RuntimeError, _WITHOUT.format("getDefaultGenerator"))
def seed() -> Any: ...


def set_rng_state(new_state: Any, device: Any = "mps") -> None:
    """Do nothing with a state: there is no device that could take it. Raises: TypeError: for what is no tensor."""
    if not isinstance(new_state, TensorBase):
        raise TypeError(named(f"expected a npg.ByteTensor, but got {type(new_state).__name__}"))


@refusing(RuntimeError, _WITHOUT.format("getCurrentAllocatedMemory"))
def current_allocated_memory() -> Any: ...


@refusing(RuntimeError, _WITHOUT.format("getDriverAllocatedMemory"))
def driver_allocated_memory() -> Any: ...


@refusing(RuntimeError, _WITHOUT.format("emptyCache"))
def empty_cache() -> Any: ...


@refusing(RuntimeError, _WITHOUT.format("getRecommendedMaxMemory"))
def recommended_max_memory() -> Any: ...


@refusing(RuntimeError, _WITHOUT.format("deviceSynchronize"))
def synchronize() -> Any: ...


@refusing(RuntimeError, _WITHOUT.format("getDefaultGenerator"))
def get_rng_state(device: Any = "mps") -> Any: ...


@refusing(RuntimeError, _WITHOUT.format("setMemoryFraction"))
def set_per_process_memory_fraction(fraction: float) -> Any: ...


@refusing(RuntimeError, "MPS is not available")
def compile_shader(source: str) -> Any: ...


@refusing(RuntimeError, "MPS is not available")
def load_metallib(source: Any) -> Any: ...


Event = refusing_class("Event", __name__, RuntimeError, _WITHOUT.format("acquireEvent"))

if TYPE_CHECKING:
    from npg.mps import profiler as profiler
else:
    __getattr__ = _lazy.loader(__name__, {}, {"profiler": "npg.mps.profiler"})

__all__ = [
    "Event",
    "compile_shader",
    "current_allocated_memory",
    "device_count",
    "driver_allocated_memory",
    "empty_cache",
    "get_rng_state",
    "is_available",
    "load_metallib",
    "manual_seed",
    "profiler",
    "recommended_max_memory",
    "seed",
    "set_per_process_memory_fraction",
    "set_rng_state",
    "synchronize",
]
