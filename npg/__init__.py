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
from importlib.machinery import ModuleSpec as _ModuleSpec
from typing import Any as _Any

from npg import _interpreter  # noqa: F401  (refuses a subinterpreter, before NumPy)

# isort: split
import numpy as _numpy  # noqa: F401  (here, not a dozen imports deep: CPython 3.11 calls more slowly from some depths)

from npg import _lazy, _names, _naming, dtypes, engine as engine, functional as functional, random as random
from npg._version import __version__ as __version__
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
    tensor as tensor,
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
from npg.functional.generator import Generator as Generator, default_generator as default_generator
from npg.tensor import Tensor as Tensor
from npg.tensor.exchange import from_dlpack as from_dlpack
from npg.tensor.memory import resize_as_ as resize_as_
from npg.tensor.printing import (
    get_printoptions as get_printoptions,
    printoptions as printoptions,
    set_printoptions as set_printoptions,
)

if not _typing.TYPE_CHECKING:  # type checkers cannot read this; they export what is imported with a star or an alias
    __all__ = [
        "BoolTensor",
        "ByteTensor",
        "CharTensor",
        "DoubleTensor",
        "FloatTensor",
        "Generator",
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
        "default_generator",
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

# ----- Constants, and dtypes whose names are Python's -----

float, int, bool = float32, int32, dtypes.bool_
pi, e, inf, nan = _math.pi, _math.e, _math.inf, _math.nan
newaxis = None

# ----- Names that load when they are first used -----

_MODULES = {
    name: f"npg.{name}"
    for name in (
        "__config__", "_dynamo", "accelerator", "amp", "autograd", "backends", "compiler", "cpu", "cuda", "distributed",
        "distributions", "export", "func", "futures", "fx", "hub", "jit", "linalg", "mps", "multiprocessing", "nn",
        "optim", "overrides", "profiler", "serialization", "storage", "testing", "utils", "xpu",
    )
}  # fmt: skip
_MODULES["return_types"] = "npg.functional.return_types"
_HOMES = _lazy.homes_of(
    _names.TORCH,
    _names.CREATION,
    {
        "npg.func": "vmap",
        "npg.serialization": "load save",
        "npg.storage": "TypedStorage UntypedStorage",
        # From torch.nn.functional: numpygrad has them at its top level, and so does npg. Of numpygrad's other names,
        # relu, sigmoid, tanh and softmax are PyTorch's too, and nn.GeLU is in nn/modules/activation.py.
        "npg.functional.nn.activation": "gelu",
        "npg.functional.nn.classification_loss": "cross_entropy",
        "npg.functional.nn.regression_loss": "mse_loss",
        # Devices, and settings of how PyTorch computes.
        "npg._errors": "AcceleratorError OutOfMemoryError",
        "npg.functional._attributes": "get_default_device set_default_device",
        "npg.tensor.memory": "get_device",
        "npg.backends._flags": "get_float32_matmul_precision set_float32_matmul_precision",
        "npg.backends._settings": (
            "are_deterministic_algorithms_enabled compiled_with_cxx11_abi get_deterministic_debug_mode "
            "get_device_module get_num_interop_threads is_deterministic_algorithms_warn_only_enabled "
            "is_warn_always_enabled set_deterministic_debug_mode set_flush_denormal set_num_interop_threads "
            "set_warn_always use_deterministic_algorithms"
        ),
        "npg.accelerator._streams": "Event Stream",
        "npg.amp": "autocast",
        "npg.autograd.anomaly_mode": "set_anomaly_enabled",
        "npg.compiler": "compile",
        "npg.amp._state": (
            "autocast_decrement_nesting autocast_increment_nesting clear_autocast_cache get_autocast_cpu_dtype "
            "get_autocast_dtype get_autocast_gpu_dtype is_autocast_cache_enabled is_autocast_cpu_enabled "
            "is_autocast_enabled set_autocast_cache_enabled set_autocast_cpu_dtype set_autocast_cpu_enabled "
            "set_autocast_dtype set_autocast_enabled set_autocast_gpu_dtype"
        ),
        "npg.utils._typename": "typename",
        # Dtypes that are names only.
        "npg._dtype_names": (
            "bfloat16 cdouble cfloat chalf complex128 complex32 complex64 float4_e2m1fn_x2 float8_e4m3fn "
            "float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz float8_e8m0fnu qint32 qint8 quint2x4 quint4x2 quint8"
        ),
        # npg's own.
        "npg.utils.memory": "empty_cache memory_stats",
        "npg.utils.threads": "get_num_threads set_num_threads",
    },
)
_OTHERS = {f: f"npg.{f}" for f in ("library", "onnx", "torch_version", "types", "version")}  # no star import takes them
_HIDDEN = {
    "npg._checks": (
        "_assert _check _check_index _check_is_size _check_not_implemented _check_tensor_all _check_tensor_all_with "
        "_check_type _check_value _check_with"
    )
}
_load = _lazy.loader(__name__, _HOMES | _lazy.homes_of(_HIDDEN), _MODULES | _OTHERS)
if _typing.TYPE_CHECKING:
    from npg import (
        accelerator as accelerator,
        amp as amp,
        autograd as autograd,
        backends as backends,
        compiler as compiler,
        cpu as cpu,
        cuda as cuda,
        distributed as distributed,
        distributions as distributions,
        export as export,
        func as func,
        futures as futures,
        fx as fx,
        hub as hub,
        jit as jit,
        library as library,
        linalg as linalg,
        mps as mps,
        multiprocessing as multiprocessing,
        nn as nn,
        onnx as onnx,
        optim as optim,
        overrides as overrides,
        profiler as profiler,
        serialization as serialization,
        storage as storage,
        testing as testing,
        torch_version as torch_version,
        types as types,
        utils as utils,
        version as version,
        xpu as xpu,
    )
    from npg._dtype_names import *  # noqa: F403
    from npg._errors import AcceleratorError as AcceleratorError, OutOfMemoryError as OutOfMemoryError
    from npg._functions import *  # noqa: F403  (functions of npg.functional that return Tensors)
    from npg.accelerator._streams import Event as Event, Stream as Stream
    from npg.amp import autocast as autocast
    from npg.amp._state import *  # noqa: F403
    from npg.autograd.anomaly_mode import set_anomaly_enabled as set_anomaly_enabled
    from npg.backends._flags import *  # noqa: F403
    from npg.backends._settings import *  # noqa: F403
    from npg.compiler import compile as compile
    from npg.creation import *  # noqa: F403
    from npg.func import vmap as vmap
    from npg.functional import return_types as return_types
    from npg.functional._attributes import (
        get_default_device as get_default_device,
        set_default_device as set_default_device,
    )
    from npg.functional.nn.activation import gelu as gelu
    from npg.functional.nn.classification_loss import cross_entropy as cross_entropy
    from npg.functional.nn.regression_loss import mse_loss as mse_loss
    from npg.serialization import load as load, save as save
    from npg.storage import TypedStorage as TypedStorage, UntypedStorage as UntypedStorage
    from npg.tensor.memory import get_device as get_device
    from npg.utils._typename import typename as typename
    from npg.utils.memory import empty_cache as empty_cache, memory_stats as memory_stats
    from npg.utils.threads import get_num_threads as get_num_threads, set_num_threads as set_num_threads
else:  # with a visible __getattr__, npg would have every name for type checkers
    __all__ += [name for name in (*_MODULES, *_HOMES) if name[0] != "_"]

    def __getattr__(name: str) -> _Any:
        if name == "complex":
            raise AttributeError(_naming.named("npg has no complex tensors, got npg.complex"))
        return _load(name)


# ----- Former modules of functions, to which pickles refer -----


class _Moved(_types.ModuleType):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__spec__ = _ModuleSpec(name, None)

    def __getattr__(self, name: str) -> _Any:
        from importlib import import_module

        packages = ("npg.nn.functional", "npg.functional", "npg", "npg.linalg")
        norms = self.__name__.endswith(".matrix_norms")
        for package in () if name[:2] == "__" else packages[3:] if norms else packages:
            if hasattr(import_module(package), name):
                return getattr(import_module(package), name)
        raise AttributeError(_naming.named(f"module {self.__name__!r} has no attribute {name!r}"))


_sys.modules.update(
    (f"npg.functional.{module}", _Moved(f"npg.functional.{module}"))
    for module in (
        "activating", "adding_products", "comparing", "comparing_losses", "compound", "contracting", "copying",
        "decomposing", "dropouts", "filling", "generators", "linear_algebra", "losses", "masking", "matrix_norms",
        "neural", "parts", "permuting", "pointwise", "random_ops", "rearranging", "scanning", "scattering", "searching",
        "selecting", "shaping", "slicing", "softmaxes", "solving", "sorting",
    )
)  # fmt: skip


def __dir__() -> list[str]:
    return sorted({*__all__, "bool", "float", "int"})  # type: ignore[name-defined]  # see above
