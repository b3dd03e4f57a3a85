"""Datasets: maps from an index to a sample, and streams of samples.

Source: torch.utils.data.dataset.
"""

from __future__ import annotations

import bisect
import itertools
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from npg import random
from npg.tensor import Tensor

__all__ = [
    "ChainDataset",
    "ConcatDataset",
    "Dataset",
    "IterableDataset",
    "StackDataset",
    "Subset",
    "TensorDataset",
    "random_split",
]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
T_stack = TypeVar("T_stack", tuple[Any, ...], dict[str, Any])

# ----- What a dataset is -----


class Dataset(Generic[T_co]):
    """A map from an index to a sample: derived classes define `__getitem__`, and `__len__` for samplers.

    One that reads many samples faster together than alone may define `__getitems__(indices) -> list of samples`, which
    a DataLoader then calls.

    Source: torch.utils.data.Dataset.
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Dataset[Any]) -> ConcatDataset[Any]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co], Iterable[T_co]):
    """A stream of samples: derived classes define `__iter__`.

    Every worker of a DataLoader has its own copy; `get_worker_info()` in `__iter__`, or a `worker_init_fn`, tells it
    which part of the stream is its own.

    Source: torch.utils.data.IterableDataset.
    """

    def __add__(self, other: Dataset[Any]) -> ChainDataset[Any]:  # type: ignore[override]  # as in PyTorch
        return ChainDataset([self, other])


def _length(dataset: Any) -> int:
    return len(dataset)


# ----- Datasets of tensors and of datasets -----


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """The rows of tensors: sample i is the tuple of their i-th rows.

    Args:
        tensors: tensors of equal size in their first dimension.
    Raises: AssertionError: when the sizes differ.
    Source: torch.utils.data.TensorDataset.
    """

    tensors: tuple[Tensor, ...]

    def __init__(self, *tensors: Tensor) -> None:
        if any(tensor.size(0) != tensors[0].size(0) for tensor in tensors):
            raise AssertionError("Size mismatch between tensors")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple([tensor[index] for tensor in self.tensors])

    def __len__(self) -> int:
        return self.tensors[0].size(0)


class StackDataset(Dataset[T_stack]):
    """Several datasets side by side: a sample is the tuple, or by keywords the dict, of their samples.

    Raises: ValueError: without datasets, with both kinds of arguments, or when the lengths differ.
    Source: torch.utils.data.StackDataset.
    """

    datasets: tuple[Any, ...] | dict[str, Any]

    def __init__(self, *args: Dataset[Any], **kwargs: Dataset[Any]) -> None:
        if args and kwargs:
            raise ValueError(
                "Supported either ``tuple``- (via ``args``) or``dict``- (via ``kwargs``) like input/output, but both "
                "types are given."
            )
        if not args and not kwargs:
            raise ValueError("At least one dataset should be passed")
        lengths = [_length(dataset) for dataset in args or kwargs.values()]
        if any(length != lengths[0] for length in lengths):
            raise ValueError("Size mismatch between datasets")
        self._length = lengths[0]
        self.datasets = args or kwargs

    def __getitem__(self, index: Any) -> T_stack:
        sample: Any
        if isinstance(self.datasets, dict):
            sample = {name: dataset[index] for name, dataset in self.datasets.items()}
        else:
            sample = tuple([dataset[index] for dataset in self.datasets])
        return sample  # type: ignore[no-any-return]

    def __getitems__(self, indices: list[Any]) -> list[T_stack]:
        samples: list[Any]
        if isinstance(self.datasets, dict):
            columns = [_many(dataset, indices) for dataset in self.datasets.values()]
            samples = [dict(zip(self.datasets, row)) for row in zip(*columns)]
        else:
            samples = list(zip(*[_many(dataset, indices) for dataset in self.datasets]))
        return samples

    def __len__(self) -> int:
        return self._length


def _many(dataset: Any, indices: list[Any]) -> list[Any]:
    """Return the samples at the indices, by `__getitems__` where the dataset has it."""
    if not callable(getattr(dataset, "__getitems__", None)):
        return [dataset[index] for index in indices]
    samples: list[Any] = dataset.__getitems__(indices)
    if len(samples) != len(indices):
        raise ValueError(f"Nested dataset's output size mismatch. Expected {len(indices)}, got {len(samples)}")
    return samples


class ConcatDataset(Dataset[T_co]):
    """Datasets one after the other.

    Raises: AssertionError: without datasets, or for an IterableDataset.
    Source: torch.utils.data.ConcatDataset.
    """

    datasets: list[Dataset[T_co]]
    cumulative_sizes: list[int]

    @staticmethod
    def cumsum(sequence: Iterable[Any]) -> list[int]:
        """Return the sums of the lengths up to and including each item."""
        return list(itertools.accumulate(map(len, sequence)))

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        super().__init__()
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset")
        self.cumulative_sizes = self.cumsum(self.datasets)

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, idx: Any) -> T_co:
        if idx < 0:
            if -idx > len(self):
                raise ValueError("absolute value of index should not exceed dataset length")
            idx += len(self)
        place = bisect.bisect_right(self.cumulative_sizes, idx)
        start = self.cumulative_sizes[place - 1] if place else 0
        return self.datasets[place][idx - start]

    @property
    def cummulative_sizes(self) -> list[int]:
        """The former name of cumulative_sizes."""
        text = "`cummulative_sizes` attribute is renamed to `cumulative_sizes`"
        warnings.warn(text, FutureWarning, stacklevel=2)
        return self.cumulative_sizes


class ChainDataset(IterableDataset[T_co]):
    """Streams one after the other.

    Raises: AssertionError: when it comes to a dataset that is no IterableDataset.
    Source: torch.utils.data.ChainDataset.
    """

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        super().__init__()
        self.datasets = datasets

    def _streams(self) -> Iterator[IterableDataset[T_co]]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError("ChainDataset only supports IterableDataset")
            yield dataset

    def __iter__(self) -> Iterator[T_co]:
        for dataset in self._streams():
            yield from dataset

    def __len__(self) -> int:
        return sum(_length(dataset) for dataset in self._streams())


# ----- Parts of a dataset -----


class Subset(Dataset[T_co]):
    """The samples of a dataset at some indices.

    Args:
        dataset: the whole dataset.
        indices: of the samples that belong to this part.
    Raises: NotImplementedError: for a derived class with a `__getitem__` that its `__getitems__` would bypass.
    Source: torch.utils.data.Subset.
    """

    dataset: Dataset[T_co]
    indices: Sequence[int]

    def __init__(self, dataset: Dataset[T_co], indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices
        cls = type(self)
        if cls.__getitem__ is not Subset.__getitem__ and cls.__getitems__ is Subset.__getitems__:
            raise NotImplementedError(
                f"{cls.__name__} overrides __getitem__ but not __getitems__. When subclassing Subset and overriding "
                "__getitem__, you must also override __getitems__ to ensure DataLoader works correctly with your "
                "custom logic. A simple implementation:\n\ndef __getitems__(self, indices):\n"
                "    return [self.__getitem__(idx) for idx in indices]"
            )

    def __getitem__(self, idx: Any) -> T_co:
        if isinstance(idx, list):
            return self.dataset[[self.indices[i] for i in idx]]
        return self.dataset[self.indices[idx]]

    def __getitems__(self, indices: list[int]) -> list[T_co]:
        inner = [self.indices[i] for i in indices]
        together: Callable[[list[int]], list[T_co]] | None = getattr(self.dataset, "__getitems__", None)
        if callable(together):
            return together(inner)
        return [self.dataset[i] for i in inner]

    def __len__(self) -> int:
        return len(self.indices)


def random_split(
    dataset: Dataset[T],
    lengths: Sequence[int | float],
    generator: random.Generator | None = random.default_generator,
) -> list[Subset[T]]:
    """Split a dataset at random into parts without overlap.

    Args:
        lengths: how many samples each part gets, or fractions with the sum 1: then each part gets
            floor(fraction * len(dataset)) samples, and the first parts one more each until none is left.
        generator: the stream that is drawn from.
    Raises: ValueError: for a fraction that is not in [0, 1], or when the lengths do not add up to the dataset's.
    Source: torch.utils.data.random_split.
    """
    total = _length(dataset)
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        lengths = _parts(total, lengths)
        for i, length in enumerate(lengths):
            if length == 0:
                text = f"Length of split at index {i} is 0. This might result in an empty dataset."
                warnings.warn(text, stacklevel=2)
    if sum(lengths) != total:
        raise ValueError("Sum of input lengths does not equal the length of the input dataset!")
    order: list[int] = random.randperm(total, generator=generator).tolist()
    ends: list[Any] = list(itertools.accumulate(lengths))
    return [Subset(dataset, order[end - length : end]) for end, length in zip(ends, lengths)]


def _parts(total: int, fractions: Sequence[float]) -> list[int]:
    """Return how many of `total` samples belong to each fraction."""
    for i, fraction in enumerate(fractions):
        if fraction < 0 or fraction > 1:
            raise ValueError(f"Fraction at index {i} is not between 0 and 1")
    lengths = [math.floor(total * fraction) for fraction in fractions]
    for i in range(total - sum(lengths)):
        lengths[i % len(lengths)] += 1
    return lengths
