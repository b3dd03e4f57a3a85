"""The profiler without a schedule: one recording, whose events are available when the block ends.

Source: torch.autograd.profiler; npg.profiler has the one with schedules and documents the events.
"""

from __future__ import annotations

import warnings
from typing import Any

from npg._naming import named
from npg.engine import Block
from npg.functional._attributes import NO_CUDA
from npg.profiler._events import DeviceType, EventList, FunctionEvent, FunctionEventAvg
from npg.profiler._recorder import Options, record_function, switched
from npg.profiler._session import Session
from npg.profiler.profiler import ProfilerActivity

__all__ = [
    "DeviceType",
    "EventList",
    "FunctionEvent",
    "FunctionEventAvg",
    "ProfilerActivity",
    "emit_nvtx",
    "profile",
    "record_function",
]


class emit_nvtx:
    """Ranges for NVIDIA's profiler, of which there are none without a device.

    Raises: AssertionError: when it is entered.
    Source: torch.autograd.profiler.emit_nvtx.
    """

    def __init__(self, enabled: bool = True, record_shapes: bool = False) -> None:
        self.enabled, self.record_shapes, self.entered = enabled, record_shapes, False

    def __enter__(self) -> None:
        if self.enabled:
            raise AssertionError(NO_CUDA)

    def __exit__(self, *exc: object) -> None:
        pass


class profile(Block):
    """Record the events within a block.

    Args:
        enabled: False: record nothing.
        use_cuda, use_device: a device other than the CPU: there is none, so asking for one warns.
        use_kineto: accepted and ignored; it selects among PyTorch's recorders.
        record_shapes, with_flops, profile_memory, with_stack, with_modules: as for npg.profiler.profile.
    Attributes:
        function_events: the events, an EventList; empty before the end.
    Raises: RuntimeError: when it is entered twice, or while another profiler records.
    Source: torch.autograd.profiler.profile.
    """

    def __init__(
        self,
        enabled: bool = True,
        *,
        use_cuda: bool = False,
        use_device: str | None = None,
        record_shapes: bool = False,
        with_flops: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_modules: bool = False,
        use_kineto: bool = False,
    ) -> None:
        if enabled and use_cuda:
            text = "The attribute `use_cuda` will be deprecated soon, please use ``use_device = 'cuda'`` instead."
            warnings.warn(text, FutureWarning, stacklevel=2)
        device = "cuda" if use_cuda else use_device
        if enabled and device in ("cuda", "xpu", "hpu"):
            text = f"{device.upper()} is not available, disabling {device.upper()} profiling"
            warnings.warn(text, stacklevel=2)
        elif enabled and device not in (None, "mtia"):
            warnings.warn(f"The {device} is not a valid device option.", stacklevel=2)
        self.enabled = enabled
        self.entered = False
        self._finished = False
        self._session = Session(Options(record_shapes, profile_memory, with_stack, with_flops, with_modules))

    def _places(self) -> Any:
        return switched() if self.enabled else ()

    def _entered(self) -> profile:
        if self.enabled:
            if self.entered:
                raise RuntimeError("Profiler context manager is not reentrant")
            self.entered = True
            self._session.start()
        return self

    def _left(self, *_error: object) -> None:
        if self.enabled:
            self._session.stop()
            self._finished = True

    @property
    def function_events(self) -> EventList:
        return self._session.events

    def __str__(self) -> str:
        return str(self.function_events) if self._finished else named("<unfinished npg.autograd.profile>")

    def __repr__(self) -> str:
        return repr(self.function_events) if self._finished else named("<unfinished npg.autograd.profile>")

    def table(
        self,
        sort_by: str | None = None,
        row_limit: int = 100,
        max_src_column_width: int | None = 75,
        max_name_column_width: int | None = 55,
        max_shapes_column_width: int | None = 80,
        header: str | None = None,
        top_level_events_only: bool = False,
    ) -> str:
        """Return the events as a table; see EventList.table."""
        return self.function_events.table(
            sort_by,
            row_limit,
            max_src_column_width,
            max_name_column_width,
            max_shapes_column_width,
            header,
            top_level_events_only,
        )

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0, group_by_overload_name: bool = False
    ) -> EventList:
        """Return the sums over the events of each key; see EventList.key_averages."""
        return self.function_events.key_averages(group_by_input_shape, group_by_stack_n, group_by_overload_name)

    def total_average(self) -> FunctionEventAvg:
        """Return the sum over all events."""
        return self.function_events.total_average()

    @property
    def self_cpu_time_total(self) -> float:
        """The total time of all events in microseconds, none counted twice."""
        return self.function_events.self_cpu_time_total

    def export_chrome_trace(self, path: str) -> None:
        """Write the events as a Chrome trace, gzipped when the path ends in .gz."""
        self._session.export_chrome_trace(path)

    def export_stacks(self, path: str, metric: str = "self_cpu_time_total") -> None:
        """Write stacks and times for flame graphs; requires with_stack."""
        self._session.export_stacks(path, metric)
