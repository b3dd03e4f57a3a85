"""Collectives that return new tensors, as far as libraries ask for them.

Source: torch.distributed._functional_collectives.
"""

from __future__ import annotations

from typing import Any

from npg._refusal import refusing
from npg.tensor import Tensor


def wait_tensor(tensor: Tensor) -> Tensor:
    """Return the tensor: npg's collectives have ended when they return one."""
    return tensor


@refusing(RuntimeError, "npg has no collectives that are differentiated; those of npg.distributed write to tensors")
def all_to_all_single_autograd(
    self: Any, output_split_sizes: Any, input_split_sizes: Any, group: Any, tag: str = ""
) -> Any: ...
