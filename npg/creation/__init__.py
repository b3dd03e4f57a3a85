"""New tensors: from data, filled, counted, drawn at random; and what is asked about tensors."""

import typing as _typing

from npg.creation import data, filled, questions, random_tensors, ranges
from npg.creation.data import *  # noqa: F403
from npg.creation.filled import *  # noqa: F403
from npg.creation.questions import *  # noqa: F403
from npg.creation.random_tensors import *  # noqa: F403
from npg.creation.ranges import *  # noqa: F403

if not _typing.TYPE_CHECKING:  # who cannot read this, and exports what is imported with a star
    __all__ = data.__all__ + filled.__all__ + questions.__all__ + random_tensors.__all__ + ranges.__all__
