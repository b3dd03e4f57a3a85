"""Names for annotations of compiled functions, which npg runs as Python. Source: torch.jit.annotations."""

from __future__ import annotations

from typing import (  # noqa: UP035
    Any as Any,
    Dict as Dict,
    List as List,
    Optional as Optional,
    Tuple as Tuple,
    Union as Union,
)

from npg.tensor import Tensor as Tensor

__all__ = ["BroadcastingList1", "BroadcastingList2", "BroadcastingList3"]


class _BroadcastingList:
    """An annotation: a list of so many items, or one item for all of them."""

    def __getitem__(self, types: Any) -> None:
        return None


BroadcastingList1 = BroadcastingList2 = BroadcastingList3 = _BroadcastingList()
