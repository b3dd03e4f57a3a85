"""The functions of torch.nn.functional: npg/nn/functional.py is the module that users see.

Here stands what the torch namespace has not, or has with another signature. What both have with one signature is one
object, and stands in npg/functional/.
"""

# The module of each function, which is loaded when the function is first used.
MODULES = {
    name: f"npg.functional.{module}"
    for module, names in {
        "_tensors": "celu_ hardshrink prelu relu_ selu_ sigmoid tanh threshold_",
        "distance": "cosine_similarity pairwise_distance",
        "linear": "bilinear",
        "normalization": "rms_norm",
        "nn.activation": (
            "celu elu elu_ gelu glu hardsigmoid hardswish hardtanh hardtanh_ leaky_relu leaky_relu_ logsigmoid mish "
            "relu relu6 selu silu softplus softshrink softsign tanhshrink threshold"
        ),
        "nn.attention": "scaled_dot_product_attention",
        "nn.classification_loss": "binary_cross_entropy binary_cross_entropy_with_logits cross_entropy nll_loss",
        "nn.dropout": "alpha_dropout dropout dropout1d dropout2d dropout3d feature_alpha_dropout",
        "nn.embedding": "embedding one_hot",
        "nn.fold": "unfold",
        "nn.linear": "linear",
        "nn.margin_loss": (
            "cosine_embedding_loss gaussian_nll_loss hinge_embedding_loss kl_div margin_ranking_loss "
            "multi_margin_loss multilabel_margin_loss multilabel_soft_margin_loss poisson_nll_loss soft_margin_loss "
            "triplet_margin_loss triplet_margin_with_distance_loss"
        ),
        "nn.normalization": "layer_norm normalize",
        "nn.padding": "pad",
        "nn.regression_loss": "huber_loss l1_loss mse_loss smooth_l1_loss",
        "nn.softmax": "gumbel_softmax log_softmax softmax softmin",
    }.items()
    for name in names.split()
}
