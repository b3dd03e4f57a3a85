"""Settings of PyTorch that choose how it computes; npg always computes one way, so they are kept.

Source: torch.use_deterministic_algorithms and the functions beside it.
"""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

from npg import _errors
from npg._naming import named

# ----- The same result in every run -----

_deterministic = _warn_only = False


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Ask for the same result in every run: it is kept, and all that npg computes is so.

    Source: torch.use_deterministic_algorithms.
    """
    global _deterministic, _warn_only
    for position, (name, value) in enumerate((("mode", mode), ("warn_only", warn_only)), 1):
        if not isinstance(value, bool):
            where = f"argument '{name}' (position {position})"
            raise TypeError(f"_set_deterministic_algorithms(): {where} must be bool, not {type(value).__name__}")
    _deterministic, _warn_only = mode, warn_only


def are_deterministic_algorithms_enabled() -> bool:
    """Return what use_deterministic_algorithms was given; npg's results are the same in every run."""
    return _deterministic


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Return the warn_only that use_deterministic_algorithms was given; there is nothing to warn of."""
    return _warn_only


_MODES = ("default", "warn", "error")


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """Ask for the same result in every run by a number or name (default, warn, error): it is kept.

    Source: torch.set_deterministic_debug_mode.
    """
    if not isinstance(debug_mode, (int, str)):
        raise TypeError(f"debug_mode must be str or int, but got {type(debug_mode)}")
    if isinstance(debug_mode, str):
        if debug_mode not in _MODES:
            raise RuntimeError(
                "invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got " + debug_mode
            )
        debug_mode = _MODES.index(debug_mode)
    if debug_mode not in (0, 1, 2):
        raise RuntimeError(f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}")
    use_deterministic_algorithms(debug_mode > 0, warn_only=debug_mode == 1)


def get_deterministic_debug_mode() -> int:
    """Return 0, 1 or 2 for what set_deterministic_debug_mode was given; npg's results are the same in every run."""
    return _deterministic + (_deterministic and not _warn_only)


# ----- Threads and numbers -----

_interop: int | None = None


def get_num_interop_threads() -> int:
    """Return what set_num_interop_threads was given; npg has no such threads."""
    return _interop or os.cpu_count() or 1


def set_num_interop_threads(num: int) -> None:
    """Set the number of threads for operations beside each other: it is kept once, and npg has no such threads.

    Raises: RuntimeError: for a number that is no positive int, and when it was set before.
    Source: torch.set_num_interop_threads.
    """
    global _interop
    if not isinstance(num, int) or isinstance(num, bool):
        raise RuntimeError(f"set_num_interop_threads expects an int, but got {type(num).__name__}")
    if num <= 0:
        raise RuntimeError("set_num_interop_threads expects a positive integer")
    if _interop is not None:
        raise RuntimeError(
            "Error: cannot set number of interop threads after parallel work has started or set_num_interop_threads "
            "called"
        )
    _interop = num


def set_flush_denormal(mode: bool) -> bool:
    """Return False: npg does not change how the processor computes, so subnormal numbers stay what they are.

    Source: torch.set_flush_denormal, which returns False where the processor cannot flush them.
    """
    if not isinstance(mode, bool):
        raise RuntimeError(f"flush_denormal expects a bool, but got {type(mode).__name__}")
    return False


# ----- Warnings -----


def is_warn_always_enabled() -> bool:
    """Tell whether warnings that are given once per process are given always."""
    return _errors.warn_always


def set_warn_always(b: bool) -> None:
    """Give warnings always that are given once per process. Source: torch.set_warn_always."""
    if not isinstance(b, bool):
        raise RuntimeError(f"setWarnOnlyOnce expects a bool, but got {type(b).__name__}")
    _errors.warn_always = b


# ----- How it was built -----


def compiled_with_cxx11_abi() -> bool:
    """Return True, as PyTorch's builds do; npg has no C++ that others could link to."""
    return True


def get_device_module(device: Any = None) -> ModuleType:
    """Return the module of a device, such as npg.cpu; without one that of the default device."""
    from importlib import import_module

    from npg.functional._attributes import CPU, device as device_type

    chosen = CPU if device is None else device_type(device)
    if chosen.type not in ("cpu", "cuda", "mps", "xpu"):
        raise RuntimeError(
            named(f"Device '{chosen.type}' does not have a corresponding module registered as 'npg.{chosen.type}'.")
        )
    return import_module(f"npg.{chosen.type}")


__all__ = [
    "are_deterministic_algorithms_enabled",
    "compiled_with_cxx11_abi",
    "get_deterministic_debug_mode",
    "get_device_module",
    "get_num_interop_threads",
    "is_deterministic_algorithms_warn_only_enabled",
    "is_warn_always_enabled",
    "set_deterministic_debug_mode",
    "set_flush_denormal",
    "set_num_interop_threads",
    "set_warn_always",
    "use_deterministic_algorithms",
]
