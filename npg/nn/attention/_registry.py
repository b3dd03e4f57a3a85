"""Registered implementations of attention: the registry is PyTorch's, and npg computes in its own way whatever is
active. Source: torch.nn.attention.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

_logger = logging.getLogger(__name__)


class FlashAttentionHandle(Protocol):
    """What a registered function returns to be asked to undo what it did."""

    def remove(self) -> None: ...


_RegisterFn = Callable[..., FlashAttentionHandle | None]


def _needs(package: str) -> _RegisterFn:
    def activate() -> None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)

    return activate


_implementations: dict[str, _RegisterFn] = {"FA3": _needs("flash_attn_interface"), "FA4": _needs("flash_attn")}
_active: tuple[str, FlashAttentionHandle] | None = None


def register_flash_attention_impl(impl: str, *, register_fn: _RegisterFn) -> None:
    """Register a function that activate_flash_attention_impl(impl) calls."""
    _implementations[impl] = register_fn


def activate_flash_attention_impl(impl: str) -> None:
    """Call what was registered under a name; the handle that it returns is kept.

    Raises: ValueError: when nothing was. ModuleNotFoundError: for "FA3" and "FA4", which need packages for devices.
    """
    global _active
    restore_flash_attention_impl(_raise_warn=False)
    function = _implementations.get(impl)
    if function is None:
        raise ValueError(
            f"Unknown flash attention impl '{impl}'. Available implementations: {list_flash_attention_impls()}"
        )
    handle = function()
    if handle is not None:
        _active = impl, handle


def list_flash_attention_impls() -> list[str]:
    """Return the registered names, sorted."""
    return sorted(_implementations)


def current_flash_attention_impl() -> str | None:
    """Return the active name, or None."""
    return None if _active is None else _active[0]


def restore_flash_attention_impl(_raise_warn: bool = True) -> None:
    """Call remove() of the active handle; without one, log a warning."""
    global _active
    handle: Any = None if _active is None else _active[1]
    if handle is not None:
        handle.remove()
    elif _raise_warn:
        _logger.warning("Trying to restore default FA2 impl when no custom impl was activated")
    _active = None
