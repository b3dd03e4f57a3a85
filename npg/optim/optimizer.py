"""Optimizer: parameter groups, state, and the parts of a step that all optimizers share."""

from __future__ import annotations

import functools
import warnings
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

from npg._floating import silent
from npg.autograd import enable_grad, no_grad
from npg.creation import zeros_like
from npg.functional._in_place import check_in_place
from npg.optim._checks import (
    check_finite,
    check_implementation,
    check_implementation_at_step,
    check_settings,
    check_state,
)
from npg.optim._flat_state import FlatState, FlatStates
from npg.optim._state import State, number, plain_settings, step_count
from npg.tensor import Tensor
from npg.utils._profiled import profiled
from npg.utils._typename import typename
from npg.utils.hooks import RemovableHandle


class _Required:
    """The default of a setting that every group must specify."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()

Array = np.ndarray[Any, Any]


@profiled("step", "zero_grad")
class Optimizer(State):
    """Base class of all optimizers.

    Args:
        params: parameters, (name, parameter) pairs, or dicts of groups with their own settings.
        defaults: the settings of groups that do not specify them.
    Attributes:
        param_groups: list of dicts: "params" and the settings.
        state: a dict of entries for each parameter.
    Raises: TypeError, ValueError: for something that is no leaf tensor, an empty list, a parameter in two groups.
    Source: torch.optim.Optimizer. A subclass of npg's own defines _update instead of step.
    """

    _order = ""  # of a group's settings, where it differs from the constructor's arguments
    _counts_steps = True

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

    def _set_up(self, params: Any, settings: dict[str, Any]) -> None:
        """Initialise from an optimizer's settings, which its constructor passes as its locals()."""
        settings = {name: value for name, value in settings.items() if name not in ("self", "params")}
        self._check(settings)
        check_implementation(settings)
        Optimizer.__init__(self, params, {name: settings[name] for name in self._order.split() or settings})

    def _check(self, settings: dict[str, Any]) -> None:
        """Raise for settings at which PyTorch raises; betas become a tuple."""
        check_settings(settings)

    def _reset_transient(self) -> None:
        """Set the attributes that are neither copied nor pickled."""
        self._step_pre_hooks: dict[int, Any] = {}
        self._step_post_hooks: dict[int, Any] = {}
        self._state_dict_pre_hooks: dict[int, Any] = {}
        self._state_dict_post_hooks: dict[int, Any] = {}
        self._load_state_dict_pre_hooks: dict[int, Any] = {}
        self._load_state_dict_post_hooks: dict[int, Any] = {}
        self._flat_states: dict[int, FlatStates] = {}  # by the id of a group's list of parameters
        # Schedules warn when they step before their optimizer: whether there is a schedule, and a step since.
        self._scheduled = self._stepped = False

    # ----- Groups -----

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group.

        Args:
            param_group: a dict with "params" (parameters, or (name, parameter) pairs) and the settings that differ from
                the defaults. The others are added to it, and the dict itself becomes part of param_groups.
        Raises: TypeError, ValueError: for something that is no leaf tensor, a parameter of another group, names in some
            groups only, a learning rate that is not finite. The optimizer and the dict are then unchanged.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        value = param_group["params"]
        if isinstance(value, Tensor):
            params: list[Any] = [value]
        elif isinstance(value, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets "
                "will change between runs. Please use a list instead."
            )
        else:
            params = list(value)
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
        Raises: RuntimeError: when a parameter's dtype differs from its state's, where PyTorch raises, too.
            AssertionError: for settings of other devices. Nothing has changed then.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with enable_grad() if self.defaults.get("differentiable") else no_grad(), silent():
            work = [(group, *self._parted(group)) for group in map(plain_settings, self.param_groups)]
            for group, flats, plain, others in work:
                for flat in (flats or self._lay_flat(group, plain)).lots:
                    flat.run(self._update, group)
                for p in others:
                    self._update_by_ops(p, group, self.state.get(p, {}))
        return loss

    def _parted(self, group: dict[str, Any]) -> tuple[FlatStates | None, list[Tensor], list[Tensor]]:
        """Return the parameters that have a gradient: those to update by NumPy, and those by tensor operations.

        The latter are recorded, or they, their gradients and their state are not all float32 or all float64. A
        parameter listed twice is returned once. For the former the flat states come first, if they are still valid.
        Raises: RuntimeError, AssertionError: where PyTorch's step raises.
        """
        live = list({id(p): p for p in group["params"] if p._grad is not None}.values())
        if live:
            check_implementation_at_step(self, group)
        recorded, states = group.get("differentiable"), self.state
        flats = self._flat_states.get(id(group["params"]))
        if flats is not None and not recorded and flats.serve(live, states, self._names(group)):
            return flats, live, []
        plain: list[Tensor] = []
        others: list[Tensor] = []
        for p in live:
            array, state = p._array, states.get(p, {})
            entries = [state.get(name) for name in self._parameter_like]
            if (
                not recorded
                and array.dtype.char in "fd"
                and all(x is None or (x._array.dtype == array.dtype and x._array.shape == array.shape) for x in entries)
                and p._grad._array.dtype == array.dtype
            ):
                plain.append(p)
                continue
            if recorded:
                check_in_place(p)
            check_state(self, p, group)
            others.append(p)
        return None, plain, others

    def _lay_flat(self, group: dict[str, Any], params: list[Tensor]) -> FlatStates:
        """Create the state of a group's parameters before their first step, and flat states of `params`."""
        for p in group["params"]:
            if p._grad is not None and not self.state.get(p):
                first = self._first_state(p, group)
                if first:
                    self.state[p] = first
        names, key = self._names(group), id(group["params"])
        flats = self._flat_states.get(key)
        if flats is None or not flats.serve(params, self.state, names):
            flats = self._flat_states[key] = FlatStates(params, self.state, names)
        return flats

    def _names(self, group: dict[str, Any]) -> tuple[str, ...]:
        """Return the names of a parameter's entries with a group's settings."""
        return ("step",) * self._counts_steps + self._entries(group)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _hooked(cls.__dict__["step"])  # type: ignore[method-assign]

    # ----- What an optimizer defines -----

    def _entries(self, group: dict[str, Any]) -> tuple[str, ...]:
        """Return the names of the entries in the parameter's shape: those of _parameter_like that are in use."""
        return self._parameter_like

    def _first_state(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        """Return a parameter's state before its first step."""
        entries: dict[str, Any] = {name: zeros_like(p) for name in self._entries(group)}
        return {"step": step_count(group.get("fused")), **entries} if self._counts_steps else entries

    def _update(self, p: Array, g: Array, state: FlatState, group: dict[str, Any]) -> None:
        """Step a flat array p and its state's entries in place, without recording; g is not written."""
        raise NotImplementedError

    def _update_by_ops(self, p: Tensor, group: dict[str, Any], state: dict[str, Any]) -> None:
        """Update one parameter by PyTorch's tensor operations: where they are recorded (differentiable), and where
        dtypes are mixed or float16, since each operation then rounds.
        """
        raise NotImplementedError

    def _gradient_tensor(self, p: Tensor, group: dict[str, Any], weight_decay: Any) -> Any:
        """Return p's gradient as a tensor, negated for maximize, plus weight_decay p; not to be written."""
        g: Any = -p.grad if group["maximize"] else p.grad  # type: ignore[operator]
        if weight_decay == 0:
            return g
        weight_decay = number(weight_decay)
        if isinstance(weight_decay, Tensor):
            return g.addcmul(p.clone(), weight_decay)
        return g.add(p, alpha=weight_decay)

    # ----- Hooks -----

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
        if "_flat_states" not in self.__dict__:
            self._reset_transient()

    def __repr__(self) -> str:
        text = type(self).__name__ + " ("
        for i, group in enumerate(self.param_groups):
            text += f"\nParameter Group {i}\n"
            text += "".join(f"    {key}: {group[key]}\n" for key in sorted(group) if key != "params")
        return text + ")"


def _hooked(step: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a step in the step hooks."""

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
