"""How numbers of several ranks become one. Source: torch.distributed.ReduceOp."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np

from npg.distributed._mpi import load

Array = np.ndarray[Any, Any]


class RedOpType(enum.IntEnum):
    """The kinds of reductions."""

    SUM = 0
    AVG = 1
    PRODUCT = 2
    MIN = 3
    MAX = 4
    BAND = 5
    BOR = 6
    BXOR = 7
    PREMUL_SUM = 8
    UNUSED = 9

    __str__ = enum.Enum.__str__


RedOpType.__qualname__ = "ReduceOp.RedOpType"
_BITS = (RedOpType.BAND, RedOpType.BOR, RedOpType.BXOR)
_OF_BOOL = {  # on bytes that are 0 or 1
    RedOpType.SUM: "BOR", RedOpType.MAX: "BOR", RedOpType.BOR: "BOR", RedOpType.BXOR: "BXOR",
    RedOpType.PRODUCT: "BAND", RedOpType.MIN: "BAND", RedOpType.BAND: "BAND",
}  # fmt: skip
_NAMES = {RedOpType.PRODUCT: "PROD", RedOpType.AVG: "SUM", RedOpType.PREMUL_SUM: "SUM"}


class ReduceOp:
    """A reduction: SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR, BXOR or PREMUL_SUM.

    AVG divides the sum by the number of ranks. Bits are those of integers and of bool, of which SUM is "or" too.
    Source: torch.distributed.ReduceOp.
    """

    SUM, AVG, PRODUCT, MIN, MAX = RedOpType.SUM, RedOpType.AVG, RedOpType.PRODUCT, RedOpType.MIN, RedOpType.MAX
    BAND, BOR, BXOR = RedOpType.BAND, RedOpType.BOR, RedOpType.BXOR
    PREMUL_SUM, UNUSED = RedOpType.PREMUL_SUM, RedOpType.UNUSED

    def __init__(self, op: RedOpType, factor: Any = None) -> None:
        self.op, self.factor = RedOpType(op), factor

    def __eq__(self, other: object) -> bool:
        return self.op == (other.op if isinstance(other, ReduceOp) else other)

    def __hash__(self) -> int:
        return hash(self.op)

    def __repr__(self) -> str:
        return repr(self.op)


setattr(ReduceOp, "RedOpType", RedOpType)  # noqa: B010 - where PyTorch has it; in the class it would hide the type


def premultiplied_sum(factor: Any) -> ReduceOp:
    """Return the sum of what each rank has multiplied with its factor, a number or a tensor of one."""
    return ReduceOp(RedOpType.PREMUL_SUM, factor)


def kind_of(op: Any) -> RedOpType:
    """Return the kind of a ReduceOp or of one of its names."""
    if isinstance(op, ReduceOp):
        return op.op
    if isinstance(op, RedOpType):
        return op
    raise TypeError(f"expected a ReduceOp, got {type(op).__name__}")


def check(op: Any, dtype: Any, name: str) -> None:
    """Refuse a reduction that numbers of this dtype do not have.

    Raises: ValueError, RuntimeError: as in PyTorch.
    """
    kind, letter = kind_of(op), dtype.kind
    if kind is RedOpType.UNUSED:
        raise RuntimeError(f"Unhandled ReduceOp {kind!r}")
    if letter == "c" and kind not in (RedOpType.SUM, RedOpType.AVG, RedOpType.PREMUL_SUM, RedOpType.UNUSED):
        raise ValueError(f"{name} does not support {kind!r} on complex tensors")
    if letter in "fc" and kind in _BITS:
        raise ValueError(f"Cannot use ReduceOp.{kind.name} with non-integral dtype")
    if letter == "b" and kind not in _OF_BOOL:
        raise ValueError(f"Cannot use ReduceOp.{kind.name} with bool tensors")


def operation(op: Any, dtype: Any) -> Any:
    """Return MPI's operation."""
    kind = kind_of(op)
    name = _OF_BOOL[kind] if dtype.kind == "b" else _NAMES.get(kind, kind.name)
    return getattr(load(), name)


def before(op: Any, x: Array) -> Array:
    """Return the numbers that are sent: a new array where they differ from x, float32 for float16."""
    if kind_of(op) is RedOpType.PREMUL_SUM:
        factor = op.factor.item() if hasattr(op.factor, "item") else op.factor
        x = (x * factor).astype(x.dtype)
    return x.astype(np.float32) if x.dtype == np.float16 else x


def after(op: Any, x: Array, ranks: int) -> None:
    """Divide a sum by the number of ranks where it is an average, in place; of integers, rounded down."""
    if kind_of(op) is RedOpType.AVG:
        if x.dtype.kind in "iu":
            np.floor_divide(x, ranks, out=x)
        else:
            np.divide(x, ranks, out=x)
