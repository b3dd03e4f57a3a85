"""Optimizer: parameter groups, state, and the frame of a step."""

from __future__ import annotations

import functools
import warnings
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

from npg._floating import silent
from npg.autograd import enable_grad, no_grad
from npg.functional.stepping import check_in_place
from npg.optim._checks import check_finite, check_implementation_at_step, check_state
from npg.optim._state import State, number, plain_settings
from npg.tensor import Tensor
from npg.utils._profiled import profiled
from npg.utils._typename import typename
from npg.utils.hooks import RemovableHandle

__all__ = ["Optimizer", "required"]


class _Required:
    """The default of a setting that every group must give."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


@profiled("step", "zero_grad")
class Optimizer(State):
    """Base class of all optimizers.

    Args:
        params: parameters, (name, parameter) pairs, or dicts of groups with their own settings.
        defaults: the settings of groups that do not give their own.
    Attributes:
        param_groups: list of dicts: "params" and the settings.
        state: per parameter a dict of what the optimizer remembers.
    Raises: TypeError, ValueError: for something that is no leaf tensor, an empty list, a parameter in two groups.
    Source: torch.optim.Optimizer. A subclass of npg's own defines _update instead of step.
    """

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                + typename(params)
            )
        if not isinstance(defaults, dict):
            raise TypeError(f"Optimizer(): argument 'defaults' (position 2) must be dict, not {typename(defaults)}")
        self.defaults = defaults
        self.state: Any = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._reset_transient()
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def _reset_transient(self) -> None:
        """Set what is neither copied nor pickled."""
        self._step_pre_hooks: dict[int, Any] = {}
        self._step_post_hooks: dict[int, Any] = {}
        self._state_dict_pre_hooks: dict[int, Any] = {}
        self._state_dict_post_hooks: dict[int, Any] = {}
        self._load_state_dict_pre_hooks: dict[int, Any] = {}
        self._load_state_dict_post_hooks: dict[int, Any] = {}
        self._scratch: dict[Any, np.ndarray[Any, Any]] = {}
        self._together: dict[Any, Any] = {}  # see _together.py
        # Schedules warn when they are stepped before their optimizer: whether there is one, and a step since.
        self._scheduled = self._stepped = False

    # ----- Groups -----

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group.

        Args:
            param_group: a dict with "params" (parameters, or (name, parameter) pairs) and the settings that differ from
                the defaults. The others are put into it, and it becomes part of param_groups, as in PyTorch.
        Raises: TypeError, ValueError: for something that is no leaf tensor, a parameter of another group, names in some
            groups only, a learning rate that is not finite. Neither the optimizer nor the dict has changed then.
        """
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
                raise TypeError("optimizer can only optimize Tensors, but one of the params is " + typename(p))
            if not (self.defaults.get("differentiable") or p.is_leaf or p.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        check_finite(param_group)
        group = {**param_group, "params": params}
        if names is not None:
            group["param_names"] = names
        for other in self.param_groups:
            if ("param_names" in group) != ("param_names" in other):
                how = "with names" if "param_names" in group else "without names"
                raise ValueError(
                    "all optimizer param groups should be with/without names. cannot add param group "
                    f"{how} to the optimizer"
                )
        for name, default in self.defaults.items():
            if default is required and name not in group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            group.setdefault(name, default)
        taken = {id(p) for g in self.param_groups for p in g["params"]}
        if any(id(p) in taken for p in params):
            raise ValueError("some parameters appear in more than one parameter group")
        if len({id(p) for p in params}) != len(params):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error; "
                "see github.com/pytorch/pytorch/issues/40967 for more information",
                stacklevel=3,
            )
        param_group.update(group)
        self.param_groups.append(param_group)

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
        Raises: RuntimeError: when a parameter has another dtype than what is remembered of it, where PyTorch refuses
            that. AssertionError: for settings of other devices. Nothing has changed then.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with enable_grad() if self.defaults.get("differentiable") else no_grad(), silent():
            work = [(plain_settings(group), *self._parted(group)) for group in self.param_groups]
            for group, plain, others in work:
                self._begin(group)
                self._update_group(plain, group)
                for p in others:
                    state = self.state.get(p, {})
                    self._update_by_ops(p, group, state)
                    if state:
                        self.state[p] = state
        return loss

    def _parted(self, group: dict[str, Any]) -> tuple[list[Tensor], list[Tensor]]:
        """Return the parameters that have a gradient: those to update by NumPy, and those to update by operations.

        The latter are recorded, or they, their gradients and what is remembered of them are not all float32 or all
        float64. One that is listed twice comes once.
        Raises: RuntimeError, AssertionError: for what PyTorch refuses in a step.
        """
        live = {id(p): p for p in group["params"] if p._grad is not None}.values()
        if live:
            check_implementation_at_step(self, group)
        recorded, names, states = group.get("differentiable"), self._parameter_like, self.state
        plain: list[Tensor] = []
        others: list[Tensor] = []
        for p in live:
            array, state = p._array, states.get(p)
            dtype, shape = array.dtype, array.shape
            usual = not recorded and dtype.char in "fd" and p._grad._array.dtype == dtype
            if usual and state:
                for name in names:
                    value = state.get(name)
                    if value is not None and (value._array.dtype != dtype or value._array.shape != shape):
                        usual = False
            if usual:
                plain.append(p)
                continue
            if recorded:
                check_in_place(p)
            check_state(self, p, group)
            others.append(p)
        return plain, others

    def _begin(self, group: dict[str, Any]) -> None:
        """Make what is remembered of parameters before their first step, in their order."""
        for p in group["params"]:
            if p.grad is not None and not self.state.get(p):
                first = self._first_state(p, group)
                if first:
                    self.state[p] = first

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _hooked(cls.__dict__["step"])  # type: ignore[method-assign]

    def _first_state(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        """Return what is remembered of a parameter before its first step."""
        return {}

    def _update_group(self, params: list[Tensor], group: dict[str, Any]) -> None:
        """Update parameters of a group, one after the other."""
        for p in params:
            state = self.state.get(p, {})
            self._update(p, group, state)
            if state:
                self.state[p] = state

    def _update(self, p: Tensor, group: dict[str, Any], state: dict[str, Any]) -> None:
        """Update one parameter by NumPy, without recording; every optimizer defines it."""
        raise NotImplementedError

    def _update_by_ops(self, p: Tensor, group: dict[str, Any], state: dict[str, Any]) -> None:
        """Update one parameter by the tensor operations that PyTorch uses: where they are recorded (differentiable),
        and where dtypes are mixed or float16, for then each operation rounds.
        """
        self._update(p, group, state)

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

    def _gradient_tensor(self, p: Tensor, group: dict[str, Any], weight_decay: Any) -> Any:
        """Return p's gradient as a tensor, its sign turned for maximize, plus weight_decay p; not to be written."""
        g: Any = -p.grad if group["maximize"] else p.grad  # type: ignore[operator]
        if weight_decay == 0:
            return g
        weight_decay = number(weight_decay)
        if isinstance(weight_decay, Tensor):
            return g.addcmul(p.clone(), weight_decay)
        return g.add(p, alpha=weight_decay)

    def _temporary(self, like: np.ndarray[Any, Any], which: int = 0) -> np.ndarray[Any, Any]:
        """Return an array of like's shape and dtype to compute in; the next parameter gets the same memory."""
        key = (like.dtype, which)
        memory = self._scratch.get(key)
        if memory is None or memory.size < like.size:
            memory = self._scratch[key] = np.empty(like.size, like.dtype)
        return memory[: like.size].reshape(like.shape)

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call hook(optimizer, args, kwargs) before each step; args begin with the optimizer.

        It may return other (args, kwargs). Returns: a handle to remove it.
        """
        return RemovableHandle(self._step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call hook(optimizer, args, kwargs) after each step. Returns: a handle to remove it."""
        return RemovableHandle(self._step_post_hooks, hook)

    # ----- Copying and printing -----

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if "_scratch" not in self.__dict__:
            self._reset_transient()

    def __repr__(self) -> str:
        text = type(self).__name__ + " ("
        for i, group in enumerate(self.param_groups):
            text += f"\nParameter Group {i}\n"
            text += "".join(f"    {key}: {group[key]}\n" for key in sorted(group) if key != "params")
        return text + ")"


def _hooked(step: Callable[..., Any]) -> Callable[..., Any]:
    """Return a step that runs the step hooks around it."""

    @functools.wraps(step)
    def call(*args: Any, **kwargs: Any) -> Any:
        self: Optimizer = args[0]
        self._stepped = True
        for hook in list(self._step_pre_hooks.values()):
            changed = hook(self, args, kwargs)
            if changed is not None:
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise RuntimeError(
                        f"{step} must return None or a tuple of (new_args, new_kwargs), but got {changed}."
                    )
                args, kwargs = changed
        result = step(*args, **kwargs)
        for hook in list(self._step_post_hooks.values()):
            hook(self, args, kwargs)
        return result

    return call


Optimizer.step = _hooked(Optimizer.step)  # type: ignore[method-assign]
