"""An exception on its way from another process or thread to the one that waits for it.

Source: torch._utils.
"""

from __future__ import annotations

import sys
import traceback
from typing import Any, NoReturn

__all__ = ["ExceptionWrapper", "KeyErrorMessage"]


class KeyErrorMessage(str):
    """A text whose repr is itself: a KeyError prints the repr of its argument."""

    __slots__ = ()

    def __repr__(self) -> str:
        return self


class ExceptionWrapper:
    """The type and the printed traceback of an exception.

    Args:
        exc_info: of the exception; None: of the one that is being handled.
        where: said in the message when it is raised again.
    Source: torch._utils.ExceptionWrapper.
    """

    def __init__(self, exc_info: Any = None, where: str = "in background") -> None:
        kind, error, trace = sys.exc_info() if exc_info is None else exc_info
        self.exc_type: Any = kind
        self.exc_msg = "".join(traceback.format_exception(kind, error, trace))
        self.where = where

    def reraise(self) -> NoReturn:
        """Raise an exception of the type, with the traceback in its message; RuntimeError where that is impossible."""
        kind = self.exc_type
        text = f"Caught {kind.__name__} {self.where}.\nOriginal {self.exc_msg}"
        try:
            if getattr(kind, "message", None):
                error = kind(message=text)
            else:
                error = kind(KeyErrorMessage(text) if kind is KeyError else text)
        except Exception:  # the type wants other arguments
            raise RuntimeError(text) from None
        raise error
