"""The old form of npg.amp.GradScaler("cuda"). Source: torch.cuda.amp.grad_scaler."""

from __future__ import annotations

from npg import amp
from npg._errors import warn


class GradScaler(amp.GradScaler):
    """The old form of npg.amp.GradScaler("cuda"): it warns of that, and does the same."""

    def __init__(
        self,
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        warn(
            "`npg.cuda.amp.GradScaler(args...)` is deprecated. Please use `npg.amp.GradScaler('cuda', args...)` "
            "instead.",
            FutureWarning,
        )
        super().__init__("cuda", init_scale, growth_factor, backoff_factor, growth_interval, enabled)


__all__ = ["GradScaler"]
