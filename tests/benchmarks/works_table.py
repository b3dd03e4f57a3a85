"""The table of works: npg beside another contender, and what is asked of the ratio."""

from __future__ import annotations

from collections.abc import Collection

from npg.kernels.processor import HAS_AVX512
from tests.benchmarks.judge import Times, measure
from tests.benchmarks.wanted import OF_IMAGES, OF_SEQUENCES, WANTED, Wanted
from tests.benchmarks.works import WORKS

_FIRST = "| work | npg | other "
_GROUPS = ("| ratio | must | aim | reached ", "| held to AVX2 | must | aim | reached ")


def header(instructions: Collection[str]) -> list[str]:
    """Return the head of a table with a group of columns for each of these."""
    line = _FIRST + "".join(_GROUPS[: len(instructions)]) + "|"
    return [line, "|---" * (line.count("|") - 1) + "|"]


def _asked(wanted: Wanted, ratio: float) -> str:
    reached = "aim" if wanted.holds(ratio, wanted.aim) else "must" if wanted.holds(ratio, wanted.must) else "no"
    return f"{wanted.must:.2f} | {wanted.aim:.2f} | {reached}"


def _ratio(wanted: Wanted, times: Times) -> tuple[float, str]:
    """Return the ratio, and as text with its quartiles."""
    mine, other = wanted.contenders
    if wanted.memory:
        ratio = times.bytes[mine] / times.bytes[other]
        return ratio, f"{ratio:.2f}"
    pair = (other, mine) if wanted.inverse else (mine, other)
    ratio = times.ratio(*pair)
    return ratio, "{:.2f} ({:.2f} to {:.2f})".format(ratio, *times.spread(*pair))


def row(wanted: Wanted, times: Times, held: Times | None = None) -> str:
    """Return one row of the table.

    Args: held: measured without AVX-512, for columns of their own.
    """
    mine, other = wanted.contenders
    if wanted.memory:
        texts = [f"{times.bytes[name] / 2**20:.1f} MiB" for name in (mine, other)]
    else:
        figures = [1e3 * times.median(name) for name in (mine, other)]
        texts = [f"{figure:.3f} ms" if figure < 1 else f"{figure:.1f} ms" for figure in figures]
    ratio, text = _ratio(wanted, times)
    cells = [wanted.title, *texts, text, _asked(wanted, ratio)]
    if held is not None:
        wanted = wanted.without_avx512()
        ratio, text = _ratio(wanted, held)
        cells += [text, _asked(wanted, ratio)]
    return f"| {' | '.join(cells)} |"


def ways(instructions: str = "") -> list[str]:
    """Return the instructions to measure with: those that are asked for, else all of the processor, and AVX2's."""
    if instructions:
        return [instructions]
    return ["native", "avx2"] if HAS_AVX512 else ["native"]


def table(works: Collection[str] = tuple(WORKS), instructions: str = "", threads: int = 2) -> list[str]:
    """Measure the wanted ratios that concern these works, and return the lines of a table; they are printed too.

    Args:
        instructions: of bench.INSTRUCTIONS, for a table of these alone.
        threads: of each contender.
    """
    chosen = ways(instructions)
    lines = header(chosen)
    print(*lines, sep="\n", flush=True)
    measured: dict[tuple[str, ...], list[Times]] = {}
    for wanted in (*WANTED, *OF_IMAGES, *OF_SEQUENCES):
        if not set(wanted.works) & set(works):
            continue
        key = (*wanted.contenders, *wanted.works)
        if key not in measured:
            pairs = dict(zip(wanted.contenders, wanted.works, strict=True))
            measured[key] = [measure(pairs, instructions=way, threads=threads) for way in chosen]
        is_held = chosen[0] == "avx2" or not HAS_AVX512
        lines.append(row(wanted.without_avx512() if is_held else wanted, *measured[key]))
        print(lines[-1], flush=True)
    kernels = dict.fromkeys(times.kernels for every in measured.values() for times in every if "torch" in times.kernels)
    lines += ["", f"Kernels: {'; '.join(kernels)}."] if kernels else []
    return lines
