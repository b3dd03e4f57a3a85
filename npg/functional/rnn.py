"""Recurrent networks: layers over whole sequences, stacked and in both directions, and single steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from npg._words import type_name
from npg.engine import TensorBase, apply, array_of, wrap
from npg.functional._public import public_function
from npg.functional._recurrent_checks import check_layers, refuse_step
from npg.functional._types import T
from npg.functional.dropout import drop
from npg.functional.joining import cat
from npg.functional.split import narrow
from npg.ops import rnn as ops
from npg.ops._op import Op
from npg.ops.elementwise import clone
from npg.ops.joining import stack, unbind
from npg.ops.shape import select, transpose


class Kind(NamedTuple):
    """A kind of recurrent layer.

    name: that of the function. gates: how many rows of the weights a state's element has. has_cell: whether there is a
    cell state beside the hidden state, and a projection of that. op, settings: the kernel.
    """

    name: str
    gates: int
    has_cell: bool
    op: Op
    settings: dict[str, Any]


LSTM = Kind("lstm", 4, True, ops.lstm_layer, {})
GRU = Kind("gru", 3, False, ops.gru_layer, {})
RNN_TANH = Kind("rnn_tanh", 1, False, ops.rnn_layer, {"nonlinearity": "tanh"})
RNN_RELU = Kind("rnn_relu", 1, False, ops.rnn_layer, {"nonlinearity": "relu"})


def _layer(
    kind: Kind, input: Any, states: Sequence[Any], weights: Sequence[Any], sizes: Any, reverse: bool = False
) -> tuple[Any, ...]:
    """Return the outputs of one layer and direction, and its last states.

    Args:
        input: (T, B, in), or packed with the sizes of the steps.
        weights: w_ih, w_hh, b_ih, b_hh and w_hr, which may be None from the third on, but not one bias alone.
    """
    settings = {"sizes": sizes, "reverse": reverse, **kind.settings}
    *own, w_hr = weights
    results: tuple[Any, ...]
    if w_hr is None:
        results = apply(kind.op, (input, *states, *own), settings)
    else:
        results = ops.lstm_in_steps(input, *states, *weights, **settings)
    return results


# ----- Layers over a sequence -----


def _unbound(states: Any) -> Any:
    if len(states) == 1:
        return (apply(select, (states,), {"dim": 0, "index": 0}),)
    return apply(unbind, (states,), {"dim": 0})


def run(
    kind: Kind,
    input: Any,
    batch_sizes: Any,
    hx: Sequence[Any],
    params: Sequence[Any],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool = False,
) -> tuple[Any, ...]:
    """Return the outputs of the last layer, and the last states of all layers and directions.

    Args:
        input: (T, B, in), or (B, T, in) with batch_first; with batch_sizes packed, (total, in).
        batch_sizes: (T,) int64, falling; None: the input is not packed.
        hx: the first states, (layers * directions, B, H): one, or of an LSTM two.
        params: of each layer, and of each of its directions, w_ih, w_hh, with has_biases b_ih, b_hh, and w_hr where the
            two states differ in size.
        dropout: the probability of a zero in the outputs of every layer but the last, if train.
    Raises: RuntimeError: when shapes or dtypes do not fit. No number has been drawn then.
    """
    if kind.has_cell and len(hx) != 2:
        raise RuntimeError("lstm expects two hidden states")
    directions = 2 if bidirectional else 1
    groups, sizes = check_layers(
        kind.gates, input, batch_sizes, hx, params, has_biases, num_layers, directions, batch_first
    )
    if train and num_layers > 1 and not 0.0 <= dropout <= 1.0:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {dropout:g}")
    if sizes is not None and sum(sizes) != len(input):
        input = narrow(input, 0, 0, sum(sizes))
    if batch_first:
        input = apply(transpose, (input,), {"dim0": 0, "dim1": 1})
    first = zip(*[_unbound(s) for s in hx], strict=True)
    last: list[Any] = []
    for begin in range(0, len(groups), directions):
        if begin and train and dropout:
            input = drop("dropout", input, dropout, True)
        outputs = []
        for i in range(begin, begin + directions):
            y, *ends = _layer(kind, input, next(first), groups[i], sizes, i > begin)
            outputs.append(y)
            last.append(ends)
        input = outputs[0] if directions == 1 else cat(outputs, -1)
    if directions == 1 and input.requires_grad:
        input = apply(clone, (input,), {})  # what a layer returns is read on the way back, and may not be changed
    if batch_first:
        input = apply(transpose, (input,), {"dim0": 0, "dim1": 1})
    return (input, *[apply(stack, ends, {"dim": 0}) for ends in zip(*last, strict=True)])


# ----- The arguments of torch.lstm and the like, whose two forms begin differently -----

_SETTINGS = {"has_biases": "bool", "num_layers": "int", "dropout": "float", "train": "bool", "bidirectional": "bool"}
_TENSORS = "tuple of Tensors"
_FITS: dict[str, Callable[[Any], bool]] = {
    "Tensor": lambda x: isinstance(x, (TensorBase, np.ndarray)),
    _TENSORS: lambda x: isinstance(x, (tuple, list)),
    "bool": lambda x: isinstance(x, (bool, np.bool_)),
    "int": lambda x: hasattr(x, "__index__") and not isinstance(x, (bool, TensorBase, np.ndarray)),
    "float": lambda x: isinstance(x, (float, int, np.floating)) and not isinstance(x, bool),
}


def _name(x: Any) -> str:
    return "Tensor" if isinstance(x, TensorBase) else type_name(x)


def _forms(kind: Kind) -> tuple[dict[str, str], dict[str, str]]:
    """Return the parameters of both forms, with what they take: that for packed batches, and the other."""
    of_both = {"hx": _TENSORS if kind.has_cell else "Tensor", "params": _TENSORS, **_SETTINGS}
    return {"data": "Tensor", "batch_sizes": "Tensor", **of_both}, {"input": "Tensor", **of_both, "batch_first": "bool"}


def _parsed(kind: Kind, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call by name. Raises: TypeError: when they are those of neither form."""
    forms = _forms(kind)
    for form in forms:
        given = {**dict(zip(form, args, strict=False)), **kwargs}
        if len(args) + len(kwargs) != len(form) or given.keys() != form.keys():
            continue
        if all(_FITS[form[name]](value) for name, value in given.items()):
            for place, name in enumerate(form):
                for i, x in enumerate(given[name] if form[name] == _TENSORS else ()):
                    if not _FITS["Tensor"](x):
                        kinds = f"expected Tensor as element {i} in argument {place}, but got {_name(x)}"
                        raise TypeError(kinds)
            return given
    values = [_name(x) for x in args] + [f"{name}={_name(x)}" for name, x in kwargs.items()]
    texts = [f" * ({', '.join(f'{words} {name}' for name, words in form.items())})" for form in forms]
    head = f"{kind.name}() received an invalid combination of arguments - got ({', '.join(values)})"
    raise TypeError("\n".join([f"{head}, but expected one of:", *texts]))


def _called(kind: Kind, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    given = _parsed(kind, args, kwargs)
    input = given.pop("data") if "data" in given else given.pop("input")
    hx = given.pop("hx")
    batch_sizes = given.pop("batch_sizes", None)
    return run(kind, input, batch_sizes, hx if kind.has_cell else (hx,), **given)


@public_function
def lstm(*args: Any, **kwargs: Any) -> tuple[TensorBase, TensorBase, TensorBase]:
    """Run the layers of an LSTM over a sequence; see npg.nn.LSTM.

    Args:
        data, batch_sizes: a packed batch, (total, in) and (T,) int64. Or
        input: (T, B, in), or (B, T, in) with batch_first.
        hx: (layers * directions, B, P) and (layers * directions, B, H), the first hidden and cell states.
        params: of each layer, and of each of its directions, w_ih (4 H, in), w_hh (4 H, P), with has_biases b_ih (4 H,)
            and b_hh (4 H,), and w_hr (P, H) where P is not H.
        dropout: the probability of a zero in the outputs of every layer but the last, if train.
    Returns: the outputs of the last layer, in the form of the input, and the last states, in that of hx.
    Raises: RuntimeError: when shapes or dtypes do not fit. TypeError: for other kinds of arguments.
    Source: Hochreiter, Schmidhuber, Long Short-Term Memory, 1997; torch.lstm.
    """
    return _called(LSTM, args, kwargs)


@public_function
def gru(*args: Any, **kwargs: Any) -> tuple[TensorBase, TensorBase]:
    """Run the layers of a GRU over a sequence; see npg.nn.GRU.

    Args: as of lstm, but hx is one tensor (layers * directions, B, H), and the weights have 3 H rows.
    Returns: the outputs of the last layer, in the form of the input, and the last states, in that of hx.
    Source: Cho et al., Learning Phrase Representations using RNN Encoder-Decoder, 2014; torch.gru.
    """
    return _called(GRU, args, kwargs)


@public_function
def rnn_tanh(*args: Any, **kwargs: Any) -> tuple[TensorBase, TensorBase]:
    """Run the layers of an Elman network with tanh over a sequence; see npg.nn.RNN.

    Args and returns: as of gru, but the weights have H rows.
    Source: Elman, Finding Structure in Time, 1990; torch.rnn_tanh.
    """
    return _called(RNN_TANH, args, kwargs)


@public_function
def rnn_relu(*args: Any, **kwargs: Any) -> tuple[TensorBase, TensorBase]:
    """Run the layers of an Elman network with relu over a sequence, as rnn_tanh. Source: torch.rnn_relu."""
    return _called(RNN_RELU, args, kwargs)


# ----- Single steps -----


def step(kind: Kind, input: Any, states: Sequence[Any], w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any) -> tuple[Any, ...]:
    """Return the states after one step.

    Args:
        input: (B, in). states: (B, H) each, two of an LSTM. The weights: those of a layer; biases may be None.
    Raises: RuntimeError: when shapes or dtypes do not fit.
    """
    x, w, u, b, v = array_of(input), array_of(w_ih), array_of(w_hh), array_of(b_ih), array_of(b_hh)
    hidden, dtype = u.shape[-1] if u.ndim else 0, x.dtype
    rows, size = (kind.gates * hidden,), (x.shape[0] if x.ndim else 0, hidden)
    fits = x.ndim == 2 and dtype.kind == "f" and w.shape == (*rows, x.shape[1]) and u.shape == (*rows, hidden)
    fits = fits and w.dtype == dtype == u.dtype
    for bias in (b, v):
        fits = fits and (bias is None or (bias.shape == rows and bias.dtype == dtype))
    for s in states:
        h = array_of(s)
        fits = fits and h.shape == size and h.dtype == dtype
    if not fits:
        refuse_step(kind.gates, x, [array_of(s) for s in states], (w, u, b, v))
    if (b is None) != (v is None):
        none = wrap(np.zeros(rows, dtype))
        b_ih, b_hh = none if b is None else b_ih, none if v is None else b_hh
    # A packed batch of one step: no dimension of time has to be added and removed.
    return _layer(kind, input, states, (w_ih, w_hh, b_ih, b_hh, None), size[:1])[1:]


@public_function
def lstm_cell(input: T, hx: Sequence[T], w_ih: T, w_hh: T, b_ih: T | None = None, b_hh: T | None = None) -> tuple[T, T]:
    """Return the hidden and the cell state of an LSTM after one step; see npg.nn.LSTMCell.

    Args:
        input: (B, in).
        hx: (B, H) twice, the states before.
        w_ih, w_hh, b_ih, b_hh: (4 H, in), (4 H, H), (4 H,), (4 H,).
    Raises: RuntimeError: when shapes or dtypes do not fit.
    Source: torch.lstm_cell.
    """
    if not isinstance(hx, (tuple, list)):
        raise TypeError(f"lstm_cell(): argument 'hx' (position 2) must be tuple of Tensors, not {_name(hx)}")
    for i, s in enumerate(hx):
        if not isinstance(s, (TensorBase, np.ndarray)):
            raise TypeError(f"expected Tensor as element {i} in argument 1, but got {_name(s)}")
    if len(hx) != 2:
        raise RuntimeError("lstm_cell expects two hidden states")
    return step(LSTM, input, hx, w_ih, w_hh, b_ih, b_hh)


@public_function
def gru_cell(input: T, hx: T, w_ih: T, w_hh: T, b_ih: T | None = None, b_hh: T | None = None) -> T:
    """Return the state of a GRU after one step; see npg.nn.GRUCell.

    Args:
        input: (B, in). hx: (B, H), the state before.
        w_ih, w_hh, b_ih, b_hh: (3 H, in), (3 H, H), (3 H,), (3 H,).
    Raises: RuntimeError: when shapes or dtypes do not fit.
    Source: torch.gru_cell.
    """
    (h,) = step(GRU, input, (hx,), w_ih, w_hh, b_ih, b_hh)
    return h


@public_function
def rnn_tanh_cell(input: T, hx: T, w_ih: T, w_hh: T, b_ih: T | None = None, b_hh: T | None = None) -> T:
    """Return tanh(input w_ih^T + b_ih + hx w_hh^T + b_hh); see npg.nn.RNNCell.

    Args:
        input: (B, in). hx: (B, H), the state before.
        w_ih, w_hh, b_ih, b_hh: (H, in), (H, H), (H,), (H,).
    Raises: RuntimeError: when shapes or dtypes do not fit.
    Source: torch.rnn_tanh_cell.
    """
    (h,) = step(RNN_TANH, input, (hx,), w_ih, w_hh, b_ih, b_hh)
    return h


@public_function
def rnn_relu_cell(input: T, hx: T, w_ih: T, w_hh: T, b_ih: T | None = None, b_hh: T | None = None) -> T:
    """Return relu(input w_ih^T + b_ih + hx w_hh^T + b_hh), as rnn_tanh_cell. Source: torch.rnn_relu_cell."""
    (h,) = step(RNN_RELU, input, (hx,), w_ih, w_hh, b_ih, b_hh)
    return h
