"""Progress on the screen and the loss curve on disk."""

import csv
import io
import math
import os
import sys
from pathlib import Path

from config import DemoError
from files import replacing

EXTRA = 'pip install "npg-autograd[demo]"'  # tqdm and matplotlib


# ----- The screen -----


class Progress:
    """A progress bar on a terminal that has tqdm, lines everywhere else.

    Args:
        start, total: the iteration to begin with and the number of iterations.
        tokens: tokens an iteration.
        log_interval: iterations between two lines.
        stream: where to write; standard output by default.
    """

    def __init__(self, start, total, tokens, log_interval, stream=None):
        self.total, self.tokens, self.log_interval = total, tokens, log_interval
        self.stream = stream if stream is not None else sys.stdout
        self.seconds = None  # per iteration, a moving average
        self.bar = None
        if self.stream.isatty() and _has_width(self.stream):
            try:
                from tqdm import tqdm
            except ImportError:
                self.note(f"no progress bar without tqdm: {EXTRA}")
            else:
                layout = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt}{postfix}"
                self.bar = tqdm(total=total, initial=start, file=self.stream, bar_format=layout, dynamic_ncols=True)

    def update(self, iteration, loss, seconds):
        """Show that an iteration is done, with its loss and the seconds it took."""
        self.seconds = seconds if self.seconds is None else 0.9 * self.seconds + 0.1 * seconds
        if self.bar is not None:
            self.bar.set_postfix_str(self._status(iteration, loss), refresh=False)
            self.bar.update()
        elif iteration % self.log_interval == 0:
            self.note(f"iter {iteration}/{self.total}: {self._status(iteration, loss)}")

    def note(self, text):
        """Print a line; a bar stays below it."""
        if self.bar is None:
            print(text, file=self.stream, flush=True)
        else:
            self.bar.write(text, file=self.stream)

    def close(self):
        """Leave the bar as it stands; lines after it begin on a line of their own."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    def _status(self, iteration, loss):
        left = max(0, self.total - iteration - 1) * self.seconds
        speed = f"{1e3 * self.seconds:.1f} ms/iter, {self.tokens / self.seconds:,.0f} tokens/s"
        return f"loss {loss:.4f}, {speed}, {clock(left)} left"


def _has_width(stream):
    """Return False for a terminal that says it is 0 columns wide (as some CI systems do): no bar would show."""
    try:
        return os.get_terminal_size(stream.fileno()).columns > 0
    except (OSError, ValueError):
        return True


def clock(seconds):
    """Return seconds as h:mm:ss, or m:ss below an hour."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


# ----- The curve -----

COLUMNS = ("iter", "learning_rate", "train_loss", "milliseconds", "eval_train_loss", "eval_val_loss")


class LossCurve:
    """Rows of a CSV file, one an iteration; the columns eval_* are filled where the model was evaluated.

    Args:
        path: the file.
        start: 0 begins a new curve; a resumed run keeps the rows before it.
    Raises: DemoError: when a resumed curve has other columns.
    """

    def __init__(self, path, start=0):
        self.path = Path(path)
        self.rows = (
            [row for row in read_curve(path) if int(row["iter"]) < start] if start and self.path.is_file() else []
        )
        self._pending = {}
        self._file = None

    def open(self):
        """Write the rows so far and keep the file open for more."""
        with replacing(self.path) as file:
            text = io.StringIO()
            writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)
            file.write(text.getvalue().encode())
        self._file = open(
            self.path, "a", newline="", buffering=1
        )  # a line at a time, so that a killed run leaves its curve
        self._writer = csv.DictWriter(self._file, COLUMNS, lineterminator="\n")
        return self

    def evaluated(self, iteration, learning_rate, train_loss, val_loss):
        """Note the mean losses before an iteration; written with its row, or by close if none comes."""
        self._pending = dict(zip(COLUMNS, (iteration, learning_rate, "", "", train_loss, val_loss)))

    def add(self, iteration, learning_rate, train_loss="", milliseconds=""):
        """Write the row of an iteration, together with the evaluation before it."""
        evaluation = [self._pending.get(column, "") for column in COLUMNS[4:]]
        row = dict(zip(COLUMNS, (iteration, learning_rate, train_loss, milliseconds, *evaluation)))
        self._pending = {}
        self.rows.append({key: str(value) for key, value in row.items()})
        self._writer.writerow(row)

    def close(self):
        """Write an evaluation that no iteration followed, and close the file; a second time is harmless."""
        if self._pending:
            self.add(self._pending["iter"], self._pending["learning_rate"])
        self._file.close()


def read_curve(path):
    """Return the rows of a loss curve, dicts of text; DemoError when the file is something else."""
    with open(path, newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise DemoError(f"{path}: expected the columns {', '.join(COLUMNS)}, got {reader.fieldnames}")
        return [
            row for row in reader if None not in row and None not in row.values()
        ]  # a killed run may end in half a row


def plot(rows, path):
    """Draw a loss curve as PNG when matplotlib is there.

    Returns: a line that says what was drawn, or what to install.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return f"no {Path(path).name} without matplotlib: {EXTRA}"
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot(xlabel="iteration", ylabel="loss (nats a character)")
    for column, style in (
        ("train_loss", {"alpha": 0.4}),
        ("eval_train_loss", {"marker": "o"}),
        ("eval_val_loss", {"marker": "o"}),
    ):
        points = [(int(row["iter"]), float(row[column])) for row in rows if row.get(column)]
        points = [point for point in points if math.isfinite(point[1])]
        if points:
            axes.plot(*zip(*points), label=column, **style)
    if axes.lines:
        axes.legend()
    with replacing(path) as file:
        FigureCanvasAgg(figure).print_png(file)
    return f"curve: {path}"
