"""Tables of measurements: a table for each label, a row for each sub_label, a column for each description."""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Iterable
from typing import Any

from npg.utils.benchmark.measurement import Measurement
from npg.utils.benchmark.units import log10, ordered_unique, select_unit, trim_sigfig, unit_to_english

_BETWEEN = "  |  "

# ----- Colours -----

_BEST = "\033[92m\033[1m"
_GOOD = "\033[34m\033[1m"
_BAD = "\033[2m\033[91m"
_WORST = "\033[31m\033[1m"
_END = "\033[0m\033[0m"


class Colorize(enum.Enum):
    """The measurements among which the best is determined."""

    NONE = "none"
    COLUMNWISE = "columnwise"
    ROWWISE = "rowwise"


def _colored(text: str, value: float, best: float) -> str:
    if value <= best * 1.01 or value <= best + 100e-9:
        return _BEST + text + _END
    if value <= best * 1.1:
        return _GOOD + text + _END
    if value >= best * 5:
        return _WORST + text + _END
    if value >= best * 2:
        return _BAD + text + _END
    return text


# ----- A table -----


@dataclasses.dataclass
class _Style:
    trim: bool = False
    colorize: Colorize = Colorize.NONE
    highlight: bool = False


class _Column:
    """The format of a column: all cells have the same number of decimals."""

    def __init__(self, cells: list[Measurement], scale: float, style: _Style) -> None:
        self._scale = scale
        self._trim = style.trim
        self._highlight = style.highlight and any(m.has_warnings for m in cells)
        digits = [math.ceil(log10(m.median / scale)) for m in cells]
        decimals = min(max(m.significant_figures - d, 0) for d, m in zip(digits, cells)) if style.trim else 1
        width = max(digits) + decimals + (1 if decimals else 0)
        self._template = f"{{:>{width}.{decimals}f}}{{:>{7 if self._highlight else 0}}}"

    def text(self, m: Measurement | None) -> str:
        if m is None:
            return " " * len(self._text(1.0, 1, ""))
        spread = f" (! {m.iqr / m.median * 100:.0f}%)" if self._highlight and m.has_warnings else ""
        return self._text(m.median / self._scale, m.significant_figures, spread)

    def _text(self, value: float, figures: int, spread: str) -> str:
        return self._template.format(trim_sigfig(value, figures) if self._trim else value, spread)


def _env(m: Measurement) -> str:
    return "Unspecified env" if m.env is None else m.env


def _row_of(m: Measurement) -> tuple[int, str, str]:
    return m.num_threads, _env(m), m.as_row_name


def _column_of(m: Measurement) -> str:
    return m.description or ""


class _Table:
    """The measurements of one label; rows are grouped by the number of threads, then by env."""

    def __init__(self, results: list[Measurement], style: _Style) -> None:
        self._results = results
        self._style = style
        self._unit, scale = select_unit(min(m.median for m in results))
        self._cells = {(_row_of(m), _column_of(m)): m for m in results}
        self._rows = sorted(ordered_unique(map(_row_of, results)), key=lambda row: row[:2])
        self._heads = ordered_unique(map(_column_of, results))
        # From the cells: of two results in the same cell only the last is shown.
        self._columns = [
            _Column([m for (_, head), m in self._cells.items() if head == own], scale, style) for own in self._heads
        ]

    def _names(self) -> list[str]:
        """Return the head of each row: the env, where it changes, and the name."""
        envs = {env for _, env, _ in self._rows}
        width = max(map(len, envs)) if len(envs) > 1 else 0
        names = []
        before = (-1, "")
        for threads, env, name in self._rows:
            shown = len(envs) > 1 and env != (before[1] if threads == before[0] else "")
            names.append("  " + (f"({env})" if shown else "").ljust(width + 4) + name)
            before = threads, env
        return names

    def _best(self, row: tuple[int, str, str], head: str) -> float:
        """Return the smallest median of the row, or of the column among the rows with equally many threads."""
        rowwise = self._style.colorize is Colorize.ROWWISE
        return min(
            m.median
            for (other, column), m in self._cells.items()
            if (other == row if rowwise else column == head and other[0] == row[0])
        )

    def _cell(self, text: str, row: tuple[int, str, str], head: str) -> str:
        m = self._cells.get((row, head))
        if m is None or self._style.colorize is Colorize.NONE:
            return text
        return _colored(text, m.median, self._best(row, head))

    def __str__(self) -> str:
        names = self._names()
        texts = [[c.text(self._cells.get((row, h))) for c, h in zip(self._columns, self._heads)] for row in self._rows]
        first = max(map(len, names))
        widths = [max(map(len, column)) for column in zip(self._heads, *texts)]
        head = _BETWEEN.join([" " * first, *(h.center(w) for h, w in zip(self._heads, widths))])
        label = f" {self._results[0].label or ''} "
        lines = [f"[{label.center(len(head) - 2, '-')}]", head]
        threads = None
        for row, name, cells in zip(self._rows, names, texts):
            if row[0] != threads:
                threads = row[0]
                lines.append(f"{threads} threads: ".ljust(len(head), "-"))
            shown = [self._cell(text.center(w), row, h) for text, w, h in zip(cells, widths, self._heads)]
            lines.append(_BETWEEN.join([name.ljust(first), *shown]))
        lines += ["", f"Times are in {unit_to_english(self._unit)}s ({self._unit}).", ""]
        if self._style.highlight and any(m.has_warnings for m in self._results):
            lines[-1:] = ["(! XX%) Measurement has high variance, where XX is the IQR / median * 100.", ""]
        return "\n".join(lines)


# ----- The public class -----


class Compare:
    """Format measurements as tables: one for each label, with rows by sub_label and columns by description.

    Replicates, measurements of equal task_spec, are merged. `str` returns the text, `print` prints it.

    Args:
        results: the measurements.
    Raises: ValueError: for something that is no Measurement.
    Source: torch.utils.benchmark.Compare. Unlike there, a missing description gives an empty column head, and some
        measurements may lack env.
    """

    def __init__(self, results: Iterable[Measurement]) -> None:
        self._results: list[Measurement] = []
        self._style = _Style()
        self.extend_results(results)

    def extend_results(self, results: Iterable[Measurement]) -> None:
        """Add measurements."""
        results = list(results)
        for measurement in results:
            if not isinstance(measurement, Measurement):
                raise ValueError(f"Expected an instance of `Measurement`, got {type(measurement)} instead.")
        self._results += results

    def trim_significant_figures(self) -> None:
        """Show only the significant figures of each measurement."""
        self._style.trim = True

    def colorize(self, rowwise: bool = False) -> None:
        """Colour the cells by their ratio to the best of their column, or of their row."""
        self._style.colorize = Colorize.ROWWISE if rowwise else Colorize.COLUMNWISE

    def highlight_warnings(self) -> None:
        """Mark measurements whose times vary widely."""
        self._style.highlight = True

    def print(self) -> None:
        """Print the tables."""
        print(str(self))

    def __str__(self) -> str:
        by_label: dict[Any, list[Measurement]] = {}
        for measurement in Measurement.merge(self._results):
            by_label.setdefault(measurement.label, []).append(measurement)
        return "\n".join(str(_Table(results, self._style)) for results in by_label.values())
