"""Modules, parameters, initialisation. `npg.nn.functional` is `npg.functional`."""

import sys as _sys

from npg import functional as functional
from npg.nn import init as init, modules as modules, parallel as parallel, utils as utils
from npg.nn.modules import *  # noqa: F403
from npg.nn.parallel import DataParallel as DataParallel
from npg.nn.parameter import Buffer as Buffer, Parameter as Parameter

# So that `import npg.nn.functional as F` finds the one module.
_sys.modules[__name__ + ".functional"] = functional
# Where the modules once were: pickles name them there.
for _name in (
    "activations", "comparing_losses", "containers", "dropouts", "layers", "losses", "module", "padding",
    "parameter_containers",
):  # fmt: skip
    _sys.modules[f"{__name__}.{_name}"] = modules
