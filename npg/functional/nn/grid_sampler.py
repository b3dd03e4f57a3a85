"""Images read at the places of a grid, and grids."""

from __future__ import annotations

from npg import dtypes
from npg._errors import warn
from npg.engine import wrap
from npg.functional._arguments import checked_array
from npg.functional._public import public_function
from npg.functional._types import Sizes, T
from npg.functional.grid_sampler import affine_grid_generator, grid_sampler

_MODES = ("bilinear", "nearest", "bicubic")
_PADDINGS = ("zeros", "border", "reflection")
_CHANGED = (
    "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify "
    "align_corners=True if the old behavior is desired. See the documentation of grid_sample for details."
)


@public_function
def grid_sample(
    input: T, grid: T, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool | None = None
) -> T:
    """Return images read at the places of a grid.

    Args:
        input: (N, C, H, W) or (N, C, D, H, W), floating.
        grid: (N, *places, 2) or (N, *places, 3) of the same dtype: coordinates (x, y) or (x, y, z) from -1 to 1, along
            the width, the height, the depth.
        mode: "bilinear" (for volumes trilinear), "nearest", or for images "bicubic".
        padding_mode: what lies beyond the edge: "zeros", "border": its pixels go on, "reflection": the image mirrored.
        align_corners: -1 and 1 are the centres of the outer pixels, not their outer edges; None: False, with a warning.
    Returns: (N, C, *places).
    Raises: ValueError: for an unknown mode. RuntimeError: when shapes or dtypes do not fit. NotImplementedError: for
        integers.
    Source: torch.nn.functional.grid_sample.
    """
    if mode not in _MODES:
        raise ValueError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'"
        )
    if padding_mode not in _PADDINGS:
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
            f"'{padding_mode}'"
        )
    if align_corners is None:
        warn(_CHANGED)
    return grid_sampler(input, grid, _MODES.index(mode), _PADDINGS.index(padding_mode), bool(align_corners))


@public_function
def affine_grid(theta: T, size: Sizes, align_corners: bool | None = None) -> T:
    """Return where affine maps take the pixels of images: grids for grid_sample.

    Args:
        theta: (N, 2, 3) or (N, 3, 4), floating.
        size: the images' shape, (N, C, H, W) or (N, C, D, H, W).
        align_corners: as of grid_sample.
    Returns: (N, H, W, 2) or (N, D, H, W, 3).
    Raises: ValueError: when theta and size do not fit. NotImplementedError: for other sizes.
    Source: torch.nn.functional.affine_grid.
    """
    array = checked_array("affine_grid", theta, "theta")
    if align_corners is None:
        warn(_CHANGED)
    if array.dtype.kind != "f":
        raise ValueError(f"Expected theta to have floating point type, but got {dtypes.from_numpy(array.dtype)}")
    dims = len(size) - 2
    if dims not in (2, 3):
        raise NotImplementedError(
            f"affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size "
            f"{size}."
        )
    if array.ndim != 3 or array.shape[1:] != (dims, dims + 1):
        raise ValueError(
            f"Expected a batch of {dims}D affine matrices of shape Nx{dims}x{dims + 1} for size {size}. Got "
            f"{wrap(array).shape}."
        )
    if align_corners and min(size[2:]) == 1:
        warn(
            "Since version 1.3.0, affine_grid behavior has changed for unit-size grids when align_corners=True. "
            "This is not an intended use case of affine_grid. See the documentation of affine_grid for details."
        )
    elif min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {size}")
    return affine_grid_generator(theta, size, bool(align_corners))
