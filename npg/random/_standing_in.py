"""Blocks that change what a thread draws from: nothing, another generator, or the same numbers again.

They affect only this thread. The state of a generator that other threads use is never reset, so no number is drawn
twice.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

from npg._contextlib import Block
from npg.kernels.words import less, paired
from npg.random._generator import Generator, default_generator, standing_in_for, this_thread


class refusing(Block):
    """Call refuse(), which may raise, before every draw of this thread within the block."""

    def __init__(self, refuse: Callable[[], None]) -> None:
        self._refuse = refuse

    def _places(self) -> Any:
        return ((this_thread, "refusals", (*this_thread.refusals, self._refuse)),)


class _Replacing(Block):
    """Let _replace(generator) stand in for each generator within the block, for this thread."""

    def _replace(self, generator: Generator) -> Generator:
        raise NotImplementedError

    def _places(self) -> Any:
        return ((this_thread, "stand_ins", (*this_thread.stand_ins, self._replace)),)


class drawing_from(_Replacing):
    """Let a generator stand in for the default one within the block, for this thread."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._usual = standing_in_for(default_generator)

    def _replace(self, generator: Generator) -> Generator:
        return self._generator if generator is self._usual else generator


class fork_rng(contextlib.ContextDecorator, Block):
    """Leave the default generator after the block as it was before. A context manager and a decorator.

    Args:
        devices: accepted without effect, because there is only the CPU.
        enabled: False: do nothing.
    Source: torch.random.fork_rng, which undoes other threads' draws too; here the block's draws, seeds and states are
        the thread's own.
    """

    def __init__(self, devices: Any = None, enabled: bool = True, **_others: Any) -> None:
        self._enabled = enabled

    def _places(self) -> Any:
        return drawing_from(standing_in_for(default_generator).clone_state())._places() if self._enabled else ()

    def _entered(self) -> None:
        return None


# ----- The same numbers again -----


class Repeats(_Replacing):
    """A block in which this thread, after restart(), draws again what it drew before, from each generator."""

    def __init__(self) -> None:
        self._of: dict[Generator, _Repeated] = {}

    def _left(self, *_error: Any) -> None:
        self.restart()

    def _replace(self, generator: Generator) -> Generator:
        repeated = self._of.get(generator)
        if repeated is None:
            repeated = self._of[generator] = _Repeated(generator)
        return repeated

    def restart(self) -> None:
        """Start again with the numbers that were drawn first."""
        for generator in self._of.values():
            generator.restart()


class _Repeated(Generator):
    """A generator that records the words it draws from another one, and replays them after restart().

    The other one advances by the longest run; the normal number that it kept is held here meanwhile.
    """

    def __init__(self, other: Generator) -> None:
        self._other = other
        self._tape = np.empty(0, np.uint32)
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

    def _words(self, count: int) -> np.ndarray:
        taped = self._tape[self._place : self._place + count]
        self._place += len(taped)
        if len(taped) == count:
            return taped.copy()
        new = self._other._words(count - len(taped))
        self._new.append(new)
        return np.concatenate([taped, new])

    def _long_words(self, count: int) -> np.ndarray:
        return paired(self._words(2 * count))

    def _trials(self, count: int, bound: int) -> np.ndarray:
        return less(self._words(2 * count), bound)

    def _source_state(self) -> Any:
        return self._place, len(self._new), self._other._source_state()

    def _restore_source(self, state: Any) -> None:
        self._place, count, other = state
        del self._new[count:]
        self._other._restore_source(other)

    # ----- Seeds and states: later numbers are drawn anew -----

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
