"""Settings of opt_einsum, with which npg.einsum does not work: it finds an order of products by itself.

Source: torch.backends.opt_einsum where the library is absent.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from npg._naming import named

_WITHOUT = (
    "opt_einsum is not available, so setting `{}` to {} will not be meaningful: npg.einsum finds an order itself."
)

enabled: Any = False  # what is assigned is kept, and changes nothing
strategy: Any = None


def is_available() -> bool:
    """Return False: npg.einsum finds an order of products by itself."""
    return False


def get_opt_einsum() -> None:
    """Return None: npg.einsum finds an order of products by itself."""


def set_flags(_enabled: Any = None, _strategy: Any = None) -> tuple[Any, Any]:
    """Return the settings before, when there is nothing to set.

    Raises: ValueError: for a setting that needs the library, as in PyTorch.
    """
    for name, value in (("enabled", _enabled), ("strategy", _strategy)):
        if value:
            raise ValueError(named(_WITHOUT.format(name, value)))
    return enabled, strategy


@contextmanager
def flags(enabled: Any = None, strategy: Any = None) -> Iterator[None]:
    """Return a block with other settings. Raises: ValueError: for one that needs the library."""
    set_flags(enabled, strategy)
    yield
