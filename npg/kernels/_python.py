"""The names of _cython where it is not used: all None, because NumPy's own functions do the work."""

from __future__ import annotations

from typing import Any

name = "python"
can_fold = False
address: Any = None
attend: Any = None
attend_back: Any = None
compile_steps: Any = None
correlate: Any = None
depthwise: Any = None
depthwise_spread: Any = None
depthwise_weigh: Any = None
end_mpi_later: Any = None
end_mpi_with: Any = None
fold: Any = None
holds_words: Any = None
is_for_blas: Any = None
largest: Any = None
linear: Any = None
multiply: Any = None
put: Any = None
put_even: Any = None
recurrent: Any = None
recurrent_back: Any = None
select: Any = None
spread: Any = None
take_long_words: Any = None
take_trials: Any = None
take_words: Any = None
weigh: Any = None
transpose: Any = None
winograd: Any = None
winograd_weigh: Any = None


def memory_held() -> tuple[int, int]:
    """Return the bytes of arrays in npg's own memory and of what is held for later arrays: none of either."""
    return 0, 0


def drop_memory() -> None:
    """Do nothing: there is no memory to give back."""
