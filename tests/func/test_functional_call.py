"""functional_call and stack_module_state against torch.func's."""

import numpy as np
import pytest
import torch

import npg

from .comparing import compare, same, tensors


def model(lib, tied=False):
    net = lib.nn.Sequential(lib.nn.Linear(3, 3), lib.nn.Tanh(), lib.nn.Linear(3, 3))
    net.register_buffer("scale", lib.ones(3))
    if tied:
        net[2].weight = net[0].weight
    for i, p in enumerate(net.parameters()):
        p.data = tensors(lib, tuple(p.shape), seed=i, dtype="float32")
    return net


def replacement(lib, *names, seed=9):
    shapes = {"weight": (3, 3), "bias": (3,), "scale": (3,)}
    return {
        n: tensors(lib, shapes.get(n.rpartition(".")[2], (3,)), seed=seed + i, dtype="float32")
        for i, n in enumerate(names)
    }


NAMES = ("0.weight", "0.bias", "2.weight", "2.bias", "scale")


@pytest.mark.parametrize(
    "names", [(), ("0.weight",), NAMES, NAMES[1:], ("0.nothing",), ("7.weight",), ("0.training",), (*NAMES, "x.y")]
)
@pytest.mark.parametrize("strict", [False, True])
def test_functional_call_replaces_names_as_torch_does(names, strict):
    def call(lib):
        x = tensors(lib, (4, 3), dtype="float32")
        return lib.func.functional_call(model(lib), replacement(lib, *names), (x,), strict=strict)

    same(call, rtol=1e-5)


@pytest.mark.parametrize("tie", [False, True])
@pytest.mark.parametrize("names", [("0.weight",), ("2.weight",), ("0.weight", "2.weight")])
def test_functional_call_tied_weights(names, tie):
    def call(lib):
        x = tensors(lib, (4, 3), dtype="float32")
        return lib.func.functional_call(model(lib, True), replacement(lib, *names), x, tie_weights=tie)

    same(call, rtol=1e-5)


def test_functional_call_arguments():
    class Scaled:
        @staticmethod
        def of(lib):
            class Module(lib.nn.Module):
                def forward(self, x=None, *, k=1.0):
                    return lib.ones(2) if x is None else x * k

            return Module()

    x = {npg: npg.ones(2), torch: torch.ones(2)}
    same(lambda lib: lib.func.functional_call(Scaled.of(lib), {}))
    same(lambda lib: lib.func.functional_call(Scaled.of(lib), {}, x[lib], {"k": 3.0}))
    same(lambda lib: lib.func.functional_call(Scaled.of(lib), ({}, {}), (x[lib],)))
    same(lambda lib: lib.func.functional_call(Scaled.of(lib), ({"a": 1}, {"a": 1}), (x[lib],)))
    same(lambda lib: lib.func.functional_call(Scaled.of(lib), ({}, 3), (x[lib],)))
    same(lambda lib: lib.func.functional_call(Scaled.of(lib), 3, (x[lib],)))


def test_functional_call_restores_after_an_error():
    net = model(npg)
    before = dict(net.named_parameters()), dict(net.named_buffers())
    with pytest.raises(RuntimeError):
        npg.func.functional_call(net, replacement(npg, *NAMES), (npg.ones(4, 7),))
    with pytest.raises(AttributeError):
        npg.func.functional_call(net, replacement(npg, "0.weight", "7.none"), (npg.ones(4, 3),))
    after = dict(net.named_parameters()), dict(net.named_buffers())
    for old, new in zip(before, after, strict=True):
        assert list(old) == list(new) and all(old[k] is new[k] for k in old)


def test_functional_call_writes_assigned_buffers_to_the_dict():
    def call(lib):
        class Counter(lib.nn.Module):
            def __init__(self):
                super().__init__()
                self.register_buffer("n", lib.zeros(()))

            def forward(self, x):
                self.n = self.n + 1
                return x + self.n

        counter, given = Counter(), {"n": lib.ones(())}
        return lib.func.functional_call(counter, given, (lib.ones(2),)), given["n"], counter.n

    same(call)


def test_grad_through_functional_call():
    def call(lib, detached):
        net = model(lib)
        x = tensors(lib, (4, 3), dtype="float32")
        params = {k: v.detach() if detached else v for k, v in net.named_parameters()}
        return lib.func.grad(lambda p: (lib.func.functional_call(net, p, (x,)) ** 2).mean())(params)

    same(lambda lib: call(lib, True), rtol=1e-3)
    same(lambda lib: call(lib, False), rtol=1e-3)


def test_stack_module_state_and_ensemble():
    def call(lib):
        nets = [model(lib) for _ in range(3)]
        with lib.no_grad():
            for i, net in enumerate(nets):
                net[0].weight.mul_(i + 1)
        params, buffers = lib.func.stack_module_state(nets)

        def one(p, b, x):
            return lib.func.functional_call(nets[0], (p, b), (x,))

        x = tensors(lib, (4, 3), dtype="float32")
        return params, buffers, lib.func.vmap(one, (0, 0, None))(params, buffers, x)

    same(call, rtol=1e-5)
    assert all(p.is_leaf for p in npg.func.stack_module_state([model(npg)])[0].values())


def test_stack_module_state_errors():
    same(lambda lib: lib.func.stack_module_state([]))
    same(lambda lib: lib.func.stack_module_state([model(lib), model(lib).eval()]))
    same(lambda lib: lib.func.stack_module_state([model(lib), lib.nn.Linear(2, 2)]))


def test_names_are_torchs():
    for name in ("grad", "grad_and_value", "vjp", "jvp", "jacrev", "jacfwd", "hessian", "vmap", "functional_call"):
        assert hasattr(torch.func, name) and hasattr(npg.func, name)
    compare(npg.func.grad(lambda x: x)(npg.ones(())), torch.func.grad(lambda x: x)(torch.ones(())))


def test_batch_norms_without_running_statistics_are_mapped():
    found = []
    for lib in (npg, torch):
        lib.manual_seed(0)
        net = lib.nn.Sequential(
            lib.nn.Conv2d(2, 3, 1), lib.nn.BatchNorm2d(3), lib.nn.Sequential(lib.nn.InstanceNorm2d(3))
        )
        with pytest.raises(RuntimeError, match="Batch norm got a batched tensor"):
            lib.func.vmap(net)(lib.ones(2, 4, 2, 5, 5))
        assert lib.func.replace_all_batch_norm_modules_(net) is net
        y = lib.func.vmap(net)(lib.arange(400.0).reshape(2, 4, 2, 5, 5) ** 0.5)
        found.append((repr(net), list(net.state_dict()), y.detach().numpy()))
    assert found[0][:2] == found[1][:2]
    np.testing.assert_allclose(found[0][2], found[1][2], 1e-4, 1e-5)
