"""torch.nn.functional: what npg has of it, and nothing else. Where a function stands, npg/functional/nn says."""

import typing as _typing
from importlib import import_module as _import_module

from npg.functional.nn import MODULES as _MODULES

if _typing.TYPE_CHECKING:
    from npg.functional._tensors import (
        celu_ as celu_,
        hardshrink as hardshrink,
        prelu as prelu,
        relu_ as relu_,
        selu_ as selu_,
        sigmoid as sigmoid,
        tanh as tanh,
        threshold_ as threshold_,
    )
    from npg.functional.distance import cosine_similarity as cosine_similarity, pairwise_distance as pairwise_distance
    from npg.functional.linear import bilinear as bilinear
    from npg.functional.nn.activation import *  # noqa: F403
    from npg.functional.nn.attention import *  # noqa: F403
    from npg.functional.nn.classification_loss import *  # noqa: F403
    from npg.functional.nn.dropout import *  # noqa: F403
    from npg.functional.nn.embedding import *  # noqa: F403
    from npg.functional.nn.fold import *  # noqa: F403
    from npg.functional.nn.linear import *  # noqa: F403
    from npg.functional.nn.margin_loss import *  # noqa: F403
    from npg.functional.nn.normalization import *  # noqa: F403
    from npg.functional.nn.padding import *  # noqa: F403
    from npg.functional.nn.regression_loss import *  # noqa: F403
    from npg.functional.nn.softmax import *  # noqa: F403
    from npg.functional.normalization import rms_norm as rms_norm
else:
    __all__ = list(_MODULES)


def __getattr__(name: str) -> _typing.Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'npg.nn.functional' has no attribute {name!r}")
    function = globals()[name] = getattr(_import_module(_MODULES[name]), name)
    return function


def __dir__() -> list[str]:
    return sorted(_MODULES)
