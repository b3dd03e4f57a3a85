"""Settings of NNPACK, which is not there: they are kept, and change nothing. Source: torch.backends.nnpack."""

from __future__ import annotations

from contextlib import AbstractContextManager

from npg.backends._flags import restoring

_enabled_now = True


def is_available() -> bool:
    """Return False: npg computes with NumPy and its BLAS."""
    return False


def set_flags(_enabled: bool) -> tuple[bool]:
    """Set whether it is enabled and return what was: it is kept, and changes nothing."""
    global _enabled_now
    before, _enabled_now = _enabled_now, _enabled
    return (before,)


def flags(enabled: bool = False) -> AbstractContextManager[None]:
    """Return a block with another setting: it is kept, and changes nothing."""
    return restoring(set_flags, enabled)
