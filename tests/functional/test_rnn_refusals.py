"""What torch.lstm and the like and their cells refuse, in PyTorch's words, before anything is drawn."""

import numpy as np
import pytest
import torch

import npg
from tests.functional.recurrent import SETTINGS, H, X, states, w, weights
from tests.twins import agree, attempt


def test_refused_call_draws_nothing():
    w = [npg.tensor(a) for a in weights("gru", layers=2)]
    w[5] = w[5][:, :4]  # of the second layer
    before = npg.get_rng_state()
    with pytest.raises(RuntimeError, match=r"shapes cannot be multiplied \(2x5 and 4x15\)"):
        npg.gru(npg.ones(3, 2, 3).double(), npg.tensor(states("gru", 2)[0]), w, True, 2, 0.5, True, False, False)
    with pytest.raises(RuntimeError, match="dropout probability has to be between 0 and 1, but got 2"):
        npg.gru(
            npg.ones(3, 2, 3).double(),
            npg.tensor(states("gru", 2)[0]),
            [npg.tensor(a) for a in weights("gru", layers=2)],
            True, 2, 2.0, True, False, False,
        )  # fmt: skip
    assert npg.equal(npg.get_rng_state(), before)


# ----- What is refused -----


def odd(weights):
    """Return weights of which the first two have five rows more than fit."""
    return [npg.ones(20, 3).double(), weights[1], npg.ones(20).double(), weights[3]]


REFUSED = {
    "one state": lambda t: t.lstm(X(t), (H(t),), w(t, "lstm"), *SETTINGS, False),
    "three states": lambda t: t.lstm(X(t), (H(t),) * 3, w(t, "lstm"), *SETTINGS, False),
    "a tensor as states": lambda t: t.lstm(X(t), H(t), w(t, "lstm"), *SETTINGS, False),
    "states as a tensor": lambda t: t.gru(X(t), (H(t), H(t)), w(t), *SETTINGS, False),
    "number as state": lambda t: t.lstm(X(t), (H(t), 3), w(t, "lstm"), *SETTINGS, False),
    "number as weight": lambda t: t.gru(X(t), H(t), [3], *SETTINGS, False),
    "None as weight of a packed batch": lambda t: t.gru(X(t)[0], t.tensor([2]), H(t), [None] * 4, *SETTINGS),
    "few arguments": lambda t: t.gru(X(t), H(t), w(t)),
    "no arguments": lambda t: t.gru(),
    "unknown argument": lambda t: t.rnn_tanh(X(t), H(t), w(t), *SETTINGS, batch_firs=True),
    "text as input": lambda t: t.gru("a", H(t), w(t), *SETTINGS, False),
    "text as weights": lambda t: t.rnn_relu(X(t), H(t), "a", *SETTINGS, False),
    "text for a bool": lambda t: t.gru(X(t), H(t), w(t), "a", 1, 0.0, False, False, False),
    "part of a layer": lambda t: t.gru(X(t), H(t), w(t), True, 1.5, 0.0, False, False, False),
    "few weights": lambda t: t.gru(X(t), H(t), w(t)[:2], *SETTINGS, False),
    "many weights": lambda t: t.gru(X(t), H(t), w(t) * 2, *SETTINGS, False),
    "biases that are not expected": lambda t: t.gru(X(t), H(t), w(t), False, *SETTINGS[1:], False),
    "few states": lambda t: t.gru(X(t), H(t), w(t, layers=2), True, 2, 0.0, False, False, False),
    "many states": lambda t: t.gru(X(t), H(t, 2), w(t), *SETTINGS, False),
    "odd states": lambda t: t.gru(X(t), H(t, 3), w(t, directions=2), True, 1, 0.0, False, True, False),
    "odd weights": lambda t: t.gru(X(t), H(t, 2), w(t), True, 1, 0.0, False, True, False),
    "no layers": lambda t: t.gru(X(t), H(t, 0), [], True, 0, 0.0, False, False, False),
    "fewer than no layers": lambda t: t.gru(X(t), H(t), w(t), True, -1, 0.0, False, False, False),
    "no steps": lambda t: t.gru(X(t)[:0], H(t), w(t), *SETTINGS, False),
    "features": lambda t: t.gru(X(t)[..., :2], H(t), w(t), *SETTINGS, False),
    "features of the second layer": lambda t: t.gru(
        X(t), H(t, 2), [*w(t), *w(t, features=4)], True, 2, 0.0, False, False, False
    ),
    "dtype of the input": lambda t: t.gru(X(t).float(), H(t), w(t), *SETTINGS, False),
    "dtype of the state": lambda t: t.gru(X(t), H(t).float(), w(t), *SETTINGS, False),
    "batch of the state": lambda t: t.gru(X(t), t.ones(1, 3, 5).double(), w(t), *SETTINGS, False),
    "size of the state": lambda t: t.gru(X(t), t.ones(1, 2, 6).double(), w(t), *SETTINGS, False),
    "size of the bias": lambda t: t.gru(X(t), H(t), [*w(t)[:2], *w(t, "lstm")[2:]], *SETTINGS, False),
    "rows of w_hh": lambda t: t.gru(X(t), H(t), [w(t)[0], w(t, "lstm")[1], *w(t)[2:]], *SETTINGS, False),
    "integers": lambda t: t.gru(X(t).int(), H(t).int(), [a.int() for a in w(t)], *SETTINGS, False),
    "flat states": lambda t: t.lstm(X(t), (H(t)[0], H(t)[0]), w(t, "lstm"), *SETTINGS, False),
    "projection by other weights": lambda t: t.lstm(X(t), (H(t)[..., :2], H(t)), w(t, "lstm"), *SETTINGS, False),
    "dropout": lambda t: t.gru(X(t), H(t, 2), w(t, layers=2), True, 2, 1.5, True, False, False),
    "dropout of nan": lambda t: t.gru(X(t), H(t, 2), w(t, layers=2), True, 2, float("nan"), True, False, False),
    "batch sizes of floats": lambda t: t.gru(X(t)[:2, 0], t.tensor([2.0]), H(t), w(t), *SETTINGS),
    "batch sizes of int32": lambda t: t.gru(X(t)[:2, 0], t.tensor([2]).int(), H(t), w(t), *SETTINGS),
    "batch sizes that rise": lambda t: t.gru(X(t)[0, :1].expand(5, 3), t.tensor([2, 3]), H(t), w(t), *SETTINGS),
    "batch sizes beyond the data": lambda t: t.gru(X(t)[:2, 0], t.tensor([2, 1]), H(t), w(t), *SETTINGS),
    "batch size below 0": lambda t: t.gru(X(t)[:, 0], t.tensor([2, -1]), H(t), w(t), *SETTINGS),
    "packed batch of the state": lambda t: t.gru(X(t)[:, 0], t.tensor([3]), H(t), w(t), *SETTINGS),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_refusals_are_torchs(what):
    def program(lib):
        text = attempt(lambda: REFUSED[what](lib))
        assert isinstance(text, str), f"{lib.__name__} accepts it"
        yield text.split("\n")[0] if what != "unknown argument" else text.split("(")[0]  # of those by name in any order

    agree(program)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: npg.gru(X(npg)[0], H(npg), w(npg), *SETTINGS, False), "input must have 3 dimensions, got 2"),
        (lambda: npg.gru(X(npg), npg.tensor([2]), H(npg), w(npg), *SETTINGS), "input must have 2 dimensions, got 3"),
        (
            lambda: npg.lstm(X(npg), (H(npg), H(npg).float()), w(npg, "lstm"), *SETTINGS, False),
            "mat1 and mat2 must have the same dtype, but got Float and Double",
        ),
        (
            lambda: npg.lstm_cell(X(npg)[0], (H(npg)[0], H(npg)[0].float()), *w(npg, "lstm")),
            "mat1 and mat2 must have the same dtype, but got Float and Double",
        ),
        (
            lambda: npg.gru(X(npg)[0], npg.tensor([[2]]), H(npg), w(npg), *SETTINGS),
            "expected batch_sizes of one dimension, got 2",
        ),
        (
            lambda: npg.lstm(X(npg), (H(npg), H(npg, 2)), w(npg, "lstm"), *SETTINGS, False),
            "Expected more hidden states in stacked_rnn",
        ),
        (
            lambda: npg.gru(X(npg)[:0, 0], npg.tensor([], dtype=npg.int64), H(npg), w(npg), *SETTINGS),
            "Expected sequence length to be larger than 0 in RNN",
        ),
        (
            lambda: npg.gru(X(npg), H(npg), odd(w(npg)), *SETTINGS, False),
            r"expected weights of shapes \[15, 3\], \[15, 5\], \[15\], \[15\], got \[20, 3\], \[15, 5\]",
        ),
    ],
)
def test_calls_that_torch_takes_for_others_are_refused(call, text):
    # PyTorch reads memory that is not there, takes a dimension for another, or fails in an op of a step.
    with pytest.raises(RuntimeError, match=text):
        call()


# ----- Cells -----


def x(lib):
    return lib.ones(4, 3)


def h(lib):
    return lib.ones(4, 5)


def v(lib, name="lstm", **shape):
    return [lib.tensor(a) for a in weights(name, dtype=np.float32, **shape)]


CELLS = {
    "one state": lambda t: t.lstm_cell(x(t), (h(t),), *v(t)),
    "features": lambda t: t.lstm_cell(x(t)[:, :2], (h(t), h(t)), *v(t)),
    "batch of the state": lambda t: t.lstm_cell(x(t), (h(t)[:3], h(t)), *v(t)),
    "batch of the cell state": lambda t: t.lstm_cell(x(t), (h(t), h(t)[:1]), *v(t)),
    "size of the state": lambda t: t.lstm_cell(x(t), (t.ones(4, 6), h(t)), *v(t)),
    "size of the cell state": lambda t: t.lstm_cell(x(t), (h(t), t.ones(4, 1)), *v(t)),
    "a vector": lambda t: t.gru_cell(x(t)[0], h(t)[0], *v(t, "gru")),
    "a number": lambda t: t.gru_cell(t.tensor(1.0), h(t), *v(t, "gru")),
    "a vector as state": lambda t: t.gru_cell(x(t), t.ones(4), *v(t, "gru")),
    "rows": lambda t: t.lstm_cell(x(t), (h(t), h(t)), *v(t, "gru")),
    "rows of w_hh": lambda t: t.lstm_cell(x(t), (h(t), h(t)), v(t)[0], v(t, "gru")[1], *v(t)[2:]),
    "rows of a GRU": lambda t: t.gru_cell(x(t), h(t), *v(t)),
    "rows of an RNN": lambda t: t.rnn_tanh_cell(x(t), h(t), *v(t)),
    "size of the bias": lambda t: t.rnn_relu_cell(x(t), h(t), *v(t, "rnn_relu")[:2], *v(t, "gru")[2:]),
    "dtype of the input": lambda t: t.gru_cell(x(t).double(), h(t), *v(t, "gru")),
    "dtype of the state": lambda t: t.gru_cell(x(t), h(t).double(), *v(t, "gru")),
    "dtype of the bias": lambda t: t.lstm_cell(x(t), (h(t), h(t)), *v(t)[:2], *[b.double() for b in v(t)[2:]]),
    "dtype of the weights": lambda t: t.lstm_cell(x(t), (h(t), h(t)), *[a.double() for a in v(t)]),
    "integers": lambda t: t.gru_cell(x(t).int(), h(t).int(), *[a.int() for a in v(t, "gru")]),
    "text as input": lambda t: t.rnn_tanh_cell("a", h(t), *v(t, "rnn_tanh")),
    "text as states": lambda t: t.lstm_cell(x(t), "a", *v(t)),
    "a tensor as states": lambda t: t.lstm_cell(x(t), h(t), *v(t)),
    "None as states": lambda t: t.lstm_cell(x(t), None, *v(t)),
    "None as a state": lambda t: t.lstm_cell(x(t), (h(t), None), *v(t)),
    "no weights": lambda t: t.lstm_cell(x(t), (h(t), h(t))),
}


@pytest.mark.parametrize("what", CELLS)
def test_refusals_of_cells_are_torchs(what):
    def program(lib):
        text = attempt(lambda: CELLS[what](lib))
        assert isinstance(text, str), f"{lib.__name__} accepts it"
        yield text

    agree(program)


@pytest.mark.parametrize("lib", [npg, torch])
def test_ndim_of_three_is_refused(lib):
    with pytest.raises(RuntimeError):
        lib.lstm_cell(lib.ones(4, 3, 2), (h(lib), h(lib)), *v(lib))
    with pytest.raises(RuntimeError):
        lib.lstm_cell(x(lib), (lib.ones(4, 5, 2), h(lib)), *v(lib))
