"""The old names of npg.amp for CUDA. Source: torch.cuda.amp."""

from npg.cuda.amp.autocast_mode import autocast, custom_bwd, custom_fwd
from npg.cuda.amp.common import amp_definitely_not_available
from npg.cuda.amp.grad_scaler import GradScaler

__all__ = ["GradScaler", "amp_definitely_not_available", "autocast", "custom_bwd", "custom_fwd"]
