"""Timer: measure the time of repeated runs of a statement."""

from __future__ import annotations

import enum
import sys
import textwrap
import timeit
from collections.abc import Callable
from typing import Any

import numpy as np

from npg._contextlib import Block
from npg.utils.benchmark.measurement import Measurement, TaskSpec
from npg.utils.threads import get_num_threads, set_num_threads

Callback = Callable[[int, float], Any]

_SHORTEST = 1e-9  # seconds; nothing takes less, and times are divided by
_MOST_RUNS = 2**31 - 1  # in a block, as in PyTorch
_OVERHEAD = 1e-4  # the largest fraction of a block's time for calls of the clock

timer = timeit.default_timer


class Language(enum.Enum):
    """The language of a statement. Timer raises for CPP: npg has no compiler."""

    PYTHON = 0
    CPP = 1


class _Process:
    threads = property(lambda _self: get_num_threads(), lambda _self, count: set_num_threads(count))


_process = _Process()


class _threads(Block):
    def __init__(self, count: int) -> None:
        self._count = count

    def _places(self) -> Any:
        return ((_process, "threads", self._count),)


def _dedented(code: str) -> str:
    """Return code without common indentation and without an empty first line, as of a text block in a function."""
    return textwrap.dedent(code).removeprefix("\n").rstrip()


class Timer:
    """Measure the time that a statement takes.

    Like timeit.Timer, which it uses, but it warms up, sets the number of threads, and measures replicates.

    Args:
        stmt: the code to measure, one line or several.
        setup: code that runs once before each block of runs, unmeasured.
        global_setup: for C++ only; must be "".
        timer: returns the time in seconds.
        globals: the global names of stmt and setup; `npg` is added. The dict is copied.
        label: a description of stmt.
        sub_label: distinguishes measurements of the same label: the row of a Compare table.
        description: the column of a Compare table.
        env: distinguishes environments of the same task, whose measurements are not merged.
        num_threads: set by npg.set_num_threads during the measurement, then restored.
        language: "python"; PyTorch's "c++" needs a compiler, which npg does not have.
    Raises: ValueError: for a stmt that is no string, a global_setup, an unknown language. NotImplementedError: for C++.
    Source: torch.utils.benchmark.Timer.
    """

    def __init__(
        self,
        stmt: str = "pass",
        setup: str = "pass",
        global_setup: str = "",
        timer: Callable[[], float] = timer,
        globals: dict[str, Any] | None = None,
        label: str | None = None,
        sub_label: str | None = None,
        description: str | None = None,
        env: str | None = None,
        num_threads: int = 1,
        language: Language | str = Language.PYTHON,
    ) -> None:
        if not isinstance(stmt, str):
            raise ValueError("Currently only a `str` stmt is supported.")
        if language in (Language.CPP, "cpp", "c++"):
            raise NotImplementedError(
                f"Timer measures Python statements alone, got language {language}: npg has no compiler for others"
            )
        if language not in (Language.PYTHON, "py", "python"):
            raise ValueError(f"Invalid language `{language}`.")
        if global_setup:
            raise ValueError(
                f"global_setup is C++ only, got `{global_setup}`. Most likely this code can simply be moved to `setup`."
            )
        stmt, setup = _dedented(stmt), _dedented(setup)
        names = {
            "npg": sys.modules["npg"],
            **(globals or {}),
        }  # not imported: npg is above this room, and loaded
        self._timer = timeit.Timer(stmt, setup, timer, names)
        self._task_spec = TaskSpec(stmt, setup, global_setup, label, sub_label, description, env, num_threads)

    def _time(self, number: int) -> float:
        return max(self._timer.timeit(number), _SHORTEST)

    # ----- A fixed number of runs -----

    def timeit(self, number: int = 1000000) -> Measurement:
        """Run the statement `number` times, after a hundredth as many to warm up, and return one time."""
        with _threads(self._task_spec.num_threads):
            self._time(max(int(number // 100), 2))
            return Measurement(number, [self._time(number)], self._task_spec)

    def repeat(self, repeat: int = -1, number: int = -1) -> None:
        """Raise: timeit.Timer has this method; here blocked_autorange measures replicates."""
        raise NotImplementedError("See `Timer.blocked_autorange.`")

    def autorange(self, callback: Callback | None = None) -> None:
        """Raise: timeit.Timer has this method; here blocked_autorange chooses the number of runs."""
        raise NotImplementedError("See `Timer.blocked_autorange.`")

    # ----- As many as it takes -----

    def _block_size(self, min_run_time: float) -> int:
        """Return the first power of ten of runs that makes the clock's overhead negligible; this also warms up."""
        overhead = float(np.float32(sorted(self._time(0) for _ in range(5))[2]))  # float32, as PyTorch's
        number = 1
        while True:
            taken = self._time(number)
            enough = overhead / taken <= _OVERHEAD and taken >= min_run_time / 1000
            if enough or taken > min_run_time or number * 10 > _MOST_RUNS:
                return number
            number *= 10

    def _measure(
        self,
        number: int,
        min_run_time: float,
        max_run_time: float | None,
        callback: Callback | None,
        enough: Callable[[Measurement], bool],
    ) -> Measurement:
        """Measure blocks for min_run_time, then until there are enough or max_run_time has passed."""
        times: list[float] = []
        total, done = 0.0, False
        while total < min_run_time or not done:
            taken = self._time(number)
            times.append(taken)
            total += taken
            if callback:
                callback(number, taken)
            done = enough(Measurement(number, times, self._task_spec))
            if max_run_time and total > max_run_time:
                break
        return Measurement(number, times, self._task_spec)

    def blocked_autorange(self, callback: Callback | None = None, min_run_time: float = 0.2) -> Measurement:
        """Measure blocks of runs for min_run_time seconds.

        A block is as small as possible (many replicates make good statistics), but such that calls of the clock take
        less than 0.01% of its time, and it takes a thousandth of min_run_time.

        Args:
            callback: called after each block with the number of runs and their seconds.
            min_run_time: the least total time of all blocks, in seconds.
        """
        with _threads(self._task_spec.num_threads):
            number = self._block_size(min_run_time)
            return self._measure(number, min_run_time, None, callback, lambda _: True)

    def adaptive_autorange(
        self,
        threshold: float = 0.1,
        *,
        min_run_time: float = 0.01,
        max_run_time: float = 10.0,
        callback: Callback | None = None,
    ) -> Measurement:
        """Measure blocks of runs until their times agree: more than 3, interquartile range below threshold * median.

        Args:
            threshold: see above.
            min_run_time: seconds that all blocks take together, at least.
            max_run_time: seconds after which it ends in any case.
            callback: called after each block with the number of runs and the seconds they took.
        """
        with _threads(self._task_spec.num_threads):
            number = self._block_size(min_run_time=0.05)
            return self._measure(
                number,
                min_run_time,
                max_run_time,
                callback,
                lambda measurement: len(measurement.raw_times) > 3 and measurement.meets_confidence(threshold),
            )

    # ----- Instruction counts -----

    def collect_callgrind(
        self,
        number: int = 100,
        *,
        repeats: int | None = None,
        collect_baseline: bool = True,
        retain_out_file: bool = False,
    ) -> Any:
        """Raise NotImplementedError: counting instructions takes compiled hooks in the measured process."""
        raise NotImplementedError(
            "collect_callgrind counts instructions through compiled hooks, and npg has no compiler to build them; "
            "measure time with blocked_autorange"
        )
