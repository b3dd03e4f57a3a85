"""Streams and events of devices: none can be made. Source: torch.cuda.streams."""

from __future__ import annotations

from npg._refusal import refusing_class
from npg.functional._attributes import NO_CUDA

Stream = refusing_class("Stream", __name__, RuntimeError, "npg.cuda.Stream requires CUDA support")
Event = refusing_class("Event", __name__, RuntimeError, "Tried to instantiate dummy base class Event")
ExternalStream = refusing_class("ExternalStream", __name__, AssertionError, NO_CUDA)

__all__ = [
    "Event",
    "ExternalStream",
    "Stream",
]
