"""orthogonal, weight_norm and spectral_norm as parametrizations, against PyTorch: draws, values, gradients, states."""

import copy
import io
import itertools

import numpy as np
import pytest
import torch

import npg
from npg.nn.utils import parametrizations
from tests.twins import agree, attempt, warned

# ----- Orthogonal matrices -----

SHAPES = [(4, 4), (5, 3), (3, 5), (1, 1), (1, 4), (4, 1), (2, 3, 3), (2, 4, 2), (2, 1, 2, 4)]
MAPS = ["matrix_exp", "cayley", "householder", None]


def holder(lib, shape, dtype="float64", orthogonal=False):
    """Return a module with a parameter of this shape."""
    m = lib.nn.Module()
    weight = lib.randn(*shape, dtype=getattr(lib, dtype))
    if orthogonal:
        weight = lib.linalg.qr(weight if shape[-2] >= shape[-1] else weight.mT).Q
        weight = weight if shape[-2] >= shape[-1] else weight.mT
    m.weight = lib.nn.Parameter(weight)
    return m


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("base", [True, False])
def test_orthogonal_is_torchs(shape, name, base):
    def program(lib):
        orthogonal = lib.nn.utils.parametrizations.orthogonal
        m = holder(lib, shape)
        weight = m.weight
        yield orthogonal(m, "weight", name, use_trivialization=base) is m
        yield repr(m), dict(m.state_dict()), m.weight, m.parametrizations.weight.original is weight
        assert_orthogonal = m.weight.mT @ m.weight if shape[-2] >= shape[-1] else m.weight @ m.weight.mT
        yield assert_orthogonal
        optimizer = lib.optim.SGD(m.parameters(), lr=0.05)
        target = lib.randn(*shape, dtype=lib.float64)
        for _ in range(3):
            optimizer.zero_grad()
            loss = (m.weight * target).sum()
            loss.backward()
            optimizer.step()
            yield loss.detach(), weight.grad, m.weight.detach()
        yield attempt(lambda: setattr(m, "weight", target))
        yield m.weight, dict(m.state_dict()), lib.randn(1)
        yield attempt(lambda: setattr(m, "weight", target[..., :1, :1].expand(*shape[:-2], 2, 6)))
        twin = orthogonal(holder(lib, shape), "weight", name, use_trivialization=base)
        twin.load_state_dict(m.state_dict())
        yield twin.weight
        yield copy.deepcopy(m).weight
        lib.nn.utils.parametrize.remove_parametrizations(m, "weight")
        yield dict(m.state_dict()), m.weight is weight

    agree(program)


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5)], ids=str)
@pytest.mark.parametrize("name", MAPS)
def test_a_weight_that_is_orthogonal_stays(shape, name):
    def program(lib):
        m = holder(lib, shape, orthogonal=True)
        before = m.weight.detach().clone()
        lib.nn.utils.parametrizations.orthogonal(m, "weight", name)
        yield lib.allclose(m.weight, before), m.weight

    agree(program)


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("shape", [(6, 6), (8, 3), (3, 8)], ids=str)
def test_float32_weights_are_as_orthogonal_as_torchs(shape, name):
    def program(lib):
        m = lib.nn.Linear(shape[1], shape[0])
        lib.nn.utils.parametrizations.orthogonal(m, orthogonal_map=name)
        yield m.weight.dtype, lib.randn(3)
        yield m(lib.ones(2, shape[1])).detach().mul(64).round() / 64
        w = m.weight.detach()
        product = w.T @ w if shape[0] >= shape[1] else w @ w.T
        yield bool((product - lib.eye(min(shape))).abs().max() < 2e-6)

    agree(program, seed=5)


def test_gradients_of_second_order():
    def program(lib):
        for name, base in itertools.product(MAPS[:3], (True, False)):
            m = lib.nn.utils.parametrizations.orthogonal(holder(lib, (4, 2)), "weight", name, use_trivialization=base)
            original = m.parametrizations.weight.original
            g = lib.autograd.grad((m.weight**3).sum(), original, create_graph=True)[0]
            yield g, lib.autograd.grad((g * g).sum(), original)[0]

    agree(program)


def test_orthogonal_layers_of_kinds():
    def program(lib):
        orthogonal = lib.nn.utils.parametrizations.orthogonal
        conv = orthogonal(lib.nn.Conv2d(2, 3, 3).double())  # batches of 3x3 matrices
        yield repr(conv), conv(lib.ones(1, 2, 4, 4, dtype=lib.float64)), conv.parametrizations.weight[0].base.shape
        m = lib.nn.Linear(3, 3, bias=False).double()
        m.register_buffer("table", lib.randn(3, 2, dtype=lib.float64))
        orthogonal(m, "table", "cayley")
        orthogonal(orthogonal(m, "weight"), "weight", "householder", use_trivialization=False)
        yield repr(m), m.table, m.weight, dict(m.state_dict())
        yield lib.nn.utils.parametrizations.spectral_norm(m.eval(), "weight").weight
        again = orthogonal(orthogonal(lib.nn.Linear(3, 3)))
        yield attempt(lambda: again.weight)

    agree(program)


def test_refusals_of_orthogonal_are_torchs():
    def program(lib):
        orthogonal, m = lib.nn.utils.parametrizations.orthogonal, lib.nn.Linear(2, 3)
        yield attempt(lambda: orthogonal(m, "nothing"))
        yield attempt(lambda: orthogonal(m, "in_features"))
        yield attempt(lambda: orthogonal(m, "bias"))
        yield attempt(lambda: orthogonal(m, orthogonal_map="other"))
        yield sorted(m.state_dict()), type(m).__name__
        yield repr(orthogonal(m.half())), attempt(lambda: m.weight)

    agree(program)


# ----- Weight normalisation -----

MODULES = {
    "linear": (lambda lib: lib.nn.Linear(5, 3), (4, 5), 0),
    "linear last": (lambda lib: lib.nn.Linear(5, 3), (4, 5), 1),
    "conv": (lambda lib: lib.nn.Conv2d(3, 4, 3), (2, 3, 5, 5), 0),
    "conv middle": (lambda lib: lib.nn.Conv2d(3, 4, 3), (2, 3, 5, 5), -3),
    "transposed": (lambda lib: lib.nn.ConvTranspose1d(3, 4, 2), (2, 3, 3), 1),
    "one length": (lambda lib: lib.nn.Linear(5, 3), (4, 5), None),
    "-1": (lambda lib: lib.nn.Linear(5, 3), (4, 5), -1),
    "bias": (lambda lib: lib.nn.Linear(5, 3), (4, 5), 0),
}


@pytest.mark.parametrize("name", MODULES)
def test_weight_norm_is_torchs(name):
    make, shape, dim = MODULES[name]
    tensor = "bias" if name == "bias" else "weight"

    def program(lib):
        m = make(lib).double()
        before = getattr(m, tensor).detach().clone()
        yield lib.nn.utils.parametrizations.weight_norm(m, tensor, dim) is m
        yield repr(m), dict(m.state_dict()), getattr(m, tensor), lib.allclose(getattr(m, tensor), before)
        x = lib.randn(*shape, dtype=lib.float64)
        optimizer = lib.optim.SGD(m.parameters(), lr=0.1)
        for _ in range(2):
            optimizer.zero_grad()
            m(x).square().sum().backward()
            optimizer.step()
            yield [p.grad for p in m.parameters()], dict(m.state_dict())
        setattr(m, tensor, before * 2)
        yield dict(m.state_dict())
        lib.nn.utils.parametrize.remove_parametrizations(m, tensor)
        yield repr(m), dict(m.state_dict())

    agree(program)


def test_weight_norm_takes_states_of_the_old_one():
    def program(lib):
        old = warned(lambda: lib.nn.utils.weight_norm(lib.nn.Linear(3, 2)))[0]
        net = lib.nn.Sequential(lib.nn.utils.parametrizations.weight_norm(lib.nn.Linear(3, 2)))
        given = {f"0.{k}": v for k, v in old.state_dict().items()}
        yield repr(net.load_state_dict(given)), dict(net.state_dict()), net(lib.ones(1, 3)), list(given)
        del given["0.weight_g"]
        yield attempt(lambda: net.load_state_dict(given))

    agree(program)


def test_refusals_of_weight_norm_are_torchs():
    def program(lib):
        norm, m = lib.nn.utils.parametrizations.weight_norm, lib.nn.Linear(2, 3)
        yield attempt(lambda: norm(m, "nothing")), attempt(lambda: norm(m, dim=2)), attempt(lambda: norm(m, dim=-3))
        yield sorted(m.state_dict()), type(m).__name__
        norm(m)
        yield attempt(lambda: norm(m).weight)

    agree(program)


def test_norm_except_dim_is_torchs():
    def program(lib):
        v = (lib.arange(24.0).reshape(4, 3, 2) - 7).requires_grad_()
        for dim in (0, 1, 2, -1, -2, -3, 3, -4):
            yield attempt(lambda dim=dim: lib.norm_except_dim(v, 2, dim))
        yield lib.norm_except_dim(v), lib.norm_except_dim(v, 1), lib.norm_except_dim(v, pow=3, dim=1)
        yield lib.norm_except_dim(v[0, 0]), lib.norm_except_dim(v.half()), lib.norm_except_dim(v[0, 0], 2, -1)
        yield attempt(lambda: lib.norm_except_dim(v[0, 0, 0])), attempt(lambda: lib.norm_except_dim(3))
        yield attempt(lambda: lib.norm_except_dim(v.int()))
        lib.norm_except_dim(v, 2, 1).sum().backward()
        yield v.grad

    agree(program)


# ----- Spectral normalisation -----

SPECTRAL = {
    "linear": (lambda lib: lib.nn.Linear(5, 3), (4, 5), {}),
    "iterations": (lambda lib: lib.nn.Linear(5, 3), (4, 5), {"n_power_iterations": 3, "eps": 1e-6}),
    "conv": (lambda lib: lib.nn.Conv2d(3, 4, 3), (2, 3, 5, 5), {}),
    "transposed": (lambda lib: lib.nn.ConvTranspose2d(3, 4, 2), (2, 3, 3, 3), {}),
    "dim": (lambda lib: lib.nn.Conv1d(3, 4, 3), (2, 3, 7), {"dim": -2}),
    "bias": (lambda lib: lib.nn.Linear(5, 3), (4, 5), {"name": "bias"}),
}


@pytest.mark.parametrize("name", SPECTRAL)
def test_spectral_norm_is_torchs(name):
    make, shape, settings = SPECTRAL[name]

    def program(lib):
        m = make(lib).double()
        yield lib.nn.utils.parametrizations.spectral_norm(m, **settings) is m
        yield repr(m), dict(m.state_dict())
        x = lib.randn(*shape, dtype=lib.float64)
        for training in (True, True, False):
            m.train(training)
            m.zero_grad()
            y = m(x)
            (y.sum() + m(x).square().sum()).backward()
            yield y, [p.grad for p in m.parameters()], dict(m.state_dict())
        with lib.nn.utils.parametrize.cached():
            yield m.train()(x), m(x)
        yield dict(m.state_dict())
        tensor = settings.get("name", "weight")
        setattr(m, tensor, lib.ones_like(getattr(m, tensor)))
        yield getattr(m, tensor), dict(m.state_dict())
        twin = lib.nn.utils.parametrizations.spectral_norm(make(lib).double(), **settings)
        twin.load_state_dict(m.state_dict())
        yield getattr(twin.eval(), tensor)
        lib.nn.utils.parametrize.remove_parametrizations(m, tensor)
        yield repr(m), dict(m.state_dict())

    agree(program)


def test_refusals_of_spectral_norm_are_torchs():
    def program(lib):
        norm, m = lib.nn.utils.parametrizations.spectral_norm, lib.nn.Linear(2, 3)
        yield attempt(lambda: norm(m, "nothing")), attempt(lambda: norm(m, dim=2)), attempt(lambda: norm(m, dim=-3))
        yield attempt(lambda: norm(m, n_power_iterations=0)), attempt(lambda: norm(m, "bias", dim=1))
        yield sorted(m.state_dict()), type(m).__name__, lib.randn(1)

    agree(program)


# ----- In whole programs -----


def test_a_gan_like_step_with_all_of_them_is_torchs():
    def program(lib):
        nn, param = lib.nn, lib.nn.utils.parametrizations
        net = nn.Sequential(
            param.spectral_norm(nn.Conv2d(1, 4, 3).double()), nn.LeakyReLU(0.2), nn.Flatten(),
            param.weight_norm(nn.Linear(16, 8).double()), nn.Tanh(),
            param.orthogonal(nn.Linear(8, 8).double()), nn.Linear(8, 1).double(),
        )  # fmt: skip
        optimizer = lib.optim.Adam(net.parameters(), lr=0.01)
        for _ in range(4):
            x = lib.randn(5, 1, 4, 4, dtype=lib.float64)
            loss = net(x).mean() - net(x * 2).mean()
            optimizer.zero_grad()
            loss.backward()
            lib.nn.utils.clip_grad_norm_(net.parameters(), 0.5)
            optimizer.step()
            yield loss.detach()
        yield dict(net.state_dict()), repr(net)

    agree(program)


def test_states_are_exchanged_with_torch():
    for name in ("orthogonal", "weight_norm", "spectral_norm"):
        ours = getattr(parametrizations, name)(npg.nn.Linear(3, 3))
        theirs = getattr(torch.nn.utils.parametrizations, name)(torch.nn.Linear(3, 3))
        for source, target, save, load in (
            (ours, theirs, npg.save, torch.load),
            (theirs, ours, torch.save, npg.load),
        ):
            file = io.BytesIO()
            save(source.state_dict(), file)
            file.seek(0)
            target.load_state_dict(load(file))
            a, b = (m.eval()(lib.ones(1, 3)).detach().numpy() for m, lib in ((ours, npg), (theirs, torch)))
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
            ours.train()
            theirs.train()
            with torch.no_grad():
                next(theirs.parameters()).mul_(1.5)
