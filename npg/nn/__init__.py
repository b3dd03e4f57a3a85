"""Modules, parameters and their initialisation; `functional` holds torch.nn.functional."""

import sys as _sys
from typing import Any as _Any

from npg.nn import (
    functional as functional,
    grad as grad,
    init as init,
    modules as modules,
    parallel as parallel,
    utils as utils,
)
from npg.nn.modules import *  # noqa: F403
from npg.nn.parallel import DataParallel as DataParallel
from npg.nn.parameter import (
    Buffer as Buffer,
    Parameter as Parameter,
    UninitializedBuffer as UninitializedBuffer,
    UninitializedParameter as UninitializedParameter,
)


def factory_kwargs(kwargs: dict[str, _Any] | None) -> dict[str, _Any]:
    """Return those of a module's keyword arguments that functions creating tensors take.

    Args:
        kwargs: device, dtype and memory_format, or factory_kwargs: a dict of them.
    Raises: TypeError: for others, or one that is given twice.
    Source: torch.nn.factory_kwargs.
    """
    if kwargs is None:
        return {}
    if not isinstance(kwargs, dict):
        raise TypeError(f"expected kwargs to be a dict, got {type(kwargs).__name__}")
    simple = {"device", "dtype", "memory_format"}
    if not kwargs.keys() <= simple | {"factory_kwargs"}:
        raise TypeError(f"unexpected kwargs {kwargs.keys() - simple - {'factory_kwargs'}}")
    result = dict(kwargs.get("factory_kwargs", {}))
    for key in simple & kwargs.keys():
        if key in result:
            raise TypeError(f"{key} specified twice, in **kwargs and in factory_kwargs")
        result[key] = kwargs[key]
    return result


# The star brings the files of npg.nn.modules too, one of which has the name of a package.
globals()["utils"] = _sys.modules[f"{__name__}.utils"]

# Former places of the modules: old pickles name them.
for _name in (
    "activations", "comparing_losses", "containers", "dropouts", "layers", "losses", "module", "padding",
    "parameter_containers",
):  # fmt: skip
    _sys.modules[f"{__name__}.{_name}"] = modules
