"""Calls of a module with other parameters and buffers than its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from npg.functional import stack
from npg.nn import Module
from npg.nn.modules.batchnorm import _BatchNorm
from npg.nn.utils.stateless import call


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
    Source: torch.func.functional_call. The name of a parametrized tensor stands for its value, as PyTorch documents;
        in fact PyTorch assigns it to the module's own, and fails where the parametrization has no right_inverse.
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
    return call(module, replacements, args, kwargs, tie_weights, strict)


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


def replace_all_batch_norm_modules_(root: Module) -> Module:
    """Let every BatchNorm of a module take the statistics of its batch: running ones cannot be mapped by vmap.

    Args: root: a module, which is changed.
    Returns: root.
    Source: torch.func.replace_all_batch_norm_modules_.
    """
    for module in root.modules():
        if isinstance(module, _BatchNorm) and module.track_running_stats:
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root
