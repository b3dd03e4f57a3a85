"""Processes that run a function each, and are waited for together. Source: torch.multiprocessing.spawn."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import pickle
import shutil
import signal
import sys
import tempfile
import time
import traceback
import weakref
from collections.abc import Callable
from typing import Any

from npg._errors import warn
from npg._naming import named

ENV_VAR_PARALLEL_START = "TORCH_MP_PARALLEL_START"


class ProcessException(Exception):
    """Raised when a process has failed.

    Attributes:
        error_index: which of the processes.
        pid: its number.
    """

    __slots__ = ("error_index", "error_pid", "msg", "pid")

    def __init__(self, msg: str, error_index: int, pid: int) -> None:
        super().__init__(msg)
        self.msg, self.error_index, self.pid = msg, error_index, pid

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.msg, self.error_index, self.pid)


class ProcessRaisedException(ProcessException):
    """Raised when the function has raised in a process; the text has its traceback."""

    def __init__(self, msg: str, error_index: int, error_pid: int) -> None:
        super().__init__(msg, error_index, error_pid)
        self.error_pid = error_pid


class ProcessExitedException(ProcessException):
    """Raised when a process has ended otherwise.

    Attributes:
        exit_code: its exit code, negative for a signal.
        signal_name: the signal's name, or None.
    """

    __slots__ = ("exit_code", "signal_name")

    def __init__(
        self, msg: str, error_index: int, error_pid: int, exit_code: int, signal_name: str | None = None
    ) -> None:
        super().__init__(msg, error_index, error_pid)
        self.error_pid = error_pid
        self.exit_code, self.signal_name = exit_code, signal_name

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.msg, self.error_index, self.pid, self.exit_code, self.signal_name)


def _wrap(fn: Callable[..., Any], i: int, args: tuple[Any, ...], error_file: str) -> None:
    """Call fn(i, *args) in a process; what it raises is written to a file, as a pickled text."""
    try:
        fn(i, *args)
    except KeyboardInterrupt:
        pass  # the parent is interrupted too, and says so
    except Exception:
        with open(error_file, "wb") as file:
            pickle.dump(traceback.format_exc(), file)
        sys.exit(1)


class ProcessContext:
    """Processes that were started together.

    Attributes:
        processes: they.
        sentinels: what becomes ready when one of them ends, with its index.
        error_files: where each writes what it raises.
    """

    def __init__(self, processes: list[Any], error_files: list[str]) -> None:
        self.processes, self.error_files = processes, error_files
        self.sentinels = {process.sentinel: index for index, process in enumerate(processes)}

    def pids(self) -> list[int]:
        """Return the numbers of the processes."""
        return [int(process.pid) for process in self.processes]

    def join(self, timeout: float | None = None, grace_period: float | None = None) -> bool:
        """Wait until one process fails, or for the next that ends; the others of one that failed are stopped.

        Args:
            timeout: seconds to wait for it; None: without end.
            grace_period: seconds that the others have to end, before they are killed.
        Returns: whether all have ended.
        Raises: ProcessRaisedException, ProcessExitedException: when one has failed.
        """
        if not self.sentinels:
            return True
        ready = multiprocessing.connection.wait(list(self.sentinels), timeout=timeout)
        failed = None
        for sentinel in ready:
            index = self.sentinels.pop(sentinel)
            self.processes[index].join()
            if self.processes[index].exitcode != 0:
                failed = index
                break
        if failed is None:
            return not self.sentinels
        self._stop(grace_period)
        self._raise(failed)
        return False

    def _stop(self, grace_period: float | None) -> None:
        """End all processes, in the grace period or by force."""
        if grace_period is not None:
            end = time.monotonic() + grace_period
            for process in self.processes:
                process.join(max(0.0, end - time.monotonic()))
        for process in self.processes:
            if process.is_alive():
                process.terminate()
        end = time.monotonic() + (30 if grace_period is None else grace_period)
        for process in self.processes:
            process.join(max(0.0, end - time.monotonic()))
            if process.is_alive():
                warn(f"Unable to shutdown process {process.pid} via SIGTERM, forcefully exiting via SIGKILL")
                process.kill()
            process.join()

    def _raise(self, index: int) -> None:
        process, error_file = self.processes[index], self.error_files[index]
        if os.path.exists(error_file) and os.path.getsize(error_file):
            with open(error_file, "rb") as file:
                text = pickle.load(file)
            raise ProcessRaisedException(
                f"\n\n-- Process {index} terminated with the following error:\n{text}", index, process.pid
            )
        code = process.exitcode
        if code < 0:
            name = signal.Signals(-code).name
            raise ProcessExitedException(
                f"process {index} terminated with signal {name}", index, process.pid, code, name
            )
        raise ProcessExitedException(f"process {index} terminated with exit code {code}", index, process.pid, code)


class SpawnContext(ProcessContext):
    """Processes that were started by spawn(): the old name of ProcessContext."""

    def __init__(self, processes: list[Any], error_files: list[str]) -> None:
        warn("SpawnContext is renamed to ProcessContext since 1.4 release.")
        super().__init__(processes, error_files)


def start_processes(
    fn: Callable[..., Any],
    args: tuple[Any, ...] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
    numa_options: Any = None,
    duplicate_stdout_filters: Any = None,
    duplicate_stderr_filters: Any = None,
) -> ProcessContext | None:
    """Start processes that call fn(index, *args).

    Args:
        nprocs: how many.
        join: wait for them.
        daemon: they end with this process.
        start_method: "spawn", "fork" or "forkserver".
        numa_options: not supported.
    Returns: None when they were waited for, else the processes.
    Raises: as ProcessContext.join. NotImplementedError: for numa_options and filters.
    Source: torch.multiprocessing.start_processes.
    """
    if numa_options or duplicate_stdout_filters or duplicate_stderr_filters:
        raise NotImplementedError(
            named("npg.multiprocessing binds no processes and filters no output; leave these arguments out")
        )
    context: Any = multiprocessing.get_context(start_method)
    folder = tempfile.mkdtemp(prefix="npg-spawn-")
    processes: list[Any] = []
    error_files = [os.path.join(folder, str(index)) for index in range(nprocs)]
    try:
        for index, error_file in enumerate(error_files):
            process = context.Process(target=_wrap, args=(fn, index, args, error_file), daemon=daemon)
            process.start()
            processes.append(process)
    except BaseException:  # what was started must not stay behind
        for process in processes:
            process.terminate()
            process.join()
        shutil.rmtree(folder, ignore_errors=True)
        raise
    started = ProcessContext(processes, error_files)
    clean = weakref.finalize(started, shutil.rmtree, folder, ignore_errors=True)
    if not join:
        return started
    try:
        while not started.join():
            pass
    except BaseException:
        started._stop(0.0)
        raise
    finally:
        clean()
    return None


def spawn(
    fn: Callable[..., Any],
    args: tuple[Any, ...] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:
    """Start processes by spawn that call fn(index, *args); see start_processes.

    Source: torch.multiprocessing.spawn.
    """
    if start_method != "spawn":
        warn(
            f"This method only supports start_method=spawn (got: {start_method}).\nTo use a different start_method "
            "use:\n"
            "\t\t npg.multiprocessing.start_processes(...)",
            FutureWarning,
        )
    return start_processes(fn, args, nprocs, join, daemon, start_method="spawn")
