"""A module called with other parameters and buffers than its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from npg.engine import Block
from npg.functional import stack
from npg.nn import Module
from npg.tensor import Tensor


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: Any,
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call a module with these tensors in the place of its parameters and buffers.

    The module has its own back afterwards, after an error too; what the call assigned to a name is written to the dict.

    Args:
        module: the module.
        parameter_and_buffer_dicts: a dict from dotted names to tensors, or a sequence of such dicts with distinct keys.
            What is not named stays.
        args: a tuple of arguments, or the only one.
        kwargs: keyword arguments.
        tie_weights: a tensor that the module has under several names is replaced under all of them.
        strict: raise when names are missing or unknown.
    Returns: what the module returns.
    Raises: ValueError: for elements that are no dicts, for a key given twice, for different values of tied tensors.
        RuntimeError: for what strict refuses. AttributeError: for a name in no module. TypeError: for what is no
        tensor.
    Source: torch.func.functional_call.
    """
    if isinstance(parameter_and_buffer_dicts, dict):
        replacements = parameter_and_buffer_dicts
    elif isinstance(parameter_and_buffer_dicts, Sequence):
        if not all(isinstance(d, dict) for d in parameter_and_buffer_dicts):
            raise ValueError("Expected all elements of parameter_and_buffer_dicts to be dictionaries")
        counts = Counter(key for d in parameter_and_buffer_dicts for key in d)
        repeated = [key for key, n in counts.items() if n > 1]
        if repeated:
            raise ValueError(f"{repeated} appeared in multiple dictionaries; behavior of functional call is ambiguous")
        replacements = {key: x for d in parameter_and_buffer_dicts for key, x in d.items()}
    else:
        raise ValueError(
            "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got "
            f"{type(parameter_and_buffer_dicts)}"
        )
    positional = () if args is None else args if isinstance(args, tuple) else (args,)
    with _Replaced(module, replacements, tie_weights, strict) as replaced:
        try:
            return module(*positional, **(kwargs or {}))
        finally:
            replaced.note()


def _names(module: Module) -> dict[str, Any]:
    tensors: dict[str, Any] = dict(module.named_parameters(remove_duplicate=False))
    tensors.update(module.named_buffers(remove_duplicate=False))
    return tensors


def _untied(module: Module, replacements: dict[str, Any]) -> dict[str, Any]:
    """Return the given tensors under all names that their places are tied to.

    Raises: ValueError: when two values are given for tied names.
    """
    groups: dict[int, list[str]] = {}
    for name, x in _names(module).items():
        groups.setdefault(id(x), []).append(name)
    extended = dict(replacements)
    for names in groups.values():
        named = [n for n in names if n in replacements]
        if len(names) == 1 or not named:
            continue
        if any(replacements[n] is not replacements[named[0]] for n in named):
            raise ValueError(
                f"functional_call got multiple values for keys {sorted(names)}, which are tied. Consider using "
                "tie_weights=False"
            )
        extended.update(dict.fromkeys(names, replacements[named[0]]))
    return extended


class _Replaced(Block):
    """Within, a module has other tensors."""

    def __init__(self, module: Module, given: dict[str, Any], tie_weights: bool, strict: bool) -> None:
        tensors = _untied(module, given) if tie_weights else given
        if strict:
            known = _names(module)
            unexpected = [n for n in tensors if n not in known]
            missing = [n for n in known if n not in tensors]
            texts = [f"Unexpected key(s): {', '.join(map(repr, unexpected))}."] if unexpected else []
            texts += [f"Missing key(s): {', '.join(map(repr, missing))}."] if missing else []
            if texts:
                name = type(module).__name__
                raise RuntimeError("Error(s) in reparametrizing for {}:\n\t{}".format(name, "\n\t".join(texts)))
        self._module, self._given, self._tensors = module, given, tensors
        self._where: list[tuple[str, Any, str]] = []

    def _places(self) -> Any:
        found = []
        for name, x in self._tensors.items():
            table, key = _place(self._module, name)
            if x is not None and not isinstance(x, Tensor):
                raise TypeError(f"{x} is not an instance of npg.Tensor")
            self._where.append((name, table, key))
            found.append((table, key, x))
        return found

    def note(self) -> None:
        """Put into what was given the tensors that the module has now: it may have replaced some."""
        for name, table, key in self._where:
            if name in self._given and key in table:
                self._given[name] = table[key]


def _place(module: Module, name: str) -> tuple[Any, str]:
    """Return the dict that a dotted name of a tensor is an entry of, and its key there.

    Raises: AttributeError: when there is no such module. TypeError: when something else has the name.
    """
    path, _, key = name.rpartition(".")
    owner: Any = module
    for part in path.split(".") if path else ():
        if not hasattr(owner, part):
            raise AttributeError(f"{type(owner).__name__} has no attribute `{part}`")
        owner = getattr(owner, part)
    for table in (owner._parameters, owner._buffers):
        if key in table:
            return table, key
    own = getattr(owner, key, None)
    if own is not None and not isinstance(own, Tensor):
        raise TypeError(f"attribute `{key}`: {own} is not an instance of npg.Tensor")
    return owner.__dict__, key  # a name of nothing becomes an attribute for the time of the call


def stack_module_state(models: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the parameters and the buffers of several modules, stacked, by name.

    Args:
        models: modules of one class, in one mode.
    Returns: (parameters, buffers). The stacked parameters are new leaves.
    Raises: RuntimeError: when there are none, or they differ.
    Source: torch.func.stack_module_state.
    """
    models = list(models)
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({m.training for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")
    if len({type(m) for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    parameters = [dict(m.named_parameters()) for m in models]
    buffers = [dict(m.named_buffers()) for m in models]
    return (
        {name: _stacked([each[name] for each in parameters], name) for name in parameters[0]},
        {name: _stacked([each[name] for each in buffers], name) for name in buffers[0]},
    )


def _stacked(tensors: list[Any], name: str) -> Any:
    flags = {x.requires_grad for x in tensors}
    if len(flags) > 1:
        raise RuntimeError(f"Expected {name} from each model to have the same .requires_grad")
    stacked = stack(tensors)
    return stacked.detach().requires_grad_() if flags == {True} else stacked
