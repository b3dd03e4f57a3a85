"""`npg run`: Python, with npg for torch.

A Python is started in the place of this one, with a folder on PYTHONPATH whose sitecustomize.py serves npg as torch. So
arguments, `__main__`, tracebacks, exit codes, signals and children are Python's own. npg/__init__.py comes here first
of all, by at_once(): a process that another one is to replace need not load NumPy.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from npg._launchers import told

_START = os.path.join(os.path.dirname(os.path.abspath(__file__)), "as_torch", "_start")
_USAGE = """\
usage: npg run [option of python] ... [-c code | -m module | script.py | -] [argument] ...
       npg run --nproc-per-node N [option of torchrun] ... [-m] script.py [argument] ...
       npg run --list

Run a program that imports torch, unedited, with npg for torch: `npg run script.py` is `python script.py`, and so are
-m, -c, options, arguments and the standard input. --nproc-per-node starts it in N processes by MPI's mpiexec, as
torchrun does (`npg run --nproc-per-node 1 --help`). --list prints the names of torch that do nothing, or something
else, on npg. Without the word `run`, npg prints the environment for a bug report.
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


def at_once() -> None:
    """Run the program of a process that was started as `npg run` or `python -m npg run`; returns in any other."""
    program, arguments = sys.argv[0], sys.argv[2:]
    if program == "-m":  # while Python looks for the module; __main__.py has its own path there
        mine = sys.orig_argv[: len(sys.orig_argv) - len(sys.argv) + 1][-1:] == ["npg"]
    else:  # the command that pip has made, which stands beside Python
        folder, name = os.path.split(program)
        mine = name.lower() in ("npg", "npg.exe", "npg-script.py") and folder == os.path.dirname(sys.executable)
    if mine and arguments[:1] not in (["--help"], ["-h"], ["--list"]):
        sys.exit(main(arguments))


def command(words: Sequence[str]) -> int:
    """Do what the words after `npg` ask for."""
    if words[0] == "run":
        return main(words[1:])
    if words[0] in ("--help", "-h"):
        print(_USAGE, end="")
        return 0
    import shlex  # here: `npg run` starts Python once more, and loads no more than that needs

    print(f"npg: the only command is run; did you mean `npg run {shlex.join(words)}`?", file=sys.stderr)
    return 2


def main(arguments: Sequence[str]) -> int:
    """Run a program as `python` with these arguments does; returns only when there is nothing to run."""
    if arguments[:1] in (["--help"], ["-h"]):
        print(_USAGE, end="")
        return 0
    if arguments and arguments[0].startswith("--") and arguments[0] not in ("--version", "--check-hash-based-pycs"):
        from npg import _launch  # here: one process needs none of it

        if _launch.wants_ranks(arguments):
            return _launch.main(arguments)
    if arguments[:1] == ["--list"]:
        from npg.as_torch import table  # here: importing it serves npg as torch

        return table.main()
    options = interpreter_options()
    for option in (*options, *options_of(arguments)):
        letters = option.lstrip("-").partition("c")[0].partition("m")[0] if option[:2] != "--" else ""
        if option[:2] not in ("-W", "-X") and set(letters) & set("EIS"):
            return _refuse(f"python's option {option} keeps npg out, which comes in by PYTHONPATH")
    if not sys.executable:
        return _refuse("Python does not say where it stands (sys.executable is empty)")
    if os.pathsep in _START:
        return _refuse(
            f"npg comes in by PYTHONPATH, which cannot hold {_START!r}: {os.pathsep!r} separates its folders"
        )
    environment = dict(os.environ)
    if told("RANK", environment) is not None:
        from npg import _launch

        _launch.take_rank(environment)
    path = environment.get("PYTHONPATH")
    others = [folder for folder in path.split(os.pathsep) if folder != _START] if path else []  # below another npg run
    environment["PYTHONPATH"] = os.pathsep.join((_START, *others))
    command = [sys.executable, *options, *arguments]
    if os.name == "nt":  # there, execve would return to the shell at once
        return beside(command, environment)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, command, environment)


def _refuse(reason: str) -> int:
    print(f"npg run: {reason}", file=sys.stderr)
    return 2


def beside(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command as a child, and return its exit code: what exec does, where there is none.

    Ctrl-C reaches both processes, and what it does is the child's to say. An exit code of Windows beyond 2**31 - 1
    (that of Ctrl-C is 0xC000013A) is given as the negative number that sys.exit makes the same code of.
    """
    import subprocess

    with subprocess.Popen(command, env=environment) as child:
        while True:
            try:
                code = child.wait()
            except KeyboardInterrupt:
                continue
            return code - (1 << 32) if code > 0x7FFFFFFF else code
