"""Events as a table, with PyTorch's columns and texts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

_WIDTH = 12
_FLOPS = ("FLOPs", "KFLOPs", "MFLOPs", "GFLOPs", "TFLOPs", "PFLOPs")
# The names of other devices, whose values are all 0.
_DEVICES = ("cuda", "xpu", "privateuse1")

# ----- Values as texts -----


def format_time(us: float, unit: str | None = None) -> str:
    """Return microseconds as text, in the given unit or a suitable one."""
    if unit == "s" or (unit is None and us >= 1e6):
        return f"{us / 1e6:.3f}s"
    if unit == "ms" or (unit is None and us >= 1e3):
        return f"{us / 1e3:.3f}ms"
    return f"{us:.3f}us"


def format_memory(nbytes: int) -> str:
    """Return a number of bytes as text."""
    for power, unit in ((3, "GB"), (2, "MB"), (1, "KB")):
        if abs(nbytes) >= 1024**power:
            return f"{nbytes / 1024**power:.2f} {unit}"
    return f"{nbytes} B"


def _share(us: float, total: float) -> str:
    return f"{us * 100 / total:.2f}%" if total else "NaN"


def _cut_end(text: str, width: int | None) -> str:
    return text if width is None or len(text) < width - 3 else text[: width - 3] + "..."


def _cut_start(text: str, width: int) -> str:
    return text if len(text) <= width else ("..." + text[len(text) - width + 3 :] if width > 3 else text[-width:])


def _fit(texts: Sequence[str], limit: int | None) -> int:
    """Return the width of a column with these texts."""
    width = max(map(len, texts)) + 4
    return width if limit is None else min(width, limit)


# ----- The table -----


class _Column(NamedTuple):
    title: str
    text: Callable[[Any], Any]
    width: int = _WIDTH
    align: str = ">"


def table(
    events: Sequence[Any],
    *,
    sort_by: str | None,
    row_limit: int,
    source_width: int | None,
    name_width: int | None,
    shapes_width: int | None,
    header: str | None,
    top_level_events_only: bool,
    time_unit: str | None,
    memory: bool,
    flops: bool,
) -> str:
    """Return events, or sums of them, as a table; see EventList.table."""
    if not events:
        return ""
    total = sum(e.self_cpu_time_total for e in events)

    def time(us: float) -> str:
        return format_time(us, time_unit)

    columns = [
        _Column("Name", lambda e: _cut_end(e.key, name_width), _fit([e.key for e in events], name_width)),
        _Column("Self CPU %", lambda e: _share(e.self_cpu_time_total, total)),
        _Column("Self CPU", lambda e: time(e.self_cpu_time_total)),
        _Column("CPU total %", lambda e: 0 if e.is_async else _share(e.cpu_time_total, total)),
        _Column("CPU total", lambda e: time(e.cpu_time_total)),
        _Column("CPU time avg", lambda e: time(e.cpu_time)),
    ]
    if memory:
        columns.append(_Column("CPU Mem", lambda e: format_memory(e.cpu_memory_usage)))
        columns.append(_Column("Self CPU Mem", lambda e: format_memory(e.self_cpu_memory_usage)))
    columns.append(_Column("# of Calls", lambda e: e.count))
    if any(e.input_shapes for e in events):
        width = _fit([str(e.input_shapes) for e in events], shapes_width)
        columns.append(_Column("Input Shapes", lambda e: str(e.input_shapes)[:width], width))
    known = [e.flops for e in events if e.flops > 0] if flops else []
    if known:
        power = min(int(math.log10(min(known)) / 3), len(_FLOPS) - 1)
        columns.append(
            _Column(f"Total {_FLOPS[power]}", lambda e: f"{e.flops / 1000**power:8.3f}" if e.flops > 0 else "--")
        )
    sources = [line for e in events for line in e.stack]
    if sources:  # last, since it continues on further lines
        columns.append(_Column("Source Location", lambda e: "", _fit(sources, source_width), "<"))

    def row(texts: Sequence[Any]) -> str:
        return "".join(f"{text: {c.align}{c.width}}  " for c, text in zip(columns, texts))

    def rows(e: Any) -> list[str]:
        texts = [c.text(e) for c in columns]
        if not sources:
            return [row(texts)]
        stack = [_cut_start(line, columns[-1].width) for line in e.stack] or [""]
        empty = [""] * (len(columns) - 1)
        return [row([*texts[:-1], stack[0]]), *(row([*empty, line]) for line in [*stack[1:], ""])]

    rule = "".join("-" * c.width + "  " for c in columns)
    wide = "=" * (len(rule) - 2)
    lines = [] if header is None else [wide, header]
    if top_level_events_only:
        lines += [wide, "This report only display top-level ops statistics"]
        events = [e for e in events if e.cpu_parent is None]
    if sort_by is not None:
        attribute = sort_by
        for device in _DEVICES:
            attribute = attribute.replace(device, "device")
        events = sorted(events, key=lambda e: getattr(e, attribute), reverse=True)
    lines += [rule, row([c.title for c in columns]), rule]
    for e in events if row_limit < 0 else events[:row_limit]:
        lines += rows(e)
    lines += [rule, f"Self CPU time total: {time(total)}"]
    return "\n".join(lines) + "\n"
