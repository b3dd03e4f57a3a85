"""Process groups: which ranks there are, and which one this process is."""

from __future__ import annotations

import itertools
import sys
import warnings
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from npg._naming import named
from npg.distributed import _departures, _mpi
from npg.distributed._work import Waiter

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
        communicator: of MPI. ranks: of its processes, among all. number: of the group, the same in all ranks.
        backend: as it was asked for. timeout: how long its operations may take. name, description: of the group.
    Attributes:
        collectives, messages: communicators of its own, so that neither meets those of the script.
        waiter: the thread that waits for collectives in the background.
        count: of the collectives that were begun. reached: the last one that this rank has not given up.
        peers: ranks of the group that messages were exchanged with.
    """

    def __init__(
        self, communicator: Any, ranks: Sequence[int], number: int, name: str, backend: Backend, timeout: timedelta,
        description: str = "",
    ) -> None:  # fmt: skip
        self.collectives, self.messages = communicator.Dup(), communicator.Dup()
        self.number, self.peers = number, set[int]()
        self.ranks, self._name, self.backend, self.timeout = tuple(ranks), name, backend, timeout
        self.group_desc = description or "undefined"
        self.waiter, self.count, self.reached = Waiter(), 0, sys.maxsize

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
        """Wait for what was begun, and give the communicators back, unless something was given up."""
        self.waiter.stop()
        _departures.remember(self)
        if self.reached == sys.maxsize:
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
