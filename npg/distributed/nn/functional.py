"""Collectives that are differentiated: the backward pass of one is another one, on the gradients.

So all ranks of the group run the backward pass too, and in the same order. The loss that is differentiated is the sum
of those of all ranks. Source: torch.distributed.nn.functional.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from npg import distributed
from npg.autograd.function import Function
from npg.creation import empty_like, zeros_like
from npg.distributed import ReduceOp
from npg.functional import stack
from npg.tensor import Tensor


def _deprecated(name: str, other: str = "") -> None:
    warnings.warn(
        f"torch.distributed.nn.functional.{name} is deprecated, use "
        f"torch.distributed._functional_collectives.{other or name} instead.",
        FutureWarning,
        stacklevel=3,
    )


def broadcast(tensor: Tensor, src: int, group: Any = None) -> Any:
    """Return the tensor of rank src, in all ranks. Args: src: among all. group: None: the default one."""
    _deprecated("broadcast")
    return _Broadcast.apply(src, group, tensor)


def gather(tensor: Tensor, dst: int = 0, group: Any = None) -> Any:
    """Return the tensors of all ranks, in rank dst; zeros in the others. They have one shape."""
    return _Gather.apply(dst, group, tensor)


def scatter(tensors: Sequence[Tensor], src: int = 0, group: Any = None) -> Any:
    """Return this rank's one of the tensors of rank src.

    Args: tensors: one for each rank, of one shape; in the others than src they give the shape only.
    """
    return _Scatter.apply(src, group, *tensors)


def reduce(tensor: Tensor, dst: int, op: Any = ReduceOp.SUM, group: Any = None) -> Any:
    """Return the sum of all ranks' tensors, or what else op says, in rank dst. What the others get has no meaning."""
    return _Reduce.apply(dst, op, group, tensor)


def reduce_scatter(output: Tensor, input_list: Sequence[Tensor], op: Any = ReduceOp.SUM, group: Any = None) -> Any:
    """Return the sum of the tensors that all ranks have for this one. Args: output: gives the shape."""
    _deprecated("reduce_scatter", "reduce_scatter_single")
    return _ReduceScatter.apply(op, group, output, *input_list)


def all_gather(tensor: Tensor, group: Any = None) -> Any:
    """Return the tensors of all ranks, of one shape."""
    _deprecated("all_gather", "all_gather_single")
    return _AllGather.apply(group, tensor)


def all_to_all(output_tensor_list: Sequence[Tensor], input_tensor_list: Sequence[Tensor], group: Any = None) -> Any:
    """Return what each rank has for this one, written to output_tensor_list."""
    return _AllToAll.apply(group, output_tensor_list, *input_tensor_list)


def all_to_all_single(
    output: Tensor, input: Tensor, output_split_sizes: Any = None, input_split_sizes: Any = None, group: Any = None
) -> Any:
    """Send some rows to each rank, and return those that come, written to output."""
    _deprecated("all_to_all_single")
    return AllToAllSingle.apply(group, output, output_split_sizes, input_split_sizes, input)


def all_reduce(tensor: Tensor, op: Any = ReduceOp.SUM, group: Any = None) -> Any:
    """Return the sum of all ranks' tensors, or what else op says, in all ranks. The gradient is that of the sum."""
    _deprecated("all_reduce")
    return _AllReduce.apply(op, group, tensor)


# ----- Their derivatives -----


def _is(rank: int) -> bool:
    return bool(distributed.get_rank() == rank)


class _Broadcast(Function):
    @staticmethod
    def forward(ctx: Any, src: int, group: Any, tensor: Tensor) -> Any:
        ctx.src, ctx.group = src, group
        tensor = tensor.clone()
        distributed.broadcast(tensor, src, group)
        return tensor

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        total = _Reduce.apply(ctx.src, ReduceOp.SUM, ctx.group, grad)
        if not _is(ctx.src):
            total.zero_()  # in place: its own backward pass runs in all ranks
        return None, None, total


class _Reduce(Function):
    @staticmethod
    def forward(ctx: Any, dst: int, op: Any, group: Any, tensor: Tensor) -> Any:
        ctx.dst, ctx.group = dst, group
        tensor = tensor.clone()
        distributed.reduce(tensor, dst, op, group)
        return tensor

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return None, None, None, _Broadcast.apply(ctx.dst, ctx.group, grad)


class _Gather(Function):
    @staticmethod
    def forward(ctx: Any, dst: int, group: Any, tensor: Tensor) -> Any:
        ctx.dst, ctx.group = dst, group
        found = [zeros_like(tensor) for _ in range(distributed.get_world_size(group))]
        distributed.gather(tensor, found if _is(dst) else None, dst, group)
        return tuple(found)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return None, None, _Scatter.apply(ctx.dst, ctx.group, *grads)


class _Scatter(Function):
    @staticmethod
    def forward(ctx: Any, src: int, group: Any, *tensors: Tensor) -> Any:
        ctx.src, ctx.group = src, group
        output = zeros_like(tensors[0])
        distributed.scatter(output, list(tensors) if _is(src) else None, src, group)
        return output

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return None, None, *_Gather.apply(ctx.src, ctx.group, grad)


class _ReduceScatter(Function):
    @staticmethod
    def forward(ctx: Any, op: Any, group: Any, output: Tensor, *tensors: Tensor) -> Any:
        ctx.group = group
        output = empty_like(output)
        distributed.reduce_scatter(output, list(tensors), op, group)
        return output

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return None, None, None, *_AllGather.apply(ctx.group, grad)


class _AllGather(Function):
    @staticmethod
    def forward(ctx: Any, group: Any, tensor: Tensor) -> Any:
        ctx.group = group
        found = [empty_like(tensor) for _ in range(distributed.get_world_size(group))]
        distributed.all_gather(found, tensor, group)
        return tuple(found)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        # As PyTorch with gloo adds them: in the order of the ranks.
        return None, stack(_AllToAll.apply(ctx.group, [empty_like(g) for g in grads], *grads)).sum(0)


class _AllToAll(Function):
    @staticmethod
    def forward(ctx: Any, group: Any, outputs: Sequence[Tensor], *tensors: Tensor) -> Any:
        ctx.group, ctx.shapes = group, [x.shape for x in tensors]
        distributed.all_to_all(list(outputs), list(tensors), group)
        return tuple(outputs)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        rooms = [grads[0].new_empty(shape) for shape in ctx.shapes]
        return None, None, *_AllToAll.apply(ctx.group, rooms, *grads)


class AllToAllSingle(Function):
    @staticmethod
    def forward(ctx: Any, group: Any, output: Tensor, received: Any, sent: Any, input: Tensor) -> Any:
        ctx.group, ctx.received, ctx.sent, ctx.shape = group, received, sent, input.shape
        distributed.all_to_all_single(output, input, received, sent, group)
        return output

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        room = grad.new_empty(ctx.shape)
        return None, None, None, None, AllToAllSingle.apply(ctx.group, room, ctx.sent, ctx.received, grad)


class _AllReduce(Function):
    @staticmethod
    def forward(ctx: Any, op: Any, group: Any, tensor: Tensor) -> Any:
        ctx.op, ctx.group = op, group
        tensor = tensor.clone()
        distributed.all_reduce(tensor, op, group)
        return tensor

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return None, None, _AllReduce.apply(ctx.op, ctx.group, grad)
