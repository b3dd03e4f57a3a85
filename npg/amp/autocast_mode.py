"""Blocks in which PyTorch computes some operations in a narrower dtype: npg computes in the dtype that it is given.

A block is disabled with PyTorch's warning, as where CUDA is absent. Source: torch.amp.autocast_mode.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from npg import dtypes
from npg._errors import warn
from npg.amp import _state
from npg.functional._attributes import device
from npg.tensor import Tensor

# Devices whose operations PyTorch can cast.
_CASTING = ("cpu", "cuda", "xpu", "mps", "hpu", "xla", "mtia", "maia", "ipu", "privateuseone")


def is_autocast_available(device_type: str) -> bool:
    """Tell whether PyTorch casts for this type of device; npg has the CPU only, for which it casts nothing."""
    return device(device_type).type in _CASTING


def _check_type(device_type: Any) -> None:
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")


class autocast:
    """A block or decorator in which PyTorch casts; for CUDA and the CPU it is disabled here, with a warning.

    Args:
        device_type: "cpu", "cuda", ...
        dtype: of the casts; None: that of get_autocast_dtype.
        enabled: whether there are casts at all: without, nothing is warned of.
        cache_enabled: permits that casts of weights are kept.
    Raises: ValueError: when device_type is no str. RuntimeError: when it is no device's, or cannot cast.
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        _check_type(device_type)
        self.fast_dtype = _state.get_autocast_dtype(device_type) if dtype is None else dtype
        self.device = device_type
        if not is_autocast_available(device_type):
            raise RuntimeError(f"User specified an unsupported autocast device_type '{device_type}'")
        self._cache_enabled = _state.is_autocast_cache_enabled() if cache_enabled is None else cache_enabled
        if enabled and device_type == "cuda":
            warn("CUDA is not available or torch_xla is imported. Disabling autocast.")
            enabled = False
        elif enabled and device_type == "cpu":
            warn(
                "In CPU autocast, but the target dtype is not supported. Disabling autocast.\nnpg casts nothing by "
                "itself."
            )
            enabled = False
        self._enabled = enabled
        self._before: list[tuple[bool, Any, bool]] = []

    def __enter__(self) -> autocast:
        state = _state.this_thread
        self._before.append(
            (_state.is_autocast_enabled(self.device), _state.get_autocast_dtype(self.device), state.cache)
        )
        state.enabled[self.device] = self._enabled
        state.dtypes[self.device] = self.fast_dtype
        state.cache = self._cache_enabled
        _state.autocast_increment_nesting()
        return self

    def __exit__(self, *exc: object) -> None:
        state = _state.this_thread
        _state.autocast_decrement_nesting()
        state.enabled[self.device], state.dtypes[self.device], state.cache = self._before.pop()

    def __call__(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return autocast_decorator(self, func)


def autocast_decorator(autocast_instance: autocast, func: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that calls func within the block."""

    @functools.wraps(func)
    def decorate_autocast(*args: Any, **kwargs: Any) -> Any:
        with autocast_instance:
            return func(*args, **kwargs)

    return decorate_autocast


# ----- Functions with their own backward -----


def _cast(value: Any, device_type: str, dtype: dtypes.dtype) -> Any:
    """Return the floating tensors of nested values in another dtype, except float64, which stays."""
    if isinstance(value, Tensor):
        wanted = device_type == "cpu" and value.is_floating_point() and value.dtype is not dtypes.float64
        return value.to(dtype) if wanted else value
    if isinstance(value, (str, np.ndarray)):
        return value
    if isinstance(value, Mapping):
        pairs = {_cast(k, device_type, dtype): _cast(v, device_type, dtype) for k, v in value.items()}
        return type(value)(pairs)  # type: ignore[call-arg]
    if isinstance(value, Sequence):
        items = [_cast(v, device_type, dtype) for v in value]
        return type(value)(items) if isinstance(value, (list, tuple)) else items
    return value


def custom_fwd(fwd: Any = None, *, device_type: str, cast_inputs: Any = None) -> Any:
    """Let the forward of an autograd.Function run without casts where they are on, on inputs of one dtype.

    Args:
        fwd: the static method forward; None: return a decorator.
        device_type: the device whose casts are meant.
        cast_inputs: the dtype of its floating tensors where casts are on; None: forward runs as it is called.
    Source: torch.amp.custom_fwd.
    """
    _check_type(device_type)
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def decorate_fwd(*args: Any, **kwargs: Any) -> Any:
        context, on = args[0], _state.is_autocast_enabled(device_type)
        context._dtype = _state.get_autocast_dtype(device_type)
        context._fwd_used_autocast = on and cast_inputs is None
        if not on or cast_inputs is None:
            return fwd(*args, **kwargs)
        with autocast(device_type, enabled=False):
            return fwd(*_cast(args, device_type, cast_inputs), **_cast(kwargs, device_type, cast_inputs))

    return decorate_fwd


def custom_bwd(bwd: Any = None, *, device_type: str) -> Any:
    """Let the backward of an autograd.Function run with casts on or off as its forward did.

    Source: torch.amp.custom_bwd.
    """
    _check_type(device_type)
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def decorate_bwd(*args: Any, **kwargs: Any) -> Any:
        with autocast(device_type, enabled=args[0]._fwd_used_autocast, dtype=args[0]._dtype):
            return bwd(*args, **kwargs)

    return decorate_bwd


__all__ = ["autocast", "autocast_decorator", "custom_bwd", "custom_fwd", "is_autocast_available"]
