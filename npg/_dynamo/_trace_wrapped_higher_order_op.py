"""How functions are mapped that index with a tensor. Source: torch._dynamo._trace_wrapped_higher_order_op."""

from __future__ import annotations

__all__ = ["TransformGetItemToIndex"]


class TransformGetItemToIndex:
    """A context without effect: in npg.func.vmap, x[i] takes an index of one element as it takes any other."""

    def __enter__(self) -> TransformGetItemToIndex:
        return self

    def __exit__(self, *exc: object) -> None:
        pass
