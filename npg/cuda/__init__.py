"""PyTorch's CUDA names in its CPU build: there is no device, and what would need one says so.

A script that asks `is_available()`, `device_count()`, seeds the devices or frees their memory runs as it stands; what
cannot be done without a device raises PyTorch's AssertionError. Source: torch.cuda.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from npg import _lazy
from npg._errors import AcceleratorError, OutOfMemoryError
from npg._refusal import refusing, refusing_class
from npg.cuda.memory import (
    CUDAPluggableAllocator,
    MemPool,
    caching_allocator_alloc,
    caching_allocator_delete,
    caching_allocator_disabled,
    caching_allocator_enable,
    change_current_allocator,
    empty_cache,
    get_allocator_backend,
    get_per_process_memory_fraction,
    host_memory_stats,
    host_memory_stats_as_nested_dict,
    list_gpu_processes,
    max_memory_allocated,
    max_memory_cached,
    max_memory_reserved,
    mem_get_info,
    memory_allocated,
    memory_cached,
    memory_reserved,
    memory_snapshot,
    memory_stats,
    memory_stats_as_nested_dict,
    memory_summary,
    reset_accumulated_host_memory_stats,
    reset_accumulated_memory_stats,
    reset_max_memory_allocated,
    reset_max_memory_cached,
    reset_peak_host_memory_stats,
    reset_peak_memory_stats,
    set_per_process_memory_fraction,
    use_mem_pool,
)
from npg.cuda.random import (
    get_rng_state,
    get_rng_state_all,
    initial_seed,
    manual_seed,
    manual_seed_all,
    seed,
    seed_all,
    set_rng_state,
    set_rng_state_all,
)
from npg.cuda.streams import Event, ExternalStream, Stream
from npg.functional._attributes import NO_CUDA, device as _device

_refuses = refusing(AssertionError, NO_CUDA)

# ----- What there is -----


def is_available() -> bool:
    """Return False: npg computes on the CPU."""
    return False


def device_count() -> int:
    """Return 0: npg computes on the CPU."""
    return 0


def is_initialized() -> bool:
    """Return False: there is nothing to initialise."""
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Return False: there is no device."""
    return False


def is_tf32_supported() -> bool:
    """Return False: there is no device."""
    return False


def get_arch_list() -> list[str]:
    """Return an empty list: nothing was compiled for a device."""
    return []


def get_gencode_flags() -> str:
    """Return an empty string: nothing was compiled for a device."""
    return ""


default_generators: tuple[Any, ...] = ()
has_half = True
has_magma = False

# ----- Devices -----


@_refuses
def init() -> Any: ...


@_refuses
def current_device() -> Any: ...


@_refuses
def get_device_name(device: Any = None) -> Any: ...


@_refuses
def get_device_capability(device: Any = None) -> Any: ...


@_refuses
def get_device_properties(device: Any = None) -> Any: ...


@_refuses
def can_device_access_peer(device: Any, peer_device: Any) -> Any: ...


@_refuses
def synchronize(device: Any = None) -> Any: ...


@_refuses
def ipc_collect() -> Any: ...


@_refuses
def cudart() -> Any: ...


@_refuses
def check_error(res: int) -> Any: ...


@_refuses
def current_blas_handle() -> Any: ...


@_refuses
def current_solver_handle() -> Any: ...


@_refuses
def get_sync_debug_mode() -> Any: ...


@_refuses
def set_sync_debug_mode(debug_mode: int | str) -> Any: ...


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


def set_device(device: Any) -> None:
    """Raise AssertionError: Torch not compiled with CUDA enabled. A negative index does nothing.

    Raises: ValueError: for a device of another type.
    """
    if isinstance(device, int):
        if device >= 0:
            raise AssertionError(NO_CUDA)
        return
    chosen = _device(device)
    if chosen.type != "cuda":
        raise ValueError(f"Expected a cuda device, but got: {chosen}")
    raise AssertionError(NO_CUDA)


class device:
    """A block that computes on another device; to enter it raises where the device is not there.

    Args:
        device: an index or a device; a negative index: the block changes nothing.
    """

    def __init__(self, device: Any) -> None:
        self.idx = device if isinstance(device, int) else -1 if device is None else _device(device)
        self.prev_idx = -1

    def __enter__(self) -> None:
        if not isinstance(self.idx, int) or self.idx >= 0:
            raise AssertionError(NO_CUDA)

    def __exit__(self, *exc: object) -> None:
        pass


class device_of(device):
    """A block that computes where an object is: a tensor of npg is on the CPU, so the block changes nothing."""

    def __init__(self, obj: Any) -> None:
        super().__init__(-1)


# ----- Streams -----


@_refuses
def current_stream(device: Any = None) -> Any: ...


@_refuses
def default_stream(device: Any = None) -> Any: ...


@_refuses
def get_stream_from_external(data_ptr: int, device: Any = None) -> Any: ...


def set_stream(stream: Any) -> None:
    """Do nothing for None. Raises: AssertionError: for anything else, as there are no streams."""
    if stream is not None:
        raise AssertionError(NO_CUDA)


class StreamContext:
    """A block whose work goes to a stream; with None the block changes nothing, and there are no other streams."""

    _without = NO_CUDA

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        if self.stream is not None:
            raise AssertionError(self._without)

    def __exit__(self, *exc: object) -> None:
        pass


def stream(stream: Any) -> StreamContext:
    """Return a block whose work goes to a stream; with None the block changes nothing."""
    return StreamContext(stream)


# ----- Errors -----


class DeferredCudaCallError(Exception):
    """Raised by PyTorch when a call that waited for a device fails; npg never raises it."""


CudaError = refusing_class("CudaError", __name__, AssertionError, NO_CUDA, (RuntimeError,))

# ----- Types of tensors on a device -----


def _type(name: str) -> Any:
    text = f"type npg.cuda.{name} not available. Torch not compiled with CUDA enabled."
    return refusing_class(name, __name__, TypeError, text)


BoolTensor, ByteTensor, CharTensor, ShortTensor = map(_type, ("BoolTensor", "ByteTensor", "CharTensor", "ShortTensor"))
IntTensor, LongTensor, HalfTensor = map(_type, ("IntTensor", "LongTensor", "HalfTensor"))
FloatTensor, DoubleTensor, BFloat16Tensor = map(_type, ("FloatTensor", "DoubleTensor", "BFloat16Tensor"))


# ----- Types of storages on a device -----


def _storage(name: str) -> Any:
    return refusing_class(name, __name__, AssertionError, NO_CUDA)


BoolStorage, ByteStorage, CharStorage = map(_storage, ("BoolStorage", "ByteStorage", "CharStorage"))
ShortStorage, IntStorage, LongStorage = map(_storage, ("ShortStorage", "IntStorage", "LongStorage"))
HalfStorage, FloatStorage, DoubleStorage = map(_storage, ("HalfStorage", "FloatStorage", "DoubleStorage"))
BFloat16Storage = _storage("BFloat16Storage")
ComplexFloatStorage, ComplexDoubleStorage = map(_storage, ("ComplexFloatStorage", "ComplexDoubleStorage"))

_HOMES = _lazy.homes_of(
    {"npg.cuda.graphs": "CUDAGraph graph graph_pool_handle is_current_stream_capturing make_graphed_callables"}
)
_MODULES = {
    name: f"npg.cuda.{name}" for name in ("amp", "comm", "gds", "graphs", "nccl", "nvtx", "profiler", "tunable")
}
if TYPE_CHECKING:
    from npg.cuda import (
        amp as amp,
        comm as comm,
        gds as gds,
        graphs as graphs,
        nccl as nccl,
        nvtx as nvtx,
        profiler as profiler,
        tunable as tunable,
    )
    from npg.cuda.graphs import CUDAGraph, graph, graph_pool_handle, is_current_stream_capturing, make_graphed_callables
else:
    __getattr__ = _lazy.loader(__name__, _HOMES, _MODULES)

__all__ = [
    "AcceleratorError",
    "BFloat16Storage",
    "BFloat16Tensor",
    "BoolStorage",
    "BoolTensor",
    "ByteStorage",
    "ByteTensor",
    "CUDAGraph",
    "CUDAPluggableAllocator",
    "CharStorage",
    "CharTensor",
    "ComplexDoubleStorage",
    "ComplexFloatStorage",
    "CudaError",
    "DeferredCudaCallError",
    "DoubleStorage",
    "DoubleTensor",
    "Event",
    "ExternalStream",
    "FloatStorage",
    "FloatTensor",
    "HalfStorage",
    "HalfTensor",
    "IntStorage",
    "IntTensor",
    "LongStorage",
    "LongTensor",
    "MemPool",
    "OutOfMemoryError",
    "ShortStorage",
    "ShortTensor",
    "Stream",
    "StreamContext",
    "amp",
    "caching_allocator_alloc",
    "caching_allocator_delete",
    "caching_allocator_disabled",
    "caching_allocator_enable",
    "can_device_access_peer",
    "change_current_allocator",
    "check_error",
    "clock_rate",
    "cudart",
    "current_blas_handle",
    "current_device",
    "current_solver_handle",
    "current_stream",
    "default_generators",
    "default_stream",
    "device",
    "device_count",
    "device_memory_used",
    "device_of",
    "empty_cache",
    "get_allocator_backend",
    "get_arch_list",
    "get_device_capability",
    "get_device_name",
    "get_device_properties",
    "get_gencode_flags",
    "get_per_process_memory_fraction",
    "get_rng_state",
    "get_rng_state_all",
    "get_stream_from_external",
    "get_sync_debug_mode",
    "graph",
    "graph_pool_handle",
    "graphs",
    "has_half",
    "has_magma",
    "host_memory_stats",
    "host_memory_stats_as_nested_dict",
    "init",
    "initial_seed",
    "ipc_collect",
    "is_available",
    "is_bf16_supported",
    "is_current_stream_capturing",
    "is_initialized",
    "is_tf32_supported",
    "list_gpu_processes",
    "make_graphed_callables",
    "manual_seed",
    "manual_seed_all",
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
    "memory_usage",
    "nccl",
    "nvtx",
    "power_draw",
    "profiler",
    "reset_accumulated_host_memory_stats",
    "reset_accumulated_memory_stats",
    "reset_max_memory_allocated",
    "reset_max_memory_cached",
    "reset_peak_host_memory_stats",
    "reset_peak_memory_stats",
    "seed",
    "seed_all",
    "set_device",
    "set_per_process_memory_fraction",
    "set_rng_state",
    "set_rng_state_all",
    "set_stream",
    "set_sync_debug_mode",
    "stream",
    "synchronize",
    "temperature",
    "use_mem_pool",
    "utilization",
]
