"""The old form of npg.amp.autocast("cuda"). Source: torch.cuda.amp.autocast_mode."""

from __future__ import annotations

from typing import Any

from npg import amp
from npg._errors import warn


class autocast(amp.autocast):
    """The old form of npg.amp.autocast("cuda"): it warns of that, and does the same."""

    def __init__(self, enabled: bool = True, dtype: Any = None, cache_enabled: bool = True) -> None:
        warn(
            "`npg.cuda.amp.autocast(args...)` is deprecated. Please use `npg.amp.autocast('cuda', args...)` instead.",
            FutureWarning,
        )
        super().__init__("cuda", dtype, enabled, cache_enabled)


def custom_fwd(fwd: Any = None, *, cast_inputs: Any = None) -> Any:
    """Call npg.amp.custom_fwd for CUDA, with a warning: its old form."""
    _deprecated("custom_fwd")
    return amp.custom_fwd(fwd, device_type="cuda", cast_inputs=cast_inputs)


def custom_bwd(bwd: Any) -> Any:
    """Call npg.amp.custom_bwd for CUDA, with a warning: its old form."""
    _deprecated("custom_bwd")
    return amp.custom_bwd(bwd, device_type="cuda")


def _deprecated(name: str) -> None:
    warn(
        f"`npg.cuda.amp.{name}(args...)` is deprecated. Please use `npg.amp.{name}(args..., device_type='cuda')` "
        "instead.",
        FutureWarning,
    )


__all__ = ["autocast", "custom_bwd", "custom_fwd"]
