"""Helpers beside the core."""

from npg.utils import hooks

__all__ = ["hooks"]
