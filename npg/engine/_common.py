"""What the two engines share because it is off their hot path."""

from __future__ import annotations

import itertools
import weakref
from typing import Any

import numpy as np

from npg import _errors

_hook_ids = itertools.count()


class RemovableHandle:
    """Returned by the register functions; `remove()` takes the hook out again.

    Args:
        hooks: the dict that the hook is put into.
        hook: the hook.
        prepend: put it before the hooks that are there.
    """

    def __init__(self, hooks: dict[int, Any], hook: Any, prepend: bool = False) -> None:
        self.id = next(_hook_ids)
        # A plain dict takes no weak reference, so the handle holds the dict; it holds no tensor.
        self._hooks = hooks
        if prepend:
            rest = dict(hooks)
            hooks.clear()
            hooks[self.id] = hook
            hooks.update(rest)
        else:
            hooks[self.id] = hook

    def remove(self) -> None:
        """Take the hook out; a second call does nothing."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


class AccumulateGrad:
    """What `next_functions` shows where a gradient arrives at a leaf: `variable` is that leaf."""

    __slots__ = ("_leaf",)

    def __init__(self, leaf: Any) -> None:
        self._leaf = weakref.ref(leaf)

    @property
    def variable(self) -> Any:
        return self._leaf()

    @property
    def next_functions(self) -> tuple[()]:
        return ()

    def name(self) -> str:
        return "AccumulateGrad"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccumulateGrad) and self.variable is other.variable

    def __hash__(self) -> int:
        return id(self.variable)

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self):#x}>"


def check_gradient(index: int, root: Any, g: Any, recorded: bool, wrap: Any) -> Any:
    """Return the gradient to start from at a root: an ndarray, or a tensor for a recorded backward.

    Raises: RuntimeError: when its shape is not the root's.
    """
    array = root._array
    if g is None:
        ones = np.ones(array.shape, array.dtype)
        return wrap(ones) if recorded else ones
    given = g._array.shape
    if given != array.shape:
        raise RuntimeError(
            _errors.GRADIENT_SHAPE.format(
                index=index,
                given=f"npg.Size({_errors.shape_text(given)})",
                expected=f"npg.Size({_errors.shape_text(array.shape)})",
            )
        )
    if g._array.dtype != array.dtype:
        return g.to(array.dtype) if recorded else g._array.astype(array.dtype)
    return g if recorded else g._array


def hook_result(result: Any, given: Any, owner: Any) -> Any:
    """Return the gradient after a hook: what it returned, or what it was given.

    Raises: RuntimeError: when it returned another shape.
    """
    if result is None:
        return given
    if result._array.shape != given._array.shape:
        raise RuntimeError(
            _errors.HOOK_RESULT.format(
                node=owner.name() if hasattr(owner, "name") and callable(owner.name) else "a leaf",
                given=_errors.shape_text(result._array.shape),
                expected=_errors.shape_text(given._array.shape),
            )
        )
    return result
