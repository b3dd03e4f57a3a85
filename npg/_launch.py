"""`npg run --nproc-per-node N script.py`: several processes by MPI's mpiexec, with torchrun's options and variables.

mpiexec starts `npg run` N times, and each of them turns the rank that MPI has given it into the variables of torchrun
(RANK, WORLD_SIZE, LOCAL_RANK, ...) before Python is started in its place. When one process ends with an error, mpiexec
ends all of them; --max-restarts starts all again.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import MutableMapping, Sequence

from npg._launch_processes import adopt_descendants, end_descendants, end_with_parent
from npg._launchers import VARIABLES, told

_FLAGS = ("--nproc", "--nnodes", "--hostfile", "--standalone", "--max-restarts", "--max_restarts", "--rdzv", "--node",
          "--master", "--no-python", "--no_python", "--log", "--tee", "--redirects", "--role", "--monitor", "--module",
          "--start-method", "--start_method", "--use-env", "--use_env", "--local", "--run-path",
          "--run_path")  # fmt: skip
_PATIENCE = 30.0  # seconds that processes have to end after Ctrl-C
_INTERRUPTED = 130  # exit status, as a shell's


def wants_ranks(arguments: Sequence[str]) -> bool:
    """Tell whether the words after `npg run` begin with an option of torchrun."""
    return bool(arguments) and arguments[0].startswith(_FLAGS)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="npg run",
        description="Start a script, or -m module, in several processes by mpiexec, with npg for torch.",
        allow_abbrev=False,
    )

    def option(name: str, **how: object) -> None:
        parser.add_argument(f"--{name}", *([f"--{name.replace('-', '_')}"] if "-" in name else []), **how)  # type: ignore[arg-type]

    option("nproc-per-node", default="1", help="processes on each machine: a number, or auto or cpu: its processors")
    option("nnodes", default="1", help="machines, of those in --hostfile")
    option("hostfile", help="a file with the name of a machine in each line, for mpiexec")
    option("max-restarts", type=int, default=0, help="how often all processes are started again after an error")
    parser.add_argument("-m", "--module", action="store_true", help="the script is the name of a module")
    option("no-python", action="store_true", help="the script is a program of its own")
    # What mpiexec does in its own way: accepted, so that a command for torchrun works.
    for name in ("standalone", "use-env"):
        option(name, action="store_true", help=argparse.SUPPRESS)
    for name in ("rdzv-backend", "rdzv-endpoint", "rdzv-id", "rdzv-conf", "monitor-interval", "start-method", "role",
                 "log-dir", "node-rank", "master-addr", "master-port", "local-addr", "local-ranks-filter"):  # fmt: skip
        option(name, help=argparse.SUPPRESS)
    parser.add_argument("-r", "--redirects", help=argparse.SUPPRESS)
    parser.add_argument("-t", "--tee", help=argparse.SUPPRESS)
    parser.add_argument("script", help="the script, or with -m the module")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="of the script")
    return parser


def _processes(text: str) -> int:
    if text in ("auto", "cpu"):
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not text.isdecimal() or int(text) < 1:
        raise SystemExit(f"npg run: expected --nproc-per-node to be a number, auto or cpu, got {text!r}")
    return int(text)


def _mpiexec() -> str:
    beside = os.path.join(os.path.dirname(sys.executable), "mpiexec")
    found = beside if os.access(beside, os.X_OK) else shutil.which("mpiexec")
    if found is None:
        raise SystemExit(
            "npg run: there is no mpiexec; `pip install 'npg-autograd[mpi]'` installs mpi4py and MPICH, which has it"
        )
    return found


def command_for(arguments: Sequence[str]) -> tuple[list[str], int]:
    """Return the command that starts all processes, and how often it may be started again.

    Raises: SystemExit: for options that are not known, or when there is no mpiexec.
    """
    chosen = _parser().parse_args(arguments)
    fewest, _, most = chosen.nnodes.partition(":")  # of machines
    each, machines = _processes(chosen.nproc_per_node), fewest if chosen.hostfile is None else most or fewest
    if not machines.isdecimal() or int(machines) < 1:
        raise SystemExit(f"npg run: expected --nnodes to be a number, got {chosen.nnodes!r}")
    if int(machines) > 1 and chosen.hostfile is None:
        raise SystemExit("npg run: several machines need --hostfile: their names, one in each line")
    mpiexec = _mpiexec()
    is_hydra = "HYDRA" in subprocess.run([mpiexec, "--version"], capture_output=True, text=True).stdout
    command = [mpiexec, "-n", str(each * int(machines))]
    if chosen.hostfile is not None:
        hosts = ["-f", chosen.hostfile, "-ppn", str(each)] if is_hydra else ["--hostfile", chosen.hostfile]
        command += hosts if is_hydra else [*hosts, "--map-by", f"ppr:{each}:node"]
    elif not is_hydra:
        command.append("--oversubscribe")
    if is_hydra:
        command.append("-genvall")
    program = [*(["-m"] if chosen.module else []), chosen.script, *chosen.arguments]
    if chosen.no_python:
        return [*command, *program], chosen.max_restarts
    return [*command, sys.executable, "-m", "npg", "run", *program], chosen.max_restarts


def main(arguments: Sequence[str]) -> int:
    """Start the processes, wait for them, and return the exit status of the one that has failed, or 0."""
    command, restarts = command_for(arguments)
    for count in range(restarts + 1):
        environment = dict(os.environ, TORCHELASTIC_RESTART_COUNT=str(count), TORCHELASTIC_MAX_RESTARTS=str(restarts))
        environment.setdefault("TORCHELASTIC_RUN_ID", "none")
        status, was_stopped = _run(command, environment)
        if not status or was_stopped:
            return status
        if count < restarts:
            print(f"npg run: exit status {status}; start {count + 1} of {restarts} again", file=sys.stderr, flush=True)
    return status


def _run(command: Sequence[str], environment: MutableMapping[str, str]) -> tuple[int, bool]:
    """Run mpiexec; return its exit status, and whether a signal to this process has ended it."""
    stops: list[int] = []

    def stop(number: int, _frame: object) -> None:
        stops.append(number)
        # The second one makes mpiexec kill what does not end.
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(signal.SIGINT if len(stops) < 3 else signal.SIGKILL)

    others = adopt_descendants()
    child = subprocess.Popen(
        command, env=environment, start_new_session=True, preexec_fn=_end_with_launcher if os.name == "posix" else None
    )
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        limit = None
        while child.poll() is None:
            if stops and limit is None:
                limit = time.monotonic() + _PATIENCE
            if limit is not None and time.monotonic() > limit:
                stop(signal.SIGKILL, None)
                limit = time.monotonic() + 1.0
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(0.1)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        end_descendants(others)  # those of an mpiexec, or of its proxy, that was killed
    if stops:
        return (_INTERRUPTED if signal.SIGINT in stops else 128 + signal.SIGTERM), True
    return (child.returncode if child.returncode >= 0 else 128 - child.returncode), False


def _end_with_launcher() -> None:
    end_with_parent(signal.SIGTERM)  # mpiexec then ends all ranks, on all machines


def take_rank(environment: MutableMapping[str, str]) -> None:
    """Give a process that mpiexec has started the variables of torchrun, and its share of the processors."""
    numbers = {name: told(name, environment) for name in VARIABLES}
    found = {name: text for name, text in numbers.items() if text is not None}
    if len(found) < len(numbers) or "RANK" in environment:
        return
    end_with_parent()
    local, size = int(found["LOCAL_WORLD_SIZE"]), int(found["WORLD_SIZE"])
    machine = int(found["RANK"]) // local
    environment.update(
        found, ROLE_RANK=found["RANK"], ROLE_WORLD_SIZE=found["WORLD_SIZE"], GROUP_RANK=str(machine),
        GROUP_WORLD_SIZE=str(-(-size // local)), ROLE_NAME="default",
    )  # fmt: skip
    environment.setdefault("MASTER_ADDR", "localhost")
    environment.setdefault("MASTER_PORT", "29500")
    environment.setdefault("OMP_NUM_THREADS", str(_share(local)))


def _share(local: int) -> int:
    """Return the processors of one of the processes on a machine: its own, if the launcher has bound it to some."""
    own = all_of_them = _processes("auto")
    with contextlib.suppress(AttributeError, OSError):  # no Linux, or the launcher's process is not to be asked
        all_of_them = len(os.sched_getaffinity(os.getppid()))
    return own if own < all_of_them else max(1, own // local)
