"""How cost grows: time against size, for npg, its Python engine and PyTorch.

python -m tests.benchmarks.growth              measure all series, a quarter of an hour; with nothing else running
python -m tests.benchmarks.growth length size  some
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.judge import machine, measure
from tests.benchmarks.works import bench

CONTENDERS = ("cython", "python", "torch")
COMPILED = ("cython", "torch")
ROUNDS = 9
FASTER_GROWTH = 1.1  # npg's slope may be this much of PyTorch's


@dataclasses.dataclass(frozen=True)
class Series:
    """One work at several sizes.

    Attributes:
        title: what is done; {} stands for the size.
        work: its name in WORKS. sizes: the sizes.
        settings: the work's settings at a size.
        contenders: who does it.
    """

    title: str
    axis: str
    work: str
    sizes: tuple[int, ...]
    settings: Callable[[int], dict[str, Any]]
    contenders: tuple[str, ...] = CONTENDERS


SERIES = {
    "width": Series(
        "nanoGPT iteration, 2 layers, 4 heads, block 64, batch 4",
        "width of the model",
        "nanogpt",
        (32, 64, 128, 256, 512, 768),
        lambda n: {"n_embd": n, "n_layer": 2, "batch_size": 4},
    ),
    "block": Series(
        "nanoGPT iteration, 2 layers, 4 heads, 128 wide, batch 4",
        "length of the block",
        "nanogpt",
        (16, 32, 64, 128, 256, 512),
        lambda n: {"block_size": n, "n_layer": 2, "batch_size": 4},
    ),
    "length": Series(
        "chain of multiplications and additions on (4, 4), forward and backward",
        "operations in the graph",
        "chain",
        (10, 100, 1000, 10_000, 100_000, 1_000_000),
        lambda n: {"length": n},
    ),
    "size": Series(
        "x * w + b, tanh, sum, forward and backward",
        "elements of a tensor",
        "elementwise",
        (1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000),
        lambda n: {"size": n},
    ),
}
# Convolutions that keep the size, forward and backward.
OF_CONVOLUTION = {
    "channels": Series(
        "convolution of 3x3 on 16x16, batch 8, forward and backward",
        "channels",
        "convolution",
        (8, 16, 32, 64, 128, 256),
        lambda n: {"channels": n, "side": 16},
        COMPILED,
    ),
    "side": Series(
        "convolution of 3x3, 16 channels, batch 8, forward and backward",
        "height and width of an image",
        "convolution",
        (8, 16, 32, 64, 128, 256),
        lambda n: {"channels": 16, "side": n},
        COMPILED,
    ),
    "batch": Series(
        "convolution of 3x3, 32 channels on 16x16, forward and backward",
        "images of a batch",
        "convolution",
        (1, 4, 16, 64, 256),
        lambda n: {"batch": n, "side": 16},
        COMPILED,
    ),
    "kernel": Series(
        "convolution, 32 channels on 32x32, batch 8, forward and backward",
        "height and width of the kernel",
        "convolution",
        (1, 3, 5, 7, 9, 11),
        lambda n: {"kernel": n},
        COMPILED,
    ),
}
Measured = dict[str, list[float]]  # per contender the seconds at each size


def measured(series: Series) -> Measured:
    """Time a series, each size with the contenders in turn."""
    found: Measured = {c: [] for c in series.contenders}
    for size in series.sizes:
        times = measure(dict.fromkeys(series.contenders, series.work), series.settings(size), ROUNDS)
        for c in series.contenders:
            found[c].append(times.median(c))
    return found


def slope(sizes: tuple[int, ...], seconds: list[float]) -> float:
    """Return the exponent of growth over the larger half of the sizes, where overheads no longer count."""
    half = len(sizes) // 2
    line = np.polyfit(np.log(sizes[half:]), np.log(seconds[half:]), 1)
    return float(line[0])


def table(series: Series, found: Measured) -> list[str]:
    """Return the series as the lines of a table, with what its growth comes to."""
    titles = [bench.LABELS[c] for c in series.contenders]
    lines = [f"| {' | '.join([series.axis, *titles])} | npg / PyTorch |", "|---" * (len(titles) + 2) + "|"]
    for i, size in enumerate(series.sizes):
        times = " | ".join(_time(found[c][i]) for c in series.contenders)
        lines.append(f"| {size:,} | {times} | {found['cython'][i] / found['torch'][i]:.2f} |")
    mine, theirs = (slope(series.sizes, found[c]) for c in ("cython", "torch"))
    verdict = "" if mine <= FASTER_GROWTH * theirs else ": MORE than it may"
    lines += ["", f"Over the larger half npg's time grows with the power {mine:.2f}, PyTorch's {theirs:.2f}{verdict}."]
    return lines


def _time(seconds: float) -> str:
    unit, factor = ("s", 1) if seconds >= 1 else ("ms", 1e3) if seconds >= 1e-3 else ("us", 1e6)
    value = seconds * factor
    return f"{value:.{max(0, 2 - int(math.log10(value)))}f} {unit}"


def picture(series: Series, found: Measured, file: Path) -> None:
    """Draw the series in two logarithmic scales. Needs matplotlib (the extra `demo`)."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "npg"  # the same file for the same figures
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5.5, 4), layout="constrained")
    for c, marker in zip(series.contenders, "o^s", strict=False):
        axes.loglog(series.sizes, [1e3 * t for t in found[c]], marker=marker, label=bench.LABELS[c])
    axes.set_xlabel(series.axis)
    axes.set_ylabel("milliseconds")
    axes.set_title(series.title, fontsize=9)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    """Measure and print."""
    print(machine())
    known = SERIES | OF_CONVOLUTION
    for name in sys.argv[1:] or list(known):
        series = known[name]
        print(f"\n{series.title}\n")
        print("\n".join(table(series, measured(series))), flush=True)


if __name__ == "__main__":
    main()
