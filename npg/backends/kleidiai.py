"""Arm's kernels, which npg does not have. Source: torch.backends.kleidiai."""

from __future__ import annotations


def is_available() -> bool:
    """Return False: npg computes with NumPy and its BLAS."""
    return False
