"""Recurrent networks over whole sequences: RNN, LSTM and GRU. The cells, of one step, stand in rnn_cell.py."""

from __future__ import annotations

import numbers
import weakref
from typing import Any

from npg._errors import warn
from npg.creation import empty, zeros
from npg.functional import rnn as functions
from npg.functional._public import public_function
from npg.nn.modules.module import Module
from npg.nn.modules.rnn_cell import (
    GRUCell as GRUCell,
    LSTMCell as LSTMCell,
    RNNCell as RNNCell,
    RNNCellBase as RNNCellBase,
    draw_uniform,
)
from npg.nn.parameter import Parameter
from npg.nn.utils.rnn import PackedSequence
from npg.tensor import Tensor

_KINDS = {
    "LSTM": functions.LSTM,
    "GRU": functions.GRU,
    "RNN_TANH": functions.RNN_TANH,
    "RNN_RELU": functions.RNN_RELU,
}
_LSTM_ONLY = "proj_size argument is only supported for LSTM, not RNN or GRU"


def _apply_permutation(tensor: Tensor, permutation: Tensor, dim: int = 1) -> Tensor:
    return tensor.index_select(dim, permutation)


def apply_permutation(tensor: Tensor, permutation: Tensor, dim: int = 1) -> Tensor:
    """Return tensor.index_select(dim, permutation). Deprecated. Source: torch.nn.modules.rnn.apply_permutation."""
    warn("`apply_permutation` is deprecated, please use `tensor.index_select(dim, permutation)` instead", FutureWarning)
    return _apply_permutation(tensor, permutation, dim)


class RNNBase(Module):
    """Base class of RNN, LSTM and GRU: weights, checks of arguments, and batches of every form.

    Args:
        mode: "LSTM", "GRU", "RNN_TANH" or "RNN_RELU".
        The others: as of LSTM.
    Attributes:
        weight_ih_l{k}{_reverse}, weight_hh_l{k}{_reverse}, bias_ih_l{k}{_reverse}, bias_hh_l{k}{_reverse} and
            weight_hr_l{k}{_reverse}: the weights of layer k, uniform in +-1/sqrt(hidden_size), PyTorch's numbers for
            the same seed.
        all_weights: lists of the weights of each layer and direction.
    Raises: ValueError, TypeError: for settings out of range, or of another type.
    Source: torch.nn.RNNBase.
    """

    __constants__ = [
        "mode", "input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional",
        "proj_size",
    ]  # fmt: skip
    __jit_unused_properties__ = ["all_weights"]

    _flat_weights: list[Any]  # what forward passes on; these are its names, and weak references to its items
    _flat_weights_names: list[str]
    _flat_weight_refs: list[Any]
    _all_weights: list[list[str]]

    @public_function
    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.mode, self.input_size, self.hidden_size, self.num_layers = mode, input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, float(dropout)
        self.bidirectional, self.proj_size = bidirectional, proj_size
        if not isinstance(dropout, numbers.Number) or not 0 <= dropout <= 1 or isinstance(dropout, bool):
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
            )
        if dropout > 0 and num_layers == 1:
            warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
                f"num_layers greater than 1, but got dropout={dropout} and num_layers={num_layers}"
            )
        flags, sizes = (
            {"bias": bias, "batch_first": batch_first},
            {"input_size": input_size, "hidden_size": hidden_size},
        )
        for name, value in {**flags, **sizes}.items():
            kind = bool if name in flags else int
            if not isinstance(value, kind):
                raise TypeError(f"{name} should be of type {kind.__name__}, got: {type(value).__name__}")
            if name in sizes and value <= 0:
                raise ValueError(f"{name} must be greater than zero")
        if num_layers <= 0:
            raise ValueError("num_layers must be greater than zero")
        if num_layers > 2**32:
            raise RuntimeError(f"{num_layers} layers are more than fit into memory")
        if proj_size < 0:
            raise ValueError("proj_size should be a positive integer or zero to disable projections")
        if proj_size >= hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")
        if mode not in _KINDS:
            raise ValueError("Unrecognized RNN mode: " + mode)
        rows, out, directions = _KINDS[mode].gates * hidden_size, proj_size or hidden_size, 1 + bool(bidirectional)
        self._all_weights = self._names_of_weights()
        for i, of_layer in enumerate(self._all_weights):
            features = input_size if i < directions else out * directions
            shapes: dict[str, tuple[int, ...]] = {
                "weight_ih": (rows, features),
                "weight_hh": (rows, out),
                "bias_ih": (rows,),
                "bias_hh": (rows,),
                "weight_hr": (proj_size, hidden_size),
            }
            for name in of_layer:
                weight = empty(shapes[name.partition("_l")[0]], device=device, dtype=dtype)
                setattr(self, name, Parameter(weight))
        self._flat_weights_names = [name for of_layer in self._all_weights for name in of_layer]
        self._init_flat_weights()
        self.reset_parameters()

    def _names_of_weights(self) -> list[list[str]]:
        """Return the names of the weights of each layer and direction."""
        names = ["weight_ih", "weight_hh"]
        if self.bias:
            names += ["bias_ih", "bias_hh"]
        if self.proj_size > 0:
            names += ["weight_hr"]
        ends = ("", "_reverse") if self.bidirectional else ("",)
        return [[f"{name}_l{layer}{end}" for name in names] for layer in range(self.num_layers) for end in ends]

    def reset_parameters(self) -> None:
        """Draw the initial weights anew."""
        draw_uniform(self)

    # ----- The list of weights -----

    def _init_flat_weights(self) -> None:
        self._flat_weights = [self._weight(name) for name in self._flat_weights_names]
        self._flat_weight_refs = [None if w is None else weakref.ref(w) for w in self._flat_weights]
        self.flatten_parameters()

    def _weight(self, name: str) -> Any:
        # Asked for twice, as in PyTorch: a parametrization may have a state, or draw numbers.
        return getattr(self, name) if hasattr(self, name) else None

    def _weights_have_changed(self) -> bool:
        """Tell whether a weight is another tensor than in the list, as in functional_call or by parametrization."""
        own = self._parameters
        for ref, name in zip(self._flat_weight_refs, self._flat_weights_names, strict=True):
            weight = own[name] if name in own else self._weight(name)
            if weight is not None and ref is not None and ref() is not weight:
                return True
        return False

    def _update_flat_weights(self) -> None:
        if self._weights_have_changed():
            self._init_flat_weights()

    def flatten_parameters(self) -> None:
        """Do nothing: on a CPU the weights need not lie together in memory."""

    def __setattr__(self, attr: str, value: Any) -> None:
        super().__setattr__(attr, value)
        names = self.__dict__.get("_flat_weights_names", ())
        if attr in names:
            self._flat_weights[names.index(attr)] = value

    @property
    def all_weights(self) -> list[list[Any]]:
        """The weights of each layer and direction."""
        return [[getattr(self, name) for name in of_layer] for of_layer in self._all_weights]

    # ----- Pickles -----

    def __getstate__(self) -> dict[str, Any]:
        self._update_flat_weights()
        state = self.__dict__.copy()
        del state["_flat_weight_refs"]  # they cannot be pickled
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "all_weights" in state:  # of former versions of PyTorch, like the two after it
            self._all_weights = state["all_weights"]
        self.__dict__.setdefault("proj_size", 0)
        if not isinstance(self._all_weights[0][0], str):
            self._all_weights = self._names_of_weights()
            self._flat_weights_names = [name for of_layer in self._all_weights for name in of_layer]
        self._init_flat_weights()

    # ----- Checks of arguments -----

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Raise ValueError, RuntimeError: when an input has not the dtype of the weights, or a wrong shape."""
        dtype = self._flat_weights[0].dtype
        if input.dtype != dtype:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({dtype}). Convert input: "
                f"input.to({dtype}), or convert model: model.to({input.dtype})"
            )
        ndim = 3 if batch_sizes is None else 2
        if input.dim() != ndim:
            raise RuntimeError(f"input must have {ndim} dimensions, got {input.dim()}")
        if input.shape[-1] != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.shape[-1]}"
            )

    def _expected_size(self, input: Tensor, batch_sizes: Tensor | None, size: int) -> tuple[int, int, int]:
        batch = input.shape[0 if self.batch_first else 1] if batch_sizes is None else int(batch_sizes[0])
        return self.num_layers * (2 if self.bidirectional else 1), batch, size

    def get_expected_hidden_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int, int]:
        """Return the shape of the hidden states for an input."""
        return self._expected_size(input, batch_sizes, self.proj_size or self.hidden_size)

    def check_hidden_size(
        self,
        hx: Tensor,
        expected_hidden_size: tuple[int, int, int],
        msg: str = "Expected hidden size {}, got {}",
    ) -> None:
        """Raise RuntimeError when states have another shape than this."""
        if hx.shape != expected_hidden_size:
            raise RuntimeError(msg.format(expected_hidden_size, list(hx.shape)))

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Raise ValueError, RuntimeError: when an input or its states do not fit."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """Return states in another order of the batch."""
        return hx if permutation is None else _apply_permutation(hx, permutation)

    def extra_repr(self) -> str:
        given = {
            "proj_size": self.proj_size != 0,
            "num_layers": self.num_layers != 1,
            "bias": self.bias is not True,
            "batch_first": self.batch_first is not False,
            "dropout": self.dropout != 0,
            "bidirectional": self.bidirectional is not False,
        }
        shown = [f"{name}={getattr(self, name)}" for name, is_given in given.items() if is_given]
        return ", ".join([f"{self.input_size}, {self.hidden_size}", *shown])

    # ----- Running -----

    def _first_states(self, input: Tensor, batch_sizes: Tensor | None) -> Any:
        """Return the states that a sequence begins with where none are given."""
        return zeros(self.get_expected_hidden_size(input, batch_sizes), dtype=input.dtype)

    def _batched_states(self, hx: Any, ndim: int) -> Any:
        """Return given states, which have ndim dimensions, with that of the batch."""
        if hx.dim() != ndim:
            form = "batched" if ndim == 3 else "unbatched"
            raise RuntimeError(f"For {form} {ndim}-D input, hx should also be {ndim}-D but got {hx.dim()}-D tensor")
        return hx if ndim == 3 else hx.unsqueeze(1)

    def _run(self, input: Any, hx: Any) -> tuple[Any, Any]:
        """Return the outputs and the last states for a padded, a packed, or a single sequence."""
        self._update_flat_weights()
        is_packed, is_lstm = isinstance(input, PackedSequence), self.mode == "LSTM"
        data, batch_sizes, order, original = input if is_packed else (input, None, None, None)
        ndim = 3 if is_packed else data.dim()
        if ndim not in (2, 3):
            kind = "D tensor" if self.mode[:3] == "RNN" else "D"
            raise ValueError(f"{self.mode[:4].rstrip('_')}: Expected input to be 2D or 3D, got {ndim}{kind} instead")
        dim = 0 if self.batch_first else 1
        if ndim == 2:
            data = data.unsqueeze(dim)
        if hx is None:
            hx = self._first_states(data, batch_sizes)
        elif is_packed:
            hx = self.permute_hidden(hx, order)
        else:
            hx = self._batched_states(hx, ndim)
        if not (is_packed and is_lstm):  # there the function finds what is wrong, as in PyTorch
            self.check_forward_args(data, hx, batch_sizes)
        inputs = data, batch_sizes, hx if is_lstm else (hx,), self._flat_weights
        settings = self.bias, self.num_layers, self.dropout, self.training, bool(self.bidirectional)
        arguments: Any = *inputs, *settings, self.batch_first and not is_packed
        output, *last = functions.run(_KINDS[self.mode], *arguments)
        if is_packed:
            output = PackedSequence(output, batch_sizes, order, original)
        elif ndim == 2:
            output, last = output.squeeze(dim), [s.squeeze(1) for s in last]
        return output, self.permute_hidden(tuple(last) if is_lstm else last[0], original)


class RNN(RNNBase):
    """An Elman network: h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu in the place of tanh.

    Args:
        input_size, hidden_size: in and H.
        num_layers: L, the number of layers, of which each takes the outputs of the one before.
        nonlinearity: "tanh" or "relu".
        bias: whether to learn b_ih and b_hh.
        batch_first: input and output are (B, T, features), not (T, B, features).
        dropout: the probability of a zero, while training, in the outputs of every layer but the last.
        bidirectional: run each layer in both directions (D = 2); their outputs are joined.
    A call takes an input, (T, B, in), or (T, in) of one sequence, or a PackedSequence, and the first states,
    (L D, B, H) or (L D, H), zeros if None. It returns the outputs of the last layer, with D H features, in the form of
    the input, and the last states, in that of the first.
    Attributes: the weights; see RNNBase.
    Raises: ValueError, TypeError: for settings out of range, or of another type.
    Source: Elman, Finding Structure in Time, 1990; torch.nn.RNN.
    """

    @public_function
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: Any = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if proj_size is not None:
            raise ValueError(_LSTM_ONLY)
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        mode = f"RNN_{nonlinearity.upper()}"
        layers = num_layers, bias, batch_first, dropout, bidirectional
        super().__init__(mode, input_size, hidden_size, *layers, device=device, dtype=dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        return self._run(input, hx)


class LSTM(RNNBase):
    """A network with long short-term memory.

    i, f, g, o = the quarters of W_ih x + b_ih + W_hh h + b_hh
    c' = sigmoid(f) c + sigmoid(i) tanh(g), h' = sigmoid(o) tanh(c'), of which W_hr makes proj_size numbers

    Args:
        input_size, hidden_size: in and H.
        proj_size: P, less than H; 0: h has H numbers, and P is H.
        The others: as of RNN.
    A call takes an input, (T, B, in), or (T, in) of one sequence, or a PackedSequence, and the pair of the first
    states, h (L D, B, P) and c (L D, B, H), or without B, zeros if None. It returns the outputs of the last layer,
    with D P features, in the form of the input, and the pair of the last states, in that of the first.
    Attributes: the weights; see RNNBase.
    Raises: ValueError, TypeError: for settings out of range, or of another type.
    Source: Hochreiter, Schmidhuber, Long Short-Term Memory, 1997; Sak et al., Long Short-Term Memory Based Recurrent
        Neural Network Architectures, 2014 (W_hr); torch.nn.LSTM.
    """

    @public_function
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        layers = num_layers, bias, batch_first, dropout, bidirectional, proj_size
        super().__init__("LSTM", input_size, hidden_size, *layers, device=device, dtype=dtype)

    def get_expected_cell_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int, int]:
        """Return the shape of the cell states for an input."""
        return self._expected_size(input, batch_sizes, self.hidden_size)

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Raise ValueError, RuntimeError: when an input or its pair of states does not fit."""
        self.check_input(input, batch_sizes)
        sizes = self.get_expected_hidden_size(input, batch_sizes), self.get_expected_cell_size(input, batch_sizes)
        for i, size in enumerate(sizes):
            self.check_hidden_size(hidden[i], size, f"Expected hidden[{i}] size {{}}, got {{}}")

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """Return a pair of states in another order of the batch."""
        return hx if permutation is None else tuple([_apply_permutation(s, permutation) for s in (hx[0], hx[1])])

    def _first_states(self, input: Tensor, batch_sizes: Tensor | None) -> Any:
        h = super()._first_states(input, batch_sizes)
        if not self.proj_size:
            return h, h
        return h, zeros(self.get_expected_cell_size(input, batch_sizes), dtype=input.dtype)

    def _batched_states(self, hx: Any, ndim: int) -> Any:
        h, c = hx[0], hx[1]
        if h.dim() != ndim or c.dim() != ndim:
            form, dims = "batched" if ndim == 3 else "unbatched", f"({h.dim()}-D, {c.dim()}-D)"
            raise RuntimeError(f"For {form} {ndim}-D input, hx and cx should also be {ndim}-D but got {dims} tensors")
        if ndim == 3 and not isinstance(hx, (tuple, list)):
            raise TypeError(f"lstm(): argument 'hx' must be tuple of Tensors, not {type(hx).__name__}")
        return hx if ndim == 3 else (h.unsqueeze(1), c.unsqueeze(1))

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, tuple[Tensor, Tensor]]:
        return self._run(input, hx)


class GRU(RNNBase):
    """A network of gated recurrent units.

    r, z, n = the thirds of W_ih x + b_ih, and r', z', n' those of W_hh h + b_hh
    k = tanh(n + sigmoid(r + r') n'), h' = k + sigmoid(z + z') (h - k)

    Args, calls, attributes and errors: as of RNN.
    Source: Cho et al., Learning Phrase Representations using RNN Encoder-Decoder, 2014; torch.nn.GRU.
    """

    @public_function
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: Any = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if proj_size is not None:
            raise ValueError(_LSTM_ONLY)
        layers = num_layers, bias, batch_first, dropout, bidirectional
        super().__init__("GRU", input_size, hidden_size, *layers, device=device, dtype=dtype)

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        return self._run(input, hx)
