"""Sums of events and their tables, with the numbers and texts of torch.autograd.profiler_util."""

from typing import Any

import pytest
from torch.autograd import profiler_util

from npg.profiler._events import EventList, FunctionEvent
from npg.profiler._table import format_memory, format_time
from npg.profiler._tree import finish

# name, start, end, depth, shapes, bytes, a range of the user
EVENTS = [
    ("ProfilerStep*", 0.0, 2_000_000.0, 0, [], 4 * 1024**2, True),
    ("aten::linear", 10.0, 1500.25, 1, [[4, 8], [16, 8], [16]], 4 * 1024**2, False),
    ("aten::mm", 20.0, 30.125, 2, [[4, 8], [8, 16]], 2048, False),
    ("aten::linear", 1600.0, 1601.5, 1, [[4, 16], [3, 16], [3]], 48, False),
    ("autograd::engine::evaluate_function: NativeLayerNormBackward0", 2000.0, 2600.0, 1, [], 0, False),
    ("NativeLayerNormBackward0", 2001.0, 2590.5, 2, [[4, 16]], 0, False),
    ("aten::mm", 2_000_100.0, 2_000_101.0, 0, [[4, 8], [8, 16]], 12, False),
]
FLOPS = {"aten::mm": 1024, "aten::linear": 4_000_000}


def make(list_class: Any, event_class: Any, flops: bool = False, memory: bool = False, shapes: bool = True) -> Any:
    events: list[Any] = []
    path: list[Any] = []
    for id, (name, start, end, depth, sizes, nbytes, user) in enumerate(EVENTS):
        more = {"input_shapes": sizes if shapes else [], "cpu_memory_usage": nbytes, "is_user_annotation": user}
        event = event_class(id, name, 1, start, end, **more)
        event.stack = []
        event.flops = FLOPS.get(name, 0)
        del path[depth:]
        if path:
            event.cpu_parent = path[-1]
            path[-1].cpu_children.append(event)
        path.append(event)
        events.append(event)
    made = list_class(events, profile_memory=memory, with_flops=flops)
    made._tree_built = True
    return made


def both(**settings: bool) -> tuple[Any, Any]:
    return (
        make(EventList, FunctionEvent, **settings),
        make(profiler_util.EventList, profiler_util.FunctionEvent, **settings),
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"sort_by": "self_cpu_time_total"},
        {"sort_by": "cpu_time"},
        {"sort_by": "count", "row_limit": 2},
        {"sort_by": "cuda_time_total", "row_limit": -1},
        {"row_limit": 0},
        {"max_name_column_width": 20},
        {"max_name_column_width": None},
        {"max_shapes_column_width": 15, "sort_by": "cpu_memory_usage"},
        {"header": "here it comes", "top_level_events_only": True},
        {"time_unit": "ms"},
        {"time_unit": "s"},
        {"time_unit": "us"},
    ],
    ids=str,
)
@pytest.mark.parametrize("settings", [{}, {"memory": True, "flops": True}, {"shapes": False}], ids=str)
def test_tables_are_those_of_torch(arguments: dict[str, Any], settings: dict[str, bool]) -> None:
    ours, theirs = both(**settings)
    assert ours.table(**arguments) == theirs.table(**arguments)
    assert ours.key_averages().table(**arguments) == theirs.key_averages().table(**arguments)
    assert ours.key_averages(True).table(**arguments) == theirs.key_averages(True).table(**arguments)


def test_table_of_nothing_is_empty() -> None:
    assert EventList().table() == profiler_util.EventList([]).table() == ""


def test_table_without_time_has_no_share() -> None:
    event = FunctionEvent(0, "x", 1, 5.0, 5.0)
    assert "NaN" in EventList([event]).table()


def test_table_with_stacks_gives_every_frame_a_line() -> None:
    ours, theirs = both()
    for event, other in zip(ours, theirs):
        event.stack = other.stack = ["model.py(3): forward", "a/long/path/to/train.py(14): main"][: event.id % 3]
    for width in (20, 75):
        assert ours.table(max_src_column_width=width) == theirs.table(max_src_column_width=width)
    found = ours.key_averages(group_by_stack_n=1)
    expected = theirs.key_averages(group_by_stack_n=1)
    assert [(e.key, e.stack, e.count) for e in found] == [(e.key, e.stack, e.count) for e in expected]


def test_sums_are_those_of_torch() -> None:
    names = "key count cpu_time_total self_cpu_time_total cpu_time cpu_memory_usage self_cpu_memory_usage flops".split()
    ours, theirs = both()
    for grouped in (False, True):
        found, expected = ours.key_averages(grouped), theirs.key_averages(grouped)
        assert [[getattr(e, n) for n in names] for e in found] == [[getattr(e, n) for n in names] for e in expected]
        assert [str(e.input_shapes) for e in found] == [str(e.input_shapes) for e in expected]
        assert found.self_cpu_time_total == expected.self_cpu_time_total == ours.self_cpu_time_total
    total, other = ours.total_average(), theirs.total_average()
    assert [getattr(total, n) for n in names] == [getattr(other, n) for n in names]
    with pytest.raises(AssertionError, match="Expected keys to match, but got aten::linear vs aten::mm"):
        ours.key_averages()[2].add(ours[1])


def test_texts_of_events_name_what_they_are() -> None:
    events = make(EventList, FunctionEvent)
    assert repr(events[1]).startswith("<FunctionEvent id=1 name=aten::linear device_type=DeviceType.CPU")
    assert repr(events.key_averages()[0]).startswith("<FunctionEventAvg key=ProfilerStep* self_cpu_time=1.998s")
    assert str(events) == events.table()
    assert events[1].cpu_time_str == events[1].cpu_time_total_str == "1.490ms"


@pytest.mark.parametrize("us", [0, 0.0004, 1, 999.9999, 1000, 12345.678, 1e6, 3.5e9])
def test_times_as_text_are_those_of_torch(us: float) -> None:
    assert format_time(us) == profiler_util._format_time(us)


@pytest.mark.parametrize("nbytes", [0, 1, -5, 1023, 1024, -1536, 1024**2, 5 * 1024**3])
def test_bytes_as_text_are_those_of_torch(nbytes: int) -> None:
    assert format_memory(nbytes) == profiler_util._format_memory(nbytes)


# ----- The tree -----


def raw(id: int, name: str, start: int, end: int | None, parent: Any = None, **more: Any) -> Any:
    event: Any = FunctionEvent(id, name, 1, start, end or 0, **more)
    event.ended = end is not None
    event.cpu_parent = parent
    return event


def test_what_has_not_ended_leaves_its_children_to_its_parent() -> None:
    outer = raw(1, "outer", 1000, 9000)
    open_ = raw(2, "open", 2000, None, outer)
    inner = raw(3, "inner", 3000, 4000, open_)
    events = finish([outer, open_, inner], 1000)
    assert [e.name for e in events] == ["outer", "inner"]
    assert inner.cpu_parent is outer and outer.cpu_children == [inner]
    assert (inner.time_range.start, inner.time_range.end) == (2.0, 3.0)


def test_only_child_of_its_name_is_merged_and_its_memory_kept() -> None:
    a = raw(1, "aten::mul", 0, 9000, cpu_memory_usage=1)
    b = raw(2, "aten::mul", 1000, 8000, a, cpu_memory_usage=2)
    c = raw(3, "aten::mul", 2000, 7000, b, cpu_memory_usage=4)
    d = raw(4, "aten::expand", 3000, 4000, c, cpu_memory_usage=8)
    e = raw(5, "aten::add", 5000, 6000, c)
    assert finish([a, b, c, d, e], 0) == [a, d, e]
    assert a.cpu_children == [d, e] and d.cpu_parent is e.cpu_parent is a
    assert (a.cpu_memory_usage, a.self_cpu_memory_usage, a.self_cpu_time_total) == (15, 7, 7.0)


def test_siblings_of_the_name_of_their_parent_are_kept() -> None:
    a = raw(1, "f", 0, 9000)
    b, c = raw(2, "f", 1000, 2000, a), raw(3, "f", 3000, 4000, a)
    assert finish([a, b, c], 0) == [a, b, c]
