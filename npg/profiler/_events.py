"""Events: a single call, or the sum over all calls of a kind. Source: torch.autograd.profiler_util."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any

from npg.profiler._table import format_time, table

# PyTorch's name for the range around a node's rule.
EVALUATE = "autograd::engine::evaluate_function: "


class DeviceType(enum.Enum):
    """The device of an event; PyTorch has more of them."""

    CPU = 0


class Interval:
    """A time range in microseconds from the start of the recording."""

    def __init__(self, start: float, end: float) -> None:
        self.start = start
        self.end = end

    def elapsed_us(self) -> float:
        """Return its length."""
        return self.end - self.start


class _Times:
    """Base class of events and their sums: times per call, times as text; times of other devices are 0."""

    count: int
    cpu_time_total: float
    self_cpu_time_total: float

    # PyTorch's scripts sort by these, whether or not there is such a device.
    device_time = device_time_total = self_device_time_total = 0
    device_memory_usage = self_device_memory_usage = 0

    device_type = DeviceType.CPU
    use_device = None
    node_id = -1
    is_remote = is_legacy = False

    @property
    def cpu_time(self) -> float:
        """The time per call in microseconds."""
        return self.cpu_time_total / self.count if self.count else 0.0

    @property
    def cpu_time_str(self) -> str:
        return format_time(self.cpu_time)

    @property
    def cpu_time_total_str(self) -> str:
        return format_time(self.cpu_time_total)

    @property
    def self_cpu_time_total_str(self) -> str:
        return format_time(self.self_cpu_time_total)


class FunctionEvent(_Times):
    """A recorded call of an op, a rule or a function.

    Attributes:
        id: its number in the recording.
        name: its key in sums, such as aten::mul. trace_name: the same, with a step's number.
        thread: the native id of the thread. fwd_thread: for a rule, that of the forward call.
        time_range: an Interval.
        cpu_parent, cpu_children: the enclosing call, and the calls directly within this one.
        scope: 0 for an op, 1 for a rule of backward, 7 for a range of the user or of a module.
        sequence_nr: the number of the node that a call created, or whose rule this is; -1 for none.
        input_shapes: with record_shapes, the sizes of each input, [] for an input that is no tensor.
        cpu_memory_usage: with profile_memory, the bytes of the arrays that it and its children created.
        stack: with with_stack, "file(line): function" of the frames outside npg, innermost first; a rule has the
            stack of the forward call.
        flops: with with_flops, additions and multiplications, 0 where unknown.
        is_async: whether it began in one thread and ended in another; it then has no children and no self time.
        is_user_annotation, is_python_function: whether it is a record_function, or the call of a module.
    """

    def __init__(
        self,
        id: int,
        name: str,
        thread: int,
        start_us: float,
        end_us: float,
        *,
        scope: int = 0,
        input_shapes: list[list[int]] | None = None,
        cpu_memory_usage: int = 0,
        sequence_nr: int = -1,
        trace_name: str | None = None,
        is_user_annotation: bool = False,
        is_python_function: bool = False,
    ) -> None:
        self.id = id
        self.name = name
        self.trace_name = trace_name or name
        self.overload_name = ""
        self.thread = thread
        self.fwd_thread: int | None = None
        self.time_range = Interval(start_us, end_us)
        self.count = 1
        self.cpu_children: list[FunctionEvent] = []
        self.cpu_parent: FunctionEvent | None = None
        self.scope = scope
        self.input_shapes: list[list[int]] = [] if input_shapes is None else input_shapes
        self.concrete_inputs: list[Any] = []
        self.cpu_memory_usage = cpu_memory_usage
        self.sequence_nr = sequence_nr
        self.stack: list[str] = []
        self.flops = 0
        self.is_async = False
        self.is_user_annotation = is_user_annotation
        self.is_python_function = is_python_function

    @property
    def is_evaluation(self) -> bool:
        """Tell whether this is the range around a node's rule."""
        return self.name.startswith(EVALUATE)

    @property
    def key(self) -> str:
        """The name, by which calls are summed."""
        return self.name

    @property
    def cpu_time_total(self) -> float:  # type: ignore[override]  # a plain attribute of the sums
        """The time from beginning to end in microseconds."""
        return self.time_range.elapsed_us()

    @property
    def self_cpu_time_total(self) -> float:  # type: ignore[override]
        """The time outside the children in microseconds."""
        if self.is_async:
            return 0
        return self.cpu_time_total - sum(child.cpu_time_total for child in self.cpu_children)

    @property
    def self_cpu_memory_usage(self) -> int:
        """The bytes of the arrays created outside the children."""
        if self.is_async:
            return 0
        return self.cpu_memory_usage - sum(child.cpu_memory_usage for child in self.cpu_children)

    def __repr__(self) -> str:
        return (
            f"<FunctionEvent id={self.id} name={self.name} device_type={self.device_type} cpu_time={self.cpu_time_str} "
            f"start_us={self.time_range.start} end_us={self.time_range.end} "
            f"cpu_children={[child.id for child in self.cpu_children]} thread={self.thread} "
            f"input_shapes={self.input_shapes} cpu_memory_usage={self.cpu_memory_usage} is_async={self.is_async} "
            f"seq_nr={self.sequence_nr}>"
        )


class FunctionEventAvg(_Times):
    """The sum over the events of a key; cpu_time is the average per call. The attributes are FunctionEvent's."""

    def __init__(self) -> None:
        self.key: str | None = None
        self.count = 0
        self.cpu_time_total = 0.0
        self.self_cpu_time_total = 0.0
        self.cpu_memory_usage = 0
        self.self_cpu_memory_usage = 0
        self.flops = 0
        self.overload_name = ""
        self.input_shapes: Any = None
        self.stack: list[str] = []
        self.scope: int | None = None
        self.cpu_parent: FunctionEvent | None = None
        self.cpu_children: list[FunctionEvent] = []
        self.is_async = self.is_user_annotation = False

    def add(self, other: Any) -> FunctionEventAvg:
        """Add an event, or another sum, of the same key. Attributes that are no numbers stay those of the first."""
        if self.key is None:
            self.key = other.key
            for name in (
                "input_shapes",
                "stack",
                "scope",
                "cpu_parent",
                "cpu_children",
                "is_async",
                "is_user_annotation",
            ):
                setattr(self, name, getattr(other, name))
        if other.key != self.key:
            raise AssertionError(f"Expected keys to match, but got {other.key} vs {self.key}")
        self._sum(other)
        return self

    __iadd__ = add

    def _sum(self, other: Any) -> None:
        self.count += other.count
        self.cpu_time_total += other.cpu_time_total
        self.self_cpu_time_total += other.self_cpu_time_total
        self.cpu_memory_usage += other.cpu_memory_usage
        self.self_cpu_memory_usage += other.self_cpu_memory_usage
        self.flops += other.flops

    def __repr__(self) -> str:
        return (
            f"<FunctionEventAvg key={self.key} self_cpu_time={self.self_cpu_time_total_str} "
            f"cpu_time={self.cpu_time_str} input_shapes={self.input_shapes} cpu_memory_usage={self.cpu_memory_usage}>"
        )


class EventList(list[Any]):
    """A list of events, or of their sums, that can be summed, printed and written to a file."""

    def __init__(self, events: Iterable[Any] = (), *, profile_memory: bool = False, with_flops: bool = False) -> None:
        super().__init__(events)
        self._profile_memory = profile_memory
        self._with_flops = with_flops

    def __str__(self) -> str:
        return self.table()

    @property
    def self_cpu_time_total(self) -> float:
        """The total time of all events in microseconds, none counted twice."""
        total: float = sum(event.self_cpu_time_total for event in self)
        return total

    def key_averages(
        self, group_by_input_shapes: bool = False, group_by_stack_n: int = 0, group_by_overload_name: bool = False
    ) -> EventList:
        """Return the sums over the events of each key.

        Args:
            group_by_input_shapes: also group by the input shapes.
            group_by_stack_n: also group by this many innermost frames.
            group_by_overload_name: without effect, since npg's ops have no overloads.
        Returns: a list of FunctionEventAvg, in the order of first appearance.
        """
        sums: dict[Any, FunctionEventAvg] = {}
        for event in self:
            shapes = str(event.input_shapes) if group_by_input_shapes else None
            key = (event.key, event.is_user_annotation, shapes, *event.stack[:group_by_stack_n])
            sums.setdefault(key, FunctionEventAvg()).add(event)
        for entry in sums.values():
            entry.stack = entry.stack[:group_by_stack_n]
            if not group_by_input_shapes:
                entry.input_shapes = ""
        return EventList(sums.values(), profile_memory=self._profile_memory, with_flops=self._with_flops)

    def total_average(self) -> FunctionEventAvg:
        """Return the sum over all events, whatever their keys."""
        total = FunctionEventAvg()
        total.key = "Total"
        for event in self:
            total._sum(event)
        return total

    def table(
        self,
        sort_by: str | None = None,
        row_limit: int = 100,
        max_src_column_width: int | None = 75,
        max_name_column_width: int | None = 55,
        max_shapes_column_width: int | None = 80,
        header: str | None = None,
        top_level_events_only: bool = False,
        time_unit: str | None = None,
    ) -> str:
        """Return the events as a table.

        Args:
            sort_by: the attribute to sort by, the largest first: "cpu_time", "cpu_time_total", "self_cpu_time_total",
                "cpu_memory_usage", "self_cpu_memory_usage", "count". None: in the order of first appearance.
            row_limit: the maximum number of rows; -1: all.
            max_src_column_width, max_name_column_width, max_shapes_column_width: longer texts are truncated.
            header: a line above the table.
            top_level_events_only: leave out events within other events.
            time_unit: "s", "ms" or "us" for all times. None: choose for each time.
        Source: the texts are those of torch.autograd.profiler_util.EventList.table.
        """
        return table(
            self,
            sort_by=sort_by,
            row_limit=row_limit,
            source_width=max_src_column_width,
            name_width=max_name_column_width,
            shapes_width=max_shapes_column_width,
            header=header,
            top_level_events_only=top_level_events_only,
            time_unit=time_unit,
            memory=self._profile_memory,
            flops=self._with_flops,
        )

    def export_chrome_trace(self, path: str) -> None:
        """Write the events as a Chrome trace, gzipped when the path ends in .gz."""
        from npg.profiler._trace import write_trace  # needed once, if at all

        write_trace(self, path)

    def export_stacks(self, path: str, metric: str = "self_cpu_time_total") -> None:
        """Write a line "frame;...;frame microseconds" for each event with a stack, the input of flame graphs.

        Raises: ValueError: for a metric other than self_cpu_time_total.
        """
        if metric != "self_cpu_time_total":
            raise ValueError("metric should be one of: ['self_cpu_time_total']")
        harmless = str.maketrans(" ;\t\n", "____")
        with open(path, "w", encoding="utf-8") as file:
            for event in self:
                value = int(getattr(event, metric))
                if event.stack and value > 0:
                    frames = ";".join(entry.translate(harmless) for entry in reversed(event.stack))
                    file.write(f"{frames} {value}\n")
