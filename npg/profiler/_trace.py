"""Events as a Chrome trace, the JSON that chrome://tracing, Perfetto and TensorBoard read.

Source: "Trace Event Format" (the document of the Chromium project); the arguments' names are those of PyTorch's traces.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any


def write_trace(events: Sequence[Any], path: str, about: dict[str, Any] | None = None) -> None:
    """Write a trace, gzipped when the path ends in .gz.

    Args:
        events: FunctionEvents.
        about: further entries beside the events.
    """
    path = os.fspath(path)
    trace = {"schemaVersion": 1, "displayTimeUnit": "ms", **(about or {})}
    trace["traceEvents"] = [*_names(events), *map(_complete, events), *_flows(events)]
    trace["traceName"] = path
    with gzip.open(path, "wt", encoding="utf-8") if path.endswith(".gz") else open(path, "w", encoding="utf-8") as file:
        json.dump(trace, file)


def _names(events: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """Yield the names of the process and its threads, in order of appearance."""
    process = os.getpid()
    program = os.path.basename(sys.argv[0]) or "python"
    yield {"ph": "M", "name": "process_name", "ts": 0, "pid": process, "tid": 0, "args": {"name": program}}
    for order, thread in enumerate(dict.fromkeys(e.thread for e in events)):
        place = {"ph": "M", "ts": 0, "pid": process, "tid": thread}
        yield {**place, "name": "thread_name", "args": {"name": f"thread {thread}"}}
        yield {**place, "name": "thread_sort_index", "args": {"sort_index": order}}


def _complete(e: Any) -> dict[str, Any]:
    """Return an event with a beginning and a duration."""
    category = "user_annotation" if e.is_user_annotation else "python_function" if e.is_python_function else "cpu_op"
    args: dict[str, Any] = {"External id": e.id}
    if e.sequence_nr >= 0:
        args["Sequence number"] = e.sequence_nr
    if e.fwd_thread is not None:
        args["Fwd thread id"] = e.fwd_thread
    for name, value in (
        ("Input Dims", e.input_shapes),
        ("Concrete Inputs", e.concrete_inputs),
        ("Bytes", e.cpu_memory_usage),
        ("Flops", e.flops),
        ("Call stack", ";".join(e.stack)),
    ):
        if value:
            args[name] = value
    start, end = e.time_range.start, e.time_range.end
    place = {"pid": os.getpid(), "tid": e.thread, "ts": start, "dur": end - start}
    return {"ph": "X", "cat": category, "name": e.trace_name, **place, "args": args}


def _flows(events: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """Yield both ends of the arrows from forward calls to their rules."""
    forward = {e.sequence_nr: e for e in reversed(events) if not e.scope and not e.is_evaluation}
    for e in events:
        start = forward.get(e.sequence_nr)
        if e.scope != 1 or start is None:
            continue
        for ph, at, more in (("s", start, {}), ("f", e, {"bp": "e"})):
            place = {"pid": os.getpid(), "tid": at.thread, "ts": at.time_range.start}
            yield {"ph": ph, "id": e.sequence_nr, "cat": "fwdbwd", "name": "fwdbwd", **place, **more}
