"""Find where float64 slips in: promotion from one floating dtype to another as an error."""

from __future__ import annotations

from typing import Any

from npg import dtypes
from npg.engine import Block


class strict_dtype(Block):
    """A context manager: within it, an op that would compute a floating tensor in a wider dtype raises.

    float32 + float64 gives float64, and one such sum makes all that follows slower and twice as large. Within, what
    promotes a floating tensor or ndarray to a wider dtype raises, in place too. Numbers, integers, and a wide tensor
    without dimensions, which takes the others' dtype, are as always, and so are conversions that are asked for, such
    as to() and dtype=. It holds in all threads and costs nothing where dtypes are the same.

    Args:
        enabled: False allows promotion again within.
    Raises: TypeError: in an op, naming it and the dtypes.
    Source: npg's own.
    """

    def __init__(self, enabled: bool = True) -> None:
        self.enabled = enabled

    def _places(self) -> Any:
        return ((dtypes, "_strict", self.enabled),)

    def _entered(self) -> None:
        return None
