"""The engine of quantized ops, of which npg has none. Source: torch.backends.quantized."""

from __future__ import annotations

import sys
from typing import Any

from npg.backends._flags import Settings


class _Quantized(Settings):
    supported_engines = ("none",)

    @property
    def engine(self) -> str:
        return "none"

    @engine.setter
    def engine(self, value: Any) -> None:
        if value not in ("none", "fbgemm", "qnnpack", "onednn", "x86"):
            raise RuntimeError(f"{value} is not a valid value for quantized engine")
        if value != "none":
            raise RuntimeError(f"quantized engine {str(value).upper()} is not supported: npg has no quantized tensors")


_module: Any = sys.modules[__name__]
_module.__class__ = _Quantized
