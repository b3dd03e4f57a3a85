"""RNN, LSTM, GRU and their cells: every setting, form of batch and state against torch, with draws and gradients."""

import copy
import io
import itertools
import math
import pickle

import numpy as np
import pytest
import torch

import npg
from tests.helpers import tensors_in
from tests.twins import agree, warned

LAYERS = ("RNN", "LSTM", "GRU")
CELLS = ("RNNCell", "LSTMCell", "GRUCell")
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")  # PyTorch's, of its kernels


def settings():
    """Return (kind, settings) of many networks: all pairs of settings, no product of all."""
    found = []
    for kind, layers, both, bias, first in itertools.product(LAYERS, (1, 3), *[(False, True)] * 3):
        s = {"num_layers": layers, "bidirectional": both, "bias": bias, "batch_first": first}
        if layers > 1:
            s["dropout"] = 0.4
        if kind == "LSTM" and bias == both:
            s["proj_size"] = 2
        if kind == "RNN" and first:
            s["nonlinearity"] = "relu"
        found.append((kind, s))
    return found


SETTINGS = settings()
IDS = [f"{kind}-{'-'.join(f'{k}={v}' for k, v in s.items())}" for kind, s in SETTINGS]


def draw(lib, *shape, dtype=None, grad=True):
    return lib.randn(*shape, dtype=dtype or lib.float64, requires_grad=grad)


def draw_states(lib, m, batch, dtype=None):
    """Return first states, (L D, *batch, H), with gradients."""
    layers = m.num_layers * (2 if m.bidirectional else 1)
    if m.mode != "LSTM":
        return draw(lib, layers, *batch, m.hidden_size, dtype=dtype)
    sizes = (m.proj_size or m.hidden_size, m.hidden_size)
    return tuple(draw(lib, layers, *batch, n, dtype=dtype) for n in sizes)


def packed(lib, **kwargs):
    return lib.nn.utils.rnn.pack_sequence([lib.ones(2, 3, **kwargs), lib.ones(1, 3, **kwargs)])


def flat(x):
    """Return the tensors in a result that may have a gradient."""
    return [t for t in tensors_in(x) if t.is_floating_point()]


def gradients(lib, outputs, inputs, second):
    """Return the gradients of a sum of the outputs with weights, and those of a sum of their squares."""
    weights = [
        lib.arange(1, t.numel() + 1, dtype=lib.float64).cos().reshape(t.shape).to(t.dtype) for t in flat(outputs)
    ]
    loss = sum((t * w).sum() for t, w in zip(flat(outputs), weights, strict=True))
    first = lib.autograd.grad(loss, inputs, create_graph=second)
    again = sum(g.square().sum() for g in first) if second else None
    return first, lib.autograd.grad(again, inputs) if second else None


# ----- Every setting -----


@pytest.mark.parametrize("state", ["zeros", "given"])
@pytest.mark.parametrize("form", ["batch", "one sequence", "packed", "packed unsorted"])
@pytest.mark.parametrize(("kind", "s"), SETTINGS, ids=IDS)
def test_network_is_torchs(kind, s, form, state):
    def program(lib):
        m = getattr(lib.nn, kind)(3, 4, **s, dtype=lib.float64)
        yield repr(m), list(m.state_dict()), list(m.state_dict().values())
        if form == "batch":
            x = draw(lib, *((2, 5, 3) if m.batch_first else (5, 2, 3)))
            first, batch = x, (2,)
        elif form == "one sequence":
            first, batch = x, () = draw(lib, 5, 3), ()
        else:
            lengths = (2, 4, 1) if form == "packed unsorted" else (4, 2, 2)
            rows = [draw(lib, n, 3) for n in lengths]
            first, batch = lib.nn.utils.rnn.pack_sequence(rows, enforce_sorted=form == "packed"), (3,)
            x = first.data
        hx = draw_states(lib, m, batch) if state == "given" else None
        out = m(first, hx)
        yield out
        yield [t.is_contiguous() for t in flat(out)]
        inputs = [x, *flat(hx), *m.parameters()]
        yield gradients(lib, out, inputs, second=True)
        yield m.eval()(first, hx)
        yield lib.rand(1)

    agree(program)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("kind", LAYERS)
def test_narrow_dtypes_are_torchs(kind, dtype):
    def program(lib):
        m = getattr(lib.nn, kind)(3, 4, 2, bidirectional=True, dtype=getattr(lib, dtype))
        x = draw(lib, 5, 2, 3, grad=False).to(getattr(lib, dtype)).requires_grad_()
        out = m(x)
        found = gradients(lib, out, [x, *m.parameters()], second=False)[0]
        results[lib.__name__] = [t.detach().double().numpy() for t in (*flat(out), *found)]
        yield list(m.parameters()), [t.dtype for t in (*flat(out), *found)]

    results = {}
    agree(program)
    tolerance = (
        2e-2 if dtype == "float16" else 1e-5
    )  # PyTorch rounds float16 after each op, of which the states are sums
    for found, expected in zip(results["npg"], results["torch"], strict=True):
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("form", ["batch", "one"])
@pytest.mark.parametrize("kind", [*CELLS, "relu"])
def test_cell_is_torchs(kind, form, bias):
    def program(lib):
        extra = {"nonlinearity": "relu"} if kind == "relu" else {}
        m = getattr(lib.nn, "RNNCell" if kind == "relu" else kind)(3, 4, bias, **extra, dtype=lib.float64)
        yield repr(m), list(m.state_dict()), list(m.state_dict().values()), m.bias_hh is None
        batch = (2,) if form == "batch" else ()
        x, states = draw(lib, *batch, 3), [draw(lib, *batch, 4) for _ in range(1 + (kind == "LSTMCell"))]
        for hx in (None, tuple(states) if kind == "LSTMCell" else states[0]):
            out = m(x, hx)
            out = m(2 * x, out)
            yield out
            yield gradients(lib, out, [x, *flat(hx), *m.parameters()], second=True)

    agree(program)


@pytest.mark.parametrize("kind", LAYERS)
def test_empty_batch_is_torchs(kind):
    def program(lib):
        m = getattr(lib.nn, kind)(3, 4, 2, dtype=lib.float64)
        yield m(draw(lib, 5, 0, 3)), m(draw(lib, 5, 0, 3), draw_states(lib, m, (0,)))

    agree(program)


@pytest.mark.parametrize(("kind", "count"), [("LSTM", 11), ("GRU", 3), ("RNN", 2)])
def test_reset_parameters_draws_torchs_numbers(kind, count):
    def program(lib):
        m = getattr(lib.nn, kind)(2, count, 2)
        m.reset_parameters()
        yield list(m.parameters())
        cell = getattr(lib.nn, f"{kind}Cell")(2, count)
        cell.reset_parameters()
        yield list(cell.parameters())

    agree(program)
    bound = 1 / math.sqrt(count)
    assert all(p.abs().max() <= bound for p in getattr(npg.nn, kind)(2, count).parameters())


# ----- The weights, and who replaces them -----


def test_lists_of_weights_are_torchs():
    def program(lib):
        for m in (lib.nn.LSTM(2, 3, 2, bidirectional=True, proj_size=1), lib.nn.GRU(2, 3, bias=False)):
            m.flatten_parameters()
            yield m._all_weights, m._flat_weights_names
            yield m.all_weights, m._flat_weights
            yield [w is p for w, p in zip(m._flat_weights, m.parameters(), strict=True)]
            yield [w is m._flat_weights[0] for w in m.all_weights[0]], m._weights_have_changed()
            m.weight_hh_l0 = lib.nn.Parameter(m.weight_hh_l0.detach() * 2)
            yield m._flat_weights[1] is m.weight_hh_l0, m(lib.ones(2, 1, 2))
            del m.weight_ih_l0
            m.weight_ih_l0 = lib.zeros(12 if m.mode == "LSTM" else 9, 2)
            yield m._flat_weights[0], m(lib.ones(2, 1, 2)), list(m.state_dict())
            yield m.mode, m.hidden_size, m.get_expected_hidden_size(lib.ones(4, 5, 2), None)

    agree(program)


def test_weight_that_is_refused_changes_nothing():
    m = npg.nn.GRU(2, 3)
    with pytest.raises(TypeError, match="cannot assign 'int' as parameter 'weight_hh_l0'"):
        m.weight_hh_l0 = 3
    assert m._flat_weights[1] is m.weight_hh_l0  # PyTorch's list has the 3


@pytest.mark.parametrize("kind", LAYERS)
def test_weights_of_functional_call_are_used_and_forgotten(kind):
    def program(lib):
        m, x = getattr(lib.nn, kind)(2, 3), lib.ones(4, 1, 2)
        other = {name: (p.detach() * 2).requires_grad_() for name, p in m.named_parameters()}
        y = lib.func.functional_call(m, other, (x,))[0]
        yield y, lib.autograd.grad(y.sum(), list(other.values()))
        yield m(x), [w is p for w, p in zip(m._flat_weights, m.parameters(), strict=True)]
        lib.func.functional_call(m, other, (x,))
        yield copy.deepcopy(m)(x), pickle.loads(pickle.dumps(m))(x)
        total = lambda params: lib.func.functional_call(m, params, (x,))[0].sum()
        yield lib.func.grad(total)({name: p.detach() for name, p in m.named_parameters()})

    agree(program)


@pytest.mark.parametrize("kind", [*LAYERS, *CELLS])
def test_copies_and_pickles_are_whole(kind):
    def program(lib):
        m = getattr(lib.nn, kind)(2, 3)
        x = lib.ones(4, 2) if kind in CELLS else lib.ones(4, 1, 2)
        for twin in (copy.deepcopy(m), pickle.loads(pickle.dumps(m)), copy.copy(m)):
            yield repr(twin), list(twin.state_dict().values()), twin(x)
            with lib.no_grad():
                twin.double()
                next(twin.parameters()).fill_(1)
            yield twin(x.double())
            m.float()
        yield "_flat_weight_refs" in m.__dict__, "_flat_weight_refs" in m.__getstate__()
        other = getattr(lib.nn, kind)(2, 3)
        yield str(other.load_state_dict(m.state_dict())), other(x)

    agree(program)


@pytest.mark.parametrize("kind", [*LAYERS, *CELLS])
@pytest.mark.parametrize(("writer", "reader"), [(torch, npg), (npg, torch)])
def test_files_go_to_torch_and_back(kind, writer, reader):
    m, x = getattr(writer.nn, kind)(2, 3, bias=False), [[[1.0, 2.0]] * 2] * 3
    buffer = io.BytesIO()
    writer.save({"whole": m, "state": m.state_dict()}, buffer)
    buffer.seek(0)
    found = reader.load(buffer, weights_only=False)
    twin = getattr(reader.nn, kind)(2, 3, bias=False)
    twin.load_state_dict(found["state"])
    assert type(found["whole"]) is type(twin) and repr(twin) == repr(found["whole"]) == repr(m)
    shape = (3, 2, 2) if kind in LAYERS else (6, 2)
    for copied in (found["whole"], twin):
        outputs = [flat(n(lib.tensor(x).reshape(shape))) for n, lib in ((m, writer), (copied, reader))]
        for expected, got in zip(*outputs, strict=True):
            np.testing.assert_allclose(got.detach().numpy(), expected.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_state_of_former_versions_is_read():
    def program(lib):
        for settings in ({}, {"bias": False}, {"bidirectional": True, "num_layers": 2}):
            m = lib.nn.GRU(2, 3, **settings)
            state = m.__getstate__()
            del state["proj_size"], state["_flat_weights_names"], state["_flat_weights"]
            state["all_weights"] = [[lib.ones(1)]]
            old = lib.nn.GRU.__new__(lib.nn.GRU)
            old.__setstate__(state)
            yield old._all_weights, old._flat_weights_names, old.proj_size, old(lib.ones(2, 1, 2))

    agree(program)


def test_dtype_and_training_change_in_place():
    def program(lib):
        m = lib.nn.LSTM(2, 3)
        w = m.weight_ih_l0
        yield m.double() is m, m.weight_ih_l0 is w, m._flat_weights[0] is w, m._weights_have_changed()
        yield m(lib.ones(1, 1, 2).double()), m.half().weight_hh_l0.dtype, m.to(lib.float32).bias_hh_l0.dtype
        yield m.train(False).training, m.requires_grad_(False)(lib.ones(1, 1, 2))[0].requires_grad

    agree(program)


def test_checks_may_be_replaced_by_a_subclass():
    def program(lib):
        class Loose(lib.nn.LSTM):
            def check_input(self, input, batch_sizes):
                seen.append((tuple(input.shape), batch_sizes))

            def permute_hidden(self, hx, permutation):
                seen.append(permutation is None)
                return super().permute_hidden(hx, permutation)

        seen = []
        m = Loose(3, 4)
        yield m(lib.ones(2, 1, 3)), m(packed(lib)), m(lib.ones(2, 1, 3), (lib.ones(1, 1, 4),) * 2)
        yield seen[0], False in seen

    agree(program)


# ----- Packed batches -----


def test_states_are_those_of_the_sequences_in_their_own_order():
    def program(lib):
        m = lib.nn.LSTM(3, 4, bidirectional=True, dtype=lib.float64)
        rows = [draw(lib, n, 3) for n in (2, 5, 1, 5)]
        hx = draw_states(lib, m, (4,))
        batch = lib.nn.utils.rnn.pack_sequence(rows, enforce_sorted=False)
        y, (h, c) = m(batch, hx)
        padded, lengths = lib.nn.utils.rnn.pad_packed_sequence(y)
        for i, row in enumerate(rows):
            out, (h1, c1) = m(row, (hx[0][:, i], hx[1][:, i]))
            yield bool(lib.allclose(out, padded[: len(row), i])), bool(lib.allclose(h1, h[:, i]))
            yield bool(lib.allclose(c1, c[:, i])), lengths
        yield type(y) is type(batch), y.sorted_indices is batch.sorted_indices, y.batch_sizes is batch.batch_sizes

    agree(program)


def test_apply_permutation_is_deprecated_as_in_torch():
    def program(lib):
        rnn = lib.nn.modules.rnn
        yield warned(lambda: rnn.apply_permutation(lib.ones(1, 2), lib.tensor([1, 0])))
        yield lib.nn.LSTM(2, 3).permute_hidden((lib.eye(2)[None], lib.ones(1, 2, 1)), lib.tensor([1, 0]))

    agree(program)


# ----- Transforms -----


@pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")  # torch's first jvp
@pytest.mark.parametrize("kind", LAYERS)
def test_vmap_and_jvp_are_torchs(kind):
    def program(lib):
        m = getattr(lib.nn, kind)(3, 4, 2, bidirectional=True, dtype=lib.float64)
        x, v = draw(lib, 2, 5, 2, 3, grad=False), draw(lib, 2, 5, 2, 3, grad=False)
        if lib is npg:  # PyTorch has no batching rule for what these call
            yield npg.func.vmap(m)(x)[0]
            params = {name: npg.stack([p.detach(), p.detach() * 2]) for name, p in m.named_parameters()}
            yield npg.func.vmap(lambda p, x: npg.func.functional_call(m, p, (x,))[0])(params, x)
        else:
            yield torch.stack([m(each)[0] for each in x])
            params = [{name: p.detach() * f for name, p in m.named_parameters()} for f in (1, 2)]
            yield torch.stack([torch.func.functional_call(m, p, (e,))[0] for p, e in zip(params, x, strict=True)])
        yield lib.func.jvp(lambda x: m(x)[0], (x[0],), (v[0],))
        yield lib.func.jacrev(lambda x: m(x)[0][-1, 0])(x[0])

    agree(program)


@pytest.mark.parametrize("kind", [*LAYERS, "packed"])
def test_gradients_of_two_orders_are_those_of_differences(kind):
    npg.manual_seed(0)
    m = npg.nn.LSTM(2, 3, proj_size=2, dtype=npg.float64) if kind == "packed" else getattr(npg.nn, kind)(2, 2).double()
    params = list(m.parameters())

    def run(x, *weights):
        batch = x if kind != "packed" else npg.nn.utils.rnn.PackedSequence(x[:, 0], npg.tensor([2, 1]))
        y, last = npg.func.functional_call(m, dict(zip(dict(m.named_parameters()), weights, strict=True)), (batch,))
        return tuple(flat((y, last)))

    x = npg.randn(3, 1 if kind == "packed" else 2, 2, dtype=npg.float64, requires_grad=True)
    assert npg.autograd.gradcheck(run, (x, *params))
    assert npg.autograd.gradgradcheck(run, (x, *params), atol=1e-4)


@pytest.mark.parametrize("kind", LAYERS)
def test_training_goes_as_in_torch(kind):
    def program(lib):
        embed, m, head = lib.nn.Embedding(7, 5), getattr(lib.nn, kind)(5, 6, 2, dropout=0.2), lib.nn.Linear(6, 7)
        weights = [*embed.parameters(), *m.parameters(), *head.parameters()]
        optimizer = lib.optim.Adam(weights, 0.02)
        text = lib.randint(7, (9, 4))
        losses, hx = [], None
        for _ in range(8):
            optimizer.zero_grad()
            y, hx = m(embed(text[:-1]), hx)
            loss = lib.nn.functional.cross_entropy(head(y).flatten(0, 1), text[1:].flatten())
            loss.backward()
            lib.nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            hx = tuple(s.detach() for s in hx) if kind == "LSTM" else hx.detach()
            losses.append(loss.item())
        results[lib.__name__] = losses
        yield len(losses)

    results = {}
    agree(program)
    np.testing.assert_allclose(results["npg"], results["torch"], rtol=2e-5)
    assert results["npg"][-1] < results["npg"][0]
