"""The methods of Tensor that are functions of npg.functional, one line each: `x.exp()` is `npg.exp(x)`."""

from __future__ import annotations

from npg import functional as F
from npg.engine import TensorBase

__all__ = ["Methods"]


class Methods(TensorBase):
    """What Tensor takes from npg.functional; a function's first parameter is the tensor."""

    # ----- Arithmetic -----

    add = F.add
    add_ = F.add_
    sub = F.sub
    sub_ = F.sub_
    subtract = F.subtract
    subtract_ = F.subtract_
    mul = F.mul
    mul_ = F.mul_
    multiply = F.multiply
    multiply_ = F.multiply_
    div = F.div
    div_ = F.div_
    divide = F.divide
    divide_ = F.divide_
    true_divide = F.true_divide
    true_divide_ = F.true_divide_
    floor_divide = F.floor_divide
    floor_divide_ = F.floor_divide_
    remainder = F.remainder
    remainder_ = F.remainder_
    fmod = F.fmod
    fmod_ = F.fmod_
    pow = F.pow
    pow_ = F.pow_
    float_power = F.float_power
    neg = F.neg
    neg_ = F.neg_
    negative = F.negative
    negative_ = F.negative_
    positive = F.positive
    abs = F.abs
    abs_ = F.abs_
    absolute = F.absolute
    absolute_ = F.absolute_
    reciprocal = F.reciprocal
    reciprocal_ = F.reciprocal_
    square = F.square
    square_ = F.square_
    sqrt = F.sqrt
    sqrt_ = F.sqrt_
    rsqrt = F.rsqrt
    rsqrt_ = F.rsqrt_
    sign = F.sign
    sign_ = F.sign_
    sgn = F.sgn
    sgn_ = F.sgn_
    signbit = F.signbit
    copysign = F.copysign
    copysign_ = F.copysign_
    addcmul = F.addcmul
    addcmul_ = F.addcmul_
    addcdiv = F.addcdiv
    addcdiv_ = F.addcdiv_
    lerp = F.lerp
    lerp_ = F.lerp_
    gcd = F.gcd
    gcd_ = F.gcd_
    lcm = F.lcm
    lcm_ = F.lcm_
    ldexp = F.ldexp
    ldexp_ = F.ldexp_
    nextafter = F.nextafter
    nextafter_ = F.nextafter_
    hypot = F.hypot
    hypot_ = F.hypot_
    heaviside = F.heaviside
    heaviside_ = F.heaviside_

    # ----- Exponentials, logarithms, trigonometry -----

    exp = F.exp
    exp_ = F.exp_
    exp2 = F.exp2
    exp2_ = F.exp2_
    expm1 = F.expm1
    expm1_ = F.expm1_
    log = F.log
    log_ = F.log_
    log2 = F.log2
    log2_ = F.log2_
    log10 = F.log10
    log10_ = F.log10_
    log1p = F.log1p
    log1p_ = F.log1p_
    logaddexp = F.logaddexp
    logaddexp2 = F.logaddexp2
    xlogy = F.xlogy
    xlogy_ = F.xlogy_
    sin = F.sin
    sin_ = F.sin_
    cos = F.cos
    cos_ = F.cos_
    tan = F.tan
    tan_ = F.tan_
    asin = F.asin
    asin_ = F.asin_
    arcsin = F.arcsin
    arcsin_ = F.arcsin_
    acos = F.acos
    acos_ = F.acos_
    arccos = F.arccos
    arccos_ = F.arccos_
    atan = F.atan
    atan_ = F.atan_
    arctan = F.arctan
    arctan_ = F.arctan_
    atan2 = F.atan2
    atan2_ = F.atan2_
    arctan2 = F.arctan2
    arctan2_ = F.arctan2_
    sinh = F.sinh
    sinh_ = F.sinh_
    cosh = F.cosh
    cosh_ = F.cosh_
    tanh = F.tanh
    tanh_ = F.tanh_
    asinh = F.asinh
    asinh_ = F.asinh_
    arcsinh = F.arcsinh
    arcsinh_ = F.arcsinh_
    acosh = F.acosh
    acosh_ = F.acosh_
    arccosh = F.arccosh
    arccosh_ = F.arccosh_
    atanh = F.atanh
    atanh_ = F.atanh_
    arctanh = F.arctanh
    arctanh_ = F.arctanh_
    sinc = F.sinc
    sinc_ = F.sinc_
    deg2rad = F.deg2rad
    deg2rad_ = F.deg2rad_
    rad2deg = F.rad2deg
    rad2deg_ = F.rad2deg_
    erf = F.erf
    erf_ = F.erf_
    erfc = F.erfc
    erfc_ = F.erfc_
    erfinv = F.erfinv
    erfinv_ = F.erfinv_

    # ----- Rounding and clamping -----

    floor = F.floor
    floor_ = F.floor_
    ceil = F.ceil
    ceil_ = F.ceil_
    round = F.round
    round_ = F.round_
    trunc = F.trunc
    trunc_ = F.trunc_
    fix = F.fix
    fix_ = F.fix_
    frac = F.frac
    frac_ = F.frac_
    clamp = F.clamp
    clamp_ = F.clamp_
    clip = F.clip
    clip_ = F.clip_
    clamp_min = F.clamp_min
    clamp_min_ = F.clamp_min_
    clamp_max = F.clamp_max
    clamp_max_ = F.clamp_max_
    nan_to_num = F.nan_to_num
    nan_to_num_ = F.nan_to_num_
    maximum = F.maximum
    minimum = F.minimum
    fmax = F.fmax
    fmin = F.fmin

    # ----- Comparisons and logic -----

    eq = F.eq
    eq_ = F.eq_
    ne = F.ne
    ne_ = F.ne_
    not_equal = F.not_equal
    not_equal_ = F.not_equal_
    lt = F.lt
    lt_ = F.lt_
    less = F.less
    less_ = F.less_
    le = F.le
    le_ = F.le_
    less_equal = F.less_equal
    less_equal_ = F.less_equal_
    gt = F.gt
    gt_ = F.gt_
    greater = F.greater
    greater_ = F.greater_
    ge = F.ge
    ge_ = F.ge_
    greater_equal = F.greater_equal
    greater_equal_ = F.greater_equal_
    equal = F.equal
    isclose = F.isclose
    allclose = F.allclose
    isnan = F.isnan
    isinf = F.isinf
    isfinite = F.isfinite
    isposinf = F.isposinf
    isneginf = F.isneginf
    isreal = F.isreal
    logical_and = F.logical_and
    logical_and_ = F.logical_and_
    logical_or = F.logical_or
    logical_or_ = F.logical_or_
    logical_xor = F.logical_xor
    logical_xor_ = F.logical_xor_
    logical_not = F.logical_not
    logical_not_ = F.logical_not_
    bitwise_and = F.bitwise_and
    bitwise_and_ = F.bitwise_and_
    bitwise_or = F.bitwise_or
    bitwise_or_ = F.bitwise_or_
    bitwise_xor = F.bitwise_xor
    bitwise_xor_ = F.bitwise_xor_
    bitwise_not = F.bitwise_not
    bitwise_not_ = F.bitwise_not_
    bitwise_left_shift = F.bitwise_left_shift
    bitwise_left_shift_ = F.bitwise_left_shift_
    bitwise_right_shift = F.bitwise_right_shift
    bitwise_right_shift_ = F.bitwise_right_shift_

    # ----- Activations -----

    sigmoid = F.sigmoid
    sigmoid_ = F.sigmoid_
    relu = F.relu
    relu_ = F.relu_
    softmax = F.softmax
    log_softmax = F.log_softmax
    logit = F.logit
    logit_ = F.logit_
    hardshrink = F.hardshrink
    prelu = F.prelu

    # ----- Reductions -----

    sum = F.sum
    mean = F.mean
    var = F.var
    std = F.std
    prod = F.prod
    max = F.max
    min = F.min
    amax = F.amax
    amin = F.amin
    aminmax = F.aminmax
    argmax = F.argmax
    argmin = F.argmin
    all = F.all
    any = F.any
    norm = F.norm
    logsumexp = F.logsumexp
    median = F.median
    nanmedian = F.nanmedian
    nansum = F.nansum
    nanmean = F.nanmean
    mode = F.mode
    count_nonzero = F.count_nonzero
    cumsum = F.cumsum
    cumsum_ = F.cumsum_
    cumprod = F.cumprod
    cumprod_ = F.cumprod_
    cummax = F.cummax
    cummin = F.cummin
    logcumsumexp = F.logcumsumexp
    diff = F.diff
    dist = F.dist

    # ----- Shapes -----

    view = F.view
    view_as = F.view_as
    reshape = F.reshape
    reshape_as = F.reshape_as
    flatten = F.flatten
    unflatten = F.unflatten
    ravel = F.ravel
    squeeze = F.squeeze
    squeeze_ = F.squeeze_
    unsqueeze = F.unsqueeze
    unsqueeze_ = F.unsqueeze_
    transpose = F.transpose
    transpose_ = F.transpose_
    swapaxes = F.swapaxes
    swapaxes_ = F.swapaxes_
    swapdims = F.swapdims
    swapdims_ = F.swapdims_
    t = F.t
    t_ = F.t_
    permute = F.permute
    movedim = F.movedim
    moveaxis = F.moveaxis
    expand = F.expand
    expand_as = F.expand_as
    broadcast_to = F.broadcast_to
    repeat = F.repeat
    repeat_interleave = F.repeat_interleave
    tile = F.tile
    clone = F.clone
    detach = F.detach
    conj = F.conj
    conj_physical = F.conj_physical
    resolve_conj = F.resolve_conj
    resolve_neg = F.resolve_neg
    as_strided = F.as_strided
    sum_to_size = F.sum_to_size
    split = F.split
    split_with_sizes = F.split_with_sizes
    chunk = F.chunk
    tensor_split = F.tensor_split
    hsplit = F.hsplit
    vsplit = F.vsplit
    dsplit = F.dsplit
    unbind = F.unbind
    flip = F.flip
    fliplr = F.fliplr
    flipud = F.flipud
    roll = F.roll
    rot90 = F.rot90
    tril = F.tril
    tril_ = F.tril_
    triu = F.triu
    triu_ = F.triu_
    diag = F.diag
    diag_embed = F.diag_embed
    diagflat = F.diagflat
    diagonal = F.diagonal
    trace = F.trace
    narrow = F.narrow
    select = F.select
    unfold = F.unfold
    adjoint = F.adjoint

    # ----- Indexing -----

    gather = F.gather
    scatter = F.scatter
    scatter_ = F.scatter_
    scatter_add = F.scatter_add
    scatter_add_ = F.scatter_add_
    scatter_reduce = F.scatter_reduce
    scatter_reduce_ = F.scatter_reduce_
    index_select = F.index_select
    index_add = F.index_add
    index_add_ = F.index_add_
    index_copy = F.index_copy
    index_copy_ = F.index_copy_
    index_fill = F.index_fill
    index_fill_ = F.index_fill_
    index_put = F.index_put
    index_put_ = F.index_put_
    masked_fill = F.masked_fill
    masked_fill_ = F.masked_fill_
    masked_select = F.masked_select
    masked_scatter = F.masked_scatter
    masked_scatter_ = F.masked_scatter_
    take = F.take
    take_along_dim = F.take_along_dim
    put = F.put
    put_ = F.put_
    nonzero = F.nonzero
    argwhere = F.argwhere

    # ----- Sorting and counting -----

    sort = F.sort
    argsort = F.argsort
    msort = F.msort
    topk = F.topk
    kthvalue = F.kthvalue
    unique = F.unique
    unique_consecutive = F.unique_consecutive
    bincount = F.bincount
    histc = F.histc
    searchsorted = F.searchsorted
    bucketize = F.bucketize

    # ----- Linear algebra -----

    matmul = F.matmul
    mm = F.mm
    bmm = F.bmm
    mv = F.mv
    dot = F.dot
    vdot = F.vdot
    inner = F.inner
    outer = F.outer
    ger = F.ger
    kron = F.kron
    cross = F.cross
    addmm = F.addmm
    addmm_ = F.addmm_
    addmv = F.addmv
    addmv_ = F.addmv_
    addbmm = F.addbmm
    addbmm_ = F.addbmm_
    baddbmm = F.baddbmm
    baddbmm_ = F.baddbmm_
    addr = F.addr
    addr_ = F.addr_
    det = F.det
    logdet = F.logdet
    slogdet = F.slogdet
    inverse = F.inverse
    pinverse = F.pinverse
    cholesky = F.cholesky
    matrix_power = F.matrix_power

    # ----- Filling and random numbers -----

    fill_ = F.fill_
    zero_ = F.zero_
    copy_ = F.copy_
    normal_ = F.normal_
    uniform_ = F.uniform_
    bernoulli = F.bernoulli
    bernoulli_ = F.bernoulli_
    exponential_ = F.exponential_
    random_ = F.random_
    cauchy_ = F.cauchy_
    log_normal_ = F.log_normal_
    geometric_ = F.geometric_
    multinomial = F.multinomial
