"""What happens when a script's main function fails. Source: torch.distributed.elastic.multiprocessing.errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class ChildFailedError(Exception):
    """What torchrun raises when a process has failed: a name for scripts that catch it.

    Args: name: of the script. failures: by rank.
    """

    def __init__(self, name: str, failures: dict[int, Any]) -> None:
        self.name, self.failures = name, failures
        super().__init__(f"{name} failed in ranks {sorted(failures)}")


def record(fn: F, error_handler: Any = None) -> F:
    """Return the main function of a script as it is: a rank's traceback is printed, and its status is the launcher's.

    Args: error_handler: accepted and ignored.
    """
    return fn
