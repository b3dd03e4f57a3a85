"""The modules, by theme; the file names are those of torch.nn.modules."""

from npg.nn.modules.activation import *  # noqa: F403
from npg.nn.modules.container import *  # noqa: F403
from npg.nn.modules.distance import *  # noqa: F403
from npg.nn.modules.dropout import *  # noqa: F403
from npg.nn.modules.flatten import *  # noqa: F403
from npg.nn.modules.linear import *  # noqa: F403
from npg.nn.modules.loss import *  # noqa: F403
from npg.nn.modules.module import *  # noqa: F403
from npg.nn.modules.normalization import *  # noqa: F403
from npg.nn.modules.padding import *  # noqa: F403
from npg.nn.modules.parameter_container import *  # noqa: F403
from npg.nn.modules.sparse import *  # noqa: F403
