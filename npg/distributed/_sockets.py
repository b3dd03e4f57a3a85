"""Sockets by which ranks and stores meet, with PyTorch's errors."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import time
from datetime import timedelta

from npg.distributed._work import DistNetworkError

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PAUSE = 0.05  # seconds between two tries


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens at a port, 0 for a free one: for this machine where host is its own loopback.

    Raises: DistNetworkError: when the port cannot be had.
    """
    try:
        if not 0 <= port < 1 << 16:
            raise OSError(errno.EINVAL, "")
        return socket.create_server(("127.0.0.1" if host in _LOOPBACK else "", port), backlog=1024)
    except OSError as error:
        number = error.errno or 0
        raise DistNetworkError(
            f"The server socket has failed to listen on any local network address. port: {port}, useIpv6: false, code: "
            f"-{number}, name: {errno.errorcode.get(number, '')}, message: {os.strerror(number).lower()}"
        ) from None


def connected(host: str, port: int, timeout: timedelta, last: float | None = None) -> socket.socket:
    """Return a blocking connection to an address, where somebody may listen only later.

    Args: timeout: how long to try. last: the time of time.monotonic() until which to try, if it is another one.
    Raises: DistNetworkError: when nobody has answered in time.
    """
    last = time.monotonic() + timeout.total_seconds() if last is None else last
    while True:
        with contextlib.suppress(OSError):
            address = "127.0.0.1" if host in _LOOPBACK else host, port
            connection = socket.create_connection(address, max(last - time.monotonic(), _PAUSE))
            connection.settimeout(None)
            return connection
        if time.monotonic() > last:
            milliseconds = int(timeout.total_seconds() * 1000)
            raise DistNetworkError(
                f"The client socket has timed out after {milliseconds}ms while trying to connect to ({host}, {port})."
            )
        time.sleep(_PAUSE)
