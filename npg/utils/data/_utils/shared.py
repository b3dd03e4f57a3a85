"""Batches through memory that a worker and the main process share.

A worker makes blocks of memory: files without a name, which it sends to the main process as open file descriptors.
Nothing stands in /dev/shm and no size is set for it, and the kernel frees a block with the last process that has it,
however that ends. Large arrays of a batch lie in blocks, and the message that announces the batch says where. When the
batch is no longer used, the main process says so with its next order, and the worker uses the block again.

A batch whose block cannot be made (no memory, no file descriptor left) comes through the pipe, with a warning; on a
system that cannot send descriptors (Windows) all do. A program that keeps many batches has as many blocks; from MOST on
it gets copies instead.
"""

from __future__ import annotations

import ctypes
import functools
import io
import math
import mmap
import os
import pickle
import socket
import sys
import weakref
from collections import deque
from collections.abc import Iterable
from multiprocessing.reduction import ForkingPickler
from typing import Any

import numpy as np

from npg.tensor.sharing import new_file as _new_file

LEAST = 16 * 1024  # bytes from which an array lies in a block; smaller ones come through the pipe
MOST = 1024  # blocks that batches in use may have; then there are copies. Systems limit the number of mappings
_SPARE = 4  # blocks that a worker keeps though their size was not wanted
_CAN_SEND = hasattr(socket, "send_fds") and sys.platform != "win32"

# Where a buffer lies: block, offset, length. What a worker sends: the pickle of the batch (or where it lies), where its
# buffers lie, new blocks and their sizes, blocks to be forgotten, why a block could not be made.
Place = tuple[int, int, int]
Packed = tuple[bytes | Place, list[Place], list[tuple[int, int]], list[int], str]


class _Lease:
    """The memory of a block, kept as long as an array on it; the array's base is the lease."""

    def __init__(self, block: _Block, ended: deque[int] | None = None) -> None:
        self.block = block
        self.ended = ended
        self.__array_interface__ = {
            "data": (block.address, False),
            "shape": (block.size,),
            "typestr": "|u1",
            "version": 3,
        }

    def __del__(self) -> None:
        if self.ended is not None:
            self.ended.append(self.block.number)  # in whichever thread the last array goes: this is atomic


class _Block:
    """A block of memory, in this process; the descriptor may be closed. Raises: OSError: when it cannot be mapped."""

    address = 0

    def __init__(self, number: int, file: int, size: int) -> None:
        self.number = number
        self.size = size
        self._unmap = _system().munmap  # at hand when Python ends
        self.address = _map(file, size)
        self.sent = 0  # in a worker: how many batches in the main process lie in it
        self._lease: weakref.ref[_Lease] | None = None

    def array(self) -> np.ndarray[Any, Any]:
        """Return the whole block for the worker; see is_free."""
        lease = _Lease(self)
        self._lease = weakref.ref(lease)
        return np.asarray(lease)

    def __del__(self) -> None:
        if self.address:
            self._unmap(self.address, self.size)

    @property
    def is_free(self) -> bool:
        """Whether neither process uses the block any more; a worker asks."""
        return not self.sent and (self._lease is None or self._lease() is None)


@functools.cache
def _system() -> Any:
    """Return the C library. The mapping of Python's mmap would keep a file descriptor open, for each block."""
    library = ctypes.CDLL(None, use_errno=True)
    library.mmap.restype = ctypes.c_void_p
    library.mmap.argtypes = [
        ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long
    ]  # fmt: skip
    library.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    return library


def _map(file: int, size: int) -> int:
    """Return the address of a file's memory in this process."""
    flags = mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0)
    address: int = _system().mmap(None, size, mmap.PROT_READ | mmap.PROT_WRITE, flags, file, 0)
    if address == ctypes.c_void_p(-1).value:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return address


def _socket_of(connection: Any) -> socket.socket:
    """Return a socket for a connection, on a descriptor of its own: a socket that is dropped closes its descriptor."""
    stream = socket.socket(fileno=os.dup(connection.fileno()))
    stream.settimeout(None)
    return stream


# ----- In a worker -----

arena: Arena | None = None  # of this process, when it is a worker


class Arena:
    """The blocks of a worker.

    Args:
        connection: with the main process.
    """

    def __init__(self, connection: Any) -> None:
        self._stream = _socket_of(connection) if _CAN_SEND else None
        self._blocks: dict[int, _Block] = {}
        self._made = 0
        self._new: list[tuple[_Block, int]] = []  # with the descriptors, which the main process does not have yet
        self._forgotten: list[int] = []
        self._trouble = ""

    def empty(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
        """Return an uninitialised array, in a block where it is large and one can be made."""
        size = math.prod(shape) * dtype.itemsize
        block = self._block(size) if size >= LEAST else None
        if block is None:
            return np.empty(shape, dtype)
        return block.array()[:size].view(dtype).reshape(shape)

    def release(self, numbers: Iterable[int]) -> None:
        """Note blocks that batches in the main process no longer use, one entry for each batch."""
        for number in numbers:
            self._blocks[number].sent -= 1

    def _block(self, size: int) -> _Block | None:
        """Return a free block of at least this size, the smallest that fits, or a new one; None when that fails."""
        free = sorted((block for block in self._blocks.values() if block.is_free), key=lambda block: block.size)
        for block in free:
            if size <= block.size <= 2 * size + LEAST:
                return block
        for block in free[: max(0, len(free) - _SPARE)]:
            del self._blocks[block.number]
            self._forgotten.append(block.number)
        if not _CAN_SEND:
            return None
        step = max(mmap.PAGESIZE, 1 << max(0, size.bit_length() - 4))  # so that batches of varying sizes share blocks
        try:
            file = _new_file(-(-size // step) * step)
        except OSError as error:
            self._trouble = str(error)
            return None
        try:
            block = _Block(self._made, file, -(-size // step) * step)
        except OSError as error:
            os.close(file)
            self._trouble = str(error)
            return None
        self._made += 1
        self._blocks[block.number] = block
        self._new.append((block, file))
        return block

    def _place(self, memory: memoryview, taken: set[int]) -> Place | None:
        """Return where memory lies, copied into a block if it lies in none; None when there is no block for it.

        Args:
            taken: the blocks of the same message, to which the result's is added: they are sent once.
        """
        array = np.frombuffer(memory, np.uint8)
        address: int = array.__array_interface__["data"][0]
        for block in self._blocks.values():
            if block.address <= address and address + array.size <= block.address + block.size:
                break
        else:
            found = self._block(array.size)
            if found is None:
                return None
            block = found
            block.array()[: array.size] = array
            address = block.address
        if block.number not in taken:
            taken.add(block.number)
            block.sent += 1
        return block.number, address - block.address, array.size

    def pack(self, batch: Any) -> Packed:
        """Return the message of a batch, whose large buffers lie in blocks. Raises: what pickling raises."""
        places: list[Place] = []
        taken: set[int] = set()

        def is_small(buffer: pickle.PickleBuffer) -> bool:
            memory = buffer.raw()
            place = self._place(memory, taken) if memory.nbytes >= LEAST else None
            if place is None:
                return True
            places.append(place)
            return False

        stream = io.BytesIO()
        try:
            # With the reductions that were registered for multiprocessing.
            ForkingPickler(stream, 5, True, is_small).dump(batch)
            text: bytes | Place = stream.getvalue()
            if len(text) >= LEAST:
                text = self._place(stream.getbuffer(), taken) or text
        except BaseException:
            self.release(taken)
            raise
        new, forgotten, trouble = [(block.number, block.size) for block, _ in self._new], self._forgotten, self._trouble
        self._forgotten, self._trouble = [], ""
        return text, places, new, forgotten, trouble

    def send_files(self) -> None:
        """Send the descriptors of the new blocks, after the message that announces them."""
        while self._new:
            assert self._stream is not None
            _, file = self._new.pop(0)
            socket.send_fds(self._stream, [b"\0"], [file])
            os.close(file)


# ----- In the main process -----

_in_use: weakref.WeakSet[_Lease] = weakref.WeakSet()  # by batches of all loaders


class NoDescriptor(RuntimeError):
    """This process could not receive a file descriptor."""


class Inbox:
    """The blocks of one worker, in the main process."""

    def __init__(self) -> None:
        self._blocks: dict[int, _Block] = {}
        self._ended: deque[int] = deque()
        self.trouble = ""  # why a block could not be made

    def released(self) -> list[int]:
        """Return the blocks that batches no longer use, since the last call."""
        numbers = []
        while self._ended:
            numbers.append(self._ended.popleft())
        return numbers

    def unpack(self, packed: Packed, connection: Any, is_wanted: bool) -> Any:
        """Return the batch of a message, None for one that is not wanted.

        Raises: NoDescriptor: for one that did not come. What unpickling raises.
        """
        text, places, new, forgotten, trouble = packed
        self.trouble = trouble or self.trouble
        for number in forgotten:
            del self._blocks[number]
        if new:
            self._receive(new, connection)
        leases = {place[0]: self._lease(place[0]) for place in (*places, *([text] if isinstance(text, tuple) else []))}
        if not is_wanted:
            return None
        copies = len(_in_use) > MOST
        buffers = [self._buffer(leases, place, copies) for place in places]
        message: Any = self._buffer(leases, text, False) if isinstance(text, tuple) else text
        return pickle.loads(message, buffers=buffers)

    def _receive(self, new: list[tuple[int, int]], connection: Any) -> None:
        try:
            stream = _socket_of(connection)
        except OSError:
            raise NoDescriptor(_NO_FILES) from None
        with stream:
            for number, size in new:
                _, files, _, _ = socket.recv_fds(stream, 1, 1)
                if not files:  # there was none free
                    raise NoDescriptor(_NO_FILES)
                try:
                    self._blocks[number] = _Block(number, files[0], size)
                finally:
                    os.close(files[0])

    def _lease(self, number: int) -> np.ndarray[Any, Any]:
        lease = _Lease(self._blocks[number], self._ended)
        _in_use.add(lease)
        return np.asarray(lease)

    def _buffer(self, leases: dict[int, np.ndarray[Any, Any]], place: Place, copy: bool) -> np.ndarray[Any, Any]:
        number, offset, size = place
        buffer = leases[number][offset : offset + size]
        return buffer.copy() if copy else buffer


_NO_FILES = (
    "Too many open files. Communication with the workers is no longer possible. Please increase the limit using "
    "`ulimit -n` in the shell"
)
