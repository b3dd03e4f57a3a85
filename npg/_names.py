"""Written by tools/stubs.py."""

# The functions of torch, by module.
TORCH = {
    "npg.functional.activation": "celu celu_ hardshrink prelu relu relu_ rrelu rrelu_ selu selu_ threshold threshold_",
    "npg.functional.addmm": "addbmm addmm addmv addmv_ addr baddbmm",
    "npg.functional.batchnorm": "batch_norm group_norm instance_norm native_batch_norm",
    "npg.functional.classification_loss": "binary_cross_entropy_with_logits",
    "npg.functional.comparison": (
        "allclose bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor eq equal ge "
        "greater greater_equal gt heaviside isclose isfinite isinf isnan isneginf isposinf isreal le less less_equal "
        "logical_and logical_not logical_or logical_xor lt ne not_equal signbit"
    ),
    "npg.functional.conv": (
        "conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d convolution"
    ),
    "npg.functional.copy": "as_strided clone conj conj_physical detach real resolve_conj resolve_neg",
    "npg.functional.ctc_loss": "ctc_loss",
    "npg.functional.cumulative": "cummax cummin cumprod cumsum diff logcumsumexp",
    "npg.functional.distance": "cdist cosine_similarity pairwise_distance pdist",
    "npg.functional.division": (
        "div divide floor_divide fmod gcd gcd_ lcm lcm_ reciprocal reciprocal_ remainder true_divide"
    ),
    "npg.functional.dropout": "alpha_dropout dropout feature_alpha_dropout feature_dropout",
    "npg.functional.einsum": "einsum tensordot",
    "npg.functional.elementwise": (
        "abs abs_ absolute add addcdiv addcmul copysign exp exp2 exp2_ exp_ expm1 expm1_ float_power ldexp ldexp_ lerp "
        "log log10 log10_ log1p log1p_ log2 log2_ log_ mul multiply neg neg_ negative negative_ nextafter positive pow "
        "rsqrt rsqrt_ rsub sgn sign sqrt sqrt_ square square_ sub subtract"
    ),
    "npg.functional.embedding": "embedding embedding_bag embedding_renorm_",
    "npg.functional.extrema": "amax amin aminmax argmax argmin kthvalue max median min mode nanmedian",
    "npg.functional.fill": "fill fill_ zero_",
    "npg.functional.generator": "get_rng_state initial_seed manual_seed seed set_rng_state",
    "npg.functional.grid_sampler": "affine_grid_generator grid_sampler grid_sampler_2d grid_sampler_3d",
    "npg.functional.householder": "geqrf orgqr",
    "npg.functional.index_select": "index_add index_copy index_fill index_select",
    "npg.functional.indexing": "index_put index_put_",
    "npg.functional.integration": "cumulative_trapezoid trapezoid trapz",
    "npg.functional.joining": (
        "atleast_1d atleast_2d atleast_3d cat column_stack concat concatenate dstack hstack row_stack stack vstack"
    ),
    "npg.functional.linalg": "cholesky",
    "npg.functional.linalg_solvers": "det inverse logdet matrix_power pinverse slogdet",
    "npg.functional.linear": "bilinear",
    "npg.functional.margin_loss": (
        "cosine_embedding_loss hinge_embedding_loss kl_div margin_ranking_loss poisson_nll_loss triplet_margin_loss"
    ),
    "npg.functional.masked": "masked_fill masked_scatter masked_select",
    "npg.functional.matmul": "bmm chain_matmul cross dot ger inner kron matmul mm mv outer vdot",
    "npg.functional.matrix_exp": "matrix_exp",
    "npg.functional.norm": "dist norm norm_except_dim",
    "npg.functional.normalization": "layer_norm rms_norm",
    "npg.functional.padding": "constant_pad_nd",
    "npg.functional.pixelshuffle": "channel_shuffle native_channel_shuffle pixel_shuffle pixel_unshuffle",
    "npg.functional.pooling": (
        "adaptive_avg_pool1d adaptive_max_pool1d avg_pool1d max_pool1d max_pool1d_with_indices max_pool2d max_pool3d"
    ),
    "npg.functional.random": "bernoulli multinomial poisson",
    "npg.functional.rearrange": (
        "diag diag_embed diagflat flip fliplr flipud meshgrid repeat_interleave roll rot90 tile trace tril triu"
    ),
    "npg.functional.reduction": (
        "all any count_nonzero logsumexp mean nanmean nansum prod std std_mean sum var var_mean"
    ),
    "npg.functional.rnn": "gru gru_cell lstm lstm_cell rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell",
    "npg.functional.rounding": (
        "ceil ceil_ fix fix_ floor floor_ frac frac_ nan_to_num nan_to_num_ round round_ trunc trunc_"
    ),
    "npg.functional.scatter": "gather put scatter scatter_add scatter_reduce take take_along_dim",
    "npg.functional.search": "argwhere bincount bucketize histc isin nonzero searchsorted unique unique_consecutive",
    "npg.functional.selection": (
        "clamp clamp_ clamp_max clamp_max_ clamp_min clamp_min_ clip clip_ fmax fmin maximum minimum where"
    ),
    "npg.functional.shape": (
        "broadcast_shapes broadcast_tensors broadcast_to flatten numel ravel reshape squeeze unflatten unsqueeze"
    ),
    "npg.functional.softmax": "log_softmax softmax",
    "npg.functional.sort": "argsort msort sort topk",
    "npg.functional.special": (
        "erf erf_ erfc erfc_ erfinv logaddexp logaddexp2 logit logit_ sigmoid sigmoid_ xlogy xlogy_"
    ),
    "npg.functional.split": (
        "chunk diagonal dsplit hsplit narrow select split split_with_sizes tensor_split unbind vsplit"
    ),
    "npg.functional.transpose": "adjoint moveaxis movedim permute swapaxes swapdims t transpose",
    "npg.functional.trigonometry": (
        "acos acos_ acosh acosh_ arccos arccos_ arccosh arccosh_ arcsin arcsin_ arcsinh arcsinh_ arctan arctan2 "
        "arctan_ arctanh arctanh_ asin asin_ asinh asinh_ atan atan2 atan_ atanh atanh_ cos cos_ cosh cosh_ deg2rad "
        "deg2rad_ hypot rad2deg rad2deg_ sin sin_ sinc sinc_ sinh sinh_ tan tan_ tanh tanh_"
    ),
}
# The functions of torch that make tensors, by module.
CREATION = {
    "npg.creation.data": (
        "as_tensor asarray from_file from_numpy frombuffer scalar_tensor set_default_tensor_type tensor"
    ),
    "npg.creation.filled": (
        "empty empty_like empty_permuted empty_strided eye full full_like ones ones_like tril_indices triu_indices "
        "zeros zeros_like"
    ),
    "npg.creation.predicates": (
        "is_complex is_conj is_floating_point is_inference is_neg is_nonzero is_same_size is_signed is_storage "
        "is_tensor result_type"
    ),
    "npg.creation.random": "normal rand rand_like randint randint_like randn randn_like randperm",
    "npg.creation.ranges": "arange linspace logspace range",
}
# The functions of torch.Tensor, by module.
METHODS = {
    "npg.functional.activation": "hardshrink prelu relu relu_",
    "npg.functional.addmm": "addbmm addbmm_ addmm addmm_ addmv addmv_ addr addr_ baddbmm baddbmm_",
    "npg.functional.comparison": (
        "allclose bitwise_and bitwise_and_ bitwise_left_shift bitwise_left_shift_ bitwise_not bitwise_not_ bitwise_or "
        "bitwise_or_ bitwise_right_shift bitwise_right_shift_ bitwise_xor bitwise_xor_ eq eq_ equal ge ge_ greater "
        "greater_ greater_equal greater_equal_ gt gt_ heaviside heaviside_ isclose isfinite isinf isnan isneginf "
        "isposinf isreal le le_ less less_ less_equal less_equal_ logical_and logical_and_ logical_not logical_not_ "
        "logical_or logical_or_ logical_xor logical_xor_ lt lt_ ne ne_ not_equal not_equal_ signbit"
    ),
    "npg.functional.copy": "as_strided clone conj conj_physical detach resolve_conj resolve_neg",
    "npg.functional.cumulative": "cummax cummin cumprod cumprod_ cumsum cumsum_ diff logcumsumexp",
    "npg.functional.division": (
        "div div_ divide divide_ floor_divide floor_divide_ fmod fmod_ gcd gcd_ lcm lcm_ reciprocal reciprocal_ "
        "remainder remainder_ true_divide true_divide_"
    ),
    "npg.functional.elementwise": (
        "abs abs_ absolute absolute_ add add_ addcdiv addcdiv_ addcmul addcmul_ copysign copysign_ exp exp2 exp2_ exp_ "
        "expm1 expm1_ float_power ldexp ldexp_ lerp lerp_ log log10 log10_ log1p log1p_ log2 log2_ log_ mul mul_ "
        "multiply multiply_ neg neg_ negative negative_ nextafter nextafter_ positive pow pow_ rsqrt rsqrt_ sgn sgn_ "
        "sign sign_ sqrt sqrt_ square square_ sub sub_ subtract subtract_"
    ),
    "npg.functional.extrema": "amax amin aminmax argmax argmin kthvalue max median min mode nanmedian",
    "npg.functional.fill": "fill_ zero_",
    "npg.functional.householder": "geqrf orgqr",
    "npg.functional.index_select": "index_add index_add_ index_copy index_copy_ index_fill index_fill_ index_select",
    "npg.functional.indexing": "copy_ index_put index_put_",
    "npg.functional.linalg": "cholesky",
    "npg.functional.linalg_solvers": "det inverse logdet matrix_power pinverse slogdet",
    "npg.functional.masked": "masked_fill masked_fill_ masked_scatter masked_scatter_ masked_select",
    "npg.functional.matmul": "bmm cross dot ger inner kron matmul mm mv outer vdot",
    "npg.functional.matrix_exp": "matrix_exp",
    "npg.functional.norm": "dist norm",
    "npg.functional.random": (
        "bernoulli bernoulli_ cauchy_ exponential_ geometric_ log_normal_ multinomial normal_ random_ uniform_"
    ),
    "npg.functional.rearrange": (
        "diag diag_embed diagflat flip fliplr flipud repeat repeat_interleave roll rot90 tile trace tril tril_ triu "
        "triu_"
    ),
    "npg.functional.reduction": "all any count_nonzero logsumexp mean nanmean nansum prod std sum sum_to_size var",
    "npg.functional.rounding": (
        "ceil ceil_ fix fix_ floor floor_ frac frac_ nan_to_num nan_to_num_ round round_ trunc trunc_"
    ),
    "npg.functional.scatter": (
        "gather put put_ scatter scatter_ scatter_add scatter_add_ scatter_reduce scatter_reduce_ take take_along_dim"
    ),
    "npg.functional.search": "argwhere bincount histc nonzero unique unique_consecutive",
    "npg.functional.selection": (
        "clamp clamp_ clamp_max clamp_max_ clamp_min clamp_min_ clip clip_ fmax fmin maximum minimum"
    ),
    "npg.functional.shape": (
        "broadcast_to expand expand_as flatten ravel reshape reshape_as squeeze squeeze_ unflatten unsqueeze "
        "unsqueeze_ view view_as"
    ),
    "npg.functional.softmax": "log_softmax softmax",
    "npg.functional.sort": "argsort msort sort topk",
    "npg.functional.special": (
        "erf erf_ erfc erfc_ erfinv erfinv_ logaddexp logaddexp2 logit logit_ sigmoid sigmoid_ xlogy xlogy_"
    ),
    "npg.functional.split": (
        "chunk diagonal dsplit hsplit narrow select split split_with_sizes tensor_split unbind unfold vsplit"
    ),
    "npg.functional.transpose": (
        "adjoint moveaxis movedim permute swapaxes swapaxes_ swapdims swapdims_ t t_ transpose transpose_"
    ),
    "npg.functional.trigonometry": (
        "acos acos_ acosh acosh_ arccos arccos_ arccosh arccosh_ arcsin arcsin_ arcsinh arcsinh_ arctan arctan2 "
        "arctan2_ arctan_ arctanh arctanh_ asin asin_ asinh asinh_ atan atan2 atan2_ atan_ atanh atanh_ cos cos_ cosh "
        "cosh_ deg2rad deg2rad_ hypot hypot_ rad2deg rad2deg_ sin sin_ sinc sinc_ sinh sinh_ tan tan_ tanh tanh_"
    ),
}
# The functions of torch.nn.functional, by module.
NETWORKS = {
    "npg.functional.activation": "celu_ hardshrink prelu relu_ rrelu_ selu_ threshold_",
    "npg.functional.conv": "conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d",
    "npg.functional.distance": "cosine_similarity pairwise_distance pdist",
    "npg.functional.linear": "bilinear",
    "npg.functional.nn.activation": (
        "celu elu elu_ gelu glu hardsigmoid hardswish hardtanh hardtanh_ leaky_relu leaky_relu_ logsigmoid mish relu "
        "relu6 rrelu selu silu softplus softshrink softsign tanhshrink threshold"
    ),
    "npg.functional.nn.attention": "scaled_dot_product_attention",
    "npg.functional.nn.batchnorm": "batch_norm group_norm instance_norm local_response_norm",
    "npg.functional.nn.classification_loss": (
        "binary_cross_entropy binary_cross_entropy_with_logits cross_entropy ctc_loss nll_loss"
    ),
    "npg.functional.nn.dropout": "alpha_dropout dropout dropout1d dropout2d dropout3d feature_alpha_dropout",
    "npg.functional.nn.embedding": "embedding embedding_bag one_hot",
    "npg.functional.nn.fold": "fold unfold",
    "npg.functional.nn.grid_sampler": "affine_grid grid_sample",
    "npg.functional.nn.linear": "linear",
    "npg.functional.nn.linear_cross_entropy": "linear_cross_entropy",
    "npg.functional.nn.margin_loss": (
        "cosine_embedding_loss gaussian_nll_loss hinge_embedding_loss kl_div margin_ranking_loss multi_margin_loss "
        "multilabel_margin_loss multilabel_soft_margin_loss poisson_nll_loss soft_margin_loss triplet_margin_loss "
        "triplet_margin_with_distance_loss"
    ),
    "npg.functional.nn.multi_head_attention": "multi_head_attention_forward",
    "npg.functional.nn.normalization": "layer_norm normalize",
    "npg.functional.nn.padding": "pad",
    "npg.functional.nn.pooling": (
        "adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool1d_with_indices "
        "adaptive_max_pool2d adaptive_max_pool2d_with_indices adaptive_max_pool3d adaptive_max_pool3d_with_indices "
        "avg_pool2d avg_pool3d fractional_max_pool2d fractional_max_pool2d_with_indices fractional_max_pool3d "
        "fractional_max_pool3d_with_indices lp_pool1d lp_pool2d lp_pool3d max_pool1d max_pool1d_with_indices "
        "max_pool2d max_pool2d_with_indices max_pool3d max_pool3d_with_indices max_unpool1d max_unpool2d max_unpool3d"
    ),
    "npg.functional.nn.regression_loss": "huber_loss l1_loss mse_loss smooth_l1_loss",
    "npg.functional.nn.softmax": "gumbel_softmax log_softmax softmax softmin",
    "npg.functional.nn.upsampling": "interpolate upsample upsample_bilinear upsample_nearest",
    "npg.functional.normalization": "rms_norm",
    "npg.functional.pixelshuffle": "channel_shuffle native_channel_shuffle pixel_shuffle pixel_unshuffle",
    "npg.functional.pooling": "adaptive_avg_pool1d avg_pool1d",
    "npg.functional.special": "sigmoid",
    "npg.functional.trigonometry": "tanh",
}
# The functions of other namespaces and of operators, by module.
OTHERS = {
    "npg.functional.indexing": "getitem setitem",
    "npg.functional.reduction": "vector_norm",
    "npg.functional.shape": "contiguous",
}
