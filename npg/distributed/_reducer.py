"""Gradients averaged over ranks while the backward pass still runs: what DistributedDataParallel stands on.

Parameters lie in buckets, flat memory of one dtype, in the order in which their gradients arrive. When the last
gradient of a bucket has arrived, its sum over the ranks begins, and goes on in the group's thread beside the rest of
the pass. All ranks begin the buckets in the same order. At the end of the pass all sums are waited for.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from npg.creation import from_numpy
from npg.distributed._collectives import all_reduce, broadcast
from npg.distributed._groups import get_rank
from npg.engine import queue_callback
from npg.tensor import Tensor

Array = np.ndarray[Any, Any]

FIRST_BUCKET = 1 << 20  # bytes: small, so that the first sum begins soon
_NOT_FINISHED = (
    "Expected to have finished reduction in the prior iteration before starting a new one. This error indicates that "
    "your module has parameters that were not used in producing loss. You can enable unused parameter detection by "
    "passing the keyword argument `find_unused_parameters=True` to `torch.nn.parallel.DistributedDataParallel`, and by "
    "\nmaking sure all `forward` function outputs participate in calculating loss. \n"
    "If you already have done the above, then the distributed data parallel module wasn't able to locate the output "
    "tensors in the return value of your module's `forward` function. Please include the loss function and the "
    "structure of the return value of `forward` of your module when reporting this issue (e.g. list, dict, iterable).\n"
    "Parameter indices which did not receive grad for rank {rank}: {indices}\n"
    " In addition, you can set the environment variable TORCH_DISTRIBUTED_DEBUG to either INFO or DETAIL to print out "
    "information about which particular parameters did not receive gradient on this rank as part of this error"
)
_TWICE = (
    "Expected to mark a variable ready only once. This error is caused by one of the following reasons: 1) Use of a "
    "module parameter outside the `forward` function. Please make sure model parameters are not shared across multiple "
    "concurrent forward-backward passes. or try to use _set_static_graph() as a workaround if this module graph does "
    "not change during training loop.2) Reused parameters in multiple reentrant backward passes. For example, if you "
    "use multiple `checkpoint` functions to wrap the same part of your model, it would result in the same set of "
    "parameters been used by different reentrant backward passes multiple times, and hence marking a variable ready "
    "multiple times. DDP does not support such use cases in default. You can try to use _set_static_graph() as a "
    "workaround if your module graph does not change over iterations.\n"
    "Parameter at index {index} has been marked as ready twice."
)


class GradBucket:
    """A bucket as communication hooks see it. Source: torch.distributed.GradBucket."""

    def __init__(self, bucket: _Bucket, index: int, is_last: bool, parameters: list[Tensor]) -> None:
        self._bucket, self._index, self._is_last, self._parameters = bucket, index, is_last, parameters

    def index(self) -> int:
        """Return its number: 0 is the first that is reduced."""
        return self._index

    def is_last(self) -> bool:
        """Tell whether it is the last one of the pass."""
        return self._is_last

    def buffer(self) -> Tensor:
        """Return its memory, one-dimensional: the gradients, one after the other."""
        return self._bucket.tensor

    def set_buffer(self, tensor: Tensor) -> None:
        """Take the numbers of a tensor for its own."""
        self._bucket.flat[...] = tensor._array.reshape(-1)

    def gradients(self) -> list[Tensor]:
        """Return the gradients: views of its memory."""
        return list(self._bucket.views)

    def parameters(self) -> list[Tensor]:
        """Return the parameters."""
        return list(self._parameters)


class _Bucket:
    """Gradients that are summed together.

    Attributes:
        indices: of the parameters. flat: memory of the gradients. views: of each gradient, shaped as it.
        waiting: how many have not arrived in this pass.
        future: of the sum, once it has begun.
    """

    def __init__(self, indices: list[int], parameters: Sequence[Tensor]) -> None:
        self.indices = indices
        shapes = [parameters[i]._array.shape for i in indices]
        sizes = [parameters[i]._array.size for i in indices]
        self.flat = np.zeros(sum(sizes), parameters[indices[0]]._array.dtype)
        self.tensor = from_numpy(self.flat)
        ends = np.cumsum(sizes).tolist()
        self.views = [
            from_numpy(self.flat[end - size : end].reshape(shape))
            for end, size, shape in zip(ends, sizes, shapes, strict=True)
        ]
        self.waiting = len(indices)
        self.future: Any = None


def assign(parameters: Sequence[Tensor], order: Sequence[int], limits: Sequence[int]) -> list[list[int]]:
    """Return the indices of the parameters of each bucket: of one dtype, in this order, up to so many bytes.

    Args: limits: of the first buckets; the last one is of all that follow.
    """
    done: list[list[int]] = []
    open_: dict[Any, list[Any]] = {}  # by dtype: [indices, bytes, limits that were used]
    for i in order:
        array = parameters[i]._array
        state = open_.setdefault(array.dtype, [[], 0, 0])
        state[0].append(i)
        state[1] += array.nbytes
        if state[1] >= limits[min(state[2], len(limits) - 1)]:
            done.append(state[0])
            state[:] = [[], 0, state[2] + 1]
    return done + [state[0] for state in open_.values() if state[0]]


class Reducer:
    """Average the gradients of parameters over the ranks of a group.

    Args:
        parameters: those that require a gradient, in the same order in all ranks.
        group: of the ranks. cap: bytes of a bucket.
        finds_unused: expects that a pass may not reach some parameters. is_static: the graph is the same each time.
        as_views: gradients are views of the buckets.
    """

    def __init__(
        self, parameters: Sequence[Tensor], group: Any, cap: int, finds_unused: bool, is_static: bool, as_views: bool
    ) -> None:
        self.parameters, self.group, self.cap = parameters, group, cap
        self.finds_unused, self.is_static, self.as_views = finds_unused, is_static, as_views
        self.ranks = group.size()  # that the sums are divided by
        self.hook: Callable[[GradBucket], Any] | None = None
        self._expects = False  # between a forward pass that is averaged and the end of its backward pass
        self._begun = self._queued = self._rebuilt = False
        self._arrived: list[int] = []
        self._fires: list[int] | None = None  # of a static graph: how often each parameter's gradient arrives
        self._left: list[int] = []
        self._used = np.zeros(len(parameters), np.int32)  # since the last sum
        self._next = 0
        self._place(list(range(len(parameters) - 1, -1, -1)))
        self._handles = [p.register_post_accumulate_grad_hook(_Arrival(self, i)) for i, p in enumerate(parameters)]

    def _place(self, order: Sequence[int]) -> None:
        self.buckets = [
            _Bucket(indices, self.parameters)
            for indices in assign(self.parameters, order, (min(FIRST_BUCKET, self.cap), self.cap))
        ]
        self._at = {i: (bucket, k) for bucket in self.buckets for k, i in enumerate(bucket.indices)}

    def __del__(self) -> None:
        for handle in getattr(self, "_handles", ()):
            handle.remove()

    # ----- A pass -----

    def prepare(self, reached: set[int] | None) -> None:
        """Expect a backward pass.

        Args: reached: ids of the parameters that it reaches, or None for all.
        Raises: RuntimeError: when the last one has not reached all parameters.
        """
        if self._expects and self._begun:
            missing = sorted(set(range(len(self.parameters))) - set(self._arrived))
            raise RuntimeError(_NOT_FINISHED.format(rank=get_rank(), indices=" ".join(map(str, missing))))
        self._expects, self._begun, self._queued, self._arrived, self._next = True, False, False, [], 0
        self._unreached = [] if reached is None else [i for i, p in enumerate(self.parameters) if id(p) not in reached]
        self._left = [1] * len(self.parameters)
        if self._fires is not None:
            self._left = list(self._fires)
            self._unreached = [i for i, fires in enumerate(self._fires) if not fires]
        for bucket in self.buckets:
            bucket.waiting, bucket.future = len(bucket.indices), None

    @property
    def learns_graph(self) -> bool:
        """Whether the next backward pass is the first one of a static graph, and is counted as a whole."""
        return self.is_static and self._fires is None

    def queue_end(self, _gradient: Any = None) -> None:
        """Have the averaging ended with the backward pass that runs: called within it, also by a tensor's hook."""
        if not self._queued:
            self._queued = True
            queue_callback(self._finish)

    def arrived(self, i: int) -> None:
        """Take the gradient of parameter i, which has just been accumulated."""
        self._used[i] = 1
        if not self._expects:
            return
        if self.learns_graph:
            self._begun = True
            self._arrived.append(i)  # counted in the first pass; taken at its end
            return
        if not self._begun:
            self._begun = True
            for unreached in self._unreached:
                self._take(unreached)
        self._left[i] -= 1
        if self._left[i] < 0:
            raise RuntimeError(_TWICE.format(index=i))
        if not self._left[i]:
            self._take(i)

    def _take(self, i: int) -> None:
        self._arrived.append(i)
        bucket, k = self._at[i]
        grad, view = self.parameters[i].grad, bucket.views[k]
        share = 1.0 if self.hook is not None else 1.0 / self.ranks  # hooks divide themselves
        if grad is None:
            view._array[...] = 0
        else:
            np.multiply(grad._array, share, out=view._array)
            if self.as_views and grad is not view:
                self.parameters[i].grad = view
        bucket.waiting -= 1
        self._begin_buckets()

    def _begin_buckets(self) -> None:
        while self._next < len(self.buckets) and not self.buckets[self._next].waiting:
            self.buckets[self._next].future = self._begin(self._next)
            self._next += 1
        if self._next == len(self.buckets):
            self.queue_end()

    def _begin(self, k: int) -> Any:
        """Begin the sum of bucket k; return the Work, or the Future of the hook."""
        bucket = self.buckets[k]
        if self.hook is None:
            return all_reduce(bucket.tensor, group=self.group, async_op=True)
        parameters = [self.parameters[i] for i in bucket.indices]
        return self.hook(GradBucket(bucket, k, k == len(self.buckets) - 1, parameters))

    def _finish(self) -> None:
        """Wait for the sums; called at the end of the backward pass."""
        if self.learns_graph:
            fires = [0] * len(self.parameters)
            for i in self._arrived:
                fires[i] += 1
            self._fires, self._arrived = fires, []
            for i in range(len(self.parameters)):
                self._take(i)
        if self._next < len(self.buckets):
            return  # the next forward says which parameters are missing
        used = self._used_by_any(self._used)
        for bucket in self.buckets:
            result = bucket.future.wait()
            if self.hook is not None:
                result = result[0] if isinstance(result, (list, tuple)) else result
                if result is not bucket.tensor:
                    if result._array.size != bucket.flat.size:
                        raise RuntimeError(
                            f"expected the communication hook to give {bucket.flat.size} numbers, as its bucket has, "
                            f"got {result._array.size}"
                        )
                    bucket.flat[...] = result._array.reshape(-1)
            for i, view in zip(bucket.indices, bucket.views, strict=True):
                if not used[i]:
                    continue  # no rank has used it: its gradient stays as it is
                p = self.parameters[i]
                if self.as_views:
                    p.grad = view
                elif p.grad is None:
                    p.grad = from_numpy(view._array.copy())
                else:
                    p.grad._array[...] = view._array
        self._used[...] = 0
        self._expects = False
        if not self._rebuilt and not self.finds_unused:
            self._rebuild()

    def _used_by_any(self, used: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return by parameter whether a rank has used it, not 0, where ranks may differ in that."""
        if self.finds_unused or self.is_static:
            used = used.copy()
            all_reduce(from_numpy(used), group=self.group)
        return used

    def _rebuild(self) -> None:
        """Order the buckets as the gradients have arrived in rank 0; if none has, it has run out of inputs."""
        self._rebuilt = True
        arrived = self._arrived or [i for bucket in self.buckets for i in bucket.indices]
        order = from_numpy(np.array(arrived, np.int64))
        broadcast(order, group=self.group, group_src=0)
        before = [bucket.indices for bucket in self.buckets]
        self._place(order.tolist())
        if self.as_views and [bucket.indices for bucket in self.buckets] != before:
            for bucket in self.buckets:
                for i, view in zip(bucket.indices, bucket.views, strict=True):
                    grad = self.parameters[i].grad
                    if grad is not None:
                        view._array[...] = grad._array
                        self.parameters[i].grad = view

    def reduce_nothing(self) -> None:
        """Take part in what the other ranks do in a backward pass, with zeros, for Join."""
        begun = []
        for k, bucket in enumerate(self.buckets):
            bucket.flat[...] = 0
            begun.append(self._begin(k))
        self._used_by_any(np.zeros_like(self._used))
        for work in begun:
            work.wait()
        if not self._rebuilt and not self.finds_unused:
            self._rebuild()


class _Arrival:
    """The hook of a parameter: it does not keep the reducer, which keeps the parameter."""

    def __init__(self, reducer: Reducer, index: int) -> None:
        self.reducer, self.index = weakref.ref(reducer), index

    def __call__(self, _parameter: Any) -> None:
        reducer = self.reducer()
        if reducer is not None:
            reducer.arrived(self.index)
