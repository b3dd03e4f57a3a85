"""Optimizer: parameter groups, state, and the frame of a step."""

from __future__ import annotations

import functools
import math
import warnings
from collections import defaultdict
from collections.abc import Callable
from copy import deepcopy
from itertools import chain
from typing import Any

import numpy as np

from npg.autograd import enable_grad, no_grad
from npg.tensor import Tensor
from npg.utils.hooks import RemovableHandle

__all__ = ["Optimizer", "check_hyperparameters"]


class _Required:
    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


def check_hyperparameters(lr: Any, **others: Any) -> None:
    """Refuse a learning rate or another setting that is negative or not finite.

    Raises: ValueError: naming the setting and its value.
    """
    names = {
        "lr": "learning rate",
        "eps": "epsilon value",
        "weight_decay": "weight_decay value",
        "momentum": "momentum value",
    }
    for name, value in {"lr": lr, **others}.items():
        if name == "betas":
            for i, beta in enumerate(value):
                if not 0.0 <= beta < 1.0:
                    raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
        elif isinstance(value, Tensor) and value.numel() != 1:
            raise ValueError(f"Tensor {name} must be 1-element")
        elif not 0.0 <= float(value) < math.inf:
            raise ValueError(f"Invalid {names.get(name, name + ' value')}: {value}")


class Optimizer:
    """Base class of all optimizers.

    Args:
        params: parameters, (name, parameter) pairs, or dicts of groups with their own settings.
        defaults: the settings of groups that do not give their own.
    Attributes:
        param_groups: list of dicts: "params" and the settings.
        state: per parameter a dict of what the optimizer remembers.
    Raises: TypeError, ValueError: for something that is no leaf tensor, an empty list, a parameter in two groups.
    Source: torch.optim.Optimizer.
    """

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                + str(type(params))
            )
        self.defaults = defaults
        self.state: Any = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._step_pre_hooks: dict[int, Any] = {}
        self._step_post_hooks: dict[int, Any] = {}
        self._scratch: dict[Any, np.ndarray[Any, Any]] = {}
        self._stepped = False
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    # ----- Groups -----

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group: a dict with "params" and the settings that differ from the defaults."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        given = param_group["params"]
        if isinstance(given, Tensor):
            params: list[Any] = [given]
        elif isinstance(given, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets "
                "will change between runs. Please use a list instead."
            )
        else:
            params = list(given)
        names = None
        named = [isinstance(p, tuple) for p in params]
        if any(named):
            if not all(named):
                raise ValueError("all optimizer params should be with/without names. Some param names are missing")
            names = [name for name, _ in params]
            params = [p for _, p in params]
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError("optimizer can only optimize Tensors, but one of the params is " + type(p).__name__)
            if not (p.is_leaf or p.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        group = {**param_group, "params": params}
        if names is not None:
            group["param_names"] = names
        if self.param_groups and (names is None) != ("param_names" not in self.param_groups[0]):
            how = "without" if names is None else "with"
            raise ValueError(
                "all optimizer param groups should be with/without names. "
                f"cannot add param group {how} names to the optimizer"
            )
        for name, default in self.defaults.items():
            if default is required and name not in group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            group.setdefault(name, default)
        if len({id(p) for p in params}) != len(params):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error; "
                "see github.com/pytorch/pytorch/issues/40967 for more information",
                stacklevel=3,
            )
        taken = {id(p) for g in self.param_groups for p in g["params"]}
        if any(id(p) in taken for p in params):
            raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters, or fill them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                if set_to_none:
                    p.grad = None
                else:
                    p.grad.detach_()
                    p.grad.zero_()

    # ----- A step -----

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all parameters that have a gradient.

        Args:
            closure: re-evaluates the model and returns the loss; called once with recording on.
        Returns: what the closure returned, or None.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with no_grad():
            for group in self.param_groups:
                self._prepare(group)
                seen: set[int] = set()  # a parameter that is listed twice is stepped once
                for p in group["params"]:
                    if p.grad is None or id(p) in seen:
                        continue
                    seen.add(id(p))
                    state = self.state.get(p, {})
                    self._update(p, group, state)
                    if state:
                        self.state[p] = state
        return loss

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _hooked(cls.__dict__["step"])  # type: ignore[method-assign]

    def _prepare(self, group: dict[str, Any]) -> None:
        """Do what is the same for all parameters of a group."""

    def _update(self, p: Tensor, group: dict[str, Any], state: dict[str, Any]) -> None:
        """Update one parameter; every optimizer defines it."""
        raise NotImplementedError

    def _gradient(self, p: Tensor, group: dict[str, Any], weight_decay: float) -> np.ndarray[Any, Any]:
        """Return p's gradient as an array, its sign turned for maximize, plus weight_decay p; not to be written."""
        g = p.grad.detach().numpy()  # type: ignore[union-attr]  # step passes over the others
        if group["maximize"]:
            g = np.negative(g, out=self._temporary(g, 2))
        if weight_decay:
            decayed = self._temporary(g, 3)
            np.multiply(p.detach().numpy(), weight_decay, out=decayed)
            g = np.add(g, decayed, out=decayed)
        return g

    def _temporary(self, like: np.ndarray[Any, Any], which: int = 0) -> np.ndarray[Any, Any]:
        """Return an array of like's shape and dtype to compute in; the next parameter gets the same memory."""
        key = (like.dtype, which)
        memory = self._scratch.get(key)
        if memory is None or memory.size < like.size:
            memory = self._scratch[key] = np.empty(like.size, like.dtype)
        return memory[: like.size].reshape(like.shape)

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call hook(optimizer, args, kwargs) before each step."""
        return RemovableHandle(self._step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call hook(optimizer, args, kwargs) after each step."""
        return RemovableHandle(self._step_post_hooks, hook)

    # ----- State -----

    def state_dict(self) -> dict[str, Any]:
        """Return {"state": per parameter number what is remembered, "param_groups": settings and parameter numbers}."""
        number: dict[int, int] = {}
        groups = []
        for group in self.param_groups:
            for p in group["params"]:
                number.setdefault(id(p), len(number))
            groups.append(
                {
                    **{k: v for k, v in group.items() if k != "params"},
                    "params": [number[id(p)] for p in group["params"]],
                }
            )
        state = {(number[id(k)] if isinstance(k, Tensor) else k): v for k, v in self.state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state_dict; tensors are copied and cast to their parameter's dtype.

        Raises: ValueError: when the groups do not match this optimizer's; nothing has changed then.
        """
        saved = state_dict["param_groups"]
        if len(saved) != len(self.param_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(a["params"]) != len(b["params"]) for a, b in zip(self.param_groups, saved, strict=True)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
            )
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
                state[parameter[key]] = {k: _copied(k, v, parameter[key]) for k, v in value.items()}
            else:
                state[key] = deepcopy(value)
        groups = []
        for mine, theirs in zip(self.param_groups, saved, strict=True):
            settings = {k: deepcopy(v) for k, v in theirs.items() if k != "params"}
            groups.append({**settings, "params": mine["params"]})
        self.state, self.param_groups = state, groups

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._step_pre_hooks, self._step_post_hooks, self._scratch = {}, {}, {}
        self._stepped = False

    def __repr__(self) -> str:
        lines = [type(self).__name__ + " ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])


def _copied(name: str, value: Any, p: Tensor) -> Any:
    if not isinstance(value, Tensor):
        return deepcopy(value)
    copy = value.detach().clone()
    return copy if name == "step" or not copy.is_floating_point() else copy.to(p.dtype)


def _hooked(step: Callable[..., Any]) -> Callable[..., Any]:
    """Return a step that runs the step hooks around it."""

    @functools.wraps(step)
    def call(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        for hook in list(self._step_pre_hooks.values()):
            changed = hook(self, args, kwargs)
            if changed is not None:
                args, kwargs = changed
        result = step(self, *args, **kwargs)
        self._stepped = True  # schedules warn when they are stepped before their optimizer
        for hook in list(self._step_post_hooks.values()):
            hook(self, args, kwargs)
        return result

    return call


Optimizer.step = _hooked(Optimizer.step)  # type: ignore[method-assign]
