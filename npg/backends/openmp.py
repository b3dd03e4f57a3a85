"""OpenMP, which npg does not use: its threads are its own. Source: torch.backends.openmp."""

from __future__ import annotations


def is_available() -> bool:
    """Return False: npg's threads are its own."""
    return False
