"""Apple's tracing of devices, of which there is none. Source: torch.mps.profiler."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from npg._refusal import refusing

_WITHOUT = "Cannot execute {}() without MPS backend."


@refusing(RuntimeError, _WITHOUT.format("profilerStartTrace"))
def start(mode: str = "interval", wait_until_completed: bool = False) -> Any: ...


@refusing(RuntimeError, _WITHOUT.format("profilerStopTrace"))
def stop() -> Any: ...


@contextmanager
def profile(mode: str = "interval", wait_until_completed: bool = False) -> Iterator[None]:
    """Return a block whose work a device traces; to enter it raises."""
    start(mode, wait_until_completed)
    yield


@contextmanager
def metal_capture(fname: str) -> Iterator[None]:
    """Return a block whose work a device captures; to enter it raises."""
    start()
    yield


def is_metal_capture_enabled() -> bool:
    """Return False: there is no device."""
    return False


def is_capturing_metal() -> bool:
    """Return False: there is no device."""
    return False


__all__ = ["is_capturing_metal", "is_metal_capture_enabled", "metal_capture", "profile", "start", "stop"]
