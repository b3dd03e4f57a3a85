"""state_dict and load_state_dict of an optimizer; the layout is PyTorch's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from copy import deepcopy
from itertools import chain
from typing import Any

import numpy as np

from npg.creation import tensor
from npg.dtypes import float32, float64, get_default_dtype
from npg.optim._checks import check_finite
from npg.tensor import Tensor
from npg.utils.hooks import RemovableHandle


class State:
    """The part of Optimizer that saves and loads its state."""

    # Entries that have the parameter's shape, which load_state_dict checks.
    _parameter_like: tuple[str, ...] = ()
    # At what a step raises: entries updated by lerp_ must keep their dtype; whether foreach excludes differentiable
    # or a rate in a tensor; whether PyTorch's text about capturable names XLA: without foreach, with it.
    _lerped: tuple[str, ...] = ()
    _foreach_records = False
    _refuses_lr_tensor = False
    _xla: tuple[bool, bool] = (True, False)

    defaults: dict[str, Any]
    state: Any
    param_groups: list[dict[str, Any]]
    _state_dict_pre_hooks: dict[int, Any]
    _state_dict_post_hooks: dict[int, Any]
    _load_state_dict_pre_hooks: dict[int, Any]
    _load_state_dict_post_hooks: dict[int, Any]

    def state_dict(self) -> dict[str, Any]:
        """Return {"state": parameter number to entries, "param_groups": settings and parameter numbers}."""
        for hook in list(self._state_dict_pre_hooks.values()):
            hook(self)
        number: dict[int, int] = {}
        groups = []
        start = 0
        for group in self.param_groups:
            # If a parameter is listed twice, the last position counts, as in PyTorch.
            number.update({id(p): i for i, p in enumerate(group["params"], start) if id(p) not in number})
            start += len(group["params"])
            settings = {k: v for k, v in group.items() if k != "params"}
            groups.append({**settings, "params": [number[id(p)] for p in group["params"]]})
        state = {(number[id(k)] if isinstance(k, Tensor) else k): v for k, v in self.state.items()}
        result: dict[str, Any] = {"state": state, "param_groups": groups}
        for hook in list(self._state_dict_post_hooks.values()):
            replaced = hook(self, result)
            if replaced is not None:
                result = replaced
        return result

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a state_dict; tensors are copied and cast to their parameter's dtype.

        Raises: ValueError: when the groups or shapes do not match this optimizer's, which is then unchanged.
        """
        state_dict = dict(state_dict)
        for hook in list(self._load_state_dict_pre_hooks.values()):
            replaced = hook(self, state_dict)
            if replaced is not None:
                state_dict = replaced
        saved = state_dict["param_groups"]
        if len(saved) != len(self.param_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(a["params"]) != len(b["params"]) for a, b in zip(self.param_groups, saved, strict=True)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
            )
        for group in saved:
            check_finite(group)
        parameter = dict(
            zip(
                chain.from_iterable(g["params"] for g in saved),
                chain.from_iterable(g["params"] for g in self.param_groups),
                strict=True,
            )
        )
        state: Any = defaultdict(dict)
        for key, value in state_dict["state"].items():
            if key in parameter:
                self._check_shapes(key, value, parameter[key])
                state[parameter[key]] = _copied(None, value, parameter[key])
            else:
                state[key] = deepcopy(value)
        groups = []
        for mine, other in zip(self.param_groups, saved, strict=True):
            settings = {k: deepcopy(v) for k, v in other.items() if k != "params"}
            if "param_names" in mine:
                settings.setdefault("param_names", mine["param_names"])
            for name, default in self.defaults.items():  # from a version with fewer settings
                settings.setdefault(name, default)
            groups.append({**settings, "params": mine["params"]})
        self.state, self.param_groups = state, groups
        for hook in list(self._load_state_dict_post_hooks.values()):
            hook(self)

    def _check_shapes(self, key: Any, state: Any, p: Tensor) -> None:
        for name in self._parameter_like:
            value = state.get(name)
            if isinstance(value, Tensor) and value.shape != p.shape:
                raise ValueError(
                    f"expected {name} of parameter {key} to have the parameter's shape {tuple(p.shape)}, got "
                    f"{tuple(value.shape)}"
                )

    def register_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call hook(optimizer) before state_dict collects. Returns: a handle to remove it."""
        return RemovableHandle(self._state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call hook(optimizer, state_dict) after; its result, if any, replaces state_dict. Returns: a handle."""
        return RemovableHandle(self._state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call hook(optimizer, state_dict) before loading; its result, if any, replaces it. Returns: a handle."""
        return RemovableHandle(self._load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call hook(optimizer) when load_state_dict is done. Returns: a handle to remove it."""
        return RemovableHandle(self._load_state_dict_post_hooks, hook, prepend)


def step_count(fused: bool | None = False) -> Tensor:
    """Return a step count of 0: float64 where that is the default dtype, else float32."""
    wide = not fused and get_default_dtype() is float64
    return tensor(0.0, dtype=float64 if wide else float32)


def number(setting: Any) -> Any:
    """Return a setting as a float, or as a 0-d tensor if it requires grad."""
    if isinstance(setting, Tensor):
        return setting.squeeze() if setting.requires_grad else setting.item()
    return setting


_PLAIN = {bool, float, int, list, str, tuple, type(None), Tensor}


def plain_settings(group: dict[str, Any]) -> dict[str, Any]:
    """Return a group whose settings are Python numbers: itself, or a copy where some are NumPy scalars.

    A np.float64 would promote arrays in arithmetic, and a np.float16 would round them.
    """
    kinds = {*map(type, group.values())}  # a set of few types, since every step calls this
    if tuple in kinds:
        kinds.update([type(x) for value in group.values() if type(value) is tuple for x in value])
    return group if kinds <= _PLAIN else {name: _plain(value) for name, value in group.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    return value.item() if isinstance(value, np.generic) else value


def _copied(name: Any, value: Any, p: Tensor) -> Any:
    """Return a copy of an entry of p's state, in p's dtype; step counts keep theirs."""
    if isinstance(value, dict):
        return {k: _copied(k, v, p) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_copied(None, v, p) for v in value)
    if not isinstance(value, Tensor):
        return deepcopy(value)
    copy = value.detach().clone()
    return copy if name == "step" or not p.is_floating_point() else copy.to(p.dtype)
