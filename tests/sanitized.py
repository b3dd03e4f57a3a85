"""Run Python with the sanitizers that an extension was built with: their libraries must be loaded before all others.

    NPG_BUILD=sanitize python setup.py build_ext --inplace
    python -m tests.sanitized -m pytest -p no:cacheprovider tests/test_layouts.py tests/kernels tests/engine
    NPG_BUILD=races python setup.py build_ext --inplace
    python -m tests.sanitized --races -m pytest -p no:cacheprovider tests/kernels/test_sharing.py

A report ends the process, and one of a race lets it go on to a status that is not 0; NPG_REPORTS=path writes it to
path.<number of the process> instead of standard error. In the first of the two, arrays come from malloc itself, and
npg looks at what it gives to NumPy's loops and to BLAS before it does, for no sanitizer sees what they read
(csrc/kernels/checked.h). Python and NumPy leak on purpose, so leaks are not looked for. Left out of such runs: tests
that limit a process's address space or count its memory. Races that are reported in OpenBLAS's own threads, and name
nothing of csrc/, are none: their hand-shakes cannot be seen.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from .guarded import compiler

LIBRARIES = {"sanitize": ("asan", "ubsan"), "races": ("tsan",)}
OPTIONS = {
    # A test may ask for more memory than there is.
    "ASAN_OPTIONS": ["detect_leaks=0", "allocator_may_return_null=1"],
    "UBSAN_OPTIONS": ["print_stacktrace=1", "halt_on_error=1"],
    # A child of a fork that makes threads cannot be followed.
    "TSAN_OPTIONS": ["die_after_fork=0", "report_signal_unsafe=0"],
}


def environment(kind: str) -> dict[str, str]:
    """Return what the environment must have for an extension of that kind of build."""
    command = compiler()
    assert command is not None, "needs GCC and Linux"
    found = [
        subprocess.run([*command, f"-print-file-name=lib{name}.so"], stdout=subprocess.PIPE, text=True, check=True)
        for name in LIBRARIES[kind]
    ]
    reports = os.environ.get("NPG_REPORTS")
    more = [f"log_path={reports}"] if reports else []
    return {
        "LD_PRELOAD": ":".join(run.stdout.strip() for run in found),
        "PYTHONMALLOC": "malloc",
        **{name: ":".join(options + more) for name, options in OPTIONS.items()},
    }


def main(arguments: Sequence[str]) -> None:
    """Become a Python with such arguments."""
    kind = "races" if arguments[:1] == ["--races"] else "sanitize"
    arguments = arguments[kind == "races" :]
    os.execve(sys.executable, [sys.executable, *arguments], {**os.environ, **environment(kind)})


if __name__ == "__main__":
    main(sys.argv[1:])
