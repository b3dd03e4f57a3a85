"""Modules, parameters, initialisation. `npg.nn.functional` is `npg.functional`."""

import sys

from npg import functional
from npg.nn import init, utils
from npg.nn.activations import *  # noqa: F403
from npg.nn.containers import ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential
from npg.nn.layers import Dropout, Embedding, Flatten, Identity, LayerNorm, Linear, Unflatten
from npg.nn.losses import *  # noqa: F403
from npg.nn.module import Module
from npg.nn.parameter import Buffer, Parameter

# So that `import npg.nn.functional as F` finds the one module.
sys.modules[__name__ + ".functional"] = functional

__all__ = [
    "Buffer",
    "Dropout",
    "Embedding",
    "Flatten",
    "Identity",
    "LayerNorm",
    "Linear",
    "Module",
    "ModuleDict",
    "ModuleList",
    "Parameter",
    "ParameterDict",
    "ParameterList",
    "Sequential",
    "Unflatten",
    "functional",
    "init",
    "utils",
]
