"""Context managers that an interrupt cannot leave switched: what one sets is put back whatever ends its block.

CPython lets a signal's handler run when a function in Python begins and when a call has returned, so an `__exit__` in
Python may be interrupted before it has done anything. The compiled engine's Block (csrc/engine/modes.pxi) leaves in C,
where no handler runs. This twin has for each `with` statement a token that the statement alone holds, calls at its
end, and drops whatever happens: dropped without having put back, it does so then. Where the exception is kept, its
traceback keeps the token: then things are back as soon as it is gone.
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
    """What one entry of a block puts back.

    Attributes:
        before: (target, name, value) each.
        covered: what a block around this one has put back meanwhile, which is not to be put back late.
    """

    __slots__ = ("before", "covered", "thread")

    def __init__(self, before: list[tuple[Any, str, Any]]) -> None:
        self.before = before
        self.covered: set[tuple[int, str]] = set()
        self.thread = threading.get_ident()

    def put_back(self, late: bool = False) -> None:
        """Put everything back, unless that has been done. Interrupted, it begins anew when it is called again."""
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
        self.records: list[_Record] = []  # of the blocks that this thread is in, the outermost first


_entered = _Entered()


def depth() -> int:
    """Return in how many blocks this thread is."""
    return len(_entered.records)


def cover(start: int, target: Any, name: str) -> None:
    """Say that a place was put back without a block: those entered since depth() was `start` do not do it late."""
    if len(_entered.records) > start:
        for record in _entered.records[start:]:
            record.covered.add((id(target), name))


class _Leaving:
    """What a `with` statement holds of a block, and calls at its end."""

    record: _Record | None = None  # here: the constructor too may be interrupted

    def __init__(self, block: Block) -> None:
        self.block = block

    def __call__(self, *error: Any) -> Any:
        if self.record is None:  # __exit__ was asked for by name
            self.record = self.block._entries[-1]
        self.record.put_back()
        block, record, self.record = self.block, self.record, None
        if record in block._entries:
            block._entries.remove(record)
        return block._left(*error)

    def __del__(self) -> None:
        # What is thread-local elsewhere is not this thread's to put back.
        if self.record is not None and self.record.thread == threading.get_ident():
            self.record.put_back(late=True)
            if self.record in self.block._entries:
                self.block._entries.remove(self.record)


class _Exit:
    """The descriptor `__exit__`: a `with` statement asks for it before it enters."""

    def __get__(self, block: Block | None, owner: Any = None) -> Any:
        if block is None:  # contextlib.ExitStack asks the class
            return lambda block, *error: _Leaving(block)(*error)
        leaving = _Leaving(block)
        block._coming = weakref.ref(leaving)
        return leaving


class Block:
    """A context manager that switches things for the length of a block, which may be entered within itself.

    A subclass says what holds within; the compiled engine has a twin.
    """

    _entries: list[_Record]
    _coming: weakref.ref[_Leaving] | None

    def __new__(cls, *_args: Any, **_settings: Any) -> Self:
        block = super().__new__(cls)
        block._entries, block._coming = [], None
        return block

    def _places(self) -> Any:
        """Return what holds within: (target, name, value) each, an attribute, or an item of a dict.

        It must change nothing.
        """
        return ()

    def _entered(self) -> Any:
        """Return what stands behind `as`. Everything is switched."""
        return self

    def _left(self, *error: Any) -> Any:
        """Do what is left to do when everything is back."""

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
