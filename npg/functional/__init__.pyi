"""Written by tools/stubs.py."""

from typing import overload

from npg.engine import TensorBase
from npg.functional._types import Operand, Scalar, T
from npg.functional.activation import (
    celu as celu,
    celu_ as celu_,
    hardshrink as hardshrink,
    prelu as prelu,
    relu as relu,
    relu_ as relu_,
    selu as selu,
    selu_ as selu_,
    threshold as threshold,
    threshold_ as threshold_,
)
from npg.functional.addmm import (
    addbmm as addbmm,
    addbmm_ as addbmm_,
    addmm as addmm,
    addmm_ as addmm_,
    addmv as addmv,
    addmv_ as addmv_,
    addr as addr,
    addr_ as addr_,
    baddbmm as baddbmm,
    baddbmm_ as baddbmm_,
)
from npg.functional.classification_loss import binary_cross_entropy_with_logits as binary_cross_entropy_with_logits
from npg.functional.comparison import (
    allclose as allclose,
    equal as equal,
    heaviside as heaviside,
    heaviside_ as heaviside_,
    isclose as isclose,
)
from npg.functional.copy import (
    as_strided as as_strided,
    clone as clone,
    conj as conj,
    conj_physical as conj_physical,
    detach as detach,
    real as real,
    resolve_conj as resolve_conj,
    resolve_neg as resolve_neg,
)
from npg.functional.cumulative import (
    cummax as cummax,
    cummin as cummin,
    cumprod as cumprod,
    cumprod_ as cumprod_,
    cumsum as cumsum,
    cumsum_ as cumsum_,
    diff as diff,
    logcumsumexp as logcumsumexp,
)
from npg.functional.distance import cosine_similarity as cosine_similarity, pairwise_distance as pairwise_distance
from npg.functional.division import (
    div as div,
    div_ as div_,
    divide as divide,
    divide_ as divide_,
    fmod as fmod,
    fmod_ as fmod_,
    remainder as remainder,
    remainder_ as remainder_,
    true_divide as true_divide,
    true_divide_ as true_divide_,
)
from npg.functional.dropout import (
    alpha_dropout as alpha_dropout,
    dropout as dropout,
    feature_alpha_dropout as feature_alpha_dropout,
    feature_dropout as feature_dropout,
)
from npg.functional.einsum import einsum as einsum, tensordot as tensordot
from npg.functional.elementwise import (
    add as add,
    add_ as add_,
    addcdiv as addcdiv,
    addcdiv_ as addcdiv_,
    addcmul as addcmul,
    addcmul_ as addcmul_,
    float_power as float_power,
    lerp as lerp,
    lerp_ as lerp_,
    positive as positive,
    pow as pow,
    pow_ as pow_,
    rsub as rsub,
    square_ as square_,
    sub as sub,
    sub_ as sub_,
    subtract as subtract,
    subtract_ as subtract_,
)
from npg.functional.embedding import embedding as embedding
from npg.functional.extrema import (
    amax as amax,
    amin as amin,
    aminmax as aminmax,
    argmax as argmax,
    argmin as argmin,
    kthvalue as kthvalue,
    max as max,
    median as median,
    min as min,
    mode as mode,
    nanmedian as nanmedian,
)
from npg.functional.fill import fill as fill, fill_ as fill_, zero_ as zero_
from npg.functional.generator import (
    get_rng_state as get_rng_state,
    initial_seed as initial_seed,
    manual_seed as manual_seed,
    seed as seed,
    set_rng_state as set_rng_state,
)
from npg.functional.index_select import (
    index_add as index_add,
    index_add_ as index_add_,
    index_copy as index_copy,
    index_copy_ as index_copy_,
    index_fill as index_fill,
    index_fill_ as index_fill_,
    index_select as index_select,
)
from npg.functional.indexing import (
    copy_ as copy_,
    getitem as getitem,
    index_put as index_put,
    index_put_ as index_put_,
    setitem as setitem,
)
from npg.functional.joining import (
    atleast_1d as atleast_1d,
    atleast_2d as atleast_2d,
    atleast_3d as atleast_3d,
    cat as cat,
    column_stack as column_stack,
    concat as concat,
    concatenate as concatenate,
    dstack as dstack,
    hstack as hstack,
    row_stack as row_stack,
    stack as stack,
    vstack as vstack,
)
from npg.functional.linalg import cholesky as cholesky
from npg.functional.linalg_solvers import (
    det as det,
    inverse as inverse,
    logdet as logdet,
    matrix_power as matrix_power,
    pinverse as pinverse,
    slogdet as slogdet,
)
from npg.functional.linear import bilinear as bilinear
from npg.functional.margin_loss import (
    cosine_embedding_loss as cosine_embedding_loss,
    hinge_embedding_loss as hinge_embedding_loss,
    kl_div as kl_div,
    margin_ranking_loss as margin_ranking_loss,
    poisson_nll_loss as poisson_nll_loss,
    triplet_margin_loss as triplet_margin_loss,
)
from npg.functional.masked import (
    masked_fill as masked_fill,
    masked_fill_ as masked_fill_,
    masked_scatter as masked_scatter,
    masked_scatter_ as masked_scatter_,
    masked_select as masked_select,
)
from npg.functional.matmul import (
    bmm as bmm,
    chain_matmul as chain_matmul,
    cross as cross,
    dot as dot,
    ger as ger,
    inner as inner,
    kron as kron,
    matmul as matmul,
    mm as mm,
    mv as mv,
    outer as outer,
    vdot as vdot,
)
from npg.functional.norm import dist as dist, norm as norm
from npg.functional.normalization import layer_norm as layer_norm, rms_norm as rms_norm
from npg.functional.random import (
    bernoulli as bernoulli,
    bernoulli_ as bernoulli_,
    cauchy_ as cauchy_,
    exponential_ as exponential_,
    geometric_ as geometric_,
    log_normal_ as log_normal_,
    multinomial as multinomial,
    normal_ as normal_,
    poisson as poisson,
    random_ as random_,
    uniform_ as uniform_,
)
from npg.functional.rearrange import (
    diag as diag,
    diag_embed as diag_embed,
    diagflat as diagflat,
    flip as flip,
    fliplr as fliplr,
    flipud as flipud,
    meshgrid as meshgrid,
    repeat as repeat,
    repeat_interleave as repeat_interleave,
    roll as roll,
    rot90 as rot90,
    tile as tile,
    trace as trace,
    tril as tril,
    tril_ as tril_,
    triu as triu,
    triu_ as triu_,
)
from npg.functional.reduction import (
    all as all,
    any as any,
    count_nonzero as count_nonzero,
    logsumexp as logsumexp,
    mean as mean,
    nanmean as nanmean,
    nansum as nansum,
    prod as prod,
    std as std,
    std_mean as std_mean,
    sum as sum,
    sum_to_size as sum_to_size,
    var as var,
    var_mean as var_mean,
    vector_norm as vector_norm,
)
from npg.functional.rounding import (
    nan_to_num as nan_to_num,
    nan_to_num_ as nan_to_num_,
    round as round,
    round_ as round_,
)
from npg.functional.scatter import (
    gather as gather,
    put as put,
    put_ as put_,
    scatter as scatter,
    scatter_ as scatter_,
    scatter_add as scatter_add,
    scatter_add_ as scatter_add_,
    scatter_reduce as scatter_reduce,
    scatter_reduce_ as scatter_reduce_,
    take as take,
    take_along_dim as take_along_dim,
)
from npg.functional.search import (
    argwhere as argwhere,
    bincount as bincount,
    bucketize as bucketize,
    histc as histc,
    nonzero as nonzero,
    searchsorted as searchsorted,
    unique as unique,
    unique_consecutive as unique_consecutive,
)
from npg.functional.selection import (
    clamp as clamp,
    clamp_ as clamp_,
    clamp_max as clamp_max,
    clamp_max_ as clamp_max_,
    clamp_min as clamp_min,
    clamp_min_ as clamp_min_,
    clip as clip,
    clip_ as clip_,
    where as where,
)
from npg.functional.shape import (
    broadcast_shapes as broadcast_shapes,
    broadcast_tensors as broadcast_tensors,
    broadcast_to as broadcast_to,
    contiguous as contiguous,
    expand as expand,
    expand_as as expand_as,
    flatten as flatten,
    numel as numel,
    ravel as ravel,
    reshape as reshape,
    reshape_as as reshape_as,
    squeeze as squeeze,
    squeeze_ as squeeze_,
    unflatten as unflatten,
    unsqueeze as unsqueeze,
    unsqueeze_ as unsqueeze_,
    view as view,
    view_as as view_as,
)
from npg.functional.softmax import log_softmax as log_softmax, softmax as softmax
from npg.functional.sort import argsort as argsort, msort as msort, sort as sort, topk as topk
from npg.functional.special import logit as logit, logit_ as logit_
from npg.functional.split import (
    chunk as chunk,
    diagonal as diagonal,
    dsplit as dsplit,
    hsplit as hsplit,
    narrow as narrow,
    select as select,
    split as split,
    split_with_sizes as split_with_sizes,
    tensor_split as tensor_split,
    unbind as unbind,
    unfold as unfold,
    vsplit as vsplit,
)
from npg.functional.transpose import (
    adjoint as adjoint,
    moveaxis as moveaxis,
    movedim as movedim,
    permute as permute,
    swapaxes as swapaxes,
    swapaxes_ as swapaxes_,
    swapdims as swapdims,
    swapdims_ as swapdims_,
    t as t,
    t_ as t_,
    transpose as transpose,
    transpose_ as transpose_,
)

@overload
def bitwise_and(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def bitwise_and(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def bitwise_and_(input: T, other: Operand) -> T: ...
@overload
def bitwise_left_shift(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def bitwise_left_shift(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def bitwise_left_shift_(input: T, other: Operand) -> T: ...
def bitwise_not(input: T, *, out: TensorBase | None = None) -> T: ...
def bitwise_not_(input: T) -> T: ...
@overload
def bitwise_or(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def bitwise_or(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def bitwise_or_(input: T, other: Operand) -> T: ...
@overload
def bitwise_right_shift(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def bitwise_right_shift(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def bitwise_right_shift_(input: T, other: Operand) -> T: ...
@overload
def bitwise_xor(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def bitwise_xor(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def bitwise_xor_(input: T, other: Operand) -> T: ...
@overload
def eq(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def eq(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def eq_(input: T, other: Operand) -> T: ...
@overload
def ge(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def ge(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def ge_(input: T, other: Operand) -> T: ...
@overload
def greater(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def greater(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def greater_(input: T, other: Operand) -> T: ...
@overload
def greater_equal(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def greater_equal(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def greater_equal_(input: T, other: Operand) -> T: ...
@overload
def gt(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def gt(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def gt_(input: T, other: Operand) -> T: ...
def isfinite(input: T) -> T: ...
def isinf(input: T) -> T: ...
def isnan(input: T) -> T: ...
def isneginf(input: T, *, out: TensorBase | None = None) -> T: ...
def isposinf(input: T, *, out: TensorBase | None = None) -> T: ...
def isreal(input: T) -> T: ...
@overload
def le(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def le(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def le_(input: T, other: Operand) -> T: ...
@overload
def less(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def less(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def less_(input: T, other: Operand) -> T: ...
@overload
def less_equal(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def less_equal(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def less_equal_(input: T, other: Operand) -> T: ...
@overload
def logical_and(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def logical_and(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def logical_and_(input: T, other: Operand) -> T: ...
def logical_not(input: T, *, out: TensorBase | None = None) -> T: ...
def logical_not_(input: T) -> T: ...
@overload
def logical_or(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def logical_or(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def logical_or_(input: T, other: Operand) -> T: ...
@overload
def logical_xor(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def logical_xor(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def logical_xor_(input: T, other: Operand) -> T: ...
@overload
def lt(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def lt(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def lt_(input: T, other: Operand) -> T: ...
@overload
def ne(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def ne(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def ne_(input: T, other: Operand) -> T: ...
@overload
def not_equal(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def not_equal(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def not_equal_(input: T, other: Operand) -> T: ...
def signbit(input: T, *, out: TensorBase | None = None) -> T: ...
@overload
def floor_divide(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def floor_divide(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def floor_divide_(input: T, other: Operand) -> T: ...
@overload
def gcd(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def gcd(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def gcd_(input: T, other: Operand) -> T: ...
@overload
def lcm(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def lcm(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def lcm_(input: T, other: Operand) -> T: ...
def reciprocal(input: T, *, out: TensorBase | None = None) -> T: ...
def reciprocal_(input: T) -> T: ...
def abs(input: T, *, out: TensorBase | None = None) -> T: ...
def abs_(input: T) -> T: ...
def absolute(input: T, *, out: TensorBase | None = None) -> T: ...
def absolute_(input: T) -> T: ...
@overload
def copysign(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def copysign(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def copysign_(input: T, other: Operand) -> T: ...
def exp(input: T, *, out: TensorBase | None = None) -> T: ...
def exp2(input: T, *, out: TensorBase | None = None) -> T: ...
def exp2_(input: T) -> T: ...
def exp_(input: T) -> T: ...
def expm1(input: T, *, out: TensorBase | None = None) -> T: ...
def expm1_(input: T) -> T: ...
@overload
def ldexp(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def ldexp(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def ldexp_(input: T, other: Operand) -> T: ...
def log(input: T, *, out: TensorBase | None = None) -> T: ...
def log10(input: T, *, out: TensorBase | None = None) -> T: ...
def log10_(input: T) -> T: ...
def log1p(input: T, *, out: TensorBase | None = None) -> T: ...
def log1p_(input: T) -> T: ...
def log2(input: T, *, out: TensorBase | None = None) -> T: ...
def log2_(input: T) -> T: ...
def log_(input: T) -> T: ...
@overload
def mul(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def mul(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def mul_(input: T, other: Operand) -> T: ...
@overload
def multiply(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def multiply(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def multiply_(input: T, other: Operand) -> T: ...
def neg(input: T, *, out: TensorBase | None = None) -> T: ...
def neg_(input: T) -> T: ...
def negative(input: T, *, out: TensorBase | None = None) -> T: ...
def negative_(input: T) -> T: ...
@overload
def nextafter(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def nextafter(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def nextafter_(input: T, other: Operand) -> T: ...
def rsqrt(input: T, *, out: TensorBase | None = None) -> T: ...
def rsqrt_(input: T) -> T: ...
def sgn(input: T, *, out: TensorBase | None = None) -> T: ...
def sgn_(input: T) -> T: ...
def sign(input: T, *, out: TensorBase | None = None) -> T: ...
def sign_(input: T) -> T: ...
def sqrt(input: T, *, out: TensorBase | None = None) -> T: ...
def sqrt_(input: T) -> T: ...
def square(input: T, *, out: TensorBase | None = None) -> T: ...
def ceil(input: T, *, out: TensorBase | None = None) -> T: ...
def ceil_(input: T) -> T: ...
def fix(input: T, *, out: TensorBase | None = None) -> T: ...
def fix_(input: T) -> T: ...
def floor(input: T, *, out: TensorBase | None = None) -> T: ...
def floor_(input: T) -> T: ...
def frac(input: T, *, out: TensorBase | None = None) -> T: ...
def frac_(input: T) -> T: ...
def trunc(input: T, *, out: TensorBase | None = None) -> T: ...
def trunc_(input: T) -> T: ...
@overload
def fmax(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def fmax(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
@overload
def fmin(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def fmin(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
@overload
def maximum(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def maximum(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
@overload
def minimum(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def minimum(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def erf(input: T, *, out: TensorBase | None = None) -> T: ...
def erf_(input: T) -> T: ...
def erfc(input: T, *, out: TensorBase | None = None) -> T: ...
def erfc_(input: T) -> T: ...
def erfinv(input: T, *, out: TensorBase | None = None) -> T: ...
def erfinv_(input: T) -> T: ...
@overload
def logaddexp(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def logaddexp(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
@overload
def logaddexp2(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def logaddexp2(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def sigmoid(input: T, *, out: TensorBase | None = None) -> T: ...
def sigmoid_(input: T) -> T: ...
@overload
def xlogy(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def xlogy(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def xlogy_(input: T, other: Operand) -> T: ...
def acos(input: T, *, out: TensorBase | None = None) -> T: ...
def acos_(input: T) -> T: ...
def acosh(input: T, *, out: TensorBase | None = None) -> T: ...
def acosh_(input: T) -> T: ...
def arccos(input: T, *, out: TensorBase | None = None) -> T: ...
def arccos_(input: T) -> T: ...
def arccosh(input: T, *, out: TensorBase | None = None) -> T: ...
def arccosh_(input: T) -> T: ...
def arcsin(input: T, *, out: TensorBase | None = None) -> T: ...
def arcsin_(input: T) -> T: ...
def arcsinh(input: T, *, out: TensorBase | None = None) -> T: ...
def arcsinh_(input: T) -> T: ...
def arctan(input: T, *, out: TensorBase | None = None) -> T: ...
@overload
def arctan2(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def arctan2(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def arctan2_(input: T, other: Operand) -> T: ...
def arctan_(input: T) -> T: ...
def arctanh(input: T, *, out: TensorBase | None = None) -> T: ...
def arctanh_(input: T) -> T: ...
def asin(input: T, *, out: TensorBase | None = None) -> T: ...
def asin_(input: T) -> T: ...
def asinh(input: T, *, out: TensorBase | None = None) -> T: ...
def asinh_(input: T) -> T: ...
def atan(input: T, *, out: TensorBase | None = None) -> T: ...
@overload
def atan2(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def atan2(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def atan2_(input: T, other: Operand) -> T: ...
def atan_(input: T) -> T: ...
def atanh(input: T, *, out: TensorBase | None = None) -> T: ...
def atanh_(input: T) -> T: ...
def cos(input: T, *, out: TensorBase | None = None) -> T: ...
def cos_(input: T) -> T: ...
def cosh(input: T, *, out: TensorBase | None = None) -> T: ...
def cosh_(input: T) -> T: ...
def deg2rad(input: T, *, out: TensorBase | None = None) -> T: ...
def deg2rad_(input: T) -> T: ...
@overload
def hypot(input: T, other: Operand, *, out: TensorBase | None = None) -> T: ...
@overload
def hypot(input: Scalar, other: T, *, out: TensorBase | None = None) -> T: ...
def hypot_(input: T, other: Operand) -> T: ...
def rad2deg(input: T, *, out: TensorBase | None = None) -> T: ...
def rad2deg_(input: T) -> T: ...
def sin(input: T, *, out: TensorBase | None = None) -> T: ...
def sin_(input: T) -> T: ...
def sinc(input: T, *, out: TensorBase | None = None) -> T: ...
def sinc_(input: T) -> T: ...
def sinh(input: T, *, out: TensorBase | None = None) -> T: ...
def sinh_(input: T) -> T: ...
def tan(input: T, *, out: TensorBase | None = None) -> T: ...
def tan_(input: T) -> T: ...
def tanh(input: T, *, out: TensorBase | None = None) -> T: ...
def tanh_(input: T) -> T: ...

__all__ = [
    "abs",
    "abs_",
    "absolute",
    "acos",
    "acos_",
    "acosh",
    "acosh_",
    "add",
    "addbmm",
    "addcdiv",
    "addcmul",
    "addmm",
    "addmv",
    "addmv_",
    "addr",
    "adjoint",
    "all",
    "allclose",
    "alpha_dropout",
    "amax",
    "amin",
    "aminmax",
    "any",
    "arccos",
    "arccos_",
    "arccosh",
    "arccosh_",
    "arcsin",
    "arcsin_",
    "arcsinh",
    "arcsinh_",
    "arctan",
    "arctan2",
    "arctan_",
    "arctanh",
    "arctanh_",
    "argmax",
    "argmin",
    "argsort",
    "argwhere",
    "as_strided",
    "asin",
    "asin_",
    "asinh",
    "asinh_",
    "atan",
    "atan2",
    "atan_",
    "atanh",
    "atanh_",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "baddbmm",
    "bernoulli",
    "bilinear",
    "binary_cross_entropy_with_logits",
    "bincount",
    "bitwise_and",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "bmm",
    "broadcast_shapes",
    "broadcast_tensors",
    "broadcast_to",
    "bucketize",
    "cat",
    "ceil",
    "ceil_",
    "celu",
    "celu_",
    "chain_matmul",
    "cholesky",
    "chunk",
    "clamp",
    "clamp_",
    "clamp_max",
    "clamp_max_",
    "clamp_min",
    "clamp_min_",
    "clip",
    "clip_",
    "clone",
    "column_stack",
    "concat",
    "concatenate",
    "conj",
    "conj_physical",
    "copysign",
    "cos",
    "cos_",
    "cosh",
    "cosh_",
    "cosine_embedding_loss",
    "cosine_similarity",
    "count_nonzero",
    "cross",
    "cummax",
    "cummin",
    "cumprod",
    "cumsum",
    "deg2rad",
    "deg2rad_",
    "det",
    "detach",
    "diag",
    "diag_embed",
    "diagflat",
    "diagonal",
    "diff",
    "dist",
    "div",
    "divide",
    "dot",
    "dropout",
    "dsplit",
    "dstack",
    "einsum",
    "embedding",
    "eq",
    "equal",
    "erf",
    "erf_",
    "erfc",
    "erfc_",
    "erfinv",
    "exp",
    "exp2",
    "exp2_",
    "exp_",
    "expm1",
    "expm1_",
    "feature_alpha_dropout",
    "feature_dropout",
    "fill",
    "fill_",
    "fix",
    "fix_",
    "flatten",
    "flip",
    "fliplr",
    "flipud",
    "float_power",
    "floor",
    "floor_",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "frac",
    "frac_",
    "gather",
    "gcd",
    "gcd_",
    "ge",
    "ger",
    "get_rng_state",
    "greater",
    "greater_equal",
    "gt",
    "hardshrink",
    "heaviside",
    "hinge_embedding_loss",
    "histc",
    "hsplit",
    "hstack",
    "hypot",
    "index_add",
    "index_copy",
    "index_fill",
    "index_put",
    "index_put_",
    "index_select",
    "initial_seed",
    "inner",
    "inverse",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "isreal",
    "kl_div",
    "kron",
    "kthvalue",
    "layer_norm",
    "lcm",
    "lcm_",
    "ldexp",
    "ldexp_",
    "le",
    "lerp",
    "less",
    "less_equal",
    "log",
    "log10",
    "log10_",
    "log1p",
    "log1p_",
    "log2",
    "log2_",
    "log_",
    "log_softmax",
    "logaddexp",
    "logaddexp2",
    "logcumsumexp",
    "logdet",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "logit",
    "logit_",
    "logsumexp",
    "lt",
    "manual_seed",
    "margin_ranking_loss",
    "masked_fill",
    "masked_scatter",
    "masked_select",
    "matmul",
    "matrix_power",
    "max",
    "maximum",
    "mean",
    "median",
    "meshgrid",
    "min",
    "minimum",
    "mm",
    "mode",
    "moveaxis",
    "movedim",
    "msort",
    "mul",
    "multinomial",
    "multiply",
    "mv",
    "nan_to_num",
    "nan_to_num_",
    "nanmean",
    "nanmedian",
    "nansum",
    "narrow",
    "ne",
    "neg",
    "neg_",
    "negative",
    "negative_",
    "nextafter",
    "nonzero",
    "norm",
    "not_equal",
    "numel",
    "outer",
    "pairwise_distance",
    "permute",
    "pinverse",
    "poisson",
    "poisson_nll_loss",
    "positive",
    "pow",
    "prelu",
    "prod",
    "put",
    "rad2deg",
    "rad2deg_",
    "ravel",
    "real",
    "reciprocal",
    "reciprocal_",
    "relu",
    "relu_",
    "remainder",
    "repeat_interleave",
    "reshape",
    "resolve_conj",
    "resolve_neg",
    "rms_norm",
    "roll",
    "rot90",
    "round",
    "round_",
    "row_stack",
    "rsqrt",
    "rsqrt_",
    "rsub",
    "scatter",
    "scatter_add",
    "scatter_reduce",
    "searchsorted",
    "seed",
    "select",
    "selu",
    "selu_",
    "set_rng_state",
    "sgn",
    "sigmoid",
    "sigmoid_",
    "sign",
    "signbit",
    "sin",
    "sin_",
    "sinc",
    "sinc_",
    "sinh",
    "sinh_",
    "slogdet",
    "softmax",
    "sort",
    "split",
    "split_with_sizes",
    "sqrt",
    "sqrt_",
    "square",
    "square_",
    "squeeze",
    "stack",
    "std",
    "std_mean",
    "sub",
    "subtract",
    "sum",
    "swapaxes",
    "swapdims",
    "t",
    "take",
    "take_along_dim",
    "tan",
    "tan_",
    "tanh",
    "tanh_",
    "tensor_split",
    "tensordot",
    "threshold",
    "threshold_",
    "tile",
    "topk",
    "trace",
    "transpose",
    "tril",
    "triplet_margin_loss",
    "triu",
    "true_divide",
    "trunc",
    "trunc_",
    "unbind",
    "unflatten",
    "unique",
    "unique_consecutive",
    "unsqueeze",
    "var",
    "var_mean",
    "vdot",
    "vsplit",
    "vstack",
    "where",
    "xlogy",
    "xlogy_",
    "zero_",
]
