"""Anomaly mode: find the forward call whose backward fails."""

from __future__ import annotations

import warnings
from typing import Any

from npg.engine import Block, switches

__all__ = ["detect_anomaly", "set_anomaly_enabled", "set_detect_anomaly"]


class set_detect_anomaly(Block):
    """Switch anomaly mode on or off, for all threads; as a context manager, until its end.

    While it is on, every node records the stack of the call that created it; an error in its backward is followed by a
    warning with that stack, and a nan in a gradient raises an error that names its shape and position.

    Args:
        mode: on or off.
        check_nan: check gradients for nan.
    Source: torch.autograd.set_detect_anomaly; the nan's shape and position are npg's addition.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.prev, self.prev_check_nan = switches.anomaly
        self._within = mode, check_nan
        switches.anomaly = self._within

    def _places(self) -> Any:
        switches.anomaly = self.prev, self.prev_check_nan  # the block restores these
        return ((switches, "anomaly", self._within),)

    def _entered(self) -> None:
        return None


class detect_anomaly(Block):
    """A context manager that switches anomaly mode on; see set_detect_anomaly. It warns that it slows everything down.

    Args:
        check_nan: check gradients for nan.
    Source: torch.autograd.detect_anomaly.
    """

    def __init__(self, check_nan: bool = True) -> None:
        self.prev, self.prev_check_nan = switches.anomaly
        self.check_nan = check_nan
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for "
            "debugging.",
            stacklevel=2,
        )

    def _places(self) -> Any:
        return ((switches, "anomaly", (True, self.check_nan)),)

    def _entered(self) -> None:
        return None


def set_anomaly_enabled(enabled: bool, check_nan: bool = True) -> None:
    """Switch anomaly mode on or off, for all threads; see set_detect_anomaly. Source: torch.set_anomaly_enabled."""
    for position, (name, value) in enumerate((("enabled", enabled), ("check_nan", check_nan)), 1):
        if not isinstance(value, bool):
            where = f"argument '{name}' (position {position})"
            raise TypeError(f"set_anomaly_enabled(): {where} must be bool, not {type(value).__name__}")
    switches.anomaly = enabled, check_nan
