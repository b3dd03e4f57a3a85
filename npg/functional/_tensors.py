"""The public functions that are there from the start: all but those that `npg.functional` loads later."""

import sys as _sys
import typing as _typing

from npg.functional.activation import *  # noqa: F403
from npg.functional.addmm import *  # noqa: F403
from npg.functional.comparison import *  # noqa: F403
from npg.functional.copy import *  # noqa: F403
from npg.functional.cumulative import *  # noqa: F403
from npg.functional.elementwise import *  # noqa: F403
from npg.functional.extrema import *  # noqa: F403
from npg.functional.fill import *  # noqa: F403
from npg.functional.generator import *  # noqa: F403
from npg.functional.index_select import *  # noqa: F403
from npg.functional.indexing import *  # noqa: F403
from npg.functional.joining import *  # noqa: F403
from npg.functional.linalg import *  # noqa: F403
from npg.functional.linalg_solvers import *  # noqa: F403
from npg.functional.masked import *  # noqa: F403
from npg.functional.matmul import *  # noqa: F403
from npg.functional.norm import *  # noqa: F403
from npg.functional.random import *  # noqa: F403
from npg.functional.rearrange import *  # noqa: F403
from npg.functional.reduction import *  # noqa: F403
from npg.functional.rounding import *  # noqa: F403
from npg.functional.scatter import *  # noqa: F403
from npg.functional.search import *  # noqa: F403
from npg.functional.selection import *  # noqa: F403
from npg.functional.shape import *  # noqa: F403
from npg.functional.softmax import *  # noqa: F403
from npg.functional.sort import *  # noqa: F403
from npg.functional.special import *  # noqa: F403
from npg.functional.split import *  # noqa: F403
from npg.functional.transpose import *  # noqa: F403
from npg.functional.trigonometry import *  # noqa: F403

if not _typing.TYPE_CHECKING:  # who cannot read this, and exports what is imported with a star
    # The functions, without the modules they come from.
    __all__ = [name for name, value in vars().items() if name[0] != "_" and not isinstance(value, type(_sys))]
