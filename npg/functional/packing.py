"""Batches of sequences of unlike lengths, packed without padding: see npg.nn.utils.rnn."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg._words import scalar_name, type_name
from npg.engine import array_of, wrap
from npg.functional._arguments import canonical_dim, checked_array
from npg.functional.indexing import getitem, index_put


def _places(lengths: Any) -> tuple[Any, Any, Any]:
    """Return the sizes of the steps, and for every packed element its step and its sequence; lengths fall."""
    steps = np.arange(lengths[0] if lengths.size else 0)
    sizes = np.searchsorted(-lengths, -steps, side="left").astype(np.int64)  # how many are longer than t
    starts = np.cumsum(sizes) - sizes
    step = np.repeat(steps, sizes)
    return sizes, step, np.arange(step.size) - starts[step]


def _index(step: Any, row: Any, batch_first: bool) -> tuple[Any, Any]:
    return (wrap(row), wrap(step)) if batch_first else (wrap(step), wrap(row))


def _pack_padded_sequence(input: Any, lengths: Any, batch_first: bool) -> tuple[Any, Any]:
    """Return the elements of a padded batch, (sum of the lengths, *), and how many sequences each step has.

    Args:
        input: (T, B, *), or (B, T, *) with batch_first.
        lengths: (B,) int64, falling.
    Raises: RuntimeError: for lengths that are not B, not positive, not sorted or beyond T, and for an empty batch.
    Source: torch._pack_padded_sequence.
    """
    shape = checked_array("_pack_padded_sequence", input).shape
    counts = checked_array("_pack_padded_sequence", lengths, "lengths", 2)
    canonical_dim(1, len(shape))  # raises
    if counts.ndim != 1 or counts.dtype != np.int64:
        kind = f"{counts.ndim}D cpu {scalar_name(counts)} tensor"
        raise RuntimeError(f"'lengths' argument should be a 1D CPU int64 tensor, but got {kind}")
    if 0 in shape:
        raise RuntimeError("Cannot pack empty tensors.")
    longest, batch = shape[1::-1] if batch_first else shape[:2]
    if counts.size != batch:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {counts.size} (batch_size={batch})"
        )
    if (counts <= 0).any():
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    if (counts[1:] > counts[:-1]).any():
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you "
            "do not need ONNX exportability."
        )
    if counts[0] > longest:
        raise RuntimeError(f"expected lengths of at most {longest}, the length of the padded batch, got {counts[0]}")
    sizes, step, row = _places(counts)
    return getitem(input, _index(step, row, batch_first)), wrap(sizes)


def _pad_packed_sequence(
    data: Any, batch_sizes: Any, batch_first: bool, padding_value: float, total_length: int
) -> tuple[Any, Any]:
    """Return a packed batch, padded to (T, B, *), or (B, T, *) with batch_first, and the lengths, (B,) int64.

    Args:
        data, batch_sizes: as _pack_padded_sequence returns them.
        padding_value: of the elements behind a sequence's end.
        total_length: T, at least the number of steps.
    Source: torch._pad_packed_sequence.
    """
    x, sizes = checked_array("_pad_packed_sequence", data), array_of(batch_sizes)
    if not isinstance(total_length, int):
        kind = type_name(total_length)
        raise TypeError(f"_pad_packed_sequence(): argument 'total_length' (position 5) must be int, not {kind}")
    batch = int(sizes[0])
    lengths = np.searchsorted(-sizes, -np.arange(batch), side="left").astype(np.int64)
    _, step, row = _places(lengths)
    steps = max(total_length, len(sizes))
    shape = (batch, steps) if batch_first else (steps, batch)
    padding = wrap(np.full((*shape, *x.shape[1:]), padding_value, x.dtype))
    return index_put(padding, _index(step, row, batch_first), data), wrap(lengths)
