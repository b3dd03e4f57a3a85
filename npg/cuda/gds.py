"""Files that a device reads by itself, of which there is none. Source: torch.cuda.gds."""

from __future__ import annotations

from typing import Any

from npg._refusal import refusing, refusing_class
from npg.functional._attributes import NO_CUDA

_refuses = refusing(AssertionError, NO_CUDA)


@_refuses
def gds_register_buffer(s: Any) -> Any: ...


@_refuses
def gds_deregister_buffer(s: Any) -> Any: ...


GdsFile = refusing_class("GdsFile", __name__, AssertionError, NO_CUDA)

__all__ = ["GdsFile", "gds_deregister_buffer", "gds_register_buffer"]
