"""NumPy's differences, integrals, interpolation, convolution and polynomials on tensors; see math.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import functional as F
from npg.engine import TensorBase
from npg.functional.nn.padding import pad
from npg.tensor._numpy.nondifferentiable import refuse_recorded
from npg.tensor._numpy.registry import as_dtype, axes_of, flat, floating, implements, tensor, values

# ----- Slopes and integrals -----


def _slope(f: Any, spacing: Any, edge_order: int) -> Any:
    """Return the gradient of f along its first dimension, for one step or for the coordinates of its rows."""
    n = f.shape[0]
    if n < edge_order + 1:
        raise ValueError(
            "Shape of array too small to calculate a numerical gradient, at least (edge_order + 1) elements are "
            "required."
        )
    if np.ndim(values(spacing)) == 0:
        h = np.full(n - 1, float(values(spacing)), f._array.dtype)
    else:
        h = np.diff(np.asarray(values(spacing), f._array.dtype))
        if h.shape != (n - 1,):
            raise ValueError("when 1d, distances must match the length of the corresponding dimension")
    h = h.reshape(-1, *(1,) * (f.ndim - 1))
    if np.all(h == h[:1]):
        inner = (f[2:] - f[:-2]) / (2 * h[:1])
    else:
        p, q = h[:-1], h[1:]
        inner = f[:-2] * (-q / (p * (p + q))) + f[1:-1] * ((q - p) / (p * q)) + f[2:] * (p / (q * (p + q)))
    if edge_order == 1:
        first, last = (f[1:2] - f[:1]) / h[:1], (f[-1:] - f[-2:-1]) / h[-1:]
    else:
        p, q = h[:1], h[1:2]
        first = f[:1] * (-(2 * p + q) / (p * (p + q))) + f[1:2] * ((p + q) / (p * q)) - f[2:3] * (p / (q * (p + q)))
        p, q = h[-2:-1], h[-1:]
        last = f[-3:-2] * (q / (p * (p + q))) - f[-2:-1] * ((q + p) / (p * q)) + f[-1:] * ((2 * q + p) / (q * (p + q)))
    return F.cat([first, inner, last], 0)


@implements(np.gradient)
def _gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    f = floating(tensor(f))
    refuse_recorded("the spacing of np.gradient", varargs)
    if edge_order > 2:
        raise ValueError("'edge_order' greater than 2 not supported")
    axes = tuple(range(f.ndim)) if axis is None else axes_of(axis, f.ndim)
    if len(varargs) not in (0, 1, len(axes)):
        raise TypeError("invalid number of arguments")
    steps = varargs or (1.0,)
    steps = steps * len(axes) if len(steps) == 1 else steps
    slopes = [F.movedim(_slope(F.movedim(f, d, 0), h, edge_order), 0, d) for d, h in zip(axes, steps)]
    return slopes[0] if len(axes) == 1 else tuple(slopes)


@implements(np.trapezoid)
def _trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    y = F.movedim(floating(tensor(y)), axis, -1)
    if x is not None:
        x = tensor(x)
        x = x if x.ndim == 1 else F.movedim(x, axis, -1)
        dx = x[..., 1:] - x[..., :-1]
    return F.sum(dx * (y[..., 1:] + y[..., :-1]) / 2.0, -1)


@implements(np.ediff1d)
def _ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    ary, _ = flat(ary, None)
    parts = [None if to_begin is None else tensor(to_begin), F.diff(ary), None if to_end is None else tensor(to_end)]
    return F.cat([as_dtype(F.reshape(p, (-1,)), ary._array.dtype) for p in parts if p is not None], 0)


@implements(np.unwrap)
def _unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: float = 2 * np.pi) -> Any:
    # The correction added to each element is piecewise constant.
    p = floating(tensor(p))
    return p + (np.unwrap(p._array, discont, axis, period=period) - p._array)


@implements(np.interp)
def _interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    if period is not None:
        raise TypeError("np.interp of a Tensor takes no period=; reduce x and xp yourself")
    x, xp, fp = floating(tensor(x)), floating(tensor(xp)), floating(tensor(fp))
    n = xp.shape[0]
    i = np.clip(np.searchsorted(xp._array, x._array, "right") - 1, 0, max(n - 2, 0))
    j = np.minimum(i + 1, n - 1)
    below, above = x._array < xp._array[0], x._array > xp._array[-1]
    inside = F.clamp(x, xp._array[0], xp._array[-1])
    width = xp[j] - xp[i] if n > 1 else 1.0
    y = fp[i] + (fp[j] - fp[i]) * ((inside - xp[i]) / width)
    y = F.where(tensor(below), fp[0] if left is None else left, y)
    return F.where(tensor(above), fp[-1] if right is None else right, y)


@implements(np.angle)
def _angle(z: Any, deg: bool = False) -> Any:
    z = floating(tensor(z))
    angle = F.atan2(tensor(np.zeros_like(z._array)), z)
    return F.rad2deg(angle) if deg else angle


# ----- Numbers at equal distances -----


def _ends(start: Any, stop: Any) -> tuple[Any, Any, Any]:
    """Return both ends as tensors of one shape, and the dtype to compute in, which numbers do not widen."""
    ends = [values(e) if isinstance(e, (TensorBase, np.ndarray)) else e for e in (start, stop)]
    kind = np.result_type(*(e if isinstance(e, (int, float)) else np.asarray(e) for e in ends))
    both = F.broadcast_tensors(*(floating(as_dtype(tensor(e), kind)) for e in (start, stop)))
    return *both, both[0]._array.dtype


def _axis_last(x: Any, axis: int) -> Any:
    return F.movedim(x, 0, axis) if axis else x


def _places(num: int, endpoint: bool, ndim: int) -> np.ndarray[Any, Any]:
    return np.linspace(0.0, 1.0, num, endpoint).reshape(-1, *(1,) * ndim)


@implements(np.linspace)
def _linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    start, stop, kind = _ends(start, stop)
    places = _places(num, endpoint, start.ndim).astype(kind)
    points = as_dtype(_axis_last(start * (1 - places) + stop * places, axis), dtype)
    return (points, (stop - start) / (num - 1 if endpoint else num)) if retstep else points


@implements(np.logspace)
def _logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None, axis: int = 0
) -> Any:
    return as_dtype(F.pow(base, _linspace(start, stop, num, endpoint, axis=axis)), dtype)


@implements(np.geomspace)
def _geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    start, stop, kind = _ends(start, stop)
    if not (start._array.all() and stop._array.all()):
        raise ValueError("Geometric sequence cannot include zero")
    places = _places(num, endpoint, start.ndim).astype(kind)
    return as_dtype(_axis_last(start * F.pow(stop / start, tensor(places)), axis), dtype)


# ----- Convolution -----


def _convolved(a: Any, v: Any, mode: str) -> Any:
    a, v = (F.reshape(tensor(x), (-1,)) if tensor(x).ndim < 2 else tensor(x) for x in (a, v))
    if a.ndim != 1 or v.ndim != 1:
        raise ValueError("object too deep for desired array")
    if not a.shape[0] or not v.shape[0]:
        raise ValueError(f"{'a' if not a.shape[0] else 'v'} cannot be empty")
    if a.shape[0] < v.shape[0]:
        a, v = v, a
    n, m = a.shape[0], v.shape[0]
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"mode must be one of 'valid', 'same', or 'full' (got '{mode}')")
    windows = F.unfold(pad(a, [m - 1, m - 1]), 0, m, 1)  # (n + m - 1, m)
    full = F.sum(windows * F.flip(v, (0,)), -1)
    if mode == "full":
        return full
    return full[(m - 1) // 2 : (m - 1) // 2 + n] if mode == "same" else full[m - 1 : n]


@implements(np.convolve)
def _convolve(a: Any, v: Any, mode: str = "full") -> Any:
    return _convolved(a, v, mode)


@implements(np.correlate)
def _correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    a, v = (F.reshape(tensor(x), (-1,)) if tensor(x).ndim < 2 else tensor(x) for x in (a, v))
    if a.shape[0] < v.shape[0]:  # NumPy swaps the two, and reverses the result
        return F.flip(_convolved(v, F.flip(a, (0,)), mode), (0,))
    return _convolved(a, F.flip(v, (0,)), mode)


# ----- Polynomials: coefficients from the highest power down -----


@implements(np.polyval)
def _polyval(p: Any, x: Any) -> Any:
    p, x = tensor(p), tensor(x)
    y: Any = tensor(np.zeros_like(x._array))
    for c in p:
        y = y * x + c
    return y


def _poly_sum(a: Any, b: Any, sign: int) -> Any:
    a, b = (F.reshape(tensor(x), (-1,)) for x in (a, b))
    n = max(a.shape[0], b.shape[0])
    a, b = (pad(x, [n - x.shape[0], 0]) for x in (a, b))
    return a + b if sign > 0 else a - b


@implements(np.polyadd)
def _polyadd(a1: Any, a2: Any) -> Any:
    return _poly_sum(a1, a2, 1)


@implements(np.polysub)
def _polysub(a1: Any, a2: Any) -> Any:
    return _poly_sum(a1, a2, -1)


@implements(np.polymul)
def _polymul(a1: Any, a2: Any) -> Any:
    return _convolved(a1, a2, "full")


@implements(np.polyder)
def _polyder(p: Any, m: int = 1) -> Any:
    p = tensor(p)
    for _ in range(m):
        n = p.shape[0]
        p = p[:-1] * np.arange(n - 1, 0, -1).astype(p._array.dtype)
    return p


@implements(np.polyint)
def _polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    p = floating(tensor(p))
    constants = [0.0] * m if k is None else [k] * m if np.ndim(values(k)) == 0 else list(k)
    for c in constants:
        divisors = np.arange(p.shape[0], 0, -1).astype(p._array.dtype)
        end = c if isinstance(c, TensorBase) else tensor(np.asarray(c, p._array.dtype))
        p = F.cat([p / divisors, F.reshape(end, (1,))], 0)
    return p


@implements(np.poly)
def _poly(seq_of_zeros: Any) -> Any:
    zeros = tensor(seq_of_zeros)
    if zeros.ndim != 1:
        raise TypeError("np.poly of a Tensor takes zeros, not a matrix; use np.linalg.eigvalsh for its eigenvalues")
    coefficients = tensor(np.ones(1, zeros._array.dtype))
    for z in zeros:
        coefficients = pad(coefficients, [0, 1]) - z * pad(coefficients, [1, 0])
    return coefficients


@implements(np.vander)
def _vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    x = tensor(x)
    if x.ndim != 1:
        raise ValueError("x must be a one-dimensional array or sequence.")
    power = tensor(np.ones_like(x._array))
    powers = []
    for _ in range(x.shape[0] if N is None else N):
        powers.append(power)
        power = power * x
    return F.stack(powers if increasing else powers[::-1], 1)
