"""Write docs/benchmarks.md and its pictures: the works, how cost grows, and story.md, what was tried.

python -m tests.benchmarks.report    a quarter of an hour, with nothing else running; needs PyTorch and matplotlib
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.benchmarks import guest
from tests.benchmarks.growth import SERIES, measured, picture, table
from tests.benchmarks.judge import machine
from tests.benchmarks.works_table import HEADER, rows

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
STORY = Path(__file__).with_name("story.md")
HELD = "Haswell"  # kernels without AVX-512, which is what older processors have
OF_PRODUCTS = ("nanogpt", "wide_nanogpt", "lstm", "generate")  # works in which matrix products count


def report() -> str:
    """Measure, draw the pictures, and return the text of docs/benchmarks.md."""
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        os.environ.pop(name, None)  # NumPy's products as on a machine where nobody has set anything
    lines = [
        "# Benchmarks",
        "",
        "Written by `python -m tests.benchmarks.report`; do not edit. " + machine(),
        "",
        "Each contender is a process of its own with two threads. They work in turn, A B A B; times are medians,",
        "ratios the medians of the quotients within a turn, so that what else the machine does falls on both.",
        "",
        "## Works",
        "",
        "What each is stands in [works.py](../tests/benchmarks/works.py); `python -m tests.benchmarks` prints this",
        "table alone.",
        "",
        *HEADER,
        *rows(),
        "",
        f"The same with OpenBLAS held to its {HELD} kernels (`OPENBLAS_CORETYPE={HELD}`), as on a processor without",
        "AVX-512; PyTorch's own products use it in both tables.",
        "",
        *HEADER,
    ]
    os.environ["OPENBLAS_CORETYPE"] = HELD
    lines += rows(OF_PRODUCTS)
    del os.environ["OPENBLAS_CORETYPE"]
    lines += ["", "## NumPy and scikit-learn beside npg", ""]
    lines += ["Before and after `import npg`; `python -m tests.benchmarks.guest` prints this table alone.", ""]
    lines += [*guest.rows(), "", "## How cost grows", ""]
    for name, series in SERIES.items():
        found = measured(series)
        picture(series, found, DOCS / f"growth_{name}.svg")
        lines += [
            f"### {series.axis[0].upper()}{series.axis[1:]}",
            "",
            series.title[0].upper() + series.title[1:] + ".",
            "",
        ]
        lines += [*table(series, found), "", f"![{series.title}](growth_{name}.svg)", ""]
    return "\n".join(lines) + "\n" + STORY.read_text(encoding="utf-8")


if __name__ == "__main__":
    DOCS.mkdir(exist_ok=True)
    (DOCS / "benchmarks.md").write_text(report(), encoding="utf-8")
