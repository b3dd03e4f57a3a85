"""Modules without initial values."""

from __future__ import annotations

import inspect
from typing import Any, TypeVar

from npg import random
from npg.nn.modules.module import Module

M = TypeVar("M", bound=Module)


def skip_init(module_cls: type[M], *args: Any, **kwargs: Any) -> M:
    """Return a module whose parameters and buffers have no particular values; no random number is drawn.

    Args:
        module_cls: a class of modules that takes `device`. The others: its constructor's arguments.
    Raises: RuntimeError: when it is none.
    Source: torch.nn.utils.skip_init. Unlike there, values are computed, and then given up with their memory.
    """
    if not isinstance(module_cls, type) or not issubclass(module_cls, Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    device = kwargs.pop("device", "cpu")
    with random.fork_rng(devices=()):
        module = module_cls(*args, **kwargs)
    return module.to_empty(device=device)
