"""Trade time for memory: drop the tensors that a part of a model saves, and recompute them in backward.

Without reentry (use_reentrant=False): the part runs as usual, but hooks on saved tensors keep numbers in place of the
tensors. When backward needs one, the part runs again under hooks that collect the tensors it saves, up to the last one
needed. Backward may be called in any way, and keywords and nesting work.

With reentry (use_reentrant=True): the part is one custom Function that records nothing; its backward runs the part
again with recording on, then a backward pass of its own. This is simpler, but does not support autograd.grad.
Source: torch.utils.checkpoint; T. Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016.
"""

from __future__ import annotations

import contextlib
import warnings
import weakref
from collections.abc import Callable
from typing import Any

from npg._naming import named
from npg.autograd import Function, backward, enable_grad, is_grad_enabled
from npg.autograd.graph import saved_tensors_hooks
from npg.creation import empty
from npg.engine import Block
from npg.random import default_generator
from npg.random._generator import standing_in_for
from npg.random._standing_in import drawing_from
from npg.tensor import Tensor
from npg.tensor.gradients import passes_for_inputs

__all__ = [
    "CheckpointError",
    "checkpoint",
    "checkpoint_sequential",
    "noop_context_fn",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
]


def __dir__() -> list[str]:
    return sorted(__all__)


class CheckpointError(RuntimeError):
    """Raised when the recomputation saves other tensors than the original forward."""


def noop_context_fn() -> tuple[Any, Any]:
    """Return two context managers without effect: for the forward and for the recomputation."""
    return contextlib.nullcontext(), contextlib.nullcontext()


# ----- Early stop -----


class _EarlyStop:
    chosen: bool | None = None


class set_checkpoint_early_stop(contextlib.ContextDecorator, Block):
    """Set for all recomputations within whether they end with the last tensor needed.

    A context manager and a decorator.
    """

    def __init__(self, enable: bool) -> None:
        self._enable = enable

    def _places(self) -> Any:
        return ((_EarlyStop, "chosen", self._enable),)

    def _entered(self) -> None:
        return None


class set_checkpoint_debug_enabled(contextlib.ContextDecorator, Block):
    """Set `debug` for all checkpoints within, which has no effect: a context manager and a decorator."""

    def __init__(self, enabled: bool | None) -> None:
        pass

    def _places(self) -> Any:
        return ()

    def _entered(self) -> None:
        return None


# ----- The public functions -----


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """Return function(*args, **kwargs), recomputed in backward instead of kept in memory.

    Args:
        function: must compute the same results when it is called again.
        args, kwargs: its arguments; keywords only without reentry.
        use_reentrant: the implementation; see the top of this file. None: True, with a warning.
        context_fn: returns two context managers, for the forward and for the recomputation. Not with reentry.
        determinism_check: "default": compare shapes and dtypes of saved tensors; "none": only their number.
        debug: accepted and without effect. Not with reentry.
        early_stop: end the recomputation with the last tensor needed.
        preserve_rng_state: restore the random stream for the recomputation, so that dropout repeats its mask.
    Raises: ValueError: for arguments that exclude each other. CheckpointError: in backward, when the recomputation
        saves other tensors than the forward.
    """
    if use_reentrant is None:
        warnings.warn(
            named(
                "npg.utils.checkpoint: the use_reentrant parameter should be passed explicitly. use_reentrant=False is "
                "recommended; without it use_reentrant=True is taken."
            ),
            stacklevel=2,
        )
        use_reentrant = True
    if use_reentrant:
        if kwargs:
            raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
        if context_fn is not noop_context_fn or debug is not False:
            raise ValueError("Passing `context_fn` or `debug` is only supported when use_reentrant=False.")
        return CheckpointFunction.apply(function, preserve_rng_state, *args)
    if determinism_check not in ("default", "none"):
        raise ValueError(f"determinism_check should be one of ['default', 'none'], but got {determinism_check}")
    chosen = early_stop if _EarlyStop.chosen is None else _EarlyStop.chosen
    return _without_reentry(
        function, args, kwargs, context_fn, determinism_check == "default", chosen, preserve_rng_state
    )


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, preserve_rng_state: bool = True
) -> Any:
    """Run functions one after another, in segments of which all but the last are checkpointed.

    Args:
        functions: a Sequential, or a sequence of modules or functions of one argument.
        segments: the number of segments.
        input: the first function's argument.
        use_reentrant, preserve_rng_state: as for checkpoint.
    """
    if use_reentrant is None:
        warnings.warn(
            named(
                "npg.utils.checkpoint.checkpoint_sequential: the use_reentrant parameter should be passed explicitly. "
                "use_reentrant=False is recommended; without it use_reentrant=True is taken."
            ),
            stacklevel=2,
        )
        use_reentrant = True
    parts = list(functions.children()) if hasattr(functions, "children") else list(functions)

    def run(start: int, end: int) -> Callable[[Any], Any]:
        def forward(x: Any) -> Any:
            for part in parts[start:end]:
                x = part(x)
            return x

        return forward

    size = len(parts) // segments
    end = 0
    for start in range(0, size * (segments - 1), size or 1):
        end = start + size
        input = checkpoint(run(start, end), input, use_reentrant=use_reentrant, preserve_rng_state=preserve_rng_state)
    return run(end, len(parts))(input)


# ----- The random stream -----


def _stream(preserve: bool) -> Any:
    """Return a function that makes a generator in the state of this thread's stream, or None if not to preserve it."""
    return standing_in_for(default_generator)._mark() if preserve else None


def _drawing_again(stream: Any) -> Any:
    """Return a context in which this thread repeats the forward's draws from a copy; other threads are unaffected."""
    return contextlib.nullcontext() if stream is None else drawing_from(stream())


# ----- With reentry -----


class CheckpointFunction(Function):
    @staticmethod
    def forward(ctx: Any, function: Any, preserve: bool, *args: Any) -> Any:
        tensors = [x for x in args if isinstance(x, Tensor)]
        if not any(x.requires_grad for x in tensors):
            warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2)
        ctx.function = function
        ctx.stream = _stream(preserve)
        ctx.others = [None if isinstance(x, Tensor) else (x,) for x in args]
        ctx.save_for_backward(*tensors)
        return function(*args)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        if passes_for_inputs():  # the pass below would accumulate parameters' gradients in .grad, and return none
            raise RuntimeError(
                named(
                    "When use_reentrant=True, npg.utils.checkpoint is incompatible with .grad() or passing an `inputs` "
                    "parameter to .backward(). To resolve this error, you can either set use_reentrant=False, or call "
                    ".backward() without passing the `inputs` argument."
                )
            )
        saved = iter(ctx.saved_tensors)
        args = []
        for other in ctx.others:
            if other is not None:
                args.append(other[0])
                continue
            x = next(saved)
            args.append(x.detach().requires_grad_(x.requires_grad))
        with enable_grad(), _drawing_again(ctx.stream):
            outputs = ctx.function(*args)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        pairs = [(y, g) for y, g in zip(outputs, grads) if isinstance(y, Tensor) and y.requires_grad]
        if not pairs:
            raise RuntimeError("none of output has requires_grad=True, this checkpoint() is not necessary")
        backward([y for y, _ in pairs], [g for _, g in pairs])
        return None, None, *[x.grad if isinstance(x, Tensor) else None for x in args]


# ----- Without reentry -----


class _Stop(Exception):
    """Raised to end a recomputation once all needed tensors have been saved."""


class _Holder:
    """What a node keeps in place of a saved tensor: its number, and the frame that recomputes it."""

    __slots__ = ("__weakref__", "frame", "number")

    def __init__(self, frame: _Frame, number: int) -> None:
        self.frame, self.number = frame, number


class _KeepInputs(Function):
    """Keep the arguments as saved tensors, so that an outer checkpoint drops them, too."""

    @staticmethod
    def forward(ctx: Any, token: Any, keeper: list[Any], *tensors: Any) -> Any:
        ctx.save_for_backward(*tensors)
        keeper.append(ctx)
        return empty(0)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        raise AssertionError("no gradient flows here")


class _Frame:
    """One checkpointed call: how to run it again, and the tensors that the recomputation has saved."""

    def __init__(
        self, function: Any, args: Any, kwargs: Any, stream: Any, context: Any, check: bool, stop: bool
    ) -> None:
        self.function, self.stream, self.context, self.check, self.stop = function, stream, context, check, stop
        self.plain = [None if isinstance(x, Tensor) else (x,) for x in args]
        self.plain_keywords = {k: None if isinstance(x, Tensor) else (x,) for k, x in kwargs.items()}
        tensors = [x for x in (*args, *kwargs.values()) if isinstance(x, Tensor)]
        keeper: list[Any] = []
        self.token = _KeepInputs.apply(empty(0, requires_grad=True), keeper, *tensors)
        self.keeper = keeper[0]
        self.holders: list[weakref.ref[_Holder]] = []
        self.kinds: list[dict[str, Any]] = []
        self.found: dict[int, Tensor] = {}
        self.complete = False  # whether the forward has ended: until then a backward pass sees fewer saved tensors

    def pack(self, tensor: Tensor) -> _Holder:
        holder = _Holder(self, len(self.holders))
        self.holders.append(weakref.ref(holder))
        self.kinds.append(_kind(tensor))
        return holder

    def unpack(self, holder: _Holder) -> Tensor:
        if holder.number not in self.found:
            self._recompute()
        # The tensor is released with the node that needs it; a second backward recomputes all of them.
        return self.found.pop(holder.number)

    def _recompute(self) -> None:
        tensors = iter(self.keeper.saved_tensors)
        args = [next(tensors) if x is None else x[0] for x in self.plain]
        kwargs = {k: next(tensors) if x is None else x[0] for k, x in self.plain_keywords.items()}
        args = [x.detach().requires_grad_(x.requires_grad) if isinstance(x, Tensor) else x for x in args]
        kwargs = {
            k: x.detach().requires_grad_(x.requires_grad) if isinstance(x, Tensor) else x for k, x in kwargs.items()
        }
        collected = _Collected(self)
        try:
            with (
                enable_grad(),
                _drawing_again(self.stream),
                self.context,
                saved_tensors_hooks(collected.pack, collected.unpack),
            ):
                self.function(*args, **kwargs)
        except _Stop:
            pass
        self._check(collected.count)

    def _check(self, count: int) -> None:
        """Raise CheckpointError when the recomputation has saved other tensors than the forward."""
        expected = len(self.holders)
        if count < expected or (count > expected and self.complete):
            raise CheckpointError(
                named(
                    "npg.utils.checkpoint: A different number of tensors was saved during the original forward and "
                    f"recomputation.\nNumber of tensors saved during forward: {expected}\n"
                    f"Number of tensors saved during recomputation: {count}."
                )
            )
        if not self.check:
            return
        others = "".join(
            f"tensor at position {i}:\nsaved metadata: {self.kinds[i]}\nrecomputed metadata: {_kind(tensor)}\n"
            for i, tensor in self.found.items()
            if _kind(tensor) != self.kinds[i]
        )
        if others:
            raise CheckpointError(
                named(
                    "npg.utils.checkpoint: Recomputed values for the following tensors have different metadata than "
                    f"during the forward pass.\n{others}."
                )
            )


def _kind(tensor: Tensor) -> dict[str, Any]:
    return {"shape": tensor.shape, "dtype": tensor.dtype, "device": tensor.device}


class _Collected:
    """The hooks of a recomputation, which pass the saved tensors to the frame, in order."""

    def __init__(self, frame: _Frame) -> None:
        self.frame, self.count = frame, 0

    def pack(self, tensor: Tensor) -> Any:
        frame, number = self.frame, self.count
        self.count += 1
        if number >= len(frame.holders):
            if frame.complete:
                raise CheckpointError(
                    named(
                        "npg.utils.checkpoint: trying to save more tensors during recomputation than during the "
                        "original forward pass."
                    )
                )
            return tensor
        if frame.holders[number]() is not None:  # else it will not be needed
            frame.found[number] = tensor.detach()  # so that the recomputation's graph can be freed
        if frame.stop and self.count == len(frame.holders):
            raise _Stop
        return tensor

    def unpack(self, tensor: Tensor) -> Tensor:
        return tensor


def _without_reentry(
    function: Any, args: Any, kwargs: Any, context_fn: Any, check: bool, stop: bool, preserve: bool
) -> Any:
    forward_context, recompute_context = context_fn()
    if not is_grad_enabled():
        return function(*args, **kwargs)
    stream = _stream(preserve)
    frame = _Frame(function, args, kwargs, stream, recompute_context, check, stop)
    with saved_tensors_hooks(frame.pack, lambda holder: holder.frame.unpack(holder)), forward_context:
        output = function(*args, **kwargs)
        frame.complete = True
    if not frame.complete:
        raise RuntimeError(
            named(
                "npg.utils.checkpoint: the forward context provided by context_fn suppressed an exception raised "
                "during the checkpointed forward. This is not supported because checkpoint cannot return a value for "
                "a failed forward."
            )
        )
    return output
