"""Batch normalisation over the batches of all ranks, for nn.SyncBatchNorm."""

from __future__ import annotations

from typing import Any

from npg.autograd.function import Function, once_differentiable
from npg.creation import tensor
from npg.distributed._collectives import all_reduce
from npg.dtypes import float64
from npg.functional.joining import cat, stack
from npg.tensor import Tensor


class BatchNormOverRanks(Function):
    """y = (x - mean) / sqrt(var + eps) of each channel of (N, C, ...), over the batches of all ranks.

    apply(x, eps, group) returns y, the mean and the unbiased variance, (C,). Ranks may have empty batches.
    Raises: ValueError: for fewer than two numbers of a channel in all ranks together.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, eps: float, group: Any) -> Any:
        dims, count = [0, *range(2, x.dim())], x.numel() // x.shape[1]
        # In float64: sums over all ranks, of which the variance is a difference.
        wide = x.double()
        sums = cat([tensor([count], dtype=float64), wide.sum(dims)])
        all_reduce(sums, group=group)
        total = sums[0].item()
        if total < 2:
            raise ValueError(
                f"Expected more than 1 value per channel when training, got input size {list(x.shape)} in {total:.0f} "
                "rows of all ranks"
            )
        mean = sums[1:] / total
        shape = [1, -1] + [1] * (x.dim() - 2)
        distance = wide - mean.view(shape)
        squares = (distance * distance).sum(dims)
        all_reduce(squares, group=group)
        var = squares / total
        scale = (var + eps).rsqrt()
        y = (distance * scale.view(shape)).to(x.dtype)
        ctx.save_for_backward(y, scale.to(x.dtype))
        ctx.dims, ctx.shape, ctx.total, ctx.group = dims, shape, total, group
        statistics = mean.to(x.dtype), (squares / (total - 1)).to(x.dtype)
        ctx.mark_non_differentiable(*statistics)
        return y, *statistics

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor, *_statistics: Any) -> Any:
        y, scale = ctx.saved_tensors
        wide = g.double()
        sums = stack([wide.sum(ctx.dims), (wide * y.double()).sum(ctx.dims)])
        all_reduce(sums, group=ctx.group)
        mean, along = (sums / ctx.total).to(g.dtype).unbind(0)
        gx = (g - mean.view(ctx.shape) - y * along.view(ctx.shape)) * scale.view(ctx.shape)
        return gx, None, None
