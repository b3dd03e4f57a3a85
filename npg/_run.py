"""`npg run`: Python, with npg for torch.

A Python is started in the place of this one, with a folder on PYTHONPATH whose sitecustomize.py serves npg as torch. So
arguments, `__main__`, tracebacks, exit codes, signals and children are Python's own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

_START = os.path.join(os.path.dirname(os.path.abspath(__file__)), "as_torch", "_start")
_USAGE = """\
usage: npg run [option of python] ... [-c code | -m module | script.py | -] [argument] ...
       npg run --list

Run a program that imports torch, unedited, with npg for torch: `npg run script.py` is `python script.py`, and so are
-m, -c, options, arguments and the standard input. --list prints the names of torch that do nothing, or something else,
on npg. Without the word `run`, npg prints the environment for a bug report.
"""


def options_of(arguments: Sequence[str]) -> list[str]:
    """Return the options of Python that stand before the program, without what they take."""
    options = []
    rest = iter(arguments)
    for argument in rest:
        if not argument.startswith("-") or argument in ("-", "--"):
            break
        options.append(argument)
        if argument[:2] != "--" and any(letter in argument for letter in "cm"):
            break
        if argument in ("-W", "-X", "--check-hash-based-pycs"):
            next(rest, None)
    return options


def interpreter_options() -> list[str]:
    """Return the options with which this Python was started, up to `-m npg` or the script `npg`."""
    before = sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]
    if before and before[-1] == "npg" and before[-2][-1:] == "m":  # python -u -m npg, python -um npg
        letters = before[-2][:-1]
        return [*before[:-2], *([letters] if letters != "-" else [])]
    return before[:-1]


def main(arguments: Sequence[str]) -> int:
    """Run a program as `python` with these arguments does; returns only when there is nothing to run."""
    if arguments[:1] in (["--help"], ["-h"]):
        print(_USAGE, end="")
        return 0
    if arguments[:1] == ["--list"]:
        from npg.as_torch import table  # here: importing it serves npg as torch

        return table.main()
    options = interpreter_options()
    for option in (*options, *options_of(arguments)):
        letters = option.lstrip("-").partition("c")[0].partition("m")[0] if option[:2] != "--" else ""
        if option[:2] not in ("-W", "-X") and set(letters) & set("EIS"):
            print(f"npg run: python's option {option} keeps npg out, which comes in by PYTHONPATH", file=sys.stderr)
            return 2
    if not sys.executable:
        print("npg run: Python does not say where it stands (sys.executable is empty)", file=sys.stderr)
        return 2
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (_START, environment.get("PYTHONPATH"))))
    command = [sys.executable, *options, *arguments]
    if os.name == "nt":  # there, execve would return to the shell at once
        import subprocess

        return subprocess.run(command, env=environment).returncode
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, command, environment)
