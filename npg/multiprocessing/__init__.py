"""Python's multiprocessing, with PyTorch's spawn beside it. Source: torch.multiprocessing.

A tensor that is sent to another process is copied; one that share_memory_() has moved is shared.
"""

from __future__ import annotations

import multiprocessing
import sys
from multiprocessing import *  # noqa: F403
from typing import Any

from npg.multiprocessing.spawn import (
    ProcessContext,
    ProcessException,
    ProcessExitedException,
    ProcessRaisedException,
    SpawnContext,
    spawn,
    start_processes,
)

# ----- How memory is shared -----

_STRATEGIES = {"file_descriptor", "file_system"} if sys.platform not in ("darwin", "win32") else {"file_system"}
_strategy = "file_descriptor" if "file_descriptor" in _STRATEGIES else "file_system"


def get_all_sharing_strategies() -> set[str]:
    """Return the names that set_sharing_strategy takes; memory is shared in one way."""
    return set(_STRATEGIES)


def get_sharing_strategy() -> str:
    """Return what set_sharing_strategy was given; memory is shared in one way."""
    return _strategy


def set_sharing_strategy(new_strategy: str) -> None:
    """Choose how memory is shared: it is kept, and memory is shared in one way.

    Raises: AssertionError: for an unknown strategy.
    """
    global _strategy
    if new_strategy not in _STRATEGIES:
        raise AssertionError(f"invalid sharing strategy '{new_strategy}', expected one of {sorted(_STRATEGIES)}")
    _strategy = new_strategy


def init_reductions() -> None:
    """Do nothing: tensors are pickled as they are everywhere."""


def __getattr__(name: str) -> Any:
    return getattr(multiprocessing, name)


__all__ = [  # noqa: PLE0604
    *multiprocessing.__all__,
    "ProcessContext",
    "ProcessException",
    "ProcessExitedException",
    "ProcessRaisedException",
    "SpawnContext",
    "get_all_sharing_strategies",
    "get_sharing_strategy",
    "set_sharing_strategy",
    "spawn",
    "start_processes",
]
