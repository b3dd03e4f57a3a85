"""make_tensor: tensors of random numbers within bounds. Source: torch.testing.make_tensor."""

from __future__ import annotations

import math
from typing import Any

from npg import dtypes
from npg._errors import warn
from npg._naming import named
from npg.creation import empty, randint
from npg.functional._attributes import contiguous_format, place_of, preserve_format

_LOWEST, _HIGHEST = -9, 9  # of bounds that are not given; integers end at 10, which is left out


def make_tensor(
    *shape: Any,
    dtype: Any,
    device: Any,
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: Any = None,
) -> Any:
    """Return a tensor of numbers that are evenly distributed between low and high.

    Args:
        shape: sizes, or one sequence of them.
        low, high: None: -9 and 9 (10 for integers, 0 and 10 for uint8, 0 and 2 for bool); high is left out.
        noncontiguous: every second element of the last dimension of a larger tensor.
        exclude_zero: replace 0 by the smallest number above it, or 1.
    Raises: ValueError: when low is not below high, and for contradictory arguments.
    Source: torch.testing.make_tensor, whose numbers it draws.
    """
    sizes = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else shape
    place = place_of(device)
    if noncontiguous and memory_format is not None:
        raise ValueError(
            f"The parameters `noncontiguous` and `memory_format` are mutually exclusive, but got {noncontiguous=} and "
            f"{memory_format=}"
        )
    if requires_grad and not dtype.is_floating_point:
        raise ValueError(
            named(f"`requires_grad=True` is not supported for boolean and integral dtypes, but got dtype={dtype!r}")
        )
    doubled = noncontiguous and math.prod(sizes) > 1
    drawn = (*sizes[:-1], sizes[-1] * 2) if doubled else sizes
    lowest, highest = _bounds(dtype, low, high)
    if dtype is dtypes.bool_ or not dtype.is_floating_point:
        result = randint(int(lowest), int(highest), drawn, dtype=dtype, device=place)
    else:
        result = empty(drawn, dtype=dtype, device=place).uniform_(lowest, highest)
    if doubled:
        result = result[..., 1::2]
    elif memory_format not in (None, contiguous_format, preserve_format):
        result = result.clone(memory_format=memory_format)
    if exclude_zero:
        result[result == 0] = dtypes.finfo(dtype).tiny if dtype.is_floating_point else 1
    return result.requires_grad_() if requires_grad else result


def _bounds(dtype: Any, low: Any, high: Any) -> tuple[Any, Any]:
    """Return the bounds that were given or the usual ones, within those of the dtype."""
    usual: Any
    limits: Any
    if dtype is dtypes.bool_:
        usual, limits = (0, 2), (0, 2)
    elif dtype.is_floating_point:
        info = dtypes.finfo(dtype)
        usual, limits = (_LOWEST, _HIGHEST), (info.min, info.max)
    else:
        whole = dtypes.iinfo(dtype)
        usual = (0 if whole.min == 0 else _LOWEST, _HIGHEST + 1)
        limits = (whole.min, whole.max + 1)
    lowest, highest = usual[0] if low is None else low, usual[1] if high is None else high
    for value in (lowest, highest):
        if isinstance(value, float) and math.isnan(value):
            raise ValueError(f"`low` and `high` cannot be NaN, but got low={low!r} and high={high!r}")
    if lowest == highest and dtype.is_floating_point:
        warn(
            "Passing `low==high` to `npg.testing.make_tensor` for floating or complex types is deprecated since 2.1 "
            "and will be removed in 2.3. Use `npg.full(...)` instead.",
            FutureWarning,
        )
    elif lowest >= highest:
        raise ValueError(f"`low` must be less than `high`, but got {lowest} >= {highest}")
    if lowest >= limits[1] or highest <= limits[0]:
        raise ValueError(
            f"The value interval specified by `low` and `high` is [{lowest}, {highest}), but {dtype!r} only supports "
            f"[{limits[0]}, {limits[1]})"
        )
    lowest, highest = max(lowest, limits[0]), min(highest, limits[1])
    if not dtype.is_floating_point:
        lowest, highest = math.ceil(lowest), math.ceil(highest)
    return lowest, highest
