"""The end of a recording: link parents and children, and forward calls to their rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def finish(events: Sequence[Any], began: int) -> list[Any]:
    """Return the completed events with relative times, linked to their parents and children.

    Args:
        events: in the order in which they began, times in nanoseconds of the clock.
        began: the beginning of the recording, in the same unit.
    """
    ended = [e for e in events if e.ended]
    for e in ended:
        e.time_range.start = (e.time_range.start - began) / 1000
        e.time_range.end = (e.time_range.end - began) / 1000
        # An event that is still open is no parent, nor is one that began in one thread and ended in another.
        while e.cpu_parent is not None and (not e.cpu_parent.ended or e.cpu_parent.is_async):
            e.cpu_parent = e.cpu_parent.cpu_parent
        if e.is_async:
            e.cpu_parent = None
        if e.cpu_parent is not None:
            e.cpu_parent.cpu_children.append(e)
    ended = _without_repetition(ended)
    for e in reversed(ended):  # children come after their parents
        e.cpu_memory_usage += sum(child.cpu_memory_usage for child in e.cpu_children)
    _link_backward(ended)
    return ended


def _without_repetition(events: list[Any]) -> list[Any]:
    """Return the events without only children of events of the same name, as vmap produces."""
    unique = []
    for e in events:
        parent = e.cpu_parent
        if parent is None or parent.name != e.name or len(parent.cpu_children) > 1:
            unique.append(e)
            continue
        parent.cpu_memory_usage += e.cpu_memory_usage
        parent.cpu_children = e.cpu_children
        for child in e.cpu_children:
            child.cpu_parent = parent
    return unique


def _link_backward(events: list[Any]) -> None:
    """Give every rule, and its range, the thread and stack of the forward call that created its node."""
    forward: dict[int, Any] = {}
    backward = []
    for e in events:
        if e.sequence_nr < 0:
            continue
        if e.scope == 1 or e.is_evaluation:
            backward.append(e)
        else:
            forward.setdefault(e.sequence_nr, e)
    for e in backward:
        if e.sequence_nr in forward:
            call = forward[e.sequence_nr]
            e.fwd_thread, e.stack = call.thread, call.stack
