"""The old names of npg.amp for the CPU. Source: torch.cpu.amp."""

from npg.cpu.amp.autocast_mode import autocast
from npg.cpu.amp.grad_scaler import GradScaler

__all__ = ["GradScaler", "autocast"]
