"""Subclasses of tensors: see subclasses.py."""

import sys
from pathlib import Path

import torch  # noqa: F401  (what subclasses.py compares with, in a process of its own)

from tests import processes

HERE = Path(__file__).resolve().parent


def test_subclasses_are_torchs():
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(HERE / "subclasses.py")]
    done = processes.run(command, cwd=HERE.parent.parent, capture_output=True, text=True)
    assert not done.returncode and " passed" in done.stdout, done.stdout
