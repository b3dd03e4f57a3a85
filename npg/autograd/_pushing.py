"""Products of a Jacobian with vectors (J v), for one recorded call of a function."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.autograd._reverse_passes import Tensors, gradients
from npg.creation import zeros_like
from npg.engine import enable_grad, wrap
from npg.func._forward import sweep


class Pushforward:
    """The linear map v -> J v: one sweep through the graph where its nodes have tangent rules, else two reverse passes.

    The sweep takes at most half of the time; see npg/func/_forward.py. The results have no graph.

    Args:
        outputs: the function's recorded outputs.
        inputs: its inputs.
    """

    def __init__(self, outputs: Tensors, inputs: Tensors) -> None:
        self.outputs, self.inputs = outputs, inputs
        self.u: Tensors = ()
        self.pulled: Any = None  # u J, once it has been needed

    def __call__(self, v: Tensors) -> Tensors:
        """Return J v, one tensor for each output; v has the structure of the inputs."""
        if all(x.dtype == t.dtype for x, t in zip(self.inputs, v, strict=True)):
            tangents = sweep(self.outputs, self.inputs, [t._array for t in v], transposed=True)
            if tangents is not NotImplemented:
                return tuple(
                    [
                        zeros_like(y, requires_grad=False) if t is None else wrap(np.array(t, y._array.dtype))
                        for y, t in zip(self.outputs, tangents, strict=True)
                    ]
                )
        with enable_grad():
            if self.pulled is None:
                self.u = tuple([zeros_like(y, requires_grad=y.is_floating_point()) for y in self.outputs])
                self.pulled = gradients(self.outputs, self.inputs, self.u, True)
            tangents = gradients(self.pulled, self.u, v, False, True)
        return tuple([zeros_like(y, requires_grad=False) if g is None else g for g, y in zip(tangents, self.outputs)])
