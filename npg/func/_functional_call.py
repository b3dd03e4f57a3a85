"""Calls of a module with other parameters and buffers than its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from npg._naming import named
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
    """Call a module with these tensors in place of its parameters and buffers.

    The module's own are restored afterwards, also after an error; tensors that the call assigns are written to the
    dict.

    Args:
        module: the module.
        parameter_and_buffer_dicts: a dict from dotted names to tensors, or a sequence of such dicts with distinct keys.
            Tensors that are not named stay.
        args: a tuple of arguments, or the only one.
        kwargs: keyword arguments.
        tie_weights: replace a tensor that the module has under several names under all of them.
        strict: raise when names are missing or unknown.
    Returns: the module's result.
    Raises: ValueError: for elements that are no dicts, repeated keys, or different values of tied tensors.
        RuntimeError: by strict. AttributeError: for a name in no module. TypeError: for something that is no tensor.
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
    """Return the replacements under all names to which theirs are tied.

    Raises: ValueError: for different values of tied names.
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
    """A context within which a module has other tensors."""

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
                raise TypeError(named(f"{x} is not an instance of npg.Tensor"))
            self._where.append((name, table, key))
            found.append((table, key, x))
        return found

    def note(self) -> None:
        """Write the module's present tensors to the replacements: the call may have assigned some."""
        for name, table, key in self._where:
            if name in self._given and key in table:
                self._given[name] = table[key]


def _place(module: Module, name: str) -> tuple[Any, str]:
    """Return the dict that holds the tensor of a dotted name, and its key there.

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
        raise TypeError(named(f"attribute `{key}`: {own} is not an instance of npg.Tensor"))
    return owner.__dict__, key  # an unknown name becomes an attribute during the call


def stack_module_state(models: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the stacked parameters and buffers of several modules, by name.

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
