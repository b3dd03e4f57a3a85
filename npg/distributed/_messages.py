"""Barriers, and messages from rank to rank.

Source: torch.distributed.distributed_c10d.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np

from npg.distributed import _check
from npg.distributed._groups import ProcessGroup, group_or_default, member_of, rank_in
from npg.distributed._mpi import buffer_of, load
from npg.distributed._tensors import Taken, announce, check_tensor, numbers_of
from npg.distributed._work import DistBackendError, Message, Operation, Work, carry_out

Array = np.ndarray[Any, Any]


# ----- Barriers -----


def barrier(group: Any = None, async_op: bool = False, device_ids: Any = None, timeout: timedelta | None = None) -> Any:
    """Wait until all ranks are here.

    Args: timeout: at most so long; None: as long as the group allows.
    Source: torch.distributed.barrier.
    """
    chosen = member_of(group, "barrier")
    if chosen is None:
        return None
    announce(chosen, "barrier", [])
    operation = Operation(chosen, [chosen.collectives.Ibarrier()], "barrier")
    if async_op or timeout is None:
        return carry_out(operation, chosen, async_op, [])
    operation.wait(timeout)
    return None


def monitored_barrier(group: Any = None, timeout: Any = None, wait_all_ranks: bool = False) -> None:
    """Wait until all ranks are here, at most so long; rank 0 tells which one is not.

    Args:
        timeout: a timedelta or seconds; None: as long as the group allows.
        wait_all_ranks: name all ranks that are missing, not the first one only.
    Raises: RuntimeError: when the time is over.
    Source: torch.distributed.monitored_barrier.
    """
    chosen = member_of(group, "monitored_barrier")
    if chosen is None:
        return
    limit = chosen.timeout if timeout is None else timeout
    if isinstance(limit, (int, float)):
        warnings.warn(
            "Please specify timeout arg as a timedelta. "
            f"Converting current value of {limit} assuming it represents seconds",
            stacklevel=2,
        )
        limit = timedelta(seconds=limit)
    milliseconds = f"{limit.total_seconds() * 1000:.0f} ms"
    rank, here = chosen.rank(), np.zeros(1, np.uint8)
    if rank:
        sent = chosen.messages.Isend(buffer_of(here), 0, _MONITORED)
        answer = chosen.messages.Irecv(buffer_of(here.copy()), 0, _MONITORED)
        try:
            Operation(chosen, [sent, answer], "monitored_barrier", None, here, (0,)).wait(limit)
        except DistBackendError as error:
            raise RuntimeError(
                f"Rank {chosen.ranks[rank]} successfully reached monitoredBarrier, but received errors while waiting "
                f"for send/recv from rank {chosen.ranks[0]}: no answer in {milliseconds}. Please check rank 0 logs for "
                "faulty rank."
            ) from error
        return
    missing = []
    start = time.monotonic()
    for other in range(1, chosen.size()):
        request = chosen.messages.Irecv(buffer_of(here.copy()), other, _MONITORED)
        operation = Operation(chosen, [request], "monitored_barrier", peers=(other,))
        rest = timedelta(seconds=max(limit.total_seconds() - (time.monotonic() - start), 0.0))
        try:
            operation.wait(rest)
        except DistBackendError:
            operation.cancel()  # else it would take the message of a later barrier
            missing.append(chosen.ranks[other])
            if not wait_all_ranks:
                break
    if missing:
        raise RuntimeError(
            f"[Rank {chosen.ranks[0]}]: Ranks {', '.join(map(str, missing))} failed to pass monitoredBarrier in "
            f"{milliseconds}"
        )
    for other in range(1, chosen.size()):
        request = chosen.messages.Isend(buffer_of(here), other, _MONITORED)
        Operation(chosen, [request], "monitored_barrier", None, here, (other,)).wait(limit)


# ----- From rank to rank -----

_MONITORED = 32_000  # MPI's tag of monitored_barrier's messages


def _peer(chosen: ProcessGroup, of_all: int | None, of_group: int | None, verb: str) -> int:
    peer = rank_in(chosen, of_all, of_group)
    if peer == chosen.rank():
        kind = "source" if verb == "recv" else "destination"
        raise ValueError(f"Invalid {kind} rank: {kind} rank should not be the same as the rank of the current process.")
    chosen.peers.add(peer)
    return peer


def isend(tensor: Any, dst: int | None = None, group: Any = None, tag: int = 0, group_dst: int | None = None) -> Any:
    """Send a tensor to rank dst; it must not be changed until the Work is done.

    Args:
        dst: among all; or group_dst: in the group.
        tag: a number that the receiver's must equal.
    Source: torch.distributed.isend.
    """
    check_tensor(tensor, "tensor")
    chosen = member_of(group, "isend")
    if chosen is None:
        return None
    peer = _peer(chosen, dst, group_dst, "send")
    sent = numbers_of(tensor)
    request = chosen.messages.Isend(buffer_of(sent), peer, tag)
    described = f"{_check.describe('send', [tensor])} to rank {chosen.ranks[peer]}"
    return Message(Operation(chosen, [request], described, None, sent, (peer,)), chosen.timeout, [tensor])


def irecv(tensor: Any, src: int | None = None, group: Any = None, tag: int = 0, group_src: int | None = None) -> Any:
    """Receive a tensor from rank src, or from any; it is written when the Work is done.

    Args:
        src: among all; or group_src: in the group; any rank when neither is given.
        tag: of the message.
    Raises: DistBackendError: from wait(): when the sender's tensor has another number of elements.
    Source: torch.distributed.irecv.
    """
    check_tensor(tensor, "tensor")
    chosen = member_of(group, "irecv")
    if chosen is None:
        return None
    MPI = load()
    from_any = src is None and group_src is None
    peer = MPI.ANY_SOURCE if from_any else _peer(chosen, src, group_src, "recv")
    taken = Taken(tensor)
    memory = buffer_of(taken.array)
    request = chosen.messages.Irecv(memory, peer, tag)
    described = f"{_check.describe('recv', [tensor])} from {'any rank' if from_any else f'rank {chosen.ranks[peer]}'}"
    others = [rank for rank in range(chosen.size()) if rank != chosen.rank()] if from_any else (peer,)
    operation = Operation(chosen, [request], described, None, taken, others)

    def source() -> int:
        sender: int = operation.statuses[0].source
        return chosen.ranks[sender]

    def finish() -> None:
        received = operation.statuses[0].Get_count(memory[1])
        if received != taken.array.size:
            raise DistBackendError(
                f"[Rank {chosen.rank()}]: {described} failed: rank {source()} has sent {received} elements, the "
                f"tensor has {taken.array.size}"
            )
        taken.put()

    operation.then(finish)
    return Message(operation, chosen.timeout, [tensor], source)


def send(tensor: Any, dst: int | None = None, group: Any = None, tag: int = 0, group_dst: int | None = None) -> None:
    """Send a tensor to rank dst; see isend. Source: torch.distributed.send."""
    work = isend(tensor, dst, group, tag, group_dst)
    if work is not None:
        work.wait()


def recv(tensor: Any, src: int | None = None, group: Any = None, tag: int = 0, group_src: int | None = None) -> int:
    """Receive a tensor; see irecv. Return the sender's rank, among all; -1 where this rank is not in the group.

    Source: torch.distributed.recv.
    """
    work = irecv(tensor, src, group, tag, group_src)
    if work is None:
        return -1
    work.wait()
    sender: int = work.source_rank()
    return sender


class P2POp:
    """A message for batch_isend_irecv.

    Args:
        op: isend or irecv. tensor: what is sent or received. peer: a rank among all; or group_peer: in the group.
        group, tag: as for isend.
    Source: torch.distributed.P2POp.
    """

    def __init__(
        self,
        op: Callable[..., Any],
        tensor: Any,
        peer: int | None = None,
        group: Any = None,
        tag: int = 0,
        group_peer: int | None = None,
    ) -> None:
        if op not in (isend, irecv):
            raise ValueError(
                "Invalid ``op``. Expected ``op`` to be of type ``torch.distributed.isend`` or "
                "``torch.distributed.irecv``."
            )
        check_tensor(tensor, "tensor")
        self.op, self.tensor, self.tag, self.group = op, tensor, tag, group_or_default(group)
        self.group_peer = rank_in(self.group, peer, group_peer)
        self.peer = self.group.ranks[self.group_peer]

    def __repr__(self) -> str:
        return f"P2POp({self.op.__name__} {self.group!r}, peer={self.peer}, {self.tensor.shape}, {self.tensor.dtype})"


def batch_isend_irecv(p2p_op_list: list[P2POp]) -> list[Work]:
    """Begin several messages of one group; return the Work of each.

    Source: torch.distributed.batch_isend_irecv.
    """
    if not isinstance(p2p_op_list, list) or not all(isinstance(op, P2POp) for op in p2p_op_list):
        raise ValueError("Invalid ``p2p_op_list``. Each op is expected to to be of type ``torch.distributed.P2POp``.")
    if any(op.group is not p2p_op_list[0].group for op in p2p_op_list):
        raise ValueError("All ops need to use the same group.")
    works = []
    for op in p2p_op_list:
        peers = {"group_dst" if op.op is isend else "group_src": op.group_peer}
        works.append(op.op(op.tensor, group=op.group, tag=op.tag, **peers))
    return works
