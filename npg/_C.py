"""Names of PyTorch's compiled part that Python programs use. Source: torch._C."""

from __future__ import annotations

import enum
from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from npg import _lazy
from npg._errors import NO_TORCHSCRIPT
from npg._refusal import refusing_class
from npg.dtypes import dtype as dtype, from_numpy
from npg.functional._attributes import (
    Size as Size,
    device as device,
    layout as layout,
    memory_format as memory_format,
)
from npg.functional.generator import Generator as Generator
from npg.tensor import Tensor as TensorBase
from npg.tensor.conversion import parse_to

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
    __getattr__ = _lazy.loader(
        __name__,
        _lazy.homes_of({"npg.overrides": _OVERRIDES, "npg.serialization._file_reader": "PyTorchFileReader"}),
        {"_VariableFunctions": "npg._VF"},
    )


def _log_api_usage_once(event: Any) -> None:
    """Do nothing: npg counts no uses."""


def _get_tracing_state() -> None:
    """Return None: nothing is traced."""
    return None


def _parse_to(*args: Any, **kwargs: Any) -> tuple[Any, Any, bool, Any]:
    """Return (device, dtype, non_blocking, memory_format) from the arguments of to(); None for what they do not say.

    Raises: RuntimeError: when they ask for a copy. Others: as Tensor.to.
    """
    if "copy" in kwargs:
        raise RuntimeError(".to() does not accept copy argument")
    kind, _, _, layout = parse_to(args, kwargs)
    first = args[0] if args else kwargs.get("other", kwargs.get("device"))
    place = first.device if isinstance(first, TensorBase) else first if isinstance(first, (str, device)) else None
    blocking = kwargs.get("non_blocking", next((x for x in args if isinstance(x, bool)), False))
    return (
        device(place) if isinstance(place, str) else place,
        None if kind is None else from_numpy(kind),
        blocking,
        layout,
    )


_nn = SimpleNamespace(_parse_to=_parse_to)
_TensorMeta: Any = type(TensorBase)  # what classes are made with whose instances pass for tensors


ScriptModule = refusing_class("ScriptModule", "npg", NotImplementedError, NO_TORCHSCRIPT)


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
