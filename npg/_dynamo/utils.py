"""What libraries ask of PyTorch's compiler. Source: torch._dynamo.utils."""

from __future__ import annotations

from typing import Any

from npg.functional._attributes import device as _device

__all__ = ["is_compile_supported"]


def is_compile_supported(device_type: Any) -> bool:
    """Tell whether a function that goes through npg.compile runs on a device: on the CPU it does, as it is."""
    return _device(device_type).type == "cpu"
