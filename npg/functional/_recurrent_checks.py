"""Checks of recurrent layers and cells, in PyTorch's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from npg._errors import NO_CAST_IN_PLACE, SIZE_MISMATCH
from npg._words import scalar_name, shape_text
from npg.engine import array_of
from npg.functional._arguments import canonical_dim
from npg.functional.nn.linear import linear


def _zeros(like: Any, *shape: int) -> Any:
    return np.broadcast_to(np.zeros((), like.dtype), shape)


def _check_weights(gates: int, x: Any, h: Any, features: int, hidden: int, weights: tuple[Any, ...]) -> None:
    """Raise RuntimeError when the weights of a layer do not fit.

    Args:
        x, h: the input and the hidden state, arrays of which dtypes and sizes count.
        features: what the last dimension of the layer's own input is.
    """
    rows, out, dtype = gates * hidden, h.shape[-1], x.dtype
    shapes = ((rows, features), (rows, out), (rows,), (rows,), (out, hidden))
    arrays = [array_of(w) for w in weights]
    for w, shape in zip(arrays, shapes):
        if w is not None and (w.shape != shape or w.dtype != dtype):
            break
    else:
        if dtype.kind == "f":
            return
        raise RuntimeError(NO_CAST_IN_PLACE.format(result="Float", wanted=scalar_name(dtype)))
    batch = h.shape[-2]
    linear(_zeros(x, *x.shape[:-1], features), arrays[0], arrays[2])  # they raise what PyTorch's products do
    linear(_zeros(h, batch, out), arrays[1], arrays[3])
    pairs = [(shape_text(shape), shape_text(w.shape)) for w, shape in zip(arrays, shapes) if w is not None]
    wanted, given = (", ".join(texts) for texts in zip(*pairs, strict=True))
    raise RuntimeError(f"expected weights of shapes {wanted}, got {given}")


def _check_dtypes(x: Any, states: Any) -> None:
    for s in states:
        if s.dtype != x.dtype:
            kinds = f"{scalar_name(s)} and {scalar_name(x)}"
            raise RuntimeError(f"mat1 and mat2 must have the same dtype, but got {kinds}")


def _groups(params: Any, has_biases: bool, is_projected: bool) -> list[tuple[Any, ...]]:
    """Return w_ih, w_hh, b_ih, b_hh and w_hr of each layer and direction, None for what is not there."""
    size = 2 + 2 * has_biases + is_projected
    if len(params) % size:
        raise RuntimeError("got an incorrect number of RNN parameters")
    no_biases = () if has_biases else (None, None)
    no_w_hr = () if is_projected else (None,)
    return [(*params[i : i + 2], *no_biases, *params[i + 2 : i + size], *no_w_hr) for i in range(0, len(params), size)]


def _steps(batch_sizes: Any, total: int) -> tuple[int, ...]:
    """Return the sizes of the steps of a packed batch, without those that are 0.

    Raises: RuntimeError: when they are no int64, negative, rise, or are more than there are elements.
    """
    array = array_of(batch_sizes)
    if array.dtype != np.int64:
        raise RuntimeError(f"expected scalar type Long but found {scalar_name(array)}")
    if array.ndim != 1:
        raise RuntimeError(f"expected batch_sizes of one dimension, got {array.ndim}")
    sizes: list[int] = array.tolist()
    done = 0
    for before, n in zip([*sizes[:1], *sizes], sizes):
        if n < 0:
            raise RuntimeError("narrow(): length must be non-negative.")
        if done + n > total:
            raise RuntimeError(f"start ({done}) + length ({n}) exceeds dimension size ({total}).")
        if n > before:
            raise RuntimeError(SIZE_MISMATCH.format(a=before, b=n, dimension=0))
        done += n
    return tuple([n for n in sizes if n])


def check_layers(
    gates: int,
    input: Any,
    batch_sizes: Any,
    hx: Sequence[Any],
    params: Sequence[Any],
    has_biases: bool,
    num_layers: int,
    directions: int,
    batch_first: bool,
) -> tuple[list[tuple[Any, ...]], tuple[int, ...] | None]:
    """Return the weights of each layer and direction, and the sizes of the steps of a packed batch, else None.

    Raises: RuntimeError: when arguments of run do not fit.
    """
    x, states = array_of(input), [array_of(s) for s in hx]
    for s in states:
        canonical_dim(2, s.ndim)  # raises
    count, _, out = states[0].shape
    hidden = states[-1].shape[2]
    groups = _groups(params, has_biases, hidden != out)
    if count % directions or len(groups) % directions:
        raise RuntimeError("Odd number of params or hiddens given to a bidirectional RNN")
    if any(len(s) != num_layers * directions for s in states):
        raise RuntimeError("Expected more hidden states in stacked_rnn")
    if len(groups) != count:
        raise RuntimeError("Expected more weights in stacked_rnn")
    if not count:
        raise RuntimeError("stack expects a non-empty TensorList")
    ndim = 3 if batch_sizes is None else 2
    if x.ndim != ndim:
        raise RuntimeError(f"input must have {ndim} dimensions, got {x.ndim}")
    sizes = None
    if batch_sizes is None:
        batch, steps = x.shape[:2] if batch_first else x.shape[1::-1]
    else:
        sizes = _steps(batch_sizes, len(x))
        steps, batch = len(sizes), sizes[0] if sizes else 0
    if not steps:
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
    for i, weights in enumerate(groups):
        features = directions * out if i >= directions else x.shape[-1]
        _check_weights(gates, x, states[0], features, hidden, weights)
    _check_dtypes(x, states)
    for s in states:
        if s.shape[1] != batch:
            raise RuntimeError(SIZE_MISMATCH.format(a=s.shape[1], b=batch, dimension=0))
    return groups, sizes


# ----- Single steps -----


def _second(array: Any) -> int:
    """Return the size of the second dimension. Raises: IndexError: when there is none."""
    if not array.ndim:
        raise IndexError("Dimension specified as 1 but tensor has no dimensions")
    return int(array.shape[canonical_dim(1, array.ndim)])


def refuse_step(gates: int, x: Any, states: Any, weights: Any) -> None:
    w, u, *_ = weights
    for array in (x, w, u):
        _second(array)
    if x.shape[1] != w.shape[1]:
        raise RuntimeError(f"input has inconsistent input_size: got {x.shape[1]} expected {w.shape[1]}")
    hidden = u.shape[1]
    for name, array in (("ih", w), ("hh", u)):
        if len(array) != gates * hidden:
            rows = f"{gates} * hidden_size = {gates * hidden}"
            raise RuntimeError(f"weight_{name} first dim must be {rows}, but got {len(array)}")
    for i, h in enumerate(states):
        if len(h) != len(x):
            raise RuntimeError(f"Input batch size {len(x)} doesn't match hidden{i} batch size {len(h)}")
        if _second(h) != hidden:
            raise RuntimeError(f"hidden{i} has inconsistent hidden_size: got {h.shape[1]}, expected {hidden}")
    _check_weights(gates, x, states[0], x.shape[1], hidden, (*weights, None))
    _check_dtypes(x, states)
    raise RuntimeError(
        f"expected input and states of two dimensions, got {', '.join(str(s.ndim) for s in (x, *states))}"
    )
