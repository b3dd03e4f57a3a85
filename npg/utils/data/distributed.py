"""The share of one process in the samples of a dataset.

Source: torch.utils.data.distributed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, TypeVar

from npg import distributed, random
from npg.utils.data.dataset import Dataset, _length
from npg.utils.data.sampler import Sampler

__all__ = ["DistributedSampler"]

T_co = TypeVar("T_co", covariant=True)


class DistributedSampler(Sampler[T_co]):
    """Every num_replicas-th index, from the rank-th on: all processes together see each sample once.

    The order is the same in all processes: it depends on seed and epoch alone.

    Args:
        dataset: has a length.
        num_replicas: the number of processes; None: that of the process group.
        rank: of this process, in [0, num_replicas); None: its rank in the group.
        shuffle: a random order, another one in each epoch; see set_epoch.
        seed: of the order, the same in all processes.
        drop_last: leave out samples at the end so that all processes get equally many; otherwise some come twice.
    Raises: ValueError: for a rank that is out of range.
        RuntimeError: when there are no process groups to be asked.
    Source: torch.utils.data.DistributedSampler.
    """

    def __init__(
        self,
        dataset: Dataset[Any],
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None or rank is None:
            if not distributed.is_available():
                raise RuntimeError("Requires distributed package to be available")
            num_replicas = distributed.get_world_size() if num_replicas is None else num_replicas
            rank = distributed.get_rank() if rank is None else rank
        if rank >= num_replicas or rank < 0:
            raise ValueError(f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]")
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        count = _length(dataset)
        if drop_last and count % num_replicas:
            count -= num_replicas
        self.num_samples = math.ceil(count / num_replicas)
        self.total_size = self.num_samples * num_replicas
        self.shuffle = shuffle
        self.seed = seed

    def __iter__(self) -> Iterator[T_co]:
        count, total = _length(self.dataset), self.total_size
        order: Any = range(count)
        if self.shuffle:
            generator = random.Generator().manual_seed(self.seed + self.epoch)
            order = random.randperm(count, generator=generator).tolist()
        indices = list(order)
        if self.drop_last:
            indices = indices[:total]
        elif total > len(indices):  # begin again until all have equally many
            indices *= math.ceil(total / len(indices)) if indices else 0
            indices = indices[:total]
        if len(indices) != total:
            raise AssertionError(f"Number of indices ({len(indices)}) does not match total_size ({total})")
        indices = indices[self.rank : total : self.num_replicas]
        return iter(indices)

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of an epoch; call it before each, else all have the order of the first."""
        self.epoch = epoch
