"""Progress on screen and the loss curve on disk."""

import contextlib
import csv
import errno
import io
import math
import os
import sys
from pathlib import Path

from config import DemoError
from files import replacing

EXTRA = 'pip install "npg-autograd[demo]"'  # tqdm and matplotlib


# ----- The screen -----

BAR = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt}{postfix}"
NO_BAR = "{percentage:3.0f}% {n_fmt}/{total_fmt}{postfix}"


class Progress:
    """A progress bar on a terminal that has tqdm, lines everywhere else.

    Args:
        start, total: the first iteration and the number of iterations.
        tokens: tokens per iteration.
        log_interval: iterations between two lines.
        stream: where to write; standard output by default.
    """

    def __init__(self, start, total, tokens, log_interval, stream=None):
        self.total, self.tokens, self.log_interval = total, tokens, log_interval
        self.stream = stream if stream is not None else sys.stdout
        self.seconds = None  # per iteration, a moving average
        self.bar = None
        if self.stream.isatty() and _columns(self.stream) != 0:  # some CI systems have 0 columns: no room for a bar
            try:
                from tqdm import tqdm
            except ImportError:
                self.note(f"no progress bar without tqdm: {EXTRA}")
            else:
                self.bar = tqdm(total=total, initial=start, file=self.stream, bar_format=BAR, dynamic_ncols=True)

    def update(self, iteration, loss, seconds):
        """Report a completed iteration, with its loss and its time in seconds."""
        self.seconds = seconds if self.seconds is None else 0.9 * self.seconds + 0.1 * seconds
        parts = self._status(iteration, loss)
        if self.bar is not None:
            self._fit(parts)
            self.bar.update()
        elif iteration % self.log_interval == 0:
            self.note(f"iter {iteration}/{self.total}: {', '.join(parts)}")

    def note(self, text):
        """Print a line, above the bar if there is one."""
        if self.bar is None:
            print(text, file=self.stream, flush=True)
        else:
            self.bar.write(text, file=self.stream)

    def close(self):
        """Leave the bar as it is; later output starts on a new line."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    def _status(self, iteration, loss):
        """Return loss, time, speed and remaining time as text."""
        remaining = max(0, self.total - iteration - 1) * self.seconds
        speed = f"{self.tokens / self.seconds:,.0f} tokens/s"
        return [f"loss {loss:.4f}", f"{1e3 * self.seconds:.1f} ms/iter", speed, f"{clock(remaining)} left"]

    def _fit(self, parts):
        """Fit the bar to the terminal by dropping, in this order, speed, time, the bar itself, the remaining time."""
        columns = _columns(self.stream)
        for layout, shown in ((BAR, (0, 1, 2, 3)), (BAR, (0, 1, 3)), (BAR, (0, 3)), (NO_BAR, (0, 3)), (NO_BAR, (0,))):
            status = ", ".join(parts[i] for i in shown)
            widest = layout.format(percentage=100, bar=4 * " ", n_fmt=self.total, total_fmt=self.total, postfix=status)
            if columns is None or len(widest) + len(", ") < columns:
                break
        self.bar.bar_format = layout
        self.bar.set_postfix_str(status, refresh=False)


def _columns(stream):
    """Return the width of a terminal, or None if it is unknown."""
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return None


def clock(seconds):
    """Return seconds as h:mm:ss, or m:ss below an hour."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


# ----- The curve -----

COLUMNS = ("iter", "learning_rate", "train_loss", "milliseconds", "eval_train_loss", "eval_val_loss")


class LossCurve:
    """Rows of a CSV file, one per iteration; the columns eval_* are filled where the model was evaluated.

    Args:
        path: the file; None keeps the rows in memory only.
        start: 0 begins a new curve; a resumed run keeps the rows before it.
    Raises: DemoError: when a resumed curve is not such a file, or the disk is full.
    """

    def __init__(self, path, start=0):
        self.path = path and Path(path)
        self.rows = []
        if start and path and self.path.is_file():
            self.rows = [row for row in read_curve(path) if int(row["iter"]) < start]
        self._pending = {}
        self._file = None

    def open(self):
        """Write the rows so far and keep the file open for more."""
        if self.path is None:
            return self
        with replacing(self.path) as file:
            text = io.StringIO()
            writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)
            file.write(text.getvalue().encode())
        self._file = open(self.path, "ab", buffering=0)  # unbuffered, so that a killed run leaves its curve
        return self

    def evaluated(self, iteration, learning_rate, train_loss, val_loss):
        """Record the mean losses before an iteration, to be written with its row, or else by close."""
        self._pending = dict(zip(COLUMNS, (iteration, learning_rate, "", "", train_loss, val_loss)))

    def add(self, iteration, learning_rate, train_loss="", milliseconds=""):
        """Write the row of an iteration, together with the evaluation before it."""
        evaluation = [self._pending.get(column, "") for column in COLUMNS[4:]]
        row = dict(zip(COLUMNS, (iteration, learning_rate, train_loss, milliseconds, *evaluation)))
        self._pending = {}
        self.rows.append({key: str(value) for key, value in row.items()})
        if self._file is None:
            return
        line, before = (",".join(self.rows[-1].values()) + "\n").encode(), os.fstat(self._file.fileno()).st_size
        try:
            if self._file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.truncate(before)  # removes a partial row
            raise DemoError(f"cannot write {self.path} ({error.strerror}); make room on the disk") from error

    def close(self):
        """Write an evaluation without a following iteration, and close the file; repeated calls are harmless."""
        try:
            if self._pending:
                self.add(self._pending["iter"], self._pending["learning_rate"])
        finally:
            if self._file is not None:
                self._file.close()


def read_curve(path):
    """Return the rows of a loss curve, dicts of text; DemoError for any other file."""
    try:
        with open(path, newline="", encoding="utf-8", errors="replace") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise DemoError(
                    f"{path}: expected the columns {', '.join(COLUMNS)}, got {reader.fieldnames}; move it away"
                )
            rows = [row for row in reader if None not in row and None not in row.values()]
            # A killed run, or a full disk, may leave a partial row.
            return [row for row in rows if row["iter"].isdigit()]
    except (OSError, csv.Error) as error:
        raise DemoError(f"{path}: expected a loss curve, got {error}; move it away") from error


def plot(rows, path, title=""):
    """Draw a loss curve as PNG when matplotlib is there.

    Args:
        rows: as read_curve returns them.
        path: the file.
        title: the plot's title.
    Returns: a line of text with the path, or with what to install.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return f"no {Path(path).name} without matplotlib: {EXTRA}"
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot(xlabel="iteration", ylabel="cross-entropy (nats per character)", title=title)
    axes.grid(alpha=0.3)
    for column, label, style in (
        ("train_loss", "training batch", {"color": "tab:gray", "alpha": 0.5, "linewidth": 1}),
        ("eval_train_loss", "training text, mean of batches", {"color": "tab:blue", "marker": "o"}),
        ("eval_val_loss", "validation text, mean of batches", {"color": "tab:orange", "marker": "o"}),
    ):
        points = [(int(row["iter"]), float(row[column])) for row in rows if row.get(column)]
        points = [point for point in points if math.isfinite(point[1])]
        if points and column == "eval_val_loss":
            at, lowest = min(points, key=lambda point: point[1])
            label += f"; lowest {lowest:.4f} at {at}"
        if points:
            axes.plot(*zip(*points), label=label, **style)
    if axes.lines:
        axes.legend()
    with replacing(path) as file:
        FigureCanvasAgg(figure).print_png(file)
    return f"curve: {path}"
