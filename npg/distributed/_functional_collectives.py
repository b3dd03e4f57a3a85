"""Collectives that return new tensors, as far as libraries ask for them.

Source: torch.distributed._functional_collectives.
"""

from __future__ import annotations

from typing import Any

from npg.distributed.nn.functional import AllToAllSingle
from npg.tensor import Tensor


def wait_tensor(tensor: Tensor) -> Tensor:
    """Return the tensor: npg's collectives have ended when they return one."""
    return tensor


def all_to_all_single_autograd(
    self: Tensor, output_split_sizes: Any, input_split_sizes: Any, group: Any, tag: str = ""
) -> Any:
    """Send some rows to each rank, and return those that come; it is differentiated.

    Args: output_split_sizes, input_split_sizes: how many rows come from and go to each rank; None: equally many.
    """
    rows = self.shape[0] if output_split_sizes is None else sum(output_split_sizes)
    output = self.new_empty((rows, *self.shape[1:]))
    return AllToAllSingle.apply(group, output, output_split_sizes, input_split_sizes, self)
