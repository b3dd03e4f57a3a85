"""Images read at the places of a grid: what stands in torch's namespace."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg._words import scalar_name
from npg.engine import apply
from npg.functional._arguments import checked_array
from npg.functional._public import public_function
from npg.functional._types import Sizes, T
from npg.ops import grid_sampler as ops

Array = np.ndarray[Any, Any]


def _check(x: Array, grid: Array, interpolation_mode: int) -> None:
    """Raise where a grid does not fit images, in PyTorch's words."""
    if x.shape[:1] != grid.shape[:1]:
        raise RuntimeError(
            "grid_sampler(): expected grid and input to have same batch size, but got input with sizes "
            f"{list(x.shape)} and grid with sizes {list(grid.shape)}"
        )
    if not grid.ndim or grid.shape[-1] != x.ndim - 2:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {x.ndim - 2} in last dimension, but got grid with sizes "
            f"{list(grid.shape)}"
        )
    for dim in range(2, x.ndim):
        if not x.shape[dim]:
            raise RuntimeError(
                "grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes "
                f"{list(x.shape)} with dimension {dim} being empty"
            )
    _check_ranks(x, grid, 4 if x.ndim == 4 else 5)
    if x.ndim == 5 and interpolation_mode == ops.BICUBIC:
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")


def _check_ranks(x: Array, grid: Array, rank: int) -> None:
    if x.ndim != rank or grid.ndim != rank:
        raise RuntimeError(
            f"grid_sampler(): expected {rank}D input and grid with same number of dimensions, but got input with sizes "
            f"{list(x.shape)} and grid with sizes {list(grid.shape)}"
        )


def _sampled(input: Any, grid: Any, interpolation_mode: int, padding_mode: int, align_corners: bool) -> Any:
    x, places = checked_array("grid_sampler", input), checked_array("grid_sampler", grid, "grid", 2)
    _check(x, places, interpolation_mode)
    dims = x.ndim - 2
    if x.dtype.kind != "f":
        kernel = "grid_sampler_2d_cpu_kernel_impl" if dims == 2 else "grid_sampler3d_cpu"
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{scalar_name(x)}'")
    if x.dtype != places.dtype:
        raise RuntimeError(f"expected scalar type {scalar_name(x)} but found {scalar_name(places)}")
    if interpolation_mode not in (0, 1, 2) or padding_mode not in (0, 1, 2):
        raise ValueError(
            "grid_sampler(): expected interpolation_mode and padding_mode to be 0, 1 or 2, got "
            f"{interpolation_mode} and {padding_mode}"
        )
    settings = {"mode": interpolation_mode, "padding": padding_mode, "align_corners": bool(align_corners)}
    return apply(ops.grid_sampler_2d if dims == 2 else ops.grid_sampler_3d, (input, grid), settings)


@public_function
def grid_sampler(input: T, grid: T, interpolation_mode: int, padding_mode: int, align_corners: bool) -> T:
    """Return images read at the places of a grid, as nn.functional.grid_sample, whose modes are numbers here.

    Args:
        input, grid, align_corners: as of grid_sample.
        interpolation_mode: 0 bilinear, 1 nearest, 2 bicubic.
        padding_mode: 0 zeros, 1 border, 2 reflection.
    Source: torch.grid_sampler.
    """
    return _sampled(input, grid, interpolation_mode, padding_mode, align_corners)


@public_function
def grid_sampler_2d(input: T, grid: T, interpolation_mode: int, padding_mode: int, align_corners: bool) -> T:
    """Return images of two dimensions in space read at the places of a grid, as grid_sampler.

    Source: torch.grid_sampler_2d.
    """
    return _of_rank("grid_sampler_2d", 4, input, grid, (interpolation_mode, padding_mode, align_corners))


@public_function
def grid_sampler_3d(input: T, grid: T, interpolation_mode: int, padding_mode: int, align_corners: bool) -> T:
    """Return images of three dimensions in space read at the places of a grid, as grid_sampler.

    Source: torch.grid_sampler_3d.
    """
    return _of_rank("grid_sampler_3d", 5, input, grid, (interpolation_mode, padding_mode, align_corners))


def _of_rank(name: str, rank: int, input: Any, grid: Any, settings: tuple[int, int, bool]) -> Any:
    x, places = checked_array(name, input), checked_array(name, grid, "grid", 2)
    _check_ranks(x, places, rank)
    return _sampled(input, grid, *settings)


@public_function
def affine_grid_generator(theta: T, size: Sizes, align_corners: bool) -> T:
    """Return grids of places, as nn.functional.affine_grid.

    Source: torch.affine_grid_generator.
    """
    shape, sizes = checked_array("affine_grid_generator", theta, "theta").shape, tuple(size)
    dims = len(sizes) - 2
    if dims not in (2, 3):
        raise RuntimeError("AffineGridGenerator needs 4d (spatial) or 5d (volumetric) inputs.")
    wanted = [sizes[0], dims + 1, dims]
    if [*shape[:1], *shape[:0:-1]] != wanted:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: {wanted[:2]} but got: "
            f"{[*shape[:1], *shape[:1:-1]]}."
        )
    return apply(ops.affine_grid, (theta,), {"size": sizes[2:], "align_corners": bool(align_corners)})
