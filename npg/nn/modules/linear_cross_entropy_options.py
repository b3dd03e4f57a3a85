"""How LinearCrossEntropyLoss saves memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from npg import dtypes
from npg._naming import named

_FLOATING = (dtypes.float16, dtypes.float32, dtypes.float64)


@dataclass(slots=True, frozen=True)
class LinearCrossEntropyOptions:
    """Ask F.linear_cross_entropy for the logits of some rows at a time.

    Attributes:
        allow_retain_graph: has no effect: backward can always run again.
        batch_chunk_size: the rows of a chunk; None: all, or what chunking_method says.
        chunking_method: "aspect_ratio:N": as many rows as make logits of the size of the input, divided by N;
            "aspect_ratio": the same with N = 1; "auto": with N = 2, unless batch_chunk_size is given; or None.
        acc_policy, acc_dtype: have no effect but their checks: float16 is computed in float32, others in their dtype.
    Raises: ValueError: for other values, or two sizes of a chunk that differ.
    Source: torch.nn.LinearCrossEntropyOptions.
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: Literal["accurate", "balanced", "compact", "auto"] = "auto"
    acc_dtype: Any = None

    def __post_init__(self) -> None:
        if self.acc_policy not in ("auto", "accurate", "balanced", "compact"):
            raise ValueError(f"invalid acc_policy: {self.acc_policy!r}")
        if self.chunking_method is not None and self.chunking_method != "auto":
            if not isinstance(self.chunking_method, str):
                raise ValueError(f"invalid chunking_method: {self.chunking_method!r}")
            name, colon, factor = self.chunking_method.partition(":")
            if name != "aspect_ratio" or (colon and not (factor.isdigit() and int(factor) > 0)):
                raise ValueError(f"invalid chunking_method: {self.chunking_method!r}")
        size = self.batch_chunk_size
        if size is not None and not (isinstance(size, int) and size > 0):
            raise ValueError(f"batch_chunk_size must be positive int or None, got {size!r}")
        if self.acc_dtype is not None and self.acc_dtype not in _FLOATING:
            raise ValueError(
                named(
                    "acc_dtype must be one of {None, npg.float16, npg.float32, npg.float64}, got "
                    f"{self.acc_dtype!r}. Pass acc_dtype=None to let the op pick automatically."
                )
            )

    def _chunk_of(self, rows: int, in_features: int, classes: int) -> int:
        """Return the number of rows of a chunk."""
        size, method = self.batch_chunk_size, self.chunking_method
        if method == "auto":
            method = "aspect_ratio:2" if size is None else None
        chunk = rows if size is None else min(size, rows)
        if method is not None:
            ratio = -(-classes // max(in_features, 1))
            target = -(-rows // max(ratio, 1))
            chunk = min((1 << (target - 1).bit_length()) // int(method.partition(":")[2] or 1), rows)
            if size is not None and size != chunk:
                raise ValueError(
                    f"batch_chunk_size (={size}) and chunking_method ('{method}') give different chunk sizes "
                    f"({size} vs {chunk}); pass only one."
                )
        return max(1, chunk)
