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

if _sys.argv[1:2] == ["run"]:
    from npg import _run

    _run.at_once()

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
        "functional",
        "get_default_dtype",
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
        "promote_types",
        "random",
        "set_default_dtype",
        "set_grad_enabled",
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
        "distributions", "export", "func", "futures", "fx", "hub", "jit", "linalg", "mps", "mtia", "multiprocessing",
        "nn", "optim", "overrides", "profiler", "serialization", "storage", "testing", "utils", "xpu",
    )
}  # fmt: skip
_MODULES["return_types"] = "npg.functional.return_types"
_HOMES = _lazy.homes_of(
    _names.TORCH,
    _names.CREATION,
    {
        "npg.func": "vmap",
        "npg.serialization": "load save",
        "npg.serialization._file_reader": "PyTorchFileReader",
        "npg.storage": "TypedStorage UntypedStorage",
        "npg.tensor.legacy_storages": (
            "BoolStorage ByteStorage CharStorage DoubleStorage FloatStorage HalfStorage IntStorage LongStorage "
            "ShortStorage"
        ),
        "npg._symbolic": (
            "SymBool SymFloat SymInt sym_float sym_fresh_size sym_int sym_ite sym_max sym_min sym_not sym_sqrt sym_sum"
        ),
        # From torch.nn.functional: numpygrad has them at its top level, and so does npg. Of numpygrad's other names,
        # relu, sigmoid, tanh and softmax are PyTorch's too, and nn.GeLU is in nn/modules/activation.py.
        "npg.functional.nn.activation": "gelu",
        "npg.functional.nn.classification_loss": "cross_entropy",
        "npg.functional.nn.regression_loss": "mse_loss",
        # Devices, and settings of how PyTorch computes.
        "npg._errors": "AcceleratorError OutOfMemoryError",
        "npg.functional._attributes": (
            "get_default_device jagged legacy_contiguous_format set_default_device sparse_bsc sparse_bsr sparse_coo "
            "sparse_csc sparse_csr"
        ),
        "npg.tensor.exchange": "from_dlpack",
        "npg.tensor.memory": "get_device resize_as_",
        "npg.tensor.printing": "get_printoptions printoptions set_printoptions",
        "npg.backends._flags": "get_float32_matmul_precision set_float32_matmul_precision",
        "npg.backends._settings": (
            "are_deterministic_algorithms_enabled compiled_with_cxx11_abi get_deterministic_debug_mode "
            "get_device_module get_num_interop_threads is_deterministic_algorithms_warn_only_enabled "
            "is_warn_always_enabled set_deterministic_debug_mode set_flush_denormal set_num_interop_threads "
            "set_warn_always use_deterministic_algorithms"
        ),
        "npg.accelerator._streams": "Event Stream",
        "npg.amp": "GradScaler autocast",
        "npg.autograd.anomaly_mode": "set_anomaly_enabled",
        "npg.compiler": "compile",
        "npg.jit": "ScriptFunction",
        "npg._C": "ScriptModule",
        "npg.amp._state": (
            "autocast_decrement_nesting autocast_increment_nesting clear_autocast_cache get_autocast_cpu_dtype "
            "get_autocast_dtype get_autocast_gpu_dtype is_autocast_cache_enabled is_autocast_cpu_enabled "
            "is_autocast_enabled set_autocast_cache_enabled set_autocast_cpu_dtype set_autocast_cpu_enabled "
            "set_autocast_dtype set_autocast_enabled set_autocast_gpu_dtype"
        ),
        "npg.utils._typename": "typename",
        # Dtypes that are names only.
        "npg._dtype_names": (
            "bfloat16 bit bits16 bits1x8 bits2x4 bits4x2 bits8 cdouble cfloat chalf complex128 complex32 complex64 "
            "float4_e2m1fn_x2 float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz float8_e8m0fnu "
            "int1 int2 int3 int4 int5 int6 int7 qint32 qint8 quint2x4 quint4x2 quint8 "
            "uint1 uint2 uint3 uint4 uint5 uint6 uint7"
        ),
        # npg's own.
        "npg.utils.memory": "empty_cache memory_stats",
        "npg.utils.threads": "get_num_threads set_num_threads",
    },
)
_OTHERS = {
    f: f"npg.{f}" for f in ("_C", "_VF", "_logging", "library", "onnx", "torch_version", "types", "version")
}  # no star import takes them
_HIDDEN = {
    "npg._checks": (
        "_assert _check _check_index _check_is_size _check_not_implemented _check_tensor_all _check_tensor_all_with "
        "_check_type _check_value _check_with"
    ),
    "npg.functional.packing": "_pack_padded_sequence _pad_packed_sequence",
}
_load = _lazy.loader(__name__, _HOMES | _lazy.homes_of(_HIDDEN), _MODULES | _OTHERS)
if _typing.TYPE_CHECKING:
    from npg._late import *  # noqa: F403  (a stub that tools/stubs.py writes from the tables above)
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
