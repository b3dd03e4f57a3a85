"""The functions of torch.*; those of torch.nn.functional stand in `npg.functional.nn`.

Here are the functions that are there from the start. What stands in a module that is not imported here (dropout,
einsum, embedding, losses, normalization ...) `npg` loads when it is first used: see npg/__init__.py.
"""

import typing as _typing
from importlib import import_module as _import_module

from npg.functional import _tensors
from npg.functional._tensors import *  # noqa: F403
from npg.functional.nn import MODULES as _MODULES

# What is a method of Tensor, or a function of another namespace, and no function of torch.
_NOT_OF_TORCH = frozenset(
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

__all__ = [name for name in _tensors.__all__ if name not in _NOT_OF_TORCH]


def __getattr__(name: str) -> _typing.Any:
    # The functions of networks stood here once, and pickles name them here.
    if name not in _MODULES:
        raise AttributeError(f"module 'npg.functional' has no attribute {name!r}")
    return getattr(_import_module(_MODULES[name]), name)
