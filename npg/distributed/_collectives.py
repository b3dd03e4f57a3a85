"""From one rank to all, from all to one, and sums for all.

Each begins as one of MPI's on the memory of the tensors; what is not contiguous is copied, and copied back.

Source: torch.distributed.distributed_c10d.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from npg.distributed import _reductions
from npg.distributed._groups import ProcessGroup, member_of, rank_in
from npg.distributed._mpi import buffer_of, load
from npg.distributed._reductions import ReduceOp
from npg.distributed._tensors import (
    Taken,
    announce,
    begin,
    check_count,
    check_dtypes,
    check_shapes,
    check_tensor,
    check_tensors,
    flat_of,
    is_given_in_root,
    like,
    numbers_of,
    spread,
)
from npg.tensor import Tensor

Array = np.ndarray[Any, Any]


def broadcast(
    tensor: Any, src: int | None = None, group: Any = None, async_op: bool = False, group_src: int | None = None
) -> Any:
    """Give all ranks the numbers of rank src.

    Args:
        tensor: of the same shape and dtype in all ranks; read in rank src, written in the others.
        src: among all; or group_src: in the group.
        async_op: return a Work at once.
    Raises: DistBackendError: when MPI fails or a rank does not answer in time.
    Source: torch.distributed.broadcast.
    """
    check_tensor(tensor, "tensor")
    chosen = member_of(group, "broadcast")
    if chosen is None:
        return None
    root = rank_in(chosen, src, group_src)
    announce(chosen, "broadcast", [like(tensor), root])
    taken = Taken(tensor)
    request = chosen.collectives.Ibcast(buffer_of(taken.array), root)
    return begin(chosen, "broadcast", request, [tensor], taken.put, taken, async_op)


def broadcast_coalesced(tensors: Sequence[Tensor], group: ProcessGroup, root: int) -> None:
    """Give all ranks tensors of one dtype of the root, a rank of the group, in one message."""
    if not tensors:
        return
    flat = flat_of(tensors)
    announce(group, "broadcast_coalesced", [like(*tensors), root])
    request = group.collectives.Ibcast(buffer_of(flat), root)

    def finish() -> None:
        if group.rank() != root:
            spread(flat, tensors)

    begin(group, "broadcast", request, tensors, finish, flat, False)


def _reduced(
    tensors: list[Tensor], op: Any, chosen: ProcessGroup, async_op: bool, name: str, root: int | None = None
) -> Any:
    """Reduce tensors of one dtype in one message, for all ranks or for the root."""
    dtype = tensors[0]._array.dtype
    _reductions.check(op, dtype, name)
    announce(chosen, name, [like(*tensors), root, repr(op)])
    is_one, is_target = len(tensors) == 1, root in (None, chosen.rank())
    taken = Taken(tensors[0]) if is_one else None
    array = flat_of(tensors) if taken is None else taken.array
    numbers = _reductions.before(op, array)
    kind, in_place = _reductions.operation(op, dtype), load().IN_PLACE
    if root is None:
        request = chosen.collectives.Iallreduce(in_place, buffer_of(numbers), kind)
    elif is_target:
        request = chosen.collectives.Ireduce(in_place, buffer_of(numbers), kind, root)
    else:
        request = chosen.collectives.Ireduce(buffer_of(numbers), None, kind, root)

    def finish() -> None:
        if not is_target:
            return
        _reductions.after(op, numbers, chosen.size())
        if taken is None:
            spread(numbers, tensors)
            return
        if numbers is not array:
            array[...] = numbers
        taken.put()

    return begin(chosen, name, request, tensors, finish, numbers, async_op)


def all_reduce(tensor: Any, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False) -> Any:
    """Give all ranks the sum of their tensors, or what else `op` says, in place.

    All ranks get the same bits. float16 is added in float32, and rounded once.

    Raises: ValueError: where the dtype does not have the reduction.
    Source: torch.distributed.all_reduce.
    """
    check_tensor(tensor, "tensor")
    chosen = member_of(group, "all_reduce")
    return None if chosen is None else _reduced([tensor], op, chosen, async_op, "all_reduce")


def all_reduce_coalesced(tensors: Any, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False) -> Any:
    """Reduce several tensors of one dtype as all_reduce does, in one message.

    Source: torch.distributed.all_reduce_coalesced.
    """
    tensors = [tensors] if isinstance(tensors, Tensor) else tensors
    check_tensors(tensors, "tensors")
    check_dtypes(*tensors)
    chosen = member_of(group, "all_reduce_coalesced")
    if chosen is None or not tensors:
        return None
    return _reduced(tensors, op, chosen, async_op, "all_reduce_coalesced")


def reduce(
    tensor: Any,
    dst: int | None = None,
    op: Any = ReduceOp.SUM,
    group: Any = None,
    async_op: bool = False,
    group_dst: int | None = None,
) -> Any:
    """Give rank dst the sum of all tensors, or what else `op` says; those of the others stay.

    Source: torch.distributed.reduce.
    """
    check_tensor(tensor, "tensor")
    chosen = member_of(group, "reduce")
    if chosen is None:
        return None
    return _reduced([tensor], op, chosen, async_op, "reduce", rank_in(chosen, dst, group_dst))


def scatter(
    tensor: Any,
    scatter_list: Any = None,
    src: int | None = None,
    group: Any = None,
    async_op: bool = False,
    group_src: int | None = None,
) -> Any:
    """Give each rank one tensor of the list of rank src.

    Args:
        tensor: written.
        scatter_list: in rank src, one tensor for each rank; None in the others.
        src: among all; or group_src: in the group; 0 when neither is given.
    Source: torch.distributed.scatter.
    """
    check_tensor(tensor, "tensor")
    scatter_list = scatter_list or []
    check_tensors(scatter_list, "scatter_list")
    check_dtypes(tensor, *scatter_list)
    chosen = member_of(group, "scatter")
    if chosen is None:
        return None
    root = rank_in(chosen, src, group_src, 0)
    is_root = is_given_in_root(scatter_list, chosen, root, "scatter_list", "source")
    if is_root:
        check_count(scatter_list, chosen, "scatter_list")
        check_shapes(scatter_list, tensor, "scatter_list")
    announce(chosen, "scatter", [like(tensor), root])
    taken = Taken(tensor)
    sent = buffer_of(flat_of(scatter_list)) if is_root else None
    request = chosen.collectives.Iscatter(sent, buffer_of(taken.array), root)
    return begin(chosen, "scatter", request, [tensor], taken.put, (taken, sent), async_op)


def gather(
    tensor: Any,
    gather_list: Any = None,
    dst: int | None = None,
    group: Any = None,
    async_op: bool = False,
    group_dst: int | None = None,
) -> Any:
    """Give rank dst the tensors of all ranks, of one shape.

    Args:
        gather_list: in rank dst, one tensor for each rank, written; None in the others.
        dst: among all; or group_dst: in the group; 0 when neither is given.
    Source: torch.distributed.gather.
    """
    check_tensor(tensor, "tensor")
    gather_list = gather_list or []
    check_tensors(gather_list, "gather_list")
    check_dtypes(tensor, *gather_list)
    chosen = member_of(group, "gather")
    if chosen is None:
        return None
    root = rank_in(chosen, dst, group_dst, 0)
    is_root = is_given_in_root(gather_list, chosen, root, "gather_list", "destination")
    if is_root:
        check_count(gather_list, chosen, "gather_list")
        check_shapes(gather_list, tensor, "gather_list")
    announce(chosen, "gather", [like(tensor), root])
    sent = numbers_of(tensor)
    array = np.empty(sent.size * chosen.size(), sent.dtype) if is_root else None
    request = chosen.collectives.Igather(buffer_of(sent), None if array is None else buffer_of(array), root)

    def finish() -> None:
        if array is not None:
            spread(array, gather_list)

    return begin(chosen, "gather", request, [tensor], finish, sent, async_op, gather_list)
