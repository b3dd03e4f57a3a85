"""Names of PyTorch's compiled part that Python programs use. Source: torch._C."""

from __future__ import annotations

import enum
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from npg import _lazy
from npg.dtypes import dtype as dtype
from npg.functional._attributes import (
    Size as Size,
    device as device,
    layout as layout,
    memory_format as memory_format,
)
from npg.functional.generator import Generator as Generator
from npg.tensor import Tensor as TensorBase

__all__ = [
    "DispatchKey",
    "DispatchKeySet",
    "Generator",
    "Size",
    "TensorBase",
    "device",
    "dtype",
    "layout",
    "memory_format",
]

if not TYPE_CHECKING:
    _OVERRIDES = "DisableTorchFunction DisableTorchFunctionSubclass _disabled_torch_function_impl"
    __getattr__ = _lazy.loader(__name__, _lazy.homes_of({"npg.overrides": _OVERRIDES}))


def _log_api_usage_once(event: Any) -> None:
    """Do nothing: npg counts no uses."""


def _get_tracing_state() -> None:
    """Return None: nothing is traced."""
    return None


# ----- Dispatch keys: names, since npg chooses a kernel without them -----

DispatchKey = enum.Enum(
    "DispatchKey",
    "Undefined CPU CUDA MPS XPU Meta BackendSelect Python Functionalize ADInplaceOrView Conjugate Negative ZeroTensor "
    "Autograd AutogradCPU AutogradCUDA AutogradMPS AutogradXPU AutogradFunctionality AutocastCPU AutocastCUDA "
    "AutocastMPS AutocastXPU FuncTorchBatched CompositeImplicitAutograd CompositeExplicitAutograd",
    module=__name__,
)


class DispatchKeySet:
    """A set of dispatch keys. Source: torch._C.DispatchKeySet."""

    def __init__(self, key: DispatchKey, *more: DispatchKey) -> None:
        self._keys = frozenset((key, *more))

    def has(self, key: DispatchKey) -> bool:
        """Tell whether a key is in the set."""
        return key in self._keys

    def add(self, key: DispatchKey) -> DispatchKeySet:
        """Return the set with a key."""
        return DispatchKeySet(key, *self._keys)

    def __or__(self, other: DispatchKeySet) -> DispatchKeySet:
        return DispatchKeySet(*(self._keys | other._keys))


def _ExcludeDispatchKeyGuard(keys: DispatchKeySet) -> AbstractContextManager[None]:
    """Return a context without effect: npg chooses no kernel by keys."""
    return nullcontext()
