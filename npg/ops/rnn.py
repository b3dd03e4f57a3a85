"""Recurrent layers in one direction: all steps of an RNN, an LSTM or a GRU, over whole or packed batches.

A layer is fused: one product of the input for all steps, then the steps of npg/kernels/recurrent.py, and one product
for each gradient of a weight in the end. The composites are the same steps in primitives, one after the other.

`input` is (T, B, in), or with `sizes` packed as (total, in): step after step, `sizes` the falling numbers of sequences
that have each. Gates are ordered as in PyTorch: i, f, g, o and r, z, n.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from npg.kernels.blas_rows import as_rows
from npg.kernels.products import multiply
from npg.kernels.recurrent import Kept, backward, forward, walk_of
from npg.kernels.sums import column_sum
from npg.ops._op import fused
from npg.ops.activation import relu
from npg.ops.joining import cat, split, stack
from npg.ops.linear import linear
from npg.ops.shape import select, slice_
from npg.ops.special import sigmoid
from npg.ops.trigonometry import tanh

Array = np.ndarray[Any, Any]
Sizes = tuple[int, ...] | None

# ----- What the layers share -----


def _walk(input: Array, h0: Array, sizes: Sizes, reverse: bool) -> Array:
    return walk_of(len(input) if sizes is None else len(sizes), len(h0), sizes, reverse)


def _forward(
    kind: str, input: Array, states: Sequence[Array], weights: Sequence[Array | None], sizes: Sizes, reverse: bool,
    keep: bool,
) -> Any:  # fmt: skip
    """Return the states of all steps and the last ones, and what is kept for the way back."""
    h0, *c0 = states
    w_ih, w_hh, bias, b_hh = weights
    assert w_ih is not None and w_hh is not None
    new = None
    if b_hh is not None and bias is not None:
        if kind == "gru":  # the last third of the states' bias is multiplied by r
            bias, n = bias.copy(), 2 * h0.shape[1]
            bias[:n] += b_hh[:n]
            new = np.ascontiguousarray(b_hh[n:])
        else:
            bias = bias + b_hh
    rows, walk = as_rows(input, input.shape[-1]), _walk(input, h0, sizes, reverse)
    w_hh = np.ascontiguousarray(w_hh)
    y, h, c, kept = forward(kind, rows, w_ih, w_hh, bias, new, h0, c0[0] if c0 else None, walk, keep)
    y = y if sizes is not None else y.reshape(*input.shape[:2], h0.shape[1])
    return (y, h) if c is None else (y, h, c), kept if keep else ()


def _backward(
    kind: str, kept: Kept, g: Any, y: Array, input: Array, states: Sequence[Array], weights: Sequence[Array | None],
    needs: tuple[bool, ...], sizes: Sizes, reverse: bool,
) -> list[Array | None]:  # fmt: skip
    """Return the gradients of the input, the states and the weights."""
    h0, *c0 = states
    w_ih, w_hh, bias, _ = weights
    assert w_ih is not None and w_hh is not None
    walk, y = _walk(input, h0, sizes, reverse), y.reshape(math.prod(input.shape[:-1]), h0.shape[1])
    gy = None if g[0] is None else np.ascontiguousarray(g[0]).reshape(y.shape)
    gh, *gc = (np.zeros_like(h0) if part is None else part for part in g[1:])
    gx, gs, gh, gc0 = backward(
        kind, kept, np.ascontiguousarray(w_hh), gy, gh, gc[0] if gc else None, y, h0, c0[0] if c0 else None, walk
    )
    of_input, of_bias, of_states_bias = needs[0], *needs[-2:]
    rows = as_rows(input, input.shape[-1])
    grads: list[Array | None] = [multiply(gx, w_ih).reshape(input.shape) if of_input else None, gh]
    if gc0 is not None:
        grads.append(gc0)
    grads.append(multiply(gx.T, rows) if needs[-4] else None)
    grads.append(_of_states(gs, y, h0, sizes, reverse, walk) if needs[-3] else None)
    grads.append(column_sum(gx) if bias is not None and of_bias else None)
    same = gs is gx and grads[-1] is not None
    grads.append(None if bias is None or not of_states_bias else grads[-1] if same else column_sum(gs))
    return grads


def _of_states(gs: Array, y: Array, h0: Array, sizes: Sizes, reverse: bool, walk: Array) -> Array:
    """Return the gradient of w_hh: the sum over all steps of gs times the states before."""
    if len(walk) == 1:
        return multiply(gs.T, h0)
    if sizes is not None:
        before, last, seen = np.empty_like(y), 0, 0
        for at, n in walk.tolist():
            known = min(seen, n)
            before[at : at + known] = y[last : last + known]
            before[at + known : at + n] = h0[known:n]
            last, seen = at, n
        return multiply(gs.T, before)
    batch = len(h0)
    first, later, earlier = (gs[-batch:], gs[:-batch], y[batch:]) if reverse else (gs[:batch], gs[batch:], y[:-batch])
    total = multiply(first.T, h0)
    if len(later):
        total += multiply(later.T, earlier)
    return total


def _steps(
    input: Any, sizes: Sizes, reverse: bool, states: tuple[Any, ...], step: Callable[..., tuple[Any, ...]]
) -> tuple[Any, ...]:
    """Return the first states of all steps, joined, and the last states, by calling step(place, states).

    Args:
        step: of the index of a step, or for packed batches a slice of rows, and the states of as many sequences.
    """
    if sizes is None:
        count = input.shape[0]
        outputs: list[Any] = [None] * count
        for t in reversed(range(count)) if reverse else range(count):
            states = step(t, states)
            outputs[t] = states[0]
        return (stack(*outputs, dim=0), *states)
    first, seen = states, sizes[-1 if reverse else 0]
    outputs, ended = [None] * len(sizes), []
    states = tuple(_rows(s, 0, seen) for s in states)
    for t, (start, n) in _places(sizes, reverse):
        if n < seen:  # the sequences after the first n have ended
            ended.append(tuple(_rows(s, n, seen) for s in states))
            states = tuple(_rows(s, 0, n) for s in states)
        elif n > seen:  # on the way back more begin
            states = tuple(cat(s, _rows(s0, seen, n), dim=0) for s, s0 in zip(states, first, strict=True))
        seen = n
        states = step(slice(start, start + n), states)
        outputs[t] = states[0]
    last = [cat(s, *(part[i] for part in reversed(ended)), dim=0) for i, s in enumerate(states)]
    return (cat(*outputs, dim=0), *last)


def _places(sizes: tuple[int, ...], reverse: bool) -> Iterator[tuple[int, tuple[int, int]]]:
    """Yield each step, the row where it begins and how many sequences it has, in the order of the walk."""
    walk = walk_of(len(sizes), sizes[0], sizes, reverse).tolist()
    numbers = range(len(sizes))
    yield from zip(reversed(numbers) if reverse else numbers, map(tuple, walk), strict=True)


def _rows(x: Any, start: int, stop: int) -> Any:
    return slice_(x, dim=0, start=start, stop=stop, step=1)


def _at(x: Any, place: Any) -> Any:
    """Return a step of (T, B, n), or some rows of (total, n)."""
    return _rows(x, place.start, place.stop) if isinstance(place, slice) else select(x, dim=0, index=place)


def _parts(x: Any, count: int) -> Any:
    n = x.shape[-1] // count
    return split(x, sizes=(n,) * count, dim=len(x.shape) - 1)


# ----- The plain layer -----


@fused(multi=True, reads=(0,), aten=None)
def rnn_layer(
    input: Any,
    h0: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any,
    b_hh: Any,
    *,
    nonlinearity: str,
    sizes: Sizes = None,
    reverse: bool = False,
    keep: bool = True,
) -> Any:
    """Return the states of all steps h = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu, and the last ones.

    Shapes: (T, B, in), (B, H), (H, in), (H, H), biases (H,) or None; see above for packed batches.
    """
    weights = (w_ih, w_hh, b_ih, b_hh)
    return _forward(nonlinearity, input, (h0,), weights, sizes, reverse, keep)


@rnn_layer.backward
def _rnn_backward(
    g: Any,
    y: Any,
    input: Any,
    h0: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any,
    b_hh: Any,
    *,
    saved: Any,
    needs: tuple[bool, ...],
    nonlinearity: str,
    sizes: Sizes = None,
    reverse: bool = False,
) -> Any:
    weights = (w_ih, w_hh, b_ih, b_hh)
    return _backward(nonlinearity, saved, g, y[0], input, (h0,), weights, needs, sizes, reverse)


@rnn_layer.compose
def _rnn(
    input: Any,
    h0: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any,
    b_hh: Any,
    *,
    nonlinearity: str,
    sizes: Sizes = None,
    reverse: bool = False,
) -> Any:
    x = linear(input, w_ih, b_ih)
    activation = tanh if nonlinearity == "tanh" else relu

    def step(place: Any, states: tuple[Any, ...]) -> tuple[Any, ...]:
        return (activation(_at(x, place) + linear(states[0], w_hh, b_hh)),)

    return _steps(input, sizes, reverse, (h0,), step)


# ----- LSTM -----


@fused(multi=True, reads=(0,), aten=None)
def lstm_layer(
    input: Any,
    h0: Any,
    c0: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any,
    b_hh: Any,
    *,
    sizes: Sizes = None,
    reverse: bool = False,
    keep: bool = True,
) -> Any:
    """Return the states h of all steps, and the last h and c.

    Shapes: (T, B, in), (B, H), (B, H), (4 H, in), (4 H, H), biases (4 H,) or None; see above for packed batches.
    """
    return _forward("lstm", input, (h0, c0), (w_ih, w_hh, b_ih, b_hh), sizes, reverse, keep)


@lstm_layer.backward
def _lstm_backward(
    g: Any,
    y: Any,
    input: Any,
    h0: Any,
    c0: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any,
    b_hh: Any,
    *,
    saved: Any,
    needs: tuple[bool, ...],
    sizes: Sizes = None,
    reverse: bool = False,
) -> Any:
    weights = (w_ih, w_hh, b_ih, b_hh)
    return _backward("lstm", saved, g, y[0], input, (h0, c0), weights, needs, sizes, reverse)


@lstm_layer.compose
def lstm_in_steps(
    input: Any,
    h0: Any,
    c0: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any,
    b_hh: Any,
    w_hr: Any = None,
    *,
    sizes: Sizes = None,
    reverse: bool = False,
) -> Any:
    """Return the same in primitives; with w_hr (P, H) the state is the projection h = W_hr (s(o) tanh(c)), (B, P)."""
    x = linear(input, w_ih, b_ih)

    def step(place: Any, states: tuple[Any, ...]) -> tuple[Any, ...]:
        h, c = states
        i, f, g, o = _parts(_at(x, place) + linear(h, w_hh, b_hh), 4)
        c = sigmoid(f) * c + sigmoid(i) * tanh(g)
        h = sigmoid(o) * tanh(c)
        return h if w_hr is None else linear(h, w_hr, None), c

    return _steps(input, sizes, reverse, (h0, c0), step)


# ----- GRU -----


@fused(multi=True, reads=(0,), aten=None)
def gru_layer(
    input: Any,
    h0: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any,
    b_hh: Any,
    *,
    sizes: Sizes = None,
    reverse: bool = False,
    keep: bool = True,
) -> Any:
    """Return the states h of all steps, and the last ones.

    Shapes: (T, B, in), (B, H), (3 H, in), (3 H, H), biases (3 H,) or None; see above for packed batches.
    """
    return _forward("gru", input, (h0,), (w_ih, w_hh, b_ih, b_hh), sizes, reverse, keep)


@gru_layer.backward
def _gru_backward(
    g: Any,
    y: Any,
    input: Any,
    h0: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any,
    b_hh: Any,
    *,
    saved: Any,
    needs: tuple[bool, ...],
    sizes: Sizes = None,
    reverse: bool = False,
) -> Any:
    return _backward("gru", saved, g, y[0], input, (h0,), (w_ih, w_hh, b_ih, b_hh), needs, sizes, reverse)


@gru_layer.compose
def _gru(
    input: Any,
    h0: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any,
    b_hh: Any,
    *,
    sizes: Sizes = None,
    reverse: bool = False,
) -> Any:
    x = linear(input, w_ih, b_ih)

    def step(place: Any, states: tuple[Any, ...]) -> tuple[Any, ...]:
        (h,) = states
        of_input, of_state = _parts(_at(x, place), 3), _parts(linear(h, w_hh, b_hh), 3)
        r, z = (sigmoid(a + b) for a, b in zip(of_input[:2], of_state[:2], strict=True))
        n = tanh(of_input[2] + r * of_state[2])
        return (n + z * (h - n),)

    return _steps(input, sizes, reverse, (h0,), step)
