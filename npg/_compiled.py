"""The choice between the rooms' compiled modules and their Python ones, for all of npg.

A room that has a `_cython` has a `_python` beside it, with the same names and results. Cython is taken where it was
built; NPG_ENGINE=python or cython decides it by hand. Once a room had to do without, those to its right do too: what
each of them has in C calls what the ones before it have.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import warnings
from collections.abc import Sequence
from typing import Any

_refusal = ""  # why a compiled module could not be used; the warning has been given


def _load(module: str, names: Sequence[str]) -> Any:
    """Import a compiled module.

    Raises: ImportError: when it is not there, cannot be imported, or was built from another version's source.
    """
    if importlib.util.find_spec(module) is None:
        raise ImportError("it was not built for this Python and platform")
    try:
        compiled = importlib.import_module(module)
    except Exception as reason:  # a broken extension fails in any way
        raise ImportError(f"it is there, but cannot be imported: {type(reason).__name__}: {reason}") from reason
    missing = [name for name in names if not hasattr(compiled, name)]
    if missing:
        raise ImportError(f"it was built from another version of npg: it lacks {', '.join(missing)}")
    return compiled


def choose(room: str, names: Sequence[str]) -> tuple[Any, str]:
    """Return the module that a room uses, and why it is this one.

    Args:
        room: the package with a `_cython` and a `_python`.
        names: what both of them have.
    """
    global _refusal
    wanted = os.environ.get("NPG_ENGINE", "").strip().lower()
    if wanted not in ("", "cython", "python"):
        raise ImportError(f"expected NPG_ENGINE to be cython or python, got {wanted!r}")
    if wanted == "python":
        return importlib.import_module(f"{room}._python"), "NPG_ENGINE=python asks for it"
    if not _refusal:
        try:
            return _load(f"{room}._cython", names), "NPG_ENGINE=cython asks for it" if wanted else "it was built"
        except ImportError as reason:
            if wanted:
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
    return importlib.import_module(f"{room}._python"), f"the compiled one cannot be used: {_refusal}"
