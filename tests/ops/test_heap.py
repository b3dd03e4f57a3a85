"""Large arrays that are freed are there for the next ones: seen in the page faults of a fresh process."""

import os
import platform
import sys

import pytest

from tests import processes

PROGRAM = """
import resource, sys
import numpy as np
if sys.argv[1] == "npg":
    import npg
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def step():
    [np.ones(1 << 18, np.float32) for _ in range(16)]  # a forward pass: 16 arrays of 1 MB, 256 pages each, then freed
for _ in range(3):
    step()
before = faults()
for _ in range(10):
    step()
print(faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such threshold")
def test_large_arrays_are_not_paged_in_again():
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_TUNABLES"))}
    environment["NUMPY_MADVISE_HUGEPAGE"] = "0"  # with huge pages a fault brings 512 pages
    found = {}
    for library in ("npg", "numpy"):
        run = processes.run(
            [sys.executable, "-W", "ignore", "-c", PROGRAM, library],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        found[library] = int(run.stdout)
    assert found["npg"] < 1000 < found["numpy"], found
