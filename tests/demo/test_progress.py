"""The bar, the lines, the curve, and what is said when an extra is missing."""

import io
import os
import re
import select
import struct
import sys

import progress
import pytest
from config import DemoError
from progress import LossCurve, Progress, clock, plot, read_curve


class Terminal(io.StringIO):
    def isatty(self):
        return True


def steps(stream, **keys):
    progress = Progress(start=0, total=20, tokens=100, log_interval=10, stream=stream, **keys)
    for i in range(20):
        progress.update(i, 2.5 - i / 100, 0.05)
    progress.note("a note")
    progress.close()
    return stream.getvalue()


def test_progress_without_terminal_prints_a_line_each_log_interval():
    lines = steps(io.StringIO()).splitlines()
    assert lines == [
        "iter 0/20: loss 2.5000, 50.0 ms/iter, 2,000 tokens/s, 0:01 left",
        "iter 10/20: loss 2.4000, 50.0 ms/iter, 2,000 tokens/s, 0:00 left",
        "a note",
    ]


def test_progress_on_a_terminal_draws_a_bar_with_everything():
    text = steps(Terminal())
    last = text.split("\r")[-1]
    assert "100%|" in last and "20/20" in last
    assert "loss 2.31" in text and "50.0 ms/iter" in text and "2,000 tokens/s" in text and "a note\n" in text


@pytest.mark.parametrize(
    ("columns", "end"),
    [
        (120, "| 20/20, loss 2.3100, 50.0 ms/iter, 2,000 tokens/s, 0:00 left"),
        (80, "| 20/20, loss 2.3100, 50.0 ms/iter, 2,000 tokens/s, 0:00 left"),
        (60, "| 20/20, loss 2.3100, 50.0 ms/iter, 0:00 left"),
        (50, "| 20/20, loss 2.3100, 0:00 left"),
        (36, "100% 20/20, loss 2.3100, 0:00 left"),
        (26, "100% 20/20, loss 2.3100"),
    ],
)
def test_progress_on_a_terminal_shows_what_it_has_room_for(monkeypatch, columns, end):
    monkeypatch.setattr(progress, "_columns", lambda stream: columns)
    stream = Terminal()
    bar = Progress(start=0, total=20, tokens=100, log_interval=10, stream=stream)
    bar.bar.dynamic_ncols = lambda stream: (columns, 24)
    for i in range(20):
        bar.update(i, 2.5 - i / 100, 0.05)
    bar.close()
    last = stream.getvalue().split("\r")[-1].rstrip("\n")
    assert last.endswith(end) and last.startswith("100%") and len(last) <= columns


def test_progress_on_a_pseudo_terminal_of_40_columns_never_writes_a_longer_line():
    pty, fcntl, termios = (pytest.importorskip(name) for name in ("pty", "fcntl", "termios"))
    reader, writer = pty.openpty()
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    with open(writer, "w") as stream:
        bar = Progress(start=0, total=2000, tokens=768, log_interval=10, stream=stream)
        for i in range(50):
            bar.update(i, 4.0, 0.1)
        bar.close()
        said = b""
        while select.select([reader], [], [], 0.2)[0]:
            said += os.read(reader, 1 << 16)
    os.close(reader)
    lines = re.split(r"[\r\n]+", said.decode())
    assert max(map(len, lines)) <= 40
    assert [line.strip() for line in lines if line.strip()][-1] == "2% 50/2000, loss 4.0000, 3:15 left"


def test_progress_on_a_terminal_without_tqdm_names_the_extra_and_prints_lines(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)  # the import raises ImportError
    lines = steps(Terminal()).splitlines()
    assert lines[0] == 'no progress bar without tqdm: pip install "npg-autograd[demo]"'
    assert lines[1].startswith("iter 0/20: loss 2.5000")


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (61, "1:01"), (3661, "1:01:01")])
def test_clock_formats_seconds(seconds, text):
    assert clock(seconds) == text


def test_curve_is_on_disk_after_each_row_and_read_back(tmp_path):
    curve = LossCurve(tmp_path / "c.csv").open()
    curve.evaluated(0, 1e-3, 4.0, 4.5)
    curve.add(0, 1e-3, 4.25, 30.0)
    assert [row["eval_val_loss"] for row in read_curve(tmp_path / "c.csv")] == ["4.5"]
    curve.add(1, 1e-3, 4.125, 30.0)
    curve.evaluated(2, 1e-4, 3.0, 3.5)
    curve.close()
    rows = read_curve(tmp_path / "c.csv")
    assert [row["train_loss"] for row in rows] == ["4.25", "4.125", ""]
    assert rows == curve.rows


def test_curve_resumed_keeps_the_rows_before_it_also_after_a_row_cut_short(tmp_path):
    path = tmp_path / "c.csv"
    curve = LossCurve(path).open()
    for i in range(5):
        curve.add(i, 1e-3, float(i), 1.0)
    curve.close()
    path.write_text(path.read_text() + "5,0.0")
    curve = LossCurve(path, start=3).open()
    curve.add(3, 1e-3, 30.0, 1.0)
    curve.close()
    assert [row["train_loss"] for row in read_curve(path)] == ["0.0", "1.0", "2.0", "30.0"]


def test_curve_foreign_file_raises_with_its_columns(tmp_path):
    (tmp_path / "c.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DemoError, match=r"expected the columns iter, .*, got \['a', 'b'\]"):
        LossCurve(tmp_path / "c.csv", start=3)


def test_curve_without_a_path_is_in_memory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    curve = LossCurve(None).open()
    curve.add(0, 1e-3, 4.25, 30.0)
    curve.close()
    assert curve.rows[0]["train_loss"] == "4.25" and list(tmp_path.iterdir()) == []


def test_curve_on_a_full_disk_raises_and_keeps_whole_rows(tmp_path):
    curve = LossCurve(tmp_path / "c.csv").open()
    curve.add(0, 1e-3, 4.25, 30.0)
    real, before = curve._file, (tmp_path / "c.csv").read_bytes()

    class Full:
        def write(self, line):
            return real.write(line[:5])  # what a disk does that has room for five bytes

        def __getattr__(self, name):
            return getattr(real, name)

    curve._file = Full()
    with pytest.raises(DemoError, match=r"cannot write .*c\.csv \(No space left on device\); make room"):
        curve.add(1, 1e-3, 4.25, 30.0)
    curve.close()
    assert (tmp_path / "c.csv").read_bytes() == before


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\xff\x00", b""])
def test_curve_binary_or_empty_file_raises(tmp_path, content):
    (tmp_path / "c.csv").write_bytes(content)
    with pytest.raises(DemoError, match=r"c\.csv: expected .*; move it away"):
        LossCurve(tmp_path / "c.csv", start=3)


def test_plot_writes_a_png(tmp_path):
    rows = [
        {"iter": "0", "train_loss": "4.0", "eval_val_loss": "4.1"},
        {"iter": "1", "train_loss": "3", "eval_val_loss": ""},
    ]
    assert plot(rows, tmp_path / "c.png") == f"curve: {tmp_path / 'c.png'}"
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


def test_plot_without_matplotlib_names_the_extra_and_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert plot([], tmp_path / "c.png") == 'no c.png without matplotlib: pip install "npg-autograd[demo]"'
    assert list(tmp_path.iterdir()) == []
