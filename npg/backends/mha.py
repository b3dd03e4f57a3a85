"""The fast path of attention modules. npg computes in one way, but a TransformerEncoder sets padding to 0 where that of
PyTorch takes the fast path. Source: torch.backends.mha.
"""

from __future__ import annotations

_enabled = True


def get_fastpath_enabled() -> bool:
    """Return what set_fastpath_enabled was given."""
    return _enabled


def set_fastpath_enabled(value: bool) -> None:
    """Permit the fast path in evaluation mode; see nn.TransformerEncoder's enable_nested_tensor."""
    global _enabled
    _enabled = value
