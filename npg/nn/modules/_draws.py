"""Modules that are built whole or not at all."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from npg.functional.generator import get_rng_state, set_rng_state

F = TypeVar("F", bound=Callable[..., Any])


def draws_all_or_nothing(build: F) -> F:
    """Let an __init__ that fails after it drew some of the weights leave the generator as it was."""

    @functools.wraps(build)
    def call(*args: Any, **kwargs: Any) -> None:
        before = get_rng_state()
        try:
            build(*args, **kwargs)
        except Exception:
            set_rng_state(before)
            raise

    return call  # type: ignore[return-value]
