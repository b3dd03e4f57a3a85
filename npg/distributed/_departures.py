"""Ranks that have ended well while others still wait for them: those that end tell it, those that wait long ask.

For each of its groups a rank that ends tells how many collectives it has begun: a later one will never be done. In a
large group it tells only the next rank, and those that it has exchanged messages with. That is enough: going round, the
first one that has not ended itself learns of the one before it as soon as it waits, and one rank that fails ends all.
"""

from __future__ import annotations

import collections
import threading
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from npg.distributed._mpi import load

_TAG = 1  # of MPI, of the only kind of message that the communicator carries
_FEW = 64  # ranks of a group that tell all others
_LATE = 3.0  # seconds from the end of a rank in which its last messages may arrive, or the news that it has failed

_lock = threading.Lock()
_channel: Any = None  # a communicator of all processes
# To which processes, and what: the group, the rank in it, and how many collectives. Of groups long ago nobody waits.
_farewells: collections.deque[tuple[list[int], np.ndarray[Any, Any]]] = collections.deque(maxlen=1000)
# By group and rank in it: how many collectives, and when that was learnt.
_left: dict[tuple[int, int], tuple[int, float]] = {}


def begin() -> None:
    """Make the way on which ranks tell that they end. All processes call this."""
    global _channel
    _channel = load().COMM_WORLD.Dup()


def remember(group: Any) -> None:
    """Note what is to be told of a group that is about to be freed."""
    rank, size = group.rank(), group.size()
    others = (set(range(size)) if size <= _FEW else {(rank + 1) % size} | group.peers) - {rank}
    if others:
        inside, everyone = group.collectives.Get_group(), _channel.Get_group()
        number = np.array([group.number, rank, min(group.count, group.reached)], np.int64)
        _farewells.append((inside.Translate_ranks(sorted(others), everyone), number))
        inside.Free()
        everyone.Free()


def tell(groups: Iterable[Any]) -> None:
    """Tell that this process ends. Args: groups: those that are still in use."""
    for group in groups:
        remember(group)
    MPI = load()
    for processes, number in _farewells:
        for process in processes:
            _channel.Isend([number, MPI.INT64_T], process, _TAG).Free()  # so small that nobody has to receive it


def who_left(group: Any, number: int, peers: Iterable[int] | None) -> str:
    """Return which rank has ended that an operation waits for, as an error tells it; "" for none that is known.

    Args:
        number: of the collective in its group. peers: of messages, instead: any of these ranks of the group may end it.
    """
    MPI, room = load(), np.empty(3, np.int64)
    with _lock:
        while _channel.Iprobe(MPI.ANY_SOURCE, _TAG):
            _channel.Recv([room, MPI.INT64_T], MPI.ANY_SOURCE, _TAG)
            of_group, rank, count = room.tolist()
            _left[of_group, rank] = count, time.monotonic()
    last = time.monotonic() - _LATE
    gone = {rank: count for (of, rank), (count, when) in _left.items() if of == group.number and when < last}
    if peers is None:
        missing = [rank for rank, count in gone.items() if count < number]
    else:
        missing = list(peers) if gone.keys() >= set(peers) else []
    return f"rank {group.ranks[missing[0]]} has ended: Connection closed by peer" if missing else ""
