"""Written by tools/stubs.py."""

from typing import overload

from npg.engine import TensorBase
from npg.functional._types import B, Operand, Scalar
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
def bitwise_and(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def bitwise_and(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def bitwise_and_(input: B, other: Operand) -> B: ...
@overload
def bitwise_left_shift(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def bitwise_left_shift(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def bitwise_left_shift_(input: B, other: Operand) -> B: ...
def bitwise_not(input: B, *, out: TensorBase | None = None) -> B: ...
def bitwise_not_(input: B) -> B: ...
@overload
def bitwise_or(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def bitwise_or(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def bitwise_or_(input: B, other: Operand) -> B: ...
@overload
def bitwise_right_shift(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def bitwise_right_shift(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def bitwise_right_shift_(input: B, other: Operand) -> B: ...
@overload
def bitwise_xor(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def bitwise_xor(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def bitwise_xor_(input: B, other: Operand) -> B: ...
@overload
def eq(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def eq(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def eq_(input: B, other: Operand) -> B: ...
@overload
def ge(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def ge(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def ge_(input: B, other: Operand) -> B: ...
@overload
def greater(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def greater(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def greater_(input: B, other: Operand) -> B: ...
@overload
def greater_equal(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def greater_equal(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def greater_equal_(input: B, other: Operand) -> B: ...
@overload
def gt(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def gt(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def gt_(input: B, other: Operand) -> B: ...
def isfinite(input: B) -> B: ...
def isinf(input: B) -> B: ...
def isnan(input: B) -> B: ...
def isneginf(input: B, *, out: TensorBase | None = None) -> B: ...
def isposinf(input: B, *, out: TensorBase | None = None) -> B: ...
def isreal(input: B) -> B: ...
@overload
def le(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def le(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def le_(input: B, other: Operand) -> B: ...
@overload
def less(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def less(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def less_(input: B, other: Operand) -> B: ...
@overload
def less_equal(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def less_equal(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def less_equal_(input: B, other: Operand) -> B: ...
@overload
def logical_and(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def logical_and(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def logical_and_(input: B, other: Operand) -> B: ...
def logical_not(input: B, *, out: TensorBase | None = None) -> B: ...
def logical_not_(input: B) -> B: ...
@overload
def logical_or(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def logical_or(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def logical_or_(input: B, other: Operand) -> B: ...
@overload
def logical_xor(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def logical_xor(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def logical_xor_(input: B, other: Operand) -> B: ...
@overload
def lt(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def lt(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def lt_(input: B, other: Operand) -> B: ...
@overload
def ne(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def ne(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def ne_(input: B, other: Operand) -> B: ...
@overload
def not_equal(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def not_equal(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def not_equal_(input: B, other: Operand) -> B: ...
def signbit(input: B, *, out: TensorBase | None = None) -> B: ...
@overload
def floor_divide(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def floor_divide(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def floor_divide_(input: B, other: Operand) -> B: ...
@overload
def gcd(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def gcd(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def gcd_(input: B, other: Operand) -> B: ...
@overload
def lcm(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def lcm(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def lcm_(input: B, other: Operand) -> B: ...
def reciprocal(input: B, *, out: TensorBase | None = None) -> B: ...
def reciprocal_(input: B) -> B: ...
def abs(input: B, *, out: TensorBase | None = None) -> B: ...
def abs_(input: B) -> B: ...
def absolute(input: B, *, out: TensorBase | None = None) -> B: ...
def absolute_(input: B) -> B: ...
@overload
def copysign(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def copysign(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def copysign_(input: B, other: Operand) -> B: ...
def exp(input: B, *, out: TensorBase | None = None) -> B: ...
def exp2(input: B, *, out: TensorBase | None = None) -> B: ...
def exp2_(input: B) -> B: ...
def exp_(input: B) -> B: ...
def expm1(input: B, *, out: TensorBase | None = None) -> B: ...
def expm1_(input: B) -> B: ...
@overload
def ldexp(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def ldexp(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def ldexp_(input: B, other: Operand) -> B: ...
def log(input: B, *, out: TensorBase | None = None) -> B: ...
def log10(input: B, *, out: TensorBase | None = None) -> B: ...
def log10_(input: B) -> B: ...
def log1p(input: B, *, out: TensorBase | None = None) -> B: ...
def log1p_(input: B) -> B: ...
def log2(input: B, *, out: TensorBase | None = None) -> B: ...
def log2_(input: B) -> B: ...
def log_(input: B) -> B: ...
@overload
def mul(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def mul(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def mul_(input: B, other: Operand) -> B: ...
@overload
def multiply(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def multiply(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def multiply_(input: B, other: Operand) -> B: ...
def neg(input: B, *, out: TensorBase | None = None) -> B: ...
def neg_(input: B) -> B: ...
def negative(input: B, *, out: TensorBase | None = None) -> B: ...
def negative_(input: B) -> B: ...
@overload
def nextafter(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def nextafter(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def nextafter_(input: B, other: Operand) -> B: ...
def rsqrt(input: B, *, out: TensorBase | None = None) -> B: ...
def rsqrt_(input: B) -> B: ...
def sgn(input: B, *, out: TensorBase | None = None) -> B: ...
def sgn_(input: B) -> B: ...
def sign(input: B, *, out: TensorBase | None = None) -> B: ...
def sign_(input: B) -> B: ...
def sqrt(input: B, *, out: TensorBase | None = None) -> B: ...
def sqrt_(input: B) -> B: ...
def square(input: B, *, out: TensorBase | None = None) -> B: ...
def ceil(input: B, *, out: TensorBase | None = None) -> B: ...
def ceil_(input: B) -> B: ...
def fix(input: B, *, out: TensorBase | None = None) -> B: ...
def fix_(input: B) -> B: ...
def floor(input: B, *, out: TensorBase | None = None) -> B: ...
def floor_(input: B) -> B: ...
def frac(input: B, *, out: TensorBase | None = None) -> B: ...
def frac_(input: B) -> B: ...
def trunc(input: B, *, out: TensorBase | None = None) -> B: ...
def trunc_(input: B) -> B: ...
@overload
def fmax(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def fmax(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
@overload
def fmin(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def fmin(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
@overload
def maximum(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def maximum(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
@overload
def minimum(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def minimum(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def erf(input: B, *, out: TensorBase | None = None) -> B: ...
def erf_(input: B) -> B: ...
def erfc(input: B, *, out: TensorBase | None = None) -> B: ...
def erfc_(input: B) -> B: ...
def erfinv(input: B, *, out: TensorBase | None = None) -> B: ...
def erfinv_(input: B) -> B: ...
@overload
def logaddexp(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def logaddexp(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
@overload
def logaddexp2(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def logaddexp2(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def sigmoid(input: B, *, out: TensorBase | None = None) -> B: ...
def sigmoid_(input: B) -> B: ...
@overload
def xlogy(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def xlogy(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def xlogy_(input: B, other: Operand) -> B: ...
def acos(input: B, *, out: TensorBase | None = None) -> B: ...
def acos_(input: B) -> B: ...
def acosh(input: B, *, out: TensorBase | None = None) -> B: ...
def acosh_(input: B) -> B: ...
def arccos(input: B, *, out: TensorBase | None = None) -> B: ...
def arccos_(input: B) -> B: ...
def arccosh(input: B, *, out: TensorBase | None = None) -> B: ...
def arccosh_(input: B) -> B: ...
def arcsin(input: B, *, out: TensorBase | None = None) -> B: ...
def arcsin_(input: B) -> B: ...
def arcsinh(input: B, *, out: TensorBase | None = None) -> B: ...
def arcsinh_(input: B) -> B: ...
def arctan(input: B, *, out: TensorBase | None = None) -> B: ...
@overload
def arctan2(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def arctan2(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def arctan2_(input: B, other: Operand) -> B: ...
def arctan_(input: B) -> B: ...
def arctanh(input: B, *, out: TensorBase | None = None) -> B: ...
def arctanh_(input: B) -> B: ...
def asin(input: B, *, out: TensorBase | None = None) -> B: ...
def asin_(input: B) -> B: ...
def asinh(input: B, *, out: TensorBase | None = None) -> B: ...
def asinh_(input: B) -> B: ...
def atan(input: B, *, out: TensorBase | None = None) -> B: ...
@overload
def atan2(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def atan2(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def atan2_(input: B, other: Operand) -> B: ...
def atan_(input: B) -> B: ...
def atanh(input: B, *, out: TensorBase | None = None) -> B: ...
def atanh_(input: B) -> B: ...
def cos(input: B, *, out: TensorBase | None = None) -> B: ...
def cos_(input: B) -> B: ...
def cosh(input: B, *, out: TensorBase | None = None) -> B: ...
def cosh_(input: B) -> B: ...
def deg2rad(input: B, *, out: TensorBase | None = None) -> B: ...
def deg2rad_(input: B) -> B: ...
@overload
def hypot(input: B, other: Operand, *, out: TensorBase | None = None) -> B: ...
@overload
def hypot(input: Scalar, other: B, *, out: TensorBase | None = None) -> B: ...
def hypot_(input: B, other: Operand) -> B: ...
def rad2deg(input: B, *, out: TensorBase | None = None) -> B: ...
def rad2deg_(input: B) -> B: ...
def sin(input: B, *, out: TensorBase | None = None) -> B: ...
def sin_(input: B) -> B: ...
def sinc(input: B, *, out: TensorBase | None = None) -> B: ...
def sinc_(input: B) -> B: ...
def sinh(input: B, *, out: TensorBase | None = None) -> B: ...
def sinh_(input: B) -> B: ...
def tan(input: B, *, out: TensorBase | None = None) -> B: ...
def tan_(input: B) -> B: ...
def tanh(input: B, *, out: TensorBase | None = None) -> B: ...
def tanh_(input: B) -> B: ...

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
