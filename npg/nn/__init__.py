"""Modules, parameters and their initialisation; `functional` holds torch.nn.functional."""

import sys as _sys

from npg.nn import functional as functional, init as init, modules as modules, parallel as parallel, utils as utils
from npg.nn.modules import *  # noqa: F403
from npg.nn.parallel import DataParallel as DataParallel
from npg.nn.parameter import Buffer as Buffer, Parameter as Parameter

# Former places of the modules: old pickles name them.
for _name in (
    "activations", "comparing_losses", "containers", "dropouts", "layers", "losses", "module", "padding",
    "parameter_containers",
):  # fmt: skip
    _sys.modules[f"{__name__}.{_name}"] = modules
