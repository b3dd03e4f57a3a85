"""Measurements: the times of a task, and the task's description."""

from __future__ import annotations

import dataclasses
import math
import textwrap
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np

from npg.utils.benchmark.units import log10, select_unit

_MOST_FIGURES = 4
_SMALLEST_INTERVAL = 25e-9  # seconds; no clock is more precise
_NOTABLE, _GROSS = 0.1, 0.25  # ratios of interquartile range to median from which a measurement has a warning


@dataclasses.dataclass(repr=False, frozen=True)
class TaskSpec:
    """The description of a Timer's task, without its globals. Source: torch.utils.benchmark.TaskSpec."""

    stmt: str
    setup: str
    global_setup: str = ""
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    env: str | None = None
    num_threads: int = 1

    @property
    def title(self) -> str:
        """The label, or else the statement."""
        if self.label is None and "\n" in self.stmt:
            sub_label = f" ({self.sub_label})" if self.sub_label else ""
            return f"stmt:{sub_label}\n{textwrap.indent(self.stmt, '  ')}"
        title = self.stmt if self.label is None else self.label
        return f"{title}: {self.sub_label}" if self.sub_label else title

    def setup_str(self) -> str:
        """Return the setup, on one line or several; "" when there is none."""
        if self.setup in ("", "pass"):
            return ""
        return f"setup:\n{textwrap.indent(self.setup, '  ')}" if "\n" in self.setup else f"setup: {self.setup}"

    def summarize(self) -> str:
        """Return title, description and setup; an empty line follows a setup of several lines."""
        parts = (self.title, self.description, self.setup_str())
        return "\n".join(f"{part}\n" if "\n" in part else part for part in parts if part)


_FORWARDED = frozenset(field.name for field in dataclasses.fields(TaskSpec))


@dataclasses.dataclass(repr=False)
class Measurement:
    """The result of a Timer: the times of one or several blocks of runs.

    The fields of its task_spec are attributes, too. Statistics are those of the times per run, computed once, on first
    access.

    Args:
        number_per_run: the number of runs in each block.
        raw_times: the time of each block, in seconds.
        task_spec: the task measured.
        metadata: any data of the user.
    Source: torch.utils.benchmark.Measurement.
    """

    number_per_run: int
    raw_times: list[float]
    task_spec: TaskSpec
    metadata: dict[Any, Any] | None = None

    def __getattr__(self, name: str) -> Any:
        if name in _FORWARDED:
            return getattr(self.task_spec, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    # ----- Statistics -----

    @property
    def times(self) -> list[float]:
        """The seconds per run, one number for each block."""
        return [t / self.number_per_run for t in self.raw_times]

    @cached_property
    def _sorted(self) -> list[float]:
        return sorted(self.times)

    def _quantile(self, q: float) -> float:
        """Interpolate between the two times around q, from the same side as PyTorch, to the last bit."""
        if not self._sorted:
            return -1.0
        below, weight = divmod(q * (len(self._sorted) - 1), 1)
        low, high = self._sorted[int(below)], self._sorted[math.ceil(below + weight)]
        return low + weight * (high - low) if weight < 0.5 else high - (high - low) * (1 - weight)

    @cached_property
    def _quartiles(self) -> tuple[float, float, float]:
        return self._quantile(0.25), self._quantile(0.5), self._quantile(0.75)

    @property
    def median(self) -> float:
        """The median of the seconds per run; -1 without times."""
        return self._quartiles[1]

    @property
    def mean(self) -> float:
        """The mean of the seconds per run; -1 without times."""
        return math.fsum(self._sorted) / len(self._sorted) if self._sorted else -1.0

    @property
    def iqr(self) -> float:
        """The interquartile range, spanned by the middle half of the times."""
        return self._quartiles[2] - self._quartiles[0]

    @property
    def significant_figures(self) -> int:
        """The number of significant figures of the median, from 1 to 4.

        log10(median / interval), rounded down, with interval = 1.645 std / sqrt(n) of the n times in the interquartile
        range, at least 25 ns.
        """
        n = len(self._sorted)
        middle = np.array(self._sorted[n // 4 : math.ceil(3 * n / 4)], np.float32).astype(np.float64)
        std, root = float(np.float32(middle.std())), float(np.sqrt(np.float32(len(middle))))
        interval = max(1.645 * std / root, _SMALLEST_INTERVAL)
        return min(max(math.floor(log10(self.median / interval)), 1), _MOST_FIGURES)

    def meets_confidence(self, threshold: float = _NOTABLE) -> bool:
        """Tell whether the interquartile range is less than this fraction of the median."""
        return self.iqr / self.median < threshold

    @property
    def has_warnings(self) -> bool:
        """Tell whether the times vary so widely that the measurement is doubtful."""
        return bool(self._warning)

    @property
    def _warning(self) -> str:
        if self.meets_confidence(_NOTABLE):
            return ""
        advice = "This suggests significant environmental influence."
        if self.meets_confidence(_GROSS):
            advice = "This could indicate system fluctuation."
        spread = f"{self.iqr / self.median * 100:.1f}%"
        return f"  WARNING: Interquartile range is {spread} of the median measurement.\n           {advice}"

    # ----- Texts -----

    @property
    def title(self) -> str:
        """The title of the task."""
        return self.task_spec.title

    @property
    def as_row_name(self) -> str:
        """The head of its row in a table."""
        return self.sub_label or self.stmt or "[Unknown]"

    def __repr__(self) -> str:
        n = len(self._sorted)
        unit, scale = select_unit(self.median)
        low, median, high = (t / scale for t in self._quartiles)
        blocks = f"{n} measurement{'s' if n > 1 else ''}"
        runs = f"{self.number_per_run} runs {'per measurement,' if n > 1 else ','}"
        threads = f"{self.num_threads} thread{'s' if self.num_threads > 1 else ''}"
        lines = [
            object.__repr__(self),
            self.task_spec.summarize(),
            f"  {'Median: ' if n > 1 else ''}{median:.2f} {unit}",
            f"  IQR:    {self.iqr / scale:.2f} {unit} ({low:.2f} to {high:.2f})",
            f"  {blocks}, {runs} {threads}",
            self._warning,
        ]
        if n < 4:  # too few for quartiles
            del lines[3]
        return "\n".join(lines).strip()

    # ----- Replicates -----

    @staticmethod
    def merge(measurements: Iterable[Measurement]) -> list[Measurement]:
        """Return one measurement per task_spec with the times per run of all its replicates, without metadata."""
        times: dict[TaskSpec, list[float]] = {}
        for measurement in measurements:
            times.setdefault(measurement.task_spec, []).extend(measurement.times)
        return [Measurement(1, merged, task_spec) for task_spec, merged in times.items()]
