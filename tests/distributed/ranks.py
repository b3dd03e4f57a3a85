"""Scripts in several processes: by `npg run` on npg, and on PyTorch with gloo."""

from __future__ import annotations

import importlib.util
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from npg import _launch
from tests.processes import run

SCRIPTS = Path(__file__).parent / "scripts"
NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?|-?\d+e-?\d+")


def _has_mpi() -> bool:
    if importlib.util.find_spec("mpi4py") is None:
        return False
    try:
        _launch._mpiexec()
    except SystemExit:
        return False
    return True


needs_mpi = pytest.mark.skipif(not _has_mpi(), reason="needs the extra mpi: mpi4py, and an MPI with mpiexec")


def npg_ranks(n: int, script: str, *arguments: object, **settings: Any) -> subprocess.CompletedProcess[str]:
    """Run a script of this folder in n processes on npg."""
    words = [sys.executable, "-m", "npg", "run", f"--nproc-per-node={n}", str(SCRIPTS / script), *map(str, arguments)]
    return run(words, capture_output=True, text=True, timeout=120, **settings)


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


def torch_ranks(n: int, script: str, *arguments: object) -> None:
    """Run a script of this folder in n processes on PyTorch with gloo.

    It is tried several times: another process may take the port, and gloo's ranks do not always find each other.
    """
    found = []
    for _ in range(3):
        found = _torch_statuses(n, [sys.executable, str(SCRIPTS / script), *map(str, arguments)])
        if found == [0] * n:
            return
    raise AssertionError(f"PyTorch's processes have ended with {found}")


def _torch_statuses(n: int, command: list[str]) -> list[int]:
    common = {"WORLD_SIZE": str(n), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port())}
    common |= {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    started = [
        subprocess.Popen(command, env={**os.environ, **common, "RANK": str(i), "LOCAL_RANK": str(i)}) for i in range(n)
    ]
    try:
        return [process.wait(120) for process in started]
    finally:
        for process in started:
            process.kill()
            process.wait()


def written(start: Path, n: int) -> list[list[str]]:
    """Return the lines that each rank has written to start.<rank>."""
    return [Path(f"{start}.{rank}").read_text().split("\n") for rank in range(n)]


def assert_same_lines(found: list[str], expected: list[str], tolerance: float = 2e-5) -> None:
    """Compare lines: equal texts, and numbers that are nearly equal."""
    assert len(found) == len(expected), (found, expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert NUMBER.sub("#", ours) == NUMBER.sub("#", theirs), (ours, theirs)
        for a, b in zip(NUMBER.findall(ours), NUMBER.findall(theirs), strict=True):
            assert float(a) == pytest.approx(float(b), rel=tolerance, abs=tolerance), (ours, theirs)


def check_like_gloo(n: int, script: str, folder: Path) -> None:
    """Run a script of this folder in n processes on npg and on PyTorch with gloo: the same lines in each rank."""
    done = npg_ranks(n, script, folder / "npg")
    assert done.returncode == 0, done.stderr
    torch_ranks(n, script, folder / "torch")
    for found, expected in zip(written(folder / "npg", n), written(folder / "torch", n), strict=True):
        assert_same_lines(found, expected)
