"""DistributedDataParallel: one model in several processes, each with its share of the data.

Source: torch.nn.parallel.distributed.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from npg import distributed
from npg.autograd import is_grad_enabled
from npg.creation import from_numpy
from npg.distributed._collectives import broadcast_coalesced
from npg.distributed._groups import group_or_default
from npg.distributed._reducer import Reducer
from npg.distributed.algorithms.join import Join, Joinable, JoinHook
from npg.nn.modules.module import Module
from npg.nn.parameter import is_lazy
from npg.tensor import Tensor

__all__ = ["DistributedDataParallel"]

_MEGABYTE = 1 << 20


def _tensors_in(x: Any) -> Iterator[Tensor]:
    if isinstance(x, Tensor):
        yield x
    elif isinstance(x, dict):
        for value in x.values():
            yield from _tensors_in(value)
    elif isinstance(x, (list, tuple, set)):
        for value in x:
            yield from _tensors_in(value)
    elif hasattr(x, "__dataclass_fields__"):
        for name in x.__dataclass_fields__:
            yield from _tensors_in(getattr(x, name))


def _reached_from(outputs: Any) -> set[int]:
    """Return the ids of the leaves in the graph of the outputs."""
    reached: set[int] = set()
    seen: set[int] = set()
    stack = []
    for x in _tensors_in(outputs):
        if x.grad_fn is None:
            reached.add(id(x))
        else:
            stack.append(x.grad_fn)
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        for edge in node.edges:
            if edge is not None:
                target = edge[0]
                if isinstance(target, Tensor):
                    reached.add(id(target))
                else:
                    stack.append(target)
    return reached


class DistributedDataParallel(Module, Joinable):
    """Run a module in each process of a group, and average the gradients over them during backward.

    All processes begin with the parameters and buffers of rank 0, and keep equal ones, because they take equal steps.

    Args:
        module: the same in all processes.
        device_ids, output_device, dim: accepted; the CPU is the only device.
        broadcast_buffers: before each forward all take the buffers of rank 0.
        init_sync: compare the parameters' shapes, and take those of rank 0, at once.
        process_group: None: the default one.
        bucket_cap_mb: megabytes of gradients that are summed together; 25 unless given.
        find_unused_parameters: a pass may not reach some parameters; the graph is searched after each forward.
        gradient_as_bucket_view: the gradients are views of the memory that is summed, so that none is copied.
        static_graph: the graph is the same in each iteration; unused parameters are then known after the first.
        check_reduction, delay_all_reduce_named_params, param_to_hook_all_reduce, mixed_precision, device_mesh,
            skip_all_reduce_unused_params: accepted and ignored, or refused where they would change what is computed.
    Raises: RuntimeError: for a module without parameters that require a gradient, or with others than rank 0 has.
    Source: torch.nn.parallel.DistributedDataParallel.
    """

    def __init__(
        self,
        module: Module,
        device_ids: Any = None,
        output_device: Any = None,
        dim: int = 0,
        broadcast_buffers: bool = True,
        init_sync: bool = True,
        process_group: Any = None,
        bucket_cap_mb: float | None = None,
        find_unused_parameters: bool = False,
        check_reduction: bool = False,
        gradient_as_bucket_view: bool = False,
        static_graph: bool = False,
        delay_all_reduce_named_params: Any = None,
        param_to_hook_all_reduce: Any = None,
        mixed_precision: Any = None,
        device_mesh: Any = None,
        skip_all_reduce_unused_params: bool = False,
    ) -> None:
        super().__init__()
        if bool(delay_all_reduce_named_params is not None) != bool(param_to_hook_all_reduce is not None):
            raise ValueError(
                "delay_all_reduce_named_params and param_to_hook_all_reduce need to be set at the same time."
            )
        if mixed_precision is not None or device_mesh is not None or delay_all_reduce_named_params is not None:
            raise RuntimeError("npg has no mixed_precision, device_mesh or delay_all_reduce_named_params of DDP")
        if device_ids is not None and len(device_ids) > 1:
            raise ValueError("device_ids can only be None or contain a single element.")
        self.module, self.dim = module, dim
        self.process_group = group_or_default(process_group)
        self.device_ids = self.output_device = None
        ignored = set(getattr(module, "_ddp_params_and_buffers_to_ignore", ()))
        self.parameters_to_ignore = ignored
        named = [(name, p) for name, p in module.named_parameters() if name not in ignored]
        if any(is_lazy(p) for _, p in named):
            raise RuntimeError(
                "Modules with uninitialized parameters can't be used with `DistributedDataParallel`. "
                "Run a dummy forward pass to correctly initialize the modules"
            )
        self._trained = [p for _, p in named if p.requires_grad]
        if not self._trained:
            raise RuntimeError(
                "DistributedDataParallel is not needed when a module doesn't have any parameter that requires a "
                "gradient."
            )
        self.broadcast_buffers, self.find_unused_parameters = broadcast_buffers, find_unused_parameters
        self.gradient_as_bucket_view, self.static_graph = gradient_as_bucket_view, static_graph
        self.bucket_bytes_cap = int((25 if bucket_cap_mb is None else bucket_cap_mb) * _MEGABYTE)
        self.require_backward_grad_sync = self.require_forward_param_sync = True
        self._hook: tuple[Any, Any] | None = None
        self._divides_by_all = True  # of Join: gradients are divided by the number of all ranks
        if init_sync:
            self._check_shapes()
            self._take_from([p for _, p in named] + [b for n, b in module.named_buffers() if n not in ignored], 0)
        self._make_reducer()

    def _make_reducer(self) -> None:
        self.reducer = Reducer(
            self._trained, self.process_group, self.bucket_bytes_cap, self.find_unused_parameters, self.static_graph,
            self.gradient_as_bucket_view,
        )  # fmt: skip

    # ----- Equal in all processes -----

    def _check_shapes(self) -> None:
        """Refuse parameters that are not those of rank 0."""
        group = self.process_group
        mine = [(list(p.shape), str(p.dtype), p.requires_grad) for p in self._trained]
        found: list[Any] = [None] * group.size()
        distributed.all_gather_object(found, mine, group)
        for rank, theirs in enumerate(found):
            if len(theirs) != len(mine):
                raise RuntimeError(
                    f"DDP expects same model across all ranks, but Rank {group.rank()} has {len(mine)} params, while "
                    f"rank {rank} has inconsistent {len(theirs)} params."
                )
        for i, (own, first) in enumerate(zip(mine, found[0], strict=True)):
            if own[0] != first[0]:
                raise RuntimeError(
                    f"[{group.rank()}]: params[{i}] in this process with sizes {own[0]} appears not to match sizes of "
                    f"the same param in process 0, {first[0]}."
                )
            if own[1] != first[1]:
                raise RuntimeError(
                    f"[{group.rank()}]: params[{i}] in this process is {own[1]}, the same in process 0 {first[1]}."
                )

    def _take_from(self, tensors: list[Tensor], rank: int) -> None:
        """Give all processes the tensors of a rank, those of a dtype in one message."""
        by_dtype: dict[Any, list[Tensor]] = {}
        for x in tensors:
            by_dtype.setdefault(x._array.dtype, []).append(x)
        for some in by_dtype.values():
            broadcast_coalesced(some, self.process_group, rank)

    def _sync_buffers(self, rank: int = 0) -> None:
        ignored = self.parameters_to_ignore
        self._take_from([b for name, b in self.module.named_buffers() if name not in ignored], rank)

    def _has_buffers_to_sync(self) -> bool:
        return (
            self.require_forward_param_sync and self.broadcast_buffers
            and any(name not in self.parameters_to_ignore for name, _ in self.module.named_buffers())
        )  # fmt: skip

    # ----- An iteration -----

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """Run the module; prepare for averaging gradients where they are recorded."""
        syncs = is_grad_enabled() and self.require_backward_grad_sync
        is_left = self._join_config.enable and is_grad_enabled()
        self.reducer.ranks = self.process_group.size()
        if is_left:
            self._tell_the_joined(syncs)
        if self._has_buffers_to_sync():
            self._sync_buffers(self._common_rank(True) if is_left else 0)
        outputs = self.module(*inputs, **kwargs)
        self.require_forward_param_sync = syncs
        if syncs:
            searched = self.find_unused_parameters and not self.static_graph
            self.reducer.prepare(_reached_from(outputs) if searched else None)
            if self.reducer.learns_graph:  # the outermost pass reaches the outputs, not one of a checkpoint within it
                for x in _tensors_in(outputs):
                    if x.requires_grad:
                        x.register_hook(self.reducer.queue_end)
        return outputs

    @contextlib.contextmanager
    def no_sync(self) -> Iterator[None]:
        """Accumulate gradients without averaging them; the next backward outside averages all of them."""
        before = self.require_backward_grad_sync
        self.require_backward_grad_sync = False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before

    def register_comm_hook(self, state: object, hook: Callable[[object, Any], Any]) -> None:
        """Have hook(state, bucket) reduce the buckets: it returns a Future of the result, divided by the ranks.

        Raises: TypeError: for what cannot be called. RuntimeError: when there is one already.
        """
        if not callable(hook):
            raise TypeError("Communication hook must be callable.")
        if getattr(hook, "__name__", "") in ("bf16_compress_hook", "bf16_compress_wrapper_hook"):
            hook(state, None)  # raises: before a pass has begun
        if self._hook is not None:
            raise RuntimeError("register_comm_hook or register_builtin_comm_hook can only be called once.")
        self._hook = state, hook
        self.reducer.hook = lambda bucket: hook(state, bucket)

    def _set_static_graph(self) -> None:
        self.static_graph = self.reducer.is_static = True

    # ----- Uneven inputs -----

    def _tell_the_joined(self, syncs: bool) -> None:
        """Tell those that have run out of inputs that an iteration begins, and whether gradients are averaged in it."""
        work = Join.notify_join_context(self)
        flag = from_numpy(np.array([int(syncs)], np.int32))
        distributed.all_reduce(flag, group=self.process_group)
        if work is not None:
            left = work.result()[0].item()
            if not self._divides_by_all:
                self.reducer.ranks = int(left)

    def _common_rank(self, has_inputs: bool) -> int:
        """Return the last rank that still has inputs: its buffers count."""
        rank = self.process_group.rank() if has_inputs else -1
        best = from_numpy(np.array([rank], np.int64))
        distributed.all_reduce(best, distributed.ReduceOp.MAX, self.process_group)
        return int(best.item())

    def join(
        self, divide_by_initial_world_size: bool = True, enable: bool = True, throw_on_early_termination: bool = False
    ) -> Join:
        """Return a context in which processes may run out of inputs at different times; see Join.

        Args:
            divide_by_initial_world_size: gradients are divided by the number of all ranks, not of those left.
            enable: False: do nothing.
            throw_on_early_termination: raise in all ranks when the first has run out.
        """
        return Join(
            [self], enable, throw_on_early_termination, divide_by_initial_world_size=divide_by_initial_world_size
        )

    def join_hook(self, **kwargs: Any) -> JoinHook:
        """Return what a process does that has run out of inputs."""
        self._divides_by_all = kwargs.get("divide_by_initial_world_size", True)
        return _DDPJoinHook(self)

    @property
    def join_device(self) -> Any:
        """The CPU."""
        return next(iter(self.module.parameters())).device

    @property
    def join_process_group(self) -> Any:
        """The group."""
        return self.process_group

    # ----- Copies -----

    def __getstate__(self) -> dict[str, Any]:
        if self.process_group is not distributed.group.WORLD:
            raise RuntimeError(
                "DDP Pickling/Unpickling are only supported when using DDP with the default process group. That is, "
                "when you have called init_process_group and have not passed process_group argument to DDP constructor"
            )
        state = self.__dict__.copy()
        for name in ("process_group", "reducer", "_hook"):
            del state[name]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.process_group, self._hook = group_or_default(None), None
        self._make_reducer()


class _DDPJoinHook(JoinHook):
    """Takes part in what a DistributedDataParallel does in the ranks that still have inputs."""

    def __init__(self, ddp: DistributedDataParallel) -> None:
        self.ddp = ddp

    def main_hook(self) -> None:
        """Do as one forward and backward pass does."""
        ddp = self.ddp
        flag = from_numpy(np.zeros(1, np.int32))
        distributed.all_reduce(flag, group=ddp.process_group)
        if ddp._has_buffers_to_sync():
            ddp._sync_buffers(ddp._common_rank(False))
        if flag.item():
            ddp.reducer.reduce_nothing()
        ddp.require_forward_param_sync = bool(flag.item())

    def post_hook(self, is_last_joiner: bool) -> None:
        """Take the parameters and buffers of a rank that was there until the end."""
        ddp = self.ddp
        rank = ddp._common_rank(is_last_joiner)
        tensors = itertools.chain(ddp.module.parameters(), ddp.module.buffers())
        ddp._take_from(list(tensors), rank)
