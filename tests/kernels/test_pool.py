"""The pool of threads and the memory of large arrays, in a C program with sanitizers."""

import subprocess
from pathlib import Path

import pytest

from tests import processes
from tests.conftest import ROOT
from tests.guarded import compiler

KINDS = {"races": ["-fsanitize=thread"], "memory": ["-fsanitize=address,undefined", "-fno-sanitize-recover"]}


@pytest.mark.skipif(compiler() is None, reason="needs a C compiler and Linux")
@pytest.mark.parametrize("kind", KINDS)
def test_threads_that_share_memory_and_fork_make_no_mistake(kind: str, tmp_path: Path) -> None:
    command = compiler()
    assert command is not None
    program, source = str(tmp_path / "pool"), str(Path(__file__).with_name("pool.c"))
    flags = ["-std=gnu11", "-g", "-O1", *KINDS[kind], f"-I{ROOT / 'csrc'}"]
    built = subprocess.run([*command, *flags, source, "-o", program, "-pthread"], capture_output=True, text=True)
    if built.returncode and "cannot find" in built.stderr:
        pytest.skip("the compiler has no library of this sanitizer")
    assert built.returncode == 0, built.stderr
    options = {"TSAN_OPTIONS": "die_after_fork=0", "ASAN_OPTIONS": "detect_leaks=0"}
    run = processes.run([program], env=options, capture_output=True, text=True)
    if "unexpected memory mapping" in run.stderr:
        pytest.skip("this kernel places memory where the sanitizer cannot have it")
    assert run.returncode == 0, run.stderr[-3000:]
