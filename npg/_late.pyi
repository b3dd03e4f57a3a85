"""Written by tools/stubs.py."""

from collections.abc import Sequence
from typing import Any, Literal, overload

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
    mtia as mtia,
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
from npg._C import ScriptModule as ScriptModule
from npg._dtype_names import (
    bfloat16 as bfloat16,
    bit as bit,
    bits1x8 as bits1x8,
    bits2x4 as bits2x4,
    bits4x2 as bits4x2,
    bits8 as bits8,
    bits16 as bits16,
    cdouble as cdouble,
    cfloat as cfloat,
    chalf as chalf,
    complex32 as complex32,
    complex64 as complex64,
    complex128 as complex128,
    float4_e2m1fn_x2 as float4_e2m1fn_x2,
    float8_e4m3fn as float8_e4m3fn,
    float8_e4m3fnuz as float8_e4m3fnuz,
    float8_e5m2 as float8_e5m2,
    float8_e5m2fnuz as float8_e5m2fnuz,
    float8_e8m0fnu as float8_e8m0fnu,
    int1 as int1,
    int2 as int2,
    int3 as int3,
    int4 as int4,
    int5 as int5,
    int6 as int6,
    int7 as int7,
    qint8 as qint8,
    qint32 as qint32,
    quint2x4 as quint2x4,
    quint4x2 as quint4x2,
    quint8 as quint8,
    uint1 as uint1,
    uint2 as uint2,
    uint3 as uint3,
    uint4 as uint4,
    uint5 as uint5,
    uint6 as uint6,
    uint7 as uint7,
)
from npg._errors import AcceleratorError as AcceleratorError, OutOfMemoryError as OutOfMemoryError
from npg._symbolic import (
    SymBool as SymBool,
    SymFloat as SymFloat,
    SymInt as SymInt,
    sym_float as sym_float,
    sym_fresh_size as sym_fresh_size,
    sym_int as sym_int,
    sym_ite as sym_ite,
    sym_max as sym_max,
    sym_min as sym_min,
    sym_not as sym_not,
    sym_sqrt as sym_sqrt,
    sym_sum as sym_sum,
)
from npg.accelerator._streams import Event as Event, Stream as Stream
from npg.amp import GradScaler as GradScaler, autocast as autocast
from npg.amp._state import (
    autocast_decrement_nesting as autocast_decrement_nesting,
    autocast_increment_nesting as autocast_increment_nesting,
    clear_autocast_cache as clear_autocast_cache,
    get_autocast_cpu_dtype as get_autocast_cpu_dtype,
    get_autocast_dtype as get_autocast_dtype,
    get_autocast_gpu_dtype as get_autocast_gpu_dtype,
    is_autocast_cache_enabled as is_autocast_cache_enabled,
    is_autocast_cpu_enabled as is_autocast_cpu_enabled,
    is_autocast_enabled as is_autocast_enabled,
    set_autocast_cache_enabled as set_autocast_cache_enabled,
    set_autocast_cpu_dtype as set_autocast_cpu_dtype,
    set_autocast_cpu_enabled as set_autocast_cpu_enabled,
    set_autocast_dtype as set_autocast_dtype,
    set_autocast_enabled as set_autocast_enabled,
    set_autocast_gpu_dtype as set_autocast_gpu_dtype,
)
from npg.autograd.anomaly_mode import set_anomaly_enabled as set_anomaly_enabled
from npg.backends._flags import (
    get_float32_matmul_precision as get_float32_matmul_precision,
    set_float32_matmul_precision as set_float32_matmul_precision,
)
from npg.backends._settings import (
    are_deterministic_algorithms_enabled as are_deterministic_algorithms_enabled,
    compiled_with_cxx11_abi as compiled_with_cxx11_abi,
    get_deterministic_debug_mode as get_deterministic_debug_mode,
    get_device_module as get_device_module,
    get_num_interop_threads as get_num_interop_threads,
    is_deterministic_algorithms_warn_only_enabled as is_deterministic_algorithms_warn_only_enabled,
    is_warn_always_enabled as is_warn_always_enabled,
    set_deterministic_debug_mode as set_deterministic_debug_mode,
    set_flush_denormal as set_flush_denormal,
    set_num_interop_threads as set_num_interop_threads,
    set_warn_always as set_warn_always,
    use_deterministic_algorithms as use_deterministic_algorithms,
)
from npg.compiler import compile as compile
from npg.creation import (
    arange as arange,
    as_tensor as as_tensor,
    asarray as asarray,
    empty as empty,
    empty_like as empty_like,
    empty_permuted as empty_permuted,
    empty_strided as empty_strided,
    eye as eye,
    from_file as from_file,
    from_numpy as from_numpy,
    frombuffer as frombuffer,
    full as full,
    full_like as full_like,
    is_complex as is_complex,
    is_conj as is_conj,
    is_floating_point as is_floating_point,
    is_inference as is_inference,
    is_neg as is_neg,
    is_nonzero as is_nonzero,
    is_same_size as is_same_size,
    is_signed as is_signed,
    is_storage as is_storage,
    is_tensor as is_tensor,
    linspace as linspace,
    logspace as logspace,
    normal as normal,
    ones as ones,
    ones_like as ones_like,
    rand as rand,
    rand_like as rand_like,
    randint as randint,
    randint_like as randint_like,
    randn as randn,
    randn_like as randn_like,
    randperm as randperm,
    range as range,
    result_type as result_type,
    scalar_tensor as scalar_tensor,
    set_default_tensor_type as set_default_tensor_type,
    tensor as tensor,
    tril_indices as tril_indices,
    triu_indices as triu_indices,
    zeros as zeros,
    zeros_like as zeros_like,
)
from npg.func import vmap as vmap
from npg.functional import return_types as return_types
from npg.functional._attributes import (
    get_default_device as get_default_device,
    jagged as jagged,
    legacy_contiguous_format as legacy_contiguous_format,
    set_default_device as set_default_device,
    sparse_bsc as sparse_bsc,
    sparse_bsr as sparse_bsr,
    sparse_coo as sparse_coo,
    sparse_csc as sparse_csc,
    sparse_csr as sparse_csr,
)
from npg.functional._types import Dims, Geqrf, MinMax, Operand, Scalar, SignLogdet, Sizes, ValuesIndices
from npg.functional.generator import Generator
from npg.functional.nn.activation import gelu as gelu
from npg.functional.nn.classification_loss import cross_entropy as cross_entropy
from npg.functional.nn.regression_loss import mse_loss as mse_loss
from npg.jit import ScriptFunction as ScriptFunction
from npg.serialization import load as load, save as save
from npg.serialization._file_reader import PyTorchFileReader as PyTorchFileReader
from npg.storage import TypedStorage as TypedStorage, UntypedStorage as UntypedStorage
from npg.tensor import Tensor
from npg.tensor.exchange import from_dlpack as from_dlpack
from npg.tensor.legacy_storages import (
    BoolStorage as BoolStorage,
    ByteStorage as ByteStorage,
    CharStorage as CharStorage,
    DoubleStorage as DoubleStorage,
    FloatStorage as FloatStorage,
    HalfStorage as HalfStorage,
    IntStorage as IntStorage,
    LongStorage as LongStorage,
    ShortStorage as ShortStorage,
)
from npg.tensor.memory import get_device as get_device, resize_as_ as resize_as_
from npg.tensor.printing import (
    get_printoptions as get_printoptions,
    printoptions as printoptions,
    set_printoptions as set_printoptions,
)
from npg.utils._typename import typename as typename
from npg.utils.memory import empty_cache as empty_cache, memory_stats as memory_stats
from npg.utils.threads import get_num_threads as get_num_threads, set_num_threads as set_num_threads

def abs(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the absolute value of each element."""

def abs_(input: Tensor) -> Tensor:
    """Return the absolute value of each element."""

def absolute(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the absolute value of each element."""

def acos(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the inverse cosine of each element, in [0, pi]."""

def acos_(input: Tensor) -> Tensor:
    """Return the inverse cosine of each element, in [0, pi]."""

def acosh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the inverse hyperbolic cosine of each element, nan below 1."""

def acosh_(input: Tensor) -> Tensor:
    """Return the inverse hyperbolic cosine of each element, nan below 1."""

def adaptive_avg_pool1d(input: Tensor, output_size: Dims) -> Tensor:
    """Return the averages of windows that cover signals, as equal as can be."""

def adaptive_max_pool1d(input: Tensor, output_size: Dims) -> tuple[Tensor, Tensor]:
    """Return the largest numbers of windows that cover signals, and their places. Source: torch.adaptive_max_pool1d."""

@overload
def add(input: Scalar, other: Tensor, *late: Any, alpha: Scalar = ..., out: Any = ...) -> Tensor:
    """Return input + alpha * other."""

@overload
def add(input: Tensor, other: Operand, *late: Any, alpha: Scalar = ..., out: Any = ...) -> Tensor:
    """Return input + alpha * other."""

def addbmm(input: Tensor, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> Tensor:
    """Return beta * input + alpha * bmm(batch1, batch2).sum(0), from (n, m), (B, n, k) and (B, k, m); see addmm."""

def addcdiv(input: Tensor, tensor1: Any, tensor2: Any, *late: Any, value: Scalar = 1, out: Any = None) -> Tensor:
    """Return input + value * tensor1 / tensor2."""

def addcmul(input: Tensor, tensor1: Any, tensor2: Any, *late: Any, value: Scalar = 1, out: Any = None) -> Tensor:
    """Return input + value * tensor1 * tensor2."""

def addmm(input: Tensor, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> Tensor:
    """Return beta * input + alpha * (mat1 @ mat2)."""

def addmv(input: Tensor, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> Tensor:
    """Return beta * input + alpha * (mat @ vec), from (n,) or one element, (n, k) and (k,); see addmm."""

def addmv_(input: Tensor, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """Add a product to beta * input, in place; see addmv."""

def addr(input: Tensor, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> Tensor:
    """Return beta * input + alpha * outer(vec1, vec2), from (n, m), (n,) and (m,); dtypes are promoted. See addmm."""

def adjoint(input: Tensor) -> Tensor:
    """Return a view with the last two dimensions swapped: for real numbers the conjugate transpose."""

def affine_grid_generator(theta: Tensor, size: Sizes, align_corners: bool) -> Tensor:
    """Return grids of places, as nn.functional.affine_grid."""

def all(input: Tensor, dim: Dims | None = None, keepdim: bool = False, *, out: Any = None) -> Tensor:
    """Tell whether all elements over dimensions are true. Returns: bool; uint8 for uint8. Source: torch.all."""

def allclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Tell whether isclose holds for all elements."""

def alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Return the input with elements at random set to SELU's lower limit, then scaled and shifted."""

def amax(input: Tensor, dim: Dims | None = (), keepdim: bool = False, *, out: Any = None) -> Tensor:
    """Return the largest elements over dimensions (an int, a tuple; () for all); equal ones share the gradient."""

def amin(input: Tensor, dim: Dims | None = (), keepdim: bool = False, *, out: Any = None) -> Tensor:
    """Return the smallest elements over dimensions; see amax. Source: torch.amin."""

def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False, out: Any = None) -> MinMax[Tensor]:
    """Return the smallest and the largest elements along a dimension or of all; see amax."""

def any(input: Tensor, dim: Dims | None = None, keepdim: bool = False, *, out: Any = None) -> Tensor:
    """Tell whether any element over dimensions is true. Returns: bool; uint8 for uint8. Source: torch.any."""

def arccos(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the inverse cosine of each element, in [0, pi]."""

def arccos_(input: Tensor) -> Tensor:
    """Return the inverse cosine of each element, in [0, pi]."""

def arccosh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the inverse hyperbolic cosine of each element, nan below 1."""

def arccosh_(input: Tensor) -> Tensor:
    """Return the inverse hyperbolic cosine of each element, nan below 1."""

def arcsin(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the inverse sine of each element, in [-pi/2, pi/2]."""

def arcsin_(input: Tensor) -> Tensor:
    """Return the inverse sine of each element, in [-pi/2, pi/2]."""

def arcsinh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the inverse hyperbolic sine of each element."""

def arcsinh_(input: Tensor) -> Tensor:
    """Return the inverse hyperbolic sine of each element."""

def arctan(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the inverse tangent of each element, in (-pi/2, pi/2)."""

@overload
def arctan2(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return the angle of the point (other, input), in [-pi, pi]."""

@overload
def arctan2(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the angle of the point (other, input), in [-pi, pi]."""

def arctan_(input: Tensor) -> Tensor:
    """Return the inverse tangent of each element, in (-pi/2, pi/2)."""

def arctanh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the inverse hyperbolic tangent of each element, nan outside [-1, 1]."""

def arctanh_(input: Tensor) -> Tensor:
    """Return the inverse hyperbolic tangent of each element, nan outside [-1, 1]."""

def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False, *, out: Any = None) -> Tensor:
    """Return the index of the (first) largest element along a dimension or in the flattened input."""

def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False, *, out: Any = None) -> Tensor:
    """Return the index of the smallest element; see argmax. Source: torch.argmin."""

def argsort(input: Tensor, dim: Any = -1, descending: bool = False, stable: bool = False, *, out: Any = None) -> Tensor:
    """Return the indices that sort the elements along a dimension; see sort."""

def argwhere(input: Tensor) -> Tensor:
    """Return the indices of the elements that are not zero, one per row. Source: torch.argwhere."""

def as_strided(input: Tensor, size: Sizes, stride: Sizes, storage_offset: int | None = None) -> Tensor:
    """Return a view of input's memory with these sizes and strides."""

def asin(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the inverse sine of each element, in [-pi/2, pi/2]."""

def asin_(input: Tensor) -> Tensor:
    """Return the inverse sine of each element, in [-pi/2, pi/2]."""

def asinh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the inverse hyperbolic sine of each element."""

def asinh_(input: Tensor) -> Tensor:
    """Return the inverse hyperbolic sine of each element."""

def atan(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the inverse tangent of each element, in (-pi/2, pi/2)."""

@overload
def atan2(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return the angle of the point (other, input), in [-pi, pi]."""

@overload
def atan2(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the angle of the point (other, input), in [-pi, pi]."""

def atan_(input: Tensor) -> Tensor:
    """Return the inverse tangent of each element, in (-pi/2, pi/2)."""

def atanh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the inverse hyperbolic tangent of each element, nan outside [-1, 1]."""

def atanh_(input: Tensor) -> Tensor:
    """Return the inverse hyperbolic tangent of each element, nan outside [-1, 1]."""

@overload
def atleast_1d(tensor: Tensor) -> Tensor:
    """Return the tensor, or a tuple of tensors, with 0-d ones as (1,). Source: torch.atleast_1d."""

@overload
def atleast_1d(tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Return the tensor, or a tuple of tensors, with 0-d ones as (1,). Source: torch.atleast_1d."""

@overload
def atleast_1d(first: Tensor, second: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
    """Return the tensor, or a tuple of tensors, with 0-d ones as (1,). Source: torch.atleast_1d."""

@overload
def atleast_2d(tensor: Tensor) -> Tensor:
    """Return the tensor, or a tuple of tensors, as at least 2-d: (n,) as (1, n). Source: torch.atleast_2d."""

@overload
def atleast_2d(tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Return the tensor, or a tuple of tensors, as at least 2-d: (n,) as (1, n). Source: torch.atleast_2d."""

@overload
def atleast_2d(first: Tensor, second: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
    """Return the tensor, or a tuple of tensors, as at least 2-d: (n,) as (1, n). Source: torch.atleast_2d."""

@overload
def atleast_3d(tensor: Tensor) -> Tensor:
    """Return the tensor, or a tuple of tensors, as at least 3-d: (n,) as (1, n, 1), (n, m) as (n, m, 1)."""

@overload
def atleast_3d(tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Return the tensor, or a tuple of tensors, as at least 3-d: (n,) as (1, n, 1), (n, m) as (n, m, 1)."""

@overload
def atleast_3d(first: Tensor, second: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
    """Return the tensor, or a tuple of tensors, as at least 3-d: (n,) as (1, n, 1), (n, m) as (n, m, 1)."""

def avg_pool1d(
    input: Tensor,
    kernel_size: Dims,
    stride: Dims | None = None,
    padding: Dims = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Return the average of each window over signals."""

def baddbmm(input: Tensor, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> Tensor:
    """Return beta * input + alpha * bmm(batch1, batch2), from (B, n, m), (B, n, k) and (B, k, m); see addmm."""

def batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Tensor:
    """Return (input - mean) / sqrt(var + eps) * weight + bias for each channel."""

def bernoulli(input: Tensor, p: Any = None, *, generator: Any = None, out: Tensor | None = None) -> Tensor:
    """Return 1 with the probability in input (or with probability p everywhere), else 0."""

def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return input1 weight[k] input2^T for each k, plus bias."""

def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, pos_weight: Tensor | None = None, reduction: int = 0
) -> Tensor:
    """Return the binary cross-entropy of sigmoid(input), computed without overflow."""

def bincount(input: Tensor, weights: Any = None, minlength: int = 0) -> Tensor:
    """Return the number of times that each of 0, 1, 2, ... occurs, or the sum of its weights."""

@overload
def bitwise_and(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return the bitwise and; of bools the logical one."""

@overload
def bitwise_and(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the bitwise and; of bools the logical one."""

@overload
def bitwise_left_shift(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return input * 2**other, 0 when other is as large as the number of bits."""

@overload
def bitwise_left_shift(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return input * 2**other, 0 when other is as large as the number of bits."""

def bitwise_not(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the input with every bit flipped; of bools the negation."""

@overload
def bitwise_or(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return the bitwise or; of bools the logical one."""

@overload
def bitwise_or(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the bitwise or; of bools the logical one."""

@overload
def bitwise_right_shift(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return floor(input / 2**other)."""

@overload
def bitwise_right_shift(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return floor(input / 2**other)."""

@overload
def bitwise_xor(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return the bitwise exclusive or; of bools the logical one."""

@overload
def bitwise_xor(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the bitwise exclusive or; of bools the logical one."""

def bmm(input: Tensor, mat2: Any, *, out: Any = None) -> Tensor:
    """Return the products of two batches of matrices."""

def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """Return the shape that these shapes broadcast to."""

def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """Return the tensors broadcast against each other, as views."""

def broadcast_to(input: Tensor, *sizes: Any, size: Dims | None = None) -> Tensor:
    """Return a view broadcast to this size; see expand. Source: torch.broadcast_to."""

def bucketize(
    input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False, out: Any = None
) -> Tensor:
    """Return the index of the interval between sorted boundaries that holds each value, 0 below the first."""

def cat(tensors: Sequence[Tensor], dim: int = 0, *, out: Any = None) -> Tensor:
    """Concatenate tensors along a dimension."""

def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary") -> Tensor:
    """Return the p-norms of the differences between the rows of two matrices."""

def ceil(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the smallest integer that is not below each element."""

def ceil_(input: Tensor) -> Tensor:
    """Return the smallest integer that is not below each element."""

def celu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """Return max(0, input) + min(0, alpha * (exp(input / alpha) - 1))."""

def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """Apply celu in place. Source: torch.celu_."""

def chain_matmul(*matrices: Tensor, out: Any = None) -> Tensor:
    """Return the product of matrices, as multi_dot; a single matrix is copied."""

def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Return images with the channels of several groups interleaved."""

def cholesky(A: Tensor, upper: bool = False, *, out: Any = None) -> Tensor:
    """Return the lower triangular L with L L^T = A."""

def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Return views of at most `chunks` parts of equal size (the last may be smaller); see split."""

def clamp(input: Tensor, min: Any = None, max: Any = None, *, out: Any = None) -> Tensor:
    """Return the input limited to [min, max]."""

def clamp_(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """Limit the input in place; see clamp. Source: torch.Tensor.clamp_."""

def clamp_max(input: Tensor, max: Any, *, out: Any = None) -> Tensor:
    """Return the input limited to at most max, a number or tensor. Source: torch.clamp_max."""

def clamp_max_(input: Tensor, max: Any) -> Tensor:
    """Lower the input to at most max in place. Source: torch.Tensor.clamp_max_."""

def clamp_min(input: Tensor, min: Any, *, out: Any = None) -> Tensor:
    """Return the input limited to at least min, a number or tensor. Source: torch.clamp_min."""

def clamp_min_(input: Tensor, min: Any) -> Tensor:
    """Raise the input to at least min in place. Source: torch.Tensor.clamp_min_."""

def clip(input: Tensor, min: Any = None, max: Any = None, *, out: Any = None) -> Tensor:
    """Return the input limited to [min, max]."""

def clip_(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """Limit the input in place; see clamp. Source: torch.Tensor.clamp_."""

def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """Return a copy of input, through which gradients flow."""

def column_stack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """Join tensors along the second dimension, 1-d ones as columns. Source: torch.column_stack."""

def concat(tensors: Sequence[Tensor], dim: int = 0, *, out: Any = None) -> Tensor:
    """Concatenate tensors; see cat. Source: torch.concat."""

def concatenate(tensors: Sequence[Tensor], dim: int = 0, *, out: Any = None) -> Tensor:
    """Concatenate tensors; see cat. Source: torch.concatenate."""

def conj(input: Tensor) -> Tensor:
    """Return input itself: npg has no complex numbers. Source: torch.conj."""

def conj_physical(input: Tensor, *, out: Any = None) -> Tensor:
    """Return input itself: npg has no complex numbers. Source: torch.conj_physical."""

def constant_pad_nd(input: Tensor, pad: Sizes, value: float = 0) -> Tensor:
    """Return the input with a number added around it."""

def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Dims = 1,
    padding: Dims | str = 0,
    dilation: Dims = 1,
    groups: int = 1,
) -> Tensor:
    """Return the convolution of signals with a weight, plus a bias."""

def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Dims = 1,
    padding: Dims | str = 0,
    dilation: Dims = 1,
    groups: int = 1,
) -> Tensor:
    """Return the convolution of images with a weight, plus a bias."""

def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Dims = 1,
    padding: Dims | str = 0,
    dilation: Dims = 1,
    groups: int = 1,
) -> Tensor:
    """Return the convolution of volumes with a weight, plus a bias."""

def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """Return the convolution over time of sequences whose channels are the last dimension."""

def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Dims = 1,
    padding: Dims = 0,
    output_padding: Dims = 0,
    groups: int = 1,
    dilation: Dims = 1,
) -> Tensor:
    """Return the transposed convolution of signals: the gradient of conv1d in its input, plus a bias."""

def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Dims = 1,
    padding: Dims = 0,
    output_padding: Dims = 0,
    groups: int = 1,
    dilation: Dims = 1,
) -> Tensor:
    """Return the transposed convolution of images: the gradient of conv2d in its input, plus a bias."""

def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Dims = 1,
    padding: Dims = 0,
    output_padding: Dims = 0,
    groups: int = 1,
    dilation: Dims = 1,
) -> Tensor:
    """Return the transposed convolution of volumes: the gradient of conv3d in its input, plus a bias."""

def convolution(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    transposed: bool,
    output_padding: Sizes,
    groups: int,
) -> Tensor:
    """Return a convolution, or a transposed one, in as many spatial dimensions as the weight has."""

@overload
def copysign(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return the magnitude of input with the sign of other."""

@overload
def copysign(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the magnitude of input with the sign of other."""

def cos(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the cosine of each element, in radians."""

def cos_(input: Tensor) -> Tensor:
    """Return the cosine of each element, in radians."""

def cosh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the hyperbolic cosine of each element."""

def cosh_(input: Tensor) -> Tensor:
    """Return the hyperbolic cosine of each element."""

def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, reduction: int = 0
) -> Tensor:
    """Return 1 - cos(input1, input2) where target is 1, and max(0, cos - margin) where it is -1."""

def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-08) -> Tensor:
    """Return x1 x2 / (max(|x1|, eps) max(|x2|, eps)), product and norms over a dimension."""

def count_nonzero(input: Tensor, dim: Dims | None = None) -> Tensor:
    """Return the int64 number of nonzero elements over dimensions. Source: torch.count_nonzero."""

def cross(input: Tensor, other: Any, dim: Any = None, *, out: Any = None) -> Tensor:
    """Return the cross products of the vectors along a dimension of size 3."""

def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: int = 0,
    zero_infinity: bool = False,
) -> Tensor:
    """Return the negative logarithm of the probability of labels, however they are spread over the frames."""

def cummax(input: Tensor, dim: int, *, out: Any = None) -> ValuesIndices[Tensor]:
    """Return the cumulative maxima along a dimension, and the index of the last element equal to each."""

def cummin(input: Tensor, dim: int, *, out: Any = None) -> ValuesIndices[Tensor]:
    """Return the cumulative minima along a dimension, and their indices; see cummax."""

def cumprod(input: Tensor, dim: int, *, dtype: Any = None, out: Any = None) -> Tensor:
    """Return the cumulative products along a dimension; the gradient is also right where elements are 0."""

def cumsum(input: Tensor, dim: int, *, dtype: Any = None, out: Any = None) -> Tensor:
    """Return the cumulative sums along a dimension."""

def cumulative_trapezoid(y: Tensor, x: Any = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """Return the integrals of sampled values from the first to each other by the trapezoidal rule; see trapezoid."""

def deg2rad(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the input in radians."""

def deg2rad_(input: Tensor) -> Tensor:
    """Return the input in radians."""

def det(A: Tensor, *, out: Any = None) -> Tensor:
    """Return the determinant of a square matrix."""

def detach(input: Tensor) -> Tensor:
    """Return a tensor on the same memory, outside the graph; writes through it bump the shared version."""

def diag(input: Tensor, diagonal: int = 0, *, out: Any = None) -> Tensor:
    """Return a square matrix with a vector on a diagonal, or a copy of a diagonal of a matrix."""

def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Return zeros with the last dimension of the input on a diagonal of two new dimensions."""

def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """Return a square matrix with all elements of the input on a diagonal. Source: torch.diagflat."""

def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Return a view of a diagonal of two dimensions, as the last dimension."""

def diff(
    input: Tensor,
    n: int = 1,
    dim: int = -1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """Return the n-th differences of neighbours along a dimension."""

def dist(input: Tensor, other: Any, p: float = 2) -> Tensor:
    """Return the p-norm of input - other, broadcast."""

@overload
def div(input: Scalar, other: Tensor, *, rounding_mode: str | None = ..., out: Any = ...) -> Tensor:
    """Return input / other, exact or rounded."""

@overload
def div(input: Tensor, other: Operand, *, rounding_mode: str | None = ..., out: Any = ...) -> Tensor:
    """Return input / other, exact or rounded."""

@overload
def divide(input: Scalar, other: Tensor, *, rounding_mode: str | None = ..., out: Any = ...) -> Tensor:
    """Return input / other, exact or rounded."""

@overload
def divide(input: Tensor, other: Operand, *, rounding_mode: str | None = ..., out: Any = ...) -> Tensor:
    """Return input / other, exact or rounded."""

def dot(input: Tensor, tensor: Any, *, out: Any = None) -> Tensor:
    """Return the inner product of two vectors."""

def dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Return the input with elements zeroed at random and the others divided by 1 - p."""

def dsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Return views of parts along the third dimension; see tensor_split. Source: torch.dsplit."""

def dstack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """Join tensors along the third dimension. Source: torch.dstack."""

@overload
def einsum(equation: str, *operands: Tensor | Sequence[Tensor]) -> Tensor:
    """Return the sums of products of elements whose dimensions are named by an equation."""

@overload
def einsum(operand: Tensor, subscripts: Sequence[Any], *others: Any) -> Tensor:
    """Return the sums of products of elements whose dimensions are named by an equation."""

def embedding(
    weight: Tensor, indices: Tensor, padding_idx: int = -1, scale_grad_by_freq: bool = False, sparse: bool = False
) -> Tensor:
    """Return the rows of weight at the indices."""

def embedding_bag(
    weight: Tensor,
    indices: Tensor,
    offsets: Tensor,
    scale_grad_by_freq: bool = False,
    mode: int = 0,
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the sums, means or maxima of bags of rows of a table."""

def embedding_renorm_(input: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> Tensor:
    """Scale the rows at the indices whose norm is larger than max_norm down to it, in place."""

@overload
def eq(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return whether input == other, elementwise."""

@overload
def eq(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return whether input == other, elementwise."""

def equal(input: Any, other: Any) -> bool:
    """Tell whether two tensors have the same shape and the same elements; nan equals nothing."""

def erf(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to each element."""

def erf_(input: Tensor) -> Tensor:
    """Return 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to each element."""

def erfc(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return 1 - erf(input), with full relative precision where that is small."""

def erfc_(input: Tensor) -> Tensor:
    """Return 1 - erf(input), with full relative precision where that is small."""

def erfinv(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the x whose erf is the input, inf at 1 and nan outside [-1, 1]."""

def exp(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return e to the power of each element."""

def exp2(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return 2 to the power of each element."""

def exp2_(input: Tensor) -> Tensor:
    """Return 2 to the power of each element."""

def exp_(input: Tensor) -> Tensor:
    """Return e to the power of each element."""

def expm1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return exp(input) - 1, exact near 0."""

def expm1_(input: Tensor) -> Tensor:
    """Return exp(input) - 1, exact near 0."""

def feature_alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Apply alpha_dropout to whole channels of (N, C, ...). Source: torch.feature_alpha_dropout."""

def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Return the input (N, C, ...) with whole channels zeroed at random, as dropout. Source: torch.feature_dropout."""

def fill(input: Tensor, value: Any) -> Tensor:
    """Return a tensor like input with every element set to value (see fill_)."""

def fill_(input: Tensor, value: Any) -> Tensor:
    """Set every element of input to value, in place."""

def fix(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return each element rounded towards zero."""

def fix_(input: Tensor) -> Tensor:
    """Return each element rounded towards zero."""

def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Return the input with the dimensions from start_dim to end_dim merged; a 0-d input becomes 1-d."""

def flip(input: Tensor, *where: Dims, dims: Dims | None = None) -> Tensor:
    """Return a copy with these dimensions (ints or a sequence, also dims=) in reverse order. Source: torch.flip."""

def fliplr(input: Tensor) -> Tensor:
    """Return a copy with the second dimension in reverse order. Source: torch.fliplr."""

def flipud(input: Tensor) -> Tensor:
    """Return a copy with the first dimension in reverse order. Source: torch.flipud."""

@overload
def float_power(input: Scalar, exponent: Tensor, *, out: Any = ...) -> Tensor:
    """Return input to the power of exponent, both in float64."""

@overload
def float_power(input: Tensor, exponent: Operand, *, out: Any = ...) -> Tensor:
    """Return input to the power of exponent, both in float64."""

def floor(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the largest integer that is not above each element."""

def floor_(input: Tensor) -> Tensor:
    """Return the largest integer that is not above each element."""

@overload
def floor_divide(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return the quotient rounded down."""

@overload
def floor_divide(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the quotient rounded down."""

@overload
def fmax(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return the larger of the two; where one is nan, the other. Of equal elements the first gets the gradient."""

@overload
def fmax(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the larger of the two; where one is nan, the other. Of equal elements the first gets the gradient."""

@overload
def fmin(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return the smaller of the two; where one is nan, the other. Of equal elements the first gets the gradient."""

@overload
def fmin(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the smaller of the two; where one is nan, the other. Of equal elements the first gets the gradient."""

@overload
def fmod(input: Scalar, other: Tensor, *, out: Any = ...) -> Tensor:
    """Return input - other * trunc(input / other), which has the dividend's sign, as in C."""

@overload
def fmod(input: Tensor, other: Operand, *, out: Any = ...) -> Tensor:
    """Return input - other * trunc(input / other), which has the dividend's sign, as in C."""

def frac(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the fractional part, with the input's sign."""

def frac_(input: Tensor) -> Tensor:
    """Return the fractional part, with the input's sign."""

def gather(input: Tensor, dim: Any, index: Any, *, sparse_grad: bool = False, out: Any = None) -> Tensor:
    """Return the elements of input at these indices along a dimension."""

@overload
def gcd(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return the greatest common divisor."""

@overload
def gcd(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the greatest common divisor."""

def gcd_(input: Tensor, other: Operand) -> Tensor:
    """Return the greatest common divisor."""

@overload
def ge(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return whether input >= other, elementwise."""

@overload
def ge(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return whether input >= other, elementwise."""

def geqrf(input: Tensor, *, out: Any = None) -> Geqrf[Tensor]:
    """Return the QR factorization in LAPACK's form."""

def ger(input: Tensor, vec2: Any, *, out: Any = None) -> Tensor:
    """Return the outer product of two vectors."""

def get_rng_state() -> Any:
    """Return the default generator's state, a uint8 tensor. Source: torch.get_rng_state."""

@overload
def greater(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return whether input > other, elementwise."""

@overload
def greater(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return whether input > other, elementwise."""

@overload
def greater_equal(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return whether input >= other, elementwise."""

@overload
def greater_equal(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return whether input >= other, elementwise."""

def grid_sampler(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """Return images read at the places of a grid, as nn.functional.grid_sample, whose modes are numbers here."""

def grid_sampler_2d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """Return images of two dimensions in space read at the places of a grid, as grid_sampler."""

def grid_sampler_3d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """Return images of three dimensions in space read at the places of a grid, as grid_sampler."""

def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-05,
    cudnn_enabled: bool = True,
) -> Tensor:
    """Return (input - mean) / sqrt(var + eps) * weight + bias, moments of each group of channels of an image."""

def gru(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """Run the layers of a GRU over a sequence; see npg.nn.GRU."""

def gru_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """Return the state of a GRU after one step; see npg.nn.GRUCell."""

@overload
def gt(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return whether input > other, elementwise."""

@overload
def gt(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return whether input > other, elementwise."""

def hardshrink(input: Tensor, lambd: float = 0.5, *, out: Any = None) -> Tensor:
    """Return the input, 0 within [-lambd, lambd]."""

def heaviside(input: Tensor, values: Tensor, *, out: Any = None) -> Tensor:
    """Return 0 for negative input, 1 for positive, values where it is 0."""

def hinge_embedding_loss(input: Tensor, target: Tensor, margin: float = 1.0, reduction: int = 0) -> Tensor:
    """Return input where target is 1, and max(0, margin - input) where it is -1."""

def histc(input: Tensor, bins: int = 100, min: Any = 0, max: Any = 0, *, out: Any = None) -> Tensor:
    """Return the number of elements in each of `bins` equal parts of [min, max]; others and nan are ignored."""

def hsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Return views of parts along the second dimension, or the only one; see tensor_split."""

def hstack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """Join tensors along the second dimension, 1-d ones along the first. Source: torch.hstack."""

@overload
def hypot(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return sqrt(input**2 + other**2) without overflow."""

@overload
def hypot(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return sqrt(input**2 + other**2) without overflow."""

def index_add(input: Tensor, dim: Any, index: Any, source: Any, *, alpha: Any = 1, out: Any = None) -> Tensor:
    """Return input with alpha * source added to the slices at these indices; repeated indices accumulate."""

def index_copy(input: Tensor, dim: Any, index: Any, source: Any, *, out: Any = None) -> Tensor:
    """Return input with the slices at these indices replaced by those of source; arguments as in index_add."""

def index_fill(input: Tensor, dim: Any, index: Any, value: Any, *, out: Any = None) -> Tensor:
    """Return input with the slices at these indices (negative: from the end) filled with a number or 0-d tensor."""

def index_put(input: Tensor, indices: Any, values: Any, accumulate: bool = False) -> Tensor:
    """Return a copy of input with values written at input[indices]; see index_put_."""

def index_put_(input: Tensor, indices: Any, values: Any, accumulate: bool = False) -> Tensor:
    """Write values at input[indices] in place."""

def index_select(input: Tensor, dim: Any, index: Any, *, out: Any = None) -> Tensor:
    """Return the slices of input at these indices of a dimension, in their order."""

def initial_seed() -> int:
    """Return the seed that the default generator started from. Source: torch.initial_seed."""

def inner(input: Tensor, other: Any, *, out: Any = None) -> Tensor:
    """Return the inner products over the last dimensions of both."""

def instance_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Tensor:
    """Return (input - mean) / sqrt(var + eps) * weight + bias for each channel of each image."""

def inverse(input: Tensor, *, out: Any = None) -> Tensor:
    """Return the inverse of a square matrix; see linalg.inv. Source: torch.inverse."""

def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """Tell elementwise whether |input - other| <= atol + rtol |other|."""

def isfinite(input: Tensor) -> Tensor:
    """Return whether each element is neither inf nor nan."""

def isin(
    elements: Tensor | Scalar,
    test_elements: Tensor | Scalar,
    *,
    assume_unique: bool = False,
    invert: bool = False,
    out: Any = None,
) -> Tensor:
    """Tell of each element whether it is among others; nan never is."""

def isinf(input: Tensor) -> Tensor:
    """Return whether each element is inf or -inf."""

def isnan(input: Tensor) -> Tensor:
    """Return whether each element is nan."""

def isneginf(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return whether each element is -inf."""

def isposinf(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return whether each element is inf."""

def isreal(input: Tensor) -> Tensor:
    """Return True for each element: there are no complex dtypes."""

def kl_div(input: Tensor, target: Tensor, reduction: int = 0, *, log_target: bool = False) -> Tensor:
    """Return the Kullback-Leibler divergence, elementwise target (log(target) - input)."""

def kron(input: Tensor, other: Any, *, out: Any = None) -> Tensor:
    """Return the Kronecker product: every element of input times all of other."""

def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False, *, out: Any = None) -> ValuesIndices[Tensor]:
    """Return the k-th smallest elements along a dimension, k counted from 1, and their indices."""

def layer_norm(
    input: Tensor,
    normalized_shape: Sizes,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-05,
    cudnn_enable: bool = True,
) -> Tensor:
    """Return (input - mean) / sqrt(var + eps) * weight + bias, mean and variance over the last dimensions."""

@overload
def lcm(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return the least common multiple."""

@overload
def lcm(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the least common multiple."""

def lcm_(input: Tensor, other: Operand) -> Tensor:
    """Return the least common multiple."""

@overload
def ldexp(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return input * 2**other."""

@overload
def ldexp(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return input * 2**other."""

def ldexp_(input: Tensor, other: Operand) -> Tensor:
    """Return input * 2**other."""

@overload
def le(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return whether input <= other, elementwise."""

@overload
def le(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return whether input <= other, elementwise."""

def lerp(input: Tensor, end: Tensor, weight: Any, *, out: Any = None) -> Tensor:
    """Return input + weight * (end - input)."""

@overload
def less(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return whether input < other, elementwise."""

@overload
def less(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return whether input < other, elementwise."""

@overload
def less_equal(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return whether input <= other, elementwise."""

@overload
def less_equal(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return whether input <= other, elementwise."""

def log(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the natural logarithm of each element."""

def log10(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the logarithm to base 10 of each element."""

def log10_(input: Tensor) -> Tensor:
    """Return the logarithm to base 10 of each element."""

def log1p(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return log(1 + input), exact near 0."""

def log1p_(input: Tensor) -> Tensor:
    """Return log(1 + input), exact near 0."""

def log2(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the logarithm to base 2 of each element."""

def log2_(input: Tensor) -> Tensor:
    """Return the logarithm to base 2 of each element."""

def log_(input: Tensor) -> Tensor:
    """Return the natural logarithm of each element."""

def log_softmax(input: Tensor, dim: int, dtype: Any = None, *, out: Any = None) -> Tensor:
    """Return the logarithm of softmax, computed without overflow."""

@overload
def logaddexp(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return log(exp(input) + exp(other)) without overflow."""

@overload
def logaddexp(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return log(exp(input) + exp(other)) without overflow."""

@overload
def logaddexp2(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return log2(2**input + 2**other) without overflow."""

@overload
def logaddexp2(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return log2(2**input + 2**other) without overflow."""

def logcumsumexp(input: Tensor, dim: int, *, out: Any = None) -> Tensor:
    """Return cumulative log(sum(exp)) along a dimension, without overflow. Source: torch.logcumsumexp."""

def logdet(input: Tensor) -> Tensor:
    """Return the logarithm of the determinant, nan if that is negative. Source: torch.logdet."""

@overload
def logical_and(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return whether both are nonzero."""

@overload
def logical_and(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return whether both are nonzero."""

def logical_not(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return whether each element is zero."""

@overload
def logical_or(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return whether one is nonzero."""

@overload
def logical_or(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return whether one is nonzero."""

@overload
def logical_xor(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return whether exactly one is nonzero."""

@overload
def logical_xor(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return whether exactly one is nonzero."""

def logit(input: Tensor, eps: float | None = None, *, out: Any = None) -> Tensor:
    """Return log(x / (1 - x))."""

def logit_(input: Tensor, eps: float | None = None) -> Tensor:
    """Replace the input by its logit in place. Source: torch.Tensor.logit_."""

def logsumexp(input: Tensor, dim: Dims, keepdim: bool = False, *, out: Any = None) -> Tensor:
    """Return log(sum(exp(input))) over dimensions, without overflow. Integers give the default dtype."""

def lstm(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Run the layers of an LSTM over a sequence; see npg.nn.LSTM."""

def lstm_cell(
    input: Tensor,
    hx: Sequence[Tensor],
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the hidden and the cell state of an LSTM after one step; see npg.nn.LSTMCell."""

@overload
def lt(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return whether input < other, elementwise."""

@overload
def lt(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return whether input < other, elementwise."""

def manual_seed(seed: Any) -> Generator:
    """Restart the default generator from a seed, and return it. Source: torch.manual_seed."""

def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, reduction: int = 0
) -> Tensor:
    """Return max(0, -target (input1 - input2) + margin): target 1 means that input1 should be larger."""

def masked_fill(input: Tensor, mask: Any, value: Any) -> Tensor:
    """Return input with value wherever mask is True."""

def masked_scatter(input: Tensor, mask: Any, source: Any) -> Tensor:
    """Return input with the elements of source, in order, where mask is True."""

def masked_select(input: Tensor, mask: Any, *, out: Any = None) -> Tensor:
    """Return the elements of input where mask is True, in order."""

def matmul(input: Tensor, other: Any, *, out: Any = None) -> Tensor:
    """Return the matrix product; also `input @ other`."""

def matrix_exp(input: Tensor) -> Tensor:
    """Return the exponential of a square matrix, 1 + A + A^2 / 2! + A^3 / 3! + ..."""

def matrix_power(A: Tensor, n: int, *, out: Any = None) -> Tensor:
    """Return the n-th power of a square matrix; for negative n that of its inverse."""

@overload
def max(input: Tensor) -> Tensor:
    """Return the largest element; with dim, the largest along it and their indices; or maximum(input, other)."""

@overload
def max(input: Tensor, dim: int, keepdim: bool = ...) -> ValuesIndices[Tensor]:
    """Return the largest element; with dim, the largest along it and their indices; or maximum(input, other)."""

@overload
def max(input: Tensor, dim: Tensor) -> Tensor:
    """Return the largest element; with dim, the largest along it and their indices; or maximum(input, other)."""

@overload
def max(input: Tensor, *args: Any, **kwargs: Any) -> Any:
    """Return the largest element; with dim, the largest along it and their indices; or maximum(input, other)."""

def max_pool1d(
    input: Tensor,
    kernel_size: Dims,
    stride: Dims | None = None,
    padding: Dims = 0,
    dilation: Dims = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """Return the largest number of each window over signals; see F.max_pool1d. Source: torch.max_pool1d."""

def max_pool1d_with_indices(
    input: Tensor,
    kernel_size: Dims,
    stride: Dims | None = None,
    padding: Dims = 0,
    dilation: Dims = 1,
    ceil_mode: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return the largest number of each window over signals, and its place. Source: torch.max_pool1d_with_indices."""

def max_pool2d(
    input: Tensor,
    kernel_size: Dims,
    stride: Dims | None = None,
    padding: Dims = 0,
    dilation: Dims = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """Return the largest number of each window over images; see F.max_pool2d. Source: torch.max_pool2d."""

def max_pool3d(
    input: Tensor,
    kernel_size: Dims,
    stride: Dims | None = None,
    padding: Dims = 0,
    dilation: Dims = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """Return the largest number of each window over volumes; see F.max_pool3d. Source: torch.max_pool3d."""

@overload
def maximum(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return the larger of the two; nan where one is nan. Equal elements share the gradient."""

@overload
def maximum(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the larger of the two; nan where one is nan. Equal elements share the gradient."""

def mean(
    input: Tensor, dim: Dims | None = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None
) -> Tensor:
    """Return the mean over dimensions; nan over no elements."""

@overload
def median(input: Tensor) -> Tensor:
    """Return the median, the lower of two middle elements; with dim, the medians along it and their indices."""

@overload
def median(input: Tensor, dim: int, keepdim: bool = ...) -> ValuesIndices[Tensor]:
    """Return the median, the lower of two middle elements; with dim, the medians along it and their indices."""

@overload
def median(input: Tensor, *args: Any, **kwargs: Any) -> Any:
    """Return the median, the lower of two middle elements; with dim, the medians along it and their indices."""

def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Any, ...]:
    """Return grids of coordinates: a view of each vector that varies along one dimension only."""

@overload
def min(input: Tensor) -> Tensor:
    """Return the smallest element; with dim, the smallest along it and their indices; or minimum(input, other)."""

@overload
def min(input: Tensor, dim: int, keepdim: bool = ...) -> ValuesIndices[Tensor]:
    """Return the smallest element; with dim, the smallest along it and their indices; or minimum(input, other)."""

@overload
def min(input: Tensor, dim: Tensor) -> Tensor:
    """Return the smallest element; with dim, the smallest along it and their indices; or minimum(input, other)."""

@overload
def min(input: Tensor, *args: Any, **kwargs: Any) -> Any:
    """Return the smallest element; with dim, the smallest along it and their indices; or minimum(input, other)."""

@overload
def minimum(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return the smaller of the two; nan where one is nan. Equal elements share the gradient."""

@overload
def minimum(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the smaller of the two; nan where one is nan. Equal elements share the gradient."""

def mm(input: Tensor, mat2: Any, *, out: Any = None) -> Tensor:
    """Return the product of two matrices."""

def mode(input: Tensor, dim: int = -1, keepdim: bool = False, *, out: Any = None) -> ValuesIndices[Tensor]:
    """Return the most frequent elements along a dimension (the smallest of several) and their last indices."""

def moveaxis(
    input: Tensor, source: int | tuple[int, ...] | list[int], destination: int | tuple[int, ...] | list[int]
) -> Tensor:
    """Return a view with dimensions moved; see movedim. Source: torch.moveaxis."""

def movedim(
    input: Tensor, source: int | tuple[int, ...] | list[int], destination: int | tuple[int, ...] | list[int]
) -> Tensor:
    """Return a view with dimensions moved to other positions; the others keep their order."""

def msort(input: Tensor, *, out: Any = None) -> Tensor:
    """Return input sorted along its first dimension. Source: torch.msort."""

@overload
def mul(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return input * other."""

@overload
def mul(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return input * other."""

def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Any = None, out: Tensor | None = None
) -> Tensor:
    """Draw indices with the weights in input."""

@overload
def multiply(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return input * other."""

@overload
def multiply(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return input * other."""

def mv(input: Tensor, vec: Any, *, out: Any = None) -> Tensor:
    """Return the product of a matrix and a vector."""

def nan_to_num(
    input: Tensor,
    nan: float | None = None,
    posinf: float | None = None,
    neginf: float | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """Return the input with nan, inf and -inf replaced by numbers."""

def nan_to_num_(
    input: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """Replace nan and infinities in place; see nan_to_num. Source: torch.Tensor.nan_to_num_."""

def nanmean(
    input: Tensor, dim: Dims | None = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None
) -> Tensor:
    """Return the mean over dimensions of the elements that are not nan. Args as in mean. Source: torch.nanmean."""

@overload
def nanmedian(input: Tensor) -> Tensor:
    """Return the median of the elements that are not nan; see median. Source: torch.nanmedian."""

@overload
def nanmedian(input: Tensor, dim: int, keepdim: bool = ...) -> ValuesIndices[Tensor]:
    """Return the median of the elements that are not nan; see median. Source: torch.nanmedian."""

@overload
def nanmedian(input: Tensor, *args: Any, **kwargs: Any) -> Any:
    """Return the median of the elements that are not nan; see median. Source: torch.nanmedian."""

def nansum(
    input: Tensor, dim: Dims | None = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None
) -> Tensor:
    """Return the sum over dimensions, with nan as 0. Args as in sum. Source: torch.nansum."""

def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """Return a view of `length` elements from `start` on along a dimension."""

def native_batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return batch_norm, and in training the mean and 1 / sqrt(var + eps) of each channel, else two empty tensors."""

def native_channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Return images with the channels of several groups interleaved, as channel_shuffle."""

@overload
def ne(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return whether input != other, elementwise."""

@overload
def ne(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return whether input != other, elementwise."""

def neg(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the input with its sign changed."""

def neg_(input: Tensor) -> Tensor:
    """Return the input with its sign changed."""

def negative(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the input with its sign changed."""

def negative_(input: Tensor) -> Tensor:
    """Return the input with its sign changed."""

@overload
def nextafter(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return the next floating number after input in the direction of other."""

@overload
def nextafter(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the next floating number after input in the direction of other."""

@overload
def nonzero(input: Tensor, *, as_tuple: Literal[False] = ..., out: Any = ...) -> Tensor:
    """Return the indices of the elements that are not zero."""

@overload
def nonzero(input: Tensor, *, as_tuple: Literal[True]) -> tuple[Tensor, ...]:
    """Return the indices of the elements that are not zero."""

@overload
def nonzero(input: Tensor, *, as_tuple: bool) -> Tensor | tuple[Tensor, ...]:
    """Return the indices of the elements that are not zero."""

def norm(
    input: Tensor,
    p: float | str | None = "fro",
    dim: Dims | None = None,
    keepdim: bool = False,
    dtype: Any = None,
    *,
    out: Any = None,
) -> Tensor:
    """Return the norm of the elements over dimensions."""

def norm_except_dim(v: Tensor, pow: int = 2, dim: int = 0) -> Tensor:
    """Return the norms of the elements over all dimensions except one, which keeps its place; over all for -1."""

@overload
def not_equal(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return whether input != other, elementwise."""

@overload
def not_equal(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return whether input != other, elementwise."""

def numel(input: Any) -> int:
    """Return the number of elements. Source: torch.numel."""

def orgqr(input: Tensor, input2: Any, *, out: Any = None) -> Tensor:
    """Return a product of Householder reflections; see linalg.householder_product. Source: torch.orgqr."""

def outer(input: Tensor, vec2: Any, *, out: Any = None) -> Tensor:
    """Return the outer product of two vectors."""

def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-06, keepdim: bool = False) -> Tensor:
    """Return the norm of x1 - x2 + eps over the last dimension."""

def pdist(input: Tensor, p: float = 2) -> Tensor:
    """Return the p-norms of the differences between the rows of a matrix, each pair once."""

def permute(input: Tensor, *order: Any, dims: Dims | None = None) -> Tensor:
    """Return a view with the dimensions in this order, passed one by one, as a sequence or as dims=."""

def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """Return the Moore-Penrose inverse; see linalg.pinv. Source: torch.pinverse."""

def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Return images r times as high and wide, each block of r x r pixels made of r^2 channels."""

def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Return images whose pixels are blocks of r x r pixels, as r^2 channels: undoes pixel_shuffle."""

def poisson(input: Tensor, generator: Any = None) -> Tensor:
    """Return Poisson-distributed counts with the means in input."""

def poisson_nll_loss(input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: int) -> Tensor:
    """Return the negative log-likelihood of the target under Poisson distributions."""

def positive(input: Tensor) -> Tensor:
    """Return the input itself."""

@overload
def pow(input: Scalar, exponent: Tensor, *, out: Any = ...) -> Tensor:
    """Return input to the power of exponent."""

@overload
def pow(input: Tensor, exponent: Operand, *, out: Any = ...) -> Tensor:
    """Return input to the power of exponent."""

def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """Return input where it is positive, else weight * input."""

def prod(input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None) -> Tensor:
    """Return the product over one dimension or all; the gradient is also right where elements are 0."""

def put(input: Tensor, index: Any, source: Any, accumulate: bool = False) -> Tensor:
    """Return a copy of input with source written to positions of the flattened input; see put_."""

def rad2deg(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the input in degrees."""

def rad2deg_(input: Tensor) -> Tensor:
    """Return the input in degrees."""

def ravel(input: Tensor) -> Tensor:
    """Return the elements in one dimension: a view of a contiguous input, else a copy. Source: torch.ravel."""

def real(input: Tensor) -> Tensor:
    """Return input itself: npg has no complex numbers. Source: torch.real."""

def reciprocal(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return 1 / input."""

def reciprocal_(input: Tensor) -> Tensor:
    """Return 1 / input."""

def relu(input: Tensor) -> Tensor:
    """Return max(input, 0)."""

def relu_(input: Tensor) -> Tensor:
    """Apply relu in place. Source: torch.relu_."""

@overload
def remainder(input: Scalar, other: Tensor, *, out: Any = ...) -> Tensor:
    """Return input - other * floor(input / other), which has the divisor's sign, as in Python."""

@overload
def remainder(input: Tensor, other: Operand, *, out: Any = ...) -> Tensor:
    """Return input - other * floor(input / other), which has the divisor's sign, as in Python."""

def repeat_interleave(
    input: Tensor, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Return the input with each element, or each slice along a dimension, repeated consecutively."""

def reshape(input: Tensor, *sizes: Any, shape: Dims | None = None) -> Tensor:
    """Return the elements in another shape: a view where the strides allow it, else a copy."""

def resolve_conj(input: Tensor) -> Tensor:
    """Return input itself: npg has no lazy conjugation. Source: torch.resolve_conj."""

def resolve_neg(input: Tensor) -> Tensor:
    """Return input itself: npg has no lazy negation. Source: torch.resolve_neg."""

def rms_norm(input: Tensor, normalized_shape: Sizes, weight: Tensor | None = None, eps: float | None = None) -> Tensor:
    """Return input / sqrt(mean(input^2) + eps) * weight, the mean over the last dimensions."""

def rnn_relu(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """Run the layers of an Elman network with relu over a sequence, as rnn_tanh. Source: torch.rnn_relu."""

def rnn_relu_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """Return relu(input w_ih^T + b_ih + hx w_hh^T + b_hh), as rnn_tanh_cell. Source: torch.rnn_relu_cell."""

def rnn_tanh(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """Run the layers of an Elman network with tanh over a sequence; see npg.nn.RNN."""

def rnn_tanh_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """Return tanh(input w_ih^T + b_ih + hx w_hh^T + b_hh); see npg.nn.RNNCell."""

def roll(input: Tensor, shifts: Dims, dims: Dims | None = None) -> Tensor:
    """Return a copy shifted along dimensions; elements that leave at the end reappear in front."""

def rot90(input: Tensor, k: int = 1, dims: Sizes = (0, 1)) -> Tensor:
    """Return a copy rotated k times by 90 degrees, from the first towards the second of two dimensions."""

def round(input: Tensor, *, decimals: int = 0, out: Any = None) -> Tensor:
    """Return each element rounded to this number of decimals, halves to even."""

def round_(input: Tensor, *, decimals: int = 0) -> Tensor:
    """Round the input in place; see round. Source: torch.Tensor.round_."""

def row_stack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """Join tensors along the first dimension; see vstack. Source: torch.row_stack."""

def rrelu(
    input: Tensor,
    lower: float = 0.125,
    upper: float = 0.3333333333333333,
    training: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Return input where it is positive, else a slope times input."""

def rrelu_(
    input: Tensor,
    lower: float = 0.125,
    upper: float = 0.3333333333333333,
    training: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Apply rrelu in place. Source: torch.rrelu_."""

def rsqrt(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return 1 / sqrt(input)."""

def rsqrt_(input: Tensor) -> Tensor:
    """Return 1 / sqrt(input)."""

def rsub(input: Tensor, other: Any, *, alpha: Scalar = 1) -> Tensor:
    """Return other - alpha * input. Source: torch.rsub."""

def scatter(
    input: Tensor,
    dim: Any,
    index: Any,
    src: Any = None,
    *,
    value: Any = None,
    reduce: str | None = None,
    out: Any = None,
) -> Tensor:
    """Return a copy of input with src written at these indices; see scatter_."""

def scatter_add(input: Tensor, dim: Any, index: Any, src: Any, *, out: Any = None) -> Tensor:
    """Return a copy of input with src added at these indices along a dimension; repeated indices accumulate."""

def scatter_reduce(
    input: Tensor, dim: Any, index: Any, src: Any, reduce: str, *, include_self: bool = True, out: Any = None
) -> Tensor:
    """Return a copy of input with each element reduced together with the elements of src at its index."""

def searchsorted(
    sorted_sequence: Tensor,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Any = None,
    out: Any = None,
) -> Tensor:
    """Return the positions at which values can be inserted into a sorted sequence, along its last dimension."""

def seed() -> int:
    """Restart the default generator from a random seed of the operating system, and return the seed."""

def select(input: Tensor, dim: int, index: Any) -> Tensor:
    """Return a view at one index of a dimension, without that dimension."""

def selu(input: Tensor) -> Tensor:
    """Return scale * elu(input, alpha), which keeps means and variances near 0 and 1."""

def selu_(input: Tensor) -> Tensor:
    """Apply selu in place. Source: torch.selu_."""

def set_rng_state(new_state: Any) -> None:
    """Continue the default generator from a state. Source: torch.set_rng_state."""

def sgn(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return -1, 0 or 1; the same as sign for real numbers."""

def sigmoid(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return 1 / (1 + exp(-input))."""

def sigmoid_(input: Tensor) -> Tensor:
    """Return 1 / (1 + exp(-input))."""

def sign(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return -1, 0 or 1; 0 for nan, as in PyTorch."""

def signbit(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return whether each element's sign bit is set; -0.0 counts as negative."""

def sin(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the sine of each element, in radians."""

def sin_(input: Tensor) -> Tensor:
    """Return the sine of each element, in radians."""

def sinc(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return sin(pi input) / (pi input), 1 at 0."""

def sinc_(input: Tensor) -> Tensor:
    """Return sin(pi input) / (pi input), 1 at 0."""

def sinh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the hyperbolic sine of each element."""

def sinh_(input: Tensor) -> Tensor:
    """Return the hyperbolic sine of each element."""

def slogdet(A: Tensor, *, out: Any = None) -> SignLogdet[Tensor]:
    """Return the sign of the determinant and the logarithm of its absolute value."""

def softmax(input: Tensor, dim: int, dtype: Any = None, *, out: Any = None) -> Tensor:
    """Return exp(input) / sum(exp(input)) over a dimension."""

def sort(
    input: Tensor, dim: Any = -1, descending: bool = False, *, stable: bool | None = None, out: Any = None
) -> ValuesIndices[Tensor]:
    """Return the elements sorted along a dimension, and their indices in the input."""

def split(
    tensor: Tensor, split_size_or_sections: Dims | None = None, dim: int = 0, *, split_size: Dims | None = None
) -> tuple[Tensor, ...]:
    """Return views of consecutive parts of a tensor along a dimension."""

def split_with_sizes(input: Tensor, split_sizes: Sizes, dim: int = 0) -> tuple[Tensor, ...]:
    """Return views of consecutive parts of these sizes along a dimension; see split. Source: torch.split_with_sizes."""

def sqrt(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the square root of each element."""

def sqrt_(input: Tensor) -> Tensor:
    """Return the square root of each element."""

def square(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the square of each element."""

def square_(input: Tensor) -> Tensor:
    """Square the input in place. Raises: RuntimeError: for bools. Source: torch.Tensor.square_."""

def squeeze(input: Tensor, dim: Dims | None = None) -> Tensor:
    """Return a view without dimensions of size 1."""

def stack(tensors: Sequence[Tensor], dim: int = 0, *, out: Any = None) -> Tensor:
    """Stack tensors of one shape along a new dimension."""

def std(
    input: Tensor,
    dim: Dims | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Scalar | None = None,
    out: Any = None,
) -> Tensor:
    """Return the square root of the variance over dimensions. Args as in var. Source: torch.std."""

def std_mean(
    input: Tensor,
    dim: Dims | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Scalar | None = None,
    out: Any = None,
) -> tuple[Tensor, Tensor]:
    """Return the standard deviation and the mean over dimensions. Args as in var. Source: torch.std_mean."""

@overload
def sub(input: Scalar, other: Tensor, *late: Any, alpha: Scalar = ..., out: Any = ...) -> Tensor:
    """Return input - alpha * other."""

@overload
def sub(input: Tensor, other: Operand, *late: Any, alpha: Scalar = ..., out: Any = ...) -> Tensor:
    """Return input - alpha * other."""

@overload
def subtract(input: Scalar, other: Tensor, *late: Any, alpha: Scalar = ..., out: Any = ...) -> Tensor:
    """Return input - alpha * other."""

@overload
def subtract(input: Tensor, other: Operand, *late: Any, alpha: Scalar = ..., out: Any = ...) -> Tensor:
    """Return input - alpha * other."""

def sum(input: Tensor, dim: Dims | None = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None) -> Tensor:
    """Return the sum over dimensions."""

def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """Return a view with two dimensions swapped. Source: torch.swapaxes."""

def swapdims(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Return a view with two dimensions swapped. Source: torch.swapdims."""

def t(input: Tensor) -> Tensor:
    """Return the transpose of a matrix, or a tensor of fewer dimensions unchanged, as a view. Source: torch.t."""

def take(input: Tensor, index: Any, *, out: Any = None) -> Tensor:
    """Return the elements at these positions of the flattened input."""

def take_along_dim(input: Tensor, indices: Any, dim: Any = None, *, out: Any = None) -> Tensor:
    """Return the elements of input at these indices along a dimension, as np.take_along_axis."""

def tan(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the tangent of each element, in radians."""

def tan_(input: Tensor) -> Tensor:
    """Return the tangent of each element, in radians."""

def tanh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the hyperbolic tangent of each element."""

def tanh_(input: Tensor) -> Tensor:
    """Return the hyperbolic tangent of each element."""

def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Return views of parts along a dimension."""

def tensordot(a: Tensor, b: Any, dims: Any = 2, *, out: Any = None) -> Tensor:
    """Return the sums of products over some dimensions of both."""

def threshold(input: Tensor, threshold: float, value: float, *, out: Any = None) -> Tensor:
    """Return the input where it is above threshold, else value."""

def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """Apply threshold in place. Source: torch.threshold_."""

def tile(input: Tensor, *times: Dims, dims: Dims | None = None) -> Tensor:
    """Return the input repeated, as repeat; fewer numbers than dimensions refer to the last ones."""

def topk(
    input: Tensor, k: int, dim: Any = -1, largest: bool = True, sorted: bool = True, *, out: Any = None
) -> ValuesIndices[Tensor]:
    """Return the k largest elements along a dimension, in descending order, and their indices."""

def trace(input: Tensor) -> Tensor:
    """Return the sum of the diagonal of a matrix, int64 for integers. Source: torch.trace."""

def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Return a view with two dimensions swapped. Source: torch.transpose."""

def trapezoid(y: Tensor, x: Any = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """Return the integral of sampled values by the trapezoidal rule: the sum of (x[i+1] - x[i]) (y[i] + y[i+1]) / 2."""

def trapz(y: Tensor, x: Any = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """Return the integral of sampled values: the old name of trapezoid. Source: torch.trapz."""

def tril(input: Tensor, diagonal: int = 0, *, out: Any = None) -> Tensor:
    """Return the input (.., n, m) with zeros above a diagonal (positive ones lie above the main one)."""

def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-06,
    swap: bool = False,
    reduction: int = 0,
) -> Tensor:
    """Return max(0, d(anchor, positive) - d(anchor, negative) + margin), d the pairwise distance."""

def triu(input: Tensor, diagonal: int = 0, *, out: Any = None) -> Tensor:
    """Return the input (.., n, m) with zeros below a diagonal (positive ones lie above the main one)."""

@overload
def true_divide(input: Scalar, other: Tensor, *, rounding_mode: str | None = ..., out: Any = ...) -> Tensor:
    """Return input / other, exact or rounded."""

@overload
def true_divide(input: Tensor, other: Operand, *, rounding_mode: str | None = ..., out: Any = ...) -> Tensor:
    """Return input / other, exact or rounded."""

def trunc(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return each element rounded towards zero."""

def trunc_(input: Tensor) -> Tensor:
    """Return each element rounded towards zero."""

def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Return a tuple of views of all slices along a dimension, without it. Source: torch.unbind."""

def unflatten(input: Tensor, dim: int, sizes: Sizes) -> Tensor:
    """Return the input with one dimension split into several."""

@overload
def unique(input: Tensor, sorted: bool = ..., *, dim: int | None = ...) -> Tensor:
    """Return the unique elements in ascending order, or the unique slices along a dimension."""

@overload
def unique(input: Tensor, *args: Any, **kwargs: Any) -> Any:
    """Return the unique elements in ascending order, or the unique slices along a dimension."""

@overload
def unique_consecutive(input: Tensor, *, dim: int | None = ...) -> Tensor:
    """Return the input without the elements (or slices) that equal their predecessor."""

@overload
def unique_consecutive(input: Tensor, *args: Any, **kwargs: Any) -> Any:
    """Return the input without the elements (or slices) that equal their predecessor."""

def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """Return a view with a dimension of size 1 inserted at dim, which may be the number of dimensions."""

def var(
    input: Tensor,
    dim: Dims | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Scalar | None = None,
    out: Any = None,
) -> Tensor:
    """Return the variance over dimensions, sum((x - mean)^2) / (n - correction)."""

def var_mean(
    input: Tensor,
    dim: Dims | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Scalar | None = None,
    out: Any = None,
) -> tuple[Tensor, Tensor]:
    """Return the variance and the mean over dimensions. Args as in var. Source: torch.var_mean."""

def vdot(input: Tensor, other: Any, *, out: Any = None) -> Tensor:
    """Return the inner product of two vectors; for real numbers the same as dot. Source: torch.vdot."""

def vsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Return views of parts along the first dimension; see tensor_split. Source: torch.vsplit."""

def vstack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """Join tensors along the first dimension, 1-d ones as rows. Source: torch.vstack."""

@overload
def where(condition: Tensor) -> tuple[Tensor, ...]:
    """Return input where condition is true, else other; with condition alone, the indices where it is true."""

@overload
def where(condition: Tensor, input: Any, other: Any, *, out: Any = ...) -> Tensor:
    """Return input where condition is true, else other; with condition alone, the indices where it is true."""

@overload
def xlogy(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """Return input * log(other), 0 where input is 0 unless other is nan."""

@overload
def xlogy(input: Scalar, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return input * log(other), 0 where input is 0 unless other is nan."""

def xlogy_(input: Tensor, other: Operand) -> Tensor:
    """Return input * log(other), 0 where input is 0 unless other is nan."""

def zero_(input: Tensor) -> Tensor:
    """Set every element of input to zero, in place."""
