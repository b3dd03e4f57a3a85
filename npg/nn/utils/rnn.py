"""Batches of sequences of unlike lengths: padded to one length, or packed without padding.

A packed batch holds, for every step in time, the elements of the sequences that are that long. The sequences are sorted
by falling length, so that those which have a step t are the first `batch_sizes[t]` of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

import numpy as np

from npg import dtypes
from npg._words import type_name
from npg.creation import as_tensor, from_numpy, full
from npg.functional import index_select, sort
from npg.functional.packing import _pack_padded_sequence, _pad_packed_sequence
from npg.tensor import Tensor

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]

_T = TypeVar("_T")
_R = TypeVar("_R")


def bind(optional: _T | None, fn: Callable[[_T], _R]) -> _R | None:
    """Return fn(optional), None for None."""
    return None if optional is None else fn(optional)


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """Return the permutation that undoes one, None for None. Source: torch.nn.utils.rnn.invert_permutation."""
    if permutation is None:
        return None
    inverse = np.empty_like(permutation._array)
    inverse[permutation._array] = np.arange(permutation.numel())
    return from_numpy(inverse)


# ----- The packed batch -----


class PackedSequence_(NamedTuple):
    """The fields of a PackedSequence."""

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(PackedSequence_):
    """A batch of sequences without padding, as pack_padded_sequence and pack_sequence return it.

    Attributes:
        data: (total, *), the elements, step by step.
        batch_sizes: (T,) int64, how many sequences have each step.
        sorted_indices: (B,) int64, where each of the sorted sequences stood in the batch; None when it was sorted.
        unsorted_indices: (B,) int64, the inverse of it.
    Raises: ValueError: when batch_sizes does not lie on the CPU.
    Source: torch.nn.utils.rnn.PackedSequence.
    """

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        if batch_sizes is None:  # both in one pair
            assert isinstance(data, (list, tuple)) and len(data) == 2, "Expected data to be a list or tuple of length 2"
            data, batch_sizes = data
        elif batch_sizes.device.type != "cpu":
            raise ValueError(
                "batch_sizes should always be on CPU. Instances of PackedSequence should never be created "
                "manually. They should be instantiated by functions like pack_sequence and pack_padded_sequences in "
                "nn.utils.rnn. https://pytorch.org/docs/stable/nn.html#torch.nn.utils.rnn.pack_sequence"
            )
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Return the batch with data of another dtype or device; itself when nothing changes."""
        data = self.data.to(*args, **kwargs)
        return self if data is self.data else type(self)(data, *self[1:])

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Raise what `.cuda()` of a tensor raises."""
        return type(self)(self.data.cuda(*args, **kwargs), *self[1:])

    def cpu(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Return the batch itself: it lies on the CPU."""
        return self.to(*args, device="cpu", **kwargs)

    def pin_memory(self) -> PackedSequence:
        """Return the batch in pinned memory."""
        return type(self)(self.data.pin_memory(), *self[1:])

    def double(self) -> PackedSequence:
        """Return the batch in float64."""
        return self.to(dtype=dtypes.float64)

    def float(self) -> PackedSequence:
        """Return the batch in float32."""
        return self.to(dtype=dtypes.float32)

    def half(self) -> PackedSequence:
        """Return the batch in float16."""
        return self.to(dtype=dtypes.float16)

    def long(self) -> PackedSequence:
        """Return the batch in int64."""
        return self.to(dtype=dtypes.int64)

    def int(self) -> PackedSequence:
        """Return the batch in int32."""
        return self.to(dtype=dtypes.int32)

    def short(self) -> PackedSequence:
        """Return the batch in int16."""
        return self.to(dtype=dtypes.int16)

    def char(self) -> PackedSequence:
        """Return the batch in int8."""
        return self.to(dtype=dtypes.int8)

    def byte(self) -> PackedSequence:
        """Return the batch in uint8."""
        return self.to(dtype=dtypes.uint8)

    @property
    def is_cuda(self) -> bool:
        """Whether the data lie on a GPU."""
        return bool(self.data.is_cuda)

    def is_pinned(self) -> bool:
        """Tell whether the data lie in pinned memory."""
        return bool(self.data.is_pinned())


# ----- Packing -----


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Pack a padded batch.

    Args:
        input: (T, B, *), or (B, T, *) with batch_first.
        lengths: B lengths, a list or a tensor.
        enforce_sorted: whether the lengths fall already; False sorts them.
    Returns: its data are (sum of the lengths, *), dtype of input.
    Raises: RuntimeError: for lengths that are not B, not positive or not sorted, and for an empty batch.
    Source: torch.nn.utils.rnn.pack_padded_sequence. A length beyond T is refused; PyTorch leaves such elements out of
        the data and counts them in batch_sizes.
    """
    lengths = as_tensor(lengths, dtype=dtypes.int64)
    order: Tensor | None = None
    if not enforce_sorted:
        lengths, order = sort(lengths, descending=True)
        input = index_select(input, 0 if batch_first else 1, order)
    return PackedSequence(*_pack_padded_sequence(input, lengths, batch_first), order, None)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """Undo pack_padded_sequence.

    Args:
        total_length: pad to this length, at least that of the longest sequence.
    Returns: the padded batch, (T, B, *) or (B, T, *) with batch_first, and (B,) int64, the lengths.
    Raises: ValueError: when total_length is too small.
    Source: torch.nn.utils.rnn.pad_packed_sequence.
    """
    longest = len(sequence.batch_sizes)
    if total_length is not None:
        if total_length < longest:
            raise ValueError(
                "Expected total_length to be at least the length of the longest sequence in input, but got "
                f"total_length={total_length} and max sequence length being {longest}"
            )
        longest = total_length
    padded, lengths = _pad_packed_sequence(sequence.data, sequence.batch_sizes, batch_first, padding_value, longest)
    order = sequence.unsorted_indices
    if order is None:
        return padded, lengths
    return index_select(padded, 0 if batch_first else 1, order), lengths[order]


# ----- Padding -----


def pad_sequence(
    sequences: Any, batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Put sequences into one tensor, as long as the longest.

    Args:
        sequences: tensors (L, *) whose lengths L differ, as an iterable or one tensor.
        padding_side: "right", or "left" to end together.
    Returns: (T, B, *), or (B, T, *) with batch_first; dtype of the first sequence.
    Raises: RuntimeError: for no sequences, and for another padding_side.
    Source: torch.nn.utils.rnn.pad_sequence.
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}"
        )
    rows = list(sequences.unbind(0) if isinstance(sequences, Tensor) else sequences)
    for i, row in enumerate(rows):
        if not isinstance(row, Tensor):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got {type_name(row)}")
    if not rows:
        raise RuntimeError("received an empty list of sequences")
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    if any(not row.dim() for row in rows):
        raise RuntimeError("expected sequences of at least one dimension, got a tensor without dimensions")
    longest = max(len(row) for row in rows)
    shape = (len(rows), longest) if batch_first else (longest, len(rows))
    padded: Tensor = full((*shape, *rows[0].shape[1:]), padding_value, dtype=rows[0].dtype)
    for i, row in enumerate(rows):
        part = slice(longest - len(row), None) if padding_side == "left" else slice(len(row))
        padded[(i, part) if batch_first else (part, i)] = row
    return padded


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """Return copies of the B sequences of a padded batch, each with its own length.

    Source: torch.nn.utils.rnn.unpad_sequence, which transposes the padded batch itself unless batch_first.
    """
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    pairs = zip(range(len(rows)), lengths, strict=True)
    return [rows[i, : max(int(length), 0)].clone() for i, length in pairs]


def pack_sequence(sequences: list[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack tensors (L, *) whose lengths L differ. Source: torch.nn.utils.rnn.pack_sequence."""
    lengths = as_tensor([len(sequence) for sequence in sequences])
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """Undo pack_sequence. Source: torch.nn.utils.rnn.unpack_sequence."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
