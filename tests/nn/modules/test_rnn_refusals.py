"""What RNN, LSTM, GRU and their cells refuse, when built and when called, in PyTorch's words."""

import pytest
import torch

import npg
from tests.twins import agree, attempt, warned

# ----- Construction -----

BUILT = {
    "dropout of one layer": lambda n: n.LSTM(3, 5, dropout=0.5),
    "no flag of a direction": lambda n: n.LSTM(3, 5, bidirectional=0),
    "number for a direction": lambda n: n.LSTM(3, 4, bidirectional=3),
    "everything": lambda n: n.LSTM(3, 4, 2, False, True, 0.5, True, 2),
    "everything of an RNN": lambda n: n.RNN(3, 4, 2, "relu", False, True, 0.5, True),
    "everything of a GRU": lambda n: n.GRU(3, 4, 2, False, True, 0.5, True),
    "base": lambda n: n.RNNBase("GRU", 3, 5),
    "proj_size of a GRU": lambda n: n.GRU(3, 5, proj_size=0),
    "proj_size of an RNN": lambda n: n.RNN(3, 5, proj_size=2),
    "nonlinearity": lambda n: n.RNN(3, 5, 1, "gelu"),
    "nonlinearity None": lambda n: n.RNN(3, 5, nonlinearity=None),
    "mode": lambda n: n.RNNBase("X", 3, 5),
    "text as input_size": lambda n: n.LSTM("3", 5),
    "float as hidden_size": lambda n: n.LSTM(3, 5.0),
    "text as dropout": lambda n: n.LSTM(3, 5, dropout="1"),
    "bool as dropout": lambda n: n.LSTM(3, 5, dropout=True),
    "dropout above 1": lambda n: n.LSTM(3, 5, dropout=2),
    "number as bias": lambda n: n.LSTM(3, 5, bias=1),
    "number as batch_first": lambda n: n.LSTM(3, 5, batch_first=1),
    "no input": lambda n: n.GRU(0, 5),
    "no state": lambda n: n.GRU(3, -1),
    "no layers": lambda n: n.RNN(3, 5, 0),
    "proj_size below 0": lambda n: n.LSTM(3, 5, proj_size=-1),
    "proj_size of hidden_size": lambda n: n.LSTM(3, 5, proj_size=5),
    "device": lambda n: n.LSTM(3, 5, device="foo"),
    "cell of nothing": lambda n: n.LSTMCell(0, 5),
    "cell with an empty state": lambda n: n.GRUCell(5, 0),
    "cell with a negative state": lambda n: n.GRUCell(5, -1),
    "cell with another nonlinearity": lambda n: n.RNNCell(3, 2, nonlinearity="x"),
    "cell with a number as bias": lambda n: n.LSTMCell(3, 2, bias=3),
    "cell without bias": lambda n: n.RNNCell(3, 2, False, "relu"),
    "base of cells": lambda n: n.RNNCellBase(3, 2, True, 5),
}


@pytest.mark.parametrize("what", BUILT)
def test_construction_is_torchs(what):
    def program(lib):
        module, warnings = warned(lambda: attempt(lambda: BUILT[what](lib.nn)))
        yield str(module), warnings
        yield [] if isinstance(module, str) else list(module.state_dict().values())
        yield lib.rand(1)  # what is refused has drawn nothing

    agree(program)


def test_warning_is_given_at_the_line_of_the_user():
    with pytest.warns(UserWarning, match="dropout option adds dropout after all but last") as seen:
        npg.nn.GRU(2, 3, dropout=0.5)
    assert seen[0].filename == __file__


# ----- Calls that are refused -----


def packed(lib, **kwargs):
    return lib.nn.utils.rnn.pack_sequence([lib.ones(2, 3, **kwargs), lib.ones(1, 3, **kwargs)])


CALLS = {
    "4-D": lambda t, n: n.LSTM(3, 5)(t.ones(2, 1, 1, 3)),
    "4-D RNN": lambda t, n: n.RNN(3, 5)(t.ones(2, 1, 1, 3)),
    "1-D GRU": lambda t, n: n.GRU(3, 5)(t.ones(3)),
    "dtype": lambda t, n: n.GRU(3, 5)(t.ones(2, 1, 3).double()),
    "integers": lambda t, n: n.LSTM(3, 5)(t.ones(2, 1, 3).int()),
    "features": lambda t, n: n.LSTM(3, 5)(t.ones(2, 1, 4)),
    "features of one sequence": lambda t, n: n.RNN(3, 5)(t.ones(2, 4)),
    "ndim of states": lambda t, n: n.LSTM(3, 5)(t.ones(2, 1, 3), (t.ones(1, 5),) * 2),
    "ndim of a state": lambda t, n: n.LSTM(3, 5)(t.ones(2, 1, 3), (t.ones(1, 1, 5), t.ones(1, 5))),
    "ndim of the states of one sequence": lambda t, n: n.LSTM(3, 5)(t.ones(2, 3), (t.ones(1, 1, 5),) * 2),
    "ndim of the state of a GRU": lambda t, n: n.GRU(3, 5)(t.ones(2, 1, 3), t.ones(1, 5)),
    "ndim of the state of one sequence": lambda t, n: n.GRU(3, 5)(t.ones(2, 3), t.ones(1, 1, 5)),
    "batch of the state": lambda t, n: n.GRU(3, 5)(t.ones(2, 1, 3), t.ones(1, 2, 5)),
    "batch of the states": lambda t, n: n.LSTM(3, 5)(t.ones(2, 1, 3), (t.ones(1, 2, 5),) * 2),
    "size of the cell state": lambda t, n: n.LSTM(3, 5)(t.ones(2, 1, 3), (t.ones(1, 1, 5), t.ones(1, 1, 4))),
    "layers of the state": lambda t, n: n.RNN(3, 5, 2, batch_first=True)(t.ones(1, 2, 3), t.ones(1, 1, 5)),
    "one state": lambda t, n: n.LSTM(3, 5)(t.ones(2, 1, 3), (t.ones(1, 1, 5),)),
    "three states": lambda t, n: n.LSTM(3, 5)(t.ones(2, 1, 3), (t.ones(1, 1, 5),) * 3),
    "a tensor as states": lambda t, n: n.LSTM(3, 5)(t.ones(2, 1, 3), t.ones(1, 1, 5)),
    "no steps": lambda t, n: n.GRU(3, 5)(t.ones(0, 1, 3)),
    "no steps of an LSTM": lambda t, n: n.LSTM(3, 5)(t.ones(0, 1, 3)),
    "no steps of one sequence": lambda t, n: n.LSTM(3, 5)(t.ones(0, 3)),
    "batch of the states of packed": lambda t, n: n.LSTM(3, 5)(packed(t), (t.ones(1, 3, 5),) * 2),
    "batch of the state of packed": lambda t, n: n.GRU(3, 5)(packed(t), t.ones(1, 3, 5)),
    "ndim of the state of packed": lambda t, n: n.GRU(3, 5)(packed(t), t.ones(1, 5)),
    "dtype of packed": lambda t, n: n.GRU(3, 5)(packed(t, dtype=t.float64)),
    "dtype of packed of an LSTM": lambda t, n: n.LSTM(4, 5)(packed(t, dtype=t.float64)),
    "features of packed": lambda t, n: n.RNN(4, 5)(packed(t)),
    "ndim of packed": lambda t, n: n.RNN(4, 5)(packed(t)._replace(data=t.ones(3, 1, 4))),
    "base": lambda t, n: n.RNNBase("GRU", 3, 5)(t.ones(2, 1, 3)),
    "3-D for a cell": lambda t, n: n.GRUCell(3, 5)(t.ones(2, 1, 3)),
    "3-D for an LSTM's cell": lambda t, n: n.LSTMCell(3, 5)(t.ones(2, 1, 3)),
    "3-D state of a cell": lambda t, n: n.RNNCell(3, 5)(t.ones(2, 3), t.ones(2, 1, 5)),
    "3-D state of an LSTM's cell": lambda t, n: n.LSTMCell(3, 5)(t.ones(2, 3), (t.ones(2, 5), t.ones(2, 1, 5))),
    "tensor as states of a cell": lambda t, n: n.LSTMCell(3, 5)(t.ones(2, 3), t.ones(2, 5)),
    "features for a cell": lambda t, n: n.LSTMCell(3, 5)(t.ones(2, 4)),
    "vectors as states of a cell": lambda t, n: n.LSTMCell(3, 5)(t.ones(2, 3), (t.ones(5),) * 2),
    "vector as state of a cell": lambda t, n: n.GRUCell(3, 5)(t.ones(2, 3), t.ones(5)),
    "states of a batch for one input": lambda t, n: n.LSTMCell(3, 5)(t.ones(3), (t.ones(2, 5),) * 2),
    "state of a batch of one for one input": lambda t, n: n.GRUCell(3, 5)(t.ones(3), t.ones(1, 5)),
    "nonlinearity of a cell": lambda t, n: n.RNNCell(3, 2, nonlinearity="x")(t.ones(1, 3)),
}


@pytest.mark.parametrize("what", CALLS)
def test_refusals_are_torchs(what):
    def program(lib):
        text = attempt(lambda: CALLS[what](lib, lib.nn))
        assert isinstance(text, str), f"{lib.__name__} accepts it"
        yield text

    agree(program)


def test_stack_of_states_is_refused_as_by_the_function():
    for lib in (npg, torch):
        with pytest.raises(TypeError, match=r"^lstm\(\)"):
            lib.nn.LSTM(3, 5)(lib.ones(2, 1, 3), lib.ones(2, 1, 1, 5))


def test_a_stack_of_states_of_one_sequence_is_taken():
    def program(lib):
        yield lib.nn.LSTM(3, 5)(lib.ones(2, 3), lib.ones(2, 1, 5))

    agree(program)


def test_refused_call_draws_nothing():
    m = npg.nn.GRU(3, 4, 2, dropout=0.5)
    before = npg.get_rng_state()
    for args in ((npg.ones(2, 1, 4),), (npg.ones(2, 1, 3), npg.ones(1, 1, 4)), (npg.ones(0, 1, 3),)):
        with pytest.raises(RuntimeError):
            m(*args)
    assert npg.equal(npg.get_rng_state(), before)
