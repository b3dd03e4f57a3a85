"""Processes that do a work, asked in turn: A B C A B C, so that what else the machine does falls on all of them."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a worker runs this file itself

from npg.kernels.openblas import kernels
from tests.benchmarks.given import contenders
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
    used = contenders.kernels(contender) + (
        f" with OpenBLAS's {kernels()}" if contender in ("cython", "python") else ""
    )
    ready = {"results": results, "version": contender, "kernels": used}
    print(json.dumps(ready), flush=True)
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
    names = ", ".join(version_of(name) for name in ("npg", "numpy", "torch"))
    return f"{bench.machine()}; {names}."


_SPIN = """
import os
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
print(flush=True)
while True:
    pass
"""


@contextlib.contextmanager
def busy() -> Iterator[int]:
    """Let another process keep one processor busy meanwhile; give its number."""
    with subprocess.Popen([sys.executable, "-c", _SPIN], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield process.pid
        finally:
            process.kill()


class Times:
    """What was measured of one work.

    Attributes:
        seconds: per contender, of each round the median time of one call.
        bytes: per contender, the peak of its process's resident memory.
        kernels: what npg and the other use of the processor.
    """

    def __init__(self, contenders: list[str], kernels: str = "") -> None:
        self.kernels = kernels
        self.seconds: dict[str, list[float]] = {c: [] for c in contenders}
        self.bytes: dict[str, int] = dict.fromkeys(contenders, 0)

    def median(self, contender: str) -> float:
        """Return the median time of one call, in seconds."""
        return statistics.median(self.seconds[contender])

    def ratio(self, contender: str, other: str) -> float:
        """Return the median over the rounds of the quotient within a round."""
        return statistics.median(self._ratios(contender, other))

    def spread(self, contender: str, other: str) -> tuple[float, float]:
        """Return the quartiles of that quotient: half of the rounds lie between them."""
        low, _, high = statistics.quantiles(self._ratios(contender, other), n=4, method="inclusive")
        return low, high

    def _ratios(self, contender: str, other: str) -> list[float]:
        pairs = zip(self.seconds[contender], self.seconds[other], strict=True)
        return [mine / its for mine, its in pairs]


def measure(
    works: dict[str, str],
    settings: dict[str, Any] | None = None,
    rounds: int = ROUNDS,
    instructions: str = "native",
    threads: int = 2,
) -> Times:
    """Time contenders in turn.

    Args:
        works: contender ("cython", "python", "torch", "numpy") to the work that it does.
        settings: keyword arguments of the work.
        instructions: what they use of the processor, as bench.INSTRUCTIONS says. threads: of each.
    Raises: DemoError: when a process fails, or two contenders do not agree on the result.
    """
    config = bench.BenchConfig(instructions=instructions, threads=threads)
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
        times = Times(list(works), ", ".join(dict.fromkeys(worker.ready["kernels"] for worker in judged)))
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
