"""The build with sanitizers reports errors (NPG_BUILD=sanitize, tests/sanitized.py)."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

MISTAKES = {
    "beside an array, in a loop": "as_strided(np.ones(5, 'f4'), (6,)); npg.from_numpy(x).exp()",
    "beside an array, in a program": "as_strided(np.ones(5000, 'f4'), (5001,)); npg.gelu(npg.from_numpy(x))",
    "beside an array, in a product": "as_strided(np.ones((3, 4), 'f4'), (3, 5)); y = npg.from_numpy(x); y @ y.t()",
    "beside an array, in a product by BLAS": (
        "as_strided(np.ones((300, 300), 'f4'), (301, 300)); npg.from_numpy(x) @ npg.ones(300, 300)"
    ),
    "after it was freed": "np.frombuffer((c_char * 20).from_address(np.ones(5, 'f4').ctypes.data), 'f4'); f(x).exp()",
}


@pytest.mark.skipif("asan" not in os.environ.get("LD_PRELOAD", ""), reason="needs the build with sanitizers")
@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_is_reported(mistake: str) -> None:
    code = (
        "from ctypes import c_char\nimport numpy as np, npg\nfrom numpy.lib.stride_tricks import as_strided\n"
        f"f = npg.from_numpy\nx = {MISTAKES[mistake]}"
    )
    said_here = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}  # not where NPG_REPORTS has the others
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=said_here, capture_output=True, text=True)
    kind = "heap-use-after-free" if "freed" in mistake else "heap-buffer-overflow"
    assert run.returncode != 0
    assert f"AddressSanitizer: {kind}" in run.stderr
    assert "checked.h" in run.stderr
