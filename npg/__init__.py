"""npg: PyTorch's eager API on NumPy buffers.

import npg

x = npg.tensor([1.0, 2.0, 3.0], requires_grad=True)
y = (x**2).sum()
y.backward()
x.grad  # tensor([2., 4., 6.])
"""

import math as _math
from typing import Any as _Any

from npg import autograd, engine, functional, random
from npg._tensor_repr import get_printoptions, printoptions, set_printoptions
from npg._version import __version__
from npg.creation import *  # noqa: F403
from npg.dtypes import (
    bool_ as bool,  # noqa: A004
)
from npg.dtypes import (
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

# ----- Constants, and dtypes whose names are Python's -----

float = float32
int = int32
pi, e, inf, nan = _math.pi, _math.e, _math.inf, _math.nan
newaxis = None

# ----- What loads when it is first used -----

_LAZY = {"nn": "npg.nn", "optim": "npg.optim", "utils": "npg.utils"}
_LAZY_NAMES = {"get_num_threads": "npg.utils.threads", "set_num_threads": "npg.utils.threads"}


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
