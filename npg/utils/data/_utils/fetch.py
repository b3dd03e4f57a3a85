"""From the indices of a batch to its data, in the main process and in workers.

Source: torch.utils.data._utils.fetch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from npg.engine import is_grad_enabled, wrap
from npg.tensor import Tensor
from npg.utils.data._utils import shared
from npg.utils.data._utils.collate import collate_tensor_fn, default_collate, default_collate_fn_map
from npg.utils.data.dataset import Subset, TensorDataset


class _BaseDatasetFetcher:
    """Data of a dataset.

    Args:
        auto_collation: an index is a list, whose samples make a batch; otherwise it is one sample's.
        collate_fn: makes a batch of samples, or converts a sample.
        drop_last: leave out a last batch that is not full.
    """

    def __init__(self, dataset: Any, auto_collation: bool, collate_fn: Callable[[Any], Any], drop_last: bool) -> None:
        self.dataset = dataset
        self.auto_collation = auto_collation
        self.collate_fn = collate_fn
        self.drop_last = drop_last

    def fetch(self, possibly_batched_index: Any) -> Any:
        raise NotImplementedError


class _IterableDatasetFetcher(_BaseDatasetFetcher):
    """The next data of a stream; an index only says how many samples."""

    def __init__(self, dataset: Any, auto_collation: bool, collate_fn: Callable[[Any], Any], drop_last: bool) -> None:
        super().__init__(dataset, auto_collation, collate_fn, drop_last)
        self.dataset_iter: Iterator[Any] = iter(dataset)
        self.ended = False

    def fetch(self, possibly_batched_index: Any) -> Any:
        if self.ended:
            raise StopIteration
        if not self.auto_collation:
            return self.collate_fn(next(self.dataset_iter))
        samples = []
        for _ in possibly_batched_index:
            try:
                samples.append(next(self.dataset_iter))
            except StopIteration:
                self.ended = True
                break
        if not samples or (self.drop_last and len(samples) < len(possibly_batched_index)):
            raise StopIteration
        return self.collate_fn(samples)


class _MapDatasetFetcher(_BaseDatasetFetcher):
    """The samples at given indices."""

    def fetch(self, possibly_batched_index: Any) -> Any:
        dataset = self.dataset
        if not self.auto_collation:
            return self.collate_fn(dataset[possibly_batched_index])
        if self.collate_fn is default_collate:
            batch = _rows(dataset, possibly_batched_index)
            if batch is not None:
                return batch
        if getattr(dataset, "__getitems__", None):
            return self.collate_fn(dataset.__getitems__(possibly_batched_index))
        return self.collate_fn([dataset[index] for index in possibly_batched_index])


def _rows(dataset: Any, indices: Any) -> list[Tensor] | None:
    """Return a batch of a TensorDataset, or of parts of one, each tensor's rows taken at once.

    Returns: what default_collate makes of the samples; None where anything has been replaced that would take part, for
        tensors with a gradient, and for indices that are not plain or out of range.
    """
    while type(dataset) is Subset:
        try:
            indices = [dataset.indices[i] for i in indices]
        except (TypeError, LookupError):
            return None
        dataset = dataset.dataset
    if type(dataset) is not TensorDataset or default_collate_fn_map.get(Tensor) is not collate_tensor_fn:
        return None
    if type(indices) is not list or set(map(type, indices)) != {int}:
        return None
    batch = []
    for tensor in dataset.tensors:
        if type(tensor) is not Tensor or tensor.requires_grad and (is_grad_enabled() or shared.arena is not None):
            return None
        array = tensor._array
        if not array.ndim or min(indices) < -len(array) or max(indices) >= len(array):
            return None
        out = None if shared.arena is None else shared.arena.empty((len(indices), *array.shape[1:]), array.dtype)
        batch.append(wrap(array.take(indices, 0, out, "wrap")))  # "raise" would go through another array
    return batch or None
