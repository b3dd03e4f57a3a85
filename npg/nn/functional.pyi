"""Written by tools/stubs.py."""

from npg.functional import sigmoid as sigmoid, tanh as tanh
from npg.functional.activation import (
    celu_ as celu_,
    hardshrink as hardshrink,
    prelu as prelu,
    relu_ as relu_,
    selu_ as selu_,
    threshold_ as threshold_,
)
from npg.functional.distance import cosine_similarity as cosine_similarity, pairwise_distance as pairwise_distance
from npg.functional.linear import bilinear as bilinear
from npg.functional.nn.activation import (
    celu as celu,
    elu as elu,
    elu_ as elu_,
    gelu as gelu,
    glu as glu,
    hardsigmoid as hardsigmoid,
    hardswish as hardswish,
    hardtanh as hardtanh,
    hardtanh_ as hardtanh_,
    leaky_relu as leaky_relu,
    leaky_relu_ as leaky_relu_,
    logsigmoid as logsigmoid,
    mish as mish,
    relu as relu,
    relu6 as relu6,
    selu as selu,
    silu as silu,
    softplus as softplus,
    softshrink as softshrink,
    softsign as softsign,
    tanhshrink as tanhshrink,
    threshold as threshold,
)
from npg.functional.nn.attention import scaled_dot_product_attention as scaled_dot_product_attention
from npg.functional.nn.classification_loss import (
    binary_cross_entropy as binary_cross_entropy,
    binary_cross_entropy_with_logits as binary_cross_entropy_with_logits,
    cross_entropy as cross_entropy,
    nll_loss as nll_loss,
)
from npg.functional.nn.dropout import (
    alpha_dropout as alpha_dropout,
    dropout as dropout,
    dropout1d as dropout1d,
    dropout2d as dropout2d,
    dropout3d as dropout3d,
    feature_alpha_dropout as feature_alpha_dropout,
)
from npg.functional.nn.embedding import embedding as embedding, one_hot as one_hot
from npg.functional.nn.fold import unfold as unfold
from npg.functional.nn.linear import linear as linear
from npg.functional.nn.margin_loss import (
    cosine_embedding_loss as cosine_embedding_loss,
    gaussian_nll_loss as gaussian_nll_loss,
    hinge_embedding_loss as hinge_embedding_loss,
    kl_div as kl_div,
    margin_ranking_loss as margin_ranking_loss,
    multi_margin_loss as multi_margin_loss,
    multilabel_margin_loss as multilabel_margin_loss,
    multilabel_soft_margin_loss as multilabel_soft_margin_loss,
    poisson_nll_loss as poisson_nll_loss,
    soft_margin_loss as soft_margin_loss,
    triplet_margin_loss as triplet_margin_loss,
    triplet_margin_with_distance_loss as triplet_margin_with_distance_loss,
)
from npg.functional.nn.normalization import layer_norm as layer_norm, normalize as normalize
from npg.functional.nn.padding import pad as pad
from npg.functional.nn.regression_loss import (
    huber_loss as huber_loss,
    l1_loss as l1_loss,
    mse_loss as mse_loss,
    smooth_l1_loss as smooth_l1_loss,
)
from npg.functional.nn.softmax import (
    gumbel_softmax as gumbel_softmax,
    log_softmax as log_softmax,
    softmax as softmax,
    softmin as softmin,
)
from npg.functional.normalization import rms_norm as rms_norm
