"""The old form of npg.amp.autocast("cpu"). Source: torch.cpu.amp.autocast_mode."""

from __future__ import annotations

from typing import Any

from npg import amp
from npg._errors import warn


class autocast(amp.autocast):
    """The old form of npg.amp.autocast("cpu"): it warns of that, and does the same."""

    def __init__(self, enabled: bool = True, dtype: Any = None, cache_enabled: bool = True) -> None:
        warn(
            "`npg.cpu.amp.autocast(args...)` is deprecated. Please use `npg.amp.autocast('cpu', args...)` instead.",
            FutureWarning,
        )
        super().__init__("cpu", dtype, enabled, cache_enabled)


__all__ = ["autocast"]
