"""Write docs/benchmarks.md, docs/benchmarks_images.md, docs/benchmarks_sequences.md and their pictures.

python -m tests.benchmarks.report           all, half an hour, with nothing else running; needs PyTorch and matplotlib
python -m tests.benchmarks.report images    one: `works`, `images` or `sequences`

docs/benchmarks.md has the works, how cost grows, and story.md, what was tried; the others have the works on images, how
the cost of convolutions grows, and story_images.md; and the works on sequences, and story_sequences.md.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from npg.kernels.processor import HAS_AVX512
from tests.benchmarks import guest
from tests.benchmarks.given import bench
from tests.benchmarks.growth import OF_CONVOLUTION, SERIES, Series, measured, picture, table
from tests.benchmarks.judge import machine
from tests.benchmarks.wanted import OF_IMAGES, OF_SEQUENCES, WANTED, Wanted
from tests.benchmarks.works_table import table as table_of_works

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
STORIES = ("story.md", "story_images.md", "story_sequences.md")
STORY, STORY_OF_IMAGES, STORY_OF_SEQUENCES = (Path(__file__).with_name(name) for name in STORIES)


def _first(title: str, command: str) -> list[str]:
    return [
        f"# {title}",
        "",
        f"Written by `python -m tests.benchmarks.report {command}`; do not edit. " + machine(),
        "",
        "Each contender is a process of its own. They work in turn, A B A B; times are medians, ratios the medians of",
        "the quotients within a turn, so that what else the machine does falls on both (they need not be the quotient",
        "of the medians), in brackets their quartiles. `must` is the ratio that npg has to reach, `aim` the one that",
        "it should, `reached` which of them it does; `other` is PyTorch, unless the row names another.",
        "",
    ]


def _growth(all_series: dict[str, Series]) -> Iterator[str]:
    for name, series in all_series.items():
        found = measured(series)
        picture(series, found, DOCS / f"growth_{name}.svg")
        yield from (f"### {series.axis[0].upper()}{series.axis[1:]}", "")
        yield from (series.title[0].upper() + series.title[1:] + ".", "")
        yield from (*table(series, found), "", f"![{series.title}](growth_{name}.svg)", "")


def of_works() -> str:
    """Measure, draw the pictures, and return the text of docs/benchmarks.md."""
    works = {work for wanted in WANTED for work in wanted.works}
    lines = [
        *_first("Benchmarks", "works"),
        "Works [on images](benchmarks_images.md) and [on sequences](benchmarks_sequences.md) have pages of their own.",
        "",
        "## Works",
        "",
        "What each is stands in [works.py](../tests/benchmarks/works.py); `python -m tests.benchmarks` prints this",
        "table alone. With two threads each:",
        "",
        *_works(works),
        "",
        "With one thread each (`python -m tests.benchmarks --threads=1`):",
        "",
        *table_of_works(works, threads=1),
    ]
    lines += ["", "## NumPy and scikit-learn beside npg", ""]
    lines += ["Before and after `import npg`; `python -m tests.benchmarks.guest` prints this table alone.", ""]
    lines += [*guest.rows(), "", "## How cost grows", "", *_growth(SERIES)]
    return "\n".join(lines) + "\n" + STORY.read_text(encoding="utf-8")


def _works(works: set[str]) -> list[str]:
    """Return the table of works with two threads, and what its columns are."""
    if not HAS_AVX512:
        return ["This processor has no AVX-512: `must` and `aim` are those for AVX2.", "", *table_of_works(works)]
    held = ", ".join(f"`{name}={value}`" for name, value in bench.INSTRUCTIONS["avx2"].items())
    return [f"Held to AVX2 means: {held}.", "", *table_of_works(works)]


def _page(title: str, command: str, file: str, all_wanted: tuple[Wanted, ...]) -> list[str]:
    """Return the head of a page and its table."""
    works = {work for wanted in all_wanted for work in wanted.works}
    what = f"What each work is stands in [{file}](../tests/benchmarks/{file}). With two threads each:"
    return [*_first(title, command), what, "", *_works(works)]


def of_images() -> str:
    """Measure, draw the pictures, and return the text of docs/benchmarks_images.md."""
    lines = _page("Benchmarks: images", "images", "image_works.py", OF_IMAGES)
    lines += ["", "## How cost grows", "", *_growth(OF_CONVOLUTION)]
    return "\n".join(lines) + "\n" + STORY_OF_IMAGES.read_text(encoding="utf-8")


def of_sequences() -> str:
    """Measure, and return the text of docs/benchmarks_sequences.md."""
    lines = _page("Benchmarks: sequences", "sequences", "sequence_works.py", OF_SEQUENCES)
    return "\n".join(lines) + "\n\n" + STORY_OF_SEQUENCES.read_text(encoding="utf-8")


REPORTS = {
    "works": ("benchmarks.md", of_works),
    "images": ("benchmarks_images.md", of_images),
    "sequences": ("benchmarks_sequences.md", of_sequences),
}


def main() -> None:
    """Write the reports that are named, or all."""
    for name in bench.INSTRUCTIONS["native"]:
        os.environ.pop(name, None)  # as on a machine where nobody has set anything
    DOCS.mkdir(exist_ok=True)
    for name in sys.argv[1:] or REPORTS:
        file, report = REPORTS[name]
        (DOCS / file).write_text(report(), encoding="utf-8")


if __name__ == "__main__":
    main()
