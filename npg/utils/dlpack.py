"""Tensors as DLPack capsules and back, under PyTorch's names."""

from __future__ import annotations

from typing import Any

from npg.tensor.exchange import from_dlpack

__all__ = ["from_dlpack", "to_dlpack"]


def to_dlpack(tensor: Any) -> Any:
    """Return a DLPack capsule of a tensor, which shares its memory and can be used once.

    Raises: BufferError: when the tensor requires grad.
    Source: torch.utils.dlpack.to_dlpack.
    """
    return tensor.__dlpack__()
