"""assert_close: what differs between two values, in PyTorch's words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from npg import dtypes
from npg._errors import warn
from npg._floating import silent
from npg._naming import named
from npg.creation import as_tensor
from npg.tensor import Tensor

# rtol and atol by dtype; of other dtypes, values must be equal.
_TOLERANCES = {
    dtypes.float16: (1e-3, 1e-5),
    dtypes.float32: (1.3e-6, 1e-5),
    dtypes.float64: (1e-7, 1e-7),
}
_NUMBERS = (int, float, complex, np.number)
_BOOLS = (bool, np.bool_)
Place = tuple[Any, ...]


class _Different(Exception):
    """A difference, and the keys and indices that lead to it."""

    def __init__(self, text: str, place: Place, kind: type[Exception] = AssertionError) -> None:
        super().__init__(text)
        self.text, self.place, self.kind = text, place, kind


class Options:
    """How two values are compared; see assert_close."""

    def __init__(self, rtol: float | None, atol: float | None, equal_nan: bool, **checks: bool) -> None:
        if (rtol is None) != (atol is None):
            given, missing = ("atol", "rtol") if rtol is None else ("rtol", "atol")
            raise ValueError(f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {missing}.")
        self.rtol, self.atol, self.equal_nan = rtol, atol, equal_nan
        self.checks = checks

    def tolerances(self, *kinds: Any) -> tuple[float, float]:
        """Return rtol and atol for values of these dtypes: the given ones, or the widest of theirs."""
        if self.rtol is not None and self.atol is not None:
            return self.rtol, self.atol
        pairs = [_TOLERANCES.get(kind, (0.0, 0.0)) for kind in kinds]
        return max(r for r, _ in pairs), max(a for _, a in pairs)


# ----- The public functions -----


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Raise AssertionError when two values differ by more than atol + rtol * abs(expected).

    Args:
        actual, expected: tensors, numbers, None, or sequences and mappings of these.
        allow_subclasses: False: the types must be the same.
        rtol, atol: both or none; None: by the dtype.
        equal_nan: nan equals nan.
        check_device, check_dtype, check_layout, check_stride: what must be the same too.
        msg: the text of the error, or a function that makes it of npg's.
    Raises: AssertionError: when they differ. ValueError: when only one tolerance is given. TypeError: for values that
        cannot be compared.
    Source: torch.testing.assert_close.
    """
    __tracebackhide__ = True
    options = Options(
        rtol,
        atol,
        equal_nan,
        subclasses=allow_subclasses,
        dtype=check_dtype,
        stride=check_stride,
    )
    different = next(differences(actual, expected, (), options), None)
    if different is None:
        return
    text = different.text
    if different.place:
        text += f"\n\nThe failure occurred for item {''.join(f'[{key!r}]' for key in different.place)}"
    if different.kind is AssertionError and msg is not None:
        text = msg(text) if callable(msg) else msg
    raise different.kind(named(text))


def assert_allclose(
    actual: Any,
    expected: Any,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = True,
    msg: str = "",
) -> None:
    """Call assert_close without checks of dtype and stride, with a warning: its old form."""
    warn(
        "`npg.testing.assert_allclose()` is deprecated since 1.12 and will be removed in a future release. Please use "
        "`npg.testing.assert_close()` instead. You can find detailed upgrade instructions in "
        "https://github.com/pytorch/pytorch/issues/61844.",
        FutureWarning,
    )
    actual, expected = (x if isinstance(x, Tensor) else as_tensor(x) for x in (actual, expected))
    if rtol is None and atol is None:
        pairs = [_OLD_TOLERANCES.get(t.dtype, (0.0, 0.0)) for t in (actual, expected)]
        rtol, atol = max(r for r, _ in pairs), max(a for _, a in pairs)
    assert_close(actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False, msg=msg or None)


_OLD_TOLERANCES = {
    dtypes.float16: (1e-3, 1e-3),
    dtypes.float32: (1e-4, 1e-5),
    dtypes.float64: (1e-5, 1e-8),
}

# ----- Containers -----


def differences(actual: Any, expected: Any, place: Place, options: Options) -> Iterator[_Different]:
    """Yield the differences of two values; the first is the one that is reported."""
    if _is_sequence(actual) and _is_sequence(expected):
        if len(actual) != len(expected):
            yield _Different(f"The length of the sequences mismatch: {len(actual)} != {len(expected)}", place)
            return
        for index, pair in enumerate(zip(actual, expected, strict=True)):
            yield from differences(*pair, (*place, index), options)
    elif isinstance(actual, Mapping) and isinstance(expected, Mapping):
        yield from _of_mappings(actual, expected, place, options)
    else:
        yield from _of_values(actual, expected, place, options)


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _of_mappings(actual: Any, expected: Any, place: Place, options: Options) -> Iterator[_Different]:
    missing, additional = expected.keys() - actual.keys(), actual.keys() - expected.keys()
    if missing or additional:
        yield _Different(
            "The keys of the mappings do not match:\n"
            f"Missing keys in the actual mapping: {sorted(missing)}\n"
            f"Additional keys in the actual mapping: {sorted(additional)}",
            place,
        )
        return
    keys: Any = actual.keys()
    try:
        keys = sorted(keys)
    except TypeError:
        keys = list(keys)
    for key in keys:
        yield from differences(actual[key], expected[key], (*place, key), options)


# ----- None, bools and numbers -----


def _of_values(actual: Any, expected: Any, place: Place, options: Options) -> Iterator[_Different]:
    if actual is None or expected is None:
        if actual is not expected:
            yield _Different(f"None mismatch: {actual} is not {expected}", place)
    elif isinstance(actual, _BOOLS) and isinstance(expected, _BOOLS):
        if bool(actual) is not bool(expected):
            yield _Different(f"Booleans mismatch: {bool(actual)} is not {bool(expected)}", place)
    elif isinstance(actual, _NUMBERS) and isinstance(expected, _NUMBERS):
        yield from _of_numbers(_number(actual), _number(expected), place, options)
    else:
        try:
            pair = _tensors(actual, expected, options)
        except TypeError:
            text = f"No comparison pair was able to handle inputs of type {type(actual)} and {type(expected)}."
            yield _Different(text, (), TypeError)
            return
        yield from _of_tensors(*pair, place, options)


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, np.number) else value


def _of_numbers(actual: Any, expected: Any, place: Place, options: Options) -> Iterator[_Different]:
    if options.checks["dtype"] and type(actual) is not type(expected):
        yield _Different(f"The (d)types do not match: {type(actual)} != {type(expected)}.", place)
        return
    kinds = [dtypes.float64 if isinstance(x, float) else dtypes.int64 for x in (actual, expected)]
    rtol, atol = options.tolerances(*kinds)
    if not is_close(actual, expected, rtol, atol, options.equal_nan):
        yield _Different(scalars_differ(actual, expected, rtol, atol), place)


def is_close(actual: Any, expected: Any, rtol: float, atol: float, equal_nan: bool) -> bool:
    """Tell whether two numbers are close."""
    if actual == expected or equal_nan and actual != actual and expected != expected:
        return True
    difference = abs(actual - expected)
    return bool(np.isfinite(difference) and difference <= atol + rtol * abs(expected))


def scalars_differ(actual: Any, expected: Any, rtol: float, atol: float) -> str:
    """Return PyTorch's text for two numbers that are not close."""
    difference = abs(actual - expected)
    relative = float("inf") if expected == 0 else difference / abs(expected)
    if rtol == atol == 0:
        return (
            f"Scalars are not equal!\n\nExpected {expected} but got {actual}.\n"
            f"Absolute difference: {difference}\nRelative difference: {relative}"
        )
    return (
        f"Scalars are not close!\n\nExpected {expected} but got {actual}.\n"
        f"Absolute difference: {difference} (up to {atol} allowed)\n"
        f"Relative difference: {relative} (up to {rtol} allowed)"
    )


# ----- Tensors -----


def _tensors(actual: Any, expected: Any, options: Options) -> tuple[Any, Any]:
    """Return two values as tensors. Raises: TypeError: when they are not, or of unlike types."""
    related = isinstance(actual, type(expected)) or isinstance(expected, type(actual))
    if not related or (not options.checks["subclasses"] and type(actual) is not type(expected)):
        raise TypeError
    if isinstance(actual, (str, bytes, Mapping)):
        raise TypeError
    try:
        return tuple(x if isinstance(x, Tensor) else as_tensor(x) for x in (actual, expected))  # type: ignore[return-value]
    except (TypeError, ValueError, RuntimeError):
        raise TypeError from None


def _of_tensors(actual: Any, expected: Any, place: Place, options: Options) -> Iterator[_Different]:
    for attribute in ("shape", "device", "dtype", "stride()"):
        name = attribute.removesuffix("()")
        if not options.checks.get(name, True):
            continue
        values = [getattr(t, name) if name == attribute else getattr(t, name)() for t in (actual, expected)]
        if values[0] != values[1]:
            yield _Different(f"The values for attribute '{attribute}' do not match: {values[0]} != {values[1]}.", place)
            return
    rtol, atol = options.tolerances(actual.dtype, expected.dtype)
    if actual.is_meta or expected.is_meta:
        return
    a, b = actual.detach()._array, expected.detach()._array
    if a.dtype != b.dtype:
        common = dtypes.promote_types(actual.dtype, expected.dtype).dtype
        a, b = a.astype(common), b.astype(common)
    close = _close(a, b, rtol, atol, options.equal_nan)
    if not close.all():
        yield _Different(_tensors_differ(a, b, ~close, rtol, atol), place)


def _close(a: Any, b: Any, rtol: float, atol: float, equal_nan: bool) -> Any:
    """Return which elements are close, in the dtype of the arrays as PyTorch computes them."""
    same = a == b
    if equal_nan and a.dtype.kind == "f":
        same |= np.isnan(a) & np.isnan(b)
    if a.dtype.kind != "f" and rtol == 0 and atol == 0:
        return same
    with silent():
        wide = np.float64 if a.dtype.kind != "f" else a.dtype
        difference = np.abs(a.astype(wide) - b.astype(wide))
        allowed = np.asarray(atol, wide) + np.abs(np.asarray(rtol, wide) * b.astype(wide))
        return same | (np.isfinite(difference) & (difference <= allowed))


def _tensors_differ(a: Any, b: Any, mismatches: Any, rtol: float, atol: float) -> str:
    """Return PyTorch's text for two tensors that are not close."""
    wide = a.dtype if a.dtype.kind == "f" else np.dtype(np.int64)
    part = a.dtype if a.dtype.kind == "f" else np.dtype(np.float32)  # as PyTorch divides integers
    with silent():
        difference = np.where(mismatches, np.abs(a.astype(wide) - b.astype(wide)), wide.type(0))
        relative = np.where(mismatches, difference.astype(part) / np.abs(b.astype(wide)).astype(part), part.type(0))
    if a.size == 1 and a.ndim == 0:
        return scalars_differ(a.item(), b.item(), rtol, atol)
    count, total = int(mismatches.sum()), a.size
    equal = rtol == atol == 0
    lines = [
        f"Tensor-likes are not {'equal' if equal else 'close'}!",
        "",
        f"Mismatched elements: {count} / {total} ({count / total:.1%})",
    ]
    for name, values, limit in (("absolute", difference, atol), ("relative", relative, rtol)):
        flat = values.reshape(-1)
        first = int(np.argmax(flat))  # nan is the largest, as in PyTorch
        index = tuple(int(i) for i in np.unravel_index(first, values.shape))
        allowed = "" if equal else f" (up to {limit} allowed)"
        lines.append(f"Greatest {name} difference: {flat[first].item()} at index {index}{allowed}")
    return "\n".join(lines)
