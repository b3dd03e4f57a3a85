"""Collectives and messages on Python objects, by pickle. Only for ranks that trust each other, as all unpickling.

Source: torch.distributed.distributed_
"""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np

from npg.creation import from_numpy
from npg.distributed._collectives import broadcast, gather, scatter
from npg.distributed._exchanges import all_gather, all_gather_into_tensor
from npg.distributed._groups import member_of, rank_in
from npg.distributed._messages import recv, send
from npg.distributed._tensors import is_given_in_root
from npg.tensor import Tensor


def _bytes_of(x: Any) -> np.ndarray[Any, Any]:
    return np.frombuffer(pickle.dumps(x), np.uint8)


def _joined(parts: list[Any]) -> tuple[Tensor, Tensor]:
    """Return the lengths of several byte arrays, and the bytes, one after the other."""
    lengths = np.array([len(part) for part in parts], np.int64)
    return from_numpy(lengths), from_numpy(np.concatenate(parts) if parts else np.empty(0, np.uint8))


def _objects_in(data: Tensor, lengths: Any) -> list[Any]:
    ends = np.cumsum(lengths)
    numbers = data.numpy()
    return [pickle.loads(numbers[end - n : end].tobytes()) for n, end in zip(lengths, ends, strict=True)]


def _room(n: Any) -> Tensor:
    return from_numpy(np.empty(int(n), np.uint8))


def _lengths_in_all(n: int, chosen: Any) -> list[int]:
    """Return the lengths that all ranks have."""
    lengths = from_numpy(np.empty(chosen.size(), np.int64))
    all_gather_into_tensor(lengths, from_numpy(np.array([n], np.int64)), chosen)
    found: list[int] = lengths.tolist()
    return found


def all_gather_object(object_list: list[Any], obj: Any, group: Any = None) -> None:
    """Give all ranks the objects of all.

    Args: object_list: of one element for each rank, replaced.
    Source: torch.distributed.all_gather_object.
    """
    chosen = member_of(group, "all_gather_object")
    if chosen is None:
        return
    mine = from_numpy(_bytes_of(obj).copy())
    rooms = [_room(n) for n in _lengths_in_all(len(mine), chosen)]
    all_gather(rooms, mine, chosen)
    for i, room in enumerate(rooms):
        object_list[i] = pickle.loads(room.numpy().tobytes())


def gather_object(
    obj: Any, object_gather_list: list[Any] | None = None, dst: int | None = None, group: Any = None,
    group_dst: int | None = None,
) -> None:  # fmt: skip
    """Give rank dst the objects of all.

    Args: object_gather_list: in rank dst, of one element for each rank, replaced; None in the others.
    Source: torch.distributed.gather_object.
    """
    chosen = member_of(group, "gather_object")
    if chosen is None:
        return
    root = rank_in(chosen, dst, group_dst, 0)
    is_root = is_given_in_root(object_gather_list, chosen, root, "gather_list", "destination")
    # The longest gives all messages their length, as in PyTorch: MPI's gather of unequal ones needs the lengths first.
    mine = _bytes_of(obj)
    lengths = _lengths_in_all(len(mine), chosen)
    longest = max(lengths)
    sent = _room(longest)
    sent.numpy()[: len(mine)] = mine
    rooms = [_room(longest) for _ in range(chosen.size())] if is_root else None
    gather(sent, rooms, group=chosen, group_dst=root)
    if rooms is not None and object_gather_list is not None:
        for i, (room, n) in enumerate(zip(rooms, lengths, strict=True)):
            object_gather_list[i] = pickle.loads(room.numpy()[:n].tobytes())


def broadcast_object_list(
    object_list: list[Any], src: int | None = None, group: Any = None, device: Any = None, group_src: int | None = None
) -> None:
    """Give all ranks the objects of rank src's list, which replace those of theirs.

    Source: torch.distributed.broadcast_object_list.
    """
    chosen = member_of(group, "broadcast_object_list")
    if chosen is None:
        return
    root = rank_in(chosen, src, group_src, 0)
    is_root = root == chosen.rank()
    lengths, data = _joined([_bytes_of(x) for x in object_list] if is_root else [])
    if not is_root:
        lengths = from_numpy(np.empty(len(object_list), np.int64))
    broadcast(lengths, group=chosen, group_src=root)
    if not is_root:
        data = _room(lengths.numpy().sum())
    broadcast(data, group=chosen, group_src=root)
    if not is_root:
        object_list[:] = _objects_in(data, lengths.numpy())


def scatter_object_list(
    scatter_object_output_list: list[Any], scatter_object_input_list: list[Any] | None = None, src: int | None = None,
    group: Any = None, group_src: int | None = None,
) -> None:  # fmt: skip
    """Give each rank one object of rank src's list, as the first element of its output list.

    Source: torch.distributed.scatter_object_list.
    """
    chosen = member_of(group, "scatter_object_list")
    if chosen is None:
        return
    if not isinstance(scatter_object_output_list, list) or not scatter_object_output_list:
        raise ValueError("Expected argument scatter_object_output_list to be a list of size at least 1.")
    root = rank_in(chosen, src, group_src, 0)
    is_root, size = root == chosen.rank(), chosen.size()
    if is_root and (scatter_object_input_list is None or len(scatter_object_input_list) != size):
        raise ValueError(f"expected one object for each of the {size} ranks in rank {root}")
    parts = [_bytes_of(x) for x in scatter_object_input_list or ()] if is_root else []
    lengths = from_numpy(np.array([len(part) for part in parts] if is_root else [0] * size, np.int64))
    broadcast(lengths, group=chosen, group_src=root)
    longest = int(lengths.numpy().max())
    rooms = None
    if is_root:
        rooms = [_room(longest) for _ in parts]
        for room, part in zip(rooms, parts, strict=True):
            room.numpy()[: len(part)] = part
    mine = _room(longest)
    scatter(mine, rooms, group=chosen, group_src=root)
    scatter_object_output_list[0] = pickle.loads(mine.numpy()[: int(lengths[chosen.rank()])].tobytes())


def send_object_list(
    object_list: list[Any], dst: int | None = None, group: Any = None, device: Any = None, group_dst: int | None = None,
    use_batch: bool = False,
) -> None:  # fmt: skip
    """Send objects to rank dst, which calls recv_object_list. Source: torch.distributed.send_object_list."""
    chosen = member_of(group, "send_object_list")
    if chosen is None:
        return
    lengths, data = _joined([_bytes_of(x) for x in object_list])
    send(lengths, dst, chosen, 0, group_dst)
    send(data, dst, chosen, 0, group_dst)


def recv_object_list(
    object_list: list[Any], src: int | None = None, group: Any = None, device: Any = None, group_src: int | None = None,
    use_batch: bool = False,
) -> int:  # fmt: skip
    """Receive as many objects as the list has, and replace them. Return the sender's rank, among all.

    Source: torch.distributed.recv_object_list.
    """
    chosen = member_of(group, "recv_object_list")
    if chosen is None:
        return -1
    lengths = from_numpy(np.empty(len(object_list), np.int64))
    sender: int = recv(lengths, src, chosen, 0, group_src)
    data = _room(lengths.numpy().sum())
    recv(data, sender, chosen)
    object_list[:] = _objects_in(data, lengths.numpy())
    return sender
