"""Images of another size: each number is a weighted sum of neighbours along every spatial dimension.

One op resizes the last dimensions, the other is its adjoint; npg/kernels/upsampling.py computes both. PyTorch has an op
for each mode and number of dimensions: `forms` has them by that, with PyTorch's names.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.kernels import upsampling as kernels
from npg.kernels.upsampling import Resizing
from npg.ops._kinds import MATRICES, Kind, linear
from npg.ops._layouts import is_channels_last
from npg.ops._op import Op, primitive
from npg.ops.shape import overload

Array = np.ndarray[Any, Any]
Dims = tuple[Resizing, ...]

_IMAGES = Kind("images", MATRICES.batch, linear)


def _resized(x: Array, dims: Dims, is_adjoint: bool) -> Array:
    """Return images with their last dimensions resized, laid out as x is."""
    channels_last = len(dims) > 1 and is_channels_last(x, len(dims))
    if channels_last:
        x = np.moveaxis(x, 1, -1)
    first = x.ndim - channels_last - len(dims)
    places = dict(enumerate(dims, first))
    if x.dtype.kind == "u" and dims[0].mode not in (kernels.NEAREST, kernels.NEAREST_EXACT):
        y = kernels.resize_bytes(x, dict(reversed(places.items())))
    else:
        dtype = x.dtype if x.dtype.kind == "f" else np.dtype(np.float32)
        taps = {dim: kernels.taps_of(resizing, dtype) for dim, resizing in places.items()}
        if is_adjoint:  # in the opposite order: what is sparse is not many small products then either
            taps = {dim: each.transposed for dim, each in reversed(taps.items())}
        y = kernels.resize(x, taps)
    return np.moveaxis(y, -1, 1) if channels_last else y


def _vjp(g: Any, _y: Any, _x: Any, *, dims: Dims) -> Any:
    return form_of(dims)[1](g, dims=dims)


def _adjoint_vjp(g: Any, _y: Any, _x: Any, *, dims: Dims) -> Any:
    return form_of(dims)[0](g, dims=dims)


@primitive(_vjp, kind=_IMAGES, aten=None)
def upsample(input: Any, *, dims: Dims) -> Any:
    """Return the input with its last dimensions resized."""
    return _resized(input, dims, False)


@primitive(_adjoint_vjp, kind=_IMAGES, aten=None)
def upsample_backward(input: Any, *, dims: Dims) -> Any:
    """Return the adjoint of upsample."""
    return _resized(input, dims, True)


# ----- PyTorch's names -----


def _named(aten: str, node: str = "") -> tuple[Op, Op]:
    node = node or "".join(part.capitalize() for part in aten.strip("_").split("_"))
    node = node.replace("1d", "1D").replace("2d", "2D").replace("3d", "3D")
    return (
        overload(upsample, f"{node}Backward0", aten=aten),
        overload(upsample_backward, f"{node}BackwardBackward0", aten=f"{aten}_backward"),
    )


def _forms() -> dict[tuple[str, int, bool], tuple[Op, Op]]:
    forms = {}
    for n in (1, 2, 3):
        forms[kernels.NEAREST, n, False] = _named(f"upsample_nearest{n}d")
        forms[kernels.NEAREST_EXACT, n, False] = _named(f"_upsample_nearest_exact{n}d")
        forms[kernels.LINEAR, n, False] = _named(f"upsample_{('', 'bi', 'tri')[n - 1]}linear{n}d")
    forms[kernels.CUBIC, 2, False] = _named("upsample_bicubic2d")
    for mode, name in ((kernels.LINEAR, "bilinear"), (kernels.CUBIC, "bicubic"), (kernels.LANCZOS, "lanczos")):
        forms[mode, 2, True] = _named(f"_upsample_{name}2d_aa")
    return forms


forms = _forms()


def form_of(dims: Dims) -> tuple[Op, Op]:
    """Return the op for these dimensions and its adjoint."""
    return forms[dims[0].mode, len(dims), dims[0].antialias]
