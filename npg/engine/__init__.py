"""The graph: nodes, edges, grad mode, backward. `name` tells which engine runs, "cython" or "python"."""

from typing import TYPE_CHECKING, Any

from npg.engine._common import AccumulateGrad, RemovableHandle, accumulator_of
from npg.engine._modes import enable_grad, inference_mode, no_grad, set_grad_enabled
from npg.engine._select import NAMES, core

if TYPE_CHECKING:  # both engines have these names; type checkers read the Python one
    from npg.engine._python import (
        Block,
        Function,
        Node,
        TensorBase,
        apply,
        apply_in_place,
        attach,
        bump_version,
        check_in_place,
        drop_memory,
        is_anomaly_check_nan_enabled,
        is_anomaly_enabled,
        is_grad_enabled,
        is_inference_mode_enabled,
        memory_held,
        name,
        register_operators,
        register_tensor_class,
        run_backward,
        set_interceptor,
        set_observer,
        switches,
        wrap,
        write_out,
    )
else:
    globals().update({_name: getattr(core, _name) for _name in NAMES})

__all__ = [
    "AccumulateGrad",
    "Block",
    "Function",
    "Node",
    "RemovableHandle",
    "TensorBase",
    "accumulator_of",
    "apply",
    "array_of",
    "apply_in_place",
    "attach",
    "bump_version",
    "check_in_place",
    "drop_memory",
    "enable_grad",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "set_interceptor",
    "set_observer",
    "is_anomaly_enabled",
    "is_anomaly_check_nan_enabled",
    "memory_held",
    "switches",
    "name",
    "no_grad",
    "register_operators",
    "register_tensor_class",
    "run_backward",
    "set_grad_enabled",
    "wrap",
    "write_out",
]


def array_of(x: Any) -> Any:
    """Return the ndarray of a tensor; anything else as it is."""
    return x._array if isinstance(x, TensorBase) else x
