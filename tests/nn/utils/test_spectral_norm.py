"""spectral_norm against PyTorch: draws, forwards, gradients, states, removal, refusals."""

import io

import pytest
import torch

import npg
from tests.twins import agree, attempt

MODULES = {
    "linear": (lambda lib: lib.nn.Linear(5, 3), (4, 5), {}),
    "conv": (lambda lib: lib.nn.Conv2d(3, 4, 3), (2, 3, 5, 5), {"n_power_iterations": 3}),
    "transposed": (lambda lib: lib.nn.ConvTranspose2d(3, 4, 2), (2, 3, 3, 3), {}),
    "dim": (lambda lib: lib.nn.Conv1d(3, 4, 3), (2, 3, 7), {"dim": 1, "eps": 1e-6}),
    "bilinear": (lambda lib: lib.nn.Bilinear(3, 2, 4), None, {}),
}


@pytest.mark.parametrize("name", MODULES)
def test_spectral_norm_is_torchs(name):
    make, shape, settings = MODULES[name]

    def program(lib):
        lib.manual_seed(3)
        m = lib.nn.utils.spectral_norm(make(lib).double(), **settings)  # float32 differs in the last digits
        yield dict(m.state_dict()), sorted(dict(m.named_parameters()))
        shapes = [(4, 3), (4, 2)] if shape is None else [shape]
        inputs = [lib.randn(*s, dtype=lib.float64) for s in shapes]
        for training in (True, True, False):
            m.train(training)
            m.zero_grad()
            y = m(*inputs)
            (y * y).sum().backward()
            yield y.detach(), m.weight_orig.grad, m.weight_u, m.weight_v, m.weight.detach()
        yield m.state_dict()._metadata[""]
        twin = lib.nn.utils.spectral_norm(make(lib).double(), **settings)
        twin.load_state_dict(m.state_dict())
        yield twin.eval()(*inputs).detach()
        yield attempt(lambda: lib.nn.utils.spectral_norm(m))
        lib.nn.utils.remove_spectral_norm(m)
        yield dict(m.state_dict()), m(*inputs).detach(), len(m._state_dict_hooks)
        yield attempt(lambda: lib.nn.utils.remove_spectral_norm(m))

    agree(program)


def test_two_forwards_before_a_backward_do_not_disturb_each_other():
    def program(lib):
        lib.manual_seed(0)
        m = lib.nn.utils.spectral_norm(lib.nn.Linear(4, 4).double())
        x = lib.randn(2, 4, dtype=lib.float64)
        (m(x).sum() + m(x).square().sum()).backward()
        yield m.weight_orig.grad

    agree(program)


def test_refusals_change_nothing():
    def program(lib):
        m = lib.nn.Linear(2, 2, bias=False)
        yield attempt(lambda: lib.nn.utils.spectral_norm(m, "bias"))
        yield attempt(lambda: lib.nn.utils.spectral_norm(m, "none"))
        yield attempt(lambda: lib.nn.utils.spectral_norm(m, n_power_iterations=0))
        yield attempt(lambda: lib.nn.utils.spectral_norm(lib.nn.LazyLinear(2)))
        yield sorted(m.state_dict()), len(m._forward_pre_hooks)

    agree(program)


def test_states_are_exchanged_with_torch():
    ours, theirs = npg.nn.utils.spectral_norm(npg.nn.Linear(3, 2)), torch.nn.utils.spectral_norm(torch.nn.Linear(3, 2))
    file = io.BytesIO()
    npg.save(ours.state_dict(), file)
    file.seek(0)
    theirs.load_state_dict(torch.load(file))
    x = torch.ones(1, 3)
    assert npg.allclose(ours.eval()(npg.tensor(x.numpy())), npg.tensor(theirs.eval()(x).detach().numpy()))


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 2)], ids=str)
def test_states_of_pytorch_before_1_are_completed(shape):
    def program(lib):
        net = lib.nn.Sequential(lib.nn.utils.spectral_norm(lib.nn.Linear(*shape).double()))
        x = lib.randn(2, shape[0], dtype=lib.float64)
        net(x)

        def old(*without, version=None):
            state = net.state_dict()
            state["0.weight"] = net[0].weight.detach().clone()
            for key in without:
                del state[key]
            del state._metadata["0"]["spectral_norm"]
            if version is not None:
                state._metadata["0"]["spectral_norm"] = {"weight.version": version}
            return state

        twin = lib.nn.Sequential(lib.nn.utils.spectral_norm(lib.nn.Linear(*shape).double()))
        for version in (None, 0):
            yield repr(twin.load_state_dict(old("0.weight_v", version=version))), dict(twin.state_dict())
            yield twin.eval()(x)
        yield repr(twin.load_state_dict(old("0.weight")))  # of today, without metadata
        for without in (("0.weight_v", "0.weight_u"), ("0.weight_v", "0.weight"), ("0.weight_v", "0.weight_orig")):
            yield attempt(lambda w=without: twin.load_state_dict(old(*w)))
        yield repr(twin.load_state_dict(old("0.weight_v", "0.weight_u"), strict=False))
        yield attempt(lambda: twin.load_state_dict(old("0.weight_v", version=1)))

    agree(program)


def test_a_module_without_the_normalisation_takes_states_without_it():
    # PyTorch goes on asking for weight_orig and weight_u.
    m = npg.nn.utils.remove_spectral_norm(npg.nn.utils.spectral_norm(npg.nn.Linear(2, 2)))
    assert not (m._forward_pre_hooks or m._state_dict_hooks or m._load_state_dict_pre_hooks)
    m.load_state_dict(npg.nn.Linear(2, 2).state_dict())


def test_two_normalised_parameters_are_kept_apart():
    def program(lib):
        m = lib.nn.Bilinear(2, 2, 2)
        lib.nn.utils.spectral_norm(m)
        m.other = lib.nn.Parameter(lib.ones(2, 3))
        lib.nn.utils.spectral_norm(m, "other")
        yield m.state_dict()._metadata[""], sorted(m.state_dict())
        lib.nn.utils.remove_spectral_norm(m)
        yield m.state_dict()._metadata[""], sorted(m.state_dict())

    agree(program)


def test_the_hook_is_applied_by_its_class():
    def program(lib):
        from_class = type(next(iter(lib.nn.utils.spectral_norm(lib.nn.Linear(2, 2))._forward_pre_hooks.values())))
        m = lib.nn.Linear(3, 2)
        fn = from_class.apply(m, "weight", 2, 0, 1e-12)
        yield fn.name, fn.dim, fn.n_power_iterations, dict(m.state_dict())
        fn.remove(m)
        yield sorted(m.state_dict()), m.weight

    agree(program)
