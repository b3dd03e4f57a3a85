"""Batched tensors: a tensor that represents B examples, of which a function under vmap sees one.

A batched tensor has the shape of one example. It wraps the *physical* tensor, whose first dimension is the batch and
which is itself a batched tensor of the enclosing vmap, or an ordinary tensor of the graph. Levels number the vmaps that
are running in this thread, the outermost first.

A batched tensor does not expose values of its examples. In place of the ndarray it holds a placeholder with a shape and
a dtype, which raises Unbatchable on any other access; vmap then runs the function one example after another.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from npg._naming import named
from npg.engine import TensorBase, apply, wrap
from npg.func._placeholder import Standin, Unbatchable, guard
from npg.functional import copy_, getitem, reshape, setitem
from npg.functional._index import basic
from npg.ops import shape
from npg.ops.elementwise import clone
from npg.ops.strided import alias
from npg.tensor import Tensor


class Level:
    """A running vmap: its number and its number of examples."""

    __slots__ = ("__weakref__", "number", "size")

    def __init__(self, number: int, size: int) -> None:
        self.number, self.size = number, size


class _Running(threading.local):
    def __init__(self) -> None:
        self.levels: tuple[Level, ...] = ()  # outermost first
        self.reports: tuple[Any, ...] = ()


running = _Running()


# ----- The tensor -----

_CONTROL_FLOW = (
    "vmap: It looks like you're attempting to use a Tensor in some data-dependent control flow. We don't support that "
    "yet; choose with npg.where, or write the loop over the examples."
)
_REQUIRES_GRAD = (
    "You are attempting to call Tensor.requires_grad_() (or perhaps using npg.autograd.functional.* APIs) inside of a "
    "function being transformed by a functorch transform. This is unsupported, please attempt to use the npg.func "
    "transforms (e.g. grad, vjp, jacrev, jacfwd, hessian) or call requires_grad_() outside of a function being "
    "transformed instead."
)
_NO_GRAPH = (
    "element 0 of tensors does not require grad and does not have a grad_fn: within vmap a batched tensor has no graph "
    "for autograd.grad() and backward(). Please use npg.func.grad or npg.func.vjp instead."
)
_ITEM = (
    "vmap: It looks like you're calling .item() on a Tensor. We don't support vmap over calling .item() on a Tensor, "
    "please try to rewrite what you're doing with other operations. If error is occurring somewhere inside PyTorch "
    "internals, please file a bug report."
)


class BatchedTensor(Tensor):
    """The tensor that a function under vmap sees; see the top of this file.

    Attributes:
        level: the number of its vmap.
        physical: (B, *shape), a tensor.
    """

    level: int
    physical: Any
    _standin: Any
    _without_gradients = _NO_GRAPH

    @property
    def _array(self) -> Any:
        return self._standin

    @_array.setter
    def _array(self, _array: Any) -> None:
        pass  # the Python engine's _set_array

    @property
    def requires_grad(self) -> bool:
        """Tell whether gradients flow to or through the physical tensor."""
        return bool(self.physical.requires_grad)

    @requires_grad.setter
    def requires_grad(self, flag: bool) -> None:
        raise RuntimeError(named(_REQUIRES_GRAD))

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        raise RuntimeError(named(_REQUIRES_GRAD))

    @property
    def grad_fn(self) -> Any:
        """The node that produced the physical tensor."""
        return self.physical.grad_fn

    @property
    def is_leaf(self) -> bool:
        return bool(self.physical.is_leaf)

    @property
    def data(self) -> Any:
        return _made(self.physical.data, self.level)

    @data.setter
    def data(self, value: Any) -> None:
        raise Unbatchable(self.level, "x.data = y")

    def detach(self) -> Any:
        return _made(self.physical.detach(), self.level)

    def backward(self, *_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError(
            named(
                "backward() called inside a functorch transform. This is not supported, please use npg.func.grad or "
                "npg.func.vjp instead or call backward() outside of functorch transforms."
            )
        )

    def stride(self, dim: Any = None) -> Any:
        strides = tuple(s // self._standin.itemsize for s in self._standin.strides)
        return strides if dim is None else strides[dim]

    def is_contiguous(self, *_args: Any, **_kwargs: Any) -> bool:
        return True

    def contiguous(self, *_args: Any, **_kwargs: Any) -> Any:
        return self

    def item(self) -> Any:
        raise RuntimeError(_ITEM)

    def numpy(self, *_args: Any, **_kwargs: Any) -> Any:
        raise RuntimeError("Cannot access data pointer of Tensor that doesn't have storage")

    __array__ = __dlpack__ = tolist = numpy

    def __bool__(self) -> bool:
        raise RuntimeError(named(_CONTROL_FLOW))

    is_nonzero = __bool__

    def __int__(self) -> int:
        raise RuntimeError(_ITEM)

    def __float__(self) -> float:
        raise RuntimeError(_ITEM)

    def __complex__(self) -> complex:
        raise RuntimeError(_ITEM)

    def __index__(self) -> int:
        raise RuntimeError(_ITEM)

    def __contains__(self, element: Any) -> bool:
        raise RuntimeError(named(_CONTROL_FLOW))

    def __repr__(self) -> str:
        text = repr(self.physical).replace("\n", "\n    ")
        return f"BatchedTensor(lvl={self.level}, bdim=0, value=\n    {text}\n)"

    def __format__(self, spec: str) -> str:
        if spec:
            raise RuntimeError(_ITEM)
        return repr(self)

    def as_subclass(self, cls: Any) -> Any:
        raise Unbatchable(self.level, "as_subclass()")

    def __deepcopy__(self, memo: Any) -> Any:
        return _made(apply(clone, (self.physical,), {}), self.level)

    # ----- Parts: with a number for an index there are others than the functions' ways, which read values -----

    def __getitem__(self, index: Any) -> Any:
        if type(index) is BatchedTensor and not index.ndim and index._array.dtype.kind == "i":
            return getitem(self, reshape(index, (1,)))[0]
        return getitem(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        if basic(index)[0] is None:
            setitem(self, index, value)
            return
        part = getitem(self, index)
        if isinstance(value, TensorBase):
            sizes = value._array.shape
            extra = max(len(sizes) - part.ndim, 0)
            value = reshape(value, sizes[extra:]) if extra and sizes[:extra] == (1,) * extra else value
        elif isinstance(value, (list, tuple)):
            value = np.asarray(value)
        copy_(part, value)

    def fill_(self, value: Any) -> Any:
        return copy_(self, value)

    def zero_(self) -> Any:
        return copy_(self, 0)

    def _like(self, new: Any) -> Any:
        # In-place writes of batched values need memory for every example.
        return batch(apply(clone, (_expanded(new, self.physical._array.shape[0]),), {}), self.level)

    def new_zeros(self, *args: Any, **kwargs: Any) -> Any:
        return self._like(_probe(self).new_zeros(*args, **kwargs))

    def new_ones(self, *args: Any, **kwargs: Any) -> Any:
        return self._like(_probe(self).new_ones(*args, **kwargs))

    def new_full(self, *args: Any, **kwargs: Any) -> Any:
        return self._like(_probe(self).new_full(*args, **kwargs))

    def new_empty(self, *args: Any, **kwargs: Any) -> Any:
        return self._like(_probe(self).new_empty(*args, **kwargs))


def _probe(x: Any) -> Any:
    """Return an ordinary tensor of the dtype of x."""
    return wrap(np.empty((0,), x._array.dtype))


def _made(physical: Any, level: int) -> Any:
    x = BatchedTensor.__new__(BatchedTensor)
    array = physical._array
    x._standin = Standin(level, tuple(array.shape[1:]), array.dtype)
    x._set_array(guard(x._standin.shape, array.dtype))
    x.level, x.physical = level, physical
    return x


def batch(physical: Any, level: int) -> Any:
    """Return the batched tensor of a level for a tensor whose first dimension is the batch."""
    return _made(physical, level)


def _expanded(x: Any, size: int) -> Any:
    """Return x repeated for each example, without a copy."""
    return apply(shape.expand, (x,), {"shape": (size, *x._array.shape)})


# ----- Through all levels -----


def top_level(inputs: Any) -> int:
    """Return the innermost level at which an input is batched, 0 for none."""
    level = 0
    for x in inputs:
        if type(x) is BatchedTensor and x.level > level:
            level = x.level
    return level


def lift(x: Any, levels: Any = None) -> Any:
    """Return x batched at all levels (None: the running ones), expanded over the examples where it was not."""
    levels = running.levels if levels is None else levels
    return _lift(x, list(levels)) if levels else x


def _lift(x: Any, levels: list[Level]) -> Any:
    if not levels:
        return x
    *outer, level = levels
    if type(x) is BatchedTensor and x.level == level.number:
        physical = _lift(x.physical, outer)
        return x if physical is x.physical else batch(physical, level.number)
    return batch(_expanded(_lift(x, outer), level.size), level.number)


def bottom(x: Any) -> Any:
    """Return the ordinary tensor at the bottom of a batched one."""
    while type(x) is BatchedTensor:
        x = x.physical
    return x


def rewrap(x: Any, levels: Any) -> Any:
    """Undo bottom() for a tensor lifted to the levels."""
    for level in levels:
        x = batch(x, level.number)
    return x


def aliased(x: Any) -> Any:
    """Return a new tensor that shares x's memory and history."""
    return apply(alias, (x,), {})
