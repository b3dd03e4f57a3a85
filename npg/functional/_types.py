"""Types shared by the functions' signatures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias, TypeVar

import numpy as np

from npg.engine import TensorBase

# A function returns the class of its argument: Tensor, or a subclass.
T = TypeVar("T", bound=TensorBase)

Scalar: TypeAlias = bool | int | float
Operand: TypeAlias = TensorBase | np.ndarray[Any, Any] | np.generic | Scalar
Dims: TypeAlias = int | Sequence[int]
Sizes: TypeAlias = Sequence[int]

# The results of functions that return several. At run time the classes are those of npg.return_types.
if TYPE_CHECKING:

    class ValuesIndices(NamedTuple, Generic[T]):
        values: T
        indices: T

    class MinMax(NamedTuple, Generic[T]):
        min: T
        max: T

    class SignLogdet(NamedTuple, Generic[T]):
        sign: T
        logabsdet: T

    class Eigh(NamedTuple, Generic[T]):
        eigenvalues: T
        eigenvectors: T

    class Geqrf(NamedTuple, Generic[T]):
        a: T
        tau: T

    class Lstsq(NamedTuple, Generic[T]):
        solution: T
        residuals: T
        rank: T
        singular_values: T

    class QR(NamedTuple, Generic[T]):
        Q: T
        R: T

    class SVD(NamedTuple, Generic[T]):
        U: T
        S: T
        Vh: T

else:
    ValuesIndices = MinMax = SignLogdet = Eigh = Geqrf = Lstsq = QR = SVD = tuple
