"""Meshes of devices, of which there are none here. Source: torch.distributed.device_mesh."""

from __future__ import annotations

from typing import Any

from npg._refusal import refusing, refusing_class

__all__ = ["DeviceMesh", "init_device_mesh"]

TEXT = "npg has no device meshes; new_group makes groups of processes"

DeviceMesh = refusing_class("DeviceMesh", __name__, RuntimeError, TEXT)


@refusing(RuntimeError, TEXT)
def init_device_mesh(device_type: str, mesh_shape: Any, *, mesh_dim_names: Any = None, **others: Any) -> Any: ...
