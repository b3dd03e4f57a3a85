"""Print the table of works: npg beside PyTorch (or the Python engine, or NumPy), and what was asked for.

python -m tests.benchmarks                 all of them, some minutes; measure with nothing else running
python -m tests.benchmarks digits lstm     some
"""

from __future__ import annotations

import sys

from tests.benchmarks.judge import Times, measure
from tests.benchmarks.wanted import WANTED, Wanted
from tests.benchmarks.works import WORKS, bench


def line(wanted: Wanted, times: Times) -> str:
    """Return one row of the table."""
    mine, other = wanted.contenders
    if wanted.memory:
        figures = [times.bytes[mine] / 2**20, times.bytes[other] / 2**20]
        unit, ratio = "MiB", figures[0] / figures[1]
    else:
        figures = [1e3 * times.median(mine), 1e3 * times.median(other)]
        unit, ratio = "ms", times.ratio(mine, other)
    if wanted.inverse:
        ratio = 1 / ratio
    reached = "aim" if wanted.holds(ratio, wanted.aim) else "must" if wanted.holds(ratio, wanted.must) else "NOT MET"
    return (
        f"| {wanted.title} | {figures[0]:.3f} {unit} | {figures[1]:.3f} {unit} | {ratio:.2f} | {wanted.must:.2f} | "
        f"{wanted.aim:.2f} | {reached} |"
    )


def main() -> None:
    """Measure and print."""
    chosen = sys.argv[1:] or list(WORKS)
    print(bench.machine())
    print("| work | npg | other | ratio | must | aim | reached |\n|---|---|---|---|---|---|---|")
    measured: dict[tuple[str, ...], Times] = {}
    for wanted in WANTED:
        works = dict(zip(wanted.contenders, wanted.works, strict=True))
        if not set(wanted.works) & set(chosen):
            continue
        key = (*wanted.contenders, *wanted.works)
        if key not in measured:
            measured[key] = measure(works)
        print(line(wanted, measured[key]), flush=True)


if __name__ == "__main__":
    main()
