"""What the works are given: a contender's library, and numbers and weights that are the same for each."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

DEMO = Path(__file__).resolve().parents[2] / "demo" / "nanogpt"
Step = Callable[[], float]

sys.path.insert(0, str(DEMO))

import bench  # noqa: E402  both of the demo
import contenders  # noqa: E402


def config(contender: str, **sizes: Any) -> Any:
    """Return the demo's configuration of a contender that is this process."""
    return bench.BenchConfig(worker=contender, threads=int(os.environ.get("OMP_NUM_THREADS", "2")), **sizes)


def library(contender: str) -> Any:
    """Return npg with the engine of NPG_ENGINE, or torch, which the demo's files then see under npg's name."""
    return contenders.library(config(contender))


def draw() -> np.random.Generator:
    """Return NumPy's own stream: the same for every contender."""
    return np.random.default_rng(1337)


def fill(lib: Any, model: Any, numbers: np.random.Generator) -> None:
    """Give every contender the same weights."""
    with lib.no_grad():
        for parameter in model.parameters():
            drawn = numbers.standard_normal(tuple(parameter.shape), np.float32) * np.float32(0.05)
            parameter.copy_(lib.from_numpy(drawn))
