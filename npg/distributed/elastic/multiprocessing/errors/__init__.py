"""What happens when a script's main function fails. Source: torch.distributed.elastic.multiprocessing.errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def record(fn: F, error_handler: Any = None) -> F:
    """Return the main function of a script as it is: a rank's traceback is printed, and its status is the launcher's.

    Args: error_handler: accepted and ignored.
    """
    return fn
