"""What libraries take from PyTorch for tensors that are shared out among processes, which npg does not have."""

from __future__ import annotations

from typing import Any

from npg._refusal import refusing
from npg.distributed.tensor.placement_types import TEXT


@refusing(RuntimeError, TEXT)
def compute_local_shape_and_global_offset(global_shape: Any, mesh: Any, placements: Any) -> Any: ...
