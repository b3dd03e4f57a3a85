"""For which devices casts are on, and their dtypes, for each thread. Source: torch.is_autocast_enabled and others."""

from __future__ import annotations

import threading
from typing import Any

from npg import dtypes
from npg._dtype_names import bfloat16
from npg._errors import warn
from npg._naming import named
from npg.functional._attributes import device


class _ThisThread(threading.local):
    def __init__(self) -> None:
        self.enabled: dict[str, bool] = {}
        self.dtypes: dict[str, dtypes.dtype] = {}
        self.nesting = 0
        self.cache = True


this_thread = _ThisThread()


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """Tell whether casts are on for a device; without one, for CUDA."""
    return this_thread.enabled.get(device(device_type or "cuda").type, False)


def set_autocast_enabled(device_type: Any, enabled: Any = None) -> None:
    """Switch the casts of a device on or off; one argument is for CUDA.

    Raises: RuntimeError: for the CPU: npg computes in the dtype that it is given.
    """
    if enabled is None:
        device_type, enabled = "cuda", device_type
    if not isinstance(enabled, bool):
        raise TypeError(
            f"set_autocast_enabled(): argument 'enabled' (position 2) must be bool, not {type(enabled).__name__}"
        )
    kind = device(device_type).type
    if enabled and kind == "cpu":
        raise RuntimeError("npg computes in the dtype that it is given, and casts nothing by itself; use Tensor.to()")
    this_thread.enabled[kind] = enabled


def get_autocast_dtype(device_type: str) -> dtypes.dtype:
    """Return the dtype of a device's casts: float16, and of the CPU's bfloat16, which is only a name here."""
    kind = device(device_type).type
    usual: dtypes.dtype = bfloat16 if kind == "cpu" else dtypes.float16
    return this_thread.dtypes.get(kind, usual)


def set_autocast_dtype(device_type: str, dtype: Any) -> None:
    """Set the dtype of a device's casts."""
    if not isinstance(dtype, dtypes.dtype):
        kind = type(dtype).__name__
        raise TypeError(named(f"set_autocast_dtype(): argument 'dtype' (position 2) must be npg.dtype, not {kind}"))
    this_thread.dtypes[device(device_type).type] = dtype


def is_autocast_cache_enabled() -> bool:
    """Return what set_autocast_cache_enabled was given: it changes nothing."""
    return this_thread.cache


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Permit that casts of weights are kept: it is kept, and changes nothing."""
    this_thread.cache = enabled


def clear_autocast_cache() -> None:
    """Do nothing: no casts of weights are kept."""


def autocast_increment_nesting() -> int:
    """Count that an autocast block begins, and return how many are open."""
    this_thread.nesting += 1
    return this_thread.nesting


def autocast_decrement_nesting() -> int:
    """Count that an autocast block ends, and return how many are open."""
    this_thread.nesting -= 1
    return this_thread.nesting


# ----- Their old names -----


def _deprecated(old: str, new: str) -> None:
    warn(f"npg.{old} is deprecated. Please use npg.{new} instead.", DeprecationWarning)


def is_autocast_cpu_enabled() -> bool:
    """Tell whether the CPU's casts are on, with a warning: the old form of is_autocast_enabled."""
    _deprecated("is_autocast_cpu_enabled()", "is_autocast_enabled('cpu')")
    return is_autocast_enabled("cpu")


def set_autocast_cpu_enabled(enabled: bool) -> None:
    """Switch the CPU's casts, with a warning: the old form of set_autocast_enabled."""
    _deprecated("set_autocast_cpu_enabled(enabled)", "set_autocast_enabled('cpu', enabled)")
    set_autocast_enabled("cpu", enabled)


def get_autocast_gpu_dtype() -> dtypes.dtype:
    """Return the dtype of CUDA's casts, with a warning: the old form of get_autocast_dtype."""
    _deprecated("get_autocast_gpu_dtype()", "get_autocast_dtype('cuda')")
    return get_autocast_dtype("cuda")


def get_autocast_cpu_dtype() -> dtypes.dtype:
    """Return the dtype of the CPU's casts, with a warning: the old form of get_autocast_dtype."""
    _deprecated("get_autocast_cpu_dtype()", "get_autocast_dtype('cpu')")
    return get_autocast_dtype("cpu")


def set_autocast_gpu_dtype(dtype: Any) -> None:
    """Set the dtype of CUDA's casts, with a warning: the old form of set_autocast_dtype."""
    _deprecated("set_autocast_gpu_dtype(dtype)", "set_autocast_dtype('cuda', dtype)")
    set_autocast_dtype("cuda", dtype)


def set_autocast_cpu_dtype(dtype: Any) -> None:
    """Set the dtype of the CPU's casts, with a warning: the old form of set_autocast_dtype."""
    _deprecated("set_autocast_cpu_dtype(dtype)", "set_autocast_dtype('cpu', dtype)")
    set_autocast_dtype("cpu", dtype)


__all__ = [
    "autocast_decrement_nesting",
    "autocast_increment_nesting",
    "clear_autocast_cache",
    "get_autocast_cpu_dtype",
    "get_autocast_dtype",
    "get_autocast_gpu_dtype",
    "is_autocast_cache_enabled",
    "is_autocast_cpu_enabled",
    "is_autocast_enabled",
    "set_autocast_cache_enabled",
    "set_autocast_cpu_dtype",
    "set_autocast_cpu_enabled",
    "set_autocast_dtype",
    "set_autocast_enabled",
    "set_autocast_gpu_dtype",
]
