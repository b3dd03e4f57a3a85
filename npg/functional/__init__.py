"""Every public function on tensors; also `npg.nn.functional`."""

import typing as _typing
from importlib import import_module as _import_module

from npg.functional import _tensors
from npg.functional._tensors import *  # noqa: F403

# What loads when it is first used: functions that are no methods, most of them of networks, by their module.
# Loaded at once they would be an eighth of the time that `import npg` adds to NumPy's.
_LATER = {
    "attention": ("scaled_dot_product_attention",),
    "comparing_losses": (
        "cosine_embedding_loss",
        "gaussian_nll_loss",
        "hinge_embedding_loss",
        "kl_div",
        "margin_ranking_loss",
        "multi_margin_loss",
        "multilabel_margin_loss",
        "multilabel_soft_margin_loss",
        "poisson_nll_loss",
        "soft_margin_loss",
        "triplet_margin_loss",
        "triplet_margin_with_distance_loss",
    ),
    "contracting": ("einsum", "tensordot"),
    "dropouts": (
        "alpha_dropout",
        "dropout",
        "dropout1d",
        "dropout2d",
        "dropout3d",
        "feature_alpha_dropout",
        "feature_dropout",
    ),
    "losses": (
        "binary_cross_entropy",
        "binary_cross_entropy_with_logits",
        "cross_entropy",
        "huber_loss",
        "l1_loss",
        "mse_loss",
        "nll_loss",
        "smooth_l1_loss",
    ),
    "neural": (
        "bilinear",
        "cosine_similarity",
        "embedding",
        "gelu",
        "layer_norm",
        "linear",
        "normalize",
        "pairwise_distance",
        "rms_norm",
    ),
    "padding": ("pad",),
}
_LAZY = {name: module for module, names in _LATER.items() for name in names}

if _typing.TYPE_CHECKING:
    from npg.functional.attention import *  # noqa: F403
    from npg.functional.comparing_losses import *  # noqa: F403
    from npg.functional.contracting import *  # noqa: F403
    from npg.functional.dropouts import *  # noqa: F403
    from npg.functional.losses import *  # noqa: F403
    from npg.functional.neural import *  # noqa: F403
    from npg.functional.padding import *  # noqa: F403
else:
    __all__ = _tensors.__all__ + list(_LAZY)


def __getattr__(name: str) -> _typing.Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'npg.nn.functional' has no attribute {name!r}")
    found = globals()[name] = getattr(_import_module(f"npg.functional.{_LAZY[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted(__all__)  # type: ignore[name-defined]  # see above
