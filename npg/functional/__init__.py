"""Every public function on tensors; also `npg.nn.functional`."""

from npg.functional.activating import *  # noqa: F403
from npg.functional.comparing import *  # noqa: F403
from npg.functional.compound import *  # noqa: F403
from npg.functional.extrema import *  # noqa: F403
from npg.functional.filling import *  # noqa: F403
from npg.functional.indexing import *  # noqa: F403
from npg.functional.joining import *  # noqa: F403
from npg.functional.padding import *  # noqa: F403
from npg.functional.parts import *  # noqa: F403
from npg.functional.permuting import *  # noqa: F403
from npg.functional.pointwise import *  # noqa: F403
from npg.functional.rearranging import *  # noqa: F403
from npg.functional.reduction import *  # noqa: F403
from npg.functional.scanning import *  # noqa: F403
from npg.functional.selecting import *  # noqa: F403
from npg.functional.shaping import *  # noqa: F403
