"""Tensor: operators and methods, each one line to functional."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import functional as F
from npg import dtypes
from npg.engine import TensorBase, register_tensor_class, run_backward, wrap
from npg.functional._public import in_place, operator, reflected
from npg.ops import elementwise as ops


class Tensor(TensorBase):
    """A multi-dimensional array that can record what is done with it."""

    __array_priority__ = 1000

    # ----- Arithmetic -----

    __neg__ = operator(ops.neg)
    __add__ = operator(ops.add)
    __radd__ = reflected(ops.add)
    __iadd__ = in_place(ops.add)
    __sub__ = operator(ops.sub)
    __rsub__ = reflected(ops.sub)
    __isub__ = in_place(ops.sub)
    __mul__ = operator(ops.mul)
    __rmul__ = reflected(ops.mul)
    __imul__ = in_place(ops.mul)
    __truediv__ = operator(ops.div)
    __rtruediv__ = reflected(ops.div)
    __itruediv__ = in_place(ops.div)
    exp = F.exp
    log = F.log

    # ----- The graph -----

    def backward(self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None) -> None:
        run_backward((self,), (gradient,), create_graph if retain_graph is None else retain_graph, create_graph, inputs)

    @property
    def grad(self):
        return self._grad

    @property
    def shape(self):
        return self._array.shape

    @property
    def dtype(self):
        return dtypes.from_numpy(self._array.dtype)

    def numpy(self):
        return self._array

    def __array_ufunc__(self, ufunc, method, *inputs, **kw):
        return NotImplemented


register_tensor_class(Tensor)
