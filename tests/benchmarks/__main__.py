"""Print the table of works: npg beside PyTorch (or the Python engine, or NumPy), and what is asked for.

python -m tests.benchmarks                          all of them, some minutes; measure with nothing else running
python -m tests.benchmarks digits lstm              some
python -m tests.benchmarks --instructions=avx2      as on a processor without AVX-512
python -m tests.benchmarks --threads=1              with one thread each
python -m tests.benchmarks --busy nanogpt           while another process keeps one processor busy
"""

from __future__ import annotations

import argparse
import contextlib

from tests.benchmarks.judge import busy, machine
from tests.benchmarks.works import WORKS, bench
from tests.benchmarks.works_table import table

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument("--instructions", choices=list(bench.INSTRUCTIONS), default="")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--busy", action="store_true")
    parser.add_argument("works", nargs="*", help=", ".join(WORKS))
    chosen = parser.parse_args()
    if unknown := set(chosen.works) - set(WORKS):
        parser.error(f"unknown works: {', '.join(sorted(unknown))}")
    print(machine(), "", sep="\n")
    with busy() if chosen.busy else contextlib.nullcontext():
        print(*table(chosen.works or tuple(WORKS), chosen.instructions, chosen.threads)[-2:], sep="\n")
