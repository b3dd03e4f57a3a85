"""What more processes would give: a model of an iteration under DistributedDataParallel, measured here.

python -m tests.benchmarks.scaling          measure, write docs/benchmarks_distributed.md and its picture; some minutes

The model: the buckets of gradients become ready during the backward pass, the k-th at r[k]; their sums over N ranks run
one after the other, each s bytes in a(s, N); the optimizer waits for the last one:

    end[k] = max(r[k], end[k - 1]) + a(s[k], N)        iteration = max(backward, end[last]) + the rest

On this machine a is measured for each N. For networks it is a ring, 2 (N - 1) latency + 2 (N - 1) / N s / bandwidth, or
a tree, 2 log2(N) (latency + s / bandwidth). Where N ranks share fewer processors, computing takes so much longer.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "benchmarks_distributed.md"
PICTURE, TIMELINE = ROOT / "docs" / "scaling.svg", ROOT / "docs" / "ddp_timeline.svg"
SIZES = tuple(4 << k for k in range(0, 23, 2))  # bytes of a sum: 4 to 16 Mi
ROUNDS = 40
NETWORKS = {"10 Gbit/s": (3e-5, 1.25e9), "100 Gbit/s": (5e-6, 12.5e9)}  # latency in seconds, bytes a second
WIDTHS = ((72, 60), (128, 40), (240, 30), (400, 16), (720, 8))  # of models, and turns to measure
MANY = (16, 64, 256, 1024)
# GPT-2 124M, batch 12 of 1,024 tokens a rank: floating-point operations of a step by 6 N D, and its gradients.
GPT2_PARAMETERS, GPT2_TOKENS = 124_000_000, 12 * 1024
CORES = (1, 64)  # of a rank
CORE = 8e10  # floating-point operations a second of one core that multiplies large matrices, about


@dataclasses.dataclass(frozen=True)
class Iteration:
    """An iteration of one rank, in seconds.

    Attributes:
        ready: when each bucket is ready, from the beginning of the backward pass. sizes: of the buckets, in bytes.
        backward: the whole pass. rest: forward, clipping and the optimizer's step.
    """

    ready: tuple[float, ...]
    sizes: tuple[int, ...]
    backward: float
    rest: float

    def slower(self, factor: float) -> Iteration:
        """Return the iteration where computing takes so much longer."""
        return Iteration(tuple(factor * r for r in self.ready), self.sizes, factor * self.backward, factor * self.rest)

    def time(self, sum_of: Callable[[int], float]) -> float:
        """Return the time of an iteration whose sums of s bytes take sum_of(s)."""
        end = 0.0
        for ready, size in zip(self.ready, self.sizes, strict=True):
            end = max(ready, end) + sum_of(size)
        return max(self.backward, end) + self.rest


def _nothing(_size: int) -> float:
    return 0.0


def ring(ranks: int, latency: float, bandwidth: float) -> Callable[[int], float]:
    """Return the time of a sum by a ring."""
    return lambda size: 2 * (ranks - 1) * (latency + size / ranks / bandwidth)


def tree(ranks: int, latency: float, bandwidth: float) -> Callable[[int], float]:
    """Return the time of a sum by a tree, there and back."""
    return lambda size: 2 * math.log2(ranks) * (latency + size / bandwidth)


def between(sizes: Sequence[int], times: Sequence[float]) -> Callable[[int], float]:
    """Return the time of a sum as measured, on straight lines between the sizes and beyond the last."""
    slope = (times[-1] - times[-2]) / (sizes[-1] - sizes[-2])
    return lambda size: (
        float(np.interp(size, sizes, times)) if size <= sizes[-1] else times[-1] + slope * (size - sizes[-1])
    )


# ----- In a rank -----


def _work() -> None:
    """Measure in one of the ranks; rank 0 prints."""
    import npg
    from npg import distributed
    from npg.nn.parallel import DistributedDataParallel

    sys.path.insert(0, str(ROOT / "demo" / "nanogpt"))
    from model import GPT, GPTConfig  # type: ignore[import-not-found]

    distributed.init_process_group("mpi")
    rank, ranks = distributed.get_rank(), distributed.get_world_size()
    found: dict[str, Any] = {"sums": []}
    for size in SIZES:
        x, times = npg.zeros(size // 4), []
        for _ in range(ROUNDS):
            distributed.barrier()
            start = time.perf_counter()
            distributed.all_reduce(x)
            times.append(time.perf_counter() - start)
        found["sums"].append(statistics.median(times))
    npg.manual_seed(1337)
    model = GPT(GPTConfig(vocab_size=65, block_size=64, n_layer=4, n_head=4, n_embd=128, bias=False))
    ddp = DistributedDataParallel(model)
    optimizer = model.configure_optimizers(0.1, 1e-3, (0.9, 0.99))
    npg.manual_seed(rank)
    x, y = npg.randint(0, 65, (12, 64)), npg.randint(0, 65, (12, 64))
    ready: list[float] = []
    marks: list[list[float]] = []
    reducer, begun = ddp.reducer, 0.0
    begin = reducer._begin_buckets

    def begin_buckets() -> None:
        before = reducer._next
        begin()
        ready.extend([time.perf_counter() - begun] * (reducer._next - before))

    reducer._begin_buckets = begin_buckets
    for _ in range(ROUNDS + 5):
        ready.clear()
        start = time.perf_counter()
        _, loss = ddp(x, y)
        forward = time.perf_counter()
        begun = forward
        loss.backward()
        backward = time.perf_counter()
        npg.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss.item()
        end = time.perf_counter()
        marks.append([forward - start, backward - forward, end - backward, end - start, *ready])
    middle = [statistics.median(column) for column in zip(*marks[5:], strict=True)]
    found["marks"] = middle
    found["sizes"] = [bucket.flat.nbytes for bucket in reducer.buckets]
    del reducer._begin_buckets
    found["exposed"] = [_exposed(npg, GPT, GPTConfig, width, rounds) for width, rounds in WIDTHS] if ranks == 2 else []
    found["timeline"] = _timeline(npg, GPT, GPTConfig) if ranks == 2 else None
    if rank == 0:
        print(json.dumps({"ranks": ranks, **found}), flush=True)
    distributed.destroy_process_group()


def _exposed(npg: Any, GPT: Any, GPTConfig: Any, width: int, rounds: int) -> list[float]:
    """Return the bytes of a model's gradients, the seconds of an iteration, and the share of it that only waits.

    Iterations with and without averaging take turns; what those with it take longer is communication that no
    computation hides.
    """
    npg.manual_seed(1337)
    model = GPT(GPTConfig(vocab_size=65, block_size=64, n_layer=4, n_head=4, n_embd=width, bias=False))
    ddp = npg.nn.parallel.DistributedDataParallel(model)
    optimizer = model.configure_optimizers(0.1, 1e-4, (0.9, 0.99))
    x, y = npg.randint(0, 65, (12, 64)), npg.randint(0, 65, (12, 64))
    times: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(2 * rounds + 4):
        averages = turn % 2 == 0
        npg.distributed.barrier()
        start = time.perf_counter()
        with contextlib.nullcontext() if averages else ddp.no_sync():
            _, loss = ddp(x, y)
            loss.backward()
        npg.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss.item()
        times[averages].append(time.perf_counter() - start)
    shares = [1 - without / with_ for with_, without in zip(times[True][2:], times[False][2:], strict=True)]
    size = sum(4 * p.numel() for p in model.parameters())
    return [size, statistics.median(times[True][2:]), statistics.median(shares)]


def _timeline(npg: Any, GPT: Any, GPTConfig: Any) -> dict[str, Any]:
    """Return when the parts of an iteration and the sums of its buckets begin and end, in seconds."""
    npg.manual_seed(1337)
    model = GPT(GPTConfig(vocab_size=65, block_size=64, n_layer=4, n_head=4, n_embd=400, bias=False))
    ddp = npg.nn.parallel.DistributedDataParallel(model, bucket_cap_mb=5)
    optimizer = model.configure_optimizers(0.1, 1e-4, (0.9, 0.99))
    x, y = npg.randint(0, 65, (12, 64)), npg.randint(0, 65, (12, 64))
    begin = ddp.reducer._begin
    begun: list[float] = []
    ended: list[float] = []

    def timed(k: int) -> Any:
        begun.append(time.perf_counter())
        work = begin(k)
        work.get_future().then(lambda _done: ended.append(time.perf_counter()))
        return work

    ddp.reducer._begin = timed
    rows = []
    for _ in range(11):
        begun.clear()
        ended.clear()
        npg.distributed.barrier()
        start = time.perf_counter()
        _, loss = ddp(x, y)
        forward = time.perf_counter()
        loss.backward()
        backward = time.perf_counter()
        npg.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        marks = [forward, backward, time.perf_counter(), *begun, *ended]
        rows.append([mark - start for mark in marks])
    del ddp.reducer._begin
    middle = [statistics.median(column) for column in zip(*rows[3:], strict=True)]
    count = len(ddp.reducer.buckets)
    return {
        "parts": middle[:3],
        "begun": middle[3 : 3 + count],
        "ended": middle[3 + count :],
        "sizes": [bucket.flat.nbytes for bucket in ddp.reducer.buckets],
    }


def measured(ranks: int) -> dict[str, Any]:
    """Return what a run of so many ranks of one thread has measured."""
    command = [
        sys.executable,
        "-m",
        "npg",
        "run",
        f"--nproc-per-node={ranks}",
        "-m",
        "tests.benchmarks.scaling",
        "work",
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


# ----- The page -----


def iteration_of(found: dict[str, Any]) -> Iteration:
    """Return the iteration that a rank alone has measured."""
    forward, backward, rest, _, *ready = found["marks"]
    return Iteration(tuple(ready), tuple(found["sizes"]), backward, forward + rest)


def gpt2(cores: int) -> Iteration:
    """Return an iteration of GPT-2 124M by count: two thirds are the backward pass, in which buckets become ready.

    Args: cores: of a rank, all of use.
    """
    total = 6 * GPT2_PARAMETERS * GPT2_TOKENS / CORE / cores
    backward, size = total * 2 / 3, 4 * GPT2_PARAMETERS
    sizes = [1 << 20, *[25 << 20] * ((size - (1 << 20)) // (25 << 20)), (size - (1 << 20)) % (25 << 20)]
    ready = [backward * part / size for part in np.cumsum(sizes).tolist()]
    return Iteration(tuple(ready), tuple(sizes), backward, total / 3)


def page(found: dict[int, dict[str, Any]], machine: str, processors: int) -> str:
    """Return the text of docs/benchmarks_distributed.md."""
    alone = iteration_of(found[1])
    lines = ["# Benchmarks: several processes", ""]
    lines += [f"Written by `python -m tests.benchmarks.scaling`; do not edit. {machine}", ""]
    lines += [(__doc__ or "").partition("minutes\n\n")[2].strip(), "", "## Measured and predicted here", ""]
    lines.append(
        f"nanoGPT, batch 12 a rank, {sum(alone.sizes) / 1e6:.1f} MB of gradients in {len(alone.sizes)} buckets, ranks "
        f"of one thread on {processors} processors; `gain` is samples a second over those of one rank."
    )
    lines += ["", "| ranks | an iteration | predicted | predicted / measured | gain |", "|---|---|---|---|---|"]
    for ranks, one in sorted(found.items()):
        seconds = one["marks"][3]
        sum_of = between(SIZES, one["sums"]) if ranks > 1 else _nothing
        guess = alone.slower(max(1.0, ranks / processors)).time(sum_of)
        cells = f"{1e3 * seconds:.1f} ms | {1e3 * guess:.1f} ms | {guess / seconds:.2f}"
        lines.append(f"| {ranks} | {cells} | {ranks * found[1]['marks'][3] / seconds:.2f} |")
    exposed = found.get(2, {}).get("exposed", [])
    if exposed:
        lines += ["", "Communication that no computation hides, in two ranks, by the width of the model:", ""]
        lines += ["| gradients | an iteration | exposed |", "|---|---|---|"]
        for size, seconds, share in exposed:
            lines.append(f"| {size / 1e6:.1f} MB | {1e3 * seconds:.1f} ms | {share:.1%} |")
    several = [n for n in sorted(found) if n > 1]
    lines += ["", "A sum over the ranks, in milliseconds:", ""]
    lines += ["| bytes |" + "".join(f" {n} ranks |" for n in several), "|---|" + "---|" * len(several)]
    for k, size in enumerate(SIZES):
        lines.append(f"| {size:,} |" + "".join(f" {1e3 * found[n]['sums'][k]:.3f} |" for n in several))
    lines += ["", "## On networks, by the model", "", "Efficiency: the time of one rank over that of each of N.", ""]
    lines += ["| model | network | sum |" + "".join(f" {n} |" for n in MANY), "|---|---|---|" + "---|" * len(MANY)]
    models = [("nanoGPT", alone), *((f"GPT-2 124M, {n} core{'s' * (n > 1)} a rank", gpt2(n)) for n in CORES)]
    for name, one in models:
        for network, (latency, bandwidth) in NETWORKS.items():
            for kind, sum_of_many in (("ring", ring), ("tree", tree)):
                shares = [one.time(_nothing) / one.time(sum_of_many(n, latency, bandwidth)) for n in MANY]
                lines.append(f"| {name} | {network} | {kind} |" + "".join(f" {share:.2f} |" for share in shares))
    latencies = ", ".join(f"{name}: {1e6 * latency:.0f} us" for name, (latency, _) in NETWORKS.items())
    lines.append(
        f"\nLatencies: {latencies}. GPT-2: 12 blocks of 1,024 tokens a rank, 6 operations a parameter and token, "
        f"{CORE / 1e9:.0f} GFLOP/s a core."
    )
    lines += ["", "![efficiency against ranks](scaling.svg)", ""]
    return "\n".join(lines)


def _pyplot() -> Any:
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "npg"
    return plt


def draw(alone: Iteration, path: Path) -> None:
    """Draw efficiency against the number of ranks, with sums by a ring and by a tree."""
    plt = _pyplot()
    figure, all_axes = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True, layout="constrained")
    counts = [2**k for k in range(11)]
    for axes, (name, one) in zip(
        all_axes,
        (("nanoGPT, a core a rank", alone), (f"GPT-2 124M, {CORES[-1]} cores a rank", gpt2(CORES[-1]))),
        strict=True,
    ):
        for (network, (latency, bandwidth)), color in zip(NETWORKS.items(), ("tab:blue", "tab:orange"), strict=True):
            for kind, style in ((ring, "-"), (tree, "--")):
                sums = [kind(n, latency, bandwidth) if n > 1 else _nothing for n in counts]
                shares = [one.time(_nothing) / one.time(sum_of) for sum_of in sums]
                axes.plot(counts, shares, style, color=color, label=f"{network}, {kind.__name__}")
        axes.set_xscale("log", base=2)
        axes.set_xticks(counts[::2], [str(n) for n in counts[::2]])
        axes.set(xlabel="ranks", title=name, ylim=(0, 1.05))
        axes.grid(alpha=0.3)
    all_axes[0].set_ylabel("efficiency")
    all_axes[0].legend(frameon=False, loc="lower left", fontsize="small")
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def draw_timeline(found: dict[str, Any], path: Path) -> None:
    """Draw what a rank computes, and when the sums of the buckets run beside it."""
    plt = _pyplot()
    figure, axes = plt.subplots(figsize=(9, 2.2), layout="constrained")
    marks = [0.0, *(1e3 * second for second in found["parts"])]
    for (name, color), start, end in zip(
        (("forward", "#9ecae1"), ("backward", "#4292c6"), ("clip, step", "#9ecae1")), marks[:-1], marks[1:], strict=True
    ):
        axes.barh(1, end - start, left=start, color=color, edgecolor="white")
        axes.text((start + end) / 2, 1, name, ha="center", va="center", fontsize="small")
    for begun, ended, size in zip(found["begun"], found["ended"], found["sizes"], strict=True):
        axes.barh(0, 1e3 * (ended - begun), left=1e3 * begun, color="#fd8d3c", edgecolor="white")
        axes.text(1e3 * begun, -0.62, f"{size / 1e6:.0f}", ha="left", va="center", fontsize="x-small")
    axes.set_yticks([0, 1], ["sums, MB", "computing"])
    axes.set(xlabel="ms", xlim=(0, None), ylim=(-0.9, 1.5))
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    """Measure and write."""
    if sys.argv[1:] == ["work"]:
        _work()
        return
    from tests.benchmarks.judge import machine

    processors = len(os.sched_getaffinity(0))
    found = {ranks: measured(ranks) for ranks in (1, 2, 4, 8)}
    draw(iteration_of(found[1]), PICTURE)
    draw_timeline(found[2]["timeline"], TIMELINE)
    PAGE.write_text(page(found, machine(), processors))
    print(PAGE.read_text())


if __name__ == "__main__":
    main()
