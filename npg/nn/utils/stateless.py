"""Calls of a module with other parameters and buffers than its own."""

from __future__ import annotations

from typing import Any

from npg._contextlib import Block
from npg._errors import warn
from npg._naming import named
from npg.nn.modules.module import Module
from npg.nn.parallel import DataParallel
from npg.nn.utils.parametrize import GIVEN, is_parametrized
from npg.tensor import Tensor

__all__ = ["functional_call"]


def functional_call(
    module: Module,
    parameters_and_buffers: dict[str, Tensor],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call a module with these tensors in place of its parameters and buffers; see npg.func.functional_call.

    Source: torch.nn.utils.stateless.functional_call. Like it, warns that it is deprecated.
    """
    warn(
        "`torch.nn.utils.stateless.functional_call` is deprecated as of PyTorch 2.0 and will be removed in a future "
        "version of PyTorch. Please use `torch.func.functional_call` instead which is a drop-in replacement.",
        FutureWarning,
    )
    return call(module, parameters_and_buffers, args, kwargs, tie_weights, strict)


def call(
    module: Module, tensors: dict[str, Any], args: Any, kwargs: dict[str, Any] | None, tie_weights: bool, strict: bool
) -> Any:
    """Return module(*args, **kwargs) with these tensors in place of its own; see npg.func.functional_call."""
    if isinstance(module, DataParallel):
        raise RuntimeError("The stateless API can't be used with nn.DataParallel module")
    positional = () if args is None else args if isinstance(args, tuple) else (args,)
    with _Replaced(module, tensors, tie_weights, strict) as replaced:
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
            unexpected = sorted(n for n in tensors if n not in known)
            missing = sorted(n for n in known if n not in tensors)
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
    if is_parametrized(owner, key):
        return owner.parametrizations[key].__dict__, GIVEN
    own = getattr(owner, key, None)
    if own is not None and not isinstance(own, Tensor):
        raise TypeError(named(f"attribute `{key}`: {own} is not an instance of npg.Tensor"))
    return owner.__dict__, key  # an unknown name becomes an attribute during the call
