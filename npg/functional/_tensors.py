"""The public functions that are there from the start: all but those that `npg.functional` loads later."""

import sys as _sys
import typing as _typing

from npg.functional.activating import *  # noqa: F403
from npg.functional.adding_products import *  # noqa: F403
from npg.functional.comparing import *  # noqa: F403
from npg.functional.compound import *  # noqa: F403
from npg.functional.copying import *  # noqa: F403
from npg.functional.decomposing import *  # noqa: F403
from npg.functional.extrema import *  # noqa: F403
from npg.functional.filling import *  # noqa: F403
from npg.functional.generators import *  # noqa: F403
from npg.functional.indexing import *  # noqa: F403
from npg.functional.joining import *  # noqa: F403
from npg.functional.linear_algebra import *  # noqa: F403
from npg.functional.masking import *  # noqa: F403
from npg.functional.parts import *  # noqa: F403
from npg.functional.permuting import *  # noqa: F403
from npg.functional.pointwise import *  # noqa: F403
from npg.functional.random_ops import *  # noqa: F403
from npg.functional.rearranging import *  # noqa: F403
from npg.functional.reduction import *  # noqa: F403
from npg.functional.scanning import *  # noqa: F403
from npg.functional.scattering import *  # noqa: F403
from npg.functional.searching import *  # noqa: F403
from npg.functional.selecting import *  # noqa: F403
from npg.functional.shaping import *  # noqa: F403
from npg.functional.slicing import *  # noqa: F403
from npg.functional.softmaxes import *  # noqa: F403
from npg.functional.solving import *  # noqa: F403
from npg.functional.sorting import *  # noqa: F403

if not _typing.TYPE_CHECKING:  # who cannot read this, and exports what is imported with a star
    # The functions, without the modules they come from.
    __all__ = [name for name, value in vars().items() if name[0] != "_" and not isinstance(value, type(_sys))]
