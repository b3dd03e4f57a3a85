"""The old form of npg.amp.autocast("cpu"). Source: torch.cpu.amp.autocast_mode."""

from __future__ import annotations

from npg.amp._old_forms import OldAutocast


class autocast(OldAutocast):
    """The old form of npg.amp.autocast("cpu"): it warns of that, and does the same."""

    _kind = "cpu"


__all__ = ["autocast"]
