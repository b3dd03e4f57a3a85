"""Several processes that compute together: npg has one. Source: torch.distributed in a build without it.

A script that asks `is_available()` or `is_initialized()` runs as one process.
"""

from __future__ import annotations

from typing import Any

from npg._refusal import refusing

# What PyTorch says where a group is asked for that was not made.
_refuses = refusing(
    ValueError,
    "Default process group has not been initialized, please make sure to call init_process_group.",
)
_absent = refusing(RuntimeError, "npg has no process groups yet; run one process")


def is_available() -> bool:
    """Return False: npg has no process groups yet."""
    return False


def is_initialized() -> bool:
    """Return False: npg has no process groups yet."""
    return False


def is_nccl_available() -> bool:
    """Return False: there is no device."""
    return False


def is_gloo_available() -> bool:
    """Return False: npg has no process groups yet."""
    return False


def is_mpi_available() -> bool:
    """Return False: npg has no process groups yet."""
    return False


def is_torchelastic_launched() -> bool:
    """Return False: no launcher of PyTorch starts npg."""
    return False


@_absent
def init_process_group(
    backend: Any = None,
    init_method: Any = None,
    timeout: Any = None,
    world_size: int = -1,
    rank: int = -1,
    **others: Any,
) -> Any: ...


@_absent
def destroy_process_group(group: Any = None) -> Any: ...


@_absent
def new_group(ranks: Any = None, **others: Any) -> Any: ...


@_refuses
def barrier(group: Any = None, async_op: bool = False, device_ids: Any = None, timeout: Any = None) -> Any: ...


@_refuses
def get_backend(group: Any = None) -> Any: ...


@_refuses
def get_rank(group: Any = None) -> Any: ...


@_refuses
def get_world_size(group: Any = None) -> Any: ...


@_refuses
def all_reduce(tensor: Any, op: Any = None, group: Any = None, async_op: bool = False) -> Any: ...


@_refuses
def all_gather(tensor_list: Any, tensor: Any, group: Any = None, async_op: bool = False) -> Any: ...


@_refuses
def all_gather_object(object_list: Any, obj: Any, group: Any = None) -> Any: ...


@_refuses
def broadcast(
    tensor: Any, src: Any = None, group: Any = None, async_op: bool = False, group_src: Any = None
) -> Any: ...


@_refuses
def reduce(
    tensor: Any, dst: Any = None, op: Any = None, group: Any = None, async_op: bool = False, group_dst: Any = None
) -> Any: ...


@_refuses
def gather(
    tensor: Any,
    gather_list: Any = None,
    dst: Any = None,
    group: Any = None,
    async_op: bool = False,
    group_dst: Any = None,
) -> Any: ...


@_refuses
def scatter(
    tensor: Any,
    scatter_list: Any = None,
    src: Any = None,
    group: Any = None,
    async_op: bool = False,
    group_src: Any = None,
) -> Any: ...


@_refuses
def send(tensor: Any, dst: Any = None, group: Any = None, tag: int = 0, group_dst: Any = None) -> Any: ...


@_refuses
def recv(tensor: Any, src: Any = None, group: Any = None, tag: int = 0, group_src: Any = None) -> Any: ...


__all__ = [
    "all_gather",
    "all_gather_object",
    "all_reduce",
    "barrier",
    "broadcast",
    "destroy_process_group",
    "gather",
    "get_backend",
    "get_rank",
    "get_world_size",
    "init_process_group",
    "is_available",
    "is_gloo_available",
    "is_initialized",
    "is_mpi_available",
    "is_nccl_available",
    "is_torchelastic_launched",
    "new_group",
    "recv",
    "reduce",
    "scatter",
    "send",
]
