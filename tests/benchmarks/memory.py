"""Write docs/memory.md: npg's peak memory against PyTorch's.

python -m tests.benchmarks.memory              measures the workloads and writes the file; some minutes
python -m tests.benchmarks.memory ops          prints the calls of op_db's functions that need more than torch; an hour
python -m tests.benchmarks.memory sort gather  prints all calls of these functions

Each workload runs in its own process, forked from one that has only imported both libraries: the figure is the rise of
resident memory after the inputs were created. One thread. Linux only.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import torch

import npg
from tests.benchmarks import memory_samples as samples
from tests.benchmarks.judge import machine
from tests.benchmarks.memory_works import FUNCTIONS, TRAINING
from tests.benchmarks.resident import in_child, peak
from tests.helpers import Unsupported, to_npg
from tests.test_op_db import forms

MOST = 1.1  # of PyTorch's peak
SLACK = 1 << 20  # bytes: pages of code loaded for the first time
FILE = Path(__file__).resolve().parents[2] / "docs" / "memory.md"

HEAD = """\
# Memory

Peak resident memory beyond that of the inputs, in MB (2^20 bytes), measured by `python -m tests.benchmarks.memory`:
each line and library in its own process, one thread. "Forward and backward" ends with `y.sum().backward()`, and y is
still referenced then, as in a program. Bold: more than {most} times PyTorch's.

{machine}

tests/test_memory.py counts what each op allocates.

| work | PyTorch | npg | npg / PyTorch |
|---|---:|---:|---:|
"""


def _row(*cells: Any, torch_peak: int, npg_peak: int) -> str:
    ratio = npg_peak / max(torch_peak, SLACK)
    mark = f"**{ratio:.2f}**" if npg_peak > MOST * torch_peak + SLACK else f"{ratio:.2f}"
    return f"| {' | '.join(map(str, cells))} | {torch_peak / 2**20:.0f} | {npg_peak / 2**20:.0f} | {mark} |"


# ----- Works -----


def _work(work: Callable[[Any], Callable[[], Any]], lib: Any) -> int:
    lib.manual_seed(0)
    return peak(work(lib))


def works() -> Iterator[str]:
    """Yield the lines of the first table."""
    for work in (*FUNCTIONS.values(), *TRAINING.values()):
        torch_peak, npg_peak = (in_child(_work, work, lib) for lib in (torch, npg))
        title = (work.__doc__ or "").strip().removesuffix(".")
        yield _row(title, torch_peak=torch_peak, npg_peak=npg_peak)


# ----- Every function -----


def _floating(lib: Any, tree: Any) -> list[Any]:
    results: list[Any] = []
    samples.mapped(tree, results.append, lib.Tensor)
    return [t for t in results if t.is_floating_point()]


def _call(lib: Any, function: Any, args: Any, kwargs: Any, backward: bool) -> int | None:
    """Return the peak of a call; None for a backward where nothing has a gradient."""
    lib.manual_seed(0)
    if not backward:
        with lib.no_grad():
            function(*args, **kwargs)
            return peak(lambda: function(*args, **kwargs))
    for t in _floating(lib, (args, kwargs)):
        t.requires_grad_()

    def live(out: Any) -> list[Any]:
        return [y for y in _floating(lib, out) if y.requires_grad]

    gradients = [lib.ones_like(y) for y in live(function(*args, **kwargs))]
    if not gradients:
        return None

    def step() -> Any:
        out = function(*args, **kwargs)
        lib.autograd.backward(live(out), gradients)
        return out

    return peak(step)


def calls(name: str, count: int) -> list[tuple[str, bool, Any, Any]]:
    """Return (inputs, whether with backward, PyTorch's peak, npg's) of some calls of a function of op_db."""
    op = samples.OPS[name]
    results = []
    for text, args, kwargs in samples.scaled(name, count):
        try:
            npg_call = to_npg(args), to_npg(kwargs)
        except Unsupported:
            continue
        npg_function = forms(op)[0].npg_fn
        for backward in (False, True)[: 1 + op.supports_autograd]:
            torch_peak = in_child(_call, torch, op.op, args, kwargs, backward)
            npg_peak = in_child(_call, npg, npg_function, *npg_call, backward)
            if torch_peak is not None:
                results.append((text, backward, torch_peak, npg_peak))
    return results


def main() -> None:
    """Measure, and print or write."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    names = sys.argv[1:]
    if not names:
        FILE.write_text(HEAD.format(machine=machine(), most=MOST) + "".join(f"{line}\n" for line in works()))
        return
    every = names == ["ops"]
    for name in sorted(samples.OPS) if every else names:
        for text, backward, torch_peak, npg_peak in in_child(calls, name, 2):
            if isinstance(torch_peak, str) or isinstance(npg_peak, str):
                print(f"{name}, {text}: {torch_peak}, {npg_peak}", file=sys.stderr)
            elif not every or npg_peak > MOST * torch_peak + SLACK:
                passes = "both" if backward else "forward"
                print(_row(name, text, passes, torch_peak=torch_peak, npg_peak=npg_peak), flush=True)


if __name__ == "__main__":
    main()
