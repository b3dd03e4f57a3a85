"""Whether memory that is not initialised is filled: npg leaves it as it is. Source: torch.utils.deterministic."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

_fill = True


class _Deterministic(ModuleType):
    @property
    def fill_uninitialized_memory(self) -> bool:
        """What was assigned last: it is kept, and npg.empty leaves its memory as it is."""
        return _fill

    @fill_uninitialized_memory.setter
    def fill_uninitialized_memory(self, mode: Any) -> None:
        global _fill
        if not isinstance(mode, bool):
            raise RuntimeError(f"expected a bool, but got {type(mode).__name__}")
        _fill = mode


_module: Any = sys.modules[__name__]
_module.__class__ = _Deterministic
