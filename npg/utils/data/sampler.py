"""Samplers: in which order, and how grouped, a DataLoader takes the samples of a dataset.

Source: torch.utils.data.sampler; the orders are PyTorch's, number for number.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar

import numpy as np

from npg import dtypes, random
from npg.creation import as_tensor
from npg.functional import multinomial
from npg.tensor import Tensor

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]

T_co = TypeVar("T_co", covariant=True)


def drawn_seed(generator: Any = None) -> int:
    """Draw a seed from [0, 2**63), as an empty int64 tensor's random_() does."""
    return int(random.random_(np.empty((), np.int64), generator=generator))


class Sampler(Generic[T_co]):
    """An order of samples: derived classes define `__iter__`, and `__len__` where a length is known.

    Source: torch.utils.data.Sampler.
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError


class SequentialSampler(Sampler[int]):
    """The indices 0 ... n - 1. Source: torch.utils.data.SequentialSampler."""

    data_source: Sized

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """Indices in random order, each once, or with replacement.

    Args:
        data_source: has a length n.
        replacement: an index may come more than once.
        num_samples: how many indices, n by default; without replacement, permutation follows permutation.
        generator: the stream to draw from; None: a new one each time, seeded by a draw from the default generator.
    Raises: TypeError, ValueError: when replacement is no bool, or num_samples no positive integer.
    Source: torch.utils.data.RandomSampler.
    """

    data_source: Sized
    replacement: bool

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: random.Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        count = self.num_samples
        if not isinstance(count, int) or count <= 0:
            raise ValueError(f"num_samples should be a positive integer value, but got num_samples={count}")

    @property
    def num_samples(self) -> int:
        """How many indices: the length of the data as it is now, unless another number was given."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        n, count, generator = len(self.data_source), self.num_samples, self.generator
        if generator is None:
            generator = random.Generator().manual_seed(drawn_seed())
        if self.replacement:
            for start in range(0, count, 32):  # a reader that stops early has drawn 32 by 32
                size = min(32, count - start)
                yield from random.randint(0, n, (size,), generator=generator).tolist()
        else:
            for _ in range(count // n):
                yield from random.randperm(n, generator=generator).tolist()
            # Drawn even when nothing of it is needed: as in PyTorch, a generator of the caller moves on.
            yield from random.randperm(n, generator=generator)[: count % n].tolist()

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """Given indices in random order, each once. Source: torch.utils.data.SubsetRandomSampler."""

    indices: Sequence[int]

    def __init__(self, indices: Sequence[int], generator: random.Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for i in random.randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Indices 0 ... n - 1 drawn with given weights.

    Args:
        weights: (n,), not necessarily with the sum 1.
        num_samples: how many indices.
        replacement: an index may come more than once.
        generator: the stream to draw from.
    Raises: ValueError: when num_samples is no positive integer, replacement no bool, or weights not 1-d.
    Source: torch.utils.data.WeightedRandomSampler.
    """

    weights: Tensor
    num_samples: int
    replacement: bool

    def __init__(
        self,
        weights: Sequence[float] | Tensor,
        num_samples: int,
        replacement: bool = True,
        generator: random.Generator | None = None,
    ) -> None:
        _check_count("num_samples", num_samples)
        _check_flag("replacement", replacement)
        weights_tensor = as_tensor(weights, dtype=dtypes.float64)
        if weights_tensor.ndim != 1:
            shape = tuple(weights_tensor.shape)
            raise ValueError(f"weights should be a 1d sequence but given weights have shape {shape}")
        self.weights = weights_tensor
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        chosen = multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator)
        yield from chosen.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Groups of a sampler's indices.

    Args:
        sampler: any iterable.
        batch_size: how many indices are in a group.
        drop_last: leave out the last group when it is not full.
    Raises: ValueError: when batch_size is no positive integer, or drop_last no bool.
    Source: torch.utils.data.BatchSampler.
    """

    def __init__(self, sampler: Sampler[int] | Iterable[int], batch_size: int, drop_last: bool) -> None:
        _check_count("batch_size", batch_size)
        _check_flag("drop_last", drop_last)
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices, size = iter(self.sampler), self.batch_size
        batch = list(itertools.islice(indices, size))
        while len(batch) == size or batch and not self.drop_last:
            yield batch
            batch = list(itertools.islice(indices, size))

    def __len__(self) -> int:
        count, size = len(self.sampler), self.batch_size  # type: ignore[arg-type]  # TypeError where it has no length
        return count // size if self.drop_last else -(-count // size)


def _check_count(name: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"{name} should be a positive integer value, but got {name}={value}")


def _check_flag(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"{name} should be a boolean value, but got {name}={value}")
