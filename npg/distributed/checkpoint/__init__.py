"""Checkpoints that several processes write together, which npg does not have: rank 0 saves with npg.save.

Source: torch.distributed.checkpoint.
"""

from __future__ import annotations

from typing import Any

from npg._refusal import refusing

__all__ = ["load", "save"]

TEXT = "npg has no checkpoints that several processes write together; let one rank call save"


@refusing(RuntimeError, TEXT)
def save(state_dict: Any, **settings: Any) -> Any: ...


@refusing(RuntimeError, TEXT)
def load(state_dict: Any, **settings: Any) -> Any: ...
