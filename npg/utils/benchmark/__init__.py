"""Measure the time of statements, with replicates, and compare the results.

timer = npg.utils.benchmark.Timer("x @ x", globals={"x": npg.rand(64, 64)}, label="product", description="64")
print(timer.blocked_autorange())

Source: torch.utils.benchmark, without instruction counts, C++ statements and fuzzers.
"""

from npg.utils.benchmark.compare import Colorize, Compare
from npg.utils.benchmark.measurement import Measurement, TaskSpec
from npg.utils.benchmark.timing import Language, Timer, timer
from npg.utils.benchmark.units import ordered_unique, select_unit, trim_sigfig, unit_to_english

__all__ = [
    "Colorize",
    "Compare",
    "Language",
    "Measurement",
    "TaskSpec",
    "Timer",
    "ordered_unique",
    "select_unit",
    "timer",
    "trim_sigfig",
    "unit_to_english",
]
