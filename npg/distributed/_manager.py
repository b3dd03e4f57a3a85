"""The process manager of ranks that no launcher of MPI has started, such as those of multiprocessing.spawn.

Rank 0 runs this file as a process of its own: a thread could not answer while MPI holds the interpreter. It needs
nothing but Python. MPICH, and what is built on it, asks its process manager by PMI 1: lines of key=value over a socket
(MPICH, src/pmi/src/pmi_v1.c). Before that each rank joins by a connection of its own, on which it also learns that
another one has died.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable

_PATIENCE = 3.0  # seconds that ranks have to end by themselves when another one has died
_LENGTHS = "cmd=maxes kvsname_max=256 keylen_max=64 vallen_max=1024"


class Manager:
    """What the ranks tell each other while MPI begins and ends.

    Args: size: the number of ranks.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.name = f"kvs_{os.getpid()}_{secrets.token_hex(4)}"  # of one job: MPI names its shared memory after it
        self.hosts: dict[int, str] = {}
        self.pids: dict[int, int] = {}
        self.joined: dict[int, asyncio.StreamWriter] = {}
        self.values: dict[str, str] = {}
        self.waiting: list[asyncio.StreamWriter] = []  # in the barrier
        self.finished: set[int] = set()
        self.status: int | None = None  # of the first that has failed
        self.is_over = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection: a rank's own, or the one of its MPI."""
        rank, is_own = -1, False
        answers: dict[str, Callable[[dict[str, str]], str]] = {
            "init": lambda _: "cmd=response_to_init pmi_version=1 pmi_subversion=1 rc=0",
            "get_maxes": lambda _: _LENGTHS,
            "get_appnum": lambda _: "cmd=appnum appnum=0",
            "get_my_kvsname": lambda _: f"cmd=my_kvsname kvsname={self.name}",
            "get_universe_size": lambda _: f"cmd=universe_size size={self.size}",
            "put": self._put,
            "get": self._get,
        }
        try:
            while line := (await reader.readline()).decode():
                words = dict(word.split("=", 1) for word in line.split() if "=" in word)
                command = words.get("cmd", "")
                if command == "join":
                    rank = int(words["rank"])
                    refused = self._join(rank, int(words["size"]), words["host"], int(words["pid"]), writer)
                    is_own = not refused
                    if refused:
                        writer.write(f"{refused}\n".encode())
                elif command == "initack":
                    rank = int(words["pmiid"])
                    lines = ("cmd=initack rc=0", f"cmd=set size={self.size}", f"cmd=set rank={rank}", "cmd=set debug=0")
                    writer.write("".join(f"{text}\n" for text in lines).encode())
                elif command == "barrier_in":
                    self.waiting.append(writer)
                    if len(self.waiting) == self.size:
                        for other in self.waiting:
                            other.write(b"cmd=barrier_out\n")
                        self.waiting.clear()
                elif command == "finalize":
                    self.finished.add(rank)
                    writer.write(b"cmd=finalize_ack\n")
                elif command == "abort":
                    self._fail(rank, int(words.get("exitcode", 1)))
                elif command in answers:
                    writer.write(f"{answers[command](words)}\n".encode())
                else:
                    writer.write(f"cmd={command} rc=-1\n".encode())
        except (OSError, ValueError, KeyError):  # a connection that is lost, or is not one of a rank
            pass
        except asyncio.CancelledError:  # all is over, and a child of a rank still has its connection
            return
        if is_own:
            self._left(rank)
        writer.close()

    def _join(self, rank: int, size: int, host: str, pid: int, writer: asyncio.StreamWriter) -> str:
        if size != self.size:
            return f"rank 0 has world_size {self.size}, and rank {rank} has {size}"
        if not 0 <= rank < size or rank in self.joined:
            return f"rank {rank} has joined already" if rank in self.joined else f"rank {rank} is not below {size}"
        self.joined[rank], self.hosts[rank], self.pids[rank] = writer, host, pid
        if len(self.joined) == size:
            self.values["PMI_process_mapping"] = self._mapping()
            for other in self.joined.values():
                other.write(b"all\n")
        return ""

    def _mapping(self) -> str:
        """Return which machine each rank is on: (number, 1, ranks) for consecutive ones, by which MPI shares memory."""
        numbers: dict[str, int] = {}
        blocks = [
            f"({numbers.setdefault(host, len(numbers))},1,{len(list(ranks))})"
            for host, ranks in itertools.groupby(self.hosts[rank] for rank in range(self.size))
        ]
        return f"(vector,{','.join(blocks)})"

    def _put(self, words: dict[str, str]) -> str:
        self.values[words["key"]] = words["value"]
        return "cmd=put_result rc=0 msg=success"

    def _get(self, words: dict[str, str]) -> str:
        value = self.values.get(words["key"])
        if value is None:
            return "cmd=get_result rc=-1 msg=key_not_found value=unknown"
        return f"cmd=get_result rc=0 msg=success value={value}"

    def _fail(self, rank: int, status: int) -> None:
        if self.status is None:
            self.status = status or 1
            for other, writer in self.joined.items():
                if other != rank:
                    writer.write(f"{rank} {self.status}\n".encode())
            asyncio.get_running_loop().call_later(_PATIENCE, self._end_stuck)

    def _end_stuck(self) -> None:
        """End the ranks of this machine that have not heard: MPI's beginning holds their interpreter."""
        for rank, pid in self.pids.items():
            if rank not in self.finished and self.hosts[rank] == self.hosts[0]:  # where this process runs, too
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGTERM)

    def _left(self, rank: int) -> None:
        if len(self.joined) < self.size:  # nothing has begun: it may come again
            del self.joined[rank], self.hosts[rank], self.pids[rank]
            if rank == 0:
                self.is_over.set()
            return
        if rank not in self.finished:
            self._fail(rank, 1)
        self.finished.add(rank)
        if len(self.finished) == self.size:
            self.is_over.set()


async def _manage(number: int, size: int) -> None:
    manager = Manager(size)
    server = await asyncio.start_server(manager.serve, sock=socket.socket(fileno=number))
    async with server:
        await manager.is_over.wait()
        await asyncio.sleep(0.1)  # what was written goes out


if __name__ == "__main__":
    asyncio.run(_manage(int(sys.argv[1]), int(sys.argv[2])))
