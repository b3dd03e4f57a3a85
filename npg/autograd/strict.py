"""Find accidental float64: promotion from one floating dtype to another as an error."""

from __future__ import annotations

from typing import Any

from npg import dtypes
from npg.engine import Block


class strict_dtype(Block):
    """A context manager: within it, an op that would compute a floating tensor in a wider dtype raises.

    float32 + float64 gives float64, and one such sum makes all later operations slower and their results twice as
    large. Within the context, an operation that promotes a floating tensor or ndarray to a wider dtype raises, also in
    place. Numbers, integers and wide 0-d tensors, which take the others' dtype, are unaffected, as are explicit
    conversions such as to() and dtype=. It holds in all threads and costs nothing where dtypes are the same.

    Args:
        enabled: False allows promotion again within the context.
    Raises: TypeError: in an op, naming it and the dtypes.
    Source: npg's own.
    """

    def __init__(self, enabled: bool = True) -> None:
        self.enabled = enabled

    def _places(self) -> Any:
        return ((dtypes, "_strict", self.enabled),)

    def _entered(self) -> None:
        return None
