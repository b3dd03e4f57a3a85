"""What a thread draws from, for the length of a block: nothing, another generator, or the same numbers again.

All of it is the thread's own. The state of a generator that others draw from is never set back: no number comes twice.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

from npg._contextlib import Block
from npg.random._generator import Generator, default_generator, standing_in_for, this_thread


class refusing(Block):
    """Call refuse() before every draw of this thread within; it may raise."""

    def __init__(self, refuse: Callable[[], None]) -> None:
        self._refuse = refuse

    def _places(self) -> Any:
        return ((this_thread, "refusals", (*this_thread.refusals, self._refuse)),)


class _Replacing(Block):
    """Let replace(generator) stand in for each generator within, for this thread."""

    def _replace(self, generator: Generator) -> Generator:
        raise NotImplementedError

    def _places(self) -> Any:
        return ((this_thread, "stand_ins", (*this_thread.stand_ins, self._replace)),)


class drawing_from(_Replacing):
    """Let a generator stand in for the default one within, for this thread."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._usual = standing_in_for(default_generator)

    def _replace(self, generator: Generator) -> Generator:
        return self._generator if generator is self._usual else generator


class fork_rng(contextlib.ContextDecorator, Block):
    """Leave the default generator after the block as it was before. A context manager and a decorator.

    Args:
        devices: accepted and without effect: there is the CPU only.
        enabled: False: do nothing.
    Source: torch.random.fork_rng. There other threads' draws are undone too; here what the block draws, seeds and sets
        is the thread's own.
    """

    def __init__(self, devices: Any = None, enabled: bool = True, **_others: Any) -> None:
        self._enabled = enabled

    def _places(self) -> Any:
        return drawing_from(standing_in_for(default_generator).clone_state())._places() if self._enabled else ()

    def _entered(self) -> None:
        return None


# ----- The same numbers again -----


class Repeats(_Replacing):
    """A context manager: after restart(), this thread draws within what it has drawn before, of each generator."""

    def __init__(self) -> None:
        self._of: dict[Generator, _Repeated] = {}

    def _left(self, *_error: Any) -> None:
        self.restart()

    def _replace(self, generator: Generator) -> Generator:
        found = self._of.get(generator)
        if found is None:
            found = self._of[generator] = _Repeated(generator)
        return found

    def restart(self) -> None:
        """Begin again with the numbers that were drawn first."""
        for generator in self._of.values():
            generator.restart()


class _Repeated(Generator):
    """Keeps the words that it draws from another generator, and reads them again after restart().

    The other one moves on by what was drawn in the longest run; its kept normal number is here meanwhile.
    """

    def __init__(self, other: Generator) -> None:
        self._other = other
        self._tape = np.empty(0, np.uint64)
        self._new: list[np.ndarray[Any, Any]] = []  # drawn since restart(), behind the tape
        self._place = 0
        self._is_first = True
        with other._lock:
            self._first_normal = self._normal = other._normal
            self._normal32 = other._normal32
            other._normal = None

    @property
    def _lock(self) -> Any:  # type: ignore[override]
        return self._other._lock

    def restart(self) -> None:
        self._tape = np.concatenate([self._tape, *self._new])
        self._new = []
        self._place = 0
        if self._is_first:
            with self._lock:
                if self._other._normal is None:
                    self._other._normal = self._normal
            self._is_first = False
        self._normal = self._first_normal

    def _raw(self, count: int) -> np.ndarray:
        kept = self._tape[self._place : self._place + count]
        self._place += len(kept)
        if len(kept) == count:
            return kept.copy()
        new = self._other._raw(count - len(kept))
        self._new.append(new)
        return np.concatenate([kept, new])

    def _source_state(self) -> Any:
        return self._place, len(self._new), self._other._source_state()

    def _restore_source(self, state: Any) -> None:
        self._place, count, other = state
        del self._new[count:]
        self._other._restore_source(other)

    # ----- Seeds and states: what follows is drawn anew -----

    def _start(self, seed: int) -> None:
        self._other._start(seed)
        self._cut()

    def _unpack(self, state: Any) -> None:
        self._other._unpack(state)
        self._cut()

    def _cut(self) -> None:
        self._tape = self._tape[: self._place]
        self._normal, self._other._normal = self._other._normal, None

    def _pack(self) -> np.ndarray:
        return self._other._pack()

    def initial_seed(self) -> int:
        return self._other.initial_seed()

    def _mark(self) -> Callable[[], Generator]:
        other, ahead, normal = self._other._mark(), self._tape[self._place :], self._normal

        def stand() -> Generator:
            copy = _Repeated(other())
            copy._tape, copy._normal = ahead, normal
            return copy

        return stand
