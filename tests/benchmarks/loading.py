"""What a batch of a DataLoader costs, in npg and in PyTorch.

python -m tests.benchmarks.loading          measure all, some two minutes
python -m tests.benchmarks.loading 5        as many turns

Each row: microseconds per batch, the median over the turns that npg and PyTorch take (A B A B), and the ratio. With
workers a turn is a whole pass over 4,096 samples, from the start of the workers to their end, in milliseconds.
"""

from __future__ import annotations

import statistics
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.utils.data

import npg
import npg.utils.data
from tests.benchmarks.judge import machine

COUNT = 4096


def rows(lib: Any) -> Any:
    return lib.utils.data.TensorDataset(lib.ones(COUNT, 8), lib.arange(COUNT))


def images(lib: Any) -> Any:
    return lib.utils.data.TensorDataset(lib.ones(COUNT, 3, 32, 32), lib.arange(COUNT))


def own(lib: Any) -> Any:
    """Return a dataset as people write them."""
    data, labels = lib.ones(COUNT, 3, 32, 32), np.arange(COUNT)

    class Own(lib.utils.data.Dataset):  # type: ignore[misc, name-defined]
        def __len__(self) -> int:
            return COUNT

        def __getitem__(self, index: int) -> Any:
            return data[index] / 2, int(labels[index])

    return Own()


def numbers(lib: Any) -> Any:
    return list(range(COUNT))


WORKS: dict[str, tuple[Callable[[Any], Any], dict[str, Any]]] = {
    "rows of 8, batches of 1": (rows, {"batch_size": 1}),
    "rows of 8, batches of 32": (rows, {"batch_size": 32}),
    "rows of 8, batches of 32, shuffled": (rows, {"batch_size": 32, "shuffle": True}),
    "images, batches of 1": (images, {"batch_size": 1}),
    "images, batches of 32": (images, {"batch_size": 32}),
    "numbers, batches of 32": (numbers, {"batch_size": 32}),
    "own dataset of images, batches of 32": (own, {"batch_size": 32}),
    "images, batches of 32, 2 workers": (images, {"batch_size": 32, "num_workers": 2}),
    "own dataset of images, batches of 32, 2 workers": (own, {"batch_size": 32, "num_workers": 2}),
}


def measured(lib: Any, make: Callable[[Any], Any], settings: dict[str, Any]) -> float:
    """Return the seconds of a pass."""
    loader = lib.utils.data.DataLoader(make(lib), **settings)
    started = time.perf_counter()
    for _ in loader:
        pass
    return time.perf_counter() - started


def main(turns: int) -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    print(machine())
    for name, (make, settings) in WORKS.items():
        times: dict[str, list[float]] = {"npg": [], "torch": []}
        for _ in range(turns):
            for lib in (npg, torch):
                times[lib.__name__].append(measured(lib, make, settings))
        ours, theirs = (statistics.median(times[lib]) for lib in ("npg", "torch"))
        batches = -(-COUNT // settings["batch_size"])
        factor, unit = (1e3, "ms") if settings.get("num_workers") else (1e6 / batches, "us")
        print(f"{name:50} npg {ours * factor:8.1f} {unit}  torch {theirs * factor:8.1f} {unit}  {ours / theirs:5.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
