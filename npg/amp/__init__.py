"""Automatic casts to a narrower dtype, and the scaling of losses that goes with them. Source: torch.amp."""

from npg.amp.autocast_mode import autocast, custom_bwd, custom_fwd, is_autocast_available
from npg.amp.grad_scaler import GradScaler

__all__ = [
    "GradScaler",
    "autocast",
    "custom_bwd",
    "custom_fwd",
    "is_autocast_available",
]
