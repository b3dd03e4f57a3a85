"""What the tests of the demos' train.py share: running one in a process, on npg or on PyTorch, and stopping it."""

import importlib.util
import os
import signal
import sys
from pathlib import Path

import torch

from tests import processes
from tests.as_torch.commands import ROOT, environment, run

ALONE = {"OMP_NUM_THREADS": "1"}  # PyTorch's threads wait for each other where other tests run beside them


class Script:
    """demo/<name>/train.py."""

    def __init__(self, name):
        self.name, self.path = name, ROOT / "demo" / name / "train.py"

    def load(self):
        """Return it as a module, on PyTorch: for what needs no training."""
        spec = importlib.util.spec_from_file_location(f"{self.name}_train", self.path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def train(self, folder, *arguments, library="npg"):
        """Run it in a process, and return (its output, its checkpoint)."""
        given = [str(self.path), f"--out_dir={folder}", *map(str, arguments)]
        code, said, errors = run(*given, folder=ROOT, npg=library == "npg", **({} if library == "npg" else ALONE))
        assert (code, errors) == (0, ""), errors
        return said, torch.load(Path(folder) / "last.pt")

    def interrupted(self, folder, *arguments):
        """Run it on npg, send Ctrl-C in the sixth iteration, and return the losses of its checkpoint."""
        command = [sys.executable, "-m", "npg", "run", str(self.path), *map(str, arguments)]
        command += ["--log_interval=1", f"--out_dir={folder}"]
        pipes = {"stdout": processes.subprocess.PIPE, "stderr": processes.subprocess.PIPE, "text": True}
        with processes.running(command, env=environment(PYTHONUNBUFFERED="1"), **pipes) as process:
            for line in process.stdout:
                if line.startswith("iter 5/"):
                    break
            os.kill(process.pid, signal.SIGINT)
            said, errors = process.communicate(timeout=120)
        assert (process.returncode, errors) == (130, "")
        assert "; --resume goes on from it" in said
        return torch.load(Path(folder) / "last.pt")["losses"]


def largest_difference(ours, theirs):
    """Return the largest relative difference of two lists of numbers."""
    return max(abs(a - b) / abs(b) for a, b in zip(ours, theirs, strict=True))
