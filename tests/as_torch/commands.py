"""The same command line under `python` and under `npg run`."""

import os
import sys
import tempfile
from pathlib import Path

from tests import processes

ROOT = Path(__file__).resolve().parent.parent.parent


def environment(**variables):
    """Return an environment in which npg is this tree's, and threads and hashes are the same in every process."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0", **variables}


def run(*arguments, folder, npg, stdin="", options=(), **variables):
    """Run a command line in a folder, and return (exit code, standard output, standard error)."""
    command = [sys.executable, *options, *(["-m", "npg", "run"] if npg else []), *arguments]
    with tempfile.TemporaryFile("w+") as given:
        given.write(stdin)
        given.seek(0)
        settings = {"cwd": folder, "env": environment(**variables), "stdin": given, "text": True}
        done = processes.run(command, capture_output=True, **settings)
    return done.returncode, done.stdout, done.stderr


def same(*arguments, folder, **settings):
    """Run a command line under both, assert that they print and return the same, and return it."""
    expected = run(*arguments, folder=folder, npg=False, **settings)
    assert run(*arguments, folder=folder, npg=True, **settings) == expected
    return expected
