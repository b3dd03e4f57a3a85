"""Apple's devices, of which there is none. Source: torch.backends.mps."""

from __future__ import annotations

from typing import Any

from npg._refusal import refusing


def is_built() -> bool:
    """Return False: npg computes on the CPU."""
    return False


def is_available() -> bool:
    """Return False: npg computes on the CPU."""
    return False


_refuses = refusing(RuntimeError, "Cannot execute isOnMacOSorNewer() without MPS backend.")


@_refuses
def is_macos_or_newer(major: int, minor: int) -> Any: ...


@_refuses
def is_macos13_or_newer(minor: int = 0) -> Any: ...


@refusing(RuntimeError, "Cannot execute getName() without MPS backend.")
def get_name() -> Any: ...


@refusing(RuntimeError, "Cannot execute getCoreCount() without MPS backend.")
def get_core_count() -> Any: ...
