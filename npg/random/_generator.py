"""The generator: MT19937 with PyTorch's seeding, its cached normal sample, and PyTorch's state layout."""

from __future__ import annotations

import functools
import operator
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from npg.kernels.words import Words

_WORDS = 624  # of MT19937's state
_DEFAULT_SEED = 67280421310721  # that of every torch.Generator() that was not seeded

# at::CPUGeneratorImplState. `left` counts down to the next twist, `next` is the word to be read: both give the position
# of the stream in the block of 624 words.
_STATE = np.dtype(
    {
        "names": ["seed", "left", "seeded", "next", "words", "normal", "has_normal", "normal32", "has_normal32"],
        "formats": ["<u8", "<i4", "<i4", "<u8", ("<u8", _WORDS), "<f8", "<i4", "<f4", "?"],
        "offsets": [0, 8, 12, 16, 24, 5024, 5040, 5048, 5052],
        "itemsize": 5056,
    }
)


class _Fork:
    """Handlers that let a fork wait for draws in other threads: the child gets consistent states and free locks.

    NumPy's generators have locks too, and hold them while they draw; npg draws from them only under its own locks.
    """

    def __init__(self) -> None:
        self.gate = threading.RLock()  # one fork at a time takes the locks, and no generator is created meanwhile
        self.generators: weakref.WeakSet[Generator] = weakref.WeakSet()
        self._held: list[Any] = []

        class Releases:
            __iter__ = staticmethod(functools.partial(map, operator.methodcaller("release"), self._held))

        # A Ctrl-C that comes during a fork is raised by the first line of Python after it. In a handler it would be
        # lost, and the locks be kept: so the handler in the parent has no line of Python.
        nowhere: deque[None] = deque(maxlen=0)
        self.in_parent = functools.partial(nowhere.extend, Releases())

    def before(self) -> None:
        self.gate.acquire()
        self._held[:] = [self.gate]
        for generator in list(self.generators):
            generator._lock.acquire()
            self._held.append(generator._lock)

    def in_child(self) -> None:
        self.gate = threading.RLock()
        self._held.clear()
        for generator in list(self.generators):
            generator._lock = threading.RLock()


_fork = _Fork()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_fork.before, after_in_parent=_fork.in_parent, after_in_child=_fork.in_child)


class Generator:
    """A stream of random numbers: the one that torch.Generator("cpu") yields for the same seed.

    Every draw holds a lock, so threads may share a generator (in which order they draw is up to them).

    Args:
        device: "cpu", or anything whose str() is that.
    Raises: RuntimeError: when device is another.
    Source: torch.Generator; the words are those of MT19937 seeded by init_genrand with the seed's lower 32 bits
        (M. Matsumoto, T. Nishimura, "Mersenne Twister", 1998).
    """

    def __init__(self, device: Any = "cpu") -> None:
        if device is not None and str(device) not in ("cpu", "cpu:0"):
            raise RuntimeError(f"Generator: expected device cpu, got {device}; npg computes on the CPU only")
        self._lock = threading.RLock()
        with _fork.gate:
            _fork.generators.add(self)
        # numpy.random takes as long to import as a good part of NumPy itself, so it is imported at the first draw.
        self._source: Any = None  # an MT19937
        self._words_of_source: Words | None = None
        self._seeding: Any = None  # a RandomState over it, which seeds it
        self._start(_DEFAULT_SEED)

    def _start(self, seed: int) -> None:
        self._seed = seed
        self._unread_seed = True  # the source still has to be seeded
        self._next_at_end = 0  # the `next` of a state whose block is used up: 0 when freshly seeded, else 624
        self._normal: float | None = None  # the sine of a pair whose cosine was handed out
        self._normal32: float | None = None  # part of the state, but nothing on a CPU reads it

    # ----- Seeds -----

    @property
    def device(self) -> str:
        """Return the string "cpu"."""
        return "cpu"

    def manual_seed(self, seed: int) -> Generator:
        """Restart the stream of a seed.

        Args:
            seed: an integer in [-2**63, 2**64); a negative one stands for seed + 2**64.
        Returns: the generator.
        Raises:
            RuntimeError: when seed is not an integer.
            ValueError: when it is out of range.
        """
        if isinstance(seed, (bool, np.bool_)) or not isinstance(seed, (int, np.integer)):
            raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
        with self._lock:
            self._start(_as_uint64(seed))
        return self

    def seed(self) -> int:
        """Restart from a seed taken from the operating system, and return it."""
        fresh = int.from_bytes(os.urandom(8), "little")
        self.manual_seed(fresh)
        return fresh

    def initial_seed(self) -> int:
        """Return the seed that the stream started from."""
        return self._seed

    # ----- States -----

    def get_state(self) -> Any:
        """Return the state.

        Returns: (5056,) uint8, byte for byte torch.Generator.get_state at this position of the stream.
        """
        return self._pack()

    def set_state(self, new_state: Any) -> None:
        """Continue from a state.

        Args:
            new_state: (5056,) uint8, from get_state or from torch.Generator.get_state().numpy().
        Raises:
            TypeError: when new_state is not an ndarray of uint8.
            RuntimeError: when it has another size, or cannot be a state.
        """
        self._unpack(new_state)

    def clone_state(self) -> Generator:
        """Return a new generator at the same position of the same stream."""
        return self._mark()()

    def _mark(self) -> Callable[[], Generator]:
        """Return a function that makes new generators at this generator's present position."""
        return functools.partial(self._at, self._pack())

    def _pack(self) -> np.ndarray:
        record = np.zeros((), _STATE)
        with self._lock:
            inner = self._ready().state["state"]
            position = inner["pos"]
            record["seed"], record["seeded"], record["words"] = self._seed, 1, inner["key"]
            record["left"] = max(_WORDS + 1 - position, 1)
            record["next"] = position if position < _WORDS else self._next_at_end
            if self._normal is not None:
                record["normal"], record["has_normal"] = self._normal, 1
            if self._normal32 is not None:
                record["normal32"], record["has_normal32"] = self._normal32, 1
        return np.frombuffer(record.tobytes(), np.uint8).copy()

    def _unpack(self, state: Any) -> None:
        if not isinstance(state, np.ndarray):
            raise TypeError(f"expected a torch.ByteTensor, but got {type(state).__name__}")
        if state.dtype != np.uint8:
            raise TypeError(f"RNG state must be a torch.ByteTensor, got {state.dtype}")
        if state.size != _STATE.itemsize:
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {_STATE.itemsize} but found the input RNG state size to be "
                f"{state.size}"
            )
        record = np.frombuffer(state.tobytes(), _STATE)[0]
        left, following = int(record["left"]), int(record["next"])
        used_up = left == 1 and following <= _WORDS
        if not record["seeded"] or not (used_up or (1 < left <= _WORDS and left + following == _WORDS + 1)):
            raise RuntimeError(
                f"Invalid mt19937 state: expected a seeded one with left + next = {_WORDS + 1}, got "
                f"seeded={record['seeded']}, left={left}, next={following}"
            )
        with self._lock:
            self._made_source().state = {
                "bit_generator": "MT19937",
                "state": {"key": record["words"].astype(np.uint32), "pos": _WORDS + 1 - left},
            }
            self._unread_seed = False
            self._seed = int(record["seed"])
            self._next_at_end = following if used_up else _WORDS
            self._normal = float(record["normal"]) if record["has_normal"] else None
            self._normal32 = float(record["normal32"]) if record["has_normal32"] else None

    @classmethod
    def _at(cls, state: Any) -> Generator:
        generator = cls()
        generator._unpack(np.frombuffer(state, np.uint8) if isinstance(state, bytes) else state)
        return generator

    def __reduce__(self) -> tuple[Any, ...]:
        return self._at, (self._pack().tobytes(),)

    # ----- Words (the caller holds the lock) -----

    def _made_source(self) -> Any:
        if self._source is None:
            from numpy.random import MT19937

            self._source = MT19937(0)
        return self._source

    def _ready(self) -> Any:
        if self._unread_seed:
            if self._seeding is None:
                from numpy.random import RandomState

                self._seeding = RandomState(self._made_source())
            self._seeding.seed(self._seed & 0xFFFFFFFF)  # NumPy's legacy seeding is init_genrand
            self._unread_seed = False
        return self._source

    def _source_state(self) -> Any:
        return self._ready().state

    def _restore_source(self, state: Any) -> None:
        self._ready().state = state

    def _next(self, count: int) -> Words:
        # The words to take `count` of.
        if self._unread_seed:
            self._ready()
        if count:
            self._next_at_end = _WORDS
        words = self._words_of_source
        if words is None:
            words = self._words_of_source = Words(self._source)
        return words

    def _words(self, count: int) -> np.ndarray:
        # (count,) uint32
        return self._next(count).take(count)

    def _long_words(self, count: int) -> np.ndarray:
        # (count,) uint64 of two words each, the first in the upper half
        return self._next(count).take_long(count)

    def _trials(self, count: int, bound: int) -> np.ndarray:
        # (count,) bool: whether numbers of 53 bits are less than a bound
        return self._next(count).take_trials(count, bound)


def _as_uint64(seed: int) -> int:
    seed = int(seed)
    if not -(2**63) <= seed < 2**64:
        raise ValueError("Overflow when unpacking long long")
    return seed % 2**64


# ----- The default generator -----

default_generator = Generator()
default_generator.seed()


# ----- Each thread's source of random numbers -----


class _Thread(threading.local):
    """What applies to the draws of a thread; _standing_in.py sets it. The outermost come first.

    Attributes:
        refusals: called before every draw; they may raise.
        stand_ins: functions that return the generator to use in place of another.
    """

    refusals: tuple[Callable[[], None], ...] = ()
    stand_ins: tuple[Callable[[Generator], Generator], ...] = ()


this_thread = _Thread()


def standing_in_for(generator: Generator) -> Generator:
    """Return the generator that this thread uses in place of `generator`: usually itself."""
    for replace in this_thread.stand_ins:
        generator = replace(generator)
    return generator


def chosen(generator: Generator | None) -> Generator:
    """Return the generator to draw from, the default one for None. Every draw begins here.

    Raises: TypeError: when it is not a Generator. Whatever a refusal of this thread raises.
    """
    if generator is None:
        generator = default_generator
    elif not isinstance(generator, Generator):
        raise TypeError(f"expected a Generator or None for argument 'generator', got {type(generator).__name__}")
    here = this_thread
    for refuse in here.refusals:
        refuse()
    return standing_in_for(generator) if here.stand_ins else generator


# ----- The default generator's seed and state -----


def manual_seed(seed: Any) -> Generator:
    """Restart the default generator from a seed: anything that int() takes, within [-2**63, 2**64).

    Returns: the default generator.
    Raises: ValueError: when the seed is out of range, or whatever int() raises.
    """
    standing_in_for(default_generator).manual_seed(int(seed))
    return default_generator


def seed() -> int:
    """Restart the default generator from a seed taken from the operating system, and return it."""
    return standing_in_for(default_generator).seed()


def initial_seed() -> int:
    """Return the seed that the default generator started from."""
    return standing_in_for(default_generator).initial_seed()


# ndarrays in and out, even where the default generator is of a subclass whose states are tensors.
def get_state() -> np.ndarray:
    """Return the default generator's state: (5056,) uint8, see Generator.get_state."""
    return standing_in_for(default_generator)._pack()


def set_state(new_state: np.ndarray) -> None:
    """Continue the default generator from a state, see Generator.set_state."""
    standing_in_for(default_generator)._unpack(new_state)
