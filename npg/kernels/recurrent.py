"""The steps of a recurrent layer in one direction: products of the state with a weight, and what the gates do.

    tanh, relu   h = tanh(x + W h)
    lstm         i, f, g, o = x + W h;  c = s(f) c + s(i) tanh(g);  h = s(o) tanh(c)       s(t) = 1 / (exp(-t) + 1)
    gru          r, z = s(x + W h);  n = tanh(x_n + r (W_n h + b));  h = n + z (h - n)

What the input contributes, x, is one product for all steps. A *walk* is the order of the steps: of each the row where
its numbers begin, and how many sequences have it, which are the first ones of the batch.

For threads, the units of a layer are cut into parts, by shapes alone, hence so are the bits. The numbers of a part lie
together: an array *by parts* has for each part its gates (gates, total, units), or states (rows, units), flat, one
after the other. So all passes run over contiguous numbers, and each thread reads its rows of the weight only, which
stay in its cache. csrc/kernels/recurrent.pxi does the same.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from npg.kernels import core
from npg.kernels.products import multiply, multiply_one_of_many

Array = np.ndarray[Any, Any]

KINDS = {"tanh": 1, "relu": 1, "lstm": 4, "gru": 3}  # and how many gates they have
_SHARED = 1 << 18  # multiplications of a step from which the units are cut into parts
_STEPS = 4  # from which it pays to copy the weight for that
_WIDE = 256  # units from which there are four parts, else two


class Kept(NamedTuple):
    """What is kept for the way back, by parts: gates (lstm, gru); c (lstm); tanh(c), or W_n h + b (gru)."""

    gates: Array | None
    cells: Array | None
    more: Array | None


@functools.lru_cache(maxsize=256)
def walk_of(steps: int, batch: int, sizes: tuple[int, ...] | None, reverse: bool) -> Array:
    """Return the row where each step begins and how many sequences have it, (steps, 2), in the order of the walk."""
    counts = (batch,) * steps if sizes is None else sizes
    starts = [0, *itertools.accumulate(counts[:-1])] if counts else []
    walk = np.array([starts, counts], np.intp).T.reshape(-1, 2)
    walk = np.ascontiguousarray(walk[::-1] if reverse else walk)
    walk.flags.writeable = False
    return walk


def _units_of(kind: str, batch: int, hidden: int, steps: int) -> int:
    """Return the units of a part."""
    work = batch * KINDS[kind] * hidden * hidden
    parts = 1 if work <= _SHARED or steps < _STEPS else 2 if hidden < _WIDE else 4
    return -(-hidden // parts) or 1


def _parts(x: Array, lead: tuple[int, ...], units: int, hidden: int) -> Iterator[tuple[slice, Array]]:
    """Yield the units of each part, and a view (*lead, units) of what an array by parts has for them."""
    rows = math.prod(lead)
    for first in range(0, hidden, units):
        last = min(first + units, hidden)
        yield slice(first, last), x[rows * first : rows * last].reshape(*lead, last - first)


def _by_parts(x: Array | None, units: int) -> Array | None:
    """Return states (B, H) by parts; a copy."""
    if x is None:
        return None
    if units >= x.shape[1]:
        return x.copy("C").reshape(-1)
    y = np.empty(x.size, x.dtype)
    for there, part in _parts(y, x.shape[:1], units, x.shape[1]):
        part[...] = x[:, there]
    return y


def _by_rows(x: Array, batch: int, units: int, hidden: int) -> Array:
    """Return (B, H) of states by parts."""
    if units >= hidden:
        return x.reshape(batch, hidden)
    y = np.empty((batch, hidden), x.dtype)
    for there, part in _parts(x, (batch,), units, hidden):
        y[:, there] = part
    return y


def _weight_by_parts(w: Array, units: int) -> Array:
    """Return a weight (gates x H, H) with the rows for the gates of each part together; itself where there is one."""
    hidden = w.shape[1]
    if units >= hidden:
        return w
    gates, y = w.reshape(-1, hidden, hidden), np.empty_like(w)
    for first in range(0, hidden, units):
        rows = gates[:, first : first + units]
        place = slice(len(gates) * first, len(gates) * (first + rows.shape[1]))
        y[place].reshape(rows.shape)[...] = rows
    return y


def _last(y: Array, batch: int, walk: Array) -> Array:
    """Return the state of each sequence after its last step, (B, H)."""
    if len(walk) * batch == len(y):  # all sequences are as long
        at = walk[-1, 0]
        return y[at : at + batch].copy()
    h, done = np.empty((batch, y.shape[1]), y.dtype), 0
    for at, count in walk[::-1].tolist():
        if count > done:
            h[done:count] = y[at + done : at + count]
            done = count
    return h


def _sigmoid(x: Array) -> None:
    one = x.dtype.type(1)
    np.negative(x, out=x)
    np.exp(x, out=x)
    x += one
    np.divide(one, x, out=x)


# ----- Forward -----


def forward(
    kind: str,
    rows: Array,
    w_ih: Array,
    w_hh: Array,
    bias: Array | None,
    bias_of_new: Array | None,
    h0: Array,
    c0: Array | None,
    walk: Array,
    keep: bool,
) -> tuple[Array, Array, Array | None, Kept]:
    """Return the states of all steps, (total, H), the last states and cells, (B, H), and what is kept.

    Args:
        rows: the input, (total, in), laid out for BLAS. w_ih: (gates x H, in). w_hh: C-contiguous (gates x H, H).
        bias: (gates x H,), of the input and the state together. bias_of_new: (H,), b of gru. Or None.
        h0, c0: (B, H); c0 for lstm.
    """
    batch, hidden = h0.shape
    units = _units_of(kind, batch, hidden, len(walk))
    x = multiply(rows, w_ih.T, row=bias)
    y = np.empty((len(rows), hidden), x.dtype)
    c = _by_parts(c0, units)
    has_gates = KINDS[kind] > 1
    gates = np.empty(x.size, x.dtype) if has_gates else None
    cells = np.empty(y.size, y.dtype) if keep and kind == "lstm" else None
    more = np.empty(y.size, y.dtype) if keep and has_gates else None
    h = h0.copy("C")
    number = list(KINDS).index(kind)
    w_hh = _weight_by_parts(w_hh, units)
    done = not y.size or (
        core.recurrent is not None
        and core.recurrent(number, x, w_hh, bias_of_new, h, h.copy(), c, y, gates, cells, more, units, walk)
    )
    if not done:
        _walk_through(kind, x, w_hh, bias_of_new, h, c, y, Kept(gates, cells, more), units, walk)
    last = None if c is None else _by_rows(c, batch, units, hidden)
    return y, _last(y, batch, walk), last, Kept(gates, cells, more)


def _walk_through(
    kind: str, x: Array, w: Array, bias: Any, h: Array, c: Any, y: Array, kept: Kept, units: int, walk: Array
) -> None:
    gates, (total, hidden), batch = KINDS[kind], y.shape, len(h)
    of_parts = _zipped(
        units, hidden, ((kept.gates, (gates, total)), (c, (batch,)), (kept.cells, (total,)), (kept.more, (total,)))
    )
    for at, n in walk.tolist():
        place = slice(at, at + n)
        for there, all_gates, states, *all_kept in of_parts:
            product = multiply_one_of_many(h[:n], w[gates * there.start : gates * there.stop].T)
            products = np.split(product, gates, 1)
            xs = [x[place, gate * hidden + there.start : gate * hidden + there.stop] for gate in range(gates)]
            cells, more = (None if a is None else a[place] for a in all_kept)
            if kind == "lstm":
                y[place, there] = _lstm_step(all_gates[:, place], xs, products, states[:n], cells, more)
            elif kind == "gru":
                if bias is not None:
                    products[2] += bias[there]
                y[place, there] = _gru_step(all_gates[:, place], xs, products, h[:n, there], more)
            else:
                state = xs[0] + products[0]
                y[place, there] = np.tanh(state) if kind == "tanh" else np.maximum(state, state.dtype.type(0))
        h[:n] = y[place]


def _zipped(units: int, hidden: int, arrays: Any) -> list[tuple[Any, ...]]:
    """Return for each part its units, and views of what arrays by parts, given with their shapes, have for them."""
    views = [
        itertools.repeat(None) if x is None else [part for _, part in _parts(x, lead, units, hidden)]
        for x, lead in arrays
    ]
    return list(zip((slice(i, min(i + units, hidden)) for i in range(0, hidden, units)), *views, strict=False))


def _lstm_step(
    gates: Array, xs: list[Array], products: list[Array], c: Array, cells: Array | None, more: Array | None
) -> Array:
    i, f, g, o = all_gates = list(gates)
    for gate, x, product in zip(all_gates, xs, products, strict=True):
        np.add(x, product, out=gate)
        if gate is g:
            np.tanh(g, out=g)
        else:
            _sigmoid(gate)
    c *= f
    c += i * g
    squashed = np.tanh(c)
    if cells is not None and more is not None:
        cells[...], more[...] = c, squashed
    return o * squashed


def _gru_step(gates: Array, xs: list[Array], products: list[Array], h: Array, more: Array | None) -> Array:
    r, z, n = gates
    for gate, x, product in zip((r, z), xs, products, strict=False):
        np.add(x, product, out=gate)
        _sigmoid(gate)
    if more is not None:
        more[...] = products[2]
    np.tanh(xs[2] + r * products[2], out=n)
    y = (h - n) * z
    y += n
    return y


# ----- Backward -----


def backward(
    kind: str,
    kept: Kept,
    w_hh: Array,
    gy: Array | None,
    gh: Array,
    gc: Array | None,
    y: Array,
    h0: Array,
    c0: Array | None,
    walk: Array,
) -> tuple[Array, Array, Array, Array | None]:
    """Return the gradients of x, of the product of the states (the same array, but for gru), and of h0 and c0.

    Args:
        gy: C-contiguous gradient of the states of all steps, (total, H), or None.
        gh, gc: gradients of the last states, (B, H); gc for lstm.
        y: the states of all steps, (total, H).
    Returns: (total, gates x H) twice, (B, H) twice.
    """
    (total, hidden), (batch, _) = y.shape, h0.shape
    units = _units_of(kind, batch, hidden, len(walk))
    gx = np.empty((total, len(w_hh)), y.dtype)
    gs = np.empty_like(gx) if kind == "gru" else gx
    of_states, of_cells = _by_parts(gh, units), _by_parts(gc, units)
    assert of_states is not None
    h0, c0 = np.ascontiguousarray(h0), _by_parts(c0, units)
    number = list(KINDS).index(kind)
    arrays = kept.gates, w_hh, gy, of_states, of_cells, y, h0, c0, kept.cells, kept.more, gx, gs
    done = not y.size or (core.recurrent_back is not None and core.recurrent_back(number, *arrays, units, walk))
    if not done:
        _walk_back(kind, kept, w_hh, gy, of_states, of_cells, y, h0, c0, gx, gs, units, walk)
    last = None if of_cells is None else _by_rows(of_cells, batch, units, hidden)
    return gx, gs, _by_rows(of_states, batch, units, hidden), last


def _walk_back(
    kind: str, kept: Kept, w: Array, gy: Any, gh: Array, gc: Any, y: Array, h0: Array, c0: Any, gx: Array, gs: Array,
    units: int, walk: Array,
) -> None:  # fmt: skip
    gates, (total, hidden), batch = KINDS[kind], y.shape, len(h0)
    of_parts = _zipped(
        *(units, hidden),
        (
            *((kept.gates, (gates, total)), (kept.cells, (total,)), (kept.more, (total,))),
            *((gh, (batch,)), (gc, (batch,)), (c0, (batch,))),
        ),
    )
    steps = walk.tolist()
    for step in range(len(steps) - 1, -1, -1):
        at, n = steps[step]
        last, known = steps[step - 1] if step else (0, 0)
        known = min(known, n)
        place = slice(at, at + n)
        for there, a, cells, more, g, g_cell, c in of_parts:
            g = g[:n]
            if gy is not None:
                g += gy[place, there]
            if kind == "lstm":
                before = np.concatenate((cells[last : last + known], c[known:n]))
                found = _lstm_back(a[:, place], g, g_cell[:n], before, more[place])
            elif kind == "gru":
                before = np.concatenate((y[last : last + known, there], h0[known:n, there]))
                *found, new = _gru_back(a[:, place], g, before, more[place])
                for gate, part in enumerate((*found[:2], new)):
                    gs[place, gate * hidden + there.start : gate * hidden + there.stop] = part
            else:
                state = y[place, there]
                found = [g * (1 - state * state) if kind == "tanh" else np.where(state > 0, g, 0)]
            for gate, part in enumerate(found):
                gx[place, gate * hidden + there.start : gate * hidden + there.stop] = part
        for there, _, _, _, g, *_ in of_parts:
            if kind == "gru":
                g[:n] += multiply_one_of_many(gs[place], w[:, there])
            else:
                g[:n] = multiply_one_of_many(gs[place], w[:, there])


def _lstm_back(a: Array, gh: Array, gc: Array, before: Array, squashed: Array) -> list[Array]:
    i, f, g, o = a
    gc += (o * gh) * (1 - squashed * squashed)
    found = [
        (gc * g) * (i - i * i), (gc * before) * (f - f * f), (gc * i) * (1 - g * g), (gh * squashed) * (o - o * o)
    ]  # fmt: skip
    gc *= f
    return found


def _gru_back(a: Array, gh: Array, before: Array, more: Array) -> list[Array]:
    """Return the gradients of the three gates, and of what r is multiplied with."""
    r, z, n = a
    gz = ((before - n) * gh) * (z - z * z)
    kept = gh * z
    gn = (gh - kept) * (1 - n * n)
    gh[...] = kept
    return [(gn * more) * (r - r * r), gz, gn, gn * r]
