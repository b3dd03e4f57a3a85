"""What the processor can do. Source: torch.backends.cpu."""

from __future__ import annotations


def get_cpu_capability() -> str:
    """Return the widest vectors that NumPy uses here: AVX512, AVX2, or DEFAULT for all others."""
    from importlib import import_module

    features = import_module("numpy._core._multiarray_umath").__cpu_features__
    return "AVX512" if features.get("AVX512_SKX") else "AVX2" if features.get("AVX2") else "DEFAULT"
