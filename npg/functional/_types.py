"""Types that the functions' signatures share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, TypeVar

from npg.engine import TensorBase

__all__ = ["B", "Dims", "Scalar", "Sizes", "T"]

# What a function is given and gives back: a Tensor; where a rule calls it, an ndarray.
T = TypeVar("T")
B = TypeVar("B", bound=TensorBase)

Scalar: TypeAlias = bool | int | float
Dims: TypeAlias = int | Sequence[int]
Sizes: TypeAlias = Sequence[int]
