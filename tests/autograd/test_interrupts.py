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
from npg.engine import _saved
from npg.func import _batching
from npg.func._batched import running
from npg.random._generator import this_thread
from npg.utils.checkpoint import checkpoint


class Interrupt(BaseException):
    pass


def state() -> Any:
    """Return what blocks switch, in this thread and in the process."""
    (npg.ones(1, requires_grad=True) * 2).sum()  # what is saved goes through the hooks that are there
    return (
        npg.is_grad_enabled(),
        npg.is_inference_mode_enabled(),
        npg.is_anomaly_enabled(),
        list(_saved.hooks.pairs),
        _saved.hooks.refused,
        _saved.hooks.on_write,
        this_thread.refusals,
        this_thread.stand_ins,
        list(running.levels),
        _batching._active,
        npg.get_default_dtype(),
        npg.get_num_threads(),
        npg.get_printoptions(),
        npg.dtypes._strict,
        np.geterr(),
    )


def interrupted(block: Callable[[], Any], at: int) -> str | None:
    """Run a block with an interrupt at its place number `at`; return where that was, None when it came to its end."""
    count, where = 0, None

    def profile(frame: Any, event: str, argument: Any) -> None:
        nonlocal count, where
        # Built with line tracing, the extension tells a profiler of its functions too; no signal is asked for there.
        if event not in ("call", "c_return") or not frame.f_code.co_filename.endswith(".py"):
            return
        # Leaving a block by a method in Python begins a function before anything is restored (so in PyTorch), and
        # set_grad_enabled acts when it is made, before the block is entered.
        names = {frame.f_code.co_qualname, frame.f_back.f_code.co_name if frame.f_back else "", frame.f_code.co_name}
        if event == "call" and names & {"__exit__", "ModeBlock.__enter__"}:
            return
        if frame.f_code.co_qualname.startswith("errstate."):
            return  # NumPy's own gap, between what it sets and its `try`
        if frame.f_code.co_name in ("profile", "interrupted") or where is not None:
            return
        count += 1
        if count == at:
            where = f"{event} {frame.f_code.co_qualname} {frame.f_code.co_filename}:{frame.f_lineno}"
            raise Interrupt

    sys.setprofile(profile)
    try:
        block()
    except Interrupt:
        pass
    finally:
        sys.setprofile(None)
    return where


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
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:Anomaly Detection has been enabled")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # an interrupt while something is freed
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.__name__)
def test_interrupt_anywhere_leaves_every_mode_as_it_was(block):
    block()  # what is imported late
    before = state()
    for at in range(1, 4000):
        where = interrupted(block, at)
        after = state()
        assert repr(after) == repr(before), where
        if where is None:
            break
    assert at > 1
