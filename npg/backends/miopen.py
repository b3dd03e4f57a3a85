"""Settings of MIOpen, which is not there: they are kept, and change nothing. Source: torch.backends.miopen."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from npg.backends._flags import Flag, Settings, put_flags


class _Miopen(Settings):
    immediate = Flag(False, "set_immediate_miopen expects a bool, but got {kind}")


_module: Any = sys.modules[__name__]
_module.__class__ = _Miopen


def set_flags(_immediate: Any = None) -> tuple[bool]:
    """Set the flag and return the one before: it is kept, and changes nothing."""
    before = _module.immediate
    put_flags(_module, {"immediate": _immediate})
    return (before,)


@contextmanager
def flags(immediate: bool = False) -> Iterator[None]:
    """Return a block with another flag: it is kept, and changes nothing."""
    before = set_flags(immediate)
    try:
        yield
    finally:
        set_flags(*before)
