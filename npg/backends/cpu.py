"""What the processor can do. Source: torch.backends.cpu."""

from __future__ import annotations


def get_cpu_capability() -> str:
    """Return the widest vectors that NumPy uses here: AVX512, AVX2, or DEFAULT for all others."""
    from npg.kernels.processor import FEATURES, HAS_AVX512

    return "AVX512" if HAS_AVX512 else "AVX2" if FEATURES.get("AVX2") else "DEFAULT"
