"""New tensors: from data, filled, counted."""

from npg.creation import data, filled, ranges
from npg.creation.data import *  # noqa: F403
from npg.creation.filled import *  # noqa: F403
from npg.creation.ranges import *  # noqa: F403

__all__ = data.__all__ + filled.__all__ + ranges.__all__
