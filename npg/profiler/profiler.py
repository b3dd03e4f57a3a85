"""profile: recordings on a schedule. Source: torch.profiler.profiler."""

from __future__ import annotations

import enum
import json
import os
import socket
import time
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from npg._refusal import refusing_class
from npg.engine import Block
from npg.profiler._events import EventList
from npg.profiler._recorder import Options, record_function, switched
from npg.profiler._session import Session

__all__ = [
    "ExecutionTraceObserver",
    "ProfilerAction",
    "ProfilerActivity",
    "profile",
    "schedule",
    "supported_activities",
    "tensorboard_trace_handler",
]


class ProfilerActivity(enum.Enum):
    """PyTorch's kinds of activities, of which npg supports the CPU's."""

    CPU = 0
    XPU = 1
    MTIA = 2
    CUDA = 3
    HPU = 4
    PrivateUse1 = 5


def supported_activities() -> set[ProfilerActivity]:
    """Return the activities that can be recorded."""
    return {ProfilerActivity.CPU}


class ProfilerAction(enum.Enum):
    """What to do in a step, as decided by a schedule."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


_RECORDING = (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)
_INCORRECT = (
    (ProfilerAction.WARMUP, ProfilerAction.NONE),
    (ProfilerAction.RECORD, ProfilerAction.NONE),
    (ProfilerAction.RECORD, ProfilerAction.WARMUP),
)

# ----- Schedules and handlers -----


def _default_schedule_fn(_: int) -> ProfilerAction:
    """Return RECORD: without a schedule, every step is recorded."""
    return ProfilerAction.RECORD


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0, skip_first_wait: int = 0
) -> Callable[[int], ProfilerAction]:
    """Return a schedule for `profile`: after skip_first steps, cycles of wait, warmup and active steps.

    Args:
        repeat: the number of cycles; 0: until the end.
        skip_first_wait: if not 0, the first cycle has no wait.
    Returns: a function of the step's number.
    Raises: AssertionError: for negative numbers, or no active step.
    """
    if wait < 0 or warmup < 0 or active <= 0 or repeat < 0 or skip_first < 0:
        raise AssertionError(
            f"Invalid profiler schedule arguments. Got wait={wait} (need >= 0), warmup={warmup} (need >= 0), "
            f"active={active} (need > 0), repeat={repeat} (need >= 0), skip_first={skip_first} (need >= 0)."
        )
    if warmup == 0:
        warnings.warn("Profiler won't be using warmup, this can skew profiler results", stacklevel=2)
    length = wait + warmup + active

    def action(step: int) -> ProfilerAction:
        if step < 0:
            raise AssertionError(f"Step must be non-negative. Got {step}.")
        if step < skip_first:
            return ProfilerAction.NONE
        cycle, at = divmod(step - skip_first + (wait if skip_first_wait else 0), length)
        if (repeat and cycle >= repeat) or at < wait:
            return ProfilerAction.NONE
        if at < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD if at < length - 1 else ProfilerAction.RECORD_AND_SAVE

    return action


ExecutionTraceObserver = refusing_class(
    "ExecutionTraceObserver",
    __name__,
    NotImplementedError,
    "npg writes no execution traces; profile(...).export_chrome_trace(path) writes what was called, and when",
)


def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False
) -> Callable[[profile], None]:
    """Return an on_trace_ready that writes each recording to a directory in TensorBoard's layout.

    Args:
        dir_name: the directory; created if missing.
        worker_name: the prefix of file names. None: the host and the process.
        use_gzip: compress.
    """

    def handler(prof: profile) -> None:
        try:
            os.makedirs(dir_name, exist_ok=True)
        except OSError as error:
            raise RuntimeError("Can't create directory: " + dir_name) from error
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        name = f"{worker}.{time.time_ns()}.pt.trace.json" + (".gz" if use_gzip else "")
        prof.export_chrome_trace(os.path.join(dir_name, name))

    return handler


# ----- The profiler -----


class profile(Block):
    """Record ops, backward's rules, optimizer steps and record_function blocks of all threads. A context manager.

    Args:
        activities: PyTorch's list; activities not on a CPU are left out with a warning.
        schedule: returns a ProfilerAction for each step number; a step ends with step(). None: record everything.
        on_trace_ready: called with this profile when a recording has ended.
        record_shapes: record the shapes of inputs.
        profile_memory: record the bytes of new arrays that calls return. PyTorch records every allocation, also of
            intermediate arrays, and every release.
        with_stack: record the Python stack, without npg's frames.
        with_flops: count additions and multiplications of products, add and mul, forward only.
        with_modules: record the calls of modules, as "nn.Module: Linear_0". PyTorch's traces have them with with_stack.
        acc_events: keep the events of earlier recordings.
    Raises: AssertionError: for no activities. RuntimeError: when it starts while another profiler records.
    Source: torch.profiler.profile. Fused ops such as linear are one event, as are backward's rules: the kernels that
        PyTorch calls within them have no counterpart. Sums into .grad have no event of their own.
    """

    def __init__(
        self,
        *,
        activities: Iterable[ProfilerActivity] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[[profile], Any] | None = None,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        with_modules: bool = False,
        acc_events: bool = False,
    ) -> None:
        self.activities = supported_activities() if activities is None else set(activities)
        if not self.activities & set(ProfilerActivity):
            raise AssertionError("No valid profiler activities found")
        for activity in sorted(self.activities - supported_activities(), key=lambda a: a.value):
            warnings.warn(f"{activity.name} is not available, disabling {activity.name} profiling", stacklevel=2)
            self.activities.discard(activity)
        if not self.activities:
            raise AssertionError("No activities specified for the profiler")
        self.schedule = schedule or _default_schedule_fn
        self.on_trace_ready = on_trace_ready
        self.record_shapes = record_shapes
        self.profile_memory = profile_memory
        self.with_stack = with_stack
        self.with_flops = with_flops
        self.with_modules = with_modules
        self.acc_events = acc_events
        self.profiler: Session | None = None
        self.step_num = 0
        self.current_action = self.schedule(0)
        self._marks_steps = schedule is not None
        self._mark: record_function | None = None
        self._earlier = EventList()
        self._metadata: dict[str, Any] = {}

    # ----- Steps -----

    def _places(self) -> Any:
        return switched()

    def _entered(self) -> profile:
        self.start()
        return self

    def _left(self, *_error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start with the schedule's first step."""
        self._change(ProfilerAction.NONE, self.current_action)
        self._open_step()

    def step(self) -> None:
        """Begin the next step."""
        self._close_step()
        following = self.schedule(self.step_num + 1)
        self.step_num += 1
        previous, self.current_action = self.current_action, following
        self._change(previous, following)
        self._open_step()

    def stop(self) -> None:
        """End the last step."""
        self._close_step()
        self._change(self.current_action, None)

    def _open_step(self) -> None:
        if self._marks_steps:
            self._mark = record_function(f"ProfilerStep#{self.step_num}")
            self._mark.__enter__()

    def _close_step(self) -> None:
        if self._mark is not None:
            self._mark.__exit__(None, None, None)
            self._mark = None

    def _change(self, previous: ProfilerAction, following: ProfilerAction | None) -> None:
        """Make the transition from one step's action to the next one's (None: the end)."""
        will_record = following in _RECORDING
        goes_on = previous is ProfilerAction.RECORD and will_record
        if (previous, following) in _INCORRECT:
            warnings.warn(f"Incorrect schedule: {previous.name} followed by {following.name}", stacklevel=3)  # type: ignore[union-attr]
        if previous is ProfilerAction.WARMUP and following in (ProfilerAction.NONE, None):
            self.start_trace()  # an empty recording
            self.stop_trace()
        elif previous in _RECORDING and not goes_on:
            self.stop_trace()
            complete = previous is ProfilerAction.RECORD_AND_SAVE or following is None
            if complete and self.on_trace_ready is not None:
                self.on_trace_ready(self)
        if goes_on:
            return
        if previous is not ProfilerAction.WARMUP and (will_record or following is ProfilerAction.WARMUP):
            self.prepare_trace()
        if will_record:
            self.start_trace()

    # ----- One recording -----

    def prepare_trace(self) -> None:
        """Drop the last recording, or keep it with acc_events."""
        if self.profiler is not None:
            if self.acc_events:
                self._earlier += self.profiler.events
            else:
                warnings.warn(
                    "Warning: Profiler clears events at the end of each cycle. Only events from the current cycle will "
                    "be reported. To keep events across cycles, set acc_events=True.",
                    stacklevel=4,
                )
        options = Options(self.record_shapes, self.profile_memory, self.with_stack, self.with_flops, self.with_modules)
        self.profiler = Session(options)

    def start_trace(self) -> None:
        """Start the recording."""
        self._session("starting trace").start()

    def stop_trace(self) -> None:
        """End the recording."""
        self._session("stopping trace").stop()

    def _session(self, purpose: str) -> Session:
        if self.profiler is None:
            raise AssertionError("Profiler must be initialized before " + purpose)
        return self.profiler

    # ----- Results -----

    def events(self) -> EventList:
        """Return the events of the last recording, or of all with acc_events; none while it runs."""
        return self._all("accessing events")

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0, group_by_overload_name: bool = False
    ) -> EventList:
        """Return the sums over the events of each key; see EventList.key_averages."""
        events = self._all("getting key averages")
        return events.key_averages(group_by_input_shape, group_by_stack_n, group_by_overload_name)

    def _all(self, purpose: str) -> EventList:
        last = self._session(purpose).events
        events = [*self._earlier, *last]
        return EventList(events, profile_memory=self.profile_memory, with_flops=self.with_flops)

    def export_chrome_trace(self, path: str) -> None:
        """Write the last recording as a Chrome trace, gzipped when the path ends in .gz."""
        self._session("exporting chrome trace").export_chrome_trace(path, self._metadata)

    def export_stacks(self, path: str, metric: str = "self_cpu_time_total") -> None:
        """Write the last recording's stacks and times for flame graphs; requires with_stack."""
        self._session("exporting stacks").export_stacks(path, metric)

    def add_metadata(self, key: str, value: str) -> None:
        """Add a text to traces under a key."""
        self._metadata[key] = value

    def add_metadata_json(self, key: str, value: str) -> None:
        """Add the value of a JSON text to traces under a key."""
        self._metadata[key] = json.loads(value)

    preset_metadata_json = add_metadata_json
