"""Pickles read without running them: where each opcode is, and what a pickle names."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from pickle import UnpicklingError

from npg.serialization import _names
from npg.serialization._unpickler import METHODS, as_python3


def _lengths() -> dict[int, Callable[[bytes, int], int]]:
    fixed = {
        pickle.BININT: 4, pickle.BININT1: 1, pickle.BININT2: 2, pickle.BINFLOAT: 8, pickle.BINGET: 1,
        pickle.LONG_BINGET: 4, pickle.BINPUT: 1, pickle.LONG_BINPUT: 4, pickle.PROTO: 1,
    }  # fmt: skip
    lengths: dict[int, Callable[[bytes, int], int]] = {}
    for known, method in enumerate(METHODS):
        if method is not None:
            lengths[known] = _of(0)
    for opcode, count in fixed.items():
        lengths[opcode[0]] = _of(count)
    lengths[pickle.BINUNICODE[0]] = lambda data, at: 4 + int.from_bytes(data[at : at + 4], "little")
    for opcode in (pickle.SHORT_BINSTRING, pickle.LONG1):
        lengths[opcode[0]] = lambda data, at: 1 + int.from_bytes(data[at : at + 1], "little")
    lengths[pickle.GLOBAL[0]] = lambda data, at: _after_line(data, _after_line(data, at)) - at
    return lengths


def _of(count: int) -> Callable[[bytes, int], int]:
    return lambda data, at: count


def _after_line(data: bytes, at: int) -> int:
    end = data.find(b"\n", at)
    return end + 1 if end >= 0 else len(data) + 1


_LENGTHS = _lengths()


def opcodes_of(data: bytes, at: int = 0) -> Iterator[tuple[int, int, int]]:
    """Yield (opcode, where its argument starts, where it ends) of a pickle, up to its STOP.

    Raises: EOFError: when the data ends before. UnpicklingError: for an opcode that the unpickler lacks.
    """
    stop = pickle.STOP[0]
    while at < len(data):
        opcode = data[at]
        at += 1
        if opcode == stop:
            yield opcode, at, at
            return
        length = _LENGTHS.get(opcode)
        if length is None:
            raise UnpicklingError(f"Unsupported operand {opcode}")
        end = at + length(data, at)
        yield opcode, at, end
        at = end
    raise EOFError("the pickle ends before its STOP")


def globals_of(data: bytes) -> set[str]:
    """Return the paths that a pickle names, without running it."""
    found = set()
    for opcode, start, end in opcodes_of(data):
        if opcode == pickle.GLOBAL[0]:
            module, name, *_ = data[start:end].decode("utf-8", "replace").split("\n")
            module, name = as_python3(module, name)
            found.add(f"{_names.in_torch(module)}.{name}")
    return found
