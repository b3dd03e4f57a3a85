"""Run Python with NumPy, OpenBLAS and PyTorch held to AVX2: the forms of kernels for processors without AVX-512.

    python -m tests.held -m pytest -p no:cacheprovider tests/kernels tests/ops

Where the processor has no AVX-512 all other runs are such; then it says so and does nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from npg.kernels.processor import HAS_AVX512
from tests.benchmarks.given import bench


def main(arguments: Sequence[str]) -> int:
    """Run Python with these arguments; return its exit status."""
    if not HAS_AVX512:
        print("this processor has no AVX-512, so the tests have run like that", file=sys.stderr)
        return 0
    os.environ.update(bench.INSTRUCTIONS["avx2"])
    os.execv(sys.executable, [sys.executable, *arguments])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
