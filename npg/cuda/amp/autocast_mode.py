"""The old form of npg.amp.autocast("cuda"). Source: torch.cuda.amp.autocast_mode."""

from __future__ import annotations

from typing import Any

from npg import amp
from npg._errors import warn
from npg.amp._old_forms import OldAutocast


class autocast(OldAutocast):
    """The old form of npg.amp.autocast("cuda"): it warns of that, and does the same."""

    _kind = "cuda"


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
