"""The choice of the engine: Cython where it was built, else Python, see npg/_compiled.py."""

from __future__ import annotations

from npg._compiled import choose

# The names of an engine, which npg/engine/__init__.py re-exports.
NAMES = (
    "Block",
    "Function",
    "ModeBlock",
    "Node",
    "TensorBase",
    "VersionCounter",
    "apply",
    "apply_in_place",
    "apply_linear",
    "apply_transpose",
    "apply_view",
    "attach",
    "bump_version",
    "check_in_place",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "name",
    "register_operators",
    "register_tensor_class",
    "run_backward",
    "set_grad_mode",
    "set_inference_mode",
    "set_interceptor",
    "switches",
    "wrap",
    "write_out",
)

core, why = choose("npg.engine", NAMES)
