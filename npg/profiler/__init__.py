"""The profiler: times of every op, every rule of backward, optimizer steps and user-defined blocks.

    with npg.profiler.profile(record_shapes=True, profile_memory=True) as prof:
        with npg.profiler.record_function("step"):
            loss = model(x).sum()
            loss.backward()
    print(prof.key_averages().table(sort_by="self_cpu_time_total", row_limit=10))
    prof.export_chrome_trace("trace.json")  # for chrome://tracing or ui.perfetto.dev

Each part does one thing: _recorder.py observes the engine, _measures.py measures a call, _ranges.py covers optimizers
and modules, _tree.py links the events, _events.py holds them, _table.py and _trace.py write them, _session.py is one
recording and profiler.py repeats it on a schedule. Source: torch.profiler.
"""

from npg.profiler._events import DeviceType
from npg.profiler._recorder import record_function
from npg.profiler.profiler import (
    ExecutionTraceObserver,
    ProfilerAction,
    ProfilerActivity,
    profile,
    schedule,
    supported_activities,
    tensorboard_trace_handler,
)


def kineto_available() -> bool:
    """Return False: npg's own profiler records, not PyTorch's Kineto."""
    return False


__all__ = [
    "DeviceType",
    "ExecutionTraceObserver",
    "ProfilerAction",
    "ProfilerActivity",
    "kineto_available",
    "profile",
    "record_function",
    "schedule",
    "supported_activities",
    "tensorboard_trace_handler",
]
