"""The choice of the engine: Cython where it was built, else Python. NPG_ENGINE=python or cython decides it by hand."""

from __future__ import annotations

import importlib
import os
import warnings
from typing import Any

_wanted = os.environ.get("NPG_ENGINE", "").strip().lower()
if _wanted not in ("", "cython", "python"):
    raise ImportError(f"expected NPG_ENGINE to be cython or python, got {_wanted!r}")

core: Any
if _wanted == "python":
    core = importlib.import_module("npg.engine._python")
else:
    try:
        core = importlib.import_module("npg.engine._cython")
    except ImportError as reason:
        if _wanted == "cython":
            raise ImportError(
                f"NPG_ENGINE=cython, but the compiled engine cannot be imported: {reason}; "
                "build it with `python setup.py build_ext --inplace`"
            ) from reason
        warnings.warn(
            "npg runs on its pure-Python engine, which is slower, because the compiled one cannot be imported: "
            f"{reason}. Set NPG_ENGINE=python to choose it without this warning.",
            RuntimeWarning,
            stacklevel=2,
        )
        core = importlib.import_module("npg.engine._python")
