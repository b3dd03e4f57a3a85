"""The recorder: while it runs, every op call, node rule and range, in all threads, becomes an event."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

import numpy as np

from npg import engine
from npg.engine._guard import guard
from npg.profiler import _measures, _ranges
from npg.profiler._events import EVALUATE, EventList, FunctionEvent
from npg.profiler._tree import finish

F = TypeVar("F", bound=Callable[..., Any])

FORWARD, BACKWARD, USER = 0, 1, 7  # PyTorch's numbers for an event's scope

clock = time.perf_counter_ns  # a module global, so that tests can replace it


class Options(NamedTuple):
    """The measurements to take of every call; see npg.profiler.profile."""

    record_shapes: bool = False
    profile_memory: bool = False
    with_stack: bool = False
    with_flops: bool = False
    with_modules: bool = False


class _Event(FunctionEvent):
    """An event that may be open; its times are nanoseconds of the clock until _tree.finish makes them relative."""

    ended = False
    # With profile_memory, while a call runs: the arrays created by the calls within it, which its result may contain.
    made: list[np.ndarray[Any, Any]] | None = None

    def begin(self) -> None:
        self.time_range.start = clock()


class _Thread(threading.local):
    """A recorder's data for each thread: its id and its open events, outermost first."""

    def __init__(self) -> None:
        self.id = threading.get_native_id()
        self.open: list[_Event] = []


class Recorder:
    """One recording. Only one can run in a process at a time."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.events: list[_Event] = []
        self._ids = itertools.count(1)
        self._thread = _Thread()
        self._undo = contextlib.ExitStack()

    def start(self) -> None:
        """Start observing the engine.

        Raises: RuntimeError: when another recorder is running.
        """
        global _running
        with guard:
            if _running is not None:
                raise RuntimeError("Profiler is already enabled in this process; stop it before starting another")
            _running = self
        self._undo.callback(_ranges.watch(self.range, self.options.with_modules))
        self.epoch = time.time_ns()
        self.began = clock()
        engine.switches.observer = self._observe

    def stop(self) -> EventList:
        """Stop observing. Returns: the events that have ended, in the order in which they began."""
        global _running
        engine.switches.observer = None
        self._undo.close()
        _running = None
        ended = finish(self.events, self.began)
        return EventList(ended, profile_memory=self.options.profile_memory, with_flops=self.options.with_flops)

    # ----- Ranges -----

    def open(self, name: str, scope: int, **settings: Any) -> _Event:
        """Begin an event within this thread's innermost open event."""
        thread = self._thread
        event = _Event(next(self._ids), name, thread.id, 0, 0, scope=scope, **settings)
        if thread.open:
            event.cpu_parent = thread.open[-1]
        thread.open.append(event)
        self.events.append(event)
        event.begin()
        return event

    def close(self, event: _Event) -> None:
        """End an event, and those begun within it that have not ended."""
        event.time_range.end = clock()
        event.ended = True
        thread = self._thread
        event.is_async = thread.id != event.thread
        if event in thread.open:
            del thread.open[thread.open.index(event) :]

    @contextlib.contextmanager
    def range(self, name: str, **settings: Any) -> Iterator[None]:
        """Return a context manager that records an event."""
        event = self.open(name, USER, **settings)
        try:
            yield
        finally:
            self.close(event)

    # ----- Ops and rules -----

    def _observe(self, phase: str, op: Any, inputs: Any, run: Callable[[], Any]) -> Any:
        if phase == "forward":
            event = self.open(op.key, FORWARD)
            result = self._call(event, op.flops, inputs, run)
            in_place = bool(inputs) and result is inputs[0]
            if in_place:
                event.name = event.trace_name = event.name + "_"
            event.sequence_nr = _measures.sequence_number(result, in_place)
            return result
        node, g = inputs
        key = op.node_name
        around = self.open(EVALUATE + key, FORWARD, sequence_nr=node.sequence_nr)
        try:
            event = self.open(key, BACKWARD, sequence_nr=node.sequence_nr)
            return self._call(event, None, g if isinstance(g, tuple) else (g,), run)
        finally:
            self.close(around)

    def _call(self, event: _Event, flops: Any, inputs: Any, run: Callable[[], Any]) -> Any:
        """Run a call and take the measurements."""
        options = self.options
        if options.record_shapes or options.with_flops:
            sizes = _measures.shapes(inputs)
            if options.record_shapes:
                event.input_shapes = sizes
        if options.with_stack and event.scope == FORWARD:
            event.stack = _measures.call_stack()
        if options.profile_memory:
            event.made = []
        event.begin()  # again, to leave out the time of the measurements above
        try:
            result = run()
        finally:
            self.close(event)
        if options.with_flops and flops is not None:
            event.flops = flops(*_measures.shapes((result,)), *sizes)
        if event.made is not None:
            arrays = _measures.new_arrays(result, inputs, event.made)
            event.cpu_memory_usage = sum(a.nbytes for a in arrays)
            around = self._thread.open[-1] if self._thread.open else None
            if around is not None and around.made is not None:
                around.made += event.made + arrays
            event.made = None
        return result


_running: Recorder | None = None


def _after_fork() -> None:
    """Drop the observer and the parent's unfinished recording in a child process."""
    global _running
    if _running is not None:
        _running.stop()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def switched() -> list[tuple[Any, str, Any]]:
    """Return what a recording replaces, for a Block, as (target, name, present value)."""
    places = [(sys.modules[__name__], "_running"), (engine.switches, "observer"), *_ranges.watched()]
    return [(target, name, getattr(target, name)) for target, name in places]


class record_function:
    """A named range: a block, or every call of a function. Without a profiler it has no effect.

    Args:
        name: its key in sums.
        args: a text to show beside it in the trace.
    Source: torch.profiler.record_function.
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name = name
        self.args = args
        self._open: tuple[Recorder, _Event] | None = None

    def __enter__(self) -> record_function:
        recorder = _running
        if recorder is not None:
            # As in PyTorch, the steps of a schedule share a key in sums and have numbers in traces.
            key = "ProfilerStep*" if self.name.startswith("ProfilerStep#") else self.name
            event = recorder.open(key, USER, trace_name=self.name, is_user_annotation=True)
            if self.args is not None:
                event.concrete_inputs = [self.args]
            self._open = recorder, event
        return self

    def __exit__(self, *exc: object) -> None:
        if self._open is not None:
            recorder, event = self._open
            recorder.close(event)
            self._open = None

    def __call__(self, function: F) -> F:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with type(self)(self.name, self.args):
                return function(*args, **kwargs)

        return call  # type: ignore[return-value]
