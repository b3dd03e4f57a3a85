"""NVIDIA's sparse products, which are not there. Source: torch.backends.cusparselt."""

from __future__ import annotations


def is_available() -> bool:
    """Return False: there is no device."""
    return False


def version() -> None:
    """Return None: there is none."""


def get_max_alg_id() -> None:
    """Return None: there is none."""
