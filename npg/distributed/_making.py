"""Making and ending process groups."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from npg._launchers import told
from npg.distributed import _end, _mpi, _rendezvous
from npg.distributed._groups import (
    GroupMember,
    ProcessGroup,
    backend_named,
    default_group,
    get_process_group_ranks,
    get_world_size,
    group_or_default,
    state,
)
from npg.distributed.constants import default_pg_timeout


def _checked_timeout(timeout: Any) -> timedelta:
    if timeout is None:
        return default_pg_timeout
    if not isinstance(timeout, timedelta):
        raise TypeError(f"Expected timeout argument to be of type datetime.timedelta, got {timeout}")
    return timeout


def _asked(rank: int, world_size: int, init_method: str | None, launched: bool) -> tuple[int, int]:
    """Return the rank and the number of ranks that the script or the environment asks for, -1 for any."""
    by_environment = init_method is None or init_method.startswith("env://")
    if by_environment and not (launched and "RANK" not in os.environ):
        rank = rank if rank >= 0 else int(_rendezvous.asked_of_environment("RANK"))
        world_size = world_size if world_size > 0 else int(_rendezvous.asked_of_environment("WORLD_SIZE"))
    return rank, world_size


def init_process_group(
    backend: str | None = None,
    init_method: str | None = None,
    timeout: timedelta | None = None,
    world_size: int = -1,
    rank: int = -1,
    store: Any = None,
    group_name: str = "",
    pg_options: Any = None,
    device_id: Any = None,
) -> None:
    """Make the group of all ranks, which MPI has started, or which find each other.

    Args:
        backend: "mpi" or "gloo", which are MPI here; None: "gloo".
        init_method: "env://" takes what is not given from RANK and WORLD_SIZE. Where MPI's launcher has brought the
            ranks together, nothing else is needed; else they meet at MASTER_ADDR and MASTER_PORT, at "tcp://host:port",
            or by "file://path".
        timeout: how long an operation may take; 30 minutes unless told.
        world_size, rank: the number of ranks and that of this process; they must be MPI's number and its ranks in some
            order.
        store: takes the place of init_method: the ranks find each other by it.
        group_name, pg_options, device_id: accepted and ignored.
    Raises: ValueError: where there is a group already, or the numbers are not MPI's. ImportError: without mpi4py.
        DistStoreError, DistNetworkError: where the ranks do not find each other in time.
    Source: torch.distributed.init_process_group.
    """
    if state.world is not None:
        raise ValueError("trying to initialize the default process group twice!")
    if init_method is not None and store is not None:
        raise AssertionError("Cannot specify both init_method and store.")
    chosen, limit = backend_named(backend), _checked_timeout(timeout)
    method = init_method if store is None else "store"
    launched = _mpi.has_ranks() or told("WORLD_SIZE", os.environ) is not None
    if not launched and rank < 0 and world_size <= 0 and "RANK" not in os.environ:
        launched = _mpi.load().COMM_WORLD.size > 1  # by a launcher of variables that are not known
    rank, world_size = _asked(rank, world_size, method, launched)
    if world_size > 1 and not launched:
        _rendezvous.begin_mpi(init_method if store is None else store, rank, world_size, limit)
    world = _mpi.load().COMM_WORLD
    if world_size > 0 and world_size != world.size:
        raise ValueError(
            f"world_size is {world_size}, but MPI has started {world.size} process{'es' * (world.size > 1)}: start the "
            f"script by `npg run --nproc-per-node {world_size}` or `mpiexec -n {world_size} python`"
        )
    if rank >= world.size:
        raise ValueError(f"rank {rank} is out of range: there are {world.size} processes")
    ordered = world.Split(0, rank if rank >= 0 else world.rank)
    _end.begin(state.groups)
    made = ProcessGroup(ordered, range(world.size), next(state.numbers), "0", chosen, limit, "default_pg")
    ordered.Free()
    if made.rank() != (rank if rank >= 0 else made.rank()):
        raise ValueError(f"several processes have asked for a rank: this one for {rank}, and it would be {made.rank()}")
    state.world, state.method = made, init_method or "env://"
    state.groups.append(made)


def destroy_process_group(group: Any = None) -> None:
    """End a group, or with None all of them, once what was begun is done."""
    if group is GroupMember.NON_GROUP_MEMBER:
        return
    chosen = group_or_default(group)
    ended = list(state.groups) if chosen is state.world else [chosen]
    for one in reversed(ended):
        one.free()
        state.groups.remove(one)
    if chosen is state.world:
        state.world = None


def new_group(
    ranks: Sequence[int] | None = None,
    timeout: timedelta | None = None,
    backend: str | None = None,
    pg_options: Any = None,
    use_local_synchronization: bool = False,
    group_desc: str | None = None,
    device_id: Any = None,
    sort_ranks: bool = True,
) -> Any:
    """Make a group of some ranks; all of them call this, others may.

    Args:
        ranks: among all; None: all.
        timeout, backend: those of the default group unless given.
        sort_ranks: the new ranks are in the order of the old ones; otherwise in that of `ranks`.
        pg_options, use_local_synchronization, group_desc, device_id: accepted; the last but one is the description.
    Returns: the group, or GroupMember.NON_GROUP_MEMBER.
    Source: torch.distributed.new_group.
    """
    world = default_group()
    chosen = world.backend if backend is None else backend_named(backend)
    limit = world.timeout if timeout is None else _checked_timeout(timeout)
    members = list(range(world.size())) if ranks is None else list(ranks)
    if sort_ranks:
        members.sort()
    if len(set(members)) != len(members):
        raise ValueError(f"ranks list must not contain duplicate entries, got {members}")
    if len(members) > world.size():
        raise ValueError(
            "the new group's world size should be less or equal to the world size set by init_process_group"
        )
    for member in members:
        if not 0 <= member < world.size():
            raise ValueError(
                f"Rank {member} is out of range. Valid ranks are 0 to {world.size() - 1} (world_size={world.size()})"
            )
    number = next(state.numbers)  # counted by all ranks, so that names agree
    if world.rank() not in members:
        return GroupMember.NON_GROUP_MEMBER
    everyone = world.collectives.Get_group()
    some = everyone.Incl(members)
    communicator = world.collectives.Create_group(some, number % 32768)
    made = ProcessGroup(communicator, members, number, str(number), chosen, limit, group_desc or "")
    communicator.Free()
    some.Free()
    everyone.Free()
    state.groups.append(made)
    return made


def new_subgroups(
    group_size: int | None = None,
    group: Any = None,
    timeout: timedelta | None = None,
    backend: str | None = None,
    pg_options: Any = None,
    group_desc: str | None = None,
) -> tuple[Any, list[Any]]:
    """Make groups of group_size ranks each, one after the other; return that of this process, and all.

    Args: group_size: None: the number of ranks on a machine.
    Source: torch.distributed.new_subgroups.
    """
    if group_size is None:
        group_size = _mpi.number_of("LOCAL_WORLD_SIZE")
        if group_size is None:
            raise ValueError("expected group_size: no launcher has told how many ranks a machine has")
    size = get_world_size(group)
    if group_size <= 0:
        raise ValueError(f"The arg 'group_size' ({group_size}) must be positive")
    if group_size > size:
        raise ValueError(f"The arg 'group_size' ({group_size}) must not exceed the world size ({size})")
    if size % group_size:
        raise ValueError(f"The world size ({size}) must be divisible by '{group_size=}'")
    ranks = get_process_group_ranks(group)
    parts = [ranks[start : start + group_size] for start in range(0, size, group_size)]
    return new_subgroups_by_enumeration(parts, timeout, backend, pg_options, group_desc)


def new_subgroups_by_enumeration(
    ranks_per_subgroup_list: Sequence[Sequence[int]],
    timeout: timedelta | None = None,
    backend: str | None = None,
    pg_options: Any = None,
    group_desc: str | None = None,
) -> tuple[Any, list[Any]]:
    """Make groups of these ranks each; return that of this process, None where there is none, and all.

    Source: torch.distributed.new_subgroups_by_enumeration.
    """
    if not ranks_per_subgroup_list:
        raise ValueError("The arg 'ranks_per_subgroup_list' cannot be empty")
    seen: dict[int, Sequence[int]] = {}
    for ranks in ranks_per_subgroup_list:
        for one in ranks:
            if one in seen:
                raise ValueError(f"Rank {one} has appeared in both subgroup {seen[one]} and {ranks}")
            seen[one] = ranks
    made = [new_group(ranks, timeout, backend, group_desc=group_desc) for ranks in ranks_per_subgroup_list]
    mine = next((g for g in made if g is not GroupMember.NON_GROUP_MEMBER), None)
    return mine, made
