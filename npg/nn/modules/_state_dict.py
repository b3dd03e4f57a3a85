"""state_dict and load_state_dict: a module's state by dotted names."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from npg._naming import named
from npg.autograd import no_grad
from npg.functional._factory import NO_DATA
from npg.nn.parameter import Parameter, is_lazy
from npg.tensor import Tensor

EXTRA = "_extra_state"
UNREACHABLE = (
    "Reached a code path in Module.{}_extra_state() that should never be called. Please file an issue at "
    "https://github.com/pytorch/pytorch/issues/new?template=bug-report.yml to report this bug."
)


class _IncompatibleKeys(NamedTuple):
    """The missing and unexpected names that load_state_dict returns."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys!r}, unexpected_keys={self.unexpected_keys!r})"

    def __str__(self) -> str:
        return self.__repr__()


class _Change(NamedTuple):
    """A change that load_state_dict is going to make, and how to undo it."""

    make: Callable[[], Any]
    note: Callable[[], Callable[[], Any]]  # called before the change; returns the function that undoes it


def persistent(module: Any) -> dict[str, Any]:
    """Return a module's own parameters and persistent buffers by name, without those that are None."""
    buffers = {name: t for name, t in module._buffers.items() if name not in module._non_persistent_buffers_set}
    return {name: t for name, t in (*module._parameters.items(), *buffers.items()) if t is not None}


class Replacing:
    """A hook on state_dict that may return another dict; see Module._register_state_dict_hook."""

    def __init__(self, hook: Callable[..., Any]) -> None:
        self.hook = hook

    def __call__(self, *args: Any) -> Any:
        return self.hook(*args)


def save(module: Any, destination: Any, prefix: str, keep_vars: bool) -> Any:
    """Fill a destination, or a new ordered dict, with the state of a module and all below it; see Module.state_dict."""
    if destination is None:
        destination = OrderedDict()
        destination._metadata = OrderedDict()
    metadata = {"version": module._version}
    if hasattr(destination, "_metadata"):
        destination._metadata[prefix[:-1]] = metadata
    for hook in list(module._state_dict_pre_hooks.values()):
        hook(module, prefix, keep_vars)
    module._save_to_state_dict(destination, prefix, keep_vars)
    for name, child in module._modules.items():
        if child is not None:
            child.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
    for hook in list(module._state_dict_hooks.values()):
        result = hook(module, destination, prefix, metadata)
        if isinstance(hook, Replacing):
            destination = destination if result is None else result
        elif result is not None:
            raise RuntimeError("state_dict post-hook must return None")
    return destination


def load(root: Any, state_dict: Mapping[str, Any], strict: bool, assign: bool) -> _IncompatibleKeys:
    """Copy the tensors of a state_dict into a module and all below it; see Module.load_state_dict."""
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
    missing: list[str] = []
    unexpected: list[str] = []
    errors: list[str] = []
    changes: list[_Change] = []
    metadata = getattr(state_dict, "_metadata", None) or {}
    copied: Any = OrderedDict(state_dict)  # hooks may change it
    if metadata:
        copied._metadata = metadata
    incompatible = _IncompatibleKeys(missing, unexpected)
    # Needed where a post-hook sees the new state before all checks are done.
    undo: list[Callable[[], Any]] | None = None
    if any(module._load_state_dict_post_hooks for module in root.modules()):
        undo = []

    def settle() -> None:
        for change in changes:
            if undo is not None:
                undo.append(change.note())
            change.make()
        changes.clear()

    def look(module: Any, own: Any, prefix: str) -> None:
        local = {**metadata.get(prefix[:-1], {}), "changes": changes}
        if assign:
            local["assign_to_params_buffers"] = assign
        module._load_from_state_dict(own, prefix, local, True, missing, unexpected, errors)
        for name, child in module._modules.items():
            if child is not None:
                under = f"{prefix}{name}."
                look(child, {k: v for k, v in own.items() if k.startswith(under)}, under)
        for hook in list(module._load_state_dict_post_hooks.values()):
            settle()
            if hook(module, incompatible) is not None:
                raise AssertionError(
                    "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return new "
                    "values, if incompatible_keys need to be modified, it should be done inplace."
                )

    with no_grad():
        try:
            look(root, copied, "")
            if strict:
                _report(errors, missing, unexpected)
            if errors:
                raise RuntimeError(
                    "Error(s) in loading state_dict for {}:\n\t{}".format(type(root).__name__, "\n\t".join(errors))
                )
            settle()
        except BaseException:
            for back in reversed(undo or []):
                back()
            raise
    return incompatible


def load_own(
    module: Any,
    state_dict: Any,
    prefix: str,
    local_metadata: dict[str, Any],
    strict: bool,
    missing_keys: list[str],
    unexpected_keys: list[str],
    error_msgs: list[str],
    has_extra_state: bool,
) -> None:
    """Check the entries of state_dict that are a module's own; see Module._load_from_state_dict."""
    for hook in list(module._load_state_dict_pre_hooks.values()):
        hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
    changes: list[_Change] = local_metadata.get("changes", [])
    assign = local_metadata.get("assign_to_params_buffers", False)
    own = persistent(module)
    for name, t in own.items():
        key = prefix + name
        if key not in state_dict:
            if strict:
                missing_keys.append(key)
            continue
        value = state_dict[key]
        if is_lazy(t) and isinstance(value, Tensor):
            if not is_lazy(value):
                changes.append(_assignment(module, name, t, value) if assign else _materializing(t, value))
            continue
        if isinstance(value, Tensor) and t.dim() == 0 and value.shape == (1,):
            value = value[0]  # as PyTorch before 0.4 kept 0-d tensors
        if isinstance(value, Tensor) and t.is_meta and not value.is_meta and not assign:
            warnings.warn(
                f"for {key}: copying from a non-meta parameter in the checkpoint to a meta parameter in the current "
                "model, which is a no-op. (Did you mean to pass `assign=True` to assign items in the state dictionary "
                "to their corresponding key in the module instead of copying them in place?)",
                stacklevel=2,
            )
        refusal = _refusal(key, t, value, assign)
        if refusal is not None:
            error_msgs.append(refusal)
        else:
            changes.append(_assignment(module, name, t, value) if assign else _copying(t, value))
    extra = prefix + EXTRA
    if has_extra_state:
        if extra in state_dict:
            changes.append(_extra_change(module, state_dict[extra]))
        elif strict:
            missing_keys.append(extra)
    elif strict and extra in state_dict:
        unexpected_keys.append(extra)
    if strict:
        for key in state_dict:
            if key.startswith(prefix) and key != extra:
                name, dot, _ = key[len(prefix) :].partition(".")
                if name not in (module._modules if dot else own):
                    unexpected_keys.append(key)
    if "changes" not in local_metadata:  # called directly, not by load
        with no_grad():
            for change in changes:
                change.make()


def _assignment(module: Any, name: str, t: Any, value: Any) -> _Change:
    def make() -> None:
        new = value
        if isinstance(t, Parameter):
            if isinstance(value, Parameter):
                value.requires_grad_(t.requires_grad)
            else:
                new = Parameter(value, t.requires_grad)
        setattr(module, name, new)

    return _Change(make, lambda: lambda: setattr(module, name, t))


def _materializing(t: Any, value: Any) -> _Change:
    """Return the change of a parameter that has no shape yet into one with this value."""

    def make() -> None:
        t.materialize(value.shape)
        t.copy_(value)

    def note() -> Callable[[], Any]:
        cls, empty = type(t), t.data

        def back() -> None:
            t.data = empty
            t.__class__ = cls

        return back

    return _Change(make, note)


def _extra_change(module: Any, extra: Any) -> _Change:
    def note() -> Callable[[], Any]:
        old = module.get_extra_state()
        return lambda: module.set_extra_state(old)

    return _Change(lambda: module.set_extra_state(extra), note)


def _report(errors: list[str], missing: list[str], unexpected: list[str]) -> None:
    for kind, names in (("Unexpected", unexpected), ("Missing", missing)):
        if names:
            errors.insert(0, f"{kind} key(s) in state_dict: " + ", ".join(f'"{k}"' for k in names) + ". ")


def _copying(t: Any, value: Any) -> _Change:
    def note() -> Callable[[], Any]:
        old = t.detach().clone()
        return lambda: t.copy_(old)

    return _Change(lambda: t.copy_(value), note)


def _refusal(key: str, t: Any, value: Any, assign: bool) -> str | None:
    """Return why a tensor of the state_dict cannot become the state t, or None."""
    if not isinstance(value, Tensor):
        return named(
            f'While copying the parameter named "{key}", expected npg.Tensor or Tensor-like object from checkpoint but '
            f"received {type(value)}"
        )
    if value.shape != t.shape:
        return (
            f"size mismatch for {key}: copying a param with shape {value.shape} from checkpoint, the shape in current "
            f"model is {t.shape}."
        )
    try:
        if assign:
            if isinstance(t, Parameter) and t.requires_grad:
                Parameter(value, True)  # raises for integers
        elif value.is_meta and not t.is_meta:
            raise NotImplementedError(NO_DATA)
        elif t.is_inference() or 0 in t.stride():  # only these can raise
            with no_grad():
                t.copy_(t.clone())  # copying t itself would do nothing
    except Exception as error:
        return (
            f'While copying the parameter named "{key}", whose dimensions in the model are {t.size()} and whose '
            f"dimensions in the checkpoint are {value.size()}, an exception occurred : {error.args}."
        )
    return None
