"""Packed and padded sequences: npg.nn.utils.rnn against torch.nn.utils.rnn."""

import copy
import inspect
import pickle

import numpy as np
import pytest
import torch
import torch.nn.utils.rnn as reference
from hypothesis import given, strategies as st

import npg
from npg.nn.utils import rnn


def plain(x):
    """Return what a result holds, with arrays in the place of tensors."""
    if x is None:
        return None
    if isinstance(x, (tuple, list)):
        return [plain(part) for part in x]
    return (str(x.dtype).rpartition(".")[2], tuple(x.shape), x.detach().numpy().tolist())


def both(function, *args, **kwargs):
    """Return the results of a function of both libraries, or the errors."""
    results = []
    for library, module in ((torch, reference), (npg, rnn)):
        try:
            results.append(plain(function(library, module, *args, **kwargs)))
        except Exception as error:
            results.append((type(error).__name__, str(error)))
    return results


LENGTHS = st.lists(st.integers(1, 6), min_size=1, max_size=6)


@given(LENGTHS, st.booleans(), st.booleans(), st.integers(0, 2), st.sampled_from(["float32", "float64", "int64"]))
def test_packing_and_padding_are_torchs(lengths, batch_first, more, features, dtype):
    longest = max(lengths) + more
    shape = (len(lengths), longest) if batch_first else (longest, len(lengths))
    array = np.arange(np.prod(shape) * 2**features).reshape(*shape, *[2] * features)

    def run(library, module):
        x = library.tensor(array, dtype=getattr(library, dtype))
        packed = module.pack_padded_sequence(x, lengths, batch_first, enforce_sorted=False)
        padded = module.pad_packed_sequence(packed, batch_first, padding_value=-1, total_length=longest)
        return packed, padded, module.pad_packed_sequence(packed), module.unpack_sequence(packed)

    expected, got = both(run)
    assert got == expected


@given(LENGTHS, st.booleans(), st.sampled_from(["left", "right"]))
def test_sequences_are_padded_as_torch_pads_them(lengths, batch_first, side):
    def run(library, module):
        rows = [library.arange(3 * n).reshape(n, 3) * 0.5 for n in lengths]
        padded = module.pad_sequence(rows, batch_first, 7.5, side)
        right = module.pad_sequence(iter(rows), batch_first)
        counts = library.tensor(lengths)
        return padded, module.unpad_sequence(right, counts, batch_first), module.pack_sequence(rows, False)

    expected, got = both(run)
    assert got == expected


def test_gradients_pass_through_both_ways():
    weights = np.arange(24.0).reshape(4, 3, 2)

    def run(library, module):
        x = library.tensor(weights, requires_grad=True)
        packed = module.pack_padded_sequence(x, [2, 4, 1], enforce_sorted=False)
        padded, _ = module.pad_packed_sequence(packed)
        (padded * library.tensor(weights)).sum().backward()
        rows = [library.ones(n, requires_grad=True) for n in (2, 3)]
        (module.pad_sequence(rows) ** 2 * library.arange(6).reshape(3, 2)).sum().backward()
        return x.grad, [row.grad for row in rows]

    expected, got = both(run)
    assert got == expected


@pytest.mark.parametrize(
    "call",
    [
        lambda t, m: m.pack_padded_sequence(t.ones(3, 2), [1, 3]),
        lambda t, m: m.pack_padded_sequence(t.ones(3, 2), [3]),
        lambda t, m: m.pack_padded_sequence(t.ones(3, 2), [3, 0]),
        lambda t, m: m.pack_padded_sequence(t.ones(0, 2), [3, 1]),
        lambda t, m: m.pack_padded_sequence(t.ones(3, 0), []),
        lambda t, m: m.pack_padded_sequence(t.ones(3, 2), t.tensor([[3, 1]])),
        lambda t, m: m.pack_padded_sequence([1], [1]),
        lambda t, m: m.pack_sequence([t.ones(2), t.ones(3)]),
        lambda t, m: m.pad_packed_sequence(m.pack_sequence([t.ones(3)]), total_length=2),
        lambda t, m: m.pad_sequence([]),
        lambda t, m: m.pad_sequence(3),
        lambda t, m: m.pad_sequence([1, 2]),
        lambda t, m: m.pad_sequence([t.ones(2)], padding_side="up"),
        lambda t, m: m.PackedSequence(t.ones(2)),
        lambda t, m: m.pack_sequence([t.ones(3)]).cuda(),
    ],
)
def test_bad_arguments_raise_what_torch_raises(call):
    expected, got = both(call)
    assert isinstance(expected, tuple) and got == expected


def test_length_beyond_the_batch_is_refused():
    with pytest.raises(RuntimeError, match="expected lengths of at most 3, the length of the padded batch, got 4"):
        rnn.pack_padded_sequence(npg.ones(3, 2), [4, 1])


def test_packed_sequence_is_torchs_tuple():
    packed = rnn.pack_sequence([npg.ones(3), npg.zeros(1)])
    theirs = reference.pack_sequence([torch.ones(3), torch.zeros(1)])
    assert repr(packed) == repr(theirs) and packed._fields == theirs._fields
    names = {name for name in dir(theirs) if name[0] != "_"}
    assert {name for name in dir(packed) if name[0] != "_"} == names
    for name in ("byte", "char", "cpu", "double", "float", "half", "int", "long", "short"):
        assert plain(getattr(packed, name)()) == plain(getattr(theirs, name)())
    assert packed.float() is packed and packed.cpu() is packed and packed.to(npg.float64) is not packed
    assert not packed.is_cuda and not packed.is_pinned()
    for copied in (pickle.loads(pickle.dumps(packed)), copy.deepcopy(packed)):
        assert type(copied) is rnn.PackedSequence and plain(copied) == plain(packed)
    assert rnn.invert_permutation(None) is None


@pytest.mark.parametrize("name", reference.__all__)
def test_signature_is_torchs(name):
    theirs, ours = (list(inspect.signature(getattr(m, name)).parameters.values()) for m in (reference, rnn))
    assert [(p.name, p.kind, p.default) for p in ours] == [(p.name, p.kind, p.default) for p in theirs]
