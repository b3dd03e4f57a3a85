"""The graph: nodes, edges, grad mode, backward. `name` is that of the running engine, "cython" or "python"."""

from typing import TYPE_CHECKING, Any

from npg.engine._hooks import RemovableHandle as RemovableHandle
from npg.engine._modes import (
    enable_grad as enable_grad,
    inference_mode as inference_mode,
    no_grad as no_grad,
    set_grad_enabled as set_grad_enabled,
)
from npg.engine._node import AccumulateGrad as AccumulateGrad, accumulator_of as accumulator_of
from npg.engine._select import NAMES, core
from npg.engine._walks import queue_callback as queue_callback

if TYPE_CHECKING:  # both engines have the same names; type checkers read the Python one
    from npg.engine._python import *  # noqa: F403
    from npg.engine._python import TensorBase
else:
    globals().update({_name: getattr(core, _name) for _name in NAMES})


def array_of(x: Any) -> Any:
    """Return the ndarray of a tensor; anything else unchanged."""
    return x._array if isinstance(x, TensorBase) else x
