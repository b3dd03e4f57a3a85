"""Pinned memory, which only accelerators need.

Source: torch.utils.data._utils.pin_memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from npg.utils.data._utils.collate import mapping_like, sequence_like

__all__ = ["pin_memory"]


def pin_memory(data: Any, device: Any = None) -> Any:
    """Return data with the result of `pin_memory()` in place of every object that has this method.

    A tensor's raises: there is no accelerator. A DataLoader does not call this, it warns.
    """
    if hasattr(data, "pin_memory"):
        return data.pin_memory()
    if isinstance(data, (str, bytes)):
        return data
    if isinstance(data, Mapping):
        return mapping_like(data, {key: pin_memory(value, device) for key, value in data.items()})
    if isinstance(data, tuple):
        values = [pin_memory(value, device) for value in data]
        return type(data)(*values) if hasattr(data, "_fields") else type(data)(values)
    if isinstance(data, Sequence):
        return sequence_like(data, [pin_memory(value, device) for value in data])
    return data
