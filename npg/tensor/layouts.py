"""Methods of tensors of other layouts, of which npg has none: those that a strided tensor answers, and refusals."""

# mypy: disable-error-code="empty-body"
# The refusals have no bodies: see refusing.

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from npg._refusal import F, refusing
from npg.functional._types import T


def sparse_dim(tensor: Any) -> int:
    """Return 0: the tensor is strided."""
    return 0


def to_dense(tensor: T, dtype: Any = None, *, masked_grad: bool | None = None) -> T:
    """Return the tensor, which is dense, or its copy in another dtype."""
    return tensor if dtype is None else tensor.to(dtype)  # type: ignore[attr-defined]


def _refuses(name: str, layout: str) -> Callable[[F], F]:
    return refusing(RuntimeError, f"{name} expected {layout} tensor layout but got Strided")


@_refuses("is_coalesced", "sparse coordinate")
def is_coalesced(tensor: Any) -> NoReturn: ...


@_refuses("coalesce", "sparse coordinate")
def coalesce(tensor: Any) -> NoReturn: ...


@_refuses("indices", "sparse coordinate")
def indices(tensor: Any) -> NoReturn: ...


@_refuses("values", "sparse")
def values(tensor: Any) -> NoReturn: ...


@_refuses("crow_indices", "sparse row compressed")
def crow_indices(tensor: Any) -> NoReturn: ...


@_refuses("col_indices", "sparse row compressed")
def col_indices(tensor: Any) -> NoReturn: ...


@_refuses("ccol_indices", "sparse column compressed")
def ccol_indices(tensor: Any) -> NoReturn: ...


@_refuses("row_indices", "sparse column compressed")
def row_indices(tensor: Any) -> NoReturn: ...
