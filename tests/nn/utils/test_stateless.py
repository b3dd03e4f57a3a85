"""stateless.functional_call against PyTorch's; tests/func/test_functional_call.py has what it shares with func's."""

import pytest

import npg
from npg.nn.utils import parametrize
from tests.twins import agree, attempt, warned


def model(lib, tied=False):
    net = lib.nn.Sequential(lib.nn.Linear(2, 2), lib.nn.BatchNorm1d(2), lib.nn.Linear(2, 2))
    if tied:
        net[2].weight = net[0].weight
    return net


def ones(lib, *names):
    return {n: lib.full((2, 2) if n.endswith("weight") and n[0] != "1" else (2,), 2.0) for n in names}


def test_a_call_warns_and_replaces():
    def program(lib):
        call, net = lib.nn.utils.stateless.functional_call, model(lib)
        before = dict(net.named_parameters())
        x = lib.arange(6.0).reshape(3, 2)
        given = ones(lib, "0.weight", "2.bias", "1.running_mean")
        given["1.num_batches_tracked"] = lib.tensor(7)
        yield warned(lambda: call(net, given, x))
        yield given, dict(net.state_dict()), all(p is before[n] for n, p in net.named_parameters())
        yield warned(lambda: call(net, {}, (x,)))[0]
        w = lib.ones(2, 2, requires_grad=True)
        warned(lambda: call(net.eval(), {"0.weight": w}, (), {"input": x})[0].sum().backward())
        yield w.grad, net[0].weight.grad
        for names in (("0.nothing",), ("7.weight",), ("0.weight", "2.weight")):
            for strict in (False, True):
                yield warned(lambda n=names, s=strict: attempt(lambda: call(net, ones(lib, *n), x, strict=s)))[0]
        yield warned(lambda: attempt(lambda: call(net, {"0.weight": 3}, x)))[0]
        yield warned(lambda: attempt(lambda: call(lib.nn.DataParallel(net), {}, x)))[0]

    agree(program)


@pytest.mark.parametrize("tie", [True, False])
def test_tied_weights(tie):
    def program(lib):
        x, net = lib.arange(6.0).reshape(3, 2), model(lib, tied=True).eval()
        call = lib.nn.utils.stateless.functional_call
        for names in (("0.weight",), ("2.weight",), ("0.weight", "2.weight")):
            yield warned(lambda n=names: attempt(lambda: call(net, ones(lib, *n), x, tie_weights=tie)))[0]
        same = lib.ones(2, 2)
        yield warned(lambda: call(net, {"0.weight": same, "2.weight": same}, x, tie_weights=tie))[0]
        yield net[0].weight is net[2].weight, dict(net.state_dict())

    agree(program)


class Twice:
    def __new__(cls, lib):
        class Twice(lib.nn.Module):
            def forward(self, x):
                return x * 2

            def right_inverse(self, x):
                return x / 2

        return Twice()


def test_originals_of_parametrized_tensors():
    def program(lib):
        m = lib.nn.Linear(2, 2)
        lib.nn.utils.parametrize.register_parametrization(m, "weight", Twice(lib))
        original, x = m.parametrizations.weight.original, lib.ones(1, 2)
        given = {"parametrizations.weight.original": lib.full((2, 2), 3.0, requires_grad=True), "bias": lib.zeros(2)}
        for strict in (False, True):
            y = lib.func.functional_call(m, given, (x,), strict=strict)
            y.sum().backward()
            yield y, given["parametrizations.weight.original"].grad
        yield m.parametrizations.weight.original is original, original
        # By its own name, the value itself.
        yield lib.func.functional_call(m, {"weight": lib.full((2, 2), 3.0)}, (x,))
        yield m.weight, attempt(lambda: lib.func.functional_call(m, {"weight": x}, (x,), strict=True))

    agree(program)


def test_the_name_of_a_parametrized_tensor_stands_for_its_value():
    # As PyTorch documents. It assigns the value to the module's own original, so that no gradient flows to it, and
    # leaves another original where there is no exact inverse.
    m = npg.nn.Linear(2, 2)
    npg.nn.utils.parametrizations.spectral_norm(m)
    state = {k: v.clone() for k, v in m.state_dict().items()}
    w = npg.full((2, 2), 3.0, requires_grad=True)
    given = {"weight": w}
    y = npg.func.functional_call(m, given, (npg.ones(1, 2),))
    y.sum().backward()
    assert npg.allclose(y, m.bias + 6) and npg.equal(w.grad, npg.ones(2, 2)) and given["weight"] is w
    assert all(npg.equal(v, state[k]) for k, v in m.state_dict().items())
    with pytest.raises(RuntimeError):
        npg.func.functional_call(m, given, (npg.ones(1, 3),))
    m.eval()
    assert not npg.equal(m.weight, w)
    parametrize.remove_parametrizations(m, "weight")
    assert npg.allclose(npg.linalg.matrix_norm(m.weight, 2), npg.tensor(1.0), atol=1e-3)
