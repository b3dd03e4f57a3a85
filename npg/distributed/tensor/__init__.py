"""Tensors shared out among processes, which npg does not have: a tensor is none of them.

Source: torch.distributed.tensor.
"""

from __future__ import annotations

from typing import Any

from npg._refusal import refusing, refusing_class
from npg.distributed.device_mesh import DeviceMesh as DeviceMesh, init_device_mesh as init_device_mesh
from npg.distributed.tensor import placement_types as placement_types
from npg.distributed.tensor.placement_types import (
    TEXT,
    Partial as Partial,
    Placement as Placement,
    Replicate as Replicate,
    Shard as Shard,
)

__all__ = [
    "DTensor",
    "DeviceMesh",
    "Partial",
    "Placement",
    "Replicate",
    "Shard",
    "distribute_module",
    "distribute_tensor",
    "init_device_mesh",
]

DTensor = refusing_class("DTensor", __name__, RuntimeError, TEXT)


@refusing(RuntimeError, TEXT)
def distribute_tensor(tensor: Any, device_mesh: Any = None, placements: Any = None, **others: Any) -> Any: ...


@refusing(RuntimeError, TEXT)
def distribute_module(module: Any, device_mesh: Any = None, *functions: Any, **others: Any) -> Any: ...
