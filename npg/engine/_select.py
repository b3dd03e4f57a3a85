"""The choice of the engine: Cython where it was built, else Python. NPG_ENGINE=python or cython decides it by hand."""

from __future__ import annotations

import importlib
import importlib.util
import os
import warnings
from typing import Any

__all__ = ["NAMES", "core", "why"]

# What an engine offers; npg/engine/__init__.py hands it on.
NAMES = (
    "Block",
    "Function",
    "ModeBlock",
    "Node",
    "TensorBase",
    "VersionCounter",
    "apply",
    "apply_in_place",
    "attach",
    "bump_version",
    "check_in_place",
    "drop_memory",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "memory_held",
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

COMPILED, PYTHON = "npg.engine._cython", "npg.engine._python"


def _load() -> Any:
    """Import the compiled engine.

    Raises: ImportError: when it is not there, cannot be imported, or was built from another version's source.
    """
    if importlib.util.find_spec(COMPILED) is None:
        raise ImportError("it was not built for this Python and platform")
    try:
        found = importlib.import_module(COMPILED)
    except Exception as reason:  # a broken extension fails in any way
        raise ImportError(f"it is there, but cannot be imported: {type(reason).__name__}: {reason}") from reason
    missing = [name for name in NAMES if not hasattr(found, name)]
    if missing:
        raise ImportError(f"it was built from another version of npg: it lacks {', '.join(missing)}")
    return found


def _choose() -> tuple[Any, str]:
    """Return the engine and why it is this one."""
    wanted = os.environ.get("NPG_ENGINE", "").strip().lower()
    if wanted not in ("", "cython", "python"):
        raise ImportError(f"expected NPG_ENGINE to be cython or python, got {wanted!r}")
    if wanted == "python":
        return importlib.import_module(PYTHON), "NPG_ENGINE=python asks for it"
    try:
        return _load(), "NPG_ENGINE=cython asks for it" if wanted else "it was built"
    except ImportError as reason:
        if wanted == "cython":
            raise ImportError(
                f"NPG_ENGINE=cython, but npg's compiled engine cannot be used: {reason}. In a source tree "
                "`python setup.py build_ext --inplace` builds it."
            ) from reason
        warnings.warn(
            "npg runs on its pure-Python engine: the same results, slower. The compiled engine cannot be used: "
            f"{reason}. Set NPG_ENGINE=python to choose the Python engine without this warning.",
            RuntimeWarning,
            stacklevel=2,
        )
        return importlib.import_module(PYTHON), f"the compiled one cannot be used: {reason}"


core, why = _choose()
