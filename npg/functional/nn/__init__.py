"""The functions of torch.nn.functional: npg/nn/functional.py is the module that users see.

Here stands what the torch namespace has not, or has with another signature. What both have with one signature is one
object, and stands in npg/functional/.
"""

import sys as _sys
import typing as _typing
from importlib import import_module as _import_module

from npg.functional._public import functions_of as _functions_of
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
from npg.functional.normalization import rms_norm as rms_norm

if _typing.TYPE_CHECKING:
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
else:
    for _name in (
        "activation", "attention", "classification_loss", "dropout", "embedding", "fold", "linear", "margin_loss",
        "normalization", "padding", "regression_loss", "softmax",
    ):  # fmt: skip
        globals().update(_functions_of(_import_module(f"npg.functional.nn.{_name}")))
    # The functions, without the modules they come from.
    __all__ = [name for name, value in vars().items() if name[0] != "_" and not isinstance(value, type(_sys))]
