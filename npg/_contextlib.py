"""Context managers that are safe against interrupts: what one sets is restored, whatever ends its block.

CPython may run a signal handler when a Python function begins and when a call has returned, so an `__exit__` in Python
may be interrupted before it has done anything. The compiled engine's Block (csrc/engine/modes.pxi) exits in C, where no
handler runs. This twin gives each `with` statement a token that only the statement holds. The statement calls it at its
end, and drops it in any case: a token that is dropped without having been called restores then. While an exception is
kept, its traceback keeps the token alive: values are then restored as soon as it is gone.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any, Self

MISSING: Any = type("_Missing", (), {"__slots__": (), "__repr__": lambda _self: "MISSING"})()


def _get(target: Any, name: str) -> Any:
    return target.get(name, MISSING) if isinstance(target, dict) else getattr(target, name)


def _put(target: Any, name: str, value: Any) -> None:
    if not isinstance(target, dict):
        setattr(target, name, value)
    elif value is MISSING:
        target.pop(name, None)
    else:
        target[name] = value


class _Record:
    """The values that one entry of a block restores.

    Attributes:
        before: a list of (target, name, value).
        covered: the (id of target, name) that an outer block has restored meanwhile, which must not be restored late.
    """

    __slots__ = ("before", "covered", "thread")

    def __init__(self, before: list[tuple[Any, str, Any]]) -> None:
        self.before = before
        self.covered: set[tuple[int, str]] = set()
        self.thread = threading.get_ident()

    def put_back(self, late: bool = False) -> None:
        """Restore everything, unless that was done. If interrupted, a second call starts over."""
        records = _entered.records
        if self not in records:
            return
        if late:
            self.before = [b for b in self.before if (id(b[0]), b[1]) not in self.covered]
        for target, name, value in reversed(self.before):
            _put(target, name, value)
        for inner in records[records.index(self) + 1 :]:
            inner.covered.update([(id(target), name) for target, name, _ in self.before])
        records.remove(self)


class _Entered(threading.local):
    def __init__(self) -> None:
        self.records: list[_Record] = []  # those of the blocks that this thread is in, the outermost first


_entered = _Entered()


def depth() -> int:
    """Return the number of blocks that this thread is in."""
    return len(_entered.records)


def cover(start: int, target: Any, name: str) -> None:
    """Declare a value restored without a block: blocks entered since depth() was `start` will not restore it late."""
    if len(_entered.records) > start:
        for record in _entered.records[start:]:
            record.covered.add((id(target), name))


class _Leaving:
    """The token that a `with` statement holds for a block, and calls at its end."""

    record: _Record | None = None  # on the class, because the constructor too may be interrupted

    def __init__(self, block: Block) -> None:
        self.block = block

    def __call__(self, *error: Any) -> Any:
        if self.record is None:  # __exit__ was called by name
            self.record = self.block._entries[-1]
        self.record.put_back()
        block, record, self.record = self.block, self.record, None
        if record in block._entries:
            block._entries.remove(record)
        return block._left(*error)

    def __del__(self) -> None:
        # Thread-local values of another thread are not this thread's to restore.
        if self.record is not None and self.record.thread == threading.get_ident():
            self.record.put_back(late=True)
            if self.record in self.block._entries:
                self.block._entries.remove(self.record)


class _Exit:
    """The descriptor `__exit__`: a `with` statement looks it up before it enters."""

    def __get__(self, block: Block | None, owner: Any = None) -> Any:
        if block is None:  # contextlib.ExitStack looks it up on the class
            return lambda block, *error: _Leaving(block)(*error)
        leaving = _Leaving(block)
        block._coming = weakref.ref(leaving)
        return leaving


class Block:
    """A context manager that sets values for the length of a block; it is reentrant.

    A subclass defines the values; the compiled engine has a twin.
    """

    _entries: list[_Record]
    _coming: weakref.ref[_Leaving] | None

    def __new__(cls, *_args: Any, **_settings: Any) -> Self:
        block = super().__new__(cls)
        block._entries, block._coming = [], None
        return block

    def _places(self) -> Any:
        """Return the values within the block as (target, name, value), for attributes or for items of dicts.

        It must not change anything.
        """
        return ()

    def _entered(self) -> Any:
        """Return the value for `as`. It is called when everything is set."""
        return self

    def _left(self, *error: Any) -> Any:
        """Clean up; it is called when everything is restored."""

    def __enter__(self) -> Any:
        places = [*self._places()]
        record = _Record([(target, name, _get(target, name)) for target, name, _ in places])
        leaving = self._coming() if self._coming is not None else None
        self._coming = None
        try:
            _entered.records.append(record)
            self._entries.append(record)
            if leaving is not None:
                leaving.record = record
            for target, name, value in places:
                _put(target, name, value)
            return self._entered()
        except BaseException:
            record.put_back()
            if record in self._entries:
                self._entries.remove(record)
            if leaving is not None:
                leaving.record = None
            raise

    __exit__ = _Exit()
