"""The choice between compiled modules and their Python twins, for all packages of npg.

A package that has a `_cython` has a `_python` beside it, with the same names and results. Cython is used where it was
built; NPG_ENGINE=python or cython overrides the choice. Once one package has fallen back to Python, those that import
it do so too, because their C calls its C.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import warnings
from collections.abc import Sequence
from typing import Any

_refusal = ""  # why a compiled module could not be used, once the warning was issued


def _load(module: str, names: Sequence[str]) -> Any:
    """Import a compiled module.

    Raises: ImportError: when it is not there, cannot be imported, or was built from another version's source.
    """
    if importlib.util.find_spec(module) is None:
        raise ImportError("it was not built for this Python and platform")
    try:
        compiled = importlib.import_module(module)
    except Exception as reason:  # a broken extension may raise anything
        raise ImportError(f"it is there, but cannot be imported: {type(reason).__name__}: {reason}") from reason
    missing = [name for name in names if not hasattr(compiled, name)]
    if missing:
        raise ImportError(f"it was built from another version of npg: it lacks {', '.join(missing)}")
    return compiled


def choose(package: str, names: Sequence[str]) -> tuple[Any, str]:
    """Return the module that a package uses, and the reason for this choice.

    Args:
        package: the name of a package with a `_cython` and a `_python`.
        names: the names that both of them have.
    """
    global _refusal
    requested = os.environ.get("NPG_ENGINE", "").strip().lower()
    if requested not in ("", "cython", "python"):
        raise ImportError(f"expected NPG_ENGINE to be cython or python, got {requested!r}")
    if requested == "python":
        return importlib.import_module(f"{package}._python"), "NPG_ENGINE=python asks for it"
    if not _refusal:
        try:
            return _load(f"{package}._cython", names), "NPG_ENGINE=cython asks for it" if requested else "it was built"
        except ImportError as reason:
            if requested:
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
            _refusal = str(reason)
    return importlib.import_module(f"{package}._python"), f"the compiled one cannot be used: {_refusal}"
