"""The CPU as a device: there is one, and nothing on it runs later than it is called. Source: torch.cpu."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from npg import _lazy
from npg.kernels.processor import FEATURES


def is_available() -> bool:
    """Return True."""
    return True


def is_initialized() -> bool:
    """Return True."""
    return True


def device_count() -> int:
    """Return 1."""
    return 1


def current_device() -> str:
    """Return "cpu"."""
    return "cpu"


def set_device(device: Any) -> None:
    """Do nothing: there is one CPU."""


def get_capabilities() -> Mapping[str, Any]:
    """Return what the processor can do, by PyTorch's names: its instructions, as far as NumPy knows them.

    Returns: a mapping that cannot be changed: "architecture", "num_logical_cores", and for each set of instructions
        ("avx2", "avx512_f", "fma3", "neon") whether it is there. PyTorch names more of them, and sizes of caches.
    Source: torch.cpu.get_capabilities.
    """
    facts: dict[str, Any] = {"architecture": platform.machine(), "num_logical_cores": os.cpu_count()}
    for name, there in FEATURES.items():
        if name[:4] != "X86_" and name[:7] != "AVX512_":  # groups of NumPy's own
            name = name.lower().replace("avx512", "avx512_")
            facts[{"sse41": "sse4_1", "sse42": "sse4_2"}.get(name, name)] = there
    return MappingProxyType(facts)


def synchronize(device: Any = None) -> None:
    """Do nothing: what was called has been done."""


class Stream:
    """The order in which the CPU works; there is one."""

    def __init__(self, priority: int = -1) -> None:
        pass

    def wait_stream(self, stream: Any) -> None:
        """Do nothing: what was called has been done."""

    def record_event(self) -> None:
        """Do nothing: what was called has been done."""

    def wait_event(self, event: Any) -> None:
        """Do nothing: what was called has been done."""


class Event:
    """A point in the CPU's work, which is always reached."""

    def query(self) -> bool:
        """Return True: what was called has been done."""
        return True

    def record(self, stream: Any = None) -> None:
        """Do nothing: what was called has been done."""

    def synchronize(self) -> None:
        """Do nothing: what was called has been done."""

    def wait(self, stream: Any = None) -> None:
        """Do nothing: what was called has been done."""


_current = Stream()


def current_stream(device: Any = None) -> Stream:
    """Return the stream of the innermost block, or the CPU's own."""
    return _current


class StreamContext:
    """A block within which `stream` is the current stream; None changes nothing."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.prev_stream = _current

    def __enter__(self) -> None:
        global _current
        if self.stream is not None:
            self.prev_stream = _current
            _current = self.stream

    def __exit__(self, *exc: object) -> None:
        global _current
        if self.stream is not None:
            _current = self.prev_stream


def stream(stream: Any) -> StreamContext:
    """Return a block within which `stream` is the current stream."""
    return StreamContext(stream)


if TYPE_CHECKING:
    from npg.cpu import amp as amp
else:
    __getattr__ = _lazy.loader(__name__, {}, {"amp": "npg.cpu.amp"})

__all__ = [
    "Event",
    "Stream",
    "StreamContext",
    "amp",
    "current_device",
    "current_stream",
    "device_count",
    "get_capabilities",
    "is_available",
    "is_initialized",
    "set_device",
    "stream",
    "synchronize",
]
