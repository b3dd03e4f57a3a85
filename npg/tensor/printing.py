"""Printing: `repr(tensor)` reads as PyTorch's, with npg's dtype names.

All elements have one column width, computed from those that will be shown. Floats print as integers with a point if all
are whole, else with `precision` digits, and in scientific notation if they span more than three orders of magnitude or
are very large or small. More than `threshold` elements are summarised to `edgeitems` at either end of each dimension.
Source: torch.set_printoptions and the observable output of torch.Tensor.__repr__.
"""

from __future__ import annotations

import math
from contextlib import ContextDecorator
from typing import Any

import numpy as np

from npg import dtypes
from npg._floating import silent
from npg._naming import is_own
from npg.engine import Block
from npg.kernels.meta import MetaArray

# ----- Options -----


class _Options:
    def __init__(self) -> None:
        self.precision = 4
        self.threshold: float = 1000
        self.edgeitems = 3
        self.linewidth = 80
        self.sci_mode: bool | None = None


_options = _Options()
_PROFILES: dict[str, dict[str, Any]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors print; None keeps an option, except sci_mode.

    Args:
        precision: digits after the point.
        threshold: the number of elements up to which all are printed.
        edgeitems: the number of items at either end of a dimension in a summary.
        linewidth: characters per line.
        profile: "default", "short" or "full", which the other arguments override.
        sci_mode: scientific notation always (True), never (False), or depending on the values (None).
    Source: torch.set_printoptions.
    """
    if profile is not None:
        for name, value in _PROFILES[profile].items():
            setattr(_options, name, value)
    settings = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    for name, value in settings.items():
        if value is not None:
            setattr(_options, name, value)
    _options.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """Return the print options as a dict that set_printoptions takes. Source: torch.get_printoptions."""
    return dict(vars(_options))


class printoptions(ContextDecorator, Block):
    """Set print options inside a `with` block; arguments as set_printoptions. Source: torch.printoptions."""

    def __init__(self, **options: Any) -> None:
        self._given = options

    def _places(self) -> Any:
        return ((_options, "__dict__", get_printoptions()),)  # a copy for the block

    def _entered(self) -> None:
        set_printoptions(**self._given)


# ----- Elements -----


class _Format:
    """The format of one element, decided from all elements that will be shown."""

    def __init__(self, elements: np.ndarray[Any, Any]) -> None:
        self.is_float = elements.dtype.kind == "f"
        self.whole, self.scientific, self.width = True, False, 1
        if not self.is_float:
            self.width = max((len(str(v)) for v in elements.reshape(-1).tolist()), default=1)
            return
        values = elements[np.isfinite(elements) & (elements != 0)].astype(np.float64)
        if not values.size:
            return
        size = np.abs(values)
        low, high = float(size.min()), float(size.max())
        self.whole = bool((values == np.ceil(values)).all())
        with silent():
            wide = bool(np.float64(high) / np.float64(low) > 1000.0) or high > 1.0e8
        self.scientific = wide or (not self.whole and low < 1.0e-4)
        # The width is computed before sci_mode applies, except where sci_mode decides the length of a number.
        if _options.sci_mode is not None:
            self.scientific = _options.sci_mode
        self.width = max(len(self.text(v)) for v in values.tolist())

    def text(self, value: Any) -> str:
        if not self.is_float:
            return str(value)
        if self.scientific:
            return f"{value:.{_options.precision}e}"
        if self.whole:
            return f"{value:.0f}." if math.isfinite(value) else f"{value:.0f}"
        return f"{value:.{_options.precision}f}"

    def __call__(self, value: Any) -> str:
        return self.text(value).rjust(self.width)


# ----- Rows and dimensions -----


def _summary(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the elements that a summary shows."""
    edge = _options.edgeitems
    for dim, n in enumerate(array.shape):
        if n > 2 * edge:
            ends = np.r_[0:edge, n - edge : n]
            array = np.take(array, ends, axis=dim)
    return array


def _row(array: np.ndarray[Any, Any], indent: int, summarise: bool, form: _Format) -> str:
    edge = _options.edgeitems
    per_line = max(1, (_options.linewidth - indent) // (form.width + 2))
    if summarise and not edge:
        items = ["..."]
    elif summarise and array.shape[0] > 2 * edge:
        items = [*map(form, array[:edge].tolist()), " ...", *map(form, array[-edge:].tolist())]
    else:
        items = [form(v) for v in array.tolist()]
    lines = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def _nested(array: np.ndarray[Any, Any], indent: int, summarise: bool, form: _Format) -> str:
    if array.ndim == 0:
        return form(array.item())
    if array.ndim == 1:
        return _row(array, indent, summarise, form)
    edge = _options.edgeitems
    n = array.shape[0]
    if summarise and n > 2 * edge:
        ends = [[_nested(array[i], indent + 1, True, form) for i in r] for r in (range(edge), range(n - edge, n))]
        parts = [*ends[0], "...", *ends[1]]
    else:
        parts = [_nested(array[i], indent + 1, summarise, form) for i in range(n)]
    gap = "," + "\n" * (array.ndim - 1) + " " * (indent + 1)
    return "[" + gap.join(parts) + "]"


# ----- The whole -----


def tensor_repr(tensor: Any) -> str:
    """Return the text of `repr(tensor)`."""
    array = tensor._array
    kind = type(tensor)
    prefix = "tensor(" if is_own(kind.__module__) else f"{kind.__name__}("
    indent = len(prefix)
    suffixes = []
    dtype = dtypes.from_numpy(array.dtype)
    is_default = dtype in (dtypes.get_default_dtype(), dtypes.int64, dtypes.bool_)
    if isinstance(array, MetaArray):
        body = "..."
        suffixes += ["device='meta'", f"size={tuple(array.shape)}"]
        is_default = dtype is dtypes.get_default_dtype()
    elif array.size == 0:
        body = "[]"
        if array.ndim != 1:
            suffixes.append(f"size={tuple(array.shape)}")
        is_default = dtype is dtypes.get_default_dtype()
    else:
        if dtype is dtypes.float16:
            array = array.astype(np.float32)
        summarise = array.size > _options.threshold
        form = _Format(_summary(array) if summarise else array)
        body = _nested(array, indent, summarise, form)
        if not _options.edgeitems:  # a summary shows nothing then, and PyTorch always prints the size
            suffixes.append(f"size={tuple(array.shape)}")
    if not is_default:
        suffixes.append(f"dtype={dtype!r}")
    try:
        node = tensor.grad_fn
        name = None if node is None else node.name().rpartition("::")[2]
    except RuntimeError:  # a view that is invalid after a change of its base
        name = "Invalid"
    if name is not None:
        suffixes.append(f"grad_fn=<{name}>")
    elif tensor.requires_grad:
        suffixes.append("requires_grad=True")
    return _joined(prefix + body, suffixes, indent)


def _joined(text: str, suffixes: list[str], indent: int) -> str:
    """Append the suffixes, each on a new line if the line would become too long."""
    length = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        # "npg." counts as "torch.", so that the line breaks are where PyTorch's are.
        n = len(suffix) + (2 if "=npg." in suffix else 0)
        if length + n + 2 > _options.linewidth:
            text += ",\n" + " " * indent + suffix
            length = indent + n
        else:
            text += ", " + suffix
            length += n + 2
    return text + ")"


def tensor_format(tensor: Any, spec: str) -> str:
    """Return the text of a tensor in an f-string; that of a 0-d tensor formatted with `spec`."""
    if tensor._array.ndim == 0 and not isinstance(tensor._array, MetaArray):
        return format(tensor._array.item(), spec)
    if spec:
        raise TypeError("unsupported format string passed to Tensor.__format__")
    return repr(tensor)
