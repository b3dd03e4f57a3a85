"""Written by tools/stubs.py."""

from collections.abc import Callable, Sequence
from typing import Any

from npg.functional._types import Dims, Scalar, Sizes
from npg.functional.generator import Generator
from npg.tensor import Tensor

def adaptive_avg_pool1d(input: Tensor, output_size: Dims) -> Tensor:
    """Return the averages of windows that cover signals, as equal as can be."""

def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """Return the averages of windows that cover images, as equal as can be; see adaptive_avg_pool1d."""

def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """Return the averages of windows that cover volumes, as equal as can be; see adaptive_avg_pool1d."""

def adaptive_max_pool1d(input: Tensor, output_size: Dims, return_indices: bool = False) -> Any:
    """Return the largest numbers of windows that cover signals, as equal as can be."""

def adaptive_max_pool1d_with_indices(
    input: Tensor, output_size: Dims, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """Return the largest numbers of windows that cover signals, and their places."""

def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Return the largest numbers of windows that cover images, as equal as can be."""

def adaptive_max_pool2d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """Return the largest numbers of windows that cover images, and their places."""

def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Return the largest numbers of windows that cover volumes, as equal as can be."""

def adaptive_max_pool3d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """Return the largest numbers of windows that cover volumes, and their places."""

def affine_grid(theta: Tensor, size: Sizes, align_corners: bool | None = None) -> Tensor:
    """Return where affine maps take the pixels of images: grids for grid_sample."""

def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Return the input with elements at random set to SELU's lower limit, then scaled and shifted."""

def avg_pool1d(
    input: Tensor,
    kernel_size: Dims,
    stride: Dims | None = None,
    padding: Dims = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Return the average of each window over signals."""

def avg_pool2d(
    input: Tensor,
    kernel_size: Dims,
    stride: Dims | None = None,
    padding: Dims = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """Return the average of each window over images."""

def avg_pool3d(
    input: Tensor,
    kernel_size: Dims,
    stride: Dims | None = None,
    padding: Dims = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """Return the average of each window over volumes."""

def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-05,
) -> Tensor:
    """Return (input - mean) / sqrt(var + eps) * weight + bias for each channel."""

def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return input1 weight[k] input2^T for each k, plus bias."""

def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return -(target log(input) + (1 - target) log(1 - input)) weight, with logarithms of at least -100."""

def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Return the binary cross-entropy of sigmoid(input), computed without overflow."""

def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Return max(0, input) + min(0, alpha * (exp(input / alpha) - 1))."""

def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """Apply celu in place. Source: torch.celu_."""

def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Return images with the channels of several groups interleaved."""

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

def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return 1 - cos(input1, input2) where target is 1, and max(0, cos - margin) where it is -1."""

def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-08) -> Tensor:
    """Return x1 x2 / (max(|x1|, eps) max(|x2|, eps)), product and norms over a dimension."""

def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return the cross-entropy between softmax(input) and the target."""

def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """Return the negative logarithm of the probability of labels, however they are spread over the frames."""

def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Return the input with elements zeroed at random and the others divided by 1 - p."""

def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Return the input, (N, C, L) or (C, L), with whole channels zeroed at random."""

def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Return the input (N, C, H, W) with whole channels zeroed at random."""

def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Return the input, (N, C, D, H, W) or (C, D, H, W), with whole channels zeroed at random."""

def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Return input where it is positive, else alpha * (exp(input) - 1). Source: torch.nn.functional.elu."""

def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """Apply elu in place. Source: torch.nn.functional.elu_."""

def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Return the rows of weight at the indices."""

def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Return the sums, means or maxima of bags of rows of a table."""

def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Apply alpha_dropout to whole channels of (N, C, ...). Source: torch.nn.functional.feature_alpha_dropout."""

def fold(
    input: Tensor,
    output_size: int | tuple[int, ...] | list[int],
    kernel_size: int | tuple[int, ...] | list[int],
    dilation: int | tuple[int, ...] | list[int] = 1,
    padding: int | tuple[int, ...] | list[int] = 0,
    stride: int | tuple[int, ...] | list[int] = 1,
) -> Tensor:
    """Return images with columns added up where a sliding kernel lies (col2im): the adjoint of unfold."""

def fractional_max_pool2d(
    input: Tensor,
    kernel_size: Dims,
    output_size: Dims | None = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """Return the largest numbers of windows at pseudo-random distances over images."""

def fractional_max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Dims,
    output_size: Dims | None = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the largest numbers of windows at pseudo-random distances over images, and their places."""

def fractional_max_pool3d(
    input: Tensor,
    kernel_size: Dims,
    output_size: Dims | None = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """Return the largest numbers of windows at pseudo-random distances over volumes."""

def fractional_max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Dims,
    output_size: Dims | None = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the largest numbers of windows at pseudo-random distances over volumes, and their places."""

def gaussian_nll_loss(
    input: Tensor, target: Tensor, var: Any, full: bool = False, eps: float = 1e-06, reduction: str = "mean"
) -> Tensor:
    """Return the negative log-likelihood under normal distributions: (log(var) + (input - target)^2 / var) / 2."""

def gelu(input: Tensor, *, approximate: str = "none", out: Any = None) -> Tensor:
    """Return input * Phi(input), Phi the normal distribution function."""

def glu(input: Tensor, dim: int = -1) -> Tensor:
    """Return the first half of the input along dim times the sigmoid of the second."""

def grid_sample(
    input: Tensor, grid: Tensor, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool | None = None
) -> Tensor:
    """Return images read at the places of a grid."""

def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-05
) -> Tensor:
    """Return (input - mean) / sqrt(var + eps) * weight + bias, moments of each group of channels of an image."""

def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """Return a sample from the Gumbel-softmax distribution: softmax((logits + noise) / tau)."""

def hardshrink(input: Tensor, lambd: float = 0.5, *, out: Any = None) -> Tensor:
    """Return the input, 0 within [-lambd, lambd]."""

def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """Return min(max(input + 3, 0), 6) / 6. Source: torch.nn.functional.hardsigmoid."""

def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """Return input * min(max(input + 3, 0), 6) / 6. Source: torch.nn.functional.hardswish."""

def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """Return the input limited to [min_val, max_val]; the gradient at the limits is 0."""

def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """Apply hardtanh in place. Source: torch.nn.functional.hardtanh_."""

def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return input where target is 1, and max(0, margin - input) where it is -1."""

def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """Return d^2 / 2 where d = |input - target| < delta, else delta (d - delta / 2)."""

def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-05,
) -> Tensor:
    """Return (input - mean) / sqrt(var + eps) * weight + bias for each channel of each image."""

def interpolate(
    input: Tensor,
    size: Dims | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Return images of another size."""

def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """Return the Kullback-Leibler divergence, elementwise target (log(target) - input)."""

def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Return |input - target|. Args as in mse_loss. Source: torch.nn.functional.l1_loss."""

def layer_norm(
    input: Tensor, normalized_shape: Sizes, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-05
) -> Tensor:
    """Return (input - mean) / sqrt(var + eps) * weight + bias, mean and variance over the last dimensions."""

def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """Return input where it is positive, else negative_slope * input. Source: torch.nn.functional.leaky_relu."""

def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """Apply leaky_relu in place. Source: torch.nn.functional.leaky_relu_."""

def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return input weight^T + bias."""

def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: Any = None,
) -> Tensor:
    """Return cross_entropy(linear(input, linear_weight, linear_bias), target)."""

def local_response_norm(input: Tensor, size: int, alpha: float = 0.0001, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """Return input / (k + alpha mean(input^2))^beta, the mean over `size` channels around each one."""

def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """Return the logarithm of softmax, computed without overflow."""

def logsigmoid(input: Tensor, *, out: Any = None) -> Tensor:
    """Return log(sigmoid(input)). Source: torch.nn.functional.logsigmoid."""

def lp_pool1d(
    input: Tensor, norm_type: int | float, kernel_size: int, stride: Dims | None = None, ceil_mode: bool = False
) -> Tensor:
    """Return (sum of x^p)^(1/p) of each window over signals."""

def lp_pool2d(
    input: Tensor, norm_type: int | float, kernel_size: Dims, stride: Dims | None = None, ceil_mode: bool = False
) -> Tensor:
    """Return (sum of x^p)^(1/p) of each window over images."""

def lp_pool3d(
    input: Tensor, norm_type: int | float, kernel_size: Dims, stride: Dims | None = None, ceil_mode: bool = False
) -> Tensor:
    """Return (sum of x^p)^(1/p) of each window over volumes."""

def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return max(0, -target (input1 - input2) + margin): target 1 means that input1 should be larger."""

def max_pool1d(
    input: Tensor,
    kernel_size: Dims,
    stride: Dims | None = None,
    padding: Dims = 0,
    dilation: Dims = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the largest number of each window over signals."""

def max_pool1d_with_indices(
    input: Tensor,
    kernel_size: Dims,
    stride: Dims | None = None,
    padding: Dims = 0,
    dilation: Dims = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return the largest number of each window over signals, and its place."""

def max_pool2d(
    input: Tensor,
    kernel_size: Dims,
    stride: Dims | None = None,
    padding: Dims = 0,
    dilation: Dims = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the largest number of each window over images."""

def max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Dims,
    stride: Dims | None = None,
    padding: Dims = 0,
    dilation: Dims = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return the largest number of each window over images, and its place."""

def max_pool3d(
    input: Tensor,
    kernel_size: Dims,
    stride: Dims | None = None,
    padding: Dims = 0,
    dilation: Dims = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the largest number of each window over volumes."""

def max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Dims,
    stride: Dims | None = None,
    padding: Dims = 0,
    dilation: Dims = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return the largest number of each window over volumes, and its place."""

def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Dims,
    stride: Dims | None = None,
    padding: Dims = 0,
    output_size: Any = None,
) -> Tensor:
    """Return signals of zeros with numbers at their places: max_pool1d undone."""

def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Dims,
    stride: Dims | None = None,
    padding: Dims = 0,
    output_size: Any = None,
) -> Tensor:
    """Return images of zeros with numbers at their places: max_pool2d undone."""

def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Dims,
    stride: Dims | None = None,
    padding: Dims = 0,
    output_size: Any = None,
) -> Tensor:
    """Return volumes of zeros with numbers at their places: max_pool3d undone."""

def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """Return input * tanh(softplus(input)). Source: torch.nn.functional.mish."""

def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Return (input - target)^2."""

def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Project queries, keys and values, let each head attend, and project the heads' outputs."""

def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the sum over the other classes j of max(0, margin - input[target] + input[j])^p, divided by C."""

def multilabel_margin_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
) -> Tensor:
    """Return the sum over target classes i and others j of max(0, 1 - input[i] + input[j]), divided by C."""

def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean over classes of -(target log(sigmoid(input)) + (1 - target) log(sigmoid(-input)))."""

def native_channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Return images with the channels of several groups interleaved, as channel_shuffle."""

def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the negative log-likelihood: -weight[target] * input[target]."""

def normalize(input: Tensor, p: float = 2.0, dim: Dims = 1, eps: float = 1e-12, out: Any = None) -> Tensor:
    """Return input / max(norm(input, p), eps), the norm over a dimension."""

def one_hot(input: Tensor, num_classes: int = -1) -> Tensor:
    """Return zeros with a one at each class."""

def pad(input: Tensor, pad: Sizes, mode: str = "constant", value: Scalar | None = None) -> Tensor:
    """Return the input padded before and after the last dimensions; negative numbers remove elements."""

def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-06, keepdim: bool = False) -> Tensor:
    """Return the norm of x1 - x2 + eps over the last dimension."""

def pdist(input: Tensor, p: float = 2) -> Tensor:
    """Return the p-norms of the differences between the rows of a matrix, each pair once."""

def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Return images r times as high and wide, each block of r x r pixels made of r^2 channels."""

def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Return images whose pixels are blocks of r x r pixels, as r^2 channels: undoes pixel_shuffle."""

def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-08,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the negative log-likelihood of the target under Poisson distributions."""

def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """Return input where it is positive, else weight * input."""

def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return max(input, 0)."""

def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """Return the input limited to [0, 6]. Source: torch.nn.functional.relu6."""

def relu_(input: Tensor) -> Tensor:
    """Apply relu in place. Source: torch.relu_."""

def rms_norm(input: Tensor, normalized_shape: Sizes, weight: Tensor | None = None, eps: float | None = None) -> Tensor:
    """Return input / sqrt(mean(input^2) + eps) * weight, the mean over the last dimensions."""

def rrelu(
    input: Tensor,
    lower: float = 0.125,
    upper: float = 0.3333333333333333,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """Return torch.rrelu(input, lower, upper, training); inplace: write into input."""

def rrelu_(
    input: Tensor,
    lower: float = 0.125,
    upper: float = 0.3333333333333333,
    training: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Apply rrelu in place. Source: torch.rrelu_."""

def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Return softmax(query key^T scale + mask) value."""

def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return torch.selu(input). Source: torch.nn.functional.selu."""

def selu_(input: Tensor) -> Tensor:
    """Apply selu in place. Source: torch.selu_."""

def sigmoid(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return 1 / (1 + exp(-input))."""

def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return input * sigmoid(input). Source: torch.nn.functional.silu."""

def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """Return d^2 / (2 beta) where d = |input - target| < beta, else d - beta / 2."""

def soft_margin_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
) -> Tensor:
    """Return log(1 + exp(-target input))."""

def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """Return exp(input) / sum(exp(input)) over a dimension."""

def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """Return softmax(-input). Args as in softmax. Source: torch.nn.functional.softmin."""

def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0, *, out: Any = None) -> Tensor:
    """Return log(1 + exp(beta * input)) / beta, or the input where beta * input > threshold."""

def softshrink(input: Tensor, lambd: float = 0.5, *, out: Any = None) -> Tensor:
    """Return the input shrunk by lambd towards 0, 0 within [-lambd, lambd]."""

def softsign(input: Tensor) -> Tensor:
    """Return input / (1 + |input|). Source: torch.nn.functional.softsign."""

def tanh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the hyperbolic tangent of each element."""

def tanhshrink(input: Tensor) -> Tensor:
    """Return input - tanh(input). Source: torch.nn.functional.tanhshrink."""

def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """Return the input where it is above threshold, else value."""

def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """Apply threshold in place. Source: torch.threshold_."""

def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-06,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return max(0, d(anchor, positive) - d(anchor, negative) + margin), d the pairwise distance."""

def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """Return triplet_margin_loss with another distance: a function of two tensors, None for pairwise_distance."""

def unfold(
    input: Tensor,
    kernel_size: int | tuple[int, ...] | list[int],
    dilation: int | tuple[int, ...] | list[int] = 1,
    padding: int | tuple[int, ...] | list[int] = 0,
    stride: int | tuple[int, ...] | list[int] = 1,
) -> Tensor:
    """Return the blocks that a kernel slides over, as columns (im2col)."""

def upsample(
    input: Tensor,
    size: Dims | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """Return images of another size, with a warning: deprecated."""

def upsample_bilinear(
    input: Tensor, size: Dims | None = None, scale_factor: float | Sequence[float] | None = None
) -> Tensor:
    """Return images of another size in mode bilinear with aligned corners, with a warning: deprecated."""

def upsample_nearest(
    input: Tensor, size: Dims | None = None, scale_factor: float | Sequence[float] | None = None
) -> Tensor:
    """Return images of another size in mode nearest, with a warning: deprecated."""
