"""Print the table of works: npg beside PyTorch (or the Python engine, or NumPy), and what is asked for.

python -m tests.benchmarks                 all of them, some minutes; measure with nothing else running
python -m tests.benchmarks digits lstm     some
"""

from __future__ import annotations

import sys

from tests.benchmarks.judge import machine
from tests.benchmarks.works import WORKS
from tests.benchmarks.works_table import HEADER, rows

if __name__ == "__main__":
    print(machine(), *HEADER, sep="\n")
    rows(sys.argv[1:] or list(WORKS))
