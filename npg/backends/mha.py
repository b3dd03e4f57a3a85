"""The fast path of attention modules, which npg does not have: it has one path. Source: torch.backends.mha."""

from __future__ import annotations

_enabled = True


def get_fastpath_enabled() -> bool:
    """Return what set_fastpath_enabled was given; npg has one path."""
    return _enabled


def set_fastpath_enabled(value: bool) -> None:
    """Permit another path in evaluation mode: it is kept, and changes nothing."""
    global _enabled
    _enabled = value
