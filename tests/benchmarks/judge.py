"""Processes that do a work, asked in turn: A B C A B C, so that what else the machine does falls on all of them."""

from __future__ import annotations

import importlib.metadata
import json
import os
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a worker runs this file itself

from npg.kernels.openblas import kernels
from tests.benchmarks.works import WORKS, bench

ROUNDS, PARTS, WARMUP = 15, 5, 5
LONG = 0.5  # seconds; of longer calls there are fewer


def serve(name: str, contender: str, settings: dict[str, Any]) -> None:
    """Be one contender: announce what the first calls give, then do the work some times for each line of input."""
    step = WORKS[name](contender, **settings)
    started = time.perf_counter()
    results = [step()]
    is_long = time.perf_counter() - started > LONG
    results += [step() for _ in range(1 if is_long else WARMUP - 1)]
    started = time.perf_counter()
    step()
    calls = max(1, int(0.02 / (time.perf_counter() - started)))  # a part takes 20 ms or one call
    print(json.dumps({"results": results, "version": contender}), flush=True)
    for _ in sys.stdin:
        if not is_long:
            step()  # the caches hold what another process left
        times = []
        for _ in range(1 if is_long else PARTS):
            started = time.perf_counter()
            for _ in range(calls):
                step()
            times.append((time.perf_counter() - started) / calls)
        print(json.dumps([*times, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024]), flush=True)


def version_of(distribution: str) -> str:
    """Return a distribution's name and version."""
    name = {"npg": "npg-autograd"}.get(distribution, distribution)
    return f"{distribution} {importlib.metadata.version(name)}"


def machine() -> str:
    """Return what the figures are measured on, and with which versions."""
    given = ", which OPENBLAS_CORETYPE asks for" if "OPENBLAS_CORETYPE" in os.environ else ""
    names = ", ".join(version_of(name) for name in ("npg", "numpy", "torch"))
    return f"{bench.machine()}; {names}; OpenBLAS's kernels for {kernels()}{given}."


class Times:
    """What was measured of one work.

    Attributes:
        seconds: per contender, of each round the median time of one call.
        bytes: per contender, the peak of its process's resident memory.
    """

    def __init__(self, contenders: list[str]) -> None:
        self.seconds: dict[str, list[float]] = {c: [] for c in contenders}
        self.bytes: dict[str, int] = dict.fromkeys(contenders, 0)

    def median(self, contender: str) -> float:
        """Return the median time of one call, in seconds."""
        return statistics.median(self.seconds[contender])

    def ratio(self, contender: str, other: str) -> float:
        """Return the median over the rounds of the quotient within a round."""
        pairs = zip(self.seconds[contender], self.seconds[other], strict=True)
        return statistics.median(mine / its for mine, its in pairs)


def measure(works: dict[str, str], settings: dict[str, Any] | None = None, rounds: int = ROUNDS) -> Times:
    """Time contenders in turn.

    Args:
        works: contender ("cython", "python", "torch", "numpy") to the work that it does.
        settings: keyword arguments of the work.
    Raises: DemoError: when a process fails, or two contenders do not agree on the result.
    """
    config = bench.BenchConfig()
    workers = [
        bench.Worker(c, config, [work, c, json.dumps(settings or {})], script=str(Path(__file__)))
        for c, work in works.items()
    ]
    try:
        for worker in workers:
            worker.wait()
        judged = [w for w in workers if w.name != "numpy"]
        for worker in judged[1:]:
            for mine, first in zip(worker.ready["results"], judged[0].ready["results"], strict=False):
                if mine != first and not abs(mine - first) <= bench.AGREE * abs(first):  # the longest chains end at inf
                    raise bench.DemoError(f"{works}: {worker.name} computes {mine}, {judged[0].name} {first}")
        times = Times(list(works))
        for _ in range(rounds):
            for worker in workers:
                *seconds, peak = worker.round()
                times.seconds[worker.name].append(statistics.median(seconds))
                times.bytes[worker.name] = int(peak)
        return times
    finally:
        for worker in workers:
            worker.close()


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
