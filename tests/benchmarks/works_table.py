"""The table of workloads: npg against another contender, with the required ratio."""

from __future__ import annotations

from collections.abc import Collection

from tests.benchmarks.judge import Times, measure
from tests.benchmarks.wanted import WANTED, Wanted
from tests.benchmarks.works import WORKS

HEADER = ("| work | npg | other | ratio | must | aim | reached |", "|---|---|---|---|---|---|---|")


def row(goal: Wanted, times: Times) -> str:
    """Return one row of the table."""
    mine, other = goal.contenders
    if goal.memory:
        figures = [times.bytes[mine] / 2**20, times.bytes[other] / 2**20]
        unit, ratio = "MiB", figures[0] / figures[1]
    else:
        figures = [1e3 * times.median(mine), 1e3 * times.median(other)]
        unit, ratio = "ms", times.ratio(mine, other)
    if goal.inverse:
        ratio = 1 / ratio
    reached = "aim" if goal.holds(ratio, goal.aim) else "must" if goal.holds(ratio, goal.must) else "no"
    mine, other = (f"{figure:.3f} {unit}" if figure < 10 else f"{figure:.1f} {unit}" for figure in figures)
    return f"| {goal.title} | {mine} | {other} | {ratio:.2f} | {goal.must:.2f} | {goal.aim:.2f} | {reached} |"


def rows(works: Collection[str] = tuple(WORKS)) -> list[str]:
    """Measure the required ratios of these workloads, and return a row for each."""
    results = []
    measured: dict[tuple[str, ...], Times] = {}
    for goal in WANTED:
        if not set(goal.works) & set(works):
            continue
        key = (*goal.contenders, *goal.works)
        if key not in measured:
            measured[key] = measure(dict(zip(goal.contenders, goal.works, strict=True)))
        results.append(row(goal, measured[key]))
        print(results[-1], flush=True)
    return results
