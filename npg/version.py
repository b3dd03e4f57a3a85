"""The version of PyTorch whose API npg has; npg's own is `npg.__version__`. Source: torch.version."""

from __future__ import annotations

__all__ = ["__version__", "cuda", "debug", "git_version", "hip", "rocm", "xpu"]

__version__ = "2.13.0+npg"
debug = False
cuda: str | None = None
git_version = "Unknown"  # what PyTorch says when it is built outside a git repository
hip: str | None = None
rocm: str | None = None
xpu: str | None = None
