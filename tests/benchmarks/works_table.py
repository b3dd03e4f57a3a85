"""The table of works: npg beside another contender, and what is asked of the ratio."""

from __future__ import annotations

from collections.abc import Collection

from tests.benchmarks.judge import Times, measure
from tests.benchmarks.wanted import OF_IMAGES, OF_SEQUENCES, WANTED, Wanted
from tests.benchmarks.works import WORKS

HEADER = ("| work | npg | other | ratio | must | aim | reached |", "|---|---|---|---|---|---|---|")


def row(wanted: Wanted, times: Times) -> str:
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
    reached = "aim" if wanted.holds(ratio, wanted.aim) else "must" if wanted.holds(ratio, wanted.must) else "no"
    mine, other = (f"{figure:.3f} {unit}" if figure < 1 else f"{figure:.1f} {unit}" for figure in figures)
    return f"| {wanted.title} | {mine} | {other} | {ratio:.2f} | {wanted.must:.2f} | {wanted.aim:.2f} | {reached} |"


def rows(works: Collection[str] = tuple(WORKS), held: bool = False) -> list[str]:
    """Measure the wanted ratios that concern these works, and return a row for each.

    Args: held: by the bounds for AVX2.
    """
    found = []
    measured: dict[tuple[str, ...], Times] = {}
    for wanted in (*WANTED, *OF_IMAGES, *OF_SEQUENCES):
        if not set(wanted.works) & set(works):
            continue
        key = (*wanted.contenders, *wanted.works)
        if key not in measured:
            measured[key] = measure(dict(zip(wanted.contenders, wanted.works, strict=True)))
        found.append(row(wanted.without_avx512() if held else wanted, measured[key]))
        print(found[-1], flush=True)
    return found
