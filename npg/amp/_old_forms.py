"""The old forms of npg.amp for one type of device: they warn of that, and do the same."""

from __future__ import annotations

from typing import Any, ClassVar

from npg._errors import warn
from npg.amp.autocast_mode import autocast
from npg.amp.grad_scaler import GradScaler


def warn_of(kind: str, name: str) -> None:
    """Warn that npg.cuda.amp.name, or npg.cpu.amp.name, has a new form."""
    warn(
        f"`npg.{kind}.amp.{name}(args...)` is deprecated. Please use `npg.amp.{name}('{kind}', args...)` instead.",
        FutureWarning,
    )


class OldAutocast(autocast):
    """autocast for one type of device."""

    _kind: ClassVar[str]

    def __init__(self, enabled: bool = True, dtype: Any = None, cache_enabled: bool = True) -> None:
        warn_of(self._kind, "autocast")
        super().__init__(self._kind, dtype, enabled, cache_enabled)


class OldGradScaler(GradScaler):
    """GradScaler for one type of device."""

    _kind: ClassVar[str]

    def __init__(
        self,
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        warn_of(self._kind, "GradScaler")
        super().__init__(self._kind, init_scale, growth_factor, backoff_factor, growth_interval, enabled)
