"""npg: PyTorch's eager API on NumPy buffers.

import npg

x = npg.tensor([1.0, 2.0, 3.0], requires_grad=True)
y = (x**2).sum()
y.backward()
x.grad  # tensor([2., 4., 6.])
"""

import math as _math
from typing import Any as _Any

import numpy as _numpy  # noqa: F401  (here, and not below a dozen imports: CPython 3.11 calls slower from some depths)

from npg import autograd, creation, engine, functional, random
from npg._version import __version__
from npg.creation import *  # noqa: F403
from npg.dtypes import (
    bool_,
    can_cast,
    double,
    dtype,
    finfo,
    float16,
    float32,
    float64,
    get_default_dtype,
    half,
    iinfo,
    int8,
    int16,
    int32,
    int64,
    long,
    promote_types,
    set_default_dtype,
    short,
    uint8,
)
from npg.engine import (
    enable_grad,
    inference_mode,
    is_anomaly_check_nan_enabled,
    is_anomaly_enabled,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from npg.functional import *  # noqa: F403
from npg.functional import return_types
from npg.functional._attributes import (
    Size,
    channels_last,
    channels_last_3d,
    contiguous_format,
    device,
    layout,
    memory_format,
    preserve_format,
    strided,
)
from npg.tensor import Tensor
from npg.tensor.memory import resize_as_
from npg.tensor.printing import get_printoptions, printoptions, set_printoptions

__all__ = [
    "Size",
    "Tensor",
    "__version__",
    "autograd",
    "can_cast",
    "channels_last",
    "channels_last_3d",
    "contiguous_format",
    "device",
    "double",
    "dtype",
    "e",
    "enable_grad",
    "engine",
    "finfo",
    "float16",
    "float32",
    "float64",
    "functional",
    "get_default_dtype",
    "get_printoptions",
    "half",
    "iinfo",
    "inf",
    "inference_mode",
    "int16",
    "int32",
    "int64",
    "int8",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "layout",
    "long",
    "memory_format",
    "nan",
    "newaxis",
    "no_grad",
    "pi",
    "preserve_format",
    "printoptions",
    "promote_types",
    "random",
    "resize_as_",
    "return_types",
    "set_default_dtype",
    "set_grad_enabled",
    "set_printoptions",
    "short",
    "strided",
    "uint8",
]
__all__ += creation.__all__
__all__ += functional.__all__

# ----- Constants, and dtypes whose names are Python's -----

float, int, bool = float32, int32, bool_
pi, e, inf, nan = _math.pi, _math.e, _math.inf, _math.nan
newaxis = None

# ----- What loads when it is first used -----

_LAZY = {name: f"npg.{name}" for name in ("func", "linalg", "nn", "optim", "profiler", "utils")}
_LAZY_NAMES = {
    "empty_cache": "npg.utils.memory",
    "get_num_threads": "npg.utils.threads",
    "memory_stats": "npg.utils.memory",
    "set_num_threads": "npg.utils.threads",
    "vmap": "npg.func",
}
__all__ += list(_LAZY) + list(_LAZY_NAMES)


def __getattr__(name: str) -> _Any:
    if name in _LAZY or name in _LAZY_NAMES:
        from importlib import import_module

        found = import_module(_LAZY.get(name) or _LAZY_NAMES[name])
        if name in _LAZY_NAMES:
            found = getattr(found, name)
        globals()[name] = found
        return found
    if name.startswith(("complex", "cfloat", "cdouble", "chalf")):
        raise AttributeError(f"npg has no complex dtypes, got npg.{name}")
    raise AttributeError(f"module 'npg' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, *_LAZY_NAMES})
