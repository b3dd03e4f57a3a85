"""New tensors: from data, filled, counted, drawn at random; and what is asked about tensors."""

import typing as _typing

from npg.creation.data import *  # noqa: F403
from npg.creation.filled import *  # noqa: F403
from npg.creation.predicates import *  # noqa: F403
from npg.creation.random import *  # noqa: F403
from npg.creation.ranges import *  # noqa: F403

if not _typing.TYPE_CHECKING:  # who cannot read this, and exports what is imported with a star
    from npg.creation import data, filled, predicates, random, ranges

    __all__ = data.__all__ + filled.__all__ + predicates.__all__ + random.__all__ + ranges.__all__
