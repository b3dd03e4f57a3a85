"""Which functions are offered where: read by tools/stubs.py, which writes npg/_names.py, and by tests.

A function stands in torch's namespace and is a method of Tensor where its first parameter is one tensor; here are the
exceptions.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from types import FunctionType, ModuleType
from typing import Any

import npg.functional
import npg.functional.nn
from npg._signatures import parameters_of
from npg.engine import Function

# Methods of Tensor, or functions of another namespace, that are no functions of torch.
NOT_OF_TORCH = frozenset(
    """
    absolute_ add_ addbmm_ addcdiv_ addcmul_ addmm_ addr_ arctan2_ atan2_ baddbmm_ bernoulli_ bitwise_and_
    bitwise_left_shift_ bitwise_not_ bitwise_or_ bitwise_right_shift_ bitwise_xor_ cauchy_ contiguous copy_
    copysign_ cumprod_ cumsum_ div_ divide_ eq_ erfinv_ expand expand_as exponential_ floor_divide_ fmod_ ge_
    geometric_ getitem greater_ greater_equal_ gt_ heaviside_ hypot_ index_add_ index_copy_ index_fill_ le_
    lerp_ less_ less_equal_ log_normal_ logical_and_ logical_not_ logical_or_ logical_xor_ lt_ masked_fill_
    masked_scatter_ mul_ multiply_ ne_ nextafter_ normal_ not_equal_ pow_ put_ random_ remainder_ repeat
    reshape_as scatter_ scatter_add_ scatter_reduce_ setitem sgn_ sign_ squeeze_ sub_ subtract_ sum_to_size
    swapaxes_ swapdims_ t_ transpose_ tril_ triu_ true_divide_ unfold uniform_ unsqueeze_ vector_norm view
    view_as
""".split()
)
# Functions on one tensor that are no methods.
NO_METHODS = frozenset(
    {
        # Functions only, in PyTorch as well.
        "celu", "celu_", "fill", "poisson", "rsub", "selu", "selu_", "std_mean", "threshold", "threshold_",
        "var_mean", "vector_norm", "alpha_dropout", "batch_norm", "bilinear",
        "binary_cross_entropy_with_logits", "dropout", "embedding", "feature_alpha_dropout", "feature_dropout",
        "group_norm", "hinge_embedding_loss", "instance_norm", "kl_div", "layer_norm", "native_batch_norm",
        "poisson_nll_loss", "rms_norm", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d",
        "conv_transpose3d", "conv_tbc", "convolution", "bucketize", "searchsorted", "adaptive_avg_pool1d",
        "adaptive_max_pool1d", "avg_pool1d", "max_pool1d", "max_pool1d_with_indices", "max_pool2d",
        "max_pool3d", "constant_pad_nd", "embedding_renorm_", "pdist", "rrelu", "rrelu_", "pixel_shuffle",
        "pixel_unshuffle", "channel_shuffle", "native_channel_shuffle", "grid_sampler", "grid_sampler_2d",
        "grid_sampler_3d", "affine_grid_generator", "lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell",
        # Tensor has its own: an attribute, an operator, or a method that asks less.
        "contiguous", "getitem", "numel", "real", "setitem",
    }
)  # fmt: skip
# Functions of torch that torch.nn.functional has too, as the same objects.
OF_NETWORKS_TOO = frozenset(
    """
    adaptive_avg_pool1d avg_pool1d bilinear celu_ channel_shuffle conv1d conv2d conv3d conv_tbc conv_transpose1d
    conv_transpose2d conv_transpose3d cosine_similarity hardshrink native_channel_shuffle pairwise_distance
    pdist pixel_shuffle pixel_unshuffle prelu relu_ rms_norm rrelu_ selu_ sigmoid tanh threshold_
""".split()
)
# How a function calls the tensor whose method it is; the others take none, several, or another one first.
_SELF = {("input",), ("A",), ("tensor",)}


def functions_of(module: ModuleType, namespace: str = "torch") -> dict[str, Any]:
    """Return the public functions of a module by name, aliases too, but nothing that it imports.

    They are what it exposes, and the forms of ops that are declared in the file of the same name.
    """
    theme, own = "." + module.__name__.rpartition(".")[2], module.__name__
    return {
        name: value
        for name, value in vars(module).items()
        if (
            type(value) is Function
            and value.op.__module__.endswith(theme)
            or type(value) is FunctionType
            and value.__module__ == own
            and vars(value).get("namespace") == namespace
        )
        and name[0] != "_"
    }


def functions_in(package: ModuleType) -> dict[str, dict[str, Any]]:
    """Return the public functions of the files of a package by module and name."""
    modules = [f"{package.__name__}.{file.name}" for file in iter_modules(package.__path__) if file.name[0] != "_"]
    return {module: functions_of(import_module(module)) for module in modules}


def is_method(name: str, function: Any) -> bool:
    """Tell whether a function of npg.functional is a method of Tensor."""
    names = function._names if type(function) is Function else parameters_of(function)[0]
    return names[:1] in _SELF and name not in NO_METHODS


Table = dict[str, dict[str, Any]]
FUNCTIONS: Table = functions_in(npg.functional)
NETWORKS: Table = functions_in(npg.functional.nn)


def chosen(table: Table, choose: Callable[[str, Any], bool]) -> Table:
    """Return the functions of a table that are chosen by name and function."""
    return {module: {n: f for n, f in functions.items() if choose(n, f)} for module, functions in table.items()}


def flat(table: Table) -> dict[str, Any]:
    """Return the functions of a table by name."""
    return {name: function for functions in table.values() for name, function in sorted(functions.items())}


TORCH = chosen(FUNCTIONS, lambda name, _: name not in NOT_OF_TORCH)
METHODS = chosen(FUNCTIONS, is_method)
SHARED = chosen(FUNCTIONS, lambda name, _: name in OF_NETWORKS_TOO)
