"""The same command line under `python` and under `npg run`."""

import ast
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


# Runs each command line in a child that is forked once torch is imported: to import PyTorch takes seconds.
_EACH = """
import os, runpy, sys, traceback
import torch

for i, arguments in enumerate({lines!r}):
    if not os.fork():
        for end, number in (("out", 1), ("error", 2)):
            os.dup2(os.open(f"{{end}}{{i}}", os.O_CREAT | os.O_WRONLY | os.O_TRUNC), number)
        code, sys.argv = 0, arguments
        try:
            runpy.run_path(arguments[0], run_name="__main__")
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else error.code is not None
            if code is True:
                print(error.code, file=sys.stderr)
        except BaseException:
            code = 1
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
"""


def run_each(lines, folder, npg):
    """Run the command lines of scripts, one after the other, and return what run() returns of each."""
    if not hasattr(os, "fork"):
        return [run(*arguments, folder=folder, npg=npg) for arguments in lines]
    (folder / "each.py").write_text(_EACH.format(lines=lines))
    code, out, error = run("each.py", folder=folder, npg=npg)
    codes = [ast.literal_eval(line) for line in out.split()]
    assert (code, error, len(codes)) == (0, "", len(lines)), (code, out, error)
    read = [[(folder / f"{end}{i}").read_text() for i in range(len(lines))] for end in ("out", "error")]
    return list(zip(codes, *read))


def both(lines, folder):
    """Return what run_each returns with PyTorch, and with npg, each in its own copy of a folder of scripts."""
    results = []
    for npg in (False, True):
        own = folder / ("npg" if npg else "torch")
        own.mkdir()
        for script in folder.glob("*.py"):
            (own / script.name).write_text(script.read_text())
        results.append(run_each(lines, own, npg))
    return results
