"""The count of additions and multiplications, which npg's profiler has. Source: torch.utils.flop_counter."""

from __future__ import annotations

from typing import Any

from npg._naming import named

__all__ = ["FlopCounterMode"]


class FlopCounterMode:
    """A counter that libraries may hold and ask, and that has counted nothing: no block can be counted with it.

    Args:
        mods, depth, display, custom_mapping: of PyTorch's table.
    Source: torch.utils.flop_counter.FlopCounterMode.
    """

    def __init__(self, mods: Any = None, depth: int = 2, display: bool = True, custom_mapping: Any = None) -> None:
        self.depth, self.display = depth, display

    def __enter__(self) -> FlopCounterMode:
        raise NotImplementedError(named("npg counts operations in npg.profiler.profile(with_flops=True); use that"))

    def __exit__(self, *exc: object) -> None:
        pass

    def get_total_flops(self) -> int:
        """Return 0: nothing was counted."""
        return 0

    def get_flop_counts(self) -> dict[str, dict[Any, int]]:
        """Return an empty dict: nothing was counted."""
        return {}
