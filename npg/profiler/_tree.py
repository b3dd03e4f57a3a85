"""What becomes of the events when a recording ends: who called whom, what belongs to whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def finish(events: Sequence[Any], began: int) -> list[Any]:
    """Return the events that have ended, ready to be read.

    Args:
        events: in the order in which they began, times in nanoseconds of the clock.
        began: when the recording began.
    """
    ended = [e for e in events if e.ended]
    for e in ended:
        e.time_range.start = (e.time_range.start - began) / 1000
        e.time_range.end = (e.time_range.end - began) / 1000
        # What still went on is no parent; nor is what began in one thread and ended in another.
        while e.cpu_parent is not None and (not e.cpu_parent.ended or e.cpu_parent.is_async):
            e.cpu_parent = e.cpu_parent.cpu_parent
        if e.is_async:
            e.cpu_parent = None
        if e.cpu_parent is not None:
            e.cpu_parent.cpu_children.append(e)
    ended = _without_repetition(ended)
    for e in reversed(ended):  # children stand behind their parents
        e.cpu_memory_usage += sum(child.cpu_memory_usage for child in e.cpu_children)
    _link_backward(ended)
    return ended


def _without_repetition(events: list[Any]) -> list[Any]:
    """Return the events without those that are the only child of one of the same name, as an op is under vmap."""
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
    """Give every rule, and the range around it, the thread and the stack of the forward call that made its node."""
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
