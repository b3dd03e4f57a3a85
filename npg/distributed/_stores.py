"""Stores: bytes by key that several processes share. Source: torch.distributed.Store.

All are a dictionary that one at a time works on: of this process, in a file, or of the process that has made a
TCPStore as master, which answers the others by lines of JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import socketserver
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from npg.distributed._sockets import connected, listening
from npg.distributed._work import DistNetworkError, DistStoreError

_MINUTES = timedelta(minutes=5)
_PAUSE, _LONGEST_PAUSE = 1e-3, 2e-2  # seconds between two looks for a key
_GONE = "Failed to recv, got 0 bytes. Connection was likely closed. Did the remote server shutdown or crash?"


def _bytes(value: Any, name: str) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    raise TypeError(f"{name}(): incompatible function arguments: expected str or bytes, got {type(value).__name__}")


def _number(value: bytes) -> int:
    try:
        return int(value)
    except ValueError:
        raise ValueError("stoll") from None


class _Table:
    """The dictionary, and what may be done with it."""

    def __init__(self, values: dict[str, bytes] | None = None) -> None:
        self.values = {} if values is None else values

    def set(self, key: str, value: bytes) -> None:
        self.values[key] = value

    def look(self, key: str) -> bytes | None:
        return self.values.get(key)

    def add(self, key: str, amount: int) -> int:
        total = _number(self.values.get(key, b"0")) + amount
        self.values[key] = str(total).encode()
        return total

    def append(self, key: str, value: bytes) -> None:
        self.values[key] = self.values.get(key, b"") + value

    def compare_set(self, key: str, expected: bytes, desired: bytes) -> bytes:
        found = self.values.get(key)
        if found == expected or (found is None and not expected):
            self.values[key] = desired
            return desired
        return expected if found is None else found

    def delete(self, key: str) -> bool:
        return self.values.pop(key, None) is not None

    def keys(self) -> list[str]:
        return list(self.values)


_ACTIONS = {name: action for name, action in vars(_Table).items() if not name.startswith("_")}


class Store:
    """Bytes by key that processes share.

    Attributes: timeout: how long get and wait may take; 5 minutes unless told.
    """

    def __init__(self) -> None:
        self._timeout = _MINUTES

    def _do(self, what: str, *arguments: Any) -> Any:
        """Do one thing with the table, undivided."""
        raise NotImplementedError(f"{type(self).__name__} defines _do")

    def _too_late(self, keys: Sequence[str], limit: timedelta) -> Exception:
        return DistStoreError("Wait timeout")

    @property
    def timeout(self) -> timedelta:
        """How long get and wait may take."""
        return self._timeout

    def set_timeout(self, timeout: timedelta) -> None:
        """Set how long get and wait may take."""
        self._timeout = timeout

    def set(self, key: str, value: str | bytes) -> None:
        """Store a value under a key; a str as UTF-8."""
        self._do("set", self._key(key), _bytes(value, "set"))

    def get(self, key: str) -> bytes:
        """Return the value of a key, once it is there.

        Raises: DistStoreError: when it is not there in time.
        """
        found: bytes = self._wait([self._key(key)], self._timeout)[0]
        return found

    def add(self, key: str, amount: int) -> int:
        """Add to the number under a key, 0 if there is none, and return the sum.

        Raises: ValueError: when there is no number. TypeError: for an amount that is no int of 64 bits.
        """
        if not isinstance(amount, int) or not -(2**63) <= amount < 2**63:
            raise TypeError(f"add(): incompatible function arguments: expected an int of 64 bits, got {amount!r}")
        total: int = self._do("add", self._key(key), int(amount))
        return total

    def append(self, key: str, value: str | bytes) -> None:
        """Add bytes to the end of the value of a key."""
        self._do("append", self._key(key), _bytes(value, "append"))

    def compare_set(self, key: str, expected_value: str | bytes, desired_value: str | bytes) -> bytes:
        """Store a value if the present one is the expected one, or none is there and the expected one is empty.

        Returns: what is stored then; where nothing is, the expected value.
        """
        expected, desired = _bytes(expected_value, "compare_set"), _bytes(desired_value, "compare_set")
        found: bytes = self._do("compare_set", self._key(key), expected, desired)
        return found

    def check(self, keys: Sequence[str]) -> bool:
        """Tell whether all keys are there."""
        return all(self._do("look", self._key(key)) is not None for key in keys)

    def wait(self, keys: Sequence[str], timeout: timedelta | None = None) -> None:
        """Wait until all keys are there. Raises: DistStoreError: when they are not in time."""
        self._wait([self._key(key) for key in keys], self._timeout if timeout is None else timeout)

    def multi_get(self, keys: Sequence[str]) -> list[bytes]:
        """Return the values of several keys, once they are there."""
        return self._wait([self._key(key) for key in keys], self._timeout)

    def multi_set(self, keys: Sequence[str], values: Sequence[str | bytes]) -> None:
        """Store several values."""
        for key, value in zip(keys, values, strict=True):
            self.set(key, value)

    def num_keys(self) -> int:
        """Return the number of keys."""
        return len(self._do("keys"))

    def list_keys(self) -> list[str]:
        """Return the keys."""
        keys: list[str] = self._do("keys")
        return keys

    def delete_key(self, key: str) -> bool:
        """Remove a key; return whether it was there."""
        return bool(self._do("delete", self._key(key)))

    def has_extended_api(self) -> bool:
        """Return True: append, multi_get and multi_set are there."""
        return True

    def _key(self, key: Any) -> str:
        if not isinstance(key, str):
            raise TypeError(f"incompatible function arguments: expected a key of type str, got {type(key).__name__}")
        return key

    def _wait(self, keys: Sequence[str], limit: timedelta) -> list[bytes]:
        last, pause = time.monotonic() + limit.total_seconds(), _PAUSE
        found: list[bytes] = []
        for key in keys:
            while (value := self._do("look", key)) is None:
                if time.monotonic() > last:
                    raise self._too_late(keys, limit)
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            found.append(value)
        return found


class HashStore(Store):
    """A store of this process, for its threads."""

    def __init__(self) -> None:
        super().__init__()
        self._table, self._lock = _Table(), threading.Lock()

    def _do(self, what: str, *arguments: Any) -> Any:
        with self._lock:
            return getattr(self._table, what)(*arguments)


class PrefixStore(Store):
    """Another store, with a prefix before each key.

    Args: prefix: what stands before the keys. store: the other one.
    """

    def __init__(self, prefix: str, store: Store) -> None:
        super().__init__()
        self._prefix, self._store = prefix, store

    @property
    def underlying_store(self) -> Store:
        """The other store."""
        return self._store

    @property
    def timeout(self) -> timedelta:
        """How long get and wait may take: that of the other store."""
        return self._store.timeout

    def set_timeout(self, timeout: timedelta) -> None:
        """Set how long get and wait may take."""
        self._store.set_timeout(timeout)

    def list_keys(self) -> list[str]:
        """Return the keys with this prefix, without it."""
        before = self._key("")
        return [key.removeprefix(before) for key in self._do("keys") if key.startswith(before)]

    def _key(self, key: Any) -> str:
        return self._store._key(f"{self._prefix}/{super()._key(key)}")

    def _do(self, what: str, *arguments: Any) -> Any:
        return self._store._do(what, *arguments)

    def _wait(self, keys: Sequence[str], limit: timedelta) -> list[bytes]:
        return self._store._wait(keys, self.timeout if limit is self._timeout else limit)


class FileStore(Store):
    """A store in a file, which all processes can open.

    Args: file_name: its path. world_size: accepted; the file stays when all have ended.
    """

    def __init__(self, file_name: str, world_size: int = -1) -> None:
        super().__init__()
        self._path = os.fspath(file_name)
        with self._opened():
            pass

    @property
    def path(self) -> str:
        """The path of the file."""
        return self._path

    def _too_late(self, keys: Sequence[str], limit: timedelta) -> Exception:
        milliseconds = int(limit.total_seconds() * 1000)
        return RuntimeError(f"Timeout waiting for key: {keys[-1]} after {milliseconds} ms")

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Any]:
        import fcntl  # not on Windows

        with open(self._path, "a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # until it is closed
            yield file

    def _do(self, what: str, *arguments: Any) -> Any:
        with self._opened() as file:
            file.seek(0)
            before = file.read()
            table = _Table({key: value.encode("latin-1") for key, value in json.loads(before or b"{}").items()})
            result = getattr(table, what)(*arguments)
            after = json.dumps({key: value.decode("latin-1") for key, value in table.values.items()}).encode()
            if after != before:
                file.truncate(0)
                file.write(after)
        return result


# ----- Over the network -----


def _packed(values: Sequence[Any]) -> bytes:
    return json.dumps(values, default=lambda x: {"bytes": x.decode("latin-1")}).encode() + b"\n"


def _unpacked(line: bytes) -> Any:
    return json.loads(line, object_hook=lambda x: x["bytes"].encode("latin-1"))


class _Answering(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        with contextlib.suppress(OSError):  # the other one has ended
            for line in self.rfile:
                self.wfile.write(_packed(self._answer(line)))

    def _answer(self, line: bytes) -> list[Any]:
        server: Any = self.server
        try:
            what, *arguments = _unpacked(line)
            with server.lock:
                return [_ACTIONS[what](server.table, *arguments)]
        except (ValueError, TypeError, LookupError, AttributeError) as error:  # or nothing that a store has sent
            return [None, str(error)]


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, host: str, port: int) -> None:
        super().__init__((host, port), _Answering, bind_and_activate=False)
        self.socket.close()
        self.socket = listening(host, port)
        self.server_address = self.socket.getsockname()
        self.table, self.lock, self.users = _Table(), threading.Lock(), 0
        threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True, name="npg: TCPStore").start()


def _close(*files: Any) -> None:
    for file in files:
        file.close()


def _leave_server(server: _Server) -> None:
    server.users -= 1
    if not server.users:
        server.shutdown()
        server.server_close()


class TCPStore(Store):
    """A store of the process that makes it as master, for all that reach its address. Whoever does may read and write.

    Args:
        host_name, port: the master's address; 0: a free port.
        world_size: the number of processes with such a store, which the master waits for; None: it does not.
        is_master: whether this process keeps the values.
        timeout: how long get and wait may take, and to wait for the others.
        wait_for_workers: whether the master waits.
        multi_tenant: whether a master may stand for another one of this process at the same port.
        master_listen_fd, use_libuv: accepted and ignored.
    Raises: DistNetworkError: when the address cannot be had, or nobody answers there. DistStoreError: when some of the
        others do not come in time.
    """

    _masters: weakref.WeakValueDictionary[int, _Server] = weakref.WeakValueDictionary()

    def __init__(
        self,
        host_name: str,
        port: int,
        world_size: int | None = None,
        is_master: bool = False,
        timeout: timedelta = _MINUTES,
        wait_for_workers: bool = True,
        multi_tenant: bool = False,
        master_listen_fd: int | None = None,
        use_libuv: bool = True,
    ) -> None:
        super().__init__()
        self._host, self._port, self._timeout = host_name, int(port), timeout
        self._server: _Server | None = None
        if is_master:
            self._server = self._masters.get(self._port) if multi_tenant and port else None
            if self._server is None:
                self._server = _Server(self._host, self._port)
            self._server.users += 1
            weakref.finalize(self, _leave_server, self._server).atexit = False
            self._port = self._server.server_address[1]
            self._masters[self._port] = self._server
        self._lock = threading.Lock()
        self._begin()
        count = self.add("init/", 1)
        if is_master and wait_for_workers and world_size is not None:
            last = time.monotonic() + timeout.total_seconds()
            while (count := self.add("init/", 0)) < world_size:
                if time.monotonic() > last:
                    seconds = int(timeout.total_seconds())
                    raise DistStoreError(
                        f"Timed out after {seconds} seconds waiting for clients. {count}/{world_size} clients joined."
                    )
                time.sleep(_LONGEST_PAUSE)

    def _begin(self) -> None:
        host = "localhost" if self._server is not None else self._host
        self._connection = connected(host, self._port, self._timeout)
        self._answers = self._connection.makefile("rb")
        self._end = weakref.finalize(self, _close, self._answers, self._connection)

    @property
    def host(self) -> str:
        """The name of the master's machine."""
        return self._host

    @property
    def port(self) -> int:
        """The master's port."""
        return self._port

    def _too_late(self, keys: Sequence[str], limit: timedelta) -> Exception:
        text = ", ".join(f"/{key}" for key in keys)
        return DistStoreError(f"wait timeout after {int(limit.total_seconds() * 1000)}ms, keys: {text}")

    def _do(self, what: str, *arguments: Any) -> Any:
        with self._lock:
            try:
                self._connection.sendall(_packed([what, *arguments]))
                line = self._answers.readline()
            except OSError:
                line = b""
            except BaseException:  # such as Ctrl-C: the answer to this may still come, and is not that to the next
                self._end()
                self._begin()
                raise
        if not line:
            raise DistNetworkError(_GONE)
        value, *error = _unpacked(line)
        if error:
            raise ValueError(error[0])
        return value
