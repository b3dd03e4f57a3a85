"""From all ranks to all: gathering, sums in parts, and exchanges.

Source: torch.distributed.distributed_c10d.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from npg.distributed import _reductions
from npg.distributed._groups import ProcessGroup, member_of
from npg.distributed._mpi import buffer_of
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
    like,
    numbers_of,
    parts_of,
    spread,
)
from npg.tensor import Tensor

Array = np.ndarray[Any, Any]


def all_gather(tensor_list: Any, tensor: Any, group: Any = None, async_op: bool = False) -> Any:
    """Give all ranks the tensors of all.

    Args: tensor_list: one tensor for each rank, of the shape of that rank's, written.
    Source: torch.distributed.all_gather.
    """
    check_tensors(tensor_list, "tensor_list")
    check_tensor(tensor, "tensor")
    check_dtypes(*tensor_list, tensor)
    chosen = member_of(group, "all_gather")
    if chosen is None:
        return None
    check_count(tensor_list, chosen, "tensor_list")
    sizes = [x._array.size for x in tensor_list]
    check_shapes([tensor_list[chosen.rank()]], tensor, "tensor_list, at this rank")
    announce(chosen, "all_gather", [f"TensorDtypes={tensor.dtype}", sizes])
    sent = numbers_of(tensor)
    array = np.empty(sum(sizes), sent.dtype)
    request = chosen.collectives.Iallgatherv(buffer_of(sent), parts_of(array, sizes))
    return begin(
        chosen, "all_gather", request, [tensor], lambda: spread(array, tensor_list), sent, async_op, [tensor_list]
    )


def all_gather_into_tensor(output_tensor: Any, input_tensor: Any, group: Any = None, async_op: bool = False) -> Any:
    """Give all ranks the tensors of all, joined or stacked along the first dimension, in one tensor.

    Source: torch.distributed.all_gather_into_tensor.
    """
    check_tensor(input_tensor, "input_tensor")
    check_tensor(output_tensor, "output_tensor")
    check_dtypes(output_tensor, input_tensor)
    chosen = member_of(group, "all_gather_into_tensor")
    if chosen is None:
        return None
    if output_tensor._array.size != input_tensor._array.size * chosen.size():
        raise ValueError("output tensor size must be equal to world_size times input tensor size")
    announce(chosen, "all_gather_into_tensor", [like(input_tensor)])
    sent, taken = numbers_of(input_tensor), Taken(output_tensor)
    request = chosen.collectives.Iallgather(buffer_of(sent), buffer_of(taken.array))
    return begin(
        chosen, "all_gather_into_tensor", request, [input_tensor], taken.put, (sent, taken), async_op, [output_tensor]
    )


def all_gather_coalesced(
    output_tensor_lists: Any, input_tensor_list: Any, group: Any = None, async_op: bool = False
) -> Any:
    """Give all ranks several tensors of all ranks, in one message.

    Args: output_tensor_lists: for each rank a list of tensors shaped as its inputs, written.
    Source: torch.distributed.all_gather_coalesced.
    """
    check_tensors(input_tensor_list, "input_tensor_list")
    if not isinstance(output_tensor_lists, list):
        raise TypeError("Invalid function argument: output_tensor_lists should be a list")
    for tensors in output_tensor_lists:
        check_tensors(tensors, "output_tensor_lists")
    outputs = [x for tensors in output_tensor_lists for x in tensors]
    check_dtypes(*input_tensor_list, *outputs)
    chosen = member_of(group, "all_gather_coalesced")
    if chosen is None or not input_tensor_list:
        return None
    check_count(output_tensor_lists, chosen, "output_tensor_lists")
    sent, sizes = flat_of(input_tensor_list), [sum(x._array.size for x in tensors) for tensors in output_tensor_lists]
    announce(chosen, "all_gather_coalesced", [like(*input_tensor_list)])
    array = np.empty(sum(sizes), sent.dtype)
    request = chosen.collectives.Iallgatherv(buffer_of(sent), parts_of(array, sizes))
    return begin(
        chosen, "all_gather_coalesced", request, input_tensor_list, lambda: spread(array, outputs), sent, async_op,
        output_tensor_lists,
    )  # fmt: skip


def _reduce_scattered(
    output: Tensor, numbers: Array, sizes: list[int], op: Any, chosen: ProcessGroup, async_op: bool, name: str
) -> Any:
    dtype = output._array.dtype
    _reductions.check(op, dtype, name)
    announce(chosen, name, [f"TensorDtypes={output.dtype}", sizes, repr(op)])
    sent, taken = _reductions.before(op, numbers), Taken(output)
    array = np.empty(output._array.size, sent.dtype)
    request = chosen.collectives.Ireduce_scatter(
        buffer_of(sent), buffer_of(array), sizes, _reductions.operation(op, dtype)
    )

    def finish() -> None:
        _reductions.after(op, array, chosen.size())
        taken.array[...] = array.reshape(taken.array.shape)
        taken.put()

    return begin(chosen, name, request, [output], finish, sent, async_op)


def reduce_scatter(
    output: Any, input_list: Any, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Any:
    """Give rank i the sum of the i-th tensors of all ranks' lists, or what else `op` says.

    Source: torch.distributed.reduce_scatter.
    """
    check_tensor(output, "output")
    check_tensors(input_list, "input_list")
    check_dtypes(output, *input_list)
    chosen = member_of(group, "reduce_scatter")
    if chosen is None:
        return None
    check_count(input_list, chosen, "input_list")
    check_shapes([input_list[chosen.rank()]], output, "input_list, at this rank")
    sizes = [x._array.size for x in input_list]
    return _reduce_scattered(output, flat_of(input_list), sizes, op, chosen, async_op, "reduce_scatter")


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
    check_tensor(output, "output")
    check_tensor(input, "input")
    check_dtypes(output, input)
    chosen = member_of(group, "reduce_scatter_tensor")
    if chosen is None:
        return None
    if input._array.size != output._array.size * chosen.size():
        raise ValueError("input tensor must be the same size as output size times world size")
    sizes = [output._array.size] * chosen.size()
    numbers = numbers_of(input).reshape(-1)
    return _reduce_scattered(output, numbers, sizes, op, chosen, async_op, "reduce_scatter_tensor")


def all_to_all(output_tensor_list: Any, input_tensor_list: Any, group: Any = None, async_op: bool = False) -> Any:
    """Send the i-th tensor to rank i, and receive the i-th from it.

    Source: torch.distributed.all_to_all.
    """
    check_tensors(output_tensor_list, "output_tensor_list")
    check_tensors(input_tensor_list, "input_tensor_list")
    check_dtypes(*output_tensor_list, *input_tensor_list)
    chosen = member_of(group, "all_to_all")
    if chosen is None:
        return None
    check_count(input_tensor_list, chosen, "input_tensor_list")
    check_count(output_tensor_list, chosen, "output_tensor_list")
    announce(chosen, "all_to_all", [f"TensorDtypes={input_tensor_list[0].dtype}"])
    sent = flat_of(input_tensor_list)
    sizes = [x._array.size for x in output_tensor_list]
    array = np.empty(sum(sizes), sent.dtype)
    request = chosen.collectives.Ialltoallv(
        parts_of(sent, [x._array.size for x in input_tensor_list]), parts_of(array, sizes)
    )
    return begin(
        chosen, "all_to_all", request, input_tensor_list, lambda: spread(array, output_tensor_list), sent, async_op,
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
    check_tensor(output, "output")
    check_tensor(input, "input")
    check_dtypes(output, input)
    chosen = member_of(group, "all_to_all_single")
    if chosen is None:
        return None
    sizes = _split_sizes(input, input_split_sizes, chosen.size())
    received = _split_sizes(output, output_split_sizes, chosen.size())
    announce(chosen, "all_to_all_single", [f"TensorDtypes={input.dtype}"])
    sent, taken = numbers_of(input), Taken(output)
    request = chosen.collectives.Ialltoallv(parts_of(sent, sizes), parts_of(taken.array, received))
    return begin(chosen, "all_to_all_single", request, [input], taken.put, (sent, taken), async_op, [output])
