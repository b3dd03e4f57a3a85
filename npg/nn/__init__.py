"""Modules, parameters, initialisation. `npg.nn.functional` is `npg.functional`."""

import sys

from npg import functional
from npg.nn import init, parallel, utils
from npg.nn.activations import *  # noqa: F403
from npg.nn.comparing_losses import *  # noqa: F403
from npg.nn.containers import ModuleDict, ModuleList, Sequential
from npg.nn.dropouts import *  # noqa: F403
from npg.nn.layers import Embedding, Flatten, Identity, LayerNorm, Linear, RMSNorm, Unflatten
from npg.nn.losses import *  # noqa: F403
from npg.nn.module import Module
from npg.nn.padding import *  # noqa: F403
from npg.nn.parallel import DataParallel
from npg.nn.parameter import Buffer, Parameter
from npg.nn.parameter_containers import ParameterDict, ParameterList

# So that `import npg.nn.functional as F` finds the one module.
sys.modules[__name__ + ".functional"] = functional

__all__ = [
    "Buffer",
    "DataParallel",
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
    "RMSNorm",
    "Sequential",
    "Unflatten",
    "functional",
    "init",
    "parallel",
    "utils",
]
