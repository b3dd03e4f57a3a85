"""Cells of recurrent networks, which take one step."""

from __future__ import annotations

import math
from typing import Any

from npg.creation import empty, zeros
from npg.functional import rnn as functions
from npg.functional._public import public_function
from npg.nn import init
from npg.nn.modules.module import Module
from npg.nn.parameter import Parameter
from npg.tensor import Tensor


def draw_uniform(module: Any) -> None:
    """Fill all weights from U(-1/sqrt(H), 1/sqrt(H)), H the size of the hidden state."""
    bound = 1.0 / math.sqrt(module.hidden_size) if module.hidden_size > 0 else 0
    for weight in module.parameters():
        init.uniform_(weight, -bound, bound)


class RNNCellBase(Module):
    """Base class of the cells.

    Args:
        input_size, hidden_size: in and H.
        bias: whether to learn the biases.
        num_chunks: how many rows of the weights an element of the state has.
    Attributes:
        weight_ih, weight_hh: (num_chunks H, in) and (num_chunks H, H), uniform in +-1/sqrt(H), PyTorch's numbers for
            the same seed.
        bias_ih, bias_hh: (num_chunks H,), from the same range, or None.
    Source: torch.nn.RNNCellBase.
    """

    __constants__ = ["input_size", "hidden_size", "bias"]

    bias_ih: Any
    bias_hh: Any

    @public_function
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        rows = num_chunks * hidden_size
        self.weight_ih = Parameter(empty((rows, input_size), device=device, dtype=dtype))
        self.weight_hh = Parameter(empty((rows, hidden_size), device=device, dtype=dtype))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(empty(rows, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the initial weights anew."""
        draw_uniform(self)

    def extra_repr(self) -> str:
        shown = f"{self.input_size}, {self.hidden_size}"
        own = self.__dict__
        if own.get("bias", True) is not True:
            shown += f", bias={self.bias}"
        if own.get("nonlinearity", "tanh") != "tanh":
            shown += f", nonlinearity={own['nonlinearity']}"
        return shown

    def _refuse_dims(self, what: str, ndim: int) -> None:
        kind = next(c.__name__ for c in type(self).__mro__ if c.__module__ == RNNCellBase.__module__)
        raise ValueError(f"{kind}: Expected {what} to be 1D or 2D, got {ndim}D instead")

    def _next(self, function: Any, input: Tensor, hx: Tensor | None) -> Tensor:
        """Return the state after one step of a batch, or of a single input."""
        ndim = input.dim()
        if ndim not in (1, 2):
            self._refuse_dims("input", ndim)
        if hx is not None and hx.dim() not in (1, 2):
            self._refuse_dims("hidden", hx.dim())
        if ndim == 1:
            input, hx = input.unsqueeze(0), None if hx is None else hx.unsqueeze(0)
        if hx is None:
            hx = zeros((input.shape[0], self.hidden_size), dtype=input.dtype)
        h: Tensor = function(input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return h if ndim == 2 else h.squeeze(0)


class RNNCell(RNNCellBase):
    """One step of an Elman network: h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu in the place of tanh.

    Args:
        input_size, hidden_size: in and H.
        bias: whether to learn b_ih and b_hh.
        nonlinearity: "tanh" or "relu".
    A call takes (B, in) and the state (B, H), or both without B; zeros if None. It returns the next state.
    Attributes: weight_ih, weight_hh, bias_ih, bias_hh; see RNNCellBase.
    Raises: RuntimeError: when called with another nonlinearity.
    Source: torch.nn.RNNCell.
    """

    __constants__ = ["input_size", "hidden_size", "bias", "nonlinearity"]

    @public_function
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        if self.nonlinearity == "tanh":
            return self._next(functions.rnn_tanh_cell, input, hx)
        if self.nonlinearity == "relu":
            return self._next(functions.rnn_relu_cell, input, hx)
        raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")


class LSTMCell(RNNCellBase):
    """One step of an LSTM; see LSTM for the formula.

    Args:
        input_size, hidden_size: in and H.
        bias: whether to learn b_ih and b_hh.
    A call takes (B, in) and the pair of states h and c, (B, H) each, or all without B; zeros if None. It returns the
    pair of the next states.
    Attributes: weight_ih, weight_hh, bias_ih, bias_hh; see RNNCellBase.
    Source: torch.nn.LSTMCell.
    """

    @public_function
    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: Any = None) -> tuple[Tensor, Tensor]:
        ndim = input.dim()
        if ndim not in (1, 2):
            self._refuse_dims("input", ndim)
        if hx is not None:
            for i, state in enumerate(hx):
                if state.dim() not in (1, 2):
                    self._refuse_dims(f"hx[{i}]", state.dim())
        if ndim == 1:
            input, hx = input.unsqueeze(0), None if hx is None else (hx[0].unsqueeze(0), hx[1].unsqueeze(0))
        if hx is None:
            hx = (zeros((input.shape[0], self.hidden_size), dtype=input.dtype),) * 2
        h, c = functions.lstm_cell(input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return (h, c) if ndim == 2 else (h.squeeze(0), c.squeeze(0))


class GRUCell(RNNCellBase):
    """One step of a GRU; see GRU for the formula.

    Args:
        input_size, hidden_size: in and H.
        bias: whether to learn b_ih and b_hh.
    A call takes (B, in) and the state (B, H), or both without B; zeros if None. It returns the next state.
    Attributes: weight_ih, weight_hh, bias_ih, bias_hh; see RNNCellBase.
    Source: torch.nn.GRUCell.
    """

    @public_function
    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._next(functions.gru_cell, input, hx)
