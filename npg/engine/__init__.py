"""The graph: nodes, edges, grad mode, backward. `name` tells which engine runs, "cython" or "python"."""

from typing import TYPE_CHECKING

from npg.engine._common import AccumulateGrad, RemovableHandle, accumulator_of
from npg.engine._modes import enable_grad, inference_mode, no_grad, set_grad_enabled
from npg.engine._select import core

if TYPE_CHECKING:  # both engines have these names; type checkers read the Python one
    from npg.engine._python import (
        Function,
        Node,
        TensorBase,
        apply,
        apply_in_place,
        attach,
        bump_version,
        check_in_place,
        is_anomaly_check_nan_enabled,
        is_anomaly_enabled,
        is_grad_enabled,
        is_inference_mode_enabled,
        name,
        register_operators,
        register_tensor_class,
        run_backward,
        set_anomaly_mode,
        set_interceptor,
        set_observer,
        set_saved_hooks,
        wrap,
        write_out,
    )
else:
    Function = core.Function
    Node = core.Node
    TensorBase = core.TensorBase
    apply = core.apply
    apply_in_place = core.apply_in_place
    attach = core.attach
    bump_version = core.bump_version
    check_in_place = core.check_in_place
    is_grad_enabled = core.is_grad_enabled
    is_inference_mode_enabled = core.is_inference_mode_enabled
    set_saved_hooks = core.set_saved_hooks
    set_anomaly_mode = core.set_anomaly_mode
    set_interceptor = core.set_interceptor
    set_observer = core.set_observer
    is_anomaly_enabled = core.is_anomaly_enabled
    is_anomaly_check_nan_enabled = core.is_anomaly_check_nan_enabled
    name = core.name
    register_operators = core.register_operators
    register_tensor_class = core.register_tensor_class
    run_backward = core.run_backward
    wrap = core.wrap
    write_out = core.write_out

__all__ = [
    "AccumulateGrad",
    "Function",
    "Node",
    "RemovableHandle",
    "TensorBase",
    "accumulator_of",
    "apply",
    "apply_in_place",
    "attach",
    "bump_version",
    "check_in_place",
    "enable_grad",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "set_saved_hooks",
    "set_anomaly_mode",
    "set_interceptor",
    "set_observer",
    "is_anomaly_enabled",
    "is_anomaly_check_nan_enabled",
    "name",
    "no_grad",
    "register_operators",
    "register_tensor_class",
    "run_backward",
    "set_grad_enabled",
    "wrap",
    "write_out",
]
