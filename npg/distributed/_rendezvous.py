"""Ranks that no launcher of MPI has started meet at an address, so that MPI can begin between them.

Those of multiprocessing.spawn are such, or those that a shell starts with RANK, WORLD_SIZE, MASTER_ADDR and
MASTER_PORT.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from datetime import timedelta
from urllib.parse import urlsplit

from npg.distributed import _mpi
from npg.distributed._end import hand_over_output
from npg.distributed._sockets import connected, listening
from npg.distributed._stores import FileStore, PrefixStore, Store
from npg.distributed._work import DistNetworkError, DistStoreError

_GRACE = 1.0  # seconds that whoever has started the ranks has to end them and to tell why
_BETWEEN = 0.05  # seconds, the least to wait for the others
_MANAGER = os.path.join(os.path.dirname(__file__), "_manager.py")  # run, not imported: it takes a while to
_managers: list[subprocess.Popen[bytes]] = []  # that this process has started
_OTHER_MPI = (
    "process groups of processes that no launcher has started need MPICH (`pip install mpich`) or an MPI built on it; "
    "start the script by `npg run --nproc-per-node {size}` or `mpiexec -n {size} python`"
)


def asked_of_environment(name: str) -> str:
    """Return a variable that env:// needs. Raises: ValueError: where it is not set."""
    text = os.environ.get(name)
    if text is None:
        raise ValueError(
            f"Error initializing torch.distributed using env:// rendezvous: environment variable {name} expected, but "
            "not set"
        )
    return text


def _place(init_method: str | None) -> tuple[str, int] | Store:
    """Return where the ranks meet: a host and a port, or a store where rank 0 tells them.

    Raises: ValueError: without MASTER_ADDR and MASTER_PORT. RuntimeError: for another address.
    """
    if init_method is None or init_method.startswith("env://"):
        return asked_of_environment("MASTER_ADDR"), int(asked_of_environment("MASTER_PORT"))
    parts = urlsplit(init_method)
    if parts.scheme == "file":
        return FileStore(parts.netloc + parts.path)
    if parts.scheme != "tcp":
        raise RuntimeError(f"No rendezvous handler for {parts.scheme}://")
    if parts.port is None:
        raise ValueError("Error initializing torch.distributed using tcp:// rendezvous: port number missing")
    return str(parts.hostname), parts.port


def begin_mpi(place: str | Store | None, rank: int, size: int, timeout: timedelta) -> None:
    """Meet the other ranks, and begin MPI with all of them.

    Args: place: the init_method or the store of init_process_group. rank, size: of this process, and of all.
    Raises: DistStoreError: when some do not come in time. DistNetworkError: when the address cannot be had.
        RuntimeError: when their numbers do not fit. ValueError: for a rank out of range.
    """
    if not 0 <= rank < size:
        raise ValueError(f"rank {rank} is out of range: there are {size} processes")
    address = place if isinstance(place, Store) else _place(place)
    last = time.monotonic() + timeout.total_seconds()
    with contextlib.ExitStack() as undo:
        if isinstance(address, Store):
            board = PrefixStore("npg", address)
            if rank == 0:
                host = socket.gethostname()
                board.set("address", f"{host} {_offer(host, 0, size, undo)}")
            connection = _connect_by(board, last, timeout)
        else:
            host, port = address
            if rank == 0:
                _offer(host, port, size, undo)
            connection = connected(host, port, timeout, last)
        undo.callback(connection.close)
        host, port = connection.getpeername()[:2]
        connection.sendall(f"cmd=join rank={rank} size={size} host={_machine()} pid={os.getpid()}\n".encode())
        _wait_for_all(connection, last, timeout)
        undo.pop_all()
    os.register_at_fork(after_in_child=connection.close)  # it ends with this process
    os.environ.update(PMI_PORT=f"{host}:{port}", PMI_ID=str(rank))
    try:
        MPI = _mpi.load()
    finally:
        for name in ("PMI_PORT", "PMI_ID"):  # not for the processes that this one starts
            del os.environ[name]
    if MPI.COMM_WORLD.size != size:
        raise RuntimeError(_OTHER_MPI.format(size=size))
    threading.Thread(target=_watch, args=(connection, rank), daemon=True, name="npg: other ranks").start()


def _machine() -> str:
    return "-".join(socket.gethostname().split()) or "localhost"


def _offer(host: str, port: int, size: int, undo: contextlib.ExitStack) -> int:
    """Start the process manager, and return its port; `undo` ends it."""
    with listening(host, port) as server:
        command = [sys.executable, "-I", _MANAGER, str(server.fileno()), str(size)]
        manager = subprocess.Popen(
            command, pass_fds=(server.fileno(),), stdin=subprocess.DEVNULL, start_new_session=True
        )
        port = server.getsockname()[1]
    _managers.append(manager)
    undo.callback(manager.wait)
    undo.callback(manager.kill)
    return port


def _connect_by(board: Store, last: float, timeout: timedelta) -> socket.socket:
    """Connect to the address in a store. In a file may stand that of an earlier job, until rank 0 has written."""
    while True:
        host, port = board.get("address").decode().split()
        try:
            return connected(host, int(port), timeout, time.monotonic())
        except DistNetworkError:
            if time.monotonic() > last:
                raise


def _wait_for_all(connection: socket.socket, last: float, timeout: timedelta) -> None:
    connection.settimeout(max(last - time.monotonic(), _BETWEEN))
    try:
        answer = connection.recv(256).decode()
    except TimeoutError:
        seconds = int(timeout.total_seconds())
        raise DistStoreError(f"Timed out after {seconds} seconds waiting for the other ranks.") from None
    if answer != "all\n":
        raise RuntimeError(f"the ranks do not fit: {answer.strip() or 'rank 0 has ended'}")
    connection.settimeout(None)


def _watch(connection: socket.socket, rank: int) -> None:
    """End this process when another one dies: it would wait for ever."""
    with contextlib.suppress(OSError):
        words = connection.recv(64).decode().split()
        if len(words) == 2:
            time.sleep(_GRACE)
            print(f"[rank{rank}]: rank {words[0]} has ended with status {words[1]}", file=sys.stderr, flush=True)
            last_words = threading.Thread(target=hand_over_output, daemon=True)  # which may wait for who writes now
            last_words.start()
            last_words.join(_GRACE)
            os._exit(int(words[1]))
