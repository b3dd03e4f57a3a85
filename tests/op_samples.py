"""PyTorch's own samples of its ops, for tests that run over all of them."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from typing import Any

import torch


def name_of(op: Any) -> str:
    """Return the name of an op, with that of its variant."""
    return f"{op.name}.{op.variant_test_name}".rstrip(".")


def samples_of(op: Any, count: int) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Yield the arguments of the first float64 samples of an op, warnings being ignored meanwhile."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for sample in itertools.islice(op.sample_inputs("cpu", torch.float64, requires_grad=False), count):
            yield (sample.input, *sample.args), sample.kwargs
