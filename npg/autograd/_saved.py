"""Tensors that a custom function has saved with save_for_backward."""

from __future__ import annotations

from typing import Any

from npg.engine import TensorBase, is_grad_enabled, no_grad, wrap
from npg.engine._saved import Packed, modified


class Saved:
    """A tensor passed to save_for_backward, and its version then."""

    __slots__ = ("array", "counter", "nr", "tensor", "version")

    def __init__(self, tensor: Any, nr: int | None) -> None:
        # An output is kept without its history, which would refer back to the node that keeps it.
        self.tensor = tensor if nr is None else None
        self.array, self.nr = tensor._array, nr
        self.counter, self.version = tensor._counter, tensor._counter.value

    def unpack(self, node: Any) -> Any:
        """Return the tensor. Raises: RuntimeError: when it has been changed in place since."""
        if self.counter.value != self.version:
            source = (node, self.nr) if self.tensor is None else (self.tensor.grad_fn, self.tensor._nr)
            text = modified(self.array, source, "saved tensor", node, self.counter.value, self.version)
            raise RuntimeError(text)
        if self.tensor is not None:
            return self.tensor
        t = wrap(self.array)
        t._counter = self.counter
        if self.array.dtype.kind == "f":
            t._fn, t._nr = node, self.nr
        return t


class PackedSaved:
    """A tensor passed to save_for_backward under hooks on saved tensors."""

    __slots__ = ("fn", "leaf", "nr", "output", "packed")

    def __init__(self, tensor: Any, nr: int | None) -> None:
        self.output = nr is not None
        self.fn = tensor.grad_fn if nr is None else None
        self.nr = tensor._nr if nr is None else nr
        self.leaf = tensor if nr is None and self.fn is None and tensor.requires_grad else None
        with no_grad():
            self.packed = Packed(wrap(tensor._array))

    def unpack(self, node: Any) -> Any:
        """Return the tensor with its history."""
        t = wrap(self.packed.tensor(TensorBase)._array)
        if self.leaf is not None:
            if is_grad_enabled():
                return self.leaf  # the leaf itself, which receives the gradient
            t._set_requires_grad(True)
            return t
        if t._array.dtype.kind == "f" and (self.fn is not None or self.output):
            t._fn, t._nr = node if self.output else self.fn, self.nr
        return t


SAVED_BY_FUNCTIONS = (Saved, PackedSaved)
