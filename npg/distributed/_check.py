"""Whether all ranks do the same: asked before each collective where TORCH_DISTRIBUTED_DEBUG=DETAIL says so."""

from __future__ import annotations

import enum
import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from npg.distributed._mpi import load
from npg.distributed._work import Operation

_ROOM = 1024  # bytes in which a rank says what it does


class DebugLevel(enum.IntEnum):
    """How much is checked: DETAIL compares what the ranks do."""

    OFF = 0
    INFO = 1
    DETAIL = 2


def _of_environment() -> DebugLevel:
    text = os.environ.get("TORCH_DISTRIBUTED_DEBUG", "").upper() or "OFF"
    if text not in DebugLevel.__members__:
        raise RuntimeError("The value of TORCH_DISTRIBUTED_DEBUG must be OFF, INFO, or DETAIL, got " + repr(text))
    return DebugLevel[text]


_level: DebugLevel | None = None


def get_debug_level() -> DebugLevel:
    """Return how much is checked."""
    global _level
    if _level is None:
        _level = _of_environment()
    return _level


def set_debug_level(level: DebugLevel) -> None:
    """Set how much is checked."""
    global _level
    _level = DebugLevel(level)


def set_debug_level_from_env() -> None:
    """Take it from TORCH_DISTRIBUTED_DEBUG."""
    set_debug_level(_of_environment())


def describe(name: str, arrays: Sequence[Any]) -> str:
    """Return what an operation is and on what, for errors."""
    shapes = ", ".join(f"{list(a.shape)} {a.dtype}" for a in arrays[:4])
    return f"{name}({shapes}{', ...' if len(arrays) > 4 else ''})"


def compare(group: Any, name: str, what: Any) -> None:
    """Ask all ranks of a group what they do, and refuse to do different things.

    Args:
        name: of the collective. what: what must be the same in all ranks, such as shapes and dtypes.
    Raises: RuntimeError: as PyTorch's checks, with what each rank does.
    """
    text = json.dumps([group.count, name, what])[: _ROOM - 1].encode()
    mine, all_of_them = np.zeros(_ROOM, np.uint8), np.zeros((group.size(), _ROOM), np.uint8)
    mine[: len(text)] = np.frombuffer(text, np.uint8)
    MPI = load()
    request = group.collectives.Iallgather([mine, MPI.BYTE], [all_of_them, MPI.BYTE])
    Operation(group, [request], f"the comparison before {name}").wait(group.timeout)
    texts = [bytes(row).rstrip(b"\0").decode() for row in all_of_them]
    other = next((rank for rank, found in enumerate(texts) if found != texts[group.rank()]), None)
    if other is None:
        return
    mine_is, theirs_is = (json.loads(texts[rank]) for rank in (group.rank(), other))
    raise RuntimeError(
        f"Detected mismatch between collectives on ranks. Rank {group.ranks[group.rank()]} is running collective: "
        f"{_fingerprint(mine_is)}, but Rank {group.ranks[other]} is running collective: {_fingerprint(theirs_is)}."
    )


def _fingerprint(what: Any) -> str:
    count, name, rest = what
    return f"CollectiveFingerPrint(SequenceNumber={count}, OpType={name.upper()}, {rest})"
