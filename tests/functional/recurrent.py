"""Arguments of torch.lstm and the like, for the tests of them."""

import itertools

import numpy as np

from tests.helpers import drawn

GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}
SETTINGS = (True, 1, 0.0, False, False)  # has_biases, num_layers, dropout, train, bidirectional


def weights(name, features=3, hidden=5, out=None, biases=True, layers=1, directions=1, dtype=np.float64):
    """Return the weights of layers, random numbers."""
    rng, rows, out = np.random.default_rng(1), GATES[name] * hidden, out or hidden
    arrays = []
    for layer, _ in itertools.product(range(layers), range(directions)):
        arrays += [drawn(rng, rows, directions * out if layer else features), drawn(rng, rows, out)]
        arrays += [drawn(rng, rows), drawn(rng, rows)] if biases else []
        arrays += [drawn(rng, out, hidden)] if out != hidden else []
    return [(a / 2).astype(dtype) for a in arrays]


def states(name, layers=1, batch=2, hidden=5, out=None, dtype=np.float64):
    rng = np.random.default_rng(2)
    sizes = (out or hidden, hidden) if name == "lstm" else (hidden,)
    return [drawn(rng, layers, batch, size, dtype=dtype) for size in sizes]


def given(name, tensors):
    """Return hx as the function takes it."""
    return tuple(tensors) if name == "lstm" else tensors[0]


def X(lib):
    """Return an input of three steps, two sequences and three features."""
    return lib.ones(3, 2, 3).double()


def H(lib, layers=1):
    """Return a state for it, of five numbers a sequence."""
    return lib.ones(layers, 2, 5).double()


def w(lib, name="gru", **shape):
    """Return weights as tensors."""
    return [lib.tensor(a) for a in weights(name, **shape)]
