"""Datasets that workers load in tests, here because a spawned process must find them by name."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from typing import Any

import numpy as np

import npg
import npg.utils.data as data


class Plain(data.Dataset[Any]):
    """Image-like rows and their numbers."""

    def __init__(self, n: int = 12, size: int = 5000) -> None:
        self.n, self.size = n, size

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, i: int) -> Any:
        return npg.full((self.size,), float(i)), i


class Behaves(Plain):
    """Does something at sample 5."""

    def __init__(self, how: str, n: int = 12, size: int = 5000) -> None:
        super().__init__(n, size)
        self.how = how

    def __getitem__(self, i: int) -> Any:
        return getattr(self, self.how)(i) if i == 5 else super().__getitem__(i)

    def killed(self, i: int) -> Any:
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)

    def segfault(self, i: int) -> Any:
        os.kill(os.getpid(), signal.SIGSEGV)
        time.sleep(60)

    def exits(self, i: int) -> Any:
        sys.exit(3)

    def leaves(self, i: int) -> Any:
        os._exit(0)

    def sleeps(self, i: int) -> Any:
        time.sleep(60)

    def raises(self, i: int) -> Any:
        raise ValueError("at five")

    def key_error(self, i: int) -> Any:
        raise KeyError("a\nb")

    def two_arguments(self, i: int) -> Any:
        raise TwoArguments("a", "b")

    def with_message(self, i: int) -> Any:
        raise WithMessage(message="a")

    def group(self, i: int) -> Any:  # its class has `message`, and does not take it
        raise ExceptionGroup("a", [ValueError("b")])

    def of_a_local_class(self, i: int) -> Any:
        class Local(Exception):
            pass

        raise Local("here")

    def lock(self, i: int) -> Any:
        return threading.Lock()

    def not_readable(self, i: int) -> Any:
        return NotReadable()

    def interrupted(self, i: int) -> Any:
        raise KeyboardInterrupt


class TwoArguments(Exception):
    def __init__(self, first: str, second: str) -> None:
        super().__init__(first, second)


class WithMessage(Exception):
    message = "always"

    def __init__(self, *, message: str) -> None:
        super().__init__(message)


class NotReadable:
    """Pickles, and does not unpickle."""

    def __reduce__(self) -> Any:
        return _refuse, ()


def _refuse() -> None:
    raise ValueError("this cannot be unpickled")


class Unpicklable(Plain):
    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()


class Stream(data.IterableDataset[int]):
    def __init__(self, lengths: list[int]) -> None:
        self.lengths = lengths

    def __iter__(self) -> Any:
        info = data.get_worker_info()
        worker = 0 if info is None else info.id
        return iter(range(100 * worker, 100 * worker + self.lengths[worker]))


class Draws(data.Dataset[Any]):
    """Random numbers of all three sources."""

    def __len__(self) -> int:
        return 9

    def __getitem__(self, i: int) -> Any:
        info = data.get_worker_info()
        return i, npg.rand(2), random.random(), np.random.rand(), -1 if info is None else info.seed % 1000  # noqa: NPY002


def first_of(samples: list[Any]) -> Any:
    return samples[0]


def fails_to_begin(worker: int) -> None:
    raise OSError(f"worker {worker} cannot begin")
