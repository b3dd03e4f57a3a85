"""Process groups: which ranks there are, and which one this process is."""

from __future__ import annotations

import itertools
import os
import warnings
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from npg._launchers import told
from npg._naming import named
from npg.distributed import _end, _mpi, _rendezvous
from npg.distributed._work import Waiter
from npg.distributed.constants import default_pg_timeout

_NO_GROUP = "Default process group has not been initialized, please make sure to call init_process_group."


class Backend(str):
    """The name of a backend, in lower case: "mpi" and "gloo" are MPI here. Source: torch.distributed.Backend."""

    UNDEFINED, GLOO, NCCL, UCC, MPI, XCCL, FAKE = "undefined", "gloo", "nccl", "ucc", "mpi", "xccl", "fake"
    backend_list: tuple[str, ...] = (UNDEFINED, GLOO, NCCL, XCCL, UCC, MPI)

    def __new__(cls, name: str) -> Backend:
        if not isinstance(name, str):
            raise ValueError("Backend constructor parameter must be string-ish")
        return super().__new__(cls, name.lower())


def backend_named(name: str | None) -> Backend:
    """Return the backend for tensors on a CPU that a name stands for, such as "gloo" or "cpu:gloo,cuda:nccl".

    Raises: RuntimeError: for one that is not there. ValueError: for one that is not known.
    """
    chosen = "gloo" if name in (None, Backend.UNDEFINED) else Backend(str(name))
    if ":" in chosen:
        pairs = [pair.split(":") for pair in chosen.split(",")]
        if any(len(pair) != 2 for pair in pairs):
            raise ValueError(f"The custom backend string argument is invalid: {name}.")
        chosen = dict(pairs).get("cpu", Backend.NCCL)
    if chosen in (Backend.NCCL, Backend.XCCL, Backend.UCC):
        raise RuntimeError(f"Distributed package doesn't have {chosen.upper()} built in")
    if chosen not in (Backend.GLOO, Backend.MPI):
        raise ValueError(f"Unknown backend '{chosen}'. npg has 'gloo' and 'mpi', which are MPI here")
    return Backend(chosen)


class ProcessGroup:
    """Some ranks that compute together. Source: torch.distributed.ProcessGroup.

    Args:
        communicator: of MPI. ranks: of its processes, among all. name, description: of the group.
        backend: as it was asked for. timeout: how long its operations may take.
    Attributes:
        collectives, messages: communicators of its own, so that neither meets those of the script.
        waiter: the thread that waits for collectives in the background.
        count: of the collectives that were begun.
    """

    def __init__(
        self, communicator: Any, ranks: Sequence[int], name: str, backend: Backend, timeout: timedelta,
        description: str = "",
    ) -> None:  # fmt: skip
        self.collectives, self.messages = communicator.Dup(), communicator.Dup()
        self.ranks, self._name, self.backend, self.timeout = tuple(ranks), name, backend, timeout
        self.group_desc = description or "undefined"
        self.waiter, self.count = Waiter(), 0

    @property
    def group_name(self) -> str:
        """The group's name."""
        return self._name

    def name(self) -> str:
        """Return the name of the backend."""
        return str(self.backend)

    def rank(self) -> int:
        """Return the rank of this process in the group."""
        return int(self.collectives.rank)

    def size(self) -> int:
        """Return the number of ranks."""
        return len(self.ranks)

    def free(self) -> None:
        """Wait for what was begun, and give the communicators back."""
        self.waiter.stop()
        self.collectives.Free()
        self.messages.Free()

    def __repr__(self) -> str:
        return named(f"<npg.distributed.ProcessGroup {self._name}: rank {self.rank()} of {self.size()}>")


class _NotIn:
    """Stands for a group that this process does not belong to."""

    def __repr__(self) -> str:
        return "<no member of the group>"


class _State:
    """The groups of this process."""

    def __init__(self) -> None:
        self.world: ProcessGroup | None = None
        self.groups: list[ProcessGroup] = []
        self.numbers = itertools.count()
        self.method: str | None = None


state = _State()


class _OfDefault(type):
    @property
    def WORLD(cls) -> ProcessGroup | None:
        """The group of all ranks, None before there is one."""
        return state.world


class GroupMember(metaclass=_OfDefault):
    """The group of all ranks, and what new_group returns to those that are not in the new one."""

    NON_GROUP_MEMBER = _NotIn()


class group(metaclass=_OfDefault):
    """The group of all ranks."""


# ----- Which group, which rank -----


def default_group() -> ProcessGroup:
    """Return the group of all ranks. Raises: ValueError: before there is one."""
    if state.world is None:
        raise ValueError(_NO_GROUP)
    return state.world


def group_or_default(group: Any) -> ProcessGroup:
    """Return a group that is in use; the default one for None.

    Raises: ValueError: for one that was destroyed, and for anything else.
    """
    if group is None:
        return default_group()
    if not isinstance(group, ProcessGroup):
        raise ValueError(f"Group {group} is not registered, please create group with torch.distributed.new_group API")
    if group not in state.groups:
        raise ValueError("Invalid process group specified or has been destroyed.")
    return group


def member_of(group: Any, what: str) -> ProcessGroup | None:
    """Return the group for an operation; None, with a warning, where this process is not in it."""
    if group is GroupMember.NON_GROUP_MEMBER:
        warnings.warn(
            f"Running {what} on global rank {-1 if state.world is None else state.world.rank()} which does not "
            "belong to the given group.",
            stacklevel=3,
        )
        return None
    return group_or_default(group)


def is_available() -> bool:
    """Tell whether process groups can be made: whether mpi4py is installed."""
    return _mpi.is_installed()


def is_initialized() -> bool:
    """Tell whether there is a default group."""
    return state.world is not None


def get_rank(group: Any = None) -> int:
    """Return the rank of this process in a group, -1 where it is not in it."""
    return -1 if group is GroupMember.NON_GROUP_MEMBER else group_or_default(group).rank()


def get_world_size(group: Any = None) -> int:
    """Return the number of ranks of a group, -1 where this process is not in it."""
    return -1 if group is GroupMember.NON_GROUP_MEMBER else group_or_default(group).size()


def get_process_group_ranks(group: Any) -> list[int]:
    """Return the ranks of a group, among all."""
    return list(group_or_default(group).ranks)


def get_group_rank(group: Any, global_rank: int) -> int:
    """Return the rank in a group of a rank among all.

    Raises: ValueError: where it is not in the group.
    """
    chosen = group_or_default(group)
    if global_rank not in chosen.ranks:
        raise ValueError(f"Global rank {global_rank} is not part of group {chosen}")
    return chosen.ranks.index(global_rank)


def get_global_rank(group: Any, group_rank: int) -> int:
    """Return the rank among all of a rank in a group.

    Raises: ValueError: where there is none.
    """
    chosen = group_or_default(group)
    if not 0 <= group_rank < chosen.size():
        raise ValueError(f"Group rank {group_rank} is not part of group {chosen}")
    return chosen.ranks[group_rank]


def rank_in(group: ProcessGroup, of_all: int | None, of_group: int | None, otherwise: int | None = None) -> int:
    """Return a rank in the group that is given among all or in the group.

    Args: otherwise: the rank among all where neither is given.
    Raises: ValueError: where both or none are given, or it is not in the group.
    """
    if of_group is not None:
        if of_all is not None:
            raise ValueError("Can't specify both group_rank and global_rank")
        get_global_rank(group, of_group)
        return of_group
    of_all = otherwise if of_all is None else of_all
    if of_all is None:
        raise ValueError("Must specify global_rank or group_rank")
    return get_group_rank(group, of_all)


def get_backend(group: Any = None) -> Backend:
    """Return the name of a group's backend."""
    if group is GroupMember.NON_GROUP_MEMBER:
        raise ValueError("Invalid process group specified")
    return group_or_default(group).backend


def get_backend_config(group: Any = None) -> str:
    """Return the backend of each device: there is one."""
    return f"cpu:{get_backend(group)}"


def get_node_local_rank(fallback_rank: int | None = None) -> int:
    """Return the rank of this process among those on its machine.

    Raises: RuntimeError: where no launcher has told it, and no other number is given.
    """
    found = _mpi.number_of("LOCAL_RANK")
    if found is not None:
        return found
    if fallback_rank is not None:
        return int(fallback_rank)
    raise RuntimeError(
        "LOCAL_RANK is not in the environment. Consider passing fallback_rank to allow `get_node_local_rank` to work, "
        "assuming you are not running in a multi-device context and want the code to run locally instead."
    )


def get_pg_count() -> int:
    """Return the number of groups."""
    return len(state.groups)


# ----- Making and ending groups -----


def _checked_timeout(timeout: Any) -> timedelta:
    if timeout is None:
        return default_pg_timeout
    if not isinstance(timeout, timedelta):
        raise TypeError(f"Expected timeout argument to be of type datetime.timedelta, got {timeout}")
    return timeout


def _asked_of_environment(name: str) -> int:
    text = os.environ.get(name)
    if text is None:
        raise ValueError(
            f"Error initializing torch.distributed using env:// rendezvous: environment variable {name} expected, but "
            "not set"
        )
    return int(text)


def _asked(rank: int, world_size: int, init_method: str | None, launched: bool) -> tuple[int, int]:
    """Return the rank and the number of ranks that the script or the environment asks for, -1 for any."""
    by_environment = init_method is None or init_method.startswith("env://")
    if by_environment and not (launched and "RANK" not in os.environ):
        rank = rank if rank >= 0 else _asked_of_environment("RANK")
        world_size = world_size if world_size > 0 else _asked_of_environment("WORLD_SIZE")
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
    made = ProcessGroup(ordered, range(world.size), "0", chosen, limit, "default_pg")
    ordered.Free()
    if made.rank() != (rank if rank >= 0 else made.rank()):
        raise ValueError(f"several processes have asked for a rank: this one for {rank}, and it would be {made.rank()}")
    next(state.numbers)
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
    made = ProcessGroup(communicator, members, str(number), chosen, limit, group_desc or "")
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
