"""The wrapper of a compiled module. Source: torch._dynamo.eval_frame."""

from __future__ import annotations

from typing import Any

from npg.nn import Module


class OptimizedModule(Module):
    """A module behind the name `_orig_mod`, as PyTorch's compile returns one: its state has that prefix.

    What it does not have itself, attributes and methods, is the module's own.
    """

    _orig_mod: Module
    _OWN = frozenset({"_orig_mod", "dynamo_ctx", "_modules", "_parameters", "_buffers", "training"})

    @staticmethod
    def dynamo_ctx(fn: Any) -> Any:
        """Return a function as it is: what PyTorch compiles with."""
        return fn

    def __init__(self, mod: Module) -> None:
        super().__init__()
        self._modules["_orig_mod"] = mod

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the module."""
        return self._orig_mod(*args, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if "_forward_hooks" in self.__dict__ and (self._forward_hooks or self._forward_pre_hooks):
            return super().__call__(*args, **kwargs)
        return self._modules["_orig_mod"](*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name == "_orig_mod":
            return self._modules["_orig_mod"]
        return getattr(self._modules["_orig_mod"], name)

    @property
    def training(self) -> bool:
        """Whether the module is in training mode."""
        modules = self.__dict__.get("_modules")
        return modules["_orig_mod"].training if modules else True

    @training.setter
    def training(self, mode: bool) -> None:
        modules = self.__dict__.get("_modules")
        if modules:
            modules["_orig_mod"].training = mode

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._OWN or name in self.__dict__ or "_modules" not in self.__dict__ or not self._modules:
            super().__setattr__(name, value)
        else:
            setattr(self._modules["_orig_mod"], name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._modules["_orig_mod"], name)

    def __len__(self) -> int:
        return len(self._orig_mod)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self._orig_mod)})


def optimized(model: Any) -> Any:
    """Return a module behind the wrapper; a function or a class as it is.

    Raises: AssertionError: for what cannot be called.
    """
    if isinstance(model, OptimizedModule):
        return model
    if isinstance(model, Module):
        return OptimizedModule(model)
    if not callable(model):
        raise AssertionError(f"A callable function is expected, but {type(model)} is provided.")
    return model
