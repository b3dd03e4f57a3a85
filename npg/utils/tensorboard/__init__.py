"""SummaryWriter, which writes what TensorBoard shows: that of tensorboardX, an extra, which takes npg's tensors here.

Source: torch.utils.tensorboard.
"""

from __future__ import annotations

import functools
from importlib import import_module
from typing import Any

from npg._naming import named
from npg.tensor import Tensor
from npg.utils._pytree import tree_map_only

_NEEDS = "npg.utils.tensorboard needs tensorboardX; install it: pip install 'npg-autograd[tensorboard]'"


def _with_arrays(method: Any) -> Any:
    """Return a method of tensorboardX that is given ndarrays for tensors."""

    @functools.wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = tree_map_only(Tensor, lambda tensor: tensor.detach().numpy(), (args, kwargs))
        return method(self, *args, **kwargs)

    return call


def _no_graph(self: Any, model: Any, *args: Any, **kwargs: Any) -> None:
    """Raise NotImplementedError: npg records no graph of a module."""
    raise NotImplementedError("npg records no graph of a module; add_text(name, repr(model)) shows its layers")


@functools.cache
def _class(name: str) -> Any:
    try:
        tensorboardX = import_module("tensorboardX")
    except ImportError as error:
        raise ImportError(named(_NEEDS), name="tensorboardX") from error
    base = getattr(tensorboardX, name)
    methods = {key: _with_arrays(getattr(base, key)) for key in dir(base) if key.startswith("add_")}
    if "add_graph" in methods:
        methods["add_graph"] = _no_graph
    return type(name, (base,), {**methods, "__module__": __name__, "__doc__": base.__doc__})


def __getattr__(name: str) -> Any:
    if name in __all__:
        return _class(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["FileWriter", "RecordWriter", "SummaryWriter"]


def __dir__() -> list[str]:
    return __all__
