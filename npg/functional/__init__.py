"""Every public function on tensors; also `npg.nn.functional`."""

import sys as _sys
import typing as _typing
from importlib import import_module as _import_module

from npg.functional import _tensors
from npg.functional._tensors import *  # noqa: F403

# What loads when it is first used: functions that are no methods, most of them of networks, by their module.
# Loaded at once they would be an eighth of the time that `import npg` adds to NumPy's.
_LATER = {
    "attention": ("scaled_dot_product_attention",),
    "classification_loss": ("binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "nll_loss"),
    "distance": ("cosine_similarity", "pairwise_distance"),
    "dropout": (
        "alpha_dropout",
        "dropout",
        "dropout1d",
        "dropout2d",
        "dropout3d",
        "feature_alpha_dropout",
        "feature_dropout",
    ),
    "einsum": ("einsum", "tensordot"),
    "embedding": ("embedding",),
    "linear": ("bilinear", "linear"),
    "margin_loss": (
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
    "normalization": ("layer_norm", "normalize", "rms_norm"),
    "padding": ("pad",),
    "regression_loss": ("huber_loss", "l1_loss", "mse_loss", "smooth_l1_loss"),
}
_LAZY = {name: module for module, names in _LATER.items() for name in names}

if _typing.TYPE_CHECKING:
    from npg.functional.attention import *  # noqa: F403
    from npg.functional.classification_loss import *  # noqa: F403
    from npg.functional.distance import *  # noqa: F403
    from npg.functional.dropout import *  # noqa: F403
    from npg.functional.einsum import *  # noqa: F403
    from npg.functional.embedding import *  # noqa: F403
    from npg.functional.linear import *  # noqa: F403
    from npg.functional.margin_loss import *  # noqa: F403
    from npg.functional.normalization import *  # noqa: F403
    from npg.functional.padding import *  # noqa: F403
    from npg.functional.regression_loss import *  # noqa: F403
else:
    __all__ = _tensors.__all__ + list(_LAZY)


def __getattr__(name: str) -> _typing.Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'npg.nn.functional' has no attribute {name!r}")
    found = globals()[name] = getattr(_import_module(f"npg.functional.{_LAZY[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted(__all__)  # type: ignore[name-defined]  # see above


class _Functions(type(_sys)):  # type: ignore[misc]  # ModuleType
    """A package in which a function keeps its name where a module has the same: linear in linear.py."""

    def __setattr__(self, name: str, value: _typing.Any) -> None:
        if name in _LAZY and isinstance(value, type(_sys)):  # the import system puts modules into packages
            return
        super().__setattr__(name, value)


_sys.modules[__name__].__class__ = _Functions
