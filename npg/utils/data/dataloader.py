"""DataLoader: a dataset's samples in a sampler's order, in batches, loaded here or by worker processes.

Source: torch.utils.data.dataloader; orders and random numbers are PyTorch's, seed for seed.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import warnings
from collections.abc import Callable, Iterable
from multiprocessing.context import BaseContext
from typing import Any, Generic, TypeVar

from npg import random
from npg.utils.data._iterators import _BaseDataLoaderIter, _InfiniteConstantSampler, _SingleProcessDataLoaderIter
from npg.utils.data._multiprocessing import _MultiProcessingDataLoaderIter
from npg.utils.data._utils.collate import default_collate, default_convert
from npg.utils.data._utils.worker import _DatasetKind, get_worker_info
from npg.utils.data.dataset import Dataset, IterableDataset
from npg.utils.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler

__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]

T_co = TypeVar("T_co", covariant=True)

_FIXED = {"batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"}


class DataLoader(Generic[T_co]):
    """An iterable over the batches of a dataset.

    Args:
        dataset: a map from indices to samples, or an IterableDataset.
        batch_size: samples in a batch; None: no batches, one sample after the other.
        shuffle: a random order, another one in each pass.
        sampler: the order of the indices, any iterable; not with shuffle.
        batch_sampler: lists of indices, one for each batch; not with batch_size, shuffle, sampler or drop_last.
        num_workers: processes that load; 0: this one does.
        collate_fn: makes a batch of a list of samples (default_collate), or without batches converts a sample
            (default_convert).
        pin_memory: as on a machine without an accelerator, True is ignored with a warning.
        drop_last: leave out the last batch when it is not full.
        timeout: seconds to wait for a batch from a worker; 0: without end.
        worker_init_fn: called in each worker with its number, after it is seeded.
        multiprocessing_context: how workers start: "fork", "spawn", "forkserver" or a context of multiprocessing;
            None: Python's default. What a worker gets must be picklable, except with fork.
        generator: the stream of the order and of the workers' base seed; None: npg's default.
        prefetch_factor: batches that each worker loads ahead, 2 by default.
        persistent_workers: keep the workers, and their datasets, for the next pass.
        pin_memory_device: ignored.
        in_order: False: batches come as soon as they are there.
    Raises: ValueError, TypeError: for values out of range, and arguments that exclude each other.
    Source: torch.utils.data.DataLoader.
    """

    dataset: Dataset[T_co]
    batch_size: int | None
    num_workers: int
    pin_memory: bool
    drop_last: bool
    timeout: float
    sampler: Sampler[Any] | Iterable[Any]
    pin_memory_device: str
    prefetch_factor: int | None
    _iterator: _BaseDataLoaderIter | None
    __initialized = False

    def __init__(
        self,
        dataset: Dataset[T_co],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[Any] | Iterable[Any] | None = None,
        batch_sampler: Sampler[list[Any]] | Iterable[list[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: random.Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        self.prefetch_factor = _checked(num_workers, timeout, prefetch_factor, persistent_workers)
        self.dataset = dataset
        self.num_workers = num_workers
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.in_order = in_order
        if isinstance(dataset, IterableDataset):
            self._dataset_kind = _DatasetKind.Iterable
            self._check_stream(shuffle, sampler, batch_sampler)
        else:
            self._dataset_kind = _DatasetKind.Map
            shuffle = bool(shuffle)
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size, drop_last = None, False
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        if sampler is None:
            sampler = _sampler_of(dataset, bool(shuffle), generator)
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.generator = generator
        if collate_fn is None:
            collate_fn = default_collate if self._auto_collation else default_convert
        self.collate_fn = collate_fn
        self.persistent_workers = persistent_workers
        self.__initialized = True
        self._IterableDataset_len_called: int | None = None  # what __len__ has told, which the data may contradict
        self._iterator = None
        self.check_worker_number_rationality()

    @staticmethod
    def _check_stream(shuffle: Any, sampler: Any, batch_sampler: Any) -> None:
        """Raise ValueError for what makes no sense with a stream."""
        expected = "DataLoader with IterableDataset: expected unspecified"
        if shuffle not in {False, None}:
            raise ValueError(f"{expected} shuffle option, but got shuffle={shuffle}")
        if sampler is not None:
            raise ValueError(f"{expected} sampler option, but got sampler={sampler}")
        if batch_sampler is not None:
            raise ValueError(f"{expected} batch_sampler option, but got batch_sampler={batch_sampler}")

    # ----- Attributes -----

    @property
    def multiprocessing_context(self) -> BaseContext | None:
        """How workers start; None: Python's default."""
        return self.__multiprocessing_context

    @multiprocessing_context.setter
    def multiprocessing_context(self, multiprocessing_context: Any) -> None:
        context = multiprocessing_context
        if context is not None:
            if self.num_workers <= 0:
                raise ValueError(
                    "multiprocessing_context can only be used with multi-process loading (num_workers > 0), but got "
                    f"num_workers={self.num_workers}"
                )
            if isinstance(context, str):
                methods = multiprocessing.get_all_start_methods()
                if context not in methods:
                    raise ValueError(
                        f"multiprocessing_context option should specify a valid start method in {methods!r}, but got "
                        f"multiprocessing_context={context!r}"
                    )
                context = multiprocessing.get_context(context)
            if not isinstance(context, BaseContext):
                raise TypeError(
                    "multiprocessing_context option should be a valid context object or a string specifying the start "
                    f"method, but got multiprocessing_context={context}"
                )
        self.__multiprocessing_context: BaseContext | None = context

    def __setattr__(self, attr: str, val: Any) -> None:
        if attr in _FIXED and self.__initialized:
            raise ValueError(f"{attr} attribute should not be set after {self.__class__.__name__} is initialized")
        super().__setattr__(attr, val)

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Any:
        return self.batch_sampler if self._auto_collation else self.sampler

    # ----- Iteration -----

    def _get_iterator(self) -> _BaseDataLoaderIter:
        if self.num_workers == 0:
            return _SingleProcessDataLoaderIter(self)
        self.check_worker_number_rationality()
        return _MultiProcessingDataLoaderIter(self)

    def __iter__(self) -> _BaseDataLoaderIter:
        if not self.persistent_workers or self.num_workers == 0:
            return self._get_iterator()
        before = self._iterator
        if before is None or getattr(before, "_shutdown", False):  # none yet, or a worker has died
            self._iterator = self._get_iterator()
        else:
            before._reset(self)
        return self._iterator  # type: ignore[return-value]  # it is one

    def __len__(self) -> int:
        if self._dataset_kind == _DatasetKind.Map:
            return len(self._index_sampler)
        length: int = len(self.dataset)  # type: ignore[arg-type]  # TypeError where it has no length
        self._IterableDataset_len_called = length
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else math.ceil(length / self.batch_size)

    def check_worker_number_rationality(self) -> None:
        """Warn when there are more workers than processors that this process may use."""
        if not self.num_workers:
            return
        is_exact = hasattr(os, "sched_getaffinity")
        most = len(os.sched_getaffinity(0)) if is_exact else os.cpu_count()
        if most is not None and self.num_workers <= most:
            return
        advice = "DataLoader is not able to compute a suggested max number of worker in current system."
        if most is not None:
            note = "" if is_exact else " (`cpuset` is not taken into account)"
            advice = (
                f"Our suggested max number of worker in current system is {most}{note}, which is smaller than what "
                "this DataLoader is going to create."
            )
        warnings.warn(
            f"This DataLoader will create {self.num_workers} worker processes in total. {advice} Please be aware that "
            "excessive worker creation might get DataLoader running slow or even freeze, lower the worker number to "
            "avoid potential slowness/freeze if necessary.",
            stacklevel=2,
        )


def _sampler_of(dataset: Any, shuffle: bool, generator: random.Generator | None) -> Sampler[Any]:
    """Return the sampler of a loader that is given none."""
    if isinstance(dataset, IterableDataset):
        return _InfiniteConstantSampler()
    return RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)


def _checked(num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool) -> int | None:
    """Return prefetch_factor or its default. Raises: ValueError: when the arguments do not fit together."""
    if num_workers < 0:
        raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError(
            "prefetch_factor option could only be specified in multiprocessing.let num_workers > 0 to enable "
            "multiprocessing, otherwise set prefetch_factor to None."
        )
    if num_workers > 0 and prefetch_factor is None:
        prefetch_factor = 2
    elif prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError("prefetch_factor option should be non-negative")
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")
    return prefetch_factor
