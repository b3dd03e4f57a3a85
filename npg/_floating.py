"""NumPy's floating-point warnings, which are off while npg computes.

PyTorch computes inf and nan silently, so npg's ops do too; the caller's own NumPy code keeps its warnings. They are off
for this thread alone, and restored whatever ends the block.
"""

from __future__ import annotations

import _thread
import contextlib
import importlib
from typing import Any

import numpy as np

floating_errors: Any  # has get and set
SILENT: Any
try:  # what np.errstate sets, in a tenth of its time; private, hence the fallback
    _umath = importlib.import_module("numpy._core.umath")
    floating_errors, SILENT = _umath._extobj_contextvar, _umath._make_extobj(all="ignore")
except (ImportError, AttributeError):

    class _FloatingErrors:
        """The same with NumPy's public functions."""

        get = staticmethod(np.geterr)

        def set(self, state: dict[str, Any]) -> None:
            np.seterr(**state)

    floating_errors, SILENT = _FloatingErrors(), dict.fromkeys(np.geterr(), "ignore")


class silent(contextlib.ContextDecorator):
    """A block or, as a decorator, a function without NumPy's floating-point warnings.

    Leaner than a Block, which would cost as much as a small op: only a `with` statement holds it, so if an interrupt
    prevents the exit, the warnings are restored when the statement drops it.
    """

    _before: Any = None

    def _recreate_cm(self) -> silent:  # each call of a decorated function has its own
        return silent()

    def __enter__(self) -> None:
        self._thread = _thread.get_ident()
        self._before = floating_errors.get()
        try:
            floating_errors.set(SILENT)
        except BaseException:  # an interrupt: the block is not entered, so it will not be exited
            floating_errors.set(self._before)
            raise

    def __exit__(self, *_exception: object) -> None:
        floating_errors.set(self._before)
        self._before = None

    def __del__(self) -> None:
        # If they were restored meanwhile, as the engine does after an op, they stay as they are.
        if self._before is not None and self._thread == _thread.get_ident() and floating_errors.get() is SILENT:
            floating_errors.set(self._before)
