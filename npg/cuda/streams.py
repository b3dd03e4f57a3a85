"""Streams and events of devices: none can be made. Source: torch.cuda.streams."""

from __future__ import annotations

from npg._refusal import dummy_class, refusing_class
from npg.functional._attributes import NO_CUDA

Stream = refusing_class("Stream", __name__, RuntimeError, "npg.cuda.Stream requires CUDA support")
Event = dummy_class("Event", __name__)
ExternalStream = refusing_class("ExternalStream", __name__, AssertionError, NO_CUDA)

__all__ = [
    "Event",
    "ExternalStream",
    "Stream",
]
