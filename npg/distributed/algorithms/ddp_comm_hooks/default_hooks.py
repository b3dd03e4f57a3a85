"""Average the gradients as they are, or in float16.

Source: torch.distributed.algorithms.ddp_comm_hooks.default_hooks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from npg import distributed
from npg.distributed._groups import group_or_default
from npg.dtypes import float16
from npg.futures import Future

__all__ = [
    "allreduce_hook",
    "bf16_compress_hook",
    "bf16_compress_wrapper",
    "fp16_compress_hook",
    "fp16_compress_wrapper",
]

_NO_BFLOAT16 = "BF16 all reduce communication hook required CUDA 11+ and NCCL 2.10+ or XPU and XCCL"


def allreduce_hook(process_group: Any, bucket: Any) -> Future[Any]:
    """Return a Future of the average of a bucket: what is done without a hook."""
    group = group_or_default(process_group)
    buffer = bucket.buffer()
    buffer /= group.size()
    work = distributed.all_reduce(buffer, group=group, async_op=True)
    result: Future[Any] = work.get_future().then(lambda done: done.value()[0])
    return result


def fp16_compress_hook(process_group: Any, bucket: Any) -> Future[Any]:
    """Return a Future of the average of a bucket that was rounded to float16 to be sent."""
    group = group_or_default(process_group)
    buffer = bucket.buffer()
    sent = buffer.to(float16) / group.size()

    def back(done: Any) -> Any:
        return buffer.copy_(done.value()[0])

    result: Future[Any] = distributed.all_reduce(sent, group=group, async_op=True).get_future().then(back)
    return result


def fp16_compress_wrapper(hook: Callable[[Any, Any], Future[Any]]) -> Callable[[Any, Any], Future[Any]]:
    """Return a hook that gives another one the gradients rounded to float16, and its results back in their dtype."""

    def compressing(state: Any, bucket: Any) -> Future[Any]:
        dtype = bucket.buffer().dtype
        rounded = bucket.buffer().to(float16).to(dtype)
        bucket.set_buffer(rounded)
        return hook(state, bucket)

    return compressing


def bf16_compress_hook(process_group: Any, bucket: Any) -> Future[Any]:
    """Raise TypeError: as on PyTorch's CPU, bfloat16 is not summed."""
    raise TypeError(_NO_BFLOAT16)


def bf16_compress_wrapper(hook: Callable[[Any, Any], Future[Any]]) -> Callable[[Any, Any], Future[Any]]:
    """Return a hook that raises TypeError: as on PyTorch's CPU, bfloat16 is not summed."""

    def bf16_compress_wrapper_hook(_state: Any, _bucket: Any) -> Future[Any]:
        raise TypeError(_NO_BFLOAT16)

    return bf16_compress_wrapper_hook
