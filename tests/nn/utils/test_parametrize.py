"""Parametrizations against PyTorch's: registering, assigning, chains, caches, removal, transfer, copies, refusals."""

import copy
import gc
import io
import pickle
import threading
import weakref

import pytest
import torch
import torch.nn.utils.prune

import npg
import npg.nn.utils.parametrize as P
import npg.nn.utils.prune
from tests.twins import agree, attempt


class Made:
    """The classes of the tests, of either library."""

    def __init__(self, lib):
        Module = lib.nn.Module

        class Symmetric(Module):
            def forward(self, X):
                return X.triu() + X.triu(1).mT

            def right_inverse(self, A):
                return A.triu()

        class Skew(Module):
            def forward(self, X):
                A = X.tril(-1)
                return A - A.mT

        class Scale(Module):
            def __init__(self, factor=2.0):
                super().__init__()
                self.factor = lib.nn.Parameter(lib.tensor(factor))

            def forward(self, X):
                return X * self.factor

            def right_inverse(self, X):
                return X / self.factor

        class RankOne(Module):
            def forward(self, x, y):
                return x.unsqueeze(-1) @ y.unsqueeze(-2)

            def right_inverse(self, Z):
                return Z[:, 0].clone(), Z[0, :] / Z[0, 0]

        class First(Module):  # another shape
            def forward(self, X):
                return X[:1]

            def right_inverse(self, X):
                return X.expand(3, *X.shape[1:]).clone()

        class Wide(Module):  # another dtype
            def forward(self, X):
                return X.double()

        class Number(Module):
            def forward(self, X):
                return 3

        class Counted(Module):
            calls = 0

            def forward(self, X):
                type(self).calls += 1
                return X + self.training

        class Inverse(Module):
            def __init__(self, function):
                super().__init__()
                self.function = function

            def forward(self, *X):
                return X[0]

            def right_inverse(self, X):
                return self.function(X)

        self.__dict__.update({k: v for k, v in locals().items() if isinstance(v, type)})


def linear(lib, n=3, **settings):
    m = lib.nn.Linear(n, n, **settings)
    with lib.no_grad():
        m.weight.copy_(lib.arange(1.0, n * n + 1).reshape(n, n) / 4)
    return m


def state(m):
    return (
        repr(m), type(m).__name__, dict(m.state_dict()), [n for n, _ in m.named_parameters()],
        [n for n, _ in m.named_buffers()], [n for n, _ in m.named_modules()], sorted(m._parameters),
    )  # fmt: skip


# ----- Registering and removing -----


def test_one_parametrization():
    def program(lib):
        P, k = lib.nn.utils.parametrize, Made(lib)
        m = linear(lib)
        weight, parametrization = m.weight, k.Symmetric()
        yield P.is_parametrized(m), P.is_parametrized(m, "weight"), P.type_before_parametrizations(m) is lib.nn.Linear
        yield P.register_parametrization(m, "weight", parametrization) is m
        yield state(m), m.weight, m.weight is m.weight, weight
        yield m.parametrizations.weight.original is weight, m.parametrizations.weight[0] is parametrization
        yield P.is_parametrized(m), P.is_parametrized(m, "weight"), P.is_parametrized(m, "bias")
        yield P.type_before_parametrizations(m) is lib.nn.Linear, isinstance(m, lib.nn.Linear)
        p = m.parametrizations.weight
        yield type(p).__name__, p.unsafe, p.is_tensor, p.ntensors, len(p), len(m.parametrizations)
        y = m(lib.ones(2, 3))
        (y * y).sum().backward()
        yield y, weight.grad, m.bias.grad
        m.weight = lib.ones(3, 3) * 2
        yield m.weight, weight, m.parametrizations.weight.original is weight
        yield P.remove_parametrizations(m, "weight") is m
        yield state(m), m.weight is weight, type(m) is lib.nn.Linear, hasattr(m, "parametrizations")

    agree(program)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU", "Linear", "LSTMCell"])
def test_a_weight_is_made_as_often_as_by_torch(kind):
    """A parametrization may have a state, or draw numbers."""

    def program(lib):
        class Counting(lib.nn.Module):
            calls = 0

            def forward(self, x):
                type(self).calls += 1
                return x * 1

        m = getattr(lib.nn, kind)(3, 4)
        name = next(name for name, _ in m.named_parameters() if name.startswith("weight"))
        lib.nn.utils.parametrize.register_parametrization(m, name, Counting())
        for _ in range(2):
            before = Counting.calls
            m(lib.ones(2, 3))
            yield Counting.calls - before

    agree(program)


@pytest.mark.parametrize("leave", [True, False])
def test_chains_of_parametrizations_on_parameters_and_buffers(leave):
    def program(lib):
        P, k = lib.nn.utils.parametrize, Made(lib)
        m = linear(lib)
        m.register_buffer("table", lib.arange(9.0).reshape(3, 3))
        m.register_buffer("passing", lib.ones(2, 2), persistent=False)
        parameters = dict(m.named_parameters())
        for name in ("weight", "table", "passing"):
            P.register_parametrization(m, name, k.Symmetric())
            P.register_parametrization(m, name, k.Scale(2.0 + len(name)))
        P.register_parametrization(m, "bias", k.Scale(0.5))
        yield state(m), m.weight, m.table, m.passing, m.bias
        optimizer = lib.optim.SGD(m.parameters(), lr=0.1)
        for _ in range(2):
            optimizer.zero_grad()
            ((m(lib.ones(1, 3)) @ m.table) ** 2).sum().backward()
            optimizer.step()
            yield m.weight, [p.grad for p in m.parameters()]
        m.weight = lib.eye(3) * 4
        m.table = lib.eye(3)
        yield m.weight, m.table, dict(m.state_dict())
        for name in ("table", "weight", "passing", "bias"):
            P.remove_parametrizations(m, name, leave_parametrized=leave)
            yield state(m), getattr(m, name)
        yield [m.weight is parameters["weight"], m.bias is parameters["bias"], type(m) is lib.nn.Linear]

    agree(program)


def test_a_parametrization_of_several_tensors():
    def program(lib):
        P, k = lib.nn.utils.parametrize, Made(lib)
        m = linear(lib)
        P.register_parametrization(m, "weight", k.RankOne())
        P.register_parametrization(m, "weight", k.Scale())
        p = m.parametrizations.weight
        yield state(m), m.weight, p.is_tensor, p.ntensors, p.original0, p.original1, hasattr(p, "original")
        yield p.original0.requires_grad, type(p.original0) is lib.nn.Parameter
        m.weight.sum().backward()
        yield p.original0.grad, p.original1.grad
        first = p.original0
        m.weight = lib.ones(3, 3) * 5
        yield m.weight, p.original0 is first, p.original0, p.original1
        yield attempt(lambda: P.remove_parametrizations(m, "weight", leave_parametrized=False))
        P.remove_parametrizations(m, "weight")
        yield state(m), m.weight, m.weight.requires_grad, m.weight.is_leaf, type(m.weight) is lib.nn.Parameter

    agree(program)


@pytest.mark.parametrize("requires_grad", [True, False])
def test_several_tensors_of_buffers_and_frozen_parameters(requires_grad):
    def program(lib):
        P, k = lib.nn.utils.parametrize, Made(lib)
        m = lib.nn.Module()
        m.register_buffer("b", lib.arange(1.0, 10).reshape(3, 3).requires_grad_(requires_grad))
        m.p = lib.nn.Parameter(lib.arange(1.0, 10).reshape(3, 3), requires_grad=requires_grad)
        for name in ("b", "p"):
            P.register_parametrization(m, name, k.RankOne())
            list_ = m.parametrizations[name]
            yield list_.original0.requires_grad, list_.original1.requires_grad, getattr(m, name).requires_grad
        yield state(m)
        for name in ("b", "p"):
            P.remove_parametrizations(m, name)
            yield state(m), getattr(m, name).requires_grad, getattr(m, name)

    agree(program)


def test_originals_may_be_parametrized_too():
    def program(lib):
        P, k = lib.nn.utils.parametrize, Made(lib)
        m = linear(lib)
        P.register_parametrization(m, "weight", k.Scale())
        inner = m.parametrizations.weight
        P.register_parametrization(inner, "original", k.Symmetric())
        yield state(m), m.weight, type(inner).__name__
        m.weight.sum().backward()
        yield inner.parametrizations.original.original.grad
        P.remove_parametrizations(inner, "original", leave_parametrized=False)
        yield state(m), type(inner).__name__, m.weight

    agree(program)


def test_unsafe_parametrizations_may_change_shape_and_dtype():
    def program(lib):
        P, k = lib.nn.utils.parametrize, Made(lib)
        m = linear(lib)
        P.register_parametrization(m, "weight", k.Wide(), unsafe=True)
        P.register_parametrization(m, "weight", k.Scale())
        yield m.weight, m.parametrizations.weight.unsafe, m.parametrizations.weight.original
        yield attempt(lambda: P.remove_parametrizations(m, "weight")).partition(":")[0], state(m)
        P.remove_parametrizations(m, "weight", leave_parametrized=False)
        P.register_parametrization(m, "weight", k.First(), unsafe=True)
        yield m.weight, m.parametrizations.weight.original
        m.weight = lib.ones(1, 3)
        yield m.parametrizations.weight.original
        P.remove_parametrizations(m, "weight")
        yield m.weight, state(m)
        P.register_parametrization(m, "bias", k.Scale())
        P.register_parametrization(m, "bias", k.Number(), unsafe=True)
        yield m.bias, m.parametrizations.bias.unsafe

    agree(program)


def test_the_mode_of_the_module_is_passed_on():
    def program(lib):
        P, k = lib.nn.utils.parametrize, Made(lib)
        m = linear(lib).eval()
        P.register_parametrization(m, "bias", k.Counted())
        yield m.parametrizations.bias[0].training, m.bias
        m.train()
        yield m.parametrizations.bias[0].training, m.bias
        for kind in ("double", "half", "float"):
            getattr(m, kind)()
            yield m.bias, m.parametrizations.bias.original

    agree(program)


def test_modules_of_any_class():
    def program(lib):
        P, k = lib.nn.utils.parametrize, Made(lib)
        x = lib.arange(24.0).reshape(1, 2, 3, 4) / 10
        for m, name, inputs in (
            (lib.nn.Conv2d(2, 3, 2), "weight", x),
            (lib.nn.BatchNorm2d(2), "running_mean", x),
            (lib.nn.BatchNorm2d(2), "weight", x),
            (lib.nn.Embedding(5, 3), "weight", lib.tensor([1, 4])),
            (lib.nn.LayerNorm(4), "bias", x),
            (lib.nn.PReLU(), "weight", x - 1),
        ):
            P.register_parametrization(m.eval(), name, k.Scale())
            yield repr(m), attempt(lambda m=m, inputs=inputs: m(inputs))
        attention = lib.nn.MultiheadAttention(4, 2, batch_first=True).eval()
        P.register_parametrization(attention, "in_proj_weight", k.Scale())
        P.register_parametrization(attention.out_proj, "weight", k.Scale())
        yield repr(attention), attention(x[0], x[0], x[0])

    agree(program)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_weights_of_recurrent_nets(kind):
    def program(lib):
        P, k, others = lib.nn.utils.parametrize, Made(lib), lib.nn.utils.parametrizations
        m = getattr(lib.nn, kind)(3, 4, num_layers=2, batch_first=True).double()
        x = lib.randn(2, 5, 3, dtype=lib.float64)
        yield m(x)[0]
        P.register_parametrization(m, "weight_hh_l0", k.Scale().double())
        yield repr(m), sorted(m.state_dict()), m(x)[0]
        with lib.no_grad():
            m.parametrizations.weight_hh_l0.original.mul_(3)
        m(x)[0].sum().backward()
        yield m(x)[0], [p.grad for p in m.parameters()]
        others.orthogonal(m, "weight_hh_l1") if kind == "RNN" else others.weight_norm(m, "weight_hh_l1")
        with P.cached():
            yield m(x)[0]
        m.weight_hh_l0 = lib.ones_like(m.weight_hh_l0)
        yield m(x)[0], m.weight_hh_l0
        for name in ("weight_hh_l0", "weight_hh_l1"):
            P.remove_parametrizations(m, name)
        m.zero_grad()
        m(x)[0].sum().backward()
        yield repr(m), m(x)[0], [p.grad for p in m.parameters()]
        cell = getattr(lib.nn, kind + "Cell")(3, 4).double()
        P.register_parametrization(cell, "weight_ih", k.Scale().double())
        cell(x[0])[0].sum().backward()
        yield repr(cell), cell(x[0]), [p.grad for p in cell.parameters()]

    agree(program)


# ----- Caches -----


def test_values_are_kept_within_cached():
    def program(lib):
        P, k = lib.nn.utils.parametrize, Made(lib)
        m, other = linear(lib), linear(lib)
        for each in (m, other):
            P.register_parametrization(each, "weight", k.Counted())
            P.register_parametrization(each, "bias", k.Counted())
        k.Counted.calls = 0
        assert m.weight is not m.weight
        yield k.Counted.calls
        with P.cached():
            first = m.weight
            with P.cached():
                yield m.weight is first, other.weight is first, k.Counted.calls
            yield m.weight is first, m(lib.ones(1, 3)), k.Counted.calls
            m.weight.sum().backward()
        yield m.weight is first, k.Counted.calls, m.parametrizations.weight.original.grad
        try:
            with P.cached():
                second = m.weight
                raise ValueError
        except ValueError:
            yield m.weight is second

        @P.cached()
        def both():
            return m.weight is m.weight

        yield both(), both(), m.weight is m.weight

    agree(program)


def test_a_cache_knows_copies_apart_and_lets_values_go():
    m = linear(npg)
    P.register_parametrization(m, "weight", Made(npg).Scale())
    twin = copy.deepcopy(m)
    with npg.no_grad():
        twin.parametrizations.weight.original.zero_()
    with P.cached():
        assert m.weight[0, 0] != 0 and twin.weight[0, 0] == 0  # PyTorch gives both the value of the first
        value = weakref.ref(m.weight)
        assert value() is not None
    gc.collect()
    assert value() is None


def test_a_cache_of_a_module_that_is_gone_serves_no_other():
    k = Made(npg)
    with P.cached():
        for i in range(20):
            m = linear(npg)
            P.register_parametrization(m, "weight", k.Scale(float(i)))
            assert float(m.weight[0, 0]) == i * 0.25 / i if i else True
            del m


# ----- Copies, states, pickles -----


def test_states_are_exchanged():
    def program(lib):
        P, k = lib.nn.utils.parametrize, Made(lib)

        def made():
            m = lib.nn.Sequential(linear(lib), lib.nn.ReLU(), linear(lib))
            P.register_parametrization(m[0], "weight", k.Symmetric())
            P.register_parametrization(m[2], "weight", k.RankOne())
            return m

        m = made()
        yield dict(m.state_dict()), repr(m)
        with lib.no_grad():
            m[0].weight = lib.ones(3, 3)
        twin = made()
        yield repr(twin.load_state_dict(m.state_dict())), dict(twin.state_dict())
        yield attempt(lambda: made().load_state_dict(lib.nn.Sequential(linear(lib)).state_dict()))
        yield repr(twin.load_state_dict({}, strict=False))
        file = io.BytesIO()
        lib.save(m.state_dict(), file)
        file.seek(0)
        yield dict(lib.load(file))

    agree(program)


def test_a_state_of_torch_is_loaded():
    theirs, ours = linear(torch), linear(npg)
    for m, lib in ((theirs, torch), (ours, npg)):
        lib.nn.utils.parametrize.register_parametrization(m, "weight", Made(lib).Symmetric())
    with torch.no_grad():
        theirs.parametrizations.weight.original.fill_(7)
    file = io.BytesIO()
    torch.save(theirs.state_dict(), file)
    file.seek(0)
    ours.load_state_dict(npg.load(file))
    assert float(ours.weight.sum()) == 63


def test_deep_copies_are_independent():
    def program(lib):
        P, k = lib.nn.utils.parametrize, Made(lib)
        m = linear(lib)
        P.register_parametrization(m, "weight", k.Scale())
        m.note = [1]
        twin = copy.deepcopy(m)
        yield state(twin), type(twin) is type(m), twin.weight, twin.note is m.note
        with lib.no_grad():
            twin.parametrizations.weight.original.zero_()
        yield m.weight, twin.weight
        both = copy.deepcopy([m, m])
        yield both[0] is both[1], both[0] is m
        yield (
            attempt(lambda: copy.copy(m)),
            attempt(lambda: pickle.dumps(m)),
            attempt(lambda: lib.save(m, io.BytesIO())),
        )
        net = lib.nn.Sequential(m)
        yield attempt(lambda: pickle.dumps(net)), repr(copy.deepcopy(net))
        P.remove_parametrizations(m, "weight")
        yield type(pickle.loads(pickle.dumps(m))) is lib.nn.Linear
        averaged = lib.optim.swa_utils.AveragedModel(net)
        averaged.update_parameters(net)
        yield averaged.module[0].weight

    agree(program)


def test_a_copy_may_be_parametrized_otherwise():
    # In PyTorch both have one class, which each changes.
    k, m = Made(npg), linear(npg)
    P.register_parametrization(m, "weight", k.Scale())
    twin = copy.deepcopy(m)
    P.register_parametrization(twin, "bias", k.Scale())
    P.remove_parametrizations(twin, "weight")
    assert [n for n, _ in m.named_parameters()][0] == "bias" and not P.is_parametrized(m, "bias")
    assert npg.equal(m.weight, twin.weight)
    P.remove_parametrizations(twin, "bias")
    assert type(twin) is npg.nn.Linear and type(m).__name__ == "ParametrizedLinear"
    assert m(npg.ones(1, 3)).shape == (1, 3)


def test_slots_and_a_deepcopy_of_the_class_are_kept():
    def program(lib):
        P, k = lib.nn.utils.parametrize, Made(lib)

        class Slotted(lib.nn.Linear):
            __slots__ = ("extra", "unset")

        class Own(lib.nn.Linear):
            def __deepcopy__(self, memo):
                return "a copy"

        for cls in (Slotted, Own):
            m = cls(2, 2)
            if cls is Slotted:
                m.extra = [5]
            P.register_parametrization(m, "weight", k.Scale())
            twin = copy.deepcopy(m)
            yield twin if cls is Own else (twin.extra, twin.extra is m.extra, hasattr(twin, "unset"))

    agree(program)


# ----- Transfer -----


def test_transfer():
    def program(lib):
        P, k = lib.nn.utils.parametrize, Made(lib)
        source = linear(lib)
        P.register_parametrization(source, "weight", k.Scale())
        P.register_parametrization(source, "weight", k.Symmetric())
        P.register_parametrization(source, "bias", k.Scale(3.0))
        target = lib.nn.Linear(3, 3)
        yield P.transfer_parametrizations_and_params(source, target, "weight") is target
        yield state(target), target.weight
        yield target.parametrizations.weight.original is source.parametrizations.weight.original
        yield target.parametrizations.weight[0] is source.parametrizations.weight[0]
        yield attempt(lambda: P.transfer_parametrizations_and_params(source, lib.nn.Linear(3, 3, bias=False)))
        target = P.transfer_parametrizations_and_params(source, lib.nn.Linear(3, 3))
        yield sorted(dict(target.named_parameters())), sorted(target.parametrizations)
        plain = lib.nn.Linear(2, 2)
        yield P.transfer_parametrizations_and_params(plain, target) is target
        several = linear(lib)
        P.register_parametrization(several, "weight", k.RankOne())
        target = P.transfer_parametrizations_and_params(several, linear(lib))
        yield state(target), target.weight
        yield target.parametrizations.weight.original1 is several.parametrizations.weight.original1
        empty = P.transfer_parametrizations_and_params(source, lib.nn.Module(), "weight")
        yield [n for n, _ in empty.named_parameters()], empty.weight

    agree(program)


# ----- Refusals -----


def test_refusals_are_torchs_and_change_nothing():
    def program(lib):
        P, k = lib.nn.utils.parametrize, Made(lib)

        def refused(parametrization, name="weight", first=None, **settings):
            m = linear(lib)
            if first is not None:
                P.register_parametrization(m, name, first)
            before = state(m)
            text = attempt(lambda: P.register_parametrization(m, name, parametrization, **settings) and None)
            assert state(m)[:2] == before[:2] and text is not None
            return text

        yield refused(k.Scale(), "nothing")
        yield refused(k.Scale(), "in_features")
        for p in (k.First(), k.Wide(), k.Number()):
            yield refused(p)
            yield refused(p, first=k.Scale())
        for function in (
            lambda X: 3, lambda X: "ab", lambda X: X.double(), lambda X: [X, 3], lambda X: None, lambda X: X[:1],
        ):  # fmt: skip
            yield refused(k.Inverse(function))
            yield refused(k.Inverse(function), first=k.Scale())
        yield refused(k.Inverse(lambda X: (X, X)), first=k.Scale())
        yield attempt(lambda: P.ParametrizationList([], lib.ones(1)))
        m = linear(lib, bias=False)
        yield attempt(lambda: P.register_parametrization(m, "bias", k.Scale()))
        yield attempt(lambda: P.register_parametrization(lib.nn.LazyLinear(2), "weight", k.Scale()))
        yield attempt(lambda: P.remove_parametrizations(m, "weight"))
        P.register_parametrization(m, "weight", k.Scale())
        yield attempt(lambda: P.remove_parametrizations(m, "bias"))
        yield attempt(lambda: setattr(m, "weight", lib.nn.Parameter(lib.ones(3, 3))))
        yield attempt(lambda: setattr(m, "weight", None)).partition("'")[0]
        yield (
            attempt(lambda: m.register_parameter("weight", None)),
            attempt(lambda: delattr(m, "weight")).partition(":")[0],
        )

    agree(program)


def test_assignments_are_refused_as_torch_refuses_them():
    def program(lib):
        P, k = lib.nn.utils.parametrize, Made(lib)
        m = linear(lib)
        P.register_parametrization(m, "weight", k.Skew())
        yield attempt(lambda: setattr(m, "weight", lib.ones(3, 3)))
        m = linear(lib)
        results = [lambda X: X, lambda X: X.double(), lambda X: 3]
        inverse = k.Inverse(lambda X: results[0](X))
        P.register_parametrization(m, "weight", inverse)
        for function in results:
            inverse.function = function
            yield attempt(lambda: setattr(m, "weight", lib.ones(3, 3)))
        m = linear(lib)
        inverse = k.Inverse(lambda X: (X, X))
        P.register_parametrization(m, "weight", inverse)
        for function in (
            lambda X: X, lambda X: 3, lambda X: (X,), lambda X: (X, 3), lambda X: (X, X.double()), lambda X: [X * 2, X],
        ):  # fmt: skip
            inverse.function = function
            yield attempt(lambda: setattr(m, "weight", lib.ones(3, 3)))
            p = m.parametrizations.weight
            yield p.original0.shape, p.original1.shape, p.original1.dtype
        inverse.function = _not_implemented
        yield attempt(lambda: setattr(m, "weight", lib.ones(3, 3)))

    def _not_implemented(X):
        raise NotImplementedError("no inverse")

    agree(program)


def test_a_right_inverse_that_is_not_implemented_is_the_identity_at_first():
    def program(lib):
        P, k = lib.nn.utils.parametrize, Made(lib)

        def none(X):
            raise NotImplementedError

        m = linear(lib)
        P.register_parametrization(m, "weight", k.Inverse(none))
        P.register_parametrization(m, "weight", k.Inverse(none))
        yield m.weight, state(m)

    agree(program)


# ----- Beside other things -----


def test_pruning_of_originals_and_parametrized_modules():
    def program(lib):
        P, prune, k = lib.nn.utils.parametrize, lib.nn.utils.prune, Made(lib)
        m = linear(lib)
        P.register_parametrization(m, "weight", k.Scale())
        prune.l1_unstructured(m.parametrizations.weight, "original", 4)
        yield state(m), m.weight
        m(lib.ones(1, 3)).sum().backward()
        yield m.parametrizations.weight.original_orig.grad
        prune.remove(m.parametrizations.weight, "original")
        yield state(m), m.weight
        prune.random_unstructured(m, "bias", 1)
        yield m(lib.ones(1, 3)), dict(m.state_dict())
        yield attempt(lambda: prune.l1_unstructured(m, "weight", 1)).partition(" '")[0]

    agree(program)


def test_many_threads_read_a_parametrized_weight():
    m = linear(npg, 8)
    P.register_parametrization(m, "weight", Made(npg).Symmetric())
    expected, found = m(npg.ones(2, 8)).detach(), []
    threads = [threading.Thread(target=lambda: found.append(m(npg.ones(2, 8)).detach())) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(found) == 8 and all(npg.equal(y, expected) for y in found)


def test_training_with_other_optimizers_is_torchs():
    def program(lib):
        P, k = lib.nn.utils.parametrize, Made(lib)
        net = lib.nn.Sequential(lib.nn.Linear(4, 4), lib.nn.Tanh(), lib.nn.Linear(4, 2)).double()
        P.register_parametrization(net[0], "weight", k.Symmetric())
        P.register_parametrization(net[2], "bias", k.Scale().double())
        for optimizer in (
            lib.optim.Adam(net.parameters(), lr=0.05),
            lib.optim.AdamW(net.parameters()),
            lib.optim.RMSprop(net.parameters()),
            lib.optim.SGD(net.parameters(), lr=0.1, momentum=0.9),
        ):
            for _ in range(3):
                x = lib.randn(8, 4, dtype=lib.float64)
                optimizer.zero_grad()
                with P.cached():
                    loss = (net(x) - x[:, :2].sin()).square().mean()
                loss.backward()
                optimizer.step()
                yield loss.detach()
        yield dict(net.state_dict())

    agree(program)
