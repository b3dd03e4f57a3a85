"""Several processes that compute together, by MPI: the names of torch.distributed. See docs/distributed.md.

`npg run --nproc-per-node N script.py` or `mpiexec -n N python script.py` starts the processes, and init_process_group
makes the group of all of them. Needs the extra "mpi". Source: torch.distributed.
"""

from __future__ import annotations

import os
from typing import Any

from npg.distributed._check import (
    DebugLevel as DebugLevel,
    get_debug_level as get_debug_level,
    set_debug_level as set_debug_level,
    set_debug_level_from_env as set_debug_level_from_env,
)
from npg.distributed._collectives import (
    all_reduce as all_reduce,
    all_reduce_coalesced as all_reduce_coalesced,
    broadcast as broadcast,
    gather as gather,
    reduce as reduce,
    scatter as scatter,
)
from npg.distributed._exchanges import (
    all_gather as all_gather,
    all_gather_coalesced as all_gather_coalesced,
    all_gather_into_tensor as all_gather_into_tensor,
    all_gather_single as all_gather_single,
    all_to_all as all_to_all,
    all_to_all_single as all_to_all_single,
    reduce_scatter as reduce_scatter,
    reduce_scatter_single as reduce_scatter_single,
    reduce_scatter_tensor as reduce_scatter_tensor,
)
from npg.distributed._groups import (
    Backend as Backend,
    GroupMember as GroupMember,
    ProcessGroup as ProcessGroup,
    default_group,
    get_backend as get_backend,
    get_backend_config as get_backend_config,
    get_global_rank as get_global_rank,
    get_group_rank as get_group_rank,
    get_node_local_rank as get_node_local_rank,
    get_pg_count as get_pg_count,
    get_process_group_ranks as get_process_group_ranks,
    get_rank as get_rank,
    get_world_size as get_world_size,
    group as group,
    is_available as is_available,
    is_initialized as is_initialized,
)
from npg.distributed._making import (
    destroy_process_group as destroy_process_group,
    init_process_group as init_process_group,
    new_group as new_group,
    new_subgroups as new_subgroups,
    new_subgroups_by_enumeration as new_subgroups_by_enumeration,
)
from npg.distributed._messages import (
    P2POp as P2POp,
    barrier as barrier,
    batch_isend_irecv as batch_isend_irecv,
    irecv as irecv,
    isend as isend,
    monitored_barrier as monitored_barrier,
    recv as recv,
    send as send,
)
from npg.distributed._objects import (
    all_gather_object as all_gather_object,
    broadcast_object_list as broadcast_object_list,
    gather_object as gather_object,
    recv_object_list as recv_object_list,
    scatter_object_list as scatter_object_list,
    send_object_list as send_object_list,
)
from npg.distributed._reducer import GradBucket as GradBucket
from npg.distributed._reductions import ReduceOp as ReduceOp, premultiplied_sum
from npg.distributed._stores import (
    FileStore as FileStore,
    HashStore as HashStore,
    PrefixStore as PrefixStore,
    Store as Store,
    TCPStore as TCPStore,
)
from npg.distributed._work import (
    DistBackendError as DistBackendError,
    DistError as DistError,
    DistNetworkError as DistNetworkError,
    DistStoreError as DistStoreError,
    QueueEmptyError as QueueEmptyError,
    Work as Work,
)
from npg.distributed.constants import default_pg_timeout as default_pg_timeout

# Private names that libraries use.
_make_nccl_premul_sum = premultiplied_sum
_get_default_group = default_group


def is_nccl_available() -> bool:
    """Return False: there is no device."""
    return False


def is_ucc_available() -> bool:
    """Return False: npg computes by MPI."""
    return False


def is_xccl_available() -> bool:
    """Return False: there is no device."""
    return False


def is_gloo_available() -> bool:
    """Tell whether the backend "gloo", which is MPI here, can be used."""
    return is_available()


def is_mpi_available() -> bool:
    """Tell whether MPI can be used."""
    return is_available()


def is_backend_available(backend: str) -> bool:
    """Tell whether a backend can be used."""
    return backend.lower() in (Backend.GLOO, Backend.MPI) and is_available()


def get_default_backend_for_device(device: Any) -> str:
    """Return the name of the backend for a device: "gloo", for all compute on the CPU."""
    return str(Backend.GLOO)


def is_torchelastic_launched() -> bool:
    """Tell whether a launcher has started this process that sets TORCHELASTIC_RUN_ID, as `npg run` with ranks does."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def supports_complex(reduceOp: Any) -> bool:
    """Tell whether complex numbers have a reduction."""
    return reduceOp in (ReduceOp.SUM, ReduceOp.AVG, ReduceOp.PREMUL_SUM)
