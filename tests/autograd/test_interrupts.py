"""Interrupts at every place where CPython lets a signal's handler run: modes and hooks are afterwards as before.

CPython asks for signals when a function in Python begins and when a call has returned; a profiler is told of the same
places, and one that raises stands in for the handler.
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import npg
from npg._contextlib import _Leaving
from npg.engine import _saved
from npg.func import _batching
from npg.func._batched import running
from npg.profiler import _recorder
from npg.random._generator import this_thread
from npg.utils.checkpoint import _EarlyStop, checkpoint, set_checkpoint_early_stop

# set_grad_enabled switches when it is made, as in PyTorch; an interrupt before its block is entered leaves it so.
ACTS_WHEN_MADE = {
    "set_grad_enabled.__init__", "set_grad_mode", "is_grad_enabled", "ModeBlock._switch", "_Exit.__get__",
    "_Leaving.__init__", "Block.__enter__", "ModeBlock._places",
}  # fmt: skip


class Interrupt(BaseException):
    pass


def state() -> Any:
    """Return what blocks switch, in this thread and in the process."""
    (npg.ones(1, requires_grad=True) * 2).sum()  # what is saved goes through the hooks that are there
    return (
        npg.is_grad_enabled(),
        npg.is_inference_mode_enabled(),
        npg.is_anomaly_enabled(),
        _saved.hooks.pairs,
        _saved.hooks.refused,
        _saved.hooks.on_write,
        this_thread.refusals,
        this_thread.stand_ins,
        running.levels,
        len(_batching._active),
        [id(x) for x in MODULE.state_dict(keep_vars=True).values()],
        npg.get_default_dtype(),
        npg.get_num_threads(),
        npg.get_printoptions(),
        npg.dtypes._strict,
        _recorder._running,
        npg.engine.switches.observer,
        npg.optim.Optimizer.zero_grad,
        npg.optim.Adam.step,
        _EarlyStop.chosen,
        np.geterr(),
    )


def interrupted(block: Callable[[], Any], at: tuple[Any, ...] | None) -> tuple[str | None, list[tuple[Any, ...]]]:
    """Run a block with an interrupt at a place.

    Args: at: the place; None: no interrupt.
    Returns: where that was, None when it came to its end; and the places on the way. A place is an event of a line of
        code that was called from one; that it is passed several times makes no difference.
    """
    where, places = None, {}

    def profile(frame: Any, event: str, argument: Any) -> None:
        nonlocal where
        # Built with line tracing, the extension tells a profiler of its functions too; no signal is asked for there.
        if where is not None or event not in ("call", "c_return") or not frame.f_code.co_filename.endswith(".py"):
            return
        if frame.f_code.co_name in ("profile", "interrupted") or frame.f_code.co_qualname.startswith("errstate."):
            return  # NumPy's own gap, between what it sets and its `try`
        if block is with_set_grad_enabled and frame.f_code.co_qualname in ACTS_WHEN_MADE:
            return
        place: tuple[Any, ...] = (event,)
        caller = frame
        for _ in range(2):
            if caller is not None:
                place += (caller.f_code, caller.f_lineno)
                caller = caller.f_back
        if isinstance(frame.f_locals.get("self"), _Leaving):  # several blocks may end in one line
            place += (type(getattr(frame.f_locals["self"], "block", None)),)
        places[place] = None
        if place == at:
            where = f"{event} {frame.f_code.co_qualname} {frame.f_code.co_filename}:{frame.f_lineno}"
            raise Interrupt

    sys.setprofile(profile)
    try:
        block()
    except Interrupt:
        pass
    except TypeError:  # CPython takes an exception in the look-up of a comparison for "not supported"
        if where is None:
            raise
    finally:
        sys.setprofile(None)
    return where, list(places)


def with_no_grad() -> None:
    with npg.no_grad():
        npg.is_grad_enabled()


def with_enable_grad_nested() -> None:
    with npg.no_grad(), npg.enable_grad():
        npg.is_grad_enabled()


def with_inference_mode() -> None:
    with npg.inference_mode():
        npg.is_grad_enabled()


def with_set_grad_enabled() -> None:
    with npg.set_grad_enabled(False):
        npg.is_grad_enabled()


@npg.no_grad()
def decorated() -> None:
    npg.is_grad_enabled()


def saved_hooks() -> None:
    with npg.autograd.graph.saved_tensors_hooks(lambda x: x, lambda x: x):
        npg.is_grad_enabled()


def save_on_cpu_disabled() -> None:
    with npg.autograd.graph.disable_saved_tensors_hooks("no"):
        npg.is_grad_enabled()


def mutation() -> None:
    with npg.autograd.graph.allow_mutation_on_saved_tensors():
        npg.is_grad_enabled()


def anomaly() -> None:
    with npg.autograd.detect_anomaly(check_nan=False):
        npg.is_grad_enabled()


def vmap() -> None:
    npg.func.vmap(lambda x: x * 2)(npg.ones(2))


def gradient() -> None:
    npg.func.grad(lambda x: x.sum())(npg.ones(2))


def backward() -> None:
    x = npg.ones(2, requires_grad=True)
    (x * 2).sum().backward()


def checkpointed() -> None:
    x = npg.ones(2, requires_grad=True)
    checkpoint(lambda x: npg.nn.functional.dropout(x) * 2, x, use_reentrant=False).sum().backward()


def checkpointed_reentrant() -> None:
    x = npg.ones(2, requires_grad=True)
    checkpoint(lambda x: npg.nn.functional.dropout(x) * 2, x, use_reentrant=True).sum().backward()


def checkpointed_within() -> None:
    x = npg.ones(2, requires_grad=True)
    with set_checkpoint_early_stop(False), npg.autograd.graph.save_on_cpu():
        inner = lambda x: checkpoint(lambda x: x.tanh() * 2, x, use_reentrant=False) * x
        checkpoint(inner, x, use_reentrant=False).sum().backward()


def hooks_by_hand() -> None:
    x = npg.ones(2, requires_grad=True)
    with x.register_hook(lambda g: g * 2):
        y = x * x
    y.register_hook(lambda g: g)
    y.sum().backward()


def profiled() -> None:
    with npg.profiler.profile(with_modules=True, record_shapes=True):
        npg.ones(2) * 2


def profiled_by_steps() -> None:
    at = npg.profiler.schedule(wait=0, warmup=1, active=1, repeat=1)
    with npg.profiler.profile(schedule=at, on_trace_ready=lambda p: p.key_averages()) as p:
        for _ in range(2):
            npg.ones(2) * 2
            p.step()


def profiled_simply() -> None:
    with npg.autograd.profiler.profile(), npg.profiler.record_function("x"):
        step()


def vmap_of_vmaps() -> None:
    f = npg.func.vmap(lambda x: x * npg.rand(1), randomness="different")
    npg.func.vmap(f, randomness="different")(npg.ones(2, 2))
    npg.func.vmap(lambda x: x + npg.rand(1), randomness="same", chunk_size=1)(npg.ones(2))


def transforms() -> None:
    f = lambda x: (x * x).sum()
    npg.func.jvp(f, (npg.ones(2),), (npg.ones(2),))
    npg.func.vjp(f, npg.ones(2))[1](npg.ones(()))
    npg.func.hessian(f)(npg.ones(2))


def transforms_in_inference_mode() -> None:
    with npg.inference_mode():
        npg.func.grad(lambda x: npg.func.grad(lambda x: x.sin())(x))(npg.ones(()))


MODULE = npg.nn.Sequential(npg.nn.Linear(2, 2), npg.nn.LayerNorm(2))


def with_other_tensors() -> None:
    state = {name: npg.zeros_like(x) for name, x in (*MODULE.named_parameters(), *MODULE.named_buffers())}
    npg.func.functional_call(MODULE, state, (npg.ones(2, 2),))


def reported() -> None:
    with npg.func.vmap_report():
        vmap()


def blocks_within_blocks_of_their_kind() -> None:
    with npg.no_grad(), npg.enable_grad(), npg.no_grad(), npg.random.fork_rng(), npg.random.fork_rng():
        with npg.autograd.graph.save_on_cpu(), npg.autograd.graph.save_on_cpu(), npg.printoptions(precision=3):
            with npg.printoptions(precision=4), npg.autograd.strict_dtype(), npg.autograd.strict_dtype(False):
                pass


@npg.no_grad()
def numbers() -> Any:
    yield npg.is_grad_enabled()
    yield npg.is_grad_enabled()


def generator() -> None:
    assert list(numbers()) == [False, False] and npg.is_grad_enabled()


PARAMETERS = [npg.ones(2, requires_grad=True)]
OPTIMIZERS = [npg.optim.SGD(PARAMETERS, lr=0.1), npg.optim.LBFGS(PARAMETERS, max_iter=1)]


def steps() -> None:
    def closure() -> Any:
        PARAMETERS[0].grad = npg.ones(2)
        return PARAMETERS[0].sum()

    for optimizer in OPTIMIZERS:
        optimizer.step(closure)


def scheduled() -> None:
    p = npg.ones(2, requires_grad=True)
    p.grad = npg.ones(2)
    optimizer = npg.optim.SGD([p], lr=0.1)
    scheduler = npg.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    optimizer.step()
    scheduler.step()


def fork_rng() -> None:
    with npg.random.fork_rng():
        npg.rand(2)


def step() -> None:
    p = npg.ones(2, requires_grad=True)
    p.grad = npg.ones(2)
    npg.optim.Adam([p]).step()


def printing() -> None:
    with npg.printoptions(precision=2):
        repr(npg.ones(2))


def strict() -> None:
    with npg.autograd.strict_dtype():
        npg.is_grad_enabled()


BLOCKS = [
    with_no_grad, with_enable_grad_nested, with_inference_mode, with_set_grad_enabled, decorated, saved_hooks,
    save_on_cpu_disabled, mutation, anomaly, vmap, gradient, backward, checkpointed, fork_rng, step, printing, strict,
    checkpointed_reentrant, checkpointed_within, hooks_by_hand, profiled, profiled_by_steps, profiled_simply,
    vmap_of_vmaps, transforms, transforms_in_inference_mode, with_other_tensors, reported, generator, steps,
    blocks_within_blocks_of_their_kind, scheduled,
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:Anomaly Detection has been enabled")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # an interrupt while something is freed
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.__name__)
def test_interrupt_anywhere_leaves_every_mode_as_it_was(block):
    block()  # what is imported late
    before = repr(state())
    _, places = interrupted(block, None)
    assert places and repr(state()) == before
    for at in places:
        where, _ = interrupted(block, at)
        assert repr(state()) == before, where
