"""Stores: what torch's do, over threads and processes."""

import signal
import socket
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
import torch

import npg
from tests.processes import running

LIBRARIES = (npg.distributed, torch.distributed)
KINDS = ["HashStore", "FileStore", "TCPStore", "PrefixStore", "PrefixStore of two"]


def _store(library, kind, folder):
    if kind == "FileStore":
        return library.FileStore(str(folder / library.__name__), 1)
    if kind == "TCPStore":
        return library.TCPStore("localhost", 0, 1, True)
    if kind == "PrefixStore":
        return library.PrefixStore("a", library.HashStore())
    if kind == "PrefixStore of two":
        return library.PrefixStore("a", library.PrefixStore("b", library.HashStore()))
    return library.HashStore()


CALLS = [
    ("set", "a", "1"), ("set", "b", b"\x00\xff\n"), ("get", "a"), ("get", "b"), ("add", "n", 5), ("add", "n", -2),
    ("get", "n"), ("compare_set", "c", "", "x"), ("compare_set", "c", "y", "z"), ("compare_set", "c", "x", "z"),
    ("get", "c"), ("compare_set", "none", "y", "z"), ("check", ["a", "q"]), ("check", ["a", "b"]), ("check", []),
    ("delete_key", "none yet"), ("wait", ["b", "c"]), ("append", "b", "k"), ("get", "b"), ("append", "new", "k"),
    ("get", "new"), ("multi_set", ["u", "v"], ["1", b"2"]), ("multi_get", ["u", "v"]), ("set", "e", ""), ("get", "e"),
    ("set", "ä", "ö"), ("get", "ä"), ("set", "long", "x" * 100_000), ("get", "long"), ("delete_key", "u"),
    ("check", ["u"]),
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_stores_do_what_those_of_torch_do(kind, tmp_path):
    ours, theirs = (_store(library, kind, tmp_path) for library in LIBRARIES)
    assert ours.timeout == theirs.timeout == timedelta(minutes=5)
    for name, *arguments in CALLS:
        # Those that torch's FileStore does otherwise than its others.
        if kind == "FileStore" and (name == "delete_key" or (name == "check" and arguments == [["u"]])):
            continue
        assert getattr(ours, name)(*arguments) == getattr(theirs, name)(*arguments), (name, arguments)
    if "Prefix" in kind:
        assert sorted(ours.list_keys()) == sorted(theirs.list_keys())
    if kind != "FileStore":  # torch counts what it keeps there for itself
        assert ours.num_keys() == theirs.num_keys()


@pytest.mark.parametrize("kind", KINDS)
def test_what_does_not_come_in_time_is_an_error(kind, tmp_path):
    for library in LIBRARIES:
        store = _store(library, kind, tmp_path)
        store.set_timeout(timedelta(milliseconds=60))
        assert store.timeout == timedelta(milliseconds=60)
        error = RuntimeError if kind == "FileStore" else library.DistStoreError
        for name, *arguments in [("get", "zz"), ("wait", ["zz"]), ("wait", ["zz"], timedelta(milliseconds=50))]:
            with pytest.raises(error, match=r"(?i)wait timeout|Timeout waiting for key: zz after [56]0 ms"):
                getattr(store, name)(*arguments)


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_arguments_are_refused_and_change_nothing(kind, tmp_path):
    store = _store(npg.distributed, kind, tmp_path)
    store.set("b", "word")
    with pytest.raises(ValueError, match="stoll"):
        store.add("b", 1)
    for name, *arguments in [
        ("set", 1, "2"),
        ("set", "b", 2),
        ("get", 1),
        ("append", "b", 1),
        ("compare_set", "b", 1, ""),
    ]:
        with pytest.raises(TypeError, match="incompatible function arguments"):
            getattr(store, name)(*arguments)
    assert store.get("b") == b"word"


@pytest.mark.parametrize("kind", KINDS)
def test_threads_share_a_store(kind, tmp_path):
    store = _store(npg.distributed, kind, tmp_path)

    def work(number):
        for _ in range(50):
            store.add("sum", 1)
        store.set(f"done {number}", "")

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    store.wait([f"done {i}" for i in range(4)])
    assert store.get("sum") == b"200"
    for thread in threads:
        thread.join()


WORKER = """
import sys
import npg.distributed as dist
kind, place, number = sys.argv[1:]
store = dist.FileStore(place, 3) if kind == "file" else dist.TCPStore("localhost", int(place), 3, False)
for _ in range(40):
    store.add("sum", 1)
store.set("from " + number, b"\\xff" * 1000)
store.wait(["from 0", "from 1"])
print(store.get("end").decode())
"""


@pytest.mark.parametrize("kind", ["file", "network"])
def test_processes_share_a_store(kind, tmp_path):
    place = str(tmp_path / "store")
    if kind == "network":
        with socket.create_server(("127.0.0.1", 0)) as free:
            place = str(free.getsockname()[1])
    command = [sys.executable, "-c", WORKER, kind, place]
    settings = {"stdout": subprocess.PIPE, "text": True}
    with running([*command, "0"], **settings) as first, running([*command, "1"], **settings) as second:
        if kind == "file":
            store = npg.distributed.FileStore(place, 3)
        else:
            store = npg.distributed.TCPStore("localhost", int(place), 3, True)
        assert store.multi_get(["from 0", "from 1"]) == [b"\xff" * 1000] * 2
        store.set("end", "over")
        assert first.communicate()[0] == second.communicate()[0] == "over\n"
        assert store.get("sum") == b"80"


def test_master_waits_for_the_others_and_a_port_has_one_master():
    for library in LIBRARIES:
        with pytest.raises(library.DistStoreError, match="1/2 clients joined"):
            library.TCPStore("localhost", 0, 2, True, timedelta(milliseconds=300))
        store = library.TCPStore("localhost", 0, 1, True)
        with pytest.raises(library.DistNetworkError, match=f"port: {store.port}, .*EADDRINUSE"):
            library.TCPStore("localhost", store.port, 1, True)
        again = library.TCPStore("localhost", store.port, None, False)
        store.set("x", "1")
        assert again.get("x") == b"1"
        del again
    first = npg.distributed.TCPStore("localhost", 0, None, True, multi_tenant=True)
    second = npg.distributed.TCPStore("localhost", first.port, None, True, multi_tenant=True)
    second.set("x", "2")
    assert first.get("x") == b"2"
    port = first.port
    del first
    assert second.get("x") == npg.distributed.TCPStore("localhost", port, None, False).get("x") == b"2"


def test_master_that_is_not_there_or_has_ended_is_an_error():
    for library in LIBRARIES:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with pytest.raises(library.DistNetworkError, match=r"timed out after 1?[0-9]00ms while trying to connect"):
            library.TCPStore("localhost", port, 1, False, timedelta(milliseconds=300))
    code = "import npg.distributed as d; s = d.TCPStore('localhost', 0, None, True); print(s.port, flush=True); input()"
    with running([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as master:
        store = npg.distributed.TCPStore("localhost", int(master.stdout.readline()), None, False)
        store.set("x", "1")
        master.kill()
        master.wait()
        with pytest.raises(npg.distributed.DistNetworkError, match="Connection was likely closed"):
            for _ in range(2):
                store.get("x")


def test_store_that_is_dropped_gives_its_port_back():
    store = npg.distributed.TCPStore("localhost", 0, None, True)
    port = store.port
    del store
    npg.distributed.TCPStore("localhost", port, None, True, timedelta(seconds=1))


class _Interrupted(Exception):
    pass


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="has no timers")
def test_answers_after_an_interrupt_are_those_to_what_was_asked():
    store = npg.distributed.TCPStore("localhost", 0, 1, True)
    store.multi_set(["a", "b"], ["A", "B"])

    def interrupt(*_):
        raise _Interrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for i in range(40):
            with pytest.raises(_Interrupted):
                signal.setitimer(signal.ITIMER_REAL, 5e-4 + 1e-5 * i)
                while True:
                    store.get("a")
                    store.get("b")
            assert store.multi_get(["a", "b"]) == [b"A", b"B"]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_port_that_is_none_is_refused():
    with pytest.raises(npg.distributed.DistNetworkError, match="port: 99999, .*invalid argument"):
        npg.distributed.TCPStore("localhost", 99999, 1, True)


def test_what_no_store_has_sent_is_answered_and_changes_nothing():
    store = npg.distributed.TCPStore("localhost", 0, None, True)
    store.set("a", "1")
    for line in (b"\xff\n", b"no\n", b"[]\n", b'["__init__"]\n', b'["set"]\n', b'["keys", {"x": 1}]\n', b"7\n"):
        with socket.create_connection(("127.0.0.1", store.port)) as other:
            other.sendall(line)
            assert other.recv(10).startswith(b"[null")
    assert store.get("a") == b"1"
