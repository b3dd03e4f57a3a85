"""Collectives and messages on tensors. Source: torch.distributed.distributed_c10d.

Each begins as one of MPI's on the memory of the tensors; what is not contiguous is copied, and copied back.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from npg.distributed import _check, _reductions
from npg.distributed._groups import (
    Backend as Backend,
    GroupMember as GroupMember,
    ProcessGroup as ProcessGroup,
    destroy_process_group as destroy_process_group,
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
    group_or_default as group_or_default,
    init_process_group as init_process_group,
    is_available as is_available,
    is_initialized as is_initialized,
    member_of,
    new_group as new_group,
    new_subgroups as new_subgroups,
    new_subgroups_by_enumeration as new_subgroups_by_enumeration,
    rank_in,
)
from npg.distributed._mpi import buffer_of, load
from npg.distributed._reductions import ReduceOp as ReduceOp
from npg.distributed._work import DistBackendError as DistBackendError, Message, Operation, Work as Work, carry_out
from npg.tensor import Tensor

Array = np.ndarray[Any, Any]

# ----- Tensors and memory -----


def _check_tensor(x: Any, name: str) -> None:
    if not isinstance(x, Tensor):
        raise TypeError(
            f"Invalid function argument. Expected parameter `{name}` of type torch.Tensor\n"
            f"             but got {type(x)} instead."
        )


def _check_tensors(xs: Any, name: str) -> None:
    if not isinstance(xs, list):
        raise TypeError(
            f"Invalid function argument. Expected parameter `{name}` of type List[torch.Tensor]\n"
            f"             but got {type(xs)} instead."
        )
    if not all(isinstance(x, Tensor) for x in xs):
        raise TypeError(
            f"Invalid function argument. Expected parameter `{name}` of type List[torch.Tensor]\n"
            f"             but got {type(xs)} with elements of type {[type(x) for x in xs]}."
        )


def _check_dtypes(*tensors: Tensor) -> None:
    for x in tensors[1:]:
        if x.dtype != tensors[0].dtype:
            raise ValueError(f"Invalid usage of tensors with different dtypesFound {tensors[0].dtype} and  {x.dtype}")


def _given(x: Tensor) -> Array:
    """Return the numbers of a tensor, C-contiguous, to be read."""
    return np.ascontiguousarray(x._array)


class _Taken:
    """Memory that results are written to: that of a tensor where it is contiguous."""

    def __init__(self, x: Tensor) -> None:
        self.tensor, array = x, x._array
        self.is_own = array.flags.c_contiguous and array.flags.writeable
        self.array = array if self.is_own else array.copy("C")

    def put(self) -> None:
        """Give the tensor the results."""
        if not self.is_own:
            self.tensor._array[...] = self.array
        self.tensor._counter.value += 1


def _flat(tensors: Sequence[Tensor]) -> Array:
    """Return the numbers of tensors, one after the other."""
    arrays = [x._array.reshape(-1) for x in tensors]
    return np.concatenate(arrays) if arrays else np.empty(0)


def _spread(flat: Array, tensors: Sequence[Tensor]) -> None:
    """Give each tensor its numbers of those that lie one after the other."""
    start = 0
    for x in tensors:
        x._array[...] = flat[start : start + x._array.size].reshape(x._array.shape)
        x._counter.value += 1
        start += x._array.size


def _parts(array: Array, sizes: Sequence[int]) -> list[Any]:
    """Return what mpi4py takes for parts of so many numbers each, one after the other."""
    memory, kind = buffer_of(array)
    return [memory, list(sizes), None, kind]


def _checked(chosen: ProcessGroup, name: str, same: Any) -> None:
    chosen.count += 1
    if _check.get_debug_level() is _check.DebugLevel.DETAIL:
        _check.compare(chosen, name, same)


def _like(*tensors: Tensor) -> str:
    return "; ".join(f"TensorShape={list(x.shape)}, TensorDtypes={x.dtype}" for x in tensors)


def _carry_out(
    chosen: ProcessGroup, name: str, request: Any, tensors: Sequence[Tensor], finish: Callable[[], object], keep: Any,
    async_op: bool, result: Any = None,
) -> Any:  # fmt: skip
    operation = Operation([request], _check.describe(name, tensors), finish, keep)
    return carry_out(operation, chosen, async_op, list(tensors) if result is None else result)


# ----- One to all, all to one -----


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
    _check_tensor(tensor, "tensor")
    chosen = member_of(group, "broadcast")
    if chosen is None:
        return None
    root = rank_in(chosen, src, group_src)
    _checked(chosen, "broadcast", [_like(tensor), root])
    taken = _Taken(tensor)
    request = chosen.collectives.Ibcast(buffer_of(taken.array), root)
    return _carry_out(chosen, "broadcast", request, [tensor], taken.put, taken, async_op)


def broadcast_coalesced(tensors: Sequence[Tensor], group: ProcessGroup, root: int) -> None:
    """Give all ranks tensors of one dtype of the root, a rank of the group, in one message."""
    if not tensors:
        return
    flat = _flat(tensors)
    _checked(group, "broadcast_coalesced", [_like(*tensors), root])
    operation = Operation([group.collectives.Ibcast(buffer_of(flat), root)], _check.describe("broadcast", tensors))
    operation.wait(group.timeout, group.rank())
    if group.rank() != root:
        _spread(flat, tensors)


def _reduced(
    tensors: list[Tensor], op: Any, chosen: ProcessGroup, async_op: bool, name: str, root: int | None = None
) -> Any:
    """Reduce tensors of one dtype in one message, for all ranks or for the root."""
    dtype = tensors[0]._array.dtype
    _reductions.check(op, dtype, name)
    _checked(chosen, name, [_like(*tensors), root, repr(op)])
    is_one, is_target = len(tensors) == 1, root in (None, chosen.rank())
    taken = _Taken(tensors[0]) if is_one else None
    array = _flat(tensors) if taken is None else taken.array
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
            _spread(numbers, tensors)
            return
        if numbers is not array:
            array[...] = numbers
        taken.put()

    return _carry_out(chosen, name, request, tensors, finish, numbers, async_op)


def all_reduce(tensor: Any, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False) -> Any:
    """Give all ranks the sum of their tensors, or what else `op` says, in place.

    All ranks get the same bits. float16 is added in float32, and rounded once.

    Raises: ValueError: where the dtype does not have the reduction.
    Source: torch.distributed.all_reduce.
    """
    _check_tensor(tensor, "tensor")
    chosen = member_of(group, "all_reduce")
    return None if chosen is None else _reduced([tensor], op, chosen, async_op, "all_reduce")


def all_reduce_coalesced(tensors: Any, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False) -> Any:
    """Reduce several tensors of one dtype as all_reduce does, in one message.

    Source: torch.distributed.all_reduce_coalesced.
    """
    tensors = [tensors] if isinstance(tensors, Tensor) else tensors
    _check_tensors(tensors, "tensors")
    _check_dtypes(*tensors)
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
    _check_tensor(tensor, "tensor")
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
    _check_tensor(tensor, "tensor")
    if scatter_list:
        _check_tensors(scatter_list, "scatter_list")
    else:
        scatter_list = []
    _check_dtypes(tensor, *scatter_list)
    chosen = member_of(group, "scatter")
    if chosen is None:
        return None
    root = rank_in(chosen, 0 if src is None and group_src is None else src, group_src)
    is_root = root == chosen.rank()
    if is_root and not scatter_list:
        raise ValueError("Argument ``scatter_list`` must be specified on source rank.")
    if not is_root and scatter_list:
        raise ValueError("Argument ``scatter_list`` must NOT be specified on non-source ranks.")
    if is_root:
        _check_count(scatter_list, chosen, "scatter_list")
        _check_shapes(scatter_list, tensor, "scatter_list")
    _checked(chosen, "scatter", [_like(tensor), root])
    taken = _Taken(tensor)
    sent = buffer_of(_flat(scatter_list)) if is_root else None
    request = chosen.collectives.Iscatter(sent, buffer_of(taken.array), root)
    return _carry_out(chosen, "scatter", request, [tensor], taken.put, (taken, sent), async_op)


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
    _check_tensor(tensor, "tensor")
    if gather_list:
        _check_tensors(gather_list, "gather_list")
    else:
        gather_list = []
    _check_dtypes(tensor, *gather_list)
    chosen = member_of(group, "gather")
    if chosen is None:
        return None
    root = rank_in(chosen, 0 if dst is None and group_dst is None else dst, group_dst)
    is_root = root == chosen.rank()
    if is_root and not gather_list:
        raise ValueError("Argument ``gather_list`` must be specified on destination rank.")
    if not is_root and gather_list:
        raise ValueError("Argument ``gather_list`` must NOT be specified on non-destination ranks.")
    if is_root:
        _check_count(gather_list, chosen, "gather_list")
        _check_shapes(gather_list, tensor, "gather_list")
    _checked(chosen, "gather", [_like(tensor), root])
    sent = _given(tensor)
    array = np.empty(sent.size * chosen.size(), sent.dtype) if is_root else None
    request = chosen.collectives.Igather(buffer_of(sent), None if array is None else buffer_of(array), root)

    def finish() -> None:
        if array is not None:
            _spread(array, gather_list)

    return _carry_out(chosen, "gather", request, [tensor], finish, sent, async_op, gather_list)


# ----- All to all -----


def _check_count(tensors: Sequence[Any], chosen: ProcessGroup, name: str) -> None:
    if len(tensors) != chosen.size():
        raise ValueError(f"{name} has {len(tensors)} tensors, the group has {chosen.size()} ranks")


def _check_shapes(tensors: Sequence[Tensor], like: Tensor, name: str) -> None:
    for i, x in enumerate(tensors):
        if x._array.size != like._array.size:
            raise ValueError(
                f"{name}: tensor {i} has the shape {tuple(x.shape)}, the tensor of this rank {tuple(like.shape)}"
            )


def all_gather(tensor_list: Any, tensor: Any, group: Any = None, async_op: bool = False) -> Any:
    """Give all ranks the tensors of all.

    Args: tensor_list: one tensor for each rank, of the shape of that rank's, written.
    Source: torch.distributed.all_gather.
    """
    _check_tensors(tensor_list, "tensor_list")
    _check_tensor(tensor, "tensor")
    _check_dtypes(*tensor_list, tensor)
    chosen = member_of(group, "all_gather")
    if chosen is None:
        return None
    _check_count(tensor_list, chosen, "tensor_list")
    sizes = [x._array.size for x in tensor_list]
    _check_shapes([tensor_list[chosen.rank()]], tensor, "tensor_list, at this rank")
    _checked(chosen, "all_gather", [f"TensorDtypes={tensor.dtype}", sizes])
    sent = _given(tensor)
    array = np.empty(sum(sizes), sent.dtype)
    request = chosen.collectives.Iallgatherv(buffer_of(sent), _parts(array, sizes))
    return _carry_out(
        chosen, "all_gather", request, [tensor], lambda: _spread(array, tensor_list), sent, async_op, [tensor_list]
    )


def all_gather_into_tensor(output_tensor: Any, input_tensor: Any, group: Any = None, async_op: bool = False) -> Any:
    """Give all ranks the tensors of all, joined or stacked along the first dimension, in one tensor.

    Source: torch.distributed.all_gather_into_tensor.
    """
    _check_tensor(input_tensor, "input_tensor")
    _check_tensor(output_tensor, "output_tensor")
    _check_dtypes(output_tensor, input_tensor)
    chosen = member_of(group, "all_gather_into_tensor")
    if chosen is None:
        return None
    if output_tensor._array.size != input_tensor._array.size * chosen.size():
        raise ValueError("output tensor size must be equal to world_size times input tensor size")
    _checked(chosen, "all_gather_into_tensor", [_like(input_tensor)])
    sent, taken = _given(input_tensor), _Taken(output_tensor)
    request = chosen.collectives.Iallgather(buffer_of(sent), buffer_of(taken.array))
    return _carry_out(
        chosen, "all_gather_into_tensor", request, [input_tensor], taken.put, (sent, taken), async_op, [output_tensor]
    )


def all_gather_coalesced(
    output_tensor_lists: Any, input_tensor_list: Any, group: Any = None, async_op: bool = False
) -> Any:
    """Give all ranks several tensors of all ranks, in one message.

    Args: output_tensor_lists: for each rank a list of tensors shaped as its inputs, written.
    Source: torch.distributed.all_gather_coalesced.
    """
    _check_tensors(input_tensor_list, "input_tensor_list")
    if not isinstance(output_tensor_lists, list):
        raise TypeError("Invalid function argument: output_tensor_lists should be a list")
    for tensors in output_tensor_lists:
        _check_tensors(tensors, "output_tensor_lists")
    outputs = [x for tensors in output_tensor_lists for x in tensors]
    _check_dtypes(*input_tensor_list, *outputs)
    chosen = member_of(group, "all_gather_coalesced")
    if chosen is None or not input_tensor_list:
        return None
    _check_count(output_tensor_lists, chosen, "output_tensor_lists")
    sent, sizes = _flat(input_tensor_list), [sum(x._array.size for x in tensors) for tensors in output_tensor_lists]
    _checked(chosen, "all_gather_coalesced", [_like(*input_tensor_list)])
    array = np.empty(sum(sizes), sent.dtype)
    request = chosen.collectives.Iallgatherv(buffer_of(sent), _parts(array, sizes))
    return _carry_out(
        chosen, "all_gather_coalesced", request, input_tensor_list, lambda: _spread(array, outputs), sent, async_op,
        output_tensor_lists,
    )  # fmt: skip


def _reduce_scattered(
    output: Tensor, numbers: Array, sizes: list[int], op: Any, chosen: ProcessGroup, async_op: bool, name: str
) -> Any:
    dtype = output._array.dtype
    _reductions.check(op, dtype, name)
    _checked(chosen, name, [f"TensorDtypes={output.dtype}", sizes, repr(op)])
    sent, taken = _reductions.before(op, numbers), _Taken(output)
    array = np.empty(output._array.size, sent.dtype)
    request = chosen.collectives.Ireduce_scatter(
        buffer_of(sent), buffer_of(array), sizes, _reductions.operation(op, dtype)
    )

    def finish() -> None:
        _reductions.after(op, array, chosen.size())
        taken.array[...] = array.reshape(taken.array.shape)
        taken.put()

    return _carry_out(chosen, name, request, [output], finish, sent, async_op)


def reduce_scatter(
    output: Any, input_list: Any, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Any:
    """Give rank i the sum of the i-th tensors of all ranks' lists, or what else `op` says.

    Source: torch.distributed.reduce_scatter.
    """
    _check_tensor(output, "output")
    _check_tensors(input_list, "input_list")
    _check_dtypes(output, *input_list)
    chosen = member_of(group, "reduce_scatter")
    if chosen is None:
        return None
    _check_count(input_list, chosen, "input_list")
    _check_shapes([input_list[chosen.rank()]], output, "input_list, at this rank")
    sizes = [x._array.size for x in input_list]
    return _reduce_scattered(output, _flat(input_list), sizes, op, chosen, async_op, "reduce_scatter")


def all_gather_single(output_tensor: Any, input_tensor: Any, group: Any = None, async_op: bool = False) -> Any:
    """Do as all_gather_into_tensor: PyTorch's newer name. Source: torch.distributed.all_gather_single."""
    return all_gather_into_tensor(output_tensor, input_tensor, group, async_op)


def reduce_scatter_single(
    output: Any, input: Any, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Any:
    """Do as reduce_scatter_tensor: PyTorch's newer name. Source: torch.distributed.reduce_scatter_single."""
    return reduce_scatter_tensor(output, input, op, group, async_op)


def reduce_scatter_tensor(
    output: Any, input: Any, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Any:
    """Give rank i the i-th part of the sum of all ranks' tensors, or of what else `op` says.

    Source: torch.distributed.reduce_scatter_tensor.
    """
    _check_tensor(output, "output")
    _check_tensor(input, "input")
    _check_dtypes(output, input)
    chosen = member_of(group, "reduce_scatter_tensor")
    if chosen is None:
        return None
    if input._array.size != output._array.size * chosen.size():
        raise ValueError("input tensor must be the same size as output size times world size")
    sizes = [output._array.size] * chosen.size()
    numbers = _given(input).reshape(-1)
    return _reduce_scattered(output, numbers, sizes, op, chosen, async_op, "reduce_scatter_tensor")


def all_to_all(output_tensor_list: Any, input_tensor_list: Any, group: Any = None, async_op: bool = False) -> Any:
    """Send the i-th tensor to rank i, and receive the i-th from it.

    Source: torch.distributed.all_to_all.
    """
    _check_tensors(output_tensor_list, "output_tensor_list")
    _check_tensors(input_tensor_list, "input_tensor_list")
    _check_dtypes(*output_tensor_list, *input_tensor_list)
    chosen = member_of(group, "all_to_all")
    if chosen is None:
        return None
    _check_count(input_tensor_list, chosen, "input_tensor_list")
    _check_count(output_tensor_list, chosen, "output_tensor_list")
    _checked(chosen, "all_to_all", [f"TensorDtypes={input_tensor_list[0].dtype}"])
    sent = _flat(input_tensor_list)
    sizes = [x._array.size for x in output_tensor_list]
    array = np.empty(sum(sizes), sent.dtype)
    request = chosen.collectives.Ialltoallv(
        _parts(sent, [x._array.size for x in input_tensor_list]), _parts(array, sizes)
    )
    return _carry_out(
        chosen, "all_to_all", request, input_tensor_list, lambda: _spread(array, output_tensor_list), sent, async_op,
        output_tensor_list,
    )  # fmt: skip


def _split_sizes(x: Tensor, sizes: Sequence[int] | None, ranks: int) -> list[int]:
    """Return how many numbers go to each rank, by the rows that do."""
    rows = x.shape[0] if x.ndim else 1
    if not sizes:
        if rows % ranks:
            raise ValueError("Tensor's dim 0 does not divide equally across group size")
        sizes = [rows // ranks] * ranks
    if len(sizes) != ranks:
        raise ValueError("Number of tensor splits not equal to group size")
    if sum(sizes) != rows:
        raise ValueError("Split sizes doesn't match total dim 0 size")
    return [size * (x._array.size // rows if rows else 0) for size in sizes]


def all_to_all_single(
    output: Any,
    input: Any,
    output_split_sizes: Any = None,
    input_split_sizes: Any = None,
    group: Any = None,
    async_op: bool = False,
) -> Any:
    """Send some rows to each rank and receive some from it, one after the other in the order of ranks.

    Args: output_split_sizes, input_split_sizes: how many rows come from and go to each rank; None: equally many.
    Source: torch.distributed.all_to_all_single.
    """
    _check_tensor(output, "output")
    _check_tensor(input, "input")
    _check_dtypes(output, input)
    chosen = member_of(group, "all_to_all_single")
    if chosen is None:
        return None
    sizes = _split_sizes(input, input_split_sizes, chosen.size())
    received = _split_sizes(output, output_split_sizes, chosen.size())
    _checked(chosen, "all_to_all_single", [f"TensorDtypes={input.dtype}"])
    sent, taken = _given(input), _Taken(output)
    request = chosen.collectives.Ialltoallv(_parts(sent, sizes), _parts(taken.array, received))
    return _carry_out(chosen, "all_to_all_single", request, [input], taken.put, (sent, taken), async_op, [output])


# ----- Barriers -----


def barrier(group: Any = None, async_op: bool = False, device_ids: Any = None, timeout: timedelta | None = None) -> Any:
    """Wait until all ranks are here.

    Args: timeout: at most so long; None: as long as the group allows.
    Source: torch.distributed.barrier.
    """
    chosen = member_of(group, "barrier")
    if chosen is None:
        return None
    _checked(chosen, "barrier", [])
    operation = Operation([chosen.collectives.Ibarrier()], "barrier")
    if async_op or timeout is None:
        return carry_out(operation, chosen, async_op, [])
    operation.wait(timeout, chosen.rank())
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
            Operation([sent, answer], "monitored_barrier", None, here).wait(limit, rank)
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
        operation = Operation([chosen.messages.Irecv(buffer_of(here.copy()), other, _MONITORED)], "monitored_barrier")
        rest = timedelta(seconds=max(limit.total_seconds() - (time.monotonic() - start), 0.0))
        try:
            operation.wait(rest, rank)
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
        Operation([request], "monitored_barrier", None, here).wait(limit, rank)


# ----- From rank to rank -----

_MONITORED = 32_000  # MPI's tag of monitored_barrier's messages


def _peer(chosen: ProcessGroup, of_all: int | None, of_group: int | None, verb: str) -> int:
    peer = rank_in(chosen, of_all, of_group)
    if peer == chosen.rank():
        kind = "source" if verb == "recv" else "destination"
        raise ValueError(f"Invalid {kind} rank: {kind} rank should not be the same as the rank of the current process.")
    return peer


def isend(tensor: Any, dst: int | None = None, group: Any = None, tag: int = 0, group_dst: int | None = None) -> Any:
    """Send a tensor to rank dst; it must not be changed until the Work is done.

    Args:
        dst: among all; or group_dst: in the group.
        tag: a number that the receiver's must equal.
    Source: torch.distributed.isend.
    """
    _check_tensor(tensor, "tensor")
    chosen = member_of(group, "isend")
    if chosen is None:
        return None
    peer = _peer(chosen, dst, group_dst, "send")
    sent = _given(tensor)
    request = chosen.messages.Isend(buffer_of(sent), peer, tag)
    described = f"{_check.describe('send', [tensor])} to rank {chosen.ranks[peer]}"
    return Message(Operation([request], described, None, sent), chosen.rank(), chosen.timeout, [tensor])


def irecv(tensor: Any, src: int | None = None, group: Any = None, tag: int = 0, group_src: int | None = None) -> Any:
    """Receive a tensor from rank src, or from any; it is written when the Work is done.

    Args:
        src: among all; or group_src: in the group; any rank when neither is given.
        tag: of the message.
    Raises: DistBackendError: from wait(): when the sender's tensor has another number of elements.
    Source: torch.distributed.irecv.
    """
    _check_tensor(tensor, "tensor")
    chosen = member_of(group, "irecv")
    if chosen is None:
        return None
    MPI = load()
    from_any = src is None and group_src is None
    peer = MPI.ANY_SOURCE if from_any else _peer(chosen, src, group_src, "recv")
    taken = _Taken(tensor)
    memory = buffer_of(taken.array)
    request = chosen.messages.Irecv(memory, peer, tag)
    described = f"{_check.describe('recv', [tensor])} from {'any rank' if from_any else f'rank {chosen.ranks[peer]}'}"
    operation = Operation([request], described, None, taken)

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
    return Message(operation, chosen.rank(), chosen.timeout, [tensor], source)


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
        _check_tensor(tensor, "tensor")
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
