"""torch.lstm, gru, rnn_tanh and rnn_relu, and their cells: both forms, what they refuse, and what they leave alone."""

import inspect
import itertools

import numpy as np
import pytest
import torch

import npg
from tests.functional.recurrent import GATES, SETTINGS, H, X, given, states, w, weights
from tests.helpers import check_like_torch, drawn, same_result_or_error
from tests.twins import agree

# ----- Values, gradients, gradients of gradients -----

FORMS = list(itertools.product(GATES, (True, False), ((1, 1), (2, 2)), ("padded", "batch first", "packed")))


@pytest.mark.parametrize(("name", "biases", "shape", "form"), FORMS)
def test_function_is_torchs(name, biases, shape, form):
    layers, directions = shape
    x = drawn(np.random.default_rng(0), *((5, 3) if form == "packed" else (2, 4, 3)))
    batch = 4 if form == "padded" else 2
    first = states(name, layers * directions, batch)
    arrays = [x, *first, *weights(name, biases=biases, layers=layers, directions=directions)]

    def call(lib, x, *rest):
        hx, params = given(name, rest[: len(first)]), rest[len(first) :]
        settings = (biases, layers, 0.0, False, directions == 2)
        if form == "packed":
            return getattr(lib, name)(x, lib.tensor([2, 2, 1]), hx, params, *settings)
        return getattr(lib, name)(x, hx, list(params), *settings, form == "batch first")

    check_like_torch(lambda *a: call(npg, *a), lambda *a: call(torch, *a), *arrays)


@pytest.mark.parametrize("form", ["padded", "packed"])
@pytest.mark.parametrize("biases", [True, False])
def test_lstm_with_projection_is_torchs(form, biases):
    first = states("lstm", 4, 2, out=2)
    x = drawn(np.random.default_rng(0), *((4, 3) if form == "packed" else (3, 2, 3)))

    def call(lib, x, h, c, *params):
        settings = (biases, 2, 0.0, False, True)
        if form == "packed":
            return lib.lstm(x, lib.tensor([2, 1, 1]), (h, c), params, *settings)
        return lib.lstm(x, (h, c), params, *settings, False)

    arrays = [x, *first, *weights("lstm", out=2, layers=2, directions=2, biases=biases)]
    check_like_torch(lambda *a: call(npg, *a), lambda *a: call(torch, *a), *arrays)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("name", GATES)
def test_narrow_dtypes_are_torchs(name, dtype):
    x, first = drawn(np.random.default_rng(0), 3, 2, 3, dtype=dtype), states(name, dtype=dtype)

    def call(lib, x, *rest):
        hx, params = given(name, rest[: len(first)]), rest[len(first) :]
        return getattr(lib, name)(x, hx, params, *SETTINGS, False)

    arrays = [x, *first, *weights(name, dtype=dtype)]
    # PyTorch rounds float16 after each op: gradients of values near 1 in a sum of 6 lose three bits of eleven.
    rough = {"rtol": 1e-2, "atol": 1e-2} if dtype is np.float16 else {"atol": 1e-5}
    check_like_torch(lambda *a: call(npg, *a), lambda *a: call(torch, *a), *arrays, second=False, **rough)


@pytest.mark.parametrize("biases", [(True, True), (True, False), (False, True), (False, False)])
@pytest.mark.parametrize("name", GATES)
def test_cell_is_torchs(name, biases):
    first = states(name)
    w_ih, w_hh, *own = weights(name)

    def call(lib, x, *rest):
        hx, (w, u, *b) = given(name, rest[: len(first)]), rest[len(first) :]
        b = iter(b)
        cell = getattr(lib, f"{name}_cell")
        return cell(x, hx, w, u, *[next(b) if is_there else None for is_there in biases])

    arrays = [drawn(np.random.default_rng(0), 2, 3), *[s[0] for s in first], w_ih, w_hh]
    arrays += [b for b, is_there in zip(own, biases, strict=True) if is_there]
    check_like_torch(lambda *a: call(npg, *a), lambda *a: call(torch, *a), *arrays)


@pytest.mark.parametrize("name", GATES)
def test_only_what_requires_grad_has_a_gradient(name):
    x, first, params = drawn(np.random.default_rng(0), 3, 2, 3), states(name), weights(name)
    arrays = [x, *first, *params]
    for chosen in range(len(arrays)):

        def call(lib, chosen=chosen):
            tensors = [lib.tensor(a, requires_grad=i == chosen) for i, a in enumerate(arrays)]
            hx, params = given(name, tensors[1 : 1 + len(first)]), tensors[1 + len(first) :]
            y = getattr(lib, name)(tensors[0], hx, params, *SETTINGS, False)[0]
            (y * lib.arange(30.0).reshape(3, 2, 5)).sum().backward()
            yield [t.grad for t in tensors if t.grad is not None]

        agree(call)


def strided(lib, array):
    """Return the values with gaps, in another order of dimensions, and reversed in the last."""
    wide = lib.zeros(*[2 * n for n in array.shape[::-1]], dtype=lib.float64)
    view = wide.permute(*range(array.ndim)[::-1])[(slice(None, None, 2),) * array.ndim]
    view.copy_(lib.tensor(array))
    return view.detach().requires_grad_()


@pytest.mark.parametrize("name", GATES)
def test_layouts_do_not_matter(name):
    x, first, params = drawn(np.random.default_rng(0), 3, 2, 3), states(name, 2), weights(name, directions=2)

    def program(lib):
        tensors = [strided(lib, a) for a in (x, *first, *params)]
        hx, w = given(name, tensors[1 : 1 + len(first)]), tensors[1 + len(first) :]
        for y in (
            getattr(lib, name)(tensors[0], hx, w, True, 1, 0.0, False, True, False),
            getattr(lib, name)(tensors[0].transpose(0, 1), hx, w, True, 1, 0.0, False, True, True),
            getattr(lib, name)(tensors[0].flatten(0, 1), lib.tensor([2, 2, 2]), hx, w, True, 1, 0.0, False, True),
        ):
            yield y
            yield lib.autograd.grad(sum((t * t).sum() for t in y), tensors)
            yield [t.is_contiguous() for t in y]

    agree(program)


@pytest.mark.parametrize("name", GATES)
def test_results_may_be_changed_in_place(name):
    x, first, params = drawn(np.random.default_rng(0), 3, 2, 3), states(name), weights(name)

    def program(lib):
        tensors = [lib.tensor(a, requires_grad=True) for a in (x, *first, *params)]
        y, *last = getattr(lib, name)(
            tensors[0], given(name, tensors[1 : 1 + len(first)]), tensors[1 + len(first) :], *SETTINGS, False
        )
        y.mul_(2)
        for s in last:
            s[0] *= 3
        yield y, last
        yield lib.autograd.grad(y.square().sum() + sum(s.sum() for s in last), tensors)

    agree(program)


# ----- Dropout -----


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("name", GATES)
@pytest.mark.parametrize("packed", [True, False])
def test_dropout_between_layers_draws_torchs_numbers(name, packed, p):
    first, params = states(name, 6), weights(name, layers=3, directions=2)
    x = drawn(np.random.default_rng(0), *((5, 3) if packed else (3, 2, 3)))

    def program(lib):
        hx, w = given(name, [lib.tensor(s) for s in first]), [lib.tensor(a) for a in params]
        for train in (True, False):
            settings = (True, 3, p, train, True)
            if packed:
                yield getattr(lib, name)(lib.tensor(x), lib.tensor([2, 2, 1]), hx, w, *settings)
            else:
                yield getattr(lib, name)(lib.tensor(x), hx, w, *settings, False)
            yield lib.rand(1)

    agree(program)


# ----- Unusual batches and arguments -----


def test_packed_batch_may_have_more_elements_and_empty_steps():
    def program(lib):
        x = lib.arange(15.0, dtype=lib.float64).reshape(5, 3)
        yield lib.gru(x, lib.tensor([2, 1, 0]), H(lib), w(lib), *SETTINGS)
        yield lib.gru(x, lib.tensor([2, 1]), H(lib), w(lib), *SETTINGS)

    agree(program)


@pytest.mark.parametrize("name", GATES)
def test_empty_batch_is_torchs(name):
    def program(lib):
        hx, x = lib.ones(1, 0, 5).double(), lib.ones(3, 0, 3, requires_grad=True, dtype=lib.float64)
        y = getattr(lib, name)(x, (hx, hx) if name == "lstm" else hx, w(lib, name), *SETTINGS, False)
        yield y, lib.autograd.grad(y[0].sum(), x)
        for b, features, hidden in ((0, 3, 5), (2, 0, 5), (2, 3, 0)):
            x, hx = (lib.ones(b, n, dtype=lib.float64, requires_grad=True) for n in (features, hidden))
            params = w(lib, name, features=features, hidden=hidden)
            y = getattr(lib, f"{name}_cell")(x, (hx, hx) if name == "lstm" else hx, *params)
            yield y, lib.autograd.grad((y[0] if name == "lstm" else y).sum(), (x, hx))

    agree(program)


def test_arguments_by_name_are_torchs():
    settings = dict(zip(("has_biases", "num_layers", "dropout", "train", "bidirectional"), SETTINGS, strict=True))

    def program(lib):
        yield lib.gru(input=X(lib), hx=H(lib), params=w(lib), **settings, batch_first=False)
        yield lib.gru(X(lib), H(lib), params=w(lib), **settings, batch_first=False)
        batch_sizes = lib.tensor([2, 1])
        yield lib.gru(data=X(lib)[0, :1].expand(3, 3), batch_sizes=batch_sizes, hx=H(lib), params=w(lib), **settings)
        yield lib.gru_cell(hx=H(lib)[0], input=X(lib)[0], w_hh=w(lib)[1], w_ih=w(lib)[0])

    agree(program)


# ----- Packing -----


def test_packing_by_the_functions_of_torch_is_torchs():
    rows = torch.arange(24.0).reshape(2, 4, 3)
    for lengths, first in (([4, 1], True), ([2, 2, 2, 1], False), ([3], True), ([2, 0, 0, 0], False)):
        functions = npg._pack_padded_sequence, torch._pack_padded_sequence
        same_result_or_error(*functions, rows, torch.tensor(lengths), first)
    data, sizes = torch.arange(8.0).reshape(4, 2), torch.tensor([2, 1, 1])
    for batch_first, total in ((True, 3), (False, 5)):
        same_result_or_error(npg._pad_packed_sequence, torch._pad_packed_sequence, data, sizes, batch_first, 7.0, total)


def test_functions_are_found_where_torch_has_them():
    import npg._VF

    for name in (
        *GATES,
        *[f"{n}_cell" for n in GATES],
        "_pack_padded_sequence",
        "_pad_packed_sequence",
        "zeros",
        "add",
    ):
        assert getattr(npg._VF, name) is getattr(npg, name) is getattr(npg._C._VariableFunctions, name)
        assert hasattr(torch._VF, name)
    assert not set(GATES) & {*dir(npg.Tensor)} and "lstm_cell" not in dir(npg.Tensor)
    with pytest.raises(AttributeError, match="module 'npg._VF' has no attribute 'nothing'"):
        npg._VF.nothing


@pytest.mark.parametrize("name", GATES)
def test_signature_of_a_cell_is_torchs(name):
    arguments = getattr(torch.ops.aten, f"{name}_cell").default._schema.arguments if name != "lstm" else (
        torch.ops.aten.lstm_cell.default._schema.arguments
    )  # fmt: skip
    ours = inspect.signature(getattr(npg, f"{name}_cell")).parameters.values()
    assert [p.name for p in ours] == [a.name for a in arguments]
