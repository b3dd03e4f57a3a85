"""Streams and events of any device: of the CPU, whose work is done when a call returns.

Source: torch.Stream, torch.Event.
"""

from __future__ import annotations

from typing import Any

from npg._naming import named
from npg._words import type_name
from npg.functional._attributes import CPU, device as _device

_NO_EVENTS = "cpu backend doesn't support events."


def _check(place: Any) -> None:
    """Raise RuntimeError for a device that is not the CPU."""
    if place is not None and (chosen := _device(place)).type != "cpu":
        raise RuntimeError(f"PyTorch is not linked with support for {chosen.type} devices")


class Stream:
    """The order in which a device works: of the CPU there is one.

    Args:
        device: the CPU.
        priority: accepted; there is one stream.
    """

    __module__ = "npg"
    device, device_index, device_type, stream_id = CPU, -1, 0, 0

    def __init__(self, device: Any = None, *, priority: int = 0) -> None:
        _check(device)

    def query(self) -> bool:
        """Return True: what was called has been done."""
        return True

    def synchronize(self) -> None:
        """Do nothing: what was called has been done."""

    def wait_event(self, event: Any) -> None:
        """Do nothing: what was called has been done."""

    def wait_stream(self, stream: Any) -> None:
        """Raise RuntimeError: cpu backend doesn't support events."""
        raise RuntimeError(_NO_EVENTS)

    def record_event(self, event: Any = None) -> Any:
        """Raise RuntimeError: cpu backend doesn't support events."""
        raise RuntimeError(_NO_EVENTS)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream)

    def __hash__(self) -> int:
        return hash((self.device_type, self.stream_id))

    def __repr__(self) -> str:
        return named("npg.Stream device_type=cpu, device_index=-1, stream_id=0")


class Event:
    """A point in a device's work: of the CPU none can be recorded.

    Args:
        device: the CPU.
        enable_timing, blocking, interprocess: accepted; nothing is recorded.
    """

    __module__ = "npg"
    device, event_id = CPU, 0

    def __init__(
        self, device: Any = None, *, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False
    ) -> None:
        _check(device)
        for name, value in (("enable_timing", enable_timing), ("blocking", blocking), ("interprocess", interprocess)):
            if not isinstance(value, bool):
                raise TypeError(f"Event(): argument {name!r} must be bool, not {type_name(value)}")
        self._flag = int(enable_timing)

    def query(self) -> bool:
        """Return True: what was called has been done."""
        return True

    def record(self, stream: Any = None) -> None:
        """Raise RuntimeError: cpu backend doesn't support events."""
        raise RuntimeError(_NO_EVENTS)

    def wait(self, stream: Any = None) -> None:
        """Do nothing: what was called has been done."""

    def synchronize(self) -> None:
        """Do nothing: what was called has been done."""

    def elapsed_time(self, end_event: Any) -> float:
        """Raise: nothing was recorded; time.perf_counter() measures the CPU's work."""
        if not self._flag or not end_event._flag:
            raise ValueError("Both events must be created with argument 'enable_timing=True'.")
        raise RuntimeError(_NO_EVENTS)

    def __repr__(self) -> str:
        return named(f"npg.Event device_type=cpu, device_index=-1, event_flag={self._flag}, event_id=0")
