"""Processes that tests start: SIGINT interrupts them even where it is ignored here (under nohup, in the background of a
script), and none of them, nor a child of theirs, outlives its time or its test."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["default_interrupt", "run", "running"]


@contextlib.contextmanager
def default_interrupt() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt within: processes that are started here inherit that it is not ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _kill(process: subprocess.Popen[Any]) -> None:
    """Kill a process and those that it has started."""
    with contextlib.suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


@contextlib.contextmanager
def running(command: Sequence[str], timeout: float = 120, **settings: Any) -> Iterator[subprocess.Popen[Any]]:
    """Start a process, and kill it at the end of the block or after some seconds, so that reading from it ends."""
    with default_interrupt():
        process = subprocess.Popen(command, start_new_session=True, **settings)
    watch = threading.Timer(timeout, _kill, (process,))
    watch.daemon = True
    watch.start()
    try:
        yield process
    finally:
        watch.cancel()
        if process.poll() is None:
            _kill(process)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        process.wait()


def run(
    command: Sequence[str], timeout: float = 300, *, capture_output: bool = False, check: bool = False, **settings: Any
) -> subprocess.CompletedProcess[Any]:
    """Do what subprocess.run does; a process that takes longer is killed with all that it has started.

    Raises: subprocess.TimeoutExpired, subprocess.CalledProcessError.
    """
    if capture_output:
        settings |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with running(command, timeout + 60, **settings) as process:
        out, errors = process.communicate(timeout=timeout)
        done = subprocess.CompletedProcess(command, process.returncode, out, errors)
    if check:
        done.check_returncode()
    return done
