"""Settings of MIOpen, which is not there: they are kept, and change nothing. Source: torch.backends.miopen."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from typing import Any

from npg.backends._flags import Flag, Settings, put_flags, restoring


class _Miopen(Settings):
    immediate = Flag(False, "set_immediate_miopen expects a bool, but got {kind}")


_module: Any = sys.modules[__name__]
_module.__class__ = _Miopen


def set_flags(_immediate: Any = None) -> tuple[bool]:
    """Set the flag and return the one before: it is kept, and changes nothing."""
    before = _module.immediate
    put_flags(_module, {"immediate": _immediate})
    return (before,)


def flags(immediate: bool = False) -> AbstractContextManager[None]:
    """Return a block with another flag: it is kept, and changes nothing."""
    return restoring(set_flags, immediate)
