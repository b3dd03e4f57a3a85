"""npg: PyTorch's eager API on NumPy buffers.

import npg

x = npg.tensor([1.0, 2.0, 3.0], requires_grad=True)
y = (x**2).sum()
y.backward()
x.grad  # tensor([2., 4., 6.])
"""

import math as _math
import sys as _sys
import types as _types
import typing as _typing
from typing import Any as _Any

from npg import _interpreter  # noqa: F401  (refuses a subinterpreter, before NumPy)

# isort: split
import numpy as _numpy  # noqa: F401  (here, and not below a dozen imports: CPython 3.11 calls slower from some depths)

from npg import creation, dtypes, engine as engine, functional as functional, random as random
from npg._version import __version__ as __version__
from npg.creation import *  # noqa: F403
from npg.creation.data import (
    BoolTensor as BoolTensor,
    ByteTensor as ByteTensor,
    CharTensor as CharTensor,
    DoubleTensor as DoubleTensor,
    FloatTensor as FloatTensor,
    HalfTensor as HalfTensor,
    IntTensor as IntTensor,
    LongTensor as LongTensor,
    ShortTensor as ShortTensor,
)
from npg.dtypes import (
    can_cast as can_cast,
    double as double,
    dtype as dtype,
    finfo as finfo,
    float16 as float16,
    float32 as float32,
    float64 as float64,
    get_default_dtype as get_default_dtype,
    half as half,
    iinfo as iinfo,
    int8 as int8,
    int16 as int16,
    int32 as int32,
    int64 as int64,
    long as long,
    promote_types as promote_types,
    set_default_dtype as set_default_dtype,
    short as short,
    uint8 as uint8,
    uint16 as uint16,
    uint32 as uint32,
    uint64 as uint64,
)
from npg.engine import (
    enable_grad as enable_grad,
    inference_mode as inference_mode,
    is_anomaly_check_nan_enabled as is_anomaly_check_nan_enabled,
    is_anomaly_enabled as is_anomaly_enabled,
    is_grad_enabled as is_grad_enabled,
    is_inference_mode_enabled as is_inference_mode_enabled,
    no_grad as no_grad,
    set_grad_enabled as set_grad_enabled,
)
from npg.functional import *  # noqa: F403
from npg.functional import return_types as return_types
from npg.functional._attributes import (
    Size as Size,
    channels_last as channels_last,
    channels_last_3d as channels_last_3d,
    contiguous_format as contiguous_format,
    device as device,
    layout as layout,
    memory_format as memory_format,
    preserve_format as preserve_format,
    strided as strided,
)
from npg.tensor import Tensor as Tensor
from npg.tensor.exchange import from_dlpack as from_dlpack
from npg.tensor.memory import resize_as_ as resize_as_
from npg.tensor.printing import (
    get_printoptions as get_printoptions,
    printoptions as printoptions,
    set_printoptions as set_printoptions,
)

if not _typing.TYPE_CHECKING:  # who cannot read this, and exports what is imported with a star or an alias
    __all__ = [
        "BoolTensor",
        "ByteTensor",
        "CharTensor",
        "DoubleTensor",
        "FloatTensor",
        "HalfTensor",
        "IntTensor",
        "LongTensor",
        "ShortTensor",
        "Size",
        "Tensor",
        "__version__",
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
        "from_dlpack",
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
        "uint16",
        "uint32",
        "uint64",
        "uint8",
    ]
    __all__ += creation.__all__
    __all__ += functional.__all__

# ----- Constants, and dtypes whose names are Python's -----

float, int, bool = float32, int32, dtypes.bool_
pi, e, inf, nan = _math.pi, _math.e, _math.inf, _math.nan
newaxis = None

# ----- What loads when it is first used -----

_LAZY = {name: f"npg.{name}" for name in ("autograd", "func", "linalg", "nn", "optim", "profiler", "utils")}
# Functions that are no methods, most of them of networks, by their module. Loaded at once they would be an eighth of
# the time that `import npg` adds to NumPy's.
_LATER = {
    "npg.func": ("vmap",),
    "npg.functional.classification_loss": ("binary_cross_entropy_with_logits",),
    "npg.functional.distance": ("cosine_similarity", "pairwise_distance"),
    "npg.functional.dropout": ("alpha_dropout", "dropout", "feature_alpha_dropout", "feature_dropout"),
    "npg.functional.einsum": ("einsum", "tensordot"),
    "npg.functional.embedding": ("embedding",),
    "npg.functional.linear": ("bilinear",),
    "npg.functional.margin_loss": (
        "cosine_embedding_loss",
        "hinge_embedding_loss",
        "kl_div",
        "margin_ranking_loss",
        "poisson_nll_loss",
        "triplet_margin_loss",
    ),
    "npg.functional.normalization": ("layer_norm", "rms_norm"),
    # Of torch.nn.functional: numpygrad has them at its top level, and so has npg. Of its names there, relu, sigmoid,
    # tanh and softmax are PyTorch's too, and nn.GeLU stands in nn/modules/activation.py.
    "npg.functional.nn.activation": ("gelu",),
    "npg.functional.nn.classification_loss": ("cross_entropy",),
    "npg.functional.nn.regression_loss": ("mse_loss",),
    # npg's own.
    "npg.utils.memory": ("empty_cache", "memory_stats"),
    "npg.utils.threads": ("get_num_threads", "set_num_threads"),
}
_LAZY_NAMES = {name: module for module, names in _LATER.items() for name in names}
if _typing.TYPE_CHECKING:
    from npg import (
        autograd as autograd,
        func as func,
        functional as functional,
        linalg as linalg,
        nn as nn,
        optim as optim,
        profiler as profiler,
        utils as utils,
    )
    from npg.creation import tensor as tensor  # and not the package of that name
    from npg.func import vmap as vmap
    from npg.functional.classification_loss import binary_cross_entropy_with_logits as binary_cross_entropy_with_logits
    from npg.functional.distance import cosine_similarity as cosine_similarity, pairwise_distance as pairwise_distance
    from npg.functional.dropout import (
        alpha_dropout as alpha_dropout,
        dropout as dropout,
        feature_alpha_dropout as feature_alpha_dropout,
        feature_dropout as feature_dropout,
    )
    from npg.functional.einsum import einsum as einsum, tensordot as tensordot
    from npg.functional.embedding import embedding as embedding
    from npg.functional.linear import bilinear as bilinear
    from npg.functional.margin_loss import (
        cosine_embedding_loss as cosine_embedding_loss,
        hinge_embedding_loss as hinge_embedding_loss,
        kl_div as kl_div,
        margin_ranking_loss as margin_ranking_loss,
        poisson_nll_loss as poisson_nll_loss,
        triplet_margin_loss as triplet_margin_loss,
    )
    from npg.functional.nn.activation import gelu as gelu
    from npg.functional.nn.classification_loss import cross_entropy as cross_entropy
    from npg.functional.nn.regression_loss import mse_loss as mse_loss
    from npg.functional.normalization import layer_norm as layer_norm, rms_norm as rms_norm
    from npg.utils.memory import empty_cache as empty_cache, memory_stats as memory_stats
    from npg.utils.threads import get_num_threads as get_num_threads, set_num_threads as set_num_threads
else:
    __all__ += list(_LAZY) + list(_LAZY_NAMES)


def _load(name: str) -> _Any:
    if name in _LAZY or name in _LAZY_NAMES:
        from importlib import import_module

        value = import_module(_LAZY.get(name) or _LAZY_NAMES[name])
        if name in _LAZY_NAMES:
            value = getattr(value, name)
        globals()[name] = value
        return value
    if name.startswith(("complex", "cfloat", "cdouble", "chalf")):
        raise AttributeError(f"npg has no complex dtypes, got npg.{name}")
    raise AttributeError(f"module 'npg' has no attribute {name!r}")


if not _typing.TYPE_CHECKING:  # for type checkers npg would have every name
    __getattr__ = _load


# ----- Where functions once stood: pickles name them there -----


class _Moved(_types.ModuleType):
    def __getattr__(self, name: str) -> _Any:
        from importlib import import_module

        rooms = ("npg.nn.functional", "npg.functional", "npg", "npg.linalg")
        for room in () if name[:2] == "__" else rooms[3:] if self.__name__ == "matrix_norms" else rooms:
            if hasattr(import_module(room), name):
                return getattr(import_module(room), name)
        raise AttributeError(f"module 'npg.functional.{self.__name__}' has no attribute {name!r}")


_sys.modules.update(
    (f"npg.functional.{module}", _Moved(module))
    for module in (
        "activating", "adding_products", "comparing", "comparing_losses", "compound", "contracting", "copying",
        "decomposing", "dropouts", "filling", "generators", "linear_algebra", "losses", "masking", "matrix_norms",
        "neural", "parts", "permuting", "pointwise", "random_ops", "rearranging", "scanning", "scattering", "searching",
        "selecting", "shaping", "slicing", "softmaxes", "solving", "sorting",
    )
)  # fmt: skip


def __dir__() -> list[str]:
    return sorted({*__all__, "bool", "float", "int"})  # type: ignore[name-defined]  # see above
