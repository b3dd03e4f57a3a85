"""Write docs/memory.md: the peak of npg's memory beside PyTorch's.

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
SLACK = 1 << 20  # bytes: pages of code that are read for the first time
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


def _row(*cells: Any, theirs: int, mine: int) -> str:
    ratio = mine / max(theirs, SLACK)
    mark = f"**{ratio:.2f}**" if mine > MOST * theirs + SLACK else f"{ratio:.2f}"
    return f"| {' | '.join(map(str, cells))} | {theirs / 2**20:.0f} | {mine / 2**20:.0f} | {mark} |"


# ----- Works -----


def _work(work: Callable[[Any], Callable[[], Any]], lib: Any) -> int:
    lib.manual_seed(0)
    return peak(work(lib))


def works() -> Iterator[str]:
    """Yield the lines of the first table."""
    for work in (*FUNCTIONS.values(), *TRAINING.values()):
        theirs, mine = (in_child(_work, work, lib) for lib in (torch, npg))
        title = (work.__doc__ or "").strip().removesuffix(".")
        yield _row(title, theirs=theirs, mine=mine)


# ----- Every function -----


def _floating(lib: Any, tree: Any) -> list[Any]:
    found: list[Any] = []
    samples.mapped(tree, found.append, lib.Tensor)
    return [t for t in found if t.is_floating_point()]


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
    found = []
    for text, args, kwargs in samples.scaled(name, count):
        try:
            given = to_npg(args), to_npg(kwargs)
        except Unsupported:
            continue
        mine = forms(op)[0].npg_fn
        for backward in (False, True)[: 1 + op.supports_autograd]:
            theirs = in_child(_call, torch, op.op, args, kwargs, backward)
            own = in_child(_call, npg, mine, *given, backward)
            if theirs is not None:
                found.append((text, backward, theirs, own))
    return found


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
        for text, backward, theirs, mine in in_child(calls, name, 2):
            if isinstance(theirs, str) or isinstance(mine, str):
                print(f"{name}, {text}: {theirs}, {mine}", file=sys.stderr)
            elif not every or mine > MOST * theirs + SLACK:
                print(_row(name, text, "both" if backward else "forward", theirs=theirs, mine=mine), flush=True)


if __name__ == "__main__":
    main()
