"""Images read at given places, between their pixels; and grids of places.

Around each place lie K pixels along every dimension in space, K^dims in all; a weight of each follows from where the
place is among them. The result is a sum of weighted pixels: three ops, each the rule of the two others, have that sum
and its adjoints in the images and in the weights (npg/kernels/grid_sampler.py). The gradient of a grid comes by the
weights, by a rule that is written in ops, so it can be recorded.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from npg.kernels import grid_sampler as kernels
from npg.kernels.products import multiply
from npg.kernels.upsampling import cubic_weights
from npg.ops._kinds import MATRICES, Kind, linear, total
from npg.ops._op import Op, primitive
from npg.ops.reduction import sum_dim
from npg.ops.shape import as_batch, overload, reshape, select

Array = np.ndarray[Any, Any]
Ints = tuple[int, ...]

BILINEAR, NEAREST, BICUBIC = 0, 1, 2  # PyTorch's numbers of modes
ZEROS, BORDER, REFLECTION = 0, 1, 2  # and of what lies beyond the edge

_TAPS = {BILINEAR: 2, NEAREST: 1, BICUBIC: 4}  # pixels along a dimension

# ----- Which pixels -----


def _reflected(x: Array, n: int, align_corners: bool) -> tuple[Array, Array]:
    """Return places mirrored at the edges (or at the outer pixels' centres), and the slope, 1 or -1."""
    low, span = (0.0, float(n - 1)) if align_corners else (-0.5, float(n))
    if not span:
        return np.zeros_like(x), np.zeros_like(x)
    sign = np.where(x < low, -1, 1).astype(x.dtype)
    x = np.abs(x - x.dtype.type(low))
    extra, flips = np.fmod(x, x.dtype.type(span)), np.floor(x / x.dtype.type(span))
    is_even = np.fmod(flips, 2) == 0
    return np.where(is_even, extra + low, span - extra + low).astype(x.dtype), np.where(is_even, sign, -sign)


def _inside(x: Array, n: int, padding: int, align_corners: bool, of_volumes: bool) -> tuple[Array, Any]:
    """Return places moved into the image, and the slope of the new ones.

    As in PyTorch, nan becomes 0 in images and the last pixel in volumes; a place there that is not finite has no pixels
    where zeros lie beyond the edge, but gives nan in images.
    """
    slope: Any = x.dtype.type(1)
    if padding == REFLECTION:
        x, slope = _reflected(x, n, align_corners)
    if padding != ZEROS:
        slope = slope * ((x > 0) & (x < n - 1))
        return (np.fmax(np.fmin(x, n - 1), 0) if of_volumes else np.fmin(np.fmax(x, 0), n - 1)), slope
    return (np.where(np.isfinite(x), x, x.dtype.type(-100)) if of_volumes else x), slope


def _along(
    x: Array, n: int, mode: int, padding: int, align_corners: bool, of_volumes: bool
) -> tuple[list[Array], Array, Any]:
    """Return for one dimension the pixels around each place (-1: none), its distance from the first, and its slope.

    Args:
        x: coordinates from -1 to 1, any shape.
        n: pixels.
    """
    slope: Any = x.dtype.type((n - 1 if align_corners else n) / 2)
    x = (x + x.dtype.type(1)) * slope - x.dtype.type(0 if align_corners else 0.5)
    if mode != BICUBIC:
        x, factor = _inside(x, n, padding, align_corners, of_volumes)
        slope = slope * factor
    first = np.rint(x) if mode == NEAREST else np.floor(x)
    pixels = [first + k for k in {NEAREST: (0,), BILINEAR: (0, 1)}.get(mode, (-1, 0, 1, 2))]
    if mode == BICUBIC:
        pixels = [_inside(pixel, n, padding, align_corners, False)[0] for pixel in pixels]
    pixels = [np.where((p >= 0) & (p < n), p, -1).astype(np.int64) for p in pixels]
    if mode == NEAREST:
        return pixels, np.zeros_like(x), np.zeros_like(x)
    return pixels, x - first, slope


@primitive(multi=True, kind=Kind("images", MATRICES.batch), aten=None)
def grid_cells(input: Any, *, size: Ints, mode: int, padding: int, align_corners: bool) -> tuple[Any, ...]:
    """Return which pixels lie around places, where the places are among them, and how far they move with the grid.

    (..., N, *places, dims) gives pixels (..., N, K^dims, P), distances (..., N, dims, P), slopes and the grid itself
    likewise, without history. What lies outside is pixel prod(size). The size and the last dimension of the grid are in
    opposite orders; distances follow the size.
    """
    dims = len(size)
    lead = input.shape[: input.ndim - dims - 1]
    grid = np.ascontiguousarray(np.moveaxis(input.reshape(*lead, math.prod(input.shape[len(lead) : -1]), dims), -1, -2))
    grid = grid[..., ::-1, :]  # (..., dims, P)
    found = [_along(grid[..., d, :], n, mode, padding, align_corners, dims == 3) for d, n in enumerate(size)]
    flat = []
    for pixels in itertools.product(*(pixels for pixels, _, _ in found)):
        index, outside = np.int64(0), np.False_
        for pixel, n in zip(pixels, size, strict=True):
            index, outside = index * n + pixel, outside | (pixel < 0)  # type: ignore[assignment]
        flat.append(np.where(outside, math.prod(size), index))
    slopes = [np.broadcast_to(slope, grid[..., 0, :].shape) for _, _, slope in found]
    return np.stack(flat, -2), np.stack([t for _, t, _ in found], -2), np.stack(slopes, -2), grid.copy()


# ----- Weights -----


def _cubic_slopes(t: Any, a: float = -0.75) -> tuple[Any, Any, Any, Any]:
    """Return the derivatives of cubic_weights."""
    u, v, w = t + 1, 1 - t, 2 - t
    return (
        (3 * a * u - 10 * a) * u + 8 * a,
        (3 * (a + 2) * t - 2 * (a + 3)) * t,
        -(3 * (a + 2) * v - 2 * (a + 3)) * v,
        -((3 * a * w - 10 * a) * w + 8 * a),
    )


def _weights(t: Any, mode: int) -> tuple[Any, ...]:
    """Return the weights of the pixels along a dimension, for places t behind the first (cubic: the second)."""
    return cubic_weights(t) if mode == BICUBIC else (1 - t, t) if mode == BILINEAR else (1 - t,)


def _slopes(t: Any, mode: int) -> tuple[Any, ...]:
    return _cubic_slopes(t) if mode == BICUBIC else (-1.0, 1.0) if mode == BILINEAR else (0.0,)


def _product(factors: Any) -> Any:
    result: Any = 1.0
    for factor in factors:
        result = factor if isinstance(result, float) and result == 1 else result * factor
    return result


class _Cells:
    """The pixels around the places of a grid and their weights, on ndarrays or Tensors."""

    def __init__(self, grid: Any, size: Ints, mode: int, **settings: Any) -> None:
        self.index, t, slopes, plain = grid_cells(grid, size=size, mode=mode, **settings)
        dims = len(size)
        self.mode, self.taps = mode, list(itertools.product(range(_TAPS[mode]), repeat=dims))
        self.slopes = [select(slopes, dim=1, index=d) for d in range(dims)]
        self.t = [select(t, dim=1, index=d) for d in range(dims)]
        if type(grid) is not np.ndarray:  # the distances again, as functions of the grid
            flat = reshape(grid, shape=(plain.shape[0], plain.shape[2], dims))
            moved = [select(flat, dim=2, index=dims - 1 - d) - select(plain, dim=1, index=d) for d in range(dims)]
            self.t = [t + by * slope for t, by, slope in zip(self.t, moved, self.slopes, strict=True)]

    def weights(self) -> Any:
        """Return the weights of the pixels, (N, K^dims, P)."""
        along = [_weights(t, self.mode) for t in self.t]
        return np.stack([_product(each[i] for each, i in zip(along, tap, strict=True)) for tap in self.taps], axis=1)

    def slopes_of(self, d: int) -> Any:
        """Return the derivatives of the weights in the grid's coordinate along dimension d of the images."""
        along = [(_slopes if i == d else _weights)(t, self.mode) for i, t in enumerate(self.t)]
        products = [_product(each[i] for each, i in zip(along, tap, strict=True)) for tap in self.taps]
        return np.stack([each * self.slopes[d] for each in products], axis=1)


# ----- Sums of pixels -----


def _bilinear(node: Any, ts: list[Any]) -> Any:
    """Return the tangent of an op that is linear in each of its first two inputs."""
    a, b, index = node.inputs
    pairs = ((ts[0], b), (a, ts[1]))
    return total(
        [node.op.forward(*pair, index, **node.params) for pair in pairs if all(each is not None for each in pair)]
    )


@primitive(
    lambda g, _y, x_like, weight, index: spread_pixels(g, weight, index, size=x_like.shape[2]),
    lambda g, _y, x, _weight, index: weigh_pixels(g, x, index),
    None,
    aten=None,
    tangent=_bilinear,
)
def read_pixels(input: Any, weight: Any, index: Any) -> Any:
    """Return the weighted sums (N, C, P) of pixels of images (N, C, S); weights and index are (N, K, P)."""
    return kernels.read(input, weight, index)


@primitive(
    lambda g, _y, _input, weight, index, *, size: read_pixels(g, weight, index),
    lambda g, _y, input, _weight, index, *, size: weigh_pixels(input, g, index),
    None,
    aten=None,
    tangent=_bilinear,
)
def spread_pixels(input: Any, weight: Any, index: Any, *, size: int) -> Any:
    """Return the adjoint of read_pixels in the images: (N, C, P) gives (N, C, size)."""
    return kernels.spread(input, weight, index, size)


@primitive(
    lambda g, _y, _input, images, index: read_pixels(images, g, index),
    lambda g, _y, input, images_like, index: spread_pixels(input, g, index, size=images_like.shape[2]),
    None,
    aten=None,
    tangent=_bilinear,
)
def weigh_pixels(input: Any, images: Any, index: Any) -> Any:
    """Return the adjoint of read_pixels in the weights: (N, C, P) and (N, C, S) give (N, K, P)."""
    return kernels.weigh(input, images, index)


def _batch(op: Op, xs: Any, batched: Any, size: int, /, **settings: Any) -> Any:
    """Take the examples as more images."""
    xs = [as_batch(x, flag, size) for x, flag in zip(xs, batched, strict=True)]
    n = xs[0].shape[1]
    y = op(*[reshape(x, shape=(size * n, *x.shape[2:])) for x in xs], **settings)
    return reshape(y, shape=(size, n, *y.shape[1:]))


# ----- Sampling -----


def _flat(x: Any) -> Any:
    return reshape(x, shape=(*x.shape[:2], math.prod(x.shape[2:])))


@primitive(node="GridSampler2D", aten="grid_sampler_2d")
def grid_sampler(input: Any, grid: Any, *, mode: int, padding: int, align_corners: bool) -> Any:
    """Return images (N, C, *size) read at the places of a grid (N, *places, dims): (N, C, *places)."""
    cells = _Cells(grid, input.shape[2:], mode, padding=padding, align_corners=align_corners)
    return read_pixels(_flat(input), cells.weights(), cells.index).reshape(*input.shape[:2], *grid.shape[1:-1])


@grid_sampler.vjp
def _grid_sampler_vjp(g: Any, _y: Any, input: Any, grid: Any, *, needs: tuple[bool, ...], **settings: Any) -> Any:
    size = tuple(input.shape[2:])
    cells, g = _Cells(grid, size, **settings), _flat(g)
    gx = ggrid = None
    if needs[0]:
        gx = spread_pixels(g, cells.weights(), cells.index, size=math.prod(size))
        gx = reshape(gx, shape=tuple(input.shape))
    if needs[1]:
        shares = weigh_pixels(g, _flat(input), cells.index)
        moved = [sum_dim(shares * cells.slopes_of(d), dim=(1,), keepdim=False) for d in reversed(range(len(size)))]
        ggrid = reshape(np.stack(moved, axis=-1), shape=tuple(grid.shape))
    return gx, ggrid


@grid_sampler.tangent
def _grid_sampler_tangent(node: Any, ts: list[Any]) -> Any:
    (input, grid), (moves, turns) = node.inputs, ts
    terms = [] if moves is None else [node.op.forward(moves, grid, **node.params)]
    if turns is not None:
        cells, dims = _Cells(grid, input.shape[2:], **node.params), input.ndim - 2
        turns = turns.reshape(len(turns), 1, -1, dims)
        weights = total([cells.slopes_of(d) * turns[..., dims - 1 - d] for d in range(dims)])
        y = read_pixels(_flat(input), weights, cells.index)
        terms.append(y.reshape(*input.shape[:2], *grid.shape[1:-1]))
    return total(terms)


for _op in (grid_sampler, read_pixels, spread_pixels, weigh_pixels):
    _op.batch(_batch)

grid_sampler_2d = grid_sampler
grid_sampler_3d = overload(grid_sampler, "GridSampler3DBackward0", aten="grid_sampler_3d")

# ----- Affine grids -----


def _base(size: Ints, align_corners: bool, dtype: np.dtype[Any]) -> Array:
    """Return the places (x, y, .., 1) of the pixels of an image of this size: (P, dims + 1)."""
    axes = []
    for n in size:
        at = np.linspace(-1, 1, n, dtype=dtype) if n > 1 else np.zeros(n, dtype)
        axes.append(at if align_corners else at * dtype.type((n - 1) / n if n else 0))
    places = [*reversed(np.meshgrid(*axes, indexing="ij")), np.ones(size, dtype)]
    return np.stack([each.reshape(-1) for each in places], axis=1)


@primitive(
    lambda g, _y, _x, *, size, align_corners: affine_grid_backward(g, size=size, align_corners=align_corners),
    kind=Kind("matrices", MATRICES.batch, linear),
    node="AffineGridGenerator",
    aten="affine_grid_generator",
)
def affine_grid(input: Any, *, size: Ints, align_corners: bool) -> Any:
    """Return where affine maps (..., dims, dims + 1) take the places of images of a size: (..., *size, dims)."""
    base = _base(size, align_corners, input.dtype)
    y = multiply(base, np.ascontiguousarray(input.swapaxes(-1, -2)))
    return y.reshape(*input.shape[:-2], *size, len(size))


@primitive(
    lambda g, _y, _x, *, size, align_corners: affine_grid(g, size=size, align_corners=align_corners),
    kind=Kind("matrices", MATRICES.batch, linear),
    aten="affine_grid_generator_backward",
)
def affine_grid_backward(input: Any, *, size: Ints, align_corners: bool) -> Any:
    """Return the adjoint of affine_grid."""
    dims = len(size)
    g = input.reshape(*input.shape[: input.ndim - dims - 1], math.prod(size), dims).swapaxes(-1, -2)
    return multiply(np.ascontiguousarray(g), _base(size, align_corners, input.dtype))
