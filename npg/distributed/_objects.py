"""Collectives and messages on Python objects, by pickle. Only for ranks that trust each other, as all unpickling.

Source: torch.distributed.distributed_c10d.
"""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np

from npg.creation import from_numpy
from npg.distributed import distributed_c10d as c10d
from npg.distributed._groups import group_or_default, member_of, rank_in
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


def all_gather_object(object_list: list[Any], obj: Any, group: Any = None) -> None:
    """Give all ranks the objects of all.

    Args: object_list: of one element for each rank, replaced.
    Source: torch.distributed.all_gather_object.
    """
    chosen = member_of(group, "all_gather_object")
    if chosen is None:
        return
    mine = from_numpy(_bytes_of(obj).copy())
    lengths = from_numpy(np.empty(chosen.size(), np.int64))
    c10d.all_gather_into_tensor(lengths, from_numpy(np.array([len(mine)], np.int64)), chosen)
    rooms = [_room(n) for n in lengths.tolist()]
    c10d.all_gather(rooms, mine, chosen)
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
    root = rank_in(chosen, 0 if dst is None and group_dst is None else dst, group_dst)
    is_root = root == chosen.rank()
    if is_root and not object_gather_list:
        raise ValueError("Argument ``gather_list`` must be specified on destination rank.")
    if not is_root and object_gather_list:
        raise ValueError("Argument ``gather_list`` must NOT be specified on non-destination ranks.")
    # The longest gives all messages their length, as in PyTorch: MPI's gather of unequal ones needs the lengths first.
    mine = _bytes_of(obj)
    lengths = from_numpy(np.empty(chosen.size(), np.int64))
    c10d.all_gather_into_tensor(lengths, from_numpy(np.array([len(mine)], np.int64)), chosen)
    longest = int(lengths.numpy().max())
    sent = _room(longest)
    sent.numpy()[: len(mine)] = mine
    rooms = [_room(longest) for _ in range(chosen.size())] if is_root else None
    c10d.gather(sent, rooms, group=chosen, group_dst=root)
    if rooms is not None and object_gather_list is not None:
        for i, (room, n) in enumerate(zip(rooms, lengths.tolist(), strict=True)):
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
    root = rank_in(chosen, 0 if src is None and group_src is None else src, group_src)
    is_root = root == chosen.rank()
    lengths, data = _joined([_bytes_of(x) for x in object_list] if is_root else [])
    if not is_root:
        lengths = from_numpy(np.empty(len(object_list), np.int64))
    c10d.broadcast(lengths, group=chosen, group_src=root)
    if not is_root:
        data = _room(lengths.numpy().sum())
    c10d.broadcast(data, group=chosen, group_src=root)
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
    root = rank_in(chosen, 0 if src is None and group_src is None else src, group_src)
    is_root, size = root == chosen.rank(), chosen.size()
    if is_root and (scatter_object_input_list is None or len(scatter_object_input_list) != size):
        raise ValueError(f"expected one object for each of the {size} ranks in rank {root}")
    parts = [_bytes_of(x) for x in scatter_object_input_list or ()] if is_root else []
    lengths = from_numpy(np.array([len(part) for part in parts] if is_root else [0] * size, np.int64))
    c10d.broadcast(lengths, group=chosen, group_src=root)
    longest = int(lengths.numpy().max())
    rooms = None
    if is_root:
        rooms = [_room(longest) for _ in parts]
        for room, part in zip(rooms, parts, strict=True):
            room.numpy()[: len(part)] = part
    mine = _room(longest)
    c10d.scatter(mine, rooms, group=chosen, group_src=root)
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
    c10d.send(lengths, dst, chosen, 0, group_dst)
    c10d.send(data, dst, chosen, 0, group_dst)


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
    sender: int = c10d.recv(lengths, src, chosen, 0, group_src)
    data = _room(lengths.numpy().sum())
    c10d.recv(data, sender, group_or_default(chosen))
    object_list[:] = _objects_in(data, lengths.numpy())
    return sender
