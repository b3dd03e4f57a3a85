"""Run Python with the sanitizers of the extensions' build, whose libraries must be loaded before all others.

    NPG_BUILD=sanitize python setup.py build_ext --inplace
    python -m tests.sanitized -m pytest -p no:cacheprovider tests/test_layouts.py tests/kernels tests/engine
    NPG_BUILD=races python setup.py build_ext --inplace
    python -m tests.sanitized --races -m pytest -p no:cacheprovider tests/kernels/test_sharing.py

A report ends the process; after a report of a race it continues and exits with a status other than 0. NPG_REPORTS=path
writes reports to path.<pid> instead of standard error. With the first build, arrays come from malloc itself, and npg
checks the memory that it passes to NumPy's loops and BLAS, since no sanitizer sees their accesses
(csrc/kernels/checked.h). Python and NumPy leak on purpose, so leaks are not checked. Such runs leave out tests that
limit a process's address space or count its memory. Races reported in OpenBLAS's own threads, without a name of csrc/,
are false: its synchronization is invisible to the sanitizer.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from .guarded import compiler

LIBRARIES = {"sanitize": ("asan", "ubsan"), "races": ("tsan",)}
OPTIONS = {
    # A test may request more memory than there is.
    "ASAN_OPTIONS": ["detect_leaks=0", "allocator_may_return_null=1"],
    "UBSAN_OPTIONS": ["print_stacktrace=1", "halt_on_error=1"],
    # A forked child that creates threads cannot be checked.
    "TSAN_OPTIONS": ["die_after_fork=0", "report_signal_unsafe=0"],
}


def environment(kind: str) -> dict[str, str]:
    """Return the environment variables for extensions of that kind of build."""
    command = compiler()
    assert command is not None, "needs GCC and Linux"
    results = [
        subprocess.run([*command, f"-print-file-name=lib{name}.so"], stdout=subprocess.PIPE, text=True, check=True)
        for name in LIBRARIES[kind]
    ]
    reports = os.environ.get("NPG_REPORTS")
    more = [f"log_path={reports}"] if reports else []
    return {
        "LD_PRELOAD": ":".join(run.stdout.strip() for run in results),
        "PYTHONMALLOC": "malloc",
        **{name: ":".join(options + more) for name, options in OPTIONS.items()},
    }


def main(arguments: Sequence[str]) -> None:
    """Replace this process by a Python with these arguments."""
    kind = "races" if arguments[:1] == ["--races"] else "sanitize"
    arguments = arguments[kind == "races" :]
    os.execve(sys.executable, [sys.executable, *arguments], {**os.environ, **environment(kind)})


if __name__ == "__main__":
    main(sys.argv[1:])
