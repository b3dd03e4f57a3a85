"""One node for several tensors, for the backward hooks of modules."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.engine import Node, TensorBase, apply, wrap
from npg.ops._op import primitive
from npg.tensor import Tensor

_MULTI_VIEW = 1  # see npg/engine/_checks.py: such views may not be changed in place


@primitive(multi=True)
def passing(*tensors: Any) -> tuple[Any, ...]:
    """Return a view of each input."""
    return tuple([t.view() for t in tensors])


@passing.vjp
def _passing_vjp(g: Any, _y: Any, *xs_like: Any, needs: Any) -> tuple[Any, ...]:
    """g, with zeros for missing gradients, so that a hook sees all of them."""
    recorded = any(isinstance(part, TensorBase) for part in g)
    zeros = [np.zeros(x.shape, x.dtype) if part is None else None for part, x in zip(g, xs_like, strict=True)]
    return tuple(
        [part if z is None else wrap(z) if recorded else z for part, z in zip(g, zeros, strict=True)]  # as g, as x
    )


passing.node_name = "BackwardHookFunctionBackward"


def pass_through(tensors: list[Tensor]) -> tuple[list[Tensor], Node]:
    """Return the tensors passed through one common node, and that node.

    A tensor that does not require grad is returned itself; the others are views, which must not be changed in place.
    The node's hooks see the gradients of all of them together.
    Raises: ValueError: when none requires grad, or nothing is recorded.
    Source: torch.nn.modules._functions.BackwardHookFunction.
    """
    views = apply(passing, tuple(tensors), {})
    passed, node = [], None
    for x, view in zip(tensors, views, strict=True):
        if view.grad_fn is None or not x.requires_grad:
            passed.append(x)
            continue
        node = view.grad_fn
        base: Any = x if x._base is None else x._base
        view._share_version(x)
        view._base, view._seen, view._kind = base, x._counter.value, _MULTI_VIEW
        passed.append(view)
    if node is None:
        raise ValueError("expected recording to be on and a tensor that requires grad, got none")
    return passed, node
